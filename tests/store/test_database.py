"""The store keeps what was observed, loses nothing to threads, and runs nothing that it reads."""

from __future__ import annotations

import contextlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text
from support import not_graded, run, score

from grader.attempt import Attempt, Student
from grader.errors import DamagedError, StoreError
from grader.manual.decisions import Decisions, Wish
from grader.manual.worklist import Worklist
from grader.reading import CodeCell, FactsStatus, FunctionCode, FunctionFacts, Place, Reading
from grader.records import Evidence, Fault, Outcome, OutcomeKind, Plot, Status
from grader.store import Store, connection, database, observations

FULL = Outcome(
    OutcomeKind.RETURNED,
    (np.arange(6.0).reshape(2, 3), {"a": 1}),
    None,
    (np.ones(2, np.int8),),
    ("lr",),
    0.25,
)
RAISED = Outcome(OutcomeKind.RAISED, fault=Fault("ValueError", "no", 3, 4, "f(x)"))


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path):
    with Store(tmp_path / "grader.db" if request.param == "file" else None) as opened:
        yield opened


def test_an_outcome_comes_back_as_it_was(store: Store) -> None:
    store.put_outcomes("key", {"a": FULL, "b": RAISED})
    found = store.get_outcomes("key", ["a", "b", "c"])
    assert set(found) == {"a", "b"}
    assert found["b"] == RAISED
    np.testing.assert_array_equal(found["a"].value[0], FULL.value[0], strict=True)
    assert found["a"].args_after is not None
    assert found["a"].args_after[0].dtype == np.int8
    assert (found["a"].value[1], found["a"].ignored, found["a"].seconds) == ({"a": 1}, ("lr",), 0.25)


def test_outcomes_of_other_code_are_not_returned(store: Store) -> None:
    store.put_outcomes("key", {"a": FULL})
    assert store.get_outcomes("other", ["a"]) == {}


def test_an_outcome_is_unpacked_when_it_is_looked_at(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put_outcomes("key", {"a": FULL, "b": RAISED})
    unpacked: list[bytes] = []
    unpack = observations.unpack_outcome
    monkeypatch.setattr(observations, "unpack_outcome", lambda data: unpacked.append(data) or unpack(data))
    found = store.get_outcomes("key", ["a", "b", "c"])
    assert (sorted(found), "b" in found, "c" in found, found.get("c")) == (["a", "b"], True, False, None)
    assert not unpacked
    assert found["b"] == RAISED
    assert len(unpacked) == 1


def test_a_fault_of_ours_is_never_kept(store: Store) -> None:
    store.put_outcomes("key", {"a": Outcome(OutcomeKind.GRADER_FAULT), "b": RAISED})
    assert set(store.get_outcomes("key", ["a", "b"])) == {"b"}


def test_a_run_comes_back_as_it_was(store: Store) -> None:
    kept = run("{}", Fault("E", "m", 2, 1))
    store.put_run("key", kept)
    assert store.get_run("key") == kept
    assert store.get_run("other") is None


def test_a_score_comes_back_as_it_was_and_replaces_an_earlier_one(store: Store) -> None:
    store.put_scores("tiny", [score("=1+1", 2.0)])
    store.put_scores("tiny", [score("=1+1", 0.0)])
    store.put_scores("other", [score("bert")])
    assert store.get_scores("tiny") == {"=1+1": score("=1+1", 0.0)}
    assert sorted(store.assignments()) == ["other", "tiny"]


def test_what_was_read_comes_back_as_it_was(store: Store) -> None:
    facts = FunctionFacts(
        "f", FactsStatus.FOUND, 2, "key", frozenset({"numpy.dot", "a"}), ("X",), "Words.", (Place(1, 2, "x"),)
    )
    code = {"f": FunctionCode("f", (CodeCell(1, "def f(): pass", (0,)),), ("numpy",))}
    reading = Reading({"f": facts, "g": FunctionFacts("g", FactsStatus.MISSING)}, code)
    store.put_reading("key", reading)
    assert store.get_reading("key") == reading
    assert store.get_reading("other") is None
    store.forget()
    assert store.get_reading("key") is None


def test_fifty_threads_lose_nothing(store: Store) -> None:
    def work(number: int) -> bool:
        store.put_outcomes(f"key {number}", {"a": RAISED})
        return store.get_outcomes(f"key {number}", ["a"]) == {"a": RAISED}

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(work, range(50)))
    assert all(store.get_outcomes(f"key {number}", ["a"]) for number in range(50))


def test_a_frozen_store_keeps_what_it_has_and_nothing_more(store: Store) -> None:
    store.put_outcomes("key", {"a": RAISED})
    store.freeze()
    store.put_outcomes("key", {"b": RAISED})
    assert set(store.get_outcomes("key", ["a", "b"])) == {"a"}


def test_forgetting_drops_observations_and_keeps_scores(store: Store) -> None:
    store.put_outcomes("key", {"a": RAISED})
    store.put_run("key", run())
    store.put_scores("tiny", [score()])
    store.forget()
    assert store.get_outcomes("key", ["a"]) == {}
    assert store.get_run("key") is None
    assert store.get_scores("tiny") == {"anna": score()}


def test_what_was_kept_is_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    with Store(tmp_path / "grader.db") as store:
        store.put_outcomes("key", {"a": RAISED})
    with Store(tmp_path / "grader.db") as store:
        assert store.get_outcomes("key", ["a"]) == {"a": RAISED}


@pytest.mark.parametrize("damage", [b"", b"\x80\x04K\x01.", b"GRW1\x00\x00\x00\x00", b"{}"])
def test_a_damaged_entry_is_observed_again(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "grader.db"
    with Store(path) as store:
        store.put_outcomes("key", {"a": RAISED})
        store.put_run("key", run())
        store.put_reading("key", Reading({"f": FunctionFacts("f", FactsStatus.MISSING)}, {}))
    with contextlib.closing(sqlite3.connect(path)) as damaged, damaged:
        damaged.execute("UPDATE outcomes SET outcome = ?", [damage])
        damaged.execute("UPDATE runs SET run = ?", [damage])
        damaged.execute("UPDATE readings SET reading = ?", [damage + b"["])
    with Store(path) as store:
        store.put_outcomes("key", {"b": RAISED})
        with pytest.raises(DamagedError, match="the call a is damaged"):
            store.get_outcomes("key", ["a"])["a"]
        store.drop_damaged()
        assert store.get_outcomes("key", ["a", "b"]) == {"b": RAISED}
        assert store.get_run("key") is None
        assert store.get_reading("key") is None


def test_a_file_that_is_no_database_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "grader.db"
    path.write_text("no database" * 100)
    with pytest.raises(StoreError, match=r"grader\.db cannot be used.*move it away"):
        Store(path)
    assert path.read_text().startswith("no database")


def test_a_full_disk_is_no_damage_and_what_was_kept_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "grader.db"
    configure = connection.configure

    def small(opened: Any, record: Any) -> None:
        configure(opened, record)
        opened.execute("PRAGMA max_page_count = 40")

    monkeypatch.setattr(connection, "configure", small)
    with Store(path) as store:
        store.put_outcomes("key", {"a": Outcome(OutcomeKind.RETURNED, 1.0)})
        with pytest.raises(StoreError, match=r"is full; make room, and give the same command again"):
            store.put_outcomes("key", {"b": Outcome(OutcomeKind.RETURNED, np.zeros(10**5))})
        assert list(store.get_outcomes("key", ["a", "b"])) == ["a"]


def test_a_kept_score_that_cannot_be_read_is_one_to_grade_again(store: Store) -> None:
    store.put_scores("tiny", [score("anna"), score("bert")])
    with store._database.engine.begin() as opened:
        opened.execute(
            text("UPDATE scores SET score = :data WHERE submission = 'anna'"), {"data": b'{"a": 1}'}
        )
    found = store.get_scores("tiny")
    assert found["bert"] == score("bert")
    assert (found["anna"].status, found["anna"].questions) == (Status.NOT_GRADED, ())
    assert "grade it again" in found["anna"].message


def test_a_score_that_another_grader_has_just_put_stays_where_only_new_ones_are_kept(store: Store) -> None:
    store.put_scores("tiny", [score("anna")])
    store.put_scores("tiny", [not_graded("anna"), not_graded("bert")], only_new=True)
    assert [each.status for each in store.get_scores("tiny").values()] == [Status.GRADED, Status.NOT_GRADED]
    with store._database.engine.begin() as opened:
        waits = opened.execute(text("SELECT DISTINCT submission, status FROM questions ORDER BY 1")).all()
    assert [tuple(row) for row in waits] == [("anna", "graded"), ("bert", "not_graded")]


def test_many_scores_are_read_in_order_and_dropped_by_name(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "MANY", 2)
    store.put_scores("tiny", [score(name) for name in "ebadc"], "digest", {"a": "/x/a.ipynb"})
    kept = list(store.kept_scores("tiny"))
    assert [each.score.submission for each in kept] == list("abcde")
    assert (kept[0].course, kept[0].source, kept[1].source) == ("digest", "/x/a.ipynb", "")
    store.drop_scores("tiny", ["b", "nobody"])
    assert list(store.get_scores("tiny")) == list("acde")


def test_a_score_that_could_not_be_read_back_is_not_kept(store: Store) -> None:
    """JSON has no infinity: a page could show it, and the next run would end at it."""
    endless = Plot("line", "t", "x", "y", (("a", ((0.0, float("inf")),)),))
    checks = score().questions[0].checks
    verdict = replace(checks[0].verdict, evidence=Evidence((), endless))
    question = replace(score().questions[0], checks=(replace(checks[0], verdict=verdict), *checks[1:]))
    with pytest.raises(ValueError, match="validation error"):
        store.put_scores("tiny", [score("bert"), score("anna", questions=(question,))])
    assert store.get_scores("tiny") == {}


def test_a_database_of_the_third_step_gets_its_questions_from_its_scores(tmp_path: Path) -> None:
    path = tmp_path / "grader.db"
    with Store(path) as store:
        late = Attempt((Student("Anna"),), late_seconds=90.0, counts=False)
        store.put_scores("tiny", [score("anna", attempt=late), score("bert")], "course")
    with contextlib.closing(sqlite3.connect(path)) as opened:
        ours = "questions answers hand_ins decisions palette settings pairs accounts sessions audit".split()
        for table in ours:
            opened.execute(f"DROP TABLE {table}")
        opened.execute("INSERT INTO scores VALUES ('tiny', 'bad', x'00', '', '', '')")
        opened.execute("UPDATE alembic_version SET version_num = '0003'")
        opened.commit()
    with Store(path) as store:
        items = Worklist(store, "tiny").items(submission="anna")
        totals = Worklist(store, "tiny").totals()
        assert [(each.submission, each.counts, each.late) for each in totals] == [
            ("anna", False, 90.0),
            ("bert", True, 0.0),
        ]
        assert [(item.question, item.judged, item.max_points, item.waits.value) for item in items] == [
            ("double", 2.0, 3.0, ""),
            ("essay", None, 2.0, "written"),
        ]
        Decisions(store, "tiny").decide([Wish("anna", "essay", 1.0)], "ada")
        assert store.get_scores("tiny")["anna"].points == 3.0
    assert (tmp_path / "grader.db.before-0005").is_file()
