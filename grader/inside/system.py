"""The system calls that the standard library does not offer, by ctypes; Linux on x86_64 and aarch64."""

from __future__ import annotations

import ctypes
import os
import platform
import struct

_LIBC = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP = 1, 4, 22, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 36, 38, 39, 47
SECCOMP_MODE_FILTER = 2
CAP_KILL, CAP_SETGID, CAP_SETUID = 5, 6, 7
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446  # the same on every architecture
MACHINE = {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine())


def checked(result: int, what: str) -> int:
    """Return a system call's result; raise OSError naming the call if it failed."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(number: int, *arguments: object) -> int:
    """Make a system call by number; returns -1 and sets errno on failure."""
    return int(_LIBC.syscall(ctypes.c_long(number), *arguments))


def prctl(option: int, *arguments: int) -> int:
    """Make a prctl call; raise OSError if it fails."""
    values = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    return checked(_LIBC.prctl(option, *values), f"prctl {option}")


def unshare(flags: int) -> None:
    """Move this process into new namespaces."""
    checked(_LIBC.unshare(flags), "unshare")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount `source` on `target`."""
    texts = [text.encode() if text else None for text in (source, target, kind)]
    data = options.encode() if options else None
    checked(_LIBC.mount(*texts, ctypes.c_ulong(flags), data), f"mount {kind or source} on {target}")


def unmount(target: str) -> None:
    """Detach what is mounted on `target`."""
    checked(_LIBC.umount2(target.encode(), MNT_DETACH), f"umount {target}")


def pivot_root(new: str, old: str) -> None:
    """Make `new` the root of this mount namespace and put the old one at `old`."""
    checked(syscall(PIVOT_ROOT[MACHINE], new.encode(), old.encode()), "pivot_root")


def set_host_name(name: str) -> None:
    """Set the host name of this UTS namespace."""
    checked(_LIBC.sethostname(name.encode(), len(name)), "sethostname")


def drop_capabilities(kept: tuple[int, ...] = ()) -> None:
    """Give up capabilities for good, all but those that are kept, also for programs that it starts."""
    for capability in range(64):
        if capability not in kept and _LIBC.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) < 0:
            break
    _LIBC.prctl(PR_CAP_AMBIENT, ctypes.c_ulong(4), 0, 0, 0)  # PR_CAP_AMBIENT_CLEAR_ALL; old kernels lack it
    mask = sum(1 << capability for capability in kept)
    sets = struct.pack("6I", mask, mask, 0, 0, 0, 0)  # effective, permitted, inheritable; then above 31
    checked(_LIBC.capset(struct.pack("Ii", 0x20080522, 0), sets), "capset")


def load_filter(program: bytes) -> None:
    """Install a seccomp filter (an array of BPF instructions) for this process and its children."""
    buffer = ctypes.create_string_buffer(program, len(program))
    prog = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    holder = ctypes.create_string_buffer(prog, len(prog))
    checked(
        _LIBC.prctl(
            PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), holder, ctypes.c_ulong(0), ctypes.c_ulong(0)
        ),
        "seccomp",
    )
