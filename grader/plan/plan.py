"""Makes the plan of an assignment, check by check."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import singledispatchmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from grader.case import Case
from grader.errors import AssignmentError, RubricError
from grader.judge.compare import Sensitivity
from grader.judge.numeric import Numeric
from grader.plan.calls import call_id, trusted_call
from grader.plan.candidates import KnownMistakes
from grader.plan.conditioning import sensitivity
from grader.plan.given import GivenMistakes
from grader.plan.gradient import OwnCost, plan_gradient
from grader.plan.separation import close_pairs
from grader.plan.transform import transformed
from grader.records import Call, CallLimits, Plan, PlannedCheck, Sweep
from grader.rubric.model import (
    CheckBase,
    ForbiddenCheck,
    GradientCheck,
    InputsCheck,
    Limits,
    MetricCheck,
    PropertyCheck,
    Question,
    RaisesCheck,
    ReferenceCheck,
    Rubric,
)

if TYPE_CHECKING:  # loads notebooks, which planning at home does not need
    from grader.assignment import Assignment

ATTEMPTS = 4  # to draw inputs that tell known mistakes apart, and among them one that differences decide
AGAIN = 2**40  # between the seeds of these, so that none is the seed of another rubric


@dataclass(frozen=True)
class Follow:
    """Follow-through of one case: the student's own results that it needs, and what is right given them."""

    calls: tuple[str, ...]
    recompute: Callable[[list[Any]], Any]


def make_plan(rubric: Rubric, assignment: Assignment) -> Plan:
    """Return every call of every check; raise AssignmentError where the reference cannot give an answer."""
    checks = []
    candidates = {}
    for question in rubric.questions:
        if question.function is not None:
            planner, known = _telling(question, question.function, rubric, assignment)
            for check in question.checks:
                calls, context = planner.plan(check)
                checks.append(PlannedCheck(question.id, check.id, tuple(calls), context))
            if known is not None:
                candidates[question.id] = known
    return Plan(rubric.assignment, tuple(checks), candidates)


def _telling(
    question: Question, function: str, rubric: Rubric, assignment: Assignment
) -> tuple[Planner, KnownMistakes | None]:
    """Return a planner whose inputs tell the known mistakes apart, and these; the first one if none does."""
    tried = []
    for attempt in range(ATTEMPTS if assignment.misconceptions else 0):
        planner = Planner(assignment, function, rubric.limits, rubric.seed + attempt * AGAIN * ATTEMPTS)
        try:
            tried.append((planner, planner.candidates(question)))
        except AssignmentError:
            if not attempt:
                raise
            continue  # the first inputs can be used all the same
        if not close_pairs(tried[-1][1]):
            return tried[-1]
    return tried[0] if tried else (Planner(assignment, function, rubric.limits, rubric.seed), None)


class Planner:
    """Plans the checks of one function."""

    def __init__(self, assignment: Assignment, function: str, limits: Limits, seed: int) -> None:
        self.assignment = assignment
        self.function = function
        self.limits = limits
        self.seed = seed
        self._gradients: dict[str, list[tuple[Case, Numeric, OwnCost]]] = {}
        self._values: dict[str, Any] = {}

    @singledispatchmethod
    def plan(self, check: CheckBase) -> tuple[list[Call], dict[str, Any]]:
        """Return the calls of one check and its context."""
        raise RubricError(f"no plan for a check of type {type(check).__name__}")

    @plan.register
    def _(self, check: ForbiddenCheck) -> tuple[list[Call], dict[str, Any]]:
        return [], {}

    @plan.register
    def _(self, check: ReferenceCheck) -> tuple[list[Call], dict[str, Any]]:
        calls, cases = [], []
        for case in self._cases(check):
            call = self.call(check, case)
            expected = _part(self._expected(case), check.output)
            followed, follow = self._follow(check, case)
            calls += [call, *followed]
            scale = float(case.known.get("scale", 0.0))
            cases.append((call.id, expected, follow, scale, self._sensitivity(check, case)))
        return calls, {"cases": cases}

    @plan.register
    def _(self, check: GradientCheck) -> tuple[list[Call], dict[str, Any]]:
        calls, cases = [], []
        for case, numeric, own in self._decided(check):
            call = self.call(check, case)
            swept = [self.call(check, case, check.cost, sweep=own.sweep)] if check.own_cost else []
            calls += [call, *swept]
            cases.append((call.id, numeric, own, swept[0].id if swept else None))
        return calls, {"cases": cases}

    @plan.register
    def _(self, check: MetricCheck) -> tuple[list[Call], dict[str, Any]]:
        measure = self.assignment.metric(check.metric)
        picture = self.assignment.metric(check.plot) if check.plot else None
        calls, cases = [], []
        for case in self._cases(check):
            call = self.call(check, case)
            full, none = (self._bound(value, case, check, measure) for value in (check.full, check.none))
            if full == none or not np.isfinite([full, none]).all():
                raise AssignmentError(
                    f"the check {check.id!r}: on {case.name!r}, full is {full:g} and none is {none:g}"
                )
            calls.append(call)
            cases.append((call.id, case, measure, full, none, picture))
        context: dict[str, Any] = {"cases": cases}
        if check.own_metric:
            own = self.assignment.metric(check.own_metric)
            context["given"] = GivenMistakes(self.assignment, own, self.seed)
        return calls, context

    @plan.register
    def _(self, check: PropertyCheck) -> tuple[list[Call], dict[str, Any]]:
        rng = np.random.default_rng([self.seed, 1])
        calls, cases = [], []
        names = _parameters(self.assignment.function(self.function))
        for case in self._cases(check):
            call = self.call(check, case, echo=check.property == "input_not_mutated")
            other, relation = transformed(check, case, names, rng)
            second = [] if other is None else [self.call(check, other, repeat=1 if other is case else 0)]
            calls += [call, *second]
            cases.append((call.id, second[0].id if second else None, relation, case))
        return calls, {"cases": cases}

    @plan.register
    def _(self, check: RaisesCheck) -> tuple[list[Call], dict[str, Any]]:
        calls = [self.call(check, case) for case in self._cases(check)]
        return calls, {"cases": [(call.id,) for call in calls]}

    def candidates(self, question: Question) -> KnownMistakes:
        """Return what the function could be, judged by the inputs of the question's checks."""
        recognition = question.recognition
        kinds = (RaisesCheck,) if recognition.fingerprint else (ReferenceCheck, GradientCheck, RaisesCheck)
        cases = [
            (self.call(check, case), case)
            for check in question.checks
            if isinstance(check, kinds)
            for case in self._cases(check)
        ]
        for generator in recognition.inputs:
            for case in self.assignment.cases(generator, self.seed):
                cases.append((self._made(case, recognition.call_seconds), case))
        unique = {call.id: (call, case) for call, case in cases}
        return KnownMistakes(self.assignment, self.function, recognition, tuple(unique.values()), self)

    def _bound(
        self, value: float | str, case: Case, check: MetricCheck, measure: Callable[..., float]
    ) -> float:
        """Return a bound of a metric: a number, what the reference reaches, or a quantity of the case."""
        if value == "reference":
            try:
                return float(measure(self._expected(case), case))
            except AssignmentError:
                raise
            except Exception as error:  # whatever the course's own measure raises
                raise AssignmentError(
                    f"the metric {check.metric} trips over the reference on {case.name!r}: {error!r}"
                ) from error
        if isinstance(value, str) and value not in case.known:
            raise RubricError(
                f"the check {check.id!r}: {value!r} is not known of the inputs {check.inputs!r}"
            )
        return float(case.known[value] if isinstance(value, str) else value)

    def _cases(self, check: InputsCheck) -> list[Case]:
        if isinstance(check, GradientCheck):
            return [case for case, _, _ in self._decided(check)]
        return self.assignment.cases(check.inputs, self.seed)

    def _decided(self, check: GradientCheck) -> list[tuple[Case, Numeric, OwnCost]]:
        """Return the cases of a gradient check; where differences do not tell, of those drawn again."""
        if check.id not in self._gradients:
            drawn = self.assignment.cases(check.inputs, self.seed)
            self._gradients[check.id] = [self._decidable(check, place) for place in range(len(drawn))]
        return self._gradients[check.id]

    def _decidable(self, check: GradientCheck, place: int) -> tuple[Case, Numeric, OwnCost]:
        """Return a case that finite differences of the trusted cost decide; the first one if none does."""
        found = []
        for attempt in range(ATTEMPTS):
            drawn = self.assignment.cases(check.inputs, self.seed + attempt * AGAIN)
            case = drawn[min(place, len(drawn) - 1)]
            rng = np.random.default_rng([self.seed, place, attempt])
            cost = self.assignment.function(check.cost)
            found.append((case, *plan_gradient(cost, case, check.wrt, rng, self._expected)))
            if found[-1][1].decides(check.rtol):
                return found[-1]
        return found[0]

    def _sensitivity(self, check: ReferenceCheck, case: Case) -> Sensitivity:
        """Return what rounding the input does to the part of the result that is compared."""
        if not check.conditioned:
            return Sensitivity()
        rng = np.random.default_rng([self.seed, 2])
        return sensitivity(lambda near: _part(self._expected(near), check.output), case, check.up_to, rng)

    def call(self, check: InputsCheck, case: Case, function: str = "", **how: Any) -> Call:
        """Return the call of the function, or of another, on a case of a check; `how` as in `_made`."""
        return self._made(case, check.call_seconds, function, **how)

    def _made(
        self,
        case: Case,
        seconds: float | None,
        function: str = "",
        *,
        echo: bool = False,
        repeat: int = 0,
        sweep: Sweep | None = None,
    ) -> Call:
        name = function or self.function
        points = (sweep.places, sweep.points) if sweep else ()
        identity = call_id(name, (case.args, dict(case.keywords), echo, repeat, *points))
        each = seconds or self.limits.call_seconds
        whole = min(each * len(sweep.points), max(each, self.limits.function_seconds)) if sweep else each
        limits = CallLimits(whole, self.limits.memory_mb, self.limits.result_mb)
        return Call(identity, name, case.args, case.keywords, self.seed % 2**32, echo, limits, sweep)

    def right(self, case: Case) -> Any:
        """Return what the reference makes of a case: computed once, a copy each time, as a metric may change
        what it is given. Raises what the reference raises.
        """
        identity = call_id(self.function, (case.args, dict(case.keywords)))
        if identity not in self._values:
            function = self.assignment.function(self.function)
            self._values[identity] = trusted_call(function, case, self.seed)
        return copy.deepcopy(self._values[identity])

    def _expected(self, case: Case) -> Any:
        try:
            return self.right(case)
        except Exception as error:  # whatever the reference raises
            raise AssignmentError(
                f"the reference {self.function} failed on {case.name!r}: {error!r}"
            ) from error

    def _follow(self, check: ReferenceCheck, case: Case) -> tuple[list[Call], Follow | None]:
        """Plan the calls of the student's own functions that the reference makes for this case."""
        if not check.given:
            return [], None
        made: list[tuple[str, Case]] = []
        spies = {name: _spy(name, self.assignment.function(name), made) for name in check.given}
        self._with(spies, case)
        calls = [self.call(check, inner, name) for name, inner in made]

        def recompute(values: list[Any]) -> Any:
            answers = iter(values)
            stubs = {name: (lambda *args, **keywords: next(answers)) for name in check.given}
            return _part(self._with(stubs, case), check.output)

        return calls, Follow(tuple(call.id for call in calls), recompute)

    def _with(self, functions: Mapping[str, Callable[..., Any]], case: Case) -> Any:
        """Call the reference with some of the functions that it uses replaced."""
        replaced = self.assignment.reference.replaced(functions)
        return trusted_call(replaced[self.function], case, self.seed)


def _spy(name: str, function: Callable[..., Any], made: list[tuple[str, Case]]) -> Callable[..., Any]:
    def spy(*args: Any, **keywords: Any) -> Any:
        made.append((name, Case(name, *copy.deepcopy((args, keywords)))))
        return function(*args, **keywords)

    return spy


def _part(value: Any, output: int | None) -> Any:
    return value if output is None else value[output]


def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)
