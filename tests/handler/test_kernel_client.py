"""nbclient, unmodified, over two pipes: with a kernel of ours, and with one that says anything it likes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import threading
from collections.abc import Awaitable, Callable, Iterator
from queue import Empty
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from support_kernel import OwnKernel

from grader.handler.kernel_client import MAX_SHELL, MAX_WAITING, READ, PipeClient, PipeManager
from grader.inside.limits import MESSAGE_MB
from grader.inside.packets import PACKET, write_message
from grader.observe.sandbox import Sandbox

SOON = 20.0  # seconds after which something that has to come has not


class Fake:
    """A kernel that is played by a test: what it says, what it was asked, and what was done to it."""

    def __init__(self) -> None:
        self.heard, self.requests = os.pipe()
        self.messages, self.voice = os.pipe()
        self.done: list[str] = []

    def interrupt(self) -> None:
        self.done.append("interrupt")

    def kill(self) -> None:
        self.done.append("kill")

    def says(self, *messages: Any) -> None:
        """Say some messages: whole ones, or what is to be taken for one."""
        for each in messages:
            write_message(self.voice, each if isinstance(each, bytes) else json.dumps(each).encode())

    @contextlib.contextmanager
    def speaking(self, *messages: Any) -> Iterator[None]:
        """Say messages that a pipe does not hold, in a thread, until nobody listens any more."""

        def speak() -> None:
            with contextlib.suppress(BrokenPipeError):
                self.says(*messages)

        thread = threading.Thread(target=speak)
        thread.start()
        try:
            yield
        finally:
            os.close(self.messages)
            thread.join()

    def ends(self) -> None:
        os.close(self.voice)

    def close(self) -> None:
        for fd in (self.heard, self.requests, self.messages, self.voice):
            with contextlib.suppress(OSError):
                os.close(fd)


def message(kind: str = "stream", channel: str = "iopub", **content: Any) -> dict[str, Any]:
    header = {"msg_id": "m", "msg_type": kind}
    return {"channel": channel, "header": header, "parent_header": {"msg_id": "r"}, "content": content}


@pytest.fixture
def fake() -> Iterator[Fake]:
    kernel = Fake()
    yield kernel
    kernel.close()


def talk(fake: Fake, conversation: Callable[[PipeClient], Awaitable[None]]) -> None:
    """Hold a conversation with a client of a kernel that is played."""

    async def held() -> None:
        client = PipeClient(fake)
        client.start_channels()
        try:
            await asyncio.wait_for(conversation(client), 2 * SOON)
        finally:
            client.stop_channels()

    asyncio.run(held())


# --- with a kernel of ours


def test_an_unmodified_nbclient_runs_cells_in_a_kernel_of_ours(sandbox: Sandbox) -> None:
    sources = (
        "x = 20\nprint('x is', x)",
        "await __import__('asyncio').sleep(0)\nx + 1",
        "1 / 0",
        "display(x)",
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])

    async def run() -> None:
        with OwnKernel(sandbox) as own:
            kernel = Fake()
            kernel.requests, kernel.messages = own.requests.fileno(), own.messages
            manager: Any = PipeManager(kernel)
            client = NotebookClient(notebook, km=manager, allow_errors=True, timeout=60)
            # its first message was read by who started it: another one stands for it
            own.ask("0")
            await client.async_start_new_kernel_client()
            for index, cell in enumerate(notebook.cells):
                await client.async_execute_cell(cell, index)
            assert client.kc is not None
            client.kc.stop_channels()

    asyncio.run(run())
    outputs = [[dict(output) for output in cell.outputs] for cell in notebook.cells]
    assert outputs[0] == [{"output_type": "stream", "name": "stdout", "text": "x is 20\n"}]
    assert outputs[1][0]["data"] == {"text/plain": "21"}
    assert (outputs[2][0]["ename"], outputs[3][0]["data"]) == ("ZeroDivisionError", {"text/plain": "20"})
    assert [cell.execution_count for cell in notebook.cells] == [2, 3, 4, 5]


# --- messages


def test_messages_arrive_in_the_order_of_their_channel(fake: Fake) -> None:
    fake.says(*(message(channel=name, number=n) for n in range(10) for name in ("iopub", "shell")))

    async def conversation(client: PipeClient) -> None:
        for channel in (client.iopub_channel, client.shell_channel):
            got = [await channel.get_msg(SOON) for _ in range(10)]
            assert [each["content"]["number"] for each in got] == list(range(10))
            assert {each["msg_type"] for each in got} == {"stream"}

    talk(fake, conversation)


def test_who_waits_for_nothing_is_told_so(fake: Fake) -> None:
    async def conversation(client: PipeClient) -> None:
        with pytest.raises(Empty):
            await client.shell_channel.get_msg(0.01)
        fake.says(message(channel="shell", number=1))
        assert (await client.shell_channel.get_msg(None))["content"] == {"number": 1}

    talk(fake, conversation)


def test_who_waits_is_answered_when_something_comes(fake: Fake) -> None:
    async def conversation(client: PipeClient) -> None:
        waiting = asyncio.ensure_future(client.iopub_channel.get_msg(None))
        await asyncio.sleep(0)
        fake.says(message(number=1))
        assert (await waiting)["content"] == {"number": 1}

    talk(fake, conversation)


def test_what_came_before_the_end_is_still_there_and_then_the_kernel_is_dead(fake: Fake) -> None:
    fake.says(message(number=1), message(channel="shell", number=2))
    fake.ends()

    async def conversation(client: PipeClient) -> None:
        await end_of(client)
        for channel in (client.iopub_channel, client.shell_channel):
            assert await client.is_alive()
            await channel.get_msg(SOON)
        assert not await client.is_alive()
        assert client.broken == ""

    talk(fake, conversation)


DEEP = b"[" * 200_000
NONSENSE = {
    "no JSON": b"garbage",
    "half a JSON": b'{"channel": "iopub"',
    "bytes that are no text": b'{"channel": "\xff"}',
    "nothing": b"",
    "nested without end": DEEP,
    "an endless number": b'{"channel": ' + b"9" * 10_000 + b"}",
    "a number": b"5",
    "a list": b"[]",
    "nothing in particular": b"null",
    "no channel": {key: value for key, value in message().items() if key != "channel"},
    "an unknown channel": message(channel="control"),
    "a channel with a long name": message(channel="x" * 1000),
    "a channel that is a list": {**message(), "channel": []},
    "no header": {**message(), "header": None},
    "a header that is a list": {**message(), "header": []},
    "no kind": {**message(), "header": {}},
    "no parent": {key: value for key, value in message().items() if key != "parent_header"},
    "a parent that is a list": {**message(), "parent_header": []},
}


async def end_of(client: PipeClient) -> None:
    """Wait until nothing more can arrive."""
    while not client.ended:
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_ends_the_conversation_and_what_came_before_it_is_kept(fake: Fake, name: str) -> None:
    async def conversation(client: PipeClient) -> None:
        await end_of(client)
        assert client.broken
        assert len(client.broken) <= 200
        assert await client.is_alive()
        assert (await client.iopub_channel.get_msg(SOON))["content"] == {"number": 1}
        assert not await client.is_alive(), "what came after it is not taken"

    with fake.speaking(message(number=1), NONSENSE[name], message(number=2)):
        talk(fake, conversation)


@pytest.mark.parametrize("data", [b"\xff" * 100, PACKET.pack(1, 1, 0xFFFF, True)], ids=["noise", "long"])
def test_bytes_that_are_no_packets_end_the_conversation(fake: Fake, data: bytes) -> None:
    os.write(fake.voice, data)

    async def conversation(client: PipeClient) -> None:
        await end_of(client)
        assert client.broken.startswith("BrokenStream")
        assert not await client.is_alive()

    talk(fake, conversation)


@pytest.mark.parametrize(("size", "arrives"), [(MESSAGE_MB, True), (2 * MESSAGE_MB, False)])
def test_a_message_longer_than_any_of_a_kernel_ends_the_conversation(
    fake: Fake, size: int, arrives: bool
) -> None:
    async def conversation(client: PipeClient) -> None:
        if arrives:
            assert len((await client.iopub_channel.get_msg(SOON))["content"]["text"]) == size << 20
        else:
            await end_of(client)
            assert client.broken.startswith("BrokenStream")

    with fake.speaking(message(text="x" * (size << 20))):
        talk(fake, conversation)


# --- how much waits


def fill(fake: Fake, *said: bytes) -> int:
    """Say messages in turn until the pipe is full; return how many were said."""
    os.set_blocking(fake.voice, False)
    times = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            write_message(fake.voice, said[times % len(said)])
            times += 1
    return times


@pytest.mark.parametrize(("name", "most"), [("iopub", MAX_WAITING), ("shell", MAX_SHELL)])
def test_a_kernel_that_says_more_than_is_asked_for_has_to_wait(fake: Fake, name: str, most: int) -> None:
    said = json.dumps(message(channel=name, text="x" * 3000)).encode()

    async def conversation(client: PipeClient) -> None:
        channel = getattr(client, f"{name}_channel")
        times = 0
        while more := fill(fake, said):  # until nothing more goes in, however long the client has to read
            times += more
            for _ in range(100):
                await asyncio.sleep(0)
        assert most <= channel.waiting.qsize() <= most + READ // len(said)
        for _ in range(times):
            await channel.get_msg(SOON)
        fake.ends()
        await end_of(client)
        assert channel.waiting.empty(), "and all of it arrives, once"

    talk(fake, conversation)


def test_a_channel_that_nobody_asks_for_takes_no_memory_while_the_other_is_read(fake: Fake) -> None:
    said = [json.dumps(message(channel=name, text="x" * 3000)).encode() for name in ("shell", "iopub")]

    async def conversation(client: PipeClient) -> None:
        with contextlib.suppress(Empty):
            for _ in range(10 * MAX_SHELL):
                fill(fake, *said)
                await client.iopub_channel.get_msg(0.2)
        assert client.shell_channel.waiting.qsize() <= MAX_SHELL + READ // len(said[0])

    talk(fake, conversation)


def test_replies_that_nobody_asked_for_keep_no_output_back(fake: Fake) -> None:
    """nbclient takes each reply, until it is the one that it waits for."""
    replies = [message("execute_reply", "shell", number=n) for n in range(20 * MAX_SHELL)]
    outputs = [message(number=n) for n in range(20 * MAX_SHELL)]

    async def conversation(client: PipeClient) -> None:
        async def took(channel: Any) -> list[int]:
            return [(await channel.get_msg(SOON))["content"]["number"] for _ in outputs]

        numbers = await asyncio.gather(took(client.shell_channel), took(client.iopub_channel))
        assert numbers == [list(range(len(outputs)))] * 2

    both = [each for pair in zip(replies, outputs, strict=True) for each in pair]
    with fake.speaking(*both):
        talk(fake, conversation)


# --- requests


def heard(fake: Fake) -> Iterator[dict[str, Any]]:
    """Yield the requests that have been sent."""
    os.set_blocking(fake.heard, True)
    with os.fdopen(os.dup(fake.heard), "rb") as file:
        for line in file:
            yield json.loads(line)


def test_a_request_is_what_jupyter_calls_one(fake: Fake) -> None:
    async def conversation(client: PipeClient) -> None:
        first = await client.execute("x = 1\n'\u00e9\ud800'", stop_on_error=False)
        second = await client.execute("2", store_history=False)
        requests = heard(fake)
        one, two = next(requests), next(requests)
        assert [one["header"]["msg_id"], two["header"]["msg_id"]] == [first, second]
        assert first != second
        assert one["header"]["msg_type"] == "execute_request"
        assert one["content"]["code"] == "x = 1\n'\u00e9\ud800'"
        assert (one["content"]["stop_on_error"], two["content"]["stop_on_error"]) == (False, True)
        assert (one["content"]["store_history"], two["content"]["store_history"]) == (True, False)
        assert (one["content"]["silent"], one["content"]["allow_stdin"]) == (False, False)
        assert one["parent_header"] == {}

    talk(fake, conversation)


def test_a_long_request_arrives_whole_when_the_kernel_reads_at_last(fake: Fake) -> None:
    code = "x = '" + "y" * 1_000_000 + "'"

    async def conversation(client: PipeClient) -> None:
        asking = asyncio.ensure_future(client.execute(code))
        while select.select([], [fake.requests], [], 0)[1]:  # until its pipe is full
            await asyncio.sleep(0)
        assert not asking.done()
        asked = asyncio.get_running_loop().run_in_executor(None, lambda: next(heard(fake)))
        assert (await asked)["content"]["code"] == code
        assert (await asked)["header"]["msg_id"] == await asking

    talk(fake, conversation)


@pytest.mark.parametrize("end", ["no reader", "end", "nonsense"])
def test_a_kernel_that_has_gone_keeps_no_request_waiting(fake: Fake, end: str) -> None:
    async def conversation(client: PipeClient) -> None:
        if end == "no reader":
            os.close(fake.heard)
        asking = asyncio.ensure_future(client.execute("x" * 1_000_000))
        await asyncio.sleep(0)
        if end == "end":
            fake.ends()
        elif end == "nonsense":
            fake.says(b"garbage")
        await asking

    talk(fake, conversation)


# --- the start and the end


def test_a_kernel_is_ready_when_it_says_something(fake: Fake) -> None:
    async def conversation(client: PipeClient) -> None:
        fake.says(message("status", execution_state="starting"), message(number=1))
        await client.wait_for_ready(SOON)
        assert (await client.iopub_channel.get_msg(SOON))["content"] == {"number": 1}

    talk(fake, conversation)


@pytest.mark.parametrize("end", ["silent", "end", "nonsense"])
def test_a_kernel_that_does_not_start_is_no_kernel(fake: Fake, end: str) -> None:
    async def conversation(client: PipeClient) -> None:
        if end == "end":
            fake.ends()
        elif end == "nonsense":
            fake.says(b"garbage")
        with pytest.raises(RuntimeError, match="did not start"):
            await client.wait_for_ready(0.1 if end == "silent" else None)

    talk(fake, conversation)


def test_after_the_conversation_nothing_is_read(fake: Fake) -> None:
    async def conversation(client: PipeClient) -> None:
        client.stop_channels()
        fake.says(message(number=1))
        client.read_on()
        for _ in range(100):
            await asyncio.sleep(0)
        assert client.iopub_channel.waiting.empty()
        assert not await client.is_alive()
        client.stop_channels()

    talk(fake, conversation)


def test_a_manager_passes_on_what_is_done_to_its_kernel(fake: Fake) -> None:
    async def done() -> None:
        manager = PipeManager(fake)
        assert manager.client().kernel is fake
        await manager.interrupt_kernel()
        assert fake.done == ["interrupt"]
        assert await manager.is_alive()
        await manager.shutdown_kernel(now=True)
        assert fake.done == ["interrupt", "kill"]
        assert not await manager.is_alive()
        assert not manager.has_kernel
        await manager.cleanup_resources()

    asyncio.run(done())
