"""What a person decides about one question of one submission: plain data, kept as a history.

Decision   an entry of the history: who, when, what, why; it is never changed
Decided    what stands now, as a part of a score
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DecisionKind(StrEnum):
    """What a person did: a closed set."""

    POINTS = "points"
    OVERRIDE = "override"
    CONFIRMED = "confirmed"
    IMPORTED = "imported"
    UNDONE = "undone"
    RESTORED = "restored"


@dataclass(frozen=True)
class Decision:
    """An entry of the history; the one with the highest version stands.

    `points` are those that the person gave, before what `comments` (of the palette) add or take; None leaves
    the points to the judge. `seen` is a digest of the answer that the person saw, `together` is the same for
    all entries of one action, `undoes` is the version that an undo took back. `time` is seconds since 1970.
    """

    submission: str
    question: str
    version: int
    time: float
    person: str
    kind: DecisionKind
    points: float | None = None
    comment: str = ""
    comments: tuple[int, ...] = ()
    reason: str = ""
    seen: str = ""
    together: str = ""
    undoes: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it leaves everything to the judge, as if nothing had been decided."""
        return self.points is None and not self.comment and not self.comments


@dataclass(frozen=True)
class Decided:
    """What stands of a question by a person: `judged` are the points of the judge, None if it had none.

    `comment` is Markdown: the person's own words, and the comments of the palette. `final` says whether the
    person gave points, rather than words alone.
    """

    version: int
    time: float
    person: str
    kind: DecisionKind
    judged: float | None
    comment: str = ""
    reason: str = ""
    final: bool = True
