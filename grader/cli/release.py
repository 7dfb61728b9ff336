"""`grader release`: the kit that students get."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from grader.cli.options import PATH
from grader.errors import UsageError


@click.command(short_help="Make the kit that students get.")
@click.argument("assignment")
@click.option("-o", "--out", type=PATH, help="The folder to write; it must be new or empty.")
@click.option("--check", "old", type=PATH, help="Say what changed since this kit was made; write nothing.")
@click.option("--root", type=PATH, help="The folder with rubrics/ and reference/ [default: found upwards].")
@click.option("--wheel", type=PATH, help="A wheel of grader to hand out with the kit.")
def release(
    assignment: str, out: Path | None, old: Path | None, root: Path | None, wheel: Path | None
) -> None:
    """Make the kit of ASSIGNMENT that a course hands out.

    It holds the notebook without solutions, the data files, the public checks and a README. With --check,
    the exit code is 0 if nothing changed and 1 if something did.
    """
    from grader.course.folder import find_root  # noqa: PLC0415 -- keeps --help fast
    from grader.student.make_kit import build_kit, changes, write_folder  # noqa: PLC0415

    if (out is None) == (old is None):
        raise UsageError("give either -o FOLDER, to write a kit, or --check FOLDER, to compare with one")
    if wheel is not None and not wheel.is_file():
        raise UsageError(f"there is no wheel {wheel}")
    content = build_kit(assignment, root or find_root(Path.cwd()), wheel)
    if old is not None:
        lines = changes(old, content)
        click.echo("\n".join(lines) if lines else f"{old} is what would be handed out now.")
        sys.exit(1 if lines else 0)
    if out is not None:
        write_folder(content, out)
        click.echo("\n".join(f"{len(data):>10,}  {out / name}" for name, data in content.items()))
