"""A process that makes the checks of one function, and what came of each, one line of JSON a message.

    grader check, %check  --fork, or a new Python-->  worker: the function's code, then its checks
                          <--{"ready": ...}---------  the function can be called, or why it cannot
                          <--{"check": 0}-----------  a check begins
                          <--{"call": ..., ...}-----  a function is called, and for how long it may run
                          <--{"finding": ...}-------  what the check found

A worker that ends, or is ended because it says nothing for too long, loses the check that it was making.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from dataclasses import asdict
from io import BufferedReader
from typing import Any, Literal

from grader.records import Plot, VerdictKind
from grader.student.functions import Functions, Unavailable, silent
from grader.student.home import Bench, Finding
from grader.student.isolation import (
    CAN_FORK,
    LEAVE,
    SLACK,
    TimeIsUp,
    how_ended,
    quiet_process,
    wall_seconds,
    watched,
)
from grader.student.kit import Kit

Way = Literal["fork", "spawn"]
PROGRAM = "import sys; sys.path[:] = {path!r}; from grader.student.worker import spawned; spawned()"
START_SECONDS = 60.0  # for a new Python, on a slow machine


def way_here() -> Way:
    """Return how a worker is made on this system."""
    return "fork" if CAN_FORK else "spawn"


class Worker:
    """A worker as the process that started it sees it; a context manager, so that it ends in any case.

    `functions` is sent to a new Python, where a worker cannot be forked: then it must be picklable.
    """

    def __init__(self, kit: Kit, functions: Functions, name: str, first: int, way: Way) -> None:
        self.ended = ""  # how it ended, when it has
        self.late = False  # whether it was ended because it said nothing for too long
        self.way = way
        sys.stdout.flush()
        if way == "fork":
            reading, writing = os.pipe()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of threads: what they hold is not used
                self.pid = os.fork()
            if self.pid == 0:
                try:
                    os.close(reading)
                    signal.signal(signal.SIGINT, signal.default_int_handler)
                    signal.signal(signal.SIGTERM, signal.SIG_DFL)
                    serve(kit, functions, name, first, writing, apart=True)
                finally:
                    LEAVE(0)
            os.close(writing)
            self.stream = os.fdopen(reading, "rb")
        else:
            command = [sys.executable, "-c", PROGRAM.format(path=sys.path)]
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert self.process.stdin is not None
            assert isinstance(self.process.stdout, BufferedReader)
            with contextlib.suppress(OSError):  # one that ended is told by `messages`
                self.process.stdin.write(pickle.dumps((kit, functions, name, first)))
                self.process.stdin.close()
            self.pid, self.stream = self.process.pid, self.process.stdout
        self.group = self.pid
        self.lines: queue.Queue[bytes] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self.reader.join(SLACK)
        if not self.reader.is_alive():
            self.stream.close()

    def messages(self) -> Iterator[dict[str, Any]]:
        """Yield what the worker says, until it has ended or says nothing for longer than it announced."""
        seconds = START_SECONDS
        while True:
            try:
                line = self.lines.get(timeout=seconds)
            except queue.Empty:
                self.late = True
                return
            if not line:
                break
            message = json.loads(line)
            seconds = message.get("seconds", START_SECONDS)
            yield message
        with contextlib.suppress(ChildProcessError, subprocess.TimeoutExpired):
            if self.way == "spawn":
                self.ended = how_ended(self.process.wait(SLACK))
            else:
                self.ended = how_ended(os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]))
                self.pid = 0

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in self.stream:
                self.lines.put(line)
        self.lines.put(b"")

    def _end(self) -> None:
        """End the process, and on POSIX all that it started."""
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.group, signal.SIGKILL)
        if self.way == "spawn":
            self.process.kill()
            self.process.wait()
        elif self.pid:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(self.pid, signal.SIGKILL)  # it may not have made its group yet
                os.waitpid(self.pid, 0)
            self.pid = 0


def serve(kit: Kit, functions: Functions, name: str, first: int, writing: int, *, apart: bool) -> None:
    """Make the checks of a function from number `first` on; write the messages to a descriptor.

    With `apart`, each call is made in a fork.
    """
    quiet_process(kit.memory_mb)

    def say(**message: Any) -> None:
        line = json.dumps(message).encode() + b"\n"
        while line:
            line = line[os.write(writing, line) :]

    function = kit.functions[name]
    say(ready="", seconds=wall_seconds(kit.cell_seconds) + SLACK)
    try:
        with silent(), watched(kit.cell_seconds):
            functions.get(name)
    except Unavailable as error:
        say(unavailable=str(error))
        return
    except TimeIsUp:
        say(
            unavailable=f"{name}: the code that it needs did not finish within {kit.cell_seconds:g} s",
            late=True,
        )
        return

    def starts(called: str, seconds: float) -> None:
        say(call=called, seconds=wall_seconds(seconds) + 2 * SLACK)

    bench = Bench(kit, function, functions, apart=apart, limited=True, starts=starts)
    for number, check in enumerate(function.checks[first:], first):
        say(check=number)
        say(finding=asdict(bench.finding(check)))


def spawned() -> None:
    """Be a worker in a new Python: the job comes from standard input, the messages go to standard output."""
    job = pickle.load(sys.stdin.buffer)  # noqa: S301 -- from the process that started this one
    kit, functions, name, first = job
    serve(kit, functions, name, first, os.dup(1), apart=False)
    LEAVE(0)


def finding_of(message: dict[str, Any]) -> Finding:
    """Return the finding that a message tells."""
    fields = {**message["finding"], "kind": VerdictKind(message["finding"]["kind"])}
    if fields["plot"] is not None:
        plot = fields["plot"]
        series = tuple(
            (label, tuple((float(x), float(y)) for x, y in points)) for label, points in plot["series"]
        )
        fields["plot"] = Plot(**{**plot, "series": series})
    return Finding(**fields)
