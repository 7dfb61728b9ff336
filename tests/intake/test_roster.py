"""Whoever of the roster handed in nothing has a row that says so, and nobody else has."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.attempt import Student
from grader.errors import UsageError
from grader.intake.archives import Opened
from grader.intake.attempts import Rules, with_attempts
from grader.intake.roster import load_roster
from grader.intake.submissions import Submission, find_submissions
from grader.intake.teams import several_works

ROSTERS = {
    "names of accounts": "account,mail\nanna,a@x.org\nbert,b@x.org\ncarl,c@x.org\n",
    "a spreadsheet's semicolons": "\ufeffaccount;mail\r\nanna;a@x.org\r\nBERT;b@x.org\r\ncarl;c@x.org\r\n",
    "first and last names": "id,first,last\n1,Anna,A\n2,Bert,B\n3,,carl\n",
}


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


def all_of(folder: Path, roster: Path, teams: str = "") -> list[Submission]:
    rules = Rules("hw", roster=load_roster(roster, teams))
    return with_attempts(find_submissions(folder), Opened(folder), rules)


def absent(folder: Path, roster: Path) -> list[Submission]:
    return [each for each in all_of(folder, roster) if each.absent]


@pytest.mark.parametrize("text", ROSTERS.values(), ids=ROSTERS)
def test_who_handed_in_nothing_is_found(folder: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "roster.csv").write_text(text, encoding="utf-8")
    (found,) = absent(folder, tmp_path / "roster.csv")
    assert (found.id, found.absent) == ("carl", "nothing was handed in")


def test_a_name_that_begins_like_another_is_another_student(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text("account\nanna\nann\nanna_b\n")
    assert [each.id for each in absent(folder, tmp_path / "roster.csv")] == ["ann", "anna_b"]


def test_two_who_are_called_the_same_and_handed_in_nothing_have_a_row_each(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "roster.csv").write_text("name,id\nJo Doe,1\nJo Doe,2\nanna,3\n")
    found = absent(folder, tmp_path / "roster.csv")
    assert {each.attempt.students[0].id for each in found} == {"1", "2"}
    assert len({each.id for each in found}) == 2


def test_two_who_are_called_the_same_are_told_apart_by_no_name(tmp_path: Path) -> None:
    for number in (1, 2):
        path = tmp_path / "in" / f"Jo Doe_{number}_assignsubmission_file_" / "hw.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text("{}")
    (tmp_path / "roster.csv").write_text("name,id\nJo Doe,1001\nJo Doe,1002\n")
    from grader.intake.archives import opened

    handed_in = opened(tmp_path / "in", tmp_path / "out", "hw")
    rules = Rules("hw", roster=load_roster(tmp_path / "roster.csv"))
    found = with_attempts(find_submissions(handed_in.folder), handed_in, rules)
    assert len(found) == 2
    assert all(each.attempt.counts and not each.absent for each in found)
    assert all(
        "Several of the roster may be Jo Doe: Jo Doe (1001), Jo Doe (1002)." in each.remark for each in found
    )


def test_a_name_that_is_not_in_the_roster_is_shown_with_those_most_like_it(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "Jorg Dow.ipynb").write_text("{}")
    (tmp_path / "roster.csv").write_text("name,id\nJörg Doe,1\nAnna Smith,2\n")
    found = all_of(tmp_path / "in", tmp_path / "roster.csv")
    assert "Nobody of the roster is called Jorg Dow; most like it: Jörg Doe." in found[0].remark
    assert {each.id for each in found[1:]} == {"Anna Smith", "Jörg Doe"}


@pytest.mark.parametrize(
    "name", ["doejoerg", "DoeJorg", "Joerg Doe", "jörg  doe", "s1", "j@x.org", "Doe, Jörg"]
)
def test_a_student_is_found_however_a_platform_writes_the_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "roster.csv").write_text(
        'Student,SIS User ID,Email\n"Doe, Jörg",s1,j@x.org\n"Doe, Anna",s2,a@x.org\n', encoding="utf-8"
    )
    (found,) = load_roster(tmp_path / "roster.csv").find(Student(name=name))
    assert found.student == Student("Jörg Doe", "s1", "j@x.org")


def test_teams_of_the_roster_share_a_hand_in_of_one_of_them(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text("account,team\nanna,red\nbert,blue\ncarl,red\ndora,\n")
    found = all_of(folder, tmp_path / "roster.csv", "team")
    anna = next(each for each in found if each.id == "anna")
    assert [student.login for student in anna.attempt.students] == ["anna", "carl"]
    assert [each.id for each in found if each.absent] == ["dora"]


@pytest.mark.parametrize(
    ("text", "message"), [("", "has no students"), ("account\n", "has no students"), (None, "cannot be read")]
)
def test_a_roster_that_is_none_is_named(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "roster.csv").write_text(text)
    with pytest.raises(UsageError, match=message):
        load_roster(tmp_path / "roster.csv")


def test_a_column_of_teams_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text("account,group\nanna,red\n")
    with pytest.raises(UsageError, match="has no column 'team': it has account, group"):
        load_roster(tmp_path / "roster.csv", "team")


@pytest.mark.parametrize(
    ("handed_in", "names"),
    [
        ("g1/anna/hw", ["bert"]),
        ("ex11/g1/anna", ["bert"]),
        ("g1/hw", []),
        ("g2/hw", ["anna", "bert"]),
    ],
)
@pytest.mark.parametrize("earlier", [False, True])
def test_what_is_one_students_is_not_the_whole_groups(
    tmp_path: Path, handed_in: str, names: list[str], earlier: bool
) -> None:
    (tmp_path / "roster.csv").write_text("account,group,course\nanna,g1,ex11\nbert,g1,ex11\n")
    path = tmp_path / "in" / f"{handed_in}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    found = all_of(tmp_path / "in", tmp_path / "roster.csv")
    if earlier:
        rules = Rules("hw", roster=load_roster(tmp_path / "roster.csv"))
        graded = [each for each in found if not each.absent]
        found = with_attempts([], Opened(tmp_path / "in"), rules, graded)
    assert [each.id for each in found if each.absent] == names


def test_two_students_with_one_first_cell_are_two(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "roster.csv").write_text("first,last\nHugo,A\nHugo,B\nHugo,B\nInes,C\n")
    assert [each.id for each in absent(folder, tmp_path / "roster.csv")] == ["Hugo A", "Hugo B", "Ines C"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_roster_is_read_in_any_encoding_of_a_spreadsheet_program(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "roster.csv").write_bytes("Name;ID number\nJörg – Doe;s1\n".encode(encoding))
    (entry,) = load_roster(tmp_path / "roster.csv").entries
    assert (entry.student.name, entry.student.id) == ("Jörg – Doe", "s1")


WORKSHEETS = {
    "English": (
        "Identifier,Full name,Email address,Group,Grade,Maximum Grade,Last modified (submission),"
        "Last modified (grade)",
        "Participant ",
        "Thursday, 25 June 2026, 6:59 PM",
    ),
    "German": (
        "ID,Vollständiger Name,E-Mail-Adresse,Gruppe,Bewertung,Bestwertung,Zuletzt geändert (Abgabe),"
        "Zuletzt geändert (Bewertung)",
        "Teilnehmer/in ",
        "Donnerstag, 25. Juni 2026, 18:59",
    ),
    "German without a space": (
        "ID,Vollständiger Name,E-Mail-Adresse,Gruppe,Bewertung,Bestwertung,Zuletzt geändert (Abgabe),"
        "Zuletzt geändert (Bewertung)",
        "Teilnehmer/in",
        "Donnerstag, 25. Juni 2026, 18:59",
    ),
    "Spanish": (
        "Identificador,Nombre completo,Dirección de correo,Grupo,Calificación,Calificación máxima,"
        "Última modificación (entrega),Última modificación (calificación)",
        "Participante ",
        "jueves, 25 de junio de 2026, 18:59",
    ),
    "Chinese": (
        "识别码,全名,Email address,组,成绩,最高分,上次修改（作业）,上次修改（评分）",
        "参与者",
        "2026年06月25日 星期四 18:59",
    ),
    "words of no language that is known": (
        "Tunnus,Full name,Email address,Ryhmä,Arvo,Paras,Muokattu (palautus),Muokattu (arvo)",
        "Osallistuja ",
        "torstai, 25. kesäkuuta 2026, 18:59",
    ),
}


@pytest.mark.parametrize(("headings", "word", "time"), WORKSHEETS.values(), ids=WORKSHEETS)
def test_the_worksheet_of_moodle_is_understood_in_the_language_of_the_site(
    tmp_path: Path, headings: str, word: str, time: str
) -> None:
    text = f'{headings}\n{word}1001,Bob Smith,b1@x.org,Red,,5,"{time}",-\n'
    text += f"{word}1002,Bob Smith,b2@x.org,Red,,5,-,-\n"
    (tmp_path / "w.csv").write_text(text, encoding="utf-8")
    roster = load_roster(tmp_path / "w.csv")
    assert [entry.student for entry in roster.entries] == [
        Student("Bob Smith", email="b1@x.org", platform_id="1001"),
        Student("Bob Smith", email="b2@x.org", platform_id="1002"),
    ]
    assert [entry.time[:16] for entry in roster.entries] == ["2026-06-25T18:59", ""]
    assert (roster.told, roster.unread) == ((), ())
    (found,) = roster.find(Student("Bob Smith", platform_id="1002"))
    assert found.student.email == "b2@x.org"


@pytest.mark.parametrize("word", ["Teilnehmer/in ", "Participant", "Deelnemer "])
def test_a_worksheet_with_columns_taken_out_is_known_by_its_word(tmp_path: Path, word: str) -> None:
    (tmp_path / "w.csv").write_text(f"ID,Name\n{word}1001,Anna\n{word}1002,Bert\n")
    students = [entry.student for entry in load_roster(tmp_path / "w.csv").entries]
    assert students == [Student("Anna", platform_id="1001"), Student("Bert", platform_id="1002")]


def test_a_number_of_letters_and_digits_is_a_students_own(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("id,name,points (a),points (b)\ns100,Anna,1,2\ns101,Bert,1,2\n")
    assert [entry.student.id for entry in load_roster(tmp_path / "r.csv").entries] == ["s100", "s101"]


def test_a_time_that_cannot_be_read_is_told_with_its_column_and_line(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("name,Handed in\nAnna,2026-06-25 10:00\nBert,soon\nCarl,-\nDora,3/4/2026\n")
    roster = load_roster(path)
    ends = "in the column 'Handed in' as a time; write it like 2026-11-20 23:59"
    assert roster.unread == (
        f"{path}:3: cannot read 'soon' {ends}",
        f"{path}:5: cannot read '3/4/2026' {ends}",
    )


@pytest.mark.parametrize("none", ["Default group", "Standard-Gruppe", "Standardgruppe", "-"])
def test_people_without_a_group_are_no_team(folder: Path, tmp_path: Path, none: str) -> None:
    (tmp_path / "roster.csv").write_text(f"account,group\nanna,{none}\nbert,{none}\ncarl,{none}\n")
    found = all_of(folder, tmp_path / "roster.csv", "group")
    assert all(len(each.attempt.students) == 1 for each in found)
    told = load_roster(tmp_path / "roster.csv", "group").told
    assert [f"3 students in {none!r} of the column 'group'" in words for words in told] == [True] * (
        none != "-"
    )


def test_a_team_that_handed_in_different_notebooks_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name, text in {"anna": "{}", "bert": '{"cells": 1}', "carl": "{}", "dora": "{}"}.items():
        (folder / f"{name}.ipynb").write_text(text)
    (tmp_path / "roster.csv").write_text("account,team\nanna,red\nbert,Red\ncarl,blue\ndora,blue\n")
    found = all_of(folder, tmp_path / "roster.csv", "team")
    assert several_works(found, load_roster(tmp_path / "roster.csv", "team")) == [
        "the team 'red' (2 members: anna, bert) has 2 hand-ins that differ: anna, bert. "
        "One of them counts for all: is it a team?"
    ]


@pytest.mark.parametrize(
    ("text", "students"),
    [
        (
            "Student,ID,SIS User ID,SIS Login ID,Section,Tiny (42)\n,,,,,Manual Posting\n"
            '    Points Possible,,,,,5\n"Doe, Jo",7,s1,jo,A,\n',
            [Student("Jo Doe", "s1", "", "7", "jo")],
        ),
        (
            "name,canvas_user_id,user_id,login_id,sections,group_name\nJo Doe,7,s1,jo,A,Red\n",
            [Student("Jo Doe", "s1", "", "7", "jo")],
        ),
    ],
    ids=["gradebook", "groups"],
)
def test_the_tables_of_canvas_hold_students_alone(tmp_path: Path, text: str, students: list[Student]) -> None:
    (tmp_path / "r.csv").write_text(text)
    assert [entry.student for entry in load_roster(tmp_path / "r.csv").entries] == students


def test_the_times_in_the_grades_of_gradescope_are_those_of_the_hand_ins(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(
        "First Name,Last Name,SID,Email,Status,Submission Time\nJo,Doe,s1,jo@x.org,Graded,2026-06-25 10:00:00 -0700\n"
    )
    (entry,) = load_roster(tmp_path / "r.csv").entries
    assert entry.time == "2026-06-25T10:00:00-07:00"
