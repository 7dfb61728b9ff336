"""Exercise 11: an autoencoder trained on the student's own error, a factorization from the student's own start."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from support import ROOT

from grader.assignment import Case
from grader.flow import Course, grade, load_course
from grader.plan.calls import trusted_call
from grader.plan.candidates import changed
from grader.records import Call, Fault, FunctionFacts, Observation, Outcome, OutcomeKind, QuestionScore


@pytest.fixture(scope="module")
def course() -> Course:
    return load_course("exercise_11", ROOT)


def graded(course: Course, functions: Mapping[str, Any]) -> dict[str, QuestionScore]:
    """Grade a submission that has these functions only."""
    outcomes = {}
    for call in course.plan.calls:
        if call.function in functions:
            with np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
                outcomes[call.id] = outcome(functions[call.function], call)
    status = {name: "found" if name in functions else "missing" for name in course.rubric.functions}
    facts = {name: FunctionFacts(name, found) for name, found in status.items()}
    score = grade("anna", Observation(None, facts, outcomes), course)
    return {question.id: question for question in score.questions}


def outcome(function: Any, call: Call) -> Outcome:
    try:
        value = trusted_call(function, Case("", call.args, call.keywords), call.seed)
    except Exception as error:
        return Outcome(OutcomeKind.RAISED, fault=Fault(type(error).__name__, ""))
    return Outcome(OutcomeKind.RETURNED, value, args_after=call.args)


def with_mistake(course: Course, code: str) -> dict[str, Any]:
    known = [each for each in course.assignment.misconceptions if each.code == code]
    return changed(course.assignment, known)


def of(functions: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: functions[name] for name in names}


AUTOENCODER = ("reconstruct", "reconstruction_error")


def centred_fit(X: Any, k: int) -> Any:
    directions = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)[2][:k]
    return directions.T, directions


def test_a_fit_of_centred_data_keeps_its_points_if_the_students_own_reconstruction_centres(
    course: Course,
) -> None:
    fit = {"fit_linear_autoencoder": centred_fit}
    found = graded(course, of(with_mistake(course, "reconstruct_centred"), *AUTOENCODER) | fit)
    assert found["fit_linear_autoencoder"].points == found["fit_linear_autoencoder"].max_points
    assert (found["reconstruct"].points or 0.0) < found["reconstruct"].max_points
    alone = graded(course, of(course.assignment.namespace, *AUTOENCODER) | fit)["fit_linear_autoencoder"]
    assert (alone.points or 0.0) < alone.max_points


@pytest.mark.parametrize("code", ["error_absolute", "error_over_entries", "reconstruct_tied_weights"])
def test_a_fit_that_is_bad_by_the_students_own_error_too_earns_no_more(course: Course, code: str) -> None:
    bad = {
        "fit_linear_autoencoder": with_mistake(course, "fit_smallest_directions")["fit_linear_autoencoder"]
    }
    found = graded(course, of(with_mistake(course, code), *AUTOENCODER) | bad)["fit_linear_autoencoder"]
    alone = graded(course, of(course.assignment.namespace, *AUTOENCODER) | bad)["fit_linear_autoencoder"]
    assert found.points == alone.points


@pytest.mark.parametrize("code", ["start_smallest_values", "start_constant"])
def test_a_right_factorization_from_the_students_own_wrong_start_keeps_its_points(
    course: Course, code: str
) -> None:
    names = ("initialize_Q_P", "latent_factor_alternating_optimization")
    found = graded(course, of(with_mistake(course, code), *names))
    assert (found[names[0]].points or 0.0) < found[names[0]].max_points
    assert found[names[1]].points == found[names[1]].max_points
    assert found[names[1]].diagnosis is None
