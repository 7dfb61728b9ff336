"""What waits for a person, and how far everybody is: read from the tables, without the scores themselves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, false, func, or_, select

from grader.decision import DecisionKind
from grader.final import Waits, limits, total
from grader.given_answer import GivenAnswer
from grader.manual.sharing import whose
from grader.store import Store
from grader.store.people_tables import ANSWERS, DECISIONS, QUESTIONS
from grader.store.standing import palette_now

ANSWER = TypeAdapter(GivenAnswer)
Q, A, D = QUESTIONS.c, ANSWERS.c, DECISIONS.c
NOT_NOW = (Waits.RUN.value, Waits.SUPERSEDED.value)
NOT_OPEN = (Waits.NOTHING.value, *NOT_NOW)
MANY = 400


@dataclass(frozen=True)
class Item:
    """One question of one submission: what the judge said, and what people decided.

    `who` are the names of the students. `points` are those that count now, None if there are none yet;
    `person` is '' where nobody has decided. `open` says that it waits, `changed` that the hand-in
    is another one since a person decided. `allowed` are the least and the most points that a person may give,
    `counts` says whether the hand-in does.
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
    allowed: tuple[float, float]
    counts: bool

    @property
    def reason(self) -> Waits:
        """Return why it waits, if it is open."""
        return Waits.CHANGED if self.changed else self.waits


@dataclass(frozen=True)
class Sum:
    """What a submission has: points so far, before lateness, and those that wait; `late` as in Attempt.

    `questions` is how many questions wait.
    """

    submission: str
    status: str
    points: float
    waiting: float
    questions: int
    counts: bool
    late: float | None


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
            query = query.where(_is_open())
        query = query.order_by(Q.number, Q.submission)
        palette, rows = self.store.database.read(
            lambda connection: (palette_now(connection, self.assignment), connection.execute(query).all())
        )
        return [_item(row, palette) for row in rows]

    def progress(self) -> list[QuestionProgress]:
        """Return how far each question is, in the order of the rubric."""
        latest = self._latest()
        query = (
            self._joined(latest)
            .with_only_columns(
                Q.question,
                func.min(Q.number).label("number"),
                func.max(Q.title).label("title"),
                func.max(Q.max_points).label("max_points"),
                func.count().label("submissions"),
                func.sum(case((_is_open(), 1), else_=0)).label("waiting"),
                func.sum(case((_is_open(), 0), (D.points.is_not(None), 1), else_=0)).label("decided"),
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
        reason = case((D.points.is_(None), Q.waits), else_=Waits.CHANGED.value)
        query = (
            self._joined(self._latest())
            .with_only_columns(reason.label("why"), func.count())
            .where(Q.assignment == self.assignment)
            .where(or_(and_(Q.waits == Waits.RUN.value, D.points.is_(None)), _is_open()))
            .group_by("why")
        )
        rows = self.store.database.read(lambda connection: connection.execute(query).all())
        return {Waits(name): count for name, count in rows}

    def shares(self, people: dict[str, list[str]]) -> dict[str, tuple[int, int]]:
        """Return for each person how many of the shared-out answers are theirs, and how many of them wait."""
        counted: dict[str, tuple[int, int]] = {}
        for question, persons in people.items():
            latest = self._latest(question)
            query = (
                self._joined(latest)
                .with_only_columns(Q.submission, case((_is_open(), 1), else_=0))
                .where(Q.assignment == self.assignment, Q.question == question)
                .where(or_(Q.waits.not_in(NOT_OPEN), _is_open()))
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

    def totals(self) -> list[Sum]:
        """Return what each submission has, by its name."""
        joined, count = self._joined(self._latest()), func.coalesce(D.points, Q.points)
        # The others have points that comments, or the limits of the question, may change.
        within = func.coalesce(D.points.between(Q.least, Q.most), false())
        plain = or_(D.points.is_(None), and_(D.comments == "[]", within))
        added = (
            joined.with_only_columns(
                Q.submission,
                func.sum(func.coalesce(count, 0.0)),
                func.sum(case((count.is_(None), Q.max_points), else_=0.0)),
                func.sum(case((count.is_(None), 1), else_=0)),
            )
            .where(Q.assignment == self.assignment, plain)
            .group_by(Q.submission)
        )
        others = joined.where(Q.assignment == self.assignment, ~plain)
        same = (Q.submission, Q.status, Q.counts, Q.late)  # of all questions of a submission
        of_each = select(*same).where(Q.assignment == self.assignment).distinct()
        palette, sums, rows, each = self.store.database.read(
            lambda connection: (
                palette_now(connection, self.assignment),
                connection.execute(added).all(),
                connection.execute(others).all(),
                connection.execute(of_each).all(),
            )
        )
        points = {name: (now, waiting, int(number)) for name, now, waiting, number in sums}
        for row in rows:
            earned, waiting, number = points.get(row.submission, (0.0, 0.0, 0))
            now = _now(row, palette)
            open_ = now is None
            points[row.submission] = earned + (now or 0.0), waiting + row.max_points * open_, number + open_
        return [
            Sum(row.submission, row.status, *points[row.submission], row.counts is not False, row.late)
            for row in sorted(each, key=lambda row: row.submission)
        ]

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
                Q.least,
                Q.most,
                Q.counts,
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


def _is_open() -> ColumnElement[bool]:
    """Say in SQL whether a question waits: nobody has decided, or the hand-in is another one since."""
    now = ANSWERS.alias("answers_now")
    same = and_(*(now.c[name] == Q[name] for name in ("assignment", "question", "submission")))
    another = exists().where(same, now.c.seen != "", now.c.seen != D.seen)
    changed = and_(Q.waits.not_in(NOT_NOW), D.points.is_not(None), D.seen != "", another)
    return or_(and_(Q.waits.not_in(NOT_OPEN), D.points.is_(None)), changed)


def _allowed(row: Any) -> tuple[float, float]:
    return limits(row.least, row.most, row.max_points, row.judged)


def _now(row: Any, palette: dict[int, tuple[str, float]]) -> float | None:
    """Return the points that count."""
    if row.given is None:
        return row.judged  # type: ignore[no-any-return]
    numbers = json.loads(row.comments) if row.comments and row.comments != "[]" else ()
    changes = [palette[number][1] for number in numbers if number in palette]
    return total(row.given, changes, _allowed(row))


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
        _now(row, palette),
        Waits(row.waits),
        row.status,
        row.found or "",
        row.alike or "",
        row.version or 0,
        "" if row.given is None and row.kind == DecisionKind.UNDONE.value else row.person or "",
        row.kind or "",
        (row.waits not in NOT_OPEN and row.given is None) or (row.waits not in NOT_NOW and changed),
        changed,
        _allowed(row),
        row.counts is not False,
    )


def own(items: Iterable[Item], people: Sequence[str], person: str) -> list[Item]:
    """Return the items that are a person's, where a question is shared out among people."""
    return [each for each in items if not people or whose(each.submission, people) == person]


def code_name(secret: str, submission: str) -> str:
    """Return a name for a submission that does not tell whose it is."""
    return hashlib.sha256(f"{secret}\0{submission}".encode(errors="surrogatepass")).hexdigest()[:10]
