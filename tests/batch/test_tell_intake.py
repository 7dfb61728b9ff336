"""What a person should look at before the notebooks run is told, all of it, with names."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from grader.batch.prepare import Where, tell_intake
from grader.intake.archives import Opened
from grader.intake.attempts import rules_for, with_attempts
from grader.intake.submissions import find_submissions

DEADLINE = dt.datetime(2026, 11, 20, 23, 59, tzinfo=dt.UTC)


def told(folder: Path, roster: str, teams: str = "", extensions: str = "") -> list[str]:
    """Return what is told of a roster, and of hand-ins with other contents each."""
    (folder / "roster.csv").write_text(roster, encoding="utf-8")
    table = folder / "extensions.csv" if extensions else None
    if table is not None:
        table.write_text(extensions)
    for name in ("anna", "bert"):
        (folder / "in").mkdir(exist_ok=True)
        (folder / "in" / f"{name}.ipynb").write_text(f'{{"of": "{name}"}}')
    handed_in = Opened(folder / "in")
    rules = rules_for("hw", DEADLINE, folder / "roster.csv", table, teams, file_times=False)
    found = with_attempts(find_submissions(handed_in.folder), handed_in, rules)
    lines: list[str] = []
    tell_intake(found, Where(handed_in, rules, folder / "out", []), lines.append)
    return [line.replace(str(folder), "") for line in lines]


@pytest.mark.parametrize(
    ("roster", "words"),
    [
        (
            "name,handed in\nanna,2026-11-20 10:00\nbert,-\n",
            ["nothing says when 1 hand-in came (bert), so the deadline does not count there"],
        ),
        (
            "name,handed in\nanna,\nbert,\n",
            ["nothing says when 2 hand-ins came (anna, bert), so the deadline does not count there"],
        ),
        ("name,handed in\nanna,2026-11-20 10:00\nbert,20.11.2026 11:00\n", []),
    ],
)
def test_hand_ins_without_a_time_are_counted_and_named(tmp_path: Path, roster: str, words: list[str]) -> None:
    lines = told(tmp_path, roster)
    assert [line.partition(": give")[0] for line in lines] == words


def test_times_that_cannot_be_read_are_told_with_their_lines(tmp_path: Path) -> None:
    rows = "".join(f"s{number},soon {number}\n" for number in range(8))
    lines = told(tmp_path, f"name,handed in\nanna,2026-11-20 10:00\nbert,2026-11-20 10:00\n{rows}")
    assert lines[0].startswith("/roster.csv:4: cannot read 'soon 0' in the column 'handed in' as a time")
    assert lines[5:] == ["3 more times of the roster cannot be read"]


def test_teams_that_are_none_are_told(tmp_path: Path) -> None:
    roster = "name,group,time\nanna,{0},2026-11-20 10:00\nbert,{0},2026-11-20 11:00\n"
    (line,) = told(tmp_path, roster.format("Default group"), "group")
    assert "2 students in 'Default group' of the column 'group'" in line
    (line,) = told(tmp_path, roster.format("red"), "group")
    assert line.startswith("the team 'red' (2 members: anna, bert) has 2 hand-ins that differ: anna, bert.")


def test_who_has_longer_and_is_nobody_is_told_with_the_nearest_names(tmp_path: Path) -> None:
    roster = "name,time\nanna,2026-11-20 10:00\nbert,2026-11-20 11:00\n"
    (line,) = told(tmp_path, roster, extensions="student,days\nanan,2\n")
    assert line == "nobody is called anan, who has longer in the table of --extensions; did you mean: anna"
