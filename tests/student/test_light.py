"""What a student's machine must have, and must not need: few packages, any operating system."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from support import ROOT, notebook
from support_student import edited, solved, write_kit_to

UNIX = ("fcntl", "resource", "pwd", "grp", "termios", "pty", "syslog")
HEAVY = (
    "nbformat",
    "nbclient",
    "jupyter_client",
    "IPython",
    "yaml",
    "rich",
    "jinja2",
    "sqlalchemy",
    "psutil",
)
HEAVY += ("markupsafe", "matplotlib", "pandas", "jsonschema", "rfc3987_syntax", "ipykernel", "typst", "pypdf")
BLOCKED = """
import os, sys
for name in {names!r}:
    sys.modules[name] = None
{without_fork}
from grader.cli.main import main
main({arguments!r})
"""
NO_FORK = "for name in ('fork', 'sched_getaffinity', 'getuid', 'setsid', 'killpg'): delattr(os, name)"


def run(names: tuple[str, ...], *arguments: str, fork: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process in which some modules cannot be imported."""
    code = BLOCKED.format(names=names, arguments=list(arguments), without_fork="" if fork else NO_FORK)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("names", [UNIX, HEAVY], ids=["of Unix alone", "beside the base packages"])
def test_a_check_needs_no_module(tmp_path: Path, names: tuple[str, ...]) -> None:
    write_kit_to(tmp_path)
    path = tmp_path / "exercise_11.ipynb"
    path.write_bytes(solved())
    done = run(names, "check", str(path), "-f", "tsne_gradient", fork=names is not UNIX)
    assert done.stdout.splitlines()[-1] == "6 public checks: 6 hold.", done.stderr
    path.write_bytes(edited(('4.0 * np.einsum("ij,ijd->id"', '2.0 * np.einsum("ij,ijd->id"')))
    done = run(names, "check", str(path), "-f", "tsne_gradient", fork=names is not UNIX)
    assert (done.returncode, "the constant factor 0.5" in done.stdout) == (1, True), done.stderr


def test_magics_are_left_out_where_there_is_no_ipython(tmp_path: Path) -> None:
    write_kit_to(tmp_path)
    cell = "%matplotlib inline\n!ls\ndef reconstruct(X, W1, W2):\n    return X @ W1 @ W2"
    (tmp_path / "a.ipynb").write_text(notebook(cell), encoding="utf-8")
    done = run(HEAVY, "check", str(tmp_path / "a.ipynb"), "-f", "reconstruct")
    assert done.stdout.splitlines()[-1] == "1 public check: 1 holds.", done.stderr


def test_running_a_notebook_says_what_is_needed_for_it(tmp_path: Path) -> None:
    write_kit_to(tmp_path)
    done = run(HEAVY, "check", str(tmp_path / "exercise_11.ipynb"), "--hand-in")
    assert done.returncode == 2
    assert "pip install nbclient ipykernel" in done.stderr


def test_a_terminal_without_signs_gets_letters(tmp_path: Path) -> None:
    write_kit_to(tmp_path)
    command = [
        sys.executable,
        "-m",
        "grader",
        "check",
        str(tmp_path / "exercise_11.ipynb"),
        "-f",
        "reconstruct",
    ]
    done = subprocess.run(
        command, capture_output=True, check=False, env={"PYTHONIOENCODING": "cp1252:strict"}
    )
    assert done.stdout.decode("ascii").startswith("- reconstruct is still as it was handed out"), done.stderr


def test_importing_grader_imports_nothing_beside_the_standard_library() -> None:
    code = "import sys; before = set(sys.modules); import grader; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    tops = {name.split(".")[0] for name in done.stdout.split()}
    assert tops - set(sys.stdlib_module_names) == {"grader"}


def test_the_help_needs_click_alone() -> None:
    done = run((*HEAVY, "numpy", "pydantic"), "check", "--help")
    assert done.returncode == 0
    assert "public checks" in done.stdout


def test_a_student_installs_three_packages_and_what_they_need() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {requirement.split(">")[0] for requirement in project["dependencies"]}
    assert names == {"click", "numpy", "pydantic"}
