"""Calls one function of a student, each call in a fork of the same start state.

    worker            reads the job, imports the preloaded modules; never runs a student's code
     `-- group        a fork: runs the statements that the function needs
          `-- call    a fork for each call: limits, the call, the result through a pipe to its group

    limits: `seconds` of processor time, twice as many by the wall clock; the time that a call waits for a
    processor does not count where its group can read it (it cannot behind Landlock without namespaces)

    frames on the worker's stdout:  b"FRAM" | u32 index | u64 length | payload (wire format)

A frame has one of these indices:

    the call's index in the job    the result of the call, or how it ended
    GROUP      whether the statements of the function succeeded, or how they ended the group
    CHANGED    the arguments of the calls that changed them
    STARTED    sent before any student's code runs: the student ended a worker that ends after it

A call's result is plain data (`wire.py`); its group observes how it ended, the worker how the group ended.
All of this is the student's side of the wall, and student code may forge every frame: the grader accepts
values from here, and never a statement that something is right.

Only the worker can tell whether an input was changed: the arrays of such a call lie in memory that the worker
and the call share, and the worker compares digests of them from before and after the calls.
"""

from __future__ import annotations

import ast
import contextlib
import ctypes
import hashlib
import importlib
import linecache
import mmap
import os
import resource
import select
import signal
import struct
import sys
import time
import types
from typing import Any

import numpy as np

from . import wire
from .chance import seeded
from .execute import MESSAGE_LENGTH, fault, plain_fault
from .perform import perform
from .received import decode_inputs

FRAME = struct.Struct("<4sIQ")
MARK = b"FRAM"
GROUP, STARTED, CHANGED = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
PR_SET_PDEATHSIG = 1
FORK_SECONDS = 10.0  # a fork is tried again this long while there are too many processes
# A call may wait for a processor this many times its wall limit before the waiting counts.
WAITING = 4
PATIENT_WAITING = 60  # the same in a patient job, in which only processor time and sleep should count
PATIENT_WALL = 3  # a patient job multiplies its wall limits by this where waiting cannot be measured
SKIPPED = "not tried: earlier calls of this function used up the time"


def main() -> None:
    """Read one job from standard input, do it, write its frames to standard output.

    A job has a function (`name`, `cells`, `calls`, limits), the modules to `preload`, and whether to be
    `patient`: then a limit of time holds however busy the machine is.
    """
    job = decode_inputs(sys.stdin.buffer.read())

    # Keep a private copy of standard output; a student's code reads from and prints to /dev/null.
    out = os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)
    sys.stdin, sys.stdout, sys.stderr = (
        open(os.devnull, mode)  # noqa: SIM115, PTH123 -- they live as long as the process
        for mode in ("r", "w", "w")
    )

    _send(out, STARTED, {})
    for name in job["preload"]:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    for call in job["calls"]:
        if call["echo"]:
            call["args"] = tuple(_in_shared_memory(value) for value in call["args"])
    before = [_digest(call) for call in job["calls"]]

    pid = _forked()
    if pid == 0:
        try:
            _die_with_parent()
            _group(job, out)
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    if status:
        code = os.waitstatus_to_exitcode(status)
        _send(out, GROUP, {"died": code, "failures": []})

    changed = {
        str(call["index"]): call["args"]
        for call, digest in zip(job["calls"], before, strict=True)
        if _digest(call) != digest
    }
    _send(out, CHANGED, changed)


def _in_shared_memory(value: Any) -> Any:
    """Return a copy of an array or a sparse matrix in memory that is shared with forks of this process."""
    if isinstance(value, np.ndarray) and value.nbytes:
        copied = np.frombuffer(mmap.mmap(-1, value.nbytes), dtype=value.dtype).reshape(value.shape)
        copied[...] = value
        return copied
    if hasattr(value, "indptr"):
        parts = tuple(_in_shared_memory(part) for part in (value.data, value.indices, value.indptr))
        return type(value)(parts, shape=value.shape)
    return value


def _digest(call: dict[str, Any]) -> bytes:
    """Return a digest of the arrays that a call shares with this process."""
    digest = hashlib.blake2b()
    for value in call["args"] if call["echo"] else ():
        for part in (value.data, value.indices, value.indptr) if hasattr(value, "indptr") else (value,):
            if isinstance(part, np.ndarray):
                digest.update(part.tobytes())
    return digest.digest()


def _send(out: int, index: int, payload: dict[str, Any]) -> None:
    _send_raw(out, index, wire.encode(payload))


def _send_raw(out: int, index: int, data: bytes) -> None:
    view = memoryview(FRAME.pack(MARK, index, len(data)) + data)
    while view:
        view = view[os.write(out, view) :]


def _forked() -> int:
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


def _die_with_parent() -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _group(job: dict[str, Any], out: int) -> None:
    """Run the statements that the function needs, then fork each call from the state they left."""
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 -- for the files that were handed in beside the notebook
    patient = job["patient"]
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, job["setup_seconds"])
    signal.setitimer(signal.ITIMER_REAL, job["setup_seconds"] * (PATIENT_WALL if patient else 1))
    namespace, failures = _run_statements(job["cells"])
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    target = namespace.get(job["name"])
    _send(out, GROUP, {"failures": failures, "callable": callable(target)})
    if not callable(target):
        return
    left, late = job["seconds"], 0
    for call in job["calls"]:
        if left <= 0 or late >= job["late"]:
            _send(
                out,
                call["index"],
                {"kind": "wall_timeout", "seconds": 0.0, "fault": plain_fault("", SKIPPED)},
            )
            continue
        data, timed_out, used = _one_call(target, call, out, patient=patient)
        _send_raw(out, call["index"], data)
        left -= used
        late = late + 1 if timed_out else 0


def _run_statements(cells: list[dict[str, Any]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
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


def _one_call(target: Any, call: dict[str, Any], out: int, *, patient: bool) -> tuple[bytes, bool, float]:
    """Make one call in a fork; return its payload, whether it exceeded its time, and the seconds it used.

    The payload is the call's result, or how the call ended without one.
    """
    read, write = os.pipe()
    pid = _forked()
    if pid == 0:
        try:
            os.close(read)
            os.close(out)
            os.setpgid(0, 0)
            _die_with_parent()
            _call(target, call, write)
        finally:
            os._exit(0)
    os.close(write)

    # Read the pipe to its end; `ending` says why reading stopped earlier.
    clock = _Clock(pid, call["seconds"], patient=patient)
    chunks: list[bytes] = []
    size, ending = 0, ""
    while not ending:
        left = clock.left()
        if left <= 0:
            ending = "wall_timeout"
        elif select.select([read], [], [], left)[0]:
            chunk = os.read(read, 1 << 20)
            if not chunk:
                break
            chunks.append(chunk)
            size += len(chunk)
            if size > (call["result_mb"] + 16) << 20:
                ending = "output_too_large"
    used = clock.used()
    os.close(read)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if ending:
            os.killpg(pid, signal.SIGKILL)
            os.kill(pid, signal.SIGKILL)
    _, status, usage = os.wait4(pid, 0)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    if chunks and not ending:
        return b"".join(chunks), False, used
    exhausted = usage.ru_utime + usage.ru_stime >= call["seconds"]
    death = _death(ending, os.waitstatus_to_exitcode(status), exhausted=exhausted)
    late = death["kind"] in ("wall_timeout", "cpu_timeout")
    return wire.encode({**death, "seconds": used}), late, used


class _Clock:
    """The wall time of a process, less the time that it waited for a processor if the system reports it."""

    def __init__(self, pid: int, seconds: float, *, patient: bool) -> None:
        self.started = time.monotonic()
        self.queue = f"/proc/{pid}/schedstat"
        self.most = (PATIENT_WAITING if patient else WAITING) * 2 * seconds
        measured = self._waited() is not None
        self.seconds = 2 * seconds * (PATIENT_WALL if patient and not measured else 1)

    def used(self) -> float:
        """Return the seconds that count."""
        return time.monotonic() - self.started - min(self._waited() or 0.0, self.most)

    def left(self) -> float:
        """Return the seconds that are left of the limit."""
        return self.seconds - self.used()

    def _waited(self) -> float | None:
        try:
            with open(self.queue) as file:  # noqa: PTH123 -- Path costs more than the reading
                return int(file.read().split()[1]) / 1e9
        except (OSError, ValueError, IndexError):
            return None


def _death(ending: str, code: int, *, exhausted: bool) -> dict[str, Any]:
    """Return how a call ended without a result; `exhausted` is whether its processor time was used up.

    The system sends SIGKILL both to a process that ignores SIGXCPU and where memory has run out.
    """
    if ending:
        return {"kind": ending}
    if code == -signal.SIGXCPU or (code == -signal.SIGKILL and exhausted):
        return {"kind": "cpu_timeout"}
    if code == -signal.SIGKILL:
        return {"kind": "out_of_memory"}
    if code < 0:
        return {"kind": "killed_by_signal", "fault": plain_fault(signal.Signals(-code).name, "")}
    return {"kind": "killed_by_signal", "fault": plain_fault("SystemExit", "the process ended itself")}


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
    while data:
        data = data[os.write(write, data) :]
