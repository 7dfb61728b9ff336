"""The handler's program: reads one notebook, speaks with its kernel, shows what it displayed.

    core  --job-->  handler  --reading, run, and requests to interrupt or end the kernel-->  core
                       `-- kernel (inside/kernel.py), over two pipes that it inherits

It runs unprivileged, without a network, with limits on time and memory, and knows nothing that a student may
not know: the notebook, the files beside it, and the notebook as it was handed out. The core believes nothing
of what it answers, but takes it as plain data of the expected form.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from nbformat import NotebookNode

from grader.codec import READING, pack_run
from grader.decode import decode
from grader.errors import NotebookUnreadable
from grader.handler.notebook_run import KernelNotStarted, run_notebook
from grader.handler.safe_html import show_notebook
from grader.inside import wire
from grader.inside.packets import write_message
from grader.inside.safe_text import message_text, valid_text
from grader.notebook.cells import find_cell, read_code, read_sources
from grader.notebook.facts import find_subjects
from grader.notebook.read import parse_notebook
from grader.notebook.slicing import function_code
from grader.reading import Reading
from grader.records import Fault, NotebookLimits, Outcome, OutcomeKind
from grader.subjects import Subject, SubjectKind

MAX_TEXT = 500_000  # characters of a written answer
ANSWER_MB = 96
TOO_MUCH = 3  # the exit code of a handler whose notebook takes more memory or nests deeper than it may


class Answer(StrEnum):
    """What a message of the handler holds."""

    READING = "reading"
    UNREADABLE = "unreadable"
    INTERRUPT = "interrupt"
    KILL = "kill"
    NOT_STARTED = "not started"
    RUN = "run"


@dataclass(frozen=True)
class Job:
    """What the handler is to do: read, or run, or both; `skeleton` is the notebook as it was handed out."""

    notebook: bytes
    modules: Mapping[str, bytes]
    skeleton: bytes
    subjects: tuple[str, ...]
    read: bool
    run: bool
    limits: NotebookLimits
    start_seconds: float = 60.0

    def pack(self) -> bytes:
        """Return the job as bytes."""
        return wire.encode({**vars(self), "modules": dict(self.modules), "limits": vars(self.limits)})

    @classmethod
    def unpack(cls, data: bytes) -> Job:
        """Return the job that `pack` packed."""
        message = decode(data)
        return cls(**{**message, "limits": NotebookLimits(**message["limits"])})


@dataclass(frozen=True)
class InheritedKernel:
    """The kernel at the other end of two pipes; only the core can signal it."""

    requests: int
    messages: int

    def interrupt(self) -> None:
        """Ask the core to interrupt the kernel."""
        answer(Answer.INTERRUPT)

    def kill(self) -> None:
        """Ask the core to end the kernel."""
        answer(Answer.KILL)


def answer(kind: Answer, content: bytes = b"") -> None:
    """Send the core a message; raise MemoryError if it is longer than any that the core takes."""
    message = wire.encode((kind.value, content))
    if len(message) > ANSWER_MB << 20:
        raise MemoryError
    write_message(1, message)


def main() -> None:
    """Do one job; the arguments are the descriptors of the kernel's pipes, -1 if there is no kernel."""
    kernel = InheritedKernel(*map(int, sys.argv[1:3]))
    job = Job.unpack(sys.stdin.buffer.read())
    try:
        handle(job, kernel)
    except (MemoryError, RecursionError):
        os._exit(TOO_MUCH)


def handle(job: Job, kernel: InheritedKernel) -> None:
    """Read the notebook and run it, as the job says."""
    try:
        notebook = parse_notebook(job.notebook)
    except NotebookUnreadable as reason:
        answer(Answer.UNREADABLE, valid_text(str(reason)).encode())
        return
    skeleton = parse_notebook(job.skeleton)
    subjects = tuple(map(Subject.named, job.subjects))
    if job.read:
        answer(Answer.READING, READING.dump_json(read_notebook(notebook, skeleton, subjects, job.modules)))
    if not job.run:
        return
    uncalled = [subject for subject in subjects if not subject.is_called]
    looked_at = [subject for subject in uncalled if subject.kind is not SubjectKind.TEXT]
    try:
        run = run_notebook(notebook, kernel, job.limits, looked_at, job.start_seconds)
    except KernelNotStarted:
        answer(Answer.NOT_STARTED)
        return
    texts = {
        str(subject): written_answer(notebook, skeleton, subject.name)
        for subject in uncalled
        if subject.kind is SubjectKind.TEXT
    }
    run = replace(run, values={**run.values, **texts})
    answer(Answer.RUN, pack_run(replace(run, shown=show_notebook(notebook))))


def read_notebook(
    notebook: NotebookNode, skeleton: NotebookNode, subjects: Iterable[Subject], modules: Mapping[str, bytes]
) -> Reading:
    """Return what the sources of a notebook, and of the files beside it, say of the subjects."""
    sources = {name: read_sources([data.decode("utf-8-sig", "replace")]) for name, data in modules.items()}
    slices, facts = find_subjects(read_code(notebook), subjects, read_code(skeleton), sources)
    return Reading(facts, {name: function_code(each) for name, each in slices.items()})


def written_answer(notebook: NotebookNode, skeleton: NotebookNode, name: str) -> Outcome:
    """Return the text of the Markdown cell with a tag or id; one left as handed out is not attempted."""
    own, given = find_cell(notebook, name), find_cell(skeleton, name)
    if own is None or notebook.cells[own].cell_type != "markdown":
        fault = Fault("", f"the notebook has no Markdown cell with the tag or id {message_text(name)}")
        return Outcome(OutcomeKind.MISSING, fault=fault)
    text = str(notebook.cells[own].source)
    if given is not None and text.strip() == str(skeleton.cells[given].source).strip():
        return Outcome(OutcomeKind.NOT_ATTEMPTED)
    if len(text) > MAX_TEXT:
        fault = Fault("", f"the text has more than {MAX_TEXT} characters")
        return Outcome(OutcomeKind.OUTPUT_TOO_LARGE, fault=fault)
    return Outcome(OutcomeKind.RETURNED, text)
