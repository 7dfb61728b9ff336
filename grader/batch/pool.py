"""Grades many submissions with a pool of threads, and keeps what is finished when the run ends early.

    submissions  -->  worker threads: read, observe, judge  -->  main thread: store, call the listener

Threads are enough because a worker mostly waits for other processes: the sandbox and the judges. An error
in one submission, also while its result is stored or written, makes that submission `not_graded`; the others
continue. A run that may have failed only because the machine was busy is repeated while no other worker runs.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Protocol

from grader.batch.judges import Judges
from grader.batch.words import safe_words
from grader.errors import DamagedError, GraderError, GraderFault, NotebookUnreadable
from grader.intake.submissions import Submission
from grader.judge.judge_observation import not_graded, unreadable
from grader.notebook.sources import MAX_MODULE, read_bytes
from grader.observe.observe_submission import observe
from grader.observe.sandbox import Process, Program, Sandbox
from grader.plan.plan import Course
from grader.records import HandIn, NotebookRun, Score
from grader.store import Store

LOG = logging.getLogger(__name__)
TRIES = 2
WAIT_SECONDS = 0.5  # the longest that an interrupt can be delayed, see `grade_all`


@dataclass(frozen=True)
class Graded:
    """A submission with its score, and the run of its notebook if there was one."""

    submission: Submission
    score: Score
    run: NotebookRun | None = None


class Listener(Protocol):
    """Is called for each submission when its work starts and when its score is there."""

    def started(self, submission: Submission) -> None:
        """Called in the worker thread that starts with a submission."""
        ...

    def finished(self, graded: Graded) -> None:
        """Called in the thread of `grade_all` once the score of a submission is stored."""
        ...


class EndableSandbox:
    """A sandbox that keeps a list of its processes, so that all of them can be killed at once."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.name = sandbox.name
        self.python = sandbox.python
        self.scratch = sandbox.scratch
        self.ended = False
        self._lock = threading.Lock()
        self._running: list[Process] = []

    def launch(self, program: Program) -> Process:
        """Start a program; raise GraderFault after `end`."""
        return self._started(lambda: self.sandbox.launch(program))

    def launch_handler(self, kernel: Process | None) -> Process:
        """Start a handler; raise GraderFault after `end`."""
        return self._started(lambda: self.sandbox.launch_handler(kernel))

    def _started(self, start: Callable[[], Process]) -> Process:
        with self._lock:
            if self.ended:
                raise GraderFault("the batch was interrupted")
            self._running = [process for process in self._running if process.poll() is None]
            process = start()
            self._running.append(process)
            return process

    def end(self) -> None:
        """Kill every process that is running, and start no more."""
        with self._lock:
            self.ended = True
            for process in self._running:
                if process.poll() is None:
                    with contextlib.suppress(OSError):
                        process.kill()


class Turns:
    """A lock that many workers share (`together`) and that one of them can hold alone (`alone`)."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._together = 0  # workers that hold the lock together
        self._asking = 0  # workers that wait to hold it alone
        self._alone = False

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Hold the lock together with others; wait while a worker holds it alone or asks to."""
        with self._changed:
            self._changed.wait_for(lambda: not self._alone and not self._asking)
            self._together += 1
        try:
            yield
        finally:
            with self._changed:
                self._together -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Inside `together`, hold the lock alone: wait until no other worker holds it."""
        with self._changed:
            self._together -= 1
            self._asking += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._alone and not self._together)
            self._asking -= 1
            self._alone = True
        try:
            yield
        finally:
            with self._changed:
                self._alone = False
                self._together += 1
                self._changed.notify_all()


def grade_all(
    submissions: Sequence[Submission],
    course: Course,
    sandbox: Sandbox,
    store: Store,
    jobs: int,
    listener: Listener,
    judges: Judges | None = None,
) -> list[Score]:
    """Grade submissions with `jobs` workers; return the scores in the order of `submissions`.

    Without `judges`, the workers judge. KeyboardInterrupt ends every worker and is raised again; results that
    `listener` was given as finished stay in the store.
    """
    endable, turns = EndableSandbox(sandbox), Turns()
    judges = judges or Judges(course, jobs=1)
    scores: dict[str, Score] = {}
    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="grader") as pool:
        futures = [
            pool.submit(_grade_one, s, course, endable, store, judges, listener, turns) for s in submissions
        ]
        try:
            # A signal that arrives just before `get` begins to wait is handled only when `get` returns, so
            # each wait is short. Waiting on the futures is no alternative: an interrupt in there could leave
            # the lock of a future held.
            done: SimpleQueue[Future[Graded]] = SimpleQueue()
            for future in futures:
                future.add_done_callback(done.put)
            remaining = len(futures)
            while remaining:
                try:
                    graded = done.get(timeout=WAIT_SECONDS).result()
                except Empty:
                    continue
                remaining -= 1
                scores[graded.submission.id] = _store_result(graded, course, store, listener)
        except BaseException:
            store.freeze()  # the processes are killed next; what they return then must not be stored
            endable.end()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return [scores[submission.id] for submission in submissions]


def _grade_one(
    submission: Submission,
    course: Course,
    sandbox: EndableSandbox,
    store: Store,
    judges: Judges,
    listener: Listener,
    turns: Turns,
) -> Graded:
    """Grade one submission in a worker; every error but an interrupt becomes a result."""
    if sandbox.ended:
        raise KeyboardInterrupt
    listener.started(submission)
    try:
        if submission.fault:
            raise GraderFault(submission.fault)
        if submission.problem:
            raise NotebookUnreadable(submission.problem)
        try:
            modules = {path.name: read_bytes(path, MAX_MODULE) for path in submission.modules}
            hand_in = HandIn(read_bytes(submission.path), modules)
        except OSError as error:  # too many open files, a failing disk: not the student's fault
            raise GraderFault(f"the file cannot be read: {error.strerror}") from error
        for attempt in range(1, TRIES + 1):
            try:
                with turns.together():
                    observation = observe(hand_in, course, sandbox, store, turns.alone)
                    score = judges.grade(submission.id, observation)
                break
            except GraderFault as fault:
                if isinstance(fault, DamagedError):
                    store.drop_damaged()
                if attempt == TRIES:
                    raise
        graded = Graded(submission, score, observation.run)
    except NotebookUnreadable as reason:
        graded = Graded(submission, unreadable(submission.id, str(reason), course))
    except Exception as error:
        LOG.exception("%s was not graded", submission.id)
        graded = _not_graded(submission, error, course, sandbox.name)
    if submission.remark:
        remarks = (*graded.score.remarks, submission.remark)
        graded = replace(graded, score=replace(graded.score, remarks=remarks))
    score = replace(safe_words(graded.score), tier=sandbox.name, directory=submission.directory)
    return replace(graded, score=score)


def _store_result(graded: Graded, course: Course, store: Store, listener: Listener) -> Score:
    """Store a score and call the listener; an error that concerns this submission makes it `not_graded`.

    A GraderError (a full disk, a database that cannot be used) would hit every submission, so it is raised.
    """
    try:
        store.put_scores(course.rubric.assignment, [graded.score])
        listener.finished(graded)
    except GraderError:
        raise
    except Exception as error:
        LOG.exception("the result of %s was not kept", graded.submission.id)
        failed = _not_graded(graded.submission, error, course, graded.score.tier)
        graded = replace(failed, score=replace(failed.score, remarks=graded.score.remarks))
        store.put_scores(course.rubric.assignment, [graded.score])
        try:
            listener.finished(graded)
        except GraderError:
            raise
        except Exception:
            LOG.exception("no page of %s was written", graded.submission.id)
    return graded.score


def _not_graded(submission: Submission, error: Exception, course: Course, tier: str) -> Graded:
    """Return the result of a submission that could not be graded because of `error`."""
    score = safe_words(not_graded(submission.id, f"{type(error).__name__}: {error}", course))
    return Graded(submission, replace(score, tier=tier, directory=submission.directory))
