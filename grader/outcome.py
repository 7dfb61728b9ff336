"""What a call came to, from the payload that a box sent: everything in it is checked."""

from __future__ import annotations

import builtins
from typing import Any

from grader.decode import decode
from grader.inside import wire
from grader.inside.safe_text import message_text
from grader.records import Fault, Outcome, OutcomeKind

EXCEPTIONS = frozenset(name for name in dir(builtins) if name.endswith(("Error", "Exception", "Exit")))
# limits of what a box may claim
MAX_NAMES, MAX_MODULES, MAX_NAME, MAX_SECONDS, MAX_NUMBER = 20, 500, 100, 1e6, 10**6


def decoded(payload: bytes) -> dict[str, Any]:
    """Return the message in a payload; what is none is undecodable."""
    try:
        message = decode(payload)
    except wire.WireError as error:
        return {"kind": "undecodable", "fault": {"type": "", "message": str(error)}}
    return message if isinstance(message, dict) else {"kind": "undecodable"}


def outcome_of(payload: bytes) -> Outcome:
    """Return the outcome in the payload of a call; the box cannot claim a fault of ours."""
    message = decoded(payload)
    try:
        kind = OutcomeKind(message.get("kind", "undecodable"))
        if kind is OutcomeKind.GRADER_FAULT:
            kind = OutcomeKind.UNDECODABLE
        after, ignored, seconds = message.get("after"), message.get("ignored"), message.get("seconds")
        return Outcome(
            kind,
            message.get("value"),
            fault_of(message.get("fault")),
            after if isinstance(after, tuple) else None,
            _names(ignored, MAX_NAMES),
            min(max(float(seconds or 0.0), 0.0), MAX_SECONDS),
            _names(message.get("imported"), MAX_MODULES),
        )
    except (TypeError, ValueError, OverflowError):
        return Outcome(OutcomeKind.UNDECODABLE)


def _names(claimed: Any, most: int) -> tuple[str, ...]:
    """Return the names in a list that a box sent, as many as there may be."""
    if not isinstance(claimed, list | tuple):
        return ()
    return tuple(message_text(name[:MAX_NAME]) for name in claimed[:most] if isinstance(name, str))


def fault_of(message: Any) -> Fault | None:
    """Return a fault as a box reported it, its texts cut and made safe."""
    if not isinstance(message, dict):
        return None
    cell, line, bases = message.get("cell"), message.get("line"), message.get("bases")
    names = [base for base in bases if isinstance(base, str)] if isinstance(bases, tuple | list) else []
    return Fault(
        message_text(str(message.get("type", ""))[:100]),
        message_text(str(message.get("message", ""))[:400]),
        cell if type(cell) is int and 0 <= cell < MAX_NUMBER else None,
        line if type(line) is int and 0 <= line < MAX_NUMBER else None,
        message_text(str(message.get("code", ""))[:200]),
        bases=tuple(base for base in names[:MAX_NAMES] if base in EXCEPTIONS),
    )
