"""Follows docs/tutorial.md step by step: what it tells an author to write and run does what it says.

It is also the proof that a new assignment needs files and no code.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from support import GRADE, ROOT

PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"<!-- (?P<what>[^\n]*?) -->\n(?:```\w+\n(?P<text>.*?)```\n)?", re.S)
STEPS = [(match["what"], match["text"] or "") for match in BLOCK.finditer(PAGE)]


def texts(start: str) -> list[str]:
    return [text for what, text in STEPS if what.startswith(start)]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the files of the tutorial, and nothing else."""
    root = tmp_path_factory.mktemp("course")
    cells = [nbformat.v4.new_code_cell(text.rstrip("\n")) for text in texts("cell of ")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    for what, text in STEPS:
        if what.startswith("file ") and text:
            path = root / what.removeprefix("file ")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    nbformat.write(notebook, root / "reference/softmax/notebook.ipynb")
    copied = nbformat.v4.new_notebook(cells=cells)
    wanted = re.search(r'<!-- file (\S+): notebook.ipynb after replacing "(.*?)" by "(.*?)" -->', PAGE)
    assert wanted is not None
    old, new = (part.replace("\\n", "\n") for part in wanted.groups()[1:])
    sources = [cell.source + "\n" for cell in copied.cells]
    assert sum(source.count(old) for source in sources) == 1
    for cell, source in zip(copied.cells, sources, strict=True):
        cell["source"] = source.replace(old, new)
    (root / wanted[1]).parent.mkdir(parents=True)
    nbformat.write(copied, root / wanted[1])
    return root


def grader(course: Path, line: str) -> subprocess.CompletedProcess[str]:
    program, *arguments = line.split()
    assert program == "grader"
    command = [sys.executable, "-m", "grader", *(GRADE if arguments[0] == "grade" else arguments[:1])]
    command += arguments[1:]
    return subprocess.run(command, cwd=course, capture_output=True, text=True, timeout=300, check=False)


def test_every_step_prints_what_the_page_says(course: Path) -> None:
    runs, outputs = texts("run"), texts("output")
    assert len(runs) == len(outputs) == 2
    for commands, expected in zip(runs, outputs, strict=True):
        done = [grader(course, line) for line in commands.strip().splitlines()]
        assert [run.returncode for run in done] == [0] * len(done), done[-1].stderr
        printed = "".join(run.stdout for run in done)
        for line in expected.strip().splitlines():
            assert line.lower() in re.sub(r"\s+", " ", printed).lower()


def test_the_typo_that_the_page_shows_is_named_with_its_line(course: Path) -> None:
    path = course / "rubrics" / "softmax.yaml"
    (step,) = [what for what, _ in STEPS if what.startswith("error after")]
    old, new = (part.replace("\\n", "\n") for part in re.findall(r'"(.*?)"', step))
    broken = course / "broken.yaml"
    broken.write_text(path.read_text().replace(old, new))
    line = broken.read_text()[: broken.read_text().index("pionts")].count("\n") + 1
    failed = grader(course, "grader grade reference/softmax/notebook.ipynb --rubric broken.yaml")
    assert failed.returncode == 2
    assert f"broken.yaml:{line}" in failed.stderr
    assert "points" in failed.stderr
    (shown,) = texts("error after")
    assert shown.replace("rubrics/softmax.yaml", "broken.yaml").strip() in failed.stderr


def test_the_skeleton_of_the_new_assignment_is_not_attempted(course: Path) -> None:
    from grader.notebook.skeleton import make_skeleton

    blank = make_skeleton(nbformat.read(course / "reference/softmax/notebook.ipynb", 4))
    assert "E / E.sum" not in nbformat.writes(blank)
    nbformat.write(blank, course / "blank.ipynb")
    done = grader(course, "grader grade blank.ipynb --assignment softmax --out results/blank")
    assert "blank: not_attempted, 0 of 8 points" in done.stdout
