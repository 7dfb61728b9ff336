"""Calls a student's functions, each call in a fork of the same start state.

    worker            reads the job, imports the preloaded modules; never runs a student's code
     `-- group        one fork a function: runs the statements that the function needs
          `-- call    one fork a call: limits, the call, the result through a pipe to its group

    limits: `seconds` of processor time, twice as many by the wall clock; what a call waits for a processor
    does not count, where its group may see it (not behind Landlock without namespaces)

    frames on the worker's stdout:  b"FRAM" | u32 index | u64 length | payload (wire format)

The index is the call's place in the job, GROUP for what became of a function's statements, or STARTED
before any student's code runs: a worker that ends after that was ended by the student. A call's
result is plain data (`wire.py`); how it died is seen by its group, how the group died by the worker. All
of this is the student's side of the wall: nothing that it says of itself is believed, only the values count.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import ctypes
import importlib
import linecache
import os
import resource
import select
import signal
import struct
import sys
import time
import types
from typing import Any

from . import wire
from .chance import seeded
from .execute import MESSAGE_LENGTH, accepted, fault, plain_fault

FRAME = struct.Struct("<4sIQ")
MARK = b"FRAM"
GROUP, STARTED = 0xFFFFFFFF, 0xFFFFFFFE
PR_SET_PDEATHSIG = 1
FORK_SECONDS = 10.0
PATIENCE = 2  # calls of one function in a row that may run out of time before the rest is skipped
WAITING = 4  # times its limit, that a call may wait for a processor
SKIPPED = "not tried: earlier calls of this function used up the time"


def main() -> None:
    """Read one job from standard input, do it, write its frames to standard output."""
    job = wire.decode(sys.stdin.buffer.read())
    out = _take_over_stdio()
    _send(out, STARTED, {})
    for name in job["preload"]:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    for function in job["functions"]:
        _run_group(function, out)


def _take_over_stdio() -> int:
    """Keep a private copy of standard output and point the three standard streams at /dev/null."""
    out = os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)
    sys.stdin, sys.stdout, sys.stderr = (
        open(os.devnull, mode)  # noqa: SIM115, PTH123 -- they live as long as the process
        for mode in ("r", "w", "w")
    )
    return out


def _send(out: int, index: int, payload: dict[str, Any]) -> None:
    _send_raw(out, index, wire.encode(payload))


def _send_raw(out: int, index: int, data: bytes) -> None:
    view = memoryview(FRAME.pack(MARK, index, len(data)) + data)
    while view:
        view = view[os.write(out, view) :]


def _run_group(function: dict[str, Any], out: int) -> None:
    """Fork the process that holds one function's start state, and wait for it."""
    pid = _forked()
    if pid == 0:
        try:
            _die_with_parent()
            _group(function, out)
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    if status:
        code = os.waitstatus_to_exitcode(status)
        _send(out, GROUP, {"function": function["name"], "died": code, "failures": []})


def _forked() -> int:
    """Fork; where boxes have a user in common, wait until one that took every process has been ended."""
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


def _group(function: dict[str, Any], out: int) -> None:
    """Run the statements that the function needs, then every call in a fork of this state."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, function["setup_seconds"])
    namespace, failures = _run_statements(function["cells"])
    signal.setitimer(signal.ITIMER_REAL, 0)
    target = namespace.get(function["name"])
    report = {"function": function["name"], "failures": failures, "callable": callable(target)}
    _send(out, GROUP, report)
    if not callable(target):
        return
    left, late = function["seconds"], 0
    for call in function["calls"]:
        if left <= 0 or late >= PATIENCE:
            _send(
                out,
                call["index"],
                {"kind": "wall_timeout", "seconds": 0.0, "fault": plain_fault("", SKIPPED)},
            )
            continue
        data, timed_out, used = _one_call(target, call)
        _send_raw(out, call["index"], data)
        left -= used
        late = late + 1 if timed_out else 0


def _run_statements(cells: list[dict[str, Any]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Execute the kept statements cell by cell; a failing statement does not stop the next ones."""
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    module.__dict__["display"] = lambda *values, **options: None
    failures = []
    with seeded(0):
        for cell in cells:
            failures += _run_cell(cell, module.__dict__)
    return module.__dict__, failures


def _run_cell(cell: dict[str, Any], namespace: dict[str, Any]) -> list[dict[str, Any]]:
    """Execute the kept statements of a cell; return the faults of those that failed."""
    filename, failures = f"<cell {cell['number']}>", []
    lines = cell["source"].splitlines(keepends=True)
    linecache.cache[filename] = (len(cell["source"]), None, lines, filename)
    body = ast.parse(cell["source"]).body
    for index in cell["keep"]:
        unit = ast.Module(body=[body[index]], type_ignores=[])
        try:
            exec(compile(unit, filename, "exec"), namespace)  # noqa: S102 -- what the box is for
        except BaseException as error:
            failures.append(fault(error))
    return failures


def _one_call(target: Any, call: dict[str, Any]) -> tuple[bytes, bool, float]:
    """Fork, call; return the payload of the result or of how the call died, whether of time, and the time."""
    read, write = os.pipe()
    pid = _forked()
    if pid == 0:
        try:
            os.close(read)
            os.setpgid(0, 0)
            _die_with_parent()
            _call(target, call, write)
        finally:
            os._exit(0)
    os.close(write)
    clock = _Clock(pid, 2 * call["seconds"])
    data, ending = _receive(read, clock, (call["result_mb"] + 16) << 20)
    used = clock.used()
    os.close(read)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL) if ending else None
        os.kill(pid, signal.SIGKILL) if ending else None
    _, status, usage = os.wait4(pid, 0)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    if ending is None and data:
        return data, False, used
    exhausted = usage.ru_utime + usage.ru_stime >= call["seconds"]
    death = _death(ending, os.waitstatus_to_exitcode(status), exhausted=exhausted)
    late = death["kind"] in ("wall_timeout", "cpu_timeout")
    return wire.encode({**death, "seconds": used}), late, used


class _Clock:
    """The wall time of a process, without what it waited for a processor, as far as the system tells."""

    def __init__(self, pid: int, seconds: float) -> None:
        self.started = time.monotonic()
        self.queue = f"/proc/{pid}/schedstat"
        self.seconds = seconds

    def used(self) -> float:
        """Return the seconds that count; at most WAITING times the limit can be waited for."""
        return time.monotonic() - self.started - min(self._waited(), WAITING * self.seconds)

    def left(self) -> float:
        """Return the seconds that are left of the limit."""
        return self.seconds - self.used()

    def _waited(self) -> float:
        try:
            with open(self.queue) as file:  # noqa: PTH123 -- Path costs more than the reading
                return int(file.read().split()[1]) / 1e9
        except (OSError, ValueError, IndexError):
            return 0.0


def _receive(read: int, clock: _Clock, max_bytes: int) -> tuple[bytes, str | None]:
    """Read a pipe to its end; the second value says why reading stopped before that."""
    chunks: list[bytes] = []
    size = 0
    while True:
        left = clock.left()
        if left <= 0:
            return b"", "wall_timeout"
        if not select.select([read], [], [], left)[0]:
            continue
        chunk = os.read(read, 1 << 20)
        if not chunk:
            return b"".join(chunks), None
        size += len(chunk)
        if size > max_bytes:
            return b"", "output_too_large"
        chunks.append(chunk)


def _death(ending: str | None, code: int, *, exhausted: bool) -> dict[str, Any]:
    """Name how a call ended that returned nothing; `exhausted` is whether its processor time was used up.

    The system sends SIGKILL where SIGXCPU was ignored, and where memory has run out.
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
    """Make the call in this process, write its payload to the pipe."""
    _limit(call)
    started = time.perf_counter()
    try:
        keywords, ignored = accepted(target, call["keywords"])
        payload = {"kind": "returned", "value": _value(target, call, keywords), "ignored": ignored}
        if call["echo"]:
            payload["after"] = call["args"]
    except MemoryError as error:
        payload = {"kind": "out_of_memory", "fault": fault(error)}
    except BaseException as error:
        payload = {"kind": "raised", "fault": fault(error)}
    payload["seconds"] = time.perf_counter() - started
    data = _encoded(payload, call["result_mb"] << 20)
    while data:
        data = data[os.write(write, data) :]


def _value(target: Any, call: dict[str, Any], keywords: dict[str, Any]) -> Any:
    """Return what the function returns; for a sweep, at each point, each with fresh arguments and seeds."""
    if call["sweep"] is None:
        return _seeded(target, call["seed"], call["args"], keywords)
    values, (places, points) = [], call["sweep"]
    for point in points:
        args, taken = copy.deepcopy((list(call["args"]), keywords))
        for place, value in zip(places, point, strict=True):
            args[place] = value
        values.append(_seeded(target, call["seed"], args, taken))
    return tuple(values)


def _seeded(target: Any, seed: int, args: Any, keywords: dict[str, Any]) -> Any:
    with seeded(seed):
        return target(*args, **keywords)


def _limit(call: dict[str, Any]) -> None:
    """Set this process's own limits: address space beside what it has now, processor seconds."""
    with contextlib.suppress(OSError, ValueError):
        pages = int(open("/proc/self/statm").read().split()[0])  # noqa: SIM115, PTH123
        space = pages * resource.getpagesize() + (call["memory_mb"] << 20)
        resource.setrlimit(resource.RLIMIT_AS, (space, space))
    seconds = max(1, round(call["seconds"]))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))


def _encoded(payload: dict[str, Any], max_bytes: int) -> bytes:
    """Encode a result; what cannot be encoded becomes an outcome that says why."""
    seconds = payload["seconds"]
    try:
        return wire.encode(payload, max_bytes)
    except wire.TooLarge as error:
        failed, reason = "output_too_large", str(error)
    except MemoryError:
        failed, reason = "out_of_memory", "no memory was left to send the result"
    except BaseException as error:
        failed, reason = "undecodable", str(error)[:MESSAGE_LENGTH]
    return wire.encode({"kind": failed, "fault": plain_fault("", reason), "seconds": seconds})
