"""What a person reads of a hand-in: written answers and the code of functions, as text and as safe HTML."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from grader.handler.safe_html import cells_html
from grader.inside.safe_text import message_text
from grader.notebook.answer_cells import AnswerCells, joined_text, plain_text
from grader.notebook.slicing import Slice
from grader.reading import Shown
from grader.records import Fault, Outcome, OutcomeKind

MAX_TEXT = 100_000  # characters of one answer that are kept as text
MAX_JUDGED = 500_000  # characters of one answer that checks look at
MAX_SHOWN = 4 << 20  # bytes of the HTML of one answer or function
MAX_SOURCE = 60_000  # characters of the code of one function that are shown
TOO_LONG = Markup('<p class="soft small">[too long to be shown here: open the notebook]</p>')


class WrittenAnswers(AnswerCells):
    """The written answers in a notebook, for people and for checks."""

    def __init__(self, notebook: Any, skeleton: Any, names: Iterable[str] = ()) -> None:
        super().__init__(notebook.cells, skeleton.cells, names)

    def shown(self) -> dict[str, Shown]:
        """Return the answers by name, as far as they are found; '' has all text that was not handed out."""
        text = [
            cell
            for cell in self.own
            if cell["cell_type"] == "markdown" and plain_text(cell) not in {"", *self.handed_out}
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
        text = self.text(name)
        if text is None:
            fault = Fault("", f"the notebook has no Markdown cell with the tag or id {message_text(name)}")
            return Outcome(OutcomeKind.MISSING, fault=fault)
        if not text.strip():
            return Outcome(OutcomeKind.NOT_ATTEMPTED)
        if len(text) > MAX_JUDGED:
            fault = Fault("", f"the text has more than {MAX_JUDGED} characters")
            return Outcome(OutcomeKind.OUTPUT_TOO_LARGE, fault=fault)
        return Outcome(OutcomeKind.RETURNED, text)


def _shown(cells: Sequence[Any]) -> Shown:
    html = cells_html(cells, numbered=False)
    if len(html.encode(errors="replace")) > MAX_SHOWN:
        html = str(TOO_LONG)
    return Shown(message_text(joined_text(cells)[:MAX_TEXT]), html)


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
