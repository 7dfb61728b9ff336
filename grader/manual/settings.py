"""What people chose for an assignment, as names and texts; each change is kept as a new version."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError

from grader.errors import ConflictError
from grader.store import Store
from grader.store.people_tables import SETTINGS


class Settings:
    """The settings of one assignment."""

    def __init__(self, store: Store, assignment: str, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self.assignment = assignment
        self.clock = clock

    def beginning(self, prefix: str) -> dict[str, tuple[str, str]]:
        """Return the newest text and its person of each name that begins so, by the rest of the name."""
        columns = SETTINGS.c
        query = (
            select(columns.name, columns.value, columns.person)
            .where(columns.assignment == self.assignment, columns.name.startswith(prefix, autoescape=True))
            .order_by(columns.version)
        )
        rows = self.store.database.read(lambda connection: connection.execute(query).all())
        return {name.removeprefix(prefix): (value, person) for name, value, person in rows}

    def set(self, name: str, value: str, person: str, version: int | None = None) -> None:
        """Add a version, the next one if none is given; raise ConflictError if there is such a one."""

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
