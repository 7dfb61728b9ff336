"""Grades many submissions with a pool of threads, and keeps what is finished when the run ends early.

    submissions  -->  worker threads: read, observe, judge  -->  main thread: store, call the listener

Threads are enough because a worker mostly waits for other processes: the sandbox and the judges. An error
in one submission, also while its result is stored or written, makes that submission `not_graded`; the others
continue. A run that may have failed only because the machine was busy is repeated while no other worker runs.
A result is released as soon as it is written: the memory of a batch does not grow with its length.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Protocol

from grader.batch.code_shown import with_code
from grader.batch.given_answers import answers_of
from grader.batch.judges import Judges
from grader.batch.words import safe_words
from grader.course.score import score_nothing
from grader.errors import DamagedError, GraderError, GraderFault, NotebookUnreadable
from grader.given_answer import GivenAnswer
from grader.intake.submissions import Submission
from grader.judge.judge_observation import not_graded, unreadable
from grader.notebook.sources import MAX_MODULE, read_bytes
from grader.observe.keys import run_key
from grader.observe.observe_submission import observe
from grader.observe.sandbox import Process, Program, Sandbox
from grader.plan.plan import Course
from grader.records import HandIn, NotebookRun, Score, Status
from grader.store import Observations, Store

LOG = logging.getLogger(__name__)
TRIES = 2
ADVICE = "open it in Jupyter, see that it is whole, save it, and hand in that file"
AHEAD = 2  # submissions for each worker that are begun, or finished and not yet written
WAIT_SECONDS = 0.5  # the longest that an interrupt can be delayed, see `grade_all`


@dataclass(frozen=True)
class Graded:
    """A submission with its score, the run of its notebook if there was one, and how long both took.

    `worker` is the machine of a cluster that did it, `answers` are what people read of it, `run_key` is that
    under which the run is kept.
    """

    submission: Submission
    score: Score
    run: NotebookRun | None = None
    seconds: float = 0.0
    worker: str = ""
    answers: tuple[GivenAnswer, ...] = ()
    run_key: str = ""


@dataclass(frozen=True)
class GradedHandIn:
    """What grading a hand-in comes to, on whichever machine; the fields are those of `Graded`."""

    score: Score
    run: NotebookRun | None
    answers: tuple[GivenAnswer, ...] = ()
    run_key: str = ""

    def of(self, submission: Submission) -> Graded:
        """Return the submission with this."""
        return Graded(submission, self.score, self.run, answers=self.answers, run_key=self.run_key)


class Listener(Protocol):
    """Is called for each submission when its work starts and when its score is there."""

    def started(self, submission: Submission) -> None:
        """Called in the worker thread that starts with a submission."""
        ...

    def finished(self, graded: Graded) -> None:
        """Called in the thread of `grade_all` once the score of a submission is stored."""
        ...


class AnyTurns(Protocol):
    """A lock that many workers share (`together`) and that one of them can hold alone (`alone`)."""

    def together(self) -> contextlib.AbstractContextManager[None]:
        """Hold the lock together with others; wait while a worker holds it alone or asks to."""
        ...

    def alone(self) -> contextlib.AbstractContextManager[None]:
        """Inside `together`, hold the lock alone: wait until no other worker holds it."""
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
    """The turns of the threads of one process."""

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
    merge: Callable[[Score], Score] = lambda score: score,
) -> None:
    """Grade submissions with `jobs` workers; `listener` hears of each once its score is in the store.

    Without `judges`, the workers judge. What is kept of a score is what `merge` makes of it.
    KeyboardInterrupt ends every worker and is raised again; results that `listener` was given as finished
    stay in the store.
    """
    endable, turns = EndableSandbox(sandbox), Turns()
    judges = judges or Judges(course, jobs=1)
    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="grader") as pool:
        try:
            # A signal that arrives just before `get` begins to wait is handled only when `get` returns, so
            # each wait is short. Waiting on the futures is no alternative: an interrupt in there could leave
            # the lock of a future held.
            done: SimpleQueue[Future[Graded]] = SimpleQueue()
            waiting, running = iter(submissions), 0
            while True:
                for submission in itertools.islice(waiting, max(0, AHEAD * jobs - running)):
                    future = pool.submit(
                        _grade_one, submission, course, endable, store, judges, listener, turns
                    )
                    future.add_done_callback(done.put)
                    running += 1
                if not running:
                    break
                with contextlib.suppress(Empty):
                    found = done.get(timeout=WAIT_SECONDS).result()
                    store_result(replace(found, score=merge(found.score)), course, store, listener)
                    running -= 1
        except BaseException:
            store.freeze()  # the processes are killed next; what they return then must not be stored
            endable.end()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


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

    def work() -> Graded:
        hand_in = read_hand_in(submission)
        result = grade_hand_in(submission.id, hand_in, course, sandbox, store, judges, turns)
        return result.of(submission)

    return graded(submission, course, sandbox.name, work)


def read_hand_in(submission: Submission) -> HandIn:
    """Read what was handed in; raises NotebookUnreadable for the student's fault, GraderFault for ours."""
    if submission.fault:
        raise GraderFault(submission.fault)
    if submission.problem:
        raise NotebookUnreadable(submission.problem, advised=True)
    try:
        modules = {path.name: read_bytes(path, MAX_MODULE) for path in submission.modules}
        return HandIn(read_bytes(submission.path), modules)
    except OSError as error:  # too many open files, a failing disk: not the student's fault
        raise GraderFault(f"the file cannot be read: {error.strerror}") from error


def grade_hand_in(
    name: str,
    hand_in: HandIn,
    course: Course,
    sandbox: Sandbox,
    store: Observations,
    judges: Judges,
    turns: AnyTurns,
) -> GradedHandIn:
    """Observe and judge a hand-in; a fault of ours is tried again."""
    key = str(run_key(hand_in, course, sandbox))
    for attempt in range(1, TRIES + 1):
        try:
            with turns.together():
                observation = observe(hand_in, course, sandbox, store, turns.alone)
                score = judges.grade(name, replace(observation, sources=(), listed={}))
                answers = tuple(answers_of(observation, score, course))
                score = with_code(score, course.rubric, observation.functions, observation.sources)
                return GradedHandIn(score, observation.run, answers, key)
        except GraderFault as fault:
            if isinstance(fault, DamagedError) and isinstance(store, Store):
                store.drop_damaged()
            if attempt == TRIES:
                raise
    raise AssertionError


def graded(submission: Submission, course: Course, tier: str, work: Callable[[], Graded]) -> Graded:
    """Return what `work` returns, ready to be stored; every error but an interrupt becomes a result."""
    began = time.monotonic()
    try:
        if submission.missing or submission.absent:
            status = Status.NO_NOTEBOOK if submission.missing else Status.NOT_HANDED_IN
            words = f"{submission.missing or submission.absent}."
            words = words[0].upper() + words[1:]
            found = Graded(submission, score_nothing(submission.id, course.rubric, status, words))
        else:
            found = work()
    except NotebookUnreadable as reason:
        words = str(reason) if reason.advised else f"{reason}; {ADVICE}"
        found = Graded(submission, unreadable(submission.id, words, course))
    except Exception as error:
        LOG.exception("%s was not graded", submission.id)
        found = _not_graded(submission, error, course, tier)
    score = safe_words(replace(found.score, remarks=(*found.score.remarks, *submission.remark.splitlines())))
    score = replace(score, tier=tier, directory=submission.directory, attempt=submission.attempt)
    return replace(found, score=score, seconds=found.seconds or time.monotonic() - began)


def store_result(graded: Graded, course: Course, store: Store, listener: Listener) -> None:
    """Store a score and call the listener; an error that concerns this submission makes it `not_graded`.

    A GraderError (a full disk, a database that cannot be used) would hit every submission, so it is raised.
    """
    sources = {graded.submission.id: graded.submission.source}
    try:
        store.put_scores(course.rubric.assignment, [graded.score], course.digest, sources, graded.worker)
        store.put_answers(course.rubric.assignment, graded.submission.id, graded.answers, graded.run_key)
        listener.finished(graded)
    except GraderError:
        raise
    except Exception as error:
        LOG.exception("the result of %s was not kept", graded.submission.id)
        failed = _not_graded(graded.submission, error, course, graded.score.tier)
        graded = replace(failed, score=replace(failed.score, remarks=graded.score.remarks))
        try:
            store.put_scores(course.rubric.assignment, [graded.score], course.digest, sources, graded.worker)
            listener.finished(graded)
        except GraderError:
            raise
        except Exception:
            LOG.exception("nothing of %s was written", graded.submission.id)


def _not_graded(submission: Submission, error: Exception, course: Course, tier: str) -> Graded:
    """Return the result of a submission that could not be graded because of `error`."""
    score = safe_words(not_graded(submission.id, f"{type(error).__name__}: {error}", course))
    return Graded(
        submission,
        replace(score, tier=tier, directory=submission.directory, attempt=submission.attempt),
    )
