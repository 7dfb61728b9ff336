"""Runs a variant of the reference in this process, and judges it as if a student had handed it in.

The code that runs is the course's own, so there is no sandbox; but a mutant may loop for ever, so every call
has a time limit. A call is made only when the judge first asks for its outcome, because a mutant that one
check has caught needs no further calls.
"""

from __future__ import annotations

import contextlib
import io
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.course.reference_code import root_of
from grader.decode import travelled
from grader.handler.for_people import WrittenAnswers
from grader.handler.program import examined
from grader.inside import wire
from grader.inside.execute import bases_of
from grader.inside.perform import perform
from grader.judge.verdicts import verdicts
from grader.notebook.cells import read_code
from grader.notebook.facts import find_subjects
from grader.plan.plan import Course
from grader.plan.trusted import SEEDED
from grader.reading import FunctionFacts
from grader.records import Fault, Observation, Outcome, OutcomeKind
from grader.subjects import Call

LONGER = 5.0  # times as long as the reference may a variant take for a call
LOST = 1e-9  # a smaller difference of points is rounding


class OutOfTimeError(Exception):
    """A call took longer than its time limit."""


class Outcomes(Mapping[str, Outcome]):
    """The outcomes of the plan's calls to the functions in `namespace`; a call is made when first asked for.

    `known` holds outcomes that need not be made: those of functions that a variant leaves as they are. A call
    may take `seconds`, or LONGER times what `right` took for it. Once one was ended, the others of the
    function are not made: they end likewise.
    """

    def __init__(
        self,
        course: Course,
        namespace: Mapping[str, Any],
        known: Mapping[str, Outcome] | None = None,
        seconds: float = 60.0,
        right: Outcomes | None = None,
    ) -> None:
        self.calls = {call.id: call for call in course.plan.calls}
        self.tasks = {task.id: task for task in course.plan.written}
        names = [task.cell for task in course.plan.written]
        self.answers = WrittenAnswers(course.assignment.notebook, course.assignment.skeleton, names)
        self.namespace = namespace
        self.known = known or {}
        self.seconds = seconds
        self.right = right
        self.made: dict[str, Outcome] = {}
        self.late: set[str] = set()

    def __getitem__(self, key: str) -> Outcome:
        if key in self.tasks:  # what the course's own notebook answers
            return examined(self.answers, self.tasks[key])
        if key in self.known:
            return self.known[key]
        if key not in self.made:
            self.made[key] = self._outcome(self.calls[key])
        return self.made[key]

    def _outcome(self, call: Call) -> Outcome:
        if call.function in self.late:
            return Outcome(OutcomeKind.CPU_TIMEOUT)
        seconds = self.seconds
        if self.right is not None:
            seconds = max(seconds, LONGER * self.right[call.id].seconds)
        found = outcome(self.namespace, call, seconds)
        if found.kind is OutcomeKind.CPU_TIMEOUT:
            self.late.add(call.function)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.calls)

    def __len__(self) -> int:
        return len(self.calls)


def outcome(namespace: Mapping[str, Any], call: Call, seconds: float) -> Outcome:
    """Make a call as the sandbox would, and return the outcome that it would report."""
    started = time.perf_counter()
    try:
        with np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()), limited(seconds):
            with SEEDED:
                target = namespace[root_of(call.function)]
                value, after, ignored = perform(target, call.message(), copies=True)
            value, after = travelled(value), travelled(tuple(after)) if call.echo else None
    except OutOfTimeError:
        return Outcome(OutcomeKind.CPU_TIMEOUT, seconds=time.perf_counter() - started)
    except MemoryError:
        return Outcome(OutcomeKind.OUT_OF_MEMORY)
    except wire.WireError as error:
        return Outcome(OutcomeKind.UNDECODABLE, fault=Fault("", str(error)))
    except Exception as error:  # a variant may raise anything
        kind = type(error)
        fault = Fault(kind.__name__, str(error)[:500], bases=bases_of(kind))
        return Outcome(OutcomeKind.RAISED, fault=fault)
    return Outcome(OutcomeKind.RETURNED, value, None, after, tuple(ignored), time.perf_counter() - started)


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise OutOfTimeError in the block after so many seconds of processor time.

    There is no limit outside the main thread, which alone receives signals, and on systems without timers.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    previous = signal.signal(signal.SIGPROF, _raise_out_of_time)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, previous)


def _raise_out_of_time(*_: Any) -> None:
    raise OutOfTimeError


@dataclass(frozen=True)
class Bench:
    """A course with the outcomes of its reference, against which variants are tried."""

    course: Course
    facts: Mapping[str, FunctionFacts]
    right: Outcomes

    def observed(self, namespace: Mapping[str, Any], changed: str = "", seconds: float = 20.0) -> Observation:
        """Return the observation of a namespace that differs from the reference in the function `changed`."""
        known = _Unchanged(self.right, self.users(changed)) if changed else None
        right = self.right if changed else None
        return Observation(None, self.facts, Outcomes(self.course, namespace, known, seconds, right))

    def users(self, function: str) -> frozenset[str]:
        """Return the functions of the rubric that use `function`, whose results can change with it."""
        reference = self.course.assignment.reference
        return frozenset(n for n in self.course.rubric.functions if root_of(function) in reference.used_by(n))

    def lost(self, observed: Observation, function: str) -> list[str]:
        """Return the checks of a function that take off points, as question/check."""
        return list(self.losses(observed, function))

    def losses(self, observed: Observation, function: str) -> Iterator[str]:
        """Yield the checks of a function that take off points; no check runs before it is asked for."""
        course = self.course
        worth = {(q.id, check.id): check.points for q in course.rubric.questions for check in q.checks}
        judged = verdicts(observed, course.rubric, course.plan, course.trusted, function=function)
        for (question, check), verdict in judged:
            if worth[question, check] and verdict.fraction < 1.0 - LOST:
                yield f"{question}/{check}"


class _Unchanged(Mapping[str, Outcome]):
    """The outcomes of the reference, without those of the functions in `users`."""

    def __init__(self, right: Outcomes, users: frozenset[str]) -> None:
        self.right = right
        self.users = users

    def __contains__(self, key: object) -> bool:
        return key in self.right.calls and self.right.calls[str(key)].function not in self.users

    def __getitem__(self, key: str) -> Outcome:
        return self.right[key]

    def __iter__(self) -> Iterator[str]:
        return (key for key in self.right.calls if key in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def make_bench(course: Course) -> Bench:
    """Return the bench of a course; no call is made yet."""
    code = read_code(course.assignment.notebook)
    _, facts = find_subjects(code, course.rubric.subjects, course.assignment.skeleton_code)
    return Bench(course, facts, Outcomes(course, course.assignment.namespace))
