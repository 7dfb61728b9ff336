"""What random code draws depends on the seed, and leaves no trace."""

from __future__ import annotations

import random

import numpy as np
import pytest

from grader.inside.chance import seeded


def drawn(seed: int) -> list[float]:
    """Return one number from every source that the seed has to reach."""
    with seeded(seed):
        return [
            random.random(),
            np.random.rand(),
            np.random.default_rng().random(),
            np.random.Generator(np.random.PCG64()).random(),
            np.random.RandomState().rand(),
        ]


def test_the_same_seed_draws_the_same_and_another_seed_nothing_of_it() -> None:
    assert drawn(5) == drawn(5)
    assert set(drawn(5)).isdisjoint(drawn(6))


def test_generators_without_a_seed_differ_within_a_call() -> None:
    with seeded(5):
        assert np.random.default_rng().random() != np.random.default_rng().random()


def test_afterwards_everything_is_as_it_was_also_after_an_error() -> None:
    random.seed(1)
    np.random.seed(1)
    expected = random.random(), np.random.rand()
    random.seed(1)
    np.random.seed(1)
    with pytest.raises(KeyError), seeded(5):
        raise KeyError
    assert (random.random(), np.random.rand()) == expected
    afresh = [np.random.default_rng().random() for _ in range(2)]
    assert afresh[0] != afresh[1]
    assert drawn(5)[2] not in afresh
