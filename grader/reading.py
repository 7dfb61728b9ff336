"""What reading a notebook says, without running it: facts of its functions, and the code that they need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FactsStatus(StrEnum):
    """What reading a notebook says of a subject: a closed set."""

    FOUND = "found"
    MISSING = "missing"
    NOT_ATTEMPTED = "not_attempted"


@dataclass(frozen=True)
class Place:
    """A line of a notebook: the number of its cell, its own, both from 1, and what stands there."""

    cell: int
    line: int
    text: str


@dataclass(frozen=True)
class FunctionFacts:
    """What reading the notebook (without running it) says of one function.

    `key` identifies the code that the function needs; `calls` are the dotted names that this code uses,
    `notebook_globals` variables of the notebook that it reads, `stand_ins` those of them that it reads in
    place of an argument, with the position of this, `places` where each line of the code that is sent to a
    box stands in the notebook.
    """

    name: str
    status: FactsStatus
    cell: int | None = None
    key: str = ""
    calls: frozenset[str] = frozenset()
    notebook_globals: tuple[str, ...] = ()
    remark: str = ""
    places: tuple[Place, ...] = ()
    file: str = ""
    stand_ins: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class CodeCell:
    """A code cell, and which of its top-level statements (counted from 0) are executed."""

    number: int
    source: str
    keep: tuple[int, ...]


@dataclass(frozen=True)
class FunctionCode:
    """The code that a function needs, by cell, and the modules that it imports or may import.

    With `in_state`, whole cells are run as a notebook runs them, whatever they keep. Variables in `bound` are
    set to the argument at a position before each call.
    """

    name: str
    cells: tuple[CodeCell, ...]
    modules: tuple[str, ...]
    in_state: bool = False
    bound: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Reading:
    """What reading a notebook says: the facts of every subject, the code of those that can be called.

    Both are by the text of the subject; `sources` are the code cells as they were written. A subject that is
    missing and has code all the same, without cells, may be defined where the code does not show it.
    """

    facts: Mapping[str, FunctionFacts]
    code: Mapping[str, FunctionCode]
    sources: tuple[str, ...] = ()
