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
LEAST_FACTOR = 1e-4  # away from 1: a smaller one is within most tolerances
ORDINALS = ("first", "second", "third", "fourth", "last")


@dataclass(frozen=True)
class Pattern:
    """A transformation of the right parts, given those that came back and the lengths of the argument.

    `what` says of a result what is wrong with it: the words after "it". One with a mask takes the entries of
    the mask as they came back and compares the others; it counts where these are enough to say anything.
    """

    code: str
    what: str
    transform: Callable[[Parts, Parts, Lengths], Parts | None]
    mask: Mask | None = None


def transformed(
    candidate: Candidate,
    observed: Mapping[str, Prediction],
    lengths: Mapping[str, Lengths],
    patterns: Sequence[Pattern],
    *,
    by_part: bool = False,
) -> Iterator[Candidate]:
    """Yield what a candidate becomes by each pattern that can be applied to all of its predictions.

    With `by_part`, the patterns are applied to one part of a result of several, while the others stay right.
    """
    places: list[int | None] = [None]
    if by_part:
        parts = {len(prediction.parts) for prediction in candidate.predictions.values() if prediction.parts}
        several = parts.pop() if len(parts) == 1 else 1
        places = list(range(several)) if several > 1 else []
    for place in places:
        for pattern in patterns:
            if place is not None and pattern.code == "swapped":
                continue
            predictions = _apply(pattern, candidate, observed, lengths, place)
            if predictions is not None:
                yield _named(candidate, pattern.code, pattern.what, place, predictions)
        factor = _times_constant(candidate, observed, place)
        if factor is not None:
            yield factor


def _named(
    candidate: Candidate, code: str, what: str, place: int | None, predictions: Mapping[str, Prediction]
) -> Candidate:
    """Return a candidate with a pattern among its mistakes: of the whole result, or of the part `place`."""
    subject = "it" if place is None else f"its {ORDINALS[min(place, len(ORDINALS) - 1)]} part"
    return replace(
        candidate,
        codes=(*candidate.codes, code if place is None else f"{code}_{place}"),
        names=(*candidate.names, f"{subject} {what}"),
        predictions=predictions,
        credit=0.0,
    )


def _apply(
    pattern: Pattern,
    candidate: Candidate,
    observed: Mapping[str, Prediction],
    lengths: Mapping[str, Lengths],
    place: int | None,
) -> dict[str, Prediction] | None:
    found = {}
    for call, seen in observed.items():
        want = candidate.predictions[call]
        if want.parts is None or seen.parts is None:
            found[call] = want
            continue
        chosen = slice(None) if place is None else slice(place, place + 1)
        with np.errstate(all="ignore"):
            parts = pattern.transform(want.parts[chosen], seen.parts[chosen], lengths[call])
        if parts is None:
            return None
        if place is not None:
            parts = (*want.parts[:place], *parts, *want.parts[place + 1 :])
        found[call] = Prediction(parts)
    compared = pattern.mask is None or _compared(pattern.mask, found, place) >= ENOUGH
    return found if compared else None


def _compared(mask: Mask, found: Mapping[str, Prediction], place: int | None) -> float:
    """Return the share of entries that a mask leaves to be compared: of each part, the least of them."""
    left: dict[int, int] = {}
    total: dict[int, int] = {}
    for prediction in found.values():
        for number, part in enumerate(prediction.parts or ()):
            where = mask(part)
            if place in (None, number):
                shown = 0 if where is None else int(np.count_nonzero(part[~where]))
                left[number] = left.get(number, 0) + shown
                total[number] = total.get(number, 0) + int(np.count_nonzero(part))
    return min((left[number] / max(1, total[number]) for number in left), default=0.0)


def _times_constant(
    candidate: Candidate, observed: Mapping[str, Prediction], place: int | None
) -> Candidate | None:
    """Return the candidate times the constant that fits best, None if there is no such constant."""
    pairs = [
        (got, want)
        for call, seen in observed.items()
        for number, (got, want) in enumerate(
            zip(seen.parts or (), candidate.predictions[call].parts or (), strict=False)
        )
        if place in (None, number)
        and got.size == want.size
        and got.dtype.kind in "iuf"
        and want.dtype.kind in "iuf"
    ]
    factor = best_factor(pairs)
    count = sum(got.size for got, want in pairs if 0.0 < float(np.abs(want).max(initial=0.0)) < np.inf)
    if (
        factor is None
        or count < 3
        or abs(factor) < 1e-9
        or min(abs(factor - 1), abs(factor + 1)) < LEAST_FACTOR
    ):
        return None
    predictions = {
        call: replace(
            seen,
            parts=tuple(
                factor * part if place in (None, number) else part for number, part in enumerate(seen.parts)
            ),
        )
        if seen.parts
        else seen
        for call, seen in candidate.predictions.items()
    }
    what = f"is right up to the constant factor {factor:.4g}"
    return _named(candidate, "constant_factor", what, place, predictions)


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


def _rounded(decimals: int) -> Callable[[Parts, Parts, Lengths], Parts | None]:
    """Round where what came back is rounded so, and has something to round."""

    def around(want: Parts, got: Parts, lengths: Lengths) -> Parts | None:
        if len(want) != len(got) or any(part.dtype.kind not in "iuf" for part in (*want, *got)):
            return None
        return tuple(np.round(part, decimals) for part in want)

    return around


def _before_the_sum(total: Callable[[Array], np.float64]) -> Callable[[Parts, Parts, Lengths], Parts | None]:
    """Take an array as it came back where a number belongs that is its sum, or its mean."""

    def several(want: Parts, got: Parts, lengths: Lengths) -> Parts | None:
        if len(want) != 1 or len(got) != 1 or want[0].size != 1:
            return None
        if got[0].size <= 1:
            return want
        off = abs(float(np.abs(total(got[0]) - want[0].item())))
        return got if off <= 1e-6 * abs(float(np.abs(want[0].item()))) else None

    return several


def _row_for_all(row: int) -> Callable[[Parts, Parts, Lengths], Parts | None]:
    """Take one row of the right result for all rows, or alone if that is what came back."""

    def one_row(want: Parts, got: Parts, lengths: Lengths) -> Parts | None:
        if len(want) != len(got) or any(part.ndim != 2 or not len(part) for part in want):
            return None
        return tuple(
            np.broadcast_to(right[row], right.shape) if came.shape == right.shape else right[row]
            for right, came in zip(want, got, strict=True)
        )

    return one_row


def _triangle(cut: Callable[[Array], Array]) -> Callable[[Parts, Parts, Lengths], Parts | None]:
    def half(want: Parts, got: Parts, lengths: Lengths) -> Parts | None:
        square = all(part.ndim == 2 and part.shape[0] == part.shape[1] for part in want)
        return tuple(cut(part) for part in want) if square else None

    return half


PARTIAL: tuple[tuple[str, str, Mask], ...] = (
    ("except_diagonal", "is right except on the diagonal", _diagonal),
    ("except_first", "is right except for the first row", _rows(0)),
    ("except_last", "is right except for the last row", _rows(-1)),
    ("except_first_column", "is right except for the first column", _columns(0)),
    ("except_last_column", "is right except for the last column", _columns(-1)),
    ("two_columns_only", "is right for two dimensions only", _two_columns),
)
TRANSFORMATIONS = (
    Pattern("sign", "has the wrong sign", _each(np.negative)),
    Pattern("transposed", "is transposed", _each(np.transpose)),
    Pattern("swapped", "has its parts in the wrong order", lambda want, got, lengths: want[::-1]),
    Pattern("sum_for_mean", "lacks a division by the number of rows", _times(0, 1)),
    Pattern("mean_for_sum", "is divided by the number of rows once too often", _times(0, -1)),
    Pattern("divided_twice", "is divided by the square of the number of rows", _times(0, -2)),
    Pattern("mean_over_entries", "has a mean that is also taken over the columns", _times(1, -1)),
    Pattern("sum_over_columns", "lacks the mean over the columns", _times(1, 1)),
    Pattern("squared", "is the square of what is asked", _each(np.square)),
    Pattern("root", "is the root of what is asked", _each(lambda part: np.sqrt(np.abs(part)))),
    Pattern("absolute", "lost its signs", _each(np.abs)),
    Pattern("integer_dtype", "has its fractions cut off", _truncated),
    Pattern("unsummed", "is not summed: the sum of what it returns would be right", _before_the_sum(np.sum)),
    Pattern("unaveraged", "is not averaged: the mean of what it returns is right", _before_the_sum(np.mean)),
    Pattern("first_row_only", "is right for the first row only, which stands for all", _row_for_all(0)),
    Pattern("last_row_only", "is right for the last row only, which stands for all", _row_for_all(-1)),
    Pattern("upper_triangle", "has its upper triangle only: the other half is zero", _triangle(np.triu)),
    Pattern("lower_triangle", "has its lower triangle only: the other half is zero", _triangle(np.tril)),
    Pattern("rounded_0", "is rounded to whole numbers", _rounded(0)),
    *(Pattern(f"rounded_{n}", f"is rounded to {n} decimals", _rounded(n)) for n in (1, 2, 3)),
    *(Pattern(code, what, _except(mask), mask) for code, what, mask in PARTIAL),
)
COMBINABLE = TRANSFORMATIONS[:3]
