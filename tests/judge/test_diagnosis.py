"""A name is given where one explanation fits every input and no other comes near; otherwise it is not."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader.judge.diagnosis import diagnose, needs_diagnosis
from grader.numerics.residual import parts_of
from grader.records import (
    Candidate,
    Diagnosis,
    DiagnosisKind,
    Fault,
    Outcome,
    OutcomeKind,
    Prediction,
    Verdict,
    VerdictKind,
)
from grader.subjects import Call

RNG = np.random.default_rng(1)
RIGHT = {"one": RNG.standard_normal((4, 3)), "two": RNG.standard_normal((5, 3))}
OTHER = {"one": RNG.standard_normal((4, 3)), "two": RNG.standard_normal((5, 3))}
THIRD = {"one": RNG.standard_normal((4, 3)), "two": RNG.standard_normal((5, 3))}


@dataclass
class Known:
    """Candidates given by hand."""

    singles: tuple[Candidate, ...] = ()
    joint: tuple[Candidate, ...] = ()
    rtol: float = 1e-3
    whole: bool = True

    @property
    def calls(self) -> tuple[Call, ...]:
        return tuple(Call(name, "f", ()) for name in RIGHT)

    def observed(self, call: str, value: Any) -> Prediction:
        return Prediction(parts_of(value))

    def lengths(self, call: str) -> tuple[int, ...]:
        return ()

    def right(self) -> Candidate:
        return candidate((), RIGHT)

    def arguments(self) -> tuple[Candidate, ...]:
        return ()

    def single(self) -> tuple[Candidate, ...]:
        return self.singles

    def pairs(self) -> tuple[Candidate, ...]:
        return self.joint


def candidate(codes: str | tuple[str, ...], values: dict[str, Any], **options: Any) -> Candidate:
    codes = (codes,) if isinstance(codes, str) else codes
    predictions = {name: Prediction((np.asarray(value),)) for name, value in values.items()}
    return Candidate(codes, tuple(f"name of {code}" for code in codes), "teach", 0.5, predictions, **options)


def returned(values: dict[str, Any]) -> dict[str, Outcome]:
    return {name: Outcome(OutcomeKind.RETURNED, value) for name, value in values.items()}


def scaled(factor: float, values: dict[str, Any] = RIGHT) -> dict[str, Any]:
    return {name: factor * value for name, value in values.items()}


def test_the_results_of_a_known_mistake_are_named_with_all_that_the_course_says_of_it() -> None:
    found = diagnose(Known((candidate("a", OTHER), candidate("b", THIRD))), returned(OTHER))
    assert found is not None
    assert (found.kind, found.codes, found.names) == (DiagnosisKind.NAMED, ("a",), ("name of a",))
    assert (found.message, found.credit, found.residual) == ("teach", 0.5, 0.0)
    assert found.margin is not None
    assert 1e-4 < found.margin <= 1.0


@pytest.mark.parametrize(
    "outcomes",
    [
        returned(RIGHT),
        {},
        {"one": Outcome(OutcomeKind.CPU_TIMEOUT), "two": Outcome(OutcomeKind.CPU_TIMEOUT)},
        returned({"one": "text", "two": None}),
    ],
    ids=["right", "no outcomes", "nothing came back", "no numbers"],
)
def test_there_is_nothing_to_diagnose_in(outcomes: dict[str, Outcome]) -> None:
    assert diagnose(Known((candidate("a", OTHER),)), outcomes) is None


def test_results_that_no_explanation_fits_are_unknown() -> None:
    found = diagnose(Known((candidate("a", OTHER),)), returned(THIRD))
    assert found == Diagnosis(DiagnosisKind.UNKNOWN)


@pytest.mark.parametrize(("apart", "kind"), [(2e-5, DiagnosisKind.AMBIGUOUS), (5e-4, DiagnosisKind.NAMED)])
def test_two_mistakes_are_told_apart_from_a_ten_thousandth_on(apart: float, kind: DiagnosisKind) -> None:
    known = candidate("a", OTHER), candidate("b", scaled(1.0 + apart, OTHER))
    found = diagnose(Known(known, rtol=1e-6), returned(OTHER))
    assert found is not None
    assert found.kind is kind
    assert found.codes == (("a",) if kind is DiagnosisKind.NAMED else ("a", "b"))


@pytest.mark.parametrize(("apart", "kind"), [(2e-5, DiagnosisKind.AMBIGUOUS), (5e-4, DiagnosisKind.NAMED)])
def test_a_mistake_is_told_from_the_right_result_from_a_ten_thousandth_on(
    apart: float, kind: DiagnosisKind
) -> None:
    nearly = scaled(1.0 + apart)
    found = diagnose(Known((candidate("a", nearly),), rtol=1e-6), returned(nearly))
    assert found is not None
    assert (found.kind, found.codes) == (kind, ("a",))


@pytest.mark.parametrize(("times", "kind"), [(5, DiagnosisKind.AMBIGUOUS), (20, DiagnosisKind.NAMED)])
def test_a_name_is_given_where_every_other_explanation_is_ten_times_farther_away(
    times: float, kind: DiagnosisKind
) -> None:
    near, far = scaled(1.0 + 1e-4, OTHER), scaled(1.0 - times * 1e-4, OTHER)
    found = diagnose(Known((candidate("a", near), candidate("b", far))), returned(OTHER))
    assert found is not None
    assert (found.kind, found.codes[0]) == (kind, "a")
    assert len(found.codes) == (1 if kind is DiagnosisKind.NAMED else 2)


def test_two_mistakes_with_the_same_results_are_ambiguous_and_none_is_chosen() -> None:
    found = diagnose(Known((candidate("a", OTHER), candidate("b", OTHER))), returned(OTHER))
    assert found is not None
    assert (found.kind, found.codes, found.message) == (DiagnosisKind.AMBIGUOUS, ("a", "b"), "")
    assert (found.names, found.credit) == (("name of a", "name of b"), 0.0)


@pytest.mark.parametrize("declares", ["first", "second"])
def test_mistakes_declared_the_same_are_one(declares: str) -> None:
    first = candidate("a", OTHER, same_as=frozenset({"b"} if declares == "first" else ()))
    second = candidate("b", OTHER, same_as=frozenset({"a"} if declares == "second" else ()))
    found = diagnose(Known((first, second)), returned(OTHER))
    assert found is not None
    assert (found.kind, found.codes) == (DiagnosisKind.NAMED, ("a",))


def test_a_mistake_that_is_hardly_a_mistake_is_not_named() -> None:
    nearly = scaled(1.0 + 2e-3)
    found = diagnose(Known((candidate("a", nearly),), rtol=1e-3), returned(scaled(1.0 + 1.5e-3)))
    assert found is not None
    assert found.kind is not DiagnosisKind.NAMED


def test_an_exception_of_the_same_type_belongs_to_the_explanation() -> None:
    raising = candidate("a", OTHER)
    raising = replace(raising, predictions={**raising.predictions, "two": Prediction(raised="IndexError")})
    fault = Outcome(OutcomeKind.RAISED, fault=Fault("IndexError", "out of range"))
    other = Outcome(OutcomeKind.RAISED, fault=Fault("KeyError", "2"))
    seen = returned(OTHER)
    found = diagnose(Known((raising,)), {**seen, "two": fault})
    assert found is not None
    assert found.codes == ("a",)
    assert diagnose(Known((raising,)), {**seen, "two": other}) == Diagnosis(DiagnosisKind.UNKNOWN)
    assert diagnose(Known((raising,)), seen) == Diagnosis(DiagnosisKind.UNKNOWN)


def test_two_mistakes_made_together_are_named_both_where_no_single_one_fits() -> None:
    both = candidate(("a", "b"), THIRD)
    found = diagnose(Known((candidate("a", OTHER),), (both,)), returned(THIRD))
    assert found is not None
    assert (found.kind, found.codes, found.names) == (
        DiagnosisKind.NAMED,
        ("a", "b"),
        ("name of a", "name of b"),
    )


def test_a_pair_must_fit_exactly_because_there_are_many() -> None:
    both = candidate(("a", "b"), THIRD)
    found = diagnose(Known((), (both,), rtol=1e-2), returned(scaled(1.0 + 1e-3, THIRD)))
    assert found is not None
    assert "b" not in found.codes


def test_two_pairs_that_fit_are_listed_with_their_mistakes_joined() -> None:
    pairs = candidate(("a", "b"), THIRD), candidate(("a", "c"), THIRD)
    found = diagnose(Known((), pairs), returned(THIRD))
    assert found is not None
    assert found.codes == ("a+b", "a+c")
    assert found.names[0] == "name of a, and name of b"


def test_a_transformation_of_the_right_result_is_named() -> None:
    found = diagnose(Known(), returned(scaled(-1.0)))
    assert found is not None
    assert (found.kind, found.codes, found.credit) == (DiagnosisKind.NAMED, ("sign",), 0.0)


def test_a_transformation_of_a_known_mistake_is_named_after_both() -> None:
    found = diagnose(Known((candidate("a", OTHER),)), returned(scaled(-1.0, OTHER)))
    assert found is not None
    assert found.codes == ("a", "sign")


def test_nothing_is_transformed_where_predictions_are_fingerprints() -> None:
    known = Known((candidate("a", OTHER),), (candidate(("a", "b"), THIRD),), whole=False)
    assert diagnose(known, returned(scaled(-1.0))) == Diagnosis(DiagnosisKind.UNKNOWN)
    found = diagnose(known, returned(THIRD))
    assert found is not None
    assert found.codes == ("a", "b")


@pytest.mark.parametrize(
    ("kind", "code", "needed"),
    [
        (VerdictKind.FAILED, "values", True),
        (VerdictKind.PARTIAL, "values", True),
        (VerdictKind.PARTIAL, "follow_through", False),
        (VerdictKind.PASSED, "", False),
        (VerdictKind.INCONCLUSIVE, "inconclusive", False),
        (VerdictKind.NOT_ATTEMPTED, "not_attempted", False),
    ],
)
def test_a_diagnosis_is_made_where_something_is_wrong_by_itself(
    kind: VerdictKind, code: str, *, needed: bool
) -> None:
    assert needs_diagnosis(Verdict(kind, 0.0, "", code)) is needed


MATRICES = st.fixed_dictionaries(
    {
        name: hnp.arrays(np.float64, value.shape, elements=st.floats(-100, 100))
        for name, value in RIGHT.items()
    }
)


@given(MATRICES, MATRICES, st.sampled_from([0.0, 1e-12, 1e-5, 1e-3, 0.1]), st.randoms())
def test_a_name_is_given_only_with_a_margin_and_whatever_the_order(
    first: dict[str, Any], second: dict[str, Any], noise: float, shuffler: random.Random
) -> None:
    known = [candidate("a", first), candidate("b", second), candidate("c", OTHER), candidate("d", THIRD)]
    seen = returned({name: value * (1.0 + noise) for name, value in first.items()})
    found = diagnose(Known(tuple(known)), seen)
    shuffler.shuffle(known)
    again = diagnose(Known(tuple(known)), seen)
    if found is None or found.kind is not DiagnosisKind.NAMED:
        assert (None if found is None else found.kind) == (None if again is None else again.kind)
        return
    assert again == found
    assert found.residual is not None
    assert found.margin is not None
    assert found.residual <= 1e-3
    assert found.margin > min(1.0, max(10 * found.residual, 1e-4))


@given(st.sampled_from([1e-9, 1e-3, 1e6]), st.sampled_from([OTHER, scaled(-1.0), THIRD]))
def test_the_diagnosis_does_not_depend_on_the_scale_of_the_results(
    scale: float, seen: dict[str, Any]
) -> None:
    class Scaled(Known):
        def right(self) -> Candidate:
            return candidate((), scaled(scale))

    here = diagnose(Known((candidate("a", OTHER),)), returned(seen))
    there = diagnose(Scaled((candidate("a", scaled(scale, OTHER)),)), returned(scaled(scale, seen)))
    assert here is not None
    assert there is not None
    assert (here.kind, here.codes) == (there.kind, there.codes)
