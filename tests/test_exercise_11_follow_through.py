"""Exercise 11: an autoencoder trained on the student's own error, a factorization from the student's own start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from support import ROOT

from grader.judge.judge_observation import grade
from grader.plan.load import load_course
from grader.plan.plan import Course
from grader.plan.trusted import with_mistakes
from grader.reading import FunctionFacts
from grader.records import Observation, QuestionScore, VerdictKind
from grader.verify.trial import outcome


@pytest.fixture(scope="module")
def course() -> Course:
    return load_course("exercise_11", ROOT)


def graded(course: Course, functions: Mapping[str, Any]) -> dict[str, QuestionScore]:
    """Grade a submission that has these functions only."""
    outcomes = {}
    for call in course.plan.calls:
        if call.function in functions:
            outcomes[call.id] = outcome(functions, call, SECONDS)
    status = {name: "found" if name in functions else "missing" for name in map(str, course.rubric.subjects)}
    facts = {name: FunctionFacts(name, found) for name, found in status.items()}
    score = grade("anna", Observation(None, facts, outcomes), course)
    return {question.id: question for question in score.questions}


def with_mistake(course: Course, code: str) -> dict[str, Any]:
    known = [each for each in course.assignment.misconceptions if each.code == code]
    return with_mistakes(course.assignment, known)


def of(functions: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: functions[name] for name in names}


SECONDS = 60.0
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


def spread(P: Any, Y: Any) -> float:
    return 0.5 * float(np.sum((Y - Y.mean(axis=0)) ** 2))


def weights(X: Any, W1: Any, W2: Any) -> float:
    return float(np.sum(W1**2) + np.sum(W2**2))


OTHER_TASKS = {
    "the spread of the points": (
        {"kl_divergence": spread, "tsne_gradient": lambda P, Y: Y - Y.mean(axis=0)},
        "kl_divergence",
        "tsne_gradient",
    ),
    "the size of the weights": (
        {
            "reconstruction_error": weights,
            "reconstruction_error_gradient": lambda X, W1, W2: (2 * W1, 2 * W2),
        },
        "reconstruction_error",
        "reconstruction_error_gradient",
    ),
}


@pytest.mark.parametrize(("functions", "first", "second"), OTHER_TASKS.values(), ids=OTHER_TASKS)
def test_what_follows_from_another_task_earns_nothing_until_a_person_says_so(
    course: Course, functions: dict[str, Any], first: str, second: str
) -> None:
    found = graded(course, functions)
    assert found[first].points == 0.0
    assert found[second].points is None
    waiting = [check for check in found[second].checks if check.verdict.kind is VerdictKind.INCONCLUSIVE]
    assert waiting
    for check in waiting:
        assert (check.verdict.code, check.points) == ("follow_through_undecided", 0.0)
        assert f"your own {first}, but no known mistake explains that: a person" in check.verdict.message


@pytest.mark.parametrize(
    ("code", "first", "second"),
    [
        ("error_over_entries", "reconstruction_error", "reconstruction_error_gradient"),
        ("q_distance_not_squared", "low_dimensional_similarities", "kl_divergence"),
    ],
)
def test_what_follows_from_a_mistake_with_a_name_counts(
    course: Course, code: str, first: str, second: str
) -> None:
    mistaken = with_mistake(course, code)
    functions = of(mistaken, first, second)
    if second == "reconstruction_error_gradient":
        right = mistaken[second]
        functions[second] = lambda X, W1, W2: tuple(part / X.shape[1] for part in right(X, W1, W2))
    found = graded(course, functions)
    assert (found[first].points or 0.0) < found[first].max_points
    assert found[second].points == found[second].max_points


@pytest.mark.parametrize(
    ("cost", "gradient"),
    [("kl_divergence", "tsne_gradient"), ("reconstruction_error", "reconstruction_error_gradient")],
)
def test_a_cost_that_is_right_where_it_is_checked_vouches_for_no_other_gradient(
    course: Course, cost: str, gradient: str
) -> None:
    """A function can tell the calls of its own checks from those in which its cost is differentiated."""
    right = dict(course.assignment.namespace)
    swept = {id(call): call for call in course.plan.calls if call.function == cost and call.sweep is not None}

    def linear(*args: Any) -> float:
        return float(sum(np.sum(part) for part in (args[1:] if cost == "kl_divergence" else args[1:3])))

    def ones(*args: Any) -> Any:
        parts = tuple(np.ones(part.shape) for part in args[1:])
        return parts if len(parts) > 1 else parts[0]

    functions = {cost: right[cost], gradient: ones, "reconstruct": right["reconstruct"]}
    outcomes = {
        call.id: outcome(functions | ({cost: linear} if id(call) in swept else {}), call, SECONDS)
        for call in course.plan.calls
        if call.function in functions
    }
    status = {name: "found" if name in functions else "missing" for name in map(str, course.rubric.subjects)}
    facts = {name: FunctionFacts(name, found) for name, found in status.items()}
    score = grade("anna", Observation(None, facts, outcomes), course)
    found = {question.id: question for question in score.questions}
    assert found[cost].points == found[cost].max_points
    assert found[gradient].points in (None, 0.0)
