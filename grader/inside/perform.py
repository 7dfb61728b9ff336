"""Makes a call: of a function, or of a method of an object that is made for it, after earlier calls.

    function   f(*args)
    method     object = C(*construct);  object.before();  object.method(*args)
    class      the same, and what all calls before returned is the value

All calls of one sequence share the objects that they make; each evaluation of a sweep begins anew. Answers of
a call stand in for what other functions of the notebook return when they are called with the same arguments.
"""

from __future__ import annotations

import copy
from typing import Any

from .answers import answering, binding
from .chance import seeded
from .execute import accepted


def perform(target: Any, call: dict[str, Any], *, copies: bool) -> tuple[Any, Any, list[str]]:
    """Make a call; return its value, its arguments as they are afterwards, and the keywords it does not take.

    `target` is the function or the class. `copies` keeps the call's own arguments as they are; a process
    that ends with the call needs none.
    """
    if call["sweep"] is None:
        return _evaluate(target, copy.deepcopy(call) if copies else call)
    values: list[Any] = []
    positions, points = call["sweep"]
    ignored: list[str] = []
    for point in points:
        one = copy.deepcopy({**call, "sweep": None, "args": list(call["args"])})
        for position, value in zip(positions, point, strict=True):
            one["args"][position] = copy.deepcopy(value) if copies else value
        value, _, ignored = _evaluate(target, one)
        values.append(value)
    return tuple(values), call["args"], ignored


def _evaluate(target: Any, call: dict[str, Any]) -> tuple[Any, Any, list[str]]:
    ignored: list[str] = []

    def made(function: Any, step: dict[str, Any]) -> Any:
        taken, left_out = accepted(function, step["keywords"])
        ignored.extend(left_out)
        return function(*step["args"], **taken)

    bound = {name: call["args"][place] for name, place in call.get("bound", ()) if place < len(call["args"])}
    with seeded(call["seed"]), answering(target, call["answers"]), binding(target, bound):
        subject = made(target, call["construct"]) if call["kind"] in ("method", "class") else target
        values = [made(_named(subject, step["name"]), step) for step in call["before"]]
        if call["kind"] != "class":
            values.append(made(_named(subject, call["method"]), call))
        value = tuple(values) if call["collect"] or call["kind"] == "class" else values[-1]
    return value, call["args"], ignored


def _named(subject: Any, method: str) -> Any:
    return getattr(subject, method) if method else subject
