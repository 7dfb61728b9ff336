"""The warm parent: imports the modules once, then forks a process in a box of its own for every program.

    grader  --start, kill-->   warm parent  --fork-->  waiter  --fork-->  program (kernel, calls, handler)
            <--ready, started, ended--

Each message is a JSON object in a packet of its own. `start` carries descriptors, in this order: standard
input, standard output, the `cgroup.procs` files of the control group or the pipes of the kernel, and a file
that describes the program (`describe`). Only the forked process reads that file: names that a student chose
never stand in the memory of the parent, of which every later box has a copy.

The parent never runs a student's code, has one thread, and writes no file. It also measures what each box
holds: a box above its limit of memory or disk is ended, however many processes share it.
"""

from __future__ import annotations

import array
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

from . import waiter, walls, watch

MAX_MESSAGE = 1 << 16
MAX_DESCRIPTORS = 8
LENGTH = struct.Struct("<Q")
WATCH_SECONDS = 0.5
NOT_FORKED = -1000
KILLED = 128 + signal.SIGKILL  # how a waiter exits when its program was killed
OOM_SCORE = "1000"  # the highest: the kernel's OOM killer takes a box before anything else on the machine


@dataclass
class Child:
    """A program that runs: the limit of its box in megabytes, its user, the directories that it writes to.

    The pipe `complaints` carries the error if its box cannot be built. `asked` is set once we have killed it;
    `reason` is the limit for which we did, '' if the grader asked for it.
    """

    identity: int
    memory_mb: int
    user: int
    wires: str
    directory: str
    complaints: int
    handler: bool
    asked: bool = False
    reason: str = ""


def main() -> None:
    """Build the outer wall, import the modules, and answer requests until the control socket is closed."""
    settings = json.loads(sys.argv[1])
    control = socket.socket(fileno=settings["control"])
    plan = walls.Plan(**{**settings["plan"], "paths": tuple(settings["plan"]["paths"])})
    walls.build_outer(plan)
    sys.path[:0] = settings["path"]
    own = walls.TEMPORARY if plan.outer != walls.NONE else f"{plan.wires}/own-{os.getpid()}"
    folders = {"IPYTHONDIR": f"{own}/.ipython", "MPLCONFIGDIR": f"{own}/.matplotlib"}
    os.environ.update({"HOME": own, **folders})
    missing: dict[str, str] = {}
    for name in settings["preload"]:
        try:
            module = importlib.import_module(name)
            if hasattr(module, "prepare"):
                module.prepare()
        except Exception as error:
            missing[name] = f"{type(error).__name__}: {error}"[:400]
    gc.collect()
    gc.freeze()  # a collection in a child would otherwise write to, and so copy, every page of these objects
    single = walls.single_threaded()
    _send(control, {"ready": True, "missing": missing, "single_threaded": single, "pid": os.getpid()})
    _Server(control, plan).serve()


def _send(control: socket.socket, message: dict[str, Any]) -> None:
    control.send(json.dumps(message).encode())


class _Server:
    """Forks a child for each request, ends those above their limits, and reports the end of each."""

    def __init__(self, control: socket.socket, plan: walls.Plan) -> None:
        self.control = control
        self.plan = plan
        self.children: dict[int, Child] = {}
        self.wake_read, wake_write = os.pipe()
        for fd in (self.wake_read, wake_write):
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)

    def serve(self) -> None:
        """Answer requests until the other side has closed the control socket."""
        watched = time.monotonic()
        size = array.array("i").itemsize * MAX_DESCRIPTORS
        while True:
            timeout = WATCH_SECONDS if self.children else None
            ready = select.select([self.control.fileno(), self.wake_read], [], [], timeout)[0]
            if self.wake_read in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self.wake_read, 4096)
            self._collect()
            if self.control.fileno() in ready:
                data, extra, _, _ = self.control.recvmsg(MAX_MESSAGE, socket.CMSG_LEN(size))
                if not data:
                    return
                descriptors = array.array("i")
                for _, _, payload in extra:
                    descriptors.frombytes(payload[: len(payload) - len(payload) % descriptors.itemsize])
                message = json.loads(data)
                if "kill" in message:
                    self._kill(message["kill"])
                elif "interrupt" in message:
                    self._interrupt(message["interrupt"])
                else:
                    self._start(message, descriptors.tolist())
                for fd in descriptors:
                    os.close(fd)
            if time.monotonic() - watched > WATCH_SECONDS:
                self._watch()
                watched = time.monotonic()

    def _start(self, message: dict[str, Any], descriptors: list[int]) -> None:
        """Fork a child that builds the box and runs the program; report whether it started."""
        identity = message["id"]
        pipe: tuple[int, ...] = ()
        try:
            complaints, complain = pipe = os.pipe()
            pid = os.fork()
        except OSError as error:
            for fd in pipe:
                os.close(fd)
            fault = f"the warm parent could not fork: {error}"
            _send(self.control, {"id": identity, "code": NOT_FORKED, "reason": "", "fault": fault})
            return
        if pid == 0:
            _run_program(message, descriptors, self.plan, complain)
        os.close(complain)
        os.set_blocking(complaints, False)
        self.children[pid] = Child(
            identity,
            message["memory_mb"],
            message["user"],
            message["wires"],
            message["directory"],
            complaints,
            message["handler"],
        )
        _send(self.control, {"id": identity, "started": pid})

    def _interrupt(self, identity: int) -> None:
        """Send a program a SIGINT."""
        for pid, child in self.children.items():
            if child.identity == identity and not child.handler:
                with contextlib.suppress(ProcessLookupError):
                    for inner in waiter.children(pid):
                        os.kill(inner, signal.SIGINT)

    def _kill(self, identity: int) -> None:
        """Kill the program of a box.

        Where no process namespace ends with it, its waiter must live on, to kill what the program leaves.
        """
        for pid, child in self.children.items():
            if child.identity == identity:
                child.asked = True
                with contextlib.suppress(ProcessLookupError):
                    if child.handler:
                        os.kill(pid, signal.SIGKILL)
                        continue
                    for inner in waiter.children(pid):
                        os.kill(inner, signal.SIGKILL)
                    if self.plan.tier == walls.ISOLATED:
                        os.kill(pid, signal.SIGKILL)

    def _collect(self) -> None:
        """Report how each program ended whose waiter has exited since the last call."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self.children.pop(pid, None)
            if child is None:
                continue
            code = os.waitstatus_to_exitcode(status)
            try:
                fault = os.read(child.complaints, 400).decode(errors="replace")
            except BlockingIOError:
                fault = ""
            os.close(child.complaints)
            reason = child.reason
            if not child.asked and not reason:
                if code == KILLED:  # by none of us, so by the kernel's OOM killer
                    reason = "out_of_memory"
                elif child.handler and code in (-signal.SIGXCPU, -signal.SIGSEGV, -signal.SIGABRT):
                    reason = "too_much"
                elif code < 0:  # the waiter itself was killed: our fault, as no student can reach it
                    which = "a handler" if child.handler else "the process that watches a box"
                    fault = fault or f"{which} was ended from outside (signal {-code})"
            ending = {"code": code, "reason": reason, "fault": fault}
            _send(self.control, {"id": child.identity, **ending})

    def _watch(self) -> None:
        """End the boxes that hold more memory, disk or sockets than they may."""
        held = watch.processes_by_box(set(self.children))
        for pid, child in list(self.children.items()):
            if child.handler:  # it has limits of its own
                continue
            directory, nameless = "", 0
            if self.plan.tier != walls.ISOLATED:
                directory = child.directory
                with waiter.acting_as(child.user or self.plan.uid, self.plan.gid):
                    nameless = watch.nameless_bytes(held[pid], directory)
            if sum(held[pid].values()) > child.memory_mb << 20:
                child.reason = "out_of_memory"
            elif watch.overfull(child.wires, directory, nameless):
                child.reason = "disk_full"
            else:
                continue
            self._kill(child.identity)


def _run_program(
    message: dict[str, Any], descriptors: list[int], plan: walls.Plan, complain: int
) -> NoReturn:
    """In the child: read the description of the program, build its box, run it, exit."""
    code = 70
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(OOM_SCORE)
        # keep the descriptors of this box alone; the first two become standard input and output
        waiter.close_all_but((*descriptors, complain))
        null = os.open(os.devnull, os.O_WRONLY)
        for target, fd in enumerate((*descriptors[:2], null)):
            os.dup2(fd, target)
        for fd in (*descriptors[:2], null):
            if fd > 2:
                os.close(fd)
        *others, described = descriptors[2:]
        program, content = _described(described)
        arguments = program["arguments"]
        if message["handler"]:
            content.close()
            directory = walls.enclose_handler(plan, message["memory_mb"])
            arguments = [str(fd) for fd in others] or ["-1", "-1"]
        else:
            box = walls.Box(
                files=tuple((name, size) for name, size in program["files"]),
                content=content,
                directory=message["directory"],
                wires=message["wires"],
                user=message["user"],
                bare=program["bare"],
                descriptors=program["descriptors"],
                group_fds=tuple(others),
                counted=program["counted"],
            )
            directory = walls.build_inner(plan, box)
        # what the program sees as its environment, command line and standard streams
        os.environ.clear()
        os.environ.update({**program["environment"], "HOME": directory})
        sys.argv = [program["module"], *arguments]
        sys.stdin, sys.stdout, sys.stderr = (
            open(fd, mode, closefd=False)  # noqa: SIM115
            for fd, mode in ((0, "r"), (1, "w"), (2, "w"))
        )
        os.close(complain)
        importlib.import_module(program["module"]).main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException as error:
        with contextlib.suppress(BaseException):  # once the box is built, the descriptor is closed
            os.write(complain, f"the box was not built: {type(error).__name__}: {error}".encode()[:400])
    finally:
        os._exit(code)


def describe(program: dict[str, Any], contents: Iterable[bytes] = ()) -> int:
    """Return a file without a name that describes a program: its length and JSON, then its data files."""
    file = os.memfd_create("program")
    data = json.dumps(program).encode()
    for part in (LENGTH.pack(len(data)), data, *contents):
        view = memoryview(part)
        while view:
            view = view[os.write(file, view) :]
    os.lseek(file, 0, os.SEEK_SET)
    return file


def _described(file: int) -> tuple[dict[str, Any], IO[bytes]]:
    """Return what `describe` has written, and the open file, whose rest are the data files."""
    content = open(file, "rb")  # noqa: SIM115 -- a descriptor, for the rest of this process
    (size,) = LENGTH.unpack(content.read(LENGTH.size))
    program: dict[str, Any] = json.loads(content.read(size))
    return program, content
