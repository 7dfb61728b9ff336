"""Plans a property check: the second input of a property that relates two calls."""

from __future__ import annotations

from typing import Any

import numpy as np

from grader.case import Case
from grader.errors import AssignmentError
from grader.rubric.model import PropertyCheck


def transformed(
    check: PropertyCheck, case: Case, names: tuple[str, ...], rng: np.random.Generator
) -> tuple[Case | None, dict[str, Any]]:
    """Return the second case (the same one for a repeat, None for a property of one call), and how the
    second result must relate to the first: {} equal, {"rotation": R}, {"permutation": p}.
    """
    if check.property == "deterministic":
        return case, {}
    if check.argument is None:
        return None, {}
    x = _argument(case, check.argument, names)
    if check.property == "translation_invariant":
        shift = rng.standard_normal(x.shape[1:]) * max(1.0, float(np.abs(x).max(initial=0.0)))
        return _replaced(case, names, {check.argument: x + shift}), {}
    if check.property == "rotation_equivariant":
        if x.ndim != 2:
            raise AssignmentError(f"the argument {check.argument!r} of {case.name!r} is no matrix of points")
        rotation = np.linalg.qr(rng.standard_normal((x.shape[1], x.shape[1])))[0]
        return _replaced(case, names, {check.argument: x @ rotation}), {"rotation": rotation}
    order = rng.permutation(len(x))
    along = {name: _argument(case, name, names)[np.ix_(order, order)] for name in check.along}
    return _replaced(case, names, {check.argument: x[order], **along}), {"permutation": order}


def _argument(case: Case, name: str, names: tuple[str, ...]) -> Any:
    if name not in names[: len(case.args)]:
        raise AssignmentError(f"the inputs {case.name!r} have no argument {name!r}; they have {names}")
    return np.asarray(case.args[names.index(name)])


def _replaced(case: Case, names: tuple[str, ...], new: dict[str, Any]) -> Case:
    args = [new.get(name, value) for name, value in zip(names, case.args, strict=False)]
    return Case(case.name, tuple(args), case.keywords)
