"""A course as bytes, for the workers of a cluster: its files, and the plan that was made of them.

Who opens one must have the same grader, Python and packages: else what it observes could be other than what
one machine observes, and it is refused.
"""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.errors import ClusterError
from grader.observe.code_digest import code_digest
from grader.plan.kept import install_plan, packed_plan
from grader.plan.load import load_course
from grader.plan.plan import Course

MAX_DIFFERENCES = 3
INSTALLERS = ("pip", "setuptools", "uv", "wheel")  # no notebook depends on their versions


@dataclass(frozen=True)
class CourseBundle:
    """The files of a course by their paths, its plan, and what both were made with; `digest` names it all."""

    digest: str
    assignment: str
    rubric: str
    files: Mapping[str, bytes]
    plan: bytes
    python: str
    made_with: Mapping[str, str]


def pack_course(course: Course, root: Path, rubric: Path) -> CourseBundle:
    """Return a course as it was loaded from `root` and the file `rubric`."""
    name = course.rubric.assignment
    folder = root / "reference" / name
    files = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    kept = f"rubrics/{rubric.name}"
    files[kept] = rubric.read_bytes()
    pinned = course.rubric.environment.python
    python = str(root.resolve() / pinned) if pinned else ""
    return CourseBundle(course.digest, name, kept, files, packed_plan(course.digest), python, _made_with())


def open_course(bundle: CourseBundle, folder: Path) -> Course:
    """Write a course into an empty folder that nobody else may read, and load it.

    Raises ClusterError if this machine is not as the one where it was packed.
    """
    different = _differences(bundle.made_with, _made_with())
    if different:
        raise ClusterError(f"not the same as where the batch was started: {different}")
    for name, data in bundle.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    install_plan(bundle.digest, bundle.plan)
    course = load_course(bundle.assignment, folder, folder / bundle.rubric)
    if course.digest != bundle.digest:
        raise ClusterError("the course is not the same as where the batch was started")
    return course


def _made_with() -> dict[str, str]:
    """Return the versions of Python, of the machine's kind, and of all packages, by name."""
    versions = {
        each.name: each.version for each in importlib.metadata.distributions() if each.name not in INSTALLERS
    }
    code = code_digest((".",))[:12]
    return {
        "Python": sys.version.split()[0],
        "machine": platform.machine(),
        **versions,
        "code of grader": code,
    }


def _differences(there: Mapping[str, str], here: Mapping[str, str]) -> str:
    """Return in words what differs, '' if nothing does."""
    names = sorted(name for name in {*there, *here} if there.get(name) != here.get(name))
    told = [f"{name} {here.get(name, 'missing')}, not {there.get(name, 'there')}" for name in names]
    more = f", and {len(told) - MAX_DIFFERENCES} more" if len(told) > MAX_DIFFERENCES else ""
    return ", ".join(told[:MAX_DIFFERENCES]) + more
