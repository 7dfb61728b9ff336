"""Judges observations in a pool of processes, because threads of one interpreter would share one core.

    thread of the batch  --observation without its run-->  judge process  --Score-->  thread of the batch

A judge process is forked after the course is loaded: it does not load the course again, and it inherits
nothing that is opened later (sandboxes, the database). Where the system cannot fork, and after the processes
have died, the threads of the batch judge one at a time.
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

from grader.inside import system
from grader.judge.judge_observation import grade
from grader.plan.plan import Course
from grader.records import Observation, Score

LOG = logging.getLogger(__name__)
MAX_JUDGES = 3  # with more, the threads that read and write become the bottleneck
MEMORY = 6 << 30  # bytes that a judge process may allocate, so that a huge result cannot exhaust the machine


@dataclass
class _ProcessState:
    """What a judge process keeps between two calls; empty in the process of the batch."""

    course: Course | None = None


_STATE = _ProcessState()


class Judges:
    """Grades observations of one course. Create it before any thread starts; close it, or use `with`."""

    def __init__(self, course: Course, jobs: int) -> None:
        self._course = course
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        if jobs > 1 and can_fork():
            fork = multiprocessing.get_context("fork")
            count = min(jobs - 1, MAX_JUDGES)
            self._pool = ProcessPoolExecutor(count, fork, _start_process, (course, os.getpid()))
            with warnings.catch_warnings():
                # Python warns of a fork beside other threads; those are OpenBLAS's, which survives a fork.
                warnings.simplefilter("ignore", DeprecationWarning)
                self._pool.submit(os.getpid).result()  # the first task forks all processes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def grade(self, submission: str, observation: Observation) -> Score:
        """Judge and score an observation; raises what `judge_observation.grade` raises."""
        pool = self._pool
        if pool is not None:
            try:
                return pool.submit(_grade, submission, replace(observation, run=None)).result()
            except BrokenExecutor:
                LOG.warning("the judges have died; the threads of the batch take turns from here on")
                self._pool = None
        with self._lock:
            return grade(submission, observation, self._course)


def can_fork() -> bool:
    """Return whether a fork is safe here; on macOS, system libraries may crash after one."""
    return sys.platform.startswith("linux")


def _start_process(course: Course, parent: int) -> None:
    """Prepare a new judge process: it ignores interrupts, ends with its parent, and has a memory limit."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles an interrupt, and ends the pool
    with contextlib.suppress(OSError):
        system.prctl(system.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # the parent died before prctl was called, so no signal will come
        os._exit(1)
    # RLIMIT_AS counts all address space, so the limit is added to what the fork inherited.
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    space = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    _STATE.course = course


def _grade(submission: str, observation: Observation) -> Score:
    """Grade an observation in a judge process."""
    assert _STATE.course is not None
    return grade(submission, observation, _STATE.course)
