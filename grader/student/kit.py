"""The public checks of an assignment, as the one file that a student's machine reads.

    ASSIGNMENT.checks.json
        notebook, files, packages     what the graders' run will have
        functions                     title, points, parameters, checks (as in a rubric)
        answers                       of written questions: title, points, cell, and what its symbols are
        cells                         of the notebook that is handed out, if there are answers
        inputs                        generator -> cases: name and (args, keywords), in the wire format
        expected                      function.check -> the right value of each case, if the rubric allows it

The wire format holds plain arrays only, so reading a kit cannot run code.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from grader import __version__
from grader.checks.base import Check
from grader.course.rubric import AnyCheck
from grader.decode import decode
from grader.errors import KitError, UsageError
from grader.inside import wire
from grader.inside.received import decode_inputs
from grader.subjects import Case, Step

SUFFIX = ".checks.json"
DEPTH, MOST_FOLDERS = 2, 200  # of the folders that are looked through for a kit
FORMAT = 3
TEXTS = ("assignment", "title", "notebook", "version")
LISTS = ("files", "packages")
NUMBERS = ("seconds", "cell_seconds", "output_kb", "memory_mb")
CHECKS: TypeAdapter[Any] = TypeAdapter(tuple[AnyCheck, ...])


@dataclass(frozen=True)
class KitFunction:
    """One function to fill in: its parameters, its points, and the checks that can be made at home."""

    name: str
    title: str
    points: float
    parameters: tuple[str, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class KitAnswer:
    """A written answer that can be checked at home: its cell, and what its symbols are, as JSON.

    `look` is the hint for a false step.
    """

    title: str
    points: float
    kind: str
    cell: str
    content: str
    look: str = ""


@dataclass(frozen=True)
class Kit:
    """The public part of an assignment: all that a student's machine has."""

    assignment: str
    title: str
    notebook: str
    version: str
    files: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    seconds: float = 10.0
    cell_seconds: float = 60.0
    output_kb: int = 512
    memory_mb: int = 2048
    functions: Mapping[str, KitFunction] = field(default_factory=dict)
    inputs: Mapping[str, tuple[Case, ...]] = field(default_factory=dict)
    expected: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    answers: Mapping[str, KitAnswer] = field(default_factory=dict)
    cells: tuple[Mapping[str, Any], ...] = ()
    lacking: Mapping[str, str] = field(default_factory=dict)
    """Name of inputs or expected values that cannot be read on this machine -> the package they need."""

    def function(self, name: str) -> KitFunction:
        """Return a function by its name; raise UsageError, with the most similar name, if there is none."""
        if name in self.functions:
            return self.functions[name]
        names = [*self.functions, *self.answers]
        near = get_close_matches(name, names, 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}"
        raise UsageError(f"{self.title} has no function {name!r}; {hint}")

    def why_not(self, function: str, check: Check) -> str:
        """Say why a check cannot be made on this machine, '' if it can."""
        names = (f"{function}.{check.id}", getattr(check, "inputs", ""))
        package = next((self.lacking[name] for name in names if name in self.lacking), "")
        return (
            f"it needs {package}, which is not installed: python -m pip install {package}" if package else ""
        )


def write_kit(kit: Kit) -> bytes:
    """Return a kit as the bytes of its file; equal kits give equal bytes."""
    functions = {
        name: {
            "title": function.title,
            "points": function.points,
            "parameters": function.parameters,
            # Without the defaults, as an author of a rubric would write them.
            "checks": [check.model_dump(mode="json", exclude_defaults=True) for check in function.checks],
        }
        for name, function in kit.functions.items()
    }
    content = {
        "format": FORMAT,
        **{name: getattr(kit, name) for name in (*TEXTS, *LISTS, *NUMBERS)},
        "functions": functions,
        "answers": {name: asdict(answer) for name, answer in kit.answers.items()},
        "cells": kit.cells,
        "inputs": {
            name: [{"name": case.name, "data": _packed(_parts(case))} for case in cases]
            for name, cases in kit.inputs.items()
        },
        "expected": {name: _packed(values) for name, values in kit.expected.items()},
    }
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def read_kit(path: Path) -> Kit:
    """Read the kit in a file; raise KitError if the file is no kit, is damaged or has another format."""
    inputs: dict[str, tuple[Case, ...]] = {}
    expected: dict[str, tuple[Any, ...]] = {}
    lacking: dict[str, str] = {}
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != FORMAT:
            raise KitError(
                f"{path} was made by grader {content['version']}, this is {__version__}; install that one"
            )
        functions = {
            name: KitFunction(
                name,
                part["title"],
                part["points"],
                tuple(part["parameters"]),
                CHECKS.validate_python(part["checks"]),
            )
            for name, part in content["functions"].items()
        }
        # Values may be of a package that is not installed here, such as sparse arrays; the rest is usable.
        for name, parts in content["inputs"].items():
            try:
                inputs[name] = tuple(
                    _case(part["name"], decode_inputs(_data(part["data"]))) for part in parts
                )
            except ModuleNotFoundError as error:
                lacking[name] = (error.name or "").partition(".")[0]
        for name, text in content["expected"].items():
            try:
                expected[name] = decode(_data(text))
            except ModuleNotFoundError as error:
                lacking[name] = (error.name or "").partition(".")[0]
        fields = {name: content[name] for name in (*TEXTS, *NUMBERS)}
        fields |= {name: tuple(content[name]) for name in LISTS}
        answers = {name: KitAnswer(**part) for name, part in content.get("answers", {}).items()}
        return Kit(
            **fields,
            functions=functions,
            inputs=inputs,
            expected=expected,
            answers=answers,
            cells=tuple(dict(cell) for cell in content.get("cells", ())),
            lacking=lacking,
        )
    except OSError as error:
        raise KitError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, ValidationError) as error:
        raise KitError(f"{path} is damaged; take a fresh copy from the course's kit") from error


def find_kit(*starts: Path, given: Path | None = None) -> Path:
    """Return the kit that is `given`, a file or a folder, or the nearest one to the folders `starts`.

    Looked through are each folder and those above it, then the folders below. Raises KitError if there is
    none, or if the first folder that has one has several.
    """
    if given is not None and not given.is_dir():
        return given
    for folder in (given,) if given is not None else _around(starts):
        kits = sorted(folder.glob(f"*{SUFFIX}"))
        if len(kits) > 1:
            names = ", ".join(path.name for path in kits)
            raise KitError(f"{folder} holds several files of checks ({names}); choose one with --kit")
        if kits:
            return kits[0]
    if given is not None:
        raise KitError(f"there is no file *{SUFFIX} in {given}")
    raise KitError(
        f"there is no file *{SUFFIX} in {starts[0].resolve()}, above or below it; put the one from the "
        "course's kit beside the notebook, or say where it is: --kit FOLDER"
    )


def _around(starts: Sequence[Path]) -> Iterator[Path]:
    """Yield the folders themselves and those above, nearest first, then those below that hold a kit."""
    for start in starts:
        yield from (start, *start.resolve().parents)
    for start in starts:
        folders = [start]
        for _ in range(DEPTH):
            folders = [
                path
                for folder in folders
                for path in sorted(folder.iterdir())[:MOST_FOLDERS]
                if path.is_dir() and not path.name.startswith((".", "_"))
            ]
            with_kit = [folder for folder in folders if any(folder.glob(f"*{SUFFIX}"))]
            if len(with_kit) > 1:
                names = ", ".join(str(folder) for folder in with_kit)
                raise KitError(f"there are kits in {names}; choose one with --kit FOLDER")
            yield from with_kit


def _packed(value: Any) -> str:
    return base64.b64encode(wire.encode(value)).decode()


def _data(text: str) -> bytes:
    return base64.b64decode(text)


def _parts(case: Case) -> tuple[Any, ...]:
    """Return what a student's machine needs of a case, as it travels."""
    steps = [(step.name, step.args, dict(step.keywords)) for step in (case.construct, *case.before)]
    return case.args, dict(case.keywords), steps, case.collect


def _case(name: str, parts: tuple[Any, ...]) -> Case:
    """Return the case of which `_parts` are given."""
    args, keywords, steps, collect = parts
    construct, *before = (Step(*step) for step in steps)
    return Case(name, args, keywords, construct=construct, before=tuple(before), collect=collect)
