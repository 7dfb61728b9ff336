"""Whether results say anything of a function: what is the same for every input was not computed from it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from grader.numerics.residual import parts_of
from grader.records import Outcome, OutcomeKind

FEWEST = 3  # results that must be alike


def says_nothing(outcomes: Iterable[Outcome]) -> bool:
    """Whether all results of a function are zero or not finite, or alike wherever they have the same shape.

    The outcomes are those of calls on different inputs.
    """
    groups: dict[tuple[tuple[int, ...], ...], list[tuple[np.ndarray, ...]]] = {}
    for outcome in outcomes:
        if outcome.kind is OutcomeKind.RETURNED:
            parts = parts_of(outcome.value)
            if parts is None or any(part.dtype.kind not in "biufc" for part in parts):
                return False
            groups.setdefault(tuple(part.shape for part in parts), []).append(parts)
    every = [parts for group in groups.values() for parts in group]
    if len(every) < FEWEST:
        return False
    if not any((np.isfinite(part) & (part != 0)).any() for parts in every for part in parts):
        return True
    several = [group for group in groups.values() if len(group) > 1]
    return bool(several) and all(
        np.array_equal(part, first, equal_nan=True)
        for group in several
        for parts in group[1:]
        for part, first in zip(parts, group[0], strict=True)
    )
