"""A question knows what a person may give, and whether its hand-in counts and how late it was."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
KEY = ("assignment", "submission")


def upgrade() -> None:
    """Add the columns; what a person may give is not known of earlier scores."""
    for column in (
        sa.Column("least", sa.Float),
        sa.Column("most", sa.Float),
        sa.Column("counts", sa.Boolean),
        sa.Column("late", sa.Float),
    ):
        op.add_column("questions", column)
    connection = op.get_bind()
    scores = sa.table("scores", *(sa.column(name) for name in (*KEY, "score")))
    questions = sa.table("questions", *(sa.column(name) for name in (*KEY, "counts", "late")))
    connection.execute(questions.update().values(counts=True, late=0.0))
    for name in connection.execute(sa.select(scores.c.assignment, scores.c.submission)).all():
        same = [
            sa.and_(*(table.c[key] == value for key, value in zip(KEY, name, strict=True)))
            for table in (scores, questions)
        ]
        try:
            attempt = json.loads(connection.execute(sa.select(scores.c.score).where(same[0])).scalar_one())[
                "attempt"
            ]
            values = {"counts": bool(attempt["counts"]), "late": attempt["late_seconds"]}
        except (ValueError, KeyError, TypeError):
            continue  # such a score is shown as one to grade again
        connection.execute(questions.update().where(same[1]).values(**values))
