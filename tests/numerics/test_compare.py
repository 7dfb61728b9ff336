"""compare: structure, shape, dtype, finiteness, values, in this order; NaN never passes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import coo_matrix, csr_matrix

from grader.numerics import arrays as module
from grader.numerics.compare import (
    Comparison,
    Tolerance,
    compare,
    dense,
    describe,
    precision,
    relative_error,
    shape_slip,
)
from grader.records import Table

RTOL = 1e-4
RIGHT = np.array([[1.0, 2.5, -3.25], [0.5, 0.125, 4.0]])
NORMAL = st.floats(-1e3, 1e3, allow_nan=False).map(lambda x: round(x, 6))
ARRAYS = hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=4), elements=NORMAL)
NONZERO = ARRAYS.filter(lambda a: bool(np.abs(a).max() > 1e-3))


class Agreeable(np.ndarray[Any, Any]):
    """An array that claims to equal everything and to be close to everything."""

    def __eq__(self, other: object) -> Any:
        return np.True_

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        return True

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        return np.True_

    __hash__ = None  # type: ignore[assignment]


def code(got: Any, expected: Any, **options: Any) -> str:
    return compare(got, expected, Tolerance(RTOL, **options)).code


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        pytest.param(RIGHT, RIGHT, id="the same array"),
        pytest.param(RIGHT * (1 + 9e-5), RIGHT, id="an error just below the tolerance"),
        pytest.param(RIGHT.astype(np.float32), RIGHT, id="single precision"),
        pytest.param(np.asmatrix(RIGHT), RIGHT, id="a matrix"),
        pytest.param(csr_matrix(RIGHT), RIGHT, id="a sparse matrix"),
        pytest.param(RIGHT, csr_matrix(RIGHT), id="a sparse matrix is expected"),
        pytest.param(RIGHT.astype(complex), RIGHT, id="complex without an imaginary part"),
        pytest.param(np.asfortranarray(RIGHT), RIGHT, id="column-major memory"),
        pytest.param([1.0, 2, 3.5], np.array([1.0, 2.0, 3.5]), id="a list of numbers"),
        pytest.param(np.arange(3), np.arange(3.0), id="whole numbers where they are right"),
        pytest.param(0.5, 0.5, id="a float"),
        pytest.param(np.float64(0.5), 0.5, id="a numpy scalar"),
        pytest.param(np.array([0.5]), 0.5, id="a number in an array of one"),
        pytest.param(np.array([[0.5]]), 0.5, id="a number in a matrix of one"),
        pytest.param([0.5], 0.5, id="a number in a list of one"),
        pytest.param(np.zeros((0, 3)), np.zeros((0, 3)), id="nothing where nothing is expected"),
        pytest.param((RIGHT, 1.0), (RIGHT, 1.0), id="a tuple"),
        pytest.param([RIGHT, 1.0], (RIGHT, 1.0), id="a list where a tuple is expected"),
        pytest.param(((RIGHT,), 2.0), ((RIGHT,), 2.0), id="a tuple in a tuple"),
    ],
)
def test_a_right_value_is_accepted_in_every_usual_form(got: Any, expected: Any) -> None:
    assert compare(got, expected, RTOL).equal


@pytest.mark.parametrize(
    ("got", "expected", "named"),
    [
        pytest.param(None, RIGHT, "structure", id="nothing"),
        pytest.param("0.5", 0.5, "structure", id="text"),
        pytest.param(b"0.5", 0.5, "structure", id="bytes"),
        pytest.param(True, 1.0, "structure", id="a truth value"),
        pytest.param({"a": 1.0}, 1.0, "structure", id="a dict"),
        pytest.param([], np.zeros(0), "structure", id="an empty list"),
        pytest.param([[1.0], [2.0, 3.0]], np.ones((2, 1)), "structure", id="rows of other lengths"),
        pytest.param([[[1.0]], [[2.0]]], np.ones((2, 1, 1)), "structure", id="a list of lists of rows"),
        pytest.param([[1.0], [2.0]], np.ones((2, 1)), "values", id="rows with a wrong number"),
        pytest.param([np.ones((2, 2))], np.ones((1, 2, 2)), "structure", id="a list of matrices"),
        pytest.param([["a"], ["b"]], np.ones((2, 1)), "structure", id="rows of words"),
        pytest.param((0.5,), 0.5, "structure", id="a tuple of one"),
        pytest.param((1.0, 2.0, 3.0), (1.0, 2.0), "structure", id="a tuple too long"),
        pytest.param((1.0,), (1.0, 2.0), "structure", id="a tuple too short"),
        pytest.param(np.ones(2), (1.0, 1.0), "structure", id="an array where a tuple is expected"),
        pytest.param(0.5, np.full((3, 3), 0.5), "shape", id="a number that broadcasts"),
        pytest.param(np.full(3, 0.5), np.full((3, 3), 0.5), "shape", id="a row that broadcasts"),
        pytest.param(np.full((3, 3), 0.5), 0.5, "shape", id="many where one is expected"),
        pytest.param(np.zeros(0), 0.0, "shape", id="no entry where one is expected"),
        pytest.param(np.array(0.5), np.zeros(0), "shape", id="an entry where none is expected"),
        pytest.param(RIGHT.T + 1, RIGHT, "shape", id="transposed and wrong"),
        pytest.param(RIGHT.ravel() + 1, RIGHT, "shape", id="flattened and wrong"),
        pytest.param(np.full(6, np.nan), RIGHT, "shape", id="NaN in another shape"),
        pytest.param(RIGHT.T, RIGHT, "transposed", id="transposed"),
        pytest.param(RIGHT[:1].T, RIGHT[:1], "transposed", id="a column where a row is expected"),
        pytest.param(RIGHT.ravel(), RIGHT, "reshaped", id="flattened"),
        pytest.param(RIGHT[0][:, None], RIGHT[0], "reshaped", id="a column where a vector is expected"),
        pytest.param(RIGHT[0], RIGHT[0][:, None], "reshaped", id="a vector where a column is expected"),
        pytest.param(np.where(RIGHT > 2, np.nan, RIGHT), RIGHT, "not_finite", id="a NaN"),
        pytest.param(np.where(RIGHT > 2, np.inf, RIGHT), RIGHT, "not_finite", id="an infinity"),
        pytest.param(complex(0.5, np.nan), 0.5, "not_finite", id="an imaginary NaN"),
        pytest.param(np.trunc(RIGHT).astype(int), RIGHT, "integer_dtype", id="fractions cut off"),
        pytest.param(np.trunc(RIGHT), RIGHT, "values", id="floats without fractions"),
        pytest.param(RIGHT * (1 + 1.1e-4), RIGHT, "values", id="an error just above the tolerance"),
        pytest.param(RIGHT + 1j, RIGHT, "values", id="an imaginary part"),
        pytest.param(RIGHT > 0, RIGHT, "values", id="truth values"),
        pytest.param(-RIGHT, RIGHT, "values", id="the wrong sign"),
        pytest.param((RIGHT, 2.0), (RIGHT, 1.0), "values", id="the second part is wrong"),
    ],
)
def test_a_wrong_value_is_refused_and_the_difference_named(got: Any, expected: Any, named: str) -> None:
    found = compare(got, expected, RTOL)
    assert (found.equal, found.code) == (False, named)
    assert found.message


@pytest.mark.parametrize("expected", [np.nan, np.inf], ids=["NaN", "infinity"])
def test_a_value_that_is_not_finite_is_refused_even_where_the_reference_gives_it(expected: float) -> None:
    assert code(np.full(3, expected), np.full(3, expected)) == "not_finite"
    assert code(np.ones(3), np.array([1.0, expected, 1.0])) == "values"


@given(NONZERO, st.data())
def test_one_nan_anywhere_spoils_any_array(right: Any, data: st.DataObject) -> None:
    got = right.copy()
    place = data.draw(st.integers(0, got.size - 1))
    got.flat[place] = np.nan
    found = compare(got, right, Tolerance(1e9, flatten=True, scale=1e9))
    assert found.code == "not_finite"
    assert found.worst == np.unravel_index(place, got.shape)


def test_an_array_that_equals_everything_equals_only_what_is_in_it() -> None:
    wrong = (RIGHT + 1).view(Agreeable)
    assert np.allclose(wrong, RIGHT) is True  # the lie that this test is about
    assert code(wrong, RIGHT) == "values"
    assert compare(RIGHT.view(Agreeable), RIGHT, RTOL).equal
    assert type(dense(wrong)) is np.ndarray


def test_a_masked_array_cannot_hide_its_wrong_entries() -> None:
    wrong = np.ma.masked_array(RIGHT + np.eye(2, 3), mask=np.eye(2, 3))
    assert code(wrong, RIGHT) == "masked"
    assert compare(np.ma.masked_array(RIGHT, mask=False), RIGHT, RTOL).equal


@given(NONZERO, st.floats(1e-6, 1e6), st.floats(0, 3e-4))
def test_the_verdict_does_not_depend_on_the_unit_of_the_numbers(
    right: Any, unit: float, error: float
) -> None:
    got = right + error * np.abs(right).max()
    if not 0.99e-4 < error < 1.01e-4:  # rounding decides on the edge itself
        assert compare(got * unit, right * unit, RTOL).equal == (error < RTOL)


@given(NONZERO, st.data())
def test_reordering_both_arrays_alike_changes_nothing(right: Any, data: st.DataObject) -> None:
    got = right + data.draw(hnp.arrays(np.float64, right.shape, elements=st.floats(-1, 1)))
    order = data.draw(st.permutations(range(len(right))))
    assert compare(got[order], right[order], RTOL).code == compare(got, right, RTOL).code
    assert relative_error(got[order], right[order])[0] == relative_error(got, right)[0]


@given(ARRAYS)
def test_every_finite_array_equals_itself_and_nothing_in_another_structure(right: Any) -> None:
    assert compare(right, right, 1e-300).equal
    assert compare((right,), (right,), 1e-300).equal
    assert not compare((right,), right, RTOL).equal
    assert not compare(right, (right,), RTOL).equal


@given(NONZERO.filter(lambda a: a.size > 1), st.data())
def test_the_worst_entry_is_the_one_that_was_changed_most(right: Any, data: st.DataObject) -> None:
    first, second = data.draw(st.lists(st.integers(0, right.size - 1), min_size=2, max_size=2, unique=True))
    got = right.copy()
    size = np.abs(right).max()
    got.flat[first] += size
    got.flat[second] += 2 * size
    found = compare(got, right, RTOL)
    assert found.worst == np.unravel_index(second, right.shape)
    assert found.error == pytest.approx(2.0)


def test_a_given_scale_forgives_rounding_where_the_right_value_is_zero() -> None:
    assert code(1e-9, 0.0) == "values"
    assert code(1e-9, 0.0, scale=10.0) == ""
    assert code(1e-2, 0.0, scale=10.0) == "values"


def test_a_scale_smaller_than_the_entries_makes_nothing_stricter() -> None:
    assert code(1.00005, 1.0, scale=1e-9) == ""


@pytest.mark.parametrize(
    ("got", "flat_code"),
    [
        pytest.param(RIGHT.ravel(), "", id="flattened"),
        pytest.param(RIGHT.reshape(3, 2), "", id="the same order"),
        pytest.param(RIGHT.T, "transposed", id="another order"),
        pytest.param(RIGHT[:, :2], "shape", id="another size"),
    ],
)
def test_flatten_forgives_the_shape_but_not_the_order_or_the_size(got: Any, flat_code: str) -> None:
    found = code(got, RIGHT, flatten=True)
    assert (found == "") == (flat_code == "")
    assert code(got, RIGHT) != ""


@pytest.mark.parametrize(
    ("got", "slip"),
    [(RIGHT.T, "transposed"), (RIGHT.ravel(), "reshaped"), (RIGHT.ravel(order="F"), "reshaped")],
    ids=["transposed", "flattened", "flattened column by column"],
)
def test_equal_entries_in_another_shape_are_recognised_also_where_no_difference_is_allowed(
    got: Any, slip: str
) -> None:
    found = shape_slip(got, RIGHT, 0.0)
    assert found is not None
    assert found[0] == slip
    assert shape_slip(got + 1e-12, RIGHT, 0.0) is None


@pytest.mark.parametrize("value", [RIGHT, "text", None, [], {"a": 1.0}, (RIGHT, "text")], ids=str)
def test_equal_values_have_no_error(value: Any) -> None:
    found = compare(value, value, Tolerance(RTOL))
    assert (found.equal, found.error) == (True, 0.0)


def test_flatten_and_scale_reach_the_parts_of_a_tuple() -> None:
    got, right = (np.ones((3, 1)), 1e-9), (np.ones(3), 0.0)
    assert code(got, right) == "reshaped"
    assert code(got, right, flatten=True) == "values"
    assert code(got, right, flatten=True, scale=1.0) == ""


def test_the_message_on_a_tuple_says_which_part_is_wrong() -> None:
    found = compare((1.0, np.array([1.0, 5.0])), (1.0, np.array([1.0, 2.0])), RTOL)
    assert found == Comparison(
        "values", "in part 2 of the result, it is off by 1.5 of the largest entry", 1.5, (1,)
    )


def test_the_message_on_a_shape_gives_both_shapes() -> None:
    message = compare(np.ones((2, 3)), np.zeros((4, 5)), RTOL).message
    assert "(2, 3)" in message
    assert "(4, 5)" in message


def test_the_message_on_nan_counts_the_bad_entries() -> None:
    got = np.array([1.0, np.nan, -np.inf, 2.0])
    assert compare(got, np.ones(4), RTOL).message.startswith("2 of 4 entries")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        pytest.param(None, "nothing", id="nothing"),
        pytest.param((1, 2), "tuple of 2", id="a tuple"),
        pytest.param([[1]], "list of 1", id="a list"),
        pytest.param(np.full((2, 3), 7.25), "(2, 3)", id="an array"),
        pytest.param(7.25, "number", id="a number"),
        pytest.param("7.25", "text", id="text"),
        pytest.param({"a": 7.25}, "dict", id="a dict"),
    ],
)
def test_a_value_is_described_by_its_kind_and_never_by_its_numbers(value: Any, words: str) -> None:
    assert words in describe(value)
    assert "7" not in describe(value)


def test_a_sparse_matrix_too_large_to_fill_is_refused_without_filling_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_DENSE", 5)
    assert dense(csr_matrix(RIGHT)) is None
    assert code(csr_matrix(RIGHT), RIGHT) == "structure"
    monkeypatch.setattr(module, "MAX_DENSE", 6)
    assert code(csr_matrix(RIGHT), RIGHT) == ""


def test_a_sparse_matrix_whose_size_overflows_64_bits_is_refused_without_filling_it() -> None:
    assert dense(coo_matrix((2**32, 2**32))) is None


@pytest.mark.parametrize("value", [10**30, [10**400, 1], -(10**400)], ids=["30", "list", "400"])
def test_an_integer_too_large_for_the_machine_is_a_wrong_value_and_no_crash(value: Any) -> None:
    right = np.ones(2) if isinstance(value, list) else 1.0
    assert not compare(value, right, RTOL).equal


@pytest.mark.parametrize(
    "got",
    [
        pytest.param([[1.0, 2.0], [3.0, 4.0]], id="lists"),
        pytest.param([(1, 2), (3, 4)], id="tuples of whole numbers"),
        pytest.param([np.array([1.0, 2.0]), np.array([3.0, 4.0])], id="vectors"),
        pytest.param([[np.float32(1), np.float32(2)], [3.0, np.int64(4)]], id="NumPy's numbers"),
        pytest.param([np.array([1.0, 2.0]), [3.0, 4.0]], id="a mixture"),
    ],
)
def test_a_list_of_rows_is_the_matrix_that_it_is(got: list[Any]) -> None:
    assert compare(got, np.array([[1.0, 2.0], [3.0, 4.0]]), RTOL).equal
    assert compare(got[0], np.array([1.0, 2.0]), RTOL).equal or isinstance(got[0], tuple)
    assert code(got, np.array([[1.0, 2.0], [3.0, 5.0]])) == "values"


def test_a_list_of_numbers_in_single_precision_may_be_off_by_its_roundings() -> None:
    right = np.array([1 / 3, 2 / 3])
    assert compare([np.float32(value) for value in right], right, 1e-12).equal
    assert not compare([float(np.float32(value)) for value in right], right, 1e-12).equal


@pytest.mark.parametrize("got", [-1.7e308, complex(1.7e308, 1.7e308)], ids=str)
def test_a_result_that_exploded_is_a_wrong_value_without_a_warning(got: complex) -> None:
    assert code(np.array([got, 1.0]), np.array([1.7e308, 1.0])) == "values"


@pytest.mark.parametrize(
    ("dtype", "off", "equal"),
    [
        pytest.param(np.float64, 1e-7, False, id="double, more than the tolerance"),
        pytest.param(np.float32, 1e-6, True, id="single, a few roundings"),
        pytest.param(np.float32, 1e-5, False, id="single, many roundings"),
        pytest.param(np.float16, 1e-2, False, id="half, a few roundings, which no input has"),
        pytest.param(np.complex64, 1e-6, True, id="single complex, a few roundings"),
        pytest.param(np.complex128, 1e-6, False, id="double complex, more than the tolerance"),
    ],
)
def test_a_coarser_dtype_may_be_off_by_a_few_of_its_own_roundings(
    dtype: Any, off: float, equal: bool
) -> None:
    right = np.array([1.0, 0.5, -0.25])
    got = (right * (1 + off)).astype(dtype)
    assert compare(got, right, 1e-8).equal == equal


@pytest.mark.parametrize(
    ("value", "eps"),
    [
        pytest.param(1.0, 2.0**-52, id="a float"),
        pytest.param(3, 2.0**-52, id="a whole number"),
        pytest.param("text", 2.0**-52, id="text"),
        pytest.param(np.ones(2, np.float32), 2.0**-23, id="single"),
        pytest.param((np.ones(2), np.ones(2, np.float32)), 2.0**-23, id="the coarsest part"),
        pytest.param(np.ones(2, np.float16), 2.0**-23, id="half counts as single"),
        pytest.param((), 2.0**-52, id="no part"),
        pytest.param(np.ones(2, np.longdouble), 2.0**-52, id="long double"),
    ],
)
def test_the_precision_of_a_value_is_that_of_its_coarsest_dtype(value: Any, eps: float) -> None:
    assert precision(value) == eps


@pytest.mark.parametrize(
    ("got", "right", "words"),
    [
        pytest.param(RIGHT[0][:, None], RIGHT[0], "a column (N, 1) in place of a vector (N,)", id="column"),
        pytest.param(RIGHT[:1], RIGHT[0], "a row (1, N) in place of a vector (N,)", id="row"),
        pytest.param(RIGHT[0], RIGHT[0][:, None], "a vector (N,) in place of a column (N, 1)", id="vector"),
        pytest.param(RIGHT.ravel(), RIGHT, "but flattened", id="flattened"),
        pytest.param(RIGHT.ravel(order="F"), RIGHT, "flattened column by column", id="flattened by column"),
        pytest.param(RIGHT[None], RIGHT, "in another shape", id="an axis too many"),
        pytest.param(RIGHT.T, RIGHT, "the result is transposed", id="transposed"),
    ],
)
def test_the_message_on_right_entries_says_how_they_stand(got: Any, right: Any, words: str) -> None:
    assert words in compare(got, right, RTOL).message


# Values of every kind


FRAME = Table(("a", "b"), np.arange(2), (np.array([1.0, 2.0]), np.array([3, 4])))
NAMES = Table(("name",), np.arange(2), (np.array(["x", "y"]),))
MASKED = np.ma.masked_array([1.0, 2.0, 3.0], [False, True, False])
EQUAL = {
    "a truth value": (True, True),
    "a truth of numpy": (np.False_, False),
    "a truth where one of numpy is expected": (True, np.True_),
    "the number 1 for true": (1, True),
    "the number 0 for false": (np.array([0.0]), False),
    "text": ("yes", "yes"),
    "nothing": (None, None),
    "a dict": ({"a": 1.0, "b": [1, 2]}, {"b": np.array([1.0, 2.0]), "a": 1}),
    "a dict of dicts": ({"a": {1: True}}, {"a": {1: True}}),
    "a set of text": ({"a", "b"}, {"b", "a"}),
    "a set of numbers": ({1.0, 2.0 + 1e-9}, {1, 2}),
    "an empty set": (set(), set()),
    "an empty list": ([], []),
    "nested lists of different lengths": ([[1, 2], [3]], [[1.0, 2.0], [3.0]]),
    "a list of arrays": ([np.ones(2), np.ones(3)], [np.ones(2), [1, 1, 1]]),
    "a list where a tuple is expected": ([1, "a"], (1.0, "a")),
    "a tuple of rows where an array is expected": ((np.ones(2), np.ones(2)), np.ones((2, 2))),
    "a list of numbers of numpy": ([np.int64(1), np.int64(2)], np.array([1, 2])),
    "an array of text": (np.array(["a", "bc"]), np.array(["a", "bc"])),
    "a list where an array of text is expected": (["a", "bc"], np.array(["a", "bc"])),
    "an array where a list of text is expected": (np.array(["a", "bc"]), ["a", "bc"]),
    "masked entries": (np.ma.masked_array([1.0, 9.0, 3.0], [False, True, False]), MASKED),
    "NaN for masked entries": (np.array([1.0, np.nan, 3.0]), MASKED),
    "complex": (np.array([1 + 2j]), np.array([1 + 2j])),
    "a table with its columns in another order": (
        Table(("b", "a"), np.arange(2), (np.array([3, 4]), np.array([1.0, 2.0]))), FRAME
    ),
    "an array where a table is expected": (np.array([[1, 3], [2, 4]]), FRAME),
    "a table where an array is expected": (FRAME, np.array([[1.0, 3.0], [2.0, 4.0]])),
    "a table of text": (NAMES, NAMES),
    "a series": (Table(None, np.arange(2), (np.ones(2),)), np.ones(2)),
    "an array where a series is expected": (np.ones(2), Table(None, np.arange(2), (np.ones(2),))),
}  # fmt: skip


@pytest.mark.parametrize(("got", "expected"), EQUAL.values(), ids=EQUAL)
def test_equal_values_of_every_kind_are_equal(got: Any, expected: Any) -> None:
    result = compare(got, expected, RTOL)
    assert result.equal, result


UNEQUAL = {
    "the other truth": (False, True, "values", "it is False"),
    "the number 2 for true": (2, True, "structure", "a number where True or False is expected"),
    "text for a truth": ("True", True, "structure", "a text where True or False"),
    "an array of truths": (np.array([True, True]), True, "structure", "an array of shape (2,)"),
    "a truth for a number": (True, 1.0, "structure", "True or False where a number"),
    "another text": ("no", "yes", "values", "another text"),
    "a number for a text": (1, "1", "structure", "a number where a text"),
    "something for nothing": (0, None, "structure", "a number where nothing (None)"),
    "nothing for something": (None, "a", "structure", "nothing (None) where a text"),
    "a key that is missing": ({"a": 1}, {"a": 1, "b": 2}, "structure", "the key 'b' is missing"),
    "a key too many": ({"a": 1, "b": 2}, {"a": 1}, "structure", "it has the key 'b', which is not"),
    "a wrong value at a key": ({"a": np.ones(2)}, {"a": np.zeros(2) + 2}, "values", "at the key 'a', it is off"),
    "a list for a dict": ([1], {"a": 1}, "structure", "a list of 1 where a dict of 1"),
    "another set": ({"a", "c"}, {"a", "b"}, "values", "1 of its 2 elements"),
    "another set of numbers": ({1, 3}, {1, 2}, "values", "off by"),
    "a smaller set": ({1}, {1, 2}, "structure", "1 elements where 2"),
    "a list for a set": ([1, 2], {1, 2}, "structure", "a list of 2 where a set of 2"),
    "a wrong inner list": ([[1, 2], [4]], [[1, 2], [3]], "values", "in part 2 of the result"),
    "a shorter list": ([[1, 2]], [[1, 2], [3]], "structure", "a list of 1 where a list of 2"),
    "a wrong array of text": (np.array(["a", "x"]), np.array(["a", "b"]), "values", "1 of its 2 texts"),
    "numbers for an array of text": (np.ones(2), np.array(["a", "b"]), "structure", "is expected"),
    "an array of text of another shape": (np.array(["a"]), np.array(["a", "b"]), "shape", "(2,)"),
    "text for an array": (np.array(["1", "2"]), np.array([1, 2]), "structure", "is expected"),
    "other entries are masked": (np.ma.masked_array([1.0, 2, 3], [True, False, False]), MASKED, "values", "masked"),
    "no entry is masked": (np.array([1.0, 2.0, 3.0]), MASKED, "values", "masked"),
    "masked entries where none are": (MASKED, np.array([1.0, 2.0, 3.0]), "masked", "1 of 3 entries are masked"),
    "a wrong entry beside masked ones": (np.array([1.0, np.nan, 4.0]), MASKED, "values", "off by"),
    "another imaginary part": (np.array([1 + 1j]), np.array([1 + 2j]), "values", "off by"),
    "a column that is missing": (Table(("a",), np.arange(2), (np.ones(2),)), FRAME, "structure", "column 'b'"),
    "a column too many": (FRAME, Table(("a",), np.arange(2), (np.array([1.0, 2.0]),)), "structure", "2 columns"),
    "a wrong column": (Table(("a", "b"), np.arange(2), (np.ones(2), np.array([3, 4]))), FRAME, "values", "column 'a'"),
    "a dict for a table": ({"a": [1, 2], "b": [3, 4]}, FRAME, "structure", "a table of 2 rows"),
    "text for a table of text": ("x", NAMES, "structure", "a text where a table of 2 rows"),
}  # fmt: skip


@pytest.mark.parametrize(("got", "expected", "kind", "words"), UNEQUAL.values(), ids=UNEQUAL)
def test_a_difference_of_any_kind_is_found_and_named(got: Any, expected: Any, kind: str, words: str) -> None:
    result = compare(got, expected, RTOL)
    assert (result.code, words in result.message) == (kind, True), result
