"""Lines of code and of output as rows of a page: a line that is too long is wrapped, never clipped.

A row that continues the line of the row above (`continued`) is indented and gets a mark. The mark is drawn,
not written, so that text copied from the page is the code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from grader.pdf.text import columns_of

COLUMNS = 94
CONTINUED_INDENT = 4  # how much deeper than its line a continued row is indented
LOOK_BACK = 30  # how many characters before the full width a row may end
BREAK_AFTER = frozenset(" ,;)]}=+-*/|&:")


@dataclass(frozen=True)
class Style:
    """How a run of characters looks; colours as `#rrggbb`, empty for the default."""

    fill: str = ""
    background: str = ""
    bold: bool = False
    italic: bool = False
    underline: bool = False


PLAIN = Style()
Run = tuple[str, Style]


@dataclass(frozen=True)
class Row:
    """One row of a page; `indent` columns are left free before its runs."""

    runs: tuple[Run, ...]
    continued: bool = False
    indent: int = 0


def set_rows(runs: Iterable[Run], columns: int = COLUMNS) -> list[Row]:
    """Return the rows of a text, at most `columns` wide; tabs stop at every eighth column."""
    lines: list[list[Run]] = [[]]
    for text, style in runs:
        first, *others = text.split("\n")
        lines[-1].append((first, style))
        lines += [[(other, style)] for other in others]

    rows: list[Row] = []
    for line in lines:
        text = "".join(text for text, _ in line)
        if len(text) <= columns and text.isascii() and "\t" not in text:
            rows.append(Row(tuple(run for run in line if run[0])))
            continue

        characters: list[Run] = []
        for text, style in line:
            for character in text:
                spaces = " " * (8 - len(characters) % 8)
                characters += [(c, style) for c in (spaces if character == "\t" else character)]
        # The rows that continue a line are indented deeper than the line itself.
        own_indent = next((i for i, (character, _) in enumerate(characters) if character != " "), 0)
        continued_indent = min(own_indent + CONTINUED_INDENT, columns // 2)

        start, indent = 0, 0
        while start < len(characters) or start == 0:
            end = _end_of_row(characters, start, columns - indent)
            groups = groupby(characters[start:end], key=lambda run: run[1])
            row_runs = tuple(("".join(character for character, _ in group), style) for style, group in groups)
            rows.append(Row(row_runs, start > 0, indent))
            start, indent = max(end, start + 1), continued_indent
    return rows


def _end_of_row(characters: list[Run], start: int, columns: int) -> int:
    """Return the end of a row from `start`: after a separator near its end, else where it is full."""
    used, end = 0, start
    while end < len(characters) and used + columns_of(characters[end][0]) <= columns:
        used += columns_of(characters[end][0])
        end += 1
    if end == len(characters):
        return end
    for near in range(end, max(start + columns // 2, end - LOOK_BACK), -1):
        if characters[near - 1][0] in BREAK_AFTER:
            return near
    return end
