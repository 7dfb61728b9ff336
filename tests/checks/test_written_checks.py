"""What is found in a written answer becomes a suggestion; a person gives the points unless the course says else."""

from __future__ import annotations

from typing import Any

import pytest

from grader.batch.given_answers import answer_to
from grader.checks.derived import DerivationCheck, WrittenCase
from grader.checks.stated import ClaimsCheck
from grader.course.rubric import Rubric
from grader.course.score import score_submission
from grader.final import Waits, waits
from grader.reading import FactsStatus, FunctionFacts, Shown
from grader.records import Fault, Outcome, OutcomeKind, Summary, Verdict, VerdictKind
from grader.subjects import Case
from grader.written import StepVerdict, WrittenReport, WrittenStep, WrittenTask

FACTS = FunctionFacts("text d", FactsStatus.FOUND)
TASK = WrittenTask("text d.steps", "derivation", "d", "{}")
CASE = WrittenCase((), Case(TASK.id), TASK)


def check(**options: Any) -> DerivationCheck:
    return DerivationCheck(id="steps", title="Steps", type="derivation", points=4.0, **options)


def report(*verdicts: str, start: bool = True, reached: bool = True) -> Outcome:
    steps = tuple(WrittenStep(n, "a", "b", StepVerdict(each)) for n, each in enumerate(verdicts, 1))
    return Outcome(OutcomeKind.RETURNED, WrittenReport(steps, start, reached).plain())


def verdict(outcome: Outcome | None, **options: Any) -> Verdict:
    outcomes = {TASK.id: outcome} if outcome is not None else {}
    return check(**options).judge((CASE,), outcomes, FACTS, None)


@pytest.mark.parametrize(
    ("outcome", "kind", "fraction"),
    [
        (report("holds", "holds"), VerdictKind.PASSED, 1.0),
        (report("holds", "not_checked"), VerdictKind.INCONCLUSIVE, 1.0),
        (report("holds", "fails"), VerdictKind.PARTIAL, 0.75),
        (report("holds", reached=False), VerdictKind.PARTIAL, 0.5),
        (report("holds", start=False), VerdictKind.PARTIAL, 0.5),
        (report("fails", "fails", reached=False), VerdictKind.PARTIAL, 0.25),
        (report(*["fails"] * 5), VerdictKind.FAILED, 0.0),
        (report(), VerdictKind.INCONCLUSIVE, 0.0),
        (Outcome(OutcomeKind.NOT_ATTEMPTED), VerdictKind.NOT_ATTEMPTED, 0.0),
        (Outcome(OutcomeKind.MISSING, fault=Fault("", "no cell")), VerdictKind.INCONCLUSIVE, 0.0),
        (None, VerdictKind.INCONCLUSIVE, 0.0),
    ],
)
def test_what_is_suggested(outcome: Outcome | None, kind: VerdictKind, fraction: float) -> None:
    found = verdict(outcome)
    assert (found.kind, found.fraction) == (kind, fraction)


def rubric(**options: Any) -> Rubric:
    steps = {"id": "steps", "title": "Steps", "type": "derivation", "points": 4.0, **options}
    question = {"id": "d", "title": "D", "points": 4.0, "manual": True, "text": "d", "checks": [steps]}
    return Rubric.model_validate({"assignment": "a", "title": "A", "questions": [question]})


def test_a_person_gives_the_points_that_are_suggested() -> None:
    found = {("d", "steps"): verdict(report("holds", "fails"))}
    (question,) = score_submission("anna", rubric(), found, {}).questions
    assert question.points is None
    assert question.suggested == 3.0


@pytest.mark.parametrize(
    ("person", "steps", "points"),
    [
        ("always", ("holds",), None),
        ("unless_complete", ("holds",), 4.0),
        ("unless_complete", ("holds", "not_checked"), None),
        ("unless_complete", ("holds", "fails"), None),
    ],
)
def test_the_course_decides_whether_a_complete_chain_needs_a_person(
    person: str, steps: tuple[str, ...], points: float | None
) -> None:
    ours = rubric(person=person)
    found = ours.questions[0].checks[0].judge((CASE,), {TASK.id: report(*steps)}, FACTS, None)
    score = score_submission("anna", ours, {("d", "steps"): found}, {})
    assert score.questions[0].points == points
    assert score.pending_points == (0.0 if points else 4.0)


def test_what_is_suggested_waits_as_a_written_part() -> None:
    score = score_submission("anna", rubric(), {("d", "steps"): verdict(report("holds", "fails"))}, {})
    assert waits(score, score.questions[0]) is Waits.WRITTEN


@pytest.mark.parametrize(("written", "text"), [({"d": "own"}, "own"), ({"cell": "named"}, "named"), ({}, "")])
def test_the_answer_that_a_person_reads_is_that_which_is_checked(written: dict[str, str], text: str) -> None:
    question = rubric().questions[0].model_copy(update={"text": "cell"})
    found = answer_to(question, {name: Shown(each, "") for name, each in written.items()})
    assert (found.text if found else "") == text


def test_what_is_suggested_does_not_change_the_summary_of_the_rest() -> None:
    found = {("d", "steps"): verdict(report("fails"))}
    assert score_submission("anna", rubric(), found, {}).summary is Summary.CORRECT


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"manual": False}, "manual: true"),
        ({"text": None}, "no function and no checks"),
        ({"points": 3.0}, "suggest up to 4"),
    ],
)
def test_a_written_question_is_refused_that_is_not_one(change: dict[str, Any], words: str) -> None:
    content = rubric().model_dump(mode="json", by_alias=True)
    content["questions"][0].update(change)
    with pytest.raises(ValueError, match=words):
        Rubric.model_validate(content)


def test_claims_have_no_points_and_are_shown() -> None:
    with pytest.raises(ValueError, match="points: 0"):
        ClaimsCheck(id="c", title="C", type="claims", points=1.0)
    ours = ClaimsCheck(id="c", title="C", type="claims", points=0.0)
    found = ours.judge((CASE,), {TASK.id: report("holds", "fails")}, FACTS, None)
    assert found.kind is VerdictKind.FAILED
    assert [step.verdict for step in found.evidence.steps] == ["holds", "fails"]
