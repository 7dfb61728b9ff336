"""Turns observations into bytes and back, without pickle: bytes that are forged can run no code."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from pydantic import TypeAdapter

from grader.decode import decode
from grader.inside import wire
from grader.inside.safe_text import message_text, valid_text
from grader.reading import Reading, Shown
from grader.records import Fault, NotebookRun, Outcome, OutcomeKind
from grader.written import WrittenReport

MAX_REMARK, MAX_NAMES, MAX_NAME = 1000, 20, 100  # of what is told of a function
MAX_SHOWN, MAX_SHOWN_STEPS = 30_000, 400  # characters of MathML of a step; steps
READING = TypeAdapter(Reading)
RUN = TypeAdapter(NotebookRun)


def pack_outcome(outcome: Outcome) -> bytes:
    """Return an outcome as bytes; one that a box can send, but that is too large to keep, is undecodable."""
    try:
        return _packed(outcome)
    except wire.WireError as error:
        return _packed(Outcome(OutcomeKind.UNDECODABLE, fault=Fault("", str(error))))


def _packed(outcome: Outcome) -> bytes:
    fault = asdict(outcome.fault) if outcome.fault else None
    return wire.encode(
        {
            "kind": outcome.kind.value,
            "value": outcome.value,
            "fault": fault,
            "args_after": outcome.args_after,
            "ignored": outcome.ignored,
            "seconds": outcome.seconds,
            "imported": outcome.imported,
        }
    )


def unpack_outcome(data: bytes) -> Outcome:
    """Return the outcome that `pack_outcome` wrote; raise ValueError if it did not."""
    message: dict[str, Any] = decode(data)
    fault = _safe(Fault(**message["fault"])) if message["fault"] else None
    return Outcome(**{**message, "kind": OutcomeKind(message["kind"]), "fault": fault})


def pack_reading(reading: Reading) -> bytes:
    """Return what was read of a notebook as bytes."""
    return READING.dump_json(reading)


def unpack_reading(data: bytes) -> Reading:
    """Return the reading that `pack_reading` wrote, its words safe to show; raises ValueError."""
    reading = READING.validate_json(data)
    facts = {
        name: replace(
            each,
            remark=message_text(each.remark[:MAX_REMARK]),
            stand_ins=tuple((message_text(n[:MAX_NAME]), p) for n, p in each.stand_ins[:MAX_NAMES]),
            notebook_globals=tuple(message_text(n[:MAX_NAME]) for n in each.notebook_globals[:MAX_NAMES]),
            places=tuple(replace(place, text=message_text(place.text)) for place in each.places),
        )
        for name, each in reading.facts.items()
    }
    return replace(
        reading, facts=facts, written=_safe_shown(reading.written), listed=_safe_shown(reading.listed)
    )


def _safe_shown(shown: Mapping[str, Shown]) -> dict[str, Shown]:
    return {name: Shown(message_text(each.text), message_text(each.html)) for name, each in shown.items()}


def pack_run(run: NotebookRun) -> bytes:
    """Return a notebook's run as bytes."""
    values = {name: base64.b64encode(pack_outcome(each)).decode() for name, each in run.values.items()}
    return json.dumps({**asdict(replace(run, values={})), "values": values}).encode()


def unpack_run(data: bytes) -> NotebookRun:
    """Return the run that `pack_run` wrote, its words safe to show.

    Raises ValueError, KeyError or TypeError if it did not write it.
    """
    message = json.loads(data)
    if not isinstance(message, dict):
        raise ValueError("a run is an object")
    packed = message.pop("values", {})
    values = {str(name): unpack_outcome(base64.b64decode(each)) for name, each in packed.items()}
    run = RUN.validate_python(message)
    cells = tuple(replace(cell, fault=_safe(cell.fault)) for cell in run.cells)
    executed, shown = valid_text(run.executed), message_text(run.shown)
    remark = message_text(run.remark)
    return replace(run, cells=cells, remark=remark, values=values, executed=executed, shown=shown)


def pack_written(task: str, outcome: Outcome) -> bytes:
    """Return what was found in a written answer as bytes."""
    return wire.encode((task, pack_outcome(outcome)))


def unpack_written(data: bytes) -> tuple[str, Outcome]:
    """Return what `pack_written` packed, its words safe to show; raises ValueError, KeyError or TypeError."""
    task, packed = decode(data)
    outcome = unpack_outcome(packed)
    if outcome.kind is not OutcomeKind.RETURNED:
        return str(task), outcome
    report = WrittenReport.of(outcome.value)
    steps = tuple(
        replace(
            step,
            left=message_text(step.left[:MAX_REMARK]),
            right=message_text(step.right[:MAX_REMARK]),
            reason=message_text(step.reason[:MAX_REMARK]),
            rule=message_text(step.rule[:MAX_NAME]),
            shown=message_text(step.shown) if len(step.shown) <= MAX_SHOWN else "",
        )
        for step in report.steps[:MAX_SHOWN_STEPS]
    )
    remarks = tuple(message_text(remark[:MAX_REMARK]) for remark in report.remarks[:MAX_NAMES])
    return str(task), replace(outcome, value=replace(report, steps=steps, remarks=remarks).plain())


def _safe(fault: Fault | None) -> Fault | None:
    """Return a fault whose words are safe to show."""
    if fault is None:
        return None
    kind, message = message_text(fault.type), message_text(fault.message)
    return replace(
        fault, type=kind, message=message, code=message_text(fault.code), file=message_text(fault.file)
    )
