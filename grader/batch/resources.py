"""How many workers this machine can carry: each needs open files and memory."""

from __future__ import annotations

import contextlib
import sys

import psutil

from grader.observe.control_groups import free_memory

if sys.platform != "win32":
    import resource

FILES, FILES_EACH = 48, 16  # open files of a batch, and of each of its workers
MEMORY, MEMORY_EACH = 768 << 20, 192 << 20  # bytes
MOST_FILES = 1 << 16


def possible_workers(wanted: int) -> tuple[int, list[str]]:
    """Return how many workers of those wanted can work here, at least one, and what keeps the others away."""
    workers, told = wanted, []
    files = open_files()
    if files is not None and FILES + wanted * FILES_EACH > files:
        workers = max(1, (files - FILES) // FILES_EACH)
        told.append(
            f"{_counted(workers)} in place of {wanted}: this process may have {files} files open; "
            f"`ulimit -n {FILES + wanted * FILES_EACH}` allows enough"
        )
    memory = psutil.virtual_memory().available
    of_groups = free_memory()  # in a container, less than the machine has
    memory = memory if of_groups is None else min(memory, of_groups)
    if MEMORY + workers * MEMORY_EACH > memory:
        fewer = max(1, (memory - MEMORY) // MEMORY_EACH)
        if fewer < workers:
            told.append(
                f"{_counted(fewer)} in place of {workers}: {memory >> 20} MB of memory are free; each worker "
                f"takes about {MEMORY_EACH >> 20} MB, and what all share {MEMORY >> 20} MB"
            )
            workers = fewer
    return workers, told


def open_files() -> int | None:
    """Return how many files this process may have open, after asking for more; None if there is no limit."""
    if sys.platform == "win32":
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if soft == resource.RLIM_INFINITY else soft


def _counted(workers: int) -> str:
    return "1 worker" if workers == 1 else f"{workers} workers"
