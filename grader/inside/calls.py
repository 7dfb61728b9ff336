"""Calls one function of a student, each call in a fork of the same start state.

    worker            holds the job; never runs a student's code
     |   `-- link     a socket to the group: one call at a time, its inputs and a pipe for its answer
     `-- group        a fork from before the job was read: runs the statements that the function needs
          `-- call    a fork for each call: limits, the call, the result through the pipe of this call

    limits: `seconds` of processor time, twice as many by the wall clock; the time that a call waits for a
    processor does not count where the worker can read it (it cannot behind Landlock without namespaces)

    frames on the worker's stdout:  b"FRAM" | u32 index | u64 length | payload (wire format)

A frame has one of these indices:

    the call's index in the job    the result of the call, or how it ended
    GROUP      whether the statements of the function succeeded, or how they ended the group
    CHANGED    the arguments of the calls that changed them
    STARTED    sent before any student's code runs: the student ended a worker that ends after it

The group and its calls share no memory and no descriptor with the worker: they see no inputs before their
turn and cannot write a frame. What they report is a student's claim: the grader accepts values from here, and
never a statement that something is right.

Only the worker can tell whether an input was changed: the arrays of such a call lie in a file that the worker
and the call share, and the worker compares it with what it wrote there.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import resource
import select
import signal
import socket
import struct
import sys
import tempfile
import time
from typing import Any

import numpy.ma  # noqa: F401 -- numpy loads it late: it would be loaded anew in each call

from . import landlock, wire
from .call_group import END, LENGTH, PATIENT_WALL, Link, serve
from .execute import plain_fault
from .limits import DESCRIPTORS
from .received import decode_inputs
from .shared import laid_out, taken_from

FRAME = struct.Struct("<4sIQ")
MARK = b"FRAM"
GROUP, STARTED, CHANGED = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
LOOK_SECONDS = 0.5
END_SECONDS = 10.0  # a group that does not say in this time how a call ended is killed
# A call may wait for a processor this many times its wall limit before the waiting counts.
WAITING = 4
PATIENT_WAITING = 60  # the same in a patient job, in which only processor time and sleep should count
GROUP_SECONDS = 120.0  # that a group may take in all to say what it does
MOST_WAITING = 600.0  # seconds of waiting of a whole job that do not count
SKIPPED = "not tried: earlier calls of this function used up the time"


class GroupGone(Exception):  # noqa: N818 -- it says what has happened
    """The group ended, or says what no group of ours says."""


def main() -> None:
    """Read one job from standard input, do it, write its frames to standard output.

    The arguments are modules of the course to import first. A job has what the group needs to make the
    function (`setup`), the `calls` with their limits, and whether to be `patient`: then a limit of time holds
    however busy the machine is.
    """
    modules, sys.argv = sys.argv[1:], [""]
    for name in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    ours, theirs = socket.socketpair()
    group = os.fork()
    if group == 0:
        try:
            ours.close()
            null = os.open(os.devnull, os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(null, fd)
            os.close(null)
            sys.stdin, sys.stdout, sys.stderr = (
                open(os.devnull, mode)  # noqa: SIM115, PTH123 -- they live as long as the process
                for mode in ("r", "w", "w")
            )
            landlock.separate()
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
            serve(Link(theirs))
        finally:
            os._exit(0)
    theirs.close()
    _Worker(Link(ours), group, decode_inputs(sys.stdin.buffer.read())).work()


class _Worker:
    """Asks the group for one call after the other."""

    def __init__(self, link: Link, group: int, job: dict[str, Any]) -> None:
        self.link = link
        self.group = group
        self.job = job
        self.changed: dict[str, Any] = {}
        self.seen = _waited(f"/proc/{group}/schedstat") is not None  # also of a call, whatever its group says
        self.excused = MOST_WAITING
        self.patience = GROUP_SECONDS
        self.code: int | None = None  # how the group ended, once it has

    def work(self) -> None:
        """Do the job, and write its frames."""
        _send(STARTED, {})
        try:
            self._set_up()
        except (GroupGone, OSError, ValueError):  # ValueError: it says what cannot be passed on
            _send(GROUP, {"died": self._ended(), "failures": []})
        _send(CHANGED, self.changed)

    def _set_up(self) -> None:
        """Have the statements run, then make the calls."""
        job = self.job
        self.link.send(job["setup"], seconds=END_SECONDS)
        seconds = 2 * job["setup_seconds"] * (PATIENT_WALL if job["patient"] else 1) + END_SECONDS
        self.patience += seconds
        answer = self._told(seconds)
        if not isinstance(answer, dict):
            raise GroupGone
        _send(GROUP, {"failures": answer.get("failures"), "callable": answer.get("callable")})
        if not answer.get("callable"):
            return
        left, late = job["seconds"], 0
        for call in job["calls"]:
            if left <= 0 or late >= job["late"]:
                skipped = {"kind": "wall_timeout", "seconds": 0.0, "fault": plain_fault("", SKIPPED)}
                _send(call["index"], skipped)
                continue
            data, timed_out, used = self._one_call(call)
            _send_raw(call["index"], data)
            left -= used
            late = late + 1 if timed_out else 0

    def _one_call(self, call: dict[str, Any]) -> tuple[bytes, bool, float]:
        """Have one call made; return its payload, whether it exceeded its time, and the seconds it used."""
        read, write = os.pipe()
        before = b""
        with contextlib.ExitStack() as stack:
            stack.callback(os.close, read)
            passed = [write]
            if call["echo"]:
                content = laid_out(decode_inputs(call["data"])["args"])
                try:
                    shared = stack.enter_context(tempfile.TemporaryFile(dir="."))
                    shared.write(content)
                    shared.flush()
                except OSError:  # the student's files have left no room
                    self.changed[str(call["index"])] = None
                else:
                    before = content
                    passed.append(shared.fileno())
            asked = time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else 0.0
            self.link.send(call["data"], passed, END_SECONDS)
            os.close(write)
            pid = self._told(END_SECONDS)
            if type(pid) is not int:
                raise GroupGone
            _check_call(pid, self.group, asked)
            patient = self.job["patient"]
            clock = _Clock(pid, call["seconds"], self.excused, patient=patient, seen=self.seen)
            payload, ending, status = self._read(read, clock, call["result_mb"] + 16 << 20)
            used = clock.used()
            self.excused -= clock.waited()
            if status is None:
                self.link.send(END, seconds=END_SECONDS)
                status = self._told(END_SECONDS)
            if before:
                after = os.pread(shared.fileno(), len(before), 0)
                if after != before:
                    self.changed[str(call["index"])] = _changed(decode_inputs(call["data"])["args"], after)
        if payload is not None and not ending:
            return payload, False, used
        code, seconds = status if isinstance(status, tuple) and len(status) == 2 else (0, 0.0)
        exhausted = isinstance(seconds, float) and seconds >= call["seconds"]
        death = _death(ending, code if type(code) is int else 0, exhausted=exhausted)
        late = death["kind"] in ("wall_timeout", "cpu_timeout")
        return wire.encode({**death, "seconds": used}), late, used

    def _read(self, read: int, clock: _Clock, most: int) -> tuple[bytes | None, str, Any]:
        """Read what a call answers; return its payload, why reading stopped early, how the call ended.

        The payload is None if the call gave none; how it ended is None if the group has not yet said it.
        """
        data = bytearray()
        closed = False
        while True:
            left = clock.left()
            if left <= 0:
                return None, "wall_timeout", None
            watched = [self.link.fileno()] if closed else [read, self.link.fileno()]
            ready = select.select(watched, [], [], left)[0]
            if read in ready:
                chunk = os.read(read, 1 << 20)
                closed = not chunk
                data += chunk
                if len(data) > most:
                    return None, "output_too_large", None
                if len(data) >= LENGTH.size and len(data) >= LENGTH.size + LENGTH.unpack_from(data)[0]:
                    end = LENGTH.size + LENGTH.unpack_from(data)[0]
                    return bytes(data[LENGTH.size : end]), "", None
            elif ready:  # the call has ended, and its pipe is empty
                return None, "", self._told(END_SECONDS)

    def _told(self, seconds: float) -> Any:
        """Return the next message of the group; raise GroupGone if none comes."""
        asked = time.monotonic()
        end = asked + min(seconds, self.patience)
        try:
            while not select.select([self.link.fileno()], [], [], LOOK_SECONDS)[0]:
                over = time.monotonic() > end or self._over()
                if over and not select.select([self.link.fileno()], [], [], 0)[0]:
                    raise GroupGone
            message = wire.decode(self.link.receive(max(end - time.monotonic(), 1.0))[0])
        except (OSError, ValueError, EOFError) as error:
            raise GroupGone from error
        self.patience -= time.monotonic() - asked
        return message

    def _over(self) -> bool:
        """Whether the group has ended, or stopped itself, which ends it."""
        if self.code is None:
            ended, status = os.waitpid(self.group, os.WNOHANG | os.WUNTRACED)
            if ended and os.WIFSTOPPED(status):
                os.kill(self.group, signal.SIGKILL)
                os.waitpid(self.group, 0)
                self.code = -signal.SIGALRM
            elif ended:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code is not None

    def _ended(self) -> int:
        """Return how the group ended, by itself or because it no longer says what it does."""
        end = time.monotonic() + 1.0
        while not self._over() and time.monotonic() < end:
            time.sleep(0.01)
        if self.code is None:
            os.kill(self.group, signal.SIGKILL)
            return -signal.SIGALRM
        return self.code


def _changed(args: Any, content: bytes) -> Any:
    """Return the arguments of a call that changed them, None if what it wrote there is no such arguments."""
    try:
        changed = taken_from(args, content)
        decode_inputs(wire.encode(changed))
    except Exception:  # for numpy and scipy, such arrays are an error in many ways
        return None
    return changed


def _send(index: int, payload: dict[str, Any]) -> None:
    _send_raw(index, wire.encode(payload))


def _send_raw(index: int, data: bytes) -> None:
    view = memoryview(FRAME.pack(MARK, index, len(data)) + data)
    while view:
        view = view[os.write(1, view) :]


def _check_call(pid: int, group: int, asked: float) -> None:
    """Raise GroupGone if a process is not what its group says: its child, and not older than the request."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 -- Path costs more than the reading
            fields = file.read().rpartition(b")")[2].split()
    except OSError:  # where processes cannot be looked at, their waiting is not excused either
        return
    if int(fields[1]) != group or int(fields[19]) / os.sysconf("SC_CLK_TCK") < asked - 0.02:
        raise GroupGone


class _Clock:
    """The wall time of a process, less the time that it waited for a processor if the system reports it.

    Of the waiting, at most `excused` seconds do not count; `seen` says whether it can be seen here.
    """

    def __init__(self, pid: int, seconds: float, excused: float, *, patient: bool, seen: bool) -> None:
        self.started = time.monotonic()
        self.queue = f"/proc/{pid}/schedstat"
        self.most = max(0.0, min((PATIENT_WAITING if patient else WAITING) * 2 * seconds, excused))
        self.seconds = 2 * seconds * (PATIENT_WALL if patient and not seen else 1)

    def used(self) -> float:
        """Return the seconds that count."""
        return time.monotonic() - self.started - self.waited()

    def left(self) -> float:
        """Return the seconds that are left of the limit."""
        return self.seconds - self.used()

    def waited(self) -> float:
        """Return the seconds of waiting that do not count."""
        return min(_waited(self.queue) or 0.0, self.most)


def _waited(queue: str) -> float | None:
    """Return the seconds of waiting that a file `schedstat` tells, None if it tells none."""
    try:
        with open(queue) as file:  # noqa: PTH123 -- Path costs more than the reading
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
        names = {each.value: each.name for each in signal.Signals}  # not all have one
        name = names.get(-code, f"signal {-code}"[:40])
        return {"kind": "killed_by_signal", "fault": plain_fault(name, "")}
    return {"kind": "killed_by_signal", "fault": plain_fault("SystemExit", "the process ended itself")}
