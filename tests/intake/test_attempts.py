"""Whose a hand-in is and which one counts, in the archives of every platform."""

from __future__ import annotations

import datetime as dt
import os
import zipfile
from dataclasses import replace
from pathlib import Path
from time import tzset

import pytest
from support_archives import DEADLINE, PLATFORMS, Archive, zipped

from grader.attempt import Attempt, Student
from grader.errors import UsageError
from grader.intake.archives import Opened, opened
from grader.intake.attempts import Rules, load_extensions, rules_for, unknown_extensions, with_attempts
from grader.intake.submissions import Submission, find_submissions

NUMBER = 600


def taken_in(archive: Archive, results: Path) -> list[Submission]:
    handed_in = opened(archive.path, results, "tiny")
    rules = rules_for("tiny", DEADLINE, archive.roster, None, "", file_times=False)
    return with_attempts(find_submissions(handed_in.folder, results), handed_in, rules)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_of_600_students_nobody_is_lost_and_nobody_is_there_twice(platform: str, tmp_path: Path) -> None:
    archive = PLATFORMS[platform](tmp_path / "lms", NUMBER)
    submissions = taken_in(archive, tmp_path / "results")
    counting = [
        (student.id, "not_handed_in" if each.absent else "no_notebook" if each.missing else "graded")
        for each in submissions
        if each.attempt.counts
        for student in each.attempt.students
    ]
    assert len(counting) == len(set(counting)) == NUMBER
    assert dict(counting) == {sid: status for sid, (status, _) in archive.expected.items()}
    assert len({each.id for each in submissions}) == len({each.directory or each.id for each in submissions})
    assert not [each.remark for each in submissions if "of the roster" in each.remark]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_names_numbers_helpers_and_lateness_come_with_the_hand_in(platform: str, tmp_path: Path) -> None:
    archive = PLATFORMS[platform](tmp_path / "lms", 48)
    submissions = [each for each in taken_in(archive, tmp_path / "results") if not each.absent]
    by_id = {each.sid: each for each in archive.people}
    for each in submissions:
        who = by_id[each.attempt.students[0].id]
        assert each.attempt.name.split(", ")[0] == who.name
        if who.kind == "helper":
            assert [path.name for path in each.modules] == ["helper.py"]
        if platform == "canvas":
            assert each.attempt.late_seconds == (None if who.kind == "late" else 0.0)
        else:
            late = 108_000 if who.kind == "late" else 0.0
            assert each.attempt.late_seconds == pytest.approx(late, abs=60)


def plain(folder: Path, *names: str) -> list[Submission]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    return find_submissions(folder)


def counting(submissions: list[Submission]) -> set[str]:
    return {each.id for each in submissions if each.attempt.counts}


def stamped(folder: Path, times: dict[str, str]) -> Opened:
    """Return a folder of nbgrader, with a hand-in at each time."""
    for name, time in times.items():
        home = folder / "submitted" / name / "hw"
        home.mkdir(parents=True)
        (home / "hw.ipynb").write_text("{}")
        (home / "timestamp.txt").write_text(time)
    return opened(folder, folder.parent / "results", "hw")


def test_the_last_numbered_copy_counts_where_no_time_is_known(tmp_path: Path) -> None:
    found = with_attempts(
        plain(tmp_path, "anna.ipynb", "anna (2).ipynb", "anna (10).ipynb", "bert.ipynb"),
        Opened(tmp_path),
        Rules("hw"),
    )
    assert counting(found) == {"anna (10)", "bert"}
    told = next(each.remark for each in found if each.id == "anna")
    assert told == "Perhaps of the same student: anna (10), anna (2).\nThis hand-in does not count."


def test_a_notebook_counts_more_than_a_later_file_that_is_none(tmp_path: Path) -> None:
    folder = "Doe_1_assignsubmission_file_"
    found = plain(
        tmp_path, f"{folder}/hw.ipynb", f"{folder}/other.ipynb", "Lee_2_assignsubmission_file_/x.ipynb"
    )
    handed_in = opened(tmp_path, tmp_path / "results", "hw")
    assert counting(with_attempts(found, handed_in, Rules("hw"))) == {
        f"{folder}/hw",
        "Lee_2_assignsubmission_file_/x",
    }


def test_what_a_person_chose_counts(tmp_path: Path) -> None:
    found = with_attempts(
        plain(tmp_path, "anna.ipynb", "anna (2).ipynb"), Opened(tmp_path), Rules("hw", chosen={"anna"})
    )
    assert counting(found) == {"anna"}
    assert next(each for each in found if each.id == "anna").attempt.chosen


def test_the_last_attempt_before_the_deadline_counts_and_after_it_the_last_one(tmp_path: Path) -> None:
    times = {"early": 10, "in time": 22, "late": 25, "later": 30}
    for name, hours in times.items():
        path = tmp_path / "in" / f"anna ({hours}).ipynb"
        plain(tmp_path / "in", path.name)
        stamp = (DEADLINE.replace(hour=0, minute=0) + dt.timedelta(hours=hours)).timestamp()
        import os

        os.utime(path, (stamp, stamp))
        assert name
    found = find_submissions(tmp_path / "in")
    rules = Rules("hw", DEADLINE, file_times=True)
    assert counting(with_attempts(found, Opened(tmp_path / "in"), rules)) == {"anna (22)"}
    early = Rules("hw", DEADLINE - dt.timedelta(days=3), file_times=True)
    assert counting(with_attempts(found, Opened(tmp_path / "in"), early)) == {"anna (30)"}


def test_an_extension_moves_the_deadline_of_one_student(tmp_path: Path) -> None:
    handed_in = stamped(tmp_path / "in", dict.fromkeys(("anna", "bert"), "2026-11-21 10:00:00.000000 UTC"))
    table = tmp_path / "extensions.csv"
    table.write_text("student;until\nanna;2026-11-22 12:00 +0000\n")
    rules = rules_for("hw", DEADLINE, None, table, "", file_times=False)
    late = {
        each.attempt.name: each.attempt.late_seconds
        for each in with_attempts(find_submissions(handed_in.folder), handed_in, rules)
    }
    assert late == {"anna": 0.0, "bert": 36060.0}


def test_an_extension_reaches_its_student_however_the_table_writes_the_name(tmp_path: Path) -> None:
    handed_in = stamped(tmp_path / "in", {"jdoe": "2026-11-21 10:00:00.000000 UTC"})
    (tmp_path / "roster.csv").write_text(
        "login,name,id\njdoe,Jörg Doe,1\nadoe,Anna Doe,2\n", encoding="utf-8"
    )
    table = tmp_path / "extensions.csv"
    table.write_text('student,days\n"Doe, Joerg",2\nnobody,2\n')
    rules = rules_for("hw", DEADLINE, tmp_path / "roster.csv", table, "", file_times=False)
    found = with_attempts(find_submissions(handed_in.folder), handed_in, rules)
    assert [each.attempt.late_seconds for each in found] == [0.0, 0.0]
    assert unknown_extensions(rules, found) == [
        "nobody is called nobody, who has longer in the table of --extensions"
    ]


def test_an_extension_of_a_name_that_two_have_is_refused(tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text("name,id\nJo Doe,1\nJo Doe,2\n")
    (tmp_path / "x.csv").write_text("student,days\nJo Doe,2\n")
    with pytest.raises(UsageError, match=r"'jo doe' is several students: Jo Doe \(1\), Jo Doe \(2\)"):
        rules_for("hw", DEADLINE, tmp_path / "roster.csv", tmp_path / "x.csv", "", file_times=False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1: the columns 'student' and 'until'"),
        ("who,until\nanna,2026-11-22\n", ":1: the columns"),
        ("student,until\nanna,soon\n", ":2: 'soon' is no time"),
        ("student,days\nanna,2\nbert,x\n", ":3: 'x' is no time"),
        ("student,days\n,2\n", ":2: a student and a time"),
    ],
)
def test_a_table_of_extensions_that_is_wrong_names_the_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(UsageError) as error:
        load_extensions(tmp_path / "x.csv", DEADLINE)
    assert message in str(error.value)


def test_extensions_are_read_as_the_dates_of_their_column_say(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(
        "student,until\nanna,3/12/2026 10:00 +00:00\nbert,25/11/2026 10:00 +00:00\n"
    )
    assert load_extensions(tmp_path / "x.csv", DEADLINE) == {
        "anna": dt.datetime(2026, 12, 3, 10, tzinfo=dt.UTC),
        "bert": dt.datetime(2026, 11, 25, 10, tzinfo=dt.UTC),
    }


def test_days_and_hours_count_from_the_deadline(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("student,days,hours\nanna,2,\nbert,,12\nanna,1,\n")
    assert load_extensions(tmp_path / "x.csv", DEADLINE) == {
        "anna": DEADLINE + dt.timedelta(days=2),
        "bert": DEADLINE + dt.timedelta(hours=12),
    }


def test_two_of_one_name_keep_their_own_hand_ins_in_a_german_worksheet_with_groups(tmp_path: Path) -> None:
    headings = (
        "ID;Vollständiger Name;E-Mail-Adresse;Gruppe;Zuletzt geändert (Abgabe);Zuletzt geändert (Bewertung)"
    )
    rows = [headings]
    for number, name in enumerate(("Bob Smith", "Bob Smith", "Jo Doe")):
        home = tmp_path / "in" / f"{name}_{number}_assignsubmission_file_"
        home.mkdir(parents=True)
        (home / "hw.ipynb").write_text(f'{{"of": {number}}}')
        time = f"Samstag, 21. November 2026, 1{number}:00"
        rows.append(f"Teilnehmer/in {number};{name};b{number}@x.org;Default group;{time};-")
    (tmp_path / "w.csv").write_text("\n".join(rows), encoding="utf-8")
    handed_in = opened(tmp_path / "in", tmp_path / "out", "hw")
    rules = rules_for("hw", DEADLINE, tmp_path / "w.csv", None, "Gruppe", file_times=False)
    found = with_attempts(find_submissions(handed_in.folder), handed_in, rules)
    assert [[student.email for student in each.attempt.students] for each in found] == [
        ["b0@x.org"],
        ["b1@x.org"],
        ["b2@x.org"],
    ]
    assert all(each.attempt.counts and each.attempt.late_seconds and not each.remark for each in found)


def test_a_time_of_a_platform_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    handed_in = stamped(tmp_path / "in", {"anna": "soon 12"})
    (each,) = with_attempts(find_submissions(handed_in.folder), handed_in, Rules("hw"))
    assert each.remark == "The time of the hand-in cannot be read: 'soon 12' in timestamp.txt."


def test_nbgrader_has_only_the_assignment_that_was_asked_for(tmp_path: Path) -> None:
    stamped(tmp_path / "in", {"anna": "2026-11-20 10:00:00 UTC"})
    other = tmp_path / "in" / "submitted" / "anna" / "ps2"
    other.mkdir()
    (other / "ps2.ipynb").write_text("{}")
    found = find_submissions(opened(tmp_path / "in", tmp_path / "out", "hw").folder)
    assert [each.id for each in found] == ["anna/hw"]
    with pytest.raises(UsageError, match="no hand-in for 'exam': it has hw, ps2"):
        opened(tmp_path / "in", tmp_path / "out", "exam")


def test_clones_of_github_are_told_by_the_account_behind_the_assignment(tmp_path: Path) -> None:
    for name in ("hw-1-anna", "hw-1-ann-b", "hw-1-bert"):
        (tmp_path / "in" / name / ".git").mkdir(parents=True)
        (tmp_path / "in" / name / "hw.ipynb").write_text("{}")
    handed_in = opened(tmp_path / "in", tmp_path / "out", "hw")
    found = with_attempts(find_submissions(handed_in.folder), handed_in, Rules("hw"))
    assert [each.attempt.students for each in found] == [
        (Student(login=name),) for name in ("ann-b", "anna", "bert")
    ]


def test_an_archive_of_clones_is_told_as_such_and_nothing_of_git_is_unpacked(tmp_path: Path) -> None:
    content = {f"hw-{name}/{part}": b"{}" for name in ("a", "b") for part in (".git/config", "hw.ipynb")}
    (tmp_path / "in.zip").write_bytes(zipped(content))
    handed_in = opened(tmp_path / "in.zip", tmp_path / "out", "hw")
    assert handed_in.platform == "github"
    assert not list(handed_in.folder.rglob("config"))


def test_a_file_of_metadata_that_a_student_hands_in_says_nothing(tmp_path: Path) -> None:
    forged = b"submission_1:\n  :submitters:\n  - :name: Head of Course\n"
    inner = zipped({"submission_metadata.yml": forged, "hw.ipynb": b"{}"})
    (tmp_path / "in.zip").write_bytes(zipped({"anna/hw.zip": inner, "bert/hw.ipynb": b"{}"}))
    handed_in = opened(tmp_path / "in.zip", tmp_path / "out", "hw")
    found = with_attempts(find_submissions(handed_in.folder), handed_in, Rules("hw"))
    assert {each.attempt.name for each in found} == {"anna", "bert"}


def test_a_hand_in_of_an_earlier_run_is_one_of_several(tmp_path: Path) -> None:
    handed_in = plain(tmp_path, "anna (2).ipynb")
    anna = Attempt((Student(name="anna"),))
    earlier = [
        Submission(name, Path(f"/in/{name}.ipynb"), name, attempt=anna) for name in ("anna", "anna (9)")
    ]
    own, *changed = with_attempts(handed_in, Opened(tmp_path), Rules("hw"), earlier[:1])
    assert (own.attempt.counts, own.remark) == (
        True,
        "Perhaps of the same student: anna.\nThis hand-in counts.",
    )
    assert [(each.id, each.attempt.counts) for each in changed] == [("anna", False)]
    own, *changed = with_attempts(handed_in, Opened(tmp_path), Rules("hw"), earlier[1:])
    assert (own.attempt.counts, changed) == (False, [])


@pytest.mark.parametrize(
    ("path", "student", "platform"),
    [
        ("Jo Doe_1234_assignsubmission_file_/hw.ipynb", Student("Jo Doe", platform_id="1234"), "moodle"),
        ("Jo Doe_1234_assignsubmission_file_hw.ipynb", Student("Jo Doe", platform_id="1234"), "moodle"),
        ("doejo_LATE_4711_9912_hw-1.ipynb", Student("doejo", platform_id="4711"), "canvas"),
        ("hw_1_2_x.ipynb", Student("hw_1_2_x"), ""),
    ],
)
def test_a_single_notebook_is_told_by_the_number_in_its_name(
    tmp_path: Path, path: str, student: Student, platform: str
) -> None:
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text("{}")
    handed_in = opened(tmp_path / path, tmp_path / "out", "hw")
    known = replace(student, email="jo@x.org")
    before = Submission("a", Path("/in/a.ipynb"), "a", attempt=Attempt((known,), platform=platform))
    own, *changed = with_attempts(find_submissions(handed_in.folder), handed_in, Rules("hw"), [before])
    assert own.attempt.students == (student,)
    if platform:
        assert own.attempt.platform == platform
        assert "Also of the same student: a." in own.remark
        assert "Perhaps" not in own.remark
        assert own.attempt.counts != before.attempt.counts or [each.id for each in changed] == ["a"]
    else:
        assert (own.remark, changed) == ("", [])


def test_hand_ins_of_one_number_are_surely_of_one_student_and_of_one_name_perhaps(tmp_path: Path) -> None:
    for name in (
        "Jo_1_assignsubmission_file_/a",
        "Jo_1_assignsubmission_file_/b",
        "Al_2_assignsubmission_file_/c",
    ):
        plain(tmp_path / "moodle", f"{name}.ipynb")
    handed_in = opened(tmp_path / "moodle", tmp_path / "out", "hw")
    found = with_attempts(find_submissions(handed_in.folder), handed_in, Rules("hw"))
    remarks = [each.remark for each in found if each.remark]
    assert len(remarks) == 2
    assert all(
        remark.startswith("Also of the same student: Jo_1_assignsubmission_file_/") for remark in remarks
    )


def test_links_lead_nowhere_else_where_a_folder_is_copied_and_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for name in ("anna/final.json", "bert/hw.ipynb", "carl/data/x.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    (folder / "bert" / "more.zip").write_bytes(zipped({"notes.txt": b"x"}))
    (folder / "anna" / "hw.ipynb").symlink_to("final.json")
    (folder / "carl" / "hw.ipynb").symlink_to("../anna/final.json")
    (folder / "dora").symlink_to("carl")
    (folder / "emil.ipynb").symlink_to(tmp_path / "in" / "bert" / "hw.ipynb")
    (folder / "fred").mkdir()
    (folder / "fred" / "final.json").write_text('{"of": "fred"}')
    (folder / "fred" / "hw.ipynb").symlink_to(folder / "fred" / "final.json")  # the same, written in full
    (folder / "gina").mkdir()
    (folder / "gina" / "hw.ipynb").symlink_to(folder / "fred" / "final.json")
    handed_in = opened(folder, tmp_path / "out", "hw")
    assert handed_in.folder != folder
    problems = {each.id: each.problem for each in find_submissions(handed_in.folder)}
    assert {name for name, problem in problems.items() if not problem} == {"anna/hw", "bert/hw", "fred/hw"}
    assert (handed_in.folder / "fred" / "hw.ipynb").read_text() == '{"of": "fred"}'
    assert (handed_in.folder / "fred" / "hw.ipynb").resolve().is_relative_to(handed_in.folder.resolve())
    assert {"carl/hw", "dora", "emil", "gina/hw"} <= {
        name for name, problem in problems.items() if "a link" in problem
    }


@pytest.mark.parametrize(
    ("platform", "folders"),
    [
        ("moodle", ["Doe Jo_1_assignsubmission_file_", "Lee Eve_2_assignsubmission_file_"]),
        ("github", ["tiny-jo", "tiny-al", "tiny-eve"]),
        ("", ["jo", "al", "eve"]),
    ],
)
def test_what_one_student_hands_in_does_not_decide_the_form(
    tmp_path: Path, platform: str, folders: list[str]
) -> None:
    for name in folders:
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "tiny.ipynb").write_text("{}")
        if platform == "github":
            (tmp_path / "in" / name / ".git").mkdir()
    mine = tmp_path / "in" / folders[-1] / "data"
    mine.mkdir()
    (mine / "timestamp.txt").write_text("2026-11-20 10:00:00 UTC")
    found = opened(tmp_path / "in", tmp_path / "out", "tiny")
    assert found.platform == platform
    assert len(find_submissions(found.folder, tmp_path / "out")) == len(folders)


def test_the_times_that_a_student_writes_into_an_archive_are_not_those_of_the_hand_in(tmp_path: Path) -> None:
    (tmp_path / "in" / "jo").mkdir(parents=True)
    (tmp_path / "in" / "al").mkdir()
    (tmp_path / "in" / "al" / "tiny.ipynb").write_text("{}")
    packed = tmp_path / "in" / "jo" / "tiny.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("tiny.ipynb", (1999, 1, 1, 0, 0, 0)), "{}")
    late = DEADLINE + dt.timedelta(days=1)
    os.utime(packed, (late.timestamp(), late.timestamp()))
    handed_in = opened(tmp_path / "in", tmp_path / "out", "tiny")
    rules = rules_for("tiny", DEADLINE, None, None, "", file_times=True)
    found = with_attempts(find_submissions(handed_in.folder, tmp_path / "out"), handed_in, rules)
    assert [each.attempt.late_seconds for each in found if each.id.startswith("jo")] == [86400.0]


def test_an_extension_of_days_ends_at_the_same_time_of_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "extensions.csv"
    table.write_text("student,days,hours\njo,7,\nal,,168\neve,0.5,\n")
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    tzset()
    try:
        found = load_extensions(table, dt.datetime.fromisoformat("2026-10-20T23:59+02:00"))
    finally:
        monkeypatch.undo()
        tzset()
    assert {name: until.isoformat() for name, until in found.items()} == {
        "jo": "2026-10-27T23:59:00+01:00",
        "al": "2026-10-27T23:59:00+02:00",
        "eve": "2026-10-21T11:59:00+02:00",
    }
