"""The warm parent: imports the stack once, then forks a walled-in child for every program.

    grader  --start, kill-->   warm parent  --fork-->  waiter  --fork-->  program (kernel, calls)
            <--ready, started, ended--

Messages are JSON, one a packet; `start` carries descriptors: standard input, standard output, the doors of
its control group, data files.
The parent never runs a student's code, has one thread, and writes nowhere. It also watches: a box that
holds more memory or disk than it may is ended, however many processes share it.
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
from typing import Any

from . import waiter, walls, watch

MAX_MESSAGE = 1 << 20
MAX_FILES = 32
MAX_DOORS = 3
WATCH_SECONDS = 0.5
NOT_FORKED = -1000
KILLED = 128 + signal.SIGKILL  # how a waiter exits when its program was killed
FIRST_TO_GO = "1000"  # the score for the kernel's OOM killer: a box before anything else of the machine


@dataclass
class Child:
    """A program that runs: the megabytes that its box may hold, its user, the directories that it writes to.

    `complaints` is where it says what failed us, `asked` whether it was ended on request, `reason` why it
    was ended by us.
    """

    identity: int
    memory_mb: int
    user: int
    wires: str
    directory: str
    complaints: int
    asked: bool = False
    reason: str = ""


def main() -> None:
    """Wall this process in, import the stack, serve until the control socket is closed."""
    settings = json.loads(sys.argv[1])
    control = socket.socket(fileno=settings["control"])
    plan = walls.Plan(**{**settings["plan"], "paths": tuple(settings["plan"]["paths"])})
    walls.build_outer(plan)
    os.environ.update({"HOME": walls.WORK, "MPLCONFIGDIR": walls.WORK + "/.matplotlib"})
    missing = [name for name in settings["preload"] if not _imported(name)]
    gc.collect()
    gc.freeze()
    single = walls.single_threaded()
    _send(control, {"ready": True, "missing": missing, "single_threaded": single, "pid": os.getpid()})
    _Server(control, plan).serve()


def _imported(name: str) -> bool:
    try:
        importlib.import_module(name)
    except Exception:
        return False
    return True


def _send(control: socket.socket, message: dict[str, Any]) -> None:
    control.send(json.dumps(message).encode())


class _Server:
    """Forks, watches and collects."""

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
        """Answer requests until the other side is gone."""
        watched = time.monotonic()
        while True:
            timeout = WATCH_SECONDS if self.children else None
            ready = select.select([self.control.fileno(), self.wake_read], [], [], timeout)[0]
            if self.wake_read in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self.wake_read, 4096)
            self._collect()
            if self.control.fileno() in ready and not self._answer():
                return
            if time.monotonic() - watched > WATCH_SECONDS:
                self._watch()
                watched = time.monotonic()

    def _answer(self) -> bool:
        size = array.array("i").itemsize * (2 + MAX_DOORS + MAX_FILES)
        data, extra, _, _ = self.control.recvmsg(MAX_MESSAGE, socket.CMSG_LEN(size))
        if not data:
            return False
        descriptors = array.array("i")
        for _, _, payload in extra:
            descriptors.frombytes(payload[: len(payload) - len(payload) % descriptors.itemsize])
        message = json.loads(data)
        if "kill" in message:
            self._kill(message["kill"])
        else:
            self._start(message, descriptors.tolist())
        for fd in descriptors:
            os.close(fd)
        return True

    def _start(self, message: dict[str, Any], descriptors: list[int]) -> None:
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
            _become(message, descriptors, self.plan, complain)
        os.close(complain)
        os.set_blocking(complaints, False)
        places = (message["wires"], message["directory"])
        self.children[pid] = Child(identity, message["memory_mb"], message["user"], *places, complaints)
        _send(self.control, {"id": identity, "started": pid})

    def _kill(self, identity: int) -> None:
        for pid, child in self.children.items():
            if child.identity == identity:
                child.asked = True
                with contextlib.suppress(ProcessLookupError):
                    for inner in waiter.children(pid):
                        os.kill(inner, signal.SIGKILL)
                    if self.plan.tier == walls.ISOLATED:
                        os.kill(pid, signal.SIGKILL)

    def _collect(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self.children.pop(pid, None)
            if child is not None:
                ending = _ending(child, os.waitstatus_to_exitcode(status))
                _send(self.control, {"id": child.identity, **ending})

    def _watch(self) -> None:
        """End the boxes that hold more memory, disk or sockets than they may."""
        held = watch.processes_by_box(set(self.children))
        for pid, child in list(self.children.items()):
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


def _ending(child: Child, code: int) -> dict[str, Any]:
    """Say how a box ended: through whom, and as what its waiter exited.

    A program that somebody else killed with SIGKILL met the kernel's OOM killer; a waiter that was killed
    is our fault, as no student reaches it.
    """
    try:
        fault = os.read(child.complaints, 400).decode(errors="replace")
    except BlockingIOError:
        fault = ""
    os.close(child.complaints)
    reason = child.reason
    if not child.asked and not reason:
        if code == KILLED:
            reason = "out_of_memory"
        elif code < 0:
            fault = fault or f"the process that watches a box was ended from outside (signal {-code})"
    return {"code": code, "reason": reason, "fault": fault}


def _become(message: dict[str, Any], descriptors: list[int], plan: walls.Plan, complain: int) -> None:
    """In the child: build the box, run the program; never returns."""
    code = 70
    try:
        _move_in(message, descriptors, plan, complain)
        importlib.import_module(f"inside.{message['module']}").main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException as error:
        with contextlib.suppress(BaseException):  # the descriptor is closed once the box is built
            os.write(complain, f"the box was not built: {type(error).__name__}: {error}".encode()[:400])
    finally:
        os._exit(code)


def _move_in(message: dict[str, Any], descriptors: list[int], plan: walls.Plan, complain: int) -> None:
    """Take the descriptors, build the walls, put the environment and the standard streams in place."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(FIRST_TO_GO)
    waiter.close_all_but((*descriptors, complain))
    null = os.open(os.devnull, os.O_WRONLY)
    for target, fd in enumerate((*descriptors[:2], null)):
        os.dup2(fd, target)
    for fd in (*descriptors[:2], null):
        if fd > 2:
            os.close(fd)
    doors, opened = descriptors[2 : 2 + message["doors"]], descriptors[2 + message["doors"] :]
    files = tuple(zip(message["files"], opened, strict=True))
    places = (message["directory"], message["wires"], message["user"], message["bare"])
    directory = walls.build_inner(plan, walls.Room(files, *places, tuple(doors), message["counted"]))
    os.environ.clear()
    os.environ.update({**message["environment"], "HOME": directory})
    sys.argv = [message["module"], *message["arguments"]]
    sys.stdin, sys.stdout, sys.stderr = (
        open(fd, mode, closefd=False)  # noqa: SIM115
        for fd, mode in ((0, "r"), (1, "w"), (2, "w"))
    )
    os.close(complain)
