"""The warm parent: imports the stack once, then forks a walled-in child for every program.

    grader  --start, kill-->   warm parent  --fork-->  waiter  --fork-->  program (kernel, calls)
            <--ready, started, ended--

Messages are JSON, one a packet; `start` carries descriptors: standard input, standard output, data files.
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
from typing import Any

from . import walls, watch

MAX_MESSAGE = 1 << 20
MAX_FILES = 32
WATCH_SECONDS = 0.5


@dataclass
class Child:
    """A program that runs: the megabytes that its box may hold, the directories that it may write to."""

    identity: int
    memory_mb: int
    wires: str
    directory: str
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
        size = array.array("i").itemsize * (MAX_FILES + 2)
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
        try:
            pid = os.fork()
        except OSError as error:
            _send(self.control, {"id": message["id"], "failed": str(error)})
            return
        if pid == 0:
            _become(message, descriptors, self.plan)
        self.children[pid] = Child(
            message["id"], message["memory_mb"], message["wires"], message["directory"]
        )
        _send(self.control, {"id": message["id"], "pid": pid})

    def _kill(self, identity: int) -> None:
        for pid, child in self.children.items():
            if child.identity == identity:
                with contextlib.suppress(ProcessLookupError):
                    for inner in walls._children(pid):
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
                code = os.waitstatus_to_exitcode(status)
                _send(self.control, {"ended": child.identity, "code": code, "reason": child.reason})

    def _watch(self) -> None:
        """End the boxes that hold more memory, disk or sockets than they may."""
        held = watch.memory_by_box(set(self.children))
        for pid, child in list(self.children.items()):
            if held.get(pid, 0) > child.memory_mb << 20:
                child.reason = "out_of_memory"
            elif watch.overfull(child.wires, child.directory if self.plan.tier != walls.ISOLATED else ""):
                child.reason = "disk_full"
            else:
                continue
            self._kill(child.identity)


def _become(message: dict[str, Any], descriptors: list[int], plan: walls.Plan) -> None:
    """In the child: take the descriptors, build the walls, run the program; never returns."""
    code = 70
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        walls.close_all_but(descriptors)
        null = os.open(os.devnull, os.O_WRONLY)
        for target, fd in enumerate((*descriptors[:2], null)):
            os.dup2(fd, target)
        kept = descriptors[2:]
        for fd in (*descriptors[:2], null):
            if fd > 2:
                os.close(fd)
        files = tuple(zip(message["files"], kept, strict=True))
        places = (message["directory"], message["wires"], message["user"], message["bare"])
        directory = walls.build_inner(plan, walls.Room(files, *places))
        os.environ.clear()
        os.environ.update({**message["environment"], "HOME": directory})
        sys.argv = [message["module"], *message["arguments"]]
        sys.stdin, sys.stdout, sys.stderr = (
            open(fd, mode, closefd=False)  # noqa: SIM115
            for fd, mode in ((0, "r"), (1, "w"), (2, "w"))
        )
        importlib.import_module(f"inside.{message['module']}").main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException as error:
        with contextlib.suppress(BaseException):
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(code)
