"""The store keeps what was observed, loses nothing to threads, and runs nothing that it reads."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import run, score

from grader.errors import DamagedError, StoreError
from grader.reading import CodeCell, FactsStatus, FunctionCode, FunctionFacts, Place, Reading
from grader.records import Evidence, Fault, Outcome, OutcomeKind, Plot
from grader.store import Store, database

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
    unpack = database.unpack_outcome
    monkeypatch.setattr(database, "unpack_outcome", lambda data: unpacked.append(data) or unpack(data))
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
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE outcomes SET outcome = ?", [damage])
        connection.execute("UPDATE runs SET run = ?", [damage])
        connection.execute("UPDATE readings SET reading = ?", [damage + b"["])
    connection.close()
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
    configure = database._configure

    def small(connection: Any, record: Any) -> None:
        configure(connection, record)
        connection.execute("PRAGMA max_page_count = 30")

    monkeypatch.setattr(database, "_configure", small)
    with Store(path) as store:
        store.put_outcomes("key", {"a": Outcome(OutcomeKind.RETURNED, 1.0)})
        with pytest.raises(StoreError, match=r"is full; make room, and give the same command again"):
            store.put_outcomes("key", {"b": Outcome(OutcomeKind.RETURNED, np.zeros(10**5))})
        assert list(store.get_outcomes("key", ["a", "b"])) == ["a"]


def test_a_database_of_another_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "grader.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="format 99"):
        Store(path)


def test_a_score_that_could_not_be_read_back_is_not_kept(store: Store) -> None:
    """JSON has no infinity: a page could show it, and the next run would end at it."""
    endless = Plot("line", "t", "x", "y", (("a", ((0.0, float("inf")),)),))
    checks = score().questions[0].checks
    verdict = replace(checks[0].verdict, evidence=Evidence((), endless))
    question = replace(score().questions[0], checks=(replace(checks[0], verdict=verdict), *checks[1:]))
    with pytest.raises(ValueError, match="validation error"):
        store.put_scores("tiny", [score("bert"), score("anna", questions=(question,))])
    assert store.get_scores("tiny") == {}
