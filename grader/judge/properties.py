"""Properties that must hold whatever the values are. Each returns the size of its violation.

A result that is zero everywhere satisfies many of them and proves nothing: it does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.judge.compare import TINY, dense

Array = NDArray[Any]
VALUES: Mapping[str, Callable[[Array], float]] = {
    "sums_to_one": lambda a: abs(float(a.sum()) - 1.0),
    "sums_to_zero": lambda a: float(np.abs(a.sum(axis=0)).max(initial=0.0)) / _scale(a),
    "symmetric": lambda a: float(np.abs(a - a.T).max(initial=0.0)) / _scale(a),
    "zero_diagonal": lambda a: float(np.abs(np.diagonal(a)).max(initial=0.0)) / _scale(a),
    "nonnegative": lambda a: max(0.0, -float(a.min(initial=0.0))) / _scale(a),
    "in_unit_interval": lambda a: max(0.0, -float(a.min(initial=0.0)), float(a.max(initial=0.0)) - 1.0),
}
WORDS = {
    "sums_to_one": "the entries do not sum to one",
    "sums_to_zero": "the rows do not sum to zero",
    "symmetric": "it is not symmetric",
    "zero_diagonal": "the diagonal is not zero",
    "nonnegative": "some entries are negative",
    "in_unit_interval": "some entries lie outside [0, 1]",
    "input_not_mutated": "the function changed its input in place",
    "deterministic": "two calls with the same input and seed gave different results",
    "translation_invariant": "the result changes when all points are moved by the same vector",
    "rotation_equivariant": "the result does not turn with the points when they are rotated",
    "permutation_equivariant": "the result does not follow when the points are put in another order",
}


def violation(name: str, value: Any, other: Any, relation: Mapping[str, Any]) -> float:
    """Return how far a result is from having a property; infinite if it is no finite array, or all zero."""
    whole = dense(value)
    parts = value if isinstance(value, tuple | list) and whole is None else (value,)
    arrays = [array for array in map(_signed, parts) if array is not None and np.isfinite(array).all()]
    if len(arrays) < len(parts) or not any(array.any() for array in arrays):
        return float("inf")
    first = arrays[0]
    if name in VALUES:
        square = name not in ("symmetric", "zero_diagonal") or (
            first.ndim == 2 and first.shape[0] == first.shape[1]
        )
        return VALUES[name](first) if square and first.dtype.kind == "f" else float("inf")
    return _difference(value, other, relation)


def mutation(before: tuple[Any, ...], after: tuple[Any, ...] | None) -> float:
    """Return 0 if no argument changed, else infinity."""
    if after is None or len(after) != len(before):
        return float("inf")
    return max((_changed(a, b) for a, b in zip(before, after, strict=True)), default=0.0)


def _changed(before: Any, after: Any) -> float:
    if isinstance(before, tuple | list | dict) and dense(before) is None:
        if type(after) is not type(before) or len(after) != len(before):
            return float("inf")
        if isinstance(before, dict) and isinstance(after, dict):
            return mutation((*before, *before.values()), (*after, *after.values()))
        return mutation(tuple(before), tuple(after))
    first, second = dense(before), dense(after)
    if (first is None) != (second is None):
        return float("inf")
    if first is None or second is None:
        return 0.0 if before == after else float("inf")
    return 0.0 if np.array_equal(first, second, equal_nan=True) else float("inf")


def _difference(value: Any, other: Any, relation: Mapping[str, Any]) -> float:
    """Return the relative difference between a second result and what it should be given the first."""
    if isinstance(value, tuple | list) and dense(value) is None:
        if not isinstance(other, tuple | list) or len(other) != len(value):
            return float("inf")
        return max((_difference(a, b, relation) for a, b in zip(value, other, strict=True)), default=0.0)
    first, second = _signed(value), _signed(other)
    if first is None or second is None:
        return float("inf")
    right = _related(first, relation)
    if right is None or right.shape != second.shape or not np.isfinite(second).all():
        return float("inf")
    return float(np.abs(right - second).max(initial=0.0)) / _scale(first)


def _related(first: Array, relation: Mapping[str, Any]) -> Array | None:
    """Apply to the first result what was applied to the input."""
    if "rotation" in relation:
        rotation = relation["rotation"]
        if first.ndim == 0:
            return first
        return first @ rotation if first.shape[-1] == len(rotation) else None
    if "permutation" in relation and first.ndim:
        order = relation["permutation"]
        if first.shape[0] != len(order):
            return None
        return (
            first[np.ix_(order, order)] if first.ndim == 2 and first.shape[1] == len(order) else first[order]
        )
    return first


def _signed(value: Any) -> Array | None:
    """Return a value as an array that can be subtracted: no truth values, no unsigned integers."""
    array = dense(value)
    return None if array is None else array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)


def _scale(array: Array) -> float:
    return max(float(np.abs(array).max(initial=0.0)), TINY)
