"""`grader check`: a student checks a notebook at home."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.options import PATH
from grader.errors import DocumentError, NotebookUnreadable, UsageError

if TYPE_CHECKING:  # heavy, and not needed for --help
    from grader.notebook.cells import Code
    from grader.student.hand_in import Obstacle


WATCH_SECONDS = 0.5  # between two looks at the files


@click.command(short_help="Check a notebook on your own machine.")
@click.argument("notebook", type=PATH)
@click.option(
    "-f",
    "--function",
    "only",
    multiple=True,
    help="Check this function or derivation alone; may be repeated.",
)
@click.option(
    "--kit",
    "kit_path",
    type=PATH,
    help="The folder or the file *.checks.json [default: found near the notebook].",
)
@click.option("--run", is_flag=True, help="Run the notebook too, and say which cells fail.")
@click.option("--hand-in", is_flag=True, help="Say what would go wrong in the graders' run.")
@click.option("--watch", is_flag=True, help="Check again whenever the notebook is saved; Ctrl-C ends it.")
def check(
    notebook: Path, only: tuple[str, ...], kit_path: Path | None, run: bool, hand_in: bool, watch: bool
) -> None:
    """Make the public checks of the functions and derivations in NOTEBOOK, without running the notebook.

    The judge and the tolerances are those of the grading; the inputs are the public ones. With --hand-in, a
    copy is run from top to bottom in a fresh kernel. Exit code: 0 if all is well, 1 if something is not, 2
    if something could not be checked.
    """
    if hand_in:
        if only or run or watch:
            raise UsageError(
                "--hand-in looks at the whole notebook, and runs it: leave out -f, --run, --watch"
            )
        sys.exit(_hand_in(notebook, kit_path))
    if not watch:
        sys.exit(_check(notebook, only, kit_path, run=run))
    for _ in _saved(notebook):
        try:
            _check(notebook, only, kit_path, run=run)
        except (DocumentError, UsageError) as error:  # it may be right when it is saved again
            click.echo(f"error: {error}", err=True)
        click.echo(f"\n{datetime.now():%H:%M:%S}  waiting for {notebook.name} to be saved; Ctrl-C ends it.")


def _check(notebook: Path, only: tuple[str, ...], kit_path: Path | None, *, run: bool) -> int:
    """Check the functions of a notebook as it is saved now; return the exit code."""
    from grader.notebook.cells import read_sources  # noqa: PLC0415 -- keeps --help fast
    from grader.notebook.sources import code_sources, text_sources  # noqa: PLC0415
    from grader.student.answers_at_home import check_answers  # noqa: PLC0415
    from grader.student.checker import check_functions  # noqa: PLC0415
    from grader.student.fresh_run import obstacles, run_fresh  # noqa: PLC0415
    from grader.student.functions import NotebookFunctions  # noqa: PLC0415
    from grader.student.kit import find_kit, read_kit  # noqa: PLC0415
    from grader.student.report_lines import exit_code, lines_of, summary  # noqa: PLC0415
    from grader.student.worker import way_here  # noqa: PLC0415

    data, content = _read_notebook(notebook)
    kit = read_kit(find_kit(notebook.parent, Path.cwd(), given=kit_path))
    wanted = [name for name in only if name not in kit.answers]
    names = list(dict.fromkeys(kit.function(name).name for name in wanted))
    answers = [name for name in dict.fromkeys(only) if name in kit.answers]
    if not only:
        names, answers = list(kit.functions), list(kit.answers)
    folder = notebook.resolve().parent
    modules = _read_modules(folder)
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))  # for what the notebook imports from them
    code = read_sources(code_sources(content), text_sources(content))
    functions = NotebookFunctions(code, kit.functions, modules)
    failures = []
    if run:
        failures = run_fresh(data, folder, kit.cell_seconds)
        _show(obstacles(failures))
        if not failures:
            click.echo("Every cell runs, from top to bottom in a fresh kernel.")
    reports, width, table = [], _width(), _ascii_table()
    for report in check_functions(kit, functions, names, way_here()):
        reports.append(report)
        click.echo("\n".join(lines_of(report, width, _paint)).translate(table))
    if reports:
        click.echo("\n" + summary(reports))
    for report in check_answers(kit, content, answers):
        reports.append(report)
        click.echo("\n".join(lines_of(report, width, _paint)).translate(table))
    return exit_code(reports) or (1 if failures else 0)


def _saved(notebook: Path) -> Iterator[None]:
    """Yield at once, and whenever the notebook or a Python file beside it has changed."""
    seen: object = None
    while True:
        files = [notebook, *sorted(notebook.parent.glob("*.py"))]
        now = [(path, path.stat().st_mtime_ns, path.stat().st_size) for path in files if path.is_file()]
        if now != seen:
            seen = now
            yield
        time.sleep(WATCH_SECONDS)


def _hand_in(notebook: Path, kit_path: Path | None) -> int:
    """Show what would go wrong in the graders' run; return the exit code."""
    from grader.notebook.sources import modules_in  # noqa: PLC0415
    from grader.student.fresh_run import obstacles, run_fresh  # noqa: PLC0415
    from grader.student.hand_in import find_obstacles  # noqa: PLC0415
    from grader.student.kit import find_kit, read_kit  # noqa: PLC0415

    data, content = _read_notebook(notebook)
    path = find_kit(notebook.parent, Path.cwd(), given=kit_path)
    kit = read_kit(path)
    own = notebook.resolve().parent
    found = find_obstacles(notebook.name, len(data), content, kit, _read_modules(own))
    # A copy runs beside the files of the kit and what may be handed in, as in the grading.
    with tempfile.TemporaryDirectory() as folder:
        for module in modules_in(own):
            shutil.copy(module, folder)
        for name in kit.files:
            if (path.parent / name).is_file():
                shutil.copy(path.parent / name, folder)
        found += obstacles(run_fresh(data, Path(folder), kit.cell_seconds))
    _show(found)
    serious = sum(obstacle.serious for obstacle in found)
    click.echo(f"\n{serious} to mend, {len(found) - serious} to know." if found else "Ready to hand in.")
    return min(serious, 1)


def _read_notebook(path: Path) -> tuple[bytes, dict[str, Any]]:
    """Return a notebook as bytes and as its JSON content; raise DocumentError if its cells cannot be read."""
    from grader.notebook.sources import code_sources, load_json, read_named  # noqa: PLC0415

    data = read_named(path)
    try:
        content = load_json(data)
        code_sources(content)
    except NotebookUnreadable as error:
        raise DocumentError(f"{path} cannot be checked: {error}") from error
    return data, content


def _read_modules(folder: Path) -> dict[str, Code]:
    """Return the code of the Python files in a folder; raise DocumentError if one cannot be read."""
    from grader.notebook.cells import read_sources  # noqa: PLC0415
    from grader.notebook.sources import MAX_MODULE, modules_in, read_bytes  # noqa: PLC0415

    modules = {}
    for path in modules_in(folder):
        try:
            text = read_bytes(path, MAX_MODULE).decode("utf-8-sig", "replace")
        except (OSError, NotebookUnreadable) as error:
            raise DocumentError(f"{path} cannot be read: {error}") from error
        modules[path.name] = read_sources([text])
    return modules


def _show(found: list[Obstacle]) -> None:
    """Print obstacles, the serious ones first."""
    from grader.student.report_lines import obstacle_lines  # noqa: PLC0415

    for obstacle in sorted(found, key=lambda each: not each.serious):
        click.echo("\n".join(obstacle_lines(obstacle, _width(), _paint)).translate(_ascii_table()))


def _width() -> int:
    return min(shutil.get_terminal_size().columns, 100)


def _ascii_table() -> dict[int, Any]:
    """Return ASCII replacements for str.translate, empty if the terminal can show other characters."""
    from grader.student.report_lines import ASCII  # noqa: PLC0415

    try:
        "✓".encode(sys.stdout.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):  # on Windows
        return ASCII
    return {}


def _paint(text: str, style: str) -> str:
    return click.style(text, bold=True) if style == "bold" else click.style(text, fg=style)
