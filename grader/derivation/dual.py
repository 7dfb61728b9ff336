"""Dual numbers: a value and its tangent, None where it does not depend on what is differentiated by."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from grader.derivation import tensor as t
from grader.derivation.tensor import Array, Tensor
from grader.derivation.tree import DerivationError, Place

Dual = tuple[Tensor, Tensor | None]
SMOOTH: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "log": (np.log, lambda x: 1 / x),
    "exp": (np.exp, np.exp),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "sinh": (np.sinh, np.cosh),
    "cosh": (np.cosh, np.sinh),
    "sin": (np.sin, np.cos),
    "cos": (np.cos, lambda x: -np.sin(x)),
    "tan": (np.tan, lambda x: 1 / np.cos(x) ** 2),
}


def total(left: Tensor | None, right: Tensor | None) -> Tensor | None:
    """Return the sum of two tangents, None if there is none."""
    if left is None or right is None:
        return right if left is None else left
    return t.add(left, right)


def product(left: Dual, right: Dual, multiply: Callable[[Tensor, Tensor], Tensor]) -> Dual:
    """Return the product of two duals by the product rule."""
    first = multiply(left[1], right[0]) if left[1] is not None else None
    second = multiply(left[0], right[1]) if right[1] is not None else None
    return multiply(left[0], right[0]), total(first, second)


def chain(
    value: Tensor, change: Tensor | None, function: Callable[[Array], Array], slope: Callable[[Array], Array]
) -> Dual:
    """Return a function of a dual by the chain rule."""
    result, slopes = t.apply(value, function, slope)
    return result, None if change is None else t.entrywise(change, slopes)


def reciprocal(dual: Dual) -> Dual:
    """Return one over a dual."""
    value = t.reciprocal(dual[0])
    if dual[1] is None:
        return value, None
    return value, t.scaled(t.entrywise(dual[1], t.entrywise(value, value)), -1.0)


def inverse(dual: Dual) -> Dual:
    """Return the inverse of a matrix."""
    data = np.asarray(np.linalg.inv(dual[0].data), dtype=np.float64)
    error = np.abs(data) @ (dual[0].error + np.abs(dual[0].data)) @ np.abs(data)
    value = Tensor(data, error, dual[0].axes, 2)
    if dual[1] is None:
        return value, None
    return value, t.scaled(t.multiply(t.multiply(value, dual[1]), value), -1.0)


def as_row(value: Tensor, row: bool = True) -> Tensor:
    """Return a vector as a row, or as a column."""
    return Tensor(value.data, value.error, value.axes, value.rank, row)


def diagonal_sum(value: Tensor) -> Tensor:
    """Return the trace."""
    return Tensor(np.trace(value.data, 0, -2, -1), np.trace(value.error, 0, -2, -1), value.axes)


def spread_diagonal(value: Tensor, eye: Tensor) -> Tensor:
    """Return a matrix with a vector, of shape (n, 1), on its diagonal."""
    return Tensor(value.data * eye.data, value.error * eye.data, value.axes, 2)


def power(base: Dual, exponent: Dual, place: Place) -> Dual:
    """Return a power of a number, the square of a vector, or a whole power of a matrix."""
    if exponent[0].rank:
        raise DerivationError("an exponent is a number", place)
    fixed = float(exponent[0].data) if not exponent[0].axes and exponent[1] is None else None
    rank = base[0].rank
    if rank == 0 and fixed is not None:
        if fixed == -1.0:
            return reciprocal(base)
        return chain(*base, lambda x: x**fixed, lambda x: fixed * x ** (fixed - 1))
    if rank == 0:
        logarithm = chain(*base, *SMOOTH["log"])
        return chain(*product(exponent, logarithm, t.multiply), *SMOOTH["exp"])
    if rank == 1 and fixed == 2.0:  # (y_i - y_j)^2, as many write the square of the norm
        row = tuple(part and as_row(part) for part in base)
        column = tuple(part and as_row(part, row=False) for part in base)
        return product(row, column, t.multiply)  # type: ignore[arg-type]
    if rank == 2 and fixed is not None and fixed.is_integer() and 1 <= abs(fixed) <= 4:
        base = inverse(base) if fixed < 0 else base
        result = base
        for _ in range(int(abs(fixed)) - 1):
            result = product(result, base, t.multiply)
        return result
    raise DerivationError(f"this power of {t.named(base[0])} is not known", place)


def along(tangent: Tensor, direction: Array, entry: Sequence[str | int]) -> Tensor:
    """Return the change in a direction; with indices in `entry`, the other entries stay."""
    axes = [f"∂{axis}" for axis in range(direction.ndim)]
    names = dict(zip(axes, entry, strict=False))
    change = t.entrywise(t.renamed(tangent, dict(names)), t.renamed(t.tensor(direction, axes), dict(names)))
    for axis in axes[len(entry) :]:
        change = t.sum_axis(change, axis)
    return change


def by_itself(value: Tensor, symmetric: bool) -> Tensor:
    """Return the derivative of a symbol by itself; `symmetric` if d_ij and d_ji are one variable."""
    tangent = t.number(1.0)
    shape = value.data.shape[: t.width(value)]
    for axis, length in enumerate(shape):
        tangent = t.multiply(tangent, t.tensor(np.eye(length), [f"#{axis}", f"∂{axis}"]))
    if symmetric and len(shape) == 2 and shape[0] == shape[1] and np.allclose(value.data, value.data.T):
        swapped = t.renamed(tangent, {"∂0": "∂1", "∂1": "∂0"})
        (a, _, b, _), axes = t.aligned(tangent, swapped)
        return t.tensor(np.maximum(a, b), axes)
    return tangent
