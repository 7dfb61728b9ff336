"""People: their roles and passwords, their sessions, and the log of what was done.

A password is kept as a hash of Argon2, a session under a digest of its token: who reads the database can log
in as nobody.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from grader.errors import MissingPackageError, UsageError
from grader.project import quoted
from grader.store import Store
from grader.store.people_tables import ACCOUNTS, AUDIT, SESSIONS

SESSION_SECONDS = 12 * 3600.0
LEAST_PASSWORD = 10
MAX_NAME, MAX_DETAIL = 60, 1000


class Role(StrEnum):
    """What a person may do: a closed set. A head may also share out, manage accounts and judge again all."""

    TA = "ta"
    HEAD = "head"


@dataclass(frozen=True)
class Session:
    """A person who is logged in."""

    person: str
    role: Role


@dataclass(frozen=True)
class Event:
    """A line of the audit log."""

    time: float
    person: str
    address: str
    event: str
    detail: str


class Accounts:
    """The people of a database."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self.clock = clock

    def add(self, person: str, role: Role, password: str) -> None:
        """Add a person, or give one a new role and password; raise UsageError.

        With the password '' a person cannot log in by one: for those whom a proxy names.
        """
        check_name(person)
        if password and len(password) < LEAST_PASSWORD:
            raise UsageError(f"a password has at least {LEAST_PASSWORD} characters")
        hashed = hasher().hash(password) if password else ""
        row = {"person": person, "role": role.value, "hash": hashed, "added": self.clock()}

        def work(connection: Connection) -> None:
            connection.execute(delete(SESSIONS).where(SESSIONS.c.person == person))
            connection.execute(delete(ACCOUNTS).where(ACCOUNTS.c.person == person))
            connection.execute(insert(ACCOUNTS), row)

        self.store.database.write(work)

    def remove(self, person: str) -> None:
        """Remove a person's account and sessions; what the person decided stays. Raises UsageError."""

        def work(connection: Connection) -> None:
            connection.execute(delete(SESSIONS).where(SESSIONS.c.person == person))
            if not connection.execute(delete(ACCOUNTS).where(ACCOUNTS.c.person == person)).rowcount:
                raise UsageError(f"there is no account {person!r}")

        self.store.database.write(work)

    def people(self) -> dict[str, Role]:
        """Return the people with their roles, sorted."""
        query = select(ACCOUNTS.c.person, ACCOUNTS.c.role).order_by(ACCOUNTS.c.person)
        rows = self.store.database.read(lambda connection: connection.execute(query).all())
        return {person: Role(role) for person, role in rows}

    def logged_in(self, person: str, password: str) -> Session | None:
        """Return a person whose password is right, else None, after the same work."""
        from argon2.exceptions import Argon2Error, InvalidHashError  # noqa: PLC0415 -- of an extra

        query = select(ACCOUNTS.c.role, ACCOUNTS.c.hash).where(ACCOUNTS.c.person == person)
        row = self.store.database.read(lambda connection: connection.execute(query).first())
        kept = row.hash if row is not None and row.hash else _nobodys()
        try:
            hasher().verify(kept, password)
        except (Argon2Error, InvalidHashError):
            return None
        if row is None or not row.hash:
            return None
        if hasher().check_needs_rehash(kept):
            new = hasher().hash(password)
            renewed = update(ACCOUNTS).where(ACCOUNTS.c.person == person).values(hash=new)
            self.store.database.write(lambda connection: connection.execute(renewed) and None)
        return Session(person, Role(row.role))

    def open_session(self, session: Session) -> str:
        """Return the token of a new session."""
        token = secrets.token_urlsafe(32)
        now = self.clock()
        row = {
            "token": _digest(token),
            "person": session.person,
            "role": session.role.value,
            "ends": now + SESSION_SECONDS,
        }

        def work(connection: Connection) -> None:
            connection.execute(delete(SESSIONS).where(SESSIONS.c.ends < now))
            connection.execute(insert(SESSIONS), row)

        self.store.database.write(work)
        return token

    def session(self, token: str) -> Session | None:
        """Return the session of a token, None if there is none or it has ended."""
        same = (SESSIONS.c.token == _digest(token)) & (SESSIONS.c.ends > self.clock())
        query = select(SESSIONS.c.person, SESSIONS.c.role).where(same)
        row = self.store.database.read(lambda connection: connection.execute(query).first())
        return None if row is None else Session(row.person, Role(row.role))

    def close_session(self, token: str) -> None:
        """End a session."""
        ended = delete(SESSIONS).where(SESSIONS.c.token == _digest(token))
        self.store.database.write(lambda connection: connection.execute(ended) and None)

    def log(self, person: str, address: str, event: str, detail: str = "") -> None:
        """Add a line to the audit log."""
        row = {
            "time": self.clock(),
            "person": person[:MAX_NAME],
            "address": address[:100],
            "event": event,
            "detail": detail[:MAX_DETAIL],
        }
        self.store.database.write(lambda connection: connection.execute(insert(AUDIT), row) and None)

    def events(self, limit: int = 200) -> list[Event]:
        """Return the last lines of the audit log, the newest first."""
        query = select(AUDIT).order_by(AUDIT.c.number.desc()).limit(limit)
        rows = self.store.database.read(lambda connection: connection.execute(query).all())
        return [Event(r.time, r.person, r.address, r.event, r.detail) for r in rows]


def check_name(person: str) -> None:
    """Raise UsageError for what is no name of a person."""
    if not person.strip() or person != person.strip() or not person.isprintable() or len(person) > MAX_NAME:
        raise UsageError(f"{person!r} is no name of a person: give up to {MAX_NAME} characters on one line")


def hasher() -> Any:
    """Return what hashes passwords; raise MissingPackageError."""
    try:
        from argon2 import PasswordHasher  # noqa: PLC0415 -- of an extra
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"the package argon2-cffi is missing; run: pip install {quoted('serve')}"
        ) from error
    return PasswordHasher()


@cache
def _nobodys() -> str:
    """Return a hash that no password has: a name that is not there takes as long as one that is."""
    return str(hasher().hash(secrets.token_urlsafe(32)))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
