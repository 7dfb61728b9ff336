"""Mistakes that need no course to know them: what was done to the right result, whatever the function is.

A pattern turns a candidate into another one, whose predictions are those of the first with the transformation
applied. So patterns are matched as known mistakes are, and apply to known mistakes as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from grader.numerics.arrays import best_factor
from grader.records import Candidate, Prediction

Array = NDArray[np.float64]
Parts = tuple[Array, ...]
Lengths = tuple[int, ...]
Mask = Callable[[Array], NDArray[np.bool_] | None]
ENOUGH = 0.3


@dataclass(frozen=True)
class Pattern:
    """A transformation of the right parts, given those that came back and the lengths of the argument.

    One with a mask takes the entries of the mask as they came back and compares the others; it counts where
    these are enough to say anything.
    """

    code: str
    message: str
    transform: Callable[[Parts, Parts, Lengths], Parts | None]
    mask: Mask | None = None


def transformed(
    candidate: Candidate,
    observed: Mapping[str, Prediction],
    lengths: Mapping[str, Lengths],
    patterns: Sequence[Pattern],
) -> Iterator[Candidate]:
    """Yield what a candidate becomes by each pattern that can be applied to all of its predictions."""
    for pattern in patterns:
        predictions = _apply(pattern, candidate, observed, lengths)
        if predictions is not None:
            yield replace(
                candidate,
                codes=(*candidate.codes, pattern.code),
                names=(*candidate.names, pattern.message),
                predictions=predictions,
                credit=0.0,
            )
    factor = _times_constant(candidate, observed)
    if factor is not None:
        yield factor


def _apply(
    pattern: Pattern,
    candidate: Candidate,
    observed: Mapping[str, Prediction],
    lengths: Mapping[str, Lengths],
) -> dict[str, Prediction] | None:
    found = {}
    for call, seen in observed.items():
        want = candidate.predictions[call]
        if want.parts is None or seen.parts is None:
            found[call] = want
            continue
        with np.errstate(all="ignore"):
            parts = pattern.transform(want.parts, seen.parts, lengths[call])
        if parts is None:
            return None
        found[call] = Prediction(parts)
    return found if pattern.mask is None or _compared(pattern.mask, found) >= ENOUGH else None


def _compared(mask: Mask, found: Mapping[str, Prediction]) -> float:
    """Return the share of all entries that a mask leaves to be compared."""
    parts = [part for prediction in found.values() for part in prediction.parts or ()]
    hidden = [mask(part) for part in parts]
    left = sum(int(np.count_nonzero(~where)) for where in hidden if where is not None)
    return left / max(1, sum(int(part.size) for part in parts))


def _times_constant(candidate: Candidate, observed: Mapping[str, Prediction]) -> Candidate | None:
    """Return the candidate times the constant that fits best, None if there is no such constant."""
    pairs = [
        (got, want)
        for call, seen in observed.items()
        for got, want in zip(seen.parts or (), candidate.predictions[call].parts or (), strict=False)
        if got.size == want.size and got.dtype.kind in "iuf" and want.dtype.kind in "iuf"
    ]
    factor = best_factor(pairs)
    count = sum(got.size for got, want in pairs if 0.0 < float(np.abs(want).max(initial=0.0)) < np.inf)
    if factor is None or count < 3 or abs(factor) < 1e-9 or min(abs(factor - 1), abs(factor + 1)) < 1e-3:
        return None
    name = f"it is right up to the constant factor {factor:.4g}"
    predictions = {
        call: replace(seen, parts=tuple(factor * part for part in seen.parts)) if seen.parts else seen
        for call, seen in candidate.predictions.items()
    }
    codes = (*candidate.codes, "constant_factor")
    names = (*candidate.names, name)
    return replace(candidate, codes=codes, names=names, predictions=predictions, credit=0.0)


def _each(change: Callable[[Array], Array]) -> Callable[[Parts, Parts, Lengths], Parts]:
    return lambda want, got, lengths: tuple(change(part) for part in want)


def _times(axis: int, power: int) -> Callable[[Parts, Parts, Lengths], Parts | None]:
    """Scale by the length of an axis of the argument: a sum where a mean belongs, or the other way round."""

    def scale(want: Parts, got: Parts, lengths: Lengths) -> Parts | None:
        if len(lengths) <= axis or 0 in lengths:
            return None
        return tuple(part * float(lengths[axis]) ** power for part in want)

    return scale


def _truncated(want: Parts, got: Parts, lengths: Lengths) -> Parts | None:
    """Cut the fractions off where only whole numbers came back."""
    if len(want) != len(got) or any(np.iscomplexobj(part) for part in (*want, *got)):
        return None
    whole = [np.array_equal(came, np.trunc(came)) for came in got]
    return tuple(np.trunc(right) if cut else right for right, cut in zip(want, whole, strict=True))


def _except(
    mask: Callable[[Array], NDArray[np.bool_] | None],
) -> Callable[[Parts, Parts, Lengths], Parts | None]:
    """Take the entries of a mask as they came back: only the others are compared."""

    def merge(want: Parts, got: Parts, lengths: Lengths) -> Parts | None:
        merged = []
        for right, came in zip(want, got, strict=False):
            where = mask(right) if right.shape == came.shape and right.ndim else None
            if where is None:
                return None
            merged.append(np.where(where, came, right))
        return tuple(merged) if len(want) == len(got) else None

    return merge


def _diagonal(part: Array) -> NDArray[np.bool_] | None:
    return np.eye(len(part), dtype=bool) if part.ndim == 2 and part.shape[0] == part.shape[1] > 2 else None


def _rows(place: int) -> Mask:
    def mask(part: Array) -> NDArray[np.bool_] | None:
        if len(part) < 3:
            return None
        found = np.zeros(part.shape, dtype=bool)
        found[place] = True
        return found

    return mask


def _columns(place: int) -> Mask:
    def mask(part: Array) -> NDArray[np.bool_] | None:
        if part.ndim != 2 or part.size < 3:
            return None
        found = np.zeros(part.shape, dtype=bool)
        found[:, place] = True
        return found if part.shape[1] > 1 else np.ones(part.shape, dtype=bool)

    return mask


def _two_columns(part: Array) -> NDArray[np.bool_] | None:
    return np.full(part.shape, part.shape[1] != 2) if part.ndim == 2 else None


PARTIAL: tuple[tuple[str, str, Mask], ...] = (
    ("except_diagonal", "it is right except on the diagonal", _diagonal),
    ("except_first", "it is right except for the first row", _rows(0)),
    ("except_last", "it is right except for the last row", _rows(-1)),
    ("except_first_column", "it is right except for the first column", _columns(0)),
    ("except_last_column", "it is right except for the last column", _columns(-1)),
    ("two_columns_only", "it is right for two dimensions only", _two_columns),
)
TRANSFORMATIONS = (
    Pattern("sign", "it has the wrong sign", _each(np.negative)),
    Pattern("transposed", "it is transposed", _each(np.transpose)),
    Pattern("swapped", "its parts are in the wrong order", lambda want, got, lengths: want[::-1]),
    Pattern("sum_for_mean", "it is a sum where a mean belongs", _times(0, 1)),
    Pattern("mean_for_sum", "it is a mean over the rows where a sum belongs", _times(0, -1)),
    Pattern("mean_over_entries", "its mean is also taken over the columns", _times(1, -1)),
    Pattern("sum_over_columns", "it lacks the mean over the columns", _times(1, 1)),
    Pattern("squared", "it is the square of what is asked", _each(np.square)),
    Pattern("root", "it is the root of what is asked", _each(lambda part: np.sqrt(np.abs(part)))),
    Pattern("absolute", "it lost its signs", _each(np.abs)),
    Pattern("integer_dtype", "its fractions are cut off on integer input", _truncated),
    *(Pattern(code, message, _except(mask), mask) for code, message, mask in PARTIAL),
)
COMBINABLE = TRANSFORMATIONS[:3]
