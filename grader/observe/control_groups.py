"""Control groups: the kernel limits all processes of a box together, and its own memory for them too.

    Groups.open   -->  where this machine lets us make groups     v1: in each mounted hierarchy
     `- make      -->  Group, one a box: its limits               v2: in our own group, if delegated to us
         `- end        killed, removed

A box cannot see its group. The grader opens the group's `cgroup.procs` files; the waiter of the box writes
the program's process id into them before the program reads any code of a student. Every box has the same
weight, so a box with many busy processes gets no larger share of the processors. Where no groups can be made,
`Groups.why` gives the reason, and the command that would allow them.

A hierarchy is one mounted tree of groups. Version 1 has one for each controller, version 2 one for all. In
version 2, a group with processes of its own cannot pass its controllers on to the groups below it: so the
grader first moves itself from its group into a leaf, an empty group below it (`enter`), and back at the end.
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
from grader.inside import waiter
from grader.inside.limits import PROCESSES

CONTROLLERS = ("memory", "pids", "cpu")
SPARE_PROCESSES = 8  # so that a box meets RLIMIT_NPROC first: its error message names the cause
SWAP_LIMITS = ("memory.memsw.limit_in_bytes", "memory.swap.max")  # absent where the kernel counts no swap
MEMORY_FILES = (  # limit, use, and in memory.stat what is given back when it is needed: version 1, 2
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ("memory.max", "memory.current", "inactive_file"),
)
TRIAL_MB = 64
END_SECONDS = 5.0
PROCESS = Path("/proc/self")
_LEAF = "{}self"
_NUMBERS = itertools.count(1)
_ENTERED: Counter[Path] = Counter()
_LOCK = threading.Lock()


@dataclass(frozen=True)
class Home:
    """A directory in which groups can be made, the version of its hierarchy, and its controllers."""

    directory: Path
    version: int
    controllers: tuple[str, ...]


@dataclass
class Group:
    """The group of one box: one directory in each hierarchy."""

    directories: tuple[Path, ...]
    groups: Groups

    @contextlib.contextmanager
    def doors(self) -> Iterator[list[int]]:
        """Yield descriptors of the `cgroup.procs` files: a process id written there moves that process in."""
        with contextlib.ExitStack() as stack:
            opened = []
            for path in self.directories:
                opened.append(os.open(path / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC))
                stack.callback(os.close, opened[-1])
            yield opened

    def close(self) -> None:
        """Allow no new process in the group: otherwise a program could fork as fast as it is killed."""
        for path in self.directories:
            with contextlib.suppress(OSError):
                if (path / "pids.max").exists():
                    (path / "pids.max").write_text("0")

    def end(self) -> None:
        """Kill what is left in the group and remove it; if that takes time, a later call removes it."""
        self.groups.release(self.directories)


@dataclass
class Groups:
    """The groups that this process can make; `why` is the reason for each missing controller, '' if none is.

    `used` are the directories of boxes that run; `busy` are those that are to be removed but still hold a
    process.
    """

    homes: tuple[Home, ...] = ()
    why: str = ""
    used: set[Path] = field(default_factory=set)
    busy: deque[Path] = field(default_factory=deque)

    @classmethod
    def open(cls, process: Path = PROCESS) -> Groups:
        """Find where groups can be made, make one as a trial, and remove the groups of killed graders."""
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
        """The controllers of all homes: a subset of CONTROLLERS."""
        return tuple(name for home in self.homes for name in home.controllers)

    def make(self, memory_mb: int) -> Group:
        """Make a group with a limit on its memory; raise SandboxError if that fails."""
        remove_all(self.busy)
        name = f"{_prefix()}{next(_NUMBERS)}"
        group = Group(tuple(home.directory / name for home in self.homes), self)
        self.used.update(group.directories)
        try:
            for home, directory in zip(self.homes, group.directories, strict=True):
                directory.mkdir()
                for controller in home.controllers:
                    for file, value in limits(controller, home.version, memory_mb).items():
                        if file not in SWAP_LIMITS or (directory / file).exists():
                            (directory / file).write_text(str(value))
        except OSError as error:
            group.end()
            raise SandboxError(f"no control group could be made: {error}") from error
        return group

    def release(self, directories: Iterable[Path]) -> None:
        """Kill what is left in these directories and remove them, now or at a later call."""
        self.used.difference_update(directories)
        self.busy.extend(directories)
        remove_all(self.busy)

    def close(self) -> None:
        """End every group that is left, and move this process back to the group that it came from."""
        deadline = time.monotonic() + END_SECONDS
        self.release(list(self.used))
        while self.busy and time.monotonic() < deadline:
            remove_all(self.busy)
            time.sleep(0.005)
        for home in self.homes:
            leave(home)
        self.homes = ()


def limits(controller: str, version: int, memory_mb: int) -> dict[str, int]:
    """Return the files of a group that set a controller's limit, with the value for each."""
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
    """Return the homes of groups for a process, and for every other controller the reason why it has none.

    `process` is the directory of the process in /proc.
    """
    homes: list[Home] = []
    reasons = dict.fromkeys(CONTROLLERS, command())
    for version, names, directory in hierarchies(process):
        home = Home(directory, version, names)
        reason = _obstacle(home)
        reasons |= dict.fromkeys(names, reason)
        if not reason:
            homes.append(home)
    lacking: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        lacking.setdefault(reason, []).append(name)
    lacking.pop("", None)
    return homes, "; ".join(f"no control group for {', '.join(n)}: {why}" for why, n in lacking.items())


def hierarchies(process: Path) -> Iterator[tuple[int, tuple[str, ...], Path]]:
    """Yield version, controllers and our own directory of each mounted hierarchy with a controller we use."""
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
                directory = _own(fields, path)
                try:
                    offered = (directory / "cgroup.controllers").read_text().split()
                except OSError:
                    break
                if names := tuple(name for name in CONTROLLERS if name in offered):
                    yield 2, names, directory
                break
            names = tuple(name for name in CONTROLLERS if name in controllers.split(","))
            if names and kind == "cgroup" and set(names) <= options:
                yield 1, names, _own(fields, path)
                break


def free_memory(process: Path = PROCESS) -> int | None:
    """Return how many bytes the groups of a process let it take still; None if they set no limit."""
    free: list[int] = []
    for version, names, directory in hierarchies(process):
        limit, used, cache = MEMORY_FILES[version - 1]
        for group in (directory, *directory.parents) if "memory" in names else ():
            with contextlib.suppress(OSError, ValueError):  # no group, or no limit
                most, taken = (int((group / name).read_text()) for name in (limit, used))
                stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
                free.append(max(0, most - taken + int(stat.get(cache, 0))))
    return min(free, default=None)


def _own(fields: list[str], path: str) -> Path:
    """Return the directory of this process's group; a container may have mounted a part of the tree alone."""
    root, point = (field.encode().decode("unicode_escape") for field in fields[3:5])
    shown = path.removeprefix(root.rstrip("/"))
    own = Path(point + ("" if ".." in shown else shown))
    return own.parent if own.name == _leaf_name() else own


def _obstacle(home: Home) -> str:
    """Return why no group can be made in a home, '' if one can."""
    if home.version == 1:
        if os.access(home.directory, os.W_OK):
            return ""
        if os.getuid() == 0:
            return "they are mounted read-only; a container gets them by `docker run --privileged ...`"
        return "version 1 gives them to root alone; `sudo grader grade ...` gets them"
    needed = (home.directory, *(home.directory / f"cgroup.{name}" for name in ("procs", "subtree_control")))
    if not all(os.access(path, os.W_OK) for path in needed):
        return f"{home.directory} is not delegated to this user; {command()}"
    # `enter` moves this process and its children into the leaf, and must leave nothing behind in the group
    if _members(home) - _children() - {str(os.getpid())} and not _is_root(home):
        return f"other processes are in {home.directory} too; {command()}"
    return ""


def command() -> str:
    """Return, as a clause for a message, the command under which this user may make control groups."""
    user = "" if os.getuid() == 0 else "--user "
    return f"`systemd-run {user}--scope -p Delegate=yes grader grade ...` gets them"


def enter(home: Home) -> None:
    """In version 2, move this process and its children into a leaf below, and pass the controllers on.

    The root of all groups may hold processes and pass its controllers on: there nothing is moved.
    """
    if home.version == 1:
        return
    with _LOCK:
        if not _ENTERED[home.directory]:
            try:
                if not _is_root(home):
                    leaf, children = home.directory / _leaf_name(), _members(home) & _children()
                    leaf.mkdir(exist_ok=True)
                    for pid in ("0", *children):  # 0: this process
                        with contextlib.suppress(ProcessLookupError):  # a child that has just ended
                            (leaf / "cgroup.procs").write_text(pid)
                _pass_on(home, "+")
            except OSError:
                _move_back(home)
                raise
        _ENTERED[home.directory] += 1


def leave(home: Home) -> None:
    """Undo `enter` once the last sandbox of this process has been closed."""
    if home.version == 1:
        return
    with _LOCK:
        _ENTERED[home.directory] -= 1
        if not _ENTERED[home.directory]:
            _move_back(home)


def _members(home: Home) -> set[str]:
    return set((home.directory / "cgroup.procs").read_text().split())


def _children() -> set[str]:
    """Return the process ids of this process's children: the workers that judge."""
    return {str(pid) for pid in waiter.children(os.getpid())}


def _move_back(home: Home) -> None:
    """Move every process of the leaf back into its home, and remove the leaf; nothing to do in the root.

    If another grader has a leaf there too, nothing is moved: it still needs the controllers to be passed on.
    """
    others = set(home.directory.glob(_LEAF.format("*"))) - {home.directory / _leaf_name()}
    if not _is_root(home) and not others:
        with contextlib.suppress(OSError):
            _pass_on(home, "-")
            leaf = home.directory / _leaf_name()
            for pid in ("0", *(leaf / "cgroup.procs").read_text().split()):
                with contextlib.suppress(ProcessLookupError):  # one that has just ended
                    (home.directory / "cgroup.procs").write_text(pid)
            leaf.rmdir()


def _is_root(home: Home) -> bool:
    return not (home.directory / "cgroup.events").exists()


def _pass_on(home: Home, sign: str) -> None:
    """Pass the home's controllers on to the groups below it ("+"), or no longer ("-")."""
    changes = " ".join(sign + name for name in home.controllers)
    (home.directory / "cgroup.subtree_control").write_text(changes)


def sweep(directory: Path) -> None:
    """Remove the empty groups of graders that have died.

    Only those of our own process namespace: the process id of another one says nothing here.
    """
    namespace = _prefix().rsplit("-", 2)[0]
    for path in directory.glob(f"{namespace}-*-*"):
        owner = path.name.split("-")[2]
        if not Path(f"/proc/{owner}").exists():
            with contextlib.suppress(OSError):
                path.rmdir()


def remove_all(busy: deque[Path]) -> None:
    """Remove the groups that are empty; kill what is in the others, and keep them in the list."""
    for _ in range(len(busy)):
        try:
            group = busy.popleft()
        except IndexError:  # another thread has taken it
            continue
        try:
            group.rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            _kill(group)
            busy.append(group)


def _kill(group: Path) -> None:
    """Kill every process of a group, in one step where the kernel offers it (version 2, since 5.14)."""
    with contextlib.suppress(OSError):
        if (group / "cgroup.kill").exists():
            (group / "cgroup.kill").write_text("1")
            return
        for pid in (group / "cgroup.procs").read_text().split():
            if pid != "0":  # 0: a process of another process namespace
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)


def _prefix() -> str:
    """Return the prefix of our groups' names; it holds our process namespace and our process id."""
    return f"grader-{os.stat('/proc/self/ns/pid').st_ino}-{os.getpid()}-"  # noqa: PTH116


def _leaf_name() -> str:
    return _LEAF.format(_prefix())
