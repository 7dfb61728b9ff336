"""The grader's side of one warm parent process: starting it, and the messages to and from it.

    grader --start, kill--> control socket --> warm parent (inside/parent.py) --fork--> boxes
           <--started, failed, ended-- reader thread

If a parent dies, its boxes die with it, and the `fault` of each says so. A parent that no longer answers is
killed, with the same result. A parent that could not fork is `tired`: it gets no new program, and the boxes
that it has go on. Once a parent is dead, its socket is closed and its directory removed.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import secrets
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from grader.errors import SandboxError
from grader.inside.parent import NOT_FORKED
from grader.inside.walls import BUBBLEWRAP
from grader.observe import bubblewrap
from grader.observe.control_groups import Group
from grader.observe.sandbox import BOOT, PACKAGE, minimal_environment

START_SECONDS = 180.0  # a busy machine imports slowly
ANSWER_SECONDS = 20.0
DEAD = "the warm parent of the sandbox died"
USERS = 500
IDS = 1_900_000_000, 2_147_000_000
FEW_IDS = 61_000, 65_500


class WarmProcess:
    """A program in a box; `fault` says how the sandbox failed, `reason` which limit its box was ended for.

    `parent` is the warm parent that forks it; `group` is removed once the program has ended.
    """

    def __init__(
        self,
        identity: int,
        stdin: IO[bytes],
        stdout: IO[bytes],
        parent: Parent,
        group: Group | None = None,
    ) -> None:
        self.stdin: IO[bytes] | None = stdin
        self.stdout: IO[bytes] | None = stdout
        self.identity = identity
        self.fault = ""
        self.reason = ""
        self.code: int | None = None
        self._ended = threading.Event()
        self._parent = parent
        self._group = group

    def poll(self) -> int | None:
        """Return the exit code, None while the program runs."""
        return self.code if self._ended.is_set() else None

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end; return the exit code, None if the program still runs after `timeout`."""
        self._ended.wait(timeout)
        return self.poll()

    def interrupt(self) -> None:
        """Send the program a SIGINT, if it runs."""
        if not self._ended.is_set():
            self._parent.interrupt(self)

    def kill(self) -> None:
        """End the program with everything that it started, and close its pipes."""
        if not self._ended.is_set():
            if self._group is not None:
                self._group.close()
            self._parent.kill(self)
        for stream in (self.stdin, self.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def end(self, code: int, reason: str = "", fault: str = "") -> None:
        """Record how the program ended, and end its control group."""
        self.code, self.reason, self.fault = code, reason, fault
        if self._group is not None:
            self._group.end()
        self._ended.set()


@dataclass(frozen=True)
class Settings:
    """What a parent is started with: the interpreter, the modules to import, the plan of its walls.

    `path` are directories in which it looks for modules, before those of the interpreter.
    """

    python: str
    preload: tuple[str, ...]
    plan: Mapping[str, Any]
    scratch: Path
    path: tuple[str, ...] = ()


class Parent:
    """A warm parent; raises SandboxError if it does not start."""

    def __init__(self, settings: Settings) -> None:
        self.alive = True
        self.tired = False
        self.numbers = itertools.count(1)
        self.running: dict[int, WarmProcess] = {}
        self.lock = threading.Lock()
        self.root = Path(tempfile.mkdtemp(prefix="root-", dir=settings.scratch))
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        patience = struct.pack("ll", int(ANSWER_SECONDS), 0)
        self.control.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, patience)
        with theirs, tempfile.TemporaryFile(dir=settings.scratch) as errors:
            try:
                self.process = self._spawn(settings, theirs, errors)
            except OSError as error:
                self._release()
                raise SandboxError(f"cannot start {settings.python}: {error}") from error
            theirs.close()
            # its first message says that it is ready
            self.control.settimeout(START_SECONDS)
            try:
                data = self.control.recv(1 << 16)
            except OSError:
                data = b""
            if not data:
                self.stop()
                self._release()
                errors.seek(0)
                lines = errors.read().decode(errors="replace").strip().splitlines()
                why = lines[-1] if lines else "it said nothing"
                raise SandboxError(f"the warm parent did not start at tier {settings.plan['tier']!r}: {why}")
            self.control.settimeout(None)
            self.ready: dict[str, Any] = json.loads(data)
        threading.Thread(target=self._read, name="grader-warm", daemon=True).start()

    def start(self, message: dict[str, Any], descriptors: list[int], process: WarmProcess) -> None:
        """Ask for a box; the reader thread sets on `process` how it ended."""
        with self.lock:
            if not self.alive:
                raise SandboxError(DEAD)
            self.running[process.identity] = process
            try:
                socket.send_fds(self.control, [json.dumps(message).encode()], descriptors)
            except OSError as error:
                self.running.pop(process.identity, None)
                self.alive = not isinstance(error, ConnectionError)
                raise SandboxError(f"the warm parent could not be asked for a box: {error}") from error

    def interrupt(self, process: WarmProcess) -> None:
        """Ask the parent to interrupt the program of a box."""
        with contextlib.suppress(OSError), self.lock:
            self.control.send(json.dumps({"interrupt": process.identity}).encode())

    def kill(self, process: WarmProcess) -> None:
        """Ask the parent to end a box; if it does not in time, end the parent with all its boxes."""
        with contextlib.suppress(OSError), self.lock:
            self.control.send(json.dumps({"kill": process.identity}).encode())
        if process.wait(ANSWER_SECONDS) is None:
            self.stop()
            process.wait(ANSWER_SECONDS)

    def stop(self) -> None:
        """End the parent, and with it every box."""
        self.alive = False
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(OSError):
            self.control.shutdown(socket.SHUT_RDWR)

    def _spawn(self, settings: Settings, theirs: socket.socket, errors: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the parent's process, behind bubblewrap if the plan says so."""
        plan = {**settings.plan, "root": str(self.root), "wires": str(settings.scratch)}
        message = {"control": theirs.fileno(), "plan": plan, "preload": list(settings.preload)}
        message["path"] = list(settings.path)
        inside = str(PACKAGE)
        command = [settings.python, "-I", "-c", BOOT, inside, "parent", json.dumps(message)]
        user: dict[str, Any] = {}
        if plan["outer"] == BUBBLEWRAP:
            bwrap = bubblewrap.found()
            if bwrap is None:
                raise SandboxError("bubblewrap is not installed")
            command = [*bubblewrap.command(bwrap, plan), *command]
            if os.getuid() == 0:  # bwrap keeps the user that it is started as
                user = {"user": plan["uid"], "group": plan["gid"], "extra_groups": []}
        return subprocess.Popen(
            command,
            cwd="/",
            env=minimal_environment(Path("/tmp")),  # noqa: S108 -- each box gets a private one
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
            **user,
        )

    def _read(self) -> None:
        """Receive how the boxes ended, until the parent is gone, and with it the boxes that are left."""
        while True:
            try:
                data = self.control.recv(1 << 16)
            except OSError:
                data = b""
            if not data:
                break
            message = json.loads(data)
            process = self.running.get(message["id"])
            if process is None or "started" in message:
                continue
            self.running.pop(message["id"], None)
            self.tired = self.tired or message["code"] == NOT_FORKED
            process.end(message["code"], message["reason"], message["fault"])
        with self.lock:
            self.alive = False
            orphans = list(self.running.values())
            self.running.clear()
            self._release()
        self.process.kill()
        self.process.wait()
        for process in orphans:
            process.end(-1, fault=DEAD)

    def _release(self) -> None:
        """Close the control socket and remove the directory that was to become the parent's root."""
        self.control.close()
        shutil.rmtree(self.root, ignore_errors=True)


def unprivileged_ids() -> dict[str, int]:
    """Return the user and group of programs, and how many ids from there on boxes can have as their own.

    Only root can give a process another user. Its ids are ones that no account of an ordinary system has, and
    another grader on this machine most likely has others: the system counts by user what all boxes hold.
    """
    if os.getuid() != 0:
        return {"uid": os.getuid(), "gid": os.getgid(), "users": 0}
    first, last = IDS
    if not any(start <= first and last < start + count for start, count in _known_ids()):
        first, last = FEW_IDS  # of a container whose ids are mapped to a few of the machine's
    user = first + secrets.randbelow((last - first) // (USERS + 1)) * (USERS + 1)
    return {"uid": user, "gid": user, "users": USERS}


def _known_ids() -> Iterator[tuple[int, int]]:
    """Yield the ranges of user ids that this process can change to: their first ids and lengths."""
    for line in Path("/proc/self/uid_map").read_text().splitlines():
        start, _, count = map(int, line.split())
        yield start, count
