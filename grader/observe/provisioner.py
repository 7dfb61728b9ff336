"""A jupyter_client kernel provisioner that starts the kernel in a `Sandbox`.

nbclient is used unmodified: the kernel specification names this provisioner, and jupyter_client finds it by
its entry point (`grader-sandbox`). The transport is a unix socket in the directory of the connection file, so
a kernel in a box needs no network.

The grader gives the provisioner its sandbox. Without the grader (docs/kernel.md), the kernels of a process
with the same settings share a sandbox, which ends with the process. Each kernel then gets a private directory
with copies of the files in the working directory that the client names.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import traitlets
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase

from grader.observe.sandbox import Process, Program, Sandbox, prepared_directory

NAME = "grader-sandbox"
CHANNELS = 5  # shell, iopub, stdin, control, heartbeat
BIND_SECONDS = 30.0
LARGEST_MB = 256  # of a file that is copied into a box


class SandboxProvisioner(KernelProvisionerBase):
    """Starts, watches and ends one kernel process through a sandbox.

    The traits are set by `config` in the kernel specification's `metadata.kernel_provisioner`.
    """

    preload = traitlets.List(traitlets.Unicode(), help="Modules that are imported once for all kernels.")
    memory_mb = traitlets.Int(4096, help="Megabytes that a kernel may use.")
    minimum_tier = traitlets.Unicode("restricted", help="The walls below which no kernel is started.")
    unsafe = traitlets.Bool(False, help="Whether to start kernels without walls where there can be none.")
    python = traitlets.Unicode(
        "", help="The Python interpreter of the kernels, if not the one of this process."
    )
    sandbox: Sandbox | None = None
    process: Process | None = None
    _directory: contextlib.ExitStack | None = None

    @property
    def has_process(self) -> bool:
        """Whether a kernel has been started."""
        return self.process is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Write the connection file, whose path is the kernel's command; see to a sandbox and a directory."""
        manager: Any = self.parent
        if self.sandbox is None:
            settings = (tuple(self.preload), self.minimum_tier, self.unsafe, self.python)
            self.sandbox = await asyncio.to_thread(shared_sandbox, *settings)
            self._directory = contextlib.ExitStack()
            # copy the client's working directory, but no hidden or large files and no directories
            paths = sorted(Path(kwargs["cwd"]).iterdir()) if kwargs.get("cwd") else []
            files = {
                path.name: path.read_bytes()
                for path in paths
                if path.is_file()
                and not path.name.startswith(".")
                and path.stat().st_size <= LARGEST_MB << 20
            }
            folder = self._directory.enter_context(prepared_directory(self.sandbox, files))
            (wires := folder / "k").mkdir()
            manager.transport, manager.ip = "ipc", str(wires / "s")
            manager.connection_file = str(wires / "c.json")
            kwargs["cwd"] = str(folder / "work")
        manager.write_connection_file()
        self.connection_info = manager.get_connection_info()
        kwargs.pop("extra_arguments", None)
        kwargs["cwd"] = str(kwargs.get("cwd") or Path(manager.connection_file).parent)
        command = [manager.connection_file]
        return await super().pre_launch(cmd=command, **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel in the sandbox and return how to reach it."""
        assert self.sandbox is not None
        connection = Path(cmd[0])
        program = Program(
            "socket_kernel",
            Path(kwargs["cwd"]),
            (str(self.memory_mb),),
            {"GRADER_CONNECTION": connection.read_text()},  # other users can read a command line
            connection.parent,
            self.memory_mb,
        )
        self.process = await asyncio.to_thread(self.sandbox.launch, program)
        # wait until the kernel has its sockets: each connection that fails costs a tenth of a second
        deadline = time.monotonic() + BIND_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if sum(path.is_socket() for path in connection.parent.iterdir()) >= CHANNELS:
                break
            await asyncio.sleep(0.002)
        return self.connection_info

    async def poll(self) -> int | None:
        """Return the exit code, None while the kernel runs, 0 if there is none."""
        return self.process.poll() if self.process else 0

    async def wait(self) -> int | None:
        """Wait until the kernel has ended, end its descendants, and return its exit code."""
        if self.process is None:
            return 0
        while self.process.poll() is None:
            await asyncio.sleep(0.02)
        await asyncio.to_thread(self.process.kill)
        return self.process.poll()

    async def send_signal(self, signum: int) -> None:
        """End the kernel for SIGKILL and SIGTERM; ignore other signals: an interrupt is sent as a message."""
        if self.process is not None and signum in (signal.SIGKILL, signal.SIGTERM):
            await asyncio.to_thread(self.process.kill)

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel at once."""
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        """Kill the kernel at once too: it has nothing to save."""
        await self.send_signal(signal.SIGKILL)

    async def cleanup(self, restart: bool = False) -> None:
        """End what is left of the kernel and its descendants, and remove its directory."""
        if self.process is not None:
            await asyncio.to_thread(self.process.kill)
        if self._directory is not None and not restart:
            await asyncio.to_thread(self._directory.close)


_SHARED: dict[tuple[Any, ...], Sandbox] = {}
_SHARING = threading.Lock()


def shared_sandbox(preload: tuple[str, ...], minimum_tier: str, unsafe: bool, python: str) -> Sandbox:
    """Return the sandbox of this process with these settings; raises UsageError if its walls are too low."""
    from grader.observe.tiers import choose_sandbox  # noqa: PLC0415 -- heavy, and not needed by the grader

    key = (preload, minimum_tier, unsafe, python)
    with _SHARING:
        if key not in _SHARED:
            sandbox = choose_sandbox(preload, minimum_tier, python or sys.executable, unsafe=unsafe)
            atexit.register(sandbox.__exit__)
            _SHARED[key] = sandbox
        return _SHARED[key]
