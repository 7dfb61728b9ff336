"""`grader derivation`: checks a derivation line by line, of a notebook or of a Markdown file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.exit_codes import EXIT_NO
from grader.cli.options import PATH
from grader.errors import DocumentError, MissingPackageError, NotebookUnreadable, UsageError
from grader.project import quoted

if TYPE_CHECKING:  # heavy, and not needed for --help
    from grader.derivation.judge import Report

MARKS = {"holds": ("✓", "green"), "fails": ("✗", "red"), "not_checked": ("?", "yellow")}
LONGEST = 60  # characters of a side on the terminal


@click.command(short_help="Check a derivation line by line.")
@click.argument("document", type=PATH)
@click.option("--assignment", help="The assignment [default: by the folder, or the only one].")
@click.option("--question", required=True, help="The question whose derivation it is.")
@click.option(
    "--meaning", type=PATH, help="The file that says what the symbols are [default: the question's]."
)
@click.option("--cell", type=click.IntRange(1), help="The number of the notebook's cell, from 1.")
@click.option("--root", type=PATH, help="The course's folder, which holds reference/.")
@click.option("--seed", default=0, show_default=True, help="Draws other random numbers.")
@click.option("--json", "as_data", is_flag=True, help="Print one JSON object.")
def derivation(
    document: Path,
    assignment: str | None,
    question: str,
    meaning: Path | None,
    cell: int | None,
    root: Path | None,
    seed: int,
    as_data: bool,
) -> None:
    """Test every equality of a derivation in DOCUMENT, a notebook or a Markdown file, on random numbers.

    A step holds, fails, or is not checked; what cannot be read is not checked, never guessed. Lines count
    from the beginning of the file, or of the notebook's cell: the one whose metadata name the question, or
    the only one with an equality in it, or that of --cell. Exit code: 0 if every step that is checked
    holds and the result is reached, 1 if not.
    """
    try:
        from grader.course.folder import assignment_of, find_root  # noqa: PLC0415 -- keeps --help fast
        from grader.derivation.judge import judge_derivation  # noqa: PLC0415
        from grader.derivation.meaning import load_task, read_task  # noqa: PLC0415
        from grader.derivation.tree import DerivationError  # noqa: PLC0415

        import_tokenizer()
    except ImportError as error:
        raise MissingPackageError(
            f"checking a derivation needs the package {error.name}: pip install {quoted('derivation')}"
        ) from error
    if meaning is None:
        folder = root.resolve() if root else find_root(document.resolve().parent, Path.cwd())
        task = load_task(folder, assignment or assignment_of(document, folder), question)
    else:
        task = read_task(meaning)
    text = read_answer(document, question, cell)
    try:
        report = judge_derivation(text, task, seed)
    except DerivationError as error:
        raise DocumentError(f"{document} cannot be checked: {error}") from error
    if as_data:
        click.echo(json.dumps(as_json(report), ensure_ascii=False))
    else:
        show_report(report)
    if not report.goal.target_reached or any(step.verdict == "fails" for step in report.steps):
        sys.exit(EXIT_NO)


def import_tokenizer() -> None:
    """Raise ImportError if a package is missing that is imported where it is used."""
    import pylatexenc.latexwalker  # noqa: F401, PLC0415
    import yaml  # noqa: F401, PLC0415


def read_answer(path: Path, question: str, number: int | None = None) -> str:
    """Return the text of a Markdown file, or of the cells of a notebook that answer a question."""
    from grader.derivation.formulas import find_formulas  # noqa: PLC0415
    from grader.notebook.answer_cells import AnswerCells  # noqa: PLC0415
    from grader.notebook.sources import joined, load_json, read_named  # noqa: PLC0415

    data = read_named(path)
    if path.suffix != ".ipynb":
        return data.decode("utf-8-sig", "replace").replace("\r\n", "\n")
    try:
        cells = load_json(data).get("cells")
    except NotebookUnreadable as error:
        raise DocumentError(f"{path} cannot be checked: {error}") from error
    cells = cells if isinstance(cells, list) else []
    texts = {
        at: joined(cell)
        for at, cell in enumerate(cells, 1)
        if isinstance(cell, dict) and cell.get("cell_type") == "markdown"
    }
    if number is not None:
        if number not in texts:
            raise UsageError(f"cell {number} of {path} is no Markdown cell")
        return texts[number]
    text = AnswerCells(cells, (), [question]).text(question)
    if text is not None:
        return text
    stated = [
        at
        for at, each in texts.items()
        if any(piece.kind != "prose" and "=" in piece.text for piece in find_formulas(each))
    ]
    if len(stated) == 1:
        return texts[stated[0]]
    numbers = (
        f"cells with an equality: {', '.join(map(str, stated))}" if stated else "no cell has an equality"
    )
    raise UsageError(
        f"no cell of {path} answers {question} by its metadata ({numbers}); name the cell with --cell"
    )


def as_json(report: Report) -> dict[str, object]:
    """Return a report as plain data."""
    return {
        "steps": [
            {
                "line": step.line,
                "left": step.left,
                "right": step.right,
                "verdict": step.verdict,
                "reason": step.reason,
                "rule": step.rule,
            }
            for step in report.steps
        ],
        "starts_right": report.goal.starts_right,
        "target_reached": report.goal.target_reached,
        "remarks": list(report.goal.remarks),
    }


def show_report(report: Report) -> None:
    """Print a line for each step, then what is to say of the whole."""
    for step in report.steps:
        mark, colour = MARKS[step.verdict]
        right = f" = {_short(step.right)}" if step.right else ""
        click.echo(f"{click.style(mark, fg=colour)} line {step.line}: {_short(step.left)}{right}")
        if step.rule:
            click.echo(f"      {step.rule}")
        if step.reason:
            click.echo(f"      {step.reason}")
    for remark in report.goal.remarks:
        click.echo(remark)
    counts = {verdict: sum(step.verdict == verdict for step in report.steps) for verdict in MARKS}
    ending = "the result is reached" if report.goal.target_reached else "the result is not reached"
    click.echo(
        f"{counts['holds']} steps hold, {counts['fails']} fail, {counts['not_checked']} are not checked; "
        + ending
    )


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
