"""Results that are the same for every input say nothing of a function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grader.judge.information import says_nothing
from grader.records import Outcome, OutcomeKind

NOTHING = {
    "zero": [0.0, 0.0, 0.0],
    "zeros of any shape": [np.zeros(2), np.zeros((3, 1)), np.zeros(0)],
    "not finite": [np.nan, np.inf, np.nan],
    "zero or not finite": [0.0, np.nan, 0.0],
    "one number": [2.5, 2.5, 2.5],
    "a matrix for each size": [np.full((2, 2), 0.5), np.full((2, 2), 0.5), np.full((3, 3), 0.2)],
    "tuples": [(np.ones(2), 1.0)] * 3,
}
SOMETHING = {
    "a number that changes": [0.0, 0.0, 1.0],
    "two are alike": [2.0, 2.0, 1.0],
    "each of another shape": [np.ones(2), np.ones(3), np.ones(4)],
    "too few": [1.0, 1.0],
    "texts": ["a", "a", "a"],
    "nothing": [],
}


def outcomes(values: list[Any]) -> list[Outcome]:
    return [Outcome(OutcomeKind.RETURNED, value) for value in values]


@pytest.mark.parametrize("values", NOTHING.values(), ids=NOTHING)
def test_what_does_not_depend_on_the_input_says_nothing(values: list[Any]) -> None:
    assert says_nothing(outcomes(values))


@pytest.mark.parametrize("values", SOMETHING.values(), ids=SOMETHING)
def test_what_may_depend_on_the_input_says_something(values: list[Any]) -> None:
    assert not says_nothing(outcomes(values))


def test_calls_that_failed_do_not_count() -> None:
    assert not says_nothing([*outcomes([1.0, 2.0, 3.0]), Outcome(OutcomeKind.RAISED)])
    assert not says_nothing([Outcome(OutcomeKind.RAISED)] * 5)
