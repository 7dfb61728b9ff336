"""What people read, decide and are; the questions of earlier scores are taken out of them."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
KEY = ("assignment", "question", "submission")


def upgrade() -> None:
    """Create the tables, and fill that of the questions."""
    numbered: dict[str, Any] = {"primary_key": True, "autoincrement": False}

    def key() -> list[sa.Column[Any]]:
        return [sa.Column(name, sa.String, primary_key=True) for name in KEY]

    def who() -> list[sa.Column[Any]]:
        return [sa.Column("time", sa.Float, nullable=False), sa.Column("person", sa.String, nullable=False)]

    questions = op.create_table(
        "questions",
        *key(),
        sa.Column("number", sa.Integer),
        sa.Column("title", sa.String),
        sa.Column("points", sa.Float),
        sa.Column("max_points", sa.Float),
        sa.Column("waits", sa.String),
        sa.Column("status", sa.String),
        sa.Column("found", sa.String),
        sa.Column("who", sa.String),
    )
    op.create_table(
        "answers",
        *key(),
        sa.Column("alike", sa.String),
        sa.Column("seen", sa.String),
        sa.Column("answer", sa.LargeBinary),
    )
    op.create_table(
        "hand_ins",
        sa.Column("assignment", sa.String, primary_key=True),
        sa.Column("submission", sa.String, primary_key=True),
        sa.Column("run", sa.String),
    )
    op.create_table(
        "decisions",
        *key(),
        sa.Column("version", sa.Integer, **numbered),
        *who(),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("points", sa.Float),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("comments", sa.String, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("seen", sa.String, nullable=False),
        sa.Column("together", sa.String, nullable=False),
        sa.Column("undoes", sa.Integer),
    )
    op.create_index("decisions_by_time", "decisions", ["assignment", "time"])
    op.create_table(
        "palette",
        sa.Column("assignment", sa.String, primary_key=True),
        sa.Column("comment", sa.Integer, **numbered),
        sa.Column("version", sa.Integer, **numbered),
        sa.Column("question", sa.String, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("points", sa.Float, nullable=False),
        sa.Column("withdrawn", sa.Boolean, nullable=False),
        *who(),
    )
    op.create_table(
        "settings",
        sa.Column("assignment", sa.String, primary_key=True),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("version", sa.Integer, **numbered),
        sa.Column("value", sa.Text, nullable=False),
        *who(),
    )
    op.create_table(
        "pairs",
        sa.Column("assignment", sa.String, primary_key=True),
        sa.Column("pair", sa.String, primary_key=True),
        *(
            sa.Column(name, sa.String, nullable=False)
            for name in ("question", "title", "kind", "first", "second", "origin")
        ),
        sa.Column("share", sa.Float, nullable=False),
        sa.Column("lines", sa.Integer, nullable=False),
        sa.Column("left", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "accounts",
        sa.Column("person", sa.String, primary_key=True),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("hash", sa.String, nullable=False),
        sa.Column("added", sa.Float, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("token", sa.String, primary_key=True),
        sa.Column("person", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("ends", sa.Float, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer, primary_key=True),
        *who(),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("event", sa.String, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
    _fill(questions)


def _fill(questions: sa.Table) -> None:
    """Write a row for each question of each score that can be read."""
    connection = op.get_bind()
    scores = sa.table(
        "scores", *(sa.column(name) for name in ("assignment", "submission", "score", "course"))
    )
    names = connection.execute(sa.select(scores.c.assignment, scores.c.submission)).all()
    for assignment, submission in names:
        same = (scores.c.assignment == assignment) & (scores.c.submission == submission)
        data, course = connection.execute(sa.select(scores.c.score, scores.c.course).where(same)).one()
        try:
            score = json.loads(data)
            rows = [
                {
                    "assignment": assignment,
                    "submission": submission,
                    "question": each["id"],
                    "number": number,
                    "title": each["title"],
                    "points": each["points"],
                    "max_points": each["max_points"],
                    "waits": _waits(score, each, course or ""),
                    "status": score["status"],
                    "found": "",
                    "who": "",
                }
                for number, each in enumerate(score["questions"])
            ]
        except (ValueError, KeyError, TypeError):
            continue  # such a score is shown as one to grade again
        if rows:
            connection.execute(questions.insert(), rows)


def _waits(score: dict[str, Any], question: dict[str, Any], course: str) -> str:
    codes = {check["verdict"].get("code", "") for check in question["checks"]}
    if score["status"] == "not_graded":
        return "not_graded" if course else "run"
    if question["points"] is None and not question["checks"]:
        return "written"
    if question["points"] is None:
        return "follow_through" if "follow_through_undecided" in codes else "inconclusive"
    return "library" if "forbidden" in codes else ""
