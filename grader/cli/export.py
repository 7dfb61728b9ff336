"""`grader export`: the gradebook for a learning platform; `grader summary`: several assignments together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from grader.cli.open_results import Where, opened, results_options, row_of
from grader.cli.options import PATH
from grader.counted import counted, listed
from grader.errors import ResultsError, UsageError

AUTOGRADER = "gradescope-autograder"
SHOWN = 5
HELP = """Write the gradebook of a folder of results in a FORMAT, one row for each student.

\b
csv, xlsx, json       tables, with every question and what is pending
moodle                the grading worksheet of Moodle (--worksheet: the one that it handed out)
moodle-feedback       the pages of feedback, as a ZIP of feedback files
canvas                the gradebook of Canvas (--worksheet: the one that it exported)
canvas-feedback       the pages of feedback, as files in the names that Canvas knows
nbgrader              the CSV of nbgrader's exporter
feedback              the pages of feedback in a ZIP, named after the students
gradescope            results.json of one submission
gradescope-autograder the ZIP that makes grader an autograder of Gradescope (--assignment)

What is pending has no grade in a file for a platform, and a page on which something is pending is left out,
unless --partial is given.
"""


@click.command(short_help="Write the gradebook for a learning platform.", help=HELP)
@click.argument("format_name", metavar="FORMAT")
@click.option("-o", "--output", type=PATH, help="The file to write [default: one named after the format].")
@click.option("--worksheet", type=PATH, help="The table that the platform handed out, to be filled in.")
@click.option(
    "--column", default="", help="The heading of the column for the points, in the table of Canvas or Moodle."
)
@click.option("--partial", is_flag=True, help="Write points so far and unfinished pages too.")
@click.option("--student", help="Only this student: a name, number or e-mail address.")
@click.option("--root", type=PATH, help="For gradescope-autograder: the folder with rubrics/ and reference/.")
@results_options
def export(
    format_name: str,
    output: Path | None,
    worksheet: Path | None,
    column: str,
    *,
    student: str | None,
    root: Path | None,
    partial: bool,
    where: Where,
) -> None:
    """Write a gradebook."""
    from grader.gradebooks.book import load_book, what_to_do  # noqa: PLC0415 -- keeps --help fast
    from grader.gradebooks.formats import FORMATS  # noqa: PLC0415

    if format_name == AUTOGRADER:
        _write(output or Path(f"{AUTOGRADER}.zip"), _autograder(where.assignment, root))
        return
    if format_name not in FORMATS:
        raise UsageError(f"there is no format {format_name!r}; there are {', '.join((*FORMATS, AUTOGRADER))}")
    chosen = FORMATS[format_name]
    with opened(where) as results:
        book = load_book(results.store, results.assignment, where.out)
    book = replace(book, partial=partial, worksheet=worksheet, column=column)
    if student is not None:
        book = replace(book, rows=[row_of(student, book.rows)])
    data = chosen.write(book)
    _write(output or Path(chosen.file), data)
    unfinished = [row.student.shown for row in book.rows if not row.is_final]
    if unfinished and not chosen.is_pages:
        count = f"{len(unfinished)} of {counted(len(book.rows), 'student')} have no final points yet"
        empty = "" if not chosen.is_upload or partial else ", and no grade in the file"
        so_far = "; --partial writes the points so far" if empty else ""
        book.warned.append(f"{count}{empty}: {listed(unfinished, SHOWN)}. {what_to_do(where.out)}{so_far}")
    for words in book.warned:
        click.secho("warning: ", fg="red", bold=True, nl=False, err=True)
        click.echo(words, err=True)
    for words in book.told:
        click.echo(f"note: {words}", err=True)


def _autograder(assignment: str | None, root: Path | None) -> bytes:
    from grader.course.folder import assignment_of, find_root  # noqa: PLC0415
    from grader.gradebooks.gradescope_autograder import gradescope_autograder  # noqa: PLC0415

    root = root or find_root(Path.cwd(), Path.cwd())
    return gradescope_autograder(assignment or assignment_of(Path.cwd(), root), root)


@click.command(short_help="Several assignments together, with the weakest sheets dropped.")
@click.argument("folders", metavar="RESULTS...", type=PATH, nargs=-1, required=True)
@click.option("--drop-lowest", type=click.IntRange(0), default=0, help="How many sheets do not count.")
@click.option(
    "-o", "--output", type=PATH, default=Path("course.csv"), show_default=True, help=".csv or .xlsx"
)
def summary(folders: tuple[Path, ...], drop_lowest: int, output: Path) -> None:
    """Write a table of the points of each student in several folders of RESULTS, and their sum."""
    from grader.gradebooks import course_summary  # noqa: PLC0415 -- keeps --help fast
    from grader.gradebooks.book import Book, load_book  # noqa: PLC0415

    if drop_lowest >= len(folders):
        raise UsageError(f"--drop-lowest {drop_lowest}: there are {len(folders)} assignments")
    books: list[Book] = []
    for folder in folders:
        with opened(Where(folder)) as results:
            books.append(load_book(results.store, results.assignment, folder))
    names = [book.rubric.assignment for book in books]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"two folders hold results of {twice!r}")
    rows = course_summary.summarise(books, drop_lowest)
    table = course_summary.summary_table(books, rows)
    as_workbook = output.suffix.lower() == ".xlsx"
    _write(output, (course_summary.summary_xlsx if as_workbook else course_summary.summary_csv)(table))
    for words in course_summary.doubtful(rows, books):
        click.echo(f"note: {words}", err=True)


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror}") from error
    click.echo(str(path))
