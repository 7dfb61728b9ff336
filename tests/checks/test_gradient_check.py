"""The gradient judge: a right gradient always passes, one off by a hundredth never, whatever the scale."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from grader.checks.gradient import MAX_POINTS, GradientCase, GradientCheck
from grader.checks.result import CaseResult
from grader.course import Case
from grader.numerics.differentiate import OwnCost, differentiate
from grader.numerics.numeric_gradient import Numeric
from grader.plan.trusted import argument_lists
from grader.records import Fault, Outcome, OutcomeKind
from grader.subjects import Call, Sweep

SEEDS = st.integers(0, 10**6)
NO_OWN = OwnCost((), (), Sweep((), ()))
SQUARE = np.array([[3.0, -1.0], [0.5, 2.0]])


def check(**options: Any) -> GradientCheck:
    fields = {
        "id": "g",
        "title": "t",
        "points": 1,
        "type": "gradient",
        "inputs": "i",
        "cost": "cost",
        "close": 0,
    }
    return GradientCheck.model_validate({**fields, "wrt": ("x",), **options})


def returned(value: Any) -> Outcome:
    return Outcome(OutcomeKind.RETURNED, value)


def judge(value: Any, right: Any, error: Any = 1e-12, known: Any = None, **options: Any) -> CaseResult:
    """Judge a value against one numeric gradient (or several parts) with a given estimated error."""
    parts = right if isinstance(right, tuple) else (np.asarray(right, dtype=np.float64),)
    errors = tuple(np.full(part.shape, error) for part in parts)
    names = [f"x{place}" for place in range(len(parts))] if len(parts) > 1 else ["x"]
    asked = check(wrt=names, **options)
    return made(asked, Numeric(parts, errors, **(known or {})), NO_OWN).judge({"call": returned(value)}, None)


def made(asked: GradientCheck, numeric: Numeric, own: OwnCost) -> GradientCase:
    """Return a case whose calls are named call and, for the student's own cost, own."""
    calls = Call("call", "f", ()), Call("own", "cost", (), sweep=own.sweep)
    return GradientCase(calls if asked.own_cost else calls[:1], Case("case", ()), asked, numeric, own)


def swept(cost: Callable[..., Any], case: Case, own: OwnCost) -> Outcome:
    """Return what a cost gives at every point that is asked for."""
    return returned(tuple(cost(*args) for args in argument_lists(case.args, own.sweep)))


@dataclass(frozen=True)
class Problem:
    """A cost of two weights, its gradient, and a point; like the error of a linear autoencoder."""

    case: Case
    cost: Callable[..., float]
    gradient: Callable[..., tuple[Any, Any]]

    @classmethod
    def random(cls, seed: int, scale: float = 1.0) -> Problem:
        rng = np.random.default_rng(seed)
        a, b = rng.standard_normal((4, 3)), rng.standard_normal((2, 4))

        def cost(x: Any, w: Any) -> float:
            return float(np.sum((a @ x - b.T @ w) ** 2) + np.sum(np.cos(x)))

        def gradient(x: Any, w: Any) -> tuple[Any, Any]:
            rest = a @ x - b.T @ w
            return 2 * a.T @ rest - np.sin(x), -2 * b @ rest

        args = scale * rng.standard_normal((3, 2)), scale * rng.standard_normal((2, 2))
        return cls(Case("random", args), cost, gradient)

    def judged(self, value: Any, student: Callable[..., Any] | None = None, **options: Any) -> CaseResult:
        rng = np.random.default_rng(0)
        numeric, own = differentiate(self.cost, self.case, ("x", "w"), rng)
        outcomes = {"call": returned(value)}
        if student:
            outcomes["own"] = swept(student, self.case, own)
        return made(check(wrt=("x", "w"), **options), numeric, own).judge(outcomes, None)

    def right(self) -> tuple[Any, Any]:
        return self.gradient(*self.case.args)


@settings(deadline=None)
@given(SEEDS, st.floats(-2, 2))
def test_the_right_gradient_of_a_random_smooth_function_always_passes(seed: int, power: float) -> None:
    problem = Problem.random(seed, 10.0**power)
    result = problem.judged(problem.right())
    assert result.fraction == 1.0, result
    assert not result.inconclusive


@settings(deadline=None)
@given(SEEDS, st.sampled_from([1.01, 0.99, -1.0, 0.0, 2.0, 1.0003]), st.floats(-2, 2))
def test_a_gradient_with_any_other_factor_never_passes(seed: int, factor: float, power: float) -> None:
    problem = Problem.random(seed, 10.0**power)
    result = problem.judged(tuple(factor * part for part in problem.right()))
    assert result.fraction == 0.0
    assert not result.inconclusive


@settings(deadline=None)
@given(SEEDS)
def test_each_part_of_a_gradient_counts_alike(seed: int) -> None:
    problem = Problem.random(seed)
    first, second = problem.right()
    assert problem.judged((first, 1.01 * second)).fraction == 0.5
    assert problem.judged((1.01 * first, second)).fraction == 0.5
    credit = {"constant_factor": 0.5}
    assert problem.judged((first, 2 * second), credit=credit).fraction == 0.75
    assert problem.judged((2 * first, 2 * second), credit=credit).fraction == 0.5


@given(st.integers(-160, 160), st.sampled_from([1.0, 1.00005, 1.01, -1.0, 0.0]))
def test_the_verdict_does_not_depend_on_the_size_of_the_gradient(power: int, factor: float) -> None:
    unit = 2.0**power
    here, there = judge(factor * SQUARE, SQUARE), judge(factor * SQUARE * unit, SQUARE * unit, 1e-12 * unit)
    assert (here.fraction, here.inconclusive) == (there.fraction, there.inconclusive)
    assert here.fraction == float(abs(factor - 1) < 1e-4)


@pytest.mark.parametrize("size", [1.0, 1e-6, 1e-12, 1e-30])
def test_a_gradient_of_zeros_is_refused_at_every_scale_and_called_zero(size: float) -> None:
    right = size * SQUARE
    result = judge(np.zeros((2, 2)), right, 1e-8 * size, credit={"transposed": 0.5, "constant_factor": 0.5})
    assert (result.fraction, result.code) == (0.0, "zero")
    assert judge(right, right, 1e-8 * size).fraction == 1.0


def test_a_gradient_of_zeros_is_right_where_the_trusted_one_is_zero_but_for_rounding() -> None:
    flat = {"flat": (True,), "rounding": (1e-15,)}
    for got, right in ((0.0, 0.0), (0.0, 3e-13), (1e-15, 0.0)):
        assert judge(np.full(3, got), np.full(3, right), 1e-12, flat).fraction == 1.0
    wrong = judge(np.full(3, 1e-6), np.zeros(3), 1e-12, flat)
    assert (wrong.fraction, wrong.inconclusive) == (0.0, False)
    assert "which are zero" in wrong.message


def test_a_gradient_of_zeros_is_never_accepted_only_because_the_gradient_is_below_the_noise() -> None:
    for got in (0.0, 3e-13):
        assert judge(np.full(3, got), np.full(3, 3e-13), 1e-12).inconclusive
    assert not judge(np.full(3, 1e-10), np.full(3, 3e-13), 1e-12).inconclusive


def test_rounding_of_the_inputs_is_forgiven_the_more_the_coarser_the_numbers_that_came_back() -> None:
    known = {"rounding": (1e-12,), "flat": (False,)}
    third = SQUARE / 3  # which single precision rounds
    assert judge(third.astype(np.float32), third, 1e-14, known, rtol=1e-13).fraction == 1.0
    assert judge(third.astype(np.float32).astype(float), third, 1e-14, known, rtol=1e-13).fraction == 0.0
    off = SQUARE * (1 + 1e-9)
    assert judge(off, SQUARE, 1e-14, known, rtol=1e-13).fraction == 0.0
    assert judge(SQUARE.astype(np.float32), SQUARE, 1e-14, known, rtol=1e-13).fraction == 1.0
    assert judge(SQUARE.astype(np.float32) * np.float32(1.01), SQUARE, 1e-14, known).fraction == 0.0


@pytest.mark.parametrize(("noise", "decides"), [(0.5, True), (5.0, False)])
def test_an_input_decides_where_noise_is_below_the_rounding_of_double_precision(
    noise: float, decides: bool
) -> None:
    errors = np.full((2, 2), noise * 1e-6 / 2)
    numeric = Numeric((SQUARE,), (errors,), rounding=(1e-6,), flat=(False,))
    assert numeric.decides(1e-12) is decides


def test_a_kink_is_said_where_it_hides_the_slope() -> None:
    result = judge(SQUARE, SQUARE, 1e-2, {"kink": True})
    assert result.inconclusive
    assert "kink" in result.message
    assert judge(SQUARE, SQUARE, 1e-9, {"kink": True}).fraction == 1.0


@pytest.mark.parametrize(
    ("value", "error", "fraction", "inconclusive"),
    [
        pytest.param(SQUARE, 1e-6, 1.0, False, id="right, little noise"),
        pytest.param(SQUARE, 1e-2, 0.0, True, id="right, noise above the tolerance"),
        pytest.param(SQUARE * 1.01, 1e-2, 0.0, True, id="wrong by less than the noise"),
        pytest.param(SQUARE * 1.01, 1e-6, 0.0, False, id="wrong by more than the noise"),
        pytest.param(SQUARE + 0.03, 1e-2, 0.0, True, id="wrong by three times the noise"),
        pytest.param(SQUARE + 0.05, 1e-2, 0.0, False, id="wrong by five times the noise"),
        pytest.param(SQUARE * 2, 1e-2, 0.0, False, id="wrong by much more than the noise"),
        pytest.param(np.zeros((2, 2)), 1e-2, 0.0, False, id="zero where the noise is smaller"),
    ],
)
def test_noise_above_the_tolerance_is_inconclusive_and_neither_pass_nor_fail(
    value: Any, error: float, fraction: float, inconclusive: bool
) -> None:
    result = judge(value, SQUARE, error)
    assert (result.fraction, result.inconclusive) == (fraction, inconclusive)
    assert (result.code == "inconclusive") == inconclusive


@pytest.mark.parametrize(
    ("right", "error"),
    [
        pytest.param(SQUARE, np.inf, id="an infinite error"),
        pytest.param(np.full((2, 2), np.nan), np.inf, id="no derivative at all"),
        pytest.param(np.full((2, 2), np.nan), 1e-12, id="no derivative and no error"),
    ],
)
@pytest.mark.parametrize("value", [SQUARE, -SQUARE, np.zeros((2, 2))], ids=["right", "negated", "zero"])
def test_finite_differences_that_say_nothing_neither_pass_nor_fail_anybody(
    right: Any, error: float, value: Any
) -> None:
    result = judge(value, right, error)
    assert (result.fraction, result.inconclusive) == (0.0, True)


def test_a_part_that_cannot_be_judged_makes_the_gradient_inconclusive() -> None:
    numeric = Numeric((SQUARE, SQUARE), (np.full((2, 2), 1e-12), np.full((2, 2), 1e-2)))
    outcome = {"call": returned((SQUARE, SQUARE))}
    result = made(check(wrt=("x", "w")), numeric, NO_OWN).judge(outcome, None)
    assert result.inconclusive


@pytest.mark.parametrize(
    ("value", "right", "code"),
    [
        pytest.param(None, SQUARE, "structure", id="nothing"),
        pytest.param((SQUARE,), SQUARE, "one_of_several", id="a tuple of one"),
        pytest.param(np.where(SQUARE > 1, np.nan, SQUARE), SQUARE, "not_finite", id="NaN"),
        pytest.param(np.where(SQUARE > 1, np.inf, SQUARE), SQUARE, "not_finite", id="infinity"),
        pytest.param(0.5, np.full((3, 3), 0.5), "shape", id="a number that broadcasts"),
        pytest.param(np.ones((2, 3)), SQUARE, "shape", id="another size"),
        pytest.param(SQUARE[:, :1].T, SQUARE[:, :1], "transposed", id="a row in place of a column"),
        pytest.param(SQUARE.T, SQUARE, "transposed", id="a square transposed"),
        pytest.param(SQUARE.ravel(), SQUARE, "reshaped", id="flattened"),
        pytest.param(-SQUARE, SQUARE, "sign", id="the sign"),
        pytest.param(SQUARE / 4, SQUARE, "constant_factor", id="the factor four forgotten"),
        pytest.param(np.trunc(SQUARE).astype(int), SQUARE, "integer_dtype", id="an array of integers"),
        pytest.param(SQUARE + 1, SQUARE, "values", id="a constant added"),
        pytest.param((SQUARE,), (SQUARE, SQUARE), "structure", id="a part missing"),
        pytest.param((-SQUARE, -SQUARE), (SQUARE, SQUARE), "sign", id="the sign of both parts"),
    ],
)
def test_a_wrong_gradient_earns_nothing_by_itself_and_is_named(value: Any, right: Any, code: str) -> None:
    result = judge(value, right)
    assert (result.fraction, result.code) == (0.0, code)
    assert result.message


@pytest.mark.parametrize(
    ("value", "code", "words"),
    [
        pytest.param(SQUARE, "structure", "2 arrays are expected", id="one part where two are expected"),
        pytest.param((SQUARE, SQUARE[0]), "shape", "in the part for x1", id="the second part is no matrix"),
        pytest.param((SQUARE, -SQUARE), "sign", "in the part for x1", id="the sign of one part"),
        pytest.param((None, SQUARE), "structure", "in the part for x0", id="nothing in the first place"),
    ],
)
def test_a_part_that_is_right_counts_whatever_the_other_is(value: Any, code: str, words: str) -> None:
    result = judge(value, (SQUARE, SQUARE))
    assert (result.fraction, result.code) == (0.5, code)
    assert words in result.message


def test_a_transposed_part_of_several_earns_its_credit() -> None:
    wide = np.ones((2, 3)) * [1.0, 2.0, 3.0]
    assert judge((wide.T, SQUARE), (wide, SQUARE), credit={"transposed": 0.5}).fraction == 0.75
    assert judge((wide.T, SQUARE), (wide, SQUARE)).fraction == 0.5
    other = judge((wide.T + 1.0, SQUARE), (wide, SQUARE), credit={"transposed": 0.5})
    assert (other.fraction, other.code) == (0.5, "shape")


@pytest.mark.parametrize("code", ["sign", "constant_factor", "transposed"])
def test_credit_is_given_for_the_slip_that_it_was_set_for_only(code: str) -> None:
    values = {"sign": -SQUARE, "constant_factor": 2 * SQUARE, "transposed": SQUARE.T, "values": SQUARE + 1}
    for slip, value in values.items():
        assert judge(value, SQUARE, credit={code: 0.5}).fraction == (0.5 if slip == code else 0.0)


def test_a_gradient_slightly_above_the_tolerance_gets_no_credit_for_a_factor_of_one() -> None:
    value = SQUARE + np.array([[0.0, 1e-3], [0.0, 0.0]])
    result = judge(value, SQUARE, credit={"constant_factor": 0.5})
    assert (result.fraction, result.code) == (0.0, "values")


def test_credit_for_a_shape_is_given_before_the_entries_are_judged() -> None:
    assert judge(SQUARE.ravel(), SQUARE, credit={"reshaped": 0.25}).fraction == 0.25
    assert judge(SQUARE.ravel() * 2, SQUARE, credit={"reshaped": 0.25}).fraction == 0.0


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(np.asmatrix(SQUARE), id="a matrix"),
        pytest.param(csr_matrix(SQUARE), id="a sparse matrix"),
        pytest.param(SQUARE.astype(np.float32), id="single precision"),
        pytest.param(SQUARE + 0j, id="complex without an imaginary part"),
    ],
)
def test_a_right_gradient_passes_in_every_usual_form(value: Any) -> None:
    assert judge(value, SQUARE).fraction == 1.0


def test_an_imaginary_part_is_not_dropped_before_the_gradient_is_judged() -> None:
    assert judge(SQUARE + 5j, SQUARE).fraction == 0.0


def test_the_gradient_of_nothing_is_accepted_without_facts() -> None:
    assert judge(np.zeros((0, 2)), np.zeros((0, 2))) == CaseResult(1.0)


def test_the_evidence_names_the_worst_entry_and_the_values_there() -> None:
    right = 1234.5 * SQUARE
    value = right.copy()
    value[1, 0] *= -3
    result = judge(value, right)
    facts = dict(result.facts)
    assert facts["worst entry"] == "x[1, 0]"
    assert float(facts["returned there"]) == pytest.approx(-3 * 1234.5 * 0.5, rel=1e-5)
    assert float(facts["finite difference there"]) == pytest.approx(1234.5 * 0.5, rel=1e-5)
    assert float(facts["best-fitting factor"]) == pytest.approx(1 - 4 * 0.25 / 14.25, abs=1e-3)
    assert result.plot is not None
    ((_, points),) = result.plot.series
    assert max(abs(x) for x, _ in points) == 1.0
    assert points[2] == pytest.approx((1 / 6, -0.5))


def test_the_plot_of_a_large_gradient_is_cut() -> None:
    result = judge(np.arange(1000.0) ** 2, np.arange(1000.0))
    assert result.plot is not None
    assert len(result.plot.series[0][1]) == MAX_POINTS


@pytest.mark.parametrize("outcome", [None, Outcome(OutcomeKind.RAISED, fault=Fault("ValueError", "no"))])
def test_a_gradient_that_did_not_return_says_how_it_died(outcome: Outcome | None) -> None:
    outcomes = {} if outcome is None else {"call": outcome}
    result = made(check(), Numeric((SQUARE,), (SQUARE,)), NO_OWN).judge(outcomes, None)
    assert (result.fraction, result.code) == (0.0, "raised" if outcome else "not_called")


# Follow-through: the right gradient of the student's own, wrong cost


@settings(deadline=None)
@given(SEEDS, st.floats(0.1, 10))
def test_the_right_gradient_of_a_wrong_cost_earns_the_follow_through(seed: int, factor: float) -> None:
    problem = Problem.random(seed)

    def student(x: Any, w: Any) -> float:
        return factor * problem.cost(x, w) + float(np.sum(x**2))

    x, w = problem.case.args
    first, second = problem.gradient(x, w)
    value = factor * first + 2 * x, factor * second
    result = problem.judged(value, student, own_cost=0.75)
    assert (result.fraction, result.code) == (0.75, "follow_through")
    assert result.plot is not None
    assert "your own cost" in result.plot.title
    for slope, mine in result.plot.series[0][1]:
        assert slope == pytest.approx(mine, rel=1e-3, abs=1e-4)
    assert problem.judged(value, student).code != "follow_through"
    wrong = 1.01 * value[0], 1.01 * value[1]
    assert problem.judged(wrong, student, own_cost=0.75).code != "follow_through"


@pytest.mark.parametrize(
    "student",
    [
        pytest.param(lambda x, w: 7.0, id="a constant cost"),
        pytest.param(lambda x, w: 0.0, id="a cost of zero"),
        pytest.param(lambda x, w: 1e16, id="a constant whose rounding hides any slope"),
        pytest.param(lambda x, w: float("nan"), id="a cost of NaN"),
        pytest.param(lambda x, w: None, id="a cost of nothing"),
        pytest.param(lambda x, w: x, id="a cost that is an array"),
        pytest.param(lambda x, w: 1j, id="a complex cost"),
        pytest.param(lambda x, w: float(x.sum()) * 1e16, id="another cost"),
        pytest.param(lambda x, w: float(zlib.crc32(x.tobytes()) % 97), id="a cost that is noise"),
    ],
)
@pytest.mark.parametrize("size", [2.0, 0.0], ids=["wrong", "zero"])
def test_no_gradient_is_right_for_a_cost_that_is_none(student: Callable[..., Any], size: float) -> None:
    problem = Problem.random(5)
    value = tuple(size * part + size for part in problem.right())
    assert problem.judged(value, student, own_cost=1.0).fraction == 0.0


def test_a_cost_that_died_on_one_point_gives_no_follow_through() -> None:
    problem = Problem.random(5)
    numeric, own = differentiate(problem.cost, problem.case, ("x", "w"), np.random.default_rng(0))
    values = swept(lambda x, w: 2 * problem.cost(x, w), problem.case, own).value
    call = returned(tuple(2 * part for part in problem.right()))
    planned = made(check(wrt=("x", "w"), own_cost=1.0), numeric, own)

    def fraction(**outcomes: Outcome) -> float:
        return planned.judge({"call": call, **outcomes}, None).fraction

    assert fraction(own=returned(values)) == 1.0
    assert fraction(own=Outcome(OutcomeKind.RAISED)) == 0.0
    assert fraction(own=returned((*values[:3], None, *values[4:]))) == 0.0
    assert fraction(own=returned(values[:-1])) == 0.0
    assert fraction(own=returned(list(values))) == 0.0
    assert fraction() == 0.0


def test_where_the_own_cost_is_lost_through_our_fault_the_gradient_is_undecided_and_not_wrong() -> None:
    problem = Problem.random(5)
    numeric, own = differentiate(problem.cost, problem.case, ("x", "w"), np.random.default_rng(0))
    call = returned(tuple(2 * part for part in problem.right()))
    lost = {"call": call, "own": Outcome(OutcomeKind.GRADER_FAULT)}
    found = made(check(wrt=("x", "w"), own_cost=1.0), numeric, own).judge(lost, None)
    assert (found.fraction, found.inconclusive) == (0.0, True)
    plain = made(check(wrt=("x", "w")), numeric, own).judge(lost, None)
    assert not plain.inconclusive, "without follow-through the own cost does not matter"


def tsne(square: bool) -> tuple[Callable[..., float], Callable[..., Any]]:
    """Return the cost of t-SNE and its gradient, with or without the square in the distance."""

    def parts(y: Any) -> tuple[Any, Any, Any]:
        apart = y[:, None] - y[None]
        distance = (apart**2).sum(axis=-1)
        root = np.sqrt(distance)
        inverse = 1 / (1 + (distance if square else root))
        np.fill_diagonal(inverse, 0.0)
        change = 4 * apart if square else 2 * apart / np.where(root > 0, root, 1.0)[:, :, None]
        return inverse / inverse.sum(), inverse, change

    def cost(p: Any, y: Any) -> float:
        q = parts(y)[0]
        return float(np.sum(p[p > 0] * np.log(p[p > 0] / q[p > 0])))

    def gradient(p: Any, y: Any) -> Any:
        q, inverse, change = parts(y)
        return np.einsum("ij,ijd->id", (p - q) * inverse, change)

    return cost, gradient


@pytest.mark.parametrize("scale", [1e-4, 1.0, 100.0])
@pytest.mark.parametrize(
    ("factor", "coincide", "code"),
    [
        pytest.param(1.0, False, "follow_through", id="right for the own cost"),
        pytest.param(1.1, False, "values", id="wrong for the own cost as well"),
        pytest.param(1.0, True, "inconclusive", id="where the own cost has a kink"),
    ],
)
def test_the_gradient_of_tsne_without_the_square_is_judged_by_the_own_cost(
    scale: float, factor: float, coincide: bool, code: str
) -> None:
    rng = np.random.default_rng(4)
    p, y = rng.random((6, 6)), scale * rng.standard_normal((6, 2))
    p = (p + p.T) * (1 - np.eye(6))
    if coincide:
        y[3] = y[1]
    case = Case("case", (p / p.sum(), y))
    cost, gradient = tsne(square=True)
    own_cost, own_gradient = tsne(square=False)
    numeric, own = differentiate(cost, case, ("y",), rng, lambda near: gradient(*near.args))
    outcomes = {
        "call": returned(factor * own_gradient(*case.args)),
        "own": swept(own_cost, case, own),
    }
    asked = check(wrt=("y",), cost="cost", own_cost=1.0)
    found = made(asked, numeric, own).judge(outcomes, None)
    assert (found.code, found.inconclusive) == (code, code == "inconclusive"), found
    assert found.fraction == (1.0 if code == "follow_through" else 0.0)


@pytest.mark.parametrize("size", [1.7e308, -1.7e308, 1e300])
def test_a_gradient_beyond_all_sizes_is_wrong_and_no_point_of_its_plot_is_infinite(size: float) -> None:
    found = judge(np.full((2, 2), size), SQUARE * 1e-10)
    assert found.fraction == 0.0
    points = [p for _, series in found.plot.series for p in series] if found.plot else []
    assert np.isfinite(points).all()
    assert judge(np.array([[size, 1.0], [0.0, 0.0]]), SQUARE * 1e-10).plot is not None
