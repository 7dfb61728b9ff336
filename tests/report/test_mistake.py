"""Diagnoses in words: a student reads what helps, a teacher reads how sure it is, nobody reads an input."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console
from support import Page, rubric, score

from grader.exports import Gradebook, grades_json
from grader.records import Diagnosis, DiagnosisKind, Score
from grader.report.mistake import evidence, explain, sentence
from grader.report.pages import course_page, feedback_page
from grader.report.statistics import course_statistics
from grader.report.terminal import show_score

ONE = Diagnosis(
    DiagnosisKind.NAMED, ("tripled",), ("it is <tripled>",), "Is three two?", 0.25, 1.1e-9, 0.3333
)
TWO = replace(ONE, codes=("sign", "tripled"), names=("its sign is wrong", "it is <tripled>"), credit=0.0)
SEVERAL = Diagnosis(
    DiagnosisKind.AMBIGUOUS, ("a+b", "c"), ("one, and another", "a third"), residual=0.0, margin=1e-7
)
UNKNOWN = Diagnosis(DiagnosisKind.UNKNOWN)


def with_diagnosis(diagnosis: Diagnosis | None, submission: str = "anna") -> Score:
    double, essay = score(submission).questions
    return score(submission, questions=(replace(double, diagnosis=diagnosis), essay))


def feedback(diagnosis: Diagnosis | None) -> str:
    page = Page(feedback_page(rubric(), with_diagnosis(diagnosis), None, ""))
    return re.sub(r"\s+", " ", page.words)


def terminal(diagnosis: Diagnosis | None) -> str:
    text = io.StringIO()
    Console(width=200, file=text).print(show_score(with_diagnosis(diagnosis)))
    return text.getvalue()


def course(*scores: Score) -> Page:
    return Page(course_page(rubric(), scores, {s.submission: f"{s.submission}/f.html" for s in scores}, ""))


def test_the_feedback_names_the_mistake_says_how_sure_it_is_and_teaches() -> None:
    words = feedback(ONE)
    for expected in (
        "What the mistake seems to be",
        "It is <tripled>.",
        "Is three two?",
        "no other known mistake does",
    ):
        assert expected in words
    assert "at least 25 %" in words


def test_two_mistakes_made_together_are_both_named() -> None:
    words = feedback(TWO)
    assert "made together" in words
    assert "Its sign is wrong. It is <tripled>." in words
    assert "at least" not in words


def test_several_that_fit_are_listed_and_no_message_leads_astray() -> None:
    words = feedback(replace(SEVERAL, message="Is three two?"))
    assert "one of these One, and another. A third. Your results do not tell them apart." in words
    assert "Is three two?" not in words


def test_no_more_than_three_that_fit_are_listed_and_the_rest_is_counted() -> None:
    many = replace(SEVERAL, codes=tuple("abcde"), names=tuple("ABCDE"))
    found = explain(many)
    assert found is not None
    assert found.mistakes == ("A.", "B.", "C.")
    assert "2 more fit too" in found.sure


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("it is late", "It is late."),
        ("d_ij lacks the 1", "d_ij lacks the 1."),
        ("Who knows?", "Who knows?"),
        ("", "."),
    ],
)
def test_a_name_becomes_a_sentence_in_which_symbols_stay(name: str, expected: str) -> None:
    assert sentence(name) == expected


@pytest.mark.parametrize("diagnosis", [None, UNKNOWN])
def test_a_student_reads_nothing_of_a_mistake_that_is_not_recognised(diagnosis: Diagnosis | None) -> None:
    assert feedback(diagnosis) == feedback(None)
    assert explain(diagnosis) is None


@pytest.mark.parametrize(
    ("diagnosis", "words"),
    [
        (ONE, "named: tripled (residual 1.1e-09, next best explanation 3.3e-01)"),
        (TWO, "named: sign + tripled (residual 1.1e-09, next best explanation 3.3e-01)"),
        (SEVERAL, "ambiguous: a+b or c (residual 0.0e+00, next best explanation 1.0e-07)"),
        (UNKNOWN, "unknown: the results fit no known mistake"),
    ],
    ids=["one", "two", "several", "unknown"],
)
def test_a_teacher_reads_the_codes_and_how_near_they_are(diagnosis: Diagnosis, words: str) -> None:
    assert evidence(diagnosis) == words
    assert words in terminal(diagnosis)


def test_the_terminal_says_nothing_of_a_question_without_a_diagnosis() -> None:
    assert "unknown" not in terminal(None)


def test_the_json_gradebook_holds_codes_kind_residual_and_margin() -> None:
    content: dict[str, Any] = json.loads(grades_json.export(Gradebook(rubric(), [with_diagnosis(ONE)])))
    diagnosis = content["submissions"][0]["questions"][0]["diagnosis"]
    assert diagnosis["codes"] == ["tripled"]
    assert (diagnosis["kind"], diagnosis["residual"], diagnosis["margin"]) == ("named", 1.1e-9, 0.3333)


def test_the_course_counts_each_named_mistake_once_a_submission_the_commonest_first() -> None:
    scores = [
        with_diagnosis(d, name) for name, d in zip("abcde", (TWO, ONE, SEVERAL, UNKNOWN, None), strict=True)
    ]
    statistics = course_statistics(scores, rubric())
    assert [(m.code, tuple(s.submission for s in m.submissions)) for m in statistics.mistakes] == [
        ("tripled", ("a", "b")),
        ("sign", ("a",)),
    ]
    assert statistics.unnamed == 2


def test_the_course_page_shows_what_the_class_got_wrong_and_links_the_submissions() -> None:
    page = course(with_diagnosis(TWO, "anna"), with_diagnosis(SEVERAL, "ben"))
    words = re.sub(r"\s+", " ", page.words)
    assert "What the class got wrong" in words
    assert "It is <tripled>." in words
    assert "1 wrong answer that" in words
    assert "anna/f.html#double" in [attributes.get("href") for tag, attributes in page.tags if tag == "a"]


def test_a_course_in_which_nothing_needed_a_diagnosis_has_no_such_table() -> None:
    assert "What the class got wrong" not in course(with_diagnosis(None)).words
    assert "wrong answers that" in course(with_diagnosis(UNKNOWN), with_diagnosis(UNKNOWN, "b")).words
