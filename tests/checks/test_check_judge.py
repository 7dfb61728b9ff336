"""Check.judge: from the cases of a check to one verdict with a fraction, a code and a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from grader.checks.base import Check, PlannedCase
from grader.checks.gradient import GradientCase
from grader.checks.property import Change, PropertyCase
from grader.checks.raises import RaisesCase
from grader.checks.reference import ReferenceCase
from grader.course import Case
from grader.course.rubric import AnyCheck
from grader.numerics.differentiate import OwnCost
from grader.numerics.numeric_gradient import Numeric
from grader.reading import FunctionFacts
from grader.records import Fault, Outcome, OutcomeKind, Verdict, VerdictKind
from grader.subjects import Call, Sweep

FOUND = FunctionFacts("f", "found")
POINT = np.ones(3)
INPUT = Case("case", (POINT, 2))
NO_OWN = OwnCost((), (), Sweep((), ()))
RIGHT = np.array([[1.0, 2.5], [-3.25, 0.5]])
CHECKS: TypeAdapter[Any] = TypeAdapter(AnyCheck)


def check(kind: str, **options: Any) -> Any:
    base = {"id": "c", "title": "t", "points": 1, "type": kind}
    return CHECKS.validate_python({**base, **({} if kind == "forbidden" else {"inputs": "i"}), **options})


def returned(value: Any) -> Outcome:
    return Outcome(OutcomeKind.RETURNED, value)


def raised(name: str) -> Outcome:
    return Outcome(OutcomeKind.RAISED, fault=Fault(name, "no"))


def call(name: str, function: str = "f") -> Call:
    return Call(name, function, (POINT,))


def expects(asked: Any, name: str, right: Any = RIGHT, scale: float = 0.0, own: tuple[Call, ...] = ()) -> Any:
    return ReferenceCase((call(name), *own), INPUT, asked, right, scale)


def judged(
    asked: Check, cases: list[PlannedCase], outcomes: dict[str, Outcome], trusted: Any = None
) -> Verdict:
    return asked.judge(cases, outcomes, FOUND, trusted)


def compared(values: list[Any], right: Any = RIGHT, **options: Any) -> Verdict:
    """Judge one returned value a case against the same right one."""
    asked = check("reference", **options)
    cases = [expects(asked, str(place), right) for place in range(len(values))]
    outcomes = {
        str(place): value if isinstance(value, Outcome) else returned(value)
        for place, value in enumerate(values)
    }
    return judged(asked, cases, outcomes)


@pytest.mark.parametrize(
    ("status", "kind"),
    [("missing", VerdictKind.FAILED), ("not_attempted", VerdictKind.NOT_ATTEMPTED)],
)
def test_a_function_that_is_not_there_earns_nothing_and_says_why(status: str, kind: VerdictKind) -> None:
    facts = FunctionFacts("f", status, remark="The notebook defines no function f.")
    asked = check("reference")
    verdict = asked.judge([expects(asked, "0")], {"0": returned(RIGHT)}, facts, None)
    assert (verdict.kind, verdict.fraction, verdict.code) == (kind, 0.0, status)
    assert verdict.message


# How cases become one verdict


@pytest.mark.parametrize(
    ("values", "kind", "fraction", "message"),
    [
        pytest.param([RIGHT, RIGHT], "passed", 1.0, "", id="all right"),
        pytest.param([-RIGHT], "failed", 0.0, "It has the wrong sign", id="one input, wrong"),
        pytest.param(
            [-RIGHT, -RIGHT], "failed", 0.0, "On every input: it has the wrong sign", id="all wrong alike"
        ),
        pytest.param(
            [-RIGHT, RIGHT.T],
            "failed",
            0.0,
            "Wrong on every input; on input 1, it has the wrong sign",
            id="all wrong, differently",
        ),
        pytest.param(
            [RIGHT, RIGHT, -RIGHT, RIGHT.T],
            "partial",
            0.5,
            "Right on 2 of 4 inputs; on input 3, it has the wrong sign",
            id="half right",
        ),
        pytest.param(
            [RIGHT, raised("KeyError")],
            "partial",
            0.5,
            "Right on 1 of 2 inputs; on input 2, it raised KeyError: no",
            id="died once",
        ),
    ],
)
def test_the_verdict_counts_the_cases_and_words_the_first_worst(
    values: list[Any], kind: str, fraction: float, message: str
) -> None:
    verdict = compared(values)
    assert (verdict.kind.value, verdict.fraction, verdict.message) == (kind, fraction, message)


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=6))
def test_the_fraction_is_the_mean_or_the_smallest_of_the_cases(shares: list[float]) -> None:
    values = {1.0: RIGHT, 0.5: -RIGHT, 0.25: RIGHT.ravel(), 0.0: RIGHT + 1}
    credit = {"sign": 0.5, "reshaped": 0.25}
    verdict = compared([values[share] for share in shares], credit=credit)
    strict = compared([values[share] for share in shares], credit=credit, by_case=False)
    assert verdict.fraction == pytest.approx(np.mean(shares))
    assert strict.fraction == min(shares)
    for found in (verdict, strict):
        kinds = {0.0: VerdictKind.FAILED, 1.0: VerdictKind.PASSED}
        assert found.kind is kinds.get(found.fraction, VerdictKind.PARTIAL)
        assert 0.0 <= found.fraction <= 1.0


def test_a_case_that_cannot_be_decided_counts_only_if_no_other_can() -> None:
    asked = check("gradient", cost="cost", wrt=["x"])
    right, undecided, wrong = (
        GradientCase((call(name),), INPUT, asked, Numeric((RIGHT,), (np.full((2, 2), error),)), NO_OWN)
        for name, error in (("0", 1e-12), ("1", 1e-2), ("2", 1e-12))
    )
    outcomes = {"0": returned(RIGHT), "1": returned(RIGHT), "2": returned(RIGHT + 1)}
    found = judged(asked, [undecided, undecided], outcomes)
    assert (found.kind, found.fraction) == (VerdictKind.INCONCLUSIVE, 0.0)
    assert "too noisy" in found.message
    assert judged(asked, [right, undecided], outcomes).kind is VerdictKind.PASSED
    assert judged(asked, [undecided, wrong], outcomes).kind is VerdictKind.FAILED
    found = judged(asked, [right, undecided, wrong], outcomes)
    assert (found.kind, found.fraction) == (VerdictKind.PARTIAL, 0.5)


# reference


@pytest.mark.parametrize(
    ("value", "code"),
    [
        pytest.param(np.full((2, 2), np.nan), "not_finite", id="NaN"),
        pytest.param(None, "structure", id="nothing"),
        pytest.param(RIGHT[0], "shape", id="a row that broadcasts"),
        pytest.param(RIGHT.ravel(), "reshaped", id="flattened"),
        pytest.param(RIGHT.T, "transposed", id="transposed"),
        pytest.param(2 * RIGHT, "constant_factor", id="doubled"),
        pytest.param(np.trunc(RIGHT).astype(int), "integer_dtype", id="fractions cut off"),
        pytest.param(RIGHT + 1, "values", id="a constant added"),
        pytest.param(RIGHT * (1 + 1e-3 * np.eye(2)), "values", id="slightly above the tolerance"),
        pytest.param(Outcome(OutcomeKind.CPU_TIMEOUT), "cpu_timeout", id="too slow"),
    ],
)
def test_a_wrong_result_earns_nothing_by_itself_and_keeps_its_code(value: Any, code: str) -> None:
    verdict = compared([value])
    assert (verdict.kind, verdict.fraction, verdict.code) == (VerdictKind.FAILED, 0.0, code)


@pytest.mark.parametrize("outcomes", [{}, {"0": Outcome(OutcomeKind.GRADER_FAULT)}])
def test_a_call_that_we_did_not_make_is_no_pass_and_no_fault_of_the_student(
    outcomes: dict[str, Outcome],
) -> None:
    asked = check("reference")
    verdict = judged(asked, [expects(asked, "0")], outcomes)
    assert (verdict.kind, verdict.fraction) == (VerdictKind.INCONCLUSIVE, 0.0)
    assert "not called" in verdict.message


def test_a_result_within_a_thousandth_of_a_tight_tolerance_is_not_called_a_factor_of_one() -> None:
    verdict = compared([RIGHT * (1 + 5e-7 * np.eye(2))], rtol=1e-8, credit={"constant_factor": 0.5})
    assert (verdict.fraction, verdict.code) == (0.0, "values")


def test_the_evidence_gives_the_error_and_the_worst_entry_without_the_values() -> None:
    off = RIGHT.copy()
    off[1, 0] += 3.25
    allowed = {"relative error allowed": "0.0001"}
    assert dict(compared([off]).evidence.facts) == {"relative error": "1", **allowed, "worst entry": "(1, 0)"}
    assert dict(compared([off[1]], RIGHT[1]).evidence.facts)["worst entry"] == "0"
    infinite = np.where(RIGHT > 2, np.inf, RIGHT)
    assert dict(compared([infinite]).evidence.facts) == {**allowed, "worst entry": "(0, 1)"}
    single = dict(compared([off.astype(np.float32)]).evidence.facts)
    assert float(single["relative error allowed"]) >= 1e-4


def test_a_result_of_the_wrong_structure_has_no_relative_error() -> None:
    assert "relative error" not in dict(compared([None]).evidence.facts)


@pytest.mark.parametrize(
    ("value", "fraction", "code"),
    [
        pytest.param((RIGHT, None), 1.0, "", id="the part is right, the other not"),
        pytest.param([RIGHT, None], 1.0, "", id="a list"),
        pytest.param((RIGHT + 1, RIGHT), 0.0, "values", id="the part is wrong, the other not"),
        pytest.param((), 0.0, "structure", id="the part is missing"),
        pytest.param(RIGHT, 0.0, "structure", id="no tuple"),
        pytest.param({0: RIGHT}, 0.0, "structure", id="a dict"),
    ],
)
def test_only_the_part_that_the_rubric_names_is_compared(value: Any, fraction: float, code: str) -> None:
    verdict = compared([value], output=0)
    assert (verdict.fraction, verdict.code) == (fraction, code)


def test_flatten_and_the_scale_of_the_case_are_used() -> None:
    assert compared([RIGHT.ravel()], flatten=True).fraction == 1.0
    asked = check("reference")
    for scale, fraction in ((0.0, 0.0), (1.0, 1.0)):
        found = judged(asked, [expects(asked, "0", 0.0, scale)], {"0": returned(1e-9)})
        assert found.fraction == fraction


@dataclass(frozen=True)
class Recomputing:
    """A trusted side whose reference computes something from the student's own results."""

    recompute: Callable[[Sequence[Any]], Any]

    def answered(self, call: Call, case: Case, answers: Mapping[str, Sequence[Any]]) -> Any:
        return self.recompute(answers["helper"])


def followed(
    value: Any, own: dict[str, Outcome], recompute: Callable[[Sequence[Any]], Any], **options: Any
) -> Verdict:
    asked = check("reference", given=["helper"], **options)
    case = expects(asked, "0", own=(call("own", "helper"),))
    return judged(asked, [case], {"0": returned(value), **own}, Recomputing(recompute))


def test_a_result_that_is_right_given_the_students_own_helper_earns_the_follow_through() -> None:
    own = {"own": returned(3.0)}
    verdict = followed(RIGHT * 3, own, lambda values: RIGHT * values[0])
    assert (verdict.kind, verdict.code) == (VerdictKind.PASSED, "follow_through")
    assert verdict.message == "It is right given your own helper"
    assert followed(RIGHT * 3, own, lambda values: RIGHT * values[0], given_credit=0.5).fraction == 0.5


@pytest.mark.parametrize(
    ("own", "recompute"),
    [
        pytest.param({"own": returned(3.0)}, lambda values: RIGHT * 4, id="wrong given it as well"),
        pytest.param({"own": returned(np.nan)}, lambda values: RIGHT * values[0], id="the helper gives NaN"),
        pytest.param({"own": returned(0.0)}, lambda values: 1 / values[0], id="the reference trips over it"),
        pytest.param({"own": raised("KeyError")}, lambda values: RIGHT * 3, id="the helper died"),
        pytest.param({}, lambda values: RIGHT * 3, id="the helper was not called"),
    ],
)
def test_follow_through_needs_a_helper_that_explains_the_result(
    own: dict[str, Outcome], recompute: Any
) -> None:
    assert followed(RIGHT * 3, own, recompute).code == "constant_factor"


def test_follow_through_on_a_later_input_is_said_in_the_message() -> None:
    asked = check("reference", given=["helper"])
    outcomes = {"0": returned(RIGHT), "1": returned(3 * RIGHT)}
    trusted = Recomputing(lambda values: 3 * RIGHT)
    verdict = judged(asked, [expects(asked, "0"), expects(asked, "1")], outcomes, trusted)
    assert (verdict.kind, verdict.code) == (VerdictKind.PASSED, "follow_through")
    assert "given your own helper" in verdict.message


# raises, property, forbidden


@pytest.mark.parametrize(
    ("outcome", "fraction", "code"),
    [
        pytest.param(raised("ValueError"), 1.0, "", id="the right exception"),
        pytest.param(raised("TypeError"), 0.0, "other_exception", id="another exception"),
        pytest.param(returned(None), 0.0, "no_exception", id="no exception"),
        pytest.param(Outcome(OutcomeKind.RAISED), 0.0, "raised", id="an exception without a fault"),
        pytest.param(
            Outcome(OutcomeKind.KILLED_BY_SIGNAL, fault=Fault("ValueError", "")),
            0.0,
            "killed_by_signal",
            id="a signal",
        ),
        pytest.param(None, 0.0, "inconclusive", id="not called"),
    ],
)
def test_only_the_named_exception_counts_as_refusing(
    outcome: Outcome | None, fraction: float, code: str
) -> None:
    outcomes = {} if outcome is None else {"0": outcome}
    asked = check("raises", exception="ValueError")
    verdict = judged(asked, [RaisesCase((call("0"),), INPUT, asked)], outcomes)
    assert (verdict.fraction, verdict.code) == (fraction, code)


def relation(name: str, outcomes: dict[str, Outcome], second: str | None = "1", **options: Any) -> Verdict:
    asked = check("property", property=name, **options)
    calls = (call("0"), call(second)) if second else (call("0"),)
    return judged(asked, [PropertyCase(calls, INPUT, asked, Change())], outcomes)


@pytest.mark.parametrize(
    ("first", "second", "fraction", "code"),
    [
        pytest.param(returned(RIGHT), returned(RIGHT), 1.0, "", id="equal"),
        pytest.param(returned(RIGHT), returned(RIGHT + 1), 0.0, "deterministic", id="different"),
        pytest.param(returned(RIGHT), raised("KeyError"), 0.0, "raised", id="the second died"),
        pytest.param(raised("KeyError"), returned(RIGHT), 0.0, "raised", id="the first died"),
        pytest.param(returned(RIGHT), None, 0.0, "inconclusive", id="the second was not called"),
    ],
)
def test_a_relation_needs_both_results(
    first: Outcome, second: Outcome | None, fraction: float, code: str
) -> None:
    verdict = relation("deterministic", {"0": first} | ({"1": second} if second else {}))
    assert (verdict.fraction, verdict.code) == (fraction, code)


def test_the_size_of_a_violation_is_a_fact_where_it_is_a_number() -> None:
    half, nan = returned(np.array([1.0, -0.5])), returned(np.array([np.nan]))
    facts = {"size of the violation": "0.5", "allowed": "1e-06"}
    assert dict(relation("nonnegative", {"0": half}, None).evidence.facts) == facts
    assert relation("nonnegative", {"0": nan}, None).evidence.facts == ()
    assert relation("nonnegative", {"0": half}, None, rtol=0.6).fraction == 1.0


@pytest.mark.parametrize(
    ("after", "fraction"),
    [((np.ones(3), 2), 1.0), ((np.zeros(3), 2), 0.0), (None, 0.0)],
    ids=["unchanged", "changed", "not sent back"],
)
def test_an_input_that_was_changed_in_place_is_found(after: tuple[Any, ...] | None, fraction: float) -> None:
    outcome = Outcome(OutcomeKind.RETURNED, RIGHT, args_after=after)
    assert relation("input_not_mutated", {"0": outcome}, None).fraction == fraction


@pytest.mark.parametrize(
    ("calls", "names", "used"),
    [
        pytest.param({"numpy.linalg.svd"}, ["sklearn"], "", id="nothing forbidden"),
        pytest.param({"sklearn.manifold.TSNE"}, ["sklearn"], "sklearn.manifold.TSNE", id="in a module"),
        pytest.param({"sklearn"}, ["sklearn"], "sklearn", id="the name itself"),
        pytest.param({"sklearnish.fit"}, ["sklearn"], "", id="a longer name"),
        pytest.param({"b.x", "a.y", "c"}, ["a", "b"], "a.y, b.x", id="several, sorted"),
        pytest.param({"a.b.c"}, ["a", "a.b"], "a.b.c", id="forbidden twice, said once"),
    ],
)
def test_forbidden_names_are_found_in_the_code(calls: set[str], names: list[str], used: str) -> None:
    facts = FunctionFacts("f", "found", calls=frozenset(calls))
    verdict = check("forbidden", names=names).judge([], {}, facts, None)
    assert verdict.fraction == float(not used)
    assert (f"uses {used}, which" in verdict.message) == bool(used)
    assert verdict.code == ("forbidden" if used else "")


@pytest.mark.parametrize("last", [None, Outcome(OutcomeKind.GRADER_FAULT)], ids=["not called", "our fault"])
def test_one_call_that_we_did_not_make_leaves_the_whole_check_to_a_person(last: Outcome | None) -> None:
    """A function could see to it that only the calls are made that it can answer."""
    asked = check("reference")
    cases: list[PlannedCase] = [expects(asked, str(n)) for n in range(3)]
    outcomes = {"0": returned(RIGHT), "1": returned(RIGHT)} | ({"2": last} if last else {})
    verdict = judged(asked, cases, outcomes)
    assert (verdict.kind, verdict.fraction) == (VerdictKind.INCONCLUSIVE, 0.0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "entry [0, 1]: yours is 3.5, right is 2.5"),
        ({"form_only": True}, ""),
        ({"up_to": "sign"}, ""),
    ],
    ids=["values", "form", "sign"],
)
def test_the_entry_that_is_furthest_is_shown_only_where_entries_are_compared(
    options: dict[str, Any], words: str
) -> None:
    value = RIGHT + np.array([[0.0, 1.0], [0.0, 0.0]])
    case = expects(check("reference", **options), "a")
    assert case.detail(value, case.judge({"a": returned(value)}, None)) == words


def test_what_none_of_the_cases_found_changed_was_not_attempted_and_one_that_did_is_judged() -> None:
    asked = check("reference")
    untouched, right = Outcome(OutcomeKind.NOT_ATTEMPTED), returned(RIGHT)
    cases = [expects(asked, "a"), expects(asked, "b")]
    left = judged(asked, cases, {"a": untouched, "b": untouched})
    assert (left.kind, left.code, left.fraction) == (VerdictKind.NOT_ATTEMPTED, "not_attempted", 0.0)
    assert judged(asked, cases, {"a": untouched, "b": right}).kind is VerdictKind.PARTIAL
    assert judged(asked, cases, {"a": right, "b": right}).kind is VerdictKind.PASSED


@pytest.mark.parametrize("share", [1.001, -0.001, 2.0, float("nan"), "1", True])
def test_a_share_of_the_points_that_is_none_is_refused(share: Any) -> None:
    gradient = {"cost": "cost", "wrt": ["x"]}
    for kind, options in (
        ("gradient", {**gradient, "own_cost": share}),
        ("gradient", {**gradient, "credit": {"sign": share}}),
        ("reference", {"given": ["g"], "given_credit": share}),
    ):
        with pytest.raises(ValidationError):
            check(kind, **options)
    for right in (0.0, 0.5, 1.0):
        assert check("gradient", **gradient, own_cost=right).own_cost == right


@pytest.mark.parametrize(
    ("kind", "options", "by_result", "by_fingerprint"),
    [
        ("gradient", {"cost": "cost", "wrt": ["x"]}, True, False),
        ("property", {"property": "symmetric"}, False, False),
        ("forbidden", {"names": ["sklearn"]}, False, False),
    ],
)
def test_known_mistakes_are_looked_for_on_the_inputs_of(
    kind: str, options: dict[str, Any], by_result: bool, by_fingerprint: bool
) -> None:
    asked = check(kind, **options)
    assert asked.recognises(fingerprint=False) is by_result
    assert asked.recognises(fingerprint=True) is by_fingerprint
