"""The pytest plugin: a rubric is a file of test items, readable one by one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from support import ROOT
from support_verify import REWRITINGS, make_course


def pytest_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-p", "grader.verify.plugin", "-p", "no:cacheprovider"]
    options = ["rubrics", "--grader-seeds", "1", "--grader-jobs", "1", *arguments]
    return subprocess.run(
        [*command, *options], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_every_claim_is_an_item(tmp_path: Path) -> None:
    make_course(tmp_path)
    listed = pytest_in(tmp_path, "--collect-only", "-q").stdout
    for name in (
        "reference",
        "skeleton",
        "mistake/tripled",
        "rewriting/double/added",
        "mutants/double",
        "names",
    ):
        assert f"rubrics/tiny.yaml::{name}" in listed


def test_a_broken_claim_fails_with_its_reason_and_no_traceback(tmp_path: Path) -> None:
    make_course(tmp_path, **{"rewritings.py": REWRITINGS.replace("x + x)", "3 * x)")})
    done = pytest_in(tmp_path, "-k", "added or skeleton", "--junit-xml", "report.xml")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 passed" in done.stdout
    assert "does not hold: The rewriting double/added keeps every point" in done.stdout
    assert "Traceback" not in done.stdout
    assert "it loses points in double/values" in (tmp_path / "report.xml").read_text()


def test_a_rubric_that_is_wrong_in_itself_is_an_error_of_collection(tmp_path: Path) -> None:
    make_course(tmp_path)
    rubric = tmp_path / "rubrics" / "tiny.yaml"
    rubric.write_text(rubric.read_text().replace("points: 3", "pionts: 3"))
    done = pytest_in(tmp_path)
    assert done.returncode == 2
    assert "pionts" in done.stdout


def test_other_files_and_folders_are_left_alone(tmp_path: Path) -> None:
    make_course(tmp_path)
    (tmp_path / "rubrics" / "notes.txt").write_text("nothing")
    (tmp_path / "reference").rename(tmp_path / "somewhere")
    assert pytest_in(tmp_path).returncode == 5  # nothing collected
