"""`grader grade`: what was handed in becomes a folder of results."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from grader.cli.exit_codes import EXIT_FAULT
from grader.cli.options import PATH, cores


@click.command(short_help="Grade a folder or an archive of notebooks.")
@click.argument("folder", type=PATH)
@click.option("--assignment", help="Name of the assignment; if left out, the name of FOLDER.")
@click.option("--out", type=PATH, default=Path("results"), show_default=True, help="Folder for the results.")
@click.option(
    "--jobs", type=click.IntRange(1, 256), help="Submissions graded at a time [default: the cores]."
)
@click.option("--rubric", type=PATH, help="A rubric file in place of rubrics/ASSIGNMENT.yaml.")
@click.option("--root", type=PATH, help="The folder with rubrics/ and reference/ [default: found upwards].")
@click.option(
    "--fresh",
    is_flag=True,
    help="Observe everything again: drop what the database holds of all notebooks, but not their scores.",
)
@click.option(
    "--roster", type=PATH, help="A table (CSV) of who may hand in: who has not gets a row that says so."
)
@click.option(
    "--teams", metavar="COLUMN", default="", help="The column of the roster that says who works together."
)
@click.option("--deadline", metavar="TIME", help="Until when to hand in, in place of the rubric's deadline.")
@click.option(
    "--extensions", type=PATH, help="A table (CSV) of who has longer: student, and until, hours or days."
)
@click.option(
    "--file-times",
    is_flag=True,
    help="Take the times of files for those of the hand-ins, if nothing else tells.",
)
@click.option(
    "--database",
    metavar="URL",
    help="A database of PostgreSQL for all graders of a course, such as "
    "postgresql+psycopg://user@host/course [default: grader.db in the results].",
)
@click.option(
    "--cluster",
    metavar="URL",
    help="Grade on the workers of a Dask scheduler, such as tcp://scheduler:8786 (see docs/scale.md).",
)
@click.option("--log-file", type=PATH, help="Write what happens to this file too, one JSON object a line.")
@click.option("--unsafe", is_flag=True, help="Run notebooks even where no walls can be built around them.")
def grade(
    folder: Path,
    assignment: str | None,
    out: Path,
    jobs: int | None,
    *,
    rubric: Path | None,
    root: Path | None,
    fresh: bool,
    unsafe: bool,
    roster: Path | None,
    teams: str,
    deadline: str | None,
    extensions: Path | None,
    file_times: bool,
    database: str | None,
    log_file: Path | None,
    cluster: str | None,
) -> None:
    """Grade every notebook in FOLDER: a folder, one notebook, or an archive as a learning platform makes it.

    Each notebook is run, its functions are called on hidden inputs, and the answers are judged and
    scored with the rubric. Results: index.html (the course), grades.csv, grades.json, and for every
    submission a page of feedback. What was observed is kept, so a second run takes seconds. The gradebook is
    always that of all who have a result there: a late notebook joins it.
    """
    from grader.batch.grade_folder import Options, grade_folder  # noqa: PLC0415 -- keeps --help fast
    from grader.course.folder import assignment_of, find_root  # noqa: PLC0415

    if cluster and unsafe:
        raise click.UsageError("--unsafe is for this machine alone: a worker of --cluster must have walls")
    root = root or find_root(Path.cwd(), folder)
    name = assignment or (rubric.stem if rubric else assignment_of(folder, root))
    options = Options(
        rubric=rubric,
        fresh=fresh,
        unsafe=unsafe,
        roster=roster,
        database=database,
        log_file=log_file,
        cluster=cluster,
        deadline=deadline,
        extensions=extensions,
        teams=teams,
        file_times=file_times,
    )
    faults = grade_folder(folder, name, root, out, jobs or cores(), options)
    if faults:
        sys.exit(EXIT_FAULT)
