"""What a student has who installed the wheel and nothing else: these tests need no other package of the project.

    pip install numerical_notebook_grader-*.whl pytest hypothesis
    pytest tests/student/test_wheel_alone.py

So they run on any operating system, without walls. The other tests of the student's side make the kit of an
assignment first, which needs the extra `grade`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import grader
from grader.course import Case
from grader.student.kit import CHECKS, Kit, KitFunction, read_kit, write_kit

COST = "import numpy as np\ndef loss(w):\n    return 0.5 * np.sum(w ** 2)"
GRADIENT = "def loss_gradient(w):\n    return 1.0 * w"
HALF = GRADIENT.replace("1.0", "0.5")
PLACE = "def loss_gradient(w):\n    raise NotImplementedError"
WEIGHTS = np.array([1.0, -2.0, 3.0])
CASES = (Case("three weights", (WEIGHTS,)),)
GIVEN = {"points": 0.0, "visibility": "public", "inputs": "weights", "public": {"inputs": "weights"}}
VALUES = {"id": "values", "title": "It is right", "type": "reference"}
KEPT = {"id": "kept", "title": "It leaves w alone", "type": "property", "property": "input_not_mutated"}
SLOPE = {"id": "slope", "title": "It is the slope", "type": "gradient", "cost": "loss", "wrt": ["w"]}


def kit_of() -> Kit:
    """Return the kit of an assignment with a loss and its gradient."""
    values = GIVEN | VALUES | {"public": {"inputs": "weights", "values": True}}
    checks = {"loss": [values, GIVEN | KEPT], "loss_gradient": [GIVEN | SLOPE]}
    functions = {
        name: KitFunction(name, name, 1.0, ("w",), CHECKS.validate_python(tuple(each)))
        for name, each in checks.items()
    }
    names = ("tiny", "Tiny", "tiny.ipynb", grader.__version__)
    expected = {"loss.values": (7.0,)}
    return Kit(*names, functions=functions, inputs={"weights": CASES}, expected=expected)


def write(folder: Path, *cells: str) -> Path:
    """Write the kit and a notebook with these code cells; return the notebook."""
    (folder / "tiny.checks.json").write_bytes(write_kit(kit_of()))
    made = [
        {
            "cell_type": "code",
            "id": f"c{n}",
            "metadata": {},
            "execution_count": n,
            "outputs": [],
            "source": cell,
        }
        for n, cell in enumerate(cells, 1)
    ]
    content = {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path = folder / "tiny.ipynb"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder."""
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def check(folder: Path, *cells: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run `grader check` in a notebook of these cells."""
    return run(folder, "-m", "grader", "check", str(write(folder, *cells)), *options)


def test_a_right_notebook_passes(tmp_path: Path) -> None:
    done = check(tmp_path, COST, GRADIENT)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "3 public checks: 3 hold."), done.stderr


def test_a_wrong_gradient_is_told_its_factor(tmp_path: Path) -> None:
    done = check(tmp_path, COST, HALF)
    assert (done.returncode, "the constant factor 0.5" in done.stdout) == (1, True), done.stdout + done.stderr


def test_a_function_that_is_left_as_it_was_is_no_success(tmp_path: Path) -> None:
    done = check(tmp_path, COST, PLACE)
    assert (done.returncode, "as it was handed out" in done.stdout) == (1, True), done.stdout + done.stderr


def test_code_that_ends_the_process_is_no_success(tmp_path: Path) -> None:
    done = check(tmp_path, COST, "import os\ndef loss_gradient(w):\n    os._exit(0)")
    assert (done.returncode, "3 hold" in done.stdout) == (1, False), done.stdout + done.stderr


def test_magics_are_left_out(tmp_path: Path) -> None:
    done = check(tmp_path, f"%matplotlib inline\n!ls\n{COST}", GRADIENT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_one_function_can_be_checked_alone(tmp_path: Path) -> None:
    done = check(tmp_path, COST, HALF, options=("-f", "loss"))
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "2 public checks: 2 hold."), done.stderr


def test_a_damaged_kit_is_said_to_be_so(tmp_path: Path) -> None:
    path = write(tmp_path, COST)
    (tmp_path / "tiny.checks.json").write_text("{}", encoding="utf-8")
    done = run(tmp_path, "-m", "grader", "check", str(path))
    assert (done.returncode, "is damaged" in done.stderr) == (2, True), done.stdout


def test_functions_can_be_checked_in_python(tmp_path: Path) -> None:
    write(tmp_path)
    program = (
        f"{COST}\n{HALF}\nimport grader\nprint(grader.check(loss).passed, grader.check(loss_gradient).passed)"
    )
    (tmp_path / "work.py").write_text(f"{program}\nprint(*grader.inputs(loss)[0].args)", encoding="utf-8")
    done = run(tmp_path, "work.py")
    assert done.stdout.splitlines() == ["True False", str(WEIGHTS)], done.stderr


def test_the_magic_is_registered() -> None:
    class Shell:
        def register_magic_function(self, function: Any, kind: str, name: str) -> None:
            assert callable(function)
            registered.append((kind, name))

    registered: list[tuple[str, str]] = []
    grader.load_ipython_extension(Shell())
    assert registered == [("line", "check")]


def test_the_command_line_says_the_version(tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "grader", "--version")
    assert done.stdout.split() == ["grader,", "version", grader.__version__], done.stderr


def test_a_type_checker_finds_the_mark_of_a_typed_package() -> None:
    assert (Path(grader.__file__).parent / "py.typed").is_file()


@pytest.mark.skipif(find_spec("nbclient") is not None, reason="nbclient is installed")
def test_running_a_notebook_says_what_is_needed_for_it(tmp_path: Path) -> None:
    done = check(tmp_path, COST, GRADIENT, options=("--hand-in",))
    assert (done.returncode, "pip install nbclient ipykernel" in done.stderr) == (2, True), done.stdout


@pytest.mark.skipif(find_spec("typst") is not None, reason="the extra pdf is installed")
def test_the_pdf_says_what_is_needed_for_it(tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "grader", "pdf", str(write(tmp_path, COST)), "-o", "hand_in.pdf")
    assert (done.returncode, 'pip install "numerical-notebook-grader[pdf]"' in done.stderr) == (2, True), (
        done.stdout
    )


@pytest.mark.skipif(find_spec("typst") is None, reason="the extra pdf is not installed")
def test_the_pdf_is_made(tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "grader", "pdf", str(write(tmp_path, COST)), "-o", "hand_in.pdf")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "hand_in.pdf").read_bytes().startswith(b"%PDF")


NUMBERS = st.lists(st.floats(width=64), min_size=1, max_size=20)


@given(NUMBERS, st.text(min_size=1, max_size=20).filter(lambda name: name.isprintable()))
def test_a_kit_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[float], name: str
) -> None:
    kit = replace(kit_of(), inputs={"weights": (Case(name, (np.array(numbers),)),)})
    path = tmp_path_factory.mktemp("kit") / "tiny.checks.json"
    path.write_bytes(write_kit(kit))
    again = read_kit(path)
    (case,) = again.inputs["weights"]
    assert case.name == name
    np.testing.assert_array_equal(case.args[0], np.array(numbers))
    assert again.functions == kit.functions
    assert write_kit(again) == path.read_bytes()
