"""The public checks of an assignment, as the one file that a student's machine reads.

    ASSIGNMENT.checks.json
        notebook, files, packages     what the graders' run will have
        functions                     title, points, parameters, checks (as in a rubric)
        inputs                        generator -> cases: name and (args, keywords), in the wire format
        expected                      function.check -> what is right on each case, where the course allows it

The wire format holds plain arrays only: reading a kit runs no code.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from grader import __version__
from grader.checks.base import Check
from grader.course.rubric import AnyCheck
from grader.errors import UsageError
from grader.observe.decode import decode
from grader.observe.inside import wire
from grader.observe.inside.received import decode_inputs
from grader.subjects import Case

Kept = TypeVar("Kept")
SUFFIX = ".checks.json"
FORMAT = 1
TEXTS = ("assignment", "title", "notebook", "version")
LISTS = ("files", "packages")
NUMBERS = ("seconds", "cell_seconds", "output_kb")
CHECKS: TypeAdapter[Any] = TypeAdapter(tuple[AnyCheck, ...])


@dataclass(frozen=True)
class KitFunction:
    """One function to fill in: what it is called with, what it is worth, what can be checked at home."""

    name: str
    title: str
    points: float
    parameters: tuple[str, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Kit:
    """All that a student's machine knows of an assignment."""

    assignment: str
    title: str
    notebook: str
    version: str
    files: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    seconds: float = 10.0
    cell_seconds: float = 60.0
    output_kb: int = 512
    functions: Mapping[str, KitFunction] = field(default_factory=dict)
    inputs: Mapping[str, tuple[Case, ...]] = field(default_factory=dict)
    expected: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    lacking: Mapping[str, str] = field(default_factory=dict)
    """The package that is missing for inputs, or expected values, that are made of it; by their name."""

    def why_not(self, function: str, check: Check) -> str:
        """Say why a check cannot be made on this machine, '' if it can."""
        names = (f"{function}.{check.id}", getattr(check, "inputs", ""))
        package = next((self.lacking[name] for name in names if name in self.lacking), "")
        return (
            f"it needs {package}, which is not installed: python -m pip install {package}" if package else ""
        )


def write_kit(kit: Kit) -> bytes:
    """Return a kit as the bytes of its file; the same for the same kit."""
    functions = {
        name: {
            "title": function.title,
            "points": function.points,
            "parameters": function.parameters,
            "checks": [_plain(check) for check in function.checks],
        }
        for name, function in kit.functions.items()
    }
    content = {
        "format": FORMAT,
        **{name: getattr(kit, name) for name in (*TEXTS, *LISTS, *NUMBERS)},
        "functions": functions,
        "inputs": {
            name: [{"name": case.name, "data": _packed((case.args, dict(case.keywords)))} for case in cases]
            for name, cases in kit.inputs.items()
        },
        "expected": {name: _packed(values) for name, values in kit.expected.items()},
    }
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def read_kit(path: Path) -> Kit:
    """Return the kit of a file; raise UsageError if it is none, or damaged, or of another version."""
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != FORMAT:
            raise UsageError(
                f"{path} was made by grader {content['version']}, this is {__version__}; install that one"
            )
        return _kit(content)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, ValidationError) as error:
        raise UsageError(f"{path} is damaged; take a fresh copy from the course's kit") from error


def find_kit(place: Path) -> Path:
    """Return the one file of public checks in a folder or above it; raise UsageError if there is none."""
    for folder in (place, *place.resolve().parents):
        found = sorted(folder.glob(f"*{SUFFIX}"))
        if len(found) > 1:
            names = ", ".join(path.name for path in found)
            raise UsageError(f"{folder} holds several files of checks ({names}); choose one with --kit")
        if found:
            return found[0]
    raise UsageError(
        f"there is no file *{SUFFIX} in {place.resolve()} or above; put the one from the course's kit "
        "beside the notebook, or name it with --kit"
    )


def _kit(content: dict[str, Any]) -> Kit:
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
    plain = {name: content[name] for name in (*TEXTS, *NUMBERS)}
    plain |= {name: tuple(content[name]) for name in LISTS}
    inputs, without = _read(content["inputs"], lambda parts: tuple(map(_case, parts)))
    expected, unknown = _read(content["expected"], lambda text: decode(base64.b64decode(text)))
    lacking = {**without, **unknown}
    return Kit(**plain, functions=functions, inputs=inputs, expected=expected, lacking=lacking)


def _read(parts: Mapping[str, Any], read: Callable[[Any], Kept]) -> tuple[dict[str, Kept], dict[str, str]]:
    """Return what can be read by name, and the package that is missing for what cannot."""
    found: dict[str, Kept] = {}
    missing: dict[str, str] = {}
    for name, part in parts.items():
        try:
            found[name] = read(part)
        except ModuleNotFoundError as error:
            missing[name] = (error.name or "").partition(".")[0]
    return found, missing


def _case(part: dict[str, Any]) -> Case:
    args, keywords = _unpacked(part["data"])
    return Case(part["name"], args, keywords)


def _plain(check: Check) -> dict[str, Any]:
    """Return a check as its author would write it."""
    return check.model_dump(mode="json", exclude_defaults=True)


def _packed(value: Any) -> str:
    return base64.b64encode(wire.encode(value)).decode()


def _unpacked(text: str) -> Any:
    return decode_inputs(base64.b64decode(text))
