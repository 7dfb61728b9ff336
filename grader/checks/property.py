"""Checks of type `property`: a property that must hold whatever the values are.

A property of one result is looked up in `OF_VALUES`. The others relate two calls: the second is made on the
same input again, or on one that is moved, rotated or permuted. What has another form, or is not finite,
cannot be checked: it earns nothing, and nothing is said about the property. The same holds of a result that
is zero everywhere, which satisfies many of them and proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat, model_validator

from grader.checks.base import (
    Identifier,
    Outcomes,
    PlannedCase,
    Planner,
    Trusted,
    ValueCheck,
    returned,
)
from grader.checks.result import CaseResult
from grader.errors import AssignmentError
from grader.numerics.arrays import TINY, as_array, dense, largest, relative_error
from grader.numerics.in_words import describe, text_of
from grader.records import Code, Table
from grader.subjects import Case

Array = NDArray[Any]
INFINITE = float("inf")
OF_VALUES: Mapping[str, Callable[[Array], float]] = {
    "sums_to_one": lambda a: abs(float(a.sum()) - 1.0),
    "sums_to_zero": lambda a: float(np.abs(a.sum(axis=0)).max(initial=0.0)) / _scale(a),
    "symmetric": lambda a: float(np.abs(a - a.T).max(initial=0.0)) / _scale(a),
    "zero_diagonal": lambda a: float(np.abs(np.diagonal(a)).max(initial=0.0)) / _scale(a),
    "nonnegative": lambda a: max(0.0, -float(a.min(initial=0.0))) / _scale(a),
    "in_unit_interval": lambda a: max(0.0, -float(a.min(initial=0.0)), float(a.max(initial=0.0)) - 1.0),
}
OF_SQUARES = ("symmetric", "zero_diagonal")
WORDS = {
    "sums_to_one": "the entries do not sum to one",
    "sums_to_zero": "the rows do not sum to zero",
    "symmetric": "it is not symmetric",
    "zero_diagonal": "the diagonal is not zero",
    "nonnegative": "some entries are negative",
    "in_unit_interval": "some entries lie outside [0, 1]",
    "input_not_mutated": "the function changed its input in place",
    "deterministic": "two calls with the same input and seed gave different results",
    "translation_invariant": "the result changes when all points are moved by the same vector",
    "rotation_equivariant": "the result does not turn with the points when they are rotated",
    "permutation_equivariant": "the result does not follow when the points are put in another order",
}
DETAILS: Mapping[str, Callable[[Array], str]] = {
    "sums_to_one": lambda a: f"the sum is {a.sum():.4g}",
    "sums_to_zero": lambda a: f"the sum over the rows is {text_of(a.sum(axis=0))}",
    "zero_diagonal": lambda a: f"the diagonal is {text_of(np.diagonal(a))}",
    "nonnegative": lambda a: f"the smallest entry is {a.min():.4g}",
    "in_unit_interval": lambda a: f"the entries run from {a.min():.4g} to {a.max():.4g}",
}


class PropertyCheck(ValueCheck):
    """A property that must hold whatever the values are."""

    type: Literal["property"]
    """Check a mathematical property of the result."""
    property: Literal[
        "sums_to_one",
        "sums_to_zero",
        "symmetric",
        "zero_diagonal",
        "nonnegative",
        "in_unit_interval",
        "input_not_mutated",
        "deterministic",
        "translation_invariant",
        "rotation_equivariant",
        "permutation_equivariant",
    ]
    """The property."""
    argument: Identifier | None = None
    """The argument that is translated, rotated or permuted."""
    along: tuple[Identifier, ...] = ()
    """Arguments that are permuted in rows and columns together with it."""
    rtol: PositiveFloat = 1e-6
    """Largest violation allowed, relative to the largest entry of the result."""

    relating: ClassVar[frozenset[str]] = frozenset(
        {
            "translation_invariant",
            "rotation_equivariant",
            "permutation_equivariant",
        }
    )

    @model_validator(mode="after")
    def _argument_given(self) -> Self:
        if self.property in self.relating and self.argument is None:
            raise ValueError(f"the property {self.property} needs the key 'argument'")
        return self

    def plan(self, planner: Planner) -> tuple[PlannedCase, ...]:
        """Return a case for each input, with a second call where the property relates two."""
        rng = np.random.default_rng([planner.seed, 1])
        cases = []
        for case in next(planner.draws(self.inputs)):
            calls = [(case, planner.call(self, case, echo=self.property == "input_not_mutated"))]
            change = Change()
            if self.property == "deterministic":
                calls.append((case, planner.call(self, case, repeat=1)))
            elif self.property in self.relating:
                other, change = changed_input(self, case, planner.parameters, rng)
                calls.append((other, planner.call(self, other)))
            made = tuple(call for _, call in calls)
            aided = () if self.property == "deterministic" else self.aided(planner, calls)
            cases.append(PropertyCase(made, case, self, change, aided=aided))
        return tuple(cases)


@dataclass(frozen=True)
class Change:
    """What was done to the input of the second call: the result must follow."""

    rotation: Array | None = None
    permutation: Array | None = None

    def of(self, first: Array) -> Array | None:
        """Return what the second result must be, given the first; None if it has the wrong shape for that."""
        if self.rotation is not None and first.ndim:
            return first @ self.rotation if first.shape[-1] == len(self.rotation) else None
        if self.permutation is not None and first.ndim:
            order = self.permutation
            if first.shape[:1] != order.shape:
                return None
            square = first.ndim == 2 and first.shape[1] == len(order)
            return first[np.ix_(order, order)] if square else first[order]
        return first


def changed_input(
    check: PropertyCheck, case: Case, names: tuple[str, ...], rng: np.random.Generator
) -> tuple[Case, Change]:
    """Return the input of the second call, and what was done to it."""

    def argument(name: str) -> Any:
        if name not in names[: len(case.args)]:
            raise AssignmentError(f"the inputs {case.name!r} have no argument {name!r}; they have {names}")
        return np.asarray(case.args[names.index(name)])

    name = check.argument or ""
    x = argument(name)
    new: dict[str, Any]
    if check.property == "translation_invariant":
        shift = rng.standard_normal(x.shape[1:]) * max(1.0, float(np.abs(x).max(initial=0.0)))
        new, change = {name: x + shift}, Change()
    elif check.property == "rotation_equivariant":
        if x.ndim != 2:
            raise AssignmentError(f"the argument {name!r} of {case.name!r} is no matrix of points")
        rotation = np.linalg.qr(rng.standard_normal((x.shape[1], x.shape[1])))[0]
        new, change = {name: x @ rotation}, Change(rotation=rotation)
    else:
        order = rng.permutation(len(x))
        new = {name: x[order], **{other: argument(other)[np.ix_(order, order)] for other in check.along}}
        change = Change(permutation=order)
    args = tuple(new.get(name, value) for name, value in zip(names, case.args, strict=False))
    return Case(case.name, args, case.keywords), change


@dataclass(frozen=True)
class PropertyCase(PlannedCase):
    """One input, and how the result of the second call, if there is one, must relate to the first."""

    check: PropertyCheck
    change: Change

    def judge(self, outcomes: Outcomes, trusted: Trusted | None) -> CaseResult:
        """Say whether the property holds."""
        name, output = self.check.property, self.check.output
        values = []
        for call in self.calls:
            got = returned(call, outcomes, output)
            if got.failed:
                return got.failed
            values.append(got.value)
        if name == "input_not_mutated":
            size = mutation(self.inputs.args, outcomes[self.calls[0].id].args_after)
        else:
            reason = next(filter(None, (unfit(name, value) for value in values)), "")
            if reason:
                return CaseResult(0.0, Code.NOT_CHECKED, f"not checked: {reason}")
            size = violation(name, values[0], values[-1], self.change)
        if size <= self.check.rtol:
            return CaseResult(1.0)
        allowed = ("allowed", f"{self.check.rtol:.2g}")
        facts = (("size of the violation", f"{size:.2g}"), allowed) if np.isfinite(size) else ()
        return CaseResult(0.0, name, WORDS[name], facts)

    def detail(self, value: Any, result: CaseResult) -> str:
        """Say by how much the property is violated."""
        if result.code == Code.NOT_CHECKED:
            return ""
        name, array = self.check.property, as_array(value)
        least = 2 if name == "zero_diagonal" else 1
        shown = array is not None and array.ndim >= least and array.size and array.dtype.kind in "biuf"
        if name in DETAILS and array is not None and shown:
            return DETAILS[name](array)
        size = dict(result.facts).get("size of the violation")
        return f"the largest change is {size} of the largest entry" if size else ""


def unfit(name: str, value: Any) -> str:
    """Say why a property of a result cannot be checked; '' if it can."""
    whole = as_array(value)
    parts = value if isinstance(value, tuple | list) and whole is None else (value,)
    arrays = [_signed(part) for part in parts]
    if not arrays or any(array is None for array in arrays):
        return f"it returned {describe(value)}"
    real = [array for array in arrays if array is not None]
    if not all(np.isfinite(array).all() for array in real):
        return "it has entries that are NaN or infinite"
    if not any(array.any() for array in real):
        return "it is zero everywhere, which proves nothing"
    first = real[0]
    if name in OF_SQUARES and not (first.ndim == 2 and first.shape[0] == first.shape[1]):
        return f"it is {describe(first)}, which is not square"
    if name in OF_VALUES and first.dtype.kind == "c":
        return "it has complex entries"
    return ""


def violation(name: str, value: Any, other: Any, change: Change) -> float:
    """Return how far a result is from having a property; infinite if it is no finite array, or all zero."""
    whole = as_array(value)
    parts = value if isinstance(value, tuple | list) and whole is None else (value,)
    arrays = [array for array in map(_signed, parts) if array is not None and np.isfinite(array).all()]
    if len(arrays) < len(parts) or not any(array.any() for array in arrays):
        return INFINITE
    first = arrays[0]
    if name in OF_VALUES:
        square = name not in OF_SQUARES or (first.ndim == 2 and first.shape[0] == first.shape[1])
        return OF_VALUES[name](first) if square and first.dtype.kind == "f" else INFINITE
    return _difference(value, other, change)


def mutation(before: tuple[Any, ...], after: tuple[Any, ...] | None) -> float:
    """Return 0 if no argument changed, else infinity."""
    if after is None or len(after) != len(before):
        return INFINITE
    return max((_changed(a, b) for a, b in zip(before, after, strict=True)), default=0.0)


def _changed(before: Any, after: Any) -> float:
    if isinstance(before, Table) and isinstance(after, Table):
        return mutation((before.columns, before.index, before.data), (after.columns, after.index, after.data))
    if isinstance(before, tuple | list | dict) and dense(before) is None:
        if type(after) is not type(before) or len(after) != len(before):
            return INFINITE
        if isinstance(before, dict) and isinstance(after, dict):
            return mutation((*before, *before.values()), (*after, *after.values()))
        return mutation(tuple(before), tuple(after))
    first, second = dense(before), dense(after)
    if first is not None and second is not None:
        same = np.array_equal(first, second, equal_nan=True)
    elif (first is None) != (second is None) or type(before) is not type(after):
        same = False
    elif hasattr(before, "toarray"):  # too large to be an array
        same = before.shape == after.shape and (before != after).nnz == 0
    else:
        same = np.array_equal(before, after) if isinstance(before, np.ndarray) else before == after
    return 0.0 if same else INFINITE


def _difference(value: Any, other: Any, change: Change) -> float:
    """Return the relative difference between a second result and what it should be given the first."""
    if isinstance(value, tuple | list) and as_array(value) is None:
        if not isinstance(other, tuple | list) or len(other) != len(value):
            return INFINITE
        return max((_difference(a, b, change) for a, b in zip(value, other, strict=True)), default=0.0)
    first, second = _signed(value), _signed(other)
    if first is None or second is None:
        return INFINITE
    right = change.of(first)
    if right is None or right.shape != second.shape or not np.isfinite(second).all():
        return INFINITE
    return relative_error(second, right, largest(first))[0]


def _signed(value: Any) -> Array | None:
    """Return a value as an array that can be subtracted: no truth values, no unsigned integers."""
    array = as_array(value)
    return None if array is None else array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)


def _scale(array: Array) -> float:
    return max(float(np.abs(array).max(initial=0.0)), TINY)
