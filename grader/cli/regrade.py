"""`grader regrade`: judge submissions again; what people decided stays."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from grader.cli.exit_codes import EXIT_FAULT
from grader.cli.open_results import Where, opened, results_options
from grader.cli.options import PATH, cores
from grader.errors import UsageError


@click.command(short_help="Judge submissions again; what people decided stays.")
@click.argument("submissions", metavar="SUBMISSION...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All submissions of the results.")
@click.option("--question", help="Only this question; the others keep their verdicts.")
@click.option("--rubric", type=PATH, help="A rubric file in place of rubrics/ASSIGNMENT.yaml.")
@click.option("--root", type=PATH, help="The folder with rubrics/ and reference/ [default: found upwards].")
@click.option("--jobs", type=click.IntRange(1, 256), help="Submissions at a time [default: the cores].")
@click.option("--unsafe", is_flag=True, help="Run notebooks even where no walls can be built around them.")
@results_options
def regrade(
    submissions: tuple[str, ...],
    question: str | None,
    rubric: Path | None,
    root: Path | None,
    jobs: int | None,
    where: Where,
    *,
    everything: bool,
    unsafe: bool,
) -> None:
    """Judge each SUBMISSION again, from the file that was handed in."""
    from grader.batch.judge_again import judge_again  # noqa: PLC0415 -- keeps --help fast
    from grader.course.folder import find_root  # noqa: PLC0415
    from grader.intake.submissions import ROSTER  # noqa: PLC0415
    from grader.plan.load import load_course  # noqa: PLC0415

    if bool(submissions) == everything:
        raise UsageError("name submissions, or give --all")
    with opened(where) as results:
        root = root or find_root(Path.cwd(), where.out)
        course = load_course(results.assignment, root, rubric)
        if everything:
            sources = results.store.sources(results.assignment)
            names = sorted(name for name, source in sources.items() if source != ROSTER)
        else:
            names = [results.submission(words) for words in submissions]
        workers = jobs or min(cores(), len(names))
        faults = judge_again(
            names, question, course, root, where.out, results.store, click.echo, jobs=workers, unsafe=unsafe
        )
    if faults:
        sys.exit(EXIT_FAULT)
