"""Moodle: the worksheet of offline grading, and the ZIP of feedback files.

The importer reads the columns `Identifier`, `Grade`, `Last modified (grade)` and `Feedback comments`, by
their headings in the language of the site, and finds a student by the number behind the word in `Identifier`.
Of the feedback files it reads the number from the names of their folders, as in
`Full name_1234567_assignsubmission_file_`.
"""

from __future__ import annotations

import io
import re
import zipfile

from grader.exports.grades_csv import spreadsheet_text
from grader.gradebooks.book import FEEDBACK, Book, Row
from grader.gradebooks.worksheet import Worksheet, fill
from grader.moodle_table import HEADINGS, number_of, participants
from grader.report.pages import without_notebook_link

OWN = (
    "Identifier",
    "Full name",
    "ID number",
    "Email address",
    "Status",
    "Grade",
    "Maximum Grade",
    "Grade can be changed",
    "Last modified (submission)",
    "Last modified (grade)",
    "Feedback comments",
)
PARTICIPANT = "Participant "


def moodle_worksheet(book: Book) -> bytes:
    """Return the worksheet: the one that Moodle handed out, filled in, or a new one."""
    worksheet = Worksheet.read(book.worksheet) if book.worksheet else _new(book)
    identifier = participants(worksheet.rows)
    if identifier is None:
        identifier = worksheet.needed("the participant", *HEADINGS["identifier"])
    grade = (
        worksheet.needed("the grade", book.column.strip().casefold())
        if book.column
        else worksheet.needed("the grade; if it is another one, give --column", *HEADINGS["grade"])
    )
    maximum, comments = worksheet.column(*HEADINGS["maximum"]), worksheet.column(*HEADINGS["comments"])
    if maximum is None:
        book.told.append("no column of the worksheet is known as Moodle's maximum: the grades are not scaled")
    if comments is None:
        book.told.append(
            "no column of the worksheet is known as Moodle's comments: the result in words is not in it"
        )
    known = {kind: worksheet.column(*HEADINGS[kind]) for kind in ("name", "id", "email")}
    comma = worksheet.decimal_comma
    if comma is None:  # most languages but English write 1,5
        comma = worksheet.rows[0][grade].strip().casefold() != "grade"
    students = {}
    for number, cells in enumerate(worksheet.rows[1:], start=1):
        values = {kind: cells[column] for kind, column in known.items() if column is not None}
        students[number] = {**values, "platform_id": number_of(cells[identifier])}
    scaled, cut = set[float](), list[str]()

    def put(cells: list[str], row: Row) -> None:
        points = row.points(partial=book.partial)
        if points is not None:
            most = _read(cells[maximum]) if maximum is not None else None
            if most and abs(most - row.total.max_points) > 1e-9:
                scaled.add(most)
                points *= most / row.total.max_points
            if most and points > most:
                cut.append(row.student.shown)
                points = most
            text = f"{points:.2f}"
            cells[grade] = text.replace(".", ",") if comma else text
        if comments is not None:
            cells[comments] = spreadsheet_text(row.words)

    fill(book, worksheet, "moodle", students, put)
    for most in sorted(scaled):
        book.told.append(
            f"Moodle's maximum is {most:g}, the sheet's {book.rubric.sheet_points:g}: grades are scaled"
        )
    if cut:
        book.told.append(f"Moodle takes no more than its maximum; cut to it: {', '.join(cut[:5])}")
    return worksheet.data(book)


def _new(book: Book) -> Worksheet:
    """Return an empty worksheet for the students whose numbers are known."""
    rows = [list(OWN)]
    for row in book.rows:
        student = row.student
        if not student.platform_id:
            book.told.append(f"without a participant number, which Moodle needs: {student.shown}")
            continue
        texts = map(spreadsheet_text, (student.shown, student.id, student.email))
        cells = [PARTICIPANT + student.platform_id, *texts, "", ""]
        rows.append([*cells, f"{row.total.max_points:.2f}", "Yes", "-", "-", ""])
    return Worksheet(book.out, rows)


def _read(text: str) -> float | None:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None


def moodle_feedback(book: Book) -> bytes:
    """Return the ZIP of feedback files; each page is in a folder that tells Moodle whose it is."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for row, page in book.pages_to_hand_out():
            if not row.student.platform_id:
                book.told.append(f"without a participant number, which Moodle needs: {row.student.shown}")
                continue
            name = re.sub(r"[_/\\:*?\"<>|\x00-\x1f]", " ", row.student.shown)
            folder = f"{name}_{row.student.platform_id}_assignsubmission_file_"
            archive.writestr(f"{folder}/{FEEDBACK}", without_notebook_link(page.read_text(encoding="utf-8")))
    return data.getvalue()
