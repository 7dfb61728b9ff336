"""The handler's program: reads one notebook, speaks with its kernel, shows what it displayed.

    core  --job-->  handler  --reading, run, and requests to interrupt or end the kernel-->  core
                       `-- kernel (inside/kernel.py), over two pipes that it inherits

It runs unprivileged, without a network, with limits on time and memory, and knows nothing that a student may
not know: the notebook, the files beside it, and the notebook as it was handed out. The core believes nothing
of what it answers, but takes it as plain data of the expected form.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import nbformat
from nbformat import NotebookNode

from grader.codec import pack_reading, pack_run, pack_written
from grader.derivation.written_answers import examine
from grader.errors import NotebookUnreadable
from grader.handler.for_people import WrittenAnswers, code_of
from grader.handler.job import ANSWER_MB, TOO_MUCH, Answer, Job
from grader.handler.notebook_run import KernelNotStarted, run_notebook
from grader.handler.safe_html import show_notebook, typeset
from grader.inside import wire
from grader.inside.packets import write_message
from grader.inside.safe_text import valid_text
from grader.notebook.cells import read_code, read_sources
from grader.notebook.facts import find_subjects
from grader.notebook.read import parse_notebook
from grader.notebook.slicing import function_code
from grader.reading import FactsStatus, FunctionCode, FunctionFacts, Reading
from grader.records import Outcome, OutcomeKind
from grader.subjects import Subject, SubjectKind
from grader.written import WrittenTask

RECURSION, STACK_MB = 20_000, 256
MAX_CODE = 500_000  # characters of the code that a function needs
MAX_SOURCES = 4 << 20  # bytes of all code cells, where a function is called in the state of the notebook
MAX_EXECUTED = 24 << 20  # bytes of the executed notebook
LEFT_OUT = f"[Attachments and metadata were left out: with them it has more than {MAX_EXECUTED >> 20} MB.]"
# What may bind names that cannot be seen in the code: only a run of the notebook shows them.
BINDS_UNSEEN = re.compile(
    r"^[ \t]*%(?:run|load|store)\b|^[ \t]*%%(?!time)|\bexec\(|\bglobals\(\)|import \*", re.M
)


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
    ended: list[BaseException] = []

    def work() -> None:
        try:
            handle(job, kernel)
        except BaseException as error:
            ended.append(error)

    # What students write is nested deeper than Python's own limit allows: a sum of 300 terms, 400 `elif`.
    sys.setrecursionlimit(RECURSION)
    threading.stack_size(STACK_MB << 20)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if ended and isinstance(ended[0], MemoryError | RecursionError):
        os._exit(TOO_MUCH)
    if ended:
        raise ended[0]


def handle(job: Job, kernel: InheritedKernel) -> None:
    """Read the notebook and run it, as the job says."""
    # what was handed out goes the same way first: what fails for it as well is our fault
    skeleton = parse_notebook(job.skeleton) if job.skeleton else nbformat.v4.new_notebook()
    subjects = tuple(map(Subject.named, job.subjects))
    if job.read:
        read_notebook(skeleton, skeleton, subjects, {})
    answer(Answer.BEGUN)
    repairs: list[str] = []
    try:
        notebook = parse_notebook(job.notebook, repairs)
    except NotebookUnreadable as reason:
        answer(Answer.UNREADABLE, valid_text(str(reason)[:1000]).encode())
        return
    if job.read:
        reading = read_notebook(notebook, skeleton, subjects, job.modules)
        answer(Answer.READING, pack_reading(replace(reading, repairs=tuple(repairs))))
    texts = [subject.name for subject in subjects if subject.kind is SubjectKind.TEXT]
    answers = WrittenAnswers(notebook, skeleton, [*(task.cell for task in job.written), *texts])
    for task in job.written:
        answer(Answer.WRITTEN, pack_written(task.id, examined(answers, task)))
    if not job.run:
        return
    uncalled = [subject for subject in subjects if not subject.is_called]
    looked_at = [subject for subject in uncalled if subject.kind is not SubjectKind.TEXT]
    try:
        run = run_notebook(notebook, kernel, job.limits, looked_at, job.start_seconds)
    except KernelNotStarted:
        answer(Answer.NOT_STARTED)
        return
    found = {str(Subject(SubjectKind.TEXT, name)): answers.outcome(name) for name in texts}
    answer(Answer.RUN, pack_run(replace(run, values={**run.values, **found})))
    answer(Answer.EXECUTED, executed_notebook(notebook))
    answer(Answer.SHOWN, show_notebook(notebook).encode())


def read_notebook(
    notebook: NotebookNode, skeleton: NotebookNode, subjects: Iterable[Subject], modules: Mapping[str, bytes]
) -> Reading:
    """Return what the sources of a notebook, and of the files beside it, say of the subjects."""
    sources = {name: read_sources([data.decode("utf-8-sig", "replace")]) for name, data in modules.items()}
    slices, facts = find_subjects(read_code(notebook), subjects, read_code(skeleton), sources)
    code: dict[str, FunctionCode] = {}
    for name, own in slices.items():
        needed = function_code(own)
        if sum(len(cell.source) for cell in needed.cells) <= MAX_CODE:
            code[name] = needed
        else:
            remark = f"The code that it needs has more than {MAX_CODE} characters."
            facts[name] = FunctionFacts(name, FactsStatus.MISSING, remark=remark)
    written = tuple(str(cell.source) for cell in notebook.cells if cell.cell_type == "code")
    if any(BINDS_UNSEEN.search(source) for source in written):
        for name, each in facts.items():
            if each.status is FactsStatus.MISSING and Subject.named(name).is_called:
                code[name] = FunctionCode(Subject.named(name).root, (), ())
    if len(json.dumps(written)) > MAX_SOURCES:
        written = ()
    listed = {name: code_of(own, facts[name].file) for name, own in slices.items()}
    answers = WrittenAnswers(notebook, skeleton).shown()
    return Reading(facts, code, written, written=answers, listed=listed)


def examined(answers: WrittenAnswers, task: WrittenTask) -> Outcome:
    """Return what was found in a written answer; its value is a report as plain data."""
    outcome = answers.outcome(task.cell)
    if outcome.kind is not OutcomeKind.RETURNED:
        return outcome
    return replace(outcome, value=examine(task.kind, task.content, outcome.value, typeset).plain())


def executed_notebook(notebook: NotebookNode) -> bytes:
    """Return the notebook as a file, '' if its sources are too long for one.

    Attachments and metadata that are too long are left out, and a cell at the end says so.
    """
    content = valid_text(nbformat.writes(notebook)).encode()
    if len(content) > MAX_EXECUTED:
        for cell in notebook.cells:
            cell.pop("attachments", None)
            cell.metadata = nbformat.NotebookNode()
        notebook.cells.append(nbformat.v4.new_raw_cell(LEFT_OUT))
        content = valid_text(nbformat.writes(notebook)).encode()
    return content if len(content) <= MAX_EXECUTED else b""
