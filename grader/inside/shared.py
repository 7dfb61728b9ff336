"""The arrays of a call in a file that two processes map: so one of them sees what the other changed."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from typing import Any

import numpy as np

ALIGN = 64
Array = np.ndarray[Any, Any]


def laid_out(args: Any) -> bytes:
    """Return the arrays among some arguments, dense or sparse, as the bytes of one file."""
    parts = bytearray()

    def lay(array: Array) -> Array:
        parts.extend(bytes(-len(parts) % ALIGN))
        parts.extend(array.tobytes())
        return array

    _replaced(args, lay)
    return bytes(parts)


def taken_from(args: Any, content: bytes | mmap.mmap) -> tuple[Any, ...]:
    """Return the arguments with their arrays as they are in the bytes of `laid_out`."""
    place = 0

    def take(array: Array) -> Array:
        nonlocal place
        place += -place % ALIGN
        found = np.frombuffer(content, dtype=array.dtype, count=array.size, offset=place)
        place += array.nbytes
        return found.reshape(array.shape)

    return _replaced(args, take)


def in_shared_memory(args: Any, fd: int) -> tuple[Any, ...]:
    """Return the arguments with their arrays in the file: what is written to them is written there."""
    size = len(laid_out(args))
    return taken_from(args, mmap.mmap(fd, size)) if size else tuple(args)


def _replaced(args: Any, replace: Callable[[Array], Array]) -> tuple[Any, ...]:
    """Return the arguments with every array that has entries replaced."""

    def one(value: Any) -> Any:
        if isinstance(value, np.ma.MaskedArray):
            return np.ma.MaskedArray(one(np.ma.getdata(value)), mask=one(np.ma.getmaskarray(value)))
        if isinstance(value, np.ndarray):
            return replace(value) if value.nbytes and value.dtype.kind != "O" else value
        if hasattr(value, "indptr"):
            parts = tuple(one(part) for part in (value.data, value.indices, value.indptr))
            return type(value)(parts, shape=value.shape)
        return value

    return tuple(one(value) for value in args)
