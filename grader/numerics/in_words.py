"""Says in words what values are, and where one is furthest from another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.numerics.arrays import as_array, dense, relative_error
from grader.records import Table
from grader.subjects import Case

MAX_ENTRIES = 30
FEW_ENTRIES = 8  # of an array in a long text
MAX_TEXT = 240
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
    array = value if isinstance(value, np.ndarray) else dense(value)
    if array is None:
        return f"a {type(value).__name__}"
    return "a number" if array.ndim == 0 else f"an array of shape {array.shape}"


def furthest(got: Sequence[Any], right: Sequence[Any], words: str, names: Sequence[str] = ()) -> str:
    """Return which entry of which part is furthest from right, and what stands there; '' if none is."""
    if len(got) != len(right):
        return ""
    worst, text = 0.0, ""
    for number, (value, expected) in enumerate(zip(got, right, strict=True)):
        mine, wanted = as_array(value), dense(expected)
        if wanted is None:
            return ""
        flat = mine is not None and min(mine.ndim, wanted.ndim) <= 1
        if mine is None or mine.size != wanted.size or mine.size == 0:
            continue  # it cannot be compared
        if mine.shape != wanted.shape and not flat:
            continue  # its entries have other places
        mine = mine.reshape(wanted.shape)
        error, where = relative_error(mine, wanted, least=1e-300)
        error = np.inf if np.isnan(error) else error
        if error > worst:
            index = f"entry [{', '.join(map(str, where))}]" if where else "the number"
            part = f" of the part for {names[number]}" if len(names) > 1 else ""
            numbers = f"yours is {_number(mine[where])}, {words} {_number(wanted[where])}"
            worst, text = error, f"{index}{part}: {numbers}"
    return text


def describe_input(case: Case, parameters: Sequence[str]) -> str:
    """Return an input as a student would write it, long arrays by their shape."""
    named = [*zip(parameters, case.args, strict=False), *case.keywords.items()]
    for entries in (MAX_ENTRIES, FEW_ENTRIES):
        text = f"{case.name}: {', '.join(f'{name} = {text_of(value, entries)}' for name, value in named)}"
        if len(text) <= MAX_TEXT:
            break
    return text


def text_of(value: Any, entries: int = MAX_ENTRIES) -> str:
    """Return a value as Python text, an array of more than so many entries by its shape."""
    if hasattr(value, "toarray"):
        return f"csr_matrix({text_of(value.toarray(), entries)})"
    if isinstance(value, tuple):
        return f"({', '.join(text_of(part, entries) for part in value)})"
    if not isinstance(value, np.ndarray):
        return _number(value) if isinstance(value, float) else repr(value)
    if value.size > entries:
        return f"<{' × '.join(map(str, value.shape))} array>"
    return _nested(value)


def _nested(value: Array) -> str:
    if value.ndim == 0:
        return _number(value[()])
    return f"[{', '.join(_nested(part) for part in np.asarray(value))}]"


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float | complex | int | np.number) else str(value)
