"""`grader show`: the result of one submission in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from grader.cli.open_results import Where, assignment_in, opened_store, results_options, submission_of

if TYPE_CHECKING:
    from grader.records import Score

MAX_WIDTH = 100


@click.command(short_help="Show the result of one submission.")
@click.argument("submission")
@results_options
def show(submission: str, where: Where) -> None:
    """Show the result of one SUBMISSION: a student's name or number, or a part that no other has."""
    from rich.console import Console  # noqa: PLC0415 -- keeps --help fast

    from grader.course.rubric import Rubric  # noqa: PLC0415
    from grader.course.total import total_of  # noqa: PLC0415
    from grader.report.terminal import show_score  # noqa: PLC0415

    by_id: dict[str, Score] = {}
    rubrics: dict[str, str] = {}
    with opened_store(where) as store:
        for name in [assignment_in(where, store)] if where.assignment else store.assignments():
            scores = store.get_scores(name)
            by_id |= scores
            rubrics |= dict.fromkeys(scores, store.get_rubric(name))
    found = by_id[submission_of(submission, by_id)]
    rubric = rubrics[found.submission]
    total = total_of(found, Rubric.model_validate_json(rubric)) if rubric else None
    console = Console(highlight=False, emoji=False)
    console.print(show_score(found, total), width=min(console.width, MAX_WIDTH))
