"""A student is found by what a teaching assistant has at hand: name, number, address, account."""

from __future__ import annotations

import pytest
from support import rubric, score

from grader.attempt import Attempt, Student
from grader.cli.open_results import row_of, submission_of
from grader.errors import UsageError
from grader.gradebooks.book import rows_of
from grader.records import Score

JO, OTHER_JO = Student("Jo Doe", "s1", "jo@x.org"), Student("Jo Doe", "s2", "j2@x.org", login="jo2")
SCORES = {
    "Jo Doe_1_/hw": score("Jo Doe_1_/hw", attempt=Attempt((JO,), counts=False)),
    "Jo Doe_1_/hw (2)": score("Jo Doe_1_/hw (2)", attempt=Attempt((JO,))),
    "Jo Doe_2_/hw": score("Jo Doe_2_/hw", attempt=Attempt((OTHER_JO,))),
}


@pytest.mark.parametrize("words", ["s1", "JO@x.org", "hw (2)", "Jo Doe_1_/hw (2)"])
def test_a_student_means_the_hand_in_that_counts(words: str) -> None:
    assert submission_of(words, SCORES) == "Jo Doe_1_/hw (2)"


@pytest.mark.parametrize("words", ["jorg muller", "Joerg Mueller", "JÖRG  MÜLLER"])
def test_a_name_may_be_written_without_its_accents(words: str) -> None:
    student = Student("Jörg Müller", "s7")
    scores = {**SCORES, "m_7_/hw": score("m_7_/hw", attempt=Attempt((student,)))}
    assert submission_of(words, scores) == "m_7_/hw"
    assert row_of(words, rows_of(scores.values(), rubric())).student == student


def test_a_hand_in_that_does_not_count_has_its_own_name() -> None:
    assert submission_of("Jo Doe_1_/hw", SCORES) == "Jo Doe_1_/hw"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("Jo Doe", "several students match 'Jo Doe'; give one of: s1, s2"),
        ("s3", "there is no submission 's3'"),
        ("jon doe", "there is no submission 'jon doe'; did you mean: Jo Doe"),
        ("hw", "several submissions match 'hw'; did you mean: Jo Doe_1_/hw, "),
    ],
)
def test_a_name_that_is_not_clear_is_told_with_what_is(words: str, message: str) -> None:
    scores: dict[str, Score] = SCORES
    with pytest.raises(UsageError) as error:
        submission_of(words, scores)
    assert str(error.value).startswith(message)
