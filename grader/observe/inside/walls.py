"""The walls of the box, from the outside in.

    outer   once, around the warm parent: namespaces, a read-only root of bind mounts, an unprivileged user
    inner   around every program: namespaces of its own, private /tmp and /proc, limits, no capabilities,
            no new privileges, Landlock, seccomp

`isolated` has all of it; `restricted` has no namespaces (plain Docker allows none) and keeps the rest.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import stat
from dataclasses import dataclass
from pathlib import Path

from . import landlock, seccomp, system, waiter
from .limits import DESCRIPTORS, DISK_MB, FILE_MB, INODES, PROCESSES, SHARED_MB

ISOLATED, RESTRICTED = "isolated", "restricted"
OWN, BUBBLEWRAP, NONE = "own", "bubblewrap", "none"
TEMPORARY = "/tmp"  # noqa: S108 -- a private one
WORK = f"{TEMPORARY}/work"
SHARED = "/dev/shm"  # noqa: S108 -- a private one
DEVICES = ("null", "zero", "full", "random", "urandom")
LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}
SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/localtime",
)
OUTER = (
    system.CLONE_NEWNS | system.CLONE_NEWPID | system.CLONE_NEWNET | system.CLONE_NEWIPC | system.CLONE_NEWUTS
)
INNER = OUTER | system.CLONE_NEWUSER


@dataclass(frozen=True)
class Plan:
    """How the warm parent is walled in: the tier, an empty directory for its root, what it may read.

    `outer` is whose wall stands around it: ours, that of bubblewrap, in which it was started, or none.
    """

    tier: str
    outer: str
    root: str
    paths: tuple[str, ...]
    wires: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Room:
    """What one program's box holds: data files (name, descriptor), its directory, that of its sockets.

    `user` is a user of its own, where no namespace keeps the boxes apart. `bare` leaves out Landlock and
    seccomp: for our own code, which tries the layers beneath them. `doors` are where a process is moved into
    the control group of the box, which has a limit on processes if they are `counted`.
    """

    files: tuple[tuple[str, int], ...] = ()
    directory: str = ""
    wires: str = ""
    user: int = 0
    bare: bool = False
    doors: tuple[int, ...] = ()
    counted: bool = False


def build_outer(plan: Plan) -> None:
    """Wall this process in; where there is an outer wall it returns as process 1 of its own namespaces."""
    if plan.outer == OWN:
        _own_namespaces(plan)
        _fork_into_namespace()
        _make_root(plan)
        waiter.become(plan.uid, plan.gid)
    if plan.outer != NONE:
        system.prctl(system.PR_SET_PDEATHSIG, signal.SIGKILL)  # a change of user clears it
        system.prctl(system.PR_SET_DUMPABLE, 1)  # or its children could not write their uid_map
    system.prctl(system.PR_SET_NO_NEW_PRIVS, 1)
    system.prctl(system.PR_SET_CHILD_SUBREAPER, 1)


def build_inner(plan: Plan, room: Room) -> str:
    """Wall in this freshly forked process, and return its working directory.

    The process that was forked stays outside as the waiter: it ends as the one inside ends, and whatever
    is left then ends with it. Only the one inside returns.
    """
    if plan.tier == ISOLATED:
        uid, gid = os.getuid(), os.getgid()
        system.unshare(INNER)
        _map_user(uid, gid)
    user = room.user or plan.uid
    moved = waiter.fork_from_waiter(user, plan.gid, room.doors, clears=plan.tier != ISOLATED)
    directory = room.directory
    if plan.tier == ISOLATED:
        _private_mounts(plan, room)
        directory = WORK
    os.chdir(directory)
    if plan.tier == ISOLATED:
        _copy_files(room.files)
    limit(counted=room.counted and plan.tier == RESTRICTED)
    waiter.await_move(moved)
    if plan.tier == ISOLATED:
        with contextlib.suppress(OSError):  # a kernel without them shows no group that could be hidden
            system.unshare(system.CLONE_NEWCGROUP)
        system.drop_capabilities()
    system.prctl(system.PR_SET_NO_NEW_PRIVS, 1)
    # where no file system limits a box, the parent counts the files that its processes hold: it must look in
    system.prctl(system.PR_SET_DUMPABLE, 0 if plan.tier == ISOLATED else 1)
    if not room.bare:
        landlock.restrict(rules(plan, room, directory))
        seccomp.restrict()
    return directory


def rules(plan: Plan, room: Room, directory: str) -> landlock.Rules:
    """Return what a program may do with which files."""
    temporary = (TEMPORARY, SHARED) if plan.tier == ISOLATED else (directory,)
    devices = tuple(f"/dev/{name}" for name in DEVICES)
    return landlock.Rules(
        read=("/proc", "/etc") if plan.tier == ISOLATED else ("/proc/self", *SYSTEM),
        execute=(*SYSTEM[:6], *plan.paths),
        write=(*temporary, *devices),
        sockets=(room.wires,) if room.wires else (),
    )


def limit(*, counted: bool) -> None:
    """Set the limits that hold for everything in the box.

    The limit on processes is one on all processes of a user; where several boxes have one user, and a control
    group counts the processes of each, one box would only take them from the others.
    """
    limits = {
        resource.RLIMIT_NOFILE: DESCRIPTORS,
        resource.RLIMIT_FSIZE: FILE_MB << 20,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_MEMLOCK: 0,
    }
    if not counted:
        limits[resource.RLIMIT_NPROC] = PROCESSES
    for which, most in limits.items():
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(which, (most, most))


def _own_namespaces(plan: Plan) -> None:
    """Enter namespaces: as root directly, otherwise through a user namespace."""
    if os.getuid() == 0:
        system.unshare(OUTER)
        return
    uid, gid = os.getuid(), os.getgid()
    system.unshare(OUTER | system.CLONE_NEWUSER)
    _map_user(uid, gid)


def _map_user(uid: int, gid: int) -> None:
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def _fork_into_namespace() -> None:
    """Fork, because only children are in a new process namespace; the old process waits and ends alike."""
    pid = os.fork()
    if pid:
        waiter.close_all_but(())
        _, status = os.waitpid(pid, 0)
        os._exit(waiter.exit_code(status))
    system.prctl(system.PR_SET_PDEATHSIG, signal.SIGKILL)


def _make_root(plan: Plan) -> None:
    """Make a root of what a notebook needs to read, everything else absent, and move there."""
    system.mount("", "/", "", system.MS_REC | system.MS_PRIVATE)
    system.mount("root", plan.root, "tmpfs", system.MS_NOSUID, "size=4m,mode=755")
    Path(plan.root + TEMPORARY).mkdir()
    owner = f"uid={plan.uid},gid={plan.gid}," if os.getuid() == 0 else ""
    options = f"{owner}size=64m,mode=755"
    system.mount("tmp", f"{plan.root}{TEMPORARY}", "tmpfs", system.MS_NOSUID | system.MS_NODEV, options)
    for path in (*SYSTEM, *plan.paths):
        _expose(path, plan.root)
    for name in DEVICES:
        _bind(f"/dev/{name}", f"{plan.root}/dev/{name}", system.MS_NOSUID | system.MS_NOEXEC)
    for name, target in LINKS.items():
        Path(f"{plan.root}/dev/{name}").symlink_to(target)
    for place in ("/proc", SHARED, "/.old"):
        Path(plan.root + place).mkdir(parents=True, exist_ok=True)
    _bind(plan.wires, plan.root + plan.wires, system.MS_NOSUID | system.MS_NODEV | system.MS_NOEXEC)
    _write_accounts(plan)
    hardened = system.MS_NOSUID | system.MS_NODEV | system.MS_NOEXEC
    system.mount("proc", f"{plan.root}/proc", "proc", hardened)
    system.pivot_root(plan.root, f"{plan.root}/.old")
    os.chdir("/")
    system.unmount("/.old")
    Path("/.old").rmdir()
    system.mount("", "/", "", system.MS_REMOUNT | system.MS_BIND | system.MS_RDONLY | system.MS_NOSUID)


def _write_accounts(plan: Plan) -> None:
    etc = Path(plan.root) / "etc"
    etc.mkdir(exist_ok=True)
    uid, gid = (plan.uid, plan.gid) if os.getuid() == 0 else (os.getuid(), os.getgid())
    for name, text in accounts(uid, gid).items():
        (etc / name).write_text(text)


def accounts(uid: int, gid: int) -> dict[str, str]:
    """Return the files of /etc that give the user of a box a name, for the programs that ask."""
    return {
        "passwd": f"student:x:{uid}:{gid}::{WORK}:/bin/sh\n",
        "group": f"student:x:{gid}:\n",
        "hosts": "127.0.0.1 localhost\n",
    }


def _expose(path: str, root: str) -> None:
    """Show a path of the host, read-only, in the new root; a link stays a link."""
    if os.path.islink(path):  # noqa: PTH114
        Path(root + path).parent.mkdir(parents=True, exist_ok=True)
        Path(root + path).symlink_to(os.readlink(path))  # noqa: PTH115
    elif os.path.exists(path):  # noqa: PTH110
        _bind(path, root + path, system.MS_RDONLY | system.MS_NOSUID | system.MS_NODEV)


def _bind(source: str, target: str, flags: int) -> None:
    where = Path(target)
    if where.exists():
        return
    if Path(source).is_dir():
        where.mkdir(parents=True)
    else:
        where.parent.mkdir(parents=True, exist_ok=True)
        where.touch()
    system.mount(source, target, "", system.MS_BIND)
    locked = os.statvfs(target).f_flag & (
        system.MS_NOSUID | system.MS_NODEV | system.MS_NOEXEC | system.MS_RDONLY
    )
    system.mount("", target, "", system.MS_REMOUNT | system.MS_BIND | flags | locked)


def _private_mounts(plan: Plan, room: Room) -> None:
    """Give the program its own /tmp, /dev/shm and /proc; of all socket directories it sees its own."""
    system.mount("", "/", "", system.MS_REC | system.MS_PRIVATE)
    plain = system.MS_NOSUID | system.MS_NODEV
    below = (*(path for path in plan.paths if path.startswith(TEMPORARY + "/")), room.wires)
    kept = {path: os.open(path, os.O_PATH | os.O_NOFOLLOW) for path in below if path}
    if not plan.wires.startswith(TEMPORARY + "/"):
        system.mount("tmp", plan.wires, "tmpfs", plain, "size=64k,nr_inodes=64,mode=755")
    system.mount("tmp", TEMPORARY, "tmpfs", plain, f"size={DISK_MB}m,nr_inodes={INODES},mode=700")
    options = f"size={SHARED_MB}m,nr_inodes=256,mode=700"
    system.mount("shm", SHARED, "tmpfs", plain | system.MS_NOEXEC, options)
    for path, fd in kept.items():
        _show_again(path, fd)
    system.mount("proc", "/proc", "proc", plain | system.MS_NOEXEC)
    system.set_host_name("box")
    Path(WORK).mkdir()


def _show_again(path: str, fd: int) -> None:
    """Show what was open before something was mounted over it: an installation below /tmp, the sockets."""
    mode = os.fstat(fd).st_mode
    where = Path(path)
    where.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISLNK(mode):
        where.symlink_to(os.readlink("", dir_fd=fd))
    else:
        where.mkdir() if stat.S_ISDIR(mode) else where.touch()
        system.mount(f"/proc/self/fd/{fd}", path, "", system.MS_BIND)
    os.close(fd)


def _copy_files(files: tuple[tuple[str, int], ...]) -> None:
    """Copy the data files into the working directory, from descriptors that were handed in."""
    for name, source in files:
        with os.fdopen(source, "rb") as reading, open(os.path.basename(name), "wb") as writing:  # noqa: PTH119, PTH123
            while chunk := reading.read(1 << 20):
                writing.write(chunk)


def single_threaded() -> bool:
    """Whether this process has one thread: only then may it fork."""
    return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208
