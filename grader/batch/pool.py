"""Many submissions: a work list, workers, progress, and an end that keeps what is finished.

    submissions  -->  threads, each: read, observe, have it judged  -->  Graded, one at a time, in this thread

Each worker waits for processes, of the sandbox and of the judges, so threads are enough. A fault in
one submission, also while its result is stored or written, stays in that submission: it is `not_graded`, and
the others go on. What a busy machine may have ended is tried again while the other workers wait.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Protocol

from grader.batch.judges import Judges
from grader.errors import DamagedError, GraderError, GraderFault, NotebookUnreadable
from grader.intake.submissions import Submission
from grader.judge.judge_observation import not_graded, unreadable
from grader.notebook.read import read_bytes
from grader.observe.inside.safe_text import message_text
from grader.observe.observe_submission import observe
from grader.observe.sandbox import Process, Program, Sandbox
from grader.plan.load import Course
from grader.records import NotebookRun, Score
from grader.store import Store

LOG = logging.getLogger(__name__)
TRIES = 2
HEARING_SECONDS = 0.5


@dataclass(frozen=True)
class Graded:
    """A submission with its score, and the run of its notebook if there was one."""

    submission: Submission
    score: Score
    run: NotebookRun | None = None


class Listener(Protocol):
    """Hears of submissions that are started (called from the workers) and of those that are finished."""

    def started(self, submission: Submission) -> None:
        """Hear that a worker has taken a submission."""
        ...

    def finished(self, graded: Graded) -> None:
        """Hear that a submission has its score."""
        ...


class EndableSandbox:
    """A sandbox that remembers what it started, so that everything can be ended at once."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.name = sandbox.name
        self.python = sandbox.python
        self.scratch = sandbox.scratch
        self.ended = False
        self._lock = threading.Lock()
        self._running: list[Process] = []

    def launch(self, program: Program) -> Process:
        """Start a program, unless everything has been ended."""
        with self._lock:
            if self.ended:
                raise GraderFault("the batch was interrupted")
            self._running = [process for process in self._running if process.poll() is None]
            process = self.sandbox.launch(program)
            self._running.append(process)
            return process

    def end(self) -> None:
        """Kill everything that was started; nothing can be started afterwards."""
        with self._lock:
            self.ended = True
            for process in self._running:
                if process.poll() is None:
                    with contextlib.suppress(OSError):
                        process.kill()


class Turns:
    """Lets workers run together, and one of them alone while the others wait."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._together = 0
        self._asking = 0
        self._alone = False

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Run beside the others, once nobody runs alone or asks for it."""
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
        """Run alone, from within `together`, once the others have come to their end."""
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

    Without `judges`, the workers judge. KeyboardInterrupt ends every worker and passes on; what `listener`
    has heard of as finished stands.
    """
    endable, turns = EndableSandbox(sandbox), Turns()
    judges = judges or Judges(course, jobs=1)
    scores: dict[str, Score] = {}
    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="grader") as pool:
        work = [
            pool.submit(_grade_one, s, course, endable, store, judges, listener, turns) for s in submissions
        ]
        try:
            for graded in _in_order_of_end(work):
                scores[graded.submission.id] = _kept(graded, course, store, listener)
        except BaseException:
            store.freeze()  # what a killed process said is no observation
            endable.end()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return [scores[submission.id] for submission in submissions]


def _kept(graded: Graded, course: Course, store: Store, listener: Listener) -> Score:
    """Store a score and pass it on; where that fails for this submission alone, it is `not_graded`."""
    try:
        store.put_scores(course.rubric.assignment, [graded.score])
        listener.finished(graded)
    except GraderError:  # a full disk, a database that cannot be used: no submission could be kept
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
    reason = message_text(f"{type(error).__name__}: {error}")
    score = not_graded(submission.id, reason, course)
    return Graded(submission, replace(score, tier=tier, directory=submission.directory))


def _in_order_of_end(work: list[Future[Graded]]) -> Iterator[Graded]:
    """Yield results as they come.

    An interrupt that arrives just before a wait is heard when it is over, so no wait is long; and none holds
    a lock of a future, which an interrupt could leave locked.
    """
    ended: SimpleQueue[Future[Graded]] = SimpleQueue()
    for future in work:
        future.add_done_callback(ended.put)
    left = len(work)
    while left:
        with contextlib.suppress(Empty):
            yield ended.get(timeout=HEARING_SECONDS).result()
            left -= 1


def _grade_one(
    submission: Submission,
    course: Course,
    sandbox: EndableSandbox,
    store: Store,
    judges: Judges,
    listener: Listener,
    turns: Turns,
) -> Graded:
    """Grade one submission, whatever happens: the student's fault is a score, ours is `not_graded`."""
    if sandbox.ended:
        raise KeyboardInterrupt
    listener.started(submission)
    try:
        graded = _observed(submission, course, sandbox, store, judges, turns)
    except NotebookUnreadable as reason:
        graded = Graded(submission, unreadable(submission.id, str(reason), course))
    except Exception as error:
        LOG.exception("%s was not graded", submission.id)
        graded = _not_graded(submission, error, course, sandbox.name)
    if submission.remark:
        remarks = (*graded.score.remarks, submission.remark)
        graded = replace(graded, score=replace(graded.score, remarks=remarks))
    return replace(graded, score=replace(graded.score, tier=sandbox.name, directory=submission.directory))


def _observed(
    submission: Submission, course: Course, sandbox: Sandbox, store: Store, judges: Judges, turns: Turns
) -> Graded:
    if submission.fault:
        raise GraderFault(submission.fault)
    if submission.problem:
        raise NotebookUnreadable(submission.problem)
    try:
        data = read_bytes(submission.path)
    except OSError as error:  # too many open files, a disk that fails, a file that is gone
        raise GraderFault(f"the file cannot be read: {error.strerror}") from error
    for attempt in range(1, TRIES + 1):
        try:
            with turns.together():
                observation = observe(data, course, sandbox, store, turns.alone)
                return Graded(submission, judges.grade(submission.id, observation), observation.run)
        except GraderFault as fault:
            if isinstance(fault, DamagedError):
                store.drop_damaged()
            if attempt == TRIES:
                raise
    raise AssertionError("unreachable")
