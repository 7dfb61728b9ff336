"""Says in words what values are, and where one is furthest from another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.numerics.arrays import dense
from grader.records import Table
from grader.subjects import Case

MAX_ENTRIES = 30
Array = NDArray[Any]


def describe(value: Any) -> str:  # noqa: PLR0911 -- a table of types
    """Say what a value is, for a student, without its numbers."""
    if value is None:
        return "nothing (None)"
    if isinstance(value, bool):
        return "True or False"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, tuple | list | set | dict):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, Table):
        number = len(value.index)
        return f"a series of {number}" if value.columns is None else f"a table of {number} rows"
    array = dense(value)
    if array is None:
        return f"a {type(value).__name__}"
    return "a number" if array.ndim == 0 else f"an array of shape {array.shape}"


def furthest(got: Sequence[Any], right: Sequence[Any], words: str, names: Sequence[str] = ()) -> str:
    """Return which entry of which part is furthest from right, and what stands there; '' if none is."""
    pairs = [(dense(a), dense(b)) for a, b in zip(got, right, strict=False)]
    if len(got) != len(right) or any(wanted is None for _, wanted in pairs):
        return ""
    distance, place = max((_distance(mine, np.asarray(wanted)), n) for n, (mine, wanted) in enumerate(pairs))
    mine, wanted = pairs[place][0], np.asarray(pairs[place][1])
    if mine is None or distance <= 0.0:
        return ""
    mine = mine.reshape(wanted.shape)
    where = np.unravel_index(int(np.argmax(_difference(mine, wanted))), wanted.shape)
    index = f"entry [{', '.join(str(int(i)) for i in where)}]" if where else "the number"
    part = f" of the part for {names[place]}" if len(names) > 1 else ""
    return f"{index}{part}: yours is {_number(mine[where])}, {words} {_number(wanted[where])}"


def _distance(got: Array | None, right: Array) -> float:
    """Return the largest difference relative to the largest entry; 0 where the two cannot be compared."""
    if got is None or got.size != right.size or got.size == 0 or got.dtype.kind not in "biufc":
        return 0.0
    scale = max(float(np.abs(right).max()), 1e-300)
    return float(_difference(got.reshape(right.shape), right).max()) / scale


def _difference(got: Array, right: Array) -> Array:
    """Return the absolute differences, infinite where an entry is NaN."""
    return np.nan_to_num(np.abs(got.astype(np.complex128) - right), nan=np.inf)


def describe_input(case: Case, parameters: Sequence[str]) -> str:
    """Return an input as a student would write it, long arrays by their shape."""
    arguments = [f"{name} = {text_of(value)}" for name, value in zip(parameters, case.args, strict=False)]
    arguments += [f"{name} = {text_of(value)}" for name, value in case.keywords.items()]
    return f"{case.name}: {', '.join(arguments)}"


def text_of(value: Any) -> str:
    """Return a value as Python text if it is short."""
    if hasattr(value, "toarray"):
        return f"csr_matrix({text_of(value.toarray())})"
    if isinstance(value, tuple):
        return f"({', '.join(text_of(part) for part in value)})"
    if not isinstance(value, np.ndarray):
        return _number(value) if isinstance(value, float) else repr(value)
    if value.size > MAX_ENTRIES:
        return f"<{' × '.join(map(str, value.shape))} array>"
    return _nested(value)


def _nested(value: Array) -> str:
    if value.ndim == 0:
        return _number(value[()])
    return f"[{', '.join(_nested(part) for part in np.asarray(value))}]"


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float | complex | int | np.number) else str(value)
