"""Lines of code and of output as rows of a page: wrapped, so that nothing is ever clipped.

A row that goes on with the line above it is marked (`continued`) and indented; the mark is drawn, not
written, so that text copied from the page is the code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from grader.pdf.text import columns_of

COLUMNS = 94
HANGING = 4
LOOK_BACK = 30
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
    return [row for line in _lines(runs) for row in _wrapped(line, columns)]


def _lines(runs: Iterable[Run]) -> Iterator[list[Run]]:
    line: list[Run] = []
    for text, style in runs:
        first, *others = text.split("\n")
        line.append((first, style))
        for other in others:
            yield line
            line = [(other, style)]
    yield line


def _wrapped(line: list[Run], columns: int) -> Iterator[Row]:
    text = "".join(text for text, _ in line)
    if len(text) <= columns and text.isascii() and "\t" not in text:
        yield Row(tuple(run for run in line if run[0]))
        return
    characters = _without_tabs(line)
    start, indent, depth = 0, 0, _hanging(characters, columns)
    while start < len(characters) or start == 0:
        end = _end_of_row(characters, start, columns - indent)
        yield Row(_grouped(characters[start:end]), start > 0, indent)
        start, indent = max(end, start + 1), depth


def _without_tabs(line: list[Run]) -> list[Run]:
    """Return a line character by character, tabs as spaces."""
    characters: list[Run] = []
    for text, style in line:
        for character in text:
            spaces = " " * (8 - len(characters) % 8)
            characters += [(c, style) for c in (spaces if character == "\t" else character)]
    return characters


def _hanging(characters: list[Run], columns: int) -> int:
    """Return the indent of the rows that go on with a line: deeper than the line's own."""
    own = next((i for i, (character, _) in enumerate(characters) if character != " "), 0)
    return min(own + HANGING, columns // 2)


def _end_of_row(characters: list[Run], start: int, columns: int) -> int:
    """Return where a row ends: after a separator if there is one near its end, else where it is full."""
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


def _grouped(characters: list[Run]) -> tuple[Run, ...]:
    groups = groupby(characters, key=lambda run: run[1])
    return tuple(("".join(character for character, _ in group), style) for style, group in groups)
