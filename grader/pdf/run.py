"""Runs a notebook before it is printed, on the student's own machine: it is their own code."""

from __future__ import annotations

import logging
import subprocess
from pathlib import Path
from typing import Any

import nbformat

from grader.errors import DocumentError, MissingPackageError

CELL_SECONDS = 600


def run_notebook(notebook: nbformat.NotebookNode, folder: Path) -> nbformat.NotebookNode:
    """Return the notebook with fresh outputs; a cell that fails does not end the run. Raise UsageError."""
    from jupyter_client.kernelspec import NoSuchKernel  # noqa: PLC0415 -- slow to import
    from nbclient import NotebookClient  # noqa: PLC0415
    from nbclient.exceptions import CellTimeoutError, DeadKernelError  # noqa: PLC0415

    quiet = logging.getLogger("grader.nbclient")
    client: Any = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        allow_errors=True,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
        log=quiet,
    )
    try:
        client.execute(stderr=subprocess.DEVNULL)  # what the kernel itself logs is of no use to a student
    except NoSuchKernel as error:
        raise MissingPackageError("no Python kernel is installed here; run: pip install ipykernel") from error
    except CellTimeoutError as error:
        raise DocumentError(f"a cell ran longer than {CELL_SECONDS} s; nothing was written") from error
    except DeadKernelError as error:
        raise DocumentError("the kernel ended while the notebook ran; nothing was written") from error
    return notebook
