"""The command line: parse, call, print.

Exit codes: 0 graded, 1 below the minimum tier (doctor) or a claim broken (verify), 2 usage or rubric,
3 some not graded through our fault, 130 interrupted.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader import __version__
from grader.cli.student import check, release
from grader.errors import GraderError, GraderFault, UsageError
from grader.student import child

if TYPE_CHECKING:  # heavy, and not needed for --help
    from grader.records import Score

MAX_WIDTH = 100
EXIT_NO, EXIT_USAGE, EXIT_FAULT, EXIT_INTERRUPTED = 1, 2, 3, 130
HELP = """Grade Jupyter notebooks of numerical machine learning.

\b
A teaching assistant grades a folder, and looks at one result:
    grader grade submissions/exercise_11
    grader show correct/loops

\b
Before that, whether this machine can hold the notebooks of strangers:
    grader doctor

\b
An author of rubrics lets the editor complete and check them, and proves them:
    grader schema > rubrics/rubric.schema.json
    grader verify exercise_11

\b
A student checks a notebook at home, and makes the PDF to hand in:
    grader check exercise_11.ipynb
    grader pdf exercise_11.ipynb -o hand_in.pdf

An assignment is a folder reference/NAME with the instructor's notebook and the generators of hidden
inputs, and a file rubrics/NAME.yaml with the questions and points.
"""
EXISTING = click.Path(path_type=Path)


@click.group(help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="grader")
def cli() -> None:
    """Run a command."""


@cli.command(short_help="Grade every notebook in a folder.")
@click.argument("folder", type=EXISTING)
@click.option("--assignment", help="Name of the assignment; if left out, the name of FOLDER.")
@click.option(
    "--out", type=EXISTING, default=Path("results"), show_default=True, help="Folder for the results."
)
@click.option(
    "--jobs", type=click.IntRange(1, 256), help="Submissions graded at a time [default: the cores]."
)
@click.option("--rubric", type=EXISTING, help="A rubric file in place of rubrics/ASSIGNMENT.yaml.")
@click.option(
    "--root", type=EXISTING, help="The folder with rubrics/ and reference/ [default: found upwards]."
)
@click.option("--fresh", is_flag=True, help="Observe everything again, even what is already in the results.")
@click.option("--unsafe", is_flag=True, help="Run notebooks even where no walls can be built around them.")
def grade(
    folder: Path,
    assignment: str | None,
    out: Path,
    jobs: int | None,
    rubric: Path | None,
    root: Path | None,
    fresh: bool,
    unsafe: bool,
) -> None:
    """Grade every notebook in FOLDER (or the one notebook that it is).

    Each notebook is run, its functions are called on hidden inputs, and the answers are judged and
    scored with the rubric. Results: index.html (the course), grades.csv, grades.json, and for every
    submission a page of feedback. What was observed is kept, so a second run takes seconds.
    """
    from grader.batch.grade_folder import grade_folder  # noqa: PLC0415 -- keeps --help fast

    root = root or _root(folder)
    name = assignment or (rubric.stem if rubric else _assignment(folder, root))
    faults = grade_folder(folder, name, root, out, jobs or _cores(), rubric, fresh=fresh, unsafe=unsafe)
    if faults:
        sys.exit(EXIT_FAULT)


@cli.command(short_help="Show the result of one submission.")
@click.argument("submission")
@click.option(
    "--out", type=EXISTING, default=Path("results"), show_default=True, help="Folder of the results."
)
def show(submission: str, out: Path) -> None:
    """Show the result of one SUBMISSION: its name in the gradebook, or a part of it that no other has."""
    from rich.console import Console  # noqa: PLC0415

    from grader.report.terminal import show_score  # noqa: PLC0415
    from grader.store import Store  # noqa: PLC0415

    if not (out / "grader.db").is_file():
        raise UsageError(f"there are no results in {out}; run `grader grade FOLDER` first, or give --out")
    with Store(out / "grader.db") as store:
        scores = [score for name in store.assignments() for score in store.get_scores(name).values()]
    console = Console(highlight=False)
    console.print(show_score(_chosen(submission, scores)), width=min(console.width, MAX_WIDTH))


@cli.command(short_help="Prove a rubric: the CI of a course.")
@click.argument("assignment", required=False)
@click.option(
    "--seeds", type=click.IntRange(1, 1000), default=20, show_default=True, help="Hidden inputs tried."
)
@click.option("--jobs", type=click.IntRange(1, 256), help="Worker processes [default: the cores].")
@click.option("--only", help="Check only the claims whose id contains this text.")
@click.option("--json", "as_data", is_flag=True, help="Print the claims as JSON.")
@click.option("--separation", is_flag=True, help="Print how far apart the known mistakes are, and end.")
@click.option("--renew", is_flag=True, help="Store the results of the reference as they are now, and end.")
@click.option(
    "--root", type=EXISTING, help="The folder with rubrics/ and reference/ [default: found upwards]."
)
def verify(
    assignment: str | None,
    seeds: int,
    jobs: int | None,
    only: str | None,
    as_data: bool,
    separation: bool,
    renew: bool,
    root: Path | None,
) -> None:
    """Check everything that is claimed of the rubric of ASSIGNMENT; exit 0 if all of it holds, else 1.

    The reference must earn every point and the skeleton none; known mistakes and those made by a machine
    must lose points; other ways to write the reference must lose nothing.
    """
    from grader.cli import verify as command  # noqa: PLC0415

    root = root or _root(Path.cwd())
    path = root / "rubrics" / f"{assignment or _assignment(Path.cwd(), root)}.yaml"
    if renew:
        command.renew(path, root)
    elif separation:
        command.separation(path, root)
    elif not command.verify(path, root, seeds, jobs or _cores(), only or "", as_data=as_data):
        sys.exit(EXIT_NO)


@cli.command(short_help="Print the JSON Schema of rubrics, for editors.")
@click.option("--markdown", is_flag=True, help="Print the reference of all keys instead, for reading.")
def schema(markdown: bool) -> None:
    """Print the JSON Schema of rubrics, with which editors complete and check them."""
    from grader.course.rubric_docs import rubric_reference  # noqa: PLC0415
    from grader.course.rubric_file import json_schema  # noqa: PLC0415

    click.echo(rubric_reference() if markdown else json_schema(), nl=False)


@cli.command(short_help="Try the walls that this machine can build around notebooks.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--minimum",
    type=click.Choice(["isolated", "restricted", "plain"]),
    default="restricted",
    show_default=True,
    help="The tier below which the exit code is 1.",
)
def doctor(as_json: bool, minimum: str) -> None:
    """Build a box, attack it from inside, and say of each layer whether it holds.

    The layers add up to a tier: isolated (all of them), restricted (no namespaces), plain (no walls).
    Where a higher one can be had, the command that raises it is named.
    """
    from rich.console import Console  # noqa: PLC0415 -- keeps --help fast

    from grader.observe.doctor import examine  # noqa: PLC0415

    if not examine(minimum, Console(highlight=False), as_json=as_json):
        sys.exit(EXIT_NO)


@cli.command(short_help="Make the PDF to hand in of a notebook and other solutions.")
@click.argument("notebook", type=EXISTING)
@click.option("-o", "--out", type=EXISTING, required=True, help="The PDF to write.")
@click.option("--run", is_flag=True, help="Run the notebook first, in its folder; the file stays as it is.")
@click.option(
    "--append", type=EXISTING, multiple=True, help="A PDF with other solutions; can be given several times."
)
@click.option("--notebook-first", is_flag=True, help="The notebook before the other solutions, not after.")
@click.option("--name", default="", help="Your name, for the first page and the foot of every page.")
@click.option("--title", default="", help="The title [default: the notebook's first heading].")
@click.option("--pictures", type=EXISTING, help="A folder whose pictures the notebook's text may show.")
def pdf(notebook: Path, out: Path, **wishes: Any) -> None:
    """Make one PDF of NOTEBOOK, as it was last run and saved, behind your other solutions.

    Needs nothing but pip (no LaTeX, no browser). The notebook's own text cannot read files or fetch
    anything; pictures have to be in the notebook, or in the folder that you allow with --pictures.
    """
    from grader.pdf.command import pdf_command  # noqa: PLC0415 -- needs the extra "pdf"

    pdf_command(notebook, out, wishes)


cli.add_command(check)
cli.add_command(release)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit; `grader check` of a terminal in a child process."""
    if arguments is None and sys.argv[1:2] == ["check"]:
        ending = child.ending_file()
        if ending is None:
            sys.exit(child.check_in_child(sys.argv[1:]))
        code = 0
        try:
            _run(None)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else EXIT_NO if end.code else 0
        child.leave(code, ending)
    _run(arguments)


def _run(arguments: Sequence[str] | None) -> None:
    logging.basicConfig(
        level=os.environ.get("GRADER_LOG", "CRITICAL").upper(), format="%(name)s: %(message)s"
    )
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        cli.main(args=arguments, prog_name="grader", standalone_mode=False)
    except GraderError as error:
        click.secho("error: ", fg="red", bold=True, nl=False, err=True)
        click.echo(str(error), err=True)
        sys.exit(EXIT_FAULT if isinstance(error, GraderFault) else EXIT_USAGE)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_USAGE)
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted. What was finished is kept; run the same command again to go on.", err=True)
        sys.exit(EXIT_INTERRUPTED)


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _root(folder: Path) -> Path:
    """Return the nearest folder that holds rubrics/: from here upwards, then from the submissions upwards."""
    for start in (Path.cwd(), folder.resolve()):
        for candidate in (start, *start.parents):
            if (candidate / "rubrics").is_dir():
                return candidate
    raise UsageError(f"no folder rubrics/ here or above {folder}; give the course's folder with --root")


def _assignment(folder: Path, root: Path) -> str:
    """Return the assignment that a folder is named after, or the only one that there is."""
    known = sorted(path.stem for path in (root / "rubrics").glob("*.yaml"))
    place = folder.resolve()
    for name in (place.name, *(parent.name for parent in place.parents)):
        if name in known:
            return name
    if len(known) == 1:
        return known[0]
    raise UsageError(
        f"which assignment is {folder} of? Give --assignment, one of: {', '.join(known) or 'none'}"
    )


def _chosen(name: str, scores: list[Score]) -> Score:
    """Return the score of the submission that `name` means; raise UsageError if it is not one."""
    by_id = {score.submission: score for score in scores}
    if name in by_id:
        return by_id[name]
    matches = [identity for identity in by_id if name.casefold() in identity.casefold()]
    if len(matches) == 1:
        return by_id[matches[0]]
    near = matches or get_close_matches(name, by_id, n=5, cutoff=0.4)
    hint = f"; did you mean: {', '.join(sorted(near)[:8])}" if near else ""
    raise UsageError(f"{'several submissions match' if matches else 'there is no submission'} {name!r}{hint}")
