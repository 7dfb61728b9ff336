"""What a function could be: the reference, known mistakes, and what each of them returns.

The plan makes these candidates; the judge looks for the one that explains what a student's function returned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from grader.subjects import Call


@dataclass(frozen=True)
class Prediction:
    """What a candidate returns on one input (parts as arrays), or the type of the exception it raises.

    `parts` is None where it returns something without numbers.
    """

    parts: tuple[Any, ...] | None = None
    raised: str = ""


@dataclass(frozen=True)
class Candidate:
    """Something that a student may have written: one or two known mistakes, or (no codes) the reference.

    `names` says in words what each of the `codes` stands for; `own` whether the mistakes are in the function
    itself, not in one that it calls.
    """

    codes: tuple[str, ...]
    names: tuple[str, ...]
    message: str
    credit: float
    predictions: Mapping[str, Prediction]
    same_as: frozenset[str] = frozenset()
    own: bool = False

    @cached_property
    def magnitude(self) -> float:
        """The largest finite entry of all predictions."""
        parts = [np.abs(part) for seen in self.predictions.values() for part in seen.parts or ()]
        return max((float(part[np.isfinite(part)].max(initial=0.0)) for part in parts), default=0.0)


class Candidates(Protocol):
    """What a function could be, as far as the course knows; computed when it is first needed."""

    calls: tuple[Call, ...]
    rtol: float
    whole: bool
    """Whether predictions are results as they came back; otherwise they are fingerprints of them."""

    def observed(self, call: str, value: Any) -> Prediction:
        """Return the parts of a returned value that the mathematics determines."""
        ...

    def lengths(self, call: str) -> tuple[int, ...]:
        """Return the lengths of the first argument: points and dimensions, users and items."""
        ...

    def right(self) -> Candidate:
        """Return the reference."""
        ...

    def arguments(self) -> Sequence[Candidate]:
        """Return, for each parameter, a function that returns this argument as it is."""
        ...

    def single(self) -> Sequence[Candidate]:
        """Return every known mistake."""
        ...

    def pairs(self) -> Sequence[Candidate]:
        """Return every two known mistakes that can be made together."""
        ...
