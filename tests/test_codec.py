"""What a handler or a database holds comes back as it was, and what it says is safe to show."""

from __future__ import annotations

import json

import pytest
from support import run

from grader.codec import pack_outcome, pack_reading, pack_run, unpack_outcome, unpack_reading, unpack_run
from grader.reading import CodeCell, FactsStatus, FunctionCode, FunctionFacts, Place, Reading
from grader.records import Fault, Outcome, OutcomeKind

HOSTILE = "a\x1b[2J\x07\ud800\u202e"
SAFE = "a\ufffd[2J\ufffd\ufffd\ufffd"


def test_a_reading_comes_back() -> None:
    facts = FunctionFacts(
        "f", FactsStatus.FOUND, 2, "key", frozenset({"numpy.dot"}), ("X",), "Words.", (Place(1, 2, "a = 1"),)
    )
    code = FunctionCode("f", (CodeCell(1, "def f(): pass", (0,)),), ("numpy",), in_state=True)
    reading = Reading({"f": facts}, {"f": code}, ("def f(): pass",))
    assert unpack_reading(pack_reading(reading)) == reading


def test_a_run_comes_back() -> None:
    before = run("", Fault("E", "words", 2, 1, "x", "a.py"))
    assert unpack_run(pack_run(before)) == before


def test_words_of_a_reading_are_safe() -> None:
    facts = FunctionFacts("f", FactsStatus.FOUND, notebook_globals=("X\x1b[2J",), remark="a\x1b[2J\u202e")
    (found,) = unpack_reading(pack_reading(Reading({"f": facts}, {}))).facts.values()
    assert found.remark == "a\ufffd[2J\ufffd"
    assert found.notebook_globals == ("X\ufffd[2J",)


def test_words_of_a_run_are_safe() -> None:
    data = json.loads(pack_run(run("", Fault("E", "words", 2, 1))))
    data["cells"][1]["fault"] = {**data["cells"][1]["fault"], "type": HOSTILE, "message": HOSTILE}
    data["remark"], data["shown"] = HOSTILE, "<b>\ud800</b>"
    found = unpack_run(json.dumps(data).encode())
    assert found.cells[1].fault is not None
    assert (found.cells[1].fault.type, found.cells[1].fault.message, found.remark) == (SAFE, SAFE, SAFE)
    assert found.shown == "<b>\ufffd</b>"


def test_words_of_an_outcome_are_safe() -> None:
    fault = Fault("E", "a\x1b[2J", 1, 2, "code\x07")
    found = unpack_outcome(pack_outcome(Outcome(OutcomeKind.RAISED, fault=fault))).fault
    assert found is not None
    assert (found.message, found.code) == ("a\ufffd[2J", "code\ufffd")


@pytest.mark.parametrize("damage", [b"", b"[]", b"{}", b"null", b'{"facts": 1}', b'{"cells": [1]}', b"\xff"])
def test_what_is_damaged_is_refused(damage: bytes) -> None:
    for unpack in (unpack_reading, unpack_run):
        with pytest.raises((ValueError, KeyError, TypeError)):
            unpack(damage)
