"""Measures of softmax regression: the share of the regularisation, whatever the rest of a value is."""

from __future__ import annotations

from typing import Any

import numpy as np

from grader.course import Case

MULTIPLE = 0.4  # the share for a multiple of what is right


def l2_of_loss(value: Any, case: Case) -> float:
    """Return the share earned: what l2 adds to the loss is l2/2 sum W^2; MULTIPLE for another multiple of it."""
    without, regularised = (float(np.squeeze(each)) for each in value)
    return _share(regularised - without, 0.5 * case.known["l2"] * float(np.sum(case.args[0] ** 2)))


def l2_of_gradient(value: Any, case: Case) -> float:
    """Return the share earned: l2 adds l2 W to the part for W; half if it adds something to that for b."""
    without, regularised = (
        [np.asarray(value, dtype=float) for value in (each[0], each[1])] for each in value
    )
    gained = _share(regularised[0] - without[0], case.known["l2"] * case.args[0])
    return gained if np.abs(regularised[1] - without[1]).max() < 1e-6 else 0.5 * gained


def _share(found: Any, right: Any) -> float:
    """Return 1 for what is right, MULTIPLE for a positive multiple of it, else 0."""
    found, right = np.asarray(found, dtype=float), np.asarray(right, dtype=float)
    if found.shape != right.shape:
        return 0.0
    factor, size = float(np.vdot(found, right) / np.vdot(right, right)), float(np.abs(right).max())
    if np.abs(found - right).max() <= 1e-3 * size:
        return 1.0
    return MULTIPLE if factor > 0 and np.abs(found - factor * right).max() <= 1e-2 * factor * size else 0.0
