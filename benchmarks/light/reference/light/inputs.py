"""Hidden inputs of the light assignment."""

from __future__ import annotations

import numpy as np

from grader.course import Case

SHAPES = {"ordinary": (6, 4, 2), "rank one": (5, 5, 1), "wide": (3, 9, 2), "one row": (1, 4, 3)}


def factored(rng: np.random.Generator) -> list[Case]:
    """A matrix (N, D) and its factors (N, K), (K, D): ordinary, rank one, wide, one row."""
    draw = rng.standard_normal
    return [Case(name, (draw((n, d)), draw((n, k)), draw((k, d)))) for name, (n, d, k) in SHAPES.items()]


def predicted(rng: np.random.Generator) -> list[Case]:
    """A prediction and its target: vectors, a single number, matrices, far from zero."""
    return [
        Case("vectors", (rng.standard_normal(10), rng.standard_normal(10))),
        Case("one entry", (rng.standard_normal(1), rng.standard_normal(1))),
        Case("matrices", (rng.standard_normal((4, 3)), rng.standard_normal((4, 3)))),
        Case("far from zero", (100.0 + rng.standard_normal(7), 100.0 + rng.standard_normal(7))),
    ]
