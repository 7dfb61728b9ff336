"""Tries, from inside a box, what each layer of the walls must refuse.

    layers, targets on the host (JSON)  --stdin-->  attacks  --stdout-->  {layer: what its attack obtained}

An attack that obtains nothing returns '', or fails with an OSError: then the layer holds. This is our own
code, so its answer can be trusted. The attacks on namespaces run in a box without Landlock and seccomp, which
would refuse them first.
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
SETUID_DIRECTORIES = ("/usr/bin", "/bin", "/usr/sbin", "/usr/lib/openssh")
Targets = dict[str, Any]


def main() -> None:
    """Read which layers to attack, attack each, write what was obtained."""
    job = json.loads(sys.stdin.buffer.read())
    out = os.fdopen(os.dup(1), "w")
    obtained: dict[str, str] = {}
    for layer in job["layers"]:
        try:
            obtained[layer] = ATTACKS[layer](layer, job["known"])
        except OSError:
            obtained[layer] = ""
    out.write(json.dumps(obtained))
    out.flush()


def _cross_a_namespace(layer: str, targets: Targets) -> str:  # noqa: PLR0911 -- every attack has its results
    """Take, see or reach something of the host that a namespace or a mount hides from the box."""
    match layer:
        case "user":  # own a file as root
            return "the files of root are root's in here too" if Path("/").stat().st_uid == 0 else ""
        case "mount":  # read a file of the host
            text = Path(targets["file"]).read_text()
            return f"read {targets['file']}" if targets["secret"] in text else ""
        case "pid":  # see a process of the host
            try:
                os.kill(targets["pid"], 0)
            except ProcessLookupError:
                return ""
            except PermissionError:
                pass  # it exists
            return f"process {targets['pid']} of the host can be seen"
        case "net":  # reach the host by TCP
            socket.create_connection(("127.0.0.1", targets["port"]), timeout=1).close()
            return f"connected to port {targets['port']} of the host"
        case "ipc":  # find the host's shared memory
            segment = ctypes.CDLL(None, use_errno=True).shmget(targets["key"], ctypes.c_size_t(0), 0)
            return "found a shared memory segment of the host" if segment >= 0 else ""
        case "uts":  # learn the name of the host
            name = os.uname().nodename
            return f"the host is called {name}" if name == targets["host"] else ""
        case "root":  # make a directory in /
            try:
                Path("/grader-doctor").mkdir()
            except OSError as error:
                read_only = error.errno == errno.EROFS
                return "" if read_only else "the root is writable; only file permissions refuse it"
            Path("/grader-doctor").rmdir()
            return "made a directory in /"
        case _:  # tmpfs: fill the disk
            paths = [Path(f"doctor-{number}") for number in range(DISK_FILES)]
            try:
                for path in paths:
                    with path.open("wb") as file:
                        os.posix_fallocate(file.fileno(), 0, DISK_FILE_MB << 20)
            finally:
                for path in paths:
                    path.unlink(missing_ok=True)
            return f"took {DISK_FILES * DISK_FILE_MB} MB of the host's disk"


def _gain_a_right(layer: str, targets: Targets) -> str:  # noqa: PLR0911 -- every attack has its results
    """Do what Landlock, seccomp, the user or the capabilities of a program must not allow."""
    match layer:
        case "landlock":
            return f"listed / ({len(os.listdir('/'))} names)"  # noqa: PTH208
        case "seccomp":  # the filter must refuse before the kernel looks at the arguments
            try:
                socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()
                return "opened a netlink socket"
            except OSError as error:
                if error.errno != errno.EOPNOTSUPP:
                    return f"the kernel looked at socket(AF_NETLINK) ({error.strerror})"
            column = list(seccomp.AUDIT).index(system.MACHINE)
            for name in ("io_uring_setup", "unshare"):
                number = seccomp.DENIED[name][column] or -1
                if system.syscall(number, 0, 0) >= 0 or ctypes.get_errno() != errno.EPERM:
                    return f"the kernel looked at {name}"
            return ""
        case "signals":  # the grader, and what watches the box
            for pid, whose in ((targets["pid"], "the grader"), (os.getppid(), "what watches the box")):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    if pid:  # 0: a process of another namespace
                        os.kill(pid, 0)
                        return f"process {pid}, {whose}, can be ended"
            return ""
        case "privileges":  # run a program that the system starts as root for any user
            paths = [path for folder in SETUID_DIRECTORIES for path in sorted(Path(folder).glob("*"))]
            setuid = [path for path in paths if path.is_file() and path.stat().st_mode & stat.S_ISUID]
            program = next((path for path in setuid if os.access(path, os.X_OK)), None)
            if program is None:
                held = system.prctl(system.PR_GET_NO_NEW_PRIVS)
                return "" if held else "the kernel says that privileges can be gained"
            null = subprocess.DEVNULL
            with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=null, stderr=null) as started:
                status = Path(f"/proc/{started.pid}/status").read_text()
                started.kill()
            effective = next(line.split()[2] for line in status.splitlines() if line.startswith("Uid:"))
            return f"{program} ran as root" if effective == "0" else ""
        case "capabilities":
            with contextlib.suppress(OSError):
                system.set_host_name(os.uname().nodename)
                return "changed the host name"
            os.chroot("/")
            return "changed the root"
        case "uid":
            if os.getuid() == 0:
                return "it is root already"
            os.setuid(0)
            return "became root"
        case _:  # descriptors: use those that the grader has open
            for fd in range(3, MANY_DESCRIPTORS):
                with contextlib.suppress(OSError):
                    if stat.S_ISSOCK(os.fstat(fd).st_mode):
                        return f"descriptor {fd} is a socket of the grader"
                    if targets["secret"].encode() in os.pread(fd, 1000, 0):
                        return f"descriptor {fd} is a file of the grader"
            return ""


def _exceed_a_limit(layer: str, targets: Targets) -> str:
    """Take more descriptors, processes, memory or time than a box may have.

    The sandbox must end the box of `memory`, `group` and `clock`: an attack that returns has not been ended.
    """
    match layer:
        case "limits":
            opened: list[int] = []
            try:
                while len(opened) < MANY_DESCRIPTORS:
                    opened.append(os.dup(0))
                return f"opened {len(opened)} descriptors"
            except OSError:
                pass  # refused, as it must be: next, processes
            finally:
                for fd in opened:
                    os.close(fd)
            children: list[int] = []
            try:
                for _ in range(MANY_PROCESSES):
                    children.append(os.posix_spawn("/bin/sleep", ["sleep", "60"], {}))
                return f"started {len(children)} processes"
            finally:
                for pid in children:
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
        case "memory":  # hold in many children what one process may not
            for _ in range(GREEDY_CHILDREN):
                if os.fork() == 0:
                    held = bytearray(GREEDY_MB << 20)
                    held[::4096] = b"1" * len(held[::4096])
                    time.sleep(60)
                    os._exit(0)
            time.sleep(targets["patience"])
            return f"held {GREEDY_CHILDREN * GREEDY_MB} MB in {GREEDY_CHILDREN} processes"
        case "group":  # fill buffers of the kernel, which belong to no process
            ends: list[socket.socket] = []
            size = 0
            with contextlib.suppress(OSError):  # no more descriptors
                while True:
                    ends += socket.socketpair()
                    for end in ends[-2:]:
                        end.setblocking(False)
                        with contextlib.suppress(BlockingIOError):  # the buffer is full
                            while True:
                                size += end.send(CHUNK)
            return f"held {size >> 20} MB in sockets" if size > BUFFERED_MB << 20 else ""
        case _:  # clock: leave a process in a session of its own that ignores signals, and never end
            for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
                signal.signal(number, signal.SIG_IGN)
            if os.fork() == 0:
                os.setsid()
            while True:
                time.sleep(60)


ATTACKS: dict[str, Callable[[str, Targets], str]] = {
    **dict.fromkeys(("user", "mount", "pid", "net", "ipc", "uts", "root", "tmpfs"), _cross_a_namespace),
    **dict.fromkeys(
        ("landlock", "seccomp", "signals", "privileges", "capabilities", "uid", "descriptors"), _gain_a_right
    ),
    **dict.fromkeys(("limits", "memory", "group", "clock"), _exceed_a_limit),
}
