"""The statistics of the course page: points, questions and mistakes over all submissions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from grader.course.rubric import Question, Rubric
from grader.records import DiagnosisKind, Score, Status, VerdictKind
from grader.report.mistake import sentence

BINS = 10
# Codes of verdicts that name no mistake.
SILENT = ("", "missing", "not_attempted", "values", "follow_through", "blocked")


@dataclass(frozen=True)
class QuestionStatistics:
    """The results of one question: mean share of the points, how many have full points and how many none.

    `mistakes` are the most frequent ones, with their counts.
    """

    id: str
    title: str
    max_points: float
    mean: float | None
    full: int
    none: int
    mistakes: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class MistakeStatistics:
    """A named mistake in one question, and the submissions with it, alone or with other mistakes."""

    code: str
    name: str
    question: str
    title: str
    submissions: tuple[str, ...]


@dataclass(frozen=True)
class CourseStatistics:
    """Counts and means over the graded submissions.

    `mistakes` holds the named ones, the most frequent first; `unnamed` counts the wrong answers that fit no
    known mistake, or several.
    """

    graded: int
    unreadable: int
    missing: int
    not_graded: int
    mean: float
    median: float
    max_points: float
    histogram: tuple[int, ...]
    labels: tuple[str, ...]
    questions: tuple[QuestionStatistics, ...]
    mistakes: tuple[MistakeStatistics, ...]
    unnamed: int


def course_statistics(scores: Sequence[Score], rubric: Rubric) -> CourseStatistics:
    """Return the statistics of a course; submissions that were not graded do not count in the means."""
    graded = [score for score in scores if score.status is Status.GRADED]
    points = sorted(score.points for score in graded)

    # The histogram has equal bins from 0 to the maximum; full points count in the last bin.
    maximum = max((score.max_points for score in graded), default=0.0)
    counts = [0] * BINS
    for value in points:
        counts[min(int(BINS * value / maximum), BINS - 1) if maximum else 0] += 1
    edges = [maximum * number / BINS for number in range(BINS + 1)]
    labels = tuple(f"{low:.3g}–{high:.3g}" for low, high in pairwise(edges))

    return CourseStatistics(
        len(graded),
        sum(score.status is Status.UNREADABLE for score in scores),
        sum(score.status in (Status.NO_NOTEBOOK, Status.NOT_HANDED_IN) for score in scores),
        sum(score.status is Status.NOT_GRADED for score in scores),
        sum(points) / len(points) if points else 0.0,
        median(points) if points else 0.0,
        maximum,
        tuple(counts),
        labels,
        tuple(_question_statistics(graded, question) for question in rubric.questions),
        _mistake_statistics(graded),
        sum(
            question.diagnosis is not None and question.diagnosis.kind is not DiagnosisKind.NAMED
            for score in graded
            for question in score.questions
        ),
    )


def _mistake_statistics(graded: Sequence[Score]) -> tuple[MistakeStatistics, ...]:
    """Return the named mistakes by question and code, the most frequent first."""
    submissions: dict[tuple[str, str], list[str]] = {}
    words: dict[tuple[str, str], tuple[str, str]] = {}
    for score in graded:
        for question in score.questions:
            diagnosis = question.diagnosis
            if diagnosis is None or diagnosis.kind is not DiagnosisKind.NAMED:
                continue
            for code, name in zip(diagnosis.codes, diagnosis.names, strict=True):
                submissions.setdefault((question.id, code), []).append(score.submission)
                words.setdefault((question.id, code), (sentence(name), question.title))
    counted = [
        MistakeStatistics(code, words[question, code][0], question, words[question, code][1], tuple(names))
        for (question, code), names in submissions.items()
    ]
    return tuple(sorted(counted, key=lambda mistake: -len(mistake.submissions)))


def _question_statistics(graded: Sequence[Score], asked: Question) -> QuestionStatistics:
    """Return the statistics of one question; answers without points yet do not count."""
    results = [question for score in graded for question in score.questions if question.id == asked.id]
    decided = [result for result in results if result.points is not None and result.max_points > 0]
    shares = [(result.points or 0.0) / result.max_points for result in decided]
    mistakes: Counter[str] = Counter()
    for result in decided:
        lost = [check.verdict for check in result.checks if check.verdict.fraction < 1.0]
        # A set, because several checks of one submission may lose points by the same mistake.
        codes = {verdict.code for verdict in lost if verdict.kind is not VerdictKind.NOT_ATTEMPTED}
        mistakes.update(code.replace("_", " ") for code in codes if code not in SILENT)
    return QuestionStatistics(
        asked.id,
        asked.title,
        asked.points,
        sum(shares) / len(shares) if shares else None,
        sum(share >= 1.0 - 1e-9 for share in shares),
        sum(share == 0.0 for share in shares),
        tuple(mistakes.most_common(3)),
    )
