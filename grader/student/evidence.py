"""The numbers behind a finding: the worst entry, and the public input on which it can be seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.case import Case
from grader.judge.compare import dense
from grader.records import Outcome, OutcomeKind
from grader.rubric.model import GradientCheck, InputsCheck, PropertyCheck, ReferenceCheck

MAX_ENTRIES = 30
Array = NDArray[Any]
DETAILS: Mapping[str, Callable[[Array], str]] = {
    "sums_to_one": lambda a: f"the sum is {a.sum():.4g}",
    "sums_to_zero": lambda a: f"the sum over the rows is {text_of(a.sum(axis=0))}",
    "zero_diagonal": lambda a: f"the diagonal is {text_of(np.diagonal(a))}",
    "nonnegative": lambda a: f"the smallest entry is {a.min():.4g}",
    "in_unit_interval": lambda a: f"the entries run from {a.min():.4g} to {a.max():.4g}",
}


def worst_entry(
    check: InputsCheck, case: Sequence[Any], outcomes: Mapping[str, Outcome], facts: Mapping[str, str]
) -> str:
    """Return where a result is furthest from right, and what stands there; '' if there is no such place."""
    outcome = outcomes.get(case[0])
    if outcome is None or outcome.kind is not OutcomeKind.RETURNED:
        return ""
    if isinstance(check, ReferenceCheck) and not check.form_only and check.up_to is None:
        parts = (outcome.value,) if check.output is None else _parts(outcome.value)[check.output :][:1]
        return _furthest(parts, [case[1]], "right is")
    if isinstance(check, GradientCheck):
        parts = _parts(outcome.value) if len(check.wrt) > 1 else (outcome.value,)
        return _furthest(parts, case[1].parts, f"the slope of your {check.cost} is", check.wrt)
    if isinstance(check, PropertyCheck):
        return _detail(check.property, outcome.value, facts)
    return ""


def _parts(value: Any) -> tuple[Any, ...]:
    """Return the parts of a result that should have several; none of one that has not."""
    return tuple(value) if isinstance(value, list | tuple) else ()


def _furthest(got: Sequence[Any], right: Sequence[Any], words: str, names: Sequence[str] = ()) -> str:
    pairs = [(dense(a), dense(b)) for a, b in zip(got, right, strict=False)]
    if len(got) != len(right) or any(wanted is None for _, wanted in pairs):
        return ""
    distance, place = max((_distance(mine, np.asarray(wanted)), n) for n, (mine, wanted) in enumerate(pairs))
    mine, wanted = pairs[place][0], np.asarray(pairs[place][1])
    if mine is None or distance <= 0.0:
        return ""
    mine = mine.reshape(wanted.shape)
    where = np.unravel_index(int(np.argmax(_difference(mine, wanted))), wanted.shape)
    index = f"entry [{', '.join(str(int(i)) for i in where)}]" if where else "the number"
    part = f" of the part for {names[place]}" if len(names) > 1 else ""
    return f"{index}{part}: yours is {_number(mine[where])}, {words} {_number(wanted[where])}"


def _distance(got: Array | None, right: Array) -> float:
    """Return the largest difference relative to the largest entry; 0 where the two cannot be compared."""
    if got is None or got.size != right.size or got.size == 0 or got.dtype.kind not in "biufc":
        return 0.0
    scale = max(float(np.abs(right).max()), 1e-300)
    return float(_difference(got.reshape(right.shape), right).max()) / scale


def _difference(got: Array, right: Array) -> Array:
    """Return the absolute differences, infinite where an entry is NaN."""
    return np.nan_to_num(np.abs(got.astype(np.complex128) - right), nan=np.inf)


def _detail(name: str, value: Any, facts: Mapping[str, str]) -> str:
    array = dense(value)
    least = 2 if name == "zero_diagonal" else 1
    shown = array is not None and array.ndim >= least and array.size and array.dtype.kind in "biuf"
    if name in DETAILS and array is not None and shown:
        return DETAILS[name](array)
    size = facts.get("size of the violation")
    return f"the largest change is {size} of the largest entry" if size else ""


def describe_input(case: Case, parameters: Sequence[str]) -> str:
    """Return an input as a student would write it, long arrays by their shape."""
    arguments = [f"{name} = {text_of(value)}" for name, value in zip(parameters, case.args, strict=False)]
    arguments += [f"{name} = {text_of(value)}" for name, value in case.keywords.items()]
    return f"{case.name}: {', '.join(arguments)}"


def text_of(value: Any) -> str:
    """Return a value as Python text if it is short."""
    if hasattr(value, "toarray"):
        return f"csr_matrix({text_of(value.toarray())})"
    if isinstance(value, tuple):
        return f"({', '.join(text_of(part) for part in value)})"
    if not isinstance(value, np.ndarray):
        return _number(value) if isinstance(value, float) else repr(value)
    if value.size > MAX_ENTRIES:
        return f"<{' × '.join(map(str, value.shape))} array>"
    return _nested(value)


def _nested(value: Array) -> str:
    if value.ndim == 0:
        return _number(value[()])
    return f"[{', '.join(_nested(part) for part in np.asarray(value))}]"


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float | complex | int | np.number) else str(value)
