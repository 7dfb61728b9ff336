"""A rubric whose own reference loses points is refused before anybody is graded."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import write_course
from support_verify import make_course

from grader.errors import RubricError
from grader.plan.load import load_course
from grader.verify import proof
from grader.verify.proof import refuse_wrong_reference


def test_a_right_reference_passes_and_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_CACHE", str(tmp_path / "cache"))
    write_course(tmp_path)
    course = load_course("tiny", tmp_path, fresh=True)
    refuse_wrong_reference(course)
    monkeypatch.setattr(proof, "make_bench", None)
    refuse_wrong_reference(course)


def test_a_reference_that_loses_points_is_refused_with_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_CACHE", str(tmp_path / "cache"))
    write_course(tmp_path)
    rubric = tmp_path / "rubrics" / "tiny.yaml"
    text = rubric.read_text(encoding="utf-8")
    rubric.write_text(text.replace("input_not_mutated", "sums_to_one"), encoding="utf-8")
    with pytest.raises(RubricError, match=r"kept of double earns 0 of 1: .*do not sum to one"):
        refuse_wrong_reference(load_course("tiny", tmp_path, fresh=True))


def test_a_plan_without_names_has_the_calls_and_no_mistakes(tmp_path: Path) -> None:
    make_course(tmp_path)
    named, plain = (load_course("tiny", tmp_path, fresh=True, naming=naming) for naming in (True, False))
    assert named.plan.candidates
    assert plain.plan.candidates == {}
    assert {call.id for call in plain.plan.calls} <= {call.id for call in named.plan.calls}
