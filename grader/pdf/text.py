"""Text for a page: without control characters, measured in columns, and which fonts it needs."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
LONG_WORD = re.compile(r"\S{40,}")
BUILT_IN = (
    (0x0000, 0x052F),  # Latin, Greek, Cyrillic
    (0x1D00, 0x1FFF),  # their extensions
    (0x2000, 0x22FF),  # punctuation, currency, letterlike, arrows, operators
    (0x2300, 0x23CF),  # technical
    (0x2500, 0x25FF),  # boxes, blocks, shapes
    (0x2713, 0x2718),  # ticks and crosses
    (0x27E6, 0x27EB),  # brackets
    (0xE000, 0xE001),  # the marks of a formula, never set
    (0xFB00, 0xFB06),  # ligatures
    (0x1D400, 0x1D7FF),  # mathematical letters
)


def text_of(source: Any) -> str:
    """Return the text of a notebook's field, which is a string, a list of lines, or null for no text."""
    if source is None:
        return ""
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def plain(text: str) -> str:
    """Return text with only LF as line end and without control, direction and surrogate characters."""
    return CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def breakable(text: str) -> str:
    """Return text whose very long words may be broken anywhere, so that none leaves the page."""
    return LONG_WORD.sub(lambda word: "\u200b".join(word[0]), text)


def columns_of(character: str) -> int:
    """Return how many columns of a terminal a character takes: 0, 1 or 2."""
    if character < "\u0300":
        return 1
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def foreign_characters(text: str) -> frozenset[str]:
    """Return the characters outside of the typesetter's own fonts (Chinese, emoji, ...).

    Those that join or vary others show nothing themselves.
    """
    return frozenset(
        character
        for character in {each for each in text if each > "\u052f"}
        if not any(low <= ord(character) <= high for low, high in BUILT_IN)
        and unicodedata.category(character) not in ("Mn", "Me", "Cf", "Zs")
    )
