"""What waits for a person, and how far everybody is: read from the tables, without the scores themselves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Select, and_, case, func, or_, select

from grader.final import Waits, limits, total
from grader.given_answer import GivenAnswer
from grader.manual.sharing import whose
from grader.store import Store
from grader.store.people_tables import ANSWERS, DECISIONS, QUESTIONS
from grader.store.standing import palette_now

ANSWER = TypeAdapter(GivenAnswer)
Q, A, D = QUESTIONS.c, ANSWERS.c, DECISIONS.c
NOT_OPEN = (Waits.NOTHING.value, Waits.RUN.value, Waits.SUPERSEDED.value)
NO_REASON = (Waits.NOTHING.value, Waits.SUPERSEDED.value)
MANY = 400


@dataclass(frozen=True)
class Item:
    """One question of one submission: what the judge said, and what people decided.

    `who` are the names of the students. `points` are those that count now, None if there are none yet;
    `person` is '' where nobody has decided. `open` says that it waits, `changed` that the hand-in
    is another one since a person decided.
    """

    submission: str
    who: str
    question: str
    number: int
    title: str
    max_points: float
    judged: float | None
    points: float | None
    waits: Waits
    status: str
    found: str
    alike: str
    version: int
    person: str
    kind: str
    open: bool
    changed: bool


@dataclass(frozen=True)
class QuestionProgress:
    """How far one question is: `waiting` counts what waits for a person, `decided` what people decided."""

    question: str
    number: int
    title: str
    max_points: float
    submissions: int
    waiting: int
    decided: int
    written: bool


class Worklist:
    """What there is to do in one assignment."""

    def __init__(self, store: Store, assignment: str) -> None:
        self.store = store
        self.assignment = assignment

    def items(
        self,
        *,
        question: str | None = None,
        submission: str | None = None,
        only_open: bool = False,
        waits: Waits | None = None,
    ) -> list[Item]:
        """Return questions of submissions, by question and submission."""
        latest = self._latest(question, submission)
        query = (
            self._joined(latest)
            .add_columns(A.alike, A.seen.label("now"))
            .outerjoin(
                ANSWERS,
                and_(A.assignment == Q.assignment, A.question == Q.question, A.submission == Q.submission),
            )
            .where(Q.assignment == self.assignment)
        )
        if question is not None:
            query = query.where(Q.question == question)
        if submission is not None:
            query = query.where(Q.submission == submission)
        if waits is not None:
            query = query.where(Q.waits == waits.value)
        if only_open:
            query = query.where(Q.waits.not_in(NOT_OPEN)).where(
                or_(D.points.is_(None), and_(A.seen.is_not(None), D.seen != "", A.seen != D.seen))
            )
        query = query.order_by(Q.number, Q.submission)
        palette, rows = self.store.database.read(
            lambda connection: (palette_now(connection, self.assignment), connection.execute(query).all())
        )
        return [_item(row, palette) for row in rows]

    def progress(self) -> list[QuestionProgress]:
        """Return how far each question is, in the order of the rubric."""
        latest = self._latest()
        waiting = and_(Q.waits.not_in(NOT_OPEN), D.points.is_(None))
        query = (
            self._joined(latest)
            .with_only_columns(
                Q.question,
                func.min(Q.number).label("number"),
                func.max(Q.title).label("title"),
                func.max(Q.max_points).label("max_points"),
                func.count().label("submissions"),
                func.sum(case((waiting, 1), else_=0)).label("waiting"),
                func.sum(case((D.points.is_not(None), 1), else_=0)).label("decided"),
                func.max(case((Q.waits == Waits.WRITTEN.value, 1), else_=0)).label("written"),
            )
            .where(Q.assignment == self.assignment)
            .group_by(Q.question)
        )
        rows = self.store.database.read(lambda connection: connection.execute(query).all())
        found = [
            QuestionProgress(
                r.question,
                r.number,
                r.title,
                r.max_points,
                r.submissions,
                int(r.waiting),
                int(r.decided),
                bool(r.written),
            )
            for r in rows
        ]
        return sorted(found, key=lambda each: each.number)

    def reasons(self) -> dict[Waits, int]:
        """Return how many questions wait, by reason; RUN are those that have not been run yet."""
        latest = self._latest()
        query = (
            self._joined(latest)
            .with_only_columns(Q.waits, func.count())
            .where(Q.assignment == self.assignment, Q.waits.not_in(NO_REASON), D.points.is_(None))
            .group_by(Q.waits)
        )
        rows = self.store.database.read(lambda connection: connection.execute(query).all())
        return {Waits(name): count for name, count in rows}

    def shares(self, people: dict[str, list[str]]) -> dict[str, tuple[int, int]]:
        """Return for each person how many of the shared-out answers are theirs, and how many of them wait."""
        counted: dict[str, tuple[int, int]] = {}
        for question, persons in people.items():
            latest = self._latest(question)
            waiting = and_(Q.waits.not_in(NOT_OPEN), D.points.is_(None))
            query = (
                self._joined(latest)
                .with_only_columns(Q.submission, case((waiting, 1), else_=0))
                .where(Q.assignment == self.assignment, Q.question == question)
                .where(Q.waits.not_in(NOT_OPEN))
            )
            for submission, waits in self.store.database.read(
                lambda connection, query=query: connection.execute(query).all()  # type: ignore[misc]
            ):
                person = whose(submission, persons)
                number, left = counted.get(person, (0, 0))
                counted[person] = number + 1, left + waits
        return counted

    def done_by(self) -> dict[str, int]:
        """Return how many decisions of each person stand."""
        latest = self._latest()
        same = and_(
            *(D[name] == latest.c[name] for name in ("assignment", "question", "submission", "version"))
        )
        query = (
            select(D.person, func.count()).join(latest, same).where(D.points.is_not(None)).group_by(D.person)
        )
        rows = self.store.database.read(lambda connection: connection.execute(query).all())
        return {person: count for person, count in rows}  # noqa: C416 -- rows are no pairs to the type checker

    def submissions(self) -> list[str]:
        """Return the names of all submissions, sorted."""
        query = select(Q.submission).where(Q.assignment == self.assignment).distinct()
        return sorted(self.store.database.read(lambda connection: connection.execute(query).scalars().all()))

    def names(self) -> dict[str, str]:
        """Return the names of the students of each submission."""
        query = select(Q.submission, Q.who).where(Q.assignment == self.assignment).distinct()
        rows = self.store.database.read(lambda connection: connection.execute(query).all())
        return {submission: who or submission for submission, who in rows}

    def totals(self) -> list[tuple[str, str, float, float, float]]:
        """Return of each submission: name, status, points so far, most points, points that wait."""
        joined, count = self._joined(self._latest()), func.coalesce(D.points, Q.points)
        plain = or_(D.comments.is_(None), D.comments == "[]")  # the others have points that may change
        added = (
            joined.with_only_columns(
                Q.submission,
                func.max(Q.status),
                func.sum(func.coalesce(count, 0.0)),
                func.sum(Q.max_points),
                func.sum(case((count.is_(None), Q.max_points), else_=0.0)),
            )
            .where(Q.assignment == self.assignment, plain)
            .group_by(Q.submission)
        )
        others = joined.with_only_columns(
            Q.submission, Q.status, Q.max_points, Q.points, D.points, D.comments
        ).where(Q.assignment == self.assignment, ~plain)
        palette, sums, rows = self.store.database.read(
            lambda connection: (
                palette_now(connection, self.assignment),
                connection.execute(added).all(),
                connection.execute(others).all(),
            )
        )
        found = {name: (name, status, now, of, waiting) for name, status, now, of, waiting in sums}
        for name, status, most, judged, given, comments in rows:
            _, _, points, of, waiting = found.get(name, (name, status, 0.0, 0.0, 0.0))
            now = _now(given, comments, judged, most, palette)
            found[name] = name, status, points + (now or 0.0), of + most, waiting + most * (now is None)
        return [found[name] for name in sorted(found)]

    def answer(self, submission: str, question: str) -> GivenAnswer | None:
        """Return what a person reads of a question, None if nothing was kept."""
        same = (A.assignment == self.assignment) & (A.submission == submission) & (A.question == question)
        rows = self.store.database.read(
            lambda connection: connection.execute(select(A.answer).where(same)).scalars().all()
        )
        return ANSWER.validate_json(rows[0]) if rows else None

    def texts(self, question: str, submissions: Sequence[str] | None = None) -> dict[str, GivenAnswer]:
        """Return the answers to a question, by submission."""
        wanted = (A.assignment == self.assignment) & (A.question == question)

        def work(connection: Connection) -> list[Any]:
            if submissions is None:
                return list(connection.execute(select(A.submission, A.answer).where(wanted)))
            rows: list[Any] = []
            for first in range(0, len(submissions), MANY):
                some = A.submission.in_(submissions[first : first + MANY])
                rows += connection.execute(select(A.submission, A.answer).where(wanted & some))
            return rows

        return {name: ANSWER.validate_json(data) for name, data in self.store.database.read(work)}

    def _latest(self, question: str | None = None, submission: str | None = None) -> Any:
        """Return the versions that stand, of one question or submission, or of all."""
        query = select(D.assignment, D.question, D.submission, func.max(D.version).label("version"))
        query = query.where(D.assignment == self.assignment)
        if question is not None:
            query = query.where(D.question == question)
        if submission is not None:
            query = query.where(D.submission == submission)
        return query.group_by(D.assignment, D.question, D.submission).subquery()

    def _joined(self, latest: Any) -> Select[Any]:
        """Return the questions with the decisions that stand."""
        theirs = and_(latest.c.question == Q.question, latest.c.submission == Q.submission)
        same = and_(
            *(D[name] == latest.c[name] for name in ("assignment", "question", "submission", "version"))
        )
        return (
            select(
                Q.submission,
                Q.who,
                Q.question,
                Q.number,
                Q.title,
                Q.max_points,
                Q.points.label("judged"),
                Q.waits,
                Q.status,
                Q.found,
                D.version,
                D.points.label("given"),
                D.comments,
                D.person,
                D.kind,
                D.seen,
            )
            .select_from(QUESTIONS)
            .outerjoin(latest, theirs)
            .outerjoin(DECISIONS, same)
        )


def _now(
    given: float | None,
    comments: str | None,
    judged: float | None,
    most: float,
    palette: dict[int, tuple[str, float]],
) -> float | None:
    """Return the points that count."""
    if given is None:
        return judged
    numbers = json.loads(comments) if comments and comments != "[]" else ()
    changes = [palette[number][1] for number in numbers if number in palette]
    return total(given, changes, limits(judged, most))


def _item(row: Any, palette: dict[int, tuple[str, float]]) -> Item:
    changed = bool(row.given is not None and row.now and row.seen and row.now != row.seen)
    return Item(
        row.submission,
        row.who or row.submission,
        row.question,
        row.number,
        row.title,
        row.max_points,
        row.judged,
        _now(row.given, row.comments, row.judged, row.max_points, palette),
        Waits(row.waits),
        row.status,
        row.found or "",
        row.alike or "",
        row.version or 0,
        row.person or "",
        row.kind or "",
        row.waits not in NOT_OPEN and (row.given is None or changed),
        changed,
    )


def own(items: Iterable[Item], people: Sequence[str], person: str) -> list[Item]:
    """Return the items that are a person's, where a question is shared out among people."""
    return [each for each in items if not people or whose(each.submission, people) == person]


def code_name(secret: str, submission: str) -> str:
    """Return a name for a submission that does not tell whose it is."""
    return hashlib.sha256(f"{secret}\0{submission}".encode(errors="surrogatepass")).hexdigest()[:10]
