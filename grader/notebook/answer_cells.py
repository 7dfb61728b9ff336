"""Finds the cells of written answers, with the standard library alone: where they are graded, and at home.

A written answer stands where the notebook that was handed out has a cell with the metadata
`{"grader": {"question": ID}}`: in that cell, and in the cells that were added right before and after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from grader.notebook.sources import joined

MADE_UP = re.compile(r"cell-\d+")  # an id that the reader gave to a cell without one


class AnswerCells:
    """The cells of the written answers in a notebook.

    An answer is known by a name: the question in the metadata of the cell that was handed out for it, or, of
    `names`, the tag or id of that cell. `own` are the cells of the notebook as in its file, `given` those of
    the notebook that was handed out; without these, an answer is in the cells that are marked for it.
    """

    def __init__(
        self, own: Iterable[Any], given: Iterable[Mapping[str, Any]], names: Iterable[str] = ()
    ) -> None:
        self.own: list[Mapping[str, Any]] = [cell for cell in own if isinstance(cell, dict)]
        self.given = list(given)
        self.names = frozenset(names)
        self.handed_out = {plain_text(cell) for cell in self.given}
        blank = {plain_text(cell) for cell in self.given if self.marks(cell)}
        self.kept = self.handed_out - blank
        self.ids = {_id(cell) for cell in self.given if not self.marks(cell)} - {""}
        self.has_ids = any(_id(cell) in self.ids for cell in self.own)

    def marks(self, cell: Mapping[str, Any]) -> list[str]:
        """Return the names of the answers that a cell is for."""
        metadata = cell.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        ours, tags = metadata.get("grader"), metadata.get("tags")
        question = ours.get("question") if isinstance(ours, dict) else None
        others = [*(tags if isinstance(tags, list) else ()), cell.get("id")]
        return [
            *([question] if question and isinstance(question, str) else []),
            *(name for name in others if isinstance(name, str) and name in self.names),
        ]

    def belongs(self, cell: Mapping[str, Any], name: str) -> bool:
        """Whether a cell beside that of an answer may belong to it."""
        marks = self.marks(cell)
        if marks:
            return name in marks
        if not self.given or _id(cell) in self.ids:
            return False
        if plain_text(cell) in self.kept:
            return False
        # a code cell may be a function that was filled in
        return cell.get("cell_type") == "markdown" or self.has_ids

    def find(self, name: str) -> list[Mapping[str, Any]] | None:
        """Return the cells of an answer without those that are empty or as handed out; None if not found.

        It is found by its marks, by the id of the cell that was handed out, or behind the one before that.
        """
        own, given = self.own, self.given
        starts = [n for n, each in enumerate(own) if name in self.marks(each)]
        place = next((n for n, cell in enumerate(given) if name in self.marks(cell)), None)
        if place is not None:
            same = _id(given[place])
            starts += [n for n, each in enumerate(own) if same and _id(each) == same]
            before = plain_text(given[place - 1]) if place else None
            starts += [n + 1 for n, each in enumerate(own[:-1]) if plain_text(each) == before]
        first = next((start for start in starts if self.belongs(own[start], name)), None)
        if first is None:
            return None
        last = first + 1
        while first > 0 and self.belongs(own[first - 1], name):
            first -= 1
        while last < len(own) and self.belongs(own[last], name):
            last += 1
        nothing = {"", *(plain_text(cell) for cell in given if name in self.marks(cell))}
        return [cell for cell in own[first:last] if plain_text(cell) not in nothing]

    def text(self, name: str) -> str | None:
        """Return the Markdown of an answer, '' where it is as handed out; None if it has no Markdown cell."""
        cells = self.find(name)
        texts = [cell for cell in cells or () if cell.get("cell_type") == "markdown"]
        if cells is None or (cells and not texts):
            return None
        blanks = [joined(cell).strip() for cell in self.given if name in self.marks(cell)]
        return "\n\n".join(_without_begin(joined(cell), blanks) for cell in texts)


def _without_begin(source: str, blanks: Iterable[str]) -> str:
    """Return a text without what was handed out, such as "Your answer here", at its begin.

    The lines keep their numbers.
    """
    own = source.lstrip()
    for blank in filter(None, blanks):
        if own.startswith(blank):
            lines = source[: len(source) - len(own)].count("\n") + blank.count("\n")
            return "\n" * lines + own.removeprefix(blank)
    return source


def joined_text(cells: Sequence[Mapping[str, Any]]) -> str:
    """Return the sources of cells as one text."""
    return "\n\n".join(joined(cell) for cell in cells)


def plain_text(cell: Mapping[str, Any]) -> str:
    """Return the text of a cell as it is compared."""
    return " ".join(joined(cell).split())


def _id(cell: Mapping[str, Any]) -> str:
    """Return the id that a cell has in its file, '' if there is none."""
    name = cell.get("id")
    return name if isinstance(name, str) and not MADE_UP.fullmatch(name) else ""
