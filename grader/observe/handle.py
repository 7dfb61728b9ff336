"""The core's side of a handler: one process for one notebook, and the kernel that it speaks with.

    core  --job-->  handler  <--pipes-->  kernel in a box
      <--begun, reading, run, executed, shown; interrupt, kill--

The core waits for a handler no longer than its limits allow. A handler that ends early twice, after it has
begun, costs its own notebook what it had not yet answered, and nothing else, whatever it died of. One that
ends before that, or with its warm parent, or by the clock of the core, is our fault.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import IO

from grader.codec import unpack_reading, unpack_run, unpack_written
from grader.decode import decode
from grader.errors import GraderFault, NotebookUnreadable
from grader.handler.job import ANSWER_MB, TOO_MUCH, Answer, Job
from grader.inside import wire
from grader.inside.packets import BrokenStream, Joiner
from grader.inside.safe_text import message_text, valid_text
from grader.observe.sandbox import Process, Program, Sandbox, prepared_directory, settle
from grader.reading import Reading
from grader.records import CellStatus, Fault, NotebookLimits, NotebookRun, Outcome, OutcomeKind
from grader.subjects import Subject, SubjectKind
from grader.written import WrittenTask

READ_SECONDS = 180.0  # of wall time, on a busy machine; the processor time is limited in the handler
KERNEL_SECONDS = 60.0
END_SECONDS = 60.0
PATIENCE = 5
TRIES = 2
OWN_LIMITS = ("too_much", "cpu_timeout")  # that a handler sets itself
UNREAD = "reading it takes more time or memory than it may"
FATAL = "the process that reads it does not survive it"
LOST = "What the notebook did while it ran ended the process that watches it; nothing of it was kept."
UNSHOWN = "The page of the notebook is not shown: making it takes more time or memory than it may, or fails."
UNKEPT = "The executed notebook was not kept: it is too long, or writing it fails."


@dataclass
class Handled:
    """What a handler answered; `reason` is the limit for which the kernel's box was ended, '' if none.

    `late` says that the core ended it, as all its time was over.
    """

    begun: bool = False
    reading: Reading | None = None
    run: NotebookRun | None = None
    executed: str | None = None
    shown: str | None = None
    written: dict[str, Outcome] = field(default_factory=dict)
    unreadable: str = ""
    started: bool = True
    late: bool = False
    reason: str = ""


def handle(
    job: Job, sandbox: Sandbox, files: Mapping[str, bytes]
) -> tuple[Reading | None, NotebookRun | None]:
    """Have a notebook read, or run with `files` beside it, or both, as the job says.

    What may have been ended from outside is done once more, and counts then: who kills leaves no name.
    Raises NotebookUnreadable for the student's fault, GraderFault for ours.
    """
    for _ in range(TRIES - 1):
        with contextlib.suppress(_EndedEarly):
            return _handled(job, sandbox, files, last=False)
    return _handled(job, sandbox, files, last=True)


class _EndedEarly(Exception):  # noqa: N818 -- it says what has happened
    """A handler, or the kernel that it speaks with, ended before it had done its job."""


def _handled(
    job: Job, sandbox: Sandbox, files: Mapping[str, bytes], *, last: bool
) -> tuple[Reading | None, NotebookRun | None]:
    """Do the job; if it is not the `last` try, raise _EndedEarly where a process was ended."""
    seconds = READ_SECONDS
    if job.run:
        seconds += KERNEL_SECONDS + job.limits.seconds + job.limits.cell_seconds + PATIENCE + END_SECONDS
    with contextlib.ExitStack() as stack:
        kernel = None
        if job.run:
            folder = stack.enter_context(prepared_directory(sandbox, files))
            most = str(job.limits.output_kb << 10)
            arguments = (str(job.limits.memory_mb), most)
            kernel = sandbox.launch(
                Program("kernel", folder / "work", arguments, memory_mb=job.limits.memory_mb)
            )
            stack.callback(kernel.kill)
        handler = sandbox.launch_handler(kernel)
        stack.callback(handler.kill)
        job = replace(job, start_seconds=KERNEL_SECONDS)
        handled = _converse(handler, kernel, job, seconds)
        if kernel is not None:
            cells = handled.run.cells if handled.run else ()
            if any(cell.status is CellStatus.ERROR and cell.fault is None for cell in cells):
                settle(kernel)  # it ends by itself: the reason is known a moment later
            kernel.kill()
            handled.reason = kernel.reason
            if kernel.fault:
                raise GraderFault(kernel.fault)
    if handled.unreadable:
        raise NotebookUnreadable(message_text(handled.unreadable)[:400])
    if not handled.started:
        raise GraderFault("the notebook's kernel did not start")
    lacking = (job.read and handled.reading is None) or (job.run and handled.shown is None)
    if lacking and (handler.fault or handled.late or not handled.begun):
        raise GraderFault(handler.fault or "the process that reads the notebook ended without an answer")
    limited = handler.poll() == TOO_MUCH or handler.reason in OWN_LIMITS
    if not last and ((lacking and not limited) or (job.run and _may_be_killed(handled))):
        raise _EndedEarly
    if job.read and handled.reading is None:
        raise NotebookUnreadable(UNREAD if handler.reason or handler.poll() == TOO_MUCH else FATAL)
    if not job.run:
        return handled.reading, None
    run = handled.run or NotebookRun((), "", LOST, values=_not_taken(job))
    if handled.reason == "out_of_memory":
        run = _out_of_memory(run)
    if handled.run is not None and not handled.executed:
        run = replace(run, remark=f"{run.remark} {UNKEPT}".strip())
    if handled.run is not None and handled.shown is None:
        run = replace(run, remark=f"{run.remark} {UNSHOWN}".strip())
    shown = f'<p class="remark">{escape(run.remark)}</p>\n' if handled.shown is None else handled.shown
    return handled.reading, replace(run, executed=handled.executed or "", shown=shown)


def examine_answers(
    notebook: bytes, skeleton: bytes, tasks: Sequence[WrittenTask], sandbox: Sandbox
) -> dict[str, Outcome]:
    """Return what is found in the written answers of a notebook, by the id of the task.

    An answer that takes more time or memory than it may is not checked, and so are those after it. Raises
    GraderFault for our own fault.
    """
    job = Job(
        notebook, {}, skeleton, (), read=False, run=False, limits=NotebookLimits(), written=tuple(tasks)
    )
    handler = sandbox.launch_handler(None)
    try:
        handled = _converse(handler, None, job, READ_SECONDS)
    finally:
        handler.kill()
    lacking = [task for task in tasks if task.id not in handled.written]
    if lacking and (handler.fault or handled.late or not handled.begun):
        raise GraderFault(handler.fault or "the process that reads written answers ended without an answer")
    gone = Outcome(OutcomeKind.UNDECODABLE, fault=Fault("", UNREAD))
    return {**handled.written, **{task.id: gone for task in lacking}}


def run_notebook(
    notebook: bytes,
    files: Mapping[str, bytes],
    sandbox: Sandbox,
    limits: NotebookLimits,
    looked_at: Iterable[str] = (),
) -> NotebookRun:
    """Run a notebook in a box of its own with `files` beside it; `looked_at` are texts of subjects.

    Raises NotebookUnreadable for the student's fault, GraderFault for ours.
    """
    job = Job(notebook, {}, b"", tuple(looked_at), read=False, run=True, limits=limits)
    _, run = handle(job, sandbox, files)
    assert run is not None
    return run


def _converse(handler: Process, kernel: Process | None, job: Job, seconds: float) -> Handled:
    """Send the job, do what the handler asks for, and return what it answered until its end."""
    handled = Handled()

    def end() -> None:
        handled.late = True
        handler.kill()
        if kernel is not None:
            kernel.kill()

    clock = threading.Timer(seconds, end)
    clock.daemon = True
    clock.start()
    writer = threading.Thread(target=_write, args=(handler.stdin, job.pack()), daemon=True)
    writer.start()
    try:
        for kind, content in _answers(handler.stdout):
            match kind:
                case Answer.BEGUN:
                    handled.begun = True
                case Answer.READING:
                    handled.reading = unpack_reading(content)
                case Answer.RUN:
                    handled.run = unpack_run(content)
                case Answer.EXECUTED:
                    handled.executed = valid_text(content.decode())
                case Answer.SHOWN:
                    handled.shown = message_text(content.decode())
                case Answer.WRITTEN:
                    task, outcome = unpack_written(content)
                    handled.written[task] = outcome
                case Answer.UNREADABLE:
                    handled.unreadable = content.decode(errors="replace")
                case Answer.NOT_STARTED:
                    handled.started = False
                case Answer.INTERRUPT if kernel is not None:
                    kernel.interrupt()
                case Answer.KILL if kernel is not None:
                    kernel.kill()
        settle(handler)
    except (BrokenStream, ValueError, KeyError, TypeError, wire.WireError) as error:
        if not handled.begun:
            raise GraderFault(f"the process that reads notebooks answered nonsense: {error!r}") from error
    finally:
        clock.cancel()
        handler.kill()
        writer.join()
    return handled


def _may_be_killed(handled: Handled) -> bool:
    """Whether a kernel was ended, or interrupted, and not by us: the notebook may do so, and others may."""
    cells = handled.run.cells if handled.run else ()
    return handled.reason == "out_of_memory" or any(
        cell.status is CellStatus.ERROR and (cell.fault is None or cell.fault.type == "KeyboardInterrupt")
        for cell in cells
    )


def _answers(stream: IO[bytes] | None) -> Iterator[tuple[Answer, bytes]]:
    """Yield the handler's answers as they arrive; raises BrokenStream, ValueError or TypeError for others."""
    joiner = Joiner(ANSWER_MB << 20)
    while True:
        data = b""
        with contextlib.suppress(OSError, ValueError):  # closed by `kill`
            data = stream.read1(1 << 16) if stream is not None else b""  # type: ignore[attr-defined]
        if not data:
            return
        for message in joiner.feed(data):
            kind, content = decode(message)
            if not isinstance(content, bytes):
                raise ValueError("the content of an answer is bytes")
            yield Answer(kind), content


def _write(stream: IO[bytes], data: bytes) -> None:
    """Write the whole job, in a thread: a handler that ends before it has read everything blocks nobody."""
    with contextlib.suppress(OSError, ValueError):
        stream.write(data)
        stream.close()


def _not_taken(job: Job) -> dict[str, Outcome]:
    """Return the values of variables, files and figures of a run that was lost; a person reads the texts."""
    subjects = map(Subject.named, job.subjects)
    gone = Outcome(OutcomeKind.MISSING, fault=Fault("", LOST))
    return {str(s): gone for s in subjects if not s.is_called and s.kind is not SubjectKind.TEXT}


def _out_of_memory(run: NotebookRun) -> NotebookRun:
    """Return a run with the cause for which its kernel was ended."""
    ended = next((cell for cell in run.cells if cell.status is CellStatus.NOT_RUN), None)
    last = ended.number - 1 if ended else len(run.cells)
    fault = Fault("MemoryError", "the notebook took more memory than it may", last)
    cells = tuple(
        replace(cell, status=CellStatus.ERROR, fault=fault) if cell.number == last else cell
        for cell in run.cells
    )
    return replace(
        run,
        cells=cells,
        remark=f"The kernel ran out of memory in code cell {last}; the cells after it were not run.",
    )
