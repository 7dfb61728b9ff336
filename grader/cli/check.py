"""`grader check`: a student checks a notebook at home."""

from __future__ import annotations

import shutil
import sys
import tempfile
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.options import PATH
from grader.errors import NotebookUnreadable, UsageError

if TYPE_CHECKING:  # heavy, and not needed for --help
    from grader.student.functions import NotebookFunctions
    from grader.student.hand_in import Obstacle
    from grader.student.kit import Kit


@click.command(short_help="Check a notebook on your own machine.")
@click.argument("notebook", type=PATH)
@click.option("-f", "--function", "only", multiple=True, help="Check this function alone; may be repeated.")
@click.option("--kit", "kit_path", type=PATH, help="The file *.checks.json [default: beside the notebook].")
@click.option("--run", is_flag=True, help="Run the notebook too, and say which cells fail.")
@click.option("--hand-in", is_flag=True, help="Say what the graders' run would trip over.")
def check(notebook: Path, only: tuple[str, ...], kit_path: Path | None, run: bool, hand_in: bool) -> None:
    """Make the public checks of the functions in NOTEBOOK, without running the notebook.

    The judge and the tolerances are those of the grading; the inputs are the public ones. With --hand-in, a
    copy is run from top to bottom in a fresh kernel. Exit code: 0 if all is well, 1 if something is not, 2
    if something could not be checked.
    """
    if hand_in:
        if only or run:
            raise UsageError("--hand-in looks at the whole notebook, and runs it: leave out -f and --run")
        sys.exit(_hand_in(notebook, kit_path))
    from grader.student.home import check_functions  # noqa: PLC0415 -- heavy
    from grader.student.kit import find_kit, read_kit  # noqa: PLC0415
    from grader.student.report_lines import exit_code, lines_of, summary  # noqa: PLC0415

    kit = read_kit(kit_path or find_kit(notebook.parent))
    names = _chosen(kit, only)
    functions = _functions(kit, notebook)
    failing = _run(kit, notebook) if run else 0
    reports, width, table = [], _width(), _table()
    for report in check_functions(kit, functions, names, limit=True):
        reports.append(report)
        click.echo("\n".join(lines_of(report, width, _paint)).translate(table))
    click.echo("\n" + summary(reports))
    sys.exit(exit_code(reports) or min(failing, 1))


def _run(kit: Kit, notebook: Path) -> int:
    """Run the notebook where it stands, and show the cells that fail; return how many do."""
    from grader.notebook.sources import read_named  # noqa: PLC0415
    from grader.student.fresh_run import obstacles, run_fresh  # noqa: PLC0415

    failures = run_fresh(read_named(notebook), notebook.resolve().parent, kit.cell_seconds)
    _show(obstacles(failures))
    if not failures:
        click.echo("Every cell runs, from top to bottom in a fresh kernel.")
    return len(failures)


def _hand_in(notebook: Path, kit_path: Path | None) -> int:
    """Show what the graders' run would trip over; return the exit code."""
    from grader.notebook.sources import code_sources, load_json, read_named  # noqa: PLC0415
    from grader.student.fresh_run import obstacles, run_fresh  # noqa: PLC0415
    from grader.student.hand_in import find_obstacles  # noqa: PLC0415
    from grader.student.kit import find_kit, read_kit  # noqa: PLC0415

    path = kit_path or find_kit(notebook.parent)
    kit, data = read_kit(path), read_named(notebook)
    try:
        content = load_json(data)
        code_sources(content)
    except NotebookUnreadable as error:
        raise UsageError(f"{notebook} cannot be checked: {error}") from error
    found = find_obstacles(notebook.name, len(data), content, kit)
    with tempfile.TemporaryDirectory() as folder:
        for name in kit.files:
            if (path.parent / name).is_file():
                shutil.copy(path.parent / name, folder)
        found += obstacles(run_fresh(data, Path(folder), kit.cell_seconds))
    _show(found)
    serious = sum(obstacle.serious for obstacle in found)
    click.echo(f"\n{serious} to mend, {len(found) - serious} to know." if found else "Ready to hand in.")
    return min(serious, 1)


def _show(found: list[Obstacle]) -> None:
    from grader.student.report_lines import obstacle_lines  # noqa: PLC0415

    for obstacle in sorted(found, key=lambda each: not each.serious):
        click.echo("\n".join(obstacle_lines(obstacle, _width(), _paint)).translate(_table()))


def _width() -> int:
    return min(shutil.get_terminal_size().columns, 100)


def _table() -> dict[int, Any]:
    """Return what to write for signs that the terminal cannot show."""
    from grader.student.report_lines import ASCII  # noqa: PLC0415

    return {} if _shows("✓") else ASCII


def _functions(kit: Kit, notebook: Path) -> NotebookFunctions:
    from grader.notebook.cells import read_sources  # noqa: PLC0415
    from grader.notebook.sources import code_sources, load_json, read_named  # noqa: PLC0415
    from grader.student.functions import NotebookFunctions  # noqa: PLC0415

    try:
        sources = code_sources(load_json(read_named(notebook)))
    except NotebookUnreadable as error:
        raise UsageError(f"{notebook} cannot be checked: {error}") from error
    return NotebookFunctions(read_sources(sources), kit.functions)


def _chosen(kit: Kit, only: tuple[str, ...]) -> list[str]:
    """Return the functions to check; raise UsageError for a name that is none of the kit's."""
    for name in only:
        if name not in kit.functions:
            near = get_close_matches(name, kit.functions, 1, 0.5)
            known = f"did you mean {near[0]}?" if near else f"there are: {', '.join(kit.functions)}"
            raise UsageError(f"{kit.title} has no function {name!r}; {known}")
    return list(dict.fromkeys(only)) or list(kit.functions)


def _paint(text: str, style: str) -> str:
    return click.style(text, bold=True) if style == "bold" else click.style(text, fg=style)


def _shows(text: str) -> bool:
    """Whether the terminal can show a character; one on Windows may not."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
