"""Other right versions of the reference: those that the course gives, and other memory layouts of results."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp

from grader.course.assignment import Assignment, load_module
from grader.course.rewriting import Rewriting
from grader.errors import AssignmentError

Change = Callable[[Any], Any]


def all_rewritings(assignment: Assignment, functions: tuple[str, ...]) -> list[Rewriting]:
    """Return the course's rewritings, and those that change the layout of what each function returns."""
    module = load_module(assignment.folder, "rewritings")
    given = list(getattr(module, "REWRITINGS", ()))
    for rewriting in given:
        if bool(rewriting.edits) == (rewriting.variant is not None):
            raise AssignmentError(
                f"{assignment.folder / 'rewritings.py'}: {rewriting.function}/{rewriting.name} needs either "
                "edits or a variant"
            )
    layouts = [
        Rewriting(function, name, variant=_returning(assignment.function(function), change))
        for function in functions
        if function.isidentifier()  # a function: what a method returns cannot be wrapped from outside
        for name, change in LAYOUTS.items()
    ]
    return given + layouts


def rewritten(assignment: Assignment, rewriting: Rewriting) -> Mapping[str, Any]:
    """Return the reference with one function rewritten."""
    reference = assignment.reference
    if rewriting.variant is not None:
        return reference.replaced({rewriting.function: rewriting.variant})
    return reference.redefined({rewriting.function: reference.edited(rewriting.function, rewriting.edits)})


def _returning(function: Callable[..., Any], change: Change) -> Callable[..., Any]:
    """Return a function that changes what `function` returns, or each part of it if that is a tuple."""

    @functools.wraps(function)
    def wrapped(*args: Any, **keywords: Any) -> Any:
        value = function(*args, **keywords)
        return tuple(map(change, value)) if isinstance(value, tuple) else change(value)

    return wrapped


def _fortran_order(value: Any) -> Any:
    return np.asfortranarray(value) if isinstance(value, np.ndarray) else value


def _not_contiguous_and_other_types(value: Any) -> Any:
    """Return an array as a view of every second entry of a larger one, other values in another type."""
    if isinstance(value, np.ndarray) and value.ndim > 0:
        larger = np.zeros((*value.shape[:-1], 2 * value.shape[-1]), value.dtype)
        larger[..., ::2] = value
        return larger[..., ::2]
    if isinstance(value, float):
        return np.float64(value)
    return value.tocoo() if sp.issparse(value) else value


LAYOUTS: dict[str, Change] = {
    "fortran_order": _fortran_order,
    "not_contiguous_and_other_types": _not_contiguous_and_other_types,
}
