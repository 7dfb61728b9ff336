"""Measures of softmax regression: the share of the regularisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from grader.course import Case


def l2_of_loss(value: Any, case: Case) -> float:
    """Return the share earned: what the loss gains by l2 is l2/2 sum W^2; half for a constant factor."""
    return _share(
        float(np.squeeze(value[-1])) - float(np.squeeze(value[2])), _squares(case) * case.known["l2"]
    )


def l2_of_gradient(value: Any, case: Case) -> float:
    """Return the share earned: what the gradient gains by l2 is l2 W, and nothing for b."""
    without, with_l2 = value[2], value[-1]
    gained = np.asarray(with_l2[0], dtype=float) - np.asarray(without[0], dtype=float)
    bias = np.abs(np.asarray(with_l2[1], dtype=float) - np.asarray(without[1], dtype=float)).max()
    return _share(gained, case.known["l2"] * case.known["W"]) * (1.0 if bias < 1e-6 else 0.5)


def _squares(case: Case) -> float:
    return 0.5 * float(np.sum(case.known["W"] ** 2))


def _share(found: Any, right: Any) -> float:
    """Return 1 for what is right, 0.5 for a constant factor times it, else 0."""
    found, right = np.asarray(found, dtype=float), np.asarray(right, dtype=float)
    if found.shape != right.shape or not np.isfinite(found).all():
        return 0.0
    factor = float(np.vdot(found, right) / np.vdot(right, right))
    size = float(np.abs(right).max())
    if np.abs(found - right).max() <= 1e-4 * size:
        return 1.0
    return 0.5 if factor and np.abs(found - factor * right).max() <= 1e-3 * abs(factor) * size else 0.0
