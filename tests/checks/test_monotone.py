"""The law of credit: a result that is closer to the right one never earns less."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.checks.base import Outcomes
from grader.checks.gradient import GradientCase, GradientCheck
from grader.checks.reference import ReferenceCase, ReferenceCheck
from grader.checks.result import CaseResult, combined
from grader.course import Case
from grader.numerics.differentiate import OwnCost
from grader.numerics.numeric_gradient import Numeric
from grader.records import Outcome, OutcomeKind
from grader.subjects import Call, Sweep

RNG = np.random.default_rng(5)
RIGHT = RNG.standard_normal((4, 3))
OTHER = RNG.standard_normal((4, 3))
CALL, INPUT = Call("call", "f", ()), Case("input", ())
CREDIT = {"constant_factor": 0.5}
KINDS = ("gradient", "reference")


def earned(kind: str, value: Any, right: Any = RIGHT) -> CaseResult:
    """Return what a value earns from a check with credit for a constant factor."""
    outcomes: Outcomes = {"call": Outcome(OutcomeKind.RETURNED, value)}
    common = {"id": "c", "title": "t", "points": 1, "inputs": "i", "credit": CREDIT, "type": kind}
    if kind == "reference":
        check = ReferenceCheck.model_validate(common)
        return ReferenceCase((CALL,), INPUT, check, right).judge(outcomes, None)
    parts = right if isinstance(right, tuple) else (right,)
    names = [f"x{number}" for number in range(len(parts))]
    asked = GradientCheck.model_validate({**common, "cost": "cost", "wrt": names})
    errors = tuple(np.full(part.shape, 1e-12) for part in parts)
    numeric = Numeric(parts, errors)
    return GradientCase((CALL,), INPUT, asked, numeric, OwnCost((), (), Sweep((), ()))).judge(outcomes, None)


FACTORS = st.one_of(st.floats(1e-3, 20), st.floats(-1e-2, 1e-2).map(lambda away: 1 + away))


@pytest.mark.parametrize("kind", KINDS)
@given(first=FACTORS, second=FACTORS)
def test_a_factor_closer_to_one_never_earns_less(kind: str, first: float, second: float) -> None:
    nearer, farther = sorted((first, second), key=lambda factor: abs(factor - 1))
    assert earned(kind, nearer * RIGHT).fraction >= earned(kind, farther * RIGHT).fraction


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("factor", [4.0005 / 4, 3.99 / 4, 4.03 / 4, 0.5, 2.0])
def test_every_factor_that_is_no_tolerance_is_a_constant_factor(kind: str, factor: float) -> None:
    result = earned(kind, factor * RIGHT)
    assert (result.fraction, result.code) == (0.5, "constant_factor")


@pytest.mark.parametrize("kind", KINDS)
@given(st.integers(0, 10**6), st.floats(0, 1), st.floats(0, 1))
def test_a_smaller_share_of_any_other_result_never_earns_less(
    kind: str, seed: int, first: float, second: float
) -> None:
    away = np.random.default_rng(seed).standard_normal(RIGHT.shape)
    less, more = sorted((first, second))
    assert earned(kind, RIGHT + less * away).fraction >= earned(kind, RIGHT + more * away).fraction


WRONGS = st.sampled_from([RIGHT, 2 * RIGHT, -RIGHT, OTHER, 0 * RIGHT, RIGHT[:1], RIGHT.T, None])


@pytest.mark.parametrize("kind", KINDS)
@given(first=WRONGS, second=WRONGS)
def test_a_part_put_right_never_earns_less(kind: str, first: Any, second: Any) -> None:
    right = (RIGHT, OTHER)
    as_it_is = earned(kind, (first, second), right).fraction
    assert earned(kind, (RIGHT, second), right).fraction >= as_it_is
    assert earned(kind, (first, OTHER), right).fraction >= as_it_is
    assert earned(kind, (RIGHT, OTHER), right).fraction == 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_a_factor_that_differs_from_input_to_input_is_no_constant_factor(kind: str) -> None:
    results = [earned(kind, factor * RIGHT) for factor in (0.5, 0.25)]
    verdict = combined(results, by_case=True)
    assert verdict.fraction == 0.0
    assert "a factor that differs from input to input" in verdict.message
    assert combined([results[0], results[0]], by_case=True).fraction == 0.5
    assert combined([results[0], earned(kind, RIGHT)], by_case=True).fraction == 0.75
