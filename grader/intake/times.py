"""Points in time as people, spreadsheets and platforms write them, in several languages.

What can be read in two ways, or lacks its year, is not guessed: it is no time.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil import parser

from grader.intake.date_words import AFTERNOON, FILLERS, FORENOON, MONTHS, WEEKDAYS

MAX_TEXT = 100
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")  # with the apostrophe of `п'ятниця`
CJK_DATE = re.compile(r"(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일]")
YEAR_FIRST = re.compile(r"\W*\d{4}\W")
NUMBERS = re.compile(r"(?<!\d)(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")  # of the day, month and year
OFFSET = re.compile(r"\s*\(?(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?\)?$")
NAMED_ZONE = re.compile(r"\s*(?<![^\W\d_])\(?([A-Z]{1,4}|[A-Z][A-Za-z]+(?:/[A-Z][A-Za-z_-]+)+)\)?$")
# Names that mean one offset, in hours: `CST` and `BST` mean several.
ZONES = {"Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2}
ZONES |= {"EET": 2, "EEST": 3, "PST": -8, "PDT": -7, "MST": -7, "MDT": -6, "CDT": -5, "EST": -5, "EDT": -4}
HALVES = tuple(
    (re.compile(rf"(\d)\s*(?:{words})(?!\w)|(?:{words})\s*(\d{{1,2}}:\d{{2}}(?::\d{{2}})?)", re.I), half)
    for half, names in (("am", FORENOON), ("pm", AFTERNOON))
    for words in ["|".join(map(re.escape, names))]
)
HOUR = re.compile(r"(?<!\d)(\d{1,2})\s?h\s?(\d{2})(?!\d)", re.I)  # 18h59, as in French
YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
ENGLISH = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
# A date that is whole is the same whatever it is completed with.
DEFAULTS = (dt.datetime(2000, 1, 1), dt.datetime(2001, 2, 2))


def parsed_time(text: str) -> str:
    """Return a time as ISO 8601, '' if the text is none. Without a zone it is that of this machine."""
    return parsed_times([text])[0]


def parsed_times(texts: Sequence[str]) -> list[str]:
    """Return the times in a column of a table, as parsed_time does.

    Where `3/4/2026` does not say which number is the day, the others of the column do.
    """
    readings = [_readings(text) for text in texts]
    orders = {order for found in readings if len(found) == 1 for order in found if order}
    order = orders.pop() if len(orders) == 1 else ""
    return [
        next(iter(found.values())) if len(found) == 1 else found.get(order, "") if found else ""
        for found in readings
    ]


def is_blank(text: str) -> bool:
    """Whether a cell says that there is no time, as `-` does."""
    return not any(map(str.isalnum, text))


def _readings(text: str) -> dict[str, str]:
    """Return the times that a text may mean, by what comes first: `day` or `month`, '' where both agree."""
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if not text or len(text) > MAX_TEXT or not any(map(str.isdigit, text)):
        return {}
    try:
        time = dt.datetime.fromisoformat(text)
        return {"": (time if time.tzinfo is not None else time.astimezone()).isoformat()}
    except (ValueError, OverflowError):
        pass
    zone: dt.tzinfo | None = None
    if ":" in text and (found := OFFSET.search(text)):
        sign = -1 if found[1] == "-" else 1
        minutes = 60 * int(found[2]) + int(found[3] or 0)
        if minutes >= 24 * 60:
            return {}
        zone = dt.timezone(sign * dt.timedelta(minutes=minutes))
        text = text[: found.start()]
    elif (found := NAMED_ZONE.search(text)) and found[1] not in ("AM", "PM"):
        try:
            zone = (
                dt.timezone(dt.timedelta(hours=ZONES[found[1]])) if found[1] in ZONES else ZoneInfo(found[1])
            )
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return {}
        text = text[: found.start()]
    return _in_words(text, zone)


def _in_words(text: str, zone: dt.tzinfo | None) -> dict[str, str]:
    """Return the readings of a text without its zone."""
    text = HOUR.sub(r"\1:\2", CJK_DATE.sub(r"\1-\2-\3 ", text))
    half = ""
    for pattern, name in HALVES:
        if pattern.search(text):
            text, half = pattern.sub(r"\1\2", text, count=1), name
    weekdays = set()
    for word in WORD.findall(text):
        key = word.casefold()
        if key in WEEKDAYS:
            weekdays.add(WEEKDAYS[key])
        elif key not in MONTHS and key not in FILLERS:
            return {}
    plain = re.sub(r"[()]", " ", WORD.sub(lambda word: _month(word[0]), text))
    numbers = NUMBERS.search(plain)
    if numbers is None and not YEAR.search(plain):
        return {}
    orders: tuple[str, ...] = ("",)
    if numbers and not YEAR_FIRST.match(plain):
        first, separator, second, year = numbers.groups()
        if separator == "-" and len(year) == 2:  # which of the three is the year?
            return {}
        clear = "day" if separator == "." or int(first) > 12 else "month" if int(second) > 12 else ""
        orders = (clear,) if clear else ("",) if first == second else ("day", "month")
    found: dict[str, str] = {}
    for order in orders:
        try:
            times = {
                parser.parse(f"{plain} {half}", default=each, dayfirst=order == "day") for each in DEFAULTS
            }
            if len(times) == 1 and weekdays <= {next(iter(times)).weekday()}:
                time = times.pop().replace(tzinfo=zone)
                found[order] = (time if zone is not None else time.astimezone()).isoformat()
        except (ValueError, OverflowError, TypeError):
            continue
    return found


def _month(word: str) -> str:
    number = MONTHS.get(word.casefold())
    return " " if number is None else f" {ENGLISH[number]} "
