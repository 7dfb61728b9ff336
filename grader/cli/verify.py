"""What `grader verify` does and prints."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from grader.errors import UsageError
from grader.plan.separation import distances
from grader.verify.goldens import write_goldens
from grader.verify.report import show_claims
from grader.verify.verification import Checked, as_json, check_claims, list_claims, make_evidence

MAX_WIDTH = 110


def verify(path: Path, root: Path, seeds: int, jobs: int, only: str, *, as_data: bool) -> bool:
    """Check the claims whose id contains `only`, print what was found, and return whether all hold."""
    _exists(path)
    claims = [claim for claim in list_claims(path, root) if only in claim.id]
    if not claims:
        raise UsageError(f"no claim of {path.stem} contains {only!r}")
    evidence = make_evidence(path, root, seeds, jobs)
    error_console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=error_console, transient=True) as progress:
        task = progress.add_task("load the course")
        evidence.progress = lambda what, done, total: progress.update(
            task, description=f"{what}: {done} of {total}"
        )
        checked = check_claims(claims, evidence, lambda row: None)
    _print(path.stem, checked, as_data=as_data)
    return all(result.holds for _, result in checked)


def renew(path: Path, root: Path) -> None:
    """Store the numbers of the reference."""
    _exists(path)
    evidence = make_evidence(path, root, 1, 1)
    click.echo(f"wrote {write_goldens(evidence.course)}")


def separation(path: Path, root: Path) -> None:
    """Print for every question the pairs of explanations that are nearest to each other."""
    _exists(path)
    evidence = make_evidence(path, root, 1, 1)
    for question, known in evidence.course.plan.candidates.items():
        pairs = sorted(distances(known.right(), known.single()), key=lambda pair: pair.distance)
        click.echo(f"{question}: {len(known.single())} known mistakes")
        for pair in pairs[:8]:
            click.echo(f"    {pair.distance:9.2g}  {pair.first}  {pair.second}")


def _exists(path: Path) -> None:
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.yaml"))) or "none"
        raise UsageError(f"there is no rubric {path}; the assignments here are: {known}")


def _print(assignment: str, checked: list[Checked], *, as_data: bool) -> None:
    if as_data:
        click.echo(json.dumps(as_json(assignment, checked), indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False)
    console.print(show_claims(assignment, checked), width=min(console.width, MAX_WIDTH))
