"""What trips the judge costs one decision, and no points: the rest of the submission is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from support import write_course

from grader.checks.reference import ReferenceCase, ReferenceCheck
from grader.checks.result import CaseResult
from grader.errors import DamagedError
from grader.judge import verdicts as judging
from grader.judge.judge_observation import grade
from grader.plan.load import load_course
from grader.plan.plan import Course
from grader.reading import FunctionFacts
from grader.records import (
    Candidates,
    Code,
    DiagnosisKind,
    Observation,
    Outcome,
    OutcomeKind,
    Score,
    VerdictKind,
)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    root = tmp_path_factory.mktemp("course")
    write_course(root)
    return load_course("tiny", root)


def graded(course: Course, value: Any) -> Score:
    """Grade a function that returns `value` of its argument."""
    outcomes: Mapping[str, Outcome] = {
        call.id: Outcome(OutcomeKind.RETURNED, value(call.args[0]), args_after=call.args)
        for call in course.plan.calls
    }
    facts = {"double": FunctionFacts("double", "found")}
    return grade("anna", Observation(None, facts, outcomes), course)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(lambda x: np.ones(x.shape) + 0j, id="complex"),
        pytest.param(lambda x: x * 3j, id="imaginary"),
        pytest.param(lambda x: [x + 0j, x], id="a list with a complex part"),
        pytest.param(lambda x: np.ones((2, 2), dtype=complex), id="a complex matrix"),
        pytest.param(lambda x: 2 * x > 0, id="truth values"),
        pytest.param(lambda x: np.full(x.shape, 200, np.uint8), id="unsigned"),
        pytest.param(lambda x: np.zeros((0, 3)), id="empty"),
    ],
)
def test_whatever_comes_back_is_judged(course: Course, value: Any) -> None:
    question = graded(course, value).questions[0]
    assert question.checks[0].verdict.kind is VerdictKind.FAILED
    assert question.points == 0.0


def fail(*_: object, **__: object) -> Any:
    raise ZeroDivisionError("a bug of ours")


def test_a_check_that_cannot_be_judged_waits_for_a_person_and_the_next_one_is_judged(
    course: Course, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    judge = ReferenceCheck.judge
    monkeypatch.setattr(
        ReferenceCheck,
        "judge",
        lambda check, *rest: fail() if check.id == "values" else judge(check, *rest),
    )
    question = graded(course, lambda x: 2 * x).questions[0]
    kinds = [check.verdict.kind for check in question.checks]
    assert kinds == [VerdictKind.INCONCLUSIVE, VerdictKind.PASSED]
    assert question.points is None
    assert "the check double.values could not be judged" in caplog.text
    assert "a bug of ours" in caplog.text


def test_a_result_that_trips_a_check_is_wrong_where_the_right_one_does_not(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    def smallest(case: ReferenceCase, outcomes: Any, trusted: Any) -> CaseResult:
        return CaseResult(float(min(outcomes[case.calls[0].id].value) > -np.inf))

    monkeypatch.setattr(ReferenceCase, "judge", smallest)
    checks = graded(course, lambda x: None).questions[0].checks
    assert (checks[0].verdict.kind, checks[0].verdict.code) == (VerdictKind.FAILED, Code.STRUCTURE)
    assert graded(course, lambda x: 2 * x).questions[0].checks[0].verdict.kind is VerdictKind.PASSED


def test_a_mistake_that_cannot_be_named_is_unknown(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "diagnose", fail)
    known = cast("Candidates", SimpleNamespace(calls=()))
    course = replace(course, plan=replace(course.plan, candidates={"double": known}))
    question = graded(course, lambda x: 3 * x).questions[0]
    assert question.points == 0.0
    assert question.diagnosis is not None
    assert question.diagnosis.kind is DiagnosisKind.UNKNOWN


def test_what_was_kept_and_is_damaged_is_no_decision_of_the_judge(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*_: object) -> Any:
        raise DamagedError("the call a is damaged")

    monkeypatch.setattr(ReferenceCheck, "judge", damaged)
    with pytest.raises(DamagedError):
        graded(course, lambda x: 2 * x)
