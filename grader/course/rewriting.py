"""Another way to write the reference, as a course writes it down in reference/<assignment>/rewritings.py.

    REWRITINGS = (
        Rewriting("reconstruct", "einsum", variant=lambda X, W1, W2: np.einsum("nd,dk,ke->ne", X, W1, W2)),
        Rewriting("minimum_error", "slice_from_the_end", {"[k:]": "[min(k, len(singular_values)):]"}),
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
