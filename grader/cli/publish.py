"""`grader publish`: the pages and the gradebook, with what people have decided."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.open_results import Where, opened, results_options
from grader.cli.options import PATH
from grader.counted import counted, listed
from grader.errors import UsageError

SHOWN = 5


@click.command(short_help="Write the pages and the gradebook anew, with what people decided.")
@click.option(
    "--root",
    type=PATH,
    help="The folder with rubrics/ and reference/: tell whose points are of another version of the course.",
)
@click.option("--rubric", type=PATH, help="With --root: a rubric file in place of rubrics/ASSIGNMENT.yaml.")
@results_options
def publish(root: Path | None, rubric: Path | None, where: Where) -> None:
    """Write every page of feedback, the page of the course and the gradebook anew from the database."""
    from grader.batch.write_pages import write_pages  # noqa: PLC0415 -- keeps --help fast
    from grader.plan.load import load_course  # noqa: PLC0415
    from grader.records import Status  # noqa: PLC0415

    if rubric is not None and root is None:
        raise UsageError("--rubric needs --root: the folder with rubrics/ and reference/")
    with opened(where) as results:
        kept = results.rubric
        if kept is None:
            raise UsageError(f"{where.out} was graded by an earlier version; give `grader grade` again first")
        if root is not None:
            course = load_course(results.assignment, root, rubric)
            others = [
                each.score.title
                for each in results.store.kept_scores(results.assignment)
                if each.score.status is Status.GRADED and each.course not in ("", course.digest)
            ]
            if others:
                click.echo(
                    f"warning: {counted(len(others), 'page')} of another version of the course, of grader or "
                    f"of a package: {listed(others, SHOWN)}; to judge again: grader regrade --all",
                    err=True,
                )
        count = write_pages(where.out, results.store, kept)
    click.echo(f"{where.out / 'index.html'}: {counted(count, 'page')} of feedback")
