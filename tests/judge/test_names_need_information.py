"""A name needs information: what gives no numbers explains nothing, and hides nothing on other inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from grader.judge.diagnosis import diagnose
from grader.judge.patterns import TRANSFORMATIONS, transformed
from grader.numerics.residual import parts_of, residual
from grader.records import (
    Candidate,
    Diagnosis,
    DiagnosisKind,
    Fault,
    Outcome,
    OutcomeKind,
    Prediction,
)
from grader.report.mistake import explain
from grader.subjects import Call

RNG = np.random.default_rng(2)
NAMES = ("one", "two", "three")
RIGHT = {name: RNG.standard_normal((4, 3)) for name in NAMES}
OTHER = {name: RNG.standard_normal((4, 3)) for name in NAMES}
NAN = {name: np.full((4, 3), np.nan) for name in NAMES}
UNKNOWN = Diagnosis(DiagnosisKind.UNKNOWN)


@dataclass
class Known:
    """Candidates given by hand."""

    singles: tuple[Candidate, ...] = ()
    joint: tuple[Candidate, ...] = ()
    given: tuple[Candidate, ...] = ()
    rtol: float = 1e-3
    whole: bool = True

    calls = tuple(Call(name, "f", ()) for name in NAMES)

    def observed(self, call: str, value: Any) -> Prediction:
        return Prediction(parts_of(value))

    def lengths(self, call: str) -> tuple[int, ...]:
        return ()

    def right(self) -> Candidate:
        return candidate((), RIGHT)

    def arguments(self) -> tuple[Candidate, ...]:
        return self.given

    def single(self) -> tuple[Candidate, ...]:
        return self.singles

    def pairs(self) -> tuple[Candidate, ...]:
        return self.joint


def candidate(codes: str | tuple[str, ...], values: dict[str, Any], **options: Any) -> Candidate:
    codes = (codes,) if isinstance(codes, str) else codes
    predictions = {name: Prediction(parts_of(value)) for name, value in values.items()}
    return Candidate(codes, tuple(f"name of {code}" for code in codes), "teach", 0.5, predictions, **options)


def returned(values: dict[str, Any]) -> dict[str, Outcome]:
    return {name: Outcome(OutcomeKind.RETURNED, value) for name, value in values.items()}


@pytest.mark.parametrize(
    "value",
    [
        np.full((4, 3), np.nan),
        np.full((4, 3), np.inf),
        np.zeros((4, 3)),
        np.full((4, 3), 0.5),
        np.zeros((0, 3)),
    ],
    ids=["NaN", "infinite", "zero", "constant", "empty"],
)
def test_results_without_information_get_no_name_although_a_mistake_predicts_them(value: Any) -> None:
    same = dict.fromkeys(NAMES, value)
    known = Known((candidate("a", same),), (candidate(("a", "b"), same),))
    assert diagnose(known, returned(same)) == UNKNOWN


def test_a_mistake_that_shows_as_nan_on_one_input_is_named_where_the_others_are_right() -> None:
    seen = {**RIGHT, "two": NAN["two"]}
    found = diagnose(Known((candidate("zeros", seen),)), returned(seen))
    assert found is not None
    assert found.codes == ("zeros",)


def test_two_mistakes_of_which_only_nan_shows_are_not_named() -> None:
    seen = {**RIGHT, "two": NAN["two"]}
    assert diagnose(Known((), (candidate(("a", "b"), seen),)), returned(seen)) == UNKNOWN


def test_one_input_that_raises_does_not_silence_the_name_on_the_others() -> None:
    raised = Outcome(OutcomeKind.RAISED, fault=Fault("TypeError", "integers"))
    found = diagnose(Known((candidate("a", OTHER),)), {**returned(OTHER), "three": raised})
    assert found is not None
    assert (found.kind, found.codes, found.credit) == (DiagnosisKind.NAMED, ("a",), 0.0)
    assert found.inputs == "2 of 3"
    explained = explain(found)
    assert explained is not None
    assert "on the 2 of 3 inputs that gave numbers" in explained.sure
    nan = diagnose(Known((candidate("a", OTHER),)), returned({**OTHER, "one": NAN["one"]}))
    assert nan is not None
    assert nan.codes == ("a",)


def test_a_single_input_with_numbers_is_too_little_where_the_others_raise() -> None:
    raised = Outcome(OutcomeKind.RAISED, fault=Fault("TypeError", ""))
    seen = {**returned(OTHER), "two": raised, "three": raised}
    assert diagnose(Known((candidate("a", OTHER),)), seen) == UNKNOWN


def test_an_exception_of_the_students_own_is_like_the_one_that_it_is() -> None:
    raising = candidate("a", OTHER)
    raising.predictions["two"] = Prediction(raised="ValueError")  # type: ignore[index]
    own = Fault("UnknownInit", "", bases=("ValueError", "Exception"))
    seen = {**returned(OTHER), "two": Outcome(OutcomeKind.RAISED, fault=own)}
    found = diagnose(Known((raising,)), seen)
    assert found is not None
    assert (found.codes, found.inputs) == (("a",), "")


def test_the_mistake_of_the_function_itself_is_named_before_one_of_a_function_that_it_calls() -> None:
    known = candidate("mine", OTHER, own=True), candidate("of another", OTHER)
    found = diagnose(Known(known), returned(OTHER))
    assert found is not None
    assert (found.kind, found.codes) == (DiagnosisKind.NAMED, ("mine",))


def test_a_function_that_returns_what_it_is_given_is_told_so() -> None:
    given = candidate("argument_Y", OTHER)
    found = diagnose(Known(given=(given,)), returned(OTHER))
    assert found is not None
    assert found.codes == ("argument_Y",)


# Parts and patterns


def fitting(right: dict[str, Any], seen: dict[str, Any], *, by_part: bool = False) -> list[str]:
    observed = {name: Prediction(parts_of(value)) for name, value in seen.items()}
    lengths = dict.fromkeys(seen, (4, 3))
    made = transformed(candidate((), right), observed, lengths, TRANSFORMATIONS, by_part=by_part)
    return [each.names[-1] for each in made if residual(observed, each) < 1e-9]


def test_what_was_done_to_one_part_of_two_is_said_of_that_part() -> None:
    right = {name: (RIGHT[name], OTHER[name]) for name in NAMES}
    seen = {name: (RIGHT[name], -OTHER[name]) for name in NAMES}
    assert fitting(right, seen) == []
    assert fitting(right, seen, by_part=True) == ["its second part has the wrong sign"]
    third = {name: (RIGHT[name] / 3.7, OTHER[name]) for name in NAMES}
    assert fitting(right, third, by_part=True) == ["its first part is right up to the constant factor 0.2703"]


def test_a_part_that_is_all_hidden_says_nothing() -> None:
    right = {name: (RIGHT[name], OTHER[name][:, :1]) for name in NAMES}
    negated = {name: (RIGHT[name], -OTHER[name][:, :1]) for name in NAMES}
    assert not [text for text in fitting(right, negated) if "except" in text]


def test_right_entries_that_are_zero_do_not_count_as_compared() -> None:
    sparse = {name: np.hstack([np.zeros((4, 2)), RIGHT[name][:, :1]]) for name in NAMES}
    wrong = {name: np.hstack([np.zeros((4, 2)), OTHER[name][:, :1]]) for name in NAMES}
    assert fitting(sparse, wrong) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x: np.round(100 * x) / 100, "is rounded to 2 decimals"),
        (np.rint, "is rounded to whole numbers"),
        (lambda x: np.broadcast_to(x[0], x.shape), "is right for the first row only, which stands for all"),
        (lambda x: x[0], "is right for the first row only, which stands for all"),
        (lambda x: x / 16, "is divided by the square of the number of rows"),
    ],
)
def test_patterns_of_a_whole_result(change: Any, words: str) -> None:
    right = {name: 3 * value for name, value in RIGHT.items()}
    assert f"it {words}" in fitting(right, {name: change(value) for name, value in right.items()})


def test_terms_that_were_not_added_up_are_recognised_by_their_sum_and_mean() -> None:
    terms = {name: RIGHT[name][:, 0] for name in NAMES}
    assert fitting({name: np.sum(t) for name, t in terms.items()}, terms) == [
        "it is not summed: the sum of what it returns would be right"
    ]
    assert fitting({name: np.mean(t) for name, t in terms.items()}, terms) == [
        "it is not averaged: the mean of what it returns is right"
    ]


@pytest.mark.parametrize(("cut", "side"), [(np.triu, "upper"), (np.tril, "lower")])
def test_half_of_a_square_result_is_recognised(cut: Any, side: str) -> None:
    right = {name: value @ value.T for name, value in RIGHT.items()}
    seen = {name: cut(value) for name, value in right.items()}
    assert fitting(right, seen) == [f"it has its {side} triangle only: the other half is zero"]
