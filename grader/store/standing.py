"""What people have decided, as it stands: read with the scores, so that no gradebook is without it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Select, and_, func, insert, select

from grader.decision import Decision, DecisionKind
from grader.final import waits
from grader.given_answer import GivenAnswer
from grader.records import Score, VerdictKind
from grader.store.people_tables import ANSWERS, DECISIONS, HAND_INS, PALETTE, QUESTIONS, SETTINGS

ANSWER = TypeAdapter(GivenAnswer)
RUBRIC, SHEET = "rubric", "sheet"  # names of settings
MAX_FOUND = 160  # characters
MANY = 200  # submissions that are named in one statement
Standing = dict[str, dict[str, Decision]]


def standing_decisions(
    connection: Connection,
    assignment: str,
    submissions: Sequence[str] | None = None,
    question: str | None = None,
) -> Standing:
    """Return the decisions that stand, by submission and question; None stands for all of them."""
    wanted = DECISIONS.c.assignment == assignment
    if submissions is not None:
        wanted &= DECISIONS.c.submission.in_(submissions)
    if question is not None:
        wanted &= DECISIONS.c.question == question
    found: Standing = {}
    for row in connection.execute(_latest(wanted)):
        decision = decision_of(row)
        found.setdefault(decision.submission, {})[decision.question] = decision
    return found


def _latest(wanted: Any) -> Select[Any]:
    key = (DECISIONS.c.assignment, DECISIONS.c.question, DECISIONS.c.submission)
    newest = (
        select(*key, func.max(DECISIONS.c.version).label("version")).where(wanted).group_by(*key).subquery()
    )
    same = and_(*(column == newest.c[column.name] for column in (*key, DECISIONS.c.version)))
    return select(DECISIONS).join(newest, same)


def decision_of(row: Any) -> Decision:
    """Return the decision in a row of the table."""
    return Decision(
        row.submission,
        row.question,
        row.version,
        row.time,
        row.person,
        DecisionKind(row.kind),
        row.points,
        row.comment,
        tuple(json.loads(row.comments)),
        row.reason,
        row.seen,
        row.together,
        row.undoes,
    )


def palette_now(connection: Connection, assignment: str) -> dict[int, tuple[str, float]]:
    """Return the text and points of every comment, as they are now; withdrawn ones count where given."""
    rows = connection.execute(
        select(PALETTE.c.comment, PALETTE.c.text, PALETTE.c.points)
        .where(PALETTE.c.assignment == assignment)
        .order_by(PALETTE.c.version)
    )
    return {number: (text, points) for number, text, points in rows}


def setting_now(connection: Connection, assignment: str, name: str) -> tuple[int, str]:
    """Return the version and the text of a setting that was kept last, 0 and '' if none was."""
    same = (SETTINGS.c.assignment == assignment) & (SETTINGS.c.name == name)
    query = select(SETTINGS.c.version, SETTINGS.c.value).where(same).order_by(SETTINGS.c.version.desc())
    row = connection.execute(query.limit(1)).first()
    return (row.version, row.value) if row is not None else (0, "")


def write_questions(connection: Connection, assignment: str, scores: Sequence[Score], course: str) -> None:
    """Keep the questions of scores, in place of those of earlier ones."""
    scores = sorted(scores, key=lambda score: score.submission)  # so that two graders cannot deadlock
    for first in range(0, len(scores), MANY):
        names = [score.submission for score in scores[first : first + MANY]]
        same = (QUESTIONS.c.assignment == assignment) & QUESTIONS.c.submission.in_(names)
        connection.execute(QUESTIONS.delete().where(same))
    rows = [
        {
            "assignment": assignment,
            "submission": score.submission,
            "question": question.id,
            "number": number,
            "title": question.title,
            "points": question.points,
            "max_points": question.max_points,
            "waits": waits(score, question, judged=bool(course) or bool(score.tier)).value,
            "status": score.status.value,
            "found": _found(score, number),
            "who": score.attempt.name,
            "least": question.least,
            "most": question.most,
            "counts": score.attempt.counts,
            "late": score.attempt.late_seconds,
        }
        for score in scores
        for number, question in enumerate(score.questions)
    ]
    if rows:
        connection.execute(insert(QUESTIONS), rows)


def _found(score: Score, number: int) -> str:
    """Return in a few words what is wrong with a question, for lists."""
    question = score.questions[number]
    if question.diagnosis is not None and question.diagnosis.names:
        words = question.diagnosis.names[0]
    else:
        failed = [check for check in question.checks if check.verdict.kind is not VerdictKind.PASSED]
        words = next((check.verdict.message or check.title for check in failed), score.message)
    return words[:MAX_FOUND]


def write_answers(
    connection: Connection, assignment: str, submission: str, answers: Sequence[GivenAnswer], run: str
) -> None:
    """Keep what people read of a submission, and the key of its run, in place of what was kept of it."""
    for table in (ANSWERS, HAND_INS):
        same = (table.c.assignment == assignment) & (table.c.submission == submission)
        connection.execute(table.delete().where(same))
    if run:
        row = {"assignment": assignment, "submission": submission, "run": run}
        connection.execute(insert(HAND_INS), row)
    rows = [
        {
            "assignment": assignment,
            "submission": submission,
            "question": each.question,
            "alike": each.alike,
            "seen": each.seen,
            "answer": ANSWER.dump_json(each),
        }
        for each in answers
    ]
    if rows:
        connection.execute(insert(ANSWERS), rows)
