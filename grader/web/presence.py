"""Which answer each person looks at, so that two people do not grade the same one: a hint, kept in memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

STAYS = 600.0  # seconds after which somebody who opened an answer is no longer taken to be there


class Presence:
    """The answer that each person opened last."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._opened: dict[str, tuple[str, str, float]] = {}
        self._lock = threading.Lock()

    def enter(self, person: str, question: str, submission: str) -> None:
        """Note that a person has opened an answer."""
        with self._lock:
            self._opened[person] = question, submission, self._clock()

    def others(self, person: str, question: str) -> dict[str, str]:
        """Return the submissions of a question that other people are on, and who."""
        with self._lock:
            now = self._clock()
            return {
                submission: other
                for other, (about, submission, since) in self._opened.items()
                if other != person and about == question and now - since < STAYS
            }
