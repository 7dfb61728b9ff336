"""Grades many submissions on the machines of a Dask cluster; the results are those of one machine.

    coordinator  --GraderCore: the course-->  scheduler  -->  every worker, which proves its walls
                 --Work: bytes, what is kept of them-->  a worker that has
                 <--Answer: score, run, new observations--
        |
    the database, pages: written here alone

Dask sends a task again whose worker dies. A worker that is there and does not answer is not waited for: what
takes much longer than anything before is given to another one too, and the first answer counts.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Self, cast

from distributed import Client, Future, KilledWorker

from grader.batch.cluster_worker import GraderCore, grade_work
from grader.batch.course_bundle import CourseBundle
from grader.batch.machine import Answer, Work
from grader.batch.pool import AHEAD, WAIT_SECONDS, Graded, Listener, graded, read_hand_in, store_result
from grader.errors import ClusterError, DamagedError, GraderFault, NotebookUnreadable, UsageError
from grader.intake.submissions import Submission
from grader.observe.layers import lower
from grader.observe.observe_submission import observe
from grader.observe.sandbox import Process, Program, Sandbox
from grader.plan.plan import Course
from grader.records import HandIn
from grader.store import ReadObservations, Store

LOG = logging.getLogger(__name__)
CONNECT_SECONDS = 20.0
ANSWER_SECONDS = 20.0  # until the scheduler must have answered
LOST_SECONDS = 60.0  # without the scheduler until the batch ends, unless the client has given up before
FIRST_SECONDS = 900.0  # until a worker must have proved itself, once there is one
TOLD_SECONDS = 30.0
LOOK_SECONDS = 2.0  # between two looks at the workers
FETCHING, FETCH_SECONDS = 4, 60.0  # threads that fetch answers, and how long one may take
LATE_SECONDS = 60.0  # at least this long is waited for an answer, and
LATE_TIMES = 5  # this many times as long as for the slowest so far
COPIES = 3
TRIES = 2
AGAIN = "what was finished is kept: when it runs, give the same command again"


class Cluster:
    """The workers of a Dask scheduler that have proved themselves for a course; use it with `with`."""

    def __init__(self, address: str, bundle: CourseBundle, tell: Callable[[str], None]) -> None:
        self.name = f"grader-{bundle.digest[:12]}-{os.urandom(4).hex()}"
        self._tell = tell
        self._heard = 0
        self._threads: dict[str, int] = {}
        self._core = GraderCore(bundle, self.name)
        self.tier = ""
        self.python = bundle.python or sys.executable
        self._refused: dict[str, str] = {}
        self._scheduler = ""
        self._told = 0.0
        try:
            self._client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False, name=self.name)
        except (OSError, ValueError, TimeoutError) as error:
            raise UsageError(
                f"--cluster {address}: no scheduler answers there ({type(error).__name__}); start one with "
                "`dask scheduler`, and see that this machine reaches it"
            ) from error

    def __enter__(self) -> Self:
        self._forget_dead()
        # Dask waits for all workers; one that is stopped must not keep the others waiting.
        threading.Thread(target=self._register, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(Exception):
            self._client.sync(
                self._client._unregister_worker_plugin, name=self.name, callback_timeout=CONNECT_SECONDS
            )
        with contextlib.suppress(Exception):
            self._client.close(CONNECT_SECONDS)

    @property
    def threads(self) -> int:
        """How many submissions the workers that have proved themselves can grade at a time."""
        return sum(self._threads.values())

    def wait_for_worker(self) -> None:
        """Wait until a worker may grade; raises ClusterError if those that are there may not."""
        began, told = time.monotonic(), 0.0
        while not self.threads:
            workers = self.check()
            waited = time.monotonic() - began
            there = len(workers)
            if there and workers.keys() <= self._refused.keys():
                reasons = "".join(f"\n    {why}" for why in self._refused.values())
                raise ClusterError(f"no worker of the cluster may grade:{reasons}")
            if there and waited > FIRST_SECONDS:
                raise ClusterError(f"no worker has proved itself in {waited:.0f} seconds; see their logs")
            if waited - told > TOLD_SECONDS:
                self._tell(f"waiting for the cluster: {there} workers are there, none has proved itself yet")
                told = waited
            time.sleep(WAIT_SECONDS / 5)

    def submit(self, work: Work, key: str, avoid: Sequence[str] = ()) -> Future[Answer] | None:
        """Send work to a worker that has proved itself and is none of `avoid`; None if there is none."""
        if self._client.status != "running":
            self.check()
        there = None
        if avoid:
            there = [address for address in self._threads if address not in avoid]
            if not there:
                return None
        return self._client.submit(
            grade_work, self.name, work, key=key, pure=False, resources={self.name: 1}, workers=there
        )

    def placed(self, keys: Sequence[str]) -> list[str]:
        """Return the addresses of the workers that have these tasks now; none if the scheduler is silent."""
        try:
            processing = self._asked("processing", workers=None)
        except OSError:
            return []
        return [at for at, tasks in processing.items() if any(key in tasks for key in keys)]

    def check(self) -> dict[str, Any]:
        """Forget workers that have left, and return the others; wait for the scheduler if it is gone.

        Raises ClusterError if it is gone for long, or is another one, which knows nothing of this batch.
        """
        began = time.monotonic()
        while True:
            with contextlib.suppress(OSError):
                if self._client.status == "running":
                    told = self._asked("events", topic=self.name)
                    workers = self._workers()
                    break
            if time.monotonic() - began > LOST_SECONDS or self._client.status == "closed":
                raise ClusterError(f"the scheduler of the cluster is gone; {AGAIN}")
            time.sleep(WAIT_SECONDS / 5)
        for _, event in told[self._heard :]:
            self._note(event)
        self._heard = len(told)
        for address in self._threads.keys() - workers.keys():
            del self._threads[address]
        return workers

    def tell_if_alone(self, number: int) -> None:
        """Tell now and then that so many submissions wait, while no worker may grade."""
        if self.threads:
            self._told = time.monotonic()
        elif time.monotonic() - self._told > TOLD_SECONDS:
            self._told = time.monotonic()
            self._tell(f"waiting for the cluster: {number} submissions were sent, and no worker is left")

    def _workers(self) -> dict[str, Any]:
        """Return what the scheduler knows of the workers, by address; raises OSError if it is silent."""
        told = self._asked("identity", n_workers=-1)
        self._scheduler = self._scheduler or told["id"]
        if told["id"] != self._scheduler:
            raise ClusterError(f"the scheduler of the cluster was started anew; {AGAIN}")
        found: dict[str, Any] = told["workers"]
        return found

    def _asked(self, question: str, **arguments: Any) -> Any:
        """Return an answer of the scheduler; raises OSError if there is none in time."""
        scheduler = self._client.scheduler
        if scheduler is None:
            raise OSError("the client is closed")
        return self._client.sync(getattr(scheduler, question), callback_timeout=ANSWER_SECONDS, **arguments)

    def _register(self) -> None:
        try:
            self._client.register_plugin(self._core, self.name)
        except Exception as error:
            self._tell(f"the course did not reach every worker: {type(error).__name__}: {error}")

    def _forget_dead(self) -> None:
        """Have the scheduler forget the courses of coordinators that have been killed."""
        with contextlib.suppress(OSError):
            for name in self._client.run_on_scheduler(_dead_courses):
                self._client.sync(
                    self._client._unregister_worker_plugin, name=name, callback_timeout=CONNECT_SECONDS
                )

    def _note(self, told: dict[str, Any]) -> None:
        """Note what a worker has proved."""
        if told["refused"]:
            self._refused[told["address"]] = f"{told['name']}: {told['refused']}"
            self._tell(f"the worker {told['name']} gets no work: {told['refused']}")
            return
        self._threads[told["address"]] = told["threads"]
        self.tier = lower(self.tier, told["tier"]) if self.tier else told["tier"]
        for note in told["notes"]:
            self._tell(f"the worker {told['name']}: {note}")


def _dead_courses(dask_scheduler: Any) -> list[str]:
    """Return the names of courses whose coordinator is not connected any more; runs in the scheduler."""
    courses = [name for name in dask_scheduler.worker_plugins if name.startswith("grader-")]
    return [name for name in courses if not any(name in client for client in dask_scheduler.clients)]


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
            assert answer.score is not None
            return Graded(submission, answer.score, answer.run)

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
