"""Finds the formulas in the Markdown of a cell, and the macros that a student defines. Linear in the text."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from grader.derivation.tree import DerivationError, Place

MAX_TEXT = 40_000
MAX_MACROS = 200
ENVIRONMENTS = (
    "align alignat aligned alignedat displaymath eqnarray equation flalign gather gathered math multline "
    "split"
).split()
OPENING = re.compile(
    r"(?P<fence>^[ \t]{0,3}(?:`{3,}|~{3,}))|(?P<code>`+)|(?P<comment><!--)|(?P<display>\$\$)|(?P<inline>\$)"
    r"|(?P<bracket>\\\\?\[)|(?P<parenthesis>\\\\?\()"
    r"|\\begin\{(?P<environment>(?:" + "|".join(ENVIRONMENTS) + r")\*?)\}|(?P<escape>\\[\\$`])",
    re.MULTILINE,
)
MACRO = re.compile(
    r"\\(?:(?:re|provide)?newcommand\*?|providecommand\*?|def|DeclareMathOperator\*?)(?![A-Za-z])"
)
MACRO_HEAD = re.compile(r"\s*\{?\s*\\([A-Za-z]+|[^A-Za-z\s])\s*\}?\s*(?:\[(\d)\])?((?:#\d)*)\s*")


@dataclass(frozen=True)
class Macro:
    """A macro of the student's; #1, #2, ... in the body stand for the arguments."""

    arguments: int
    body: str


@dataclass(frozen=True)
class Piece:
    """A part of the text: prose, or a formula without its delimiters; `start` is its offset in the text."""

    kind: str  # prose, inline, display
    text: str
    start: int


class Lines:
    """Turns offsets of a text into places."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def place(self, offset: int) -> Place:
        """Return the line and the column of an offset."""
        line = bisect_right(self._starts, offset)
        return Place(line, offset - self._starts[line - 1] + 1)


def find_formulas(text: str) -> list[Piece]:
    """Return the prose and the formulas of a Markdown text in their order; code and comments are left out."""
    pieces: list[Piece] = []
    position = begun = 0
    missing: set[str] = set()  # what closes no more from here on: each is looked for once

    def close(closing: str, start: int) -> int:
        if closing in missing:
            return -1
        end = text.find(closing, start)
        if end < 0:
            missing.add(closing)
        return end

    while match := OPENING.search(text, position):
        kind = match.lastgroup or ""
        start, inner = match.start(), match.end()
        end, length, name = -1, 0, "display"
        match kind:
            case "escape":
                position = inner
                continue
            case "fence":
                closing = "\n" + match.group().strip()
                end, length, name = close(closing, inner), len(closing), "code"
            case "code":
                end, length, name = close(match.group(), inner), len(match.group()), "code"
            case "comment":
                end, length, name = close("-->", inner), 3, "code"
            case "display":
                end, length = close("$$", inner), 2
            case "inline":
                end, length, name = _inline_end(text, inner), 1, "inline"
            case "bracket":
                closing = match.group()[:-1] + "]"
                end, length = close(closing, inner), len(closing)
            case "parenthesis":
                closing = match.group()[:-1] + ")"
                end, length, name = close(closing, inner), len(closing), "inline"
            case _:
                closing = f"\\end{{{match.group('environment')}}}"
                end = close(closing, inner)
                end, inner = (end + len(closing) if end >= 0 else end), start
        if end < 0:
            position = match.end()
            continue
        pieces.append(Piece("prose", text[begun:start], begun))
        if name != "code":
            pieces.append(Piece(name, text[inner:end], inner))
        begun = position = end + length
    pieces.append(Piece("prose", text[begun:], begun))
    return [piece for piece in pieces if piece.text.strip()]


def _inline_end(text: str, start: int) -> int:
    """Return where the formula ends that a $ opens, -1 if the paragraph ends before."""
    for match in re.compile(r"\\.|\$|\n[ \t]*\n", re.DOTALL).finditer(text, start):
        if match.group() == "$":
            return match.start() if match.start() > start else -1
        if match.group().startswith("\n"):
            return -1
    return -1


def take_macros(text: str) -> tuple[str, dict[str, Macro]]:
    """Return the text with blanks where macros are defined, and the macros by name."""
    if len(text) > MAX_TEXT:
        raise DerivationError(f"the text has {len(text)} characters, more than the {MAX_TEXT} that are read")
    macros: dict[str, Macro] = {}
    parts: list[str] = []
    position = 0
    while (match := MACRO.search(text, position)) and len(macros) < MAX_MACROS:
        head = MACRO_HEAD.match(text, match.end())
        end = _group_end(text, head.end()) if head else -1
        if head is None or end < 0:
            parts.append(text[position : match.end()])
            position = match.end()
            continue
        body = text[head.end() + 1 : end - 1]
        if "Declare" in match.group():
            body = rf"\operatorname{{{body}}}"
        count = int(head.group(2) or 0) or head.group(3).count("#")
        macros[head.group(1)] = Macro(count, body)
        parts += [text[position : match.start()], re.sub(r"[^\n]", " ", text[match.start() : end])]
        position = end
    return "".join([*parts, text[position:]]), macros


def _group_end(text: str, start: int) -> int:
    """Return the offset after the group in braces that begins at `start`, -1 if there is none."""
    if text[start : start + 1] != "{":
        return -1
    depth = 0
    for match in re.compile(r"\\.|[{}]", re.DOTALL).finditer(text, start, start + 5000):
        depth += {"{": 1, "}": -1}.get(match.group(), 0)
        if depth == 0:
            return match.end()
    return -1
