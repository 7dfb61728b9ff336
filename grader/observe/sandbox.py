"""The seam behind which student code runs: a `Sandbox` starts a program of the box as a process.

    trusted side  --Program-->  Sandbox.launch  -->  Process (inside.kernel | inside.calls)

There is one implementation here, `PlainSandbox`: a subprocess with an environment of its own and limits
that it sets on itself, but no walls. It keeps accidents in, not attacks.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

import psutil

from grader.errors import SandboxError

BOOT = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from importlib import import_module; run = import_module('inside.' + sys.argv.pop(1)).main; "
    "sys.path.pop(0); run()"
)
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True)
class Program:
    """What to start: a module of `inside`, its arguments, its working directory."""

    module: str
    directory: Path
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


class Process(Protocol):
    """A started program, as the trusted side sees it."""

    pid: int
    stdin: IO[bytes] | None
    stdout: IO[bytes] | None

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code."""
        ...


class Sandbox(Protocol):
    """Starts programs that run student code; `name` goes into the results."""

    name: str

    def launch(self, program: Program) -> Process:
        """Start a program with pipes for its standard input and output; raise SandboxError if it cannot."""
        ...


class PlainSandbox:
    """A plain subprocess: no walls, an environment of its own."""

    name = "plain"

    def __init__(self, python: str = sys.executable) -> None:
        self.python = python

    def launch(self, program: Program) -> subprocess.Popen[bytes]:
        """Start the program in a session of its own."""
        inside = str(Path(__file__).parent)
        command = [self.python, "-I", "-c", BOOT, inside, program.module, *program.arguments]
        environment = {**minimal_environment(program.directory), **program.environment}
        try:
            return subprocess.Popen(
                command,
                cwd=program.directory,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise SandboxError(f"cannot start {self.python}: {error}") from error


def minimal_environment(home: Path) -> dict[str, str]:
    """Return the environment of a program of the box: nothing of the caller's but the search path."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "IPYTHONDIR": str(home / ".ipython"),
        "MPLCONFIGDIR": str(home / ".matplotlib"),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    return environment | dict.fromkeys(ONE_THREAD, "1")


def kill_session(process: Process) -> None:
    """Kill a launched program and every process of its session, and collect it."""
    for pid in psutil.pids():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) == process.pid:
                os.kill(pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
