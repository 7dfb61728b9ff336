"""The waiter: what stays outside the inner walls of a box, until the program in there has ended.

    warm parent  --fork-->  waiter  --fork-->  program

It moves the program into the control group of its box, ends as the program ends, and clears what is left.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path

from . import system

MOVED = b"moved"


def fork_from_waiter(uid: int, gid: int, doors: tuple[int, ...], *, clears: bool) -> int:
    """Fork the program's process; only that returns, with a pipe that tells it when it has been moved.

    `clears` if there is no process namespace that ends with the program: then what is left is killed here.
    """
    read, write = os.pipe()
    moved, tell = os.pipe()
    pid = os.fork()
    if pid:
        close_all_but((write, tell, *doors))
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        if clears:
            system.prctl(system.PR_SET_CHILD_SUBREAPER, 1)
        _move(pid, doors, tell)
        _, status = _wait_for(pid)
        if clears:
            _kill_descendants()
        os._exit(exit_code(status))
    for fd in (write, tell, *doors):
        os.close(fd)
    become(uid, gid)
    system.prctl(system.PR_SET_PDEATHSIG, signal.SIGKILL)
    if select.select([read], [], [], 0)[0]:  # the waiter was killed before the line above
        os._exit(1)
    os.close(read)
    return moved


def _move(pid: int, doors: tuple[int, ...], tell: int) -> None:
    """Move the program into its control group while it builds its walls: the kernel takes its time for that.

    What cannot be moved is told why, and says so as it ends.
    """
    word = MOVED
    try:
        for door in doors:
            os.write(door, str(pid).encode())
            os.close(door)
    except OSError as error:
        word = f"it was not moved into its control group: {error}".encode()
    with contextlib.suppress(BrokenPipeError):
        os.write(tell, word)
    os.close(tell)


def await_move(moved: int) -> None:
    """Wait until this process is in its control group; raise OSError if it could not be moved there."""
    word = os.read(moved, 400)
    os.close(moved)
    if word != MOVED:
        raise OSError(word.decode(errors="replace"))


def become(uid: int, gid: int) -> None:
    """Change from root to an unprivileged user, for good; nothing happens if this is not root."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)


@contextlib.contextmanager
def acting_as(uid: int, gid: int) -> Iterator[None]:
    """Act as an unprivileged user for a while; nothing happens if this is not root.

    Without CAP_SYS_PTRACE, as in plain Docker, root may not look into the processes of others; they may.
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


def _wait_for(pid: int) -> tuple[int, int]:
    """Collect every child until the wanted one has ended."""
    while True:
        found, status = os.waitpid(-1, 0)
        if found == pid:
            return found, status


def _kill_descendants() -> None:
    """Kill, again and again, every process that this one has inherited, until none is left."""
    while True:
        found = list(children(os.getpid()))
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def children(parent: int) -> Iterator[int]:
    """Yield the children of a process."""
    for name in os.listdir("/proc"):  # noqa: PTH208 -- names are all that is needed
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                stat = Path(f"/proc/{name}/stat").read_text()
                if int(stat.rpartition(")")[2].split()[1]) == parent:
                    yield int(name)


def exit_code(status: int) -> int:
    """Return the exit code that says how a process ended, as a shell does."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
