"""Text that a student's code made, before anything else sees it: valid Unicode, and no terminal commands."""

from __future__ import annotations

import re

SURROGATES = re.compile("[\ud800-\udfff]")
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def valid_text(text: str) -> str:
    """Return text that every encoding of Unicode can hold: U+FFFD in place of lone surrogates."""
    return SURROGATES.sub(REPLACEMENT, text)


def message_text(text: str) -> str:
    """Return valid text without control characters, of which a terminal or a spreadsheet would take orders.

    Line ends and tabs stay; what turns the direction of writing goes, as it hides what is written.
    """
    return CONTROLS.sub(REPLACEMENT, text)
