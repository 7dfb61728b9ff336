"""What a box holds as a whole: memory of all its processes, sockets and files where it may write.

Limits on a process are no limit on many; where the kernel does not count a box as one, it is looked at twice
a second from outside.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from .limits import DISK_MB, INODES, SOCKETS

BLOCK = 512


def processes_by_box(boxes: set[int]) -> dict[int, dict[int, int]]:
    """Return the processes of every box, all descendants of its waiter, with the bytes of memory of each.

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
    found: dict[int, dict[int, int]] = {box: {} for box in boxes}
    for pid, size in held.items():
        ancestor: int | None = pid
        while ancestor is not None and ancestor not in boxes:
            ancestor = parents.get(ancestor)
        if ancestor is not None:
            found[ancestor][pid] = size
    return found


def overfull(wires: str, directory: str, nameless: int = 0) -> bool:
    """Whether a directory of sockets, or one of files that no file system limits, holds too much.

    `nameless` are the bytes of files that were in the directory, have no name any more and are still held.
    """
    if wires and sum(1 for _ in _entries(wires)) > SOCKETS:
        return True
    files = list(_tree(directory)) if directory else []
    size = nameless + sum(entry.st_blocks * BLOCK for entry in files)
    return len(files) > INODES or size > DISK_MB << 20


def nameless_bytes(pids: Iterable[int], directory: str) -> int:
    """Return the bytes of files without a name that processes hold open, or mapped from `directory`.

    A process into which this one may not look counts nothing.
    """
    sizes: dict[tuple[int, int], int] = {}
    for pid in pids:
        for descriptor in _entries(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                entry = descriptor.stat()
                if stat.S_ISREG(entry.st_mode) and not entry.st_nlink:
                    sizes[entry.st_dev, entry.st_ino] = entry.st_blocks * BLOCK
        for key, size in _mapped_without_name(pid, directory).items():
            sizes[key] = max(sizes.get(key, 0), size)
    return sum(sizes.values())


def _mapped_without_name(pid: int, directory: str) -> dict[tuple[int, int], int]:
    """Return the bytes that a process maps of each file of a directory that was removed."""
    sizes: dict[tuple[int, int], int] = {}
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/maps").read_text(errors="replace").splitlines():
            span, _, _, device, inode, *path = line.split(maxsplit=5)
            if path and path[0].startswith(f"{directory}/") and path[0].endswith(" (deleted)"):
                first, last = (int(address, 16) for address in span.split("-"))
                major, minor = (int(number, 16) for number in device.split(":"))
                key = (os.makedev(major, minor), int(inode))
                sizes[key] = sizes.get(key, 0) + last - first
    return sizes


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
