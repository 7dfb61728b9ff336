"""What the page of a course counts: bins of whole points, difficulty, correlation, people."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support import not_graded, rubric, score

from grader.attempt import Attempt
from grader.checks import property as properties
from grader.records import Code, OutcomeKind, Score, Status, Summary
from grader.report.code_words import SILENT, WORDS, code_words
from grader.report.statistics import correlation, course_statistics, histogram


@pytest.mark.parametrize(
    ("points", "maximum", "width", "counts"),
    [
        ([0.0, 0.5, 3.0], 3.0, 1, (2, 0, 0, 1)),
        ([11.0, 12.0], 12.0, 2, (0, 0, 0, 0, 0, 1, 1)),
        ([36.0], 36.0, 5, (0, 0, 0, 0, 0, 0, 0, 1)),
        ([], 0.0, 1, (0,)),
        ([-2.0, 7.0], 5.0, 1, (1, 0, 0, 0, 0, 1)),
    ],
)
def test_bins_begin_at_whole_points(
    points: list[float], maximum: float, width: int, counts: tuple[int, ...]
) -> None:
    assert histogram(points, maximum) == (counts, width)


def test_a_correlation_needs_students_that_differ() -> None:
    assert correlation([1, 2, 3, 4, 5], [2, 4, 6, 8, 10]) == pytest.approx(1.0)
    assert correlation([1, 2, 3, 4, 5], [5, 4, 3, 2, 1]) == pytest.approx(-1.0)
    assert correlation([1, 1, 1, 1, 1], [5, 4, 3, 2, 1]) is None
    assert correlation([1, 2], [1, 2]) is None


def test_an_item_is_compared_with_the_points_of_the_others_alone() -> None:
    """With its own points in the total, every item would correlate with it."""
    scores = []
    for number, points in enumerate([0.0, 2.0, 0.0, 2.0, 0.0, 2.0]):
        made = score(f"s{number}", points)
        double, essay = made.questions
        scores.append(replace(made, questions=(double, replace(essay, points=2.0 - points))))
    (double, essay) = course_statistics(scores, rubric()).questions
    assert double.item.correlation == pytest.approx(-1.0)
    assert essay.item.correlation == pytest.approx(-1.0)
    assert double.item.mean == pytest.approx(1 / 3)
    assert (essay.full, essay.part, essay.none) == (3, 0, 3)


def test_people_are_counted_once_and_other_attempts_not_at_all() -> None:
    absent = Score("x", Status.NOT_HANDED_IN, Summary.NOT_HANDED_IN, ())
    scores = [
        score("a"),
        replace(score("b", 0.0), attempt=Attempt(counts=False)),
        replace(score("c"), attempt=Attempt(late_seconds=60.0)),
        absent,
        not_graded("d"),
    ]
    found = course_statistics(scores, rubric())
    assert (found.people, found.graded, found.missing, found.late, found.not_graded) == (4, 2, 1, 1, 1)
    assert found.mean == 2.0
    assert found.pending == 2


def test_every_code_has_words() -> None:
    codes = {str(code) for code in (*Code, *OutcomeKind)} | set(properties.WORDS)
    codes -= {OutcomeKind.RETURNED} | SILENT
    assert codes - set(WORDS) == set()
    assert code_words("of_a_plug_in") == "of a plug in"
