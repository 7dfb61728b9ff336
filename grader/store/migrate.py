"""Brings a database to the form that this version of grader uses: Alembic, with the steps in `migrations/`.

    grader.db of an earlier version  --copy-->  grader.db.before-0002
                                     --upgrade, one transaction-->  grader.db

Two graders that start at the same time upgrade one after the other: the second finds nothing to do.
"""

from __future__ import annotations

import contextlib
import glob
import os
import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from grader.errors import StoreError
from grader.store.connection import Database

FOLDER = Path(__file__).parent / "migrations"
UPGRADING = 0x6772_6164_6572  # the number of the lock of PostgreSQL


def upgrade(database: Database) -> None:
    """Upgrade a database, after a copy of its file if that holds something; raises StoreError.

    A database of a later version is left as it is.
    """
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    steps = ScriptDirectory.from_config(config)
    head = steps.get_current_head()
    if database.read(_revision) == head:
        return

    def work(connection: Connection) -> None:
        if not database.sqlite:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({UPGRADING})"))
        revision = _revision(connection)
        if revision == head:  # another grader was first
            return
        if revision is not None and revision not in {step.revision for step in steps.walk_revisions()}:
            raise StoreError(
                f"{database.name} was written by a later version of grader ({revision}); update grader, or "
                "choose another folder with --out"
            )
        if database.path is not None and inspect(connection).get_table_names():
            _copy(database.path, f"before-{head}")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    database.write(work)


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _copy(path: Path, suffix: str) -> None:
    """Copy a database beside itself under a new name, while nobody writes to it."""
    numbers = ("", *(f"-{number}" for number in range(2, 1000)))
    names = (path.with_name(f"{path.name}.{suffix}{number}") for number in numbers)
    target = next(name for name in names if not name.exists())
    for left in path.parent.glob(f".{glob.escape(path.name)}.before-*.part"):  # of an upgrade that was killed
        left.unlink(missing_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with (
            contextlib.closing(sqlite3.connect(path)) as source,
            contextlib.closing(sqlite3.connect(part)) as copy,
        ):
            source.backup(copy)
        part.replace(target)
    except (OSError, sqlite3.Error) as error:
        part.unlink(missing_ok=True)
        raise StoreError(
            f"the database {path} is of an earlier version, and no copy of it could be made before its "
            f"upgrade: {error}; make room in its folder, and give the same command again"
        ) from error
