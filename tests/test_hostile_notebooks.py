"""Hostile notebooks beside honest ones that look alike, graded end to end: nobody hangs, nobody else pays.

An attack ends as a submission that is graded or unreadable, with the points that its function earns, and never
as a fault of ours; its honest twin keeps every point.
"""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from IPython.core import inputtransformer2
from rich.console import Console
from support import GRADE, INPUTS, RIGHT, ROOT, notebook, sliced, write_course
from support_attacks import started_parents
from support_hostile import (
    LIMITS,
    Batch,
    Hostile,
    book,
    cell,
    course_in,
    grade_batch,
    one_user,
    own,
    pending,
    shown,
    still_running,
    text,
    walled,
)

from grader.batch import judges, pool
from grader.checks.property import Change, violation
from grader.exports.grades_csv import FORMULA
from grader.handler.safe_html import show_markdown
from grader.judge.judge_observation import grade
from grader.notebook import slicing
from grader.notebook.cells import read_sources
from grader.observe import call_functions
from grader.observe.observe_submission import observe
from grader.observe.warm import WarmSandbox
from grader.plan.load import load_course
from grader.records import HandIn, OutcomeKind, Status
from grader.report.terminal import show_score
from grader.store import Store

SETUP = """
import os, signal, socket, struct, subprocess, sys, time

def worker():
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "serve" and "link" in frame.f_locals:
            return frame.f_locals["link"], frame.f_globals
        frame = frame.f_back
    return None, {}

def prepare():
    link, names = worker()
    if link is None:
        return  # the notebook runs: there is no worker
%s

def double(x, prepared=prepare()):
    %s
"""
SEND = """
kernel = get_ipython().kernel
parent = kernel.get_parent()

def send(kind, content):
    kernel.session.send(kernel.iopub_socket, kind, content, parent=parent)

"""
HTML = "from IPython.display import HTML, display\n"


def at_setup(body: str, then: str = "return 0 * x") -> str:
    """Return a cell whose function does something when it is defined, in the process that makes the calls."""
    return SETUP % (textwrap.indent(textwrap.dedent(body).strip("\n"), "    "), then)


def in_kernel(source: str, points: float = 3.0) -> str:
    """Return a notebook that does something in its kernel; cells before and after it, then the function."""
    return book(cell("print('before')"), cell(source), cell("print('after')"), own(points))


def nested(depth: int) -> str:
    """Return JSON that is nested so deeply."""
    return '{"a":' * depth + "1" + "}" * depth


BUSY = """
busy = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\\nwhile 1: pass"
pid = [subprocess.Popen([sys.executable, "-I", "-S", "-c", busy]) for _ in range(6)][0].pid
time.sleep(1.2)
"""
LIAR = """
class Liar(type(link)):
    def send(self, data, *rest):
        is_pid = type(names["wire"].decode(data)) is int
        return super().send(names["wire"].encode(pid) if is_pid else data, *rest)
link.__class__ = Liar
"""
PEERS = [
    Hostile(
        "a",
        "garbage on every descriptor",
        in_kernel(
            """
            import os, time
            for fd in range(3, 512):
                try:
                    os.set_blocking(fd, False)
                    os.write(fd, b"garbage" * 20)
                except OSError:
                    pass
            time.sleep(0.3)
            """
        ),
        in_kernel("import os\nread, write = os.pipe()\nos.write(write, b'garbage' * 20)"),
    ),
    Hostile(
        "a",
        "ten megabytes of zeros on every descriptor",
        in_kernel(
            """
            import os
            for fd in range(3, 512):
                try:
                    for _ in range(160):
                        os.write(fd, bytes(1 << 16))
                except OSError:
                    pass
            """
        ),
        in_kernel("open('zeros', 'wb').write(bytes(10 << 20))"),
    ),
    Hostile(
        "a",
        "packets that never end",
        in_kernel(
            """
            import os, struct
            for fd in range(3, 64):
                try:
                    for sender in range(60):
                        for _ in range(130):
                            os.write(fd, struct.pack("<IH?", sender, 4089, False) + bytes(4089))
                except OSError:
                    pass
            """
        ),
        in_kernel("import struct\nprint(len(struct.pack('<IH?', 1, 2, False)))"),
    ),
    Hostile(
        "a",
        "a kernel that never reads, answers or stops",
        in_kernel(
            """
            import os, signal, time
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))
            get_ipython().kernel.session.send = lambda *_, **__: time.sleep(1000)
            while True:
                pass
            """
        ),
        in_kernel(
            "import signal\nold = signal.signal(signal.SIGINT, signal.SIG_IGN)\n_ = signal.signal(signal.SIGINT, old)"
        ),
    ),
    Hostile(
        "a",
        "everything in the kernel's box stopped",
        in_kernel(
            "import os, signal\nfor pid in (os.getpid(), os.getppid(), 1, -1):\n    os.kill(pid or 1, signal.SIGSTOP)"
        ),
        in_kernel("import os, signal\nos.kill(os.getpid(), signal.SIGCONT)"),
    ),
    Hostile(
        "a",
        "a call that stops itself, its parent and all others",
        "import os, signal\n\ndef double(x):\n    for pid in (-1, os.getppid(), os.getpid()):\n        os.kill(pid, signal.SIGSTOP)\n    return 0 * x",
        "import os, signal\n\ndef double(x):\n    os.kill(os.getpid(), signal.SIGCONT)\n    return 2 * x",
        again=True,
        earns=0.0,
    ),
    Hostile(
        "a",
        "daemons that hold the pipes after the end",
        in_kernel(
            """
            import os, signal, time
            for _ in range(20):
                if os.fork() == 0:
                    os.setsid()
                    for number in (1, 2, 3, 15):
                        signal.signal(number, signal.SIG_IGN)
                    while True:
                        time.sleep(1)
            os._exit(0)
            """
        ),
        in_kernel("import os\nif os.fork() == 0:\n    os._exit(0)\n_ = os.wait()"),
    ),
    Hostile(
        "a",
        "a clock that is told the time of another process",
        at_setup(
            BUSY + LIAR,
            "time.sleep(1.4)\n    return 2 * x",
        ),
        at_setup("time.sleep(0.1)", "time.sleep(0.1)\n    return 2 * x"),
        earns=0.0,
    ),
    Hostile(
        "a",
        "a clock that is told of a process that there is not",
        at_setup("pid = 4000000\n" + LIAR, "time.sleep(1.4)\n    return 2 * x + 0 * 1"),
        at_setup("time.sleep(0.1)", "time.sleep(0.1)\n    return 2 * x + 0 * 1"),
        earns=0.0,
    ),
]
FOLDERS = [
    Hostile(
        "b",
        "links, pipes, sockets and closed directories left behind",
        in_kernel(
            r"""
            import os, socket
            os.symlink("/etc/passwd", "numbers2.txt")
            os.symlink("loop", "loop")
            os.symlink("/", "root")
            os.mkfifo("pipe")
            socket.socket(socket.AF_UNIX).bind("socket")
            for name in ("con", "nul", "a\nb", "\x1b]0;x\x07", " ", "-rf"):
                open(name, "w").close()
            open(b"\xff\xfe", "w").close()
            os.makedirs("closed/inner")
            os.chmod("closed", 0)
            for _ in range(3000):
                os.mkdir("d")
                os.chdir("d")
            """
        ),
        in_kernel("import os\nos.makedirs('a/b/c')\nos.symlink('a', 'link')\nos.chdir('a')"),
    ),
    Hostile(
        "b",
        "the data file replaced by a pipe that nobody writes to",
        in_kernel(
            "import os\nos.remove('numbers.txt')\nos.mkfifo('numbers.txt')\nos.symlink('/dev/zero', 'more.txt')"
        ),
        in_kernel("import os\nprint(open('numbers.txt').read())\nos.remove('numbers.txt')"),
    ),
    Hostile(
        "b",
        "no room for a file where the input is shared with the call",
        at_setup(
            """
            try:
                for number in range(9000):
                    open(f"file{number}", "w").close()
            except OSError:
                pass
            """,
            "return 2 * x",
        ),
        at_setup("open('file', 'w').close()", "return 2 * x"),
        again=True,
        earns=2.0,
    ),
    Hostile(
        "b",
        "a shared input that is cut off",
        at_setup(
            """
            share = names["in_shared_memory"]
            def cut(args, fd):
                os.ftruncate(fd, 0)
                return args
            names["in_shared_memory"] = cut
            """,
            "return 2 * x",
        ),
        at_setup("os.mkdir('x')\nos.rmdir('x')", "return 2 * x"),
        again=True,
        earns=2.0,
    ),
]
UNCOUNTED = "outputs that do not count as such"
BARS = 'for _ in range(3):\n    print("█" * 170_000, flush=True)'
WORK = [
    Hostile(
        "c",
        "half-open comments, pictures and brackets in Markdown",
        book(text("<!--" * 50_000), text("![[]()" * 8_000), text("[a](" * 12_000), own()),
        book(text("<!-- a comment --> ![a](b) [c](http://d)"), own()),
    ),
    Hostile(
        "c",
        "half-open escape sequences in outputs and errors",
        book(
            cell("print('\\x1b]' * 200_000)"),
            cell("print('\\x1b[0' * 150_000)"),
            cell("raise ValueError('-' * 150_000)"),
            own(),
        ),
        book(cell("print('\\x1b[31mred\\x1b[0m')"), own()),
    ),
    Hostile(
        "c",
        "17 kB of HTML that becomes a million elements",
        book(
            cell(
                HTML
                + 'display(HTML("<p>" + "".join("<b id=%d>" % i for i in range(1200)) + "<p>x" * 1200))\n'
            ),
            own(),
        ),
        book(cell(HTML + 'display(HTML("<p>" + "<b>x</b>" * 1200))'), own()),
    ),
    Hostile(
        "c",
        "the same with end tags in comments",
        book(
            cell(
                HTML
                + 'many = "".join("<b id=%d><!-- </b> -->" % i for i in range(4000))\n'
                + 'display(HTML("<p>" + many + "<p>x<!-- </b> -->" * 4000))'
            ),
            own(),
        ),
        book(cell(HTML + 'display(HTML("<p><b>x<!-- </b> --></b>" * 100))'), own()),
    ),
    Hostile(
        "c",
        "outputs of many cells, each below the limit",
        book(*[cell("print('<' * 190_000, flush=True)\nprint('<' * 190_000)")] * 56, own()),
        book(*[cell(BARS)] * 25, own()),
    ),
    Hostile(
        "c",
        UNCOUNTED,
        book(
            cell(SEND + "send('execute_input', {'execution_count': 'x' * (15 << 20), 'code': ''})"),
            own(),
        ),
        book(cell(SEND + "send('execute_input', {'execution_count': 1, 'code': ''})"), own()),
    ),
    Hostile(
        "c",
        "updates of displays past the limit on output",
        book(
            cell(
                """
                handle = display("x", display_id=True)
                for _ in range(3000):
                    handle.update("y" * 1000)
                for _ in range(600):
                    display("a", display_id="same")
                for number in range(2000):
                    display(number, display_id=str(number))
                    handle.update({"text/plain": "z" * 1000}, raw=True)
                """
            ),
            own(),
        ),
        book(cell("handle = display('x', display_id=True)\nhandle.update('y')"), own()),
    ),
    Hostile(
        "c",
        "rebinding and appending under conditions",
        book(
            cell("y = [0]\n" + "if y:\n    y = [1]\n" * 20 + "y.append(1)\n" * 20),
            cell("def double(x):\n    return 2 * x + 0 * len(y)"),
        ),
        book(
            cell("w = 1.0\n" + "for _ in range(3):\n    w = w - 0.1 * w\n" * 24),
            cell("def double(x):\n    return 2 * x + 0 * w"),
        ),
    ),
    Hostile(
        "c",
        "a comment of nine megabytes beside the function",
        book(cell(f"#{'a' * (9 << 20)}\ndef double(x):\n    return 2 * x + 0 * 9000001")),
        book(cell(f"#{'<!--' * 50_000}\ndef double(x):\n    return 2 * x + 0 * 9000002")),
    ),
    Hostile(
        "c",
        "a notebook of 30 MB, 10,000 attachments, thousands of cells",
        book(
            cell(
                "print(1)",
                outputs=[{"output_type": "stream", "name": "stdout", "text": "a" * (28 << 20)}],
            ),
            text("x", attachments={str(n): {"image/png": "iVBORw0KGgo" + "A" * 90} for n in range(10_000)}),
            *[text("*x* $a^2$")] * 1000,
            *[cell("")] * 2000,
            own(),
        ),
        book(text("x", attachments={"a.png": {"image/png": "iVBORw0KGgo="}}), cell("print(1)"), own()),
    ),
    Hostile(
        "c",
        "a result that is huge by its shape alone",
        "import numpy as np\n\ndef double(x):\n    return np.broadcast_to(0.0, (10**6, 10**6))",
        "import numpy as np\n\ndef double(x):\n    return np.broadcast_to(2.0, x.shape) * x",
        again=True,
        earns=0.0,
    ),
    Hostile(
        "c",
        "a sparse result with a billion columns",
        "import scipy.sparse\n\ndef double(x):\n    return scipy.sparse.csr_matrix((3, 10**9))",
        "import scipy.sparse\n\ndef double(x):\n    return scipy.sparse.csr_matrix(2 * x).toarray()[0]",
        earns=0.0,
    ),
    Hostile(
        "c",
        "a sparse result without rows",
        "import scipy.sparse\n\ndef double(x):\n    return scipy.sparse.csr_matrix((0, 2**62))",
        "import scipy.sparse\n\ndef double(x):\n    return 2 * scipy.sparse.csr_matrix(x).toarray()[0]",
        earns=0.0,
    ),
]
ATTRIBUTES = "class A:\n    pass\na = A()\na.a = a\n"
DEPTH = [
    Hostile(
        "d",
        "a sum of 3,000 terms in another cell",
        book(cell("+".join(["0"] * 3000)), own()),
        f"def double(x):\n    return 2 * x + ({'+'.join(['0'] * 280)})",
    ),
    Hostile(
        "d",
        "4,000 elif in another cell",
        book(cell("n = 1\nif n == 0:\n    pass\n" + "elif n == 0:\n    pass\n" * 4000), own()),
        "def double(x):\n    n = len(x)\n    if n == 0:\n        return x\n"
        + "".join(f"    elif n == -{k}:\n        return {k}\n" for k in range(400))
        + "    return 2 * x",
    ),
    Hostile(
        "d",
        "a chain of 3,000 attributes in another cell",
        book(cell(ATTRIBUTES + "a" + ".a" * 3000), own()),
        ATTRIBUTES + "def double(x):\n    a" + ".a" * 300 + "\n    return 2 * x",
    ),
    Hostile(
        "d",
        "integers of 5,000 digits, shown and returned",
        book(cell("10**5000"), cell("def double(x):\n    return 10**5000")),
        book(
            cell("print(10**1000)"),
            cell(f"def double(x):\n    n = {'9' * 1000}\n    return 2 * x + 0 * (n > 0)"),
        ),
        earns=0.0,
    ),
    Hostile(
        "d",
        "an integer of 5,000 digits in the source, where no function is",
        book(cell(f"n = {'9' * 5000}"), cell(f"n = 0x{'9' * 5000}"), own()),
        book(cell(f"n = {'9' * 4000}"), own()),
    ),
    Hostile(
        "d",
        "an integer of 5,000 digits in the metadata",
        book(own(), metadata='{"a": ' + "9" * 5000 + "}"),
        book(own(), metadata='{"a": ' + "9" * 1000 + "}"),
        earns=None,
    ),
    Hostile(
        "d",
        "metadata nested 10,000 deep",
        book(own(), metadata=nested(10_000)),
        book(own(), metadata=nested(100)),
        earns=None,
    ),
    Hostile(
        "d",
        "outputs nested 10,000 deep",
        book(f'{{"cell_type": "code", "source": "", "outputs": {"[" * 10_000}{"]" * 10_000}}}', own()),
        book(cell("", outputs=[{"output_type": "stream", "name": "stdout", "text": ["a", "b"]}]), own()),
        earns=None,
    ),
    Hostile(
        "d",
        "attachments that are no pictures",
        book(text("x", attachments={"a.png": "x"}), own()),
        book(text("x", attachments={"a.png": {"image/png": "iVBORw0KGgo="}}), own()),
    ),
    Hostile(
        "d",
        "an attachment nested 200 deep",
        book(
            f'{{"cell_type": "markdown", "source": "x", "attachments": {{"a": {{"b": {nested(200)}}}}}}}',
            own(),
        ),
        book(text("x", attachments={}), own()),
    ),
    Hostile(
        "d",
        "cells that are no objects, with sources that are no text",
        book(
            1,
            '"x"',
            "null",
            "[]",
            {"cell_type": ["code"]},
            {**cell(""), "source": {"a": 1}},
            {**cell(""), "source": [1, None]},
            own(),
        ),
        book({**cell(""), "source": ["a = 1\n", "a"]}, own()),
    ),
    Hostile(
        "d",
        "metadata of a cell that Jupyter would not write",
        book(cell("", metadata={"tags": None, "collapsed": "yes", "execution": [1]}), own()),
        book(cell("", metadata={"tags": ["a", "a"]}), own()),
    ),
]
TEXTS = [
    Hostile(
        "e",
        "escape sequences in the name and message of an error",
        "def double(x):\n    raise type('\\x1b[2J\\x1b]0;OWNED\\x07\\u202e＝1+1', (Exception,), {})('\\x1b[31m\\ud800;=1+1\\t=2')",
        "def double(x):\n    try:\n        raise ValueError('\\x1b[31m')\n    except ValueError:\n        return 2 * x",
        earns=0.0,
    ),
    Hostile(
        "e",
        "escape sequences in the line that failed",
        'def double(x):\n    return ("\x1b]0;OWNED\x07\u202e", x / None)',
        'def double(x):\n    return ("\x1b]0;ours\x07\u202e", 2 * x)[1]',
        earns=0.0,
    ),
    Hostile(
        "e",
        "lone surrogates in sources and printed text",
        book(
            '{"cell_type": "code", "source": "print(\'\\ud800\')", "outputs": []}',
            cell("print('\\ud800')"),
            own(),
        ),
        book(cell("print('\\N{FOX FACE}')"), own()),
    ),
    Hostile(
        "e",
        "lone surrogates in HTML and Markdown that is displayed",
        book(cell(HTML + "display(HTML('\\ud800'))"), own()),
        book(cell(HTML + "display(HTML('\\N{FOX FACE}'))"), own()),
    ),
]
ANSWERS = [
    Hostile(
        "f",
        "forged frames, kinds and later results on every descriptor",
        """
        import os, struct, sys

        def double(x):
            wire = next((m for name, m in list(sys.modules.items()) if name.endswith("wire")), None)
            for fd in range(3, 64):
                try:
                    os.set_blocking(fd, False)
                    for kind in ("not_attempted", "grader_fault", "missing", "passed"):
                        data = wire.encode({"kind": kind, "value": 2 * x, "seconds": 0.0})
                        for index in (0, 1, 2, 0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFF):
                            os.write(fd, struct.pack("<4sIQ", b"FRAM", index, len(data)) + data)
                except OSError:
                    pass
            return 0 * x
        """,
        "import struct\n\ndef double(x):\n    struct.pack('<4sIQ', b'FRAM', 0, 0)\n    return 2 * x",
        earns=0.0,
    ),
    Hostile(
        "f",
        "a kind of outcome that is our fault, in the call's own answer",
        """
        import os, struct, sys

        def double(x):
            frame = sys._getframe()
            while frame.f_code.co_name != "_call":
                frame = frame.f_back
            data = frame.f_globals["wire"].encode({"kind": "grader_fault", "seconds": 0.0})
            os.write(frame.f_locals["write"], struct.pack("<Q", len(data)) + data)
            os._exit(0)
        """,
        "import struct\n\ndef double(x):\n    struct.pack('<Q', 1)\n    return 2 * x",
        earns=0.0,
    ),
    Hostile(
        "f",
        "the job and the inputs of later calls, looked for in the worker",
        """
        import glob, os

        def double(x):
            found = []
            for path in ["/proc/1/mem", "/proc/1/environ", f"/proc/{os.getppid()}/mem", *glob.glob("/proc/1/fd/*")]:
                try:
                    found.append(open(path, "rb").read(100))
                except OSError:
                    pass
            return 2 * x if found else 0 * x
        """,
        "import glob\n\ndef double(x):\n    glob.glob('/proc/self/fd/*')\n    return 2 * x",
        earns=0.0,
    ),
    Hostile(
        "f",
        "a table that is none",
        """
        class Table:
            wire_table = (["a", "b"], [0, 1], [(1, 2), (3, 4)])

        def double(x):
            return Table()
        """,
        "class Table:\n    pass\n\ndef double(x):\n    Table()\n    return 2 * x",
        earns=0.0,
    ),
    Hostile(
        "f",
        "an import that ends the worker before its first word",
        "def double(x):\n    if len(x) < 0:\n        import numpy.f2py.__main__\n    return 0 * x",
        "def double(x):\n    if len(x) < 0:\n        import numpy.f2py\n    return 2 * x",
        earns=0.0,
    ),
]
NAMELESS = """
import ctypes, signal, time
libc = ctypes.CDLL(None)
libc.prctl(1, 0, 0, 0, 0)  # its end is not that of its parent
libc.prctl(15, b"%s", 0, 0, 0)
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))
"""
FOR_EVER = """
while True:
    try:
        time.sleep(1)
    except BaseException:
        pass
"""
ACROSS = [
    Hostile(
        "g",
        "a program whose name is no text, and that ignores its parent's end",
        in_kernel(NAMELESS % "\\xff\\xfe" + FOR_EVER),
        in_kernel(NAMELESS % "name"),
    ),
    Hostile(
        "g",
        "signals, limits and priorities for everything in reach",
        in_kernel(
            """
            import os, resource, signal
            for pid in [*range(2, 300), -1, 0]:
                for attempt in (
                    lambda: pid == os.getpid() or os.kill(pid, signal.SIGKILL) if pid > 0 else None,
                    lambda: resource.prlimit(pid, resource.RLIMIT_CPU, (1, 1)) if pid > 1 else None,
                    lambda: os.setpriority(os.PRIO_USER, 0, 5),
                    lambda: os.sched_setaffinity(pid, {0}) if pid > 1 else None,
                ):
                    try:
                        attempt()
                    except OSError:
                        pass
            """
        ),
        in_kernel("import os\nos.setpriority(os.PRIO_PROCESS, 0, 1)"),
    ),
    Hostile(
        "g",
        "256 processes that hold 512 descriptors and all of the shared memory",
        in_kernel(
            """
            import os, time
            try:
                with open("/dev/shm/big", "wb") as file:
                    while True:
                        file.write(bytes(1 << 20))
            except OSError:
                pass
            kept = []
            try:
                while True:
                    if os.fork() == 0:
                        try:
                            while True:
                                kept.append(os.dup(1))
                        except OSError:
                            time.sleep(1000)
            except OSError:
                print("no more")
            """
        ),
        in_kernel("open('/dev/shm/small', 'wb').write(b'1')"),
    ),
]
CASES = [*PEERS, *FOLDERS, *WORK, *DEPTH, *TEXTS, *ANSWERS, *ACROSS]
IDS = [f"{case.kind}: {case.name}" for case in CASES]
BYSTANDERS = ("0-before", "m-between", "zz-after")


def named(place: int) -> str:
    last = "y" if CASES[place].again else ""
    return f"{last}{CASES[place].kind}{place:02}"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[WarmSandbox]:
    """Boxes of a user of these tests, with short limits."""
    with walled() as started:
        yield started


PLOTTING = ("numpy", "matplotlib.pyplot")


@pytest.fixture(scope="module")
def another() -> Iterator[WarmSandbox]:
    """The boxes of another grader on this machine."""
    with walled(PLOTTING, grouped=True) as started:
        yield started


@pytest.fixture(scope="module")
def batch(sandbox: WarmSandbox, tmp_path_factory: pytest.TempPathFactory) -> Batch:
    """Every attack and every twin, graded as one batch with bystanders."""
    notebooks = {name: book(own()) for name in BYSTANDERS}
    for place, case in enumerate(CASES):
        notebooks |= {named(place): case.attack, f"{named(place)}-twin": case.twin}
    before = started_parents(sandbox)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "TRIES", 1)  # what is no fault of ours needs no second try
        found = grade_batch(tmp_path_factory.mktemp("hostile"), notebooks, sandbox)
    found.left = still_running(before)
    assert list(sandbox.scratch.glob("run-*")) == []
    return found


@pytest.mark.parametrize("place", range(len(CASES)), ids=IDS)
def test_an_attack_earns_what_its_function_earns_and_is_no_fault_of_ours(place: int, batch: Batch) -> None:
    case, score = CASES[place], batch.scores[named(place)]
    assert score.status is (Status.UNREADABLE if case.earns is None else Status.GRADED), score.message
    assert pending(score) == []
    assert score.points == (case.earns or 0.0)
    assert bool(score.message) == (case.earns is None)


@pytest.mark.parametrize("place", range(len(CASES)), ids=IDS)
def test_its_honest_twin_keeps_every_point(place: int, batch: Batch) -> None:
    score = batch.scores[f"{named(place)}-twin"]
    assert (score.status, score.points) == (Status.GRADED, 3.0), score.message or score.questions[0].checks


def test_the_batch_went_on_and_the_bystanders_kept_their_points(batch: Batch) -> None:
    assert len(batch.scores) == 2 * len(CASES) + len(BYSTANDERS)
    assert {batch.scores[name].points for name in BYSTANDERS} == {3.0}


# a. an unbounded wait on a peer that a student controls

TRICKLE = """
class Slow(type(link)):
    def send(self, data, *rest):
        self.own.setblocking(True)
        self.own.sendall(struct.pack("<Q", 1000))
        while True:
            self.own.sendall(b"x")
            time.sleep(1)
link.__class__ = Slow
"""


def test_an_answer_that_trickles_in_costs_its_sender_points(
    sandbox: WarmSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_functions, "START_SECONDS", 1.0)
    course_in(tmp_path)
    calls = load_course("tiny", tmp_path).calls["double"][:1]
    settings = call_functions.CallSettings(setup_seconds=0.5, function_seconds=0.5, patient=True)
    kinds = []
    for source in (at_setup("time.sleep(0.01)", "return 2 * x"), at_setup(TRICKLE)):
        code = sliced(read_sources([source]), "double")
        assert code is not None
        made = call_functions.make_calls({"double": code}, calls, sandbox, settings, {})
        kinds += [outcome.kind for outcome in made.values()]
    assert kinds[0] is OutcomeKind.RETURNED
    assert kinds[1] is not OutcomeKind.GRADER_FAULT


# b. a directory that both sides use


def test_twenty_modules_beside_a_notebook_are_no_fault_of_ours(sandbox: WarmSandbox, tmp_path: Path) -> None:
    inputs = INPUTS.replace('{"numbers.txt": b"1 2 3"}', '{f"d{n}.txt": b"1" for n in range(20)}')
    folder = write_course(tmp_path) / "anna"
    folder.mkdir(parents=True)
    (folder / "anna.ipynb").write_text(notebook(RIGHT))
    for number in range(20):
        (folder / f"module{number}.py").write_text("x = 1")
    found = grade_batch(tmp_path, {"bert": RIGHT}, sandbox, inputs=inputs)
    assert found.scores["bert"].points == 3.0
    assert found.scores["anna/anna"].status is Status.GRADED


# c. work without bound in trusted processes


def test_more_than_500_shell_commands_cost_their_cell_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputtransformer2, "TRANSFORM_LOOP_LIMIT", 50)  # 500, but that takes seconds
    assert len(read_sources(["!a\n" * 40]).cells[0].statements) == 40
    assert read_sources(["!a\n" * 60, "x = 1"]).cells[1].statements


def test_nothing_is_kept_of_a_run_beyond_the_limit_on_output(batch: Batch) -> None:
    place = next(place for place, case in enumerate(CASES) if case.name == UNCOUNTED)
    run = batch.runs[named(place)]
    assert run is not None
    assert len(run.executed) < 2 << 20


def steps(count: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how often slicing looks a name up, for a notebook with so many loops that change one variable."""
    looked_up = []
    look_up = slicing._Tracer._in_effect

    def counted(*arguments: Any) -> Any:
        looked_up.append(1)
        return look_up(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(slicing._Tracer, "_in_effect", counted)
        code = read_sources(
            ["w = 1\n" + "for _ in range(3):\n    w = w - 1\n" * count, "def f():\n    return w"]
        )
        assert slicing.slice_function(code, "f") is not None
    return len(looked_up)


def test_the_work_of_slicing_does_not_explode(monkeypatch: pytest.MonkeyPatch) -> None:
    assert steps(12, monkeypatch) < 4 * steps(8, monkeypatch)


def test_the_work_of_finding_definitions_does_not_explode(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = []
    defines = slicing._defines
    monkeypatch.setattr(slicing, "_defines", lambda *given: looked_at.append(1) or defines(*given))  # type: ignore[func-returns-value]
    code = read_sources(["def f(x): 1\ndef g(x): 2\n" + "f = g\ng = f\n" * 20])
    found = slicing.find_definition(code, "f")
    assert found is not None
    assert found.text == "f = g"
    assert len(looked_at) < 4 * 42


def test_a_small_table_in_markdown_stays_small() -> None:
    table = "|" + "a|" * 240 + "\n|" + "-|" * 240 + "\n" + "|\n" * 240
    assert len(show_markdown("|a|b|\n|-|-|\n|1|2|\n")) > 100
    assert len(show_markdown(table)) < 100 * len(table)


MANY = """
import numpy as np
from grader.course import Case

def files(seed):
    return {}

def numbers(rng):
    return [Case(str(number), (rng.standard_normal(3),)) for number in range(24)]
"""


def test_large_results_do_not_fill_the_coordinator(sandbox: WarmSandbox, tmp_path: Path) -> None:
    zeros = "import numpy as np\n\ndef double(x):\n    return np.zeros(2_000_000)"
    limits = {**LIMITS, "result_mb": 16}
    found = grade_batch(tmp_path, {"attack": zeros, "twin": RIGHT}, sandbox, limits=limits, inputs=MANY)
    assert (found.scores["attack"].points, found.scores["twin"].points) == (0.0, 3.0)
    assert found.grown < 24 * 16 / 1.5


def test_what_is_displayed_does_not_fill_the_coordinator(sandbox: WarmSandbox, tmp_path: Path) -> None:
    prints = cell("print('<' * 190_000, flush=True)\nprint('<' * 190_000)")
    found = grade_batch(tmp_path, {"attack": book(*[prints] * 30, own()), "twin": book(own())}, sandbox)
    assert (found.scores["attack"].points, found.scores["twin"].points) == (3.0, 3.0)
    assert found.grown < 100


def test_what_ends_a_judge_is_not_judged_by_the_coordinator(
    sandbox: WarmSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged_here: list[str] = []

    def seen(submission: str, *rest: Any) -> Any:
        judged_here.append(submission)  # a judge process appends to a copy
        if submission == "killer" and os.getpid() != coordinator:
            os.kill(os.getpid(), signal.SIGKILL)
        return grade(submission, *rest)

    coordinator = os.getpid()
    monkeypatch.setattr(judges, "grade", seen)
    monkeypatch.setattr(judges, "MEMORY", 24 << 20)  # the large results do not fit into a judge
    large = "import numpy as np\n\ndef double(x):\n    return np.zeros(4_000_000)"
    found = grade_batch(tmp_path, {"killer": RIGHT, "large": large, "twin": RIGHT}, sandbox, jobs=1)
    assert found.scores["killer"].status is Status.NOT_GRADED
    assert "judging it took more than" in found.scores["killer"].message
    assert (found.scores["large"].points, found.scores["twin"].points) == (0.0, 3.0)
    assert judged_here == []


def test_a_mark_of_exercise_11_multiplies_no_factors_of_any_shape() -> None:
    course = load_course("exercise_11", ROOT)
    question = next(q for q in course.rubric.questions if q.id == "latent_factor_alternating_optimization")
    candidates = course.plan.candidates[question.id]
    factors = (np.zeros((4000, 1)), np.zeros((1, 4000)), [1.0], [1.0, 0.5], -1)
    tracemalloc.start()
    try:
        for call in candidates.calls:
            candidates.observed(call.id, factors)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64 << 20


# Subjects that are looked at when the notebook has run: their values come with what is displayed.

KEPT = """
assignment: kept
title: Kept
limits: {notebook_seconds: 60, cell_seconds: 5, function_seconds: 5, call_seconds: 1}
questions:
  - {id: answer, title: Answer, points: 1, variable: answer, checks: [{id: c, title: t, type: reference, points: 1}]}
  - {id: file, title: File, points: 1, file: out.txt, checks: [{id: c, title: t, type: metric, metric: length, full: 2, none: 0, points: 1}]}
"""
KEPT_METRICS = "def length(value, case):\n    return float(len(value))\n"
KEPT_REFERENCE = (
    "### BEGIN SOLUTION\nanswer = 42.0\n### END SOLUTION",
    "### BEGIN SOLUTION\nopen('out.txt', 'w').write('ab')\n### END SOLUTION",
)
RIGHT_KEPT = (cell("answer = 42.0"), cell("_ = open('out.txt', 'w').write('ab')"))
WRONG_KEPT = (cell("answer = 1.0"), cell("import os\nos.mkfifo('out.txt')"))


def kept_points(sandbox: WarmSandbox, root: Path, *cells: Any) -> list[float | None]:
    """Return the points of the variable and the file of a notebook; None for those that wait for a person."""
    files = {
        "rubrics/kept.yaml": KEPT,
        "reference/kept/inputs.py": "",
        "reference/kept/metrics.py": KEPT_METRICS,
        "reference/kept/notebook.ipynb": notebook(*KEPT_REFERENCE),
    }
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    course = load_course("kept", root)
    with Store() as store:
        score = grade("x", observe(HandIn(book(*cells).encode()), course, sandbox, store), course)
    return [question.points for question in score.questions]


def test_a_file_that_is_a_pipe_is_missing_and_holds_nobody_up(sandbox: WarmSandbox, tmp_path: Path) -> None:
    assert kept_points(sandbox, tmp_path, *WRONG_KEPT) == [0.0, 0.0]
    assert kept_points(sandbox, tmp_path, *RIGHT_KEPT) == [1.0, 1.0]


def test_wrong_values_cannot_hide_behind_what_is_displayed(sandbox: WarmSandbox, tmp_path: Path) -> None:
    prints = cell("print('<' * 190_000, flush=True)\nprint('<' * 190_000)")
    assert kept_points(sandbox, tmp_path, *RIGHT_KEPT, cell("print('<')")) == [1.0, 1.0]
    assert kept_points(sandbox, tmp_path, *WRONG_KEPT, *[prints] * 200) == [0.0, 0.0]


# d. recursion


def test_a_cell_that_is_too_deep_fails_alone(sandbox: WarmSandbox, tmp_path: Path) -> None:
    assert kept_points(sandbox, tmp_path, *RIGHT_KEPT, cell("1 +")) == [1.0, 1.0]
    assert kept_points(sandbox, tmp_path, *RIGHT_KEPT, cell("+".join(["1"] * 5000))) == [1.0, 1.0]


# e. text from outside

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
NAMES = ("=c", "+1", "-1", "@x", "\t=1", "\x1b]0;x\x07", "\u202egnp", "a\rb", "\u2028=j")
WIDE = ("＝1+1", "＋1", "－1", "＠x")
FIELDS = ("a;=1+1", ";=2+2")
TOO_LARGE = "\x1b]0;OWNED\x07large"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of results whose names and messages were chosen by students."""
    root = tmp_path_factory.mktemp("names")
    folder = write_course(root, **dict.fromkeys((*NAMES, *WIDE, *FIELDS), RIGHT))
    (folder / "message.ipynb").write_text(notebook(next(case.attack for case in TEXTS)))
    with (folder / f"{TOO_LARGE}.ipynb").open("wb") as file:
        file.truncate(60 << 20)
    with open(os.fsencode(folder) + b"/\xfflarge.ipynb", "wb") as file:  # noqa: PTH123 -- a name that is no text
        file.truncate(60 << 20)
    command = [sys.executable, "-m", "grader", *GRADE, "submissions/tiny", "--jobs", "2"]
    done = subprocess.run(command, cwd=root, capture_output=True, timeout=300, check=False)
    (root / "results" / "printed").write_bytes(done.stdout + done.stderr)
    return root / "results"


def told(results: Path) -> list[dict[str, Any]]:
    """Return what grades.json says of every submission."""
    content = json.loads((results / "grades.json").read_text(encoding="utf-8"))
    return list(content["submissions"])


def test_nothing_of_a_name_or_message_reaches_terminal_table_or_json_unchanged(results: Path) -> None:
    for name in ("printed", "grades.csv", "index.html"):
        found = CONTROLS.findall((results / name).read_text(encoding="utf-8"))
        assert found == [], name
    for score in told(results):
        assert CONTROLS.findall(f"{score['submission']} {score['questions']}") == []
    for page in results.rglob("message/feedback.html"):
        assert CONTROLS.findall(page.read_text(encoding="utf-8")) == []


def fields(results: Path, separators: str) -> list[str]:
    """Return the fields of the table as a spreadsheet reads it that splits lines at these characters."""
    lines = (results / "grades.csv").read_text(encoding="utf-8").splitlines()
    return [field.strip('"') for line in lines for field in re.split(separators, line)]


def test_no_field_of_the_table_is_a_formula(results: Path) -> None:
    assert [field for field in fields(results, ",") if FORMULA.match(field)] == []


def test_no_field_of_the_table_is_a_formula_in_full_width(results: Path) -> None:
    assert [field for field in fields(results, ",") if field.startswith(("＝", "＋", "－", "＠"))] == []


def test_no_field_of_the_table_is_a_formula_where_semicolons_separate(results: Path) -> None:
    assert [field for field in fields(results, "[,;\t]") if FORMULA.match(field)] == []


def test_no_folder_of_results_has_a_name_that_reads_backwards(results: Path) -> None:
    assert [path.name for path in results.iterdir() if CONTROLS.search(path.name)] == []


def score_of(results: Path, start: str) -> dict[str, Any]:
    return next(score for score in told(results) if score["submission"].startswith(start))


def test_the_name_of_a_file_reaches_no_page_and_no_terminal_unchanged(results: Path) -> None:
    score = score_of(results, "\N{REPLACEMENT CHARACTER}]0;OWNED")
    assert score["status"] == "unreadable"
    assert CONTROLS.findall(score["message"]) == []


def test_rich_does_not_take_escape_sequences_out() -> None:
    # so a message must not hold any: `grader show` prints it
    from support import score

    printed = io.StringIO()
    Console(file=printed, width=80).print(show_score(score(message="\x1b]0;OWNED\x07")))
    assert "\x1b]0;" in printed.getvalue()


def test_a_large_file_whose_name_is_no_text_is_unreadable(results: Path) -> None:
    assert score_of(results, "\N{REPLACEMENT CHARACTER}large")["status"] == "unreadable"


def test_the_page_of_a_notebook_holds_no_control_characters(batch: Batch) -> None:
    pages = [batch.runs[named(place)] for place, case in enumerate(CASES) if case.kind == "e"]
    assert [
        CONTROLS.findall(run.shown) for run in pages if run is not None and CONTROLS.search(run.shown)
    ] == []


def test_a_name_of_a_megabyte_is_not_told_in_full(sandbox: WarmSandbox, tmp_path: Path) -> None:
    long = "a" * (1 << 20)
    reads = f"import numpy as np\n{long} = np.random.rand(3)\n\ndef double(x):\n    {long}\n    return 2 * x"
    twin = reads.replace(long, "data")
    found = grade_batch(
        tmp_path, {"reads": reads, "twice": f"def double({long}, {long}): 1", "twin": twin}, sandbox
    )
    assert found.scores["twin"].points == 3.0
    remarks = [remark for score in found.scores.values() for q in score.questions for remark in q.remarks]
    messages = [
        c.verdict.message for score in found.scores.values() for q in score.questions for c in q.checks
    ]
    assert max(map(len, (*remarks, *messages))) < 10_000


# f. answers for others, and what others may not know


def messages(batch: Batch, name: str) -> str:
    return " ".join(c.verdict.message for q in batch.scores[name].questions for c in q.checks)


def test_no_comment_of_another_student_stands_in_ones_feedback(sandbox: WarmSandbox, tmp_path: Path) -> None:
    line = "def double(x):\n    return x / None"
    found = grade_batch(tmp_path, {"a": line + "  # SOLUTIONS AT http://evil", "b": line}, sandbox, jobs=1)
    assert "unsupported operand" in messages(found, "b")
    assert "evil" not in messages(found, "b")


KNOWS_ITS_LINE = """
import warnings

def double(x):
    lines = []
    warnings.showwarning = lambda *seen: lines.append(seen[3])
    warnings.simplefilter("always")
    warnings.warn("where am I?")
    return (lines[0] - %d) * x
"""


@pytest.mark.parametrize(("number", "points"), [(4, 3.0), (5, 0.0)])
def test_code_has_the_outcomes_that_it_would_have_without_others(
    sandbox: WarmSandbox, tmp_path: Path, number: int, points: float
) -> None:
    source = KNOWS_ITS_LINE.strip() % number
    other = f"# a comment\n\n{source}"
    both = grade_batch(tmp_path / "both", {"a": source, "b": other}, sandbox, jobs=1)
    alone = grade_batch(tmp_path / "alone", {"b": other}, sandbox)
    assert [score.points for score in (*both.scores.values(), *alone.scores.values())] == [points] * 3


SCAN = """
import ctypes, re

def double(x):
    word = b"zq_" + b"answer_"
    for line in open("/proc/self/maps"):
        span = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
        if span and "[v" not in line:
            start, end = int(span[1], 16), int(span[2], 16)
            found = re.search(word + rb"(\\d+)_", ctypes.string_at(start, end - start))
            if found:
                return float(found[1]) * x
    return 0 * x
"""


def test_nothing_of_another_student_is_left_in_the_memory_of_a_box(
    sandbox: WarmSandbox, tmp_path: Path
) -> None:
    tells = "def double(x):\n    if len(x) < 0:\n        import numpy.zq_answer_2_\n    return 2 * x"
    found = grade_batch(tmp_path, {"a": tells, "b": SCAN}, sandbox, jobs=1)
    assert (found.scores["a"].points, found.scores["b"].points) == (3.0, 0.0)


def test_the_seed_of_the_rubric_is_not_told(sandbox: WarmSandbox, tmp_path: Path) -> None:
    # in words, as long numbers are masked in messages
    source = "import numpy as np\n\ndef double(x):\n    raise ValueError(' '.join(str(np.random.get_state()[1][0])))"
    inputs, limits = INPUTS, LIMITS
    found = grade_batch(tmp_path, {"attack": source, "twin": RIGHT}, sandbox, inputs=inputs, limits=limits)
    course = load_course("tiny", tmp_path)
    assert found.scores["twin"].points == 3.0
    assert f"ValueError: {' '.join(str(course.rubric.seed))} (" not in messages(found, "attack")


def test_a_property_is_not_had_by_an_array_of_text() -> None:
    assert violation("symmetric", np.eye(2), np.eye(2), Change()) == 0.0
    assert violation("symmetric", np.array(["a"]), np.array(["a"]), Change()) == float("inf")


def test_a_long_import_ends_no_box_of_another(
    another: WarmSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        pool, "TRIES", 1
    )  # two such notebooks, one after the other, end both of a neighbour's
    long = f"def double(x):\n    if len(x) < 0:\n        import matplotlib.{'a' * 300_000}\n    return 2 * x"
    notebooks = {
        "0-neighbour": book(cell("import time\ntime.sleep(5)"), own()),
        "1-long": long,
        "2-twin": long.replace("a" * 300_000, "artist"),
    }
    limits = {**LIMITS, "cell_seconds": 9}
    found = grade_batch(tmp_path, notebooks, another, jobs=2, limits=limits, preload=PLOTTING)
    assert found.scores["2-twin"].points == 3.0
    assert found.scores["0-neighbour"].points == 3.0


# g. effects across boxes

HOLDS = """
import ctypes, time
libc = ctypes.CDLL(None)
while libc.inotify_init() >= 0:
    pass
time.sleep(5)
"""
FEELS = """
import ctypes, os, time
libc = ctypes.CDLL(None)
for _ in range(100):
    watched = libc.inotify_init()
    if watched < 0:
        print("felt: inotify")
        break
    os.close(watched)
    time.sleep(0.05)
else:
    print("felt: nothing")
"""


@pytest.fixture(scope="module")
def felt(sandbox: WarmSandbox, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a box feels of a neighbour that takes all that its user may have."""
    notebooks = {"a": book(cell(HOLDS), own()), "b": book(cell(FEELS), own())}
    limits = {**LIMITS, "cell_seconds": 8}
    found = grade_batch(tmp_path_factory.mktemp("felt"), notebooks, sandbox, jobs=2, limits=limits)
    assert {score.points for score in found.scores.values()} == {3.0}
    assert "felt:" in shown(found.runs["b"])
    return shown(found.runs["b"])


def test_one_box_does_not_take_the_watches_of_another(felt: str) -> None:
    assert "inotify" not in felt


IN_FLIGHT = """
import os, socket, time
kept, fd = [], os.open("/dev/null", os.O_RDONLY)
try:
    while True:
        kept.append(socket.socketpair())
        kept[-1][0].setblocking(False)
        socket.send_fds(kept[-1][0], [b"x"], [fd] * 250)
except OSError as error:
    print("full:", error)
time.sleep(60)
"""


def test_a_box_takes_no_points_from_one_of_another_grader(
    sandbox: WarmSandbox, another: WarmSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "TRIES", 1)
    limits = {**LIMITS, "cell_seconds": 70, "notebook_seconds": 80}
    attack, neighbour = (
        {name: book(cell(source), own())} for name, source in (("attack", IN_FLIGHT), ("neighbour", "1"))
    )
    graded = threading.Thread(
        target=grade_batch, args=(tmp_path / "one", attack, sandbox), kwargs={"limits": limits}
    )
    graded.start()
    try:
        time.sleep(3)
        found = grade_batch(tmp_path / "two", neighbour, another)
    finally:
        sandbox.warm("full").stop()  # the attack ends with its box
        graded.join()
    assert found.scores["neighbour"].points == 3.0


def test_boxes_have_users_of_their_own(sandbox: WarmSandbox, tmp_path: Path) -> None:
    notebooks = {name: book(cell("import os\nprint('user', os.getuid())"), own()) for name in "ab"}
    found = grade_batch(tmp_path, notebooks, sandbox)
    first, second = (shown(run) for run in found.runs.values())
    assert "user" in first
    assert first != second


def test_nothing_outlives_its_box(batch: Batch) -> None:
    assert batch.left == []


NEIGHBOURS = """
import os, resource, sys, time
sys.path.insert(0, sys.argv[1])
from inside import landlock, seccomp, walls
user = int(sys.argv[2])
if os.getuid() != user:
    os.setgid(user)
    os.setuid(user)

def box(act):
    pid = os.fork()
    if pid == 0:
        from inside import system
        system.prctl(system.PR_SET_NO_NEW_PRIVS, 1)
        landlock.restrict(landlock.Rules(read=("/proc/self", *walls.SYSTEM)))
        seccomp.restrict()
        act()
        os._exit(0)
    return pid

neighbour = box(lambda: time.sleep(20))
time.sleep(0.3)

def attack():
    attempts = {
        "signal": lambda: os.kill(neighbour, 0),
        "limit": lambda: resource.prlimit(neighbour, resource.RLIMIT_CPU, (1, 1)),
        "processor": lambda: os.sched_setaffinity(neighbour, {min(os.sched_getaffinity(0))}),
        "priority": lambda: os.setpriority(os.PRIO_PROCESS, neighbour, 19),
    }
    for name, attempt in attempts.items():
        try:
            attempt()
            print(name, flush=True)
        except OSError:
            pass

os.waitpid(box(attack), 0)
os.kill(neighbour, 9)
"""


@pytest.fixture(scope="module")
def reached() -> list[str]:
    """What a box of the tier restricted can do to a neighbour with the same user."""
    arguments = [str(ROOT / "grader"), str(one_user())]
    command = [sys.executable, "-I", "-c", NEIGHBOURS, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        pytest.skip(f"no process can be restricted here: {done.stderr[-300:]}")
    return done.stdout.split()


def test_boxes_with_one_user_cannot_signal_each_other(reached: list[str]) -> None:
    from grader.inside import landlock

    if landlock.version() < 6:
        pytest.skip("this kernel cannot keep signals to a box: the tier is plain")
    assert "signal" not in reached


def test_boxes_with_one_user_cannot_limit_each_other(reached: list[str]) -> None:
    assert {"limit", "processor", "priority"}.isdisjoint(reached)
