"""Which known mistakes the hidden inputs tell apart, and how far apart their results are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.explanations import Candidate
from grader.numerics.residual import SEPARATED, residual
from grader.plan.candidates import KnownMistakes

RIGHT = "(right)"


@dataclass(frozen=True)
class Pair:
    """Two explanations and the largest relative difference of their results."""

    first: str
    second: str
    distance: float


def distances(right: Candidate, mistakes: Sequence[Candidate]) -> list[Pair]:
    """Return how far every known mistake is from the reference, and every two from each other."""
    pairs = []
    for index, first in enumerate(mistakes):
        for second in (right, *mistakes[:index]):
            distance = residual(first.predictions, second)
            pairs.append(Pair(_code(first), _code(second), distance))
    return pairs


def close_pairs(mistakes: KnownMistakes) -> list[Pair]:
    """Return the pairs among a function's known mistakes and the reference that its inputs do not tell apart.

    Pairs of mistakes that the course declares to be the same are left out.
    """
    own = mistakes.own()
    declared = {frozenset((_code(each), code)) for each in own for code in each.same_as}
    return [
        pair
        for pair in distances(mistakes.right(), own)
        if pair.distance < SEPARATED and frozenset((pair.first, pair.second)) not in declared
    ]


def _code(candidate: Candidate) -> str:
    return "+".join(candidate.codes) or RIGHT
