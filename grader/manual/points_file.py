"""Decisions as a table (CSV or XLSX) that people share out and fill in, and back.

    submission, student, question, title, max_points, judged, points, comment, reason, version

On the way back each row is checked. If one is wrong, every wrong row is told with its line, and nothing is
taken over. `version` says what stood when the table was made: a row that a person changed, and somebody else
too, is told.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from grader.decision import Decision, DecisionKind
from grader.errors import ConflictError, MissingPackageError, UsageError
from grader.exports.grades_csv import spreadsheet_text
from grader.final import Waits
from grader.manual.decisions import Decisions, Wish, check_points
from grader.manual.worklist import Item, Worklist
from grader.project import quoted
from grader.store.standing import Standing

COLUMNS = (
    "submission",
    "student",
    "question",
    "title",
    "max_points",
    "judged",
    "points",
    "comment",
    "reason",
    "version",
)
NEEDED = ("submission", "question", "points", "version")
WIDTHS = (32, 26, 26, 40, 8, 8, 8, 60, 40, 8)
ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # that no XLSX file may hold
MAX_BYTES = 64 << 20
MAX_SHOWN = 30
Row = dict[str, Any]


def write_points(path: Path, rows: Iterable[Row]) -> None:
    """Write a table; its form is that of the file's suffix. Raises UsageError."""
    if path.suffix.lower() not in (".csv", ".xlsx"):
        raise UsageError(f"{path}: give a file that ends in .csv or .xlsx")
    try:
        if path.suffix.lower() == ".csv":
            text = io.StringIO()
            writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
            path.write_text(text.getvalue(), encoding="utf-8-sig")
        else:
            _write_workbook(path, rows)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def _write_workbook(path: Path, rows: Iterable[Row]) -> None:
    openpyxl = _openpyxl()
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "points"
    sheet.append(COLUMNS)
    for cell in sheet[1]:
        cell.font = openpyxl.styles.Font(bold=True)
    for row in rows:
        sheet.append([ILLEGAL.sub("\ufffd", v) if isinstance(v, str) else v for v in row.values()])
    for letter, width in zip("ABCDEFGHIJ", WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    book.save(path)


def table_rows(
    worklist: Worklist, decisions: Decisions, question: str | None = None, *, only_open: bool = False
) -> list[Row]:
    """Return the rows of a table: of all questions that a person decides or has decided."""
    items = worklist.items(question=question, only_open=only_open)
    wanted = [
        item
        for item in items
        if item.open or item.version or (question is not None and item.waits is not Waits.SUPERSEDED)
    ]
    standing = decisions.all_standing(question)
    return [_row(item, standing.get(item.submission, {}).get(item.question)) for item in wanted]


def _row(item: Item, decision: Decision | None) -> Row:
    return {
        "submission": spreadsheet_text(item.submission),
        "student": spreadsheet_text(item.who),
        "question": item.question,
        "title": spreadsheet_text(item.title),
        "max_points": item.max_points,
        "judged": item.judged,
        "points": item.points,
        "comment": _cell(decision.comment) if decision else "",
        "reason": _cell(decision.reason) if decision else "",
        "version": item.version,
    }


def _cell(text: str) -> str:
    return "\n".join(spreadsheet_text(line) for line in text.splitlines())


def _words(cell: str) -> str:
    """Return a text without the apostrophes that `_cell` put before what looks like a formula."""
    lines = cell.splitlines()
    return "\n".join(line[1:] if line[:1] == "'" and _cell(line[1:]) == line else line for line in lines)


def import_points(path: Path, worklist: Worklist, decisions: Decisions, person: str) -> list[Decision]:
    """Take the changed rows of a table over; raise UsageError, with every wrong row, and take none."""
    items = {(item.submission, item.question): item for item in worklist.items()}
    names = {spreadsheet_text(name): name for name, _ in items} | {name: name for name, _ in items}
    standing = decisions.all_standing()
    wishes, wrong, lines = [], [], dict[tuple[str, str], int]()
    for line, row in _read(path):
        try:
            wish = _wish(row, names, items, standing, decisions)
        except UsageError as error:
            wrong.append(f"line {line}: {error}")
            continue
        if wish is None:
            continue
        key = (wish.submission, wish.question)
        if key in lines:
            wrong.append(f"line {line}: the same answer as in line {lines[key]}")
        lines[key] = line
        wishes.append(wish)
    if wrong:
        more = f"\nand {len(wrong) - MAX_SHOWN} more" if len(wrong) > MAX_SHOWN else ""
        shown = "\n".join(wrong[:MAX_SHOWN])
        raise UsageError(f"nothing of {path} was taken over:\n{shown}{more}")
    try:
        return decisions.decide(wishes, person)
    except ConflictError as error:
        raise UsageError(f"nothing of {path} was taken over: {error}; export it again") from error


def _wish(
    row: dict[str, str],
    names: dict[str, str],
    items: dict[tuple[str, str], Item],
    standing: Standing,
    decisions: Decisions,
) -> Wish | None:
    """Return what a row asks for, None if that is what stands; raise UsageError for a row that is wrong."""
    submission = names.get(row["submission"])
    if submission is None:
        raise UsageError(f"there is no submission {row['submission']!r}")
    item = items.get((submission, row["question"]))
    if item is None:
        raise UsageError(f"{row['submission']} has no question {row['question']!r}")
    points = _number(row["points"], "points")
    decision = standing.get(submission, {}).get(item.question)
    before = _row(item, decision)
    comment = str(row.get("comment", before["comment"])).strip()
    reason = str(row.get("reason", before["reason"])).strip()
    if (points, comment, reason) == (item.points, before["comment"].strip(), before["reason"].strip()):
        return None
    version = _number(row["version"], "version")
    if version != item.version:
        if _is_untouched((points, comment, reason), item, version, decisions):
            return None
        by = f"{item.person} has decided" if item.person else "it has changed"
        raise UsageError(f"{by} since the table was made ({item.points} points); export it again")
    if points is None and item.points is not None:
        raise UsageError("its points are gone; to take them back: grader points undo")
    check_points(points, item.allowed)
    changed = item.judged is not None and points is not None and abs(points - item.judged) > 1e-9
    if changed and not (reason or comment):
        raise UsageError(f"the judge gave {item.judged:g} points; say in the column reason why they change")
    return Wish(
        submission,
        item.question,
        points,
        _words(comment),
        decision.comments if decision else (),
        _words(reason),
        item.version,
        DecisionKind.IMPORTED,
    )


def _is_untouched(
    given: tuple[float | None, str, str], item: Item, version: float | None, decisions: Decisions
) -> bool:
    """Whether a row still says what stood when the table was made."""
    if version == 0:
        return given == (item.judged, "", "")
    history = decisions.history(item.submission, item.question)
    then = next((each for each in history if each.version == version), None)
    if then is None:
        return False
    words = _cell(then.comment).strip(), _cell(then.reason).strip()
    return given == (item.judged if then.points is None else then.points, *words)


def _number(text: str, what: str) -> float | None:
    text = text.strip().replace(",", ".")
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(f"{text!r} in the column {what} is no number")
    return number


def _read(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Return the rows of a table with their lines; raise UsageError for what is no such table."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path} has more than {MAX_BYTES >> 20} MB")
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    reader: Callable[[bytes], list[list[str]]] = (
        _read_workbook if path.suffix.lower() == ".xlsx" else _read_csv
    )
    try:
        lines = reader(data)
    except (csv.Error, ValueError, KeyError, OSError) as error:
        raise UsageError(f"{path} is no table (CSV or XLSX): {error}") from error
    head = [cell.strip().casefold() for cell in lines[0]] if lines else []
    missing = [name for name in NEEDED if name not in head]
    if missing:
        raise UsageError(f"{path}: the first line lacks the column {missing[0]}; it has: {', '.join(head)}")
    rows = []
    for number, cells in enumerate(lines[1:], 2):
        if any(cell.strip() for cell in cells):
            padded = [*cells, *[""] * (len(head) - len(cells))]
            rows.append((number, dict(zip(head, padded, strict=False))))
    return rows


def _read_csv(data: bytes) -> list[list[str]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("it is not in UTF-8; save it as CSV UTF-8, or as .xlsx") from error
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def _read_workbook(data: bytes) -> list[list[str]]:
    openpyxl = _openpyxl()
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except Exception as error:  # the reader raises what its parts do
        raise ValueError(str(error) or type(error).__name__) from error
    sheet: Sequence[Any] = book.worksheets[0].iter_rows(values_only=True)
    return [["" if cell is None else str(cell) for cell in row] for row in sheet]


def _openpyxl() -> Any:
    try:
        import openpyxl  # noqa: PLC0415 -- of an extra
        import openpyxl.styles  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"the package openpyxl is missing; run: pip install {quoted('grade')}, or use a file .csv"
        ) from error
    return openpyxl
