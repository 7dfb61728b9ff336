"""Finds the folder of a course, its assignments and their rubrics.

ROOT/
    rubrics/ASSIGNMENT.yaml     the questions and points
    reference/ASSIGNMENT/       the instructor's notebook, the generators of hidden inputs
"""

from __future__ import annotations

from pathlib import Path

from grader.errors import UsageError


def find_root(*starts: Path) -> Path:
    """Return the nearest folder that holds rubrics/, at or above a start; earlier starts go first."""
    for start in starts:
        for candidate in (start.resolve(), *start.resolve().parents):
            if (candidate / "rubrics").is_dir():
                return candidate
    where = " or ".join(map(str, starts))
    raise UsageError(f"no folder rubrics/ in or above {where}; give the course's folder with --root")


def assignments(root: Path) -> list[str]:
    """Return the names of the assignments of a course."""
    return sorted(path.stem for path in (root / "rubrics").glob("*.yaml"))


def assignment_of(folder: Path, root: Path) -> str:
    """Return the assignment that a folder, or one above it, has the name of; or the course's only one."""
    names = assignments(root)
    for name in (folder.resolve().name, *(parent.name for parent in folder.resolve().parents)):
        if name in names:
            return name
    if len(names) == 1:
        return names[0]
    raise UsageError(
        f"which assignment is {folder} of? Give --assignment, one of: {', '.join(names) or 'none'}"
    )


def rubric_path(assignment: str, root: Path) -> Path:
    """Return the rubric of an assignment; raise UsageError if there is none."""
    path = root / "rubrics" / f"{assignment}.yaml"
    if not path.is_file():
        names = ", ".join(assignments(root)) or "none"
        raise UsageError(f"there is no rubric {path}; the assignments here are: {names}")
    return path
