"""Decodes what comes out of a box, and what was kept of it: on the trusted side tables are plain data."""

from __future__ import annotations

from typing import Any

import numpy as np

from grader.inside import wire
from grader.records import Table


def decode(message: bytes) -> Any:
    """Return the value of a message; raise WireError if it is none, or holds a function."""
    return wire.decode(message, _table)


def travelled(value: Any) -> Any:
    """Return a value as it would arrive from a box; raise WireError for one that cannot travel."""
    return decode(wire.encode(value))


def _table(columns: list[Any] | None, index: Any, data: list[Any]) -> Table:
    """Return a table; raise WireError if its parts are not columns, or their names cannot be looked up."""
    for column in (index, *data):
        if not isinstance(column, list) and not (isinstance(column, np.ndarray) and column.ndim == 1):
            raise wire.WireError("a table with a column that is none")
    try:
        hash(tuple(columns or ()))
    except TypeError:
        raise wire.WireError("a table with a column whose name is none") from None
    return Table(None if columns is None else tuple(columns), index, tuple(data))
