"""Identifies calls by their content, and makes them on the trusted side."""

from __future__ import annotations

import copy
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from grader.case import Case
from grader.observe.inside import wire
from grader.observe.inside.chance import seeded
from grader.records import Sweep

SEEDED = threading.Lock()  # the random state that notebooks use is one for the whole process


def call_id(function: str, inputs: tuple[Any, ...]) -> str:
    """Return a name for a call that is the same whenever function and inputs are the same."""
    content = wire.encode((function, *inputs))
    return f"{function}-{hashlib.sha256(content).hexdigest()[:20]}"


def argument_lists(args: Sequence[Any], sweep: Sweep | None) -> Iterator[tuple[Any, ...]]:
    """Yield the arguments of every evaluation of a call: one, or one for each point of its sweep."""
    if sweep is None:
        yield tuple(args)
        return
    for point in sweep.points:
        placed = dict(zip(sweep.places, point, strict=True))
        yield tuple(placed.get(place, value) for place, value in enumerate(args))


def trusted_call(function: Callable[..., Any], case: Case, seed: int) -> Any:
    """Call a function of the reference as the box calls a student's: fresh arguments, seeded state."""
    args, keywords = copy.deepcopy(case.args), copy.deepcopy(dict(case.keywords))
    with SEEDED, seeded(seed % 2**32):
        return function(*args, **keywords)
