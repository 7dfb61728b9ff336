"""The parts of the walls that need no box: the filter for both machines, what is watched, what is removed."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import signal
import socket
import tempfile
from pathlib import Path

import pytest

from grader.inside import limits, seccomp, system, waiter, watch
from grader.observe import sandbox

# from the kernel's tables: arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h
KNOWN = {
    "clone": (56, 220),
    "prctl": (157, 167),
    "socket": (41, 198),
    "connect": (42, 203),
    "ptrace": (101, 117),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "io_uring_setup": (425, 425),
    "clone3": (435, 435),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "keyctl": (250, 219),
    "process_vm_readv": (310, 270),
    "memfd_create": (319, 279),
    "shmget": (29, 194),
    "mq_open": (240, 180),
}
NEEDED = {"read": (0, 63), "write": (1, 64), "openat": (257, 56), "mmap": (9, 222), "execve": (59, 221)}
MACHINES = ("x86_64", "aarch64")
ALLOWED, KILLED = "allowed", "killed"
REFUSED = errno.errorcode[errno.EOPNOTSUPP]


def verdict(
    machine: str,
    number: int,
    *arguments: int,
    architecture: int | None = None,
    shared_user: bool = True,
) -> str:
    """Run the filter as the kernel does: return what becomes of a system call."""
    data = {0: number, 4: architecture or seccomp.AUDIT[machine]}
    data |= {16 + 8 * place: value for place, value in enumerate((*arguments, 0, 0))}
    program, place, value = seccomp.build(machine, shared_user=shared_user), 0, 0
    while True:
        code, yes, no, operand = program[place]
        if code == seccomp.RETURN:
            names = {seccomp.ALLOW: ALLOWED, seccomp.KILL: KILLED}
            return names.get(operand) or errno.errorcode[operand & 0xFFFF]
        if code == seccomp.LOAD:
            value = data[operand]
        elif code == seccomp.AND:
            value &= operand
        else:
            tests = {
                seccomp.EQUAL: value == operand,
                seccomp.AT_LEAST: value >= operand,
                seccomp.ANY_BIT: bool(value & operand),
            }
            place += yes if tests[code] else no
        place += 1


@pytest.mark.parametrize("machine", MACHINES)
def test_the_filter_refuses_by_the_numbers_of_the_machine(machine: str) -> None:
    column = MACHINES.index(machine)
    tables = seccomp.NUMBERS | seccomp.DENIED
    for name, numbers in KNOWN.items():
        assert tables[name] == numbers, name
    for name, numbers in seccomp.DENIED.items():
        if numbers[column] is not None:
            assert verdict(machine, numbers[column]) == "EPERM", name
    for name, numbers in NEEDED.items():
        assert verdict(machine, numbers[column]) == ALLOWED, name


@pytest.mark.parametrize("machine", MACHINES)
def test_no_number_is_used_twice_and_only_legacy_calls_are_missing_on_aarch64(machine: str) -> None:
    column = MACHINES.index(machine)
    numbers = [both[column] for both in (seccomp.NUMBERS | seccomp.DENIED).values() if both[column]]
    assert len(numbers) == len(set(numbers))
    lacking = {name for name, both in seccomp.DENIED.items() if both[column] is None}
    assert lacking == (set() if machine == "x86_64" else {"iopl", "ioperm", "modify_ldt", "uselib"})


@pytest.mark.parametrize("machine", MACHINES)
def test_the_filter_looks_at_the_arguments_of_clone_prctl_and_socket(machine: str) -> None:
    column = MACHINES.index(machine)
    clone, make = seccomp.NUMBERS["clone"][column] or 0, seccomp.NUMBERS["socket"][column] or 0
    assert verdict(machine, clone, 0x11) == ALLOWED
    assert verdict(machine, clone, 0x10000000 | 0x11) == "EPERM"
    control = seccomp.NUMBERS["prctl"][column] or 0
    assert verdict(machine, control, system.PR_SET_DUMPABLE) == "EPERM"
    assert verdict(machine, control, system.PR_SET_PDEATHSIG, signal.SIGKILL) == ALLOWED
    assert verdict(machine, control, system.PR_SET_PDEATHSIG, 0) == "EPERM"
    assert verdict(machine, control, 15) == ALLOWED  # PR_SET_NAME
    assert verdict(machine, seccomp.NUMBERS["clone3"][column] or 0) == "ENOSYS"
    stream, datagram = socket.SOCK_STREAM, socket.SOCK_DGRAM
    assert verdict(machine, make, socket.AF_UNIX, stream | 0x80000) == ALLOWED
    assert verdict(machine, make, socket.AF_UNIX, datagram | 0x80000) == REFUSED
    for family in (2, 10, 16, 17, 38, 40):  # ip, ipv6, netlink, packet, alg, vsock
        assert verdict(machine, make, family, stream) == REFUSED


@pytest.mark.parametrize("machine", MACHINES)
def test_where_boxes_share_a_user_a_program_can_limit_itself_alone(machine: str) -> None:
    column = MACHINES.index(machine)
    for name, (numbers, arguments) in seccomp.OF_OTHERS.items():
        own = tuple(arguments.values())
        assert verdict(machine, numbers[column], *own) == ALLOWED, name
        for place in range(len(own)):
            other = (*own[:place], 4711, *own[place + 1 :])
            assert verdict(machine, numbers[column], *other) == "EPERM", name
            assert verdict(machine, numbers[column], *other, shared_user=False) == ALLOWED, name


@pytest.mark.parametrize("machine", MACHINES)
def test_a_call_by_another_table_of_numbers_is_the_end(machine: str) -> None:
    i386 = 0x40000003
    assert verdict(machine, 1, architecture=i386) == KILLED
    if machine == "x86_64":
        assert verdict(machine, seccomp.X32 | 1) == KILLED


def test_a_directory_of_sockets_or_files_that_holds_too_much_is_noticed(tmp_path: Path) -> None:
    wires, files = tmp_path / "k", tmp_path / "work"
    wires.mkdir()
    (files / "deep").mkdir(parents=True)
    (files / "link").symlink_to("/")
    assert not watch.overfull(str(wires), str(files))
    with (files / "deep" / "big").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, limits.DISK_MB << 20)
        assert watch.overfull("", str(files))
    (files / "deep" / "big").unlink()
    for number in range(limits.SOCKETS + 1):
        (wires / str(number)).touch()
    assert watch.overfull(str(wires), "")
    assert not watch.overfull("", str(files))


def test_a_file_without_a_name_counts_while_it_is_open_or_mapped(tmp_path: Path) -> None:
    def nameless(directory: Path) -> int:
        return watch.nameless_bytes([os.getpid()], str(directory))

    size = 16 << 20
    libc = ctypes.CDLL(None)
    libc.mmap.restype, libc.mmap.argtypes = ctypes.c_void_p, [ctypes.c_void_p, *[ctypes.c_size_t] * 5]
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    with (tmp_path / "kept").open("w+b") as kept, (tmp_path / "gone").open("w+b") as gone:
        for file in (kept, gone):
            os.posix_fallocate(file.fileno(), 0, size)
        assert nameless(tmp_path) == 0
        (tmp_path / "gone").unlink()
        again = os.dup(gone.fileno())
        assert nameless(tmp_path) >= size
        os.close(again)
        mapped = libc.mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, gone.fileno(), 0)
        assert size <= nameless(tmp_path) < 2 * size
    assert nameless(tmp_path) == size
    assert nameless(tmp_path / "other") == 0
    libc.munmap(mapped, size)
    assert nameless(tmp_path) == 0
    assert watch.overfull("", str(tmp_path), limits.DISK_MB << 20)


def test_what_a_box_closed_or_nested_too_deeply_cannot_be_counted_and_is_too_much(tmp_path: Path) -> None:
    here = os.open(".", os.O_RDONLY)
    with sandbox.run_directory(tmp_path) as deep:
        os.chdir(deep)
        try:
            for _ in range(2100):
                Path("d").mkdir()
                os.chdir("d")
        finally:
            os.fchdir(here)
            os.close(here)
        assert watch.overfull("", str(deep))
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert watch.overfull("", str(loop))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        closed = Path(folder, "closed")
        for mode in (0o777, 0o444, 0o000):
            closed.mkdir(exist_ok=True)
            (closed / "file").touch()
            closed.chmod(mode)
            with waiter.acting_as(65534, 65534):
                assert watch.overfull("", folder) == (mode != 0o777)
                assert watch.overfull(str(closed), "") == (mode == 0o000)
            closed.chmod(0o777)


@pytest.mark.parametrize("name", ["a\x0cb\u2028\r c", "it is there (deleted)", "\udcff\n"])
def test_a_mapped_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(bytes(8192))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0):
        watch.nameless_bytes([os.getpid()], str(tmp_path))
        path.unlink()
        assert watch.nameless_bytes([os.getpid()], str(tmp_path)) == 8192


def test_more_descriptors_or_mappings_than_are_looked_at_are_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert watch.nameless_bytes([os.getpid()], "/none") < watch.TOO_MUCH
    monkeypatch.setattr(watch, "MAPS_BYTES", 2000)
    assert watch.nameless_bytes([os.getpid()], "/none") == watch.TOO_MUCH
    monkeypatch.undo()
    monkeypatch.setattr(watch, "INODES", 2)
    assert watch.nameless_bytes([os.getpid()], "/none") == watch.TOO_MUCH


def test_shared_memory_counts_as_memory_of_its_box() -> None:
    import subprocess
    import sys

    held = f"import mmap; m = mmap.mmap(-1, {64 << 20}); m.write(b'1' * {64 << 20}); print(1, flush=True); input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", held], **pipes) as child:
        assert child.stdout is not None
        child.stdout.readline()
        found = watch.processes_by_box({child.pid, 1 << 22})
        child.kill()
    assert sum(found[child.pid].values()) > 64 << 20
    assert not found[1 << 22]


def test_a_directory_nested_deeper_than_python_follows_is_removed(tmp_path: Path) -> None:
    here = os.open(".", os.O_RDONLY)
    try:
        with sandbox.run_directory(tmp_path) as folder:
            os.chdir(folder)
            for _ in range(1500):
                Path("d").mkdir()
                os.chdir("d")
            os.fchdir(here)
    finally:
        os.fchdir(here)
        os.close(here)
    assert list(tmp_path.iterdir()) == []
