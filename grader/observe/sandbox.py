"""The interface to what runs student code: a `Sandbox` starts a program of `inside` as a process.

    core  --Program-->  Sandbox.launch          -->  Process (inside.kernel | inside.calls)
          --kernel-->   Sandbox.launch_handler  -->  Process (handler.program)

`PlainSandbox`, in this module, starts a subprocess with an environment of its own and limits that it sets on
itself, but no walls: it protects against accidents, not against attacks. `WarmSandbox` (warm.py) has walls.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol, Self

import psutil

from grader.errors import GraderFault, SandboxError

PACKAGE = Path(__file__).parent.parent
HANDLER = "grader.handler.program"
BOOT = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from importlib import import_module; run = import_module('inside.' + sys.argv.pop(1)).main; "
    "sys.path.pop(0); run()"
)
SETTLE_SECONDS = 2.0
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True)
class Program:
    """What to start: a module of `inside`, its arguments, the directory with its data files.

    `wires` is a directory for unix sockets. `memory_mb` is the limit of all its processes together,
    `counted_mb` that of its control group, which counts files in memory and kernel buffers too. `bare` leaves
    out Landlock and seccomp: for our own probe, which tries the layers beneath them. `modules` are those that
    its code imports, None if they are not known: the sandbox can choose by them which process to fork.
    """

    module: str
    directory: Path
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    wires: Path | None = None
    memory_mb: int = 8192
    counted_mb: int | None = None
    bare: bool = False
    modules: tuple[str, ...] | None = None


@contextlib.contextmanager
def run_directory(parent: Path) -> Iterator[Path]:
    """Make a directory for one run below `parent`; at the end, remove it with all that is left in it."""
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=parent))
    try:
        yield folder
    finally:
        remove_tree(folder)


def remove_tree(folder: Path) -> None:
    """Remove a directory that a student may have nested deeper than Python can follow, or made unreadable."""
    try:
        shutil.rmtree(folder)
    except (OSError, RecursionError):
        with contextlib.suppress(OSError):
            subprocess.run(["chmod", "-R", "u+rwX", "--", folder], check=False, stderr=subprocess.DEVNULL)  # noqa: S607
            subprocess.run(["rm", "-rf", "--", folder], check=False, stderr=subprocess.DEVNULL)  # noqa: S607


class Process(Protocol):
    """A started program, as the trusted side sees it.

    `fault` says how the sandbox failed, '' if it did not. `reason` is the limit that the program was ended
    for, '' if it was not.
    """

    stdin: IO[bytes] | None
    stdout: IO[bytes] | None

    @property
    def fault(self) -> str:
        """How the sandbox failed."""
        ...

    @property
    def reason(self) -> str:
        """The limit for which the sandbox or the system ended it."""
        ...

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        ...

    def interrupt(self) -> None:
        """Send the program itself a SIGINT, if it runs."""
        ...

    def kill(self) -> None:
        """End it with everything that it started, wait for its end, close its pipes."""
        ...


class Sandbox(Protocol):
    """Starts programs that run student code with the interpreter `python`; `name` goes into the results.

    Directories of a program are made below `scratch`.
    """

    name: str
    python: str
    scratch: Path

    def launch(self, program: Program) -> Process:
        """Start a program with pipes for its standard input and output; raise SandboxError if it cannot."""
        ...

    def launch_handler(self, kernel: Process | None) -> Process:
        """Start a handler, and hand the pipes of a kernel over to it; raise SandboxError if it cannot."""
        ...


def settle(process: Process) -> None:
    """Give a program that has written its last answer time to end by itself, so that `reason` is set."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)


class PlainProcess:
    """A plain subprocess in a session of its own."""

    fault = ""

    def __init__(self, started: subprocess.Popen[bytes]) -> None:
        self.started = started
        self.asked = False
        self.stdin = started.stdin
        self.stdout = started.stdout

    @property
    def reason(self) -> str:
        """`out_of_memory` after a SIGKILL that we did not send: the kernel's OOM killer sends it."""
        killed = self.started.returncode == -signal.SIGKILL and not self.asked
        return "out_of_memory" if killed else ""

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        return self.started.poll()

    def interrupt(self) -> None:
        """Send it a SIGINT."""
        if self.started.poll() is None:
            self.started.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """Kill every process of its session, wait for its end, close its pipes."""
        self.asked = self.asked or self.poll() is None
        for pid in psutil.pids():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if os.getsid(pid) == self.started.pid:
                    os.kill(pid, signal.SIGKILL)
        self.started.wait()
        for stream in (self.stdin, self.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


class PlainSandbox:
    """A plain subprocess: no walls, an environment of its own."""

    name = "plain"

    def __init__(self, python: str = sys.executable) -> None:
        self.python = python
        self.scratch = Path(tempfile.gettempdir())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def launch(self, program: Program) -> PlainProcess:
        """Start the program in a session of its own."""
        inside = str(PACKAGE)
        command = [self.python, "-I", "-c", BOOT, inside, program.module, *program.arguments]
        environment = {**minimal_environment(program.directory), **program.environment}
        return self._started(command, program.directory, environment)

    def launch_handler(self, kernel: Process | None) -> PlainProcess:
        """Start a handler in a session of its own."""
        pipes = kernel_pipes(kernel)
        code = f"import sys; sys.path.insert(0, sys.argv.pop(1)); from {HANDLER} import main; main()"
        command = [sys.executable, "-I", "-c", code, str(PACKAGE.parent), *map(str, pipes or (-1, -1))]
        process = self._started(command, self.scratch, minimal_environment(self.scratch), pipes)
        release_pipes(kernel)
        return process

    def _started(
        self, command: list[str], directory: Path, environment: dict[str, str], passed: Sequence[int] = ()
    ) -> PlainProcess:
        try:
            started = subprocess.Popen(
                command,
                cwd=directory,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=passed,
            )
        except OSError as error:
            raise SandboxError(f"cannot start {command[0]}: {error}") from error
        return PlainProcess(started)


def kernel_pipes(kernel: Process | None) -> tuple[int, ...]:
    """Return the descriptors of a kernel's pipes: for requests, for messages."""
    if kernel is None or kernel.stdin is None or kernel.stdout is None:
        return ()
    return kernel.stdin.fileno(), kernel.stdout.fileno()


def release_pipes(kernel: Process | None) -> None:
    """Close our ends of a kernel's pipes, so that they end when the kernel or its handler does."""
    for stream in (kernel.stdin, kernel.stdout) if kernel is not None else ():
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()


@contextlib.contextmanager
def prepared_directory(sandbox: Sandbox, files: Mapping[str, bytes]) -> Iterator[Path]:
    """Make a run's directory, with data files in `work`; raises GraderFault if the disk is full or closed."""
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(run_directory(sandbox.scratch))
            (folder / "work").mkdir()
            for name, data in files.items():
                (folder / "work" / name).write_bytes(data)
        except OSError as error:
            raise GraderFault(f"no place could be made for a program: {error}") from error
        yield folder


def minimal_environment(home: Path) -> dict[str, str]:
    """Return the environment of a program: of the grader's own environment it has PATH alone."""
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
