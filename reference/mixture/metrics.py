"""Measures of the mixture of Gaussians."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from grader.course import Case

ROUNDING = 1e-9
STEPS = 30


def rises(value: Any, case: Case) -> float:
    """Return the share of the steps that do not lower the log-likelihood; 0 if it begins elsewhere."""
    likelihoods = [float(each) for each in np.ravel(value)]
    start = case.known["start"]
    if len(likelihoods) < 2 or abs(likelihoods[0] - start) > 1e-6 * abs(start):
        return 0.0
    steps = [after >= before - ROUNDING * abs(before) for before, after in pairwise(likelihoods)]
    return sum(steps) / len(steps) if likelihoods[-1] > likelihoods[0] else 0.0


def curve(value: Any, case: Case) -> float:
    """Return 1 for a line of STEPS points with labels at both axes, 1/2 if a label is missing, else 0."""
    for axes in value["axes"]:
        if any(len(line["y"]) >= STEPS for line in axes["lines"]):
            return 1.0 if axes["x_label"] and axes["y_label"] else 0.5
    return 0.0
