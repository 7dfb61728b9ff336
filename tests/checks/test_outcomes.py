"""Outcomes: why a call gave no value, said to the student without showing a hidden input."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.checks.outcomes import SENTENCES, explain, where, why_not_called
from grader.checks.result import CaseResult
from grader.reading import FunctionFacts
from grader.records import Fault, Outcome, OutcomeKind

PLACE = Fault("ValueError", "k is too large", 7, 3, "    raise ValueError('k is too large')  ")


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        pytest.param(None, "it was not called", id="no outcome"),
        pytest.param(
            Outcome(OutcomeKind.RAISED, fault=PLACE),
            "it raised ValueError: k is too large (code cell 7, line 3: raise ValueError('k is too large'))",
            id="an exception with a place",
        ),
        pytest.param(
            Outcome(OutcomeKind.RAISED, fault=Fault("KeyError", "")), "it raised KeyError", id="no message"
        ),
        pytest.param(Outcome(OutcomeKind.RAISED), "raised", id="an exception without a fault"),
        pytest.param(
            Outcome(OutcomeKind.UNDECODABLE, fault=Fault("WireError", "it is a function")),
            "what it returned cannot be read as numbers or arrays: it is a function",
            id="undecodable",
        ),
        pytest.param(
            Outcome(OutcomeKind.UNDECODABLE),
            "what it returned cannot be read as numbers or arrays",
            id="undecodable without a reason",
        ),
        pytest.param(
            Outcome(OutcomeKind.KILLED_BY_SIGNAL, fault=Fault("SIGSEGV", "")),
            "it ended its own process (SIGSEGV)",
            id="a signal",
        ),
        pytest.param(
            Outcome(OutcomeKind.KILLED_BY_SIGNAL, fault=Fault("", "")),
            "it ended its own process",
            id="a signal without a name",
        ),
        pytest.param(
            Outcome(OutcomeKind.KILLED_BY_SIGNAL), "it ended its own process", id="a signal without a fault"
        ),
        pytest.param(
            Outcome(OutcomeKind.CPU_TIMEOUT, fault=Fault("", "", 2, 9, "while True:")),
            "it did not finish within its time limit (code cell 2, line 9: while True:)",
            id="a time limit with a place",
        ),
        pytest.param(
            Outcome(OutcomeKind.OUT_OF_MEMORY, fault=Fault("MemoryError", "")),
            "it needed more memory than it may use",
            id="memory without a place",
        ),
        pytest.param(
            Outcome(OutcomeKind.GRADER_FAULT),
            "it was not called, which is no fault of yours",
            id="our own fault",
        ),
    ],
)
def test_the_sentence_says_how_the_call_ended(outcome: Outcome | None, sentence: str) -> None:
    assert explain(outcome) == sentence


@pytest.mark.parametrize("kind", list(SENTENCES))
def test_a_limit_is_explained_in_words_and_not_by_its_code(kind: OutcomeKind) -> None:
    assert explain(Outcome(kind)) == SENTENCES[kind]
    assert "_" not in explain(Outcome(kind))


@pytest.mark.parametrize(
    "number",
    ["0.123456", "-3.5", "+2.5e-07", "1.5E+10", "12345", "987654321", "1e-05", "-3e+20", ".5", "[7. 7.]"],
)
def test_a_number_that_could_be_a_hidden_input_is_masked(number: str) -> None:
    message = explain(Outcome(OutcomeKind.RAISED, fault=Fault("ValueError", f"bad value {number} here")))
    assert number not in message
    assert message.startswith("it raised ValueError: bad value")
    assert message.endswith("here")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_float_that_a_message_shows_can_be_read_back(value: float) -> None:
    message = explain(Outcome(OutcomeKind.RAISED, fault=Fault("ValueError", f"{value!r} is bad")))
    assert repr(value) not in message


@pytest.mark.parametrize("number", ["3", "128", "(12, 4)", "2026"])
def test_a_shape_or_an_index_stays_readable(number: str) -> None:
    message = explain(Outcome(OutcomeKind.RAISED, fault=Fault("IndexError", f"index {number}")))
    assert number in message


def test_a_message_by_the_megabyte_is_cut() -> None:
    message = explain(Outcome(OutcomeKind.RAISED, fault=Fault("ValueError", "x" * 10**6)))
    assert 200 < len(message) < 300


def test_a_fault_without_a_cell_has_no_place() -> None:
    assert where(Fault("ValueError", "", None, 3, "x")) == ""


def test_a_function_left_blank_is_told_apart_from_one_that_is_missing() -> None:
    missing = FunctionFacts("f", "missing", remark="The notebook defines no function f.")
    assert why_not_called(missing) == "The notebook defines no function f."
    assert (
        why_not_called(FunctionFacts("f", "not_attempted")) == "The function was left as it was handed out."
    )


@pytest.mark.parametrize("kind", [kind for kind in OutcomeKind if kind is not OutcomeKind.RETURNED])
def test_a_call_without_a_value_earns_nothing_and_keeps_its_code(kind: OutcomeKind) -> None:
    result = CaseResult.died(Outcome(kind))
    assert (result.fraction, result.code) == (0.0, kind.value)
    assert result.message == explain(Outcome(kind))


def test_a_call_that_was_never_made_has_a_code_of_its_own() -> None:
    assert CaseResult.died(None).code == "not_called"
