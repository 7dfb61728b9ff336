"""The tables as they were before steps were counted; a database of that time has them, or some of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables that are missing."""
    tables = {
        "runs": (sa.Column("key", sa.String, primary_key=True), sa.Column("run", sa.LargeBinary)),
        "outcomes": (
            sa.Column("key", sa.String, primary_key=True),
            sa.Column("call", sa.String, primary_key=True),
            sa.Column("outcome", sa.LargeBinary),
        ),
        "readings": (sa.Column("key", sa.String, primary_key=True), sa.Column("reading", sa.LargeBinary)),
        "scores": (
            sa.Column("assignment", sa.String, primary_key=True),
            sa.Column("submission", sa.String, primary_key=True),
            sa.Column("score", sa.LargeBinary),
        ),
    }
    there = sa.inspect(op.get_bind()).get_table_names()
    for name, columns in tables.items():
        if name not in there:
            op.create_table(name, *columns)
