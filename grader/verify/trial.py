"""Judges a variant of the reference as if a student had handed it in; its functions run in this process.

What is run is the course's own code, so there is no box; but a mutant may loop for ever, so every call has
a limit of time. Calls are made when the judge first asks for their outcome, and no earlier.
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
from grader.judge.verdicts import verdicts
from grader.notebook.cells import read_code
from grader.notebook.facts import find_subjects
from grader.observe.decode import travelled
from grader.observe.inside import wire
from grader.observe.inside.perform import perform
from grader.plan.load import Course
from grader.plan.trusted import SEEDED
from grader.records import Fault, FunctionFacts, Observation, Outcome, OutcomeKind, Verdict
from grader.subjects import Call

LOST = 1e-9


class OutOfTimeError(Exception):
    """A call took longer than its limit."""


class Outcomes(Mapping[str, Outcome]):
    """The outcomes of the plan's calls for one namespace of functions, made when first asked for.

    `known` holds outcomes that need not be made again (of functions that a variant leaves alone).
    """

    def __init__(
        self,
        course: Course,
        namespace: Mapping[str, Any],
        known: Mapping[str, Outcome] | None = None,
        seconds: float = 60.0,
    ) -> None:
        self.calls = {call.id: call for call in course.plan.calls}
        self.namespace = namespace
        self.known = known or {}
        self.seconds = seconds
        self.made: dict[str, Outcome] = {}

    def __getitem__(self, key: str) -> Outcome:
        if key in self.known:
            return self.known[key]
        if key not in self.made:
            self.made[key] = outcome(self.namespace, self.calls[key], self.seconds)
        return self.made[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.calls)

    def __len__(self) -> int:
        return len(self.calls)


def outcome(namespace: Mapping[str, Any], call: Call, seconds: float) -> Outcome:
    """Call a function as the box would, and return what would have come back."""
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
        return Outcome(OutcomeKind.RAISED, fault=Fault(type(error).__name__, str(error)[:500]))
    return Outcome(OutcomeKind.RETURNED, value, None, after, tuple(ignored), time.perf_counter() - started)


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise OutOfTimeError after so many seconds of processor time, however busy the machine is.

    Only a main thread that has timers can keep the limit.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGPROF, _out_of_time)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


def _out_of_time(*_: Any) -> None:
    raise OutOfTimeError


@dataclass(frozen=True)
class Bench:
    """A course, and what its reference does on every call: what variants are tried on."""

    course: Course
    facts: Mapping[str, FunctionFacts]
    right: Outcomes

    def observed(self, namespace: Mapping[str, Any], changed: str = "", seconds: float = 20.0) -> Observation:
        """Return the observation of a namespace in which, of the rubric's functions, `changed` differs."""
        known = _Unchanged(self.right, self.users(changed)) if changed else None
        return Observation(None, self.facts, Outcomes(self.course, namespace, known, seconds))

    def users(self, function: str) -> frozenset[str]:
        """Return the functions of the rubric whose results a change of `function` can change."""
        reference = self.course.assignment.reference
        return frozenset(n for n in self.course.rubric.functions if root_of(function) in reference.used_by(n))

    def lost(self, observed: Observation, function: str) -> list[str]:
        """Return the checks of a function that take points, as question/check."""
        return list(self.losses(observed, function))

    def losses(self, observed: Observation, function: str) -> Iterator[str]:
        """Yield the checks of a function that take points; a caller that needs one stops after it."""
        worth = {(q.id, check.id): check.points for q in self.course.rubric.questions for check in q.checks}
        course = self.course
        for (question, check), verdict in verdicts(
            observed, course.rubric, course.plan, course.trusted, function
        ):
            if worth[question, check] and _takes_points(verdict):
                yield f"{question}/{check}"


class _Unchanged(Mapping[str, Outcome]):
    """The reference's outcomes of all functions but those whose results can differ."""

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
    """Return the bench of a course."""
    code = read_code(course.assignment.notebook)
    _, facts = find_subjects(code, course.rubric.subjects, course.assignment.skeleton_code)
    return Bench(course, facts, Outcomes(course, course.assignment.namespace))


def _takes_points(verdict: Verdict) -> bool:
    return verdict.fraction < 1.0 - LOST
