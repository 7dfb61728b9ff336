"""The written reference of the rubric names every key, and is the one of this version."""

from __future__ import annotations

from support import ROOT

from grader.rubric import model
from grader.rubric.reference import CHECKS, rubric_reference


def test_the_reference_in_the_docs_is_the_one_of_this_version() -> None:
    assert (ROOT / "docs" / "rubric.md").read_text(encoding="utf-8") == rubric_reference()


def test_every_key_of_the_model_is_in_the_reference_with_its_text() -> None:
    text = rubric_reference()
    for found in (model.Rubric, model.Question, model.Limits, model.Environment, model.Feedback, *CHECKS):
        for name, field in found.model_fields.items():
            assert f"| `{name}` |" in text
            assert (field.description or "?") in text, name
