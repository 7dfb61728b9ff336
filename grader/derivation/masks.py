"""Conditions on indices as arrays of ones and zeros."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from grader.derivation import tensor as t
from grader.derivation.tensor import Array, Tensor
from grader.derivation.tree import Both, Compare, DerivationError, Either, Node

COMPARED: dict[str, Callable[[Array, Array], Array]] = {
    "=": np.equal,
    "≠": np.not_equal,
    "<": np.less,
    ">": np.greater,
    "≤": np.less_equal,
    "≥": np.greater_equal,
}


def mask_of(condition: Node, sizes: Mapping[str, int], default: int) -> Tensor:
    """Return one where a condition holds, zero elsewhere; indices without a size have the default.

    The size that a condition names is in `sizes` too, as `#K`.
    """
    match condition:
        case Compare(operator=operator, left=left, right=right):
            sides = []
            for side in (left, right):
                if isinstance(side, int):
                    sides.append(t.number(side))
                elif side.startswith("#"):
                    sides.append(t.number(sizes[side]))
                else:
                    sides.append(t.tensor(np.arange(1.0, sizes.get(side, default) + 1), [side]))
            if left == right:
                return t.number(float(operator in "=≤≥"))
            (a, _, b, _), axes = t.aligned(*sides)
            return t.tensor(COMPARED[operator](a, b).astype(float), axes)
        case Both(parts=parts):
            mask = mask_of(parts[0], sizes, default)
            for part in parts[1:]:
                mask = t.entrywise(mask, mask_of(part, sizes, default))
            return mask
        case Either(parts=(one, other, *_)):
            first, second = mask_of(one, sizes, default), mask_of(other, sizes, default)
            (a, _, b, _), axes = t.aligned(first, second)
            return t.tensor(np.maximum(a, b), axes)
    raise DerivationError("this condition cannot be evaluated", condition.place)
