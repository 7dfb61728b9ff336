"""Inputs that students get, small enough to go through by hand; nothing here is like the hidden inputs."""

from __future__ import annotations

import numpy as np

from grader.course import Case

Generator = np.random.Generator
LINE = np.array([[0.0], [2.0]])
X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [3.0, 1.0]])
WEIGHTS = np.array([0.25, 0.75])
MEANS = np.array([[0.0, 0.0], [2.0, 1.0]])
COVARIANCES = np.array([[[1.0, 0.0], [0.0, 1.0]], [[2.0, 1.0], [1.0, 1.0]]])
HALVES = np.array([[1.0, 0.0], [0.5, 0.5], [1.0, 0.0], [0.0, 1.0]])


def gaussians(rng: Generator) -> list[Case]:
    """Return X, means and covariances."""
    return [
        Case(
            "one standard normal on the line",
            (np.array([[0.0], [2.0]]), np.zeros((1, 1)), np.ones((1, 1, 1))),
        ),
        Case("two Gaussians in the plane", (X, MEANS, COVARIANCES)),
    ]


def mixtures(rng: Generator) -> list[Case]:
    """Return X, weights, means and covariances."""
    return [Case("two components in the plane", (X, WEIGHTS, MEANS, COVARIANCES))]


def assignments(rng: Generator) -> list[Case]:
    """Return X and R."""
    return [Case("four points, one of them shared", (X, HALVES))]
