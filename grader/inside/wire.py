"""The only form in which values enter and leave the box: plain arrays and plain containers, no pickle.

    message = b"GRW1" | u32 length of the tree | tree (JSON, UTF-8) | blobs, one after the other

The tree holds scalars as they are and everything else as an object with a tag "t":

    {"t": "array", "d": "<f8", "s": [3, 2], "b": [offset, bytes]}       numpy.ndarray, C order
    {"t": "texts", "s": [2], "v": ["a", "b"]}                           numpy.ndarray of text or dates
    {"t": "masked", "data": ..., "mask": ...}                           numpy.ma.MaskedArray
    {"t": "scalar", "d": "<f4", "b": [...]}                             a numpy scalar
    {"t": "csr", "s": [5, 4], "data": ..., "indices": ..., "indptr": ...}   scipy.sparse.csr_matrix
    {"t": "table", "columns": [...], "index": ..., "data": [...]}       a data frame, or a series (one column)
    {"t": "tuple" | "list" | "set", "v": [...]}
    {"t": "dict", "k": ["a"], "v": [...]}, {"t": "map", "k": [...], "v": [...]} if a key is no text
    {"t": "complex", "v": [re, im]}, {"t": "bytes", "b": [...]}
    {"t": "function", "name": "f", "source": "def f(x): ..."}           only towards a student's code

`decode` returns exact types and valid text only: the classes that the sender used are gone, and `encode`
accepts all of it. The receiver decides what a table and a function become: in the box, a pandas object and a
function (`received.py`); on the trusted side, a `Table`, while functions are refused. `encode` converts what
students really return (numpy.matrix, torch and JAX arrays, pandas frames, any sparse format); for what cannot
be converted it raises `WireError` with a sentence that a student understands.
"""

from __future__ import annotations

import contextlib
import json
import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from .safe_text import valid_text

MAGIC = b"GRW1"
MAX_DEPTH = 24
MAX_ITEMS = 200_000
MAX_TREE_BYTES = 8 << 20
MAX_BITS = 2048
NUMERIC = "biufc"
MODULES = {b'"t":"csr"': "scipy.sparse", b'"t":"table"': "pandas"}


class WireError(ValueError):
    """A value cannot travel, or a message is not one."""


class TooLarge(WireError):  # noqa: N818 -- the name of an outcome
    """A value is larger than the limit."""


def encode(value: object, max_bytes: int = 1 << 30) -> bytes:
    """Return the message for `value`; raise WireError or TooLarge if it cannot travel."""
    writer = _Writer(max_bytes)
    tree = json.dumps(writer.node(value, 0), separators=(",", ":")).encode()
    if len(tree) > MAX_TREE_BYTES:
        raise TooLarge(f"the value needs {len(tree)} bytes beside its arrays")
    return b"".join([MAGIC, struct.pack("<I", len(tree)), tree, *writer.blobs])


def decode(
    message: bytes,
    table: Callable[[list[Any], Any, list[Any]], Any] | None = None,
    function: Callable[[str, str], Any] | None = None,
) -> Any:
    """Return the value of a message; raise WireError for anything that `encode` would not write.

    `table(names, index, columns)` makes a table; a series has one column, and its `names` are None.
    `function(name, source)` makes a function. Without `table` or `function`, such values are refused.
    """
    if len(message) < 8 or message[:4] != MAGIC:
        raise WireError("not a message of this format")
    (size,) = struct.unpack_from("<I", message, 4)
    if size > MAX_TREE_BYTES or 8 + size > len(message):
        raise WireError("the message is cut off")
    try:
        tree = json.loads(message[8 : 8 + size])
        return _Reader(memoryview(message)[8 + size :], table, function).value(tree, 0)
    except WireError:
        raise
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError, MemoryError) as error:
        raise WireError(f"a malformed message: {type(error).__name__}") from None


def modules_of(message: bytes) -> set[str]:
    """Return the modules that `decode` imports on a student's side for a message of `encode`."""
    (size,) = struct.unpack_from("<I", message, 4)
    tree = message[8 : 8 + size]  # in it, a quotation mark inside a text has a backslash before it
    return {module for tag, module in MODULES.items() if tag in tree}


class _Writer:
    """Collects the blobs of one message while its tree is built."""

    def __init__(self, max_bytes: int) -> None:
        self.blobs: list[bytes] = []
        self.size = 0
        self.items = 0
        self.max_bytes = max_bytes

    def blob(self, data: bytes) -> list[int]:
        offset = self.size
        self.size += len(data)
        self.blobs.append(data)
        return [offset, len(data)]

    def node(self, value: Any, depth: int) -> Any:  # noqa: PLR0911 -- a table of types
        """Return the tree of a value; the data of its arrays are added to the blobs."""
        self.items += 1
        if depth > MAX_DEPTH:
            raise WireError(f"it is nested more than {MAX_DEPTH} levels deep")
        if self.items > MAX_ITEMS:
            raise TooLarge(f"it holds more than {MAX_ITEMS} items; return an array")

        if value is None or value is True or value is False:
            return value
        if isinstance(value, np.generic) and not isinstance(value, np.float64):  # a float64 is a float
            array = np.asarray(value)
            if array.dtype.kind in "Mm":
                return str(value)
            if array.dtype.kind not in NUMERIC:
                return self.node(value.item(), MAX_DEPTH)
            array = _portable(array)
            return {"t": "scalar", "d": array.dtype.str, "b": self.blob(array.tobytes())}
        if isinstance(value, int):
            number = int.__int__(value)
            if number.bit_length() > MAX_BITS:
                raise TooLarge("it is an integer of more than 600 digits")
            return number
        if isinstance(value, float):
            return float.__float__(value)
        if isinstance(value, complex):
            return {"t": "complex", "v": [value.real, value.imag]}
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, (bytes, bytearray)):
            return {"t": "bytes", "b": self.blob(bytes(value))}

        if isinstance(value, (tuple, list)):
            kind = "tuple" if isinstance(value, tuple) else "list"
            return {"t": kind, "v": [self.node(item, depth + 1) for item in value]}
        if isinstance(value, (set, frozenset)):  # sorted, so that equal sets make equal messages
            items = sorted(map(_plain_key, value), key=lambda item: (type(item).__name__, repr(item)))
            return {"t": "set", "v": [self.node(item, depth + 1) for item in items]}
        if isinstance(value, dict) and not _is_sparse(value):  # scipy's dok_matrix is a dict
            nodes = [self.node(item, depth + 1) for item in value.values()]
            if all(isinstance(key, str) for key in value):
                return {"t": "dict", "k": [str.__str__(key) for key in value], "v": nodes}
            return {"t": "map", "k": [self.node(_plain_key(key), depth + 1) for key in value], "v": nodes}

        node = self._table(value, depth) or self._array(value, depth)
        if node is not None:
            return node
        if hasattr(value, "wire_function"):  # a course's function; a student's has no such attribute
            name, source = value.wire_function
            return {"t": "function", "name": name, "source": source}
        kind = (
            "a function"
            if callable(value)
            else f"of type {type(value).__module__}.{type(value).__qualname__}"
        )
        raise WireError(f"it is {kind}, not a number, an array or a container of them")

    def _table(self, value: Any, depth: int) -> dict[str, Any] | None:
        """Return the node of a data frame, a series or a `Table`; None for any other value."""
        library, kind = type(value).__module__.split(".")[0], type(value).__name__
        names: list[Any] | None = None  # of the columns; a series has none
        if hasattr(value, "wire_table"):
            names, index, data = value.wire_table
        elif library == "pandas" and kind == "Series":
            index, data = value.index.to_numpy(), [value.to_numpy()]
        elif library == "pandas" and kind == "DataFrame":
            names = [_plain_key(name) for name in value.columns]
            index, data = value.index.to_numpy(), [value.iloc[:, n].to_numpy() for n in range(len(names))]
        else:
            return None
        return {
            "t": "table",
            "columns": None if names is None else [self.node(name, depth + 1) for name in names],
            "index": self.node(index, depth + 1),
            "data": [self.node(column, depth + 1) for column in data],
        }

    def _array(self, value: Any, depth: int) -> Any:
        """Return the node of an array of any library, dense, masked or sparse; None if it is none."""
        if _is_sparse(value):
            rows = value.tocsr()
            parts = {key: self._array(getattr(rows, key), 0) for key in ("data", "indices", "indptr")}
            return {"t": "csr", "s": [int(n) for n in rows.shape], **parts}
        if isinstance(value, np.ma.MaskedArray):
            mask = np.ma.getmaskarray(value)
            data = np.where(mask, np.zeros((), value.dtype), np.ma.getdata(value))  # hides what is masked
            return {"t": "masked", "data": self._array(data, depth), "mask": self._array(mask, depth)}

        library = type(value).__module__.split(".")[0]
        if isinstance(value, np.ndarray):
            array = np.array(value, subok=False)
        elif hasattr(value, "detach") and hasattr(value, "numpy"):  # torch
            tensor = value.detach().cpu()
            array = np.array(
                (tensor.float() if str(getattr(tensor, "dtype", "")) == "torch.bfloat16" else tensor).numpy()
            )
        elif callable(getattr(value, "to_numpy", None)):  # pandas, polars
            array = np.array(value.to_numpy(), subok=False)
        elif library in ("jax", "jaxlib", "tensorflow"):
            array = np.array(value)
        else:
            return None
        if array.dtype.kind == "O":
            with contextlib.suppress(TypeError, ValueError):  # raised unless all its objects are numbers
                array = array.astype(np.float64)

        if array.dtype.kind in "USMm":
            self.items += array.size
            if self.items > MAX_ITEMS:
                raise TooLarge(f"it holds more than {MAX_ITEMS} texts")
            texts = [str(text) for text in array.astype(str).ravel().tolist()]
            return {"t": "texts", "s": list(array.shape), "v": texts}
        if array.dtype.kind == "O":  # rows of different lengths, or anything else: what lists hold
            return self.node(array.tolist(), depth)
        if array.dtype.kind not in NUMERIC:
            raise WireError(f"it is an array of dtype {array.dtype}, not of numbers")
        if self.size + array.nbytes > self.max_bytes:
            raise TooLarge(f"its arrays need more than {self.max_bytes >> 20} MB")
        array = _portable(array)
        return {"t": "array", "d": array.dtype.str, "s": list(array.shape), "b": self.blob(array.tobytes())}


class _Reader:
    """Rebuilds the value of one message from its tree and its blobs."""

    def __init__(self, blobs: memoryview, table: Any, function: Any) -> None:
        self.blobs = blobs
        self.items = 0
        self.table = table
        self.function = function

    def value(self, node: Any, depth: int) -> Any:  # noqa: PLR0911 -- a table of tags
        """Return the value of a node; its limits are those of `encode`, so that it can be encoded again."""
        self.items += 1
        if depth > MAX_DEPTH + 1 or self.items > MAX_ITEMS + 1000:
            raise WireError("the message is nested too deeply or has too many items")
        if isinstance(node, list):
            raise WireError("a bare list in the tree")
        if isinstance(node, int) and node.bit_length() > MAX_BITS:
            raise WireError("an integer that is too long")
        if isinstance(node, str):
            return valid_text(node)
        if not isinstance(node, dict):
            return node

        tag = node["t"]
        if tag in ("tuple", "list", "set"):
            items = [self.value(item, depth + 1) for item in node["v"]]
            return {"tuple": tuple, "list": list, "set": set}[tag](items)
        if tag in ("dict", "map"):
            keys, values = node["k"], node["v"]
            if len(keys) != len(values) or (tag == "dict" and not all(type(key) is str for key in keys)):
                raise WireError("a dict whose keys and values do not fit")
            keys = [valid_text(key) if tag == "dict" else self.value(key, depth + 1) for key in keys]
            return {key: self.value(item, depth + 1) for key, item in zip(keys, values, strict=True)}
        if tag == "table" and self.table is not None:
            return self._table(node, depth)
        if tag == "function" and self.function is not None:
            return self.function(valid_text(str(node["name"])), valid_text(str(node["source"])))
        if tag == "masked":
            data, mask = self._array(node["data"]), self._array(node["mask"])
            if data.shape != mask.shape or mask.dtype != np.bool_:
                raise WireError("a mask that does not fit its array")
            return np.ma.MaskedArray(data, mask)
        if tag == "texts":
            shape, texts = tuple(node["s"]), node["v"]
            if not all(type(x) is str for x in texts) or not all(type(n) is int and n >= 0 for n in shape):
                raise WireError("an array of text that holds something else")
            self.items += len(texts)
            if math.prod(shape) != len(texts) or self.items > MAX_ITEMS + 1000 or len(shape) > 16:
                raise WireError("an array of text whose data do not fit its shape")
            return np.array([valid_text(text) for text in texts], dtype=str).reshape(shape)
        if tag == "complex":
            return complex(*node["v"])
        if tag == "bytes":
            return bytes(self._blob(node["b"]))
        if tag == "csr":
            return self._csr(node)
        if tag in ("array", "scalar"):
            return self._array(node)
        raise WireError("an unknown tag")

    def _table(self, node: Any, depth: int) -> Any:
        columns, data = node["columns"], [self.value(column, depth + 1) for column in node["data"]]
        index = self.value(node["index"], depth + 1)
        names = None if columns is None else [self.value(name, depth + 1) for name in columns]
        lengths = {len(column) for column in (index, *data)}
        if len(lengths) > 1 or len(data) != (1 if names is None else len(names)):
            raise WireError("a table whose columns do not fit")
        return self.table(names, index, data)

    def _blob(self, position: Any) -> memoryview:
        offset, size = position
        if type(offset) is not int or type(size) is not int:
            raise WireError("a blob without a position")
        if offset < 0 or size < 0 or offset + size > len(self.blobs):
            raise WireError("a blob outside the message")
        return self.blobs[offset : offset + size]

    def _array(self, node: Any) -> Any:
        dtype = np.dtype(str(node["d"]))
        if dtype.kind not in NUMERIC or dtype.itemsize > 16:
            raise WireError("an array that is not of numbers")
        data = self._blob(node["b"])
        shape = tuple(node["s"]) if node["t"] == "array" else ()
        if not all(type(n) is int and n >= 0 for n in shape) or len(shape) > 16:
            raise WireError("an array with an impossible shape")
        if math.prod(shape) * dtype.itemsize != len(data):
            raise WireError("an array whose data do not fit its shape")
        array = np.frombuffer(data, dtype=dtype).reshape(shape).copy()
        return array if node["t"] == "array" else array[()]

    def _csr(self, node: Any) -> Any:
        """Return a sparse matrix; refuse one whose indices point outside it, before C code follows them."""
        from scipy.sparse import csr_matrix  # noqa: PLC0415 -- heavy, and rarely needed

        data, indices, indptr = (self._array(node[key]) for key in ("data", "indices", "indptr"))
        rows, columns = node["s"]
        fits = (
            type(rows) is int
            and type(columns) is int
            and data.ndim == indices.ndim == indptr.ndim == 1
            and indices.dtype.kind == indptr.dtype.kind == "i"
            and len(indptr) == rows + 1
            and len(data) == len(indices)
            and indptr[0] == 0
            and indptr[-1] == len(data)
            and bool((np.diff(indptr) >= 0).all())
            and (len(indices) == 0 or (indices.min() >= 0 and indices.max() < columns))
        )
        if not fits:
            raise WireError("a sparse matrix whose indices do not fit its shape")
        return csr_matrix((data, indices, indptr), shape=(rows, columns))


def _is_sparse(value: Any) -> bool:
    return callable(getattr(value, "tocsr", None)) and hasattr(value, "nnz")


def _plain_key(key: Any) -> Any:
    """Return the key of a dict in a form that is equal and can travel."""
    return key.item() if isinstance(key, np.generic) else key


def _portable(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the array in C order and little-endian, extended precision rounded to double."""
    kind, size = array.dtype.kind, array.dtype.itemsize
    if (kind == "f" and size > 8) or (kind == "c" and size > 16):
        array = array.astype(np.complex128 if kind == "c" else np.float64)
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).reshape(array.shape)
