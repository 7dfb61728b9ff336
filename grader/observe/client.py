"""A kernel client that knows when the kernel is ready, instead of waiting until nothing more is said.

The stock client empties the iopub channel by waiting a fifth of a second for silence. This one asks for the
kernel's info and reads the channel up to the `idle` that belongs to this question: then the subscription
stands, and nothing that was said before a cell is left in the channel.
"""

from __future__ import annotations

import time
from queue import Empty
from typing import Any

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient

TRY_SECONDS = 1.0
MAX_MESSAGE = 32 << 20
MAX_WAITING = {"iopub": 100}  # messages of a channel that wait to be read
FEW_WAITING = 4  # the same on channels that carry answers alone


class PromptClient(AsyncKernelClient):
    """An asynchronous client whose `wait_for_ready` returns as soon as the kernel is ready.

    A kernel that sends a larger message than MAX_MESSAGE is cut off, and of what it sends faster than it is
    read little is kept: neither may cost the grader its memory. There is no heartbeat: its thread may wait
    for ever for a kernel that answers nonsense, and whether the process lives is known without it.
    """

    def start_channels(
        self,
        shell: bool = True,
        iopub: bool = True,
        stdin: bool = True,
        hb: bool = False,
        control: bool = True,
    ) -> None:
        """Connect to the kernel."""
        super().start_channels(shell, iopub, stdin, hb, control)

    def _create_connected_socket(self, channel: str, identity: bytes | None = None) -> Any:
        """Return a socket of a channel with limits; they must be set before it connects."""
        self.context.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE)
        self.context.setsockopt(zmq.RCVHWM, MAX_WAITING.get(channel, FEW_WAITING))
        return super()._create_connected_socket(channel, identity)

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait for an answer on both channels; raise RuntimeError if the kernel dies or says nothing."""
        deadline = time.monotonic() + (timeout or 60.0)
        while time.monotonic() < deadline:
            if await self._answers(self.kernel_info()):
                return
            if not await self._async_is_alive():
                raise RuntimeError("the kernel died before it was ready")
        raise RuntimeError("the kernel did not answer")

    async def _answers(self, question: str) -> bool:
        """Whether the reply to a question, and the end of the kernel's work on it, arrive in time."""
        try:
            while not _belongs(reply := await self.get_shell_msg(timeout=TRY_SECONDS), question):
                pass
            while not _idle(await self.get_iopub_msg(timeout=TRY_SECONDS), question):
                pass
        except Empty:
            return False
        self._handle_kernel_info_reply(reply)
        return True


def _belongs(message: dict[str, Any], question: str) -> bool:
    return bool(message["parent_header"].get("msg_id") == question)


def _idle(message: dict[str, Any], question: str) -> bool:
    return _belongs(message, question) and message["content"].get("execution_state") == "idle"
