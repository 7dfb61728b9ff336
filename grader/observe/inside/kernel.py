"""A Jupyter kernel with limits on itself: memory, the size of files, no core dumps, no history.

Time is not limited here but outside, where the notebook is driven. How to reach the driver comes in the
environment, and is taken out of it before any cell runs.
"""

from __future__ import annotations

import contextlib
import os
import resource
import sys
from pathlib import Path


def main() -> None:
    """Start the kernel; the argument is the number of megabytes that it may add to what it has."""
    memory_mb = int(sys.argv[1])
    from ipykernel.kernelapp import IPKernelApp  # noqa: PLC0415 -- before the limit, so as not to count

    connection = Path(os.environ["HOME"]) / ".connection.json"
    connection.write_text(os.environ.pop("GRADER_CONNECTION"))
    _limit(memory_mb)
    IPKernelApp.launch_instance(argv=["-f", str(connection), "--HistoryManager.enabled=False"])


def _limit(memory_mb: int) -> None:
    with contextlib.suppress(OSError, ValueError):
        pages = int(open("/proc/self/statm").read().split()[0])  # noqa: SIM115, PTH123
        space = pages * resource.getpagesize() + (memory_mb << 20)
        resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_FSIZE, (256 << 20, 256 << 20))
