"""Ignores the warnings that parsing a student's code causes, also when several threads parse.

Python's warning filters belong to the whole process, and `warnings.catch_warnings` saves and restores them.
Two threads that do so at once can restore the wrong filters, so a lock lets in one thread at a time.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_LOCK = threading.RLock()


@contextmanager
def quiet() -> Iterator[None]:
    """Ignore every warning in the block; only one thread at a time can be in it."""
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
