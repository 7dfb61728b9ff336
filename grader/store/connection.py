"""Connections to the database: a file of SQLite, or a PostgreSQL server, and what is told when one fails.

SQLite lets one process write at a time. Who finds it locked waits, says so, and gives up after LOCK_SECONDS.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import StaticPool

from grader.errors import MissingPackageError, StoreError, UsageError
from grader.project import quoted

LOG = logging.getLogger(__name__)
LOOK_SECONDS = 1.0  # that SQLite itself waits for a lock
LOCK_SECONDS = 120.0  # that we wait for it in all
LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
FULL = (sqlite3.SQLITE_FULL,)
CLOSED = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH)
LOCK_ADVICE = (
    "another process has had it locked all that time: another grader, or a program that shows databases. "
    "Wait for its end or close it, and give the same command again: what the database holds is kept"
)
Result = TypeVar("Result")


class Database:
    """Runs transactions, one at a time; `name` is what messages call the database."""

    def __init__(self, where: Path | str | None, waiting: Callable[[str], None] = LOG.warning) -> None:
        self.path = where if isinstance(where, Path) else None
        self.name = str(where) if where is not None else "in memory"
        self.waiting = waiting
        self.lock = threading.RLock()
        self.engine = self._engine(where)
        self.sqlite = self.engine.dialect.name == "sqlite"

    def _engine(self, where: Path | str | None) -> Engine:
        own = {"timeout": LOOK_SECONDS, "check_same_thread": False}
        if where is None:
            engine = create_engine("sqlite://", poolclass=StaticPool, connect_args=own)
        elif isinstance(where, Path):
            url = make_url("sqlite://").set(database=str(where))
            engine = create_engine(url, connect_args=own)
        else:
            try:
                self.name = make_url(where).render_as_string(hide_password=True)
                if not make_url(where).drivername.startswith("postgresql"):
                    raise UsageError(
                        f"--database {self.name}: give a database of PostgreSQL, such as "
                        "postgresql+psycopg://user@host/course; without the option it is a file of SQLite"
                    )
                engine = create_engine(where, pool_pre_ping=True)
            except ModuleNotFoundError as error:
                raise MissingPackageError(
                    f"the package {error.name} is missing; run: pip install {quoted('postgres')}"
                ) from error
            except (ArgumentError, NoSuchModuleError) as error:
                raise UsageError(
                    "--database is not the address of a database; see `grader grade --help`"
                ) from error
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", configure)
            event.listen(engine, "begin", _begin)
        return engine

    def read(self, work: Callable[[Connection], Result]) -> Result:
        """Return what `work` returns in a transaction that changes nothing."""
        return self._run(work, "BEGIN")

    def write(self, work: Callable[[Connection], Result]) -> Result:
        """Return what `work` returns in a transaction that writes; it may be called again after a lock."""
        return self._run(work, "BEGIN IMMEDIATE")

    def _run(self, work: Callable[[Connection], Result], begin: str) -> Result:
        started, told = time.monotonic(), 0.0
        while True:
            try:
                with self.lock, self.engine.connect() as connection:
                    connection.execution_options(begin=begin)
                    with connection.begin():
                        return work(connection)
            except DBAPIError as error:
                waited = time.monotonic() - started
                if _code(error) not in LOCKED or waited > LOCK_SECONDS:
                    raise self._explained(error, waited) from error
                if waited - told > 10 * LOOK_SECONDS or not told:
                    self.waiting(f"waiting for the database {self.name}: another process has locked it")
                    told = waited
                time.sleep(LOOK_SECONDS / 10)

    def _explained(self, error: DBAPIError, waited: float) -> StoreError:
        """Return the error that says what to do; only a damaged file is ever to be moved away."""
        code = _code(error)
        advice = "what it holds is kept: mend the cause, and give the same command again"
        if code in LOCKED:
            return StoreError(f"the database {self.name} is locked since {waited:.0f} seconds: {LOCK_ADVICE}")
        if code in FULL:
            advice = "make room, and give the same command again: what it holds is kept"
        elif code in CLOSED:
            advice = "see that you may read and write it and its folder, and give the same command again"
        elif code in DAMAGED:
            advice = "if it is damaged, move it away and grade again: the submissions will be observed anew"
        elif not self.sqlite:
            advice = "see that the server answers and that you may write there; what it holds is kept"
        told = " ".join(str(error.orig).split())
        return StoreError(f"the database {self.name} cannot be used: {told}; {advice}")


def configure(connection: Any, _: Any) -> None:
    """Set up a new connection: we begin transactions ourselves, and threads may read while one writes."""
    connection.isolation_level = None
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":  # changing it needs a lock
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _code(error: DBAPIError) -> int | None:
    """Return SQLite's primary code of an error, None for another database."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None
