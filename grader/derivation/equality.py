"""Tests an equality of two trees on random instances.

Two values are equal if their difference is below a bound of the rounding errors, and differ if it is far
above; between the two nothing is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from grader.derivation import tensor as t
from grader.derivation.evaluate import Evaluator
from grader.derivation.meaning import Task
from grader.derivation.scope import Scope
from grader.derivation.tensor import Array, Tensor
from grader.derivation.tree import (
    DerivationError,
    Derivative,
    Node,
    Symbol,
    Transpose,
    free_indices,
    is_number,
    walk,
)
from grader.derivation.work import Work

PRECISION = 2.0**-53
EQUAL, DIFFERENT = 100, 10_000  # times the bound of the rounding error
VAGUE = 1e-6  # a bound above this says nothing
VARIANTS = 3
MAX_KEPT = 5000  # entries of a value that is kept
Mask = NDArray[np.bool_]
HOLDS, FAILS, NOT_CHECKED = "holds", "fails", "not_checked"


@dataclass(frozen=True)
class Example:
    """The smallest instance on which two sides differ: its sizes, the indices (from 1), and both values."""

    sizes: Mapping[str, int]
    indices: Mapping[str, int]
    left: Array
    right: Array


@dataclass(frozen=True)
class Comparison:
    """Whether two sides are equal; `only_pairs` if they are so where the two indices of a pair differ."""

    verdict: str
    reason: str = ""
    example: Example | None = None
    only_pairs: bool = False


@dataclass
class Comparer:
    """Compares trees in one scope, on the same instances."""

    task: Task
    scope: Scope
    seed: int = 0
    symmetric: bool = False
    work: Work = field(default_factory=Work)
    _evaluators: dict[tuple[int, int], Evaluator] = field(default_factory=dict)
    _values: dict[tuple[Node, int, int, tuple[tuple[str, int], ...]], Tensor | DerivationError] = field(
        default_factory=dict
    )

    def compare(
        self,
        left: Node,
        right: Node,
        pairs: frozenset[tuple[str, str]] = frozenset(),
        conditions: Sequence[Node] = (),
        up_to_constant: bool = False,
        smallest: bool = False,
    ) -> Comparison:
        """Compare two trees for all values of their free indices, on all instances or on the smallest."""
        if left == right:
            return Comparison(HOLDS)
        decided = only_pairs = False
        unclear = ""
        for number in range(1 if smallest else self.task.count):
            try:
                found = self._compare_on(number, left, right, pairs, conditions, up_to_constant)
            except t.RankError as error:
                # With a transpose it may be a matter of rows and columns.
                sure = "matrix" not in error.message and not any(
                    isinstance(node, Transpose) for side in (left, right) for node in walk(side)
                )
                return Comparison(FAILS if sure else NOT_CHECKED, error.message)
            except DerivationError as error:
                return Comparison(NOT_CHECKED, str(error))
            if found.verdict == FAILS:
                return found
            only_pairs |= found.only_pairs
            decided |= found.verdict == HOLDS
            unclear = unclear or found.reason
        if not decided:
            return Comparison(NOT_CHECKED, unclear)
        return Comparison(HOLDS, only_pairs=only_pairs)

    def values(self, number: int, left: Node, right: Node) -> tuple[list[Array], tuple[str, ...]]:
        """Return data, error, data, error of two trees on an instance, aligned."""
        sizes = self.evaluator(number).sizes(free_indices(left) | free_indices(right), left, right)
        one, other = self.value(left, number, 0, sizes), self.value(right, number, 0, sizes)
        return t.aligned(*_same_rank(one, other, left, right))

    def value(self, node: Node, number: int, variant: int, sizes: Mapping[str, int]) -> Tensor:
        """Return the value of a tree; it is kept."""
        own = tuple((index, size) for index, size in sizes.items() if index in free_indices(node))
        key = (node, number, variant, own)
        if key not in self._values:
            try:
                value = self.evaluator(number, variant).value(node, dict(own))
            except DerivationError as error:
                self._values[key] = error
                raise
            if value.data.size > MAX_KEPT:
                return value
            self._values[key] = value
        found = self._values[key]
        if isinstance(found, DerivationError):
            raise found
        return found

    def evaluator(self, number: int, variant: int = 0) -> Evaluator:
        """Return the evaluator of an instance."""
        key = (number, variant)
        if key not in self._evaluators:
            instance = self.task.instance(number, self.seed, variant)
            self._evaluators[key] = Evaluator(self.scope, instance, self.symmetric, self.work)
        return self._evaluators[key]

    def _compare_on(
        self,
        number: int,
        left: Node,
        right: Node,
        pairs: frozenset[tuple[str, str]],
        conditions: Sequence[Node],
        up_to_constant: bool,
    ) -> Comparison:
        evaluator = self.evaluator(number)
        sizes = evaluator.sizes(free_indices(left) | free_indices(right), left, right)
        tensors = _same_rank(
            self.value(left, number, 0, sizes), self.value(right, number, 0, sizes), left, right
        )
        (a, a_error, b, b_error), axes = t.aligned(*tensors)
        with np.errstate(all="ignore"):
            difference, error = np.abs(a - b), a_error + b_error
            if up_to_constant:
                first = a - b
                for variant in range(1, VARIANTS):
                    one, other = (self.value(side, number, variant, sizes) for side in (left, right))
                    (c, c_error, d, d_error), _ = t.aligned(*_same_rank(one, other, left, right))
                    difference = np.maximum(difference if variant > 1 else 0.0, np.abs(first - (c - d)))
                    error = error + c_error + d_error
            bound = PRECISION * EQUAL * error
            scale = np.maximum(np.abs(a), np.abs(b))
            clear = (
                np.isfinite(difference) & np.isfinite(bound) & ((bound <= VAGUE) | (bound <= VAGUE * scale))
            )
            equal = clear & (difference <= bound)
            differs = clear & (difference > PRECISION * DIFFERENT * error)
        shape = np.broadcast_shapes(a.shape, b.shape)
        rank = len(shape) - len(axes)
        wanted = np.ones(shape[: len(axes)], bool)
        for condition in conditions:
            if free_indices(condition) <= set(axes):
                wanted &= _spread(evaluator.mask(condition, sizes), axes, wanted.shape)
        on_pairs = np.zeros_like(wanted)
        for first_index, second_index in pairs:
            if first_index in axes and second_index in axes:
                on_pairs |= _equal_indices(axes, first_index, second_index, wanted.shape)

        def whole(mask: Mask) -> Mask:
            mask = np.broadcast_to(mask, shape)
            return np.asarray(mask.any(tuple(range(-rank, 0)))) if rank else mask

        wrong = whole(differs) & wanted
        apart = wrong & ~on_pairs
        if apart.any():
            at = tuple(int(each) for each in np.argwhere(apart)[0])
            values = (np.broadcast_to(side, shape)[at] for side in (a, b))
            places = {axis: position + 1 for axis, position in zip(axes, at, strict=True)}
            return Comparison(FAILS, example=Example(evaluator.instance.sizes, places, *values))
        undecided = whole(~(equal | differs)) & wanted & ~on_pairs
        if undecided.any() or not (wanted & ~on_pairs).any():
            finite = bool(np.isfinite(difference).all())
            reason = (
                "the numbers are too inexact to decide" if finite else "it is not finite on random numbers"
            )
            return Comparison(NOT_CHECKED, reason if undecided.any() else "there is no instance for it")
        beside = (whole(~equal) & wanted & on_pairs).any()
        return Comparison(HOLDS, only_pairs=bool(beside))


def pairs_in(
    trees: Sequence[Node], free: frozenset[str], names: frozenset[str]
) -> frozenset[tuple[str, str]]:
    """Return the pairs of free indices that stand at a symbol for pairs, such as i, j in q_ij."""
    found = set()
    for tree in trees:
        for node in walk(tree):
            if isinstance(node, Symbol) and node.name in names and len(node.indices) == 2:
                first, second = node.indices
                if (
                    isinstance(first, str)
                    and isinstance(second, str)
                    and first != second
                    and {first, second} <= free
                ):
                    found.add((min(first, second), max(first, second)))
    return frozenset(found)


def has_derivative(node: Node) -> bool:
    """Return whether a derivative stands in a tree."""
    return any(isinstance(each, Derivative) for each in walk(node))


def _same_rank(left: Tensor, right: Tensor, left_node: Node, right_node: Node) -> tuple[Tensor, Tensor]:
    """Return both sides with the same rank; zero is any array's zero. Raises DerivationError."""
    if left.rank != right.rank:
        if is_number(right_node, 0.0) and not right.rank:
            return left, t.entrywise(t.scaled(left, 0.0), right)
        if is_number(left_node, 0.0) and not left.rank:
            return t.entrywise(t.scaled(right, 0.0), left), right
        raise t.RankError(f"{t.named(left)} is set equal to {t.named(right)}")
    if left.rank and left.data.shape[-left.rank :] != right.data.shape[-right.rank :]:
        raise DerivationError("arrays of different shapes are set equal")
    return left, right


def _spread(mask: Tensor, axes: tuple[str, ...], shape: tuple[int, ...]) -> Mask:
    (a, _, _, _), found = t.aligned(mask, t.tensor(np.ones(shape), axes))
    order = [found.index(axis) for axis in axes]
    return np.broadcast_to(a.transpose(order) != 0, shape)


def _equal_indices(axes: tuple[str, ...], first: str, second: str, shape: tuple[int, ...]) -> Mask:
    grids = np.indices(shape)
    equal: Mask = grids[axes.index(first)] == grids[axes.index(second)]
    return equal
