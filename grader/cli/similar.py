"""`grader similar`: functions and written answers that are alike, for a person to look at."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.open_results import Where, opened, own_name, results_options
from grader.cli.options import PATH, Share
from grader.errors import ResultsError, UsageError

if TYPE_CHECKING:
    from grader.observe.sandbox import Sandbox
    from grader.similar.pairs import Pair, Work

SHOWN = 20
WORDS = (
    "What is alike may have been worked out together, copied, or be the obvious way: look at both, and ask. "
    "Nothing here is proof, and nothing changes points."
)


@click.command(short_help="Functions and answers that are alike, for a person to look at.")
@click.option(
    "--with",
    "earlier",
    type=PATH,
    multiple=True,
    help="Compare with another year too: a folder of results, or a folder or archive of old hand-ins.",
)
@click.option(
    "--least",
    type=Share(0.3),
    default=0.8,
    show_default=True,
    help="The share that two must have in common, of what is not handed out and not common.",
)
@click.option("-o", "--output", type=PATH, help="Write all pairs to a file: .csv, or .json with both texts.")
@click.option("--root", type=PATH, help="The folder with rubrics/ and reference/ [default: found upwards].")
@click.option("--unsafe", is_flag=True, help="Read old notebooks even where no walls can be built.")
@results_options
def similar(
    earlier: tuple[Path, ...],
    least: float,
    output: Path | None,
    root: Path | None,
    where: Where,
    *,
    unsafe: bool,
) -> None:
    """List pairs of students whose functions or written answers are alike."""
    from grader.batch.similar_works import Comparison  # noqa: PLC0415 -- keeps --help fast
    from grader.course.assignment import load_assignment  # noqa: PLC0415
    from grader.course.folder import find_root  # noqa: PLC0415
    from grader.manual.similar_pairs import SimilarPairs  # noqa: PLC0415
    from grader.observe.tiers import choose_sandbox  # noqa: PLC0415

    if output is not None and output.suffix.lower() not in (".csv", ".json"):
        raise UsageError(f"{output}: the file is a .csv or a .json")
    with contextlib.ExitStack() as stack:
        results = stack.enter_context(opened(where))
        rubric = results.rubric
        if rubric is None:
            raise UsageError("the results are of an earlier version: run `grader grade` again")
        root = root or find_root(Path.cwd(), where.out)
        assignment = load_assignment(root / "reference" / rubric.assignment, rubric.subjects, rubric.seed)
        started: list[Sandbox] = []

        def sandbox() -> Sandbox:
            if not started:
                tier = rubric.environment.minimum_tier
                made = choose_sandbox((), tier, sys.executable, unsafe=unsafe)
                stack.callback(made.__exit__, None, None, None)
                started.append(made.__enter__())
            return started[0]

        comparison = Comparison(rubric, assignment, results.store, where.out, earlier, least)
        found = comparison.pairs(sandbox, lambda words: click.echo(f"note: {words}", err=True))
        years = [str(path.resolve()) for path in earlier]
        SimilarPairs(results.store, rubric.assignment).replace(found, years, own_name())
    for pair in found[:SHOWN]:
        click.echo(
            f"{100 * pair.share:3.0f} %  {pair.title}: {_name(pair.first)} and {_name(pair.second)} "
            f"({pair.lines} of {pair.left} {'lines' if pair.kind == 'code' else 'sentences'})"
        )
    if len(found) > SHOWN:
        click.echo(f"and {len(found) - SHOWN} more: give -o FILE")
    if found:
        click.echo("Side by side: grader serve, page Alike.")
    click.echo(WORDS if found else "Nothing is alike beyond what was handed out and what many have.")
    if output is not None:
        _write(output, found)


def _name(work: Work) -> str:
    return f"{work.title} ({work.origin})" if work.origin else work.title


def _write(path: Path, found: Sequence[Pair]) -> None:
    from grader.exports.grades_csv import spreadsheet_text  # noqa: PLC0415

    if path.suffix.lower() == ".json":
        sides = ("first", "second")
        rows = [{**asdict(pair), **{side: _side(asdict(pair)[side]) for side in sides}} for pair in found]
        text = json.dumps(rows, indent=1, ensure_ascii=False) + "\n"
    else:
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\r\n")
        writer.writerow(["share", "question", "kind", "first", "second", "of", "lines", "left"])
        for pair in found:
            cells = [
                pair.question,
                pair.kind,
                pair.first.submission,
                pair.second.submission,
                pair.second.origin,
            ]
            texts = map(spreadsheet_text, cells)
            writer.writerow([f"{pair.share:.3f}", *texts, pair.lines, pair.left])
        text = "\ufeff" + table.getvalue()
    try:
        path.write_text(text, encoding="utf-8", errors="replace", newline="")
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror}") from error
    click.echo(str(path))


def _side(work: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in work.items() if name != "owners"}
