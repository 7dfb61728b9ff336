"""From verdicts to points. Pure; every number comes from the rubric and the verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from grader.checks.base import Check
from grader.course.rubric import Question, Rubric
from grader.records import (
    CheckScore,
    Diagnosis,
    DiagnosisKind,
    QuestionScore,
    Score,
    Status,
    Summary,
    Verdict,
    VerdictKind,
)

Verdicts = Mapping[tuple[str, str], Verdict]


def score_submission(
    submission: str,
    rubric: Rubric,
    verdicts: Verdicts,
    remarks: Mapping[str, Sequence[str]],
    diagnoses: Mapping[str, Diagnosis] = MappingProxyType({}),
) -> Score:
    """Return the score: `verdicts` by (question, check), `remarks` and `diagnoses` by question."""
    questions: dict[str, QuestionScore] = {}
    for question in rubric.questions:
        diagnosis = diagnoses.get(question.id)
        scored = _question(question, verdicts, diagnosis, tuple(remarks.get(question.id, ())))
        missing = [questions[name].title for name in question.requires if _nothing(questions[name])]
        questions[question.id] = _blocked_question(scored, missing) if missing else scored
    scores = tuple(questions.values())
    return Score(submission, Status.GRADED, _summary(scores), scores)


def score_nothing(submission: str, rubric: Rubric, status: Status, message: str) -> Score:
    """Return the score of a submission that could not be read, or that we failed to grade."""
    points = 0.0 if status is Status.UNREADABLE else None
    questions = tuple(
        QuestionScore(q.id, q.title, None if q.manual else points, q.points, ()) for q in rubric.questions
    )
    return Score(submission, status, Summary(status.value), questions, message)


def _question(
    question: Question, verdicts: Verdicts, diagnosis: Diagnosis | None, remarks: tuple[str, ...]
) -> QuestionScore:
    if question.manual:
        return QuestionScore(question.id, question.title, None, question.points, (), remarks)
    checks: dict[str, CheckScore] = {}
    for check in question.checks:
        verdict = _credited(check, verdicts[question.id, check.id], diagnosis)
        missing = [checks[name].title for name in check.requires if not _earned(checks[name])]
        checks[check.id] = _check(check, _blocked(verdict, missing) if missing else verdict)
    scores = tuple(checks.values())
    undecided = any(s.verdict.kind is VerdictKind.INCONCLUSIVE and s.max_points for s in scores)
    points = None if undecided else _rounded(sum(score.points for score in scores))
    return QuestionScore(question.id, question.title, points, question.points, scores, remarks, diagnosis)


def _credited(check: Check, verdict: Verdict, diagnosis: Diagnosis | None) -> Verdict:
    """Raise the share of a check on values to what the course credits a named mistake with."""
    named = diagnosis is not None and diagnosis.kind is DiagnosisKind.NAMED
    if diagnosis is None or not named or not check.credits_mistakes:
        return verdict
    if verdict.kind not in (VerdictKind.FAILED, VerdictKind.PARTIAL) or verdict.fraction >= diagnosis.credit:
        return verdict
    return replace(verdict, kind=VerdictKind.PARTIAL, fraction=diagnosis.credit)


def _check(check: Check, verdict: Verdict) -> CheckScore:
    passed = verdict.kind is VerdictKind.PASSED
    feedback = check.feedback.passed if passed else check.feedback.failed
    points = min(_rounded(verdict.fraction * check.points), check.points)
    hidden = check.visibility == "hidden"
    return CheckScore(check.id, check.title, points, check.points, hidden, verdict, feedback)


def _earned(score: CheckScore) -> bool:
    return score.verdict.fraction > 0.0 or score.verdict.kind is VerdictKind.INCONCLUSIVE


def _nothing(question: QuestionScore) -> bool:
    """Whether a question is decided and earned nothing."""
    if question.checks:
        return question.points is not None and not any(_earned(check) for check in question.checks)
    return question.points == 0.0


def _blocked(verdict: Verdict, missing: list[str]) -> Verdict:
    """Take the points of a check that builds on another which earned nothing."""
    if verdict.kind is VerdictKind.NOT_ATTEMPTED or verdict.fraction == 0.0:
        return verdict
    message = f"It does not count while “{missing[0]}” earns nothing."
    return replace(verdict, kind=VerdictKind.BLOCKED, fraction=0.0, message=message, code="blocked")


def _blocked_question(question: QuestionScore, missing: list[str]) -> QuestionScore:
    remark = f"It does not count while the question “{missing[0]}” earns nothing."
    checks = tuple(
        replace(check, points=0.0, verdict=_blocked(check.verdict, missing)) for check in question.checks
    )
    return replace(question, points=0.0, checks=checks, remarks=(*question.remarks, remark))


def _summary(questions: tuple[QuestionScore, ...]) -> Summary:
    decided = [question for question in questions if question.points is not None]
    points = sum(question.points or 0.0 for question in decided)
    undecided = any(question.points is None and question.checks for question in questions)
    if not undecided and points >= sum(question.max_points for question in decided) - 1e-9:
        return Summary.CORRECT
    if points > 0:
        return Summary.PARTLY_CORRECT
    if undecided:
        return Summary.PARTLY_CORRECT
    kinds = {check.verdict.kind for question in decided for check in question.checks}
    return Summary.NOT_ATTEMPTED if kinds == {VerdictKind.NOT_ATTEMPTED} else Summary.WRONG


def _rounded(points: float) -> float:
    return round(points, 10)
