"""A folder as courses really get them: everything in it has its row, its status and its page, nothing aborts."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import GRADE, RIGHT, write_course

NEWLINE = "🦊\n=1+1"
READABLE = ("Jörg Müller", "anna", "anna (1)", NEWLINE)
FOX = "🦊\N{REPLACEMENT CHARACTER}=1+1"
HUGE = 300 << 20


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("course")
    folder = write_course(root, **dict.fromkeys(READABLE, RIGHT))
    with (folder / "huge.ipynb").open("wb") as file:
        file.truncate(HUGE)
    (folder / "empty.ipynb").touch()
    (root / "secret.ipynb").write_text("{}")
    (folder / "link.ipynb").symlink_to(root / "secret.ipynb")
    (folder / "thief.ipynb").symlink_to(folder / "anna.ipynb")
    (folder / "zipped").mkdir()
    (folder / "zipped" / "hw.zip").write_bytes(b"PK")
    (folder / "text.ipynb.txt").write_text("{}")
    command = [sys.executable, "-m", "grader", *GRADE, "submissions/tiny", "--jobs", "2"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return root / "results"


@pytest.fixture(scope="module")
def rows(results: Path) -> dict[str, dict[str, str]]:
    with (results / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["submission"]: row for row in csv.DictReader(file)}


def test_every_notebook_has_a_row_with_its_status(rows: dict[str, dict[str, str]]) -> None:
    graded = {name: row["status"] for name, row in rows.items()}
    assert graded == {
        **dict.fromkeys(("Jörg Müller", "anna", "anna (1)", FOX), "graded"),
        **dict.fromkeys(("huge", "empty", "link", "thief"), "unreadable"),
        **dict.fromkeys(("zipped", "text.ipynb.txt"), "no_notebook"),
    }
    assert {rows[name]["score"] for name in ("Jörg Müller", "anna", "anna (1)", FOX)} == {"3"}


def test_what_cannot_be_read_says_why(results: Path) -> None:
    content: dict[str, Any] = json.loads((results / "grades.json").read_text(encoding="utf-8"))
    said = {entry["submission"]: entry.get("message", "") for entry in content["submissions"]}
    assert "300 MB" in said["huge"]
    assert "empty" in said["empty"]
    assert "a link, which is not followed" in said["link"]
    assert "it holds hw.zip; unpack the archive" in said["zipped"]
    assert "It is no notebook" in said["text.ipynb.txt"]


def test_every_submission_has_its_page(results: Path, rows: dict[str, dict[str, str]]) -> None:
    pages = list(results.rglob("feedback.html"))
    assert len(pages) == len(rows)
    assert all("\n" not in str(page) for page in pages)
    anna, index = (
        (results / name).read_text(encoding="utf-8") for name in ("anna/feedback.html", "index.html")
    )
    assert "Perhaps of the same student: anna (1)" in index
    assert "Perhaps" not in anna  # it may be somebody else's
