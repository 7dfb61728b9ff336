"""One mistake is punished once: what is right given a mistake in another function keeps its points."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import notebook

from grader.course import Case
from grader.course.assignment import load_assignment
from grader.course.rubric_file import parse_rubric
from grader.errors import AssignmentError, RubricError
from grader.judge.judge_observation import grade
from grader.plan.plan import Course
from grader.plan.planner import make_plan
from grader.plan.trusted import TrustedSide, trusted_call
from grader.reading import FunctionFacts
from grader.records import Observation, Outcome, OutcomeKind, QuestionScore

FUNCTIONS = '''
import numpy as np

def error(x, c):
    """Return the mean squared distance of the numbers x from c."""
    ### BEGIN SOLUTION
    return float(np.mean((x - c) ** 2))
    ### END SOLUTION

def fit(x):
    """Return the c with the smallest error."""
    ### BEGIN SOLUTION
    return float(np.mean(x))
    ### END SOLUTION
'''
INPUTS = """
import numpy as np
from grader.course import Case

def centres(rng):
    return [Case("seven", (rng.gamma(0.5, size=7), 3.0)), Case("nine", (rng.gamma(0.5, size=9), 2.0))]

def numbers(rng):
    return [Case("skewed", (rng.gamma(0.3, size=15),)), Case("too", (rng.gamma(0.3, size=11),))]
"""
METRICS = """
import numpy as np

def excess(value, case):
    x = case.args[0]
    return float(np.mean((x - value) ** 2) / np.var(x)) - 1.0

def own_excess(value, case, call):
    x = case.args[0]
    own, least, most = (call("error", x, c) for c in (value, call("fit", x), 2 * x.max()))
    return (own - least) / (most - least)
"""
MISCONCEPTIONS = """
from grader.course import Misconception

MISCONCEPTIONS = (
    Misconception("error", "absolute", "It adds absolute values", "Norm?", {"(x - c) ** 2": "np.abs(x - c)"}),
    Misconception("error", "worst", "It is the largest", "Mean?", {"np.mean(": "np.max("}),
    Misconception("error", "halved", "It is halved", "Half?", {"float(np.mean": "float(0.5 * np.mean"}),
)
"""
RUBRIC = """
assignment: centre
title: Centre
questions:
  - id: error
    title: Error
    function: error
    points: 1
    checks: [{id: values, title: Values, type: reference, points: 1, inputs: centres}]
  - id: fit
    title: Fit
    function: fit
    points: 2
    checks:
      - id: optimum
        title: Optimum
        type: metric
        points: 2
        inputs: numbers
        metric: excess
        full: 0.0
        none: 0.05
        tolerance: 0.02
        given: [error]
        own_metric: own_excess
        given_credit: CREDIT
"""


def absolute(x: Any, c: float) -> float:
    return sum(abs(each - c) for each in x) / len(x)


def negative(x: Any, c: float) -> float:
    return -float(np.mean((x - c) ** 2))


def strange(x: Any, c: float) -> float:
    return float(np.sum(np.cos(x)) + c)


def right(x: Any, c: float) -> float:
    return float(np.mean((x - c) ** 2))


def mean(x: Any) -> float:
    return float(np.mean(x))


def median(x: Any) -> float:
    return float(np.median(x))


def last(x: Any) -> float:
    return float(np.max(x))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "centre"
    place.mkdir()
    for name, text in {"inputs": INPUTS, "metrics": METRICS, "misconceptions": MISCONCEPTIONS}.items():
        (place / f"{name}.py").write_text(text, encoding="utf-8")
    (place / "notebook.ipynb").write_text(notebook(FUNCTIONS), encoding="utf-8")
    return place


def graded(
    folder: Path, error: Callable[..., Any], fit: Callable[..., Any] | None, credit: float = 1.0
) -> tuple[QuestionScore, QuestionScore]:
    rubric = parse_rubric(RUBRIC.replace("CREDIT", str(credit)), "centre.yaml")
    assignment = load_assignment(folder, rubric.subjects, 3)
    course = Course(rubric, assignment, make_plan(rubric, assignment))
    functions = {"error": error, "fit": fit}
    outcomes = {
        call.id: Outcome(OutcomeKind.RETURNED, trusted_call(function, Case("", call.args, call.keywords), 0))
        for call in course.plan.calls
        if (function := functions[call.function]) is not None
    }
    facts = {name: FunctionFacts(name, "found" if functions[name] else "missing") for name in functions}
    first, second = grade("anna", Observation(None, facts, outcomes), course).questions
    return first, second


def test_a_fit_to_the_optimum_of_the_students_own_error_keeps_its_points_and_is_told_so(folder: Path) -> None:
    error, fit = graded(folder, absolute, median)
    assert error.points == 0.0
    assert error.diagnosis is not None
    assert error.diagnosis.codes == ("absolute",)
    assert fit.points == 2.0
    assert fit.checks[0].verdict.code == "follow_through"
    assert "right given your own error" in fit.checks[0].verdict.message
    assert fit.diagnosis is None


def test_the_rubric_says_what_a_result_that_follows_from_another_mistake_earns(folder: Path) -> None:
    fit = graded(folder, absolute, median, credit=0.25)[1]
    assert fit.points == 0.5


@pytest.mark.parametrize(
    ("error", "fit"),
    [
        (right, median),
        (absolute, last),
        (negative, median),
        (strange, median),
        (absolute, None),
    ],
    ids=["the error is right", "the optimum of neither", "only transformed", "not recognised", "no fit"],
)
def test_a_fit_that_follows_from_no_named_mistake_earns_nothing_by_it(
    folder: Path, error: Callable[..., Any], fit: Callable[..., Any] | None
) -> None:
    scored = graded(folder, error, fit)[1]
    assert scored.points == 0.0
    assert scored.checks[0].verdict.code != "follow_through"


def test_a_right_fit_stays_right_beside_a_wrong_error(folder: Path) -> None:
    fit = graded(folder, absolute, mean, credit=0.25)[1]
    assert fit.points == 2.0
    assert fit.checks[0].verdict.code != "follow_through"


def test_mistakes_that_exclude_each_other_are_followed_nowhere(folder: Path) -> None:
    rubric = parse_rubric(RUBRIC.replace("CREDIT", "1"), "centre.yaml")
    assignment = load_assignment(folder, rubric.subjects, 3)
    case = make_plan(rubric, assignment).checks[1].cases[0]
    trusted = TrustedSide(assignment)
    assert trusted.mistaken(case.calls[0], ("absolute",)) is not None
    assert trusted.mistaken(case.calls[0], ("worst", "halved")) is None
    assert trusted.mistaken(case.calls[0], ("sign",)) is None
    right = {case.calls[0].id: Outcome(OutcomeKind.RETURNED, mean(*case.inputs.args))}
    assert case.judge(right, trusted).fraction == 1.0
    assert case.judge_given(right, trusted, ()) is None


@pytest.mark.parametrize("value", [None, "text", np.ones(3), complex(1, 1)], ids=str)
def test_what_an_own_metric_cannot_measure_follows_from_nothing(folder: Path, value: Any) -> None:
    rubric = parse_rubric(RUBRIC.replace("CREDIT", "1"), "centre.yaml")
    assignment = load_assignment(folder, rubric.subjects, 3)
    case = make_plan(rubric, assignment).checks[1].cases[0]
    outcomes = {case.calls[0].id: Outcome(OutcomeKind.RETURNED, value)}
    assert case.judge_given(outcomes, TrustedSide(assignment), ("absolute",)) is None


def test_an_own_metric_needs_the_functions_whose_mistakes_it_measures() -> None:
    with pytest.raises(RubricError, match="own_metric needs given"):
        parse_rubric(RUBRIC.replace("CREDIT", "1").replace("        given: [error]\n", ""), "centre.yaml")


def test_an_own_metric_that_is_missing_is_reported_when_the_plan_is_made(folder: Path) -> None:
    rubric = parse_rubric(RUBRIC.replace("CREDIT", "1").replace("own_excess", "nowhere"), "centre.yaml")
    assignment = load_assignment(folder, rubric.subjects, 3)
    with pytest.raises(AssignmentError, match="no metric 'nowhere'"):
        make_plan(rubric, assignment)
