"""What a program printed, as a terminal would show it: colours, overwritten lines, and not without end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from grader.pdf.rows import COLUMNS, PLAIN, Row, Run, Style, set_rows
from grader.pdf.text import plain

FIRST_ROWS, LAST_ROWS = 70, 20
MAX_CHARACTERS = 400_000
COLOURS = """
    #24292f #b3261e #1a7f37 #8a6100 #1f5fbf #8e3a9d #12727a #6e7781
    #57606a #d1242f #2da44e #b08800 #3b7de0 #b455c4 #2a929b #8c959f
""".split()
COMMAND = re.compile(
    r"\x1b\[([0-9;:]*)m|\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.?", re.S
)
SWITCHES = {
    1: {"bold": True},
    3: {"italic": True},
    4: {"underline": True},
    22: {"bold": False},
    23: {"italic": False},
    24: {"underline": False},
    39: {"fill": ""},
    49: {"background": ""},
}


def set_terminal(text: str, columns: int = COLUMNS) -> tuple[list[Row], int]:
    """Return the rows of a printed text and how many of its rows were left out in the middle."""
    cut = text[:MAX_CHARACTERS]
    rows = set_rows(_runs(_overwritten(cut)), columns)
    while rows and not any(part.strip() for part, _ in rows[-1].runs):
        rows.pop()
    over = len(rows) - FIRST_ROWS - LAST_ROWS
    unseen = text.count("\n", MAX_CHARACTERS)
    if over <= 0:
        return rows, unseen
    return rows[:FIRST_ROWS] + rows[-LAST_ROWS:], over + unseen


def _overwritten(text: str) -> str:
    """Let a carriage return go back to the start of its line, as progress bars do."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def _runs(text: str) -> Iterator[Run]:
    style, position = PLAIN, 0
    for command in COMMAND.finditer(text):
        yield plain(text[position : command.start()]), style
        position = command.end()
        if command[1] is not None:
            style = _switched(style, [int(n or 0) for n in re.split("[;:]", command[1][:200]) if len(n) < 9])
    yield plain(text[position:]), style


def _switched(style: Style, codes: list[int]) -> Style:
    """Return the style after a command "select graphic rendition" (ECMA-48, with 256 and RGB colours)."""
    rest = iter(codes)
    for code in rest:
        if code == 0:
            style = PLAIN
        elif code in SWITCHES:
            style = replace(style, **SWITCHES[code])  # type: ignore[arg-type]
        elif code in (38, 48):
            colour = _extended(rest)
            style = replace(style, fill=colour) if code == 38 else replace(style, background=colour)
        else:
            style = _basic(style, code)
    return style


def _basic(style: Style, code: int) -> Style:
    for first, bright in ((30, 0), (90, 8)):
        if first <= code <= first + 7:
            return replace(style, fill=COLOURS[code - first + bright])
        if first + 10 <= code <= first + 17:
            return replace(style, background=_pale(COLOURS[code - first - 10 + bright]))
    return style


def _extended(rest: Iterator[int]) -> str:
    kind = next(rest, 0)
    if kind == 2:
        return "#" + "".join(f"{next(rest, 0) & 255:02x}" for _ in range(3))
    number = next(rest, 0) & 255 if kind == 5 else 0
    if number < 16:
        return COLOURS[number]
    if number >= 232:
        return "#" + f"{8 + 10 * (number - 232):02x}" * 3
    levels = [(number - 16) // step % 6 for step in (36, 6, 1)]
    return "#" + "".join(f"{0 if level == 0 else 55 + 40 * level:02x}" for level in levels)


def _pale(colour: str) -> str:
    """Return a colour mixed with white, on which dark text can be read."""
    return "#" + "".join(f"{(int(colour[i : i + 2], 16) + 3 * 255) // 4:02x}" for i in (1, 3, 5))
