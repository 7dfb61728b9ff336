"""A Jupyter kernel that limits itself: memory, the size of files, no core dumps, no history.

Time is limited from outside, by the grader. The connection to the grader is described in an environment
variable, which is removed before any cell runs.

Two things differ from a kernel that Jupyter starts, and are corrected here. matplotlib was imported before
there was a shell, so it does not know that figures are to be shown inline. The box has no terminal, so
`!command` must run without one.
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
    """Start the kernel; the argument is the number of megabytes that it may allocate beyond what it has."""
    memory_mb = int(sys.argv[1])
    from ipykernel.kernelapp import IPKernelApp  # noqa: PLC0415 -- its memory does not count towards the limit

    connection = Path(os.environ["HOME"]) / ".connection.json"
    connection.write_text(os.environ.pop("GRADER_CONNECTION"))
    os.environ["PIP_RETRIES"] = "0"  # there is no network: pip shall fail at once
    with contextlib.suppress(OSError, ValueError):
        pages = int(open("/proc/self/statm").read().split()[0])  # noqa: SIM115, PTH123
        space = pages * resource.getpagesize() + (memory_mb << 20)
        resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_FSIZE, (256 << 20, 256 << 20))
    application: Any = IPKernelApp.instance()
    application.initialize(["-f", str(connection), "--HistoryManager.enabled=False"])
    connection.unlink()
    shell = application.shell
    if "matplotlib.pyplot" in sys.modules:
        shell.enable_matplotlib("inline")
    shell.system = lambda command: _run_command(shell, command)
    application.start()


def _run_command(shell: Any, command: str) -> None:
    """Run a shell command (`!command`) and print each line of its output when it arrives."""
    started = subprocess.Popen(  # noqa: S602 -- `!command` asks for a shell; the box is around it
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
