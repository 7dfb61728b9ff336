"""The command line, as a person and a script meet it: real processes, exit codes, files."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from support import GRADE, RIGHT, ROOT, WRONG, notebook, write_course

from grader.observe.layers import TIERS

COMMAND = [sys.executable, "-m", "grader"]


def grader(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command, *rest = arguments
    return subprocess.run(
        [*COMMAND, *(GRADE if command == "grade" else [command]), *rest],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    root = tmp_path_factory.mktemp("course")
    write_course(root, anna=RIGHT, **{"=evil ü": WRONG, "group/bert": RIGHT})
    return root, grader("grade", "submissions/tiny", "--jobs", "2", cwd=root)


def test_grading_prints_a_line_for_each_submission_and_where_the_results_are(graded) -> None:
    _, done = graded
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert {line.split("] ", 1)[1] for line in lines if line.startswith("[")} == {
        "anna: correct, 3 of 3 points",
        "=evil ü: wrong, 0 of 3 points",
        "group/bert: correct, 3 of 3 points",
    }
    assert lines[-3:-1] == ["3 submissions: 2 correct, 1 wrong", "To give points: grader serve results"]
    assert lines[-1] == str(Path("results/index.html"))
    assert "\x1b" not in done.stdout
    assert [line for line in done.stderr.splitlines() if not line.startswith("warning: ")] == []


def test_the_results_say_in_which_tier_the_notebooks_ran(graded) -> None:
    results = graded[0] / "results"
    content = json.loads((results / "grades.json").read_text())
    tier = content["made"]["tier"]
    assert tier in TIERS
    assert {submission["tier"] for submission in content["submissions"]} == {tier}
    for page in ("index.html", "anna/feedback.html"):
        assert f"notebooks run in the tier {tier}" in (results / page).read_text()
    assert f"Graded in the tier {tier}." in grader("show", "anna", cwd=graded[0]).stdout


def test_grading_writes_the_gradebook_and_a_folder_for_each_submission(graded) -> None:
    results = graded[0] / "results"
    with (results / "grades.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["submission", "status", "score", "max_score", "double", "essay"]
    assert rows[1:] == [
        ["'=evil ü", "graded", "0", "3", "0", ""],
        ["anna", "graded", "3", "3", "3", ""],
        ["group/bert", "graded", "3", "3", "3", ""],
    ]
    assert json.loads((results / "grades.json").read_text())["submissions"][1]["points"] == 3
    for name in ("anna", "=evil ü", "group/bert"):
        assert {p.name for p in (results / name).iterdir()} == {
            "feedback.html",
            "notebook.html",
            "executed.ipynb",
        }
    assert not list(results.rglob("*.part"))


def test_the_links_of_the_course_page_lead_to_files(graded) -> None:
    import re
    from urllib.parse import unquote

    results = graded[0] / "results"
    links = re.findall(r'href="([^"]+)"', (results / "index.html").read_text(encoding="utf-8"))
    assert len(links) == 5
    for link in links:
        assert (results / unquote(link)).is_file(), link


@pytest.mark.parametrize("name", ["anna", "bert", "evil"])
def test_show_finds_a_submission_by_a_part_of_its_name(graded, name: str) -> None:
    done = grader("show", name, cwd=graded[0])
    assert done.returncode == 0
    assert name in done.stdout.splitlines()[0]
    assert "It doubles" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "e"], "several submissions match 'e'; did you mean: =evil ü, group/bert"),
        (["show", "annna"], "there is no submission 'annna'; did you mean: anna"),
        (["show", "anna", "--out", "nowhere"], "there are no results in nowhere"),
        (["grade", "nowhere"], "there is no folder nowhere"),
        (["grade", "rubrics"], "no notebooks (*.ipynb) in rubrics; it holds tiny.yaml"),
        (["grade", "submissions/tiny", "--assignment", "huge"], "the assignments here are: tiny"),
        (["grade", "submissions/tiny", "--rubric", "nowhere.yaml"], "nowhere.yaml"),
        (
            ["grade", "submissions/tiny", "--out", "rubrics/tiny.yaml"],
            "cannot write results to rubrics/tiny.yaml",
        ),
        (["grade", "submissions/tiny", "--jobs", "0"], "0 is not in the range"),
        (["grad"], "No such command 'grad'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_on_the_command_line_is_named_and_exits_with_2(
    graded, arguments: list[str], message: str
) -> None:
    done = grader(*arguments, cwd=graded[0])
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_rubric_with_a_typo_stops_before_any_notebook_runs(tmp_path: Path) -> None:
    folder = write_course(tmp_path, anna="open('ran', 'w')")
    rubric = tmp_path / "rubrics" / "tiny.yaml"
    rubric.write_text(rubric.read_text().replace("function: double", "funktion: double"))
    done = grader("grade", str(folder), cwd=tmp_path)
    assert done.returncode == 2
    assert "tiny.yaml:7: unknown key 'funktion'" in done.stderr
    assert "did you mean 'function'?" in done.stderr
    assert not (tmp_path / "results").exists()


def test_a_fault_of_ours_exits_with_3_and_the_submission_is_not_graded(tmp_path: Path) -> None:
    folder = write_course(tmp_path, anna=RIGHT)
    program = (
        "import grader.observe.warm as s, grader.errors as e\n"
        "launch = s.WarmSandbox.launch\n"
        "def fail(sandbox, program):\n"
        "    if program.module == 'probe': return launch(sandbox, program)\n"
        "    raise e.SandboxError('no more processes')\n"
        "s.WarmSandbox.launch = fail\n"
        "import sys; from grader.cli.main import main; main(sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *GRADE, str(folder)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "no more processes" in done.stdout
    table = (tmp_path / "results" / "grades.csv").read_text()
    assert table.splitlines()[1] == "anna,not_graded,,,,"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_keeps_everything_finished_and_leaves_no_process(
    tmp_path: Path, number: signal.Signals
) -> None:
    folder = write_course(tmp_path, anna=RIGHT, bert="while True: pass\n" + RIGHT)
    started = subprocess.Popen(
        [*COMMAND, *GRADE, str(folder), "--jobs", "1"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "[1/2] anna: correct, 3 of 3 points\n"
    children = psutil.Process(started.pid).children(recursive=True)
    started.send_signal(number)
    _, errors = started.communicate(timeout=60)
    assert started.returncode == 130
    assert "What was finished is kept" in errors
    assert "Traceback" not in errors
    rows = (tmp_path / "results" / "grades.csv").read_text().splitlines()
    assert [row.split(",")[:2] for row in rows[1:]] == [["anna", "graded"], ["bert", "not_graded"]]
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


def test_the_schema_beside_the_rubrics_is_the_one_of_this_version() -> None:
    done = grader("schema", cwd=ROOT)
    assert done.stdout == (ROOT / "rubrics" / "rubric.schema.json").read_text(encoding="utf-8")


def test_the_help_names_every_command_and_the_first_step() -> None:
    text = grader("--help", cwd=ROOT).stdout
    for expected in ("grade", "show", "schema", "grader grade submissions/exercise_11"):
        assert expected in text


def test_the_live_display_on_a_terminal_ends_with_the_same_result(tmp_path: Path) -> None:
    import pty

    folder = write_course(tmp_path, anna=RIGHT)
    parent, child = pty.openpty()
    done = subprocess.run(
        [*COMMAND, *GRADE, str(folder)], cwd=tmp_path, stdout=child, stderr=child, check=False
    )
    os.close(child)
    shown = b""
    while True:
        try:
            chunk = os.read(parent, 65536)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
    os.close(parent)
    assert done.returncode == 0
    assert b"3 of 3 points" in shown
    assert b"1 correct" in shown


def rows(folder: Path) -> dict[str, str]:
    with (folder / "results" / "grades.csv").open(encoding="utf-8", newline="") as file:
        return {row["submission"]: row["score"] for row in csv.DictReader(file)}


def test_a_late_notebook_joins_the_gradebook_of_the_course(tmp_path: Path) -> None:
    folder = write_course(tmp_path, anna=RIGHT, bert=WRONG)
    assert grader("grade", str(folder), cwd=tmp_path).returncode == 0
    late = tmp_path / "late.ipynb"
    late.write_text((folder / "anna.ipynb").read_text())
    done = grader("grade", str(late), "--assignment", "tiny", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert rows(tmp_path) == {"anna": "3", "bert": "0", "late": "3"}
    assert "The gradebook has 2 more of earlier runs." in done.stdout
    page = (tmp_path / "results" / "index.html").read_text(encoding="utf-8")
    assert all(f'href="{name}/feedback.html"' in page for name in ("anna", "bert", "late"))


def test_a_second_run_that_is_interrupted_leaves_the_whole_gradebook(tmp_path: Path) -> None:
    folder = write_course(tmp_path, anna=RIGHT, bert=WRONG, carl=RIGHT)
    assert grader("grade", str(folder), cwd=tmp_path).returncode == 0
    (folder / "bert.ipynb").write_text(notebook("while True: pass\n" + RIGHT))
    started = subprocess.Popen(
        [*COMMAND, *GRADE, str(folder), "--jobs", "1", "--fresh"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    assert started.stdout.readline().startswith("[1/3] anna: correct")
    started.send_signal(signal.SIGINT)
    started.communicate(timeout=60)
    assert started.returncode == 130
    assert rows(tmp_path) == {"anna": "3", "bert": "0", "carl": "3"}


def test_a_pipe_that_is_closed_gives_up_no_result(tmp_path: Path) -> None:
    """As in `grader grade ... | head -1`."""
    write_course(tmp_path, anna=RIGHT, bert=RIGHT, carl=RIGHT)
    arguments = ["submissions/tiny", "--out", "out", "--jobs", "1"]
    read, write = os.pipe()
    os.close(read)
    command = [*COMMAND, *GRADE, *arguments]
    done = subprocess.run(
        command, cwd=tmp_path, stdout=write, stderr=subprocess.PIPE, check=False, timeout=200
    )
    os.close(write)
    assert (done.returncode, b"Exception ignored" in done.stderr) == (0, False)
    assert (tmp_path / "out" / "grader.log").read_text().count("the progress was not shown") <= 2
    rows = (tmp_path / "out" / "grades.csv").read_text(encoding="utf-8-sig").splitlines()[1:]
    assert [row.split(",")[:3] for row in rows] == [
        [name, "graded", "3"] for name in ("anna", "bert", "carl")
    ]


def test_a_killed_run_leaves_a_gradebook_with_everybody_in_it(tmp_path: Path) -> None:
    folder = write_course(tmp_path, anna=RIGHT, bert="while True: pass\n" + RIGHT)
    (folder / "carl").mkdir()
    command = [*COMMAND, *GRADE, str(folder), "--jobs", "1", "--log-file", "events.jsonl"]
    started = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    assert started.stdout.readline().startswith("[1/3] anna: correct")
    started.kill()
    started.communicate(timeout=60)
    assert rows(tmp_path).keys() == {"anna", "bert", "carl"}
    (folder / "bert.ipynb").write_text(notebook(WRONG))
    assert grader("grade", str(folder), cwd=tmp_path).returncode == 0
    assert rows(tmp_path) == {"anna": "3", "bert": "0", "carl": "0"}
    events = [json.loads(line)["event"] for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert events[0] == "begun"
    assert {"started", "finished"} <= set(events)
    assert "ended" not in events


def test_who_is_on_the_roster_and_handed_in_nothing_has_a_row_until_something_comes(tmp_path: Path) -> None:
    folder = write_course(tmp_path, anna=RIGHT)
    (tmp_path / "roster.csv").write_text("account\nanna\nbert\n")
    arguments = ["grade", str(folder), "--roster", "roster.csv"]
    done = grader(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 not handed in" in done.stdout
    assert rows(tmp_path) == {"anna": "3", "bert": "0"}
    (folder / "Bert (1).ipynb").write_text(notebook(WRONG))
    grader(*arguments, cwd=tmp_path)
    assert rows(tmp_path).keys() == {"anna", "Bert (1)"}


def test_a_terminal_that_knows_ascii_alone_shows_every_result(tmp_path: Path) -> None:
    write_course(tmp_path, **{"🦊 Jörg": RIGHT})
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [*COMMAND, *GRADE, "submissions/tiny"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert b"[1/1] ? J?rg: correct, 3 of 3 points" in done.stdout
