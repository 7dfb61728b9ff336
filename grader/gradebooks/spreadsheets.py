"""Tables for spreadsheets (CSV, XLSX), for scripts (JSON), and the CSV of nbgrader."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from grader.exports.grades_csv import spreadsheet_text
from grader.gradebooks.book import Book
from grader.records import Status

COLUMNS = (
    "name",
    "id",
    "email",
    "status",
    "points",
    "max_points",
    "pending",
    "handed_in",
    "late",
    "late_loss",
    "submission",
    "other_attempts",
    "remarks",
)
# As nbgrader's own exporter writes them.
NBGRADER = (
    "assignment,duedate,timestamp,student_id,last_name,first_name,email,raw_score,late_submission_penalty,"
    "score,max_score"
).split(",")
PENDING = "pending"
Cell = str | float | None


def csv_file(book: Book) -> bytes:
    """Return the table as CSV, with a mark by which spreadsheets know that it is UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for row in table(book):
        writer.writerow([spreadsheet_text(cell) if isinstance(cell, str) else _number(cell) for cell in row])
    return b"\xef\xbb\xbf" + text.getvalue().encode(errors="replace")


def xlsx_file(book: Book) -> bytes:
    """Return the table as a workbook: numbers are numbers, and no text is a formula."""
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "Grades"
    rows = table(book)
    for number, row in enumerate(rows, start=1):
        for column, cell in enumerate(row, start=1):
            if cell is None:
                continue
            target = sheet.cell(number, column)
            if isinstance(cell, str):
                target.value = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in cell)
                target.data_type = "s"
            else:
                target.value = round(cell, 10)
    for column, heading in enumerate(rows[0], start=1):
        head = sheet.cell(1, column)
        head.font = Font(bold=True)
        head.alignment = Alignment(wrap_text=True, vertical="top")
        wide = {"name": 26, "email": 28, "submission": 34, "remarks": 60, "other_attempts": 24}
        sheet.column_dimensions[get_column_letter(column)].width = wide.get(str(heading), 12)
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = sheet.dimensions
    data = io.BytesIO()
    workbook.save(data)
    return data.getvalue()


def table(book: Book) -> list[list[Cell]]:
    """Return the headings, then a row for each student; a question that waits for a person is `pending`."""
    questions = book.rubric.questions
    rows: list[list[Cell]] = [[*COLUMNS, *(question.id for question in questions)]]
    for row in book.rows:
        score, total = row.score, row.total
        points = {question.id: question.points for question in score.questions}
        graded = score.status is not Status.NOT_GRADED
        cells: list[Cell] = [
            row.student.shown,
            row.student.id or row.student.login or row.student.platform_id,
            row.student.email,
            score.status.value,
            total.points if graded else None,
            total.max_points,
            "; ".join(row.pending),
            score.attempt.time,
            total.late,
            total.loss or None,
            score.submission,
            "; ".join(row.others),
            " ".join(score.remarks),
        ]
        for question in questions:
            earned = points.get(question.id)
            cells.append(PENDING if earned is None else earned)
        rows.append(cells)
    return rows


def json_file(book: Book) -> bytes:
    """Return the rows for scripts, with the points of every question."""
    students = [
        {
            **asdict(row.student),
            "submission": row.score.submission,
            "status": row.score.status.value,
            **asdict(row.total),
            "pending_parts": list(row.pending),
            "handed_in": row.score.attempt.time,
            "other_attempts": list(row.others),
            "questions": {question.id: question.points for question in row.score.questions},
            "remarks": list(row.score.remarks),
        }
        for row in book.rows
    ]
    content = {
        "assignment": book.rubric.assignment,
        "title": book.rubric.title,
        "max_points": book.rubric.sheet_points,
        "students": students,
    }
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode(errors="replace")


def nbgrader_file(book: Book) -> bytes:
    """Return the columns that nbgrader's exporter writes; what is pending has no score."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(NBGRADER)
    deadline = book.rubric.deadline
    for row in book.rows:
        points = row.points(partial=book.partial)
        first, _, last = row.student.name.rpartition(" ")
        known: Sequence[float | None] = (None, None, None)
        if points is not None:
            known = (row.total.earned, row.total.loss, points)
        cells = [
            book.rubric.assignment,
            deadline.isoformat() if deadline else "",
            row.score.attempt.time,
            row.student.login or row.student.id or row.student.email,
            last,
            first,
            row.student.email,
            *map(_number, known),
            _number(row.total.max_points),
        ]
        writer.writerow([spreadsheet_text(cell) if number < 7 else cell for number, cell in enumerate(cells)])
    return text.getvalue().encode(errors="replace")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"
