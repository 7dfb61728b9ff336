"""What a person reads of a hand-in: written answers and the code of functions, as text and as safe HTML.

A written answer stands where the notebook that was handed out has a cell with the metadata
`{"grader": {"question": ID}}`: in that cell, and in the cells that were added right before and after it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from grader.handler.safe_html import cells_html
from grader.inside.safe_text import message_text
from grader.notebook.slicing import Slice
from grader.reading import Shown
from grader.records import Fault, Outcome, OutcomeKind

MADE_UP = re.compile(r"cell-\d+")  # an id that the reader gave to a cell without one
MAX_TEXT = 100_000  # characters of one answer that are kept as text
MAX_JUDGED = 500_000  # characters of one answer that checks look at
MAX_SHOWN = 4 << 20  # bytes of the HTML of one answer or function
MAX_SOURCE = 60_000  # characters of the code of one function that are shown
TOO_LONG = Markup('<p class="soft small">[too long to be shown here: open the notebook]</p>')


class WrittenAnswers:
    """The written answers in a notebook.

    An answer is known by a name: the question in the metadata of the cell that was handed out for it, or, of
    `names`, the tag or id of that cell.
    """

    def __init__(self, notebook: Any, skeleton: Any, names: Iterable[str] = ()) -> None:
        self.own, self.given = list(notebook.cells), list(skeleton.cells)
        self.names = frozenset(names)
        self.handed_out = {_plain(cell) for cell in self.given}
        self.blank = {_plain(cell) for cell in self.given if self.marks(cell)}
        self.ids = {cell.id for cell in self.given if not self.marks(cell) and not MADE_UP.fullmatch(cell.id)}
        self.has_ids = any(cell.id in self.ids for cell in self.own)

    def marks(self, cell: Any) -> list[str]:
        """Return the names of the answers that a cell is for."""
        metadata = cell.get("metadata", {})
        ours, tags = metadata.get("grader"), metadata.get("tags")
        question = ours.get("question") if isinstance(ours, Mapping) else None
        others = [*(tags if isinstance(tags, list) else ()), cell.id]
        return [
            *([question] if question and isinstance(question, str) else []),
            *(name for name in others if isinstance(name, str) and name in self.names),
        ]

    def belongs(self, cell: Any, name: str) -> bool:
        """Whether a cell beside that of an answer may belong to it."""
        marks = self.marks(cell)
        if marks:
            return name in marks
        if (_plain(cell) in self.handed_out and _plain(cell) not in self.blank) or cell.id in self.ids:
            return False
        # a code cell may be a function that was filled in
        return bool(cell.cell_type == "markdown" or self.has_ids)

    def find(self, name: str) -> list[Any] | None:
        """Return the cells of an answer without those that are empty or as handed out; None if not found.

        It is found by its marks, by the id of the cell that was handed out, or behind the one before that.
        """
        own, given = self.own, self.given
        starts = [n for n, each in enumerate(own) if name in self.marks(each)]
        place = next((n for n, cell in enumerate(given) if name in self.marks(cell)), None)
        if place is not None:
            cell = given[place]
            starts += [
                n for n, each in enumerate(own) if each.id == cell.id and not MADE_UP.fullmatch(cell.id)
            ]
            before = _plain(given[place - 1]) if place else None
            starts += [n + 1 for n, each in enumerate(own[:-1]) if _plain(each) == before]
        first = next((start for start in starts if self.belongs(own[start], name)), None)
        if first is None:
            return None
        last = first + 1
        while first > 0 and self.belongs(own[first - 1], name):
            first -= 1
        while last < len(own) and self.belongs(own[last], name):
            last += 1
        nothing = {"", *(_plain(cell) for cell in given if name in self.marks(cell))}
        return [cell for cell in own[first:last] if _plain(cell) not in nothing]

    def shown(self) -> dict[str, Shown]:
        """Return the answers by name, as far as they are found; '' has all text that was not handed out."""
        text = [
            cell
            for cell in self.own
            if cell.cell_type == "markdown" and _plain(cell) not in {"", *self.handed_out}
        ]
        found = {
            name: self.find(name) for name in dict.fromkeys(n for c in self.given for n in self.marks(c))
        }
        return {
            "": _shown(text),
            **{name: _shown(cells) for name, cells in found.items() if cells is not None},
        }

    def outcome(self, name: str) -> Outcome:
        """Return the text of an answer as what a check looks at; one left as handed out is not attempted."""
        cells = self.find(name)
        texts = [cell for cell in cells or () if cell.cell_type == "markdown"]
        if cells is None or (cells and not texts):
            fault = Fault("", f"the notebook has no Markdown cell with the tag or id {message_text(name)}")
            return Outcome(OutcomeKind.MISSING, fault=fault)
        text = _text(texts)
        if not text.strip():
            return Outcome(OutcomeKind.NOT_ATTEMPTED)
        if len(text) > MAX_JUDGED:
            fault = Fault("", f"the text has more than {MAX_JUDGED} characters")
            return Outcome(OutcomeKind.OUTPUT_TOO_LARGE, fault=fault)
        return Outcome(OutcomeKind.RETURNED, text)


def _text(cells: Iterable[Any]) -> str:
    return "\n\n".join(str(cell.source) for cell in cells)


def _shown(cells: Sequence[Any]) -> Shown:
    html = cells_html(cells, numbered=False)
    if len(html.encode(errors="replace")) > MAX_SHOWN:
        html = str(TOO_LONG)
    return Shown(message_text(_text(cells)[:MAX_TEXT]), html)


def _plain(cell: Any) -> str:
    """Return the text of a cell as it is compared."""
    return " ".join(str(cell.source).split())


def code_of(own: Slice, file: str) -> Shown:
    """Return the code of a function as it was written: its own cell first, then what it needs of others."""
    parts: list[str] = []
    left = MAX_SOURCE
    for cell, source in _sources(own):
        where = escape(file) if file else f"Code cell {cell}"
        parts.append(f'<div class="cell code"><div class="number">{where}</div>')
        parts.append(
            highlight(source[: max(left, 0)], PythonLexer(stripnl=False), HtmlFormatter(cssclass="code"))
        )
        left -= len(source)
        parts.append(f"{TOO_LONG}</div>" if left < 0 else "</div>")
        if left < 0:
            break
    return Shown("", message_text("".join(parts)))


def _sources(own: Slice) -> Iterator[tuple[int, str]]:
    """Yield the cells that the statements of a function stand in, with their lines."""
    cells = dict.fromkeys([own.definition.cell, *(statement.cell for statement in own.statements)])
    for cell in cells:
        lines = own.sources[cell].splitlines()
        pieces: list[str] = []
        end = 0
        for statement in sorted(
            (each for each in own.statements if each.cell == cell), key=lambda each: each.index
        ):
            node = statement.node
            decorators = getattr(node, "decorator_list", []) if isinstance(node, ast.stmt) else []
            first = min([node.lineno, *(each.lineno for each in decorators)])
            if end and first > end + 1:
                pieces.append("")
            last = node.end_lineno or node.lineno
            pieces += lines[max(first - 1, end) : last]
            end = max(end, last)
        yield cell, "\n".join(pieces)
