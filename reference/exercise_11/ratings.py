"""Generates restaurant ratings of the form that exercise 11 works on: (user, restaurant, stars 1..5).

Long-tailed users and restaurants, tastes of low rank, a bias of every user, noise, whole stars; the same
for the same seed. Run as a script it writes the file that stands beside the notebook:

    python reference/exercise_11/ratings.py [--full] [--seed 11] [--out FILE]
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

FULL_SIZE = {"n_users": 337_867, "n_restaurants": 5_899, "n_ratings": 929_606}
FILE = "exercise_11_matrix_factorization_ratings.npy"


def generate_ratings(
    seed: int,
    n_users: int = 900,
    n_restaurants: int = 220,
    n_ratings: int = 24_000,
    rank: int = 3,
) -> NDArray[np.int64]:
    """Return ratings, shape (n, 3): user, restaurant, stars; every pair at most once, n <= n_ratings."""
    rng = np.random.default_rng(seed)
    users = _popular(rng, n_users, n_ratings, tail=1.0)
    restaurants = _popular(rng, n_restaurants, n_ratings, tail=0.7)
    pairs = np.unique(users * n_restaurants + restaurants)
    users, restaurants = np.divmod(pairs, n_restaurants)
    taste = rng.standard_normal((n_users, rank)) / np.sqrt(rank)
    style = rng.standard_normal((n_restaurants, rank))
    level = 3.4 + 0.5 * rng.standard_normal(n_users)
    mean = level[users] + 1.1 * np.einsum("ij,ij->i", taste[users], style[restaurants])
    stars = np.clip(np.rint(mean + 0.35 * rng.standard_normal(len(pairs))), 1, 5)
    order = rng.permutation(len(pairs))
    return np.stack([users, restaurants, stars.astype(np.int64)], axis=1)[order]


def _popular(rng: np.random.Generator, n: int, draws: int, tail: float) -> NDArray[np.int64]:
    """Draw indices 0..n-1 whose frequencies fall like a power of their (shuffled) rank."""
    weights = (np.arange(n) + 10.0) ** -tail
    rng.shuffle(weights)
    bounds = np.cumsum(weights / weights.sum())
    return np.minimum(np.searchsorted(bounds, rng.random(draws)), n - 1)


def main() -> None:
    """Write a file of ratings."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--full", action="store_true", help="the size of a real course's data")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--out", default=FILE)
    options = parser.parse_args()
    np.save(options.out, generate_ratings(options.seed, **(FULL_SIZE if options.full else {})))


if __name__ == "__main__":
    main()
