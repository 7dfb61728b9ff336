"""Turns of all processes of one user on one machine that grade for a cluster: locks on two files.

    together:  lock "gate", lock "turn" shared, free "gate"
    alone:     free "turn", lock "gate", lock "turn" for oneself, ..., free both

Who waits to be alone holds the gate, so that nobody new comes in. A process that holds its turn for longer
than PATIENCE has been stopped, and uses no processor: it is waited for no longer.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator

from grader.cache import cache_folder
from grader.errors import GraderFault

if sys.platform != "win32":
    import fcntl

PATIENCE = 600.0
LOOK = 0.05


class MachineTurns:
    """A lock that many workers share (`together`) and that one of them can hold alone (`alone`)."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._own = threading.local()

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Hold the lock together with others; wait while a worker holds it alone or asks to."""
        with _opened("gate") as gate, _opened("turn") as turn:
            self._lock(gate, alone=True)
            self._lock(turn, alone=False)
            _unlock(gate)
            self._own.turn = turn
            yield

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Inside `together`, hold the lock alone: wait until no other worker holds it."""
        turn = self._own.turn
        _unlock(turn)
        with _opened("gate") as gate:
            self._lock(gate, alone=True)
            self._lock(turn, alone=True)
            try:
                yield
            finally:
                _unlock(turn)
                self._lock(turn, alone=False)

    def _lock(self, descriptor: int, *, alone: bool) -> None:
        """Take a lock, or go on without it after PATIENCE."""
        end = time.monotonic() + self._patience
        while time.monotonic() < end:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
                return
            time.sleep(LOOK)


@contextlib.contextmanager
def _opened(name: str) -> Iterator[int]:
    """Open one of the two files; to close it frees its lock."""
    folder = cache_folder("turns")
    if folder is None:
        raise GraderFault("no folder for the locks of this machine can be made: see GRADER_CACHE")
    descriptor = os.open(folder / name, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _unlock(descriptor: int) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_UN)
