"""A kernel client that detects when the kernel is ready, instead of waiting until no more messages arrive.

The client of jupyter_client empties the iopub channel until a fifth of a second passes without a message.
This one asks for the kernel's info and reads iopub up to the `idle` status that belongs to its request. Then
the subscription works, and no message from before the first cell is left in the channel.
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
FEW_WAITING = 4  # the same for channels that carry only replies


class PromptClient(AsyncKernelClient):
    """An asynchronous client whose `wait_for_ready` returns as soon as the kernel is ready.

    Neither large nor many messages may use up the grader's memory: a kernel that sends one larger than
    MAX_MESSAGE is disconnected, and few that are not yet read are kept. There is no heartbeat channel: its
    thread could wait for ever for a kernel that sends malformed replies, and the provisioner already reports
    whether the process lives.
    """

    def start_channels(
        self,
        shell: bool = True,
        iopub: bool = True,
        stdin: bool = True,
        hb: bool = False,
        control: bool = True,
    ) -> None:
        """Connect the channels to the kernel, the heartbeat left out."""
        super().start_channels(shell, iopub, stdin, hb, control)

    def _create_connected_socket(self, channel: str, identity: bytes | None = None) -> Any:
        """Set the limits of a channel's socket, which holds only what is set before it connects."""
        self.context.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE)
        self.context.setsockopt(zmq.RCVHWM, MAX_WAITING.get(channel, FEW_WAITING))
        return super()._create_connected_socket(channel, identity)

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait for a reply on both channels; raise RuntimeError if the kernel dies or sends none in time."""
        deadline = time.monotonic() + (timeout or 60.0)
        while time.monotonic() < deadline:
            request = self.kernel_info()
            try:
                reply = await self.get_shell_msg(timeout=TRY_SECONDS)
                while not _answers(reply, request):
                    reply = await self.get_shell_msg(timeout=TRY_SECONDS)
                status = await self.get_iopub_msg(timeout=TRY_SECONDS)
                while not (_answers(status, request) and status["content"].get("execution_state") == "idle"):
                    status = await self.get_iopub_msg(timeout=TRY_SECONDS)
            except Empty:
                if not await self._async_is_alive():
                    raise RuntimeError("the kernel died before it was ready") from None
            else:
                self._handle_kernel_info_reply(reply)
                return
        raise RuntimeError("the kernel did not answer")


def _answers(message: dict[str, Any], request: str) -> bool:
    return bool(message["parent_header"].get("msg_id") == request)
