"""A Jupyter kernel with limits on itself: memory, the size of files, no core dumps, no history.

Time is not limited here but outside, where the notebook is driven.
"""

from __future__ import annotations

import contextlib
import resource
import sys


def main() -> None:
    """Start the kernel: arguments are the megabytes that it may add, then ipykernel's own."""
    memory_mb, arguments = int(sys.argv[1]), sys.argv[2:]
    from ipykernel.kernelapp import IPKernelApp  # noqa: PLC0415 -- before the limit, so as not to count

    _limit(memory_mb)
    IPKernelApp.launch_instance(argv=[*arguments, "--HistoryManager.enabled=False"])


def _limit(memory_mb: int) -> None:
    with contextlib.suppress(OSError, ValueError):
        pages = int(open("/proc/self/statm").read().split()[0])  # noqa: SIM115, PTH123
        space = pages * resource.getpagesize() + (memory_mb << 20)
        resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (256 << 20, 256 << 20))
