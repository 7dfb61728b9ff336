"""From verdicts to points: every number comes from the rubric and the verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from grader.course.rubric import Question, Rubric
from grader.final import summary_of
from grader.records import (
    CheckScore,
    Code,
    Diagnosis,
    DiagnosisKind,
    OutcomeKind,
    QuestionScore,
    Score,
    Status,
    Summary,
    Verdict,
    VerdictKind,
)

# Codes of answers that are there and are wrong.
WRONG = frozenset({Code.VALUES, Code.STRUCTURE, Code.SHAPE, Code.NOT_FINITE, Code.ZERO, Code.BELOW_TARGET})
# Ends of calls without a value, which all checks of a function tell alike.
ENDS = frozenset(OutcomeKind) - {OutcomeKind.RETURNED, OutcomeKind.NOT_ATTEMPTED, OutcomeKind.GRADER_FAULT}
Verdicts = Mapping[tuple[str, str], Verdict]


def score_submission(
    submission: str,
    rubric: Rubric,
    verdicts: Verdicts,
    remarks: Mapping[str, Sequence[str]],
    diagnoses: Mapping[str, Diagnosis] = MappingProxyType({}),
    shares: Mapping[str, float] = MappingProxyType({}),
) -> Score:
    """Return the score: `verdicts` by (question, check), `remarks` and `diagnoses` by question.

    A question in `shares` earns that share of what its verdicts are worth.
    """
    questions: dict[str, QuestionScore] = {}
    for question in rubric.questions:
        diagnosis = diagnoses.get(question.id)
        share = shares.get(question.id, 1.0)
        scored = _question(question, verdicts, diagnosis, tuple(remarks.get(question.id, ())), share)
        # Only a question that is decided and earned nothing blocks those that require it.
        required = [questions[name] for name in question.requires]
        failed = [
            each.title for each in required if each.points == 0.0 and not any(map(_earned, each.checks))
        ]
        if failed:
            remark = f"It does not count while the question “{failed[0]}” earns nothing."
            checks = tuple(
                replace(check, points=0.0, verdict=_blocked(check.verdict, failed[0]))
                for check in scored.checks
            )
            scored = replace(scored, points=0.0, checks=checks, remarks=(*scored.remarks, remark))
        questions[question.id] = scored
    scores = tuple(questions.values())
    return Score(submission, Status.GRADED, summary_of(scores), scores)


def score_nothing(submission: str, rubric: Rubric, status: Status, message: str) -> Score:
    """Return the score of a submission that is not there or cannot be read, or that we failed to grade."""
    points = None if status is Status.NOT_GRADED else 0.0
    to_read = status is not Status.NOT_HANDED_IN  # a written part may be in a file that a person can open
    questions = tuple(_of_rubric(q, None if q.manual and to_read else points) for q in rubric.questions)
    return Score(submission, status, Summary(status.value), questions, message)


def _question(
    question: Question,
    verdicts: Verdicts,
    diagnosis: Diagnosis | None,
    remarks: tuple[str, ...],
    share: float = 1.0,
) -> QuestionScore:
    """Return the score of a question, whatever other questions earned."""
    if question.manual and not question.checks:
        return _of_rubric(question, None, (), remarks)
    checks: dict[str, CheckScore] = {}
    for check in question.checks:
        verdict = verdicts[question.id, check.id]
        # A known mistake, or one of several, earns at least what the course credits it with.
        if (
            diagnosis is not None
            and diagnosis.kind is not DiagnosisKind.UNKNOWN
            and diagnosis.work
            and check.credits_mistakes
            and verdict.kind in (VerdictKind.FAILED, VerdictKind.PARTIAL)
            and verdict.code != Code.CONSTANT
            and verdict.fraction < max(diagnosis.credit, question.recognition.credit)
        ):
            credit = max(diagnosis.credit, question.recognition.credit)
            verdict = replace(verdict, kind=VerdictKind.PARTIAL, fraction=credit)
        failed = [checks[name].title for name in check.requires if not _earned(checks[name])]
        if failed:
            verdict = _blocked(verdict, failed[0])
        points = min(_rounded(verdict.fraction * share * check.points), check.points)
        if check.penalty and verdict.kind is VerdictKind.FAILED and verdict.code in WRONG:
            points = -check.penalty
        feedback = check.feedback.passed
        if verdict.kind is not VerdictKind.PASSED:
            # What is said of a slip fits only where the rest is right.
            slipped = not check.once or all(
                checks[name].verdict.kind is VerdictKind.PASSED for name in check.requires
            )
            feedback = check.feedback.failed if slipped and check.hint_fits(verdict.code) else ""
        told = next((each for each in checks.values() if _same_end(each.verdict, verdict)), None)
        if told is not None:
            verdict = replace(verdict, message=f"It ended as in “{told.title}”.")
        hidden = check.visibility == "hidden"
        checks[check.id] = CheckScore(check.id, check.title, points, check.points, hidden, verdict, feedback)
    scores = tuple(checks.values())
    undecided = any(s.verdict.kind is VerdictKind.INCONCLUSIVE and s.max_points for s in scores)
    earned = _rounded(sum(score.points for score in scores))
    earned = max(question.min_points, min(question.most_points, earned))
    total = None if undecided else min(_hundredths(earned, question.points), question.most_points)
    decided = all(c.decides(s.verdict) for c, s in zip(question.checks, scores, strict=True))
    if question.manual and not (decided and earned >= question.points):
        total = None
    return _of_rubric(question, total, scores, remarks, diagnosis)


def _of_rubric(
    question: Question,
    points: float | None,
    checks: tuple[CheckScore, ...] = (),
    remarks: tuple[str, ...] = (),
    diagnosis: Diagnosis | None = None,
) -> QuestionScore:
    """Return the score of a question with what the rubric says of it."""
    return QuestionScore(
        question.id,
        question.title,
        points,
        question.points,
        checks,
        remarks,
        diagnosis,
        bonus=question.bonus,
        least=question.min_points,
        most=question.most_points,
        written=question.manual,
    )


def _same_end(first: Verdict, second: Verdict) -> bool:
    """Whether two checks say the same of how calls ended, such as one exception: it is told once."""
    ended = second.code in ENDS and second.kind is VerdictKind.FAILED
    return ended and first.kind is second.kind and first.message == second.message


def _earned(score: CheckScore) -> bool:
    """Whether a check earned something, or may have: a person decides on an inconclusive one."""
    return score.verdict.fraction > 0.0 or score.verdict.kind is VerdictKind.INCONCLUSIVE


def _blocked(verdict: Verdict, required: str) -> Verdict:
    """Return the verdict of a check without its points, as what it requires earned nothing."""
    if verdict.kind is VerdictKind.NOT_ATTEMPTED or verdict.fraction == 0.0:
        return verdict
    message = f"It does not count while “{required}” earns nothing."
    return replace(verdict, kind=VerdictKind.BLOCKED, fraction=0.0, message=message, code=Code.BLOCKED)


def _hundredths(points: float, most: float) -> float:
    """Return points in hundredths, as they are shown, so that what is shown adds up.

    All points stay all, and what is less stays less.
    """
    shown = round(points, 2)
    return points if abs(points - most) < 1e-9 or shown >= most > points else shown


def _rounded(points: float) -> float:
    """Return points without what floating-point sums add to them, such as 0.30000000000000004."""
    return round(points, 10)
