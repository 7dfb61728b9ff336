"""What several tests build: scores, submissions, and a course on a small assignment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat

from grader.course.rubric import Rubric
from grader.course.rubric_file import parse_rubric
from grader.notebook.cells import Code
from grader.notebook.slicing import function_code, slice_function
from grader.observe.handle import run_notebook
from grader.observe.sandbox import Sandbox
from grader.reading import FunctionCode
from grader.records import (
    CellRun,
    CheckScore,
    Evidence,
    Fault,
    NotebookLimits,
    NotebookRun,
    Plot,
    QuestionScore,
    Score,
    Status,
    Summary,
    Verdict,
    VerdictKind,
)
from grader.subjects import Subject

ROOT = Path(__file__).resolve().parent.parent
GRADE = ("grade", "--unsafe")  # the strongest walls all the same; and on a machine without any, none
CURVES = Plot(
    "line",
    "Losses <b>",
    "step",
    "loss",
    (("training", ((0.0, 1.0), (1.0, 0.5))), ("validation", ((0.0, 2.0), (1.0, 1.0)))),
)
SCATTER = Plot("scatter", "Yours against ours", "ours", "yours", (("entries", ((-1.0, -0.5), (1.0, 0.5))),))
RUBRIC = """
assignment: tiny
title: Tiny & small
questions:
  - id: double
    title: Doubling
    function: double
    points: 3
    checks:
      - {id: values, title: It doubles, type: reference, points: 2, inputs: numbers}
      - id: kept
        title: It stays
        type: property
        property: input_not_mutated
        points: 1
        inputs: numbers
        requires: [values]
  - {id: essay, title: Essay, points: 2, manual: true}
"""


class Page(HTMLParser):
    """Collects tags, attributes and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.inside: dict[str, str] = {}
        self.last = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.last = tag

    def handle_data(self, data: str) -> None:
        if self.last in ("style", "script"):
            self.inside[self.last] = self.inside.get(self.last, "") + data
        else:
            self.words += data

    def handle_endtag(self, tag: str) -> None:
        self.last = ""

    def policy(self) -> str:
        """Return the content security policy."""
        return next(
            a["content"] or "" for t, a in self.tags if a.get("http-equiv") == "Content-Security-Policy"
        )


def rubric() -> Rubric:
    """Return a rubric with one function worth 3 points and one written part worth 2."""
    return parse_rubric(RUBRIC, "tiny.yaml")


def score(submission: str = "anna", points: float = 2.0, **changes: Any) -> Score:
    """Return a graded score of that rubric: `points` for the values, none for the other check."""
    kind = VerdictKind.PASSED if points == 2 else VerdictKind.FAILED
    evidence = Evidence((("relative error", "0.5"),), SCATTER)
    values = CheckScore(
        "values", "It doubles", points, 2.0, True, Verdict(kind, points / 2, "", "", Evidence((), CURVES))
    )
    failed = Verdict(VerdictKind.FAILED, 0.0, "the function changed its input", "input_not_mutated", evidence)
    kept = CheckScore("kept", "Its input stays", 0.0, 1.0, False, failed, "Work on a copy.")
    double = QuestionScore(
        "double", "Doubling", points, 3.0, (values, kept), ("It reads X from the notebook.",)
    )
    essay = QuestionScore("essay", "Essay", None, 2.0, ())
    values_of = {"status": Status.GRADED, "summary": Summary.PARTLY_CORRECT, "questions": (double, essay)}
    return Score(submission, **{**values_of, **changes})


def not_graded(submission: str = "carl") -> Score:
    """Return the score of a submission that we failed to grade."""
    questions = tuple(QuestionScore(q.id, q.title, None, q.points, ()) for q in rubric().questions)
    return Score(submission, Status.NOT_GRADED, Summary.NOT_GRADED, questions, "Not graded: no memory.")


def notebook(*cells: str) -> str:
    """Return a notebook with the given code cells, as JSON text."""
    return str(nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])))


def run(executed: str = "", *faults: Fault) -> NotebookRun:
    """Return a run of a notebook with one clean cell and one for each fault."""
    cells = (CellRun(1, "ok"), *(CellRun(n, "error", fault=f) for n, f in enumerate(faults, 2)))
    return NotebookRun(cells, executed or notebook("x = 1"))


INPUTS = """
import numpy as np
from grader.course import Case

def files(seed):
    return {"numbers.txt": b"1 2 3"}

def numbers(rng):
    return [Case("three", (rng.standard_normal(3),)), Case("one", (rng.standard_normal(1),))]
"""
REFERENCE = "def double(x):\n    ### BEGIN SOLUTION\n    return 2.0 * x\n    ### END SOLUTION"
RIGHT = "def double(x):\n    return x + x"
WRONG = "def double(x):\n    return 3.0 * x"


def write_course(root: Path, **submissions: str) -> Path:
    """Write the tiny course below `root`, with one notebook for each source given; return its submissions."""
    files = {
        "rubrics/tiny.yaml": RUBRIC,
        "reference/tiny/inputs.py": INPUTS,
        "reference/tiny/notebook.ipynb": notebook(REFERENCE),
    }
    files |= {f"submissions/tiny/{name}.ipynb": notebook(source) for name, source in submissions.items()}
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root / "submissions" / "tiny"


def sliced(code: Code, name: str) -> FunctionCode | None:
    """Return the code of a function as a box gets it, None if there is no such function."""
    found = slice_function(code, name)
    return None if found is None else function_code(found)


def ran(
    notebook: Any,
    files: Mapping[str, bytes],
    sandbox: Sandbox,
    limits: NotebookLimits,
    looked_at: Iterable[Subject] = (),
) -> NotebookRun:
    """Run a notebook in a box, through a handler."""
    data = nbformat.writes(notebook).encode()
    return run_notebook(data, files, sandbox, limits, map(str, looked_at))
