"""The student's part on Windows and macOS, as far as one system can stand in for another.

A process loses what the other system does not have (modules, functions, signals), or takes its name, before grader
is imported; the processes that it starts do too. The hosted workflow runs `test_wheel_alone.py` on the systems themselves.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from support import ROOT

from grader.student.make_kit import build_kit

WINDOWS = """
import os, signal, sys, sysconfig
sysconfig.get_config_vars()  # those of this system, before it has another name
sys.platform = "other"  # with the name win32, Python's own modules would ask for what is not here
GONE = ("fork", "forkpty", "getuid", "geteuid", "killpg", "sched_getaffinity", "setsid")
for name in GONE:
    delattr(os, name)
for name in ("SIGALRM", "SIGHUP", "SIGPROF", "SIGUSR1", "setitimer"):
    delattr(signal, name)
for name in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[name] = None
"""
MACOS = """
import sys, sysconfig
sysconfig.get_config_vars()  # those of this system, before it has another name
sys.platform = "darwin"
"""
SYSTEMS = {"windows": (WINDOWS, "cp1252"), "macos": (MACOS, "utf-8")}
FACTOR = ("    errors = errors / len(y)\n", "")
ENDS = ("    P = softmax(X @ W + b)\n", "    import os; os._exit(0)\n")


@pytest.fixture(params=SYSTEMS)
def system(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """Return a folder with a kit, whose name is not ASCII, and the environment of a system."""
    text, encoding = SYSTEMS[request.param]
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(text, encoding="utf-8")
    folder = tmp_path / "Übung 3 (Kopie)"
    folder.mkdir()
    for name, data in build_kit("softmax", ROOT).items():
        (folder / name).write_bytes(data)
    paths = os.pathsep.join((str(tmp_path / "site"), str(ROOT)))
    return folder, os.environ | {"PYTHONPATH": paths, "PYTHONIOENCODING": encoding}


def check(
    system: tuple[Path, dict[str, str]], *options: str, edit: tuple[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `grader check` on the solved notebook, in which one text is replaced."""
    folder, environment = system
    notebook = nbformat.read(ROOT / "reference" / "softmax" / "notebook.ipynb", 4)
    for cell in notebook.cells:
        if edit is not None:
            cell.source = cell.source.replace(*edit)
    nbformat.write(notebook, folder / "softmax.ipynb")
    command = [sys.executable, "-m", "grader", "check", "softmax.ipynb", *options]
    encoding = environment["PYTHONIOENCODING"]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, encoding=encoding, check=False
    )


def test_the_stand_in_has_no_fork_that_is_used(system: tuple[Path, dict[str, str]]) -> None:
    program = "from grader.student.isolation import CAN_FORK; print(CAN_FORK)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=system[1], capture_output=True, text=True, check=False)
    assert done.stdout == "False\n", done.stderr


def test_a_right_notebook_holds(system: tuple[Path, dict[str, str]]) -> None:
    done = check(system)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "4 public checks: 4 hold."), done.stderr


def test_a_wrong_gradient_is_named(system: tuple[Path, dict[str, str]]) -> None:
    done = check(system, "-f", "cross_entropy_gradient", edit=FACTOR)
    assert (done.returncode, "factor 4" in done.stdout) == (1, True), done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_function_that_ends_its_process_ends_no_other(system: tuple[Path, dict[str, str]]) -> None:
    done = check(system, edit=ENDS)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "Every point has the right probabilities" in done.stdout
