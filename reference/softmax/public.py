"""Inputs that students get, small enough to go through by hand; nothing here is like the hidden inputs."""

from __future__ import annotations

import numpy as np

from grader.course import Case

Generator = np.random.Generator
LOGARITHMS = np.log(np.array([[1.0, 2.0, 1.0], [3.0, 1.0, 1.0]]))  # the probabilities are quarters and fifths
W = np.array([[1.0, 0.0, -1.0], [0.5, 0.5, 0.0]])
B = np.array([0.0, 0.2, -0.2])
X = np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 1.0], [2.0, 1.0]])
Y = np.array([0, 1, 2, 0])


def scores(rng: Generator) -> list[Case]:
    """Return scores Z (N, C)."""
    return [Case("logarithms of 1, 2 and 3", (LOGARITHMS,)), Case("equal scores", (np.full((2, 4), 5.0),))]


def labelled(rng: Generator) -> list[Case]:
    """Return W, b, X and y."""
    return [Case("four points in the plane", (W, B, X, Y)), Case("zeros", (0.0 * W, 0.0 * B, X, Y))]
