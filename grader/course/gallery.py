"""Assignments to begin from: those of installed galleries, or of any folder of a course.

A gallery is a package that an entry point in the group `grader.gallery` names; its folder has the form of a
course.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterable
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from grader.course.folder import assignments, rubric_path
from grader.course.rubric_file import json_schema, load_rubric
from grader.errors import UsageError

NOT_COPIED = ("__pycache__", "goldens.json")  # goldens.json belongs to the seed
SEEDS = 10**8


def galleries() -> list[Path]:
    """Return the folders of the installed galleries."""
    specs = [find_spec(entry.value) for entry in entry_points(group="grader.gallery")]
    return sorted({Path(spec.origin).parent for spec in specs if spec is not None and spec.origin})


def titles(folders: Iterable[Path]) -> dict[str, tuple[str, Path]]:
    """Return the title and the folder of each assignment in folders of courses, by name."""
    return {
        name: (load_rubric(rubric_path(name, folder)).title, folder)
        for folder in folders
        for name in assignments(folder)
    }


def copy_assignment(source: str, folder: Path, name: str, root: Path) -> list[Path]:
    """Copy the assignment `source` of the course in `folder` to that in `root`; return what was written.

    The copy has a seed of its own, because that of a gallery is public. Raises UsageError, and writes
    nothing, if there is something with the new name.
    """
    if not re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII):
        raise UsageError(f"{name!r} is no name of an assignment: use letters, digits and _, a letter first")
    made = [root / "rubrics" / f"{name}.yaml", root / "reference" / name]
    samples = folder / "submissions" / source
    if samples.is_dir():
        made.append(root / "submissions" / name)
    for path in made:
        if path.exists():
            raise UsageError(f"{path} is there already: choose another name, or another folder with --root")
    rubric = rubric_path(source, folder).read_text(encoding="utf-8")
    rubric = re.sub(r"^assignment:.*$", f"assignment: {name}", rubric, count=1, flags=re.M)
    rubric = re.sub(r"^seed:.*$", f"seed: {secrets.randbelow(SEEDS)}", rubric, count=1, flags=re.M)
    (root / "rubrics").mkdir(parents=True, exist_ok=True)
    schema = root / "rubrics" / "rubric.schema.json"
    if not schema.exists():
        schema.write_text(json_schema(), encoding="utf-8")
    made[0].write_text(rubric, encoding="utf-8")
    for here, there in zip((folder / "reference" / source, samples), made[1:], strict=False):
        shutil.copytree(here, there, ignore=shutil.ignore_patterns(*NOT_COPIED))
    return made
