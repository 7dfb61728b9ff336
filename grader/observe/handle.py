"""The core's side of a handler: one process for one notebook, and the kernel that it speaks with.

    core  --job-->  handler  <--pipes-->  kernel in a box
      <--reading, run; interrupt, kill--

The core waits for a handler no longer than its limits allow. A handler that ends early costs its own notebook
what it had not yet answered, and nothing else.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import IO

from grader.codec import unpack_reading, unpack_run
from grader.decode import decode
from grader.errors import GraderFault, NotebookUnreadable
from grader.handler.job import ANSWER_MB, TOO_MUCH, Answer, Job
from grader.inside import wire
from grader.inside.packets import BrokenStream, Joiner
from grader.inside.safe_text import message_text
from grader.observe.sandbox import Process, Program, Sandbox, prepared_directory, settle
from grader.reading import Reading
from grader.records import CellStatus, Fault, NotebookLimits, NotebookRun

READ_SECONDS = 180.0  # of wall time, on a busy machine; the processor time is limited in the handler
KERNEL_SECONDS = 60.0
END_SECONDS = 60.0
PATIENCE = 5
UNREAD = "reading it takes more time or memory than it may"
UNSHOWN = "What the notebook displayed takes more time or memory than it may; it was not kept."


@dataclass
class Handled:
    """What a handler answered; `reason` is the limit for which the kernel's box was ended, '' if none."""

    reading: Reading | None = None
    run: NotebookRun | None = None
    unreadable: str = ""
    started: bool = True
    reason: str = ""


def handle(
    job: Job, sandbox: Sandbox, files: Mapping[str, bytes]
) -> tuple[Reading | None, NotebookRun | None]:
    """Have a notebook read, or run with `files` beside it, or both, as the job says.

    Raises NotebookUnreadable for the student's fault, GraderFault for ours.
    """
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
            kernel.kill()
            handled.reason = kernel.reason
            if kernel.fault:
                raise GraderFault(kernel.fault)
    if handled.unreadable:
        raise NotebookUnreadable(message_text(handled.unreadable)[:400])
    if not handled.started:
        raise GraderFault("the notebook's kernel did not start")
    if job.read and handled.reading is None:
        if handler.reason or handler.poll() == TOO_MUCH:
            raise NotebookUnreadable(UNREAD)
        raise GraderFault(handler.fault or "the process that reads the notebook ended without an answer")
    if job.run and handled.run is None:
        if not (handler.reason or handler.poll() == TOO_MUCH):
            raise GraderFault(handler.fault or "the process that runs the notebook ended without an answer")
        handled.run = NotebookRun((), "", UNSHOWN)
    if handled.run is not None and handled.reason == "out_of_memory":
        handled.run = _out_of_memory(handled.run)
    return handled.reading, handled.run


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
    job = Job(notebook, {}, notebook, tuple(looked_at), read=False, run=True, limits=limits)
    _, run = handle(job, sandbox, files)
    assert run is not None
    return run


def _converse(handler: Process, kernel: Process | None, job: Job, seconds: float) -> Handled:
    """Send the job, do what the handler asks for, and return what it answered until its end."""
    handled = Handled()

    def end() -> None:
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
                case Answer.READING:
                    handled.reading = unpack_reading(content)
                case Answer.RUN:
                    handled.run = unpack_run(content)
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
        raise GraderFault(f"the process that reads the notebook answered nonsense: {error!r}") from error
    finally:
        clock.cancel()
        handler.kill()
        writer.join()
    return handled


def _answers(stream: IO[bytes] | None) -> Iterator[tuple[Answer, bytes]]:
    """Yield the handler's answers as they arrive."""
    joiner = Joiner(ANSWER_MB << 20)
    with contextlib.suppress(OSError, ValueError):  # closed by `kill`
        while stream is not None and (data := stream.read1(1 << 16)):  # type: ignore[attr-defined]
            for message in joiner.feed(data):
                kind, content = decode(message)
                yield Answer(kind), bytes(content)


def _write(stream: IO[bytes], data: bytes) -> None:
    """Write the whole job, in a thread: a handler that ends before it has read everything blocks nobody."""
    with contextlib.suppress(OSError, ValueError):
        stream.write(data)
        stream.close()


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
        remark=f"The kernel ran out of memory in cell {last}; the cells after it were not run.",
    )
