"""The gradebook: what a spreadsheet and a script read."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import not_graded, rubric, score

from grader.exports import Gradebook, grades_csv, grades_json
from grader.records import Status, Summary


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_the_table_begins_with_the_agreed_columns_and_goes_on_with_the_questions() -> None:
    assert grades_csv.export(Gradebook(rubric(), [])) == "submission,status,score,max_score,double,essay\n"


def test_a_pending_question_is_an_empty_cell_and_counts_in_no_total() -> None:
    assert rows(grades_csv.export(Gradebook(rubric(), [score("anna", 2.0)])))[1] == [
        "anna",
        "graded",
        "2",
        "3",
        "2",
        "",
    ]


def test_a_submission_that_we_failed_to_grade_has_no_number_at_all() -> None:
    assert rows(grades_csv.export(Gradebook(rubric(), [not_graded("carl")])))[1] == [
        "carl",
        "not_graded",
        "",
        "",
        "",
        "",
    ]


def test_an_unreadable_submission_has_zero_points_of_all() -> None:
    bad = score("bert", 0.0, status=Status.UNREADABLE, summary=Summary.UNREADABLE)
    assert rows(grades_csv.export(Gradebook(rubric(), [bad])))[1] == ["bert", "unreadable", "0", "3", "0", ""]


def test_points_are_written_without_the_noise_of_floats() -> None:
    assert rows(grades_csv.export(Gradebook(rubric(), [score("anna", 0.1 + 0.2)])))[1][2] == "0.3"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "＝1+1", " ＠SUM(A1)"])
def test_no_name_becomes_a_formula(name: str) -> None:
    assert rows(grades_csv.export(Gradebook(rubric(), [score(name)])))[1][0] == "'" + name


@pytest.mark.parametrize("name", ["a;=1+1", "a; @SUM(A1)", "a|+1", "x,＝1"])
def test_no_name_becomes_a_formula_where_columns_are_separated_otherwise(name: str) -> None:
    cell = rows(grades_csv.export(Gradebook(rubric(), [score(name)])))[1][0]
    assert cell.replace("'", "") == name
    assert not any(part.lstrip()[:1] in "=+-@＝＠" for part in re.split("[;,|]", cell))


@pytest.mark.parametrize("name", ["\t=1", "\r=1", "a\n=1", "\x00=1"])
def test_no_control_character_reaches_the_table(name: str) -> None:
    assert rows(grades_csv.export(Gradebook(rubric(), [score(name)])))[1][0] == "".join(
        c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name
    )


@given(st.text(max_size=30))
def test_every_name_stays_in_its_cell(name: str) -> None:
    text = grades_csv.export(Gradebook(rubric(), [score(name), score("next")]))
    table = list(csv.reader(io.StringIO(text, newline="")))
    assert [len(row) for row in table] == [6, 6, 6]
    assert len(table[1][0]) - len(name) == table[1][0].startswith("'") - name.startswith("'")
    assert table[2][0] == "next"


def test_the_json_holds_points_reasons_and_how_it_was_made() -> None:
    content = json.loads(
        grades_json.export(Gradebook(rubric(), [score("anna"), not_graded()], {"sandbox": "plain"}))
    )
    assert content["made"] == {"sandbox": "plain"}
    assert content["max_points"] == 5
    anna, carl = content["submissions"]
    assert (anna["submission"], anna["points"], anna["max_points"], anna["pending"]) == ("anna", 2, 3, 2)
    kept = anna["questions"][0]["checks"][1]
    assert kept["verdict"]["code"] == "input_not_mutated"
    assert kept["verdict"]["evidence"]["facts"] == [["relative error", "0.5"]]
    assert carl["status"] == "not_graded"
