"""From points to what a hand-in earns: lateness, bonus, caps, wrong answers that lose points."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support import not_graded, rubric, score

from grader.attempt import Attempt
from grader.course.rubric import Late, Rubric
from grader.course.rubric_file import parse_rubric
from grader.course.score import score_nothing, score_submission
from grader.course.total import duration, late_loss, total_of
from grader.errors import RubricError
from grader.records import Code, Status, Summary, Verdict, VerdictKind

HOUR = 3600.0
DAYS = Late(grace_minutes=15, loss=0.1, at_most=0.5, closes_after_hours=240)


@pytest.mark.parametrize(
    ("hours", "lost"),
    [
        (0.0, 0.0),
        (0.25, 0.0),  # the whole grace
        (0.26, 1.0),  # past it, the first day has begun
        (24.0, 1.0),
        (24.01, 2.0),
        (100.0, 5.0),
        (200.0, 5.0),  # at most half
        (240.0, 5.0),
        (240.1, 10.0),  # closed
    ],
)
def test_each_day_that_has_begun_loses_its_share_of_what_was_earned(hours: float, lost: float) -> None:
    assert late_loss(10.0, 20.0, hours * HOUR, DAYS) == pytest.approx(lost)


def test_a_share_of_the_maximum_never_loses_more_than_was_earned() -> None:
    policy = Late(loss=0.25, of="maximum", step_hours=1)
    assert late_loss(10.0, 20.0, 1.0, policy) == 5.0
    assert late_loss(3.0, 20.0, 1.0, policy) == 3.0
    assert late_loss(-1.0, 20.0, 1.0, policy) == 0.0


def late(seconds: float | None, course: Rubric) -> tuple[float, tuple[str, ...], str]:
    total = total_of(replace(score("anna", 2.0), attempt=Attempt(late_seconds=seconds)), course)
    return total.points, total.waits, total.late


def test_lateness_counts_only_where_the_course_says_so() -> None:
    course = rubric()
    assert late(30 * HOUR, course) == (2.0, (), "1 d 6 h late")
    strict = course.model_copy(update={"late": DAYS})
    assert late(30 * HOUR, strict)[0] == pytest.approx(1.6)
    assert late(0.0, strict) == (2.0, (), "")


def test_how_late_it_was_waits_for_a_person_where_nothing_tells() -> None:
    strict = rubric().model_copy(update={"late": DAYS})
    assert late(None, strict) == (2.0, ("how late it was",), "late")
    assert not total_of(replace(score(), attempt=Attempt(late_seconds=None)), strict).is_final


def test_what_is_pending_and_what_is_not_graded_is_not_final() -> None:
    total = total_of(score("anna", 2.0), rubric())
    assert (total.points, total.max_points, total.pending, total.is_final) == (2.0, 5.0, 2.0, False)
    failed = total_of(not_graded(), rubric())
    assert (failed.points, failed.pending, failed.is_final) == (0.0, 5.0, False)


def test_who_handed_in_nothing_waits_for_nobody() -> None:
    nothing = score_nothing("carl", rubric(), Status.NOT_HANDED_IN, "nothing")
    assert total_of(nothing, rubric()).is_final
    other = score_nothing("carl", rubric(), Status.NO_NOTEBOOK, "a file")
    assert not total_of(other, rubric()).is_final


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 min"), (60, "1 min"), (5400, "1 h 30 min"), (90000, "1 d 1 h"), (86400, "1 d")],
)
def test_a_time_is_told_in_its_largest_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words


CHOICE = """
assignment: quiz
title: Quiz
max_points: 4
questions:
  - id: a
    title: A
    variable: a
    points: 2
    min_points: -1
    checks:
      - {id: v, title: It is b, type: reference, points: 2, penalty: 1, inputs: ""}
      - {id: extra, title: More, type: reference, points: 1, bonus: true, inputs: ""}
  - id: b
    title: B
    variable: b
    points: 2
    checks:
      - {id: v, title: It is c, type: reference, points: 2, penalty: 1, inputs: ""}
  - id: c
    title: C
    variable: c
    points: 1
    bonus: true
    checks:
      - {id: v, title: It is d, type: reference, points: 1, inputs: ""}
"""
VERDICTS = (("a", "v"), ("a", "extra"), ("b", "v"), ("c", "v"))
RIGHT, WRONG, MISSING = (
    Verdict(VerdictKind.PASSED, 1.0, ""),
    Verdict(VerdictKind.FAILED, 0.0, "", Code.VALUES),
    Verdict(VerdictKind.FAILED, 0.0, "", "missing"),
)


def quiz(a: Verdict, extra: Verdict, b: Verdict, c: Verdict) -> tuple[list[float | None], float, Summary]:
    course = parse_rubric(CHOICE, "quiz.yaml")
    verdicts = {("a", "v"): a, ("a", "extra"): extra, ("b", "v"): b, ("c", "v"): c}
    found = score_submission("anna", course, verdicts, {})
    return [question.points for question in found.questions], total_of(found, course).points, found.summary


def test_bonus_comes_on_top_up_to_the_most_of_the_sheet() -> None:
    assert quiz(RIGHT, RIGHT, MISSING, RIGHT) == ([3.0, 0.0, 1.0], 4.0, Summary.PARTLY_CORRECT)
    assert quiz(RIGHT, RIGHT, RIGHT, RIGHT)[1] == 4.0
    assert quiz(RIGHT, MISSING, RIGHT, MISSING) == ([2.0, 2.0, 0.0], 4.0, Summary.CORRECT)


def test_a_wrong_answer_loses_points_where_the_course_says_so_and_a_missing_one_none() -> None:
    assert quiz(WRONG, MISSING, RIGHT, MISSING)[:2] == ([-1.0, 2.0, 0.0], 1.0)
    assert quiz(MISSING, MISSING, RIGHT, MISSING)[:2] == ([0.0, 2.0, 0.0], 2.0)
    assert quiz(RIGHT, MISSING, WRONG, MISSING)[0] == [2.0, 0.0, 0.0], (
        "the second question never goes below 0"
    )
    assert quiz(WRONG, MISSING, WRONG, MISSING)[1] == 0.0, "a sheet never goes below 0"


def test_without_a_most_of_the_sheet_bonus_counts_in_full() -> None:
    course = parse_rubric(CHOICE.replace("max_points: 4\n", ""), "quiz.yaml")
    verdicts = dict.fromkeys(VERDICTS, RIGHT)
    total = total_of(score_submission("anna", course, verdicts, {}), course)
    assert (total.points, total.max_points) == (6.0, 4.0)


def test_the_most_of_a_question_holds_with_its_bonus() -> None:
    course = parse_rubric(CHOICE.replace("min_points: -1", "max_points: 2.5"), "quiz.yaml")
    verdicts = dict.fromkeys(VERDICTS, RIGHT)
    assert score_submission("anna", course, verdicts, {}).questions[0].points == 2.5


def test_a_score_says_what_the_rubric_lets_anybody_give() -> None:
    course = parse_rubric(CHOICE, "quiz.yaml")
    for found in (
        score_submission("anna", course, dict.fromkeys(VERDICTS, MISSING), {}),
        score_nothing("bert", course, Status.NOT_GRADED, ""),
    ):
        assert [(each.least, each.most) for each in found.questions] == [(-1.0, 3.0), (0.0, 2.0), (0.0, 1.0)]
    capped = parse_rubric(CHOICE.replace("min_points: -1", "max_points: 2.5"), "quiz.yaml")
    assert capped.questions[0].most_points == 2.5


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("max_points: 4", "late: {los: 0.1}", "unknown key 'los' at late.los; did you mean 'loss'"),
        ("max_points: 4", "late: {loss: 2}", "late.loss"),
        ("max_points: 4", "deadline: soon", "deadline"),
        ("min_points: -1", "min_points: 1", "min_points"),
        ("bonus: true, inputs", "bonus: false, inputs", "its checks add up to 3"),
    ],
)
def test_a_wrong_rule_is_named(old: str, new: str, message: str) -> None:
    with pytest.raises(RubricError) as error:
        parse_rubric(CHOICE.replace(old, new), "quiz.yaml")
    assert message in str(error.value)
