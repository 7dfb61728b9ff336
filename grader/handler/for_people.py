"""What a person reads of a hand-in: written answers and the code of functions, as text and as safe HTML.

A written answer stands where the notebook that was handed out has a cell with the metadata
`{"grader": {"question": ID}}`: in that cell, and in the cells that were added right before and after it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from grader.handler.safe_html import cells_html
from grader.inside.safe_text import message_text
from grader.notebook.slicing import Slice
from grader.reading import Shown

MADE_UP = re.compile(r"cell-\d+")  # an id that the reader gave to a cell without one
MAX_TEXT = 100_000  # characters of one answer that are kept as text
MAX_SHOWN = 4 << 20  # bytes of the HTML of one answer or function
MAX_SOURCE = 60_000  # characters of the code of one function that are shown
TOO_LONG = Markup('<p class="soft small">[too long to be shown here: open the notebook]</p>')


def written_answers(notebook: Any, skeleton: Any) -> dict[str, Shown]:
    """Return the answers to the questions whose cells were handed out, by question, as far as they are found.

    A cell is found by its metadata, by its id, or behind the cell that was handed out before it. All text
    that was not handed out is under ''.
    """
    given, own = list(skeleton.cells), list(notebook.cells)
    handed_out = {_plain(cell) for cell in given}
    ids = {cell.id for cell in given if not _question(cell) and not MADE_UP.fullmatch(cell.id)}
    has_ids = any(cell.id in ids for cell in own)

    def is_answer(cell: Any, question: str) -> bool:
        """Whether a cell beside that of a question may belong to its answer."""
        if _question(cell):
            return _question(cell) == question
        if (_plain(cell) in handed_out and _plain(cell) not in blank) or cell.id in ids:
            return False
        return bool(cell.cell_type == "markdown" or has_ids)  # else it may be a function that was filled in

    blank = {_plain(cell) for cell in given if _question(cell)}
    text = [cell for cell in own if cell.cell_type == "markdown" and _plain(cell) not in handed_out]
    answers = {"": _shown(text, "")}
    for place, cell in enumerate(given):
        question = _question(cell)
        if not question or question in answers:
            continue
        before = _plain(given[place - 1]) if place else None
        starts = (
            *(n for n, each in enumerate(own) if _question(each) == question),
            *(n for n, each in enumerate(own) if each.id == cell.id and not MADE_UP.fullmatch(cell.id)),
            *(n + 1 for n, each in enumerate(own[:-1]) if _plain(each) == before),
        )
        first = next((start for start in starts if is_answer(own[start], question)), None)
        if first is None:
            continue
        last = first + 1
        while first > 0 and is_answer(own[first - 1], question):
            first -= 1
        while last < len(own) and is_answer(own[last], question):
            last += 1
        answers[question] = _shown(own[first:last], _plain(cell))
    return answers


def _shown(cells: Sequence[Any], as_handed_out: str) -> Shown:
    """Return an answer without the cells that are empty, or as they were handed out."""
    filled = [cell for cell in cells if _plain(cell) not in ("", as_handed_out)]
    text = "\n\n".join(str(cell.source) for cell in filled)
    html = cells_html(filled, numbered=False)
    if len(html.encode(errors="replace")) > MAX_SHOWN:
        html = str(TOO_LONG)
    return Shown(message_text(text[:MAX_TEXT]), html)


def _question(cell: Any) -> str:
    ours = cell.get("metadata", {}).get("grader")
    question = ours.get("question", "") if isinstance(ours, Mapping) else ""
    return question if isinstance(question, str) else ""


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
