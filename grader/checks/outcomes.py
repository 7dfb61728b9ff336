"""Explains, for the student, why a call gave no value. Hidden inputs never show through a message."""

from __future__ import annotations

import re

from grader.reading import FactsStatus, FunctionFacts
from grader.records import Fault, Outcome, OutcomeKind

NUMBERS = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?\d+[eE][-+]?\d+|\b\d{5,}\b")
SENTENCES = {
    OutcomeKind.CPU_TIMEOUT: "it did not finish within its time limit",
    OutcomeKind.WALL_TIMEOUT: "it did not finish within its time limit",
    OutcomeKind.OUT_OF_MEMORY: "it needed more memory than it may use",
    OutcomeKind.OUTPUT_TOO_LARGE: "what it returned is too large",
    OutcomeKind.GRADER_FAULT: "it was not called, which is no fault of yours",
    OutcomeKind.NOT_ATTEMPTED: "it was left as it was handed out",
    OutcomeKind.MISSING: "the function is not there when the code that it needs has run",
}


def explain(outcome: Outcome | None) -> str:
    """Return a sentence on how a call ended."""
    if outcome is None:
        return "it was not called"
    fault = outcome.fault
    if outcome.kind is OutcomeKind.RAISED and fault is not None:
        return f"it raised {fault.type}{_message(fault)}{where(fault)}"
    if outcome.kind is OutcomeKind.MISSING and fault is not None and not fault.type:
        return fault.message
    if outcome.kind is OutcomeKind.UNDECODABLE:
        reason = _message(fault) if fault else ""
        return f"what it returned cannot be read as numbers or arrays{reason}"
    if outcome.kind is OutcomeKind.KILLED_BY_SIGNAL:
        name = f" ({fault.type})" if fault and fault.type else ""
        return f"it ended its own process{name}"
    return SENTENCES.get(outcome.kind, outcome.kind.value) + (where(fault) if fault else "")


def why_not_called(facts: FunctionFacts) -> str:
    """Return a sentence on why a function could not be called at all."""
    if facts.status == FactsStatus.NOT_ATTEMPTED:
        return facts.remark or "The function was left as it was handed out."
    return facts.remark


def where(fault: Fault) -> str:
    """Return the place of a fault in the notebook."""
    if fault.cell is None:
        return ""
    place = fault.file or f"code cell {fault.cell}"
    return f" ({place}, line {fault.line}: {fault.code.strip()})"


def _message(fault: Fault) -> str:
    """Return an exception's message, long numbers masked: they could be those of a hidden input."""
    masked = NUMBERS.sub("…", fault.message)[:200]
    return f": {masked}" if masked else ""
