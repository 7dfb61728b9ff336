"""The commands of what people decide, on the results of a real run."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from support import RIGHT, WRONG, notebook, score, write_course

from grader.attempt import Attempt, Student
from grader.cli.main import cli
from grader.errors import GraderError
from grader.store import Store


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("course")
    write_course(root, anna=RIGHT, bert=WRONG)
    run(
        "grade",
        str(root / "submissions/tiny"),
        "--root",
        str(root),
        "--out",
        str(root / "results"),
        "--unsafe",
        "--jobs",
        "2",
    )
    return root


@pytest.fixture
def course(graded: Path, tmp_path: Path) -> Path:
    """A copy of the results; the hand-ins are where they were."""
    shutil.copytree(graded / "results", tmp_path / "results")
    return tmp_path


def run(*arguments: str) -> str:
    done = CliRunner().invoke(cli, arguments, catch_exceptions=True)
    if done.exception is not None and not (
        isinstance(done.exception, SystemExit) and not done.exception.code
    ):
        raise done.exception
    return done.output


def on(course: Path, *arguments: str) -> str:
    return run(*arguments, "--out", str(course / "results"))


def points(course: Path, name: str) -> dict[str, float | None]:
    content = json.loads((course / "results/grades.json").read_text())
    (row,) = (each for each in content["submissions"] if each["submission"] == name)
    return {question["id"]: question["points"] for question in row["questions"]}


def test_points_are_set_shown_in_the_pages_and_undone(course: Path) -> None:
    assert "2  written parts to read: anna, bert" in on(course, "todo")
    said = on(course, "points", "set", "ann", "ess", "1.5", "--comment", "Why *so*: $x^2$?", "--as", "ada")
    assert said == "anna, essay: 1.5 of 2 points (before: pending)\n"
    assert points(course, "anna") == {"double": 3.0, "essay": 1.5}
    page = (course / "results/anna/feedback.html").read_text()
    assert "<em>so</em>" in page
    assert "<math" in page
    assert "1  written parts to read: bert" in on(course, "todo")
    assert "ada  anna, essay: points, 1.5 points  Why *so*" in on(course, "points", "history", "anna")
    assert on(course, "points", "undo", "anna", "essay") == "anna, essay: pending\n"
    assert points(course, "anna")["essay"] is None
    assert "<em>so</em>" not in (course / "results/anna/feedback.html").read_text()


def test_an_override_needs_a_reason_and_survives_a_later_run(course: Path, graded: Path) -> None:
    with pytest.raises(GraderError, match="grader override"):
        on(course, "points", "set", "bert", "double", "2")
    on(course, "override", "bert", "double", "2", "--reason", "read by hand")
    assert points(course, "bert")["double"] == 2.0
    arguments = ("--root", str(graded), "--unsafe", "--jobs", "1")
    on(course, "grade", str(graded / "submissions/tiny"), *arguments)
    assert points(course, "bert")["double"] == 2.0
    assert on(course, "regrade", "bert", *arguments).startswith("bert: 2 of 3 points")
    assert points(course, "bert")["double"] == 2.0
    on(course, "points", "undo", "bert", "double")
    assert points(course, "bert")["double"] == 0.0


def test_one_question_is_judged_again_and_the_others_stay(course: Path, graded: Path) -> None:
    handed_in = graded / "submissions/tiny/bert.ipynb"
    before = handed_in.read_text()
    try:
        handed_in.write_text(notebook(RIGHT))
        arguments = ("--root", str(graded), "--unsafe", "--jobs", "1")
        with pytest.raises(GraderError, match="no question 'triple'"):
            on(course, "regrade", "bert", "--question", "triple", *arguments)
        on(course, "regrade", "bert", "--question", "essay", *arguments)
        assert points(course, "bert")["double"] == 0.0
        on(course, "regrade", "bert", "--question", "double", *arguments)
        assert points(course, "bert")["double"] == 3.0
    finally:
        handed_in.write_text(before)


def test_a_table_goes_out_and_comes_back(course: Path) -> None:
    table = course / "points.csv"
    assert on(course, "points", "export", str(table), "--waiting") == f"{table}: 2 rows\n"
    lines = table.read_text("utf-8-sig").splitlines()
    table.write_text("\n".join([lines[0], lines[1].replace(",,,,0", ",1.25,good,,0"), *lines[2:]]))
    assert on(course, "points", "import", str(table)) == f"1 decision taken over from {table}\n"
    assert points(course, "anna")["essay"] == 1.25
    table.write_text(table.read_text().replace("1.25", "9"))
    with pytest.raises(GraderError, match="line 2"):
        on(course, "points", "import", str(table))


def test_publish_writes_what_was_decided_elsewhere(course: Path) -> None:
    from grader.manual.decisions import Decisions, Wish

    with Store(course / "results/grader.db") as store:
        Decisions(store, "tiny").decide([Wish("anna", "essay", 0.75, "`so`")], "ben")
    assert points(course, "anna")["essay"] is None
    assert "2 pages of feedback" in on(course, "publish")
    assert points(course, "anna")["essay"] == 0.75
    assert "<code>so</code>" in (course / "results/anna/feedback.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("points", "set", "nobody", "essay", "1"), "no submission 'nobody'"),
        (("points", "set", "anna", "proof", "1"), "no question 'proof'"),
        (("points", "set", "anna", "essay", "3"), "3 points, but it has 0 to 2"),
        (("regrade",), "name submissions, or give --all"),
        (("points", "export", "x.ods"), "ends in .csv or .xlsx"),
        (("points", "set", "annna", "essay", "1"), "no submission 'annna'; did you mean: anna"),
        (("points", "history", "anna", "esay"), "no question 'esay'; did you mean: essay"),
        (("points", "history", "--question", "proof"), "no question 'proof'"),
        (("points", "export", "x.csv", "--question", "proof"), "no question 'proof'"),
        (("todo", "--question", "proof"), "no question 'proof'"),
        (("export", "csv", "--student", "bret"), "no student 'bret'; did you mean: bert"),
        (("show", "ana"), "no submission 'ana'; did you mean: anna"),
        (("show", "anna", "--assignment", "exam"), "holds nothing of 'exam'"),
    ],
)
def test_what_cannot_be_is_told(course: Path, arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(GraderError, match=words):
        on(course, *arguments)


def test_points_are_given_with_a_decimal_comma_too(course: Path) -> None:
    assert "anna, essay: 1.5 of 2 points" in on(course, "points", "set", "anna", "essay", "1,5")
    assert "0.25 of 3 points" in on(course, "override", "bert", "double", "0,25", "--reason", "so")
    for number in ("1,5,2", "nan", "inf"):
        with pytest.raises(click.UsageError, match=f"'{number}' is no number, such as 1.5 or 1,5"):
            invoke("points", "set", "anna", "essay", number)
    with pytest.raises(click.UsageError, match=r"0,1 is not from 0\.3 to 1"):
        invoke("similar", "--least", "0,1")


def invoke(*arguments: str) -> None:
    cli.main(arguments, standalone_mode=False)


def test_the_history_is_that_of_one_question_if_it_is_named(course: Path) -> None:
    on(course, "points", "set", "anna", "essay", "1")
    on(course, "points", "set", "bert", "essay", "2")
    on(course, "override", "anna", "double", "2", "--reason", "so")
    for question in (("anna", "essay"), ("anna", "--question", "ess")):
        (line,) = on(course, "points", "history", *question).splitlines()
        assert "anna, essay: points, 1 points" in line
    assert len(on(course, "points", "history", "--question", "essay").splitlines()) == 2


def test_publish_tells_whose_points_are_of_another_version_of_the_course(course: Path, graded: Path) -> None:
    rubric = course / "tiny.yaml"
    rubric.write_text((graded / "rubrics/tiny.yaml").read_text())
    root = ("--root", str(graded))
    assert on(course, "publish", *root, "--rubric", str(rubric)).count("another version") == 0
    rubric.write_text(rubric.read_text().replace("title: Doubling", "title: Twice"))
    said = on(course, "publish", *root, "--rubric", str(rubric))
    assert "warning: 2 pages of another version of the course" in said
    assert "2 pages of feedback" in said


def test_pages_that_are_not_finished_are_told_loudly(course: Path) -> None:
    out = str(course / "f.zip")
    with pytest.raises(GraderError, match="2 of 2 pages are NOT FINISHED, so there is nothing to hand out"):
        on(course, "export", "feedback", "-o", out)
    on(course, "points", "set", "anna", "essay", "1")
    assert "warning: 1 of 2 pages is NOT FINISHED, and left out: bert." in on(
        course, "export", "feedback", "-o", out
    )
    said = on(course, "export", "nbgrader", "-o", out)
    assert "warning: 1 of 2 students have no final points yet, and no grade in the file: bert." in said
    assert "--partial" in said
    assert "no grade in the file" not in on(course, "export", "csv", "-o", out)


def test_serve_is_open_to_others_only_with_a_login(course: Path) -> None:
    results = str(course / "results")
    with pytest.raises(GraderError, match="--accounts or --user-header"):
        run("serve", results, "--host", "0.0.0.0")
    with pytest.raises(GraderError, match="there are no accounts yet"):
        run("serve", results, "--accounts", "--port", "0")
    with pytest.raises(GraderError, match="--prefix"):
        run("serve", results, "--prefix", "grading/")


def test_answers_and_runs_of_a_real_notebook_are_kept_for_people(course: Path) -> None:
    from grader.manual.worklist import Worklist

    with Store(course / "results/grader.db") as store:
        found = Worklist(store, "tiny").answer("bert", "double")
        run = store.run_of("tiny", "bert")
        items = {item.submission: item for item in Worklist(store, "tiny").items(question="double")}
    assert found is not None
    assert "double" in found.html
    assert run is not None
    assert "3.0" in run.shown
    assert items["anna"].alike != items["bert"].alike


def test_the_name_of_a_student_is_the_hand_in_that_counts(course: Path) -> None:
    who = (Student("Anna Lee"),)
    with Store(course / "results/grader.db") as store:
        for name, counts in (("x/hw", False), ("x/hw (2)", True)):
            store.put_scores("tiny", [replace(score(name), attempt=Attempt(who, counts=counts))], "course")
    on(course, "points", "set", "anna lee", "essay", "1")
    with Store(course / "results/grader.db") as store:
        given = {name: kept.questions[1].points for name, kept in store.get_scores("tiny").items()}
    assert (given["x/hw"], given["x/hw (2)"]) == (None, 1.0)
