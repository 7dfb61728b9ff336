"""Right ways to write the reference: those that the course gives, and what can be done to any function."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp

from grader.course.assignment import Assignment, load_module
from grader.course.rewriting import Rewriting
from grader.errors import AssignmentError

Wrapper = Callable[[Callable[..., Any]], Callable[..., Any]]


def all_rewritings(assignment: Assignment, functions: tuple[str, ...]) -> list[Rewriting]:
    """Return the course's rewritings, and for each function those of the layout of what it returns."""
    module = load_module(assignment.folder, "rewritings")
    given = list(getattr(module, "REWRITINGS", ()))
    for rewriting in given:
        if bool(rewriting.edits) == (rewriting.variant is not None):
            raise AssignmentError(
                f"{assignment.folder / 'rewritings.py'}: {rewriting.function}/{rewriting.name} needs either "
                "edits or a variant"
            )
    made = [
        Rewriting(function, name, variant=wrapper(assignment.function(function)))
        for function in functions
        if function.isidentifier()  # a function: what a method returns cannot be wrapped from outside
        for name, wrapper in LAYOUTS.items()
    ]
    return given + made


def rewritten(assignment: Assignment, rewriting: Rewriting) -> Mapping[str, Any]:
    """Return the reference with one function rewritten."""
    reference = assignment.reference
    if rewriting.variant is not None:
        return reference.replaced({rewriting.function: rewriting.variant})
    return reference.redefined({rewriting.function: reference.edited(rewriting.function, rewriting.edits)})


def _returning(change: Callable[[Any], Any]) -> Wrapper:
    """Return a wrapper that changes the form of what a function returns."""

    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(*args: Any, **keywords: Any) -> Any:
            value = function(*args, **keywords)
            if isinstance(value, tuple):
                return tuple(change(part) for part in value)
            return change(value)

        return wrapped

    return wrap


def _fortran(value: Any) -> Any:
    return np.asfortranarray(value) if isinstance(value, np.ndarray) else value


def _strided(value: Any) -> Any:
    """Return the value as every second entry of a larger array, which is no contiguous memory."""
    if not isinstance(value, np.ndarray) or value.ndim == 0:
        return value
    larger = np.zeros((*value.shape[:-1], 2 * value.shape[-1]), value.dtype)
    larger[..., ::2] = value
    return larger[..., ::2]


def _other_types(value: Any) -> Any:
    """Return numbers as NumPy's own, sparse matrices in another format, and arrays as they are."""
    if isinstance(value, float):
        return np.float64(value)
    return value.tocoo() if sp.issparse(value) else value


LAYOUTS: dict[str, Wrapper] = {
    "fortran_order": _returning(_fortran),
    "not_contiguous_and_other_types": _returning(lambda value: _other_types(_strided(value))),
}
