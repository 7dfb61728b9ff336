"""Runs a student's notebook from top to bottom in a fresh kernel, on their own machine.

It needs nbclient and ipykernel, which come with JupyterLab but not with grader. They are imported only when
a notebook is run, so that the other checks work without them.
"""

from __future__ import annotations

import logging
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.errors import DocumentError, MissingPackageError
from grader.student.hand_in import Obstacle

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
MAX_SHOWN = 5
OTHER_ADVICE = "Restart the kernel and run all cells to see it."
ADVICE = {
    "NotImplementedError": "A function that it calls is still as it was handed out.",
    "FileNotFoundError": "Only the files of the kit are there; read them by their name, without a folder.",
    "ModuleNotFoundError": "The graders may lack it too; do without it.",
    "NameError": "What it uses was made in a cell that stands below, or was deleted.",
    "KeyboardInterrupt": "It took longer than the graders' run allows one cell.",
}


@dataclass(frozen=True)
class Failure:
    """A code cell that raised an error; `cell` counts the code cells from 1."""

    cell: int
    error: str
    message: str


def run_fresh(data: bytes, folder: Path, cell_seconds: float) -> list[Failure]:
    """Return the cells that fail, in order; a failing cell does not stop the next ones.

    Raises UsageError if there is nothing to run notebooks with, or the kernel dies.
    """
    try:
        import nbformat  # noqa: PLC0415 -- not a dependency of grader
        from jupyter_client.kernelspec import NoSuchKernel  # noqa: PLC0415
        from nbclient import NotebookClient  # noqa: PLC0415
        from nbclient.exceptions import CellTimeoutError, DeadKernelError  # noqa: PLC0415
    except ImportError as error:
        raise MissingPackageError(
            f"to run a notebook, {error.name} is needed; run: pip install nbclient ipykernel"
        ) from error
    notebook = nbformat.reads(data.decode("utf-8-sig"), as_version=4)
    client: Any = NotebookClient(
        notebook,
        timeout=round(cell_seconds) or 1,
        interrupt_on_timeout=True,
        kernel_name="python3",
        allow_errors=True,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
        log=logging.getLogger("grader.nbclient"),
    )
    try:
        client.execute(stderr=subprocess.DEVNULL)
    except NoSuchKernel as error:
        raise MissingPackageError("no Python kernel is installed here; run: pip install ipykernel") from error
    except (CellTimeoutError, DeadKernelError) as error:
        raise DocumentError(
            "the kernel ended while the notebook ran; does a cell use too much memory?"
        ) from error
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [
        Failure(number, output.ename, ANSI.sub("", output.evalue)[:200])
        for number, cell in enumerate(cells, 1)
        for output in cell.outputs
        if output.output_type == "error" and output.ename != "SyntaxError"  # find_obstacles reports it
    ]


def obstacles(failures: list[Failure]) -> list[Obstacle]:
    """Return the failed cells as obstacles: the first few one by one, the rest as a number."""
    result = []
    for failure in failures[:MAX_SHOWN]:
        error = f"{failure.error}: {failure.message}" if failure.message else failure.error
        message = f"Code cell {failure.cell} fails in a fresh kernel: {error}"
        result.append(Obstacle(message, ADVICE.get(failure.error, OTHER_ADVICE)))
    if len(failures) > MAX_SHOWN:
        result.append(Obstacle(f"{len(failures) - MAX_SHOWN} more cells fail.", "Mend the first ones first."))
    return result
