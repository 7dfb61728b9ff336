"""Control groups: the kernel counts a box as one, with what it holds itself on its behalf (buffers, tables).

    Groups.open   -->  where this machine lets us make groups     v1: in each mounted hierarchy
     `- make      -->  Group, one a box: its limits               v2: in our own group, if delegated to us
         `- end        killed, removed

A box sees none of it. Its waiter moves the program in, through descriptors that are opened here, before any
code of a student is read. Every box has the same weight, so one with many busy processes has no larger share.
Where groups cannot be had, `why` says so, and with which command they could be.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import SandboxError
from grader.observe.inside import waiter
from grader.observe.inside.limits import PROCESSES

CONTROLLERS = ("memory", "pids", "cpu")
SPARE_PROCESSES = 8  # the limit of the user comes first, and says what it is
WHERE_ABSENT = ("memory.memsw.limit_in_bytes", "memory.swap.max")  # a kernel that counts no swap lacks them
TRIAL_MB = 64
END_SECONDS = 5.0
PROCESS = Path("/proc/self")
_LEAF = "{}self"
_NUMBERS = itertools.count(1)
_ENTERED: Counter[Path] = Counter()
_LOCK = threading.Lock()


@dataclass(frozen=True)
class Home:
    """A directory in which groups can be made, the version of its kind, and what it controls."""

    directory: Path
    version: int
    controllers: tuple[str, ...]


@dataclass
class Group:
    """The group of one box, a directory in every hierarchy."""

    directories: tuple[Path, ...]
    groups: Groups

    @contextlib.contextmanager
    def doors(self) -> Iterator[list[int]]:
        """Open what a process is moved in by."""
        with contextlib.ExitStack() as stack:
            yield [_opened(path / "cgroup.procs", stack) for path in self.directories]

    def close(self) -> None:
        """Let no further process start in it, so that what forks as fast as it is killed comes to an end."""
        for path in self.directories:
            with contextlib.suppress(OSError):
                if (path / "pids.max").exists():
                    (path / "pids.max").write_text("0")

    def end(self) -> None:
        """Kill what is left in it and remove it; what has not died yet is removed with a later group."""
        self.groups.release(self.directories)


@dataclass
class Groups:
    """What can be had of control groups; `why` says what cannot, '' if nothing is lacking.

    `used` are the directories of boxes that run, `busy` those in which something has not died yet.
    """

    homes: tuple[Home, ...] = ()
    why: str = ""
    used: set[Path] = field(default_factory=set)
    busy: deque[Path] = field(default_factory=deque)

    @classmethod
    def open(cls, process: Path = PROCESS) -> Groups:
        """Find what can be had, try it, and remove what killed graders have left."""
        groups = cls()
        try:
            homes, groups.why = find_homes(process)
            for home in homes:
                enter(home)
                groups.homes += (home,)
                sweep(home.directory)
            groups.make(TRIAL_MB).end()
        except (OSError, ValueError, SandboxError) as error:
            groups.close()
            return cls(why=f"control groups do not work here: {error}")
        return groups

    @property
    def controllers(self) -> tuple[str, ...]:
        """What is controlled."""
        return tuple(name for home in self.homes for name in home.controllers)

    def make(self, memory_mb: int) -> Group:
        """Make a group that may hold so much memory; raise SandboxError if that fails."""
        remove_all(self.busy)
        name = f"{_prefix()}{next(_NUMBERS)}"
        group = Group(tuple(home.directory / name for home in self.homes), self)
        self.used.update(group.directories)
        try:
            for home, directory in zip(self.homes, group.directories, strict=True):
                directory.mkdir()
                for controller in home.controllers:
                    _set(directory, limits(controller, home.version, memory_mb))
        except OSError as error:
            group.end()
            raise SandboxError(f"no control group could be made: {error}") from error
        return group

    def release(self, directories: Iterable[Path]) -> None:
        """Kill what is left in these directories and remove them, now or later."""
        self.used.difference_update(directories)
        self.busy.extend(directories)
        remove_all(self.busy)

    def close(self) -> None:
        """End every group that there still is, and go back to where we were."""
        deadline = time.monotonic() + END_SECONDS
        self.release(list(self.used))
        while self.busy and time.monotonic() < deadline:
            remove_all(self.busy)
            time.sleep(0.005)
        for home in self.homes:
            leave(home)
        self.homes = ()


def limits(controller: str, version: int, memory_mb: int) -> dict[str, int]:
    """Return what is written into which file of a group."""
    memory = memory_mb << 20
    return {
        ("memory", 1): {"memory.limit_in_bytes": memory, "memory.memsw.limit_in_bytes": memory},
        ("memory", 2): {"memory.max": memory, "memory.swap.max": 0},
        ("pids", 1): {"pids.max": PROCESSES + SPARE_PROCESSES},
        ("pids", 2): {"pids.max": PROCESSES + SPARE_PROCESSES},
        ("cpu", 1): {"cpu.shares": 1024},
        ("cpu", 2): {"cpu.weight": 100},
    }[controller, version]


def find_homes(process: Path = PROCESS) -> tuple[list[Home], str]:
    """Return where groups can be made, from what the kernel says of a process, and why not elsewhere."""
    homes: list[Home] = []
    lacking = dict.fromkeys(CONTROLLERS, command())
    for version, names, directory in hierarchies(process):
        home = Home(directory, version, names)
        reason = _shut_v1(home) if version == 1 else _shut_v2(home)
        lacking |= dict.fromkeys(names, reason)
        if not reason:
            homes.append(home)
    reasons: dict[str, list[str]] = {}
    for name, reason in lacking.items():
        reasons.setdefault(reason, []).append(name)
    reasons.pop("", None)
    return homes, "; ".join(f"no control group for {', '.join(n)}: {why}" for why, n in reasons.items())


def hierarchies(process: Path) -> Iterator[tuple[int, tuple[str, ...], Path]]:
    """Yield version, controllers and our own directory of every mounted hierarchy that has what we want."""
    try:
        lines = (process / "cgroup").read_text().splitlines()
        mounts = [line.split() for line in (process / "mountinfo").read_text().splitlines()]
    except OSError:
        return
    for line in lines:
        number, controllers, path = line.split(":", 2)
        for fields in mounts:
            kind, options = fields[fields.index("-") + 1], set(fields[-1].split(","))
            if number == "0" and kind == "cgroup2":
                where = _own(fields, path)
                if names := _offered(where):
                    yield 2, names, where
                break
            names = tuple(name for name in CONTROLLERS if name in controllers.split(","))
            if names and kind == "cgroup" and set(names) <= options:
                yield 1, names, _own(fields, path)
                break


def _own(fields: list[str], path: str) -> Path:
    """Return the directory of a group, of which only a part may be mounted (in a container)."""
    root, point = (field.encode().decode("unicode_escape") for field in fields[3:5])
    shown = path.removeprefix(root.rstrip("/"))
    own = Path(point + ("" if ".." in shown else shown))
    return own.parent if own.name == _leaf_name() else own


def _offered(directory: Path) -> tuple[str, ...]:
    """Return what a group of version 2 could control of what we want."""
    try:
        offered = (directory / "cgroup.controllers").read_text().split()
    except OSError:
        return ()
    return tuple(name for name in CONTROLLERS if name in offered)


def _shut_v1(home: Home) -> str:
    """Return why no group can be made there, '' if one can."""
    if os.access(home.directory, os.W_OK):
        return ""
    if os.getuid() == 0:
        return "they are mounted read-only; a container gets them by `docker run --privileged ...`"
    return "version 1 gives them to root alone; `sudo grader grade ...` gets them"


def _shut_v2(home: Home) -> str:
    """Return why no group can be made there, '' if one can.

    A group that passes controllers on may hold no process itself, unless it is the root of them all.
    """
    needed = (home.directory, *(home.directory / f"cgroup.{name}" for name in ("procs", "subtree_control")))
    if not all(os.access(path, os.W_OK) for path in needed):
        return f"{home.directory} is not delegated to this user; {command()}"
    if _members(home) - _children() - {str(os.getpid())} and not _is_root(home):
        return f"other processes are in {home.directory} too; {command()}"
    return ""


def command() -> str:
    """Return the command that would give them, in words."""
    user = "" if os.getuid() == 0 else "--user "
    return f"`systemd-run {user}--scope -p Delegate=yes grader grade ...` gets them"


def enter(home: Home) -> None:
    """Move out of a group of version 2 into a leaf below it, so that it can pass its controllers on."""
    if home.version == 1:
        return
    with _LOCK:
        if not _ENTERED[home.directory]:
            try:
                _move_into_leaf(home)
                _pass_on(home, "+")
            except OSError:
                _move_back(home)
                raise
        _ENTERED[home.directory] += 1


def leave(home: Home) -> None:
    """Undo `enter`, when the last sandbox of this process is closed."""
    if home.version == 1:
        return
    with _LOCK:
        _ENTERED[home.directory] -= 1
        if not _ENTERED[home.directory]:
            _move_back(home)


def _move_into_leaf(home: Home) -> None:
    if not _is_root(home):
        leaf, children = home.directory / _leaf_name(), _members(home) & _children()
        leaf.mkdir(exist_ok=True)
        for pid in ("0", *children):
            with contextlib.suppress(ProcessLookupError):  # it was about to end
                (leaf / "cgroup.procs").write_text(pid)


def _members(home: Home) -> set[str]:
    return set((home.directory / "cgroup.procs").read_text().split())


def _children() -> set[str]:
    """Return our own processes beside this one: those that judge."""
    return {str(pid) for pid in waiter.children(os.getpid())}


def _move_back(home: Home) -> None:
    """Bring home every process of the leaf; the root of all groups was never left.

    Where another grader has a leaf too, its boxes need the controllers: then we stay where we are.
    """
    others = set(home.directory.glob(_LEAF.format("*"))) - {home.directory / _leaf_name()}
    if not _is_root(home) and not others:
        with contextlib.suppress(OSError):
            _pass_on(home, "-")
            leaf = home.directory / _leaf_name()
            for pid in ("0", *(leaf / "cgroup.procs").read_text().split()):
                with contextlib.suppress(ProcessLookupError):  # it was about to end
                    (home.directory / "cgroup.procs").write_text(pid)
            leaf.rmdir()


def _is_root(home: Home) -> bool:
    return not (home.directory / "cgroup.events").exists()


def _pass_on(home: Home, sign: str) -> None:
    words = " ".join(sign + name for name in home.controllers)
    (home.directory / "cgroup.subtree_control").write_text(words)


def sweep(directory: Path) -> None:
    """Remove the empty groups of graders that have died."""
    mine = _prefix().rsplit("-", 2)[0]
    for path in directory.glob(f"{mine}-*-*"):
        owner = path.name.split("-")[2]
        if not Path(f"/proc/{owner}").exists():
            with contextlib.suppress(OSError):
                path.rmdir()


def remove_all(busy: deque[Path]) -> None:
    """Kill what is in these groups, remove those that are empty, keep the others in the list."""
    for _ in range(len(busy)):
        with contextlib.suppress(IndexError):  # another thread has taken it
            path = busy.popleft()
            if not _removed(path):
                busy.append(path)


def _removed(path: Path) -> bool:
    try:
        path.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        _kill(path)
        return False
    return True


def _kill(group: Path) -> None:
    with contextlib.suppress(OSError):
        if (group / "cgroup.kill").exists():
            (group / "cgroup.kill").write_text("1")
            return
        for pid in (group / "cgroup.procs").read_text().split():
            if pid != "0":  # of another process namespace
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)


def _set(directory: Path, values: dict[str, int]) -> None:
    for name, value in values.items():
        if name not in WHERE_ABSENT or (directory / name).exists():
            (directory / name).write_text(str(value))


def _opened(path: Path, stack: contextlib.ExitStack) -> int:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    stack.callback(os.close, fd)
    return fd


def _prefix() -> str:
    """Return how the names of our groups begin: with the process namespace and the process that made them."""
    return f"grader-{os.stat('/proc/self/ns/pid').st_ino}-{os.getpid()}-"  # noqa: PTH116


def _leaf_name() -> str:
    return _LEAF.format(_prefix())
