"""The keys under which observations are kept: a digest of everything that can change what is observed.

    FactsKey     reading a notebook     its bytes, the skeleton, the subjects, our code that reads
    RunKey       its run                its bytes, what is looked at, limits, files, walls, packages, our code
    WrittenKey   written answers        its bytes, the skeleton, our code that tests them
    CallsKey     a function's outcomes  the code that it needs, limits, files, walls, packages, our code

A call is named by its content, its seed and its limits (`grader.plan.planner.make_call`). Whoever adds an
input to an observation adds a field here; a test changes every field and sees the key change.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grader.observe.code_digest import code_digest
from grader.observe.interpreter import find_interpreter
from grader.observe.sandbox import Sandbox
from grader.plan.plan import Course
from grader.records import HandIn, NotebookLimits
from grader.written import WrittenTask

WRITTEN = ("derivation", "handler", "notebook", "codec.py", "records.py", "subjects.py", "written.py")
READING = ("handler", "notebook", "codec.py", "reading.py", "records.py", "subjects.py")
OBSERVING = (
    "observe",
    "inside",
    "handler",
    "codec.py",
    "decode.py",
    "outcome.py",
    "records.py",
    "subjects.py",
)


@dataclass(frozen=True)
class Key:
    """Everything that an observation depends on; its text is the digest of all of it."""

    def __str__(self) -> str:
        """The digest of the name of the class and of every field."""
        digest = hashlib.sha256(type(self).__name__.encode())
        for field in dataclasses.fields(self):
            content = _plain(getattr(self, field.name))
            digest.update(f"{field.name} {len(content)} ".encode() + content)
        return digest.hexdigest()


@dataclass(frozen=True)
class FactsKey(Key):
    """What reading a notebook depends on."""

    notebook: bytes
    modules: Mapping[str, bytes]
    skeleton: tuple[str, ...]
    subjects: tuple[str, ...]
    reader: str


@dataclass(frozen=True)
class RunKey(Key):
    """What a notebook's run depends on."""

    notebook: bytes
    modules: Mapping[str, bytes]
    looked_at: tuple[str, ...]
    limits: NotebookLimits
    files: Mapping[str, bytes]
    tier: str
    python: str
    environment: str
    observer: str


@dataclass(frozen=True)
class WrittenKey(Key):
    """What is found in a written answer depends on; `task` is what is asked of it."""

    notebook: bytes
    skeleton: bytes
    task: WrittenTask
    reader: str


@dataclass(frozen=True)
class CallsKey(Key):
    """What the outcomes of a function's calls depend on, beside the calls themselves."""

    code: str
    modules: Mapping[str, bytes]
    limits: str
    preload: tuple[str, ...]
    files: Mapping[str, bytes]
    tier: str
    python: str
    environment: str
    observer: str


def facts_key(hand_in: HandIn, course: Course) -> FactsKey:
    """Return the key of what reading a notebook says."""
    skeleton = tuple(cell.source for cell in course.assignment.skeleton_code.cells)
    subjects = tuple(map(str, course.rubric.subjects))
    return FactsKey(hand_in.notebook, hand_in.modules, skeleton, subjects, code_digest(READING))


def written_key(hand_in: HandIn, task: WrittenTask, course: Course) -> WrittenKey:
    """Return the key of what is found in a written answer."""
    return WrittenKey(hand_in.notebook, course.assignment.handed_out, task, code_digest(WRITTEN))


def run_key(hand_in: HandIn, course: Course, sandbox: Sandbox) -> RunKey:
    """Return the key of a notebook's run."""
    left = tuple(str(subject) for subject in course.rubric.subjects if not subject.is_called)
    return RunKey(
        hand_in.notebook,
        hand_in.modules,
        left,
        notebook_limits(course),
        course.assignment.files,
        sandbox.name,
        course.rubric.environment.python or "",
        find_interpreter(sandbox.python).environment,
        code_digest(OBSERVING),
    )


def calls_key(code: str, hand_in: HandIn, course: Course, sandbox: Sandbox) -> CallsKey:
    """Return the key of a function's outcomes; `code` identifies the code that it needs."""
    return CallsKey(
        code,
        hand_in.modules,
        course.rubric.limits.model_dump_json(),
        course.rubric.environment.preload,
        course.assignment.files,
        sandbox.name,
        course.rubric.environment.python or "",
        find_interpreter(sandbox.python).environment,
        code_digest(OBSERVING),
    )


def notebook_limits(course: Course) -> NotebookLimits:
    """Return the limits of a notebook's run."""
    limits = course.rubric.limits
    return NotebookLimits(limits.notebook_seconds, limits.cell_seconds, limits.memory_mb, limits.output_kb)


def _plain(value: Any) -> bytes:
    """Return a field as bytes that differ if the field does."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, Mapping):
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in value.items()}
        return json.dumps(digests, sort_keys=True).encode()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return json.dumps(dataclasses.asdict(value), sort_keys=True).encode()
    return json.dumps(value).encode()
