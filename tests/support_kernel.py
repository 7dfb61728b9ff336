"""Speaks with a kernel of ours by messages, as a handler does; and plays a kernel that a handler speaks with."""

from __future__ import annotations

import fcntl
import json
import os
import select
import struct
import termios
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Self

from grader.inside.packets import Joiner, write_message
from grader.observe.sandbox import Process, Program, Sandbox, prepared_directory

PATIENCE = 60.0  # seconds without a word, after which a test fails: there is a bug, or a very busy machine
PIPE = 1 << 16  # bytes that a pipe holds
Message = dict[str, Any]


def request(code: str, **content: Any) -> Message:
    """Return the message that asks a kernel to execute a cell."""
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "session": "s", "username": "u"}
    asked = {
        "code": code,
        "silent": False,
        "store_history": True,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": False,
    }
    return {"header": header, "parent_header": {}, "metadata": {}, "content": {**asked, **content}}


class Said:
    """The messages of one cell."""

    def __init__(self, messages: list[Message]) -> None:
        self.messages = messages
        self.kinds = [message["header"]["msg_type"] for message in messages]

    def contents(self, *kinds: str) -> list[Any]:
        """Return the contents of the messages of some kinds."""
        return [each["content"] for each in self.messages if each["header"]["msg_type"] in kinds]

    def text(self, name: str = "stdout") -> str:
        """Return what was printed."""
        return "".join(each["text"] for each in self.contents("stream") if each["name"] == name)

    @property
    def status(self) -> list[str]:
        """The status of each reply: there is to be one."""
        return [each["status"] for each in self.contents("execute_reply")]

    @property
    def errors(self) -> list[tuple[str, str]]:
        """Name and text of each error."""
        return [(each["ename"], each["evalue"]) for each in self.contents("error")]

    @property
    def shown(self) -> list[str]:
        """The text of each thing displayed, and of the result."""
        return [each["data"]["text/plain"] for each in self.contents("display_data", "execute_result")]


class KernelEndedError(Exception):
    """The pipe of a kernel has ended."""


class OwnKernel:
    """A kernel in a box of a sandbox, or of no walls; close it, or use `with`."""

    def __init__(self, sandbox: Sandbox, memory_mb: int = 1024, most: int = 1 << 20) -> None:
        self._stack = ExitStack()
        folder = self._stack.enter_context(prepared_directory(sandbox, {"data.txt": b"1 2 3"}))
        arguments = (str(memory_mb), str(most))
        program = Program("kernel", folder / "work", arguments, memory_mb=4 * memory_mb)
        self.process: Process = sandbox.launch(program)
        self._stack.callback(self.process.kill)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.requests, self.messages = self.process.stdin, self.process.stdout.fileno()
        self._joiner = Joiner(64 << 20)
        self._arrived: list[Message] = []
        self.until(lambda message: message["content"].get("execution_state") == "starting")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def send(self, message: Message) -> str:
        """Send a request; return its id."""
        self.requests.write(json.dumps(message).encode() + b"\n")
        self.requests.flush()
        return str(message["header"]["msg_id"])

    def ask(self, code: str, **content: Any) -> str:
        """Ask for a cell; return the id of the request."""
        return self.send(request(code, **content))

    def until(self, wanted: Callable[[Message], bool]) -> Said:
        """Return the messages up to the first that is wanted; raise KernelEndedError if it does not come."""
        messages = []
        while True:
            while self._arrived:
                messages.append(self._arrived.pop(0))
                if wanted(messages[-1]):
                    return Said(messages)
            assert select.select([self.messages], [], [], PATIENCE)[0], f"no word after {messages}"
            data = os.read(self.messages, 1 << 16)
            if not data:
                raise KernelEndedError
            self._arrived += [json.loads(message) for message in self._joiner.feed(data)]

    def printed(self) -> Said:
        """Return the messages up to the first text that a cell prints: it runs."""
        return self.until(lambda message: message["header"]["msg_type"] == "stream")

    def ended(self, asked: str) -> Said:
        """Return the messages of the cell that was asked for, when it has ended."""

        def own(message: Message) -> bool:
            return message["parent_header"].get("msg_id") == asked

        said = self.until(
            lambda message: own(message) and message["content"].get("execution_state") == "idle"
        )
        return Said([message for message in said.messages if own(message)])

    def run(self, code: str, **content: Any) -> Said:
        """Execute a cell; return what it said."""
        return self.ended(self.ask(code, **content))

    def wait_until_it_cannot_write(self) -> None:
        """Wait until the kernel is in the middle of a message, as its pipe is full."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            (waiting,) = struct.unpack("i", fcntl.ioctl(self.messages, termios.FIONREAD, bytes(4)))
            if waiting > PIPE - select.PIPE_BUF:
                return
            time.sleep(0.01)
        raise AssertionError("the kernel does not fill its pipe")

    def interrupt(self) -> None:
        """Send it a SIGINT."""
        self.process.interrupt()


class PlayedKernel:
    """A kernel that is played by a test: what it says, what it was asked, and what was done to it."""

    def __init__(self) -> None:
        self.heard, self.requests = os.pipe()
        self.messages, self.voice = os.pipe()
        self.open = {self.heard, self.requests, self.messages, self.voice}
        self.done: list[str] = []

    def interrupt(self) -> None:
        self.done.append("interrupt")

    def kill(self) -> None:
        self.done.append("kill")

    def says(self, *messages: Any) -> None:
        """Say some messages: whole ones, or what is to be taken for one."""
        for each in messages:
            write_message(self.voice, each if isinstance(each, bytes) else json.dumps(each).encode())

    @contextmanager
    def speaking(self, *messages: Any) -> Iterator[None]:
        """Say messages that a pipe does not hold, in a thread, until nobody listens any more."""

        def speak() -> None:
            with suppress(OSError):
                self.says(*messages)

        thread = threading.Thread(target=speak)
        thread.start()
        try:
            yield
        finally:
            self.close(self.messages)
            thread.join()

    def ends(self) -> None:
        """Close the pipe of messages, as a kernel that ends."""
        self.close(self.voice)

    def close(self, *which: int) -> None:
        """Close some of the descriptors, or all that are left; each once, as its number is soon another's."""
        for fd in self.open & set(which or self.open):
            self.open.discard(fd)
            os.close(fd)

    def asked(self) -> Iterator[Message]:
        """Yield the requests as they arrive."""
        with os.fdopen(os.dup(self.heard), "rb") as file:
            for line in file:
                yield json.loads(line)

    def answers(self, asked: Message, *between: Any) -> None:
        """Say that a cell runs, then some messages as its own, and that it has ended."""
        parent = asked["header"]
        status = [message("status", execution_state=state) for state in ("busy", "idle")]
        reply = message("execute_reply", "shell", status="ok", execution_count=1)
        for each in (status[0], *between, reply, status[1]):
            own = isinstance(each, dict) and "parent_header" in each
            self.says({**each, "parent_header": parent} if own else each)


def message(kind: str = "stream", channel: str = "iopub", **content: Any) -> dict[str, Any]:
    header = {"msg_id": "m", "msg_type": kind}
    return {"channel": channel, "header": header, "parent_header": {"msg_id": "r"}, "content": content}
