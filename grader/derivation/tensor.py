"""Arrays whose axes are named by indices, each entry with a running bound of its rounding error.

A tensor has one axis for each index, then `rank` axes without a name: 0 for a number, 1 for a vector, 2 for
a matrix. `error` is the bound to first order (Higham, Accuracy and Stability of Numerical Algorithms, 3.3),
in units of the machine's precision. Zero times what is not finite is zero, as in 0 log 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from grader.derivation.tree import DerivationError

MAX_ELEMENTS = 400_000
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """Entries and the bounds of their errors, shape (one axis an index, then `rank` axes).

    A vector may be a row.
    """

    data: Array
    error: Array
    axes: tuple[str, ...] = ()
    rank: int = 0
    row: bool = False


class RankError(DerivationError):
    """A number and a vector, or the like, are added or set equal."""


def number(value: float) -> Tensor:
    """Return a number."""
    array = np.asarray(value, dtype=np.float64)
    return Tensor(array, np.zeros_like(array))


def tensor(data: Array, axes: Sequence[str] = (), rank: int = 0) -> Tensor:
    """Return exact data as a tensor."""
    return Tensor(data, np.zeros_like(data), tuple(axes), rank)


def aligned(left: Tensor, right: Tensor) -> tuple[list[Array], tuple[str, ...]]:
    """Return data, error, data, error with the same named axes in the same order, and these axes."""
    axes = left.axes + tuple(axis for axis in right.axes if axis not in left.axes)
    lengths: dict[str, int] = {}
    for each in (left, right):
        for axis, length in zip(each.axes, each.data.shape, strict=False):
            if lengths.setdefault(axis, length) != length:
                raise DerivationError(f"the index {axis} runs over {lengths[axis]} and over {length} values")
    inner = max(int(np.prod(each.data.shape[len(each.axes) :])) for each in (left, right))
    if np.prod(list(lengths.values()), dtype=float) * inner > MAX_ELEMENTS:
        raise DerivationError("the expression has too many indices at once to be evaluated")
    arrays = []
    for each in (left, right):
        order = [each.axes.index(axis) for axis in axes if axis in each.axes]
        tail = range(len(each.axes), each.data.ndim)
        shape = [lengths[axis] if axis in each.axes else 1 for axis in axes]
        for array in (each.data, each.error):
            moved = array if order == sorted(order) else array.transpose(*order, *tail)
            arrays.append(moved.reshape([*shape, *moved.shape[len(order) :]]))
    return arrays, axes


def add(left: Tensor, right: Tensor) -> Tensor:
    """Return a sum."""
    if left.rank != right.rank:
        raise RankError(f"{named(left)} and {named(right)} are added")
    (a, a_error, b, b_error), axes = aligned(left, right)
    _check_tails(a, b, left.rank)
    data = a + b
    return Tensor(data, a_error + b_error + np.abs(data), axes, left.rank, left.row and right.row)


def named(value: Tensor) -> str:
    """Return what a tensor is, in words."""
    return ("a number", "a vector", "a matrix")[value.rank]


def multiply(left: Tensor, right: Tensor) -> Tensor:
    """Return a product: of numbers, of a number and an array, of matrices, of a row and a column."""
    if not left.rank or not right.rank:
        return entrywise(left, right)
    (a, a_error, b, b_error), axes = aligned(left, right)
    match (left.rank, left.row, right.rank, right.row):
        case (2, _, 2, _):
            form, rank, row = "...ij,...jk->...ik", 2, False
        case (2, _, 1, False):
            form, rank, row = "...ij,...j->...i", 1, False
        case (1, True, 2, _):
            form, rank, row = "...i,...ij->...j", 1, True
        case (1, True, 1, False):
            form, rank, row = "...i,...i->...", 0, False
        case (1, False, 1, True):
            form, rank, row = "...i,...j->...ij", 2, False
        case _:
            raise DerivationError(
                f"{named(left)} is multiplied by {named(right)} without a dot or a transpose"
            )
    try:
        data = np.einsum(form, a, b)
        error = np.einsum(form, np.abs(a), b_error + np.abs(b)) + np.einsum(form, a_error, np.abs(b))
    except ValueError:
        raise DerivationError("the shapes of two factors do not fit") from None
    return Tensor(data, error, axes, rank, row)


def entrywise(left: Tensor, right: Tensor) -> Tensor:
    """Return a product entry by entry; a number multiplies every entry."""
    if left.rank and right.rank and left.rank != right.rank:
        raise DerivationError(f"{named(left)} and {named(right)} are multiplied entry by entry")
    (a, a_error, b, b_error), axes = aligned(left, right)
    rank = max(left.rank, right.rank)
    if left.rank != right.rank:
        a, a_error, b, b_error = (
            _padded(array, rank - own)
            for array, own in zip((a, a_error, b, b_error), (left.rank,) * 2 + (right.rank,) * 2, strict=True)
        )
    else:
        _check_tails(a, b, rank)
    data = a * b
    error = np.abs(a) * b_error + a_error * np.abs(b) + np.abs(data)
    if not np.isfinite(data).all() or not np.isfinite(error).all():
        zero = (a == 0) | (b == 0)
        data, error = np.where(zero, 0.0, data), np.where(zero, 0.0, error)
    return Tensor(data, error, axes, rank, left.row or right.row)


def _padded(array: Array, count: int) -> Array:
    return array.reshape(array.shape + (1,) * count)


def _check_tails(a: Array, b: Array, rank: int) -> None:
    if rank and a.shape[-rank:] != b.shape[-rank:]:
        raise DerivationError("arrays of different shapes are combined")


def scaled(value: Tensor, factor: float) -> Tensor:
    """Return a tensor times a number."""
    return replace(value, data=value.data * factor, error=value.error * abs(factor))


def apply(
    value: Tensor, function: Callable[[Array], Array], slope: Callable[[Array], Array]
) -> tuple[Tensor, Tensor]:
    """Return a function of every entry, and its derivative there."""
    data, slopes = function(value.data), slope(value.data)
    error = np.abs(data) + np.abs(slopes) * value.error
    error = np.where(np.isnan(error), np.abs(data), error)
    # The slope's own error needs the second derivative; that of the value scales with the same condition.
    relative = np.nan_to_num(error / np.abs(data), nan=1.0, posinf=1.0)
    return replace(value, data=data, error=error), replace(
        value, data=slopes, error=np.abs(slopes) * (2 + relative)
    )


def reciprocal(value: Tensor) -> Tensor:
    """Return one over every entry."""
    data = 1.0 / value.data
    return replace(value, data=data, error=value.error * data * data + np.abs(data))


def sum_axis(value: Tensor, axis: str, kind: str = "sum") -> Tensor:
    """Return the sum, or the product, over a named axis."""
    at = value.axes.index(axis)
    axes = value.axes[:at] + value.axes[at + 1 :]
    if kind == "prod":
        data: Array = np.asarray(value.data.prod(at), dtype=np.float64)
        relative = np.nan_to_num(value.error / np.abs(value.data)).sum(at) + value.data.shape[at]
        return Tensor(data, np.abs(data) * relative, axes, value.rank)
    return Tensor(value.data.sum(at), (value.error + np.abs(value.data)).sum(at), axes, value.rank, value.row)


def contracted(value: Tensor) -> Tensor:
    """Return the sum over the axes without a name."""
    if not value.rank:
        return value
    tail = tuple(range(-value.rank, 0))
    return Tensor(value.data.sum(tail), (value.error + np.abs(value.data)).sum(tail), value.axes)


def transposed(value: Tensor) -> Tensor:
    """Return the transpose."""
    if value.rank == 2:
        return replace(value, data=value.data.swapaxes(-1, -2), error=value.error.swapaxes(-1, -2))
    return replace(value, row=not value.row) if value.rank else value


def renamed(value: Tensor, names: dict[str, str | int]) -> Tensor:
    """Return a tensor with named axes renamed; equal names become one axis, a number takes that entry."""
    data, error = value.data, value.error
    axes: list[str] = []
    for axis in value.axes:
        name = names.get(axis, axis)
        at = len(axes)
        if isinstance(name, int):
            if not 1 <= name <= data.shape[at]:
                raise DerivationError(
                    f"the index {name} is more than {data.shape[at]}, the size of this instance"
                )
            data = np.asarray(data.take(name - 1, at))
            error = np.asarray(error.take(name - 1, at))
        elif name in axes:
            first = axes.index(name)
            if data.shape[first] != data.shape[at]:
                raise DerivationError(
                    f"the index {name} runs over {data.shape[first]} and over {data.shape[at]} values"
                )
            # np.diagonal puts the common axis last.
            data = np.moveaxis(np.diagonal(data, 0, first, at), -1, first)
            error = np.moveaxis(np.diagonal(error, 0, first, at), -1, first)
        else:
            axes.append(name)
    return replace(value, data=data, error=error, axes=tuple(axes))


def ordered(value: Tensor, axes: Sequence[str]) -> Tensor:
    """Return a tensor with its named axes in this order."""
    order = [value.axes.index(axis) for axis in axes] + list(range(len(axes), value.data.ndim))
    return replace(
        value, data=value.data.transpose(order), error=value.error.transpose(order), axes=tuple(axes)
    )


def width(table: Tensor) -> int:
    """Return the number of axes of a symbol for all values: #0, #1, ..."""
    return sum(axis.startswith("#") for axis in table.axes)


def unnamed(value: Tensor, axes: Sequence[str]) -> Tensor:
    """Return a tensor of rank 0 whose last axes, in this order, have lost their names."""
    if not axes:
        return value
    keep = [axis for axis in value.axes if axis not in axes]
    order = [value.axes.index(axis) for axis in (*keep, *axes)]
    return Tensor(value.data.transpose(order), value.error.transpose(order), tuple(keep), len(axes))


def with_names(value: Tensor, names: Sequence[str]) -> Tensor:
    """Return a tensor whose first axes without a name have got one."""
    return replace(value, axes=(*value.axes, *names), rank=value.rank - len(names), row=False)
