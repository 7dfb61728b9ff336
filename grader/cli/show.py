"""`grader show`: the result of one submission in the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.open_results import submission_of
from grader.cli.options import PATH
from grader.errors import UsageError

if TYPE_CHECKING:
    from grader.records import Score

MAX_WIDTH = 100


@click.command(short_help="Show the result of one submission.")
@click.argument("submission")
@click.option("--out", type=PATH, default=Path("results"), show_default=True, help="Folder of the results.")
@click.option(
    "--database", metavar="URL", help="The database that the course was graded with, if not in OUT."
)
def show(submission: str, out: Path, database: str | None) -> None:
    """Show the result of one SUBMISSION: a student's name or number, or a part that no other has."""
    from rich.console import Console  # noqa: PLC0415 -- keeps --help fast

    from grader.course.rubric import Rubric  # noqa: PLC0415
    from grader.course.total import total_of  # noqa: PLC0415
    from grader.report.terminal import show_score  # noqa: PLC0415
    from grader.store import Store  # noqa: PLC0415

    if database is None and not (out / "grader.db").is_file():
        raise UsageError(f"there are no results in {out}; run `grader grade FOLDER` first, or give --out")
    with Store(database or out / "grader.db", lambda words: click.echo(words, err=True)) as store:
        by_id: dict[str, Score] = {}
        rubrics: dict[str, str] = {}
        for name in store.assignments():
            scores = store.get_scores(name)
            by_id |= scores
            rubrics |= dict.fromkeys(scores, store.get_rubric(name))
    found = by_id[submission_of(submission, by_id)]
    rubric = rubrics[found.submission]
    total = total_of(found, Rubric.model_validate_json(rubric)) if rubric else None
    console = Console(highlight=False, emoji=False)
    console.print(show_score(found, total), width=min(console.width, MAX_WIDTH))
