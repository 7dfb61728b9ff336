"""A score knows which worker of a cluster made it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add a column to the scores; those of earlier runs do not say."""
    op.add_column("scores", sa.Column("worker", sa.String))
