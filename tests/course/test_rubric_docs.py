"""The written reference of the rubric names every key, and is the one of this version."""

from __future__ import annotations

from support import ROOT

from grader.checks.base import Feedback, Public
from grader.checks.registry import check_types
from grader.course import rubric as model
from grader.course.rubric_docs import rubric_reference


def test_the_reference_in_the_docs_is_the_one_of_this_version() -> None:
    assert (ROOT / "docs" / "rubric.md").read_text(encoding="utf-8") == rubric_reference()


def test_every_key_of_the_model_is_in_the_reference_with_its_text() -> None:
    text = rubric_reference()
    parts = (model.Rubric, model.Question, model.Limits, model.Environment, Feedback, Public)
    for found in (*parts, *check_types().values()):
        for name, field in found.model_fields.items():
            assert name == "type" or f"| `{field.alias or name}` |" in text
            assert " ".join((field.description or "?").split()) in text, name
