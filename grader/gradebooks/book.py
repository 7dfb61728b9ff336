"""The rows of a gradebook: each student once, with the hand-in that counts and what it earns."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.attempt import Student, keys_by_number
from grader.counted import counted, listed
from grader.course.rubric import Rubric
from grader.course.total import Total, total_of
from grader.errors import UsageError
from grader.records import Score, Status
from grader.store import Store

FEEDBACK = "feedback.html"
SHOWN = 5


@dataclass(frozen=True)
class Row:
    """A student, the hand-in that counts, what it earns, and the names of further attempts."""

    student: Student
    score: Score
    total: Total
    others: tuple[str, ...] = ()

    @property
    def pending(self) -> tuple[str, ...]:
        """What a person, or another run, still has to decide."""
        if self.score.status is Status.NOT_GRADED:
            return self.total.waits
        titles = (question.title for question in self.score.questions if question.points is None)
        return (*titles, *self.total.waits)

    @property
    def is_final(self) -> bool:
        """Whether nothing of it can change any more, but by a decision."""
        return self.score.status is not Status.NOT_GRADED and self.total.is_final and not self.pending

    def points(self, *, partial: bool = False) -> float | None:
        """Return the points to upload; None while something is pending, unless `partial` ones are wanted."""
        if self.score.status is Status.NOT_GRADED or not (self.total.is_final or partial):
            return None
        return self.total.points

    @property
    def words(self) -> str:
        """The result in a few sentences, for a comment beside the grade."""
        total = self.total
        parts = []
        if self.score.status is not Status.GRADED and self.score.message:
            parts.append(self.score.message)
        if self.score.status is not Status.NOT_GRADED:
            soon = "" if total.is_final else " so far"
            parts.append(f"{total.points:.4g} of {total.max_points:.4g} points{soon}.")
        if total.late:
            lost = f": {total.loss:.4g} points less" if total.loss else ""
            parts.append(f"Handed in {total.late}{lost}.")
        if self.pending:
            parts.append(f"Pending: {', '.join(self.pending)}.")
        return " ".join(parts)


@dataclass(frozen=True)
class Book:
    """The rows of an assignment, sorted by name; `out` is the folder of results, with the pages of feedback.

    `partial` asks for points, and for pages, where something is pending. `told` collects what a person
    should know of the file, `warned` what they have to know before they upload it.
    """

    rubric: Rubric
    rows: Sequence[Row]
    out: Path
    partial: bool = False
    worksheet: Path | None = None
    column: str = ""
    told: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)

    def page(self, row: Row) -> Path | None:
        """Return the page of feedback of a student, None if there is none."""
        if not row.score.directory:
            return None
        path = self.out / row.score.directory / FEEDBACK
        return path if path.is_file() else None

    def pages_to_hand_out(self) -> list[tuple[Row, Path]]:
        """Return the students with their pages, without those that are not finished, unless `partial`.

        What is left out is told; raises UsageError if nothing is left.
        """
        pages = [(row, page) for row in self.rows if (page := self.page(row)) is not None]
        unfinished = [row.student.shown for row, _ in pages if not row.is_final]
        if not unfinished:
            return pages
        are = "is" if len(unfinished) == 1 else "are"
        count = f"{len(unfinished)} of {counted(len(pages), 'page')} {are} NOT FINISHED"
        names, todo = listed(unfinished, SHOWN), what_to_do(self.out)
        if self.partial:
            self.warned.append(f"{count}, and in the file all the same: {names}. {todo}; then export again")
            return pages
        finished = [(row, page) for row, page in pages if row.is_final]
        advice = f"{todo}; then export again. To hand out the pages as they are, give --partial"
        if not finished:
            raise UsageError(f"{count}, so there is nothing to hand out: {names}. {advice}")
        self.warned.append(f"{count}, and left out: {names}. {advice}")
        return finished


def what_to_do(out: Path) -> str:
    """Return how to finish what waits for a person."""
    return f"`grader todo --out {out}` says what waits, `grader serve {out}` is where to decide it"


def load_book(store: Store, assignment: str, out: Path) -> Book:
    """Return the gradebook of an assignment, by the rubric with which it was graded last."""
    text = store.get_rubric(assignment)
    if not text:
        raise UsageError(f"the results of {assignment} are of an earlier version: run `grader grade` again")
    rubric = Rubric.model_validate_json(text)
    return Book(rubric, rows_of((kept.score for kept in store.kept_scores(assignment)), rubric), out)


def rows_of(scores: Iterable[Score], rubric: Rubric) -> list[Row]:
    """Return a row for each student.

    A student in several hand-ins that count, such as those of two teams, has the one that a person chose, and
    else the one that earns most; so
    has somebody of whom nothing says that a hand-in counts.
    """
    by_student: dict[str, list[tuple[Student, Score]]] = {}
    scores = list(scores)
    by_number = keys_by_number(score.attempt for score in scores)
    for score in scores:
        for student in score.attempt.students or (Student(name=score.title),):
            key = by_number.get((score.attempt.platform, student.platform_id), student.key)
            key = key if score.attempt.students else f"submission:{score.submission}"
            by_student.setdefault(key, []).append((student, score))
    rows = []
    for found in by_student.values():
        ranked = sorted(found, key=lambda each: _rank(each[1], rubric), reverse=True)
        student, best = ranked[0]
        others = tuple(score.submission for _, score in ranked[1:])
        rows.append(Row(_fullest(found), best, total_of(best, rubric), others))
    return sorted(rows, key=lambda row: (row.student.shown.casefold(), row.student.key))


def _rank(score: Score, rubric: Rubric) -> tuple[bool, float, bool, float, str]:
    attempt, there = score.attempt, score.status is not Status.NOT_HANDED_IN
    chosen = 1 / max(1, len(attempt.students)) if attempt.chosen else 0.0  # for one, before one for a group
    return attempt.counts, chosen, there, total_of(score, rubric).points, score.submission


def _fullest(found: Sequence[tuple[Student, Score]]) -> Student:
    """Return a student with all that any hand-in says of them."""
    student = found[0][0]
    for other, _ in found[1:]:
        known = {
            each.name: getattr(student, each.name) or getattr(other, each.name)
            for each in dataclasses.fields(student)
        }
        student = Student(**known)
    return student
