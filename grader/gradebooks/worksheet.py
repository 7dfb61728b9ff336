"""A table that a learning platform has handed out, filled in: every other cell stays as it was."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.counted import listed
from grader.csv_table import PLAIN, Form, read_csv, write_csv
from grader.errors import UsageError
from grader.gradebooks.book import Book, Row

SHOWN = 5
DECIMAL = re.compile(r"-?\d+([.,])\d{1,2}")


@dataclass
class Worksheet:
    """The rows of a platform's table, the line of headings first, and the form in which it came."""

    path: Path
    rows: list[list[str]]
    form: Form = PLAIN

    @classmethod
    def read(cls, path: Path) -> Worksheet:
        """Return the table in a file; raise UsageError if it is none."""
        try:
            rows, form = read_csv(path.read_bytes())
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise UsageError(f"the worksheet {path} cannot be read: {error}") from error
        if len(rows) < 2:
            raise UsageError(f"the worksheet {path} has no students")
        for row in rows[1:]:
            row.extend([""] * (len(rows[0]) - len(row)))
        return cls(path, rows, form)

    def column(self, *names: str) -> int | None:
        """Return the number of the first column with one of the headings."""
        headings = [heading.strip().casefold() for heading in self.rows[0]]
        return next((headings.index(name) for name in names if name in headings), None)

    @property
    def decimal_comma(self) -> bool | None:
        """Whether its numbers have a comma, as in `1,5`; None if it has none that says so."""
        found = {
            mark[1] for row in self.rows[1:] for cell in row if (mark := DECIMAL.fullmatch(cell.strip()))
        }
        return None if len(found) != 1 else "," in found

    def needed(self, what: str, *names: str) -> int:
        """Return the number of a column; raise UsageError if there is none."""
        found = self.column(*names)
        if found is None:
            there = ", ".join(self.rows[0])
            raise UsageError(
                f"the worksheet {self.path} has no column for {what} ({names[0]}); it has {there}"
            )
        return found

    def data(self, book: Book) -> bytes:
        """Return the table in the form in which it came, or told, in UTF-8 if that lacks a character."""
        try:
            return write_csv(self.rows, self.form)
        except UnicodeEncodeError as error:
            lacking = error.object[error.start]
            book.told.append(
                f"{self.path} is in {self.form.encoding}, which has no {lacking!r}: "
                "the table is written in UTF-8"
            )
            return write_csv(self.rows, replace(self.form, encoding="utf-8", mark=codecs.BOM_UTF8))


def fill(
    book: Book,
    worksheet: Worksheet,
    platform: str,
    students: Mapping[int, Mapping[str, str]],
    put: Callable[[list[str], Row], None],
) -> None:
    """Call `put` for each line of the platform's worksheet whose student the book has.

    `students` says what each line, by its number, tells of its student: values by fields of Student. A
    student of the book without a line is told; two lines for one student are an error.
    """
    by_value: dict[tuple[str, str], list[Row]] = {}
    for row in book.rows:
        for kind in ("platform_id", "id", "email", "login", "name"):
            if value := getattr(row.student, kind):
                by_value.setdefault((kind, _key(value)), []).append(row)
    filled: set[str] = set()
    for number, known in students.items():
        found = _only(known, by_value, platform)
        if found is None:
            continue
        if found.student.key in filled:
            raise UsageError(f"{worksheet.path}:{number + 1}: {found.student.shown} has two lines")
        filled.add(found.student.key)
        put(worksheet.rows[number], found)
    without = [row for row in book.rows if row.student.key not in filled]
    if without:
        names = Counter(row.student.shown for row in book.rows)
        shown = [
            f"{row.student.shown} ({row.student.id or row.student.email or row.score.submission})"
            if names[row.student.shown] > 1
            else row.student.shown
            for row in without
        ]
        book.told.append(f"not in the worksheet {worksheet.path}: {listed(shown, SHOWN)}")


def _only(
    known: Mapping[str, str], by_value: Mapping[tuple[str, str], Sequence[Row]], platform: str
) -> Row | None:
    """Return the only row that one of the values fits, the surest kind of value first.

    Somebody of the same name with another number is somebody else.
    """
    for kind in ("platform_id", "id", "email", "login", "name"):
        value = known.get(kind, "")
        rows = by_value.get((kind, _key(value)), []) if value else []
        if len(rows) == 1:
            return None if _is_another(known, rows[0], platform) else rows[0]
    return None


def _is_another(known: Mapping[str, str], row: Row, platform: str) -> bool:
    kinds = ["platform_id"] if row.score.attempt.platform == platform else []  # a number of this platform
    return any(
        known.get(kind)
        and getattr(row.student, kind)
        and _key(known[kind]) != _key(getattr(row.student, kind))
        for kind in (*kinds, "id")
    )


def _key(value: str) -> str:
    return " ".join(value.casefold().split())
