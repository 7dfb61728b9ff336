"""The assignments of the gallery: their samples earn what is expected, and the wheel's copies are whole."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from support import GRADE, ROOT

from grader.course.rubric_file import load_rubric
from grader.notebook.skeleton import make_skeleton

NAMES = ("mixture", "softmax")
TOLERANCE = 0.005  # the gradebook has two digits


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the unpacked wheel of the gallery."""
    folder = tmp_path_factory.mktemp("gallery")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT / "gallery", check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder


def grader(folder: Path, *arguments: str, site: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder; with a site, the distributions in it are installed."""
    environment = os.environ | {"PYTHONPATH": str(site or "")}
    command = [sys.executable, "-m", "grader", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def allowed(lost: Any, question: str, points: float) -> tuple[float, float]:
    """Return the least and the most that a question may lose."""
    value = points if lost == "all" else lost.get(question, 0.0)
    return (value[0], value[1]) if isinstance(value, list) else (value, value)


@pytest.mark.parametrize("name", NAMES)
def test_the_samples_earn_what_is_expected(name: str, tmp_path: Path) -> None:
    samples = ROOT / "submissions" / name
    done = grader(ROOT, *GRADE, f"submissions/{name}", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    expected = yaml.safe_load((samples / "expected.yaml").read_text(encoding="utf-8"))
    with (tmp_path / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["submission"]: row for row in csv.DictReader(file)}
    assert set(rows) == {
        path.relative_to(samples).with_suffix("").as_posix() for path in samples.rglob("*.ipynb")
    }
    for sample, row in rows.items():
        assert f"{sample}: {sample.partition('/')[0]}, " in done.stdout
        for question in load_rubric(ROOT / "rubrics" / f"{name}.yaml").questions:
            if question.manual:
                continue
            least, most = allowed(expected.get(sample, {}).get("lost", {}), question.id, question.points)
            lost = question.points - float(row[question.id])
            assert least - TOLERANCE <= lost <= most + TOLERANCE, (sample, question.id, lost)


@pytest.mark.parametrize("name", NAMES)
def test_the_sample_that_nobody_filled_in_is_what_is_handed_out(name: str) -> None:
    notebook = nbformat.read(ROOT / "reference" / name / "notebook.ipynb", 4)
    sample = nbformat.read(ROOT / "submissions" / name / "not_attempted" / "skeleton.ipynb", 4)
    assert nbformat.writes(sample) == nbformat.writes(make_skeleton(notebook))


@pytest.mark.parametrize("name", NAMES)
def test_what_needs_no_other_seed_is_claimed_rightly(name: str) -> None:
    for claim in ("reference", "notebook", "skeleton", "goldens", "separation"):
        done = grader(ROOT, "verify", name, "--seeds", "1", "--jobs", "1", "--only", claim)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_installed_gallery_has_every_assignment_of_the_project(installed: Path, tmp_path: Path) -> None:
    done = grader(tmp_path, "new", site=installed / "site")
    assert done.returncode == 0, done.stderr
    listed = {line.split()[0]: line.split(maxsplit=1)[1] for line in done.stdout.splitlines()}
    rubrics = [load_rubric(path) for path in (ROOT / "rubrics").glob("*.yaml")]
    assert listed == {rubric.assignment: rubric.title for rubric in rubrics}
    assert len(listed) == 3


def test_the_wheel_of_the_gallery_is_small_and_has_no_compiled_file(installed: Path) -> None:
    (wheel,) = installed.glob("*.whl")
    assert wheel.stat().st_size < 400_000
    assert not [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith((".pyc", ".db"))]


def test_a_copy_of_the_installed_gallery_can_be_graded_at_once(installed: Path, tmp_path: Path) -> None:
    done = grader(tmp_path, "new", "week_3", "--from", "softmax", site=installed / "site")
    assert done.returncode == 0, done.stderr
    rubric, original = (
        load_rubric(each) for each in (tmp_path / "rubrics/week_3.yaml", ROOT / "rubrics/softmax.yaml")
    )
    assert rubric.assignment == "week_3"
    assert rubric.seed != original.seed
    assert rubric.questions == original.questions
    graded = grader(tmp_path, *GRADE, "submissions/week_3/correct")
    assert "correct, 13 of 13 points" in graded.stdout, graded.stderr
    renewed = grader(tmp_path, "verify", "week_3", "--renew")
    assert renewed.returncode == 0, renewed.stderr
    claimed = grader(tmp_path, "verify", "week_3", "--seeds", "1", "--jobs", "1", "--only", "goldens")
    assert claimed.returncode == 0, claimed.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["week_3"], "which assignment is to be copied? Give --from; the gallery has: exercise_11, mixture"),
        (["week_3", "--from", "softmx"], "there is no 'softmx'; the gallery has: exercise_11, mixture"),
        (["week 3", "--from", "softmax"], "'week 3' is no name of an assignment"),
        (["../week", "--from", "softmax"], "'../week' is no name of an assignment"),
        (["taken", "--from", "softmax"], "is there already: choose another name"),
        (["week_3", "--gallery", "nowhere"], "there is no assignment in nowhere"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_copied_is_said_and_nothing_is_written(
    installed: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "reference" / "taken").mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    done = grader(tmp_path, "new", *arguments, site=installed / "site")
    assert done.returncode == 2, done.stdout
    assert message in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_last_years_course_is_a_gallery_too(tmp_path: Path) -> None:
    done = grader(tmp_path, "new", "sheet", "--from", "mixture", "--gallery", str(ROOT))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "reference/sheet/misconceptions.py").is_file()
    assert not list(tmp_path.rglob("__pycache__"))


def test_without_a_gallery_the_message_says_what_to_install(tmp_path: Path) -> None:
    done = grader(tmp_path, "new")
    assert done.returncode == 2
    assert "pip install numerical-notebook-grader-gallery" in done.stderr
