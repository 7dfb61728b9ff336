"""`grader todo`: what waits for a person."""

from __future__ import annotations

import click

from grader.cli.open_results import Where, opened, results_options
from grader.counted import counted

WORDS = {
    "written": "written parts to read",
    "inconclusive": "no check could decide",
    "follow_through": "right only if something else is",
    "library": "a library may have done the work",
    "not_graded": "not graded, through our fault (grader regrade)",
    "run": "the run has not come to them yet",
    "changed": "the hand-in has changed since somebody decided",
}


@click.command(short_help="What waits for a person.")
@click.option("--question", help="Only this question.")
@click.option("--all", "everything", is_flag=True, help="Name every submission that waits.")
@results_options
def todo(where: Where, question: str | None, *, everything: bool) -> None:
    """List what waits for a person in the results, by question and reason."""
    with opened(where) as results:
        worklist = results.worklist
        only = None if question is None else results.question(None, question)
        items = [
            item for item in worklist.items(only_open=True) if only in (None, item.question) and item.open
        ]
        waiting = worklist.reasons()
        by_question: dict[str, dict[str, list[str]]] = {}
        titles = {}
        for item in items:
            by_question.setdefault(item.question, {}).setdefault(item.reason.value, []).append(item.who)
            titles[item.question] = item.title
        for name, reasons in by_question.items():
            click.echo(f"{name}: {titles[name]}")
            for reason, submissions in reasons.items():
                words = WORDS[reason]
                shown = submissions if everything else submissions[:3]
                more = f" and {len(submissions) - len(shown)} more" if len(submissions) > len(shown) else ""
                click.echo(f"  {len(submissions):5}  {words}: {', '.join(shown)}{more}")
        if not items:
            click.echo("Nothing waits for a person.")
        else:
            click.echo(f"{len(items)} in all. In a browser: grader serve {where.out}")
        for reason, count in waiting.items():
            if reason.value == "run":
                click.echo(f"{counted(count, 'question')} left to a run: {WORDS['run']}.")
