"""The store: what was observed, by content, and the scores, by submission; for many threads and graders.

The tables are in `database_tables.py`, the connection and what is told when it fails in `connection.py`, how
observations are packed in `observations.py`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import TypeAdapter
from sqlalchemy import Connection, Table, delete, insert, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from grader.codec import unpack_outcome
from grader.final import with_decisions
from grader.given_answer import GivenAnswer
from grader.records import NotebookRun, Score, Status, Summary
from grader.store.connection import Database
from grader.store.database_tables import OUTCOMES, READINGS, RUNS, SCORES
from grader.store.migrate import upgrade
from grader.store.observations import OUTCOME, READING, RUN, Observations, Row, unpacked
from grader.store.people_tables import ANSWERS, HAND_INS, QUESTIONS, SETTINGS
from grader.store.standing import (
    RUBRIC,
    SHEET,
    Standing,
    palette_now,
    setting_now,
    standing_decisions,
    write_answers,
    write_questions,
)

LOG = logging.getLogger(__name__)
SCORE = TypeAdapter(Score)
TABLES = {
    RUN: (RUNS, RUNS.c.run),
    READING: (READINGS, READINGS.c.reading),
    OUTCOME: (OUTCOMES, OUTCOMES.c.outcome),
}
MANY = 200  # scores that are read at a time
UNREADABLE = "Not graded, through our fault: the result that was kept cannot be read; grade it again."


@dataclass(frozen=True)
class KeptScore:
    """A score as it is kept: with a digest of the course that judged it, and the path of what was handed in.

    Both are '' where they are not known. `judged` is the score without what people decided, where it is asked
    for.
    """

    score: Score
    course: str = ""
    source: str = ""
    judged: Score | None = None


class Store(Observations):
    """A database of observations and scores. Close it, or use `with`.

    `where` is the file of a SQLite database or the address of a PostgreSQL one; None keeps it in memory.
    `waiting` is called with a sentence while another process has the database locked.
    """

    def __init__(self, where: Path | str | None = None, waiting: Callable[[str], None] = LOG.warning) -> None:
        self._database = Database(where, waiting)
        self._lock = threading.Lock()
        self._frozen = False
        try:
            upgrade(self._database)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def database(self) -> Database:
        """The database, for what people decide (`grader.manual`)."""
        return self._database

    def close(self) -> None:
        """Close every connection."""
        self._database.engine.dispose()

    def forget(self) -> None:
        """Drop every observation, so that everything is observed again; scores stay."""

        def work(connection: Connection) -> None:
            for table in (RUNS, OUTCOMES, READINGS):
                connection.execute(delete(table))

        self._database.write(work)

    def freeze(self) -> None:
        """Store nothing from now on; what was stored before stays."""
        with self._lock:
            self._frozen = True

    def packed(self, kind: str, key: str) -> Mapping[str, bytes]:
        """Return what is kept of one kind under a key, by call."""
        table, content = TABLES[kind]
        columns = (table.c.call, content) if kind == OUTCOME else (literal(""), content)
        return dict(self._read(select(*columns).where(table.c.key == key)))

    def keep(self, rows: Iterable[Row]) -> None:
        """Keep rows in place of those with the same kind, key and call."""
        by_kind: dict[str, list[dict[str, Any]]] = {}
        for kind, key, call, data in rows:
            row = {"key": key, TABLES[kind][1].name: data}
            by_kind.setdefault(kind, []).append({**row, "call": call} if kind == OUTCOME else row)
        for kind, each in by_kind.items():
            self._write(TABLES[kind][0], each)

    def drop_damaged(self) -> None:
        """Drop every outcome that cannot be read, so that it is observed again."""

        def work(connection: Connection) -> None:
            rows = connection.execute(select(OUTCOMES))
            damaged = [(key, call) for key, call, data in rows if unpacked(unpack_outcome, data) is None]
            for key, call in damaged:
                same_row = (OUTCOMES.c.key == key) & (OUTCOMES.c.call == call)
                connection.execute(delete(OUTCOMES).where(same_row))

        self._database.write(work)

    def get_scores(self, assignment: str) -> dict[str, Score]:
        """Return the last score of every submission of an assignment, by submission."""
        return {kept.score.submission: kept.score for kept in self.kept_scores(assignment)}

    def kept_scores(self, assignment: str) -> Iterator[KeptScore]:
        """Yield what is kept of every submission of an assignment, sorted; few of them are held at a time.

        The scores are what the judge said and what people decided. One that cannot be read (of another
        version, or damaged) is one of a submission to grade again.
        """
        columns = select(SCORES.c.submission, SCORES.c.score, SCORES.c.course, SCORES.c.source)
        of_assignment = columns.where(SCORES.c.assignment == assignment)
        names = sorted(self.sources(assignment))
        for first in range(0, len(names), MANY):
            some = names[first : first + MANY]
            found = {
                row[0]: row[1:] for row in self._read(of_assignment.where(SCORES.c.submission.in_(some)))
            }
            decided, palette = self._decided(assignment, some)
            for name in some:
                if name in found:  # else it has been dropped meanwhile
                    data, course, source = found[name]
                    score = with_decisions(_score(name, data), decided.get(name, {}), palette)
                    yield KeptScore(score, course or "", source or "")

    def get_score(self, assignment: str, submission: str) -> KeptScore | None:
        """Return what is kept of a submission, None if nothing is."""
        same = (SCORES.c.assignment == assignment) & (SCORES.c.submission == submission)
        rows = self._read(select(SCORES.c.score, SCORES.c.course, SCORES.c.source).where(same))
        if not rows:
            return None
        data, course, source = rows[0]
        decided, palette = self._decided(assignment, [submission])
        judged = _score(submission, data)
        score = with_decisions(judged, decided.get(submission, {}), palette)
        return KeptScore(score, course or "", source or "", judged)

    def _decided(
        self, assignment: str, submissions: Sequence[str]
    ) -> tuple[Standing, dict[int, tuple[str, float]]]:
        return self._database.read(
            lambda connection: (
                standing_decisions(connection, assignment, submissions),
                palette_now(connection, assignment),
            )
        )

    def sources(self, assignment: str) -> dict[str, str]:
        """Return the path of what was handed in of every submission, '' where it is not known."""
        query = select(SCORES.c.submission, SCORES.c.source).where(SCORES.c.assignment == assignment)
        return {submission: source or "" for submission, source in self._read(query)}

    def workers(self, assignment: str) -> dict[str, str]:
        """Return, by submission, the worker that graded it, for those that a cluster graded."""
        query = select(SCORES.c.submission, SCORES.c.worker).where(SCORES.c.assignment == assignment)
        return {submission: worker for submission, worker in self._read(query) if worker}

    def put_scores(
        self,
        assignment: str,
        scores: Iterable[Score],
        course: str = "",
        sources: Mapping[str, str] | None = None,
        worker: str = "",
        *,
        only_new: bool = False,
    ) -> None:
        """Keep the scores of submissions in place of earlier ones; `sources` are by submission.

        With `only_new`, a score that is there stays: another grader may just have put it. Raises ValueError,
        and keeps none, if one could not be read back.
        """
        rows, scores = [], list(scores)
        for score in scores:
            data = SCORE.dump_json(score)
            SCORE.validate_json(data)
            row = {"assignment": assignment, "submission": score.submission, "score": data, "course": course}
            rows.append({**row, "source": (sources or {}).get(score.submission, ""), "worker": worker})

        def write(connection: Connection, written: Collection[str]) -> None:
            kept = [score for score in scores if score.submission in written]
            write_questions(connection, assignment, kept, course)

        self._write(SCORES, rows, write, only_new=only_new)

    def put_answers(
        self, assignment: str, submission: str, answers: Sequence[GivenAnswer], run: str = ""
    ) -> None:
        """Keep what people read of a submission in place of what was kept; `run` is the key of its run."""

        def work(connection: Connection) -> None:
            if not self._frozen:
                write_answers(connection, assignment, submission, answers, run)

        self._database.write(work)

    def put_rubric(self, assignment: str, text: str) -> None:
        """Keep the rubric, as JSON, with which an assignment is graded; another one is a new version."""
        self._put_setting(assignment, RUBRIC, text)

    def get_rubric(self, assignment: str) -> str:
        """Return the rubric with which an assignment was last graded, as JSON; '' if none is kept."""
        return self._database.read(lambda connection: setting_now(connection, assignment, RUBRIC))[1]

    def put_sheet(self, assignment: str, text: str) -> None:
        """Keep the tasks and the course's own answers, as JSON, for the people who grade."""
        self._put_setting(assignment, SHEET, text)

    def get_sheet(self, assignment: str) -> str:
        """Return the tasks and the course's own answers, as JSON; '' if none are kept."""
        return self._database.read(lambda connection: setting_now(connection, assignment, SHEET))[1]

    def _put_setting(self, assignment: str, name: str, text: str) -> None:
        def work(connection: Connection) -> None:
            version, kept = setting_now(connection, assignment, name)
            if kept != text:
                row = {"assignment": assignment, "name": name, "version": version + 1, "value": text}
                connection.execute(insert(SETTINGS), {**row, "time": time.time(), "person": ""})

        self._database.write(work)

    def run_of(self, assignment: str, submission: str) -> NotebookRun | None:
        """Return the run of a submission's notebook, None if none is kept."""
        same = (HAND_INS.c.assignment == assignment) & (HAND_INS.c.submission == submission)
        keys = self._read(select(HAND_INS.c.run).where(same))
        return self.get_run(keys[0][0]) if keys else None

    def drop_scores(self, assignment: str, submissions: Sequence[str]) -> None:
        """Drop the scores of submissions that are none any more; what people decided is kept."""

        def work(connection: Connection) -> None:
            for submission in submissions:
                for table in (SCORES, QUESTIONS, ANSWERS, HAND_INS):
                    same_row = (table.c.assignment == assignment) & (table.c.submission == submission)
                    connection.execute(delete(table).where(same_row))

        self._database.write(work)

    def assignments(self) -> list[str]:
        """Return the assignments of which scores are kept."""
        return [name for (name,) in self._read(select(SCORES.c.assignment).distinct())]

    def _read(self, query: Any) -> list[Any]:
        return self._database.read(lambda connection: list(connection.execute(query)))

    def _write(
        self,
        table: Table,
        rows: list[dict[str, Any]],
        further: Callable[[Connection, Collection[str]], None] | None = None,
        *,
        only_new: bool = False,
    ) -> None:
        """Write rows; `further` gets the submissions of those that were written."""
        upsert = sqlite.insert if self._database.sqlite else postgresql.insert
        keys = [column.name for column in table.primary_key]
        rows = sorted(
            rows, key=lambda row: [row[name] for name in keys]
        )  # so that two graders cannot deadlock
        new = upsert(table)
        changed = {column.name: new.excluded[column.name] for column in table.c if column.name not in keys}
        statement = (
            new.on_conflict_do_nothing(index_elements=keys)
            if only_new
            else new.on_conflict_do_update(index_elements=keys, set_=changed)
        )

        def work(connection: Connection) -> None:
            if not self._frozen:
                if further is None:
                    connection.execute(statement, rows)
                else:
                    written = connection.execute(statement.returning(table.c.submission), rows)
                    further(connection, set(written.scalars()))

        if rows:
            self._database.write(work)


def _score(submission: str, data: bytes) -> Score:
    """Return a kept score; one that cannot be read is a fault of ours, and no end of the gradebook."""
    try:
        return SCORE.validate_json(data)
    except (ValueError, TypeError) as error:
        LOG.warning("the kept score of %s cannot be read: %s", submission, str(error)[:400])
        return Score(submission, Status.NOT_GRADED, Summary.NOT_GRADED, (), UNREADABLE)
