"""The metric judge: points from `none` to `full`, never more than all and never for nonsense."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from grader.checks.metric import MAX_CURVE, MetricCase, MetricCheck
from grader.course import Case
from grader.reading import FunctionFacts
from grader.records import Outcome, OutcomeKind, Verdict, VerdictKind
from grader.subjects import Call

CASE = Case("case", (1,))
CALLS = tuple(Call(name, "f", (1,)) for name in "01")
FOUND = FunctionFacts("f", "found")
NUMBERS = st.floats(-1e3, 1e3).map(lambda x: round(x, 3))


class Metrics(dict[str, Any]):
    """A trusted side that knows functions of metrics.py, and nothing else."""

    def metric(self, name: str) -> Any:
        return self[name]

    def answered(self, *_: Any) -> Any:
        raise AssertionError

    mistaken = answered


def metric(
    value: Any,
    full: float = 0.0,
    none: float = 1.0,
    *,
    measure: Any = None,
    picture: Any = None,
    **options: Any,
) -> Verdict:
    fields = {"id": "c", "title": "The curves", "points": 1, "type": "metric", "inputs": "i", "metric": "m"}
    fields |= {"plot": "p"} if picture else {}
    check = MetricCheck.model_validate({**fields, "full": 0, "none": 1, **options})
    outcome = value if isinstance(value, Outcome) else Outcome(OutcomeKind.RETURNED, value)
    course = Metrics(m=measure or (lambda got, case: got), p=picture)
    case = MetricCase(CALLS[:1], CASE, check, full, none)
    return check.judge([case], {"0": outcome}, FOUND, course)


@pytest.mark.parametrize(
    ("value", "full", "none", "fraction"),
    [
        pytest.param(0.0, 0.0, 1.0, 1.0, id="at full"),
        pytest.param(-5.0, 0.0, 1.0, 1.0, id="better than full"),
        pytest.param(1.0, 0.0, 1.0, 0.0, id="at none"),
        pytest.param(9.0, 0.0, 1.0, 0.0, id="worse than none"),
        pytest.param(0.25, 0.0, 1.0, 0.75, id="in between, less is better"),
        pytest.param(0.25, 1.0, 0.0, 0.25, id="in between, more is better"),
        pytest.param(np.float64(3.0), 2.0, 4.0, 0.5, id="a numpy number"),
        pytest.param(np.nan, 0.0, 1.0, 0.0, id="NaN"),
        pytest.param(np.inf, 0.0, 1.0, 0.0, id="infinite"),
        pytest.param(-np.inf, 0.0, 1.0, 0.0, id="infinitely good"),
    ],
)
def test_points_run_linearly_from_none_to_full(
    value: float, full: float, none: float, fraction: float
) -> None:
    assert metric(value, full, none).fraction == pytest.approx(fraction)


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.floats(0, 0.5))
def test_a_better_result_never_earns_less(
    full: float, none: float, one: float, other: float, tolerance: float
) -> None:
    assume(abs(full - none) > 1e-2)
    worse, better = sorted((one, other), key=lambda value: (value - none) / (full - none))
    fractions = [metric(value, full, none, tolerance=tolerance).fraction for value in (worse, better)]
    assert 0.0 <= fractions[0] <= fractions[1] <= 1.0


@pytest.mark.parametrize(("value", "fraction"), [(0.09, 1.0), (0.11, 0.89), (0.6, 0.4)])
def test_the_tolerance_gives_all_points_near_full_and_nothing_elsewhere(
    value: float, fraction: float
) -> None:
    assert metric(value, tolerance=0.1).fraction == pytest.approx(fraction)


@pytest.mark.parametrize(
    ("value", "kind", "code"),
    [
        pytest.param(0.0, VerdictKind.PASSED, "", id="full"),
        pytest.param(0.5, VerdictKind.PARTIAL, "below_target", id="half"),
        pytest.param(2.0, VerdictKind.FAILED, "below_target", id="worse than none"),
        pytest.param(np.nan, VerdictKind.FAILED, "not_finite", id="NaN"),
        pytest.param("text", VerdictKind.FAILED, "unmeasurable", id="text"),
        pytest.param(None, VerdictKind.FAILED, "unmeasurable", id="nothing"),
        pytest.param(1j, VerdictKind.FAILED, "unmeasurable", id="a complex number"),
        pytest.param(Outcome(OutcomeKind.OUT_OF_MEMORY), VerdictKind.FAILED, "out_of_memory", id="it died"),
    ],
)
def test_a_quality_is_named(value: Any, kind: VerdictKind, code: str) -> None:
    verdict = metric(value)
    assert (verdict.kind, verdict.code) == (kind, code)


def test_a_call_without_an_outcome_earns_nothing() -> None:
    check = MetricCheck(
        id="c", title="t", points=1, type="metric", inputs="i", metric="m", full=0.0, none=1.0
    )
    verdict = check.judge([MetricCase(CALLS[:1], CASE, check, 0.0, 1.0)], {}, FOUND, Metrics(m=abs))
    assert (verdict.fraction, verdict.code) == (0.0, "inconclusive")


def test_a_measure_that_trips_says_what_is_wrong_with_the_form() -> None:
    def measure(value: Any, case: Case) -> float:
        raise ValueError("Q (3, 2) does not have the shape (N, k)")

    assert "Q (3, 2) does not have the shape" in metric(0.0, measure=measure).message


def test_a_measure_that_divides_by_zero_makes_no_warning() -> None:
    verdict = metric(0.0, measure=lambda value, case: np.float64(1.0) / np.float64(value))
    assert verdict.code == "not_finite"


def test_the_evidence_gives_the_number_and_both_bounds() -> None:
    for value in (0.0, 0.25):
        facts = dict(metric(value, 0.0, 0.5).evidence.facts)
        assert facts == {"measured": f"{value:.4g}", "all points at": "0", "no points at": "0.5"}


@pytest.mark.parametrize(
    ("picture", "names"),
    [
        pytest.param(None, None, id="no picture is wanted"),
        pytest.param(lambda value: {"loss": [3, 2, 1]}, ["loss"], id="one curve"),
        pytest.param(lambda value: {"a": [1, 2], "b": np.ones(3)}, ["a", "b"], id="two curves"),
        pytest.param(lambda value: {"a": [1, 2], "b": [1]}, ["a"], id="a curve of one point is left out"),
        pytest.param(lambda value: {"a": [], "b": [1]}, None, id="only curves of at most one point"),
        pytest.param(lambda value: {}, None, id="no curves"),
        pytest.param(lambda value: {"a": [1, np.nan]}, None, id="NaN"),
        pytest.param(lambda value: {"a": [1, "x"]}, None, id="text"),
        pytest.param(lambda value: value[3], None, id="the picture trips"),
    ],
)
@pytest.mark.parametrize("value", [0.0, 0.5], ids=["full", "half"])
def test_curves_are_drawn_where_they_have_the_agreed_form(
    picture: Any, names: list[str] | None, value: float
) -> None:
    plot = metric(value, picture=picture).evidence.plot
    assert (plot is None) == (names is None)
    if plot is not None:
        assert [name for name, _ in plot.series] == names
        assert (plot.kind, plot.title) == ("line", "The curves")


def test_a_curve_is_cut_and_numbered_from_zero() -> None:
    plot = metric(0.0, picture=lambda value: {"loss": range(10_000)}).evidence.plot
    assert plot is not None
    points = plot.series[0][1]
    assert len(points) == MAX_CURVE
    assert points[:2] == ((0.0, 0.0), (1.0, 1.0))


def test_the_plot_of_another_case_is_shown_where_the_worst_has_none() -> None:
    check = MetricCheck(
        id="c", title="t", points=1, type="metric", inputs="i", metric="m", full=0.0, none=1.0, plot="p"
    )
    cases = [MetricCase((call,), CASE, check, 0.0, 1.0) for call in CALLS]
    outcomes = {name: Outcome(OutcomeKind.RETURNED, float(name)) for name in "01"}
    course = Metrics(m=lambda value, case: value, p=lambda value: {} if value else {"a": [value, 1.0]})
    plot = check.judge(cases, outcomes, FOUND, course).evidence.plot
    assert plot is not None
    assert plot.series == (("a", ((0.0, 0.0), (1.0, 1.0))),)


@pytest.mark.parametrize("kind", [OutcomeKind.RAISED, OutcomeKind.WALL_TIMEOUT, OutcomeKind.MISSING])
def test_what_did_not_come_back_follows_from_no_mistake_even_if_the_measure_takes_anything(
    kind: OutcomeKind,
) -> None:
    class Mistaken(Metrics):
        def mistaken(self, *_: Any) -> Any:
            return lambda name, *arguments: 0.0

    check = MetricCheck(
        id="c",
        title="t",
        points=1,
        type="metric",
        inputs="i",
        metric="m",
        full=0.0,
        none=1.0,
        given=("g",),
        own_metric="o",
    )
    case = MetricCase(CALLS[:1], CASE, check, 0.0, 1.0)
    course = Mistaken(o=lambda value, case, call: 0.0)
    came = case.judge_given({"0": Outcome(OutcomeKind.RETURNED, 1.0)}, course, ("a",))
    assert came is not None
    assert came.code == "follow_through"
    assert case.judge_given({"0": Outcome(kind)}, course, ("a",)) is None
    assert case.judge_given({}, course, ("a",)) is None
