"""Submissions are spread over the people of a question, and few move when the people change."""

from __future__ import annotations

from collections import Counter

from grader.manual.sharing import whose

NAMES = [f"student {number}" for number in range(600)]
PEOPLE = ["ada", "ben", "cleo"]


def test_each_person_has_about_the_same_share() -> None:
    shares = Counter(whose(name, PEOPLE) for name in NAMES)
    assert set(shares) == set(PEOPLE)
    assert all(150 < share < 250 for share in shares.values())


def test_only_the_submissions_of_who_leaves_go_to_others() -> None:
    before = {name: whose(name, PEOPLE) for name in NAMES}
    after = {name: whose(name, ["cleo", "ada"]) for name in NAMES}
    assert {before[name] for name in NAMES if before[name] != after[name]} == {"ben"}


def test_a_question_of_nobody_is_everybody_s() -> None:
    assert whose("anna", []) == ""
