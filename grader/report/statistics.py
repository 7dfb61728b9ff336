"""What the course page says of all submissions together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from grader.course.rubric import Question, Rubric
from grader.records import DiagnosisKind, QuestionScore, Score, Status, VerdictKind
from grader.report.mistake import sentence

BINS = 10
SILENT = ("", "missing", "not_attempted", "values", "follow_through", "blocked")


@dataclass(frozen=True)
class QuestionStatistics:
    """How a question went: mean share of its points, how many full and none, the commonest mistakes."""

    id: str
    title: str
    max_points: float
    mean: float | None
    full: int
    none: int
    mistakes: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class MistakeStatistics:
    """A named mistake in one question, and the submissions that made it, alone or with others."""

    code: str
    name: str
    question: str
    title: str
    submissions: tuple[str, ...]


@dataclass(frozen=True)
class CourseStatistics:
    """Counts and means over the graded submissions.

    `mistakes` are those that were named, the commonest first; `unnamed` counts the answers that are wrong in
    a way that fits none, or several.
    """

    graded: int
    unreadable: int
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
    """Return the statistics of a course; unreadable submissions do not enter the means."""
    graded = [score for score in scores if score.status is Status.GRADED]
    points = sorted(score.points for score in graded)
    most = max((score.max_points for score in graded), default=0.0)
    return CourseStatistics(
        len(graded),
        sum(score.status is Status.UNREADABLE for score in scores),
        sum(score.status is Status.NOT_GRADED for score in scores),
        sum(points) / len(points) if points else 0.0,
        _median(points),
        most,
        *_histogram(points, most),
        tuple(_question(graded, question) for question in rubric.questions),
        _named(graded),
        sum(
            question.diagnosis is not None and question.diagnosis.kind is not DiagnosisKind.NAMED
            for score in graded
            for question in score.questions
        ),
    )


def _named(graded: Sequence[Score]) -> tuple[MistakeStatistics, ...]:
    """Return the mistakes by question and code, the commonest first."""
    found: dict[tuple[str, str], list[str]] = {}
    words: dict[tuple[str, str], tuple[str, str]] = {}
    for score in graded:
        for question in score.questions:
            diagnosis = question.diagnosis
            if diagnosis is None or diagnosis.kind is not DiagnosisKind.NAMED:
                continue
            for code, name in zip(diagnosis.codes, diagnosis.names, strict=True):
                found.setdefault((question.id, code), []).append(score.submission)
                words.setdefault((question.id, code), (sentence(name), question.title))
    counted = [
        MistakeStatistics(code, words[question, code][0], question, words[question, code][1], tuple(names))
        for (question, code), names in found.items()
    ]
    return tuple(sorted(counted, key=lambda mistake: -len(mistake.submissions)))


def _median(points: Sequence[float]) -> float:
    if not points:
        return 0.0
    middle = len(points) // 2
    return points[middle] if len(points) % 2 else (points[middle - 1] + points[middle]) / 2


def _histogram(points: Sequence[float], most: float) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return counts and labels of equal bins from 0 to `most`; full points belong to the last bin."""
    counts = [0] * BINS
    for value in points:
        counts[min(int(BINS * value / most), BINS - 1) if most else 0] += 1
    edges = [most * place / BINS for place in range(BINS + 1)]
    labels = tuple(f"{low:.3g}–{high:.3g}" for low, high in pairwise(edges))
    return tuple(counts), labels


def _question(graded: Sequence[Score], asked: Question) -> QuestionStatistics:
    results = [question for score in graded for question in score.questions if question.id == asked.id]
    decided = [r for r in results if r.points is not None and r.max_points > 0]
    shares = [(r.points or 0.0) / r.max_points for r in decided]
    return QuestionStatistics(
        asked.id,
        asked.title,
        asked.points,
        sum(shares) / len(shares) if shares else None,
        sum(share >= 1.0 - 1e-9 for share in shares),
        sum(share == 0.0 for share in shares),
        tuple(_mistakes(decided).most_common(3)),
    )


def _mistakes(results: Sequence[QuestionScore]) -> Counter[str]:
    """Count the recognised mistakes, each once a submission."""
    counts: Counter[str] = Counter()
    for result in results:
        lost = (check.verdict for check in result.checks if check.verdict.fraction < 1.0)
        codes = {verdict.code for verdict in lost if verdict.kind is not VerdictKind.NOT_ATTEMPTED}
        counts.update(code.replace("_", " ") for code in codes if code not in SILENT)
    return counts
