"""Several assignments together: the points of each, the sheets that are dropped, and the sum.

Dropped are the sheets of which a student earned the smallest share; a sheet that was not handed in is one of
them, and one on which something is pending is never dropped before that is decided.
Students are found by number, e-mail address and account, or by the name where nothing else is known.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from openpyxl import Workbook
from openpyxl.styles import Font

from grader.attempt import Student
from grader.exports.grades_csv import spreadsheet_text
from grader.gradebooks.book import Book, Row

PENDING, DROPPED = "pending", "dropped"


@dataclass
class SummaryRow:
    """A student with a row of each assignment, None where there is none, and the numbers of those dropped."""

    student: Student
    rows: list[Row | None]
    dropped: set[int] = field(default_factory=set)
    points: float = 0.0
    max_points: float = 0.0
    is_final: bool = True


def summarise(books: Sequence[Book], drop: int = 0) -> list[SummaryRow]:
    """Return a row for each student; `drop` is the number of sheets that do not count.

    Where a name is that of several in one assignment, and nothing else tells them apart, each has a row.
    """
    found: list[SummaryRow] = []
    by_value: dict[tuple[str, str], SummaryRow] = {}
    of_several = {
        value
        for book in books
        for value, number in Counter(value for row in book.rows for value in _values(row)).items()
        if number > 1 and value[0] == "name"
    }
    for number, book in enumerate(books):
        for row in book.rows:
            values = [value for value in _values(row) if value not in of_several]
            summary = next((by_value[value] for value in values if value in by_value), None)
            if summary is None or summary.rows[number] is not None:
                summary = SummaryRow(row.student, [None] * len(books))
                found.append(summary)
            summary.rows[number] = row
            for value in values:
                by_value.setdefault(value, summary)
    for summary in found:
        _add_up(summary, books, drop)
    return sorted(found, key=lambda each: (each.student.shown.casefold(), each.student.key))


def doubtful(summary: Sequence[SummaryRow], books: Sequence[Book]) -> list[str]:
    """Return what is to be told of students with several rows of whom, somewhere, only the name is known."""
    by_name: dict[str, list[SummaryRow]] = {}
    for each in summary:
        by_name.setdefault(_name(each.student), []).append(each)
    told = []
    for rows in by_name.values():
        unknown = [
            book.rubric.assignment
            for number, book in enumerate(books)
            if any((row := each.rows[number]) and _values(row)[0][0] == "name" for each in rows)
        ]
        if len(rows) > 1 and unknown:
            told.append(
                f"{rows[0].student.shown} has {len(rows)} rows: in {', '.join(unknown)} nothing but the name "
                "says who it is; grade again with --roster"
            )
    return told


def _name(student: Student) -> str:
    return " ".join(student.shown.casefold().split())


def _values(row: Row) -> list[tuple[str, str]]:
    """Return what finds a student in another assignment; a name alone only where nothing else is known.

    Moodle's number of a participant is another one in each assignment.
    """
    kinds = ["id", "email", "login"]
    if row.score.attempt.platform != "moodle":
        kinds.append("platform_id")
    told = [(kind, getattr(row.student, kind).casefold()) for kind in kinds if getattr(row.student, kind)]
    return told or [("name", _name(row.student))]


def _add_up(summary: SummaryRow, books: Sequence[Book], drop: int) -> None:
    shares: list[tuple[float, int]] = []
    for number, (row, book) in enumerate(zip(summary.rows, books, strict=True)):
        most = book.rubric.sheet_points
        final = row is None or row.total.is_final
        summary.is_final = summary.is_final and final
        if final and most:
            shares.append(((row.total.points if row else 0.0) / most, number))
    # Sheets of equal shares: the one worth more is dropped, which is the better one for the student.
    shares.sort(key=lambda each: (each[0], -books[each[1]].rubric.sheet_points))
    summary.dropped = {number for _, number in shares[: min(drop, len(books) - 1)]}
    for number, (row, book) in enumerate(zip(summary.rows, books, strict=True)):
        if number not in summary.dropped:
            summary.points += row.total.points if row else 0.0
            summary.max_points += book.rubric.sheet_points


def summary_table(books: Sequence[Book], summary: Sequence[SummaryRow]) -> list[list[str | float]]:
    """Return the headings, then a row for each student."""
    names = [book.rubric.assignment for book in books]
    rows: list[list[str | float]] = [
        ["name", "id", "email", "points", "max_points", "percent", "pending", "dropped", *names]
    ]
    for each in summary:
        student = each.student
        share = 100 * each.points / each.max_points if each.max_points else 0.0
        waiting = [name for name, row in zip(names, each.rows, strict=True) if row and not row.total.is_final]
        dropped = [name for number, name in enumerate(names) if number in each.dropped]
        points: list[str | float] = [row.total.points if row else 0.0 for row in each.rows]
        first = [student.shown, student.id or student.login or student.platform_id, student.email]
        sums = [round(each.points, 10), each.max_points, round(share, 2)]
        rows.append([*first, *sums, "; ".join(waiting), "; ".join(dropped), *points])
    return rows


def summary_csv(rows: Sequence[Sequence[str | float]]) -> bytes:
    """Return the table as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for row in rows:
        writer.writerow([spreadsheet_text(cell) if isinstance(cell, str) else f"{cell:.10g}" for cell in row])
    return b"\xef\xbb\xbf" + text.getvalue().encode(errors="replace")


def summary_xlsx(rows: Sequence[Sequence[str | float]]) -> bytes:
    """Return the table as a workbook."""
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "Course"
    for number, row in enumerate(rows, start=1):
        for column, cell in enumerate(row, start=1):
            target = sheet.cell(number, column)
            target.value = spreadsheet_text(cell) if isinstance(cell, str) else cell
            if isinstance(cell, str):
                target.data_type = "s"
            if number == 1:
                target.font = Font(bold=True)
    sheet.freeze_panes = "B2"
    data = io.BytesIO()
    workbook.save(data)
    return data.getvalue()
