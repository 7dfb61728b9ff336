"""Another way to write the reference, as a course writes it down in reference/<assignment>/rewritings.py.

    REWRITINGS = (
        Rewriting("area", "power", variant=lambda r: math.pi * r**2),
        Rewriting("perimeter", "two_pi", {"2 * math.pi": "math.tau"}),
    )

A rewriting is as right as the reference, so it must earn every point. It is given as edits of the reference's
text, or as a function `variant` that replaces the reference's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Rewriting:
    """A right way to write `function`, with a `name` that says in what it differs."""

    function: str
    name: str
    edits: Mapping[str, str] = field(default_factory=dict)
    variant: Callable[..., Any] | None = None
