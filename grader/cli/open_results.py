"""What the commands on results share: the database, the assignment, the submission, and the person."""

from __future__ import annotations

import contextlib
import functools
import getpass
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.options import PATH
from grader.errors import UsageError

if TYPE_CHECKING:
    from grader.attempt import Student
    from grader.course.rubric import Rubric
    from grader.gradebooks.book import Row
    from grader.manual.decisions import Decisions
    from grader.manual.worklist import Worklist
    from grader.records import Score
    from grader.store import Store

NEAR, MOST = 5, 8


@dataclass(frozen=True)
class Opened:
    """Results that are open: what the commands on them use."""

    out: Path
    store: Store
    assignment: str

    @property
    def worklist(self) -> Worklist:
        """What waits for a person."""
        from grader.manual.worklist import Worklist  # noqa: PLC0415 -- keeps --help fast

        return Worklist(self.store, self.assignment)

    @property
    def decisions(self) -> Decisions:
        """The history of decisions."""
        from grader.manual.decisions import Decisions  # noqa: PLC0415

        return Decisions(self.store, self.assignment)

    def submission(self, words: str) -> str:
        """Return what `words` mean, as submission_of does."""
        return submission_of(words, self.store.get_scores(self.assignment))

    def question(self, submission: str | None, words: str) -> str:
        """Return a question of a submission (None: of any) by its id, or a part that no other has."""
        ids = dict.fromkeys(item.question for item in self.worklist.items(submission=submission))
        return one_of(words, list(ids), "question")

    @property
    def rubric(self) -> Rubric | None:
        """The rubric with which the results were graded, None if that was not kept."""
        from grader.course.rubric import Rubric  # noqa: PLC0415

        text = self.store.get_rubric(self.assignment)
        return Rubric.model_validate_json(text) if text else None

    def publish(self, submissions: Sequence[str]) -> None:
        """Write the pages of submissions and the gradebook anew."""
        from grader.batch.write_pages import write_pages  # noqa: PLC0415

        rubric = self.rubric
        if rubric is not None and self.out.is_dir():
            write_pages(self.out, self.store, rubric, submissions)


@dataclass(frozen=True)
class Where:
    """Which results a command is about, as its options say."""

    out: Path
    assignment: str | None = None
    database: str | None = None


def results_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which results a command is about; it gets them as `where`."""

    @functools.wraps(command)
    def packed(
        *arguments: Any, out: Path, assignment: str | None, database: str | None, **options: Any
    ) -> None:
        command(*arguments, where=Where(out, assignment, database), **options)

    for option in (
        click.option(
            "--database", metavar="URL", help="The database that the course was graded with, if not in OUT."
        ),
        click.option("--assignment", help="Name of the assignment, if the results are of several."),
        click.option(
            "--out", type=PATH, default=Path("results"), show_default=True, help="Folder of the results."
        ),
    ):
        packed = option(packed)
    return packed


def person_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add the option that says who decides."""
    words = "Who decides [default: your user name]."
    return click.option("--as", "person", default=own_name, help=words)(command)


def own_name() -> str:
    """Return the name of the user who runs the command."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"


@contextlib.contextmanager
def opened(where: Where) -> Iterator[Opened]:
    """Open results; raise UsageError where there are none, or of several assignments."""
    with opened_store(where) as store:
        yield Opened(where.out, store, assignment_in(where, store))


@contextlib.contextmanager
def opened_store(where: Where) -> Iterator[Store]:
    """Open the database of results; raise UsageError where there is none."""
    from grader.store import Store  # noqa: PLC0415 -- keeps --help fast

    out = where.out
    if where.database is None and not (out / "grader.db").is_file():
        raise UsageError(f"there are no results in {out}; run `grader grade FOLDER` first, or give --out")
    with Store(where.database or out / "grader.db", lambda words: click.echo(words, err=True)) as store:
        yield store


def assignment_in(where: Where, store: Store) -> str:
    """Return the assignment that is meant, or the only one; raise UsageError."""
    names, assignment = store.assignments(), where.assignment
    if assignment is None and len(names) == 1:
        assignment = names[0]
    if assignment not in names:
        given = f"nothing of {assignment!r}" if assignment else "results of several assignments"
        raise UsageError(f"{where.out} holds {given}; give --assignment, one of: {', '.join(sorted(names))}")
    return assignment


def submission_of(words: str, scores: Mapping[str, Score]) -> str:
    """Return the submission that counts of a student, or the only one with such a part; raise UsageError.

    A student is given by name, number, e-mail address or account.
    """
    if words in scores:
        return words
    counting = [
        (name, student)
        for name, score in scores.items()
        if score.attempt.counts
        for student in score.attempt.students
    ]
    theirs: dict[str, str] = {}
    chosen: dict[str, int] = {}
    for number in _called(words, [student for _, student in counting]):
        name, student = counting[number]
        theirs[name] = student.id or student.email or student.login or name
        if scores[name].attempt.chosen:
            chosen[name] = len(scores[name].attempt.students)
    if len(theirs) == 1:
        return next(iter(theirs))
    if len(set(theirs.values())) == 1 and chosen:  # of one student, whose group's counts for others
        return min(chosen, key=chosen.__getitem__)
    if theirs:
        raise UsageError(
            f"several students match {words!r}; give one of: {', '.join(sorted(theirs.values()))}"
        )
    return one_of(words, list(scores), "submission", [student.name for _, student in counting])


def row_of(words: str, rows: Sequence[Row]) -> Row:
    """Return the row of a student, as submission_of finds one; raise UsageError."""
    found = [rows[number] for number in _called(words, [row.student for row in rows])]
    found = found or [row for row in rows if row.score.submission == words]
    if len(found) == 1:
        return found[0]
    if found:
        further = sorted(row.student.id or row.student.email or row.score.submission for row in found)
        raise UsageError(f"several students match {words!r}; give one of: {', '.join(further)}")
    name = one_of(words, [row.student.shown for row in rows], "student")
    return next(row for row in rows if row.student.shown == name)


def _called(words: str, students: Sequence[Student]) -> list[int]:
    """Return the numbers of the students with a value, or else with the letters of such a name."""
    from grader.intake.roster import name_letters  # noqa: PLC0415

    values = [{value.casefold() for value in vars(student).values() if value} for student in students]
    wanted = words.strip().casefold()
    exact = [number for number, each in enumerate(values) if wanted in each]
    letters = name_letters(words)
    return exact or [number for number, each in enumerate(students) if letters & name_letters(each.name)]


def one_of(words: str, names: Sequence[str], kind: str, further: Sequence[str] = ()) -> str:
    """Return the name that is given, or alone has a part that is; raise UsageError with the nearest ones.

    `further` are names that are told too if they are near.
    """
    if words in names:
        return words
    matches = [name for name in names if words.casefold() in name.casefold()]
    if len(matches) == 1:
        return matches[0]
    problem = f"several {kind}s match" if matches else f"there is no {kind}"
    near = sorted(matches)[:MOST] or _near(words, [*filter(None, further), *names])
    hint = f"; did you mean: {', '.join(near)}" if near else ""
    raise UsageError(f"{problem} {words!r}{hint}")


def _near(words: str, names: Sequence[str]) -> list[str]:
    """Return the names that are most like some words: as people's names, or as identifiers."""
    from grader.intake.roster import nearest_names  # noqa: PLC0415

    return list(
        dict.fromkeys([*nearest_names(words, names), *get_close_matches(words, names, n=NEAR, cutoff=0.4)])
    )[:NEAR]
