"""A course of which everything that is claimed holds, and which tests of `verify` break in one place."""

from __future__ import annotations

from pathlib import Path

from support import write_course

from grader.verify.goldens import write_goldens
from grader.verify.verification import make_evidence

MISTAKES = """
from grader.course import Misconception

MISCONCEPTIONS = (
    Misconception("double", "tripled", "It triples", "How much is twice?", {"2.0 * x": "3.0 * x"}),
    Misconception("double", "squared", "It squares", "Is 3 doubled 9?", {"2.0 * x": "x ** 2"}),
)
"""
REWRITINGS = """
from grader.course import Rewriting

REWRITINGS = (
    Rewriting("double", "added", variant=lambda x: x + x),
    Rewriting("double", "shifted", {"2.0 * x": "x - (-x)"}),
)
"""


def make_course(root: Path, **changed: str) -> Path:
    """Write a course of which everything that is claimed holds, but for files that are given."""
    write_course(root)
    files = {"misconceptions.py": MISTAKES, "rewritings.py": REWRITINGS, **changed}
    for name, text in files.items():
        (root / "reference" / "tiny" / name).write_text(text, encoding="utf-8")
    rubric = root / "rubrics" / "tiny.yaml"
    write_goldens(make_evidence(rubric, root, 1, 0).course)
    return rubric
