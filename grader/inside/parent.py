"""The warm parent: imports the modules once, then forks a process in a box of its own for every program.

    grader  --start, kill-->   warm parent  --fork-->  waiter  --fork-->  program (kernel, calls, handler)
            <--ready, started, ended--

Each message is a JSON object in a packet of its own. `start` carries descriptors, in this order: standard
input, standard output, the `cgroup.procs` files of the control group, the data files.

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
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from . import waiter, walls, watch

MAX_MESSAGE = 1 << 20
MAX_FILES = 200  # with the others, less than the 253 that the system passes in one message
MAX_GROUP_FDS = 3
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
        size = array.array("i").itemsize * (2 + MAX_GROUP_FDS + MAX_FILES)
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
            message.get("user", 0),
            message.get("wires", ""),
            message.get("directory", ""),
            complaints,
            handler="kernel_fds" in message,
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
    """In the child: build the box, run the program, exit."""
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
        if "kernel_fds" in message:
            directory = walls.enclose_handler(plan, message["memory_mb"])
            arguments = [str(fd) for fd in descriptors[2:]] or ["-1", "-1"]
        else:
            first_file = 2 + message["group_fds"]
            box = walls.Box(
                files=tuple(zip(message["files"], descriptors[first_file:], strict=True)),
                directory=message["directory"],
                wires=message["wires"],
                user=message["user"],
                bare=message["bare"],
                group_fds=tuple(descriptors[2:first_file]),
                counted=message["counted"],
            )
            directory = walls.build_inner(plan, box)
            arguments = message["arguments"]
        # what the program sees as its environment, command line and standard streams
        os.environ.clear()
        os.environ.update({**message["environment"], "HOME": directory})
        sys.argv = [message["module"], *arguments]
        sys.stdin, sys.stdout, sys.stderr = (
            open(fd, mode, closefd=False)  # noqa: SIM115
            for fd, mode in ((0, "r"), (1, "w"), (2, "w"))
        )
        os.close(complain)
        importlib.import_module(message["module"]).main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException as error:
        with contextlib.suppress(BaseException):  # once the box is built, the descriptor is closed
            os.write(complain, f"the box was not built: {type(error).__name__}: {error}".encode()[:400])
    finally:
        os._exit(code)
