"""A database that is locked, old, or new and opened by several graders at once is waited for, upgraded, shared."""

from __future__ import annotations

import contextlib
import errno
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from support import run, score

from grader.errors import StoreError
from grader.store import Store, connection, database, migrate
from grader.store.database_tables import METADATA


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(connection, "LOCK_SECONDS", 0.3)


@pytest.mark.usefixtures("impatient")
def test_a_locked_database_is_waited_for_aloud_and_then_named_as_locked(tmp_path: Path) -> None:
    told: list[str] = []
    with Store(tmp_path / "grader.db", told.append) as store:
        with contextlib.closing(sqlite3.connect(tmp_path / "grader.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match=r"is locked since .*another process.*is kept") as raised:
                store.put_scores("tiny", [score()])
        assert "move it away" not in str(raised.value)
        assert "another process has locked it" in told[0]


def test_a_lock_that_ends_costs_nothing_but_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LOOK_SECONDS", 0.05)
    other = sqlite3.connect(tmp_path / "grader.db", isolation_level=None)
    told: list[str] = []

    def release(words: str) -> None:
        told.append(words)
        other.execute("COMMIT")

    with contextlib.closing(other), Store(tmp_path / "grader.db", release) as store:
        other.execute("BEGIN IMMEDIATE")
        store.put_scores("tiny", [score()])
        assert store.get_scores("tiny") == {"anna": score()}
    assert len(told) == 1


def test_a_database_that_may_not_be_written_is_never_to_be_moved_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store(tmp_path / "grader.db").close()
    configure = connection.configure

    def closed(opened: Any, record: Any) -> None:
        configure(opened, record)
        opened.execute("PRAGMA query_only = 1")

    monkeypatch.setattr(connection, "configure", closed)
    refused = pytest.raises(StoreError, match="see that you may read and write it")
    with Store(tmp_path / "grader.db") as store, refused:
        store.put_run("key", run())
    with pytest.raises(StoreError, match="see that you may read and write it"):
        Store(tmp_path / "nowhere" / "grader.db")


OLD = {
    "format 1": "runs (key, run)|outcomes (key, call, outcome)|scores (assignment, submission, score)",
    "format 2": "runs (key, run)|outcomes (key, call, outcome)|readings (key, reading)|"
    "scores (assignment, submission, score)",
}


@pytest.mark.parametrize("tables", OLD.values(), ids=OLD)
def test_an_old_database_is_upgraded_with_its_scores_and_a_copy_beside_it(
    tmp_path: Path, tables: str
) -> None:
    path = tmp_path / "grader.db"
    with contextlib.closing(sqlite3.connect(path)) as old, old:
        for table in tables.split("|"):
            name, columns = table.split(" ", 1)
            keys = {"outcomes": "key, call", "scores": "assignment, submission"}.get(name, "key")
            old.execute(f"CREATE TABLE {name} {columns[:-1]}, PRIMARY KEY ({keys}))")
        old.execute("INSERT INTO scores VALUES ('tiny', 'anna', ?)", [database.SCORE.dump_json(score())])
        old.execute("PRAGMA user_version = 2")
    content = path.read_bytes()
    (tmp_path / ".grader.db.before-0002.1.part").write_bytes(b"of an upgrade that was killed")
    with Store(path) as store:
        assert store.get_scores("tiny") == {"anna": score()}
        store.put_scores("tiny", [score("bert")], "digest", {"bert": "/x/bert.ipynb"})
        kept = {each.score.submission: (each.course, each.source) for each in store.kept_scores("tiny")}
        assert kept == {"anna": ("", ""), "bert": ("digest", "/x/bert.ipynb")}
    (copy,) = tmp_path.glob("*grader.db.before-*")
    assert not list(tmp_path.glob(".*"))
    assert copy.read_bytes()[100:] == content[100:]
    with Store(path) as store:
        assert len(store.get_scores("tiny")) == 2
    assert list(tmp_path.glob("grader.db.before-*")) == [copy], "an upgraded database is not copied again"


def test_an_upgrade_without_room_for_a_copy_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "grader.db"
    with contextlib.closing(sqlite3.connect(path)) as old, old:
        old.execute("CREATE TABLE runs (key, run, PRIMARY KEY (key))")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(migrate.Path, "replace", full)
        with pytest.raises(StoreError, match=r"no copy of it could be made.*make room"):
            Store(path)
    assert [each.name for each in tmp_path.iterdir() if "before" in each.name] == []
    with contextlib.closing(sqlite3.connect(path)) as old:
        assert old.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall() == [("runs",)]


def test_a_database_of_a_later_version_is_left_alone_and_told_as_that(tmp_path: Path) -> None:
    path = tmp_path / "grader.db"
    Store(path).close()
    with contextlib.closing(sqlite3.connect(path)) as newer, newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match=r"later version of grader \(9999\); update grader"):
        Store(path)
    assert list(tmp_path.glob("*before*")) == []


def test_the_steps_lead_to_the_tables_that_are_used() -> None:
    with Store() as store, store._database.engine.connect() as opened:
        assert compare_metadata(MigrationContext.configure(opened), METADATA) == []


def test_graders_that_start_on_one_new_database_at_the_same_time_all_work(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from grader.store import Store\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "with Store(Path(sys.argv[1])) as store: print(store.assignments())"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "grader.db")]
    pipe = subprocess.PIPE
    graders = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(3)]
    for each in graders:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in graders:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    assert [each.communicate(timeout=120)[0] for each in graders] == ["[]\n"] * 3
