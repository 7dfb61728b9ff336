"""The seccomp filter: it refuses system calls that no notebook needs.

    architecture wrong           -> killed
    clone3                       -> ENOSYS (a filter cannot read its flags; the C library falls back to clone)
    clone with new namespaces    -> EPERM
    socket, not of AF_UNIX       -> EOPNOTSUPP (libzmq aborts on any other answer)
    a datagram socket            -> EOPNOTSUPP (it reaches any address without connecting)
    prctl(PR_SET_DUMPABLE)       -> EPERM (the warm parent could not count the files that the box holds)
    prctl(PR_SET_PDEATHSIG)      -> EPERM, unless the signal is SIGKILL (a call ends with its group)
    a call of OF_OTHERS          -> EPERM for any process but the caller, where boxes may share their user
    a call of DENIED             -> EPERM
    everything else              -> allowed

The numbers come from the kernel's table for x86_64, and from the generic table, which aarch64 uses.
"""

from __future__ import annotations

import errno
import struct

from .system import MACHINE, PR_SET_DUMPABLE, PR_SET_PDEATHSIG, load_filter

AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
LOAD, EQUAL, AT_LEAST, ANY_BIT, AND, RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
KILL, ALLOW, ERRNO = 0x80000000, 0x7FFF0000, 0x50000
NUMBER, ARCHITECTURE, FIRST_ARGUMENT, SECOND_ARGUMENT = 0, 4, 16, 24
NEW_NAMESPACES = 0x7E020080
X32 = 0x40000000
AF_UNIX, SOCK_DGRAM, SOCKET_TYPES = 1, 2, 0xF
SIGKILL = 9
# name: (x86_64, aarch64); None where the architecture has no such call
NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "clone": (56, 220),
    "clone3": (435, 435),
    "prctl": (157, 167),
    "socket": (41, 198),
    "socketpair": (53, 199),
}
DENIED: dict[str, tuple[int | None, int | None]] = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "connect": (42, 203),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "modify_ldt": (154, None),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "msgctl": (71, 187),
    "msgget": (68, 186),
    "msgrcv": (70, 188),
    "msgsnd": (69, 189),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "semctl": (66, 191),
    "semget": (64, 190),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "shmget": (29, 194),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "uselib": (134, None),
    "userfaultfd": (323, 282),
    "vmsplice": (278, 75),
}
# What can change other processes: its numbers, and the arguments with which it changes the caller alone.
OF_OTHERS: dict[str, tuple[tuple[int, int], dict[int, int]]] = {
    "ioprio_set": ((251, 30), {FIRST_ARGUMENT: 1, SECOND_ARGUMENT: 0}),  # IOPRIO_WHO_PROCESS
    "prlimit64": ((302, 261), {FIRST_ARGUMENT: 0}),
    "sched_setaffinity": ((203, 122), {FIRST_ARGUMENT: 0}),
    "sched_setattr": ((314, 274), {FIRST_ARGUMENT: 0}),
    "sched_setparam": ((142, 118), {FIRST_ARGUMENT: 0}),
    "sched_setscheduler": ((144, 119), {FIRST_ARGUMENT: 0}),
    "setpriority": ((141, 140), {FIRST_ARGUMENT: 0, SECOND_ARGUMENT: 0}),  # PRIO_PROCESS
}
Instruction = tuple[int, int, int, int]


def supported(machine: str = MACHINE) -> bool:
    """Whether this module has the numbers of a machine's system calls."""
    return machine in AUDIT


def build(machine: str = MACHINE, *, shared_user: bool = True) -> list[Instruction]:
    """Return the filter's instructions: (code, jump if true, jump if false, operand)."""
    column = list(AUDIT).index(machine)
    call = {name: numbers[column] for name, numbers in NUMBERS.items()}
    program = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, AUDIT[machine]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
    ]
    if machine == "x86_64":
        program += [(AT_LEAST, 0, 1, X32), (RETURN, 0, 0, KILL)]
    program += _refuse(call["clone3"], errno.ENOSYS)
    program += [
        (EQUAL, 0, 4, call["clone"] or 0),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (ANY_BIT, 0, 1, NEW_NAMESPACES),
        (RETURN, 0, 0, ERRNO | errno.EPERM),
        (RETURN, 0, 0, ALLOW),
    ]
    program += [
        (EQUAL, 0, 7, call["prctl"] or 0),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (EQUAL, 3, 0, PR_SET_DUMPABLE),
        (EQUAL, 0, 3, PR_SET_PDEATHSIG),
        (LOAD, 0, 0, SECOND_ARGUMENT),
        (EQUAL, 1, 0, SIGKILL),
        (RETURN, 0, 0, ERRNO | errno.EPERM),
        (RETURN, 0, 0, ALLOW),
    ]
    for name in ("socket", "socketpair"):
        program += [
            (EQUAL, 0, 7, call[name] or 0),
            (LOAD, 0, 0, FIRST_ARGUMENT),
            (EQUAL, 0, 3, AF_UNIX),
            (LOAD, 0, 0, SECOND_ARGUMENT),
            (AND, 0, 0, SOCKET_TYPES),
            (EQUAL, 0, 1, SOCK_DGRAM),
            (RETURN, 0, 0, ERRNO | errno.EOPNOTSUPP),
            (RETURN, 0, 0, ALLOW),
        ]
    for calls, arguments in OF_OTHERS.values() if shared_user else ():
        program += [(EQUAL, 0, 2 * len(arguments) + 2, calls[column])]
        for place, (argument, value) in enumerate(arguments.items(), 1):
            rest = 2 * (len(arguments) - place)
            program += [(LOAD, 0, 0, argument), (EQUAL, 0, rest + 1, value)]
        program += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, ERRNO | errno.EPERM)]
    for numbers in DENIED.values():
        program += _refuse(numbers[column], errno.EPERM)
    return [*program, (RETURN, 0, 0, ALLOW)]


def restrict(*, shared_user: bool = True) -> bool:
    """Install the filter; return False for a machine whose system calls this module does not have.

    `shared_user` says that processes outside the box may have its user, and are in its reach.
    """
    if not supported():
        return False
    instructions = build(shared_user=shared_user)
    load_filter(b"".join(struct.pack("HBBI", *instruction) for instruction in instructions))
    return True


def _refuse(number: int | None, error: int) -> list[Instruction]:
    """Return the instructions that refuse a system call, whatever its arguments."""
    return [] if number is None else [(EQUAL, 0, 1, number), (RETURN, 0, 0, ERRNO | error)]
