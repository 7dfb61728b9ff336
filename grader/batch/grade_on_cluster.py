"""Grades many submissions on the machines of a Dask cluster; the results are those of one machine.

    coordinator  --Work: bytes, what is kept of them-->  scheduler  -->  a worker that has proved its walls
                 <--Answer: score, run, what people read, new observations--
        |
    the database, pages: written here alone

Dask sends a task again whose worker dies. A worker that is there and does not answer is not waited for: what
takes much longer than anything before is given to another one too, and the first answer counts.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import cast

from distributed import Future, KilledWorker

from grader.batch.cluster import Cluster
from grader.batch.machine import Answer, Work
from grader.batch.pool import AHEAD, WAIT_SECONDS, Graded, Listener, graded, read_hand_in, store_result
from grader.errors import DamagedError, GraderFault, NotebookUnreadable
from grader.intake.submissions import Submission
from grader.observe.observe_submission import observe
from grader.observe.sandbox import Process, Program, Sandbox
from grader.plan.plan import Course
from grader.records import HandIn
from grader.store import ReadObservations, Store

LOG = logging.getLogger(__name__)
LOOK_SECONDS = 2.0  # between two looks at the workers
FETCHING, FETCH_SECONDS = 4, 60.0  # threads that fetch answers, and how long one may take
LATE_SECONDS = 60.0  # at least this long is waited for an answer, and
LATE_TIMES = 5  # this many times as long as for the slowest so far
COPIES = 3
TRIES = 2


@dataclass
class _Sent:
    """A submission that is with workers, and the tasks for it."""

    number: int
    submission: Submission
    hand_in: HandIn
    futures: list[Future[Answer]] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)
    tries: int = 1

    def key(self) -> str:
        """Return a name for one more task."""
        return f"grade-{os.urandom(4).hex()}-{self.number}"


def grade_on_cluster(
    submissions: Sequence[Submission], course: Course, store: Store, cluster: Cluster, listener: Listener
) -> None:
    """Grade submissions on a cluster; `listener` hears of each once its score is in the store.

    KeyboardInterrupt cancels what is with workers, and is raised again; what is in the store stays.
    """
    batch = _Batch(course, store, cluster, listener)
    try:
        batch.run(submissions)
    except BaseException:
        store.freeze()
        for sent in batch.sent.values():
            for future in sent.futures:
                future.release()
        raise
    finally:
        batch.fetching.shutdown(wait=False, cancel_futures=True)


class _Batch:
    """The submissions of a batch that are with workers."""

    def __init__(self, course: Course, store: Store, cluster: Cluster, listener: Listener) -> None:
        self.course = course
        self.store = store
        self.cluster = cluster
        self.listener = listener
        self.sent: dict[int, _Sent] = {}
        self.done: SimpleQueue[tuple[int, Future[Answer], Answer]] = SimpleQueue()
        self.fetching = ThreadPoolExecutor(FETCHING, thread_name_prefix="grader-fetch")
        self.slowest = 0.0

    def run(self, submissions: Sequence[Submission]) -> None:
        """Grade all of them."""
        waiting = deque(enumerate(submissions))
        looked = time.monotonic()
        while waiting or self.sent:
            while waiting and len(self.sent) < max(1, AHEAD * self.cluster.threads):
                self._begin(*waiting.popleft())
            with contextlib.suppress(Empty):
                self._finish(*self.done.get(timeout=WAIT_SECONDS if self.sent else 0))
            if time.monotonic() - looked > LOOK_SECONDS:
                looked = time.monotonic()
                self.cluster.check()
                self.cluster.tell_if_alone(len(self.sent))
                self._repeat_late()

    def _begin(self, number: int, submission: Submission) -> None:
        """Send a submission, or store its result at once if there is nothing to send."""
        self.listener.started(submission)
        answer = Answer(tier=self.cluster.tier)
        if not submission.missing and not submission.absent:
            try:
                sent = _Sent(number, submission, read_hand_in(submission))
            except (GraderFault, NotebookUnreadable) as error:
                answer = replace(answer, error=error)
            else:
                self._send(sent)
                self.sent[number] = sent
                return
        self._store(submission, answer)

    def _send(self, sent: _Sent, avoid: Sequence[str] = ()) -> None:
        """Give a submission to one more worker."""
        known = () if sent.tries > 1 else tuple(self._known(sent.hand_in))
        work = Work(sent.submission.id, sent.hand_in, known)
        future = self.cluster.submit(work, sent.key(), avoid)
        if future is not None:
            sent.futures.append(future)
            future.add_done_callback(lambda ended: self.fetching.submit(self._fetch, sent.number, ended))

    def _known(self, hand_in: HandIn) -> Iterator[tuple[str, str, str, bytes]]:
        """Yield the rows that the database has of a hand-in, as far as they can be found without a box."""
        read = ReadObservations(self.store)
        with contextlib.suppress(_NoBoxError, DamagedError):
            observe(hand_in, self.course, cast(Sandbox, _NoBox(self.cluster.tier, self.cluster.python)), read)
        yield from dict.fromkeys(read.found)

    def _fetch(self, number: int, future: Future[Answer]) -> None:
        """Fetch an answer, in a thread: a worker may stop before it has handed it over."""
        try:
            answer = _answer(future)
        except Exception as error:
            answer = Answer(error=GraderFault(f"its result did not arrive: {type(error).__name__}: {error}"))
        self.done.put((number, future, answer))

    def _finish(self, number: int, future: Future[Answer], answer: Answer) -> None:
        """Store an answer; the second one of a submission is dropped."""
        sent = self.sent.get(number)
        if sent is None or future not in sent.futures:
            return
        if future.cancelled():  # by the cluster: has it gone?
            self.cluster.check()
        self.store.keep(answer.rows)
        sent.futures.remove(future)
        again = sent.tries < TRIES and not isinstance(answer.error, _DeadWorkersError)
        if isinstance(answer.error, GraderFault) and (sent.futures or again):
            LOG.info("%s is tried again: %s", sent.submission.id, answer.error)
            sent.tries += 1
            if isinstance(answer.error, DamagedError):
                self.store.drop_damaged()
            if not sent.futures:
                self._send(sent)
            return
        del self.sent[number]
        for other in sent.futures:
            other.cancel(force=True)
        repeated = bool(sent.futures) or sent.tries > 1  # then it also waited for another worker
        took = answer.seconds if repeated else time.monotonic() - sent.since
        self.slowest = max(self.slowest, took)
        self._store(sent.submission, answer)

    def _store(self, submission: Submission, answer: Answer) -> None:
        """Store what a submission came to."""

        def work() -> Graded:
            if answer.error is not None:
                raise answer.error
            assert answer.result is not None
            return answer.result.of(submission)

        found = graded(submission, self.course, answer.tier or self.cluster.tier, work)
        found = replace(found, seconds=answer.seconds or found.seconds, worker=answer.worker)
        store_result(found, self.course, self.store, self.listener)

    def _repeat_late(self) -> None:
        """Give what takes much longer than anything before to one more worker."""
        limit = max(LATE_SECONDS, LATE_TIMES * self.slowest)
        for sent in self.sent.values():
            copies = len(sent.futures)
            if copies and copies < COPIES and time.monotonic() - sent.since > limit * copies:
                avoid = self.cluster.placed([str(future.key) for future in sent.futures])
                if avoid:
                    LOG.info("%s is given to another worker too", sent.submission.id)
                    self._send(sent, avoid)


def _answer(future: Future[Answer]) -> Answer:
    """Return what a task came to; raises TimeoutError if that does not arrive."""
    if future.status == "cancelled":
        return Answer(error=GraderFault("the cluster dropped it"))
    if future.status != "error":
        answer: Answer = future.result(timeout=FETCH_SECONDS)
        return answer
    error = future.exception(timeout=FETCH_SECONDS)
    if isinstance(error, KilledWorker):
        return Answer(
            error=_DeadWorkersError(f"the workers that graded it died, {error.allowed_failures + 1} times")
        )
    if isinstance(error, GraderFault | NotebookUnreadable):
        return Answer(error=error)
    return Answer(error=GraderFault(f"{type(error).__name__}: {error}"))


class _DeadWorkersError(GraderFault):
    """Workers died of a submission; Dask has tried it often enough."""


class _NoBoxError(GraderFault):
    """The observation needs a box."""


class _NoBox:
    """In place of a sandbox: nothing can be run, so that only what is kept is found."""

    def __init__(self, name: str, python: str) -> None:
        self.name = name
        self.python = python

    @property
    def scratch(self) -> Path:
        """Raise _NoBoxError."""
        raise _NoBoxError("no box here")

    def launch(self, program: Program) -> Process:
        """Raise _NoBoxError."""
        raise _NoBoxError("no box here")

    def launch_handler(self, kernel: Process | None) -> Process:
        """Raise _NoBoxError."""
        raise _NoBoxError("no box here")
