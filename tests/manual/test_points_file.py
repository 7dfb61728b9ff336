"""A table that people fill in: what comes back is checked, and taken over as a whole or not at all."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import score
from support_manual import fill

from grader.attempt import Attempt
from grader.errors import UsageError
from grader.manual.decisions import Decisions, Wish
from grader.manual.points_file import import_points, table_rows, write_points
from grader.manual.worklist import Worklist
from grader.store import Store

Edit = Callable[[list[dict[str, str]]], None]


@pytest.fixture
def store() -> Iterator[Store]:
    with Store() as opened:
        yield fill(opened)


def exported(store: Store, path: Path) -> Path:
    write_points(path, table_rows(Worklist(store, "tiny"), Decisions(store, "tiny")))
    return path


def edited(path: Path, edit: Edit) -> Path:
    if path.suffix == ".xlsx":
        openpyxl = pytest.importorskip("openpyxl")
        book = openpyxl.load_workbook(path)
        sheet = book.active
        head = [cell.value for cell in sheet[1]]
        rows = [
            dict(zip(head, ("" if c.value is None else str(c.value) for c in row), strict=True))
            for row in sheet.iter_rows(min_row=2)
        ]
        edit(rows)
        sheet.delete_rows(2, sheet.max_row)
        for row in rows:
            sheet.append(list(row.values()))
        book.save(path)
        return path
    with path.open(encoding="utf-8-sig", newline="") as file:
        text = file.read()
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";" if ";" in text.partition("\n")[0] else ","))
    edit(rows)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), delimiter=";")  # as a spreadsheet may write it
        writer.writeheader()
        writer.writerows(rows)
    return path


def taken(store: Store, path: Path) -> int:
    return len(import_points(path, Worklist(store, "tiny"), Decisions(store, "tiny"), "ben"))


def row(rows: list[dict[str, str]], name: str, question: str = "essay") -> dict[str, str]:
    return next(each for each in rows if each["submission"] == name and each["question"] == question)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_table_comes_back_with_what_was_filled_in(store: Store, tmp_path: Path, suffix: str) -> None:
    def edit(rows: list[dict[str, str]]) -> None:
        row(rows, "anna").update(points="1,5", comment="Why at *most*?\nAnd = ?")
        row(rows, "'=emil").update(points="0")
        row(rows, "bert", "double").update(points="3")

    path = edited(exported(store, tmp_path / f"points{suffix}"), edit)
    assert taken(store, path) == 3
    scores = store.get_scores("tiny")
    assert scores["anna"].questions[1].points == 1.5
    assert scores["anna"].questions[1].decided.comment == "Why at *most*?\nAnd = ?"  # type: ignore[union-attr]
    assert scores["=emil"].questions[1].points == 0.0
    assert scores["bert"].questions[0].points == 3.0
    assert taken(store, exported(store, path)) == 0


WRONG: dict[str, tuple[Edit, str]] = {
    "an unknown student": (
        lambda rows: row(rows, "anna").update(submission="ana"),
        "line 2: there is no submission 'ana'",
    ),
    "an unknown question": (
        lambda rows: row(rows, "anna").update(question="esay"),
        "line 2: anna has no question 'esay'",
    ),
    "too many points": (
        lambda rows: row(rows, "anna").update(points="3"),
        "line 2: 3 points, but it has 0 to 2",
    ),
    "no number": (lambda rows: row(rows, "anna").update(points="two"), "line 2: 'two' in the column points"),
    "not a number": (
        lambda rows: row(rows, "anna").update(points="nan"),
        "line 2: 'nan' in the column points",
    ),
    "a row twice": (lambda rows: rows.append({**row(rows, "carl")}), "the same answer as in line"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_one_wrong_row_is_told_with_its_line_and_nothing_is_taken_over(
    store: Store, tmp_path: Path, kind: str
) -> None:
    change, words = WRONG[kind]

    def edit(rows: list[dict[str, str]]) -> None:
        rows[:] = [row(rows, "anna"), *(each for each in rows if each is not row(rows, "anna"))]
        row(rows, "carl").update(points="1")
        change(rows)

    path = edited(exported(store, tmp_path / "points.csv"), edit)
    with pytest.raises(UsageError, match=words):
        taken(store, path)
    assert Decisions(store, "tiny").history() == []


def test_a_row_that_somebody_else_decided_since_is_told(store: Store, tmp_path: Path) -> None:
    path = exported(store, tmp_path / "points.csv")
    Decisions(store, "tiny").decide([Wish("anna", "essay", 2.0)], "cleo")
    assert taken(store, edited(path, lambda rows: row(rows, "carl").update(points="1"))) == 1
    path = edited(path, lambda rows: row(rows, "anna").update(points="1"))
    with pytest.raises(UsageError, match=r"cleo has decided since the table was made \(2.0 points\)"):
        taken(store, path)


def test_points_that_are_gone_are_no_undo(store: Store, tmp_path: Path) -> None:
    Decisions(store, "tiny").decide([Wish("anna", "essay", 2.0)], "cleo")
    path = edited(exported(store, tmp_path / "points.csv"), lambda rows: row(rows, "anna").update(points=""))
    with pytest.raises(UsageError, match="grader points undo"):
        taken(store, path)


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00", b"PK\x03\x04 no workbook"])
@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_what_is_no_table_is_refused(store: Store, tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)
    with pytest.raises(UsageError):
        taken(store, path)


def test_a_table_of_a_question_has_no_hand_in_that_does_not_count(store: Store) -> None:
    store.put_scores("tiny", [score("carl", directory="carl", attempt=Attempt(counts=False))], "course")
    rows = table_rows(Worklist(store, "tiny"), Decisions(store, "tiny"), "essay")
    assert {str(row["submission"]) for row in rows} >= {"anna", "bert"}
    assert "carl" not in {row["submission"] for row in rows}


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_words_that_look_like_a_formula_come_back_as_they_were(
    store: Store, tmp_path: Path, suffix: str
) -> None:
    words = "-1 for the sign\n= not shown\n'quoted'"
    Decisions(store, "tiny").decide([Wish("anna", "essay", 1.0, words)], "ta")

    def change(rows: list[dict[str, str]]) -> None:
        for row in rows:
            if row["submission"] == "anna" and row["question"] == "essay":
                row["points"] = "0.5"

    assert taken(store, edited(exported(store, tmp_path / f"points{suffix}"), change)) == 1
    standing = Decisions(store, "tiny").standing("anna", "essay")
    assert standing is not None
    assert (standing.points, standing.comment) == (0.5, words)


def test_a_table_in_another_encoding_is_refused_with_what_to_do(store: Store, tmp_path: Path) -> None:
    path = exported(store, tmp_path / "points.csv")
    text = path.read_text(encoding="utf-8-sig").replace(",,,0", ",1,schön,,0", 1)
    path.write_bytes(text.encode("cp1252"))
    with pytest.raises(UsageError, match="save it as CSV UTF-8"):
        taken(store, path)
