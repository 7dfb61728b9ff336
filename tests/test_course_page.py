"""Follows docs/course.md: from the archive of a platform to what it takes back, in the commands of the page.

GRADER_COURSE=600 does it with as many students.
"""

from __future__ import annotations

import csv
import html
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import GRADE, ROOT, write_course
from support_archives import Archive, moodle

NUMBER = int(os.environ.get("GRADER_COURSE", "24"))
PAGE = (ROOT / "docs" / "course.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"<!-- run -->\n```sh\n(.*?)\n```", PAGE, re.S)


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program, name, *rest = shlex.split(command)
    assert program == "grader"
    words = [*GRADE, *rest] if name == "grade" else [name, *rest]
    return subprocess.run(
        [sys.executable, "-m", "grader", *words], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Archive]:
    """Write a course with an essay that no longer waits for anybody, and what Moodle hands out of it."""
    root = tmp_path_factory.mktemp("course")
    write_course(root)
    rubric = root / "rubrics" / "tiny.yaml"
    text = re.sub(r"\n  - \{id: essay.*", "\nlate: {loss: 0.5}\n", rubric.read_text())
    rubric.write_text(text)
    archive = moodle(root / "lms", NUMBER)
    shutil.copy(archive.path, root / "submissions.zip")
    shutil.copy(archive.roster, root / "worksheet.csv")
    for command in COMMANDS:
        done = run(command, root)
        assert done.returncode == 0, done.stderr
    return root, archive


def test_three_commands_lead_from_the_archive_to_the_worksheet_that_is_uploaded(course) -> None:
    root, archive = course
    assert len(COMMANDS) == 3
    with (root / "upload.csv").open(encoding="utf-8", newline="") as file:
        grades = {row["ID number"]: row["Grade"] for row in csv.DictReader(file)}
    late = {each.sid for each in archive.people if each.kind == "late"}
    # The sheet is worth 3 points, Moodle's maximum is 5.
    assert grades == {
        sid: f"{points * 5 / 3 * (0.0 if sid in late else 1.0):.2f}"
        for sid, (_, points) in archive.expected.items()
    }


def test_each_student_gets_a_page(course) -> None:
    import zipfile

    root, archive = course
    names = zipfile.ZipFile(root / "feedback.zip").namelist()
    numbers = [int(re.findall(r"_(\d+)_", name)[0]) for name in names]
    assert sorted(numbers) == [each.platform_id for each in archive.people if each.kind != "absent"]


def test_another_choice_of_attempt_stays_through_the_next_run(course) -> None:
    root, archive = course
    who = next(each for each in archive.people if each.kind == "attempts")
    chosen = f"{who.name}_{who.platform_id}_assignsubmission_file_/tiny"
    done = run(f"grader choose {shlex.quote(chosen)}", root)
    assert done.returncode == 0, done.stderr
    assert run(COMMANDS[0], root).returncode == 0
    assert run("grader export csv -o all.csv", root).returncode == 0
    with (root / "all.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert len(rows) == NUMBER
    assert (rows[who.sid]["submission"], rows[who.sid]["points"]) == (chosen, "0")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("grader export moodel", "there is no format 'moodel'; there are csv, xlsx"),
        ("grader export csv --out nowhere", "there are no results in nowhere"),
        ("grader export csv --student nobody", "there is no student 'nobody'"),
        ("grader choose nothing", "there is no submission 'nothing'"),
        ("grader summary results results", "two folders hold results of 'tiny'"),
        ("grader summary results --drop-lowest 1", "there are 1 assignments"),
    ],
)
def test_a_command_that_cannot_be_done_says_why(course, command: str, message: str) -> None:
    done = run(command, course[0])
    assert done.returncode == 2
    assert message in done.stderr


def test_the_page_of_a_student_is_linked_by_name(course) -> None:
    root, archive = course
    page = (root / "results" / "index.html").read_text(encoding="utf-8")
    assert archive.people[0].name in html.unescape(page)
