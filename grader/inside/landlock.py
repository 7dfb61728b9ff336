"""Landlock: restricts which files this process and its children may read, execute and write, without root.

Where the kernel's version of Landlock offers it, there is also no TCP, no connection to abstract unix sockets
outside the box, and no signal to processes outside it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from .system import LANDLOCK_ADD, LANDLOCK_CREATE, LANDLOCK_RESTRICT, checked, syscall

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, MAKE_SOCK = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 9
MAKE_BLOCK = 1 << 11
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
FIRST_RIGHTS = (1 << 13) - 1
RIGHTS_SINCE = ((2, REFER), (3, TRUNCATE), (5, IOCTL_DEV))
NET_SINCE, SCOPE_SINCE = 4, 6
VERSION_FLAG = 1
PATH_BENEATH = 1


@dataclass(frozen=True)
class Rules:
    """The paths below which a right is given; a path that does not exist is left out."""

    read: tuple[str, ...] = ()
    execute: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    sockets: tuple[str, ...] = ()


def version() -> int:
    """Return the version of Landlock that the kernel offers, 0 if none."""
    return max(0, syscall(LANDLOCK_CREATE, None, ctypes.c_size_t(0), VERSION_FLAG))


def restrict(rules: Rules) -> int:
    """Restrict this thread and everything that it starts; return the version of Landlock used, 0 if none."""
    offered = version()
    if offered == 0:
        return 0
    handled = FIRST_RIGHTS | sum(right for since, right in RIGHTS_SINCE if offered >= since)
    fields = (handled, 3 if offered >= NET_SINCE else 0, 3 if offered >= SCOPE_SINCE else 0)
    size = 8 * (1 + (offered >= NET_SINCE) + (offered >= SCOPE_SINCE))
    attributes = struct.pack("3Q", *fields)
    ruleset = checked(
        syscall(LANDLOCK_CREATE, attributes, ctypes.c_size_t(size), 0), "landlock_create_ruleset"
    )
    reading = READ_FILE | READ_DIR
    _allow(ruleset, rules.read, reading)
    _allow(ruleset, rules.execute, reading | EXECUTE)
    _allow(ruleset, rules.write, handled & ~EXECUTE)
    _allow(ruleset, rules.sockets, reading | MAKE_SOCK)
    checked(syscall(LANDLOCK_RESTRICT, ruleset, 0), "landlock_restrict_self")
    os.close(ruleset)
    return offered


def separate() -> None:
    """Put a layer of its own around this process: it cannot look into processes that lack the layer.

    It forbids nothing else than what no box can do anyway: to make a device.
    """
    if version() == 0:
        return
    ruleset = checked(
        syscall(LANDLOCK_CREATE, struct.pack("Q", MAKE_BLOCK), ctypes.c_size_t(8), 0),
        "landlock_create_ruleset",
    )
    with contextlib.suppress(OSError):  # at most 16 layers
        checked(syscall(LANDLOCK_RESTRICT, ruleset, 0), "landlock_restrict_self")
    os.close(ruleset)


def _allow(ruleset: int, paths: Iterable[str], rights: int) -> None:
    """Add a rule for each path; a path that is no directory takes the rights of files alone."""
    for path in paths:
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        allowed = rights if os.path.isdir(path) else rights & FILE_RIGHTS  # noqa: PTH112
        rule = struct.pack("=Qi", allowed, fd)
        try:
            checked(syscall(LANDLOCK_ADD, ruleset, PATH_BENEATH, rule, 0), f"landlock_add_rule {path}")
        finally:
            os.close(fd)
