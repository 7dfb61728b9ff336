"""Tries, from inside a box, what each layer of the walls must refuse.

    what to try, what the host has laid out (JSON)  --stdin-->  attacks  --stdout-->  {layer: loot}

The loot is what was obtained, '' if nothing: then the layer holds. This is our own code, so it is believed.
The attacks on namespaces run in a box without Landlock and seccomp, which would refuse them first.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import seccomp, system

MANY_PROCESSES, MANY_DESCRIPTORS = 400, 2000
DISK_FILES, DISK_FILE_MB = 3, 180
GREEDY_CHILDREN, GREEDY_MB = 4, 48
BUFFERED_MB, CHUNK = 80, bytes(32 << 10)
SETUID_PLACES = ("/usr/bin", "/bin", "/usr/sbin", "/usr/lib/openssh")
Known = dict[str, Any]


def main() -> None:
    """Read what to try, try it, write what was obtained."""
    job = json.loads(sys.stdin.buffer.read())
    out = os.fdopen(os.dup(1), "w")
    loot = {name: _attempt(ATTACKS[name], job["known"]) for name in job["layers"]}
    out.write(json.dumps(loot))
    out.flush()


def _attempt(attack: Callable[[Known], str], known: Known) -> str:
    try:
        return attack(known)
    except OSError:
        return ""


def _own_a_file_as_root(known: Known) -> str:
    return "the files of root are root's in here too" if Path("/").stat().st_uid == 0 else ""


def _read_a_file_of_the_host(known: Known) -> str:
    return f"read {known['file']}" if known["secret"] in Path(known["file"]).read_text() else ""


def _see_a_process_of_the_host(known: Known) -> str:
    try:
        os.kill(known["pid"], 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return f"process {known['pid']} of the host can be seen"


def _reach_the_host_by_tcp(known: Known) -> str:
    socket.create_connection(("127.0.0.1", known["port"]), timeout=1).close()
    return f"connected to port {known['port']} of the host"


def _reach_shared_memory(known: Known) -> str:
    found = ctypes.CDLL(None, use_errno=True).shmget(known["key"], ctypes.c_size_t(0), 0)
    return "found a shared memory segment of the host" if found >= 0 else ""


def _learn_the_host_name(known: Known) -> str:
    name = os.uname().nodename
    return f"the host is called {name}" if name == known["host"] else ""


def _write_to_the_root(known: Known) -> str:
    try:
        Path("/grader-doctor").mkdir()
    except OSError as error:
        return "" if error.errno == errno.EROFS else "the root is writable; only file permissions refuse it"
    Path("/grader-doctor").rmdir()
    return "made a directory in /"


def _fill_the_disk(known: Known) -> str:
    paths = [Path(f"doctor-{number}") for number in range(DISK_FILES)]
    try:
        for path in paths:
            with path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, DISK_FILE_MB << 20)
    finally:
        for path in paths:
            path.unlink(missing_ok=True)
    return f"took {DISK_FILES * DISK_FILE_MB} MB of the host's disk"


def _list_the_root(known: Known) -> str:
    return f"listed / ({len(os.listdir('/'))} names)"  # noqa: PTH208


def _call_what_is_filtered(known: Known) -> str:
    """Ask for a netlink socket, an io_uring and a change of namespaces: none may even be looked at."""
    numbers = {name: both[list(seccomp.AUDIT).index(system.MACHINE)] for name, both in seccomp.DENIED.items()}
    try:
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            return f"the kernel looked at socket(AF_NETLINK) ({error.strerror})"
    else:
        return "opened a netlink socket"
    for name in ("io_uring_setup", "unshare"):
        if system.syscall(numbers[name] or -1, 0, 0) >= 0 or ctypes.get_errno() != errno.EPERM:
            return f"the kernel looked at {name}"
    return ""


def _signal_the_grader(known: Known) -> str:
    for pid, whose in ((known["pid"], "the grader"), (os.getppid(), "what watches the box")):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if pid:  # 0: of another process namespace
                os.kill(pid, 0)
                return f"process {pid}, {whose}, can be ended"
    return ""


def _run_a_setuid_program(known: Known) -> str:
    """Start a program that the system runs as root for anybody, and see as whom it runs."""
    for program in _setuid_programs():
        null = subprocess.DEVNULL
        with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=null, stderr=null) as started:
            status = Path(f"/proc/{started.pid}/status").read_text()
            started.kill()
        effective = next(line.split()[2] for line in status.splitlines() if line.startswith("Uid:"))
        if effective == "0":
            return f"{program} ran as root"
        return ""
    held = system.prctl(system.PR_GET_NO_NEW_PRIVS)
    return "" if held else "the kernel says that privileges can be gained"


def _setuid_programs() -> list[str]:
    places = [Path(place) for place in SETUID_PLACES if Path(place).is_dir()]
    return [
        str(path)
        for place in places
        for path in sorted(place.iterdir())
        if path.is_file() and path.stat().st_mode & stat.S_ISUID and os.access(path, os.X_OK)
    ]


def _use_a_capability(known: Known) -> str:
    attempts: dict[str, Callable[[], object]] = {
        "changed the host name": lambda: system.set_host_name(os.uname().nodename),
        "changed the root": lambda: os.chroot("/"),
    }
    for what, attempt in attempts.items():
        try:
            attempt()
        except OSError:
            continue
        return what
    return ""


def _become_root(known: Known) -> str:
    if os.getuid() == 0:
        return "it is root already"
    os.setuid(0)
    return "became root"


def _exceed_the_limits(known: Known) -> str:
    """Open descriptors, then start processes, until that is refused."""
    opened: list[int] = []
    try:
        while len(opened) < MANY_DESCRIPTORS:
            opened.append(os.dup(0))
    except OSError:
        return _start_many()
    finally:
        for fd in opened:
            os.close(fd)
    return f"opened {len(opened)} descriptors"


def _start_many() -> str:
    children: list[int] = []
    try:
        for _ in range(MANY_PROCESSES):
            children.append(os.posix_spawn("/bin/sleep", ["sleep", "60"], {}))
    except OSError:
        return ""
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return f"started {len(children)} processes"


def _use_inherited_descriptors(known: Known) -> str:
    for fd in range(3, MANY_DESCRIPTORS):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                return f"descriptor {fd} is a socket of the grader"
            if known["secret"].encode() in os.pread(fd, 1000, 0):
                return f"descriptor {fd} is a file of the grader"
        except OSError:
            continue
    return ""


def _take_memory_with_children(known: Known) -> str:
    """Hold in many children what one process may not; being alive afterwards is the loot."""
    for _ in range(GREEDY_CHILDREN):
        if os.fork() == 0:
            held = bytearray(GREEDY_MB << 20)
            held[::4096] = b"1" * len(held[::4096])
            time.sleep(60)
            os._exit(0)
    time.sleep(known["patience"])
    return f"held {GREEDY_CHILDREN * GREEDY_MB} MB in {GREEDY_CHILDREN} processes"


def _fill_sockets(known: Known) -> str:
    """Hold in buffers of the kernel what no process has; being alive afterwards is the loot."""
    ends: list[socket.socket] = []
    held = 0
    with contextlib.suppress(OSError):  # no more descriptors
        while True:
            ends += socket.socketpair()
            for end in ends[-2:]:
                end.setblocking(False)
                held += _sent(end)
    return f"held {held >> 20} MB in sockets" if held > BUFFERED_MB << 20 else ""


def _sent(end: socket.socket) -> int:
    """Send until the buffer is full; return the bytes that it took."""
    sent = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            sent += end.send(CHUNK)
    return sent


def _outlive_the_clock(known: Known) -> str:
    """Leave a process of its own session that hears no signal, and never end."""
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    if os.fork() == 0:
        os.setsid()
    while True:
        time.sleep(60)


ATTACKS: dict[str, Callable[[Known], str]] = {
    "user": _own_a_file_as_root,
    "mount": _read_a_file_of_the_host,
    "pid": _see_a_process_of_the_host,
    "net": _reach_the_host_by_tcp,
    "ipc": _reach_shared_memory,
    "uts": _learn_the_host_name,
    "root": _write_to_the_root,
    "tmpfs": _fill_the_disk,
    "landlock": _list_the_root,
    "seccomp": _call_what_is_filtered,
    "signals": _signal_the_grader,
    "privileges": _run_a_setuid_program,
    "capabilities": _use_a_capability,
    "uid": _become_root,
    "limits": _exceed_the_limits,
    "descriptors": _use_inherited_descriptors,
    "memory": _take_memory_with_children,
    "group": _fill_sockets,
    "clock": _outlive_the_clock,
}
