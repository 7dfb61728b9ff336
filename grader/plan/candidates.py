"""What a function could be, as far as the course knows: the reference, each known mistake, two together.

    misconceptions --edits--> changed reference --inputs of the checks--> predictions

Nothing is computed before it is needed: most submissions are right, and most wrong ones have a single known
mistake. Before the plan is written to disk, everything is computed and stored with it; the course is not, and
is attached when the plan is read.
"""

from __future__ import annotations

import contextlib
import inspect
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import combinations
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np

from grader.course.misconception import Misconception
from grader.course.reference_code import root_of
from grader.course.rubric import Recognition
from grader.errors import AssignmentError
from grader.inside.execute import bases_of
from grader.numerics.arrays import dense
from grader.numerics.residual import NOTHING, parts_of, prediction_error, residual
from grader.plan.trusted import reference_value, with_mistakes
from grader.records import Candidate, Prediction
from grader.subjects import Call, Case, Subject, SubjectKind

if TYPE_CHECKING:  # loads notebooks, which planning at home does not need
    from grader.course.assignment import Assignment

SAME = 1e-9  # results that differ by less come from the same function
NOT_KEPT = ("assignment", "right_value", "_lock")


class KnownMistakes:
    """The candidates of one question (`grader.plan.plan.Candidates`).

    `right_value` returns what the reference makes of a case.
    """

    def __init__(
        self,
        assignment: Assignment,
        subject: Subject,
        recognition: Recognition,
        cases: Sequence[tuple[Call, Case]],
        seed: int,
        right_value: Callable[[Case], Any],
    ) -> None:
        self.subject = subject
        self.recognition = recognition
        self.rtol = recognition.rtol
        self.whole = recognition.fingerprint is None
        self.calls = tuple(call for call, _ in cases)
        self.cases = {call.id: case for call, case in cases}
        self.seed = seed
        self.attach(assignment, right_value)

    def attach(self, assignment: Assignment, right_value: Callable[[Case], Any] | None = None) -> None:
        """Set the course, which is not stored with the candidates."""
        self.assignment = assignment
        self.right_value = right_value or (lambda case: self._value(assignment.namespace, case))
        self._lock = RLock()
        if self.recognition.fingerprint is not None:
            assignment.metric(self.recognition.fingerprint)  # raises AssignmentError if there is none

    def __getstate__(self) -> dict[str, Any]:
        """Return what is stored on disk: everything but the course, which is loaded from its files."""
        self.pairs()
        with self._lock:
            if self.whole:
                self._returns_parts  # noqa: B018 -- computed now: it needs the course
            return {name: value for name, value in vars(self).items() if name not in NOT_KEPT}

    def observed(self, call: str, value: Any) -> Prediction:
        """Return what is compared of a returned value: its parts, or those of its fingerprint."""
        if self.recognition.fingerprint is None:
            several = isinstance(value, list) and self._returns_parts
            return Prediction(parts_of(tuple(value) if several else value))
        fingerprint = self.assignment.metric(self.recognition.fingerprint)
        try:
            with np.errstate(all="ignore"):
                return Prediction(parts_of(fingerprint(value, self.cases[call])))
        except Exception:  # a fingerprint may raise anything on what a student's function returned
            return Prediction()

    def lengths(self, call: str) -> tuple[int, ...]:
        """Return the lengths of the first argument along its axes."""
        args = self.cases[call].args
        first = dense(args[0]) if args else None
        return () if first is None else tuple(int(n) for n in first.shape)

    def right(self) -> Candidate:
        """Return the reference."""
        with self._lock:
            return self._right

    def arguments(self) -> Sequence[Candidate]:
        """Return, for each parameter, a function that returns this argument as it is."""
        cases, names = tuple(self.cases.items()), self.parameters
        found = []
        for first, last in combinations(range(len(names) + 1), 2):  # one argument, or a tuple of several
            values = {call: case.args[first:last] for call, case in cases}
            parts = {call: [parts_of(value) for value in several] for call, several in values.items()}
            if all(len(each) == last - first and all(each) for each in parts.values()):
                named = " and ".join(names[first:last])
                found.append(
                    Candidate(
                        (f"argument_{'_'.join(names[first:last])}",),
                        (f"it returns its input {named}",),
                        "Compare what the function returns with what it is given.",
                        0.0,
                        {
                            call: Prediction(tuple(part for several in each for part in several or ()))
                            for call, each in parts.items()
                        },
                    )
                )
        return tuple(found)

    def single(self) -> Sequence[Candidate]:
        """Return every known mistake that shows on the inputs."""
        with self._lock:
            return self._single

    def own(self) -> Sequence[Candidate]:
        """Return every known mistake of the function itself, also one that does not show on the inputs."""
        with self._lock:
            made = {(each.code,) for each in self._misconceptions if each.function == str(self.subject)}
            return tuple(each for each in self._made if each.codes in made)

    def pairs(self) -> Sequence[Candidate]:
        """Return every two known mistakes that can be made together, if the rubric wants them."""
        with self._lock:
            return self._pairs

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the function's parameters."""
        if not self.subject.is_called or self.subject.kind is SubjectKind.CLASS:
            return ()
        names = tuple(inspect.signature(self.assignment.function(str(self.subject))).parameters)
        return names[1:] if self.subject.method else names

    @property
    def _misconceptions(self) -> tuple[Misconception, ...]:
        """The misconceptions of the function and, unless it has a fingerprint, of those that it calls."""
        reference = self.assignment.reference
        used = reference.used_by(str(self.subject)) if self.whole else {self.subject.root}
        return tuple(each for each in self.assignment.misconceptions if root_of(each.function) in used)

    @cached_property
    def _returns_parts(self) -> bool:
        """Whether the reference returns a tuple; only then is a list several parts, and not an array."""
        with np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
            return any(isinstance(self.right_value(case), tuple) for case in self.cases.values())

    @cached_property
    def _right(self) -> Candidate:
        return Candidate((), (), "", 1.0, self._predictions(self.right_value))

    @cached_property
    def _made(self) -> tuple[Candidate, ...]:
        return self._candidates((each,) for each in self._misconceptions)

    @cached_property
    def _single(self) -> tuple[Candidate, ...]:
        return tuple(each for each in self._made if residual(each.predictions, self._right) > SAME)

    @cached_property
    def _pairs(self) -> tuple[Candidate, ...]:
        if not self.recognition.pairs:
            return tuple(self._side_by_side())
        shown = {code for candidate in self._single for code in candidate.codes}
        return self._candidates(combinations([m for m in self._misconceptions if m.code in shown], 2))

    def _side_by_side(self) -> Iterator[Candidate]:
        """Yield every two mistakes that show on different calls, without computing anything again."""
        shown = {
            each.codes: {
                call
                for call, seen in each.predictions.items()
                if prediction_error(seen, self._right.predictions[call], NOTHING * each.magnitude) > SAME
            }
            for each in self._single
        }
        for first, second in combinations(self._single, 2):
            if not shown[first.codes] & shown[second.codes]:
                predictions = {
                    call: (first if call in shown[first.codes] else second).predictions[call]
                    for call in self.cases
                }
                yield Candidate(
                    (*first.codes, *second.codes),
                    (*first.names, *second.names),
                    f"{first.message} {second.message}",
                    first.credit * second.credit,
                    predictions,
                    first.same_as | second.same_as,
                )

    def _candidates(self, sets: Iterable[Sequence[Misconception]]) -> tuple[Candidate, ...]:
        """Return a candidate for each set of mistakes that can be made together."""
        candidates = []
        for made in sets:
            try:
                namespace = with_mistakes(self.assignment, made)
            except AssignmentError:  # they exclude each other
                continue
            candidates.append(
                Candidate(
                    tuple(each.code for each in made),
                    tuple(each.name for each in made),
                    " ".join(each.message for each in made),
                    float(np.prod([each.credit for each in made])),
                    self._predictions(lambda case, namespace=namespace: self._value(namespace, case)),  # type: ignore[misc]
                    frozenset(code for each in made for code in each.same_as),
                    all(each.function == str(self.subject) for each in made),
                )
            )
        return tuple(candidates)

    def _predictions(self, value: Callable[[Case], Any]) -> dict[str, Prediction]:
        """Return what a candidate returns for each call, or the error it raises; `value` computes it."""
        predictions = {}
        for call, case in self.cases.items():
            try:
                with np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
                    predictions[call] = self.observed(call, value(case))
            except Exception as error:  # a mistake may raise anything
                kind = type(error)
                predictions[call] = Prediction(raised=(*bases_of(kind), kind.__name__)[0])
        return predictions

    def _value(self, namespace: Mapping[str, Any], case: Case) -> Any:
        return reference_value(namespace, self.subject, case, self.seed)
