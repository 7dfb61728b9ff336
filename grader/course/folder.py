"""Finds the folder of a course, its assignments and their rubrics.

ROOT/
rubrics/ASSIGNMENT.yaml       the questions and points
reference/ASSIGNMENT/         the instructor's notebook, the generators of hidden inputs
"""

from __future__ import annotations

from pathlib import Path

from grader.errors import UsageError


def find_root(*starts: Path) -> Path:
    """Return the nearest folder upwards that holds rubrics/, by the first start that has one."""
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
    """Return the assignment that a folder is named after, or the only one that there is."""
    known = assignments(root)
    for name in (folder.resolve().name, *(parent.name for parent in folder.resolve().parents)):
        if name in known:
            return name
    if len(known) == 1:
        return known[0]
    raise UsageError(
        f"which assignment is {folder} of? Give --assignment, one of: {', '.join(known) or 'none'}"
    )


def rubric_path(assignment: str, root: Path) -> Path:
    """Return the rubric of an assignment; raise UsageError if there is none."""
    path = root / "rubrics" / f"{assignment}.yaml"
    if not path.is_file():
        known = ", ".join(assignments(root)) or "none"
        raise UsageError(f"there is no rubric {path}; the assignments here are: {known}")
    return path
