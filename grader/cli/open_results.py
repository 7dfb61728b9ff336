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
    from grader.course.rubric import Rubric
    from grader.manual.decisions import Decisions
    from grader.manual.worklist import Worklist
    from grader.records import Score
    from grader.store import Store

NEAR = 5


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

    def question(self, submission: str, words: str) -> str:
        """Return a question by its id, or a part that no other has; raise UsageError."""
        ids = [item.question for item in self.worklist.items(submission=submission)]
        return one_of(words, ids, "question")

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
    from grader.store import Store  # noqa: PLC0415 -- keeps --help fast

    out, assignment = where.out, where.assignment
    if where.database is None and not (out / "grader.db").is_file():
        raise UsageError(f"there are no results in {out}; run `grader grade FOLDER` first, or give --out")
    with Store(where.database or out / "grader.db", lambda words: click.echo(words, err=True)) as store:
        names = store.assignments()
        if assignment is None and len(names) == 1:
            assignment = names[0]
        if assignment not in names:
            given = f"nothing of {assignment!r}" if assignment else "results of several assignments"
            raise UsageError(f"{out} holds {given}; give --assignment, one of: {', '.join(sorted(names))}")
        yield Opened(out, store, assignment)


def submission_of(words: str, scores: Mapping[str, Score]) -> str:
    """Return the submission that counts of a student, or the only one with such a part; raise UsageError.

    A student is given by name, number, e-mail address or account.
    """
    if words in scores:
        return words
    theirs: dict[str, str] = {}
    chosen: dict[str, int] = {}
    for name, score in scores.items():
        for student in score.attempt.students if score.attempt.counts else ():
            if words.casefold() in (value.casefold() for value in vars(student).values() if value):
                theirs[name] = student.id or student.email or student.login or name
                if score.attempt.chosen:
                    chosen[name] = len(score.attempt.students)
    if len(theirs) == 1:
        return next(iter(theirs))
    if len(set(theirs.values())) == 1 and chosen:  # of one student, whose group's counts for others
        return min(chosen, key=chosen.__getitem__)
    if theirs:
        raise UsageError(
            f"several students match {words!r}; give one of: {', '.join(sorted(theirs.values()))}"
        )
    return one_of(words, list(scores), "submission")


def one_of(words: str, names: Sequence[str], kind: str) -> str:
    """Return the name that is given, or alone has a part that is; raise UsageError with the nearest ones."""
    if words in names:
        return words
    matches = [name for name in names if words.casefold() in name.casefold()]
    if len(matches) == 1:
        return matches[0]
    problem = f"several {kind}s match" if matches else f"there is no {kind}"
    near = matches or get_close_matches(words, names, n=NEAR, cutoff=0.4)
    hint = f"; did you mean: {', '.join(sorted(near)[:8])}" if near else ""
    raise UsageError(f"{problem} {words!r}{hint}")
