"""What a student reads of a value: what it is, and where it is furthest from right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from grader.course import Case
from grader.numerics.in_words import MAX_ENTRIES, describe, describe_input, furthest, text_of
from grader.records import Table

RIGHT = np.array([[1.0, 2.0], [3.0, 4.0]])


def moved(place: Any, by: float) -> Any:
    value = RIGHT.copy()
    value[place] += by
    return value


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "nothing (None)"),
        (True, "True or False"),
        ("secret", "a text"),
        ((1, 2), "a tuple of 2"),
        ([1], "a list of 1"),
        ({"a": 1}, "a dict of 1"),
        (3, "a number"),
        (np.float64(3), "a number"),
        (np.zeros((2, 3)), "an array of shape (2, 3)"),
        (csr_matrix(np.zeros((2, 3))), "an array of shape (2, 3)"),
        (Table(None, (0, 1, 2), ([1.0, 2.0, 3.0],)), "a series of 3"),
        (Table(("a",), (0, 1), ([1.0, 2.0],)), "a table of 2 rows"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_is_named_by_its_kind_and_not_by_its_numbers(value: Any, words: str) -> None:
    assert describe(value) == words


def test_the_entry_that_is_furthest_is_named_with_both_values() -> None:
    got = moved((1, 0), 0.5)
    got[0, 1] += 0.25
    assert furthest((got,), (RIGHT,), "right is") == "entry [1, 0]: yours is 3.5, right is 3"
    assert furthest((1.5,), (2.0,), "right is") == "the number: yours is 1.5, right is 2"
    assert furthest((RIGHT.ravel(),), (moved((0, 1), 1.0),), "it is") == "entry [0, 1]: yours is 2, it is 3"


def test_the_part_that_is_furthest_relative_to_its_own_size_is_named() -> None:
    large, small = 1e6 * moved((0, 0), 0.1), 1e-6 * moved((1, 1), 1.0)
    right = (1e6 * RIGHT, 1e-6 * RIGHT)
    said = furthest((large, small), right, "the slope is", ("U", "V"))
    assert said == "entry [1, 1] of the part for V: yours is 5e-06, the slope is 4e-06"


@pytest.mark.parametrize("spoilt", [np.nan, np.inf, -np.inf])
def test_an_entry_that_is_not_finite_is_furthest(spoilt: float) -> None:
    got = moved((0, 0), 1e9)
    got[1, 0] = spoilt
    assert furthest((got,), (RIGHT,), "right is").startswith("entry [1, 0]: yours is")


@pytest.mark.parametrize(
    ("got", "right"),
    [
        ((RIGHT,), (RIGHT,)),
        ((None,), (RIGHT,)),
        (("text",), (RIGHT,)),
        ((np.array([["a", "b"], ["c", "d"]]),), (RIGHT,)),
        ((np.zeros(3),), (RIGHT,)),
        ((np.zeros((0, 2)),), (np.zeros((0, 2)),)),
        ((RIGHT, RIGHT), (RIGHT,)),
        ((moved((0, 0), 1.0),), (None,)),
    ],
    ids=[
        "right",
        "nothing",
        "text",
        "array of text",
        "another size",
        "empty",
        "too many parts",
        "no numbers",
    ],
)
def test_where_nothing_can_be_compared_or_nothing_is_wrong_no_entry_is_named(got: Any, right: Any) -> None:
    assert furthest(got, right, "right is") == ""


def test_a_part_that_cannot_be_compared_does_not_hide_one_that_is_wrong() -> None:
    said = furthest((None, moved((0, 1), 1.0)), (RIGHT, RIGHT), "right is", ("U", "V"))
    assert said == "entry [0, 1] of the part for V: yours is 3, right is 2"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.array([[1.0, 0.5]]), "[[1, 0.5]]"),
        (np.array(2.0), "2"),
        ((1, np.array([2.0])), "(1, [2])"),
        (0.123456, "0.1235"),
        (7, "7"),
        ("svd", "'svd'"),
        (csr_matrix(np.eye(1)), "csr_matrix([[1]])"),
        (np.zeros(MAX_ENTRIES + 1), f"<{MAX_ENTRIES + 1} array>"),
        (np.zeros((6, 7)), "<6 × 7 array>"),
    ],
    ids=str,
)
def test_a_short_value_is_written_out_and_a_long_one_by_its_shape(value: Any, text: str) -> None:
    assert text_of(value) == text
    assert not text_of(np.zeros(MAX_ENTRIES)).startswith("<")


def test_an_input_is_written_as_the_arguments_of_a_call() -> None:
    case = Case("two points", (np.array([1.0]), 3), {"lr": 0.5})
    assert describe_input(case, ("x", "k", "lr")) == "two points: x = [1], k = 3, lr = 0.5"
