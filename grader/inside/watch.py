"""Measures what a whole box holds: the memory of all its processes, its sockets, the files that it wrote.

A limit on one process does not limit many. Where no control group counts the processes of a box together, the
warm parent measures it from outside, twice a second.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from .limits import DISK_MB, INODES, SOCKETS

BLOCK = 512
MAPS_BYTES = 16 << 20  # read of a box's /proc/PID/maps; a process with all modules has one of 0.2 MB
TOO_MUCH = (DISK_MB << 20) + 1


def processes_by_box(boxes: set[int]) -> dict[int, dict[int, int]]:
    """Return the processes of every box and the bytes of memory that each holds.

    A box is named by the process id of its waiter, and consists of the waiter's descendants. Shared memory
    counts for each process that maps it, as the kernel does not say to whom it belongs.
    """
    parents: dict[int, int] = {}
    held: dict[int, int] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError, KeyError):
                status = Path(f"/proc/{name}/status").read_text(errors="replace")
                lines = (line.partition(":") for line in status.splitlines())
                fields = {key: value for key, _, value in lines}
                parents[int(name)] = int(fields["PPid"])
                held[int(name)] = (_kilobytes(fields, "RssAnon") + _kilobytes(fields, "RssShmem")) << 10
    by_box: dict[int, dict[int, int]] = {box: {} for box in boxes}
    for pid, size in held.items():
        ancestor: int | None = pid
        while ancestor is not None and ancestor not in boxes:
            ancestor = parents.get(ancestor)
        if ancestor is not None:
            by_box[ancestor][pid] = size
    return by_box


def overfull(wires: str, directory: str, nameless: int = 0) -> bool:
    """Whether a box's directory of sockets, or its directory of files, holds more than it may.

    '' for a directory that needs no check. `nameless` are the bytes of files that were removed from the
    directory but are still open or mapped. A directory that cannot be read, as the box has closed it to us or
    nested it too deeply for a path or made a link to itself, counts as too much.
    """
    files: list[os.stat_result] = []
    waiting, seen = [directory] if directory else [], 0
    try:
        if wires and sum(1 for _ in _entries(wires)) > SOCKETS:
            return True
        while waiting and seen <= INODES:
            for entry in _entries(waiting.pop()):
                seen += 1
                with contextlib.suppress(FileNotFoundError):
                    files.append(entry.stat(follow_symlinks=False))
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
    except OSError as error:
        return error.errno in (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP)
    size = nameless + sum(entry.st_blocks * BLOCK for entry in files)
    return len(files) > INODES or size > DISK_MB << 20


def nameless_bytes(pids: Iterable[int], directory: str) -> int:
    """Return the bytes of removed files that processes hold open, or that they map from `directory`.

    A process that we may not inspect counts as nothing. If there are too many descriptors or mappings to read
    all of them, the result is TOO_MUCH.
    """
    sizes: dict[tuple[int, int], int] = {}
    descriptors = length = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for descriptor in _entries(f"/proc/{pid}/fd"):
                descriptors += 1
                with contextlib.suppress(OSError):
                    entry = descriptor.stat()
                    if stat.S_ISREG(entry.st_mode) and not entry.st_nlink:
                        sizes[entry.st_dev, entry.st_ino] = entry.st_blocks * BLOCK
        with contextlib.suppress(OSError), open(f"/proc/{pid}/maps", "rb") as file:  # noqa: PTH123
            maps = file.read(MAPS_BYTES - length)
            length += len(maps)
            for key, size in _mapped_without_name(maps, os.fsencode(directory)).items():
                sizes[key] = max(sizes.get(key, 0), size)
        if descriptors > INODES or length >= MAPS_BYTES:
            return TOO_MUCH
    return sum(sizes.values())


def _mapped_without_name(maps: bytes, directory: bytes) -> dict[tuple[int, int], int]:
    """Return the mapped bytes of each removed file of a directory, by device and inode.

    `maps` is the text of /proc/PID/maps, in bytes because a file name may be any bytes.
    """
    sizes: dict[tuple[int, int], int] = {}
    for line in maps.split(b"\n"):
        if line.endswith(b" (deleted)"):
            span, _, _, device, inode, path = line.split(maxsplit=5)
            if path.startswith(directory + b"/"):
                first, last = (int(address, 16) for address in span.split(b"-"))
                major, minor = (int(number, 16) for number in device.split(b":"))
                key = (os.makedev(major, minor), int(inode))
                sizes[key] = sizes.get(key, 0) + last - first
    return sizes


def _kilobytes(fields: dict[str, str], name: str) -> int:
    return int(fields.get(name, "0").split()[0])  # the line is absent once the process has ended


def _entries(directory: str) -> Iterator[os.DirEntry[str]]:
    """Yield the entries of a directory; none if it is gone, OSError if it cannot be read."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(directory) as entries:
        yield from entries
