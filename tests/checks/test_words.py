"""What is said of a failure: which input, once, with a hint that fits, and nothing that was not checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grader.checks.outcomes import why_not_called
from grader.checks.property import PropertyCase, PropertyCheck
from grader.checks.raises import RaisesCase, RaisesCheck
from grader.checks.reference import ReferenceCase, ReferenceCheck
from grader.course import Case
from grader.course.rubric import Rubric
from grader.course.score import score_submission
from grader.inside.execute import bases_of, fault
from grader.outcome import fault_of
from grader.reading import FactsStatus, FunctionFacts
from grader.records import Fault, Outcome, OutcomeKind, Verdict, VerdictKind
from grader.subjects import Call

RIGHT = np.array([[1.5, -2.5], [3.25, 4.75]])
FOUND = FunctionFacts("f", FactsStatus.FOUND)


class UnknownInit(ValueError):  # noqa: N818 -- as students name them
    """A student's own exception."""


def compared(values: list[Any], labels: list[str]) -> Verdict:
    fields = {"id": "c", "title": "t", "type": "reference", "points": 1, "inputs": "i"}
    check = ReferenceCheck.model_validate(fields)
    cases = [
        ReferenceCase((Call(str(number), "f", ()),), Case("input", (), label=label), check, RIGHT)
        for number, label in enumerate(labels)
    ]
    outcomes = {str(n): Outcome(OutcomeKind.RETURNED, value) for n, value in enumerate(values)}
    return check.judge(cases, outcomes, FOUND, None)


def test_the_inputs_that_alone_fail_are_characterised_by_their_labels() -> None:
    verdict = compared([RIGHT, RIGHT + 1, RIGHT], ["", "k = 0", ""])
    assert verdict.message.startswith("Right on 2 of 3 inputs, wrong with k = 0: it is off")
    both = compared([RIGHT, RIGHT + 1, RIGHT + 2], ["", "k = 0", "whole numbers"])
    assert "wrong with k = 0 and with whole numbers" in both.message
    assert "on input 2" in compared([RIGHT, RIGHT + 1, RIGHT + 2], ["", "k = 0", ""]).message


def test_zeros_are_called_zero() -> None:
    assert compared([0 * RIGHT], [""]).message == "It is zero everywhere"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("sums_to_zero", np.array([[np.nan, 1.0]]), "NaN"),
        ("sums_to_zero", None, "nothing"),
        ("symmetric", np.ones((2, 3)), "not square"),
        ("zero_diagonal", np.ones(3), "not square"),
        ("nonnegative", np.zeros((2, 2)), "proves nothing"),
        ("in_unit_interval", np.ones(2) + 1j, "complex"),
    ],
)
def test_a_property_that_cannot_be_evaluated_is_not_checked(name: str, value: Any, words: str) -> None:
    fields = {"id": "c", "title": "t", "type": "property", "points": 1, "inputs": "i", "property": name}
    check = PropertyCheck.model_validate(fields)
    case = PropertyCase((Call("0", "f", ()),), Case("input", ()), check, None)  # type: ignore[arg-type]
    result = case.judge({"0": Outcome(OutcomeKind.RETURNED, value)}, None)
    assert (result.fraction, result.code) == (0.0, "not_checked")
    assert result.message.startswith("not checked: ")
    assert words in result.message
    assert not check.hint_fits(result.code)
    assert case.detail(value, result) == ""


@pytest.mark.parametrize(
    ("bases", "fraction"), [(("ValueError", "Exception"), 1.0), (("TypeError",), 0.0), ((), 0.0)]
)
def test_a_class_of_the_expected_exception_is_that_exception(bases: tuple[str, ...], fraction: float) -> None:
    fields = {
        "id": "c",
        "title": "t",
        "type": "raises",
        "points": 1,
        "inputs": "i",
        "exception": "ValueError",
    }
    case = RaisesCase((Call("0", "f", ()),), Case("input", ()), RaisesCheck.model_validate(fields))
    raised = Outcome(OutcomeKind.RAISED, fault=Fault("UnknownInit", "", bases=bases))
    assert case.judge({"0": raised}, None).fraction == fraction


def test_the_box_tells_what_known_exception_one_of_a_student_is() -> None:
    assert bases_of(UnknownInit) == ("ValueError", "Exception", "BaseException")
    assert bases_of(ValueError) == ()
    record = fault(UnknownInit("zeros"))
    told = fault_of(record)
    assert told is not None
    assert (told.type, told.bases[0]) == ("UnknownInit", "ValueError")
    forged = fault_of({**record, "bases": ({}, "int", "eval", "KeyError")})
    assert forged is not None
    assert forged.bases == ("KeyError",)
    assert fault_of({**record, "bases": 3}) is not None


def scored(*verdicts: Verdict, kind: str = "reference", **options: Any) -> list[tuple[str, str]]:
    """Return message and hint of each check of one question."""
    checks = [
        {"id": f"c{n}", "title": f"Check {n}", "type": kind, "points": 1, "inputs": "i", **options}
        | {"feedback": {"failed": "Look at the formula."}}
        for n in range(len(verdicts))
    ]
    question = {"id": "q", "title": "q", "function": "f", "points": len(verdicts), "checks": checks}
    rubric = Rubric.model_validate({"assignment": "a", "title": "t", "questions": [question]})
    judged = {("q", f"c{n}"): verdict for n, verdict in enumerate(verdicts)}
    (found,) = score_submission("s", rubric, judged, {}).questions
    return [(check.verdict.message, check.feedback) for check in found.checks]


def failed(code: str, message: str = "It raised TypeError: x") -> Verdict:
    return Verdict(VerdictKind.FAILED, 0.0, message, code)


def test_the_same_exception_is_told_once_and_has_no_hint_about_values() -> None:
    first, *others = scored(failed("raised"), failed("raised"), failed("raised", "It raised KeyError: y"))
    assert first == ("It raised TypeError: x", "")
    assert others[0] == ("It ended as in “Check 0”.", "")
    assert others[1] == ("It raised KeyError: y", "")


def test_the_same_wrong_values_are_told_each_time_with_the_hint() -> None:
    for message, hint in scored(failed("values", "It is off"), failed("values", "It is off")):
        assert (message, hint) == ("It is off", "Look at the formula.")


@pytest.mark.parametrize(
    ("code", "options", "fits"),
    [
        ("values", {}, True),
        ("structure", {}, False),
        ("structure", {"form_only": True}, True),
        ("cpu_timeout", {}, False),
        ("not_checked", {}, False),
    ],
)
def test_a_hint_stands_only_where_it_fits(code: str, options: dict[str, Any], *, fits: bool) -> None:
    ((_, hint),) = scored(failed(code), **options)
    assert bool(hint) is fits
    raising = {"exception": "ValueError"}
    ((_, raised),) = scored(failed("other_exception"), kind="raises", **raising)
    ((_, late),) = scored(failed("cpu_timeout"), kind="raises", **raising)
    assert (bool(raised), bool(late)) == (True, False)


def test_why_a_function_looks_untouched_is_said_if_it_is_known() -> None:
    plain = FunctionFacts("f", FactsStatus.NOT_ATTEMPTED)
    split = FunctionFacts("f", FactsStatus.NOT_ATTEMPTED, remark="The cell 2 was split.")
    assert why_not_called(plain) == "The function was left as it was handed out."
    assert why_not_called(split) == "The cell 2 was split."
