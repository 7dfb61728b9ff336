"""Which people grade which question, and which questions are graded without names.

The submissions of a question that is shared out are spread over its people by a digest of their names: who
has which does not change when submissions are added.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Sequence

from grader.errors import ConflictError
from grader.manual.settings import Settings
from grader.store import Store

ANONYMOUS, SHARED, SECRET = "anonymous:", "shared:", "secret"


class Sharing:
    """What a course chose for its questions; each change is kept as a new version."""

    def __init__(self, store: Store, assignment: str, clock: Callable[[], float] = time.time) -> None:
        self.settings = Settings(store, assignment, clock)

    def people(self) -> dict[str, list[str]]:
        """Return the people of each question that is shared out."""
        shared = {name: json.loads(value) for name, (value, _) in self.settings.beginning(SHARED).items()}
        return {name: people for name, people in shared.items() if people}

    def share(self, question: str, people: Sequence[str], person: str) -> None:
        """Share a question out among people; nobody: it is everybody's."""
        self.settings.set(f"{SHARED}{question}", json.dumps(sorted(set(people))), person)

    def anonymous(self) -> set[str]:
        """Return the questions that are graded without names."""
        found = self.settings.beginning(ANONYMOUS)
        return {name for name, (value, _) in found.items() if value == "yes"}

    def hide_names(self, question: str, person: str, *, hidden: bool) -> None:
        """Show a question with or without names."""
        self.settings.set(f"{ANONYMOUS}{question}", "yes" if hidden else "no", person)

    def secret(self) -> str:
        """Return a text that nobody knows, from which the names of answers are made."""
        kept = self.settings.beginning(SECRET)
        if not kept:
            with contextlib.suppress(ConflictError):  # another process was first
                self.settings.set(SECRET, secrets.token_hex(16), "", version=1)
            kept = self.settings.beginning(SECRET)
        return kept[""][0]


def whose(submission: str, people: Sequence[str]) -> str:
    """Return which of the people of a question grades a submission; '' if it is everybody's."""
    if not people:
        return ""
    # The person with the highest digest: when one is added or leaves, only that one's submissions move.
    return max(people, key=lambda person: hashlib.sha256(f"{person}\0{submission}".encode()).digest())
