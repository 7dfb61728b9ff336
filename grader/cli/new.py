"""`grader new`: a new assignment, begun from another one."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import PATH
from grader.errors import UsageError
from grader.project import NAME


@click.command(short_help="Begin an assignment from one of the gallery.")
@click.argument("name", required=False)
@click.option("--from", "source", help="The assignment to copy.")
@click.option(
    "--gallery", type=PATH, help="The folder of a course to copy from [default: what is installed]."
)
@click.option("--root", type=PATH, help="The folder of your course [default: found upwards, or this one].")
def new(name: str | None, source: str | None, gallery: Path | None, root: Path | None) -> None:
    """Copy an assignment as NAME into your course; without NAME, list what there is.

    The copy is whole: notebook with solutions, rubric, known mistakes, sample submissions. It has a new seed.
    """
    from grader.course.folder import find_root  # noqa: PLC0415 -- keeps --help fast
    from grader.course.gallery import copy_assignment, galleries, titles  # noqa: PLC0415

    there = titles([gallery] if gallery is not None else galleries())
    if not there:
        install = (
            f"no gallery is installed: pip install {NAME}-gallery, or give a course's folder with --gallery"
        )
        raise UsageError(install if gallery is None else f"there is no assignment in {gallery}")
    if name is None:
        click.echo("\n".join(f"{each:<16}{title}" for each, (title, _) in there.items()))
        return
    if source not in there:
        what = (
            "which assignment is to be copied? Give --from" if source is None else f"there is no {source!r}"
        )
        raise UsageError(f"{what}; the gallery has: {', '.join(there)}")
    if root is None:
        try:
            root = find_root(Path.cwd())
        except UsageError:
            root = Path()
    made = copy_assignment(source, there[source][1], name, root)
    shown = [path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path for path in made]
    click.echo("\n".join(f"wrote {path}" for path in shown))
    click.echo(f"\nStore the results of the reference:  grader verify {name} --renew")
    click.echo(f"Prove the rubric:                    grader verify {name}")
