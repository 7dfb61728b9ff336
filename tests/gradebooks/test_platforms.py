"""What a learning platform reads of our files, by importers that do what the platforms' own do."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import load_workbook
from support import not_graded, rubric, score

from grader.attempt import Attempt, Student
from grader.course.rubric import Late
from grader.errors import UsageError
from grader.gradebooks.book import Book, rows_of
from grader.gradebooks.canvas import canvas_feedback, canvas_gradebook
from grader.gradebooks.feedback import feedback_zip
from grader.gradebooks.formats import FORMATS
from grader.gradebooks.gradescope import gradescope_results
from grader.gradebooks.moodle import moodle_feedback, moodle_worksheet
from grader.gradebooks.spreadsheets import NBGRADER, csv_file, json_file, nbgrader_file, xlsx_file
from grader.records import Score, Status, Summary

ANNA = Student("Anna O'Neil", "s1", "anna@example.org", "1001", "oneil")
JO = Student("Jörg Doe", "s2", "joerg@example.org", "1002", "doe")
JO_TOO = Student("Jörg Doe", "s3", "jd@example.org", "1003", "doe2")
EVIL = Student("=HYPERLINK(1)", "s4", "evil@example.org", "1004", "evil")
LATE = Late(loss=0.5)


def done(
    name: str, student: Student, points: float = 2.0, essay: float | None = 1.5, **attempt: object
) -> Score:
    """Return a score with the written part graded, or still pending."""
    made = score(name, points)
    double, written = made.questions
    told = Attempt((student,), **attempt)  # type: ignore[arg-type]
    return replace(made, questions=(double, replace(written, points=essay)), attempt=told, directory=name)


def scores() -> list[Score]:
    return [
        done("anna", ANNA),
        done("jo", JO, late_seconds=3600.0, platform="canvas", prefix="doejoerg_LATE_1002_77_"),
        done("jo2", JO_TOO, essay=None),
        done("evil", EVIL, 0.0, 0.0),
    ]


def book(tmp_path: Path, found: list[Score] | None = None, **changes: object) -> Book:
    course = rubric().model_copy(update={"late": LATE})
    found = scores() if found is None else found
    for each in found:
        (tmp_path / each.directory).mkdir(exist_ok=True)
        page = f'<h1>{each.submission}</h1>\n<p><a href="notebook.html">The notebook as it ran</a></p>\n'
        (tmp_path / each.directory / "feedback.html").write_text(page)
    return Book(course, rows_of(found, course), tmp_path, **changes)  # type: ignore[arg-type]


def table(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def moodle_import(data: bytes) -> dict[str, tuple[str, str]]:
    """Return the grade and comment of each participant, as Moodle's importer reads them."""
    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    columns = {heading: number for number, heading in enumerate(rows[0])}
    needed = ("Identifier", "Grade", "Last modified (grade)")
    assert all(name in columns for name in needed), "Moodle refuses the file"
    found = {}
    for row in rows[1:]:
        number = row[columns["Identifier"]][len("Participant ") :]
        if number.isdigit():
            found[number] = (row[columns["Grade"]], row[columns["Feedback comments"]])
    return found


def moodle_feedback_import(data: bytes) -> dict[str, str]:
    """Return the file that each participant gets, as Moodle's importer of a ZIP reads the names."""
    found = {}
    for name in zipfile.ZipFile(io.BytesIO(data)).namelist():
        parts = name.split("/")
        while parts:
            told = parts.pop(0).split("_", 4)
            if len(told) >= 4 and told[1].isdigit():
                assert (told[2], told[3]) in {("assignsubmission", "file"), ("assignfeedback", "file")}
                found[told[1]] = "/".join([*told[4:], *parts]).lstrip("/")
                break
    return found


def canvas_import(data: bytes) -> dict[str, str]:
    """Return the grade by the number of a student, as Canvas's importer reads a gradebook."""
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert rows[0][:2] == ["Student", "ID"], "Canvas refuses the file"
    assert "Section" in rows[0]
    column = len(rows[0]) - 1
    students = [row for row in rows[1:] if "points possible" not in row[0].casefold()]
    return {row[1]: row[column] for row in students if row[column]}


def test_moodle_reads_the_grade_and_the_comment_of_each_student(tmp_path: Path) -> None:
    found = moodle_import(moodle_worksheet(book(tmp_path)))
    assert {number: grade for number, (grade, _) in found.items()} == {
        "1001": "3.50",
        "1002": "1.75",
        "1003": "",
        "1004": "0.00",
    }
    assert found["1002"][1] == "1.75 of 5 points. Handed in 1 h late: 1.75 points less."
    assert found["1003"][1] == "2 of 5 points so far. Pending: Essay."


def test_a_student_whom_one_run_knew_by_the_number_alone_has_one_row(tmp_path: Path) -> None:
    late = done("late", Student("Anna", platform_id="1001"), platform="moodle", counts=False)
    found = [done("anna", ANNA, platform="moodle"), late, done("other", replace(JO, platform_id="1001"))]
    rows = book(tmp_path, found).rows
    assert [(row.student, row.score.submission, row.others) for row in rows] == [
        (ANNA, "anna", ("late",)),
        (replace(JO, platform_id="1001"), "other", ()),
    ]


def test_points_so_far_are_written_where_they_are_asked_for(tmp_path: Path) -> None:
    assert moodle_import(moodle_worksheet(book(tmp_path, partial=True)))["1003"][0] == "2.00"


WORKSHEET = """\
Identifier,Full name,ID number,Email address,Status,Grade,Maximum Grade,Grade can be changed,\
Last modified (submission),Last modified (grade),Feedback comments
Participant 1001,Anna O'Neil,s1,anna@example.org,Submitted for grading,,5.00,Yes,"Monday, 1 June 2026, 1:00 PM",-,
Participant 7777,Somebody Else,s9,else@example.org,No submission,4.00,5.00,Yes,-,"Monday, 1 June 2026, 1:00 PM",old
Participant 1003,Jörg Doe,s3,jd@example.org,Submitted for grading,1.00,5.00,Yes,-,-,
Participant 1002,Jörg Doe,s2,joerg@example.org,Submitted for grading,,5.00,Yes,-,-,
"""


def test_the_worksheet_that_moodle_handed_out_is_filled_in_and_nothing_else_changes(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text(WORKSHEET, encoding="utf-8")
    made = book(tmp_path, worksheet=tmp_path / "w.csv")
    rows = table(moodle_worksheet(made))
    before = table(WORKSHEET.encode())
    assert [row["Grade"] for row in rows] == ["3.50", "4.00", "1.00", "1.75"]
    for old, new in zip(before, rows, strict=True):
        changed = {name for name in old if old[name] != new[name]}
        assert changed <= {"Grade", "Feedback comments"}
    assert rows[1] == before[1]
    assert made.told == [f"not in the worksheet {tmp_path / 'w.csv'}: =HYPERLINK(1)"]


def test_two_of_one_name_without_a_line_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("Identifier,Full name,Grade\nParticipant 1001,Anna O'Neil,\n")
    made = book(tmp_path, scores()[:3], worksheet=tmp_path / "w.csv")
    moodle_worksheet(made)
    assert made.told[-1] == f"not in the worksheet {tmp_path / 'w.csv'}: Jörg Doe (s2), Jörg Doe (s3)"


def test_another_maximum_in_moodle_scales_the_grades_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text(WORKSHEET.replace("5.00", "100.00"), encoding="utf-8")
    made = book(tmp_path, worksheet=tmp_path / "w.csv")
    assert table(moodle_worksheet(made))[0]["Grade"] == "70.00"
    assert any("Moodle's maximum is 100, the sheet's 5: grades are scaled" in words for words in made.told)


def test_a_worksheet_in_german_is_filled_in_with_a_comma(tmp_path: Path) -> None:
    german = "ID,Vollständiger Name,E-Mail-Adresse,Status,Bewertung,Bestwertung,Feedback als Kommentar\n"
    german += 'Teilnehmer/in1001,Anna O\'Neil,anna@example.org,x,,"5,00",\n'
    (tmp_path / "w.csv").write_text(german, encoding="utf-8")
    (row,) = table(moodle_worksheet(book(tmp_path, worksheet=tmp_path / "w.csv")))
    assert (row["Bewertung"], row["Feedback als Kommentar"]) == ("3,50", "3.5 of 5 points.")


@pytest.mark.parametrize(
    ("headings", "identifier", "maximum", "grade"),
    [
        ("ID;Vollständiger Name;Bewertung;Bestwertung", "Teilnehmer/in 1003", "5,00", "3,50"),
        ("Identifier;Full name;Grade;Maximum Grade", "Participant 1003", "5,00", "3,50"),
        ("识别码;全名;成绩;最高分", "参与者1003", "5.00", "3.50"),
        ("Identificador;Nombre completo;Calificación;Calificación máxima", "Participante1003", "", "3,50"),
        ("Tunnus;Nimi;Grade;Paras", "Osallistuja 1003", "5.00", "3.50"),
    ],
)
def test_a_worksheet_in_any_language_is_filled_in_by_the_numbers_and_with_its_own_decimal_mark(
    tmp_path: Path, headings: str, identifier: str, maximum: str, grade: str
) -> None:
    other = identifier.replace("1003", "1002")
    text = f"{headings}\n{other};Jörg Doe;;{maximum}\n{identifier};Jörg Doe;;{maximum}\n"
    (tmp_path / "w.csv").write_text(text, encoding="utf-8")
    found = [done("jo", replace(JO, platform_id="1002"), 0.0, 0.0), done("jo2", JO_TOO)]
    made = book(tmp_path, found, worksheet=tmp_path / "w.csv")
    rows = [line.split(";") for line in moodle_worksheet(made).decode().splitlines()]
    assert [row[2] for row in rows[1:]] == ["0,00" if "," in grade else "0.00", grade]
    assert any("Moodle's comments" in words for words in made.told)
    assert any("Moodle's maximum: the grades are not" in words for words in made.told) == (
        "Paras" in headings
    )


def test_the_column_for_the_grades_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("Tunnus,Nimi,Arvo\nOsallistuja 1001,Anna,\n")
    with pytest.raises(UsageError, match="no column for the grade; if it is another one, give --column"):
        moodle_worksheet(book(tmp_path, worksheet=tmp_path / "w.csv"))
    (row,) = table(moodle_worksheet(book(tmp_path, worksheet=tmp_path / "w.csv", column="Arvo")))
    assert row["Arvo"] == "3,50"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
        (b"", "cp1252"),
    ],
)
def test_a_worksheet_comes_back_in_the_form_in_which_it_came(
    tmp_path: Path, delimiter: str, mark: bytes, encoding: str
) -> None:
    text = io.StringIO()
    rows = list(csv.reader(io.StringIO(WORKSHEET)))
    csv.writer(text, delimiter=delimiter).writerows(rows)
    (tmp_path / "w.csv").write_bytes(mark + text.getvalue().encode(encoding))
    data = moodle_worksheet(book(tmp_path, worksheet=tmp_path / "w.csv"))
    assert data.startswith(mark)
    read = csv.DictReader(io.StringIO(data.removeprefix(mark).decode(encoding)), delimiter=delimiter)
    assert [(row["Full name"], row["Grade"]) for row in read] == [
        ("Anna O'Neil", "3.50"),
        ("Somebody Else", "4.00"),
        ("Jörg Doe", "1.00"),
        ("Jörg Doe", "1.75"),
    ]


def test_a_worksheet_whose_encoding_lacks_a_character_comes_back_in_utf_8(
    tmp_path: Path,
) -> None:
    (tmp_path / "w.csv").write_bytes(WORKSHEET.replace("Somebody Else", "Zoë").encode("cp1252"))
    found = scores()
    question = replace(found[0].questions[1], points=None, title="Is σ small?")
    found[0] = replace(found[0], questions=(found[0].questions[0], question))
    made = book(tmp_path, found, worksheet=tmp_path / "w.csv")
    rows = table(moodle_worksheet(made))
    assert "Is σ small?" in rows[0]["Feedback comments"]
    assert rows[1]["Full name"] == "Zoë"
    assert any("cp1252, which has no 'σ': the table is written in UTF-8" in words for words in made.told)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "no column for the participant"),
        ("", "has no students"),
        ("Identifier,Grade\n", "no students"),
    ],
)
def test_a_worksheet_that_is_none_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "w.csv").write_text(text)
    with pytest.raises(UsageError, match=message):
        moodle_worksheet(book(tmp_path, worksheet=tmp_path / "w.csv"))


def test_moodle_hands_each_page_to_its_student(tmp_path: Path) -> None:
    data = moodle_feedback(book(tmp_path, partial=True))
    assert moodle_feedback_import(data) == dict.fromkeys(("1001", "1002", "1003", "1004"), "feedback.html")
    archive = zipfile.ZipFile(io.BytesIO(data))
    pages = {re.findall(r"_(\d+)_", name)[0]: archive.read(name).decode() for name in archive.namelist()}
    assert "<h1>jo2</h1>" in pages["1003"]
    assert not any("notebook.html" in page for page in pages.values())


@pytest.mark.parametrize("make", [moodle_feedback, feedback_zip, canvas_feedback])
def test_a_page_that_is_not_finished_is_left_out_loudly_unless_it_is_asked_for(
    tmp_path: Path, make: Callable[[Book], bytes]
) -> None:
    found = [
        replace(each, attempt=replace(each.attempt, platform="canvas", prefix=f"{each.submission}_"))
        for each in scores()
    ]
    made = book(tmp_path, found)
    data = make(made)
    pages = [
        archive.read(name).decode()
        for archive in [zipfile.ZipFile(io.BytesIO(data))]
        for name in archive.namelist()
    ]
    assert len(pages) == 3
    assert not any("<h1>jo2</h1>" in page for page in pages)
    (warning,) = made.warned
    assert warning.startswith("1 of 4 pages is NOT FINISHED, and left out: Jörg Doe. `grader todo --out")
    assert "give --partial" in warning
    made = book(tmp_path, found, partial=True)
    assert len(zipfile.ZipFile(io.BytesIO(make(made))).namelist()) == 4
    assert "1 of 4 pages is NOT FINISHED, and in the file all the same: Jörg Doe." in made.warned[0]
    with pytest.raises(UsageError, match="1 of 1 page is NOT FINISHED, so there is nothing to hand out"):
        make(book(tmp_path, [found[2]]))


def test_an_underscore_in_a_name_does_not_hide_the_number_from_moodle(tmp_path: Path) -> None:
    student = replace(ANNA, name="An_na_9999_x/..")
    found = moodle_feedback_import(moodle_feedback(book(tmp_path, [done("a", student)])))
    assert found == {"1001": "feedback.html"}


def test_canvas_reads_the_points_of_those_who_are_done(tmp_path: Path) -> None:
    assert canvas_import(canvas_gradebook(book(tmp_path))) == {"1001": "3.5", "1002": "1.75", "1004": "0"}


GRADEBOOK = """\
Student,ID,SIS User ID,SIS Login ID,Section,Warm-up (41),Tiny & small (42),Final Score
    Points Possible,,,,,10,5,(read only)
"O'Neil, Anna",1001,s1,oneil,01,9,,90
"Doe, Jörg",1003,s3,doe2,01,8,4,80
"Doe, Jörg",1002,s2,doe,01,7,,70
"Student, Test",,,,01,,,
"""


def test_a_gradebook_of_canvas_with_commas_is_filled_in_with_commas(tmp_path: Path) -> None:
    text = (
        GRADEBOOK.replace('"O\'Neil, Anna"', "O'Neil|Anna").replace('"', "").replace("Doe, Jörg", "Doe|Jörg")
    )
    text = (
        text.replace("Student, Test", "Student|Test")
        .replace(",", ";")
        .replace("|", ", ")
        .replace(";9;", ";9,25;")
    )
    (tmp_path / "g.csv").write_text(text, encoding="utf-8")
    data = canvas_gradebook(book(tmp_path, worksheet=tmp_path / "g.csv")).decode()
    rows = list(csv.DictReader(io.StringIO(data), delimiter=";"))
    assert [row["Tiny & small (42)"] for row in rows] == ["5", "3,5", "4", "1,75", ""]


def test_the_gradebook_that_canvas_handed_out_is_filled_in(tmp_path: Path) -> None:
    (tmp_path / "g.csv").write_text(GRADEBOOK, encoding="utf-8")
    rows = table(canvas_gradebook(book(tmp_path, worksheet=tmp_path / "g.csv")))
    assert [row["Tiny & small (42)"] for row in rows] == ["5", "3.5", "4", "1.75", ""]
    assert [row["Warm-up (41)"] for row in rows] == ["10", "9", "8", "7", ""]


def test_the_column_of_canvas_that_is_meant_is_asked_for_where_it_is_not_clear(tmp_path: Path) -> None:
    (tmp_path / "g.csv").write_text(GRADEBOOK.replace("Tiny & small", "Homework"), encoding="utf-8")
    with pytest.raises(UsageError, match=r"Give --column, one of: Warm-up \(41\), Homework \(42\)"):
        canvas_gradebook(book(tmp_path, worksheet=tmp_path / "g.csv"))
    made = book(tmp_path, worksheet=tmp_path / "g.csv", column="Homework (42)")
    assert table(canvas_gradebook(made))[1]["Homework (42)"] == "3.5"


def test_a_page_for_canvas_is_called_as_the_file_that_was_handed_in(tmp_path: Path) -> None:
    made = book(tmp_path)
    names = zipfile.ZipFile(io.BytesIO(canvas_feedback(made))).namelist()
    assert names == ["doejoerg_LATE_1002_77_feedback.html"]
    assert len(made.told) == 2


def test_nbgrader_s_columns_are_those_of_its_exporter(tmp_path: Path) -> None:
    rows = table(nbgrader_file(book(tmp_path)))
    assert tuple(rows[0]) == tuple(NBGRADER)
    by_id = {row["student_id"]: row for row in rows}
    jo = by_id["doe"]
    assert (jo["raw_score"], jo["late_submission_penalty"], jo["score"], jo["max_score"]) == (
        "3.5",
        "1.75",
        "1.75",
        "5",
    )
    assert (jo["last_name"], jo["first_name"]) == ("Doe", "Jörg")
    assert by_id["doe2"]["score"] == ""


def test_gradescope_s_results_hold_a_test_for_each_question(tmp_path: Path) -> None:
    content = json.loads(gradescope_results(book(tmp_path, [done("anna", ANNA)])))
    assert content["score"] == 3.5
    assert [(t["name"], t["score"], t["max_score"]) for t in content["tests"]] == [
        ("Doubling", 2, 3),
        ("Essay", 1.5, 2),
    ]
    assert "the function changed its input" in content["tests"][0]["output"]
    assert {t["status"] for t in content["tests"]} <= {"passed", "failed"}


def test_gradescope_gets_no_points_for_what_is_pending_and_nothing_for_our_fault(tmp_path: Path) -> None:
    essay = json.loads(gradescope_results(book(tmp_path, [done("jo2", JO_TOO, essay=None)])))["tests"][1]
    assert "score" not in essay
    failed = replace(not_graded("carl"), attempt=Attempt((ANNA,)), directory="carl")
    with pytest.raises(UsageError, match="was not graded"):
        gradescope_results(book(tmp_path, [failed]))
    with pytest.raises(UsageError, match="there are 4: give --student"):
        gradescope_results(book(tmp_path))


def test_the_table_has_pending_where_a_person_still_decides(tmp_path: Path) -> None:
    rows = {row["id"]: row for row in table(csv_file(book(tmp_path)))}
    assert (rows["s3"]["essay"], rows["s3"]["pending"], rows["s3"]["points"]) == ("pending", "Essay", "2")
    assert (rows["s2"]["late"], rows["s2"]["late_loss"], rows["s2"]["points"]) == ("1 h late", "1.75", "1.75")
    assert rows["s4"]["name"] == "'=HYPERLINK(1)"


def test_no_cell_of_the_workbook_is_a_formula_and_numbers_are_numbers(tmp_path: Path) -> None:
    sheet = load_workbook(io.BytesIO(xlsx_file(book(tmp_path)))).active
    assert sheet is not None
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert "=HYPERLINK(1)" in [cell.value for cell in cells]
    headings = [cell.value for cell in sheet[1]]
    points = headings.index("points")
    assert {type(row[points].value) for row in sheet.iter_rows(min_row=2)} <= {int, float}


def test_the_json_has_every_student_once(tmp_path: Path) -> None:
    content = json.loads(json_file(book(tmp_path)))
    assert [each["id"] for each in content["students"]] == ["s4", "s1", "s2", "s3"]
    assert content["max_points"] == 5


def test_pages_in_one_archive_never_replace_each_other(tmp_path: Path) -> None:
    twins = [
        done("a", Student("Jo Doe")),
        done("b", replace(JO, name="Jo Doe", id="", email="", login="", platform_id="8")),
    ]
    names = zipfile.ZipFile(io.BytesIO(feedback_zip(book(tmp_path, twins)))).namelist()
    assert sorted(names) == ["Jo Doe (8).html", "Jo Doe.html"]


def test_a_group_has_a_row_for_each_member_with_one_grade(tmp_path: Path) -> None:
    team = replace(done("team", ANNA), attempt=Attempt((ANNA, JO)))
    assert {row["id"]: row["points"] for row in table(csv_file(book(tmp_path, [team])))} == {
        "s1": "3.5",
        "s2": "3.5",
    }


def test_the_hand_in_that_counts_is_the_one_of_the_row(tmp_path: Path) -> None:
    better = done("late one", ANNA, 2.0, 2.0, counts=False)
    (row,) = book(tmp_path, [better, done("first", ANNA, 0.0, 0.0)]).rows
    assert (row.score.submission, row.others) == ("first", ("late one",))


@pytest.mark.parametrize("name", FORMATS)
def test_a_course_in_which_nobody_is_graded_has_every_file(tmp_path: Path, name: str) -> None:
    absent = Score(
        "carl", Status.NOT_HANDED_IN, Summary.NOT_HANDED_IN, (), "nothing", attempt=Attempt((ANNA,))
    )
    made = book(tmp_path, [])
    made = replace(made, rows=rows_of([absent], made.rubric))
    assert FORMATS[name].write(made) is not None


def test_a_namesake_with_another_number_does_not_get_the_grade(tmp_path: Path) -> None:
    path = tmp_path / "canvas-gradebook.csv"
    rows = ["Student,ID,SIS User ID,SIS Login ID,Section,Tiny & small (7)"]
    rows += [",".join((name, number, sis, login, "1", "")) for name, number, sis, login in (
        ("Jörg Doe", "9999", "s99", "other"),
        ("Anna O'Neil", "1001", "s1", "oneil"),
    )]  # fmt: skip
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    made = book(tmp_path, [done("anna", ANNA), done("jo", JO)], worksheet=path)
    assert canvas_import(canvas_gradebook(made)) == {"1001": "3.5"}
    assert any("Jörg Doe" in words for words in made.told)
    foreign = replace(JO, id="", platform_id="77")  # a number of another platform says nothing
    made = book(tmp_path, [done("jo", foreign, platform="gradescope")], worksheet=path)
    assert canvas_import(canvas_gradebook(made)) == {"9999": "3.5"}
