"""The waiter: the process between the warm parent and a program, outside the inner walls of the box.

    warm parent  --fork-->  waiter  --fork-->  program

It moves the program into the control group of its box, waits for it, kills the processes that the program has
left, and exits with the program's exit code.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

from . import system

MOVED = b"moved"


def fork_from_waiter(uid: int, gid: int, group_fds: tuple[int, ...], *, clears: bool) -> int:
    """Fork the program's process, and return in that one alone; this one becomes the waiter.

    `group_fds` are the `cgroup.procs` files of the box's control group. With `clears`, the waiter kills what
    the program leaves: needed where no process namespace ends with it. The result is for `await_move`.
    """
    alive, held = os.pipe()  # the waiter holds one end: when it dies, the program's end becomes readable
    moved, tell = os.pipe()
    pid = os.fork()
    if pid:
        close_all_but((held, tell, *group_fds))
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        _wait_and_exit(pid, group_fds, tell, clears=clears)
    for fd in (held, tell, *group_fds):
        os.close(fd)
    become(uid, gid)
    system.prctl(system.PR_SET_PDEATHSIG, signal.SIGKILL)
    if select.select([alive], [], [], 0)[0]:  # the waiter was killed before the line above
        os._exit(1)
    os.close(alive)
    return moved


def _wait_and_exit(pid: int, group_fds: tuple[int, ...], tell: int, *, clears: bool) -> NoReturn:
    """Be the waiter: move the program into its control group, wait for its end, exit with its exit code."""
    if clears:
        system.prctl(system.PR_SET_CHILD_SUBREAPER, 1)
    # the kernel takes milliseconds to move a process: the program builds its walls meanwhile, and reads the
    # result from `tell` when it needs it (`await_move`)
    result = MOVED
    try:
        for fd in group_fds:
            os.write(fd, str(pid).encode())
            os.close(fd)
    except OSError as error:
        result = f"it was not moved into its control group: {error}".encode()
    with contextlib.suppress(BrokenPipeError):
        os.write(tell, result)
    os.close(tell)
    # orphans of the program become children of this process too: each that ends is collected
    while True:
        ended, status = os.waitpid(-1, 0)
        if ended == pid:
            break
    while clears:
        # a process may fork before it is killed: so again, until there is no child left
        for child in list(children(os.getpid())):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            break
    os._exit(exit_code(status))


def await_move(moved: int) -> None:
    """Wait until the waiter has moved this process into its control group; raise OSError if it could not."""
    result = os.read(moved, 400)
    os.close(moved)
    if result != MOVED:
        raise OSError(result.decode(errors="replace"))


def become(uid: int, gid: int) -> None:
    """Change from root to an unprivileged user, with no way back; do nothing if this is not root."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)


@contextlib.contextmanager
def acting_as(uid: int, gid: int) -> Iterator[None]:
    """Act as an unprivileged user for a while; do nothing if this is not root.

    Root without CAP_SYS_PTRACE, as in plain Docker, may not read /proc/PID/fd of other users' processes; the
    user whose processes they are may.
    """
    if os.getuid() != 0:
        yield
        return
    group = os.getegid()
    os.setegid(gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)


def close_all_but(kept: Iterable[int]) -> None:
    """Close every descriptor that is not listed."""
    previous = 2
    for fd in [*sorted(fd for fd in kept if fd > 2), 1 << 20]:
        os.closerange(previous + 1, fd)
        previous = fd


def children(parent: int) -> Iterator[int]:
    """Yield the children of a process."""
    for name in os.listdir("/proc"):  # noqa: PTH208 -- names are all that is needed
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                stat = Path(f"/proc/{name}/stat").read_bytes()  # a process may have any bytes as its name
                if int(stat.rpartition(b")")[2].split()[1]) == parent:
                    yield int(name)


def exit_code(status: int) -> int:
    """Return a process's exit code; as in a shell, 128 + the signal if a signal ended it."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
