"""The core of one machine of a cluster: a process beside a Dask worker, which grades what that hands it.

    Dask worker  --socket: one descriptor a request-->  machine   holds the course; judges, sandbox
         <---- over that descriptor: Proof, then Answers ----'

A process of its own, because judges are forked before any thread starts, and because it can be ended and
started again without the worker. Its limits, boxes and judges are those of `grader grade`. It writes no
database: what it has observed goes back as rows. It ends with the worker, and when nobody asks for long.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import select
import signal
import socket
import sys
import threading
from dataclasses import dataclass
from typing import Any

from grader.batch.course_bundle import CourseBundle, open_course
from grader.batch.judges import Judges
from grader.batch.machine_turns import MachineTurns
from grader.batch.pool import EndableSandbox, GradedHandIn, grade_hand_in
from grader.batch.resources import possible_workers
from grader.errors import GraderError, GraderFault, NotebookUnreadable
from grader.observe.layers import RESTRICTED, TIERS
from grader.observe.sandbox import PlainSandbox, remove_tree
from grader.observe.scratch import make_scratch
from grader.observe.tiers import choose_sandbox
from grader.observe.warm import WarmSandbox
from grader.plan.plan import Course
from grader.records import HandIn
from grader.store import CarriedObservations, Row

LOG = logging.getLogger(__name__)
IDLE_SECONDS = 900.0


@dataclass(frozen=True)
class Proof:
    """What a machine offers: the tier that it has proved, how many workers it carries; or why it may not."""

    tier: str = ""
    workers: int = 0
    refused: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Work:
    """One hand-in, and the rows of observations that are kept of it."""

    name: str
    hand_in: HandIn
    known: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What a hand-in came to, with the new rows of its observation; or an error."""

    result: GradedHandIn | None = None
    rows: tuple[Row, ...] = ()
    error: GraderError | NotebookUnreadable | None = None
    tier: str = ""
    worker: str = ""
    seconds: float = 0.0


def main() -> None:
    """Run until the worker ends, or SIGTERM."""
    with contextlib.suppress(KeyboardInterrupt):
        _serve()


def _serve() -> None:
    """Open the course of the first request, then grade those of all others."""
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    asked = socket.socket(fileno=int(sys.argv[1]))
    first = _request(asked)
    if first is None:
        return
    scratch, alive = make_scratch()
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, alive)
        stack.callback(remove_tree, scratch)
        folder = scratch / "course"
        folder.mkdir(mode=0o700)
        with first:
            bundle, jobs = _read(first)
            try:
                course = open_course(bundle, folder)
                judges = stack.enter_context(Judges(course, max(2, jobs)))
                best = _sandbox(course, bundle)
                stack.enter_context(best)
                sandbox = EndableSandbox(best)
                workers, notes = possible_workers(jobs)
            except (GraderError, OSError) as error:
                _write(first, Proof(refused=str(error)))
                return
            _write(first, Proof(sandbox.name, workers, notes=tuple(notes)))
        stack.callback(sandbox.end)
        turns, running = MachineTurns(), threading.Semaphore(workers)
        busy: list[threading.Thread] = []
        while True:
            busy = [thread for thread in busy if thread.is_alive()]
            ready = select.select([asked], [], [], IDLE_SECONDS)[0]
            request = _request(asked) if ready else None
            if request is not None:
                arguments = (request, course, sandbox, judges, turns, running)
                busy.append(threading.Thread(target=_grade, args=arguments, daemon=True))
                busy[-1].start()
            elif ready or not busy:
                break


def _sandbox(course: Course, bundle: CourseBundle) -> WarmSandbox | PlainSandbox:
    """Return the strongest sandbox; raises TierError below the course's minimum, and below RESTRICTED."""
    environment = course.rubric.environment
    minimum = min(environment.minimum_tier, RESTRICTED, key=TIERS.index)
    return choose_sandbox(environment.preload, minimum, bundle.python or sys.executable)


def _grade(
    request: socket.socket,
    course: Course,
    sandbox: EndableSandbox,
    judges: Judges,
    turns: MachineTurns,
    running: threading.Semaphore,
) -> None:
    """Answer one request."""
    with request, contextlib.suppress(OSError):
        with running:
            answer = _answer(_read(request), course, sandbox, judges, turns)
        _write(request, answer)


def _answer(
    work: Work, course: Course, sandbox: EndableSandbox, judges: Judges, turns: MachineTurns
) -> Answer:
    rows = CarriedObservations(work.known)
    try:
        result = grade_hand_in(work.name, work.hand_in, course, sandbox, rows, judges, turns)
    except (GraderError, NotebookUnreadable) as error:
        return Answer(None, tuple(rows.new), error, sandbox.name)
    except Exception as error:
        LOG.exception("%s was not graded", work.name)
        return Answer(error=GraderFault(f"{type(error).__name__}: {error}"), tier=sandbox.name)
    return Answer(result, tuple(rows.new), tier=sandbox.name)


def _request(asked: socket.socket) -> socket.socket | None:
    """Return the way to who asks; None once the worker has ended."""
    data, descriptors, _, _ = socket.recv_fds(asked, 1, 1)
    return socket.socket(fileno=descriptors[0]) if data and descriptors else None


def _read(own: socket.socket) -> Any:
    with own.makefile("rb") as stream:
        return pickle.load(stream)  # noqa: S301 -- the worker sent it


def _write(own: socket.socket, answer: Proof | Answer) -> None:
    with own.makefile("wb") as stream:
        pickle.dump(answer, stream, protocol=5)
