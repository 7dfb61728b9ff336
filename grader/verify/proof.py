"""Before a course is graded: its own reference must earn every point of the rubric."""

from __future__ import annotations

import contextlib

from grader.cache import cache_folder
from grader.errors import RubricError
from grader.judge.judge_observation import grade
from grader.plan.plan import Course
from grader.records import Score
from grader.verify.trial import LOST, make_bench


def refuse_wrong_reference(course: Course) -> None:
    """Raise RubricError if the reference loses points; a course that passed is not tried again."""
    folder = cache_folder("proved")
    kept = folder / course.digest if folder is not None and course.digest else None
    if kept is not None and kept.exists():
        return
    bench = make_bench(course)
    problems = lost_points(grade("reference", bench.observed(course.assignment.namespace), course))
    if problems:
        listed = "".join(f"\n    {problem}" for problem in problems)
        raise RubricError(f"the reference of {course.assignment.name} loses points:{listed}")
    if kept is not None:
        with contextlib.suppress(OSError):
            kept.touch()


def lost_points(score: Score) -> list[str]:
    """Return where a score lacks points, in words."""
    return [
        f"{check.id} of {question.id} earns {check.points:g} of {check.max_points:g}: {check.verdict.message}"
        for question in score.questions
        for check in question.checks
        if check.points < check.max_points - LOST
    ]
