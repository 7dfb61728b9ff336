"""What the documents tell a student to type works in a fresh environment with the wheel and the kit alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from support import ROOT
from support_student import CHECKS, kit_files, solved

from grader.project import NAME

STUDENTS = (ROOT / "docs" / "students.md").read_text(encoding="utf-8")
README = kit_files()["README.md"].decode()
COMMAND = re.compile(r"^ {4}grader (check [^\n]*?)(?: {2,}[^\n]*)?$", re.M)
COMMANDS = sorted({command for text in (STUDENTS, README) for command in COMMAND.findall(text)})
ENDLESS = {command for command in COMMANDS if "--watch" in command}
RUNS = {command for command in COMMANDS if "--run" in command or "--hand-in" in command}


def needed(name: str, seen: set[str]) -> set[str]:
    """Return the distributions that one needs, itself included, without extras."""
    if name in seen:
        return seen
    seen.add(name)
    for requirement in distribution(name).requires or ():
        wanted, _, marker = requirement.partition(";")
        if "extra" not in marker and "platform_system" not in marker:
            needed(re.split(r"[\s<>=!~\[]", wanted, maxsplit=1)[0], seen)
    return seen


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a new environment, in which are the wheel and what it needs, and with a kit."""
    folder = tmp_path_factory.mktemp("student")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, wheel], check=True, capture_output=True)
    # What it needs is taken from here, so that no index is asked.
    (site,) = (folder / "venv" / "lib").glob("*/site-packages")
    for name in needed(NAME, set()) - {NAME}:
        for file in distribution(name).files or ():
            top = file.parts[0]
            source = Path(str(distribution(name).locate_file(top)))
            if top != ".." and source.exists() and not (site / top).exists():
                (site / top).symlink_to(source)
    for name, data in kit_files().items():
        (folder / name).write_bytes(data)
    (folder / "exercise_11.ipynb").write_bytes(solved())
    (folder / "kit").mkdir()
    (folder / "kit" / CHECKS).write_bytes(kit_files()[CHECKS])
    return folder


def run(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    path = f"{folder / 'venv' / 'bin'}:/usr/bin:/bin"
    environment = {"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8"}
    return subprocess.run(
        ["grader", *command.split()], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_there_are_commands() -> None:
    assert len(COMMANDS) >= 6
    assert ENDLESS
    assert RUNS


@pytest.mark.skipif(os.name != "posix", reason="the environment is laid out as on POSIX systems")
@pytest.mark.parametrize("command", [each for each in COMMANDS if each not in ENDLESS | RUNS])
def test_a_check_of_the_documents_needs_nothing_but_the_wheel_and_the_kit(fresh: Path, command: str) -> None:
    done = run(fresh, command)
    assert "Traceback" not in done.stderr
    assert done.stderr == ""
    assert done.returncode in (0, 2), done.stdout  # 2: SciPy and scikit-learn are not there
    assert "✗" not in done.stdout.replace("No module named", ""), done.stdout


@pytest.mark.skipif(os.name != "posix", reason="the environment is laid out as on POSIX systems")
@pytest.mark.parametrize("command", sorted(RUNS))
def test_what_runs_the_notebook_says_what_it_needs(fresh: Path, command: str) -> None:
    done = run(fresh, command)
    assert (done.returncode, "pip install nbclient ipykernel" in done.stderr) == (2, True), done.stdout


def test_what_is_installed_is_this_project() -> None:
    for text in (STUDENTS, README):
        (line,) = [line.strip() for line in text.splitlines() if re.match(r" {4}\S*pip install ", line)][:1]
        assert re.search(r"numerical[-_]notebook[-_]grader", line), line
