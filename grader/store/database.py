"""The store: SQLite through SQLAlchemy, one file, safe for many threads.

    runs      key of the notebook's bytes and limits                  -> NotebookRun
    outcomes  key of a function's code and limits, call               -> Outcome
    readings  key of the notebook's bytes and our code that reads it  -> Reading
    scores    assignment, submission                                  -> Score

A fault of ours is never stored, so that the next run observes again what could not be observed.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import (
    Column,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    event,
    select,
    text,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import StaticPool

from grader.codec import (
    pack_outcome,
    pack_reading,
    pack_run,
    unpack_outcome,
    unpack_reading,
    unpack_run,
)
from grader.errors import DamagedError, StoreError
from grader.reading import Reading
from grader.records import NotebookRun, Outcome, OutcomeKind, Score

Kept = TypeVar("Kept")
FORMAT = 2
SCORE = TypeAdapter(Score)
METADATA = MetaData()
RUNS = Table("runs", METADATA, Column("key", String, primary_key=True), Column("run", LargeBinary))
OUTCOMES = Table(
    "outcomes",
    METADATA,
    Column("key", String, primary_key=True),
    Column("call", String, primary_key=True),
    Column("outcome", LargeBinary),
)
READINGS = Table(
    "readings", METADATA, Column("key", String, primary_key=True), Column("reading", LargeBinary)
)
SCORES = Table(
    "scores",
    METADATA,
    Column("assignment", String, primary_key=True),
    Column("submission", String, primary_key=True),
    Column("score", LargeBinary),
)


class Store:
    """A database of observations and scores; `path` None keeps it in memory. Close it, or use `with`."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._frozen = False
        where = {"url": f"sqlite:///{path}"} if path else {"url": "sqlite://", "poolclass": StaticPool}
        self._engine = create_engine(**where, connect_args={"timeout": 60, "check_same_thread": False})
        event.listen(self._engine, "connect", _configure)
        with self._guarded(), self._engine.begin() as connection:
            version = connection.execute(text("PRAGMA user_version")).scalar()
            if version not in (0, FORMAT):
                raise StoreError(
                    f"{self.path} was written by another version of grader (format {version}, this one reads "
                    f"{FORMAT}); move it away, or choose another folder with --out"
                )
            METADATA.create_all(connection)
            connection.execute(text(f"PRAGMA user_version = {FORMAT}"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def forget(self) -> None:
        """Drop every observation, so that everything is observed again; scores stay."""
        with self._guarded(), self._engine.begin() as connection:
            connection.execute(delete(RUNS))
            connection.execute(delete(OUTCOMES))
            connection.execute(delete(READINGS))

    def freeze(self) -> None:
        """Store nothing from now on; what was stored before stays."""
        with self._lock:
            self._frozen = True

    def get_run(self, key: str) -> NotebookRun | None:
        """Return the run kept under `key`, None if there is none."""
        rows = self._read(select(RUNS.c.run).where(RUNS.c.key == key))
        return _unpacked(unpack_run, rows[0][0]) if rows else None

    def put_run(self, key: str, run: NotebookRun) -> None:
        """Keep a run under `key`."""
        self._write(RUNS, [{"key": key, "run": pack_run(run)}])

    def get_reading(self, key: str) -> Reading | None:
        """Return what was read under `key`, None if nothing was."""
        rows = self._read(select(READINGS.c.reading).where(READINGS.c.key == key))
        return _unpacked(unpack_reading, rows[0][0]) if rows else None

    def put_reading(self, key: str, reading: Reading) -> None:
        """Keep what was read under `key`."""
        self._write(READINGS, [{"key": key, "reading": pack_reading(reading)}])

    def get_outcomes(self, key: str, calls: Iterable[str]) -> KeptOutcomes:
        """Return the stored outcomes of the given calls of the code `key`, by call.

        Each is unpacked when it is first used; one that is damaged raises DamagedError then.
        """
        wanted = set(calls)
        rows = self._read(select(OUTCOMES.c.call, OUTCOMES.c.outcome).where(OUTCOMES.c.key == key))
        return KeptOutcomes({call: data for call, data in rows if call in wanted})

    def put_outcomes(self, key: str, outcomes: Mapping[str, Outcome]) -> None:
        """Keep the outcomes of the code `key`, except those that were our fault."""
        rows = [
            {"key": key, "call": call, "outcome": pack_outcome(outcome)}
            for call, outcome in outcomes.items()
            if outcome.kind is not OutcomeKind.GRADER_FAULT
        ]
        self._write(OUTCOMES, rows)

    def drop_damaged(self) -> None:
        """Drop every outcome that cannot be read, so that it is observed again."""
        with self._guarded(), self._engine.begin() as connection:
            rows = connection.execute(select(OUTCOMES))
            damaged = [(key, call) for key, call, data in rows if _unpacked(unpack_outcome, data) is None]
            for key, call in damaged:
                same_row = (OUTCOMES.c.key == key) & (OUTCOMES.c.call == call)
                connection.execute(delete(OUTCOMES).where(same_row))

    def get_scores(self, assignment: str) -> dict[str, Score]:
        """Return the last score of every submission of an assignment, by submission."""
        rows = self._read(
            select(SCORES.c.submission, SCORES.c.score).where(SCORES.c.assignment == assignment)
        )
        return {submission: SCORE.validate_json(data) for submission, data in rows}

    def put_scores(self, assignment: str, scores: Iterable[Score]) -> None:
        """Keep the scores of submissions in place of earlier ones.

        Raises ValueError, and keeps none, if one could not be read back.
        """
        rows = []
        for score in scores:
            data = SCORE.dump_json(score)
            SCORE.validate_json(data)
            rows.append({"assignment": assignment, "submission": score.submission, "score": data})
        self._write(SCORES, rows)

    def assignments(self) -> list[str]:
        """Return the assignments of which scores are kept."""
        return [name for (name,) in self._read(select(SCORES.c.assignment).distinct())]

    def _read(self, query: Any) -> list[Any]:
        with self._guarded(), self._engine.connect() as connection:
            return list(connection.execute(query))

    def _write(self, table: Table, rows: list[dict[str, Any]]) -> None:
        with self._guarded():
            if rows and not self._frozen:
                with self._engine.begin() as connection:
                    connection.execute(insert(table).prefix_with("OR REPLACE"), rows)

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """Hold the lock; explain a file that is no database, is locked, or is on a full disk."""
        try:
            with self._lock:
                yield
        except DatabaseError as error:
            advice = "if it is damaged, move it away and grade again: the submissions will be observed anew"
            if "full" in str(error.orig):
                advice = "make room, and give the same command again: what it holds is kept"
            raise StoreError(f"the database {self.path} cannot be used: {error.orig}; {advice}") from error


class KeptOutcomes(Mapping[str, Outcome]):
    """Stored outcomes by call, each unpacked when it is used."""

    def __init__(self, packed: Mapping[str, bytes]) -> None:
        self._packed = packed

    def __getitem__(self, call: str) -> Outcome:
        outcome = _unpacked(unpack_outcome, self._packed[call])
        if outcome is None:
            raise DamagedError(f"what was kept of the call {call} is damaged")
        return outcome

    @property
    def size(self) -> int:
        """The bytes of all of them."""
        return sum(map(len, self._packed.values()))

    def __contains__(self, call: object) -> bool:
        return call in self._packed

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


def _unpacked(unpack: Callable[[bytes], Kept], data: bytes) -> Kept | None:
    """Return what was stored; None if it is damaged, so that it is observed again."""
    try:
        return unpack(data)
    except (ValueError, KeyError, TypeError):
        return None


def _configure(connection: Any, _: Any) -> None:
    """Set up a new connection: threads may read while one writes."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
