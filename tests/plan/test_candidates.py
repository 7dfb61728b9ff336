"""A small assignment with known mistakes: each is recognised alone, together with another, and from afar."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import notebook

from grader.course.assignment import Assignment, Case, load_assignment
from grader.course.rubric_file import parse_rubric
from grader.errors import AssignmentError
from grader.judge.diagnosis import diagnose
from grader.plan.candidates import KnownMistakes
from grader.plan.planner import make_plan, seed_of_draws
from grader.plan.separation import close_pairs
from grader.plan.trusted import trusted_call, with_mistakes
from grader.records import Diagnosis, Fault, Outcome, OutcomeKind
from grader.subjects import Subject

FUNCTIONS = '''
import numpy as np

def spread(x):
    """Return the mean squared distance to the mean."""
    ### BEGIN SOLUTION
    centred = x - np.mean(x)
    return float(np.sum(centred ** 2) / len(x))
    ### END SOLUTION

def standardised(x):
    """Return x with mean 0 and spread 1."""
    ### BEGIN SOLUTION
    centred = x - np.mean(x)
    return centred / np.sqrt(spread(x))
    ### END SOLUTION
'''
INPUTS = """
from grader.course import Case

def numbers(rng):
    return [Case("five", (3 + rng.standard_normal(5),)), Case("seven", (3 + rng.standard_normal(7),))]
"""
MISCONCEPTIONS = """
from grader.course import Misconception

def no_spread(x):
    raise ZeroDivisionError("spread")

MISCONCEPTIONS = (
    Misconception("spread", "summed", "It is a sum", "Mean?", {"/ len(x)": "/ 1"}, credit=0.5),
    Misconception("spread", "off_centre", "It is not centred", "Centre?", {"x - np.mean(x)": "x"}, credit=0.2),
    Misconception("spread", "unbiased", "N - 1", "N?", {"/ len(x)": "/ (len(x) - 1)"}, same_as=("cut",)),
    Misconception("spread", "invisible", "Nothing", "?", {"** 2": "** 2.0"}),
    Misconception("spread", "broken", "It raises", "?", variant=no_spread),
    Misconception("standardised", "by_variance", "By the variance", "Root?", {"np.sqrt(spread(x))": "spread(x)"}),
)
"""
METRICS = """
import numpy as np

def ends(value, case):
    return (np.asarray(value)[[0, -1]],)
"""
RUBRIC = """
assignment: small
title: Small
questions:
  - id: spread
    title: Spread
    function: spread
    points: 1
    checks: [{id: values, title: Values, type: reference, points: 1, inputs: numbers}]
  - id: standardised
    title: Standardised
    function: standardised
    points: 1
    recognition: RECOGNITION
    checks: [{id: values, title: Values, type: reference, points: 1, inputs: numbers}]
"""
SEED = 5
SUBJECTS = tuple(map(Subject.named, ("spread", "standardised")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "small"
    place.mkdir()
    files = {"inputs": INPUTS, "misconceptions": MISCONCEPTIONS, "metrics": METRICS}
    for name, text in files.items():
        (place / f"{name}.py").write_text(text, encoding="utf-8")
    (place / "notebook.ipynb").write_text(notebook(FUNCTIONS), encoding="utf-8")
    return place


@pytest.fixture
def assignment(folder: Path) -> Assignment:
    return load_assignment(folder, SUBJECTS, SEED)


def known_of(assignment: Assignment, question: str, recognition: str = "{}") -> KnownMistakes:
    rubric = parse_rubric(RUBRIC.replace("RECOGNITION", recognition), "small.yaml")
    candidates = make_plan(rubric, assignment).candidates[question]
    assert isinstance(candidates, KnownMistakes)
    return candidates


def diagnosed(known: KnownMistakes, function: Any) -> Diagnosis | None:
    return diagnose(known, {call.id: outcome(function, known.cases[call.id]) for call in known.calls})


def outcome(function: Any, case: Case) -> Outcome:
    try:
        return Outcome(OutcomeKind.RETURNED, trusted_call(function, case, 0))
    except Exception as error:
        return Outcome(OutcomeKind.RAISED, fault=Fault(type(error).__name__, ""))


def summed(x: Any) -> float:
    total = 0.0
    for value in x:
        total += (value - sum(x) / len(x)) ** 2
    return total


def raw_mean(x: Any) -> float:
    return float(np.mean(np.square(x)))


def raw_sum(x: Any) -> float:
    return float(np.dot(x, x))


def broken(x: Any) -> float:
    return 1 // 0


@pytest.mark.parametrize(
    ("function", "codes", "credit"),
    [
        (summed, ("summed",), 0.5),
        (raw_mean, ("off_centre",), 0.2),
        (raw_sum, ("summed", "off_centre"), 0.1),
        (broken, None, 0.0),
        (lambda x: float(np.var(x, ddof=1)), ("unbiased",), 0.0),
        (lambda x: float(np.var(x)), None, 0.0),
        (lambda x: float(np.std(x)), ("root",), 0.0),
        (lambda x: float(np.median(x)), (), 0.0),
    ],
    ids=["summed", "not centred", "both", "nothing came back", "unbiased", "right", "root", "something else"],
)
def test_two_known_mistakes_are_recognised_alone_and_together(
    assignment: Assignment, function: Any, codes: tuple[str, ...] | None, credit: float
) -> None:
    found = diagnosed(known_of(assignment, "spread"), function)
    assert (None if found is None else found.codes) == codes
    assert (found.credit if found else 0.0) == pytest.approx(credit)


def test_a_mistake_in_a_function_that_another_calls_is_recognised_there_too(assignment: Assignment) -> None:
    def standardised(x: Any) -> Any:
        return (x - np.mean(x)) / np.sqrt(raw_sum(x))

    known = known_of(assignment, "standardised")
    found = diagnosed(known, standardised)
    assert found is not None
    assert set(found.codes) == {"summed", "off_centre"}
    found = diagnosed(known, lambda x: (x - np.mean(x)) / summed(x))
    assert found is not None
    assert set(found.codes) == {"summed", "by_variance"}


def test_a_mistake_that_does_not_show_on_the_inputs_is_no_candidate(assignment: Assignment) -> None:
    known = known_of(assignment, "spread")
    codes = [candidate.codes for candidate in known.single()]
    assert codes == [("summed",), ("off_centre",), ("unbiased",), ("broken",)]
    assert known.single()[2].same_as == {"cut"}
    assert known.right().codes == ()


def test_mistakes_that_edit_the_same_text_or_replace_all_of_a_function_exclude_each_other(
    assignment: Assignment,
) -> None:
    pairs = {candidate.codes for candidate in known_of(assignment, "spread").pairs()}
    assert pairs == {("summed", "off_centre"), ("off_centre", "unbiased")}
    by_code = {known.code: known for known in assignment.misconceptions}
    with pytest.raises(AssignmentError, match="edit the same text of spread"):
        with_mistakes(assignment, (by_code["summed"], by_code["unbiased"]))
    with pytest.raises(AssignmentError, match="broken replaces all of spread"):
        with_mistakes(assignment, (by_code["broken"], by_code["unbiased"]))


def test_a_variant_stands_in_place_of_the_function_wherever_it_is_called(assignment: Assignment) -> None:
    by_code = {known.code: known for known in assignment.misconceptions}
    namespace = with_mistakes(assignment, (by_code["broken"], by_code["by_variance"]))
    with pytest.raises(ZeroDivisionError):
        namespace["standardised"](np.arange(3.0))
    assert assignment.function("spread")(np.arange(3.0)) == pytest.approx(2 / 3)


def test_predictions_are_those_of_the_changed_reference_and_exceptions_belong_to_them(
    assignment: Assignment,
) -> None:
    known = known_of(assignment, "spread")
    call = known.calls[0].id
    x = known.cases[call].args[0]
    parts = known.single()[0].predictions[call].parts
    assert parts is not None
    assert parts[0] == pytest.approx(summed(x))
    assert known.single()[-1].predictions[call].raised == "ZeroDivisionError"
    assert known.lengths(call) == x.shape


def test_a_fingerprint_is_compared_in_place_of_the_result(assignment: Assignment) -> None:
    known = known_of(assignment, "standardised", "{inputs: [numbers], fingerprint: ends}")
    assert not known.whole
    assert [each.codes for each in known.own()] == [("by_variance",)]

    def ends_only(x: Any) -> Any:
        value = (x - np.mean(x)) / np.var(x)
        value[1:-1] = 0.0
        return value

    found = diagnosed(known, ends_only)
    assert found is not None
    assert found.codes == ("by_variance",)
    assert known.observed(known.calls[0].id, "text").parts is None


def test_pairs_are_made_only_where_the_rubric_wants_them(assignment: Assignment) -> None:
    assert known_of(assignment, "standardised").pairs()
    assert known_of(assignment, "standardised", "{pairs: false}").pairs() == ()


def test_without_misconceptions_there_are_no_candidates(folder: Path) -> None:
    (folder / "misconceptions.py").unlink()
    assignment = load_assignment(folder, SUBJECTS, SEED)
    rubric = parse_rubric(RUBRIC.replace("RECOGNITION", "{}"), "small.yaml")
    assert make_plan(rubric, assignment).candidates == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("'spread', 'Bad code', 'n', 'm', {'** 2': ''}", "has other characters than a-z, 0-9 and _"),
        ("'spread', 'a', '', 'm', {'** 2': ''}", "it needs a name and a message"),
        ("'spread', 'a', 'n', '', {'** 2': ''}", "it needs a name and a message"),
        ("'spread', 'a', 'n', 'm'", "it needs either edits or a variant"),
        ("'spread', 'a', 'n', 'm', {'** 2': ''}, len", "it needs either edits or a variant"),
        ("'spread', 'a', 'n', 'm', {'** 2': ''}, credit=1.5", "its credit 1.5 is not between 0 and 1"),
        ("'spread', 'summed', 'n', 'm', {'** 2': ''}", "it is given twice"),
        ("'spread', 'a', 'n', 'm', {'nowhere': ''}", "'nowhere' occurs 0 times in the reference's spread"),
        ("'spread', 'a', 'n', 'm', {'x': ''}", "times in the reference's spread"),
        ("'missing', 'a', 'n', 'm', {'x': ''}", "the reference notebook defines no function 'missing'"),
        ("'missing', 'a', 'n', 'm', variant=len", "the reference notebook defines no function 'missing'"),
    ],
)
def test_a_misconception_that_says_nothing_fails_to_load_with_its_code_and_reason(
    folder: Path, arguments: str, message: str
) -> None:
    text = MISCONCEPTIONS + f"\nMISCONCEPTIONS += (Misconception({arguments}),)\n"
    (folder / "misconceptions.py").write_text(text, encoding="utf-8")
    with pytest.raises(AssignmentError, match=r"misconceptions\.py: the misconception ") as caught:
        load_assignment(folder, SUBJECTS, SEED)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("MISCONCEPTIONS = (", "misconceptions.py cannot be imported"),
        ("MISCONCEPTIONS = 3", "MISCONCEPTIONS is not a sequence of Misconception"),
        ("MISCONCEPTIONS = ('a',)", "MISCONCEPTIONS is not a sequence of Misconception"),
        ("MISCONCEPTION = ()", "it defines no MISCONCEPTIONS"),
    ],
)
def test_a_file_without_misconceptions_in_it_fails_to_load(folder: Path, text: str, message: str) -> None:
    (folder / "misconceptions.py").write_text(text, encoding="utf-8")
    with pytest.raises(AssignmentError) as caught:
        load_assignment(folder, SUBJECTS, SEED)
    assert message in str(caught.value)


PICKING = """
from grader.course import Case

def numbers(rng):
    return [Case("five", ((rng.integers(0, 6) != UNLUCKY) * rng.standard_normal(5),))]
"""


@pytest.mark.parametrize(("unlucky", "again"), [(0, True), (6, False)], ids=["bad luck", "none"])
def test_inputs_that_do_not_tell_mistakes_apart_are_drawn_again(
    folder: Path, unlucky: int, again: bool
) -> None:
    """Where all numbers are 0, so is the spread, whatever mistake was made."""
    seen = MISCONCEPTIONS.replace('Misconception("spread", "invisible"', "#")
    (folder / "misconceptions.py").write_text(seen, encoding="utf-8")
    (folder / "inputs.py").write_text(PICKING.replace("UNLUCKY", str(unlucky)), encoding="utf-8")
    known = known_of(load_assignment(folder, SUBJECTS, SEED), "spread")
    assert all(case.args[0].any() for case in known.cases.values())
    assert close_pairs(known) == []
    assert (known.seed != seed_of_draws(0)) is again


def test_a_mistake_that_never_shows_is_a_close_pair_and_the_first_inputs_stay(assignment: Assignment) -> None:
    known = known_of(assignment, "spread")
    assert [(pair.first, pair.second, pair.distance) for pair in close_pairs(known)] == [
        ("invisible", "(right)", 0.0)
    ]
    assert known.seed == seed_of_draws(0)


def test_inputs_drawn_again_that_cannot_be_used_leave_the_first(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    always = PICKING.replace("rng.integers(0, 6) != UNLUCKY", "False")
    (folder / "inputs.py").write_text(always, encoding="utf-8")
    loaded = load_assignment(folder, SUBJECTS, SEED)
    first = Assignment.cases

    def cases(self: Assignment, generator: str, seed: int) -> list[Case]:
        if seed:
            raise AssignmentError("the generator failed")
        return first(self, generator, seed)

    monkeypatch.setattr(Assignment, "cases", cases)
    assert known_of(loaded, "spread").seed == seed_of_draws(0)


def test_a_function_that_returns_its_argument_is_a_candidate(assignment: Assignment) -> None:
    found = diagnosed(known_of(assignment, "standardised"), lambda x: x)
    assert found is not None
    assert (found.codes, found.names) == (("argument_x",), ("it returns its input x",))


def test_where_pairs_take_long_two_mistakes_that_show_on_different_calls_are_put_together(
    assignment: Assignment,
) -> None:
    known = known_of(assignment, "spread")
    known.recognition = known.recognition.model_copy(update={"pairs": False})
    first, second = known.single()[:2]
    calls = list(known.cases)
    right = known.right().predictions
    parts = [
        replace(each, predictions={**right, call: each.predictions[call]})
        for each, call in zip((first, second), calls, strict=False)
    ]
    known.__dict__["_single"] = tuple(parts)
    (pair,) = known.pairs()
    assert pair.codes == (*first.codes, *second.codes)
    assert pair.predictions == {
        calls[0]: first.predictions[calls[0]],
        calls[1]: second.predictions[calls[1]],
    }
    known.__dict__.pop("_pairs")
    known.__dict__["_single"] = (first, second)
    assert known.pairs() == (), "both show on every call"
