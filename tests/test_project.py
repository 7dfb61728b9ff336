"""What the project says of itself is true: version, wheel, workflow, the lists of CONTRIBUTING and of docs/api.md."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import GRADE, ROOT, notebook

import grader
import grader.course
from grader.cli import exit_codes
from grader.cli.main import cli

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
API = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
FILES = ("grader.db", "grader.gallery")  # a file, a group of entry points: not names of Python
PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "docs/api.md")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the texts of the files of the wheel that are not code."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    archive = zipfile.ZipFile(path)
    return {name: archive.read(name).decode() for name in archive.namelist() if not name.endswith(".py")}


def metadata(wheel: dict[str, str]) -> Any:
    (text,) = [text for name, text in wheel.items() if name.endswith(".dist-info/METADATA")]
    return Parser().parsestr(text)


def test_the_version_is_one(wheel: dict[str, str]) -> None:
    assert "version" not in PROJECT["project"]
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert metadata(wheel)["Version"] == grader.__version__
    assert f"\n## {grader.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    students = (ROOT / "docs" / "students.md").read_text(encoding="utf-8")
    assert set(re.findall(r"grader-([\d.]+)-py3", students)) == {grader.__version__}


def test_the_wheel_has_the_mark_of_a_typed_package_and_the_license(wheel: dict[str, str]) -> None:
    assert "grader/py.typed" in wheel
    (license_text,) = [text for name, text in wheel.items() if name.endswith("/LICENSE")]
    assert license_text == (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert license_text.startswith("BSD 3-Clause License\n\nCopyright (c) 2026, the grader developers\n")
    assert metadata(wheel)["License-Expression"] == "BSD-3-Clause"
    assert "Typing :: Typed" in metadata(wheel).get_all("Classifier")


def test_packages_with_private_parts_that_we_use_have_an_upper_bound(wheel: dict[str, str]) -> None:
    wanted = [each.partition(";")[0] for each in metadata(wheel).get_all("Requires-Dist")]
    for name in ("ipykernel", "jupyter-client"):
        bounds = [each for each in wanted if re.match(rf"{name}\b", each)]
        assert bounds
        assert all("<" in each for each in bounds), bounds


def test_the_pythons_that_are_named_are_those_of_the_workflow() -> None:
    classifiers = " ".join(PROJECT["project"]["classifiers"])
    named = re.findall(r"Python :: (3\.\d+)", classifiers)
    assert WORKFLOW["jobs"]["linux"]["strategy"]["matrix"]["python"] == named
    assert PROJECT["project"]["requires-python"] == f">={named[0]}"


def commands(job: str) -> list[str]:
    return [step["run"] for step in WORKFLOW["jobs"][job]["steps"] if "run" in step]


def test_the_workflow_runs_what_a_change_must_pass() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line.startswith(("make ", ".venv/"))]
    assert len(wanted) == 3
    assert [command for command in commands("linux") if command in wanted] == wanted
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.M))
    made = {target for command in commands("linux") for target in re.findall(r"^make (\w+)", command, re.M)}
    assert made == {"test", "grade"}
    assert made <= targets


def test_the_workflow_tests_files_that_exist() -> None:
    named = re.findall(r"pytest (tests/\S+)", "\n".join(commands("student")))
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_the_hooks_are_the_commands_of_the_linter() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"^lint:.*\n((?:\t.*\n)+)", makefile, re.M)
    wanted = [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe.splitlines()]
    (repository,) = HOOKS["repos"]
    assert repository["repo"] == "local"
    assert [hook["entry"] for hook in repository["hooks"]] == wanted


def test_contributing_names_every_package() -> None:
    named = re.findall(r"^\| `grader/(\w+)` \|", CONTRIBUTING, re.M)
    packages = sorted(path.parent.name for path in (ROOT / "grader").glob("*/__init__.py"))
    assert named == packages


@pytest.mark.parametrize("page", PAGES)
def test_the_links_of_a_page_lead_somewhere(page: str) -> None:
    path = ROOT / page
    targets = re.findall(r"\]\(([^)#:\s]+)\)", path.read_text(encoding="utf-8"))
    assert targets
    assert [target for target in targets if not (path.parent / target).exists()] == []


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "SECURITY.md"])
def test_the_files_that_a_page_names_are_there(page: str) -> None:
    text = re.sub(r"```.*?```|<!--.*?-->", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.S)
    named = set(re.findall(r"(?<![\w/])((?:docs|tests|grader|\.ci|\.github)/[\w./-]*\w)", text))
    made = {"tests/NAME", "grader/NAME", "tests/checks/test_monotone_check.py"}
    assert named - made
    assert sorted(name for name in named - made if not (ROOT / name).exists()) == []


def test_every_public_name_can_be_imported() -> None:
    names = sorted(set(re.findall(r"`(grader(?:\.\w+)+)`", API)) - set(FILES))
    assert len(names) > 35
    missing = []
    for name in names:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            module, _, attribute = name.rpartition(".")
            if not hasattr(importlib.import_module(module), attribute):
                missing.append(name)
    assert missing == []


def test_the_page_lists_what_the_modules_offer() -> None:
    for module in (grader, grader.course):
        assert [name for name in module.__all__ if f"`{module.__name__}.{name}`" not in API] == []
    base = importlib.import_module("grader.checks.base")
    own = [name for name, value in vars(base).items() if getattr(value, "__module__", "") == base.__name__]
    assert len(own) >= 10
    assert [name for name in own if not name.startswith("_") and f"`{base.__name__}.{name}`" not in API] == []


def test_the_page_lists_the_commands_and_their_exit_codes() -> None:
    assert sorted(re.findall(r"^\| `grader (\w+)` \|", API, re.M)) == sorted(cli.commands)
    head = re.search(r"^\| command \|(.*)\|$", API, re.M)
    assert head is not None
    listed = {int(code) for code in head[1].split("|")} | {130}
    used = {value for name, value in vars(exit_codes).items() if name.startswith("EXIT_")}
    assert listed == {0, *used}


def block(name: str) -> str:
    """Return the code that CONTRIBUTING shows for a file."""
    (text,) = re.findall(rf"<!-- file {re.escape(name)} -->\n```\w+\n(.*?)```", CONTRIBUTING, re.S)
    return str(text)


INPUTS = """
import numpy as np
from grader.course import Case

def positive(rng):
    return [Case("five", (rng.random(5) + 0.1,))]
"""
RIGHT = "import numpy as np\ndef cumulate(x):\n    ### BEGIN SOLUTION\n    return np.cumsum(x)\n    ### END SOLUTION"
FALLING = RIGHT.replace("np.cumsum(x)", "-np.cumsum(x)")


def test_the_check_and_the_format_of_contributing_work(tmp_path: Path) -> None:
    site, course = tmp_path / "site", tmp_path / "course"
    shutil.copytree(ROOT / "grader", site / "grader", ignore=shutil.ignore_patterns("__pycache__"))
    added = ("grader/checks/monotone.py", "grader/exports/names_txt.py")
    entries = tomllib.loads(block("pyproject.toml"))["project"]["entry-points"]["grader.checks"]
    lines = "".join(f"{name} = {value}\n" for name, value in entries.items())
    files = {site / name: block(name) for name in added} | {
        site / "added-1.0.dist-info" / "METADATA": "Metadata-Version: 2.1\nName: added\nVersion: 1.0\n",
        site / "added-1.0.dist-info" / "entry_points.txt": f"[grader.checks]\n{lines}",
        course / "rubrics" / "sums.yaml": block("rubrics/sums.yaml"),
        course / "reference" / "sums" / "inputs.py": INPUTS,
        course / "reference" / "sums" / "notebook.ipynb": notebook(RIGHT),
        course / "submissions" / "sums" / "anna.ipynb": notebook(RIGHT),
        course / "submissions" / "sums" / "bert.ipynb": notebook(FALLING),
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "grader", *GRADE, "submissions/sums"]
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (course / "results" / "names.txt").read_text(encoding="utf-8") == "anna 1\nbert 0\n"
    assert "Its entries fall" in (course / "results" / "grades.json").read_text(encoding="utf-8")


def test_the_check_and_the_format_of_contributing_have_the_projects_form(tmp_path: Path) -> None:
    for name in ("grader/checks/monotone.py", "grader/exports/names_txt.py"):
        path = tmp_path / Path(name).name
        path.write_text(block(name), encoding="utf-8")
        for arguments in (("check",), ("format", "--check")):
            command = [
                sys.executable,
                "-m",
                "ruff",
                *arguments,
                "--config",
                str(ROOT / "pyproject.toml"),
                str(path),
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout
