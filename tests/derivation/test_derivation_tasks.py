"""A task is made by files alone, and its mistakes are told; the command shows what was found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support_derivation import HERE, ROOT, judge, task, text_of

from grader.derivation.meaning import load_task, make_task, read_task
from grader.errors import RubricError, UsageError


@pytest.mark.parametrize("name", ["softmax", "ridge"])
def test_another_task_needs_files_alone(name: str) -> None:
    report = judge(text_of(name), name)
    assert {step.verdict for step in report.steps} == {"holds"}
    assert report.goal.target_reached


@pytest.mark.parametrize(
    ("name", "old", "new", "line"),
    [
        ("softmax", r"s_{nj}(\delta_{jk} - s_{nk})", r"s_{nj}(1 - s_{nk})", 2),
        ("softmax", r"&= s_{nk} - t_{nk}", r"&= t_{nk} - s_{nk}", 8),
        ("ridge", r"- 2 X^\top y + 2 \lambda w", r"- 2 X^\top y + \lambda w", 4),
        ("ridge", r"&= 2 X^\top (X w - y) + 2 \lambda w", r"&= 2 X (X w - y) + 2 \lambda w", 5),
    ],
)
def test_a_planted_fault_is_found_at_its_line(name: str, old: str, new: str, line: int) -> None:
    text = text_of(name)
    assert old in text
    steps = judge(text.replace(old, new), name).steps
    bad = [step for step in steps if step.verdict != "holds"]
    assert bad[0].line == line


def content() -> dict[str, object]:
    path = ROOT / "reference/exercise_11/derivations/tsne_derivation.yaml"
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"strat": "C"}, "strat: Extra inputs"),
        ({"start": None}, "start: Input should be a valid string"),
        ({"target": r"4 \sum_j v_j"}, "v is used and not among the symbols"),
        ({"target": r"4 \foo"}, r"\foo is not known"),
        ({"sizes": {"N": [100]}}, "less than or equal to 8"),
        ({"symbols": {"y": {"draw": "normal", "shape": ["M"]}}}, "the size M"),
        ({"symbols": {"y": {"draw": "strange"}}}, "symbols.y"),
    ],
)
def test_a_wrong_task_is_told(change: dict[str, object], message: str) -> None:
    with pytest.raises(RubricError) as caught:
        make_task(content() | change, "tsne.yaml")
    assert message in str(caught.value)
    assert "tsne.yaml" in str(caught.value)


def test_a_question_without_a_task_and_a_file_that_is_no_yaml_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the derivations of exercise_11 are: tsne_derivation"):
        load_task(ROOT, "exercise_11", "other")
    (tmp_path / "x.yaml").write_text("a: [")
    with pytest.raises(RubricError, match="cannot be read"):
        read_task(tmp_path / "x.yaml")


def test_instances_are_the_same_for_the_same_seed_and_p_stays_where_y_varies() -> None:
    first, again, other, varied = (task().instance(2, *key) for key in ((0,), (0,), (1,), (0, 1)))
    assert (first.arrays["y"] == again.arrays["y"]).all()
    assert (first.arrays["y"] != other.arrays["y"]).all()
    assert (first.arrays["p"] == varied.arrays["p"]).all()
    assert (first.arrays["y"] != varied.arrays["y"]).all()
    assert first.arrays["p"].sum() == pytest.approx(1)


def grader(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "grader", "derivation", *arguments, "--question", "tsne_derivation"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_the_command_prints_one_object() -> None:
    done = grader(str(HERE / "texts/sheet.md"), "--assignment", "exercise_11", "--json")
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert set(found) == {"steps", "starts_right", "target_reached", "remarks"}
    assert set(found["steps"][0]) == {"line", "left", "right", "verdict", "reason", "rule"}
    assert [step["verdict"] for step in found["steps"]].count("fails") == 1
    assert (found["starts_right"], found["target_reached"]) == (True, True)


def test_the_command_reads_the_cell_of_a_notebook() -> None:
    done = grader("reference/exercise_11/notebook.ipynb", "--assignment", "exercise_11", "--json")
    found = json.loads(done.stdout)
    assert {step["verdict"] for step in found["steps"]} == {"holds"}
    assert found["starts_right"]


def test_the_command_says_what_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text('{"cells": []}')
    for arguments, message in (
        ([str(tmp_path / "a.ipynb")], "no cell of"),
        ([str(tmp_path / "none.md")], "there is no"),
        ([str(HERE / "texts/sheet.md"), "--meaning", str(tmp_path / "none.yaml")], "cannot be read"),
    ):
        done = grader(*arguments, "--assignment", "exercise_11", "--root", str(ROOT))
        assert (done.returncode, message in done.stderr) == (2, True), done.stderr
