"""A known mistake, as a course writes it down in reference/<assignment>/misconceptions.py.

    MISCONCEPTIONS = (
        Misconception(
            "area", "diameter", "The diameter is taken for the radius",
            "Which length does the formula square?",
            {"r**2": "(2 * r)**2"}, credit=0.5,
        ),
    )

A misconception is an executable variant of the reference. Its edits map texts of the reference's function to
what replaces them; each text must occur there exactly once. Edits can be combined, so grader recognises two
mistakes made together, and a mistake in a function that other functions call. Where edits cannot express the
mistake, `variant` is a function that replaces the reference's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

CODE = re.compile(r"^[a-z0-9_]+$")


@dataclass(frozen=True)
class Misconception:
    """A mistake in `function`, with a stable `code`, a name, and a message that teaches.

    `credit` is the share of the points of a check that a result with this mistake earns at least; `same_as`
    names codes of mistakes that cannot be told apart from this one on any input.
    """

    function: str
    code: str
    name: str
    message: str
    edits: Mapping[str, str] = field(default_factory=dict)
    variant: Callable[..., Any] | None = None
    credit: float = 0.0
    same_as: tuple[str, ...] = ()

    def problem(self) -> str:
        """Return what is wrong with it, apart from its edits, which need the reference; '' if nothing is."""
        if not CODE.match(self.code):
            return f"the code {self.code!r} has other characters than a-z, 0-9 and _"
        if not self.name or not self.message:
            return "it needs a name and a message"
        if bool(self.edits) == (self.variant is not None):
            return "it needs either edits or a variant"
        if not 0 <= self.credit <= 1:
            return f"its credit {self.credit} is not between 0 and 1"
        return ""
