"""What is kept of observations, wherever that is: in a database, or in memory on its way between machines.

A row is (kind, key, call, packed content); the call is '' where a key has one content.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from grader.codec import (
    pack_outcome,
    pack_reading,
    pack_run,
    unpack_outcome,
    unpack_reading,
    unpack_run,
)
from grader.errors import DamagedError
from grader.reading import Reading
from grader.records import NotebookRun, Outcome, OutcomeKind

Row = tuple[str, str, str, bytes]
Kept = TypeVar("Kept")
RUN, READING, OUTCOME = "run", "reading", "outcome"


class Observations(ABC):
    """Observations by their keys. A fault of ours is never kept, so that the next run observes again."""

    @abstractmethod
    def packed(self, kind: str, key: str) -> Mapping[str, bytes]:
        """Return what is kept of one kind under a key, by call."""

    @abstractmethod
    def keep(self, rows: Iterable[Row]) -> None:
        """Keep rows in place of those with the same kind, key and call."""

    def get_run(self, key: str) -> NotebookRun | None:
        """Return the run kept under `key`, None if there is none."""
        data = self.packed(RUN, key).get("")
        return None if data is None else unpacked(unpack_run, data)

    def put_run(self, key: str, run: NotebookRun) -> None:
        """Keep a run under `key`."""
        self.keep([(RUN, key, "", pack_run(run))])

    def get_reading(self, key: str) -> Reading | None:
        """Return what was read under `key`, None if nothing was."""
        data = self.packed(READING, key).get("")
        return None if data is None else unpacked(unpack_reading, data)

    def put_reading(self, key: str, reading: Reading) -> None:
        """Keep what was read under `key`."""
        self.keep([(READING, key, "", pack_reading(reading))])

    def get_outcomes(self, key: str, calls: Iterable[str]) -> KeptOutcomes:
        """Return the stored outcomes of the given calls of the code `key`, by call.

        Each is unpacked when it is first used; one that is damaged raises DamagedError then.
        """
        found = self.packed(OUTCOME, key)
        return KeptOutcomes({call: found[call] for call in calls if call in found})

    def put_outcomes(self, key: str, outcomes: Mapping[str, Outcome]) -> None:
        """Keep the outcomes of the code `key`, except those that were our fault."""
        self.keep(
            (OUTCOME, key, call, pack_outcome(outcome))
            for call, outcome in outcomes.items()
            if outcome.kind is not OutcomeKind.GRADER_FAULT
        )


class CarriedObservations(Observations):
    """Observations in memory; `new` are the rows that were kept after it was made of others."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._rows: dict[tuple[str, str], dict[str, bytes]] = {}
        self.new: list[Row] = []
        self._add(rows)

    def packed(self, kind: str, key: str) -> Mapping[str, bytes]:
        """Return what is kept of one kind under a key, by call."""
        return self._rows.get((kind, key), {})

    def keep(self, rows: Iterable[Row]) -> None:
        """Keep rows, and note them as new."""
        rows = list(rows)
        self._add(rows)
        self.new += rows

    def _add(self, rows: Iterable[Row]) -> None:
        for kind, key, call, data in rows:
            self._rows.setdefault((kind, key), {})[call] = data


class ReadObservations(Observations):
    """A view of other observations that notes, in `found`, the rows that were asked for and there."""

    def __init__(self, others: Observations) -> None:
        self._others = others
        self.found: list[Row] = []

    def packed(self, kind: str, key: str) -> Mapping[str, bytes]:
        """Return what is kept of one kind under a key, by call."""
        there = self._others.packed(kind, key)
        self.found += [(kind, key, call, data) for call, data in there.items()]
        return there

    def keep(self, rows: Iterable[Row]) -> None:
        """Keep rows where the others are kept."""
        self._others.keep(rows)


class KeptOutcomes(Mapping[str, Outcome]):
    """Stored outcomes by call, each unpacked when it is used."""

    def __init__(self, packed: Mapping[str, bytes]) -> None:
        self._packed = packed

    def __getitem__(self, call: str) -> Outcome:
        outcome = unpacked(unpack_outcome, self._packed[call])
        if outcome is None:
            raise DamagedError(f"what was kept of the call {call} is damaged")
        return outcome

    @property
    def size(self) -> int:
        """The bytes of all of them."""
        return sum(map(len, self._packed.values()))

    def __contains__(self, call: object) -> bool:
        return call in self._packed

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


def unpacked(unpack: Callable[[bytes], Kept], data: bytes) -> Kept | None:
    """Return what was stored; None if it is damaged, so that it is observed again."""
    try:
        return unpack(data)
    except (ValueError, KeyError, TypeError):
        return None
