"""Judges observations in processes beside the batch, because threads of one interpreter would share one core.

    thread of the batch  --a socket-->  keeper   `-- judge    a fork of the keeper
                         --observation, over that socket-->   judge
                         <--Score--

A keeper is forked after the course is loaded and does nothing but fork its judge, again whenever it has
ended. So a judge does not load the course again, and inherits nothing that is opened later (sandboxes, the
database). A judge has limits on time and memory. A submission whose judge ends is judged once more, by a new
judge, and then not at all. Where the system cannot fork, the threads of the batch judge one at a time.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import resource
import signal
import socket
import sys
import threading
import time
import warnings
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import NoReturn, Self

from grader.errors import JudgeError
from grader.inside import system
from grader.judge.judge_observation import grade
from grader.plan.plan import Course
from grader.records import Observation, Score

LOG = logging.getLogger(__name__)
MAX_JUDGES = 3  # with more, the threads that read and write become the bottleneck
MEMORY = 6 << 30  # bytes that a judge process may allocate, so that a huge result cannot exhaust the machine
SECONDS = 300  # that judging one submission may take
GRACE = 30  # seconds more until a judge that does not end itself is given up
TRIES = 2
PAUSE = 0.1  # seconds between two judges, where they end at once


class Judges:
    """Grades observations of one course. Create it before any thread starts; close it, or use `with`."""

    def __init__(self, course: Course, jobs: int) -> None:
        self._course = course
        self._lock = threading.Lock()
        self._free: SimpleQueue[socket.socket] = SimpleQueue()  # a way to each keeper without a submission
        self._keepers: dict[int, socket.socket] = {}
        with warnings.catch_warnings():
            # Python warns of a fork beside other threads; those are OpenBLAS's, which survives a fork.
            warnings.simplefilter("ignore", DeprecationWarning)
            for _ in range(min(jobs - 1, MAX_JUDGES) if can_fork() else 0):
                own, other = socket.socketpair()
                batch, pid = os.getpid(), os.fork()
                if pid == 0:
                    for each in (own, *self._keepers.values()):
                        each.close()
                    _keep(course, other, batch)
                other.close()
                self._keepers[pid] = own
                self._free.put(own)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pid, own in self._keepers.items():
            os.kill(pid, signal.SIGKILL)  # its judge ends with it
            os.waitpid(pid, 0)
            own.close()
        self._keepers = {}

    def grade(self, submission: str, observation: Observation) -> Score:
        """Judge and score an observation.

        Raises what `judge_observation.grade` raises, and JudgeError if the process that judges ends of it.
        """
        if not self._keepers:
            with self._lock:
                return grade(submission, observation, self._course)
        for _ in range(TRIES):
            keeper = self._free.get()
            try:
                answer = _ask(keeper, submission, replace(observation, run=None))
            finally:
                self._free.put(keeper)
            if isinstance(answer, BaseException):
                raise answer
            if answer is not None:
                return answer
            LOG.warning("the judge of %s has ended", submission)
        raise JudgeError(
            f"judging it took more than {SECONDS} seconds or {MEMORY >> 20} MB, or ended the process, "
            f"{TRIES} times; a person has to look at it"
        )


def can_fork() -> bool:
    """Return whether a fork is safe here; on macOS, system libraries may crash after one."""
    return sys.platform.startswith("linux")


def _ask(keeper: socket.socket, submission: str, observation: Observation) -> Score | BaseException | None:
    """Return the score of a submission, or what was raised; None if the judge ended without an answer."""
    own, other = socket.socketpair()
    with own:
        own.settimeout(SECONDS + GRACE)
        with other:
            socket.send_fds(keeper, [b"j"], [other.fileno()])
        with contextlib.suppress(OSError, EOFError, pickle.UnpicklingError):
            with own.makefile("wb") as stream:
                pickle.dump((submission, observation), stream, protocol=5)
            own.shutdown(socket.SHUT_WR)
            with own.makefile("rb") as stream:
                answer: Score | BaseException = pickle.load(stream)  # noqa: S301 -- of a process that is ours
                return answer
    return None


def _keep(course: Course, asked: socket.socket, batch: int) -> NoReturn:
    """Fork a judge, and another one whenever it has ended; ends with the process of the batch."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the batch handles an interrupt, and ends the judges
    try:
        _end_with(batch)
        while True:
            keeper, pid = os.getpid(), os.fork()
            if pid == 0:
                _end_with(keeper)
                _judge(course, asked)
            if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0:
                break  # the batch is over
            time.sleep(PAUSE)
    finally:
        os._exit(0)


def _end_with(parent: int) -> None:
    """Let the system kill this process when its parent ends."""
    with contextlib.suppress(OSError):
        system.prctl(system.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before
        os._exit(1)


def _judge(course: Course, asked: socket.socket) -> NoReturn:
    """Judge one submission after the other, each over a socket of its own."""
    try:
        # RLIMIT_AS counts all address space, so the limit is added to what the fork inherited.
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        space = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (space, space))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends this process
        while True:
            data, descriptors, _, _ = socket.recv_fds(asked, 1, 1)
            if not data:
                os._exit(0)
            signal.alarm(SECONDS)
            with socket.socket(fileno=descriptors[0]) as own:
                with own.makefile("rb") as stream:
                    submission, observation = pickle.load(stream)  # noqa: S301 -- the batch sent it
                answer: Score | BaseException
                try:
                    answer = grade(submission, observation, course)
                except MemoryError:
                    os._exit(1)
                except Exception as error:
                    answer = error
                with own.makefile("wb") as stream:
                    pickle.dump(answer, stream, protocol=5)
            signal.alarm(0)
    finally:
        os._exit(1)
