"""The keys under which observations are kept: everything that can change what is observed.

reading a notebook     its bytes, our code that reads, the skeleton, the names of the functions
its run                its bytes, the limits, the data files, the walls, the packages
a function's outcomes  the code that it needs, the limits, the data files, the walls, the packages
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from grader import notebook
from grader.observe.interpreter import find_interpreter
from grader.observe.notebook_run import NotebookLimits
from grader.observe.sandbox import Sandbox
from grader.plan.load import Course
from grader.records import FunctionFacts

OBSERVER = 4  # raised when the same notebook would be observed differently


def facts_key(data: bytes, course: Course) -> str:
    """Return the key of what reading a notebook says: its bytes, our code, the skeleton, the names."""
    code = [path.read_bytes() for path in sorted(Path(notebook.__file__).parent.glob("*.py"))]
    skeleton = [cell.source.encode() for cell in course.assignment.skeleton_code.cells]
    reading = _digest(
        *code, *skeleton, json.dumps([str(each) for each in course.rubric.subjects]).encode()
    ).encode()
    return _digest(data, reading)


def run_key(data: bytes, course: Course, sandbox: Sandbox) -> str:
    """Return the key of a notebook's run: its bytes, the limits, the data files, the walls, the packages."""
    limits = json.dumps(asdict(notebook_limits(course))).encode()
    left = [str(subject) for subject in course.rubric.subjects if not subject.is_called]
    return _digest(data, limits, json.dumps(left).encode(), _files(course), _place(course, sandbox))


def code_key(facts: FunctionFacts, course: Course, sandbox: Sandbox) -> str:
    """Return the key of a function's outcomes: the code that it needs, limits, files, walls, packages."""
    limits = _digest(course.rubric.limits.model_dump_json().encode(), _files(course)).encode()
    return _digest(facts.key.encode(), limits, _place(course, sandbox))


def notebook_limits(course: Course) -> NotebookLimits:
    """Return the limits of a notebook's run."""
    limits = course.rubric.limits
    return NotebookLimits(limits.notebook_seconds, limits.cell_seconds, limits.memory_mb, limits.output_kb)


def _files(course: Course) -> bytes:
    """Return a digest of the data files of the assignment."""
    files = course.assignment.files
    return _digest(*(part for name in sorted(files) for part in (name.encode(), files[name]))).encode()


def _place(course: Course, sandbox: Sandbox) -> bytes:
    """Return what names the walls that something was observed in, the interpreter, and what it can import."""
    python = course.rubric.environment.python or ""
    return f"{sandbox.name} {python} {find_interpreter(sandbox.python).environment}".encode()


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256(str(OBSERVER).encode())
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()
