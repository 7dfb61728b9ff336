"""The store: SQLite through SQLAlchemy, one file, safe for many threads.

    runs      key of the notebook's bytes and limits             -> NotebookRun
    outcomes  key of a function's code and limits, call          -> Outcome
    readings  key of the notebook's bytes and our code that read it -> FunctionFacts by function
    scores    assignment, submission                             -> Score

A fault of ours is never kept: what could not be observed is tried again the next time.
"""

from __future__ import annotations

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

from grader.errors import DamagedError, StoreError
from grader.records import FunctionFacts, NotebookRun, Outcome, OutcomeKind, Score
from grader.store.codec import pack_outcome, pack_run, unpack_outcome, unpack_run

Kept = TypeVar("Kept")
FORMAT = 1
SCORE = TypeAdapter(Score)
FACTS = TypeAdapter(dict[str, FunctionFacts])
METADATA = MetaData()
RUNS = Table("runs", METADATA, Column("key", String, primary_key=True), Column("run", LargeBinary))
OUTCOMES = Table(
    "outcomes",
    METADATA,
    Column("key", String, primary_key=True),
    Column("call", String, primary_key=True),
    Column("outcome", LargeBinary),
)
READINGS = Table("readings", METADATA, Column("key", String, primary_key=True), Column("facts", LargeBinary))
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
        self._guarded(self._open)

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

        def run() -> None:
            with self._engine.begin() as connection:
                connection.execute(delete(RUNS))
                connection.execute(delete(OUTCOMES))
                connection.execute(delete(READINGS))

        self._guarded(run)

    def freeze(self) -> None:
        """Keep nothing from now on; what was kept before stands."""
        with self._lock:
            self._frozen = True

    def get_run(self, key: str) -> NotebookRun | None:
        """Return the run kept under `key`, None if there is none."""
        found = self._read(select(RUNS.c.run).where(RUNS.c.key == key))
        return _unpacked(unpack_run, found[0][0]) if found else None

    def put_run(self, key: str, run: NotebookRun) -> None:
        """Keep a run under `key`."""
        self._write(RUNS, [{"key": key, "run": pack_run(run)}])

    def get_facts(self, key: str) -> dict[str, FunctionFacts] | None:
        """Return what was read under `key`, by function, None if nothing was."""
        found = self._read(select(READINGS.c.facts).where(READINGS.c.key == key))
        return _unpacked(FACTS.validate_json, found[0][0]) if found else None

    def put_facts(self, key: str, facts: Mapping[str, FunctionFacts]) -> None:
        """Keep what was read under `key`."""
        self._write(READINGS, [{"key": key, "facts": FACTS.dump_json(dict(facts))}])

    def get_outcomes(self, key: str, calls: Iterable[str]) -> Mapping[str, Outcome]:
        """Return the outcomes kept of the given calls of the code `key`, by call.

        Each is read when it is looked at; one that is damaged raises DamagedError then.
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

        def run() -> None:
            with self._engine.begin() as connection:
                rows = connection.execute(select(OUTCOMES))
                damaged = [(key, call) for key, call, data in rows if _unpacked(unpack_outcome, data) is None]
                for key, call in damaged:
                    this = (OUTCOMES.c.key == key) & (OUTCOMES.c.call == call)
                    connection.execute(delete(OUTCOMES).where(this))

        self._guarded(run)

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
        def run() -> list[Any]:
            with self._engine.connect() as connection:
                return list(connection.execute(query))

        return self._guarded(run)

    def _write(self, table: Table, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return

        def run() -> None:
            if self._frozen:
                return
            with self._engine.begin() as connection:
                connection.execute(insert(table).prefix_with("OR REPLACE"), rows)

        self._guarded(run)

    def _open(self) -> None:
        with self._engine.begin() as connection:
            version = connection.execute(text("PRAGMA user_version")).scalar()
            if version not in (0, FORMAT):
                raise StoreError(
                    f"{self.path} was written by another version of grader (format {version}, this one reads "
                    f"{FORMAT}); move it away, or choose another folder with --out"
                )
            METADATA.create_all(connection)
            connection.execute(text(f"PRAGMA user_version = {FORMAT}"))

    def _guarded(self, action: Callable[[], Kept]) -> Kept:
        """Run a database action; explain a file that is no database, locked, or on a full disk."""
        try:
            with self._lock:
                return action()
        except DatabaseError as error:
            raise StoreError(
                f"the database {self.path} cannot be used: {error.orig}; {_what_to_do(str(error.orig))}"
            ) from error


def _what_to_do(reason: str) -> str:
    if "full" in reason:
        return "make room, and give the same command again: what it holds is kept"
    return "if it is damaged, move it away and grade again: the submissions will be observed anew"


class KeptOutcomes(Mapping[str, Outcome]):
    """Outcomes as they were kept, by call, each unpacked when it is first looked at."""

    def __init__(self, packed: Mapping[str, bytes]) -> None:
        self._packed = packed

    def __getitem__(self, call: str) -> Outcome:
        outcome = _unpacked(unpack_outcome, self._packed[call])
        if outcome is None:
            raise DamagedError(f"what was kept of the call {call} is damaged")
        return outcome

    def __contains__(self, call: object) -> bool:
        return call in self._packed

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


def _unpacked(unpack: Callable[[bytes], Kept], data: bytes) -> Kept | None:
    """Return what was kept; None, so that it is observed again, if it is damaged."""
    try:
        return unpack(data)
    except (ValueError, KeyError, TypeError):
        return None


def _configure(connection: Any, _: Any) -> None:
    """Let readers go on while one thread writes."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
