"""`grader pdf`: the PDF to hand in."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from grader.cli.options import PATH
from grader.errors import MissingPackageError, UsageError
from grader.project import quoted

PACKAGES = ("typst", "mathjax", "quickjs", "pypdf", "PIL", "markdown_it", "nh3", "pygments", "fontTools")
RUN_PACKAGES = ("nbclient", "ipykernel")


@click.command(short_help="Make the PDF to hand in of a notebook and other solutions.")
@click.argument("notebook", type=PATH)
@click.option("-o", "--out", type=PATH, required=True, help="The PDF to write.")
@click.option("--run", is_flag=True, help="Run the notebook first, in its folder; the file stays as it is.")
@click.option(
    "--append", type=PATH, multiple=True, help="A PDF with other solutions; can be given several times."
)
@click.option("--notebook-first", is_flag=True, help="The notebook before the other solutions, not after.")
@click.option("--name", default="", help="Your name, for the first page and the foot of every page.")
@click.option("--title", default="", help="The title [default: the notebook's first heading].")
@click.option("--pictures", type=PATH, help="A folder whose pictures the notebook's text may show.")
def pdf(notebook: Path, out: Path, **wishes: Any) -> None:
    """Make one PDF of NOTEBOOK, as it was last run and saved, behind your other solutions.

    Needs nothing but pip (no LaTeX, no browser). The notebook's own text cannot read files or fetch
    anything; pictures have to be in the notebook, or in the folder that you allow with --pictures.
    """
    if out.suffix.lower() != ".pdf":
        raise UsageError(f"{out}: what is written is a PDF; give it a name that ends in .pdf")
    missing = [name for name in PACKAGES + RUN_PACKAGES * wishes["run"] if find_spec(name) is None]
    if missing:
        names = ", ".join(missing)
        raise MissingPackageError(f"packages are missing ({names}); run: pip install {quoted('pdf')}")
    from grader.pdf.document import Wishes, write_hand_in  # noqa: PLC0415 -- needs the packages above

    hand_in = write_hand_in(
        notebook,
        out,
        Wishes(
            run=wishes["run"],
            append=tuple(wishes["append"]),
            notebook_first=wishes["notebook_first"],
            name=wishes["name"],
            title=wishes["title"],
            pictures_from=wishes["pictures"],
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
