"""Exercise 11: a function is judged for its own code, and no points are given without work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
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
        for name in map(str, course.rubric.subjects)
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


FORMS: dict[str, Callable[[Any], Any]] = {
    "lists": lambda array: array.tolist(),
    "a tuple of rows": tuple,
    "a list of rows": list,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("name", ["low_dimensional_similarities", "tsne_gradient", "reconstruct"])
def test_the_right_matrix_in_another_form_costs_nothing_and_is_told(
    course: Course, name: str, form: Callable[[Any], Any]
) -> None:
    right = course.assignment.namespace[name]
    found = graded(course, changed(course, **{name: lambda *args: form(right(*args))}), (*TSNE, *AUTOENCODER))
    assert lost(found[name]) == 0.0
    assert any("lists or tuples" in remark for remark in found[name].remarks)
    assert not graded(course, course.assignment.namespace, (name,))[name].remarks


def test_both_gradients_as_lists_are_right(course: Course) -> None:
    right = course.assignment.namespace["reconstruction_error_gradient"]

    def own(*args: Any) -> Any:
        return [part.tolist() for part in right(*args)]

    found = graded(course, changed(course, reconstruction_error_gradient=own), AUTOENCODER)
    assert lost(found["reconstruction_error_gradient"]) == 0.0


def test_another_form_costs_what_the_rubric_says(course: Course) -> None:
    questions = tuple(
        question.model_copy(update={"form": 0.1}) if question.id == "reconstruct" else question
        for question in course.rubric.questions
    )
    strict = replace(course, rubric=course.rubric.model_copy(update={"questions": questions}))
    right = course.assignment.namespace["reconstruct"]
    own = changed(course, reconstruct=lambda *args: right(*args).tolist())
    found = graded(strict, own, AUTOENCODER)["reconstruct"]
    assert lost(found) == pytest.approx(0.1 * found.max_points, abs=0.011)
    assert "costs 10%" in found.remarks[0]


def test_a_slip_is_paid_for_only_where_the_rest_is_right(course: Course) -> None:
    right = course.assignment.namespace
    own = {
        TSNE[0]: strange,
        TSNE[1]: whole_refused(right[TSNE[1]], 1),
    }
    found = graded(course, changed(course, **own), TSNE[:2])
    assert lost(found[TSNE[1]]) == 0.25


STARTS = ("initialize_Q_P",)


def test_parts_in_another_order_cost_what_the_rubric_says(course: Course) -> None:
    right = course.assignment.namespace
    found = graded(
        course,
        changed(course, shift_user_mean=lambda m: right["shift_user_mean"](m)[::-1]),
        ("shift_user_mean",),
    )["shift_user_mean"]
    assert lost(found) == 1.5
    assert {check.verdict.code for check in found.checks} == {"other_order"}
    own = changed(course, initialize_Q_P=lambda *args, **words: right["initialize_Q_P"](*args, **words)[::-1])
    assert 1.0 < lost(graded(course, own, STARTS)["initialize_Q_P"]) < 1.5


def test_weights_that_are_transposed_cost_what_the_rubric_says(course: Course) -> None:
    right = course.assignment.namespace["fit_linear_autoencoder"]
    own = changed(course, fit_linear_autoencoder=lambda x, k: tuple(part.T for part in right(x, k)))
    found = graded(course, own, ("fit_linear_autoencoder",))["fit_linear_autoencoder"]
    assert 1.0 <= lost(found) <= 1.75
    assert "transposed" in found.checks[0].verdict.message


def test_wrong_parts_in_any_order_earn_nothing_by_it(course: Course) -> None:
    own = changed(course, initialize_Q_P=lambda matrix, k, init="random": (np.ones((k, 7)), np.ones((7, k))))
    assert graded(course, own, STARTS)["initialize_Q_P"].points == 0.0


def test_the_first_part_alone_counts(course: Course) -> None:
    right = course.assignment.namespace["shift_user_mean"]
    own = changed(course, shift_user_mean=lambda m: right(m)[0])
    assert lost(graded(course, own, ("shift_user_mean",))["shift_user_mean"]) == 1.0


def test_a_right_result_among_others_is_recognised(course: Course) -> None:
    right = course.assignment.namespace["low_dimensional_similarities"]
    own = changed(course, low_dimensional_similarities=lambda y: (right(y), 1.0 + y))
    found = graded(course, own, TSNE)["low_dimensional_similarities"]
    assert {check.verdict.code for check in found.checks} >= {"one_of_several"}
    assert 0.5 <= lost(found) < 1.0


def test_both_gradients_in_one_flat_array_are_recognised(course: Course) -> None:
    right = course.assignment.namespace["reconstruction_error_gradient"]
    own = changed(
        course,
        reconstruction_error_gradient=lambda *args: np.concatenate([part.ravel() for part in right(*args)]),
    )
    found = graded(course, own, AUTOENCODER)["reconstruction_error_gradient"]
    assert 0.5 < lost(found) < 2.0
    assert found.checks[0].verdict.code == "reshaped"


@pytest.mark.parametrize("factor", [4.0005 / 4, 1.0003])
def test_a_gradient_close_to_the_right_one_of_a_right_cost_is_no_follow_through(
    course: Course, factor: float
) -> None:
    right = course.assignment.namespace["tsne_gradient"]
    found = graded(course, changed(course, tsne_gradient=lambda p, y: factor * right(p, y)), TSNE)
    codes = {check.verdict.code for check in found["tsne_gradient"].checks}
    assert not codes & {"follow_through", "follow_through_undecided"}
    assert 0.5 < lost(found["tsne_gradient"]) < 3.0


def test_a_function_that_returns_an_argument_earns_nothing(course: Course) -> None:
    found = graded(course, changed(course, tsne_gradient=lambda p, y: y), TSNE)["tsne_gradient"]
    assert found.points == 0.0
    assert found.diagnosis is not None
    assert found.diagnosis.codes == ("argument_Y",)
    assert any("it returns its input Y" in check.verdict.message for check in found.checks)


def test_losses_that_were_made_up_earn_nothing(course: Course) -> None:
    right = course.assignment.namespace["initialize_Q_P"]

    def own(matrix: Any, _places: Any, k: int, *args: Any, max_steps: int = 100, **words: Any) -> Any:
        losses = [100.0 / (step + 1) for step in range(max_steps)]
        return *right(matrix, k, words.get("init", "random")), losses, losses, -1

    name = "latent_factor_alternating_optimization"
    found = graded(course, changed(course, **{name: own}), (*STARTS, name))[name]
    assert {check.id for check in found.checks if check.points > 0.0} <= {
        "als_held_out",
        "start",
        "shape_of_p",
    }
