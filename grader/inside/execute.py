"""Calling a student's function: which arguments it takes, and the record of how it failed."""

from __future__ import annotations

import inspect
import re
import traceback
from typing import Any

from .safe_text import message_text

MESSAGE_LENGTH = 400
CELL = re.compile(
    r"<cell (\d{1,6})>"
)  # the file name that a cell is compiled with; code may choose any, so: limited


def accepted(target: Any, keywords: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Split keyword arguments into those that the function takes and the names of the others."""
    try:
        parameters = inspect.signature(target).parameters
    except (TypeError, ValueError):
        return keywords, []
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return keywords, []
    taken = {name: value for name, value in keywords.items() if name in parameters}
    return taken, [name for name in keywords if name not in parameters]


def plain_fault(kind: str, message: str) -> dict[str, Any]:
    """Return the record of a failure that has no exception of its own."""
    return {"type": kind, "message": message, "cell": None, "line": None, "code": ""}


def bases_of(kind: type[BaseException]) -> tuple[str, ...]:
    """Return the exceptions of Python that another exception is one of, the nearest first; () for its own."""
    if kind.__module__ == "builtins":
        return ()
    known = (base for base in type.mro(kind) if base.__module__ == "builtins")
    return tuple(base.__name__ for base in known if issubclass(base, BaseException))


def fault(error: BaseException) -> dict[str, Any]:
    """Describe an exception: type, message, and the innermost line of a notebook cell in its traceback."""
    try:
        message = message_text(str(error)[:MESSAGE_LENGTH])
    except BaseException:
        message = ""
    record = plain_fault(message_text(type(error).__name__), message)
    record["bases"] = bases_of(type(error))
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        cell = CELL.fullmatch(frame.filename)
        if cell:
            record.update(cell=int(cell[1]), line=frame.lineno, code=(frame.line or "")[:200])
            break
    return record
