"""Which people grade which question, and which questions are graded without names.

The submissions of a question that is shared out are spread over its people by a digest of their names: who
has which does not change when submissions are added.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Sequence

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError

from grader.errors import ConflictError
from grader.store import Store
from grader.store.people_tables import SETTINGS

ANONYMOUS, SHARED = "anonymous:", "shared:"


class Sharing:
    """What a course chose for its questions; each change is kept as a new version."""

    def __init__(self, store: Store, assignment: str, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self.assignment = assignment
        self.clock = clock

    def people(self) -> dict[str, list[str]]:
        """Return the people of each question that is shared out."""
        return {
            name.removeprefix(SHARED): json.loads(value)
            for name, value in self._settings().items()
            if name.startswith(SHARED) and json.loads(value)
        }

    def share(self, question: str, people: Sequence[str], person: str) -> None:
        """Share a question out among people; nobody: it is everybody's."""
        self._set(f"{SHARED}{question}", json.dumps(sorted(set(people))), person)

    def anonymous(self) -> set[str]:
        """Return the questions that are graded without names."""
        settings = self._settings()
        return {
            name.removeprefix(ANONYMOUS)
            for name, value in settings.items()
            if name.startswith(ANONYMOUS) and value == "yes"
        }

    def hide_names(self, question: str, person: str, *, hidden: bool) -> None:
        """Show a question with or without names."""
        self._set(f"{ANONYMOUS}{question}", "yes" if hidden else "no", person)

    def secret(self) -> str:
        """Return a text that nobody knows, from which the names of answers are made."""
        found = self._settings().get("secret")
        if found is None:
            made = secrets.token_hex(16)
            try:
                self._set("secret", made, "", version=1)
            except ConflictError:
                return self._settings()["secret"]
            return made
        return found

    def _settings(self) -> dict[str, str]:
        query = (
            select(SETTINGS.c.name, SETTINGS.c.value)
            .where(SETTINGS.c.assignment == self.assignment)
            .order_by(SETTINGS.c.version)
        )
        rows = self.store.database.read(lambda connection: connection.execute(query).all())
        return {name: value for name, value in rows}  # noqa: C416 -- of several versions the last one

    def _set(self, name: str, value: str, person: str, version: int | None = None) -> None:
        def work(connection: Connection) -> None:
            same = (SETTINGS.c.assignment == self.assignment) & (SETTINGS.c.name == name)
            last = connection.execute(select(func.max(SETTINGS.c.version)).where(same)).scalar() or 0
            row = {
                "assignment": self.assignment,
                "name": name,
                "version": version or last + 1,
                "value": value,
                "time": self.clock(),
                "person": person,
            }
            try:
                connection.execute(insert(SETTINGS), row)
            except IntegrityError as error:
                raise ConflictError("somebody else has changed this meanwhile") from error

        self.store.database.write(work)


def whose(submission: str, people: Sequence[str]) -> str:
    """Return which of the people of a question grades a submission; '' if it is everybody's."""
    if not people:
        return ""
    # The person with the highest digest: when one is added or leaves, only that one's submissions move.
    return max(people, key=lambda person: hashlib.sha256(f"{person}\0{submission}".encode()).digest())
