"""Grades hostile notebooks and their honest twins as one batch, and keeps what the assertions look at."""

from __future__ import annotations

import contextlib
import json
import os
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from support import INPUTS, RUBRIC, notebook, write_course

from grader.batch.judges import Judges
from grader.batch.pool import Graded, grade_all
from grader.intake.submissions import Submission, find_submissions
from grader.observe import control_groups, warm_parent
from grader.observe.layers import ISOLATED
from grader.observe.sandbox import BOOT, Sandbox
from grader.observe.warm import WarmSandbox
from grader.plan.load import load_course
from grader.records import NotebookRun, Score
from grader.store import Store

LIMITS = {
    "notebook_seconds": 12,
    "cell_seconds": 2,
    "call_seconds": 0.5,
    "function_seconds": 3,
    "memory_mb": 700,
}

HANDLER_SECONDS = 3
SHORT_BOOT = f"import sys; sys.path.insert(0, sys.argv[1]); import inside.walls as w; w.HANDLER_SECONDS = {HANDLER_SECONDS}; sys.path.pop(0); {BOOT}"
JOBS = 4  # most of them wait for a clock
SEED = 4711
END_SECONDS = 2.0


@dataclass(frozen=True)
class Hostile:
    """A notebook that wants what it may not have or do, and one that looks like it and is honest.

    Both are notebooks as JSON text, or the source of one code cell. `earns` are the points (of 3) of the
    attack's own function; None if it can only be unreadable. `again` if its calls are made a second time,
    when nothing else runs: such cases are graded last.
    """

    kind: str
    name: str
    attack: str
    twin: str
    earns: float | None = 3.0
    again: bool = False


@dataclass
class Batch:
    """What grading a batch left behind, by submission.

    `grown` is the coordinator's memory in megabytes, `left` are the processes that outlived their boxes.
    """

    scores: dict[str, Score] = field(default_factory=dict)
    runs: dict[str, NotebookRun | None] = field(default_factory=dict)
    grown: int = 0
    left: list[str] = field(default_factory=list)

    def started(self, submission: Submission) -> None:
        """Hear that a submission is being graded."""

    def finished(self, graded: Graded) -> None:
        """Keep a result."""
        self.scores[graded.submission.id] = graded.score
        self.runs[graded.submission.id] = graded.run


def cell(source: str, **parts: Any) -> dict[str, Any]:
    """Return a code cell."""
    return {
        "cell_type": "code",
        "source": textwrap.dedent(source).strip("\n"),
        "metadata": {},
        "outputs": [],
        "execution_count": None,
        **parts,
    }


def text(source: str, **parts: Any) -> dict[str, Any]:
    """Return a Markdown cell."""
    return {"cell_type": "markdown", "source": source, "metadata": {}, **parts}


def book(*cells: Any, metadata: str = "{}") -> str:
    """Return a notebook; a cell may be JSON text or anything else, and so may the metadata."""
    parts = [each if isinstance(each, str) else json.dumps(each) for each in cells]
    return f'{{"nbformat": 4, "nbformat_minor": 5, "metadata": {metadata}, "cells": [{", ".join(parts)}]}}'


def own(points: float = 3.0, body: str = "") -> dict[str, Any]:
    """Return a cell with the function: right, or wrong if it earns nothing. No two are the same code."""
    own.count = getattr(own, "count", 0) + 1  # type: ignore[attr-defined]
    number = own.count  # type: ignore[attr-defined]
    lines = textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
    return cell(f"def double(x):\n{lines}\n    return {2 if points else 0} * x + 0 * {number}")


@contextmanager
def walled(
    preload: Sequence[str] = ("numpy", "scipy.sparse"), *, grouped: bool = False
) -> Iterator[WarmSandbox]:
    """Start boxes of the tier isolated, of a user of these tests, with short limits for handlers.

    They have no control groups, as on most machines, unless they are to be `grouped`.
    """
    with pytest.MonkeyPatch.context() as patch:
        if not grouped:
            patch.setattr(control_groups.Groups, "open", classmethod(lambda cls: cls()))
        patch.setattr(warm_parent, "BOOT", SHORT_BOOT)
        try:
            sandbox = WarmSandbox(preload, ISOLATED)
            for which in ("full", "scipy", "numpy", "handler"):
                sandbox.warm(which)
        except Exception as error:
            pytest.skip(f"no boxes of the tier isolated start here: {error}")
        with sandbox:
            yield sandbox


def course_in(
    root: Path,
    limits: Mapping[str, Any] = LIMITS,
    inputs: str = INPUTS,
    preload: Sequence[str] = ("numpy", "scipy.sparse"),
) -> Path:
    """Write the tiny course with short limits; return the folder of its submissions."""
    folder = write_course(root)
    folder.mkdir(parents=True, exist_ok=True)
    rubric = {
        **yaml.safe_load(RUBRIC),
        "seed": SEED,
        "limits": dict(limits),
        "environment": {"preload": list(preload)},
    }
    (root / "rubrics" / "tiny.yaml").write_text(yaml.safe_dump(rubric, sort_keys=False))
    (root / "reference" / "tiny" / "inputs.py").write_text(inputs)
    return folder


def grade_batch(
    root: Path,
    submissions: Mapping[str, str],
    sandbox: Sandbox,
    *,
    jobs: int = JOBS,
    limits: Mapping[str, Any] = LIMITS,
    inputs: str = INPUTS,
    preload: Sequence[str] = ("numpy", "scipy.sparse"),
) -> Batch:
    """Grade notebooks of the tiny course, as `grader grade` does, in the order of their names."""
    folder = course_in(root, limits, inputs, preload)
    for name, content in submissions.items():
        whole = content if content.startswith("{") else notebook(textwrap.dedent(content).strip("\n"))
        (folder / f"{name}.ipynb").write_text(whole, encoding="utf-8")
    course = load_course("tiny", root)
    batch = Batch()
    with Judges(course, 2) as judges, Store(root / "results.db") as store:
        before = forget_peak()
        grade_all(find_submissions(folder), course, sandbox, store, jobs, batch, judges)
        batch.grown = memory("VmHWM") - before
    return batch


def still_running(known: set[int]) -> list[str]:
    """Return the names of the processes below this one that are not `known` and do not end."""
    deadline = time.monotonic() + END_SECONDS
    while True:
        left = [p for p in psutil.Process().children(recursive=True) if p.pid not in known]
        running = []
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.status() != psutil.STATUS_ZOMBIE:
                    running.append(ascii(process.name()))
        if not running or time.monotonic() > deadline:
            return running
        time.sleep(0.05)


def forget_peak() -> int:
    """Let the system forget the most memory that this process has had; return what it has now."""
    Path("/proc/self/clear_refs").write_text("5")
    return memory("VmRSS")


def memory(name: str) -> int:
    """Return the megabytes of this process that the system knows by a name."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) >> 10 for line in lines if line.startswith(name + ":"))


def pending(score: Score) -> list[str]:
    """Return the checks that wait for a person, although nobody but the student is to blame."""
    return [
        f"{question.id}.{check.id}: {check.verdict.message}"
        for question in score.questions
        if question.points is None
        for check in question.checks
    ]


def shown(run: NotebookRun | None) -> str:
    """Return all text that the cells of a notebook displayed."""
    if run is None:
        return ""
    outputs = [output for each in json.loads(run.executed)["cells"] for output in each.get("outputs", ())]
    return "\n".join("".join(output.get("text", output.get("evalue", ""))) for output in outputs)


def one_user() -> int:
    """Return the user as which a test may start processes of its own: nobody's, if this is root."""
    return 62_011 if os.getuid() == 0 else os.getuid()
