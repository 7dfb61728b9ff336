"""The walled sandbox: a warm parent forks a box for every program.

    WarmSandbox.launch  --start, descriptors-->  warm parent (inside/parent.py)  --fork-->  box
    reader thread       <--started, ended-----

When the parent dies, everything that it had forked dies with it; each such program says so in `fault`, and
the next launch starts a fresh parent.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import site
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from grader.errors import SandboxError
from grader.observe.inside.walls import ISOLATED, RESTRICTED
from grader.observe.sandbox import BOOT, Program, minimal_environment, remove_tree

START_SECONDS = 60.0
BOX_USER = 61_011  # an id that no account of an ordinary system has
BOX_USERS = 500  # as many from there on, where no namespace keeps the boxes apart
KERNEL_MODULES = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.extensions.storemagic",
    "debugpy.server.api",
    "tornado.platform.asyncio",
    "tornado.locks",
    "tornado.queues",
    "ipykernel.embed",
    "matplotlib_inline.backend_inline",
    "matplotlib.font_manager",
    "matplotlib.backends.backend_agg",
)
TIERS = (ISOLATED, RESTRICTED)


class WarmProcess:
    """A program in a box; `fault` says how we failed it, `reason` why its box was ended."""

    def __init__(
        self, identity: int, stdin: IO[bytes], stdout: IO[bytes], kill: Callable[[int], None]
    ) -> None:
        self.stdin: IO[bytes] | None = stdin
        self.stdout: IO[bytes] | None = stdout
        self.identity = identity
        self.fault = ""
        self.reason = ""
        self.code: int | None = None
        self._ended = threading.Event()
        self._kill = kill

    def poll(self) -> int | None:
        """Return the exit code, None while the program runs."""
        return self.code if self._ended.is_set() else None

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end; return the exit code, None if the time was over before."""
        self._ended.wait(timeout)
        return self.poll()

    def kill(self) -> None:
        """End the program with everything that it started, and let go of its pipes."""
        if not self._ended.is_set():
            self._kill(self.identity)
            self._ended.wait(START_SECONDS)
        for stream in (self.stdin, self.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def end(self, code: int, reason: str = "", fault: str = "") -> None:
        """Note how it ended."""
        self.code, self.reason, self.fault = code, reason, fault
        self._ended.set()


class _Parent:
    """One warm parent process and the conversation with it."""

    def __init__(self, tier: str, preload: Sequence[str], python: str, scratch: Path) -> None:
        self.alive = True
        self.numbers = itertools.count(1)
        self.running: dict[int, WarmProcess] = {}
        self.lock = threading.Lock()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control = ours
        root = Path(tempfile.mkdtemp(prefix="root-", dir=scratch))
        self.process = self._spawn(tier, preload, python, scratch, root, theirs)
        theirs.close()
        self.ready = self._first_words(tier)
        threading.Thread(target=self._read, name="grader-warm", daemon=True).start()

    def _spawn(
        self, tier: str, preload: Sequence[str], python: str, scratch: Path, root: Path, theirs: socket.socket
    ) -> subprocess.Popen[bytes]:
        user = BOX_USER if os.getuid() == 0 else os.getuid()
        group = BOX_USER if os.getuid() == 0 else os.getgid()
        paths = list(readable_paths(python))
        wires = str(scratch)
        plan = {"tier": tier, "root": str(root), "paths": paths, "wires": wires, "uid": user, "gid": group}
        settings = json.dumps({"control": theirs.fileno(), "plan": plan, "preload": list(preload)})
        command = [python, "-I", "-c", BOOT, str(Path(__file__).parent), "parent", settings]
        try:
            return subprocess.Popen(
                command,
                cwd="/",
                env=minimal_environment(Path("/tmp")),  # noqa: S108 -- the box's own, later
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        except OSError as error:
            raise SandboxError(f"cannot start {python}: {error}") from error

    def _first_words(self, tier: str) -> dict[str, Any]:
        self.control.settimeout(START_SECONDS)
        try:
            data = self.control.recv(1 << 16)
        except OSError:
            data = b""
        self.control.settimeout(None)
        if not data:
            self.process.kill()
            errors = self.process.stderr.read().decode(errors="replace") if self.process.stderr else ""
            self.stop()
            self.control.close()
            last = errors.strip().splitlines()[-1:] or ["it said nothing"]
            raise SandboxError(f"the warm parent did not start at tier {tier!r}: {last[0]}")
        message: dict[str, Any] = json.loads(data)
        return message

    def start(self, message: dict[str, Any], descriptors: list[int], process: WarmProcess) -> None:
        """Ask for a box; what becomes of it arrives at `process`."""
        self.running[process.identity] = process
        try:
            with self.lock:
                socket.send_fds(self.control, [json.dumps(message).encode()], descriptors)
        except OSError as error:
            self.running.pop(process.identity, None)
            raise SandboxError(f"the warm parent is gone: {error}") from error

    def kill(self, identity: int) -> None:
        """Ask for the end of a box; if the parent is gone, so is the box."""
        with contextlib.suppress(OSError), self.lock:
            self.control.send(json.dumps({"kill": identity}).encode())

    def stop(self) -> None:
        """End the parent and with it every box."""
        self.alive = False
        with contextlib.suppress(OSError):
            self.process.kill()
        self.process.wait()
        if self.process.stderr is not None:
            self.process.stderr.close()
        with contextlib.suppress(OSError):
            self.control.shutdown(socket.SHUT_RDWR)
        if self.process.stderr is not None:
            self.process.stderr.close()

    def _read(self) -> None:
        while True:
            try:
                data = self.control.recv(1 << 16)
            except OSError:
                data = b""
            if not data:
                break
            message = json.loads(data)
            if "ended" in message:
                process = self.running.pop(message["ended"], None)
                if process is not None:
                    process.end(message["code"], message["reason"])
            elif "failed" in message:
                process = self.running.pop(message["id"], None)
                if process is not None:
                    process.end(-1, fault=f"the warm parent could not fork: {message['failed']}")
        self.alive = False
        self.control.close()
        for process in list(self.running.values()):
            process.end(-1, fault="the warm parent of the sandbox died")
        self.running.clear()
        self.control.close()


class WarmSandbox:
    """Starts programs behind walls, in milliseconds. Close it, or use `with`.

    `kind` is how the boxes are built, `name` the tier that they reach: lower where a layer does not hold.
    """

    def __init__(
        self, preload: Sequence[str] = (), tier: str = ISOLATED, python: str = sys.executable
    ) -> None:
        self.kind = tier
        self.name = tier
        self.python = python
        self.preload = tuple(dict.fromkeys((*preload, *KERNEL_MODULES)))
        self.scratch = Path(tempfile.mkdtemp(prefix="grader-"))
        self.scratch.chmod(0o711)
        self._lock = threading.Lock()
        self._parent: _Parent | None = None

    def __enter__(self) -> WarmSandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End everything and leave nothing behind."""
        with self._lock:
            if self._parent is not None:
                self._parent.stop()
                self._parent = None
            remove_tree(self.scratch)

    def warm(self) -> _Parent:
        """Return a living parent, started if need be."""
        with self._lock:
            if self._parent is None or not self._parent.alive:
                if self._parent is not None:
                    self._parent.stop()
                self._parent = _Parent(self.kind, self.preload, self.python, self.scratch)
            return self._parent

    def launch(self, program: Program) -> WarmProcess:
        """Start a program in a box of its own; raise SandboxError if that is impossible."""
        parent = self.warm()
        identity = next(parent.numbers)
        user = BOX_USER + (identity % BOX_USERS if self.kind == RESTRICTED else 0)
        self._hand_over(program, user)
        in_read, in_write = os.pipe()
        out_read, out_write = os.pipe()
        files = sorted(path for path in program.directory.iterdir() if path.is_file())
        opened = [os.open(path, os.O_RDONLY) for path in files]
        process = WarmProcess(identity, os.fdopen(in_write, "wb"), os.fdopen(out_read, "rb"), parent.kill)
        message = {
            "id": process.identity,
            "module": program.module,
            "arguments": list(program.arguments),
            "directory": str(program.directory),
            "wires": str(program.wires or ""),
            "environment": {**minimal_environment(program.directory), **program.environment},
            "files": [path.name for path in files],
            "memory_mb": program.memory_mb,
            "user": user,
            "bare": program.bare,
        }
        try:
            parent.start(message, [in_read, out_write, *opened], process)
        except SandboxError:
            process.end(-1, fault="the warm parent died")
            process.kill()
            raise
        finally:
            for fd in (in_read, out_write, *opened):
                os.close(fd)
        return process

    def _hand_over(self, program: Program, user: int) -> None:
        """Give the box's user what it must write to: the socket directory, and without namespaces its own."""
        if os.getuid() != 0:
            return
        writable = [program.wires] if program.wires else []
        if self.kind == RESTRICTED:
            writable += [program.directory, *program.directory.iterdir()]
        for path in writable:
            os.chown(path, user, BOX_USER)
        for path in (program.directory, *([program.wires] if program.wires else [])):
            path.parent.chmod(0o711)


def readable_paths(python: str = sys.executable) -> tuple[str, ...]:
    """Return what a box must read beside the system: the interpreter, its packages, the code of the box."""
    places = [sys.prefix, sys.base_prefix, *site.getsitepackages(), sysconfig.get_path("stdlib")]
    places += [str(Path(python).resolve().parent.parent), str(Path(__file__).parent / "inside")]
    found = sorted({place for place in places if Path(place).exists()}, key=len)
    kept: list[str] = []
    for place in found:
        if not any(Path(place).is_relative_to(parent) for parent in (*kept, "/usr")):
            kept.append(place)
    return tuple(kept)
