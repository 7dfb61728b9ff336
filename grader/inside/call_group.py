"""The student's side of making calls: the process that has run what one function needs.

    worker  --setup-->            group    runs the statements, says whether they made a function
            --call, its pipe-->     `-- call    a fork that makes one call and writes the answer to the pipe
            <--process id, then exit code and processor time--

Everything here runs in a process that a student controls: it holds the inputs of one call at a time.
"""

from __future__ import annotations

import ast
import contextlib
import ctypes
import importlib
import linecache
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
import types
from typing import Any

from . import imports, wire
from .chance import seeded
from .execute import MESSAGE_LENGTH, fault, plain_fault
from .perform import perform
from .received import decode_inputs
from .shared import in_shared_memory

LENGTH = struct.Struct("<Q")
END = b"end"  # in place of a call: the call that runs is to be ended
MAX_REPORT = 1 << 20
PR_SET_PDEATHSIG = 1
FORK_SECONDS = 10.0  # a fork is tried again this long while there are too many processes
PATIENT_WALL = 3  # a patient job multiplies by this the wall limits in which waiting counts


class Link:
    """One end of the socket between a worker and its group: messages with their lengths, and descriptors."""

    def __init__(self, own: socket.socket) -> None:
        self.own = own

    def fileno(self) -> int:
        """Return the descriptor, to wait for a message."""
        return self.own.fileno()

    def send(self, data: bytes, descriptors: list[int] | None = None, seconds: float | None = None) -> None:
        """Send a message; raises OSError if nobody receives it, or not within some seconds."""
        self.own.settimeout(seconds)
        socket.send_fds(self.own, [LENGTH.pack(len(data))], descriptors or [])
        self.own.sendall(data)

    def receive(self, seconds: float | None = None, most: int = MAX_REPORT) -> tuple[bytes, list[int]]:
        """Return the next message and its descriptors; raises EOFError, OSError, ValueError."""
        end = None if seconds is None else time.monotonic() + seconds
        self.own.settimeout(seconds)
        header, descriptors, _, _ = socket.recv_fds(self.own, LENGTH.size, 2)
        header = self._filled(header, LENGTH.size, end)
        (size,) = LENGTH.unpack(header)
        if size > most:
            raise ValueError("a message is longer than it may be")
        return self._filled(b"", size, end), list(descriptors)

    def _filled(self, data: bytes, size: int, end: float | None) -> bytes:
        """Receive what is missing of some bytes, until a time."""
        parts = bytearray(data)
        while len(parts) < size:
            if end is not None:
                self.own.settimeout(max(end - time.monotonic(), 0.0))
            chunk = self.own.recv(min(size - len(parts), 1 << 20))
            if not chunk:
                raise EOFError
            parts += chunk
        return bytes(parts)


def serve(link: Link) -> None:
    """Make the function as the first message says, then each call that is asked for."""
    die_with_parent()
    setup = decode_inputs(link.receive(most=1 << 32)[0])
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 -- for the files that were handed in beside the notebook
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, setup["seconds"])
    if not setup["in_state"]:
        signal.setitimer(signal.ITIMER_REAL, setup["seconds"] * (PATIENT_WALL if setup["patient"] else 1))
    for name in setup["imports"]:  # once for all calls
        with contextlib.suppress(BaseException):
            importlib.import_module(name)
    failures: list[dict[str, Any]] = []
    imports.watch()
    if setup["in_state"]:
        from .notebook_state import run_cells  # noqa: PLC0415 -- it makes the small parents large

        namespace = run_cells(setup["cells"], setup["seconds"], setup["cell_seconds"])
    else:
        namespace, failures = run_statements(setup["cells"])
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    target = namespace.get(setup["name"])
    link.send(wire.encode({"failures": failures, "callable": callable(target)}))
    while callable(target):
        try:
            data, descriptors = link.receive(most=1 << 32)
        except EOFError:
            return
        if data != END:
            _one_call(target, data, setup["bound"], descriptors, link)


def die_with_parent() -> None:
    """Have the system kill this process when its parent ends."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def forked() -> int:
    """Fork; try again while there are too many processes.

    Boxes may have one user in common: a box that started as many processes as the user may is ended soon.
    """
    deadline = time.monotonic() + FORK_SECONDS
    while True:
        try:
            return os.fork()
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def run_statements(cells: list[dict[str, Any]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Execute the kept statements of the cells; return the namespace, and the fault of each that failed.

    The statements after one that failed are executed all the same.
    """
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    module.__dict__["display"] = lambda *values, **options: None
    failures = []
    with seeded(0):
        for cell in cells:
            source, filename = cell["source"], f"<cell {cell['number']}>"
            # So that a fault can quote the line of code that failed.
            linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
            body = ast.parse(source).body
            for index in cell["keep"]:
                unit = ast.Module(body=[body[index]], type_ignores=[])
                try:
                    exec(compile(unit, filename, "exec"), module.__dict__)  # noqa: S102 -- what the box is for
                except BaseException as error:
                    failures.append(fault(error))
    return module.__dict__, failures


def _one_call(target: Any, data: bytes, bound: Any, descriptors: list[int], link: Link) -> None:
    """Make one call in a fork; report its process, and when it has ended, how."""
    pid = forked()
    if pid == 0:
        try:
            link.own.close()
            os.setpgid(0, 0)
            die_with_parent()
            call = {**decode_inputs(data), "bound": bound}
            if len(descriptors) > 1:
                call["args"] = in_shared_memory(call["args"], descriptors[1])
            _call(target, call, descriptors[0])
        finally:
            os._exit(0)
    for fd in descriptors:
        os.close(fd)
    link.send(wire.encode(pid))

    # until the call has ended, the worker may ask for its end
    with contextlib.suppress(OSError):
        watch = os.pidfd_open(pid)
        ready = select.select([watch, link.fileno()], [], [])[0]
        os.close(watch)
        if watch not in ready:
            link.receive()
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
                os.kill(pid, signal.SIGKILL)
    _, status, usage = os.wait4(pid, 0)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    link.send(wire.encode((os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime)))


def _call(target: Any, call: dict[str, Any], write: int) -> None:
    """Limit this process, make the call in it, and write the payload to the pipe."""
    with contextlib.suppress(OSError, ValueError):
        pages = int(open("/proc/self/statm").read().split()[0])  # noqa: SIM115, PTH123
        space = pages * resource.getpagesize() + (call["memory_mb"] << 20)  # beside what it has now
        resource.setrlimit(resource.RLIMIT_AS, (space, space))
    seconds = max(1, round(call["seconds"]))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))

    started = time.perf_counter()
    try:
        value, after, ignored = perform(target, call, copies=False)
        payload = {"kind": "returned", "value": value, "ignored": ignored}
        if call["echo"]:
            payload["after"] = tuple(after)
    except MemoryError as error:
        payload = {"kind": "out_of_memory", "fault": fault(error)}
    except BaseException as error:
        payload = {"kind": "raised", "fault": fault(error)}
    used = payload["seconds"] = time.perf_counter() - started
    payload["imported"] = tuple(imports.FOUND)

    data, kind, reason = b"", "", ""
    try:
        data = wire.encode(payload, call["result_mb"] << 20)
    except wire.TooLarge as error:
        kind, reason = "output_too_large", str(error)
    except MemoryError:
        kind, reason = "out_of_memory", "no memory was left to send the result"
    except BaseException as error:
        kind, reason = "undecodable", str(error)[:MESSAGE_LENGTH]
    if kind:  # encoded here, as an error that is being handled keeps what it could not encode in memory
        data = wire.encode({"kind": kind, "fault": plain_fault("", reason), "seconds": used})
    data = LENGTH.pack(len(data)) + data
    while data:
        data = data[os.write(write, data) :]
