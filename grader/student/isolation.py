"""Lets a student's code end, hang, fill the memory or print, without harm to what comes after it.

    watched          interrupts the code of this process when its time is over
    forked           runs one piece of work in a fork, and returns its answer or how the fork ended
    quiet_process    cuts this process off from the terminal, and limits its memory

A fork starts from the state of this process, so that no call sees what another one left behind.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import select
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

CAN_FORK = sys.platform == "linux" and hasattr(os, "fork")  # a fork of NumPy may hang on macOS
LEAVE = os._exit  # kept, because a student's code may replace it
TICK = 0.02  # seconds between two looks at the clock
SLACK = 5.0  # wall seconds beside three times the processor seconds, for a busy machine
LENGTH = 8  # bytes of the length before an answer


class TimeIsUp(BaseException):
    """The code ran longer than it may; its cause holds the place where it was."""


@dataclass(frozen=True)
class Ended:
    """How a process ended that gave no answer; `late` if it was ended because its time was over."""

    how: str
    late: bool = False


def wall_seconds(seconds: float) -> float:
    """Return how long code may take by the clock that may use `seconds` of the processor."""
    return 3 * seconds + SLACK


@contextlib.contextmanager
def watched(seconds: float) -> Iterator[None]:
    """Raise TimeIsUp in the block when it has used `seconds` of the processor, or waits for too long."""
    over, fired = threading.Event(), threading.Event()
    processor, wall = time.process_time() + seconds, time.monotonic() + wall_seconds(seconds)

    def watch() -> None:
        while not over.wait(TICK):
            if time.process_time() > processor or time.monotonic() > wall:
                fired.set()
                _thread.interrupt_main()
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    place: BaseException | None = None
    try:
        yield
    except KeyboardInterrupt as error:
        if not fired.is_set():
            raise
        place = error
    finally:
        with contextlib.suppress(KeyboardInterrupt):  # the interrupt may come as late as this
            over.set()
            thread.join()
    if fired.is_set():
        raise TimeIsUp from place


def forked(work: Callable[[], bytes], seconds: float) -> bytes | Ended:
    """Return what `work` returns in a fork of this process, or how the fork ended without an answer."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of threads: what they hold is not used
        child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            answer = work()
            for part in (len(answer).to_bytes(LENGTH, "little"), answer):
                view = memoryview(part)
                while view:
                    view = view[os.write(writing, view) :]
        finally:
            LEAVE(0)
    os.close(writing)
    try:
        return _answer(reading, child, time.monotonic() + wall_seconds(seconds) + SLACK)
    finally:
        os.close(reading)
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _answer(reading: int, child: int, deadline: float) -> bytes | Ended:
    """Return what a fork answers, or how it ended.

    The end of the pipe does not tell: processes that the student's code started may hold it open. A fork that
    has ended may have answered before: the pipe is read until it is empty.
    """
    received, closed = bytearray(), False
    how: str | None = None
    while time.monotonic() < deadline:
        if not closed and select.select([reading], [], [], TICK if how is None else 0.0)[0]:
            part = os.read(reading, 1 << 20)
            closed = not part
            received += part
            if len(received) >= LENGTH and len(received) - LENGTH >= int.from_bytes(
                received[:LENGTH], "little"
            ):
                return bytes(received[LENGTH:])
            continue
        if how is not None:
            return Ended(how)
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            how = how_ended(os.waitstatus_to_exitcode(status))
        elif closed:
            time.sleep(TICK)
    return Ended("it did not finish", late=True)


def how_ended(code: int) -> str:
    """Return the exit code of a process, or the signal that ended it, in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def quiet_process(memory_mb: int) -> None:
    """Cut this process off from terminal and keyboard, and limit its memory where the system can."""
    if hasattr(os, "setpgid"):
        with contextlib.suppress(OSError):
            os.setpgid(0, 0)  # so that all that it starts can be ended together
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    sys.stdin, sys.stdout, sys.stderr = (
        open(os.devnull, mode, encoding="utf-8")  # noqa: PTH123, SIM115
        for mode in ("r", "w", "w")
    )
    if sys.platform == "linux":
        import resource  # noqa: PLC0415 -- not on Windows

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        limit = pages * resource.getpagesize() + (memory_mb << 20)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))
