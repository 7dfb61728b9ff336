"""A jupyter_client kernel provisioner that starts the kernel in a `Sandbox`.

nbclient stays unmodified: the kernel specification names this provisioner, jupyter_client finds it by its
entry point (`grader-sandbox`). The transport is a unix socket in the directory of the connection file, so
that a kernel in a box needs no network.
"""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path
from typing import Any, ClassVar

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase

from grader.observe.sandbox import PlainSandbox, Process, Program, Sandbox

NAME = "grader-sandbox"
CHANNELS = 5  # shell, iopub, stdin, control, heartbeat
BIND_SECONDS = 30.0


class SandboxProvisioner(KernelProvisionerBase):
    """Starts, watches and ends one kernel process through a sandbox."""

    sandbox: ClassVar[Sandbox] = PlainSandbox()
    process: Process | None = None

    @property
    def has_process(self) -> bool:
        """Whether a kernel has been started and not yet been collected."""
        return self.process is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Write the connection file; the kernel's command is its path."""
        manager: Any = self.parent
        manager.write_connection_file()
        self.connection_info = manager.get_connection_info()
        kwargs.pop("extra_arguments", None)
        kwargs["cwd"] = str(kwargs.get("cwd") or Path(manager.connection_file).parent)
        command = [manager.connection_file]
        return await super().pre_launch(cmd=command, **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel in the sandbox and return how to reach it."""
        memory_mb = int(self.kernel_spec.metadata.get("memory_mb", 4096))
        connection = Path(cmd[0])
        program = Program(
            "kernel",
            Path(kwargs["cwd"]),
            (str(memory_mb),),
            {"GRADER_CONNECTION": connection.read_text()},  # an environment is private, a command line is not
            connection.parent,
            memory_mb,
        )
        self.process = await asyncio.to_thread(self.sandbox.launch, program)
        await self._bound(connection.parent)
        return self.connection_info

    async def _bound(self, wires: Path) -> None:
        """Wait until the kernel has its sockets: connecting earlier costs a tenth of a second a try."""
        deadline = time.monotonic() + BIND_SECONDS
        while time.monotonic() < deadline and self.process is not None and self.process.poll() is None:
            if sum(path.is_socket() for path in wires.iterdir()) >= CHANNELS:
                return
            await asyncio.sleep(0.002)

    async def poll(self) -> int | None:
        """Return the exit code, None while the kernel runs, 0 if there is none."""
        return self.process.poll() if self.process else 0

    async def wait(self) -> int | None:
        """Wait until the kernel has ended and collect it with its descendants."""
        if self.process is None:
            return 0
        while self.process.poll() is None:
            await asyncio.sleep(0.02)
        await asyncio.to_thread(self.process.kill)
        return self.process.poll()

    async def send_signal(self, signum: int) -> None:
        """End the kernel on any signal that would: it is interrupted by message, and by nothing else."""
        if self.process is not None and signum in (signal.SIGKILL, signal.SIGTERM):
            await asyncio.to_thread(self.process.kill)

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel at once."""
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        """Kill the kernel: there is nothing in it that would need an orderly end."""
        await self.send_signal(signal.SIGKILL)

    async def cleanup(self, restart: bool = False) -> None:
        """Collect whatever is left of the kernel and its descendants."""
        if self.process is not None:
            await asyncio.to_thread(self.process.kill)
