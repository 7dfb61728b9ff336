"""`grader points`: points for what a person reads, one by one or as a table; and `grader override`."""

from __future__ import annotations

import time
from pathlib import Path

import click

from grader.cli.open_results import Opened, Where, opened, person_option, results_options
from grader.cli.options import NUMBER, PATH
from grader.counted import counted
from grader.errors import UsageError


@click.group(short_help="Points that a person gives: set, export, import, undo, history.")
def points() -> None:
    """Give points for what a person reads. A later run never touches them; all of it can be undone."""


@points.command("set")
@click.argument("submission")
@click.argument("question")
@click.argument("number", metavar="POINTS", type=NUMBER)
@click.option("--comment", default="", help="For the student: Markdown with formulas.")
@person_option
@results_options
def set_points(
    submission: str,
    question: str,
    number: float,
    comment: str,
    person: str,
    where: Where,
) -> None:
    """Give POINTS to the QUESTION of a SUBMISSION that waits for a person."""
    with opened(where) as results:
        _decide(results, submission, question, number, comment, "", person, waiting=True)


@click.command(short_help="Change the points that the judge gave, with a reason.")
@click.argument("submission")
@click.argument("question")
@click.argument("number", metavar="POINTS", type=NUMBER)
@click.option("--reason", required=True, help="Why; it is kept, and not shown to the student.")
@click.option("--comment", default="", help="For the student: Markdown with formulas.")
@person_option
@results_options
def override(
    submission: str,
    question: str,
    number: float,
    reason: str,
    comment: str,
    person: str,
    where: Where,
) -> None:
    """Give POINTS to the QUESTION of a SUBMISSION in place of those of the judge."""
    with opened(where) as results:
        _decide(results, submission, question, number, comment, reason, person, waiting=False)


def _decide(
    results: Opened,
    submission: str,
    question: str,
    number: float,
    comment: str,
    reason: str,
    person: str,
    *,
    waiting: bool,
) -> None:
    from grader.manual.decisions import Wish  # noqa: PLC0415 -- keeps --help fast

    name = results.submission(submission)
    about = results.question(name, question)
    (item,) = (each for each in results.worklist.items(submission=name) if each.question == about)
    if waiting and item.judged is not None and not item.version:
        raise UsageError(
            f"{name}, {about}: the judge gave {item.judged:g} of {item.max_points:g} points; to change them: "
            "grader override ... --reason"
        )
    standing = results.decisions.standing(name, about)
    kept = standing.comment if standing and not comment else comment
    comments = standing.comments if standing else ()
    wish = Wish(name, about, number, kept, comments, reason or (standing.reason if standing else ""))
    made = results.decisions.decide([wish], person)
    results.publish([name])
    before = "pending" if item.points is None else f"{item.points:g}"
    said = f"{number:g} of {item.max_points:g} points (before: {before})" if made else "unchanged"
    click.echo(f"{name}, {about}: {said}")


@points.command("undo")
@click.argument("submission")
@click.argument("question")
@person_option
@results_options
def undo(submission: str, question: str, person: str, where: Where) -> None:
    """Take back what was decided last about the QUESTION of a SUBMISSION."""
    with opened(where) as results:
        name = results.submission(submission)
        about = results.question(name, question)
        results.decisions.undo(name, about, person)
        results.publish([name])
        (item,) = (each for each in results.worklist.items(submission=name) if each.question == about)
        now = "pending" if item.points is None else f"{item.points:g} of {item.max_points:g} points"
        click.echo(f"{name}, {about}: {now}")


@points.command("history")
@click.argument("submission", required=False)
@click.argument("about", metavar="[QUESTION]", required=False)
@click.option("--question", help="Only this question, of all submissions too.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many entries.")
@results_options
def history(
    submission: str | None,
    about: str | None,
    question: str | None,
    limit: int,
    where: Where,
) -> None:
    """Show who decided what, when: the newest first; of one SUBMISSION or one QUESTION of it if given."""
    with opened(where) as results:
        name = results.submission(submission) if submission else None
        asked = about or question
        only = None if asked is None else results.question(name, asked)
        for each in results.decisions.history(name, only, limit=limit):
            when = time.strftime("%Y-%m-%d %H:%M", time.localtime(each.time))
            what = "no points" if each.points is None else f"{each.points:g} points"
            words = " / ".join(filter(None, [each.comment, each.reason])).replace("\n", " ")[:80]
            where_of = f"{each.submission}, {each.question}"
            click.echo(f"{when}  {each.person}  {where_of}: {each.kind.value}, {what}  {words}")


@points.command("export")
@click.argument("file", type=PATH)
@click.option("--question", help="Only this question, with what is decided.")
@click.option("--waiting", is_flag=True, help="Only what waits for a person.")
@results_options
def export(
    file: Path,
    question: str | None,
    where: Where,
    *,
    waiting: bool,
) -> None:
    """Write a table to FILE (.csv or .xlsx) that people fill in: the columns points, comment and reason."""
    from grader.manual.points_file import table_rows, write_points  # noqa: PLC0415 -- keeps --help fast

    with opened(where) as results:
        only = None if question is None else results.question(None, question)
        rows = table_rows(results.worklist, results.decisions, only, only_open=waiting)
        write_points(file, rows)
        click.echo(f"{file}: {counted(len(rows), 'row')}")


@points.command("import")
@click.argument("file", type=PATH)
@person_option
@results_options
def import_(file: Path, person: str, where: Where) -> None:
    """Take the changed rows of FILE over: all of them or, if one is wrong, none."""
    from grader.manual.points_file import import_points  # noqa: PLC0415 -- keeps --help fast

    with opened(where) as results:
        made = import_points(file, results.worklist, results.decisions, person)
        results.publish(sorted({each.submission for each in made}))
        click.echo(f"{counted(len(made), 'decision')} taken over from {file}")
