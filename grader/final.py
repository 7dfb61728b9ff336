"""A score is what the judge says and what people decided; and the summary of it in one word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

from grader.decision import Decided, Decision
from grader.records import Code, QuestionScore, Score, Status, Summary, VerdictKind


class Waits(StrEnum):
    """Why a question waits for a person: a closed set; NOTHING is ''.

    RUN waits for a run that goes on, SUPERSEDED would wait if no other hand-in of the student counted.
    CHANGED is decided, for a hand-in that is another one since.
    """

    NOTHING = ""
    WRITTEN = "written"
    INCONCLUSIVE = "inconclusive"
    FOLLOW_THROUGH = "follow_through"
    LIBRARY = "library"
    NOT_GRADED = "not_graded"
    RUN = "run"
    SUPERSEDED = "superseded"
    CHANGED = "changed"


def waits(score: Score, question: QuestionScore, *, judged: bool = True) -> Waits:
    """Return why a question waits for a person, whatever one decided; `judged` is false before the run."""
    codes = {check.verdict.code for check in question.checks}
    reason = Waits.NOTHING
    if score.status is Status.NOT_GRADED:
        reason = Waits.NOT_GRADED if judged else Waits.RUN
    elif question.points is None and (question.written or not question.checks):
        reason = Waits.WRITTEN
    elif question.points is None:
        undecided = Code.FOLLOW_THROUGH_UNDECIDED in codes
        reason = Waits.FOLLOW_THROUGH if undecided else Waits.INCONCLUSIVE
    elif Code.FORBIDDEN in codes:
        reason = Waits.LIBRARY
    if reason in (Waits.NOTHING, Waits.RUN) or score.attempt.counts:
        return reason
    return Waits.SUPERSEDED


def limits(
    least: float | None, most: float | None, max_points: float, judged: float | None
) -> tuple[float, float]:
    """Return the least and most points that a person may give: those of the rubric, whatever the judge gave.

    Where a score of an earlier version does not say them (None), they hold what the judge gave.
    """
    lowest = min(0.0, judged or 0.0) if least is None else least
    return lowest, max(max_points, judged or 0.0) if most is None else most


def total(points: float, changes: Sequence[float], allowed: tuple[float, float]) -> float:
    """Return given points with what comments add and take, within the limits."""
    return round(min(max(points + sum(changes), allowed[0]), allowed[1]), 10)


def with_decisions(
    score: Score, decisions: Mapping[str, Decision], palette: Mapping[int, tuple[str, float]]
) -> Score:
    """Return a score with what people decided, by question; `palette` has the text and points of comments."""
    if not decisions:
        return score
    questions = tuple(
        _question(question, decisions.get(question.id), palette) for question in score.questions
    )
    score = replace(score, questions=questions)
    everything = all(question.points is not None for question in questions)
    if score.status is Status.NOT_GRADED and everything:
        score = replace(score, status=Status.GRADED)
    return replace(score, summary=summary_of(questions)) if score.status is Status.GRADED else score


def _question(
    question: QuestionScore, decision: Decision | None, palette: Mapping[int, tuple[str, float]]
) -> QuestionScore:
    if decision is None or decision.is_empty:
        return question
    used = [palette[number] for number in decision.comments if number in palette]
    counts = decision.points is not None  # without points of a person those of the comments count for nothing
    shared = [f"**({_signed(change)})** {text}" if counts and change else text for text, change in used]
    words = "\n\n".join(filter(None, [*shared, decision.comment]))
    decided = Decided(
        decision.version,
        decision.time,
        decision.person,
        decision.kind,
        question.points,
        words,
        decision.reason,
        decision.points is not None,
    )
    if decision.points is None:
        return replace(question, decided=decided)
    allowed = limits(question.least, question.most, question.max_points, question.points)
    points = total(decision.points, [change for _, change in used], allowed)
    return replace(question, points=points, decided=decided)


def _signed(points: float) -> str:
    return f"{points:+.2f}".rstrip("0").rstrip(".").replace("-", "\N{MINUS SIGN}")


def summary_of(questions: Sequence[QuestionScore]) -> Summary:
    """Return one word for all questions that are decided."""
    decided = [question for question in questions if question.points is not None]
    points = sum(question.points or 0.0 for question in decided)
    undecided = any(each.points is None and each.checks and not each.written for each in questions)
    regular = [question for question in decided if not question.bonus]
    if not undecided and all((each.points or 0.0) >= each.max_points - 1e-9 for each in regular):
        return Summary.CORRECT
    if points > 0 or undecided:
        return Summary.PARTLY_CORRECT
    judged = [question for question in decided if not question.written]
    verdicts = [check.verdict for question in judged for check in question.checks]
    untouched = [verdict.kind is VerdictKind.NOT_ATTEMPTED for verdict in verdicts]
    # A variable, a file or a figure of a cell that was left as it was handed out is missing.
    nothing = all(same or each.code == "missing" for same, each in zip(untouched, verdicts, strict=True))
    return Summary.NOT_ATTEMPTED if any(untouched) and nothing else Summary.WRONG
