"""A Jupyter kernel with limits on itself: memory, the size of files, no core dumps, no history.

Time is not limited here but outside, where the notebook is driven. How to reach the driver comes in the
environment, and is taken out of it before any cell runs.

Two things that a kernel started by Jupyter does of itself have to be done here: figures are shown inline
although matplotlib was imported before there was a shell, and `!command` does without a terminal, which
the box has none of.
"""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Start the kernel; the argument is the number of megabytes that it may add to what it has."""
    memory_mb = int(sys.argv[1])
    from ipykernel.kernelapp import IPKernelApp  # noqa: PLC0415 -- before the limit, so as not to count

    connection = Path(os.environ["HOME"]) / ".connection.json"
    connection.write_text(os.environ.pop("GRADER_CONNECTION"))
    os.environ["PIP_RETRIES"] = "0"  # there is no network: say so at once
    _limit(memory_mb)
    application: Any = IPKernelApp.instance()
    application.initialize(["-f", str(connection), "--HistoryManager.enabled=False"])
    connection.unlink()
    _prepare(application.shell)
    application.start()


def _prepare(shell: Any) -> None:
    """Let figures be displayed under the cells, and commands run without a terminal."""
    if "matplotlib.pyplot" in sys.modules:  # imported too early to have seen which backend to use
        shell.enable_matplotlib("inline")
    shell.system = lambda command: _system(shell, command)


def _system(shell: Any, command: str) -> None:
    """Run a shell command and print what it prints, as it comes."""
    started = subprocess.Popen(  # noqa: S602 -- what `!command` is for; the walls stand around it
        shell.var_expand(command, depth=1),
        shell=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    with started:
        for line in started.stdout or ():
            print(line, end="")
    shell.user_ns["_exit_code"] = started.returncode


def _limit(memory_mb: int) -> None:
    with contextlib.suppress(OSError, ValueError):
        pages = int(open("/proc/self/statm").read().split()[0])  # noqa: SIM115, PTH123
        space = pages * resource.getpagesize() + (memory_mb << 20)
        resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_FSIZE, (256 << 20, 256 << 20))
