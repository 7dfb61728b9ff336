"""Calls functions of the reference: unchanged, recorded, with replaced functions, with known mistakes."""

from __future__ import annotations

import contextlib
import copy
import io
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from grader.course.misconception import Misconception
from grader.errors import AssignmentError
from grader.inside.chance import seeded
from grader.inside.perform import perform
from grader.subjects import Call, Case, Subject, SubjectKind, Sweep

if TYPE_CHECKING:  # loads notebooks, which planning at home does not need
    from grader.course.assignment import Assignment

SEEDED = threading.Lock()  # NumPy and Python have one random state for the whole process


def trusted_call(function: Callable[..., Any], case: Case, seed: int) -> Any:
    """Call a function of the reference as the box calls a student's: copied arguments, seeded state."""
    args, keywords = copy.deepcopy(case.args), copy.deepcopy(dict(case.keywords))
    with SEEDED, seeded(seed % 2**32):
        return function(*args, **keywords)


def reference_value(namespace: Mapping[str, Any], subject: Subject, case: Case, seed: int) -> Any:
    """Return the value of a subject for a case, in a namespace of the reference's code.

    Raises what that code raises, and AssignmentError for a file, figure or text whose case does not give the
    expected value.
    """
    if not subject.is_called:
        if "expected" in case.known:
            return case.known["expected"]
        if subject.kind is SubjectKind.VARIABLE:
            return copy.deepcopy(namespace[subject.name])
        raise AssignmentError(f"the case {case.name!r} of the {subject} needs known={{'expected': ...}}")
    call = call_of(subject, case, "", seed)
    with SEEDED:
        value, _, ignored = perform(namespace[subject.root], call.message(), copies=True)
    if ignored:
        raise TypeError(f"{subject} takes no argument {ignored[0]!r}")
    return value


def call_of(subject: Subject, case: Case, identity: str, seed: int, **options: Any) -> Call:
    """Return the call of a subject on a case."""
    return Call(
        identity,
        str(subject),
        case.args,
        case.keywords,
        seed % 2**32,
        kind=subject.kind,
        construct=case.construct,
        before=case.before,
        collect=case.collect,
        answers=case.answers,
        **options,
    )


def argument_lists(args: Sequence[Any], sweep: Sweep | None) -> Iterator[tuple[Any, ...]]:
    """Yield the arguments of every evaluation of a call: one, or one for each point of its sweep."""
    if sweep is None:
        yield tuple(args)
        return
    for point in sweep.points:
        replaced = dict(zip(sweep.places, point, strict=True))
        yield tuple(replaced.get(position, value) for position, value in enumerate(args))


def with_mistakes(assignment: Assignment, made: Iterable[Misconception]) -> dict[str, Any]:
    """Return the reference with mistakes made in it; raise AssignmentError if they exclude each other."""
    made = tuple(made)
    edits: dict[str, dict[str, str]] = {}
    for mistake in made:
        edited = edits.setdefault(mistake.function, {})
        if mistake.variant is not None and len([m for m in made if m.function == mistake.function]) > 1:
            raise AssignmentError(f"{mistake.code} replaces all of {mistake.function}")
        if edited.keys() & mistake.edits.keys():
            raise AssignmentError(f"two mistakes edit the same text of {mistake.function}")
        edited.update(mistake.edits)
    reference = assignment.reference
    sources = {name: reference.edited(name, wanted) for name, wanted in edits.items() if wanted}
    namespace = reference.redefined(sources)
    for mistake in made:
        if mistake.variant is not None:
            root, _, method = mistake.function.partition(".")
            changed = type(root, (namespace[root],), {method: mistake.variant}) if method else mistake.variant
            namespace[root] = changed
    return namespace


def calls_made(
    assignment: Assignment, subject: Subject, case: Case, names: Sequence[str], seed: int
) -> list[tuple[str, Case]]:
    """Return the calls of the functions `names` that the reference makes for a case, in order.

    What each of them returned is known of its case as `value`.
    """
    made: list[tuple[str, Case]] = []

    def recording(name: str) -> Callable[..., Any]:
        """Return a function of the reference that also adds its calls to `made`."""
        called = assignment.function(name)

        def record(*args: Any, **keywords: Any) -> Any:
            case = Case(name, *copy.deepcopy((args, keywords)))
            value = called(*args, **keywords)
            made.append((name, replace(case, known={"value": copy.deepcopy(value)})))
            return value

        return record

    namespace = assignment.reference.replaced({name: recording(name) for name in names})
    reference_value(namespace, subject, case, seed)
    return made


@dataclass(frozen=True)
class TrustedSide:
    """What judging may ask of a course (`grader.checks.base.Trusted`)."""

    assignment: Assignment

    def metric(self, name: str) -> Callable[..., Any]:
        """Return a function of metrics.py."""
        return self.assignment.metric(name)

    def answered(self, call: Call, case: Case, answers: Mapping[str, Sequence[Any]]) -> Any:
        """Return the reference's value of a case in which other functions return `answers` in turn."""

        def answering(values: Sequence[Any]) -> Callable[..., Any]:
            remaining = iter(values)
            return lambda *args, **keywords: next(remaining)

        stubs = {name: answering(values) for name, values in answers.items()}
        namespace = self.assignment.reference.replaced(stubs)
        return reference_value(namespace, Subject.named(call.function), case, call.seed)

    def mistaken(self, call: Call, codes: Sequence[str]) -> Callable[..., Any] | None:
        """Return a function that calls the reference with known mistakes; None if they cannot be made."""
        by_code = {each.code: each for each in self.assignment.misconceptions}
        if not all(code in by_code for code in codes):
            return None
        try:
            namespace = with_mistakes(self.assignment, [by_code[code] for code in dict.fromkeys(codes)])
        except AssignmentError:
            return None

        def function(name: str, *args: Any, **keywords: Any) -> Any:
            with np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
                return trusted_call(namespace[name], Case(name, args, keywords), call.seed)

        return function
