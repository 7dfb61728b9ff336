"""nbclient, unmodified, over two pipes: with a kernel of ours, and with one that says anything it likes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
from collections.abc import Awaitable, Callable, Iterator
from queue import Empty
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from support_kernel import OwnKernel, PlayedKernel, message

from grader.handler.kernel_client import MAX_SHELL, MAX_WAITING, READ, PipeClient, PipeManager
from grader.inside.limits import MESSAGE_MB
from grader.inside.packets import PACKET, write_message
from grader.observe.sandbox import Sandbox

SOON = 20.0  # seconds after which something that has to come has not


@pytest.fixture
def played() -> Iterator[PlayedKernel]:
    kernel = PlayedKernel()
    yield kernel
    kernel.close()


def talk(played: PlayedKernel, conversation: Callable[[PipeClient], Awaitable[None]]) -> None:
    """Hold a conversation with a client of a kernel that is played."""

    async def held() -> None:
        client = PipeClient(played)
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
            kernel = PlayedKernel()
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


def test_messages_arrive_in_the_order_of_their_channel(played: PlayedKernel) -> None:
    played.says(*(message(channel=name, number=n) for n in range(10) for name in ("iopub", "shell")))

    async def conversation(client: PipeClient) -> None:
        for channel in (client.iopub_channel, client.shell_channel):
            got = [await channel.get_msg(SOON) for _ in range(10)]
            assert [each["content"]["number"] for each in got] == list(range(10))
            assert {each["msg_type"] for each in got} == {"stream"}

    talk(played, conversation)


def test_who_waits_for_nothing_is_told_so(played: PlayedKernel) -> None:
    async def conversation(client: PipeClient) -> None:
        with pytest.raises(Empty):
            await client.shell_channel.get_msg(0.01)
        played.says(message(channel="shell", number=1))
        assert (await client.shell_channel.get_msg(None))["content"] == {"number": 1}

    talk(played, conversation)


def test_who_waits_is_answered_when_something_comes(played: PlayedKernel) -> None:
    async def conversation(client: PipeClient) -> None:
        waiting = asyncio.ensure_future(client.iopub_channel.get_msg(None))
        await asyncio.sleep(0)
        played.says(message(number=1))
        assert (await waiting)["content"] == {"number": 1}

    talk(played, conversation)


def test_what_came_before_the_end_is_still_there_and_then_the_kernel_is_dead(played: PlayedKernel) -> None:
    played.says(message(number=1), message(channel="shell", number=2))
    played.ends()

    async def conversation(client: PipeClient) -> None:
        await end_of(client)
        for channel in (client.iopub_channel, client.shell_channel):
            assert await client.is_alive()
            await channel.get_msg(SOON)
        assert not await client.is_alive()
        assert client.broken == ""

    talk(played, conversation)


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
def test_nonsense_ends_the_conversation_and_what_came_before_it_is_kept(
    played: PlayedKernel, name: str
) -> None:
    async def conversation(client: PipeClient) -> None:
        await end_of(client)
        assert client.broken
        assert len(client.broken) <= 200
        assert await client.is_alive()
        assert (await client.iopub_channel.get_msg(SOON))["content"] == {"number": 1}
        assert not await client.is_alive(), "what came after it is not taken"

    with played.speaking(message(number=1), NONSENSE[name], message(number=2)):
        talk(played, conversation)


@pytest.mark.parametrize("data", [b"\xff" * 100, PACKET.pack(1, 1, 0xFFFF, True)], ids=["noise", "long"])
def test_bytes_that_are_no_packets_end_the_conversation(played: PlayedKernel, data: bytes) -> None:
    os.write(played.voice, data)

    async def conversation(client: PipeClient) -> None:
        await end_of(client)
        assert client.broken.startswith("BrokenStream")
        assert not await client.is_alive()

    talk(played, conversation)


@pytest.mark.parametrize(("size", "arrives"), [(MESSAGE_MB, True), (2 * MESSAGE_MB, False)])
def test_a_message_longer_than_any_of_a_kernel_ends_the_conversation(
    played: PlayedKernel, size: int, arrives: bool
) -> None:
    async def conversation(client: PipeClient) -> None:
        if arrives:
            assert len((await client.iopub_channel.get_msg(SOON))["content"]["text"]) == size << 20
        else:
            await end_of(client)
            assert client.broken.startswith("BrokenStream")

    with played.speaking(message(text="x" * (size << 20))):
        talk(played, conversation)


# --- how much waits


def fill(played: PlayedKernel, *said: bytes) -> int:
    """Say messages in turn until the pipe is full; return how many were said."""
    os.set_blocking(played.voice, False)
    times = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            write_message(played.voice, said[times % len(said)])
            times += 1
    return times


@pytest.mark.parametrize(("name", "most"), [("iopub", MAX_WAITING), ("shell", MAX_SHELL)])
def test_a_kernel_that_says_more_than_is_asked_for_has_to_wait(
    played: PlayedKernel, name: str, most: int
) -> None:
    said = json.dumps(message(channel=name, text="x" * 3000)).encode()

    async def conversation(client: PipeClient) -> None:
        channel = getattr(client, f"{name}_channel")
        times = 0
        while more := fill(played, said):  # until nothing more goes in, however long the client has to read
            times += more
            for _ in range(100):
                await asyncio.sleep(0)
        assert most <= channel.waiting.qsize() <= most + READ // len(said)
        for _ in range(times):
            await channel.get_msg(SOON)
        played.ends()
        await end_of(client)
        assert channel.waiting.empty(), "and all of it arrives, once"

    talk(played, conversation)


def test_a_channel_that_nobody_asks_for_takes_no_memory_while_the_other_is_read(played: PlayedKernel) -> None:
    said = [json.dumps(message(channel=name, text="x" * 3000)).encode() for name in ("shell", "iopub")]

    async def conversation(client: PipeClient) -> None:
        with contextlib.suppress(Empty):
            for _ in range(10 * MAX_SHELL):
                fill(played, *said)
                await client.iopub_channel.get_msg(0.2)
        assert client.shell_channel.waiting.qsize() <= MAX_SHELL + READ // len(said[0])

    talk(played, conversation)


def test_replies_that_nobody_asked_for_keep_no_output_back(played: PlayedKernel) -> None:
    """nbclient takes each reply, until it is the one that it waits for."""
    replies = [message("execute_reply", "shell", number=n) for n in range(20 * MAX_SHELL)]
    outputs = [message(number=n) for n in range(20 * MAX_SHELL)]

    async def conversation(client: PipeClient) -> None:
        async def took(channel: Any) -> list[int]:
            return [(await channel.get_msg(SOON))["content"]["number"] for _ in outputs]

        numbers = await asyncio.gather(took(client.shell_channel), took(client.iopub_channel))
        assert numbers == [list(range(len(outputs)))] * 2

    both = [each for pair in zip(replies, outputs, strict=True) for each in pair]
    with played.speaking(*both):
        talk(played, conversation)


# --- requests


def test_a_request_is_what_jupyter_calls_one(played: PlayedKernel) -> None:
    async def conversation(client: PipeClient) -> None:
        first = await client.execute("x = 1\n'\u00e9\ud800'", stop_on_error=False)
        second = await client.execute("2", store_history=False)
        requests = played.asked()
        one, two = next(requests), next(requests)
        assert [one["header"]["msg_id"], two["header"]["msg_id"]] == [first, second]
        assert first != second
        assert one["header"]["msg_type"] == "execute_request"
        assert one["content"]["code"] == "x = 1\n'\u00e9\ud800'"
        assert (one["content"]["stop_on_error"], two["content"]["stop_on_error"]) == (False, True)
        assert (one["content"]["store_history"], two["content"]["store_history"]) == (True, False)
        assert (one["content"]["silent"], one["content"]["allow_stdin"]) == (False, False)
        assert one["parent_header"] == {}

    talk(played, conversation)


def test_a_long_request_arrives_whole_when_the_kernel_reads_at_last(played: PlayedKernel) -> None:
    code = "x = '" + "y" * 1_000_000 + "'"

    async def conversation(client: PipeClient) -> None:
        asking = asyncio.ensure_future(client.execute(code))
        while select.select([], [played.requests], [], 0)[1]:  # until its pipe is full
            await asyncio.sleep(0)
        assert not asking.done()
        asked = asyncio.get_running_loop().run_in_executor(None, lambda: next(played.asked()))
        assert (await asked)["content"]["code"] == code
        assert (await asked)["header"]["msg_id"] == await asking

    talk(played, conversation)


@pytest.mark.parametrize("end", ["no reader", "end", "nonsense"])
def test_a_kernel_that_has_gone_keeps_no_request_waiting(played: PlayedKernel, end: str) -> None:
    async def conversation(client: PipeClient) -> None:
        if end == "no reader":
            played.close(played.heard)
        asking = asyncio.ensure_future(client.execute("x" * 1_000_000))
        await asyncio.sleep(0)
        if end == "end":
            played.ends()
        elif end == "nonsense":
            played.says(b"garbage")
        await asking

    talk(played, conversation)


# --- the start and the end


def test_a_kernel_is_ready_when_it_says_something(played: PlayedKernel) -> None:
    async def conversation(client: PipeClient) -> None:
        played.says(message("status", execution_state="starting"), message(number=1))
        await client.wait_for_ready(SOON)
        assert (await client.iopub_channel.get_msg(SOON))["content"] == {"number": 1}

    talk(played, conversation)


@pytest.mark.parametrize("end", ["silent", "end", "nonsense"])
def test_a_kernel_that_does_not_start_is_no_kernel(played: PlayedKernel, end: str) -> None:
    async def conversation(client: PipeClient) -> None:
        if end == "end":
            played.ends()
        elif end == "nonsense":
            played.says(b"garbage")
        with pytest.raises(RuntimeError, match="did not start"):
            await client.wait_for_ready(0.1 if end == "silent" else None)

    talk(played, conversation)


def test_after_the_conversation_nothing_is_read(played: PlayedKernel) -> None:
    async def conversation(client: PipeClient) -> None:
        client.stop_channels()
        played.says(message(number=1))
        client.read_on()
        for _ in range(100):
            await asyncio.sleep(0)
        assert client.iopub_channel.waiting.empty()
        assert not await client.is_alive()
        client.stop_channels()

    talk(played, conversation)


def test_a_manager_passes_on_what_is_done_to_its_kernel(played: PlayedKernel) -> None:
    async def done() -> None:
        manager = PipeManager(played)
        assert manager.client().kernel is played
        await manager.interrupt_kernel()
        assert played.done == ["interrupt"]
        assert await manager.is_alive()
        await manager.shutdown_kernel(now=True)
        assert played.done == ["interrupt", "kill"]
        assert not await manager.is_alive()
        assert not manager.has_kernel
        await manager.cleanup_resources()

    asyncio.run(done())


def test_few_long_messages_wait_as_many_short_ones_do(played: PlayedKernel) -> None:
    size, times = 3, 12
    said = [message(text="x" * (size << 20))] * times

    async def conversation(client: PipeClient) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SOON):
                while not client.iopub_channel.full:
                    await asyncio.sleep(0.001)
        for _ in range(1000):
            await asyncio.sleep(0)
        assert client.iopub_channel.waiting.qsize() <= MESSAGE_MB // size + 1
        for _ in range(times):
            await client.iopub_channel.get_msg(SOON)

    with played.speaking(*said):
        talk(played, conversation)
