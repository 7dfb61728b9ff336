"""Canvas: the CSV of its gradebook, and a ZIP of feedback in the names of the files that were handed in.

The importer needs the columns `Student`, `ID`, `SIS User ID`, `SIS Login ID`, `Section` and one for the
assignment, `Title (number)`. An empty cell changes nothing.
"""

from __future__ import annotations

import difflib
import io
import zipfile

from grader.errors import UsageError
from grader.exports.grades_csv import spreadsheet_text
from grader.gradebooks.book import FEEDBACK, Book, Row
from grader.gradebooks.worksheet import Worksheet, fill
from grader.report.pages import without_notebook_link

FIRST = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
FURTHER = ("integration id", "root account", "lastname", "firstname")
POSSIBLE = "    Points Possible"
KNOWN = {"platform_id": "id", "id": "sis user id", "login": "sis login id", "name": "student"}


def canvas_gradebook(book: Book) -> bytes:
    """Return the gradebook: the one that Canvas handed out, filled in, or a new one."""
    worksheet = Worksheet.read(book.worksheet) if book.worksheet else _new(book)
    column = _column(book, worksheet)
    known = {kind: worksheet.column(heading) for kind, heading in KNOWN.items()}
    students = {}
    for number, cells in enumerate(worksheet.rows[1:], start=1):
        values = {kind: cells[place] for kind, place in known.items() if place is not None}
        last, comma, first = values.get("name", "").partition(",")
        values["name"] = f"{first.strip()} {last.strip()}" if comma else last
        values["email"] = values.get("login", "")
        students[number] = values

    with_comma = worksheet.decimal_comma

    def put(cells: list[str], row: Row) -> None:
        points = row.points(partial=book.partial)
        if points is not None:
            text = f"{points:.10g}"
            cells[column] = text.replace(".", ",") if with_comma else text

    fill(book, worksheet, "canvas", students, put)
    return worksheet.data(book)


def _column(book: Book, worksheet: Worksheet) -> int:
    """Return the column of the assignment: the one that was named, or the only one that is like its title."""
    headings = worksheet.rows[0]
    fixed = {*map(str.casefold, FIRST), *FURTHER}
    choices = {heading: number for number, heading in enumerate(headings) if heading.casefold() not in fixed}
    if book.column:
        if book.column not in choices:
            raise UsageError(f"{worksheet.path} has no column {book.column!r}; it has {', '.join(choices)}")
        return choices[book.column]
    wanted = (book.rubric.title.casefold(), book.rubric.assignment.casefold().replace("_", " "))
    names = {heading: heading.rpartition(" (")[0].casefold() or heading.casefold() for heading in choices}
    equal = [heading for heading, name in names.items() if name in wanted]
    near = equal or [
        heading
        for heading, name in names.items()
        if any(difflib.SequenceMatcher(None, name, each).ratio() > 0.8 for each in wanted)
    ]
    if len(near) != 1:
        raise UsageError(
            f"which column of {worksheet.path} is it? Give --column, one of: {', '.join(choices)}"
        )
    return choices[near[0]]


def _new(book: Book) -> Worksheet:
    title = spreadsheet_text(book.rubric.title)
    rows = [[*FIRST, title], [POSSIBLE, "", "", "", "", f"{book.rubric.sheet_points:g}"]]
    for row in book.rows:
        student = row.student
        if not (student.platform_id or student.id or student.login):
            book.told.append(f"without a number that Canvas knows: {student.shown}")
        cells = [student.shown, student.platform_id, student.id, student.login or student.email, "", ""]
        rows.append([spreadsheet_text(cell) for cell in cells])
    return Worksheet(book.out, rows)


def canvas_feedback(book: Book) -> bytes:
    """Return a ZIP that Canvas takes as files with comments: it reads from the names whose they are."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for row, page in book.pages_to_hand_out():
            prefix = row.score.attempt.prefix
            if row.score.attempt.platform != "canvas" or not prefix:
                book.told.append(
                    f"not handed in to Canvas, so without a name that it knows: {row.student.shown}"
                )
                continue
            archive.writestr(prefix + FEEDBACK, without_notebook_link(page.read_text(encoding="utf-8")))
    return data.getvalue()
