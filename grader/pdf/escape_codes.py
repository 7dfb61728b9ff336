"""What a program printed, as a terminal shows it: with colours, without what a later text overwrote."""

from __future__ import annotations

import re
from dataclasses import replace

from grader.pdf.rows import COLUMNS, PLAIN, Row, Run, Style, set_rows
from grader.pdf.text import plain

FIRST_ROWS, LAST_ROWS = 70, 20
MAX_CHARACTERS = 400_000
# An escape sequence of any kind; only "select graphic rendition" (ending with m) has a group.
COMMAND = re.compile(
    r"\x1b\[([0-9;:]*)m|\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.?", re.S
)

# The 16 basic colours are darker than a terminal's own, to be read on white paper.
COLOURS = """
    #24292f #b3261e #1a7f37 #8a6100 #1f5fbf #8e3a9d #12727a #6e7781
    #57606a #d1242f #2da44e #b08800 #3b7de0 #b455c4 #2a929b #8c959f
""".split()
# The same colours mixed with white: as backgrounds, with dark text on them.
PALE_COLOURS = [
    "#" + "".join(f"{(int(colour[i : i + 2], 16) + 3 * 255) // 4:02x}" for i in (1, 3, 5))
    for colour in COLOURS
]
# The 256 colours of xterm: the basic ones, a cube of 6 x 6 x 6 colours, and 24 greys.
LEVELS = (0, 95, 135, 175, 215, 255)
COLOURS_256 = [
    *COLOURS,
    *(f"#{red:02x}{green:02x}{blue:02x}" for red in LEVELS for green in LEVELS for blue in LEVELS),
    *("#" + f"{grey:02x}" * 3 for grey in range(8, 248, 10)),
]
SWITCHES = {
    1: {"bold": True},
    3: {"italic": True},
    4: {"underline": True},
    22: {"bold": False},
    23: {"italic": False},
    24: {"underline": False},
    39: {"fill": ""},
    49: {"background": ""},
    **{30 + i: {"fill": colour} for i, colour in enumerate(COLOURS[:8])},
    **{40 + i: {"background": colour} for i, colour in enumerate(PALE_COLOURS[:8])},
    **{90 + i: {"fill": colour} for i, colour in enumerate(COLOURS[8:])},
    **{100 + i: {"background": colour} for i, colour in enumerate(PALE_COLOURS[8:])},
}


def set_terminal(text: str, columns: int = COLUMNS) -> tuple[list[Row], int]:
    """Return the rows of a printed text, and how many rows were left out in the middle of it."""
    # A carriage return goes back to the start of its line, as progress bars use it.
    lines = text[:MAX_CHARACTERS].replace("\r\n", "\n").split("\n")
    shown = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)

    runs: list[Run] = []
    style, position = PLAIN, 0
    for command in COMMAND.finditer(shown):
        runs.append((plain(shown[position : command.start()]), style))
        position = command.end()
        if command[1] is not None:
            numbers = re.split("[;:]", command[1][:200])
            style = _select_style(style, [int(number or 0) for number in numbers if len(number) < 9])
    runs.append((plain(shown[position:]), style))

    rows = set_rows(runs, columns)
    while rows and not any(part.strip() for part, _ in rows[-1].runs):
        rows.pop()
    left_out = text.count("\n", MAX_CHARACTERS)
    too_many = len(rows) - FIRST_ROWS - LAST_ROWS
    if too_many <= 0:
        return rows, left_out
    return rows[:FIRST_ROWS] + rows[-LAST_ROWS:], left_out + too_many


def _select_style(style: Style, codes: list[int]) -> Style:
    """Return the style after one command "select graphic rendition" of ECMA-48."""
    rest = iter(codes)
    for code in rest:
        if code == 0:
            style = PLAIN
        elif code in SWITCHES:
            style = replace(style, **SWITCHES[code])  # type: ignore[arg-type]
        elif code in (38, 48):
            # The next codes give the colour: 5 and its number, or 2 and its red, green and blue.
            form, colour = next(rest, 0), COLOURS[0]
            if form == 5:
                colour = COLOURS_256[next(rest, 0) & 255]
            elif form == 2:
                colour = "#" + "".join(f"{next(rest, 0) & 255:02x}" for _ in range(3))
            style = replace(style, fill=colour) if code == 38 else replace(style, background=colour)
    return style
