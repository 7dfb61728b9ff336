"""Properties: each holds for what has it, fails for what has not, and nothing holds for zeros or NaN."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.sparse import csr_matrix

from grader.checks.property import OF_VALUES, WORDS, Change, PropertyCase, PropertyCheck, mutation, violation
from grader.course import Case
from grader.records import Outcome, OutcomeKind
from grader.subjects import Call

SYMMETRIC = np.array([[0.0, 0.3, 0.1], [0.3, 0.0, 0.1], [0.1, 0.1, 0.0]])
RELATED = ("deterministic", "translation_invariant", "rotation_equivariant", "permutation_equivariant")
ALL = (*OF_VALUES, *RELATED)
SAME = Change()
SEEDS = st.integers(0, 10**6)


def of(name: str, value: Any) -> float:
    return violation(name, value, None, SAME)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("sums_to_one", SYMMETRIC, id="sums_to_one"),
        pytest.param("sums_to_one", csr_matrix(SYMMETRIC), id="sums_to_one, sparse"),
        pytest.param("sums_to_one", [0.25, 0.75], id="sums_to_one, a list of numbers"),
        pytest.param("sums_to_one", (SYMMETRIC, SYMMETRIC * 7), id="sums_to_one, the first part counts"),
        pytest.param("sums_to_zero", np.array([[1.0, -2.0], [-1.0, 2.0]]), id="sums_to_zero"),
        pytest.param("sums_to_zero", np.array([1.0, -1.0]), id="sums_to_zero, a vector"),
        pytest.param("symmetric", SYMMETRIC, id="symmetric"),
        pytest.param("symmetric", SYMMETRIC > 0, id="symmetric, truth values"),
        pytest.param("zero_diagonal", SYMMETRIC, id="zero_diagonal"),
        pytest.param("nonnegative", SYMMETRIC, id="nonnegative"),
        pytest.param("nonnegative", 3.5, id="nonnegative, a number"),
        pytest.param("in_unit_interval", np.array([0.0, 0.5, 1.0]), id="in_unit_interval"),
    ],
)
def test_a_value_that_has_a_property_does_not_violate_it(name: str, value: Any) -> None:
    assert of(name, value) <= 1e-12


@pytest.mark.parametrize(
    ("name", "value", "size"),
    [
        pytest.param("sums_to_one", SYMMETRIC * 1.5, 0.5, id="sums_to_one"),
        pytest.param("sums_to_one", SYMMETRIC / 2, 0.5, id="sums_to_one, too small"),
        pytest.param("sums_to_one", [1.0, 5.0], 5.0, id="sums_to_one, a list of numbers"),
        pytest.param("sums_to_zero", np.array([[1.0, -2.0], [-1.0, 1.0]]), 0.5, id="one column only"),
        pytest.param("sums_to_zero", np.array([[2.0, -2.0]]), 1.0, id="sums over a row, not over rows"),
        pytest.param("symmetric", np.array([[0.0, 2.0], [1.0, 0.0]]), 0.5, id="symmetric"),
        pytest.param("symmetric", np.ones((2, 3)), np.inf, id="symmetric, no square"),
        pytest.param("symmetric", np.ones(3), np.inf, id="symmetric, a vector"),
        pytest.param("zero_diagonal", np.array([[0.0, 2.0], [1.0, -1.0]]), 0.5, id="zero_diagonal"),
        pytest.param("zero_diagonal", np.ones((2, 3)), np.inf, id="zero_diagonal, no square"),
        pytest.param("nonnegative", np.array([4.0, -1.0]), 0.25, id="nonnegative"),
        pytest.param("in_unit_interval", np.array([0.5, 1.25]), 0.25, id="in_unit_interval, above"),
        pytest.param("in_unit_interval", np.array([0.5, -0.25]), 0.25, id="in_unit_interval, below"),
    ],
)
def test_the_size_of_a_violation_is_measured(name: str, value: Any, size: float) -> None:
    assert of(name, value) == pytest.approx(size)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    "value",
    [
        pytest.param(np.full((3, 3), np.nan), id="NaN"),
        pytest.param(np.where(SYMMETRIC > 0.2, np.inf, SYMMETRIC), id="infinity"),
        pytest.param(np.zeros((3, 3)), id="zero everywhere"),
        pytest.param((np.zeros((3, 3)), np.zeros(2)), id="parts that are zero everywhere"),
        pytest.param((SYMMETRIC, np.nan), id="NaN in the second part"),
        pytest.param(None, id="nothing"),
        pytest.param("text", id="text"),
        pytest.param((), id="an empty tuple"),
        pytest.param((SYMMETRIC, None), id="a part is missing"),
    ],
)
def test_nothing_holds_for_a_value_that_proves_nothing(name: str, value: Any) -> None:
    assert violation(name, value, value, SAME) == np.inf


def made(name: str, **options: Any) -> PropertyCheck:
    fields = {"id": "c", "title": "t", "points": 1, "type": "property", "inputs": "i", "property": name}
    return PropertyCheck.model_validate({**fields, **options})


@pytest.mark.parametrize("name", sorted(WORDS))
def test_what_relates_the_results_on_two_inputs_needs_the_argument_that_is_changed(name: str) -> None:
    if name in (*OF_VALUES, "deterministic", "input_not_mutated"):
        assert made(name).argument is None
    else:
        with pytest.raises(ValidationError, match=f"the property {name} needs the key 'argument'"):
            made(name)
    assert made(name, argument="x").argument == "x"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("sums_to_one", np.array([1.0, 0.5]), "the sum is 1.5"),
        ("sums_to_one", np.array(3.0), ""),
        ("sums_to_zero", np.array([[1.0, -2.0], [1.0, 2.0]]), "the sum over the rows is [2, 0]"),
        ("zero_diagonal", np.array([[1.0, 2.0], [3.0, 4.0]]), "the diagonal is [1, 4]"),
        ("zero_diagonal", np.array([1.0, 2.0]), ""),
        ("nonnegative", np.array([1.0, -2.0]), "the smallest entry is -2"),
        ("nonnegative", np.zeros((0, 2)), ""),
        ("nonnegative", np.array([1j]), ""),
        ("in_unit_interval", np.array([-1, 5]), "the entries run from -1 to 5"),
        ("in_unit_interval", np.zeros(0), ""),
        ("in_unit_interval", "text", ""),
        ("symmetric", np.array([[0.0, 2.0], [1.0, 0.0]]), "the largest change is 0.5 of the largest entry"),
    ],
)
def test_what_violates_a_property_is_shown_where_there_is_something_to_show(
    name: str, value: Any, words: str
) -> None:
    case = PropertyCase((Call("one", "f", ()),), Case("case", ()), made(name), SAME)
    result = case.judge({"one": Outcome(OutcomeKind.RETURNED, value)}, None)
    assert result.fraction == 0.0
    assert words in case.detail(value, result)
    if not words:
        assert "sum" not in case.detail(value, result)
        assert "entr" not in case.detail(value, result).removesuffix("of the largest entry")


def test_a_complex_result_does_not_sum_to_one_by_its_real_part() -> None:
    assert of("sums_to_one", np.array([1.0 + 5.0j])) > 1e-3


@pytest.mark.parametrize("name", ["sums_to_zero", "symmetric", "zero_diagonal", "nonnegative"])
@given(st.integers(-30, 30), SEEDS)
def test_a_relative_violation_does_not_depend_on_the_unit(name: str, power: int, seed: int) -> None:
    value = np.random.default_rng(seed).standard_normal((3, 3))
    assert of(name, value * 2.0**power) == pytest.approx(of(name, value), rel=1e-9)


@given(SEEDS, st.integers(1, 4))
def test_a_result_that_turns_with_its_input_is_rotation_equivariant(seed: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    value, rotation = rng.standard_normal((5, d)), np.linalg.qr(rng.standard_normal((d, d)))[0]
    relation = Change(rotation=rotation)
    assert violation("rotation_equivariant", value, value @ rotation, relation) < 1e-12
    assert violation("rotation_equivariant", value, value @ rotation * 1.01, relation) > 1e-3
    assert violation("rotation_equivariant", value, value @ rotation + 0.1, relation) > 1e-3


@given(SEEDS, st.integers(2, 6))
def test_a_result_that_follows_the_order_of_the_points_is_permutation_equivariant(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    order = rng.permutation(n)
    rows, square, relation = rng.random((n, n + 1)) + 1, rng.random((n, n)), Change(permutation=order)
    pair = square[np.ix_(order, order)]
    assert violation("permutation_equivariant", rows, rows[order], relation) == 0.0
    assert violation("permutation_equivariant", square, pair, relation) == 0.0
    assert violation("permutation_equivariant", 2.5, 2.5, relation) == 0.0
    moved = np.roll(rows[order], 1, axis=0)
    assert violation("permutation_equivariant", rows, moved, relation) > 0.0
    assert violation("permutation_equivariant", (rows, square), (rows[order], pair), relation) == 0.0
    assert violation("permutation_equivariant", (rows, square), (moved, pair), relation) > 0.0


@pytest.mark.parametrize(
    ("value", "other", "relation"),
    [
        pytest.param(np.ones(3), np.ones((3, 1)), SAME, id="another shape"),
        pytest.param(np.ones(3), np.array([1.0, np.nan, 1.0]), SAME, id="NaN the second time"),
        pytest.param(np.ones(3), None, SAME, id="nothing the second time"),
        pytest.param(np.ones(3), "text", SAME, id="text the second time"),
        pytest.param((np.ones(3), 1.0), (np.ones(3),), SAME, id="a part less the second time"),
        pytest.param((np.ones(3), 1.0), np.ones(3), SAME, id="no tuple the second time"),
        pytest.param(np.ones((4, 3)), np.ones((4, 3)), Change(rotation=np.eye(2)), id="wrong dimensions"),
        pytest.param(np.ones((4, 3)), np.ones((4, 3)), Change(permutation=np.arange(5)), id="wrong length"),
    ],
)
def test_a_second_result_that_cannot_be_compared_violates_the_relation(
    value: Any, other: Any, relation: Any
) -> None:
    assert violation("deterministic", value, other, relation) == np.inf


@pytest.mark.parametrize(
    ("value", "other", "size"),
    [
        pytest.param(np.ones(3), np.ones(3), 0.0, id="equal"),
        pytest.param(np.full(3, 4.0), np.array([4.0, 4.0, 5.0]), 0.25, id="different"),
        pytest.param((np.ones(3), 2.0), (np.ones(3), 3.0), 0.5, id="a part is different"),
        pytest.param([2.0, 4.0], [2.0, 4.0], 0.0, id="lists of numbers"),
        pytest.param(np.eye(2) > 0, np.eye(2) > 0, 0.0, id="equal truth values"),
        pytest.param(np.eye(2) > 0, np.eye(2) < 1, 1.0, id="different truth values"),
        pytest.param(2.0, 2.0, 0.0, id="numbers"),
        pytest.param(csr_matrix(SYMMETRIC), csr_matrix(SYMMETRIC), 0.0, id="sparse"),
    ],
)
def test_the_difference_of_two_calls_is_measured_relative_to_the_first(
    value: Any, other: Any, size: float
) -> None:
    assert violation("deterministic", value, other, SAME) == pytest.approx(size)


def test_a_number_does_not_turn_with_its_input() -> None:
    rotation = Change(rotation=np.array([[0.0, -1.0], [1.0, 0.0]]))
    assert violation("rotation_equivariant", 2.5, 2.5, rotation) == 0.0
    assert violation("rotation_equivariant", 2.5, 3.0, rotation) == pytest.approx(0.2)


@pytest.mark.parametrize(
    "argument",
    [
        pytest.param(np.arange(4.0), id="an array"),
        pytest.param(np.array([1.0, np.nan]), id="an array with NaN"),
        pytest.param(csr_matrix(SYMMETRIC), id="a sparse matrix"),
        pytest.param([1.0, 2.0], id="a list of numbers"),
        pytest.param("random", id="text"),
        pytest.param(None, id="nothing"),
        pytest.param(3, id="a number"),
        pytest.param((np.arange(3), np.arange(3)), id="a tuple of arrays"),
        pytest.param([[1.0, 2.0], [3.0]], id="a list of lists"),
        pytest.param({"a": np.arange(3)}, id="a dict of arrays"),
    ],
)
def test_an_argument_that_came_back_unchanged_is_not_called_changed(argument: Any) -> None:
    again = {key: value.copy() for key, value in argument.items()} if isinstance(argument, dict) else None
    if isinstance(argument, tuple):
        again = tuple(part.copy() for part in argument)
    if again is None:
        again = argument.copy() if hasattr(argument, "copy") else argument
    assert mutation((1.0, argument), (1.0, again)) == 0.0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(np.zeros(3), np.array([0.0, 1e-300, 0.0]), id="an entry, however little"),
        pytest.param(np.zeros(3), np.array([0.0, np.nan, 0.0]), id="an entry became NaN"),
        pytest.param(np.zeros(3), np.zeros((3, 1)), id="the shape"),
        pytest.param(csr_matrix(SYMMETRIC), csr_matrix(SYMMETRIC * 2), id="a sparse matrix"),
        pytest.param([1.0, 2.0], [1.0, 2.0, 3.0], id="a list that grew"),
        pytest.param(np.zeros(3), None, id="it is gone"),
        pytest.param({"a": 1}, {"a": 2}, id="a value of a dict"),
        pytest.param({"a": np.arange(3)}, {"a": np.arange(3) + 1}, id="an array in a dict"),
        pytest.param(
            (np.arange(3), np.arange(3)), (np.arange(3), np.arange(3) + 1), id="an array in a tuple"
        ),
        pytest.param((np.arange(3),), (np.arange(3), np.arange(3)), id="a tuple that grew"),
    ],
)
def test_an_argument_that_changed_is_found(before: Any, after: Any) -> None:
    assert mutation((1.0, before), (1.0, after)) == np.inf


def test_arguments_that_did_not_come_back_prove_nothing() -> None:
    assert mutation((1.0, 2.0), None) == np.inf
    assert mutation((1.0, 2.0), (1.0,)) == np.inf
    assert mutation((), ()) == 0.0


def test_every_property_of_the_rubric_has_words_and_every_word_a_property() -> None:
    properties = set(get_args(PropertyCheck.model_fields["property"].annotation))
    assert set(WORDS) == properties == {*ALL, "input_not_mutated"}
