"""A Jupyter kernel without sockets: one process, one thread, one pipe for requests and one for messages.

    requests   stdin     each a line of JSON: a Jupyter message of the shell channel
    messages   stdout    each a Jupyter message with its channel, in packets (`packets.py`)

The kernel limits its own memory and files; time is limited from outside, by a signal (SIGINT) and then by its
end. The messages are those of ipykernel, whose shell and whose handling of requests this kernel uses; only
the sockets and the threads are replaced. What a notebook or the programs that it starts write to the standard
output itself arrives when the cell has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.profiledir import ProfileDir
from jupyter_client.jsonutil import json_default
from jupyter_client.session import Session, extract_header
from traitlets.config import Config

from .limits import MESSAGE_MB
from .packets import write_message

FLUSH_SECONDS = 0.2
FLUSH_CHARACTERS = 1 << 16
MAX_MESSAGE = MESSAGE_MB << 20  # a longer one is left out
IOPUB, SHELL = "iopub", "shell"
PREPARED: PipeKernel | None = None


class PipeSession(Session):
    """Writes messages to a pipe; what ipykernel takes for a socket is the name of a channel."""

    fd = 1

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.kernel_process = os.getpid()
        self.answered = ""  # the id of the last request that was answered

    def send(  # noqa: PLR0917 -- as jupyter_client calls it
        self,
        stream: Any,
        msg_or_type: Any,
        content: Any = None,
        parent: Any = None,
        ident: Any = None,
        buffers: Any = None,
        track: bool = False,
        header: Any = None,
        metadata: Any = None,
    ) -> dict[str, Any]:
        """Write a message as JSON; one that is too long is left out.

        A process that the notebook has forked ends when it has executed its cell: it must not answer for the
        kernel, or take its next requests.
        """
        if stream == SHELL and os.getpid() != self.kernel_process:
            os._exit(0)
        if isinstance(msg_or_type, dict):
            message = msg_or_type
        else:
            message = self.msg(msg_or_type, content, parent, header, metadata)
        if stream == SHELL:
            self.answered = message["parent_header"].get("msg_id", "")
        if stream in (IOPUB, SHELL):
            data = json.dumps({**message, "channel": stream}, default=json_default).encode()
            if len(data) <= MAX_MESSAGE:
                with contextlib.suppress(OSError):  # nobody reads what is written after the end
                    write_message(self.fd, data)
        return message


class Output(io.TextIOBase):
    """`sys.stdout` or `sys.stderr` of the notebook: text becomes `stream` messages.

    At most `most` characters of one cell are sent: the grader keeps no more.
    """

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, session: PipeSession, name: str, fd: int) -> None:
        self.session = session
        self.name = name
        self.most = 1 << 30
        self._fd = fd
        self._parent: dict[str, Any] = {}
        self._texts: list[str] = []
        self._waiting = 0
        self._sent = 0
        self._flushed = time.monotonic()
        self._lock = threading.RLock()
        os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        """In a process that the notebook forks: what waits is the parent's to send."""
        self._lock = threading.RLock()
        self._texts, self._waiting = [], 0

    def set_parent(self, parent: dict[str, Any]) -> None:
        """Begin the output of the cell that a request asks to execute."""
        self._parent = extract_header(parent)
        self._sent = 0

    def write(self, text: str) -> int:
        """Take text; it is sent at the latest when the cell ends."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._texts.append(text)
        self._waiting += len(text)
        if self._waiting > FLUSH_CHARACTERS or time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Send the text that waits."""
        with self._lock:
            texts, self._texts, self._waiting = self._texts, [], 0
            self._flushed = time.monotonic()
            text = "".join(texts)
            if text and self._sent <= self.most:
                # one character more than `most` tells the reader that there was more
                text = text[: self.most + 1 - self._sent]
                self._sent += len(text)
                self.session.send(IOPUB, "stream", {"name": self.name, "text": text}, parent=self._parent)

    def writable(self) -> bool:
        """Whether text can be written: yes."""
        return True

    def isatty(self) -> bool:
        """Whether this is a terminal: no."""
        return False

    def fileno(self) -> int:
        """Return the descriptor that programs started by the notebook write to."""
        return self._fd


class PipeShell(ZMQInteractiveShell):
    """ipykernel's shell, without the event loops of windows and without a terminal for `!command`."""

    def enable_gui(self, gui: Any = None) -> None:
        """Accept any GUI: there are no windows, so there is no loop to run for them."""
        self.active_eventloop = gui

    def system(self, command: str) -> None:
        """Run a shell command (`!command`) and print each line of its output when it arrives.

        An interrupt ends it with everything that it started.
        """
        started = subprocess.Popen(  # noqa: S602 -- `!command` asks for a shell; the box is around it
            self.var_expand(command, depth=1),  # type: ignore[no-untyped-call]
            shell=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            process_group=0,
        )
        with started:
            try:
                for line in started.stdout or ():
                    print(line, end="")
            except BaseException:
                os.killpg(started.pid, signal.SIGKILL)
                raise
        self.user_ns["_exit_code"] = started.returncode


class PipeKernel(IPythonKernel):
    """ipykernel's kernel, whose requests are handled one after the other in one thread."""

    session: Any
    shell: Any

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)  # type: ignore[no-untyped-call]
        # ipykernel asks on which thread it runs before it lets a signal cancel an `await`
        self.shell_channel_thread = SimpleNamespace(parent_thread=threading.main_thread())
        self.written: int | None = None  # the file that the programs of the notebook write to
        self.outputs: tuple[Output, ...] = ()

    @contextlib.contextmanager
    def _cancel_on_sigint(self, future: Any) -> Iterator[None]:
        """While a cell awaits, let an interrupt cancel it."""
        loop = asyncio.get_running_loop()
        before = signal.signal(signal.SIGINT, lambda *_: loop.call_soon_threadsafe(future.cancel))
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _abort_queues(self, subshell_id: str | None = None) -> None:
        """Do nothing: no request waits while another is handled."""

    async def handle(self, request: dict[str, Any]) -> None:
        """Handle one request of the shell channel."""
        self.set_parent([], request, channel=SHELL)  # type: ignore[no-untyped-call]
        for output in self.outputs:  # the notebook may have put others in their place
            output.set_parent(request)
        self.session.send(IOPUB, "status", {"execution_state": "busy"}, parent=request)
        handler = self.shell_handlers.get(request["header"]["msg_type"])
        if handler is not None:
            handled = handler(SHELL, [], request)
            if handled is not None:
                await handled

    def give_up(self, request: dict[str, Any], error: BaseException) -> None:
        """Answer a request that could not be handled, as the notebook has broken what the kernel needs."""
        if self.session.answered == request["header"]["msg_id"]:
            return
        content = {"ename": type(error).__name__, "evalue": str(error), "traceback": []}
        self.session.send(IOPUB, "error", content, parent=request)
        self.session.send(SHELL, "execute_reply", {"status": "error", **content}, parent=request)

    def finish(self, request: dict[str, Any]) -> None:
        """Send what a cell has printed, and say that it has ended."""
        with contextlib.suppress(OSError):  # a notebook may have closed it
            self._print_written()
        for output in self.outputs:
            output.flush()
        self.session.send(IOPUB, "status", {"execution_state": "idle"}, parent=request)

    def _print_written(self) -> None:
        """Print what programs have written to the standard output since the last call."""
        if self.written is not None and (size := os.fstat(self.written).st_size):
            data = os.pread(self.written, min(size, MAX_MESSAGE), 0)
            os.ftruncate(self.written, 0)
            os.lseek(self.written, 0, os.SEEK_SET)
            self.outputs[0].write(data.decode(errors="replace"))


def prepare() -> None:
    """Make the kernel before the process of a box is forked, and draw once what first drawings set up."""
    global PREPARED  # noqa: PLW0603 -- a process has one kernel at most
    PREPARED = make_kernel()
    with contextlib.suppress(ImportError):
        from IPython.core.pylabtools import print_figure  # noqa: PLC0415 -- without matplotlib there is none
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415

        figure = Figure()
        FigureCanvasAgg(figure)
        axes = figure.add_subplot(title="a $x_1$", xlabel="b", ylabel="c")
        axes.plot([0, 1], [0, 1], "o-", label="d")
        axes.scatter([0, 1], [0, 1], c=[0, 1])
        axes.legend()
        print_figure(figure, fmt="png")


def make_kernel() -> PipeKernel:
    """Return a kernel that has executed nothing."""
    sys.modules["debugpy"] = None  # type: ignore[assignment]  # ipykernel would load it: it starts threads
    config = Config()
    config.HistoryManager.enabled = False
    log = logging.Logger("kernel", logging.CRITICAL + 1)
    session = PipeSession(key=b"", config=config)
    kernel = PipeKernel(config=config, session=session, log=log, iopub_socket=IOPUB, shell_class=PipeShell)
    del sys.modules["debugpy"]
    return kernel


def main() -> None:
    """Serve requests until standard input ends.

    The arguments are the megabytes that the kernel may allocate beyond what it has, and the characters of
    output that one cell may send.
    """
    memory_mb, most = int(sys.argv[1]), int(sys.argv[2])
    requests = os.fdopen(os.dup(0), "rb")
    messages = os.dup(1)
    os.environ["PIP_RETRIES"] = "0"  # there is no network: pip shall fail at once

    kernel = PREPARED or make_kernel()
    shell, session = kernel.shell, kernel.session
    shell.ipython_dir = os.environ["IPYTHONDIR"]
    shell.profile_dir = ProfileDir(location=f"{shell.ipython_dir}/profile_default")
    session.fd = messages
    session.kernel_process = os.getpid()

    # Programs that the notebook starts read nothing, and write to a file that is sent when a cell has ended.
    written = tempfile.TemporaryFile(dir=os.environ["HOME"])  # noqa: SIM115 -- it lives as long as the kernel
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    for fd in (1, 2):
        os.dup2(written.fileno(), fd)
    kernel.written = written.fileno()
    sys.stdin = open(os.devnull)  # noqa: SIM115, PTH123
    kernel.outputs = (Output(session, "stdout", 1), Output(session, "stderr", 2))
    sys.stdout, sys.stderr = kernel.outputs
    for output in kernel.outputs:
        output.most = most

    with contextlib.suppress(OSError, ValueError):
        pages = int(open("/proc/self/statm").read().split()[0])  # noqa: SIM115, PTH123
        space = pages * resource.getpagesize() + (memory_mb << 20)
        resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_FSIZE, (256 << 20, 256 << 20))
    if "matplotlib.pyplot" in sys.modules:  # imported before there was a shell, so it does not show inline
        kernel.shell.enable_matplotlib("inline")

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    session.send(IOPUB, "status", {"execution_state": "starting"})
    for line in requests:
        request = json.loads(line)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            loop.run_until_complete(kernel.handle(request))
        except (Exception, KeyboardInterrupt, asyncio.CancelledError) as error:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            kernel.give_up(request, error)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        kernel.finish(request)
