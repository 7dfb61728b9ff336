"""How far results are from a prediction: a number that means the same at every scale."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader.explanations import Candidate, Prediction
from grader.numerics.residual import parts_of, prediction_error, residual

NUMBERS = hnp.arrays(np.float64, hnp.array_shapes(max_dims=2, max_side=4), elements=st.integers(-1000, 1000))
SCALES = st.sampled_from([1e-12, 1e-3, 2.0, 1e9])


def prediction(*parts: Any) -> Prediction:
    return Prediction(tuple(np.asarray(part) for part in parts))


def candidate(**calls: Prediction) -> Candidate:
    return Candidate((), (), "", 1.0, calls)


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        (np.ones((2, 2)), 1),
        (3.5, 1),
        (True, 1),
        ((np.ones(2), 1.0), 2),
        ([1.0, 2.0], 1),
        ([np.ones(2), np.ones(3)], 2),
        ((), 0),
        ("text", None),
        (None, None),
        ((np.ones(2), "text"), None),
        ((np.ones(2), np.array(["a"])), None),
        ({"a": 1.0}, None),
        (np.array(["a"]), None),
    ],
    ids=[
        "array",
        "float",
        "bool",
        "tuple",
        "list",
        "list of arrays",
        "empty",
        "text",
        "none",
        "mixed",
        "a part of text",
        "dict",
        "array of text",
    ],
)
def test_a_value_has_parts_if_it_is_made_of_numbers(value: Any, parts: int | None) -> None:
    found = parts_of(value)
    assert (None if found is None else len(found)) == parts


def test_the_same_exception_is_no_distance_and_another_is_infinite() -> None:
    assert prediction_error(Prediction(raised="ValueError"), Prediction(raised="ValueError")) == 0.0
    assert prediction_error(Prediction(raised="ValueError"), Prediction(raised="TypeError")) == math.inf
    assert prediction_error(Prediction(raised="ValueError"), prediction(1.0)) == math.inf
    assert prediction_error(prediction(1.0), Prediction(raised="ValueError")) == math.inf


def test_two_results_without_numbers_explain_nothing() -> None:
    assert prediction_error(Prediction(), Prediction()) == math.inf


def test_results_of_another_structure_or_shape_are_infinitely_far() -> None:
    assert prediction_error(prediction([1.0, 2.0]), prediction([1.0, 2.0], 3.0)) == math.inf
    assert prediction_error(prediction(np.ones((2, 3))), prediction(np.ones((3, 2)))) == math.inf
    assert prediction_error(prediction(np.ones(6)), prediction(np.ones((3, 2)))) == math.inf


def test_an_axis_of_length_one_more_or_less_is_no_distance() -> None:
    assert prediction_error(prediction(np.ones((3, 1))), prediction(np.ones(3))) == 0.0


def test_the_difference_is_relative_to_the_largest_entry_of_either() -> None:
    assert prediction_error(prediction([100.0, 1.0]), prediction([100.0, 0.0])) == pytest.approx(0.01)
    assert prediction_error(prediction([200.0]), prediction([100.0])) == pytest.approx(0.5)


def test_not_a_number_and_infinity_match_only_themselves() -> None:
    some = prediction([1.0, np.nan, np.inf])
    assert prediction_error(some, some) == 0.0
    assert prediction_error(some, prediction([1.0, 2.0, np.inf])) == math.inf
    assert prediction_error(some, prediction([1.0, np.nan, -np.inf])) == math.inf
    assert prediction_error(some, prediction([2.0, np.nan, np.inf])) == pytest.approx(0.5)


def test_nothing_and_zeros_are_no_distance() -> None:
    assert prediction_error(prediction(np.zeros((0, 2))), prediction(np.zeros((0, 2)))) == 0.0
    assert prediction_error(prediction(np.zeros(3)), prediction(np.zeros(3))) == 0.0
    assert prediction_error(Prediction(()), Prediction(())) == 0.0


def test_rounding_where_the_result_is_zero_is_nothing_beside_results_that_are_not() -> None:
    right = candidate(one=prediction([1.0]), zero=prediction([0.0]))
    assert residual({"one": prediction([1.0]), "zero": prediction([1e-17])}, right) < 1e-6
    assert residual({"zero": prediction([1e-17])}, candidate(zero=prediction([0.0]))) == 1.0


def test_the_residual_is_that_of_the_worst_call_and_stops_where_it_is_told() -> None:
    right = candidate(a=prediction([1.0]), b=prediction([1.0]), c=prediction([1.0]))
    seen = {"a": prediction([2.0]), "b": Prediction(raised="E"), "c": prediction([1.0])}
    assert residual(seen, right) == math.inf
    assert residual(seen, right, stop=0.1) == pytest.approx(0.5)


def test_the_magnitude_is_the_largest_finite_entry_of_all_predictions() -> None:
    assert candidate(a=prediction([1.0, -3.0, np.inf]), b=Prediction(raised="E")).magnitude == 3.0
    assert candidate().magnitude == 0.0


@given(NUMBERS, NUMBERS)
def test_the_distance_is_the_same_both_ways_and_never_negative(first: Any, second: Any) -> None:
    there, back = (
        prediction_error(prediction(first), prediction(second)),
        prediction_error(prediction(second), prediction(first)),
    )
    assert there == back
    assert there >= 0.0
    assert prediction_error(prediction(first), prediction(first)) == 0.0


@given(NUMBERS, st.data(), SCALES)
def test_the_residual_does_not_change_with_the_scale(first: Any, data: st.DataObject, scale: float) -> None:
    second = data.draw(hnp.arrays(np.float64, first.shape, elements=st.integers(-1000, 1000)))
    here = residual({"a": prediction(first)}, candidate(a=prediction(second)))
    there = residual({"a": prediction(scale * first)}, candidate(a=prediction(scale * second)))
    assert there == pytest.approx(here, rel=1e-6, abs=1e-12)
