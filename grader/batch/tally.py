"""What a batch came to so far: counts, rate, reasons, the slowest, and what waits for a person."""

from __future__ import annotations

import heapq
import time
from collections import Counter

from grader.batch.pool import Graded
from grader.counted import counted, listed
from grader.course import total as course_total
from grader.course.rubric import Rubric
from grader.records import Status, Summary

SLOWEST, REASONS, NAMES = 3, 3, 5
MANUAL = (Status.UNREADABLE, Status.NO_NOTEBOOK)  # a person may ask these students


class Tally:
    """Counts results as they come; `total` are expected."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self.summaries: Counter[Summary] = Counter()
        self.reasons: Counter[str] = Counter()
        self.pending: Counter[str] = Counter()
        self.named: dict[Status, list[str]] = {status: [] for status in MANUAL}
        self.late: dict[str, float | None] = {}
        self.not_counting: list[str] = []
        self.slowest: list[tuple[float, str]] = []
        self.workers: Counter[str] = Counter()
        self._began = time.monotonic()

    def add(self, graded: Graded) -> None:
        """Count one result."""
        score = graded.score
        self.done += 1
        self.summaries[score.summary] += 1
        if graded.worker:
            self.workers[graded.worker] += 1
        if score.status is Status.NOT_GRADED:
            self.reasons[score.message.removeprefix("Not graded, through our fault: ")] += 1
        elif score.attempt.counts:
            self.pending.update(question.title for question in score.questions if question.points is None)
        if not score.attempt.counts:
            self.not_counting.append(score.submission)
        elif score.attempt.late_seconds != 0:
            self.late[score.submission] = score.attempt.late_seconds
        if score.status in self.named and len(self.named[score.status]) <= NAMES:
            self.named[score.status].append(score.submission)
        heapq.heappush(self.slowest, (graded.seconds, score.submission))
        if len(self.slowest) > SLOWEST:
            heapq.heappop(self.slowest)

    @property
    def faults(self) -> int:
        """How many were not graded through our fault."""
        return self.summaries[Summary.NOT_GRADED]

    @property
    def seconds(self) -> float:
        """How long the batch has run."""
        return time.monotonic() - self._began

    def pace(self) -> str:
        """Return the rate and the time that is left, in a few words; '' before there is a rate."""
        if not self.done or self.seconds <= 0:
            return ""
        rate = self.done / self.seconds
        shown = f"{rate:.1f}/s" if rate >= 1 else f"{60 * rate:.1f}/min"
        left = (self.total - self.done) / rate
        return f"{shown}, {duration(left)} left" if self.done < self.total else shown

    def lateness(self, rubric: Rubric) -> list[str]:
        """Return what is to be told of late hand-ins, what they cost, and of those that do not count."""
        lines = []
        if self.late:
            grace = 60.0 * rubric.late.grace_minutes if rubric.late is not None else 0.0
            unknown = sum(seconds is None for seconds in self.late.values())
            in_grace = sum(seconds is not None and seconds <= grace for seconds in self.late.values())
            named = [
                f"{name} ({'how late is not known' if seconds is None else course_total.duration(seconds)})"
                for name, seconds in sorted(self.late.items())
            ]
            words = f"{counted(len(self.late), 'hand-in')} late: {listed(named, NAMES)}."
            if rubric.late is None:
                words += " The rubric has no late:, so lateness costs nothing."
            elif in_grace:
                words += f" {in_grace} of them within the grace period, which costs nothing."
            if unknown and rubric.late is not None:
                words += f" {unknown} of them wait until it is known how late."
            lines.append(words)
        elif rubric.deadline is not None:
            lines.append("Nobody is known to be late.")
        if self.not_counting:
            hand_ins = counted(len(self.not_counting), "hand-in")
            do = "does" if len(self.not_counting) == 1 else "do"
            lines.append(
                f"{hand_ins} {do} not count, as the student has another one: "
                f"{listed(sorted(self.not_counting), NAMES)}. To change that: grader choose"
            )
        return lines

    def needs_a_person(self) -> list[str]:
        """Return a line for each thing that no program decides."""
        lines = [
            f"not graded, through our fault ({count}): {reason}"
            for reason, count in self.reasons.most_common(REASONS)
        ]
        more = len(self.reasons) - REASONS
        if more > 0:
            lines.append(f"not graded for {more} other reasons: see the log")
        for status, names in self.named.items():
            if names:
                count = self.summaries[Summary(status.value)]
                shown = ", ".join(names[:NAMES]) + (f" and {count - NAMES} more" if count > NAMES else "")
                lines.append(f"{status.value.replace('_', ' ')} ({count}): {shown}")
        if self.pending:
            waits = ", ".join(f"{title} ({count})" for title, count in self.pending.most_common())
            lines.append(f"points that a person gives: {waits}")
        return lines


def duration(seconds: float) -> str:
    """Return a time in its two largest units."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
