"""Types of checks from other packages: installed, they are as good as ours; broken, they are named."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest
from support import notebook

from grader.checks import registry
from grader.checks.raises import RaisesCheck
from grader.errors import PluginError

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "monotone-check"
version = "1.0"

[project.entry-points."grader.checks"]
monotone = "monotone_check:MonotoneCheck"

[project.entry-points."grader.exports"]
names = "monotone_check.names"
"""
MODULE = '''
"""Checks of type `monotone`: the entries of the result never fall."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from grader.checks.base import Outcomes, PlannedCase, Planner, Trusted, ValueCheck, returned
from grader.checks.result import CaseResult
from grader.numerics.arrays import dense


class MonotoneCheck(ValueCheck):
    """The entries of the result never fall."""

    type: Literal["monotone"]
    """Check that the entries never fall."""
    strictly: bool = False
    """Whether they must rise."""

    def plan(self, planner: Planner) -> tuple[PlannedCase, ...]:
        """Return a case for each input."""
        cases = next(planner.draws(self.inputs))
        return tuple(MonotoneCase((planner.call(self, case),), case, self) for case in cases)


@dataclass(frozen=True)
class MonotoneCase(PlannedCase):
    """One input."""

    check: MonotoneCheck

    def judge(self, outcomes: Outcomes, trusted: Trusted | None) -> CaseResult:
        """Look at the differences of neighbours."""
        got = returned(self.calls[0], outcomes, self.check.output)
        if got.failed:
            return got.failed
        steps = np.diff(dense(got.value))
        if (steps > 0).all() or (not self.check.strictly and (steps >= 0).all()):
            return CaseResult(1.0)
        return CaseResult(0.0, "falls", "its entries fall")
'''
EXPORT = '''
"""The names of the submissions."""

FILE = "names.txt"


def export(gradebook):
    """Return a name a line."""
    return "".join(f"{score.submission} {score.points:g}\\n" for score in gradebook.scores)
'''
RUBRIC = """
assignment: rising
title: Rising
questions:
  - id: cumulate
    title: Sums
    function: cumulate
    points: 1
    checks:
      - {id: rises, title: It rises, type: monotone, points: 1, inputs: numbers, strictly: true,
         visibility: public, public: {inputs: some}}
"""
INPUTS = """
import numpy as np
from grader.course import Case

def numbers(rng):
    return [Case("five", (rng.random(5) + 0.1,))]
"""
SOLUTION = """
import numpy as np

def cumulate(x):
    ### BEGIN SOLUTION
    return np.cumsum(x)
    ### END SOLUTION
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Install the package into a folder; return the environment in which Python finds it."""
    project, target = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("installed")
    (project / "monotone_check").mkdir()
    (project / "pyproject.toml").write_text(PROJECT)
    (project / "monotone_check" / "__init__.py").write_text(MODULE)
    (project / "monotone_check" / "names.py").write_text(EXPORT)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command = [*pip, "--no-build-isolation", "--no-index", "--target", str(target), str(project)]
    subprocess.run(command, check=True, capture_output=True)
    return {**os.environ, "PYTHONPATH": str(target)}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("course")
    files = {
        "rubrics/rising.yaml": RUBRIC,
        "reference/rising/inputs.py": INPUTS,
        "reference/rising/public.py": INPUTS.replace("numbers", "some"),
        "reference/rising/notebook.ipynb": notebook(SOLUTION),
        "submissions/rising/anna.ipynb": notebook(SOLUTION.replace("cumsum", "cumsum")),
        "submissions/rising/bert.ipynb": notebook(SOLUTION.replace("np.cumsum(x)", "-x.cumsum()")),
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def run(environment: dict[str, str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "grader", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_an_installed_type_is_graded_exported_explained_and_checked_at_home(
    environment: dict[str, str], course: Path, tmp_path: Path
) -> None:
    done = run(environment, course, "grade", "submissions/rising", "--unsafe")
    assert done.returncode == 0, done.stderr
    assert (course / "results" / "names.txt").read_text() == "anna 1\nbert 0\n"
    assert "Its entries fall" in (course / "results" / "bert" / "feedback.html").read_text()
    assert "## Checks of type `monotone`" in run(environment, course, "schema", "--markdown").stdout
    assert '"monotone"' in run(environment, course, "schema").stdout
    kit = tmp_path / "kit"
    assert run(environment, course, "release", "rising", "-o", str(kit)).returncode == 0
    for name, code in (("anna", 0), ("bert", 1)):
        (kit / "mine.ipynb").write_bytes((course / "submissions" / "rising" / f"{name}.ipynb").read_bytes())
        found = run(environment, kit, "check", "mine.ipynb")
        assert found.returncode == code, found.stdout + found.stderr


def test_without_the_package_the_rubric_says_which_types_there_are(course: Path) -> None:
    done = run(dict(os.environ), course, "grade", "submissions/rising", "--unsafe")
    assert done.returncode == 2
    assert "rising.yaml:10" in done.stderr
    for words in ("questions.0.checks.0", "'monotone'", "raises, reference"):
        assert words in done.stderr


BROKEN = {
    "it is not there": ("no.such:Check", "monotone = no.such:Check .* cannot be imported: ModuleNotFoundError"),
    "it is no check": ("pathlib:Path", "is no subclass of grader.checks.base.Check"),
    "it is no class": ("os:getcwd", "is no subclass of grader.checks.base.Check"),
    "its type is another": ("grader.checks.raises:RaisesCheck", r"needs the field `type: Literal\['monotone'\]`"),
    "it has no type": ("grader.checks.base:InputsCheck", "needs the field `type"),
}  # fmt: skip


@pytest.fixture
def fresh() -> Iterator[None]:
    registry.check_types.cache_clear()
    yield
    registry.check_types.cache_clear()


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(("value", "words"), BROKEN.values(), ids=BROKEN)
def test_an_entry_point_that_is_no_type_of_check_is_named(
    value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = EntryPoint("monotone", value, registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry])
    with pytest.raises(PluginError, match=words):
        registry.check_types()


@pytest.mark.usefixtures("fresh")
def test_a_type_that_two_packages_bring_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Another(RaisesCheck):
        pass

    ours = EntryPoint("raises", "grader.checks.raises:RaisesCheck", registry.GROUP)
    theirs = SimpleNamespace(name="raises", value="another:Another", load=lambda: Another)
    monkeypatch.setattr(registry, "entry_points", lambda group: [ours, ours])
    assert dict(registry.check_types()) == {"raises": RaisesCheck}
    registry.check_types.cache_clear()
    monkeypatch.setattr(registry, "entry_points", lambda group: [ours, theirs])
    with pytest.raises(
        PluginError, match=r"another:Another.* the type is also that of grader\.checks\.raises"
    ):
        registry.check_types()
