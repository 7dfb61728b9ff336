"""`grader show`: the result of one submission in the terminal."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

import click

from grader.cli.options import PATH
from grader.errors import UsageError

MAX_WIDTH = 100


@click.command(short_help="Show the result of one submission.")
@click.argument("submission")
@click.option("--out", type=PATH, default=Path("results"), show_default=True, help="Folder of the results.")
@click.option(
    "--database", metavar="URL", help="The database that the course was graded with, if not in OUT."
)
def show(submission: str, out: Path, database: str | None) -> None:
    """Show the result of one SUBMISSION: its name in the gradebook, or a part of it that no other has."""
    from rich.console import Console  # noqa: PLC0415 -- keeps --help fast

    from grader.report.terminal import show_score  # noqa: PLC0415
    from grader.store import Store  # noqa: PLC0415

    if database is None and not (out / "grader.db").is_file():
        raise UsageError(f"there are no results in {out}; run `grader grade FOLDER` first, or give --out")
    with Store(database or out / "grader.db", lambda words: click.echo(words, err=True)) as store:
        scores = [score for name in store.assignments() for score in store.get_scores(name).values()]
    by_id = {score.submission: score for score in scores}
    matches = [identity for identity in by_id if submission.casefold() in identity.casefold()]
    if submission in by_id:
        matches = [submission]
    if len(matches) != 1:
        problem = "several submissions match" if matches else "there is no submission"
        near = matches or get_close_matches(submission, by_id, n=5, cutoff=0.4)
        hint = f"; did you mean: {', '.join(sorted(near)[:8])}" if near else ""
        raise UsageError(f"{problem} {submission!r}{hint}")
    console = Console(highlight=False, emoji=False)
    console.print(show_score(by_id[matches[0]]), width=min(console.width, MAX_WIDTH))
