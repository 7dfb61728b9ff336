"""Silences the warnings that a student's text causes, also when many notebooks are read at once.

Python's warning filters belong to the whole process, and `warnings.catch_warnings` saves and restores them:
two threads that do so at once can leave each other without the filter. Hence one at a time.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def quiet() -> Iterator[None]:
    """Ignore every warning inside, in one thread at a time."""
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
