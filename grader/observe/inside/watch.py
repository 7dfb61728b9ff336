"""What a box holds as a whole: memory of all its processes, sockets and files where it may write.

Limits on a process are no limit on many; where the kernel does not count a box as one, it is looked at twice
a second from outside.
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
MAPS_BYTES = 16 << 20  # of the lists of a box's mappings; one process of a full stack has a list of 0.2 MB
TOO_MUCH = (DISK_MB << 20) + 1


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
    What a box made impossible to count, by modes, by depth or by a link to itself, is too much.
    """
    try:
        if wires and sum(1 for _ in _entries(wires)) > SOCKETS:
            return True
        files = list(_tree(directory)) if directory else []
    except OSError as error:
        return error.errno in (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP)
    size = nameless + sum(entry.st_blocks * BLOCK for entry in files)
    return len(files) > INODES or size > DISK_MB << 20


def nameless_bytes(pids: Iterable[int], directory: str) -> int:
    """Return the bytes of files without a name that processes hold open, or map from `directory`.

    A process into which this one may not look counts nothing. Where there are more descriptors or mappings
    than are looked at, the bytes are TOO_MUCH.
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
    """Return the bytes that are mapped of each removed file of a directory; its name may be any bytes."""
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


def _status(pid: str) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
    return {name: value for name, _, value in (line.partition(":") for line in lines)}


def _kilobytes(fields: dict[str, str], name: str) -> int:
    return int(fields.get(name, "0").split()[0])  # a process that has ended has no such line


def _entries(directory: str) -> Iterator[os.DirEntry[str]]:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(directory) as found:
        yield from found


def _tree(directory: str) -> Iterator[os.stat_result]:
    """Yield what is known of every file below a directory; raise OSError for what cannot be seen."""
    waiting, seen = [directory], 0
    while waiting and seen <= INODES:
        for entry in _entries(waiting.pop()):
            seen += 1
            with contextlib.suppress(FileNotFoundError):
                yield entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
