"""The plan: every input of every check, the same each time, with what only the judge may know beside it."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from grader.checks.reference import EXACT
from grader.course import Case
from grader.course.assignment import Assignment
from grader.course.rubric import Limits, Rubric
from grader.errors import AssignmentError, GraderError, RubricError
from grader.plan.plan import Plan, PlannedCheck
from grader.plan.planner import CoursePlanner, make_call, make_plan
from grader.plan.trusted import TrustedSide, trusted_call
from grader.reading import FunctionFacts
from grader.records import Outcome, OutcomeKind, Verdict
from grader.subjects import Step, Subject, Sweep

REFERENCE = """
import numpy as np
SCALE = 2.0
def double(x, extra=1.0, *, sign=1):
    return SCALE * np.asarray(x) * sign
def both(x):
    first = double(x)
    return first + double(x + 1), first
def cost(x):
    return float((x ** 2).sum())
def slope(x):
    return 2 * x
def fails(x):
    raise RuntimeError("the reference is wrong")
def random(n):
    return np.random.rand(n)
def alone(x):
    return x
def overwrite(x):
    x = x * 1.0
    return into(x)
def into(x):
    x *= 0
    return x
"""
POINT = np.array([1.0, -2.0])


def assignment(**generators: Callable[..., list[Case]]) -> Assignment:
    namespace: dict[str, Any] = {}
    exec(REFERENCE, namespace)
    inputs, metrics = types.ModuleType("inputs"), types.ModuleType("metrics")
    made = {
        "points": lambda rng: [
            Case("a", (POINT,), known={"worst": 9.0, "scale": 4.0}),
            Case("b", (2 * POINT,)),
        ],
        "drawn": lambda rng: [Case("drawn", (rng.standard_normal(3),))],
        "sizes": lambda rng: [Case("three", (3,))],
        **generators,
    }
    vars(inputs).update(made)
    vars(metrics).update(
        total=lambda value, case: float(np.sum(value)),
        curves=lambda value: {},
        trips=lambda value, case: 1 / 0,
    )
    return Assignment("tiny", None, None, None, namespace, inputs, metrics, {})  # type: ignore[arg-type]


def rubric(kind: str, function: str, seed: int = 3, **options: Any) -> Rubric:
    check = {"id": "c", "title": "t", "points": 1, "type": kind, "inputs": "points", **options}
    if kind == "forbidden":
        del check["inputs"]
    asked = {"id": "q", "title": "t", "points": 1, "function": function, "checks": [check]}
    written = {"id": "w", "title": "t", "points": 1, "manual": True}
    limits = {"call_seconds": 5, "memory_mb": 100, "result_mb": 7}
    return Rubric.model_validate(
        {"assignment": "tiny", "title": "t", "seed": seed, "limits": limits, "questions": [asked, written]}
    )


def plan(kind: str, function: str, seed: int = 3, **options: Any) -> Plan:
    return make_plan(rubric(kind, function, seed, **options), assignment())


def cases(made: Plan) -> list[Any]:
    (check,) = made.checks
    return list(check.cases)


def calls_of(planned: PlannedCheck) -> list[Any]:
    return [call for case in planned.cases for call in case.calls]


def verdict(planned: PlannedCheck, functions: dict[str, Callable[..., Any]]) -> Verdict:
    """Make the planned calls on some functions, as the box would, and judge what came back."""
    outcomes = {}
    for call in calls_of(planned):
        value = functions[call.function](*call.args, **call.keywords)
        outcomes[call.id] = Outcome(OutcomeKind.RETURNED, value, args_after=call.args if call.echo else None)
    facts, trusted = FunctionFacts("f", "found"), TrustedSide(assignment())
    return planned.check.judge(planned.cases, outcomes, facts, trusted)


KINDS = [
    pytest.param("reference", "double", {}, id="reference"),
    pytest.param("reference", "both", {"given": ["double"], "output": 1}, id="follow-through"),
    pytest.param("gradient", "slope", {"cost": "cost", "wrt": ["x"], "own_cost": 1.0}, id="gradient"),
    pytest.param("metric", "double", {"metric": "total", "full": "reference", "none": 99.0}, id="metric"),
    pytest.param("property", "double", {"property": "deterministic"}, id="a relation"),
    pytest.param("property", "double", {"property": "input_not_mutated"}, id="untouched input"),
    pytest.param(
        "property", "double", {"property": "permutation_equivariant", "argument": "x"}, id="permutation"
    ),
]


@pytest.mark.parametrize(("kind", "function", "options"), KINDS)
def test_the_reference_passes_every_check_that_is_planned_from_it(
    kind: str, function: str, options: dict[str, Any]
) -> None:
    made, own = rubric(kind, function, **options), assignment()
    found = verdict(make_plan(made, own).checks[0], dict(own.namespace))
    assert found.fraction == 1.0, found


@pytest.mark.parametrize(("kind", "function", "options"), KINDS)
def test_a_plan_is_the_same_each_time_and_names_each_call_by_its_content(
    kind: str, function: str, options: dict[str, Any]
) -> None:
    first, second = (plan(kind, function, **options) for _ in range(2))
    assert [call.id for call in first.calls] == [call.id for call in second.calls]
    assert first.calls
    for call in first.calls:
        assert call.limits.seconds == (60 if call.sweep else 5)
        assert (call.limits.memory_mb, call.limits.result_mb) == (100, 7)
        assert call.seed == first.calls[0].seed
        assert call.seed != 3, "a function sees the seed of its call: it is not the rubric's"


def test_another_seed_gives_other_hidden_inputs() -> None:
    first, second = (plan("reference", "double", seed, inputs="drawn") for seed in (1, 2))
    assert {call.id for call in first.calls}.isdisjoint(call.id for call in second.calls)


def test_a_written_question_needs_no_calls() -> None:
    made = plan("forbidden", "double", names=["sklearn"])
    assert [(*check.key, check.cases) for check in made.checks] == [("q", "c", ())]


def test_the_expected_value_and_the_scale_stay_in_the_context() -> None:
    made = plan("reference", "both", output=1)
    first, second = cases(made)
    assert (first.expected.tolist(), first.scale) == ([2.0, -4.0], 4.0)
    assert (second.expected.tolist(), second.scale) == ([4.0, -8.0], 0.0)
    assert [call.args[0].tolist() for call in made.calls] == [[1.0, -2.0], [2.0, -4.0]]


def test_what_rounding_of_the_input_does_is_allowed_only_where_the_rubric_says_so() -> None:
    plain, conditioned = (cases(plan("reference", "double", conditioned=asked)) for asked in (False, True))
    assert [case.sensitivity for case in plain] == [EXACT, EXACT]
    for case in conditioned:
        assert 0 < case.sensitivity.double < 1e-15
        assert 1e-9 < case.sensitivity.single < 1e-6


def test_a_call_may_have_its_own_time_limit() -> None:
    assert {call.limits.seconds for call in plan("reference", "double", call_seconds=9).calls} == {9}


def test_follow_through_asks_for_the_students_own_helper_on_the_inputs_of_the_reference() -> None:
    made = plan("reference", "both", given=["double"], output=0)
    calls, case = calls_of(made.checks[0]), cases(made)[0]
    assert [call.function for call in calls] == ["both", "double", "double"] * 2
    assert calls[2].args[0].tolist() == [2.0, -1.0]
    assert case.expected.tolist() == [6.0, -6.0]
    answers = {"double": [np.ones(2), np.full(2, 5.0)]}
    given = TrustedSide(assignment()).answered(calls[0], case.inputs, answers)
    assert given[0].tolist() == [6.0, 6.0]


def test_a_wrong_helper_costs_nothing_where_the_function_uses_it_rightly() -> None:
    made = rubric("reference", "both", given=["double"], output=0)
    planned = make_plan(made, assignment()).checks[0]

    def triple(x: Any) -> Any:
        return 3 * x

    right = {"double": triple, "both": lambda x: (triple(x) + triple(x + 1), None)}
    wrong = {"double": triple, "both": lambda x: (triple(x) - triple(x + 1), None)}
    assert verdict(planned, right).code == "follow_through"
    assert verdict(planned, wrong).fraction == 0.0


def test_a_helper_that_the_reference_does_not_call_is_not_asked_for() -> None:
    made = plan("reference", "alone", given=["double"])
    assert [call.function for call in calls_of(made.checks[0])] == ["alone", "alone"]


def test_a_helper_is_asked_with_its_input_as_it_was_before_the_reference_changed_it() -> None:
    made = plan("reference", "overwrite", given=["into"])
    assert calls_of(made.checks[0])[1].args[0].tolist() == POINT.tolist()


def test_the_students_cost_is_called_only_where_follow_through_is_wanted() -> None:
    plain = plan("gradient", "slope", cost="cost", wrt=["x"])
    assert [call.function for call in plain.calls] == ["slope", "slope"]
    own = plan("gradient", "slope", cost="cost", wrt=["x"], own_cost=0.5)
    calls = calls_of(own.checks[0])
    assert [(call.function, call.sweep is None) for call in calls] == 2 * [("slope", True), ("cost", False)]
    assert (calls[1].args, calls[1].sweep) == (calls[0].args, cases(own)[0].own.sweep)
    assert [call.limits.seconds for call in calls] == 2 * [5, 60], "a sweep may take as long as all calls"
    np.testing.assert_allclose(cases(own)[0].numeric.parts[0], [2.0, -4.0], rtol=1e-8)


def test_the_bounds_of_a_metric_are_numbers_or_what_the_reference_reaches_or_the_case_knows() -> None:
    inputs = {"points": lambda rng: [Case("a", (POINT,), known={"worst": 9})]}
    made = rubric("metric", "double", metric="total", full="reference", none="worst", plot="curves")
    (case,) = cases(make_plan(made, assignment(**inputs)))
    assert (case.full, case.none) == (-2.0, 9.0)


def test_a_bound_that_the_case_does_not_know_is_a_mistake_of_the_rubric() -> None:
    with pytest.raises(RubricError, match=r"'c'.*'best' is not known of the inputs 'points'"):
        plan("metric", "double", metric="total", full=0, none="best")


def test_bounds_that_coincide_are_refused_before_the_first_submission() -> None:
    inputs = {"points": lambda rng: [Case("a", (POINT,), known={"worst": -2.0})]}
    with pytest.raises(GraderError):
        make_plan(
            rubric("metric", "double", metric="total", full="reference", none="worst"), assignment(**inputs)
        )


def test_a_repeated_call_is_another_call_with_the_same_input() -> None:
    made = plan("property", "random", property="deterministic", inputs="sizes")
    first, second = calls_of(made.checks[0])
    assert first.id != second.id
    assert (first.args, first.seed) == (second.args, second.seed)


def test_only_the_check_for_changed_inputs_asks_for_the_arguments_back() -> None:
    assert all(call.echo for call in plan("property", "double", property="input_not_mutated").calls)
    assert not any(call.echo for call in plan("property", "double", property="symmetric").calls)


def test_a_check_that_expects_an_exception_never_asks_the_reference() -> None:
    made = plan("raises", "fails", exception="ValueError")
    assert [call.function for call in calls_of(made.checks[0])] == ["fails", "fails"]


@pytest.mark.parametrize(
    ("kind", "function", "options", "words"),
    [
        pytest.param("reference", "fails", {}, "fails failed on 'a'.*the reference is wrong", id="it raises"),
        pytest.param("reference", "nothing", {}, "no function 'nothing'", id="no function"),
        pytest.param("reference", "double", {"inputs": "nowhere"}, "no generator 'nowhere'", id="no inputs"),
        pytest.param("reference", "double", {"given": ["no"]}, "no function 'no'", id="no helper"),
        pytest.param(
            "metric", "double", {"metric": "no", "full": 1, "none": 0}, "no metric 'no'", id="no metric"
        ),
        pytest.param(
            "metric", "fails", {"metric": "total", "full": "reference", "none": 0}, "failed", id="no bound"
        ),
        pytest.param(
            "gradient", "slope", {"cost": "cost", "wrt": ["z"]}, "no argument 'z'", id="no argument"
        ),
        pytest.param("gradient", "slope", {"cost": "fails", "wrt": ["x"]}, "fails", id="the cost raises"),
        pytest.param(
            "metric",
            "double",
            {"metric": "trips", "full": "reference", "none": 0},
            "trips",
            id="measure trips",
        ),
    ],
)
def test_a_reference_that_cannot_answer_is_found_before_the_first_submission(
    kind: str, function: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(AssignmentError, match=words):
        plan(kind, function, **options)


@pytest.mark.parametrize("bounds", [(np.inf, 0.0), (1.0, -np.inf), (np.nan, 0.0), (1.0, np.nan)])
def test_a_bound_of_a_metric_that_is_no_finite_number_is_found_before_the_first_submission(
    bounds: tuple[float, float],
) -> None:
    known = dict(zip(("best", "worst"), bounds, strict=True))
    inputs = {"points": lambda rng: [Case("a", (POINT,), known=known)]}
    asked = rubric("metric", "double", metric="total", full="best", none="worst")
    with pytest.raises(AssignmentError, match="on 'a', full is"):
        make_plan(asked, assignment(**inputs))


def test_the_first_input_that_differences_decide_is_kept_and_no_further_one_is_drawn() -> None:
    drawn: list[Any] = []

    def points(rng: np.random.Generator) -> list[Case]:
        drawn.append(rng.standard_normal(2))
        return [Case("drawn", (drawn[-1],))]

    made = make_plan(rubric("gradient", "slope", cost="cost", wrt=["x"]), assignment(points=points))
    (call,) = made.calls
    assert call.args[0].tolist() == drawn[-1].tolist() == drawn[0].tolist()


@pytest.mark.parametrize(("function", "output"), [("double", 5), ("both", 2)])
def test_a_part_of_the_result_that_the_reference_does_not_return_is_a_mistake_of_the_rubric(
    function: str, output: int
) -> None:
    with pytest.raises(
        AssignmentError, match=f"'c': output is {output}.*no tuple of more than {output} parts"
    ):
        plan("reference", function, output=output)


def test_the_reference_cannot_spoil_the_inputs_of_a_case() -> None:
    case = Case("a", (np.ones(2),), {"extra": [1.0]})

    def spoil(x: Any, extra: Any) -> None:
        x[:] = 0
        extra.append(2.0)

    trusted_call(spoil, case, 0)
    assert case.args[0].tolist() == [1.0, 1.0]
    assert case.keywords == {"extra": [1.0]}


def test_the_reference_draws_the_same_random_numbers_each_time() -> None:
    first, second = (trusted_call(lambda: np.random.rand(3), Case("a", ()), 2**40 + 5) for _ in range(2))
    assert first.tolist() == second.tolist()
    assert trusted_call(lambda: np.random.rand(3), Case("a", ()), 6).tolist() != first.tolist()


BOTH = Case("a", (POINT,), before=(Step(args=(POINT,)),))
DIFFERENT: dict[str, dict[str, Any]] = {
    "another function": {"subject": "g"},
    "a method": {"subject": "f.g"},
    "an argument": {"case": Case("a", (POINT + 1e-12,))},
    "a dtype": {"case": Case("a", (POINT.astype(np.float32),))},
    "a shape": {"case": Case("a", (POINT[:, None],))},
    "a keyword": {"case": Case("a", (POINT,), {"k": 1})},
    "an argument of the constructor": {"case": Case("a", (POINT,), construct=Step(args=(1,)))},
    "a call before it": {"case": BOTH},
    "the results of the calls before it": {"case": replace(BOTH, collect=True)},
    "echo": {"echo": True},
    "repeat": {"repeat": 1},
    "sweep": {"sweep": Sweep((0,), ((POINT,),))},
    "seed": {"seed": 4},
    "seconds": {"seconds": 3.0},
    "the rubric's seconds": {"limits": Limits(call_seconds=1)},
    "memory": {"limits": Limits(memory_mb=1)},
    "the size of the result": {"limits": Limits(result_mb=1)},
}


def named(**changes: Any) -> str:
    parts = {"subject": "f", "case": Case("a", (POINT.copy(),)), "seed": 3, "limits": Limits(), **changes}
    return make_call(Subject.named(parts.pop("subject")), **parts).id


@pytest.mark.parametrize("changes", DIFFERENT.values(), ids=DIFFERENT)
def test_calls_that_differ_in_anything_have_different_names(changes: dict[str, Any]) -> None:
    assert named() == named(case=Case("called otherwise", (POINT,), known={"scale": 2.0}))
    others = [named(**other) for other in DIFFERENT.values() if other is not changes]
    assert named(**changes) not in [named(), *others]


def test_what_the_reference_makes_of_a_case_is_computed_once_and_given_out_as_a_copy() -> None:
    asked: list[int] = []

    def double(x: Any) -> Any:
        asked.append(1)
        return 2.0 * x

    made = replace(assignment(), namespace={"double": double})
    planner = CoursePlanner(made, Subject.named("double"), Limits(), 3)
    planner.right(Case("a", (POINT,))).fill(0.0)
    assert planner.right(Case("again", (POINT.copy(),))).tolist() == [2.0, -4.0]
    assert len(asked) == 1
