"""From the points of the questions to what a hand-in earns: bonus, the most of the sheet, and lateness.

    questions  --sum-->  earned  --late-->  loss  --most of the sheet-->  points

Nothing of it is kept: where a person changes points, or the course its rules, the total follows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from grader.course.rubric import Late, Rubric
from grader.records import Score, Status

HOUR = 3600.0


@dataclass(frozen=True)
class Total:
    """What a hand-in earns. `points` is what counts so far, of `max_points` for the whole sheet.

    `earned` is the sum of the decided questions, `loss` what lateness takes of it, `pending` what a person
    still gives at most. `waits` says what else is not decided, `late` how late it was ('' in time).
    """

    earned: float
    loss: float
    points: float
    max_points: float
    pending: float
    waits: tuple[str, ...] = ()
    late: str = ""

    @property
    def is_final(self) -> bool:
        """Whether nothing waits for a person, or for another run."""
        return not self.pending and not self.waits


def total_of(score: Score, rubric: Rubric) -> Total:
    """Return what a hand-in earns by the rules of the course."""
    if score.status is Status.NOT_GRADED:
        return not_graded(rubric)
    return total_of_sum(score.points, score.pending_points, score.attempt.late_seconds, rubric)


def not_graded(rubric: Rubric) -> Total:
    """Return what counts of a hand-in that is still to be graded."""
    return Total(0.0, 0.0, 0.0, rubric.sheet_points, rubric.sheet_points, ("not graded yet",))


def total_of_sum(earned: float, pending: float, late: float | None, rubric: Rubric) -> Total:
    """Return what a hand-in earns whose questions have `earned` together; `late` as in Attempt."""
    most = rubric.sheet_points
    waits: tuple[str, ...] = ()
    loss = 0.0
    if rubric.late is not None:
        if late is None:
            waits = ("how late it was",)
        else:
            loss = late_loss(earned, most, late, rubric.late)
    points = max(0.0, earned - loss)
    if rubric.max_points is not None:
        points = min(points, rubric.max_points)
    words = "late" if late is None else f"{duration(late)} late" if late else ""
    return Total(earned, loss, round(points, 10), most, pending, waits, words)


def late_loss(earned: float, most: float, seconds: float, policy: Late) -> float:
    """Return the points that a hand-in loses by being late; never more than it earned."""
    earned = max(0.0, earned)
    if seconds <= 60.0 * policy.grace_minutes:
        return 0.0
    if policy.closes_after_hours is not None and seconds > HOUR * policy.closes_after_hours:
        return earned
    steps = math.ceil(seconds / (HOUR * policy.step_hours) - 1e-9)
    share = min(steps * policy.loss, policy.at_most)
    return round(min(earned, share * (most if policy.of == "maximum" else earned)), 10)


def duration(seconds: float) -> str:
    """Return a time in its two largest units."""
    minutes = max(1, math.ceil(seconds / 60))
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number and not (unit == "min" and days))
