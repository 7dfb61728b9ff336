"""Cleans text that a student's code made before it is used: valid Unicode, no control characters."""

from __future__ import annotations

import re

SURROGATES = re.compile("[\ud800-\udfff]")
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def valid_text(text: str) -> str:
    """Return text that can be encoded: U+FFFD in place of each lone surrogate."""
    return SURROGATES.sub(REPLACEMENT, text)


def message_text(text: str) -> str:
    """Return valid text without control characters: a terminal or a spreadsheet could take them for commands.

    Line ends and tabs are kept. Characters that change the direction of writing are replaced: they can make
    text look different from what it is.
    """
    return CONTROLS.sub(REPLACEMENT, text)
