"""The marks of a run are the same for every convention, and are numbers in which each mistake shows."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest
from support import ROOT

from grader.course.assignment import Assignment, load_assignment
from grader.course.rubric_file import load_rubric
from grader.plan.trusted import reference_value, with_mistakes
from grader.subjects import Case, Subject

NAME = "latent_factor_alternating_optimization"
RUBRIC = load_rubric(ROOT / "rubrics" / "exercise_11.yaml")
CONVENTIONS = """
def latent_factor_alternating_optimization(
    R, non_zero_idx, k, val_idx, val_values, reg_lambda, max_steps=100, init="random",
    log_every=1, patience=5, eval_every=1, optimizer="sgd", lr=1e-2,
):
    Q, P = map(np.array, initialize_Q_P(R, k, init))
    users, items = non_zero_idx.T
    values = np.asarray(R[users, items]).ravel()
    best, kept, waited, converged = np.inf, (Q.copy(), P.copy()), 0, -1
    validation, training = [], []
    for step in range(max_steps):
        if optimizer == "als":
            for u in range(R.shape[0]):
                own = P[:, items[users == u]]
                Q[u] = np.linalg.solve(own @ own.T + reg_lambda * np.eye(k), own @ values[users == u])
            for i in range(R.shape[1]):
                own = Q[users[items == i]]
                P[:, i] = np.linalg.solve(own.T @ own + reg_lambda * np.eye(k), own.T @ values[items == i])
        else:
            for u, i, value in zip(users, items, values):
                error = value - Q[u] @ P[:, i]
                P[:, i] += 2 * lr * (error * Q[u] - reg_lambda * P[:, i])
                Q[u] += 2 * lr * (error * P[:, i] - reg_lambda * Q[u])
        validation.append(loss(val_values, val_idx, Q, P, 0))
        training.append(loss(values, (users, items), Q, P, reg_lambda))
        if validation[-1] < best:
            best, kept, waited = validation[-1], (Q.copy(), P.copy()), 0
        else:
            waited += 1
            if waited >= patience:
                converged = step
                break
    return *kept, validation, training, converged
"""
CLIMBS = CONVENTIONS.replace("error = value - Q[u] @ P[:, i]", "error = Q[u] @ P[:, i] - value")
PLUS_ONE = CONVENTIONS.replace("error = value", "error = 1 + value")
ADDS_LR = CONVENTIONS.replace("Q[u] += 2 * lr * (error * P[:, i] - reg_lambda * Q[u])", "Q[u] += lr")


@pytest.fixture(scope="module")
def assignment() -> Assignment:
    return load_assignment(ROOT / "reference" / "exercise_11", RUBRIC.subjects, RUBRIC.seed)


def marks(assignment: Assignment, namespace: Any, case: Case) -> np.ndarray[Any, Any]:
    with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        value = reference_value(namespace, Subject.named(NAME), case, 1)
        return np.concatenate([np.ravel(part) for part in assignment.metric("run_marks")(value, case)])


def runs(assignment: Assignment) -> list[Case]:
    return [*assignment.cases("telling_runs", 7), *assignment.cases("overfitting_runs", 7)]


def test_another_convention_has_the_same_marks(assignment: Assignment) -> None:
    other = assignment.reference.redefined({NAME: CONVENTIONS})
    for case in runs(assignment):
        first, second = marks(assignment, assignment.namespace, case), marks(assignment, other, case)
        assert np.abs(first - second).max() < 2e-3 * max(1.0, np.abs(first).max()), case.name


@pytest.mark.parametrize(
    ("validation", "training", "reached"),
    [("0", "reg_lambda", 1.0), ("reg_lambda", "reg_lambda", 1.0), ("0", "0", 0.5)],
    ids=["without lambda", "with lambda", "training without lambda"],
)
def test_the_validation_loss_may_contain_lambda(
    assignment: Assignment, validation: str, training: str, reached: float
) -> None:
    source = CONVENTIONS.replace("Q, P, 0)", f"Q, P, {validation})")
    source = source.replace("(users, items), Q, P, reg_lambda)", f"(users, items), Q, P, {training})")
    other = assignment.reference.redefined({NAME: source})
    (case,) = assignment.cases("overfitting_runs", 7)
    value = reference_value(other, Subject.named(NAME), case, 1)
    assert assignment.metric("losses_are_those")(value, case) == reached


@pytest.mark.parametrize(
    ("source", "named"), [(CLIMBS, True), (PLUS_ONE, False), (ADDS_LR, False)], ids=["climbs", "plus 1", "lr"]
)
def test_only_what_climbs_has_the_marks_of_climbing(
    assignment: Assignment, source: str, *, named: bool
) -> None:
    (known,) = [each for each in assignment.misconceptions if each.code == "sgd_climbs"]
    climbing = with_mistakes(assignment, (known,))
    other = assignment.reference.redefined({NAME: source})
    away = [
        float(np.abs(marks(assignment, climbing, case) - marks(assignment, other, case)).max())
        for case in runs(assignment)
        if case.keywords["optimizer"] == "sgd"
    ]
    assert (max(away) < 0.01) is named
