"""Makes the kit that a course hands out, from the instructor's files.

    notebook.ipynb  --skeleton-->  ASSIGNMENT.ipynb
    inputs.py       --files()--->  data files
    public.py       --cases----->  ASSIGNMENT.checks.json  <--checks with `public`--  rubric
                                   README.md

The hidden inputs, their seed and the code of the reference must not be in a kit. The right values on public
inputs are in it only where the rubric says `values: true`.
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
from grader.checks.base import InputsCheck, ValueCheck, part_of
from grader.checks.derived import WrittenCase
from grader.course.assignment import Assignment, load_assignment, load_public_cases
from grader.course.folder import rubric_path
from grader.course.rubric import Limits, Question, Rubric
from grader.course.rubric_file import load_rubric
from grader.errors import AssignmentError, UsageError
from grader.notebook.facts import dotted_names
from grader.numerics.arrays import dense
from grader.plan.planner import CoursePlanner
from grader.plan.trusted import reference_value
from grader.project import NAME
from grader.student.kit import SUFFIX, Kit, KitAnswer, KitFunction, write_kit
from grader.subjects import Case, Subject

KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
PIP = {"PIL": "pillow", "cv2": "opencv-python", "skimage": "scikit-image", "sklearn": "scikit-learn"}
PARSER = "pylatexenc"  # reads the LaTeX of derivations
DERIVATION = Template(
    """Derivations are checked line by line: every `=` is tested on random numbers, and a false one is shown
with the smallest numbers on which it fails. What cannot be read is `?`: it costs nothing, a person reads it.

    grader check $notebook -f $answer

"""
)


def build_kit(name: str, root: Path, wheel: Path | None = None) -> dict[str, bytes]:
    """Return the files of a kit by name; equal files of the course give equal bytes.

    Raises UsageError or AssignmentError if the files of the course are missing or wrong.
    """
    rubric = load_rubric(rubric_path(name, root))
    folder = root / "reference" / rubric.assignment
    assignment = load_assignment(folder, rubric.subjects, rubric.seed)
    with contextlib.redirect_stdout(io.StringIO()):  # the reference may print
        kit = _public_part(rubric, assignment, folder)
    assignment.skeleton.metadata.update(KERNEL)
    notebook = str(nbformat.writes(assignment.skeleton, version=nbformat.NO_CONVERT))
    content = {
        kit.notebook: notebook.encode(),
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


def _public_part(rubric: Rubric, assignment: Assignment, folder: Path) -> Kit:
    """Return the kit: functions, public checks and public inputs, and the values that may be handed out."""
    functions, inputs, expected = {}, {}, {}
    for question in rubric.questions:
        subject = question.subject
        if subject is None or not subject.is_called:
            continue
        checks = [check for check in question.checks if check.is_public()]
        for check in checks:
            if isinstance(check, InputsCheck) and check.public is not None:
                cases = load_public_cases(folder, check.public.inputs)
                inputs[check.public.inputs] = tuple(cases)
                if isinstance(check, ValueCheck) and (check.compares_values or check.compares_form):
                    values = tuple(_expected(check, assignment, subject, case) for case in cases)
                    expected[f"{subject}.{check.id}"] = values
        functions[str(subject)] = KitFunction(
            str(subject),
            question.title,
            question.points,
            CoursePlanner(assignment, subject, Limits(), 0).parameters,
            tuple(check.for_students() for check in checks),
        )

    answers = {
        question.id: _answer(question, question.subject, assignment)
        for question in rubric.questions
        if question.subject is not None and any(c.for_a_person and c.is_public() for c in question.checks)
    }
    # The modules, beside Python's own, that the graders' run has.
    environment, skeleton = rubric.environment, assignment.skeleton_code
    modules = {*environment.preload, *environment.packages, *dotted_names(skeleton.statements)}
    packages = {name.split(".")[0] for name in modules} - sys.stdlib_module_names
    return Kit(
        rubric.assignment,
        rubric.title,
        f"{rubric.assignment}.ipynb",
        __version__,
        tuple(sorted(assignment.files)),
        tuple(sorted(packages)),
        rubric.limits.call_seconds,
        rubric.limits.cell_seconds,
        rubric.limits.output_kb,
        rubric.limits.memory_mb,
        functions,
        inputs,
        expected,
        answers,
        tuple(map(_cell, assignment.skeleton.cells)) if answers else (),
    )


def _cell(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Return what tells a cell that was handed out from an answer."""
    metadata = {key: cell["metadata"][key] for key in ("grader", "tags") if key in cell["metadata"]}
    return {"cell_type": cell["cell_type"], "id": cell["id"], "metadata": metadata, "source": cell["source"]}


def _answer(question: Question, subject: Subject, assignment: Assignment) -> KitAnswer:
    """Return a written answer as students may check it."""
    check = next(check for check in question.checks if check.for_a_person and check.is_public())
    (case,) = check.plan(CoursePlanner(assignment, subject, Limits(), 0))
    assert isinstance(case, WrittenCase)
    task = case.task
    return KitAnswer(
        question.title, question.points, task.kind, task.cell, task.content, check.feedback.failed
    )


def _expected(check: ValueCheck, assignment: Assignment, subject: Subject, case: Case) -> Any:
    """Return the reference's value on a public input; zeros of its shape if only the shape may be given."""
    try:
        value = reference_value(assignment.namespace, subject, case, 0)
    except Exception as error:
        raise AssignmentError(f"the reference failed on the public input {case.name!r}: {error!r}") from error
    value = part_of(value, check.output)
    return _zeros_like(value) if check.compares_form else value


def _zeros_like(value: Any) -> Any:
    """Return zeros of the same structure and shapes, for checks that compare nothing else."""
    if isinstance(value, tuple):
        return tuple(_zeros_like(part) for part in value)
    array = dense(value)
    return np.zeros(()) if array is None else np.zeros(array.shape)


def _readme(kit: Kit, rubric: Rubric, wheel: Path | None) -> str:
    """Return the README: how to install grader and check, and a table of the functions and their points."""
    template = Template((files("grader.student") / "kit_readme.md").read_text(encoding="utf-8"))
    written = [q for q in rubric.questions if q.manual]
    rows = [f"| `{f.name}` | {f.title} | {f.points:g} | {len(f.checks)} |" for f in kit.functions.values()]
    rows += [
        f"| `{q.id}` | {q.title} (derivation) | {q.points:g} | each step |"
        if q.id in kit.answers
        else f"| | {q.title} (in words) | {q.points:g} | – |"
        for q in written
    ]
    packages = [PIP.get(name, name.lower()) for name in kit.packages]
    derivation = ""
    if kit.answers:
        packages.append(PARSER)
        derivation = DERIVATION.substitute(answer=next(iter(kit.answers)), notebook=kit.notebook)
    return template.substitute(
        title=kit.title,
        notebook=kit.notebook,
        checks=f"{kit.assignment}{SUFFIX}",
        files="".join(f"- `{name}`: data that the notebook reads\n" for name in kit.files),
        install=wheel.name if wheel else f"{NAME}=={__version__}",
        function=next(iter(kit.functions), ""),
        table="\n".join(rows),
        packages=", ".join(kit.packages),
        pip=" ".join(packages),
        derivation=derivation,
        total=f"{rubric.sheet_points:g}",
    )


def changes(old: Path, new: Mapping[str, bytes]) -> list[str]:
    """Return what differs between a kit that was handed out and a new one, one line a difference."""
    if not old.is_dir():
        raise UsageError(f"there is no folder {old}")
    before = {path.name: path.read_bytes() for path in sorted(old.iterdir()) if path.is_file()}
    lines = [f"- {name}: no longer in the kit" for name in before if name not in new]
    lines += [f"+ {name}: new" for name in new if name not in before]
    for name in sorted(before.keys() & new.keys()):
        if before[name] == new[name]:
            continue
        try:
            contents = json.loads(before[name]), json.loads(new[name])
        except ValueError:  # a data file
            lines.append(f"~ {name}: changed, {len(before[name])} to {len(new[name])} bytes")
            continue
        if name.endswith(SUFFIX):
            details = _differences("", *contents)
        else:  # a notebook
            sources = [{c.get("id", ""): c.get("source") for c in n.get("cells", [])} for n in contents]
            details = _differences("cell ", *sources) or ["changed beside the sources of its cells"]
        lines += [f"~ {name}: {detail}" for detail in details]
    return lines


def _differences(what: str, old: Any, new: Any) -> list[str]:
    """Return the entries that differ between two mappings, and recursively inside them."""
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
