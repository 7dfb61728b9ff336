"""What a box holds as a whole: memory of all its processes, sockets and files where it may write.

Limits on a process are no limit on many; where the kernel does not count a box as one, it is looked at twice
a second from outside.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from .limits import DISK_MB, INODES, SOCKETS

BLOCK = 512


def memory_by_box(boxes: set[int]) -> dict[int, int]:
    """Return the bytes of memory of every box: of all descendants of its waiter.

    Shared memory counts for each process that maps it: it would belong to none otherwise.
    """
    parents: dict[int, int] = {}
    held: dict[int, int] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError, KeyError):
                fields = _status(name)
                parents[int(name)] = int(fields["PPid"])
                held[int(name)] = (_kilobytes(fields, "RssAnon") + _kilobytes(fields, "RssShmem")) << 10
    totals: dict[int, int] = dict.fromkeys(boxes, 0)
    for pid, size in held.items():
        ancestor: int | None = pid
        while ancestor is not None and ancestor not in boxes:
            ancestor = parents.get(ancestor)
        if ancestor is not None:
            totals[ancestor] += size
    return totals


def overfull(wires: str, directory: str) -> bool:
    """Whether a directory of sockets, or one of files that no file system limits, holds too much."""
    if wires and sum(1 for _ in _entries(wires)) > SOCKETS:
        return True
    files = list(_tree(directory)) if directory else []
    size = sum(entry.st_blocks * BLOCK for entry in files)
    return len(files) > INODES or size > DISK_MB << 20


def _status(pid: str) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
    return {name: value for name, _, value in (line.partition(":") for line in lines)}


def _kilobytes(fields: dict[str, str], name: str) -> int:
    return int(fields.get(name, "0").split()[0])  # a process that has ended has no such line


def _entries(directory: str) -> Iterator[os.DirEntry[str]]:
    with contextlib.suppress(OSError), os.scandir(directory) as found:
        yield from found


def _tree(directory: str) -> Iterator[os.stat_result]:
    """Yield what is known of every file below a directory, as far as it can be seen."""
    waiting, seen = [directory], 0
    while waiting and seen <= INODES:
        for entry in _entries(waiting.pop()):
            seen += 1
            with contextlib.suppress(OSError):
                yield entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
