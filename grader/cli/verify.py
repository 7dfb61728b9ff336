"""`grader verify`: the claims of a rubric, checked."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from grader.cli.exit_codes import EXIT_NO
from grader.cli.options import PATH, cores
from grader.errors import UsageError

MAX_WIDTH = 110


@click.command(short_help="Prove a rubric: the CI of a course.")
@click.argument("assignment", required=False)
@click.option(
    "--seeds", type=click.IntRange(1, 1000), default=20, show_default=True, help="Hidden inputs tried."
)
@click.option("--jobs", type=click.IntRange(1, 256), help="Worker processes [default: the cores].")
@click.option("--only", default="", help="Check only the claims whose id contains this text.")
@click.option("--json", "as_data", is_flag=True, help="Print the claims as JSON.")
@click.option("--separation", is_flag=True, help="Print how far apart the known mistakes are, and end.")
@click.option("--renew", is_flag=True, help="Store the results of the reference as they are now, and end.")
@click.option("--root", type=PATH, help="The folder with rubrics/ and reference/ [default: found upwards].")
def verify(
    assignment: str | None,
    seeds: int,
    jobs: int | None,
    only: str,
    as_data: bool,
    separation: bool,
    renew: bool,
    root: Path | None,
) -> None:
    """Check everything that is claimed of the rubric of ASSIGNMENT; exit 0 if all of it holds, else 1.

    The reference must earn every point and the skeleton none; known mistakes and those made by a machine
    must lose points; other ways to write the reference must lose nothing.
    """
    from rich.console import Console  # noqa: PLC0415 -- keeps --help fast
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    from grader.course.folder import assignment_of, find_root, rubric_path  # noqa: PLC0415
    from grader.plan.separation import distances  # noqa: PLC0415
    from grader.verify.goldens import write_goldens  # noqa: PLC0415
    from grader.verify.report import show_claims  # noqa: PLC0415
    from grader.verify.verification import as_json, list_claims, make_evidence  # noqa: PLC0415

    root = root or find_root(Path.cwd())
    path = rubric_path(assignment or assignment_of(Path.cwd(), root), root)
    if renew:
        click.echo(f"wrote {write_goldens(make_evidence(path, root, 1, 1).course)}")
        return
    if separation:
        for question, candidates in make_evidence(path, root, 1, 1).course.plan.candidates.items():
            mistakes = candidates.single()
            pairs = sorted(distances(candidates.right(), mistakes), key=lambda pair: pair.distance)
            click.echo(f"{question}: {len(mistakes)} known mistakes")
            for pair in pairs[:8]:
                click.echo(f"    {pair.distance:9.2g}  {pair.first}  {pair.second}")
        return

    claims = [claim for claim in list_claims(path, root) if only in claim.id]
    if not claims:
        raise UsageError(f"no claim of {path.stem} contains {only!r}")
    evidence = make_evidence(path, root, seeds, jobs or cores())
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("load the course")
        evidence.progress = lambda what, done, total: progress.update(
            task, description=f"{what}: {done} of {total}"
        )
        checked = [(claim, claim.check(evidence)) for claim in claims]
    if as_data:
        click.echo(json.dumps(as_json(path.stem, checked), indent=2, ensure_ascii=False))
    else:
        console = Console(highlight=False)
        console.print(show_claims(path.stem, checked), width=min(console.width, MAX_WIDTH))
    if not all(result.holds for _, result in checked):
        sys.exit(EXIT_NO)
