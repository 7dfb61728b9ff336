"""A score knows the course that it was judged with, and the file that was handed in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add two columns to the scores; those of earlier runs do not say."""
    op.add_column("scores", sa.Column("course", sa.String))
    op.add_column("scores", sa.Column("source", sa.String))
