"""Judging in processes beside the batch, whose threads could only take turns at it.

    thread of the batch  --what was observed, as it is kept-->  judge  --Score-->  thread

A judge is a fork of this process as it is when the course has been loaded: it loads nothing again, and has
nothing of what comes later (boxes, the database). Without judges, and where they have died, the threads take
turns.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import resource
import signal
import sys
import threading
import warnings
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from grader.judge.judge_observation import grade
from grader.observe.inside import system
from grader.plan.load import Course
from grader.records import Observation, Score

LOG = logging.getLogger(__name__)
ENOUGH = 3  # more than these, and the threads that read and write are what takes the time
MEMORY = 6 << 30  # bytes that a judge may take beside what it begins with, whatever a student's results are


@dataclass
class _Desk:
    """What a judge has in front of it."""

    course: Course | None = None


_DESK = _Desk()


class Judges:
    """Grades observations of one course. Start them before any thread; close them, or use `with`."""

    def __init__(self, course: Course, jobs: int) -> None:
        self._course = course
        self._turn = threading.Lock()
        self._pool = _forked(course, min(jobs - 1, ENOUGH)) if jobs > 1 and can_fork() else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def grade(self, submission: str, observation: Observation) -> Score:
        """Judge and score an observation; raises what `grade` raises."""
        pool = self._pool
        if pool is not None:
            try:
                return pool.submit(_grade, submission, replace(observation, run=None)).result()
            except BrokenExecutor:
                LOG.warning("the judges have died; the threads of the batch take turns from here on")
                self._pool = None
        with self._turn:
            return grade(submission, observation, self._course)


def can_fork() -> bool:
    """Whether this system's libraries bear a fork; those of macOS do not."""
    return sys.platform.startswith("linux")


def _forked(course: Course, count: int) -> ProcessPoolExecutor:
    """Return a pool whose processes have all been forked."""
    pool = ProcessPoolExecutor(count, multiprocessing.get_context("fork"), _sit_down, (course, os.getpid()))
    with warnings.catch_warnings():  # of other threads: these are those of OpenBLAS, which knows of forks
        warnings.simplefilter("ignore", DeprecationWarning)
        pool.submit(os.getpid).result()
    return pool


def _sit_down(course: Course, parent: int) -> None:
    """Begin as a judge: an interrupt is the parent's to hear, its end is ours too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        system.prctl(system.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    space = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    _DESK.course = course


def _grade(submission: str, observation: Observation) -> Score:
    assert _DESK.course is not None
    return grade(submission, observation, _DESK.course)
