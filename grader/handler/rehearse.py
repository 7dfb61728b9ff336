"""Does once, before handlers are forked, what each of them would otherwise do for the first time.

Much of what reading, running and showing a notebook takes is set up at the first use: schemas, regular
expressions, grammars. A small notebook of ours goes all the way here, with a kernel that answers by rote.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from dataclasses import dataclass

import nbformat

from grader.codec import pack_reading, pack_run
from grader.handler.notebook_run import run_notebook
from grader.handler.program import executed_notebook, read_notebook
from grader.handler.safe_html import show_notebook
from grader.inside.packets import write_message
from grader.notebook.read import parse_notebook
from grader.records import NotebookLimits
from grader.subjects import Subject

TEXT = """# A title

A formula $x_1^2$, `code`, a [link](https://example.org), <b>HTML</b>

| a | b |
|---|---|
| 1 | 2 |
"""
CODE = '''%matplotlib inline
import numpy as np
class C:
    def m(self, x):
        """Return it."""
        return [y for y in x if y > 0.5]
def helper(x):
    return x
def f(x, *, y=1):
    with np.errstate(all="ignore"):
        for k in range(3):
            x = helper(x) + np.sum(x**2) * k
    return {"a": x, **{}} if y else f"{x:.3g}"
print(f(np.arange(3)))
'''
OUTPUTS = (
    ("stream", {"name": "stdout", "text": "\x1b[31mred\x1b[0m\n"}),
    (
        "display_data",
        {"data": {"text/html": "<table><tr><td>1</td></tr></table>", "text/plain": "1"}, "metadata": {}},
    ),
    (
        "execute_result",
        {"data": {"text/plain": "1", "image/png": "iVBORw0K"}, "metadata": {}, "execution_count": 1},
    ),
    ("error", {"ename": "E", "evalue": "e", "traceback": ["\x1b[31m----> 1 x\x1b[0m"]}),
)


@dataclass(frozen=True)
class Rote:
    """A kernel that answers each request with the same outputs."""

    requests: int
    messages: int

    def interrupt(self) -> None:
        """Do nothing: no request takes time."""

    def kill(self) -> None:
        """Do nothing: it ends with its requests."""


def prepare() -> None:
    """Read, run and show a notebook."""
    cells = [nbformat.v4.new_markdown_cell(TEXT), nbformat.v4.new_code_cell(CODE)]
    data = str(nbformat.writes(nbformat.v4.new_notebook(cells=cells))).encode()
    notebook = parse_notebook(data)
    pack_reading(read_notebook(notebook, notebook, [Subject.named("f"), Subject.named("C.m")], {}))
    read_requests, write_requests = os.pipe()
    read_messages, write_messages = os.pipe()
    kernel = threading.Thread(target=_answer, args=(read_requests, write_messages))
    kernel.start()
    run = run_notebook(notebook, Rote(write_requests, read_messages), NotebookLimits())
    os.close(write_requests)
    kernel.join()
    os.close(read_messages)
    pack_run(run)
    executed_notebook(notebook)
    show_notebook(notebook)


def _answer(requests: int, messages: int) -> None:
    """Answer every request, until there are no more."""

    def send(channel: str, kind: str, content: object, parent: object) -> None:
        message = {
            "channel": channel,
            "header": {"msg_type": kind},
            "parent_header": parent,
            "content": content,
        }
        write_message(messages, json.dumps({**message, "metadata": {}}).encode())

    send("iopub", "status", {"execution_state": "starting"}, {})
    with open(requests) as lines, contextlib.suppress(OSError):
        for line in lines:
            parent = json.loads(line)["header"]
            for kind, content in OUTPUTS:
                send("iopub", kind, content, parent)
            send("shell", "execute_reply", {"status": "ok"}, parent)
            send("iopub", "status", {"execution_state": "idle"}, parent)
    os.close(messages)
