"""Whoever of the roster handed in nothing has a row that says so, and nobody else has."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.intake.roster import absent_students, read_roster
from grader.intake.submissions import Submission, find_submissions

ROSTERS = {
    "names of accounts": "account,mail\nanna,a@x.org\nbert,b@x.org\ncarl,c@x.org\n",
    "a spreadsheet's semicolons": "\ufeffaccount;mail\r\nanna;a@x.org\r\nBERT;b@x.org\r\ncarl;c@x.org\r\n",
    "first and last names": "id,first,last\n1,Anna,A\n2,Bert,B\ncarl,Carl,C\n",
}


def absent_of(roster: Path, *names: str) -> list[Submission]:
    return absent_students(read_roster(roster), names)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "anna.ipynb",
        "A Anna_17_assignsubmission_file_/hw.ipynb",
        "bert (1).ipynb",
        "Bert B/hw.zip",
    ):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text("{}")
    return tmp_path / "in"


@pytest.mark.parametrize("text", ROSTERS.values(), ids=ROSTERS)
def test_who_handed_in_nothing_is_found(folder: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "roster.csv").write_text(text, encoding="utf-8")
    (absent,) = absent_of(tmp_path / "roster.csv", *(each.id for each in find_submissions(folder)))
    assert (absent.id, absent.absent) == ("carl", "nothing was handed in")


def test_a_name_that_begins_like_another_is_another_student(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text("account\nanna\nann\nanna_b\n")
    absent = absent_of(tmp_path / "roster.csv", *(each.id for each in find_submissions(folder)))
    assert [each.id for each in absent] == ["ann", "anna_b"]


@pytest.mark.parametrize(
    ("text", "message"), [("", "has no students"), ("account\n", "has no students"), (None, "cannot be read")]
)
def test_a_roster_that_is_none_is_named(folder: Path, tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "roster.csv").write_text(text)
    with pytest.raises(UsageError, match=message):
        absent_of(tmp_path / "roster.csv")


@pytest.mark.parametrize(
    ("handed_in", "names"),
    [
        ("g1/anna/hw", ["bert"]),
        ("ex11/g1/anna", ["bert"]),
        ("g1/hw", []),
        ("g2/hw", ["anna", "bert"]),
    ],
)
def test_what_is_one_students_is_not_the_whole_groups(
    tmp_path: Path, handed_in: str, names: list[str]
) -> None:
    (tmp_path / "roster.csv").write_text("account,group,course\nanna,g1,ex11\nbert,g1,ex11\n")
    assert [each.id for each in absent_of(tmp_path / "roster.csv", handed_in)] == names


def test_two_students_with_one_first_cell_are_two(tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text("first,last\nAnna,A\nAnna,B\nAnna,B\nbert,C\n")
    absent = absent_of(tmp_path / "roster.csv", "carl")
    assert [each.id for each in absent] == ["Anna, A", "Anna, B", "bert"]
