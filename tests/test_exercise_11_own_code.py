"""Exercise 11: a function is judged for its own code, and no points are given without work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from support import ROOT

from grader.course.reference_code import Reference
from grader.judge.judge_observation import grade
from grader.plan.load import load_course
from grader.plan.plan import Course
from grader.reading import FunctionFacts
from grader.records import Observation, QuestionScore
from grader.verify.trial import outcome

SECONDS = 60.0
TSNE = ("low_dimensional_similarities", "kl_divergence", "tsne_gradient")
AUTOENCODER = ("reconstruct", "reconstruction_error", "reconstruction_error_gradient")


@pytest.fixture(scope="module")
def course() -> Course:
    return load_course("exercise_11", ROOT)


def changed(course: Course, **functions: Callable[..., Any]) -> dict[str, Any]:
    """Return the reference, in which all functions call these."""
    reference = course.assignment.reference
    return Reference(reference.namespace, reference.sources).replaced(functions)


def graded(
    course: Course, namespace: Mapping[str, Any], names: tuple[str, ...], **facts: Any
) -> dict[str, QuestionScore]:
    outcomes = {
        call.id: outcome(namespace, call, SECONDS) for call in course.plan.calls if call.function in names
    }
    found = {
        name: FunctionFacts(name, "found" if name in names else "missing", **facts.get(name, {}))
        for name in course.rubric.functions
    }
    score = grade("anna", Observation(None, found, outcomes), course)
    return {question.id: question for question in score.questions}


def lost(question: QuestionScore) -> float:
    return question.max_points - (question.points or 0.0)


def raises(*_: Any, **__: Any) -> Any:
    raise RuntimeError("not yet")


def strange(Y: Any) -> Any:
    return np.cos(np.arange(len(Y) ** 2).reshape(len(Y), -1) + Y.sum())


def small(Y: Any) -> Any:
    return np.ones(3) * np.sum(Y)


@pytest.mark.parametrize("own", [raises, strange, small], ids=["raises", "unnamed", "wrong shape"])
def test_what_calls_a_wrong_function_loses_nothing_by_it(course: Course, own: Callable[..., Any]) -> None:
    found = graded(course, changed(course, low_dimensional_similarities=own), TSNE)
    assert lost(found["low_dimensional_similarities"]) >= 1.5
    assert lost(found["kl_divergence"]) == 0.0
    assert lost(found["tsne_gradient"]) == 0.0
    codes = {check.verdict.code for check in found["kl_divergence"].checks}
    assert "right_by_itself" in codes


def test_an_error_of_a_reconstruction_that_is_none_is_right_by_itself(course: Course) -> None:
    found = graded(course, changed(course, reconstruct=lambda X, W1, W2: X), AUTOENCODER)
    assert found["reconstruct"].points == 0.0
    assert lost(found["reconstruction_error"]) == lost(found["reconstruction_error_gradient"]) == 0.0


def test_an_error_that_is_always_zero_earns_nothing_beside_such_a_reconstruction(course: Course) -> None:
    own = {"reconstruct": lambda X, W1, W2: X, "reconstruction_error": lambda X, W1, W2: 0.0}
    found = graded(course, changed(course, **own), AUTOENCODER)
    assert found["reconstruction_error"].points == 0.0


def test_a_gradient_of_another_task_is_not_right_by_itself(course: Course) -> None:
    own = {
        "reconstruction_error": lambda X, W1, W2: float(np.sum(W1**2) + np.sum(W2**2)),
        "reconstruction_error_gradient": lambda X, W1, W2: (2 * W1, 2 * W2),
    }
    found = graded(course, changed(course, **own), AUTOENCODER)
    assert found["reconstruction_error_gradient"].points in (None, 0.0)


def test_a_gradient_of_a_cost_that_is_wrong_and_near_counts_by_itself(course: Course) -> None:
    right = course.assignment.namespace
    own = {
        "reconstruction_error": lambda X, W1, W2: (
            1.7 * right["reconstruction_error"](X, W1, W2) + np.sin(1.0)
        ),
        "reconstruction_error_gradient": lambda X, W1, W2: tuple(
            1.7 * part for part in right["reconstruction_error_gradient"](X, W1, W2)
        ),
    }
    found = graded(course, changed(course, **own), AUTOENCODER)
    assert lost(found["reconstruction_error_gradient"]) == 0.0


def whole_refused(function: Callable[..., Any], place: int) -> Callable[..., Any]:
    """Return a function that fails where an argument has whole numbers, as `(1 + D) ** -1` does."""

    def refusing(*args: Any) -> Any:
        if np.asarray(args[place]).dtype.kind == "i":
            raise ValueError("Integers to negative integer powers are not allowed.")
        return function(*args)

    return refusing


def test_a_slip_with_whole_numbers_costs_once_over_the_sheet(course: Course) -> None:
    right = course.assignment.namespace
    own = {name: whole_refused(right[name], 0 if name == TSNE[0] else 1) for name in TSNE}
    found = graded(course, changed(course, **own), TSNE)
    assert [lost(found[name]) for name in TSNE] == [0.25, 0.0, 0.0]
    codes = {check.verdict.code for check in found["tsne_gradient"].checks}
    assert "costs_once" in codes


def test_a_start_that_refuses_everything_refuses_nothing(course: Course) -> None:
    def refuse(matrix: Any, k: int, init: str = "random") -> Any:
        raise ValueError(init)

    found = graded(course, changed(course, initialize_Q_P=refuse), ("initialize_Q_P",))
    assert found["initialize_Q_P"].points == 0.0


def test_a_function_that_reads_a_variable_in_place_of_an_argument_loses_what_the_rubric_says(
    course: Course,
) -> None:
    facts = {"reconstruct": {"stand_ins": (("X_train", 0),)}}
    found = graded(course, course.assignment.namespace, AUTOENCODER, **facts)["reconstruct"]
    assert found.points == 0.5
    assert "in place of an argument" in found.remarks[0]
