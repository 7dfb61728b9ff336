"""`grader choose`: which of several hand-ins of a student counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from grader.cli.options import PATH
from grader.errors import UsageError
from grader.records import Score


@click.command(short_help="Choose which hand-in of a student counts.")
@click.argument("submission")
@click.option("--out", type=PATH, default=Path("results"), show_default=True, help="Folder of the results.")
@click.option("--database", metavar="URL", help="The database that was graded with, if not in OUT.")
def choose(submission: str, out: Path, database: str | None) -> None:
    """Let SUBMISSION count, in place of the other hand-ins of its students; later runs keep that."""
    from grader.gradebooks.results_folder import load_rubric_of, open_store  # noqa: PLC0415

    name = load_rubric_of(out).assignment
    with open_store(out, database) as store:
        kept = {each.score.submission: each for each in store.kept_scores(name)}
        if submission not in kept:
            near = [each for each in kept if submission.casefold() in each.casefold()]
            hint = f"; did you mean: {', '.join(near[:8])}" if near else ""
            raise UsageError(f"there is no submission {submission!r}{hint}")
        students = {student.key for student in kept[submission].score.attempt.students}
        changed: list[Score] = []
        for each in kept.values():
            shared = students & {student.key for student in each.score.attempt.students}
            if shared:
                counts = each.score.submission == submission
                attempt = replace(each.score.attempt, counts=counts, chosen=counts)
                changed.append(replace(each.score, attempt=attempt))
        for score in changed:
            before = kept[score.submission]
            store.put_scores(name, [score], before.course, {score.submission: before.source})
    click.echo(f"{submission} counts; {len(changed) - 1} other hand-ins of its students do not.")
