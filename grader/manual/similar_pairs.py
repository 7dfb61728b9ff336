"""Pairs of functions and answers that are alike, as `grader similar` found them last.

A pair is a question to a person, who says whether there is something to ask. Nothing of it changes points.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import TypeAdapter
from sqlalchemy import Connection, delete, insert, select

from grader.errors import UsageError
from grader.manual.settings import Settings
from grader.similar.pairs import Pair
from grader.store import Store
from grader.store.people_tables import PAIRS

PAIR = TypeAdapter(Pair)
LOOKED, EARLIER = "pair:", "compared with"


class Looked(StrEnum):
    """What a person says of a pair."""

    NOT_YET = ""
    NOTHING = "nothing"
    ASK = "ask"


@dataclass(frozen=True)
class ListedPair:
    """A pair in the list of all; `looked` is what `person` said of it."""

    key: str
    question: str
    title: str
    kind: str
    first: str
    second: str
    origin: str
    share: float
    lines: int
    left: int
    looked: Looked
    person: str


class SimilarPairs:
    """The pairs of one assignment."""

    def __init__(self, store: Store, assignment: str) -> None:
        self.store = store
        self.assignment = assignment
        self.settings = Settings(store, assignment)

    def replace(self, pairs: Sequence[Pair], earlier: Sequence[str], person: str) -> None:
        """Keep these pairs in place of earlier ones; `earlier` are the other years that were compared."""
        if list(earlier) != self.earlier():
            self.settings.set(EARLIER, json.dumps(list(earlier)), person)
        rows = [
            {
                "assignment": self.assignment,
                "pair": key_of(pair),
                "question": pair.question,
                "title": pair.title,
                "kind": pair.kind,
                "first": pair.first.title,
                "second": pair.second.title,
                "origin": pair.second.origin,
                "share": pair.share,
                "lines": pair.lines,
                "left": pair.left,
                "content": PAIR.dump_json(pair),
            }
            for pair in {key_of(pair): pair for pair in pairs}.values()
        ]

        def work(connection: Connection) -> None:
            connection.execute(delete(PAIRS).where(PAIRS.c.assignment == self.assignment))
            if rows:
                connection.execute(insert(PAIRS), rows)

        self.store.database.write(work)

    def earlier(self) -> list[str]:
        """Return the folders and archives of other years with which the course was compared last."""
        kept = self.settings.beginning(EARLIER)
        return [str(each) for each in json.loads(kept[""][0])] if kept else []

    def all(self) -> list[ListedPair]:
        """Return the pairs, the most alike first."""
        columns = [column for column in PAIRS.c if column.name not in ("assignment", "pair", "content")]
        query = (
            select(PAIRS.c.pair.label("key"), *columns)
            .where(PAIRS.c.assignment == self.assignment)
            .order_by(PAIRS.c.share.desc(), PAIRS.c.left.desc(), PAIRS.c.pair)
        )
        rows = self.store.database.read(lambda connection: connection.execute(query).mappings().all())
        looked = self.settings.beginning(LOOKED)
        found = []
        for row in rows:
            value, person = looked.get(row["key"], ("", ""))
            found.append(ListedPair(**row, looked=Looked(value), person=person))
        return found

    def pair(self, key: str) -> Pair | None:
        """Return a pair with both texts."""
        query = select(PAIRS.c.content).where(PAIRS.c.assignment == self.assignment, PAIRS.c.pair == key)
        content = self.store.database.read(lambda connection: connection.execute(query).scalar())
        return None if content is None else PAIR.validate_json(content)

    def look(self, key: str, looked: str, person: str) -> None:
        """Say what becomes of a pair; raise UsageError."""
        if looked not in {each.value for each in Looked}:
            raise UsageError(f"there is no answer {looked!r} to a pair")
        self.settings.set(f"{LOOKED}{key}", looked, person)


def key_of(pair: Pair) -> str:
    """Return the name of a pair in addresses; it stays the same while the two hand-ins do."""
    parts = (pair.question, pair.kind, pair.first.submission, pair.second.origin, pair.second.submission)
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()[:16]
