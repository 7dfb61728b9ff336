"""What `grader pdf` does and says; a missing package is named before anything else happens."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from grader.errors import UsageError

PACKAGES = ("typst", "pypandoc", "pypdf", "PIL", "markdown_it", "nh3", "pygments")
RUN_PACKAGES = ("nbclient", "ipykernel")


def pdf_command(notebook: Path, out: Path, wishes: Mapping[str, Any]) -> None:
    """Write the PDF and print what is in it; warnings go to stderr."""
    _check_packages(run=wishes["run"])
    from grader.pdf.hand_in import Wishes, write_hand_in  # noqa: PLC0415

    pictures = wishes["pictures"]
    hand_in = write_hand_in(
        notebook,
        out,
        Wishes(
            run=wishes["run"],
            append=tuple(wishes["append"]),
            notebook_first=wishes["notebook_first"],
            name=wishes["name"],
            title=wishes["title"],
            pictures_from=pictures,
        ),
    )
    for warning in hand_in.warnings:
        click.secho("note: ", fg="yellow", nl=False, err=True)
        click.echo(warning, err=True)
    for part in hand_in.parts:
        click.echo(f"{_pages(part.pages):>10}  {part.name}")
    click.echo(f"{out}: {_pages(sum(part.pages for part in hand_in.parts))}")


def _pages(number: int) -> str:
    return f"{number} {'page' if number == 1 else 'pages'}"


def _check_packages(*, run: bool) -> None:
    wanted = PACKAGES + RUN_PACKAGES * run
    missing = [name for name in wanted if find_spec(name) is None]
    if missing:
        raise UsageError(f'packages are missing ({", ".join(missing)}); run: pip install "grader[pdf]"')
