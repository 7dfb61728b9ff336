"""The walls of the box, from the outside in.

    outer   once, around the warm parent: namespaces, a read-only root of bind mounts, of root's privileges
            only that to give every box a user of its own
    inner   around every program: an unprivileged user, namespaces of its own, private /tmp and /proc, limits,
            no capabilities, no new privileges, Landlock, seccomp

The tier `isolated` has all of them. `restricted` has no namespaces (plain Docker allows none), and the rest.
The order of the steps matters: a step that needs a privilege comes before the step that gives it up.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from . import landlock, seccomp, system, waiter
from .limits import DESCRIPTORS, DISK_MB, FILE_MB, HANDLER_SECONDS, INODES, PROCESSES, SHARED_MB

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
    """How the warm parent is isolated: its tier, an empty directory for its new root.

    `uid` and `gid` are the user and group of programs that have no user of their own. If this is root, every
    box has one, of the `users` ids that follow: what the system counts by user, no box takes from another.
    `outer` is who builds the outer wall: this module (OWN), `bwrap` before it starts the parent (BUBBLEWRAP),
    or nobody (NONE). `paths` are the files and directories of the host that it may read. `wires` is the
    directory that holds the socket directory of each box.
    """

    tier: str
    outer: str
    root: str
    paths: tuple[str, ...]
    wires: str
    uid: int
    gid: int
    users: int = 0


@dataclass(frozen=True)
class Box:
    """What differs from box to box.

    `files` are the names and sizes of the data files, and `content` is the open file with their bytes, one
    after the other; `directory` is the working directory and `wires` the directory of its unix sockets.
    `user` is the box's own user, 0 if it has none.
    `bare` leaves out Landlock and seccomp: for our own probe, which tries the layers beneath them.
    `group_fds` are the `cgroup.procs` files of its control group; `counted` if that limits the processes.
    """

    files: tuple[tuple[str, int], ...] = ()
    content: IO[bytes] | None = None
    directory: str = ""
    wires: str = ""
    user: int = 0
    bare: bool = False
    descriptors: int = DESCRIPTORS
    group_fds: tuple[int, ...] = ()
    counted: bool = False


def build_outer(plan: Plan) -> None:
    """Put the outer wall around this process, the warm parent.

    If the wall is our own, only a child of this process returns, as process 1 of the new namespaces.
    """
    if plan.outer == OWN:
        if os.getuid() == 0:
            system.unshare(OUTER)
        else:
            uid, gid = os.getuid(), os.getgid()
            system.unshare(OUTER | system.CLONE_NEWUSER)
            _map_user(uid, gid)
        pid = os.fork()  # only a child is in the new process namespace
        if pid:
            waiter.close_all_but(())
            _, status = os.waitpid(pid, 0)
            os._exit(waiter.exit_code(status))
    if plan.outer != NONE:
        system.prctl(system.PR_SET_PDEATHSIG, signal.SIGKILL)
    if plan.outer == OWN:
        _make_root(plan)
        if os.getuid() == 0:
            system.drop_capabilities((system.CAP_KILL, system.CAP_SETGID, system.CAP_SETUID))
    system.prctl(system.PR_SET_NO_NEW_PRIVS, 1)
    system.prctl(system.PR_SET_CHILD_SUBREAPER, 1)


def build_inner(plan: Plan, box: Box) -> str:
    """Put the inner walls around a program, in a process that was just forked; return its working directory.

    This process forks once more: it stays outside the walls as the waiter, and only its child returns.
    """
    user = box.user or plan.uid
    if plan.tier == ISOLATED:
        waiter.become(user, plan.gid)
        system.prctl(system.PR_SET_DUMPABLE, 1)  # otherwise it could not write its own uid_map
        uid, gid = os.getuid(), os.getgid()
        system.unshare(INNER)
        _map_user(uid, gid)
    moved = waiter.fork_from_waiter(user, plan.gid, box.group_fds, clears=plan.tier != ISOLATED)
    directory = box.directory
    if plan.tier == ISOLATED:
        _private_mounts(plan, box)
        directory = WORK
    os.chdir(directory)
    if box.content is not None:
        for name, size in box.files:
            Path(os.path.basename(name)).write_bytes(box.content.read(size))  # noqa: PTH119
        box.content.close()
    limit(box.descriptors, counted=box.counted and plan.tier == RESTRICTED)
    waiter.await_move(moved)
    if plan.tier == ISOLATED:
        with contextlib.suppress(OSError):  # a kernel without this namespace shows no groups either
            system.unshare(system.CLONE_NEWCGROUP)
        system.drop_capabilities()
    system.prctl(system.PR_SET_NO_NEW_PRIVS, 1)
    # where no file system limits a box, the parent counts its open files: it must be allowed to read them
    system.prctl(system.PR_SET_DUMPABLE, 0 if plan.tier == ISOLATED else 1)
    if not box.bare:
        landlock.restrict(rules(plan, box, directory))
        seccomp.restrict(shared_user=plan.tier == RESTRICTED)
    return directory


def enclose_handler(plan: Plan, memory_mb: int) -> str:
    """Enclose a handler, in a process that was just forked from its warm parent; return its directory.

    It runs our code alone, so it needs no namespaces of its own: it may read what its parent may, write no
    file, reach no network, and use so much memory and processor time.
    """
    waiter.become(plan.uid, plan.gid)
    os.chdir("/")
    system.prctl(system.PR_SET_NO_NEW_PRIVS, 1)
    system.prctl(system.PR_SET_PDEATHSIG, signal.SIGKILL)
    system.prctl(system.PR_SET_DUMPABLE, 0)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    space = pages * resource.getpagesize() + (memory_mb << 20)
    limits = {
        resource.RLIMIT_AS: space,
        resource.RLIMIT_CPU: HANDLER_SECONDS,
        resource.RLIMIT_NOFILE: DESCRIPTORS,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for which, most in limits.items():
        resource.setrlimit(which, (most, most + (which == resource.RLIMIT_CPU)))
    landlock.restrict(landlock.Rules(read=("/proc/self", *SYSTEM), execute=plan.paths))
    seccomp.restrict()
    return "/"


def rules(plan: Plan, box: Box, directory: str) -> landlock.Rules:
    """Return the Landlock rules of a program: which files it may read, execute and write."""
    temporary = (TEMPORARY, SHARED) if plan.tier == ISOLATED else (directory,)
    devices = tuple(f"/dev/{name}" for name in DEVICES)
    return landlock.Rules(
        read=("/proc", "/etc") if plan.tier == ISOLATED else ("/proc/self", *SYSTEM),
        execute=(*SYSTEM[:6], *plan.paths),
        write=(*temporary, *devices),
        sockets=(box.wires,) if box.wires else (),
    )


def limit(descriptors: int, *, counted: bool) -> None:
    """Set the limits of a process; its children inherit them.

    RLIMIT_NPROC counts all processes of a user, so boxes with one user would take processes from each other.
    It is left out if a control group limits the processes of the box (`counted`).
    """
    limits = {
        resource.RLIMIT_NOFILE: descriptors,
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


def _map_user(uid: int, gid: int) -> None:
    """In a new user namespace, keep the ids of this process; every other id has no meaning there."""
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def _make_root(plan: Plan) -> None:
    """Build a root with nothing but what a notebook needs to read, and make it this process's root."""
    system.mount("", "/", "", system.MS_REC | system.MS_PRIVATE)
    system.mount("root", plan.root, "tmpfs", system.MS_NOSUID, "size=4m,mode=755")
    Path(plan.root + TEMPORARY).mkdir()
    system.mount(
        "tmp", f"{plan.root}{TEMPORARY}", "tmpfs", system.MS_NOSUID | system.MS_NODEV, "size=64m,mode=755"
    )
    # files of the host, read-only; a link stays a link
    for path in (*SYSTEM, *plan.paths):
        if os.path.islink(path):  # noqa: PTH114
            Path(plan.root + path).parent.mkdir(parents=True, exist_ok=True)
            Path(plan.root + path).symlink_to(os.readlink(path))  # noqa: PTH115
        elif os.path.exists(path):  # noqa: PTH110
            _bind(path, plan.root + path, system.MS_RDONLY | system.MS_NOSUID | system.MS_NODEV)
    for name in DEVICES:
        _bind(f"/dev/{name}", f"{plan.root}/dev/{name}", system.MS_NOSUID | system.MS_NOEXEC)
    for name, target in LINKS.items():
        Path(f"{plan.root}/dev/{name}").symlink_to(target)
    for path in ("/proc", SHARED, "/.old"):
        Path(plan.root + path).mkdir(parents=True, exist_ok=True)
    hardened = system.MS_NOSUID | system.MS_NODEV | system.MS_NOEXEC
    _bind(plan.wires, plan.root + plan.wires, hardened)
    etc = Path(plan.root) / "etc"
    etc.mkdir(exist_ok=True)
    for name, text in accounts(plan.uid, plan.gid, plan.users).items():
        (etc / name).write_text(text)
    system.mount("proc", f"{plan.root}/proc", "proc", hardened)
    # change to the new root, and detach the old one
    system.pivot_root(plan.root, f"{plan.root}/.old")
    os.chdir("/")
    system.unmount("/.old")
    Path("/.old").rmdir()
    system.mount("", "/", "", system.MS_REMOUNT | system.MS_BIND | system.MS_RDONLY | system.MS_NOSUID)


def accounts(uid: int, gid: int, users: int) -> dict[str, str]:
    """Return the files of /etc from which programs read the names of the user, the group and the host.

    The user of every box has the same name.
    """
    return {
        "passwd": "".join(
            f"student:x:{user}:{gid}::{WORK}:/bin/sh\n" for user in range(uid, uid + users + 1)
        ),
        "group": f"student:x:{gid}:\n",
        "hosts": "127.0.0.1 localhost\n",
    }


def _bind(source: str, target: str, flags: int) -> None:
    """Show a file or directory at `target` too, with `flags` beside those that its mount has."""
    path = Path(target)
    if path.exists():
        return
    if Path(source).is_dir():
        path.mkdir(parents=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    system.mount(source, target, "", system.MS_BIND)
    # in a user namespace, the kernel refuses a remount that would clear one of these flags
    locked = os.statvfs(target).f_flag & (
        system.MS_NOSUID | system.MS_NODEV | system.MS_NOEXEC | system.MS_RDONLY
    )
    system.mount("", target, "", system.MS_REMOUNT | system.MS_BIND | flags | locked)


def _private_mounts(plan: Plan, box: Box) -> None:
    """Give the program its own /tmp, /dev/shm and /proc; of all socket directories it sees its own alone."""
    system.mount("", "/", "", system.MS_REC | system.MS_PRIVATE)
    plain = system.MS_NOSUID | system.MS_NODEV
    # the new /tmp hides an installation below /tmp and the socket directory: open them first
    below = (*(path for path in plan.paths if path.startswith(TEMPORARY + "/")), box.wires)
    kept = {path: os.open(path, os.O_PATH | os.O_NOFOLLOW) for path in below if path}
    if not plan.wires.startswith(TEMPORARY + "/"):
        system.mount("tmp", plan.wires, "tmpfs", plain, "size=64k,nr_inodes=64,mode=755")
    system.mount("tmp", TEMPORARY, "tmpfs", plain, f"size={DISK_MB}m,nr_inodes={INODES},mode=700")
    options = f"size={SHARED_MB}m,nr_inodes=256,mode=700"
    system.mount("shm", SHARED, "tmpfs", plain | system.MS_NOEXEC, options)
    # show them again at their old paths
    for name, fd in kept.items():
        path, mode = Path(name), os.fstat(fd).st_mode
        path.parent.mkdir(parents=True, exist_ok=True)
        if stat.S_ISLNK(mode):
            path.symlink_to(os.readlink("", dir_fd=fd))
        else:
            path.mkdir() if stat.S_ISDIR(mode) else path.touch()
            system.mount(f"/proc/self/fd/{fd}", name, "", system.MS_BIND)
        os.close(fd)
    system.mount("proc", "/proc", "proc", plain | system.MS_NOEXEC)
    system.set_host_name("box")
    Path(WORK).mkdir()


def single_threaded() -> bool:
    """Whether this process has one thread: a fork copies no other, so a lock of another would stay locked."""
    return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208
