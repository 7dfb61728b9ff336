"""The wire: what goes in comes out in exact types, and no bytes make it do anything else than refuse."""

from __future__ import annotations

import contextlib
import json
import struct
from collections import OrderedDict, namedtuple
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from grader.inside import wire
from grader.inside.received import decode_inputs
from grader.inside.wire import TooLarge, WireError, decode, encode

DTYPES = ["?", "i1", "u2", "<i4", ">i4", "<i8", "u8", "<f2", "<f4", ">f4", "<f8", ">f8", "<c8", "<c16"]
ARRAYS = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**600), 2**600) | st.floats() | st.complex_numbers()
    | st.text() | st.binary(max_size=9)
)  # fmt: skip
VALUES = st.recursive(
    SCALARS | ARRAYS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=6,
)


def same(first: Any, second: Any) -> bool:
    """Whether two values are equal in type, shape, dtype and every bit that counts."""
    if type(first) is not type(second):
        return False
    if isinstance(first, np.ndarray):
        alike = (
            first.dtype.newbyteorder("=") == second.dtype.newbyteorder("=") and first.shape == second.shape
        )
        return alike and np.array_equal(first, second, equal_nan=first.dtype.kind in "fc")
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, dict):
        return list(first) == list(second) and all(same(first[key], second[key]) for key in first)
    return bool(first == second) or (first != first and second != second)


@given(VALUES)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    assert same(decode(encode(value)), value)


@given(VALUES, st.data())
def test_a_message_that_was_damaged_is_refused_or_is_another_value(value: Any, data: st.DataObject) -> None:
    message = bytearray(encode(value))
    place = data.draw(st.integers(0, len(message) - 1))
    message[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(WireError):
        decode(bytes(message[: data.draw(st.integers(0, len(message)))]))


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
    | st.sampled_from(["array", "scalar", "csr", "tuple", "list", "set", "dict", "map", "complex", "bytes", "masked", "texts", "table", "function", "<f8", "<i8", "O", "V8"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["t", "d", "s", "b", "v", "k", "data", "mask", "columns", "index", "name", "source", "indices", "indptr"]), inner, max_size=6)
    ),
    max_leaves=9,
)  # fmt: skip


def message(tree: Any, blobs: bytes = b"") -> bytes:
    text = json.dumps(tree).encode()
    return wire.MAGIC + struct.pack("<I", len(text)) + text + blobs


@given(TREES, st.binary(max_size=32))
def test_whatever_the_tree_nothing_but_the_refusal_is_raised(tree: Any, blobs: bytes) -> None:
    with contextlib.suppress(WireError):
        decode(message(tree, blobs))


@given(st.binary(max_size=40))
def test_whatever_the_bytes_nothing_but_the_refusal_is_raised(blob: bytes) -> None:
    for data in (blob, wire.MAGIC + blob, message(None)[:8] + blob):
        with contextlib.suppress(WireError):
            decode(data)


def array(**changes: Any) -> dict[str, Any]:
    return {"t": "array", "d": "<f8", "s": [2], "b": [0, 16]} | changes


def csr(**changes: Any) -> dict[str, Any]:
    """A sparse 2 x 2 matrix with entries at (0, 1) and (1, 0)."""
    parts = {
        "data": array(b=[0, 16]),
        "indices": array(d="<i8", b=[16, 16]),
        "indptr": array(d="<i8", s=[3], b=[32, 24]),
    }
    return {"t": "csr", "s": [2, 2], **parts} | changes


BLOBS = np.array([1.0, 2.0]).tobytes() + np.array([1, 0, 0, 1, 2]).tobytes()
WRONG = {
    "objects": array(d="O"),
    "pickled objects": array(d="|O8"),
    "raw memory": array(d="V8"),
    "text": array(d="<U2"),
    "an array of text that is none": {"t": "texts", "s": [1], "v": [1]},
    "an array of text of another shape": {"t": "texts", "s": [2], "v": ["a"]},
    "an array of text of a negative shape": {"t": "texts", "s": [-1, -1], "v": ["a"]},
    "a mask of another shape": {"t": "masked", "data": array(), "mask": array(d="?", s=[1], b=[0, 1])},
    "a mask of numbers": {"t": "masked", "data": array(), "mask": array()},
    "a set that holds a list": {"t": "set", "v": [{"t": "list", "v": []}]},
    "a dict with a list for a key": {"t": "map", "k": [{"t": "list", "v": []}], "v": [1]},
    "a table": {"t": "table", "columns": None, "index": array(), "data": [array()]},
    "a function": {"t": "function", "name": "f", "source": "def f(): pass"},
    "dates": array(d="<M8[s]"),
    "records": array(d="i4,i4"),
    "extended precision of 32 bytes": array(d="<c32"),
    "no dtype": array(d="<x9"),
    "a dtype that is a number": array(d=8),
    "more data than the shape": array(s=[1]),
    "less data than the shape": array(s=[3]),
    "a negative side": array(s=[-2, -1]),
    "a side that is a fraction": array(s=[2.0]),
    "a side that is true": array(s=[True, 2]),
    "too many sides": array(s=[2] + [1] * 16),
    "an endless shape": array(s=[2**40, 2**40]),
    "a blob behind the end": array(b=[72, 16]),
    "a blob before the start": array(b=[-8, 16]),
    "a blob of negative size": array(b=[16, -16]),
    "a blob at a fraction": array(b=[0.0, 16]),
    "a blob in three parts": array(b=[0, 8, 8]),
    "no blob": {"t": "array", "d": "<f8", "s": [2]},
    "an unknown tag": {"t": "module", "v": "os"},
    "no tag": {"v": 1},
    "a tag that is a list": {"t": []},
    "a bare list": [1],
    "a dict with a number for a key": {"t": "dict", "k": [1], "v": [1]},
    "a dict with more keys than values": {"t": "dict", "k": ["a", "b"], "v": [1]},
    "a complex number in three parts": {"t": "complex", "v": [1, 2, 3]},
    "a complex number of text": {"t": "complex", "v": ["1", "2"]},
    "a tuple of nothing": {"t": "tuple", "v": None},
    "a column that is not there": csr(s=[2, 1]),
    "a row that is not there": csr(s=[1, 2]),
    "more rows": csr(s=[3, 2]),
    "a number of rows that is true": csr(s=[True, 2]),
    "a number of rows that is text": csr(s=["2", 2]),
    "indices that are fractions": csr(indices=array(b=[16, 16])),
    "negative indices": csr(indices=array(d="<i8", b=[56, 16])),
    "data that are a table": csr(data=array(s=[1, 2])),
    "rows that run backwards": csr(indptr=array(d="<i8", s=[3], b=[56, 24])),
    "a part that is a list": csr(data={"t": "list", "v": []}),
}
MORE = BLOBS + np.array([-1, 0, 2]).tobytes()


@pytest.mark.parametrize("tree", WRONG.values(), ids=WRONG)
def test_a_message_is_refused_that_holds(tree: Any) -> None:
    assert same(decode(message(array(), MORE)), np.array([1.0, 2.0]))
    np.testing.assert_array_equal(decode(message(csr(), MORE)).toarray(), [[0, 1], [2, 0]])
    with pytest.raises(WireError):
        decode(message(tree, MORE))


def test_nesting_and_numbers_of_items_have_limits_on_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    deep: Any = 1
    for _ in range(wire.MAX_DEPTH):
        deep = [deep]
    assert decode(encode(deep)) == deep
    with pytest.raises(WireError, match="nested more than 24 levels"):
        encode([deep])
    tree: Any = 1
    for _ in range(wire.MAX_DEPTH + 3):
        tree = {"t": "list", "v": [tree]}
    with pytest.raises(WireError, match="nested too deeply"):
        decode(message(tree))
    monkeypatch.setattr(wire, "MAX_ITEMS", 10)
    with pytest.raises(TooLarge, match="more than 10 items; return an array"):
        encode([0] * 10)
    with pytest.raises(WireError, match="too many items"):
        decode(message({"t": "list", "v": [0] * 1010}))


def test_a_value_that_contains_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(WireError, match="nested"):
        encode(value)


def test_arrays_and_text_have_a_size() -> None:
    assert encode(np.zeros(100), max_bytes=800)
    with pytest.raises(TooLarge, match="its arrays need more than"):
        encode([np.zeros(50), np.zeros(51)], max_bytes=800)
    with pytest.raises(TooLarge, match="bytes beside its arrays"):
        encode("x" * (wire.MAX_TREE_BYTES + 1))
    with pytest.raises(TooLarge, match="integer of more than 600 digits"):
        encode(2**5000)


@pytest.mark.parametrize("data", [b"", b"GRW1", b"GRW0\0\0\0\0", b"\x80\x04K\x01.", wire.MAGIC + b"\xff" * 8])
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        decode(data)


class Everything(float):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


class Clever(np.ndarray):
    def __array_function__(self, *_: Any, **__: Any) -> Any:
        return True

    def __array_ufunc__(self, *_: Any, **__: Any) -> Any:
        return True


Pair = namedtuple("Pair", "a b")
CONVERTED = {
    "a matrix": (np.matrix([[1, 2]]), np.array([[1, 2]])),
    "an array of text": (np.array([["a", "bc"]]), np.array([["a", "bc"]])),
    "bytes as text": (np.array([b"a"]), np.array(["a"])),
    "dates": (np.array(["2020-01-31"], "M8[D]"), np.array(["2020-01-31"])),
    "one date": (np.datetime64("2020-01-31"), "2020-01-31"),
    "rows of different lengths": (np.array([[1], [2, 3]], object), [[1], [2, 3]]),
    "a set of numbers of numpy": ({np.int64(2), np.float32(1.5)}, {2, 1.5}),
    "a frozen set": (frozenset({(1, "a")}), {(1, "a")}),
    "a dict with numbers for keys": ({np.int64(1): "a", (2, 3): "b"}, {1: "a", (2, 3): "b"}),
    "a subclass that answers for numpy": (np.zeros(2).view(Clever), np.zeros(2)),
    "a float that equals everything": (Everything(2.0), 2.0),
    "a named tuple": (Pair(1, 2), (1, 2)),
    "an ordered dict": (OrderedDict(a=1), {"a": 1}),
    "an array of Python numbers": (np.array([1, 2.5], object), np.array([1.0, 2.5])),
    "a transposed view": (np.arange(6).reshape(2, 3).T, np.arange(6).reshape(2, 3).T.copy()),
    "big-endian numbers": (np.array([1.0], ">f8"), np.array([1.0])),
    "extended precision": (np.array([1.5], np.longdouble), np.array([1.5])),
    "a number of numpy": (np.float32(1.5), np.float32(1.5)),
    "a truth of numpy": (np.True_, np.True_),
    "a text of numpy": (np.str_("a"), "a"),
    "changing bytes": (bytearray(b"ab"), b"ab"),
}


@pytest.mark.parametrize(("value", "plain"), CONVERTED.values(), ids=CONVERTED)
def test_a_value_arrives_as_exact_types(value: Any, plain: Any) -> None:
    assert same(decode(encode(value)), plain)


@pytest.mark.parametrize(
    "kind", ["csr_matrix", "csc_matrix", "coo_matrix", "lil_matrix", "dok_matrix", "csr_array", "dia_array"]
)
def test_a_sparse_matrix_of_any_format_arrives_in_one(kind: str) -> None:
    dense = np.array([[0.0, 2.0, 0.0], [1.0, 0.0, 0.0]])
    arrived = decode(encode({"Q": getattr(sparse, kind)(dense)}))["Q"]
    assert type(arrived) is sparse.csr_matrix
    np.testing.assert_array_equal(arrived.toarray(), dense)


class Tensor:
    """What a tensor of torch looks like from outside."""

    def detach(self) -> Tensor:
        return self

    def cpu(self) -> Tensor:
        return self

    def numpy(self) -> np.ndarray[Any, Any]:
        return np.array([1.0])


class Frame:
    """What a table of pandas looks like from outside."""

    def to_numpy(self) -> np.ndarray[Any, Any]:
        return np.array([[1, 2]])


def test_a_masked_array_keeps_its_mask_and_nothing_of_what_is_masked() -> None:
    arrived = decode(encode(np.ma.masked_array([1.5, 7.0], [False, True])))
    assert type(arrived) is np.ma.MaskedArray
    assert arrived.mask.tolist() == [False, True]
    assert arrived.data.tolist() == [1.5, 0.0]


@given(st.sets(st.integers() | st.text(max_size=3) | st.tuples(st.booleans(), st.floats(allow_nan=False))))
def test_equal_sets_make_equal_messages(value: set[Any]) -> None:
    assert decode(encode(value)) == value
    assert encode(value) == encode({*list(value)[::-1]})


def test_a_table_and_a_function_are_made_by_the_receiver_alone() -> None:
    frame = pandas.DataFrame({"a": [1.5, 2.0], 7: ["x", "y"]}, index=[3, 4])
    columns, index, data = decode(encode(frame), lambda *parts: parts)
    assert (columns, index.tolist()) == (["a", 7], [3, 4])
    assert [list(column) for column in data] == [[1.5, 2.0], ["x", "y"]]
    assert frame.equals(decode_inputs(encode(frame)))
    series = pandas.Series([True, False])
    assert decode(encode(series), lambda *parts: parts)[0] is None
    assert series.equals(decode_inputs(encode(series)))
    doubled = pandas.DataFrame([[1, 2]], columns=["a", "a"])
    assert decode_inputs(encode(doubled)).equals(doubled)
    function = SimpleNamespace(wire_function=("f", "import math\ndef f(x): return math.sqrt(x)"))
    assert decode_inputs(encode({"f": function}))["f"](4.0) == 2.0


def test_tensors_and_frames_arrive_as_arrays() -> None:
    assert same(decode(encode((Tensor(), Frame()))), (np.array([1.0]), np.array([[1, 2]])))


REFUSED = {
    "a function": (len, "it is a function"),
    "an object": (object(), "of type builtins.object, not a number"),
    "a generator": ((x for x in ()), "generator"),
    "an array of objects": (np.array([object()]), "of type builtins.object"),
    "a set of functions": ({len}, "it is a function"),
    "an array of raw memory": (np.zeros(1, "V4"), r"array of dtype \|V4"),
}


@pytest.mark.parametrize(("value", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_travel_is_refused_with_a_reason(value: Any, reason: str) -> None:
    for whole in (value, [value], {"a": (value,)}):
        with pytest.raises(WireError, match=reason):
            encode(whole)


@given(st.text(st.characters(categories=["Cs", "Lu", "Zs"])))
def test_what_is_decoded_is_valid_text_whatever_was_sent(text: str) -> None:
    found = wire.decode(wire.encode({"key " + text: text}))
    for part in (*found, *found.values()):
        assert part.encode().decode() == part


def test_an_integer_that_could_not_be_sent_is_not_received() -> None:
    """Whatever is decoded can be encoded again: it is kept in that form."""
    tree = json.dumps(10**1000).encode()
    message = wire.MAGIC + struct.pack("<I", len(tree)) + tree
    with pytest.raises(wire.WireError, match="too long"):
        wire.decode(message)
    assert wire.decode(wire.encode(2**2047)) == 2**2047


def test_a_message_tells_which_modules_its_values_need() -> None:
    assert wire.modules_of(wire.encode({"a": [1.0, np.eye(2)], "b": '"t":"csr", "t":"table"'})) == set()
    assert wire.modules_of(wire.encode((sparse.csr_matrix(np.eye(2)),))) == {"scipy.sparse"}
    assert wire.modules_of(wire.encode([pandas.DataFrame({"a": [1.0]})])) == {"pandas"}
