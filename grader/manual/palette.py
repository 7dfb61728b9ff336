"""Comments that are used again and again: a text, and points that it adds or takes.

A comment may be changed afterwards: everybody who was given it has the new text and points at once. Each
change is a new version; a comment that is withdrawn is offered no more, and stays where it was given.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError

from grader.errors import ConflictError, UsageError
from grader.manual.decisions import MAX_WORDS
from grader.store import Store
from grader.store.people_tables import PALETTE
from grader.store.standing import standing_decisions


@dataclass(frozen=True)
class Comment:
    """A comment in one of its versions; it is for one question."""

    number: int
    version: int
    question: str
    text: str
    points: float
    withdrawn: bool
    time: float
    person: str


class Palette:
    """The comments of one assignment."""

    def __init__(self, store: Store, assignment: str, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self.assignment = assignment
        self.clock = clock

    def comments(self, question: str | None = None, *, withdrawn: bool = False) -> list[Comment]:
        """Return the comments as they are now, the oldest first."""
        newest = {each.number: each for each in self._versions()}
        return [
            each
            for each in newest.values()
            if (withdrawn or not each.withdrawn) and question in (None, each.question)
        ]

    def history(self, number: int) -> list[Comment]:
        """Return every version of a comment, the oldest first."""
        return [each for each in self._versions() if each.number == number]

    def add(self, question: str, text: str, points: float, person: str) -> Comment:
        """Add a comment; raise UsageError for one that is none."""
        _check(text, points)

        def work(connection: Connection) -> Comment:
            same = PALETTE.c.assignment == self.assignment
            last = connection.execute(select(func.max(PALETTE.c.comment)).where(same)).scalar() or 0
            made = Comment(last + 1, 1, question, text.strip(), points, False, self.clock(), person)
            self._insert(connection, made)
            return made

        for _ in range(4):
            try:
                return self.store.database.write(work)
            except ConflictError:  # somebody else has taken the number
                continue
        return self.store.database.write(work)

    def change(
        self, number: int, text: str, points: float, person: str, version: int, *, withdrawn: bool = False
    ) -> Comment:
        """Change a comment for all who were given it; raise UsageError, or ConflictError after a change."""
        _check(text, points)

        def work(connection: Connection) -> Comment:
            same = (PALETTE.c.assignment == self.assignment) & (PALETTE.c.comment == number)
            last = connection.execute(
                select(PALETTE.c.version, PALETTE.c.question).where(same).order_by(PALETTE.c.version.desc())
            ).first()
            if last is None:
                raise UsageError(f"there is no comment with the number {number}")
            if last.version != version:
                raise ConflictError("somebody else has changed this comment meanwhile")
            made = Comment(
                number, version + 1, last.question, text.strip(), points, withdrawn, self.clock(), person
            )
            self._insert(connection, made)
            return made

        return self.store.database.write(work)

    def uses(self) -> Counter[int]:
        """Return how many submissions have each comment."""
        standing = self.store.database.read(
            lambda connection: standing_decisions(connection, self.assignment)
        )
        return Counter(
            number for own in standing.values() for each in own.values() for number in each.comments
        )

    def _versions(self) -> Sequence[Comment]:
        query = (
            select(PALETTE)
            .where(PALETTE.c.assignment == self.assignment)
            .order_by(PALETTE.c.comment, PALETTE.c.version)
        )
        rows = self.store.database.read(lambda connection: connection.execute(query).all())
        return [
            Comment(r.comment, r.version, r.question, r.text, r.points, r.withdrawn, r.time, r.person)
            for r in rows
        ]

    def _insert(self, connection: Connection, made: Comment) -> None:
        row = {**vars(made), "assignment": self.assignment, "comment": made.number}
        del row["number"]
        try:
            connection.execute(insert(PALETTE), row)
        except IntegrityError as error:
            raise ConflictError("somebody else has changed this comment meanwhile") from error


def _check(text: str, points: float) -> None:
    if not text.strip():
        raise UsageError("a comment needs words")
    if len(text) > MAX_WORDS:
        raise UsageError(f"a comment has at most {MAX_WORDS} characters")
    if not math.isfinite(points):
        raise UsageError(f"{points} is no number of points")
