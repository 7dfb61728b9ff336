"""Transformations of a right result: each is recognised in what it does, and only where it can be told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from grader.explanations import Candidate, Prediction
from grader.judge.patterns import TRANSFORMATIONS, transformed
from grader.numerics.residual import residual

RNG = np.random.default_rng(3)
SQUARE, TALL, FLAT = RNG.standard_normal((4, 4)), RNG.standard_normal((9, 2)), RNG.standard_normal((4, 3))
LENGTHS = {"square": (4, 7), "tall": (4, 7), "flat": (4, 7)}


def candidate(*codes: str, **values: Any) -> Candidate:
    predictions = {name: predicted(value) for name, value in values.items()}
    return Candidate(codes, tuple(f"name of {code}" for code in codes), "", 0.5, predictions)


def predicted(value: Any) -> Prediction:
    if isinstance(value, Prediction):
        return value
    parts = value if isinstance(value, tuple) else (value,)
    return Prediction(tuple(np.asarray(part) for part in parts))


def fitting(right: Candidate, lengths: dict[str, tuple[int, ...]] | None = None, **seen: Any) -> list[str]:
    """Return the last codes of all that a candidate becomes and that fits what was seen."""
    observed = {name: predicted(value) for name, value in seen.items()}
    lengths = lengths or {name: LENGTHS.get(name, ()) for name in seen}
    found = transformed(right, observed, lengths, TRANSFORMATIONS)
    return [each.codes[-1] for each in found if residual(observed, each) < 1e-9]


def on_all(change: Callable[[Any], Any]) -> list[str]:
    values = {"square": SQUARE, "tall": TALL, "flat": FLAT}
    return fitting(candidate(**values), **{name: change(value) for name, value in values.items()})


def without(place: Any) -> Callable[[Any], Any]:
    def change(value: Any) -> Any:
        spoilt = value.copy()
        spoilt[place] += 5.0
        return spoilt

    return change


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("sign", np.negative),
        ("transposed", np.transpose),
        ("sum_for_mean", lambda value: 4 * value),
        ("mean_for_sum", lambda value: value / 4),
        ("mean_over_entries", lambda value: value / 7),
        ("sum_over_columns", lambda value: 7 * value),
        ("squared", np.square),
        ("root", lambda value: np.sqrt(np.abs(value))),
        ("absolute", np.abs),
        ("constant_factor", lambda value: 0.37 * value),
        ("except_first", without(0)),
        ("except_last", without(-1)),
        ("except_first_column", without(np.s_[:, 0])),
        ("except_last_column", without(np.s_[:, -1])),
        ("two_columns_only", lambda value: value if value.shape[1] == 2 else value + 5.0),
    ],
)
def test_a_transformation_of_all_results_is_recognised(code: str, change: Callable[[Any], Any]) -> None:
    found = on_all(change)
    assert code in found
    assert set(found) <= {code, "constant_factor"}


def test_two_columns_only_needs_results_of_two_columns() -> None:
    right = candidate(square=SQUARE, flat=FLAT)
    assert "two_columns_only" not in fitting(right, square=SQUARE + 5.0, flat=FLAT + 5.0)
    assert "two_columns_only" not in fitting(right, square=SQUARE, flat=FLAT + 5.0)


def test_wrong_only_on_the_diagonal_is_recognised_and_means_nothing_for_small_or_other_shapes() -> None:
    assert fitting(candidate(square=SQUARE), square=SQUARE + 5 * np.eye(4)) == ["except_diagonal"]
    small = np.ones((2, 2))
    assert "except_diagonal" not in fitting(candidate(square=small), square=small + np.eye(2))
    assert "except_diagonal" not in fitting(candidate(tall=TALL), tall=TALL + 5.0)


def test_parts_in_the_wrong_order_are_recognised() -> None:
    assert fitting(candidate(flat=(FLAT, TALL)), flat=(TALL, FLAT)) == ["swapped"]


def test_fractions_cut_off_are_recognised_where_whole_numbers_came_back() -> None:
    right = candidate(square=SQUARE * 3, flat=FLAT)
    assert fitting(right, square=np.trunc(SQUARE * 3), flat=FLAT) == ["integer_dtype"]
    assert fitting(candidate(flat=FLAT), flat=(FLAT, FLAT)) == []


def test_complex_results_have_no_fractions_to_cut_off_and_other_patterns_go_on() -> None:
    right = candidate(square=SQUARE, flat=FLAT)
    assert fitting(right, square=-SQUARE + 0j, flat=-FLAT) == ["sign"]
    turned = candidate(square=SQUARE * 1j, flat=FLAT)
    assert fitting(turned, square=-SQUARE * 1j, flat=-FLAT) == ["sign"]
    assert fitting(turned, square=np.trunc(SQUARE), flat=FLAT) == []


def test_a_column_is_masked_whole_where_there_is_one_column_only() -> None:
    values = {"flat": FLAT, "thin": FLAT[:, :1]}
    lengths = {"flat": (), "thin": ()}
    spoilt = without(np.s_[:, 0])
    seen = {name: spoilt(value) for name, value in values.items()}
    assert fitting(candidate(**values), lengths, **seen) == ["except_first_column"]


def test_few_rows_or_numbers_are_too_little_to_leave_any_out() -> None:
    short = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert "except_first" not in fitting(candidate(flat=short), flat=short * [[9.0], [1.0]])
    assert fitting(candidate(flat=np.float64(2.0)), flat=np.float64(3.5)) == []
    row = np.array([[1.0, 2.0, 3.0]])
    assert "except_first_column" in fitting(candidate(flat=row), flat=row * [9.0, 1.0, 1.0])
    assert "except_first_column" not in fitting(candidate(flat=row[:, :2]), flat=row[:, :2] * [9.0, 1.0])
    vector = np.array([1.0, 2.0])
    assert "except_first_column" not in fitting(candidate(flat=vector), flat=vector * [9.0, 1.0])


def test_a_scale_by_a_length_needs_an_argument_that_has_it() -> None:
    right = candidate(flat=FLAT)
    assert fitting(right, {"flat": ()}, flat=4 * FLAT) == ["constant_factor"]
    assert fitting(right, {"flat": (0, 4)}, flat=4 * FLAT) == ["constant_factor"]
    assert fitting(right, {"flat": (4,)}, flat=4 * FLAT) == ["sum_for_mean", "constant_factor"]


@pytest.mark.parametrize(
    "factor", [1.0, -1.0, 1e-12, np.inf, np.nan], ids=["one", "minus one", "tiny", "infinite", "nan"]
)
def test_some_factors_are_no_constant_factor(factor: float) -> None:
    with np.errstate(all="ignore"):
        assert "constant_factor" not in fitting(candidate(flat=FLAT), flat=factor * FLAT)


def test_a_constant_factor_needs_three_numbers_that_are_not_zero() -> None:
    assert "constant_factor" not in fitting(candidate(flat=np.ones(2)), flat=2 * np.ones(2))
    assert fitting(candidate(flat=np.zeros(3)), flat=np.ones(3)) == []
    assert "constant_factor" not in fitting(candidate(flat=FLAT), flat=2 * TALL)


def test_a_constant_factor_says_how_large_and_leaves_exceptions_as_they_are() -> None:
    raised = Prediction(raised="ValueError")
    right = candidate(flat=FLAT, bad=raised)
    observed = {"flat": predicted(0.25 * FLAT), "bad": raised}
    *_, last = transformed(right, observed, {"flat": (), "bad": ()}, TRANSFORMATIONS)
    assert last.names == ("it is right up to the constant factor 0.25",)
    assert last.predictions["bad"] == raised
    assert residual(observed, last) < 1e-12


def test_what_is_done_to_a_known_mistake_is_named_after_it_and_earns_no_credit() -> None:
    known = candidate("tripled", flat=3 * FLAT)
    observed = {"flat": predicted(-3 * FLAT)}
    found = next(iter(transformed(known, observed, {"flat": ()}, TRANSFORMATIONS)))
    assert found.codes == ("tripled", "sign")
    assert found.names == ("name of tripled", "it has the wrong sign")
    assert found.credit == 0.0
