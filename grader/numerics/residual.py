"""How far results are from a prediction: one number, 0 for the same, infinite for another structure.

Differences are relative to the largest entry, so the number means the same at every scale; the smallest
entry that counts is a tiny share of what is usual among the results of the same function.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.numerics.arrays import dense, largest, relative_error
from grader.records import Candidate, Prediction

Array = NDArray[Any]
SEPARATED = 1e-4  # explanations that are at least so far apart can be told apart
NOTHING = 1e-7  # of the largest entry of all results: rounding (also of a root), where zero is right


def parts_of(value: Any) -> tuple[Array, ...] | None:
    """Return the numeric parts of a returned value, None if it is not made of numbers."""
    whole = dense(value)
    if whole is not None:
        return (whole,)
    if isinstance(value, bool):
        return (np.asarray(float(value)),)
    if not isinstance(value, tuple | list):
        return None
    parts = [dense(part) for part in value]
    numbers = tuple(part for part in parts if part is not None)
    return numbers if len(numbers) == len(parts) else None


def residual(observed: Mapping[str, Prediction], candidate: Candidate, stop: float = math.inf) -> float:
    """Return the largest difference over all calls; beyond `stop` any number beyond it will do."""
    worst = 0.0
    floor = NOTHING * candidate.magnitude
    for call, seen in observed.items():
        worst = max(worst, prediction_error(seen, candidate.predictions[call], floor))
        if worst > stop:
            break
    return worst


def prediction_error(seen: Prediction, predicted: Prediction, floor: float = 0.0) -> float:
    """Return the relative difference of two results; an exception is only like one of the same type.

    NaN and infinity match only themselves; the rest is relative to the largest entry of both, or to `floor`.
    """
    if seen.raised or predicted.raised or seen.parts is None or predicted.parts is None:
        alike = seen.raised == predicted.raised and (seen.parts is None) == (predicted.parts is None)
        return 0.0 if alike and seen.raised else math.inf
    if len(seen.parts) != len(predicted.parts):
        return math.inf
    worst = 0.0
    for part, want in zip(seen.parts, predicted.parts, strict=True):
        got = part
        if got.shape != want.shape:
            if got.size != want.size or got.squeeze().shape != want.squeeze().shape:
                return math.inf
            got = got.reshape(want.shape)
        here, there = np.isfinite(got), np.isfinite(want)
        if not np.array_equal(here, there) or not np.array_equal(got[~here], want[~here], equal_nan=True):
            return math.inf
        error, _ = relative_error(got[here], want[here], max(largest(got), floor), least=0.0)
        worst = max(worst, error)
    return worst
