"""The history of decisions: what is added to it is checked, and nothing in it is changed.

A decision is given for a version: the one that the person saw. If another has been made meanwhile, it is
refused with that one, and the person chooses. A command that saw nothing gives no version.
"""

from __future__ import annotations

import json
import math
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Table, insert, select
from sqlalchemy.exc import IntegrityError

from grader.decision import Decision, DecisionKind
from grader.errors import ConflictError, UsageError
from grader.final import limits
from grader.inside.safe_text import message_text
from grader.store import Store
from grader.store.people_tables import ANSWERS, DECISIONS, QUESTIONS
from grader.store.standing import Standing, decision_of, palette_now, standing_decisions

MAX_WORDS = 20_000  # characters of one comment or reason
TRIES = 5
MANY = 200
NOTHING = (None, "", (), "")  # the content of a decision that leaves everything as it is
Made = TypeVar("Made")


@dataclass(frozen=True)
class Wish:
    """What a person wants to decide about one question of one submission.

    `version` is that of the decision that the person saw, 0 for none, None for whatever stands. `points` are
    those in all, with what `comments` of the palette add or take as they are now.
    """

    submission: str
    question: str
    points: float | None
    comment: str = ""
    comments: tuple[int, ...] = ()
    reason: str = ""
    version: int | None = None
    kind: DecisionKind | None = None


class Decisions:
    """The decisions of one assignment; `clock` returns seconds since 1970."""

    def __init__(self, store: Store, assignment: str, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self.assignment = assignment
        self.clock = clock

    def decide(self, wishes: Sequence[Wish], person: str) -> list[Decision]:
        """Add decisions, all of them or none; those that change nothing are left out.

        Raises UsageError for what cannot be decided, ConflictError if somebody else was faster.
        """
        together = uuid.uuid4().hex if len(wishes) > 1 else ""

        def work(connection: Connection) -> list[Decision]:
            made = []
            for first in range(0, len(wishes), MANY):
                some = wishes[first : first + MANY]
                names = sorted({wish.submission for wish in some})
                standing = standing_decisions(connection, self.assignment, names)
                rows = self._questions(connection, names)
                palette = palette_now(connection, self.assignment)
                seen = self._seen(connection, names)
                for wish in some:
                    key = (wish.submission, wish.question)
                    now = standing.get(wish.submission, {}).get(wish.question)
                    decision = self._decision(wish, person, now, rows.get(key), palette)
                    answer = seen.get(key, "")
                    same = (_content(now) if now else NOTHING) == _content(decision)
                    repeated = same and now is not None and now.person == person  # a form that was sent twice
                    if wish.version not in (None, decision.version - 1) and not repeated:
                        raise ConflictError(
                            f"{wish.submission}, {wish.question}: {now.person if now else 'somebody'} has "
                            "decided meanwhile",
                            now,
                        )
                    if not same or (now and now.seen and now.seen != answer):  # the same of another answer
                        made.append(replace(decision, seen=answer, together=together))
            self._add(connection, made)
            return made

        return self._written(work, retried=all(wish.version is None for wish in wishes))

    def undo(self, submission: str, question: str, person: str, version: int | None = None) -> Decision:
        """Take back the last decision that has not been taken back, and all that was made together with it.

        Raises UsageError if there is none, ConflictError if that is not `version`.
        """

        def work(connection: Connection) -> Decision:
            history = self._history(connection, submission, question)
            last = _undone_next(history)
            if version is not None and (last.version if last else 0) != version:
                raise ConflictError("somebody else has decided meanwhile", history[-1] if history else None)
            if last is None:
                raise UsageError(f"there is nothing to undo: {submission}, {question}")
            keys = [(submission, question)]
            if last.together:
                same = (DECISIONS.c.assignment == self.assignment) & (DECISIONS.c.together == last.together)
                keys = [tuple(row) for row in connection.execute(select(*KEY).where(same).distinct())]
            undone, together = [], uuid.uuid4().hex if len(keys) > 1 else ""
            for name, about in sorted(keys):
                own = self._history(connection, name, about)
                target = _undone_next(own)
                if target is None or (last.together and target.together != last.together):
                    continue  # somebody has decided on it since, alone: that stays
                before = _state_before(own, target)
                undone.append(
                    replace(
                        before,
                        version=own[-1].version + 1,
                        time=self.clock(),
                        person=person,
                        kind=DecisionKind.UNDONE,
                        together=together,
                        undoes=target.version,
                    )
                )
            self._add(connection, undone)
            return next(each for each in undone if (each.submission, each.question) == (submission, question))

        return self._written(work, retried=version is None)

    def restore(self, submission: str, question: str, to: int, person: str) -> Decision:
        """Let an earlier version stand again; 0 is that nothing was decided. Raises UsageError."""

        def work(connection: Connection) -> Decision:
            history = self._history(connection, submission, question)
            empty = Decision(submission, question, 0, 0.0, person, DecisionKind.RESTORED)
            found = next((each for each in (empty, *history) if each.version == to), None)
            if found is None or not history:
                raise UsageError(f"there is no version {to} of {submission}, {question}")
            decision = replace(
                found,
                version=history[-1].version + 1,
                time=self.clock(),
                person=person,
                kind=DecisionKind.RESTORED,
                together="",
                undoes=None,
            )
            self._add(connection, [decision])
            return decision

        return self._written(work, retried=True)

    def history(
        self,
        submission: str | None = None,
        question: str | None = None,
        person: str | None = None,
        limit: int = 200,
    ) -> list[Decision]:
        """Return the last decisions, the newest first."""
        wanted = DECISIONS.c.assignment == self.assignment
        for column, value in (("submission", submission), ("question", question), ("person", person)):
            if value is not None:
                wanted &= DECISIONS.c[column] == value
        query = select(DECISIONS).where(wanted).order_by(DECISIONS.c.time.desc(), DECISIONS.c.version.desc())
        return self.store.database.read(
            lambda connection: [decision_of(row) for row in connection.execute(query.limit(limit))]
        )

    def standing(self, submission: str, question: str) -> Decision | None:
        """Return the decision that stands, None if nothing was ever decided."""
        found = self.store.database.read(
            lambda connection: standing_decisions(connection, self.assignment, [submission], question)
        )
        return found.get(submission, {}).get(question)

    def all_standing(self, question: str | None = None) -> Standing:
        """Return every decision that stands, by submission and question."""
        return self.store.database.read(
            lambda connection: standing_decisions(connection, self.assignment, question=question)
        )

    def _written(self, work: Callable[[Connection], Made], *, retried: bool) -> Made:
        """Return what `work` returns in a transaction; if somebody else was faster, perhaps try again."""
        for attempt in range(1, TRIES + 1):
            try:
                return self.store.database.write(work)
            except ConflictError:
                if not retried or attempt == TRIES:
                    raise
        raise AssertionError("unreachable")

    def _decision(
        self,
        wish: Wish,
        person: str,
        now: Decision | None,
        row: Row[Any] | None,
        palette: Mapping[int, tuple[str, float]],
    ) -> Decision:
        """Return what a wish comes to; raise UsageError."""
        where = f"{wish.submission}, {wish.question}"
        if row is None:
            raise UsageError(f"there is no such question of this submission: {where}")
        version = now.version if now else 0
        allowed = limits(row.least, row.most, row.max_points, row.points)
        check_points(wish.points, allowed, f"{where}: ")
        for words in (wish.comment, wish.reason):
            if len(words) > MAX_WORDS:
                raise UsageError(f"{where}: a comment has at most {MAX_WORDS} characters")
        unknown = set(wish.comments) - set(palette)
        if unknown:
            raise UsageError(f"{where}: there is no comment with the number {min(unknown)}")
        changes = sum(palette[number][1] for number in set(wish.comments))
        kind = wish.kind
        if kind is None:
            same = wish.points is not None and row.points is not None and not wish.comments
            kind = DecisionKind.POINTS if row.points is None or wish.points is None else DecisionKind.OVERRIDE
            if same and abs(row.points - (wish.points or 0.0)) < 1e-9:
                kind = DecisionKind.CONFIRMED
        if kind is DecisionKind.OVERRIDE and not any(
            (wish.reason.strip(), wish.comment.strip(), wish.comments)
        ):
            raise UsageError(f"{where}: the judge gave {row.points:g} points; say why they change (a reason)")
        return Decision(
            wish.submission,
            wish.question,
            version + 1,
            self.clock(),
            person,
            kind,
            None if wish.points is None else round(wish.points - changes, 10),
            message_text(wish.comment).strip(),
            tuple(sorted(set(wish.comments))),
            message_text(wish.reason).strip(),
        )

    def _questions(self, connection: Connection, names: Sequence[str]) -> dict[tuple[str, str], Row[Any]]:
        table = QUESTIONS
        same = (table.c.assignment == self.assignment) & table.c.submission.in_(names)
        rows = connection.execute(select(table).where(same))
        return {(row.submission, row.question): row for row in rows}

    def _seen(self, connection: Connection, names: Sequence[str]) -> dict[tuple[str, str], str]:
        same = (ANSWERS.c.assignment == self.assignment) & ANSWERS.c.submission.in_(names)
        rows = connection.execute(select(*_key_of(ANSWERS), ANSWERS.c.seen).where(same))
        return {(row.submission, row.question): row.seen for row in rows}

    def _history(self, connection: Connection, submission: str, question: str) -> list[Decision]:
        same = (
            (DECISIONS.c.assignment == self.assignment)
            & (DECISIONS.c.submission == submission)
            & (DECISIONS.c.question == question)
        )
        rows = connection.execute(select(DECISIONS).where(same).order_by(DECISIONS.c.version))
        return [decision_of(row) for row in rows]

    def _add(self, connection: Connection, made: Sequence[Decision]) -> None:
        rows = [
            {
                **vars(each),
                "assignment": self.assignment,
                "kind": each.kind.value,
                "comments": json.dumps(each.comments),
            }
            for each in sorted(made, key=lambda each: (each.submission, each.question))
        ]
        try:
            if rows:
                connection.execute(insert(DECISIONS), rows)
        except IntegrityError as error:
            raise ConflictError("somebody else has decided meanwhile", None) from error


def _key_of(table: Table) -> tuple[Any, Any]:
    """Return the columns that name a question of a submission."""
    return table.c.submission, table.c.question


KEY = _key_of(DECISIONS)


def check_points(points: float | None, allowed: tuple[float, float], where: str = "") -> None:
    """Raise UsageError, which begins with `where`, for points that a question cannot earn."""
    if points is None:
        return
    if not math.isfinite(points):
        raise UsageError(f"{where}{points} is no number of points")
    least, most = allowed
    if not least <= points <= most + 1e-9:
        raise UsageError(f"{where}{points:g} points, but it has {least:g} to {most:g}")


def _content(decision: Decision) -> tuple[Any, ...]:
    return decision.points, decision.comment, decision.comments, decision.reason


def _effective(history: Sequence[Decision]) -> list[Decision]:
    """Return the decisions that have not been taken back, oldest first."""
    stack: list[Decision] = []
    for each in history:
        if each.undoes is None:
            stack.append(each)
        else:
            stack = [other for other in stack if other.version != each.undoes]
    return stack


def _undone_next(history: Sequence[Decision]) -> Decision | None:
    stack = _effective(history)
    return stack[-1] if stack else None


def _state_before(history: Sequence[Decision], target: Decision) -> Decision:
    """Return what stood before a decision that has not been taken back."""
    before = [each for each in _effective(history) if each.version < target.version]
    if before:
        return before[-1]
    return Decision(target.submission, target.question, 0, 0.0, "", DecisionKind.UNDONE)
