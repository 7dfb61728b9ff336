"""The statistics of the course page: points, questions and mistakes over all hand-ins that count."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from grader.course.rubric import Question, Rubric
from grader.course.total import total_of
from grader.records import DiagnosisKind, Score, Status, VerdictKind
from grader.report.code_words import SILENT, code_words
from grader.report.mistake import sentence

MAX_BINS = 12
LEAST = 5  # students, below which a correlation says nothing


@dataclass(frozen=True)
class ItemStatistics:
    """How hard a question or check was, and how well it tells students apart.

    `mean` is the mean share of its points: the difficulty. `correlation` is that of its points with those of
    all other questions (the corrected item-total correlation), None where it says nothing.
    """

    title: str
    max_points: float
    mean: float | None
    correlation: float | None


@dataclass(frozen=True)
class QuestionStatistics:
    """The results of one question, and of its checks.

    `full`, `part` and `none` are how many have all, some and none of the points, `pending` how many wait.
    `mistakes` are the most frequent ones in words, with their counts.
    """

    id: str
    item: ItemStatistics
    full: int
    part: int
    none: int
    pending: int
    mistakes: tuple[tuple[str, int], ...]
    checks: tuple[ItemStatistics, ...]


@dataclass(frozen=True)
class MistakeStatistics:
    """A named mistake in one question, and the submissions with it, alone or with other mistakes."""

    code: str
    name: str
    question: str
    title: str
    submissions: tuple[Score, ...]


@dataclass(frozen=True)
class CourseStatistics:
    """Counts and means over the graded hand-ins that count.

    The histogram has bins of `width` whole points. `mistakes` holds the named ones, the most frequent first;
    `unnamed` counts the wrong answers that fit no known mistake, or several.
    """

    people: int
    graded: int
    unreadable: int
    missing: int
    late: int
    pending: int
    not_graded: int
    mean: float
    median: float
    max_points: float
    histogram: tuple[int, ...]
    width: int
    questions: tuple[QuestionStatistics, ...]
    mistakes: tuple[MistakeStatistics, ...]
    unnamed: int


def course_statistics(scores: Sequence[Score], rubric: Rubric) -> CourseStatistics:
    """Return the statistics of a course; submissions that were not graded do not count in the means."""
    counting = [score for score in scores if score.attempt.counts]
    graded = [score for score in counting if score.status is Status.GRADED]
    totals = [total_of(score, rubric) for score in graded]
    points = sorted(total.points for total in totals)
    decided = max((score.max_points for score in graded), default=0.0)
    maximum = max([decided, *points]) if rubric.max_points is None else max([rubric.max_points, *points])
    counts, width = histogram(points, maximum)
    return CourseStatistics(
        len(counting),
        len(graded),
        sum(score.status is Status.UNREADABLE for score in counting),
        sum(score.status in (Status.NO_NOTEBOOK, Status.NOT_HANDED_IN) for score in counting),
        sum(score.attempt.late_seconds != 0.0 for score in counting),
        sum(not total.is_final for total in totals),
        sum(score.status is Status.NOT_GRADED for score in counting),
        sum(points) / len(points) if points else 0.0,
        median(points) if points else 0.0,
        maximum,
        counts,
        width,
        tuple(_question_statistics(graded, question) for question in rubric.questions),
        _mistake_statistics(graded),
        sum(
            question.diagnosis is not None and question.diagnosis.kind is not DiagnosisKind.NAMED
            for score in graded
            for question in score.questions
        ),
    )


def histogram(points: Sequence[float], maximum: float) -> tuple[tuple[int, ...], int]:
    """Return how many have how many points, in bins of whole points, and the width of a bin."""
    steps = (factor * 10**power for power in range(6) for factor in (1, 2, 5))
    width = next(step for step in steps if maximum < step * MAX_BINS)
    counts = [0] * (int(maximum // width) + 1)
    for value in points:
        counts[min(max(int(value // width), 0), len(counts) - 1)] += 1
    return tuple(counts), width


def correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return the correlation of two columns; None for few students, or where everybody has the same."""
    count = len(first)
    if count < LEAST:
        return None
    means = sum(first) / count, sum(second) / count
    left, right = [x - means[0] for x in first], [y - means[1] for y in second]
    scale = math.sqrt(sum(x * x for x in left) * sum(y * y for y in right))
    return sum(x * y for x, y in zip(left, right, strict=True)) / scale if scale > 1e-12 else None


def _mistake_statistics(graded: Sequence[Score]) -> tuple[MistakeStatistics, ...]:
    """Return the named mistakes by question and code, the most frequent first."""
    submissions: dict[tuple[str, str], list[Score]] = {}
    words: dict[tuple[str, str], tuple[str, str]] = {}
    for score in graded:
        for question in score.questions:
            diagnosis = question.diagnosis
            if diagnosis is None or diagnosis.kind is not DiagnosisKind.NAMED:
                continue
            for code, name in zip(diagnosis.codes, diagnosis.names, strict=True):
                submissions.setdefault((question.id, code), []).append(score)
                words.setdefault((question.id, code), (sentence(name), question.title))
    counted = [
        MistakeStatistics(key[1], words[key][0], key[0], words[key][1], tuple(found))
        for key, found in submissions.items()
    ]
    return tuple(sorted(counted, key=lambda mistake: -len(mistake.submissions)))


def _question_statistics(graded: Sequence[Score], asked: Question) -> QuestionStatistics:
    """Return the statistics of one question; answers without points yet do not count."""
    found = [(score, question) for score in graded for question in score.questions if question.id == asked.id]
    decided = [(score, result) for score, result in found if result.points is not None]
    shares = [(result.points or 0.0) / (result.max_points or 1.0) for _, result in decided]
    rest = [score.points - (result.points or 0.0) for score, result in decided]
    mistakes: Counter[str] = Counter()
    for _, result in decided:
        lost = [check.verdict for check in result.checks if check.verdict.fraction < 1.0]
        # A set, because several checks of one submission may lose points by the same mistake.
        codes = {verdict.code for verdict in lost if verdict.kind is not VerdictKind.NOT_ATTEMPTED}
        mistakes.update({code_words(code) for code in codes if code not in SILENT})
    checks = []
    for check in asked.checks:
        own = [each for _, result in decided for each in result.checks if each.id == check.id]
        if not check.points or len(own) != len(decided):
            continue
        earned = [each.points / check.points for each in own]
        others = [score.points - each.points for (score, _), each in zip(decided, own, strict=True)]
        checks.append(_item(check.title, check.points, earned, others))
    return QuestionStatistics(
        asked.id,
        _item(asked.title, asked.points, shares, rest),
        sum(share >= 1.0 - 1e-9 for share in shares),
        sum(0.0 < share < 1.0 - 1e-9 for share in shares),
        sum(share <= 0.0 for share in shares),
        len(found) - len(decided),
        tuple(mistakes.most_common(3)),
        tuple(checks) if len(checks) > 1 else (),
    )


def _item(title: str, points: float, shares: Sequence[float], rest: Sequence[float]) -> ItemStatistics:
    mean = sum(shares) / len(shares) if shares else None
    return ItemStatistics(title, points, mean, correlation(shares, rest))
