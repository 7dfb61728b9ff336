"""What a function could be, as far as the course knows: the reference, each known mistake, two together.

    misconceptions --edits--> changed reference --inputs of the checks--> predictions

Nothing is computed before it is needed: most submissions are right, and most mistakes are known ones.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from itertools import combinations
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np

from grader.course.misconception import Misconception
from grader.course.reference_code import root_of
from grader.course.rubric import Recognition
from grader.errors import AssignmentError
from grader.numerics.arrays import dense
from grader.numerics.residual import parts_of, residual
from grader.plan.trusted import reference_value, with_mistakes
from grader.records import Candidate, Prediction
from grader.subjects import Call, Case, Subject

if TYPE_CHECKING:  # loads notebooks, which planning at home does not need
    from grader.course.assignment import Assignment
    from grader.plan.planner import CoursePlanner

SAME = 1e-9  # results that differ by less come from the same function


class KnownMistakes:
    """The candidates of one question (`grader.records.Candidates`)."""

    def __init__(
        self,
        assignment: Assignment,
        subject: Subject,
        recognition: Recognition,
        cases: Sequence[tuple[Call, Case]],
        planner: CoursePlanner,
    ) -> None:
        self.assignment = assignment
        self.subject = subject
        self.function = str(subject)
        self.rtol = recognition.rtol
        self.calls = tuple(call for call, _ in cases)
        self.cases = {call.id: case for call, case in cases}
        self.seed = planner.seed
        self.trusted = planner.right
        self.fingerprint = assignment.metric(recognition.fingerprint) if recognition.fingerprint else None
        self.whole = self.fingerprint is None
        self.together = recognition.pairs
        self.known = self._known()
        self._lock = RLock()

    def observed(self, call: str, value: Any) -> Prediction:
        """Return the parts of a returned value that the mathematics determines."""
        if self.fingerprint is None:
            return Prediction(parts_of(tuple(value) if isinstance(value, list) and self._many else value))
        try:
            with np.errstate(all="ignore"):
                return Prediction(parts_of(self.fingerprint(value, self.cases[call])))
        except Exception:  # it may trip over whatever a student's function returned
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

    def single(self) -> Sequence[Candidate]:
        """Return every known mistake that shows on the inputs."""
        with self._lock:
            return self._single

    def own(self) -> Sequence[Candidate]:
        """Return every known mistake of the function itself, also one that does not show on the inputs."""
        with self._lock:
            made = {(known.code,) for known in self.known if known.function == self.function}
            return tuple(each for each in self._made if each.codes in made)

    def pairs(self) -> Sequence[Candidate]:
        """Return every two known mistakes that can be made together, if the rubric wants them."""
        with self._lock:
            return self._pairs

    def _known(self) -> tuple[Misconception, ...]:
        """Return the misconceptions of the function and, unless it has a fingerprint, of those it calls."""
        reference = self.assignment.reference
        used = reference.used_by(self.function) if self.whole else {self.subject.root}
        return tuple(each for each in self.assignment.misconceptions if root_of(each.function) in used)

    @cached_property
    def _many(self) -> bool:
        """Whether the reference returns several parts; a list is an array otherwise."""
        with np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
            return any(isinstance(self.trusted(case), tuple) for case in self.cases.values())

    @cached_property
    def _right(self) -> Candidate:
        return Candidate((), (), "", 1.0, self._predictions(self.trusted))

    @cached_property
    def _made(self) -> tuple[Candidate, ...]:
        found = [self._candidate((known,)) for known in self.known]
        return tuple(each for each in found if each is not None)

    @cached_property
    def _single(self) -> tuple[Candidate, ...]:
        return tuple(each for each in self._made if self._shows(each))

    @cached_property
    def _pairs(self) -> tuple[Candidate, ...]:
        if not self.together:
            return ()
        shown = {code for candidate in self._single for code in candidate.codes}
        known = [each for each in self.known if each.code in shown]
        found = [self._candidate(pair) for pair in combinations(known, 2)]
        return tuple(each for each in found if each is not None)

    def _shows(self, candidate: Candidate) -> bool:
        return residual(candidate.predictions, self._right) > SAME

    def _candidate(self, made: tuple[Misconception, ...]) -> Candidate | None:
        """Return what happens if mistakes are made together, None if they exclude each other."""
        try:
            namespace = with_mistakes(self.assignment, made)
        except AssignmentError:
            return None
        return Candidate(
            tuple(known.code for known in made),
            tuple(known.name for known in made),
            " ".join(known.message for known in made),
            float(np.prod([known.credit for known in made])),
            self._predictions(partial(self._made_by, namespace)),
            frozenset(code for known in made for code in known.same_as),
        )

    def _predictions(self, function: Callable[[Case], Any]) -> dict[str, Prediction]:
        return {call: self._prediction(function, call, case) for call, case in self.cases.items()}

    def _made_by(self, namespace: Mapping[str, Any], case: Case) -> Any:
        return reference_value(namespace, self.subject, case, self.seed)

    def _prediction(self, function: Callable[[Case], Any], call: str, case: Case) -> Prediction:
        try:
            with np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
                return self.observed(call, function(case))
        except Exception as error:  # a mistake may raise anything
            return Prediction(raised=type(error).__name__)
