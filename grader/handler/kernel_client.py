"""What nbclient needs to speak with a kernel of ours: a manager and a client, over two pipes.

    NotebookClient  -->  PipeManager.client()  -->  PipeClient  --requests-->   inside/kernel.py
                                                                <--messages--

nbclient is used unmodified. The bytes of the pipe come from a student: what is no message of a kernel, or
longer than any, ends the conversation, and few messages, of few bytes, wait in memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import uuid
from queue import Empty
from typing import Any, Protocol

from grader.inside.limits import MESSAGE_MB
from grader.inside.packets import Joiner

MAX_WAITING = 200  # messages that are received and not yet asked for
MAX_SHELL = 16
MAX_BYTES = MESSAGE_MB << 20  # of all messages that wait; one is read whatever its length
READ = 1 << 16


class Kernel(Protocol):
    """A started kernel: the descriptors of its pipes, and what can be done with its process."""

    @property
    def requests(self) -> int:
        """Where requests are written."""
        ...

    @property
    def messages(self) -> int:
        """Where messages are read."""
        ...

    def interrupt(self) -> None:
        """Send the kernel a SIGINT."""
        ...

    def kill(self) -> None:
        """End the kernel with everything that it started."""
        ...


class Channel:
    """The messages of one channel, as nbclient asks for them."""

    def __init__(self, client: PipeClient, most: int) -> None:
        self.client = client
        self.most = most
        self.bytes = 0
        self.waiting: asyncio.Queue[tuple[dict[str, Any], int]] = asyncio.Queue()

    @property
    def full(self) -> bool:
        """Whether no more messages may wait."""
        return self.waiting.qsize() >= self.most or self.bytes > MAX_BYTES

    def put(self, message: dict[str, Any], size: int) -> None:
        """Keep a message that has arrived, in so many bytes."""
        self.waiting.put_nowait((message, size))
        self.bytes += size

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:
        """Return the next message; raises queue.Empty if there is none within `timeout` seconds."""
        try:
            message, size = await asyncio.wait_for(self.waiting.get(), timeout)
        except TimeoutError:
            raise Empty from None
        self.bytes -= size
        self.client.read_on()
        return message


class PipeClient:
    """A kernel client with the methods that nbclient calls."""

    allow_stdin = False

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.ended = False  # nothing more will arrive
        self.broken = ""  # what arrived that no kernel of ours sends
        self.shell_channel = Channel(self, MAX_SHELL)
        self.iopub_channel = Channel(self, MAX_WAITING)
        self._joiner = Joiner(MESSAGE_MB << 21)
        self._session = uuid.uuid4().hex
        self._reading = False

    def start_channels(self, **_: Any) -> None:
        """Begin to read."""
        for fd in (self.kernel.messages, self.kernel.requests):
            os.set_blocking(fd, False)
        self.read_on()

    def stop_channels(self) -> None:
        """Read no more."""
        self._pause()
        self.ended = True

    def read_on(self) -> None:
        """Read again if there is room for more messages."""
        channels = (self.shell_channel, self.iopub_channel)
        if not (self._reading or self.ended) and not any(channel.full for channel in channels):
            asyncio.get_running_loop().add_reader(self.kernel.messages, self._read)
            self._reading = True

    def _pause(self) -> None:
        if self._reading:
            asyncio.get_running_loop().remove_reader(self.kernel.messages)
            self._reading = False

    def _read(self) -> None:
        """Take what has arrived; the end of the pipe is the end of the kernel."""
        try:
            data = os.read(self.kernel.messages, READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        try:
            for text in self._joiner.feed(data):
                message = json.loads(text)
                channel = {"iopub": self.iopub_channel, "shell": self.shell_channel}[message["channel"]]
                message["msg_type"] = message["header"]["msg_type"]
                message["parent_header"].get("msg_id")
                channel.put(message, len(text))
        except Exception as error:  # a BrokenStream, a message of another form, one that takes all memory
            self.broken = f"{type(error).__name__}: {error}"[:200]
        if not data or self.broken:
            self.stop_channels()
        elif self.shell_channel.full or self.iopub_channel.full:
            self._pause()

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel says that it starts; raise RuntimeError if it does not."""
        loop = asyncio.get_running_loop()
        end = loop.time() + (timeout or 60.0)
        while loop.time() < end and not self.ended:
            with contextlib.suppress(Empty):
                await self.iopub_channel.get_msg(timeout=0.05)
                return
        raise RuntimeError("the kernel did not start")

    async def is_alive(self) -> bool:
        """Whether the kernel may still send something, or what it has sent is not yet read."""
        return not (self.ended and self.shell_channel.waiting.empty() and self.iopub_channel.waiting.empty())

    async def execute(self, code: str, *, store_history: bool = True, stop_on_error: bool = True) -> str:
        """Ask the kernel to execute a cell; return the id of the request."""
        content = {
            "code": code,
            "silent": False,
            "store_history": store_history,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": stop_on_error,
        }
        identity = uuid.uuid4().hex
        header = {
            "msg_id": identity,
            "msg_type": "execute_request",
            "session": self._session,
            "username": "grader",
            "date": None,
            "version": "5.3",
        }
        request = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        line = memoryview(json.dumps(request).encode() + b"\n")
        while line and not self.ended:
            try:
                line = line[os.write(self.kernel.requests, line) :]
            except BlockingIOError:  # the kernel does not read: wait as the limit of a cell allows
                await asyncio.sleep(0.01)
            except OSError:
                break
        return identity


class PipeManager:
    """A kernel manager with the methods that nbclient calls; the kernel has been started by others."""

    has_kernel = True
    ipykernel = False

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def client(self, **_: Any) -> PipeClient:
        """Return a client of the kernel."""
        return PipeClient(self.kernel)

    async def interrupt_kernel(self) -> None:
        """Interrupt the cell that runs."""
        self.kernel.interrupt()

    async def is_alive(self) -> bool:
        """Whether the kernel was not ended by this manager."""
        return self.has_kernel

    async def shutdown_kernel(self, now: bool = False, restart: bool = False) -> None:
        """End the kernel at once: it has nothing to save."""
        self.has_kernel = False
        self.kernel.kill()

    async def cleanup_resources(self, restart: bool = False) -> None:
        """Do nothing: whoever has started the kernel removes what is left."""
