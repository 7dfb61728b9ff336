"""The handler's program: what it answers of notebooks and kernels of any kind, and what it may do meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT, notebook
from support_kernel import PlayedKernel, message

from grader.codec import READING, pack_run, unpack_run
from grader.decode import decode
from grader.errors import NotebookUnreadable
from grader.handler import program
from grader.handler.program import (
    ANSWER_MB,
    LEFT_OUT,
    MAX_CODE,
    MAX_EXECUTED,
    MAX_TEXT,
    RECURSION,
    STACK_MB,
    TOO_MUCH,
    Answer,
    InheritedKernel,
    Job,
    executed_notebook,
    written_answer,
)
from grader.inside import landlock
from grader.inside.packets import Joiner
from grader.notebook.read import parse_notebook
from grader.observe.interpreter import find_interpreter
from grader.observe.sandbox import Sandbox, settle
from grader.observe.warm import WarmSandbox
from grader.reading import FactsStatus
from grader.records import CellStatus, NotebookLimits, NotebookRun, OutcomeKind

LIMITS = NotebookLimits(seconds=60, cell_seconds=30, output_kb=64)
SKELETON = notebook("def f(x):\n    pass  # yours").encode()
SUBJECTS = ("f", "g", "variable v", "text essay", "figure drawn", "file out.npy")
NO_KERNEL = InheritedKernel(-1, -1)
Answers = list[tuple[Answer, bytes]]


def job(data: bytes, **changes: Any) -> Job:
    return replace(Job(data, {}, SKELETON, SUBJECTS, read=True, run=False, limits=LIMITS), **changes)


def cells(*given: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"cells": given, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **more}).encode()


def code(source: Any, **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], **more}


def markdown(source: Any, tag: str = "essay", **more: Any) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": source, "metadata": {"tags": [tag]}, **more}


def answered(asked: Job, kernel: InheritedKernel = NO_KERNEL) -> Answers:
    """Return what the program answers once it has begun, without a process of its own."""
    answers: Answers = []
    limit, size = sys.getrecursionlimit(), threading.stack_size(STACK_MB << 20)
    sys.setrecursionlimit(RECURSION)
    try:
        with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as thread:
            patch.setattr(program, "answer", lambda kind, content=b"": answers.append((kind, content)))
            thread.submit(program.handle, asked, kernel).result()
    finally:
        sys.setrecursionlimit(limit)
        threading.stack_size(size)
    assert answers[0] == (Answer.BEGUN, b"")
    return answers[1:]


# --- what a job is


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.binary(), st.dictionaries(TEXTS, st.binary(), max_size=3), st.lists(TEXTS), st.booleans())
def test_a_job_arrives_as_it_was_sent(
    data: bytes, modules: dict[str, bytes], names: list[str], run: bool
) -> None:
    sent = job(data, modules=modules, subjects=tuple(names), run=run, start_seconds=0.1)
    assert Job.unpack(sent.pack()) == sent


# --- reading


def test_what_is_read_says_where_each_subject_is_and_has_the_code_of_those_that_are_called() -> None:
    data = cells(
        code("from beside import g\nK = 2"), markdown("words"), code("v = 3\ndef f(x):\n    return K * x")
    )
    ((kind, content),) = answered(job(data, modules={"beside.py": b"def g(x): return x"}))
    assert kind is Answer.READING
    reading = READING.validate_json(content)
    assert {name: facts.status for name, facts in reading.facts.items()} == dict.fromkeys(
        SUBJECTS, FactsStatus.FOUND
    )
    assert set(reading.code) == {"f", "g"}
    assert reading.facts["g"].file == "beside.py"
    assert [cell.source for cell in reading.code["f"].cells] == ["K = 2\ndef f(x):\n    return K * x"]
    assert {place.cell for place in reading.facts["f"].places} == {1, 2}


def test_what_was_handed_out_is_not_attempted() -> None:
    ((_, content),) = answered(job(SKELETON))
    facts = READING.validate_json(content).facts
    assert (facts["f"].status, facts["g"].status) == (FactsStatus.NOT_ATTEMPTED, FactsStatus.MISSING)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"%PDF-1.4 \xff", "a PDF"),
        (b"[]", 'no "cells"'),
        (b'{"cells": 5}', "not a list"),
        (b'{"cells": [' + b"[" * 100_000, "nested without end"),
        (b'{"worksheets": [5], "nbformat": 3}', "damaged"),
        (b'{"cells": [], "nbformat": 2}', "damaged"),
    ],
)
def test_what_is_no_notebook_is_said_to_be_none_and_is_not_run(data: bytes, why: str) -> None:
    ((kind, content),) = answered(job(data, run=True))
    assert kind is Answer.UNREADABLE
    assert why in content.decode()


ODD = {
    "metadata that are no metadata": code("def f(x): return 1", metadata={"tags": 5, "collapsed": "no"}),
    "metadata that are a list": code("def f(x): return 1", metadata=[1]),
    "attachments that are none": markdown("words", attachments={"a": 5, "b": {"image/png": 7}}),
    "half a surrogate": code("def f(x): return '\ud800'"),
    "half a surrogate in a name": code("def f(x): return \ud800(x)"),
    "a zero": code("def f(x): return '\0'"),
    "a source of lists": code(["def f(x):\n", 5, None, ["a"]]),
    "a source that is a dict": code({"a": 1}),
    "an id that is a number": code("def f(x): return 1", id=5),
    "a cell of another type": {"cell_type": [], "source": "x"},
    "no cell": 5,
    "a magic that is none": code("%time \0\n!\0\n%%\n%%bash\n%%time"),
    "brackets without end": code("def f(x): return " + "(" * 5000),
    "signs without end": code("def f(x): return " + "-" * 100_000 + "1"),
    "attributes without end": code("def f(x): return x" + ".a" * 100_000),
    "branches without end": code("def f(x):\n if x: pass\n" + " elif x: pass\n" * 5000),
    "a number without end": code("def f(x): return " + "9" * 5000),
    "returns outside": code("return 5\nyield\nawait x\nnonlocal y\nbreak"),
    "lines without end": code("\n" * 300_000),
    "magics without end": code("%%time\n" * 300_000),
    "statements without end": code("x = 1\n" * 100_000),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_cell_costs_no_other_cell(name: str) -> None:
    data = cells(ODD[name], code("def g(x):\n    return 1"))  # type: ignore[arg-type]
    ((kind, content),) = answered(job(data))
    assert kind is Answer.READING
    status = READING.validate_json(content).facts["g"].status
    assert status is (FactsStatus.MISSING if name == "statements without end" else FactsStatus.FOUND)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=9,
)
KEYS = (
    "cell_type",
    "source",
    "metadata",
    "id",
    "outputs",
    "attachments",
    "input",
    "level",
    "execution_count",
)
WORDS = st.lists(
    st.sampled_from(
        "def f ( x ) : \n return = lambda class if else [ ] { } ' \" \\ % ! ? @ # ; await % \t 1 \0".split(
            " "
        )
    ),
    max_size=30,
).map(" ".join)
SOURCES = WORDS | st.text(max_size=40) | st.lists(WORDS, max_size=3)
CELLS = st.builds(
    lambda kind, source, more: {"cell_type": kind, "source": source, **more},
    st.sampled_from(["code", "markdown", "raw"]),
    SOURCES,
    st.dictionaries(st.sampled_from(KEYS), JSON, max_size=2),
)
NOTEBOOKS = st.builds(
    lambda given, more: json.dumps({"cells": given, "nbformat": 4, **more}).encode(),
    st.lists(CELLS | JSON, max_size=4),
    st.dictionaries(
        st.sampled_from(["cells", "worksheets", "nbformat", "nbformat_minor", "metadata"]), JSON, max_size=2
    ),
)


@given(
    NOTEBOOKS | st.binary(max_size=60),
    st.binary(max_size=60) | SOURCES.map(str).map(lambda text: text.encode("utf-8", "replace")),
)
def test_whatever_is_handed_in_is_read_or_said_to_be_no_notebook(data: bytes, module: bytes) -> None:
    ((kind, content),) = answered(job(data, modules={"beside.py": module}))
    assert kind in (Answer.READING, Answer.UNREADABLE)
    if kind is Answer.READING:
        assert READING.validate_json(content).facts.keys() == set(SUBJECTS)
    assert content.decode()


# --- written answers


def written(own: bytes, given_out: bytes, name: str = "essay") -> tuple[OutcomeKind, Any]:
    outcome = written_answer(parse_notebook(own), parse_notebook(given_out), name)
    return outcome.kind, outcome.value


def test_a_written_answer_is_the_text_of_its_cell() -> None:
    out = cells(markdown("Yours here."))
    assert written(cells(code("1"), markdown("My *words*.")), out) == (OutcomeKind.RETURNED, "My *words*.")
    assert written(cells(markdown("words", tag="", id="essay")), out) == (OutcomeKind.RETURNED, "words")
    assert written(out, out) == (OutcomeKind.NOT_ATTEMPTED, None)
    assert written(cells(markdown("\n Yours here. \n")), out) == (OutcomeKind.NOT_ATTEMPTED, None)
    assert written(cells(markdown("words", tag="other")), out) == (OutcomeKind.MISSING, None)
    assert written(cells(code("words", metadata={"tags": ["essay"]})), out) == (OutcomeKind.MISSING, None)
    assert written(cells(markdown("words")), cells()) == (OutcomeKind.RETURNED, "words")


@pytest.mark.parametrize(
    ("letter", "times"), [("x", 1), ("\u00e9", 1), ("\U0001f600", 1), ("x", 9), ("\u00e9", 9)]
)
def test_a_written_answer_of_any_length_can_be_sent(letter: str, times: int) -> None:
    """It grows on its way: six bytes or twelve for a letter."""
    own = cells(markdown(letter * (times * MAX_TEXT)))
    outcome = written_answer(parse_notebook(own), parse_notebook(SKELETON), "essay")
    run = NotebookRun((), "", values={"text essay": outcome})
    kept = unpack_run(pack_run(run)).values["text essay"]
    assert kept.kind is (OutcomeKind.RETURNED if times == 1 else OutcomeKind.OUTPUT_TOO_LARGE)


# --- as a process


class Conversation:
    """What a handler answered, and how it ended."""

    def __init__(self, sandbox: Sandbox, asked: Job, kernel: PlayedKernel | None = None) -> None:
        ends = None
        if kernel is not None:
            ends = SimpleNamespace(
                stdin=os.fdopen(os.dup(kernel.requests), "wb"),
                stdout=os.fdopen(os.dup(kernel.messages), "rb"),
            )
        self.process = sandbox.launch_handler(ends)  # type: ignore[arg-type]
        if kernel is not None:  # the handler alone holds them now, as it does in the grading
            kernel.close(kernel.requests, kernel.messages)
        self.answers: Answers = []
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(asked.pack())
        self.process.stdin.close()
        joiner = Joiner(2 * ANSWER_MB << 20)
        while data := self.process.stdout.read1(1 << 16):  # type: ignore[attr-defined]
            for each in joiner.feed(data):
                kind, content = decode(each)
                self.answers.append((Answer(kind), content))
                if kind == Answer.KILL and kernel is not None:
                    kernel.ends()
        settle(self.process)
        self.code = self.process.poll()
        self.process.kill()

    @property
    def kinds(self) -> list[Answer]:
        """The kinds of its answers once it had begun."""
        kinds = [kind for kind, _ in self.answers]
        assert kinds.pop(0) is Answer.BEGUN
        return kinds

    @property
    def run(self) -> NotebookRun:
        content = dict(self.answers)
        executed, shown = (content[kind].decode() for kind in (Answer.EXECUTED, Answer.SHOWN))
        return replace(unpack_run(content[Answer.RUN]), executed=executed, shown=shown)


@contextlib.contextmanager
def played(play: Callable[[PlayedKernel], None]) -> Iterator[PlayedKernel]:
    """Play a kernel in a thread."""
    kernel = PlayedKernel()

    def speak() -> None:
        with contextlib.suppress(OSError):
            play(kernel)

    thread = threading.Thread(target=speak)
    thread.start()
    try:
        yield kernel
    finally:
        kernel.close(kernel.requests, kernel.messages)
        thread.join()
        kernel.close()


RAN = [Answer.RUN, Answer.EXECUTED, Answer.SHOWN]
STARTING = message("status", execution_state="starting")
PRINTS = message("stream", name="stdout", text="printed\n")


def test_a_notebook_is_read_before_it_is_run_and_its_kernel_is_ended_before_the_answer(
    sandbox: Sandbox,
) -> None:
    def play(kernel: PlayedKernel) -> None:
        kernel.says(STARTING)
        for asked in kernel.asked():
            kernel.answers(asked, PRINTS)

    data = cells(code("1"), markdown("words"), code("2"))
    with played(play) as kernel:
        held = Conversation(sandbox, job(data, run=True, subjects=("f", "text essay")), kernel)
    assert held.kinds == [Answer.READING, Answer.KILL, *RAN]
    assert held.code == 0
    assert [(cell.number, cell.status) for cell in held.run.cells] == [(1, CellStatus.OK), (2, CellStatus.OK)]
    assert held.run.executed.count("printed") == 2
    assert "printed" in held.run.shown
    assert held.run.values["text essay"].value == "words"


def test_only_what_was_asked_for_is_done(sandbox: Sandbox) -> None:
    assert Conversation(sandbox, job(cells(code("1")), read=False)).kinds == []
    assert Conversation(sandbox, job(cells(code("1")))).kinds == [Answer.READING]


@pytest.mark.parametrize("name", ["ends", "says nonsense"])
def test_a_kernel_that_does_not_start_is_said_not_to_have_started(sandbox: Sandbox, name: str) -> None:
    def play(kernel: PlayedKernel) -> None:
        if name == "ends":
            kernel.ends()
        else:
            kernel.says(b"nonsense")

    with played(play) as kernel:
        held = Conversation(sandbox, job(cells(code("1")), run=True), kernel)
    assert held.kinds in (
        [Answer.READING, Answer.NOT_STARTED],
        [Answer.READING, Answer.KILL, Answer.NOT_STARTED],
    )


def test_a_kernel_that_does_not_end_a_cell_is_to_be_interrupted_and_then_ended(sandbox: Sandbox) -> None:
    def play(kernel: PlayedKernel) -> None:
        kernel.says(STARTING)
        next(kernel.asked())

    limits, data = replace(LIMITS, cell_seconds=1), cells(code("1"), code("2"))
    with played(play) as kernel:
        held = Conversation(sandbox, job(data, read=False, run=True, limits=limits, subjects=("f",)), kernel)
    assert held.kinds[-4:] == [Answer.KILL, *RAN]
    assert set(held.kinds[:-4]) == {Answer.INTERRUPT}, "again and again, while there is patience"
    assert [cell.status for cell in held.run.cells] == [CellStatus.TIMEOUT, CellStatus.NOT_RUN]


HOSTILE = {
    "a stream of numbers": message("stream", name=5, text={"a": 1}),
    "content that is a list": {**message("stream"), "content": []},
    "no content": {key: value for key, value in message("stream").items() if key != "content"},
    "an error of lists": message("error", ename=1, evalue=[2], traceback=[3, None]),
    "an error of nothing": message("error", ename=None, evalue=None, traceback=7),
    "data that are a list": message("display_data", data=[], metadata=3, transient=4),
    "data of dicts": message("display_data", data={"text/plain": {"b": [1]}, "image/png": 5}, metadata={}),
    "data of nothing": message(
        "execute_result", data={"text/html": None}, execution_count="x", metadata=None
    ),
    "an update of nothing": message("update_display_data", transient=None),
    "an update without end": message("display_data", data={}, metadata={}, transient={"display_id": [1]}),
    "a comm of nothing": message("comm_open", comm_id=None),
    "a comm of ours": message("comm_open", comm_id=5, data={"state": {}}, target_name="jupyter.widget"),
    "a clear of everything": {**message("clear_output"), "content": 5},
    "a status that is a list": message("status", execution_state=[]),
    "a kind that is a number": message(5),  # type: ignore[arg-type]
    "an unheard of kind": message("unheard_of"),
    "half a surrogate": message("stream", name="stdout", text="\ud800\x1b[31m"),
    "a reply of nothing": {**message("execute_reply", "shell"), "content": None},
    "a reply that is a list": {**message("execute_reply", "shell"), "content": []},
    "an endless trace": message(
        "error", ename="E", evalue="-" * 50_000, traceback=["-" * 50_000 + "> 1"] * 9
    ),
    "a page nested without end": message("display_data", data={"text/html": "<div>" * 10_000}, metadata={}),
    "a picture that is none": message(
        "display_data", data={"image/png": "\u00e9!", "image/svg+xml": 5}, metadata={}
    ),
    "a formula without end": message(
        "display_data", data={"text/latex": "$" + "{" * 9000 + "$"}, metadata={}
    ),
}


@pytest.mark.parametrize("looked_at", [("f",), SUBJECTS], ids=["", "looked at"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_kernel_may_say_anything_and_the_run_is_answered(
    sandbox: Sandbox, name: str, looked_at: tuple[str, ...]
) -> None:
    def play(kernel: PlayedKernel) -> None:
        kernel.says(STARTING)
        for asked in kernel.asked():
            kernel.answers(asked, PRINTS, HOSTILE[name])

    with played(play) as kernel:
        asked = job(cells(code("1"), code("2")), run=True, read=False, subjects=looked_at)
        held = Conversation(sandbox, asked, kernel)
    assert held.kinds == [Answer.KILL, *RAN]
    assert held.code == 0
    values = {"variable v", "figure drawn", "file out.npy", "text essay"} & set(looked_at)
    assert {subject: value.kind for subject, value in held.run.values.items()} == dict.fromkeys(
        values, OutcomeKind.MISSING
    )
    assert [cell.number for cell in held.run.cells] == [1, 2]
    nbformat.validate(nbformat.reads(held.run.executed, 4))
    assert held.run.executed.encode().decode() == held.run.executed
    assert "printed" in held.run.executed or looked_at != ("f",)


def test_a_notebook_that_is_too_much_ends_its_handler_with_a_code_of_its_own(sandbox: Sandbox) -> None:
    if not isinstance(sandbox, WarmSandbox):
        pytest.skip("there is no limit on memory here")
    data = b'{"cells": [], "metadata": {"a": [' + b"[]," * (16 << 20) + b"[]]}}"
    held = Conversation(sandbox, job(data))
    assert held.kinds == []
    assert held.code == TOO_MUCH


def test_a_notebook_too_long_to_be_kept_is_run_and_shown(sandbox: Sandbox) -> None:
    data = cells(markdown("words\n" * (MAX_EXECUTED // 6)))
    with played(lambda kernel: kernel.says(STARTING)) as kernel:
        held = Conversation(sandbox, job(data, run=True, subjects=("f",)), kernel)
    assert held.kinds == [Answer.READING, Answer.KILL, *RAN]
    assert held.run.executed == ""
    assert "words" in held.run.shown


def test_attachments_that_are_too_long_are_left_out_and_it_says_so() -> None:
    picture = {"a.png": {"image/png": "A" * (MAX_EXECUTED // 4)}}
    for times, kept in ((3, True), (4, False)):
        own = parse_notebook(cells(*[markdown("words", attachments=picture)] * times))
        executed = nbformat.reads(executed_notebook(own).decode(), 4)
        assert ["attachments" in cell for cell in executed.cells[:times]] == [kept] * times
        assert (LEFT_OUT in executed.cells[-1].source) is not kept


# --- what it may do


ENCLOSED = """
import encodings.idna, json, os, socket, subprocess, sys
from grader.inside import walls
paths, folder, port = json.loads(sys.argv[1])
parent = os.getppid()
plan = walls.Plan(walls.ISOLATED, walls.NONE, "", tuple(paths), "", 61_011, 61_011)
walls.enclose_handler(plan, 256)

def tried(attempt):
    try:
        return repr(attempt())[:100]
    except (OSError, MemoryError) as error:
        return "refused"

print(json.dumps({
    "read its modules": tried(lambda: open(walls.__file__).read(1)),
    "have some memory": tried(lambda: len(bytearray(64 << 20))),
    "read a file of everybody": tried(lambda: open(folder + "/secret.txt").read()),
    "list a directory": tried(lambda: os.listdir(folder)),
    "write a file": tried(lambda: open(folder + "/open/new.txt", "w")),
    "write to a file": tried(lambda: open(folder + "/open/old.txt", "a")),
    "remove a file": tried(lambda: os.remove(folder + "/open/old.txt")),
    "run a program": tried(lambda: subprocess.run(["/bin/sh", "-c", "true"])),
    "look at another process": tried(lambda: open(f"/proc/{parent}/environ").read()),
    "reach the network": tried(lambda: socket.create_connection(("127.0.0.1", port))),
    "have much memory": tried(lambda: len(bytearray(512 << 20))),
    "be root": tried(lambda: os.getuid() and os.setuid(0)),
}))
"""
MAY = {"read its modules", "have some memory"}


def test_a_handler_can_read_its_own_code_and_do_nothing_else() -> None:
    if not landlock.version():
        pytest.skip("without Landlock the walls around the parent of the handlers keep them from files")
    with tempfile.TemporaryDirectory() as made, socket.create_server(("127.0.0.1", 0)) as server:
        folder = Path(made)
        (folder / "secret.txt").write_text("secret")
        (folder / "open").mkdir()
        (folder / "open" / "old.txt").write_text("old")
        for path, mode in ((folder, 0o755), (folder / "open", 0o777), (folder / "open" / "old.txt", 0o666)):
            path.chmod(mode)
        paths = [*find_interpreter(sys.executable).places, str(ROOT / "grader")]
        known = json.dumps([paths, made, server.getsockname()[1]])
        done = subprocess.run(
            [sys.executable, "-c", ENCLOSED, known], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        obtained = {what for what, result in json.loads(done.stdout).items() if result != "refused"}
        assert obtained == MAY
        assert (folder / "open" / "old.txt").read_text() == "old"


def test_handlers_are_enclosed_and_hold_the_pipes_of_their_kernel_alone(sandbox: Sandbox) -> None:
    if not isinstance(sandbox, WarmSandbox):
        pytest.skip("there are no walls here")
    parent = psutil.Process(sandbox.warm("handler").process.pid)
    before = set(parent.children(recursive=True))
    kernel = PlayedKernel()
    ends = SimpleNamespace(
        stdin=os.fdopen(os.dup(kernel.requests), "wb"), stdout=os.fdopen(os.dup(kernel.messages), "rb")
    )
    process = sandbox.launch_handler(ends)  # type: ignore[arg-type]
    try:
        (handler,) = soon(lambda: set(parent.children(recursive=True)) - before)
        folder = Path(f"/proc/{handler.pid}")
        facts = soon(lambda: found if (found := status_of(folder))["Seccomp"] == "2" else None)
        assert "0" not in facts["Uid"].split()
        assert (facts["NoNewPrivs"], int(facts["CapEff"], 16)) == ("1", 0)
        limits = (folder / "limits").read_text().splitlines()
        limited = [line for line in limits if line.startswith(("Max address", "Max cpu"))]
        assert len(limited) == 2
        assert not [line for line in limited if "unlimited" in line]
        if os.getuid() == 0:  # the job and the answers, its kernel's two, and no errors
            wanted = ["/dev/null", *["pipe"] * 4]
            assert soon(lambda: (held := held_by(folder)) == wanted and held) == wanted
    finally:
        process.kill()
        kernel.close()


def soon(find: Callable[[], Any]) -> Any:
    """Return what is found, as soon as it is."""
    end = time.monotonic() + 30
    while not (found := find()) and time.monotonic() < end:
        time.sleep(0.001)
    return found


def status_of(folder: Path) -> dict[str, str]:
    pairs = (line.partition(":") for line in (folder / "status").read_text().splitlines())
    return {name: value.strip() for name, _, value in pairs}


def held_by(folder: Path) -> list[str]:
    """Return the kinds of the descriptors that a process holds."""
    kinds = []
    for path in (folder / "fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            kinds.append(str(path.readlink()).partition(":")[0])
    return sorted(kinds)


# --- code that is too long


def test_a_function_whose_code_is_too_long_is_missing_and_it_says_why() -> None:
    comment = "a" * MAX_CODE
    for source, status in (
        (f"# {comment}\ndef f(x):\n    return 1", FactsStatus.FOUND),
        (f"def f(x):\n    '{comment}'\n    return 1", FactsStatus.MISSING),
    ):
        ((_, content),) = answered(job(cells(code(source), code("def g(x):\n    return 2"))))
        reading = READING.validate_json(content)
        assert reading.facts["f"].status is status
        assert ("f" in reading.code) is (status is FactsStatus.FOUND)
        assert (f"more than {MAX_CODE} characters" in reading.facts["f"].remark) is ("f" not in reading.code)
        assert reading.facts["g"].status is FactsStatus.FOUND


def test_sources_that_are_too_long_to_be_run_again_are_not_told() -> None:
    """What a box takes is counted as it is sent: twelve bytes for some letters."""
    for letter, times, told in (("x", 3, True), ("x", 4, False), ("\U0001f600", 1, False)):
        ((_, content),) = answered(job(cells(code(f"# {letter * (times << 20)}"))))
        assert bool(READING.validate_json(content).sources) is told


def test_what_was_handed_out_is_read_before_the_handler_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails for it is our fault, as it would fail for every notebook."""
    answers: list[Answer] = []
    monkeypatch.setattr(program, "answer", lambda kind, content=b"": answers.append(kind))
    broken = b'{"cells": 5}'
    with pytest.raises(NotebookUnreadable):
        program.handle(job(cells(), skeleton=broken), NO_KERNEL)
    assert answers == []
    program.handle(job(broken), NO_KERNEL)
    assert answers == [Answer.BEGUN, Answer.UNREADABLE]
