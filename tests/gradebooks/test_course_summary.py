"""Several assignments together: everybody once, the weakest sheets dropped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from support import rubric, score

from grader.attempt import Attempt, Student
from grader.gradebooks.book import Book, rows_of
from grader.gradebooks.course_summary import doubtful, summarise, summary_csv, summary_table, summary_xlsx

ANNA, BERT = Student("Anna", "s1"), Student("Bert", "s2")


def sheet(name: str, points: dict[Student, float], factor: float = 1.0, essay: float | None = 0.0) -> Book:
    course = rubric().model_copy(update={"assignment": name, "max_points": 5.0 * factor})
    scores = []
    for student, each in points.items():
        made = score(student.name, each)
        double, written = made.questions
        questions = (double, replace(written, points=essay))
        scores.append(replace(made, questions=questions, attempt=Attempt((student,))))
    return Book(course, rows_of(scores, course), Path())


def test_the_sheet_with_the_smallest_share_is_dropped() -> None:
    books = [sheet("a", {ANNA: 2.0}), sheet("b", {ANNA: 3.0}, 2.0), sheet("c", {ANNA: 1.0})]
    (row,) = summarise(books, 1)
    assert row.dropped == {2}
    assert (row.points, row.max_points) == (5.0, 15.0)


def test_a_sheet_that_was_not_handed_in_is_the_first_to_be_dropped() -> None:
    books = [sheet("a", {ANNA: 1.0, BERT: 2.0}), sheet("b", {BERT: 2.0}), sheet("c", {ANNA: 2.0, BERT: 2.0})]
    anna, bert = summarise(books, 1)
    assert (anna.dropped, anna.points) == ({1}, 3.0)
    assert (bert.points, bert.max_points) == (4.0, 10.0)


def test_what_is_pending_is_not_dropped_and_makes_the_sum_not_final() -> None:
    books = [sheet("a", {ANNA: 0.0}, essay=None), sheet("b", {ANNA: 2.0}), sheet("c", {ANNA: 1.0})]
    (row,) = summarise(books, 1)
    assert row.dropped == {2}
    assert not row.is_final
    assert summary_table(books, [row])[1][6] == "a"


def test_without_dropping_everything_counts_and_one_sheet_always_stays() -> None:
    books = [sheet("a", {ANNA: 1.0}), sheet("b", {ANNA: 2.0})]
    assert summarise(books)[0].points == 3.0
    assert summarise(books, 5)[0].points == 2.0


def test_two_of_one_name_are_two_and_one_with_a_new_address_is_one() -> None:
    first = sheet("a", {Student("Jo Doe", "s8", "jo@x.org"): 1.0, Student("Jo Doe", "s9"): 2.0})
    second = sheet("b", {Student("Jo Doe", "s8", "new@x.org"): 1.0})
    rows = summarise([first, second])
    assert sorted(row.points for row in rows) == [2.0, 2.0]
    assert len(rows) == 2


def test_the_number_of_a_participant_in_moodle_is_of_one_assignment() -> None:
    books = []
    for name, number in (("a", "1001"), ("b", "2034")):
        made = sheet(name, {Student("Jo Doe", platform_id=number): 1.0})
        told = Attempt((Student("Jo Doe", platform_id=number),), platform="moodle")
        scores = [replace(row.score, attempt=told) for row in made.rows]
        books.append(replace(made, rows=rows_of(scores, made.rubric)))
    (row,) = summarise(books)
    assert row.points == 2.0


def test_a_student_with_a_number_in_one_sheet_and_only_a_name_in_another_is_told() -> None:
    books = [sheet("a", {ANNA: 1.0, BERT: 1.0}), sheet("b", {Student("anna"): 2.0, BERT: 1.0})]
    rows = summarise(books)
    assert [row.points for row in rows] == [1.0, 2.0, 2.0]
    (words,) = doubtful(rows, books)
    assert words.startswith("Anna has 2 rows: in b nothing but the name")
    assert doubtful(summarise(books[:1]), books[:1]) == []


def test_two_namesakes_without_numbers_are_not_mixed_and_are_told() -> None:
    books = []
    for name, students in (("a", {"1001": 1.0, "1002": 2.0}), ("b", {"2001": 2.0, "2002": 1.0})):
        made = sheet(name, {Student("Jo Doe", platform_id=number): each for number, each in students.items()})
        scores = [
            replace(row.score, attempt=replace(row.score.attempt, platform="moodle")) for row in made.rows
        ]
        books.append(replace(made, rows=rows_of(scores, made.rubric)))
    rows = summarise(books)
    assert sorted(row.points for row in rows) == [1.0, 1.0, 2.0, 2.0]
    assert doubtful(rows, books)[0].startswith("Jo Doe has 4 rows: in a, b nothing")


def test_the_table_is_written_in_both_forms() -> None:
    books = [sheet("a", {ANNA: 1.0}), sheet("b", {ANNA: 2.0})]
    rows = summary_table(books, summarise(books, 1))
    assert rows[0][3:] == ["points", "max_points", "percent", "pending", "dropped", "a", "b"]
    assert rows[1] == ["Anna", "s1", "", 2.0, 5.0, 40.0, "", "a", 1.0, 2.0]
    assert b"Anna,s1,,2,5,40,,a,1,2" in summary_csv(rows)
    assert summary_xlsx(rows)[:2] == b"PK"
