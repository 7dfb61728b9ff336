"""Points in time as people, spreadsheets and platforms write them."""

from __future__ import annotations

import datetime as dt

from dateutil import parser

MAX_TEXT = 100


def parsed_time(text: str) -> str:
    """Return a time as ISO 8601, '' if the text is none. Without a zone it is that of this machine."""
    text = " ".join(text.split())
    if not text or len(text) > MAX_TEXT or not any(map(str.isdigit, text)):
        return ""
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError:
        try:
            numbers_first = text[:1].isdigit() and "." in text[:3]  # 20.11.2026, as in German
            time = parser.parse(text, dayfirst=numbers_first)
        except (ValueError, OverflowError, TypeError):
            return ""
    return (time if time.tzinfo is not None else time.astimezone()).isoformat()
