"""`grader publish`: the pages and the gradebook, with what people have decided."""

from __future__ import annotations

import click

from grader.cli.open_results import Where, opened, results_options
from grader.errors import UsageError


@click.command(short_help="Write the pages and the gradebook anew, with what people decided.")
@results_options
def publish(where: Where) -> None:
    """Write every page of feedback, the page of the course and the gradebook anew from the database."""
    from grader.batch.write_pages import write_pages  # noqa: PLC0415 -- keeps --help fast

    with opened(where) as results:
        rubric = results.rubric
        if rubric is None:
            raise UsageError(f"{where.out} was graded by an earlier version; give `grader grade` again first")
        count = write_pages(where.out, results.store, rubric)
    click.echo(f"{where.out / 'index.html'}: {count} pages of feedback")
