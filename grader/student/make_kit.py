"""Makes the kit that a course hands out: from the instructor's side, what students may have and no more.

    notebook.ipynb  --skeleton-->  ASSIGNMENT.ipynb
    inputs.py       --files()--->  data files
    public.py       --cases----->  ASSIGNMENT.checks.json  <--checks with `public`--  rubric
                                   README.md

Hidden inputs, their seed and the reference's code are read to make it, and none of them is in it: what is
right on a public input is handed out only where the rubric says `values: true`.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import nbformat
import numpy as np

from grader import __version__
from grader.checks.base import Check, InputsCheck, ValueCheck, part_of
from grader.course.assignment import Assignment, load_assignment, load_public_cases
from grader.course.folder import rubric_path
from grader.course.rubric import Limits, Question, Rubric
from grader.course.rubric_file import load_rubric
from grader.errors import AssignmentError, UsageError
from grader.notebook.facts import dotted_names
from grader.numerics.arrays import dense
from grader.plan.planner import CoursePlanner
from grader.plan.trusted import reference_value
from grader.student.kit import SUFFIX, Kit, KitFunction, write_kit
from grader.subjects import Case, Subject

KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
PIP = {"PIL": "pillow", "cv2": "opencv-python", "skimage": "scikit-image", "sklearn": "scikit-learn"}


def build_kit(name: str, root: Path, wheel: Path | None = None) -> dict[str, bytes]:
    """Return the files of a kit by name; the same bytes for the same course.

    Raises UsageError or AssignmentError where the course's files do not allow it.
    """
    rubric = load_rubric(rubric_path(name, root))
    folder = root / "reference" / rubric.assignment
    assignment = load_assignment(folder, rubric.subjects, rubric.seed)
    with contextlib.redirect_stdout(io.StringIO()):  # what the reference prints on the way
        kit = _kit(rubric, assignment, folder)
    content = {
        kit.notebook: _notebook(assignment),
        f"{kit.assignment}{SUFFIX}": write_kit(kit),
        "README.md": _readme(kit, rubric, wheel).encode(),
        **assignment.files,
    }
    return content | ({wheel.name: wheel.read_bytes()} if wheel else {})


def write_folder(content: Mapping[str, bytes], folder: Path) -> None:
    """Write a kit into a folder that is new or empty; raise UsageError for another."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already; name a new folder, or empty it first")
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in content.items():
        (folder / name).write_bytes(data)


def _kit(rubric: Rubric, assignment: Assignment, folder: Path) -> Kit:
    functions, inputs, expected = {}, {}, {}
    for question in rubric.questions:
        checks = [check for check in question.checks if check.is_public()]
        if question.subject is None or not question.subject.is_called:
            continue
        for check in checks:
            if isinstance(check, InputsCheck) and check.public is not None:
                cases = load_public_cases(folder, check.public.inputs)
                inputs[check.public.inputs] = tuple(cases)
                if isinstance(check, ValueCheck) and (check.compares_values or check.compares_form):
                    values = tuple(_expected(check, question, case, assignment) for case in cases)
                    expected[f"{question.about}.{check.id}"] = values
        functions[question.about] = _function(
            question, tuple(check.for_students() for check in checks), assignment
        )
    return Kit(
        rubric.assignment,
        rubric.title,
        f"{rubric.assignment}.ipynb",
        __version__,
        tuple(sorted(assignment.files)),
        _packages(rubric, assignment),
        rubric.limits.call_seconds,
        rubric.limits.cell_seconds,
        rubric.limits.output_kb,
        functions,
        inputs,
        expected,
    )


def _function(question: Question, checks: tuple[Check, ...], assignment: Assignment) -> KitFunction:
    planner = CoursePlanner(assignment, Subject.named(question.about), Limits(), 0)
    return KitFunction(question.about, question.title, question.points, planner.parameters, checks)


def _expected(check: ValueCheck, question: Question, case: Case, assignment: Assignment) -> Any:
    """Return what is right on a public input, or its form alone."""
    try:
        value = reference_value(assignment.namespace, Subject.named(question.about), case, 0)
    except Exception as error:  # whatever the reference raises
        raise AssignmentError(f"the reference failed on the public input {case.name!r}: {error!r}") from error
    value = part_of(value, check.output)
    return _form(value) if check.compares_form else value


def _form(value: Any) -> Any:
    """Return zeros of the same structure and shapes."""
    if isinstance(value, tuple):
        return tuple(_form(part) for part in value)
    array = dense(value)
    return np.zeros(()) if array is None else np.zeros(array.shape)


def _packages(rubric: Rubric, assignment: Assignment) -> tuple[str, ...]:
    """Return the top-level modules that the graders' run has beside Python's own."""
    given = dotted_names(assignment.skeleton_code.statements)
    names = {*rubric.environment.preload, *rubric.environment.packages, *given}
    return tuple(sorted({name.split(".")[0] for name in names} - sys.stdlib_module_names))


def _notebook(assignment: Assignment) -> bytes:
    skeleton = assignment.skeleton
    skeleton.metadata.update(KERNEL)
    return str(nbformat.writes(skeleton, version=nbformat.NO_CONVERT)).encode()


def _readme(kit: Kit, rubric: Rubric, wheel: Path | None) -> str:
    template = Template((files("grader.student") / "kit_readme.md").read_text(encoding="utf-8"))
    written = [q for q in rubric.questions if q.manual]
    rows = [f"| `{f.name}` | {f.title} | {f.points:g} | {len(f.checks)} |" for f in kit.functions.values()]
    rows += [f"| | {question.title} (in words) | {question.points:g} | – |" for question in written]
    return template.substitute(
        title=kit.title,
        notebook=kit.notebook,
        checks=f"{kit.assignment}{SUFFIX}",
        files="".join(f"- `{name}`: data that the notebook reads\n" for name in kit.files),
        install=wheel.name if wheel else "grader",
        function=next(iter(kit.functions), ""),
        table="\n".join(rows),
        packages=", ".join(kit.packages),
        pip=" ".join(PIP.get(name, name.lower()) for name in kit.packages),
        total=f"{sum(q.points for q in rubric.questions):g}",
    )


def changes(old: Path, new: Mapping[str, bytes]) -> list[str]:
    """Return what differs between a kit that was handed out and a new one, one line a difference."""
    if not old.is_dir():
        raise UsageError(f"there is no folder {old}")
    before = {path.name: path.read_bytes() for path in sorted(old.iterdir()) if path.is_file()}
    lines = [f"- {name}: no longer in the kit" for name in before if name not in new]
    lines += [f"+ {name}: new" for name in new if name not in before]
    for name in sorted(before.keys() & new.keys()):
        if before[name] != new[name]:
            lines += [f"~ {name}: {detail}" for detail in _details(name, before[name], new[name])]
    return lines


def _details(name: str, old: bytes, new: bytes) -> list[str]:
    try:
        first, second = json.loads(old), json.loads(new)
    except ValueError:
        return [f"changed, {len(old)} to {len(new)} bytes"]
    if name.endswith(SUFFIX):
        return _differences("", first, second)
    cells = [
        {cell.get("id", ""): cell.get("source") for cell in each.get("cells", [])} for each in (first, second)
    ]
    return _differences("cell ", *cells) or ["changed beside the sources of its cells"]


def _differences(what: str, old: Any, new: Any) -> list[str]:
    """Name the entries of two mappings that differ, one level into those that are mappings themselves."""
    lines = []
    for key in dict.fromkeys([*old, *new]):
        first, second = old.get(key), new.get(key)
        if first == second:
            continue
        if isinstance(first, dict) and isinstance(second, dict):
            lines += _differences(f"{what}{key} ", first, second)
        else:
            state = "new" if key not in old else "no longer there" if key not in new else "changed"
            lines.append(f"{what}{key} {state}")
    return lines
