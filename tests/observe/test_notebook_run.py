"""A notebook runs to its end where it can, within its limits, and says what each cell did."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

import nbformat
import psutil
import pytest
from support import ran

from grader.errors import GraderFault, SandboxError
from grader.observe import handle
from grader.observe.sandbox import Process, Program, Sandbox
from grader.observe.warm import WarmSandbox
from grader.records import NotebookLimits, NotebookRun, OutcomeKind
from grader.subjects import Subject

LIMITS = NotebookLimits(seconds=200, cell_seconds=60, memory_mb=1024, output_kb=64)
Run = Callable[..., NotebookRun]


@pytest.fixture(scope="module")
def run(sandbox: Sandbox) -> Run:
    def run_cells(*cells: str, limits: NotebookLimits = LIMITS) -> NotebookRun:
        return ran(notebook(*cells), {"data.txt": b"1 2 3"}, sandbox, limits)

    return run_cells


def notebook(*cells: str) -> Any:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])


CELLS = {
    "clean": "x = int(open('data.txt').read()[0])\nprint('x is', x)",
    "empty": "  \n",
    "error": "a = 1\nb = a / 0",
    "syntax error": "def f(:",
    "after the errors": "x + 1",
    "exit": "import sys\nsys.exit(1)",
    "await": "import asyncio\nawait asyncio.sleep(0)\n'done'",
    "much output": "for _ in range(20):\n    print('y' * 2 ** 20)",
    "many outputs": "for n in range(3000):\n    display(n)",
    "input": "input('Name?')",
    "half a surrogate": "print('\\ud800')",
    "warning": "import warnings\nwarnings.warn('careful')",
    "the last": "print('the end')",
}
STATUS = {
    "error": "ZeroDivisionError",
    "syntax error": "SyntaxError",
    "exit": "SystemExit",
    "input": "StdinNotImplementedError",
}


@pytest.fixture(scope="module")
def everything(run: Run) -> dict[str, tuple[Any, Any]]:
    """What each cell did, and the cell afterwards, of one notebook with everything in it."""
    done = run(*CELLS.values())
    assert done.remark == ""
    executed = nbformat.reads(done.executed, 4)
    nbformat.validate(executed)
    return {name: pair for name, *pair in zip(CELLS, done.cells, executed.cells, strict=True)}  # type: ignore[misc]


@pytest.mark.parametrize("name", CELLS)
def test_every_cell_is_tried_and_says_what_it_did(everything: dict[str, Any], name: str) -> None:
    cell = everything[name][0]
    assert cell.number == list(CELLS).index(name) + 1
    if name == "half a surrogate":  # a kernel may refuse to print it
        assert cell.status in ("ok", "error")
    else:
        assert (cell.fault.type if cell.fault else None) == STATUS.get(name)
        assert cell.status == ("error" if name in STATUS else "ok")


def test_an_error_is_known_by_its_message_cell_and_line(everything: dict[str, Any]) -> None:
    fault = everything["error"][0].fault
    assert (fault.message, fault.cell, fault.line) == ("division by zero", 3, 2)


def text(cell: Any) -> str:
    return "".join(str(output.get("text", output.get("data", ""))) for output in cell.outputs)


def test_data_files_are_in_the_working_directory_and_output_is_kept(everything: dict[str, Any]) -> None:
    assert text(everything["clean"][1]) == "x is 1\n"
    assert "2" in text(everything["after the errors"][1])
    assert "done" in text(everything["await"][1])
    assert text(everything["the last"][1]) == "the end\n"


@pytest.mark.parametrize("name", ["much output", "many outputs"])
def test_output_without_end_is_cut_off_and_says_so(everything: dict[str, Any], name: str) -> None:
    cell = everything[name][1]
    assert len(str(cell.outputs)) < 300_000
    assert len(cell.outputs) <= 503
    assert "[output cut off after 64 kB]" in text(cell)


def test_a_cell_without_end_is_interrupted_and_the_next_ones_run(run: Run) -> None:
    done = run("x = 1\nwhile True: pass", "x + 1", limits=NotebookLimits(seconds=200, cell_seconds=6))
    assert [cell.status for cell in done.cells] == ["timeout", "ok"]
    assert done.cells[0].fault is not None
    assert done.cells[0].fault.type == "KeyboardInterrupt"


DEAF = {
    "ignores the signal": "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
    "awaits again": "import asyncio\nwhile True:\n    try: await asyncio.sleep(100)\n    except BaseException: pass",
}


@pytest.mark.parametrize("name", DEAF)
def test_a_cell_that_does_not_stop_has_run_out_of_time(run: Run, name: str) -> None:
    done = run("x = 1", DEAF[name], "x", limits=NotebookLimits(seconds=200, cell_seconds=1))
    assert [cell.status for cell in done.cells] == ["ok", "timeout", "not_run"]
    assert done.remark == "Code cell 2 did not stop when its 1 s were over; the kernel was ended."


FAILS = {
    "displays too much": "print('x' * 1_000_000)\n1 / 0",
    "displays too often": "for n in range(2000): display(n)\n1 / 0",
    "says too much": "class TooLong(ZeroDivisionError): pass\nTooLong.__name__ = 'ZeroDivisionError'\nraise TooLong('division by zero' + 'x' * 1_000_000)",
}


@pytest.mark.parametrize("name", FAILS)
def test_a_cell_that_fails_has_failed_however_much_it_displayed(run: Run, name: str) -> None:
    done = run(FAILS[name], "2")
    assert [cell.status for cell in done.cells] == ["error", "ok"]
    fault = done.cells[0].fault
    assert fault is not None
    assert (fault.type, fault.message[:16], fault.cell) == ("ZeroDivisionError", "division by zero", 1)
    assert "[output cut off after 64 kB]" in done.executed
    assert len(done.executed) < 300_000


def test_of_many_errors_after_too_much_output_the_first_is_kept(run: Run) -> None:
    forges = "session, parent = get_ipython().kernel.session, get_ipython().kernel.get_parent()\n"
    forges += "for n in range(5000): session.send('iopub', 'error', {'ename': f'E{n}', 'evalue': 'x' * 300, 'traceback': []}, parent=parent)"
    done = run("print('x' * 1_000_000)\n" + forges)
    assert done.cells[0].fault is not None
    assert done.cells[0].fault.type == "E0"
    assert len(done.executed) < 200_000


WIDGET = """
from comm import create_comm
state = {"_model_module": "@jupyter-widgets/output", "_model_name": "OutputModel", "outputs": []}
widget = create_comm(target_name="jupyter.widget", data={"state": state})
widget.send({"method": "update", "state": {"msg_id": get_ipython().kernel.get_parent()["header"]["msg_id"]}})
print("inside", flush=True)
display("shown")
widget.send({"method": "update", "state": {"msg_id": ""}})
print("outside")
"""


def test_what_is_printed_into_a_widget_is_an_output_of_its_cell(run: Run) -> None:
    """A front end shows it in the widget; here there is none."""
    done = run(WIDGET, "2")
    assert [cell.status for cell in done.cells] == ["ok", "ok"]
    assert all(word in done.executed for word in ("inside", "shown", "outside"))


def test_a_notebook_over_its_time_stops_and_says_so(run: Run) -> None:
    done = run("import time\ntime.sleep(1.5)", "1", "", limits=NotebookLimits(seconds=1, cell_seconds=30))
    assert [cell.status for cell in done.cells] == ["ok", "not_run", "ok"]
    assert done.remark == "The notebook ran longer than 1 s; the rest was not run."
    assert not done.clean


@pytest.mark.parametrize("last", ["import os\nos._exit(0)", "import ctypes\nctypes.string_at(0)"])
def test_a_kernel_that_ends_takes_only_the_cells_behind_it(run: Run, last: str) -> None:
    done = run("print('before')", last, "print('after')")
    assert [cell.status for cell in done.cells] == ["ok", "error", "not_run"]
    assert done.remark == "The kernel ended in code cell 2; the cells after it were not run."
    assert "before" in done.executed


def test_two_runs_know_nothing_of_each_other(run: Run) -> None:
    run("open('left.txt', 'w').write('x')\nx = 1")
    second = run("import os\nprint(sorted(os.listdir()))", "x")
    assert "left.txt" not in second.executed
    assert second.cells[1].fault is not None
    assert second.cells[1].fault.type == "NameError"


def test_markdown_is_kept_and_not_counted(sandbox: Sandbox) -> None:
    cells = [nbformat.v4.new_markdown_cell("# Text"), nbformat.v4.new_code_cell("1 / 0")]
    done = ran(nbformat.v4.new_notebook(cells=cells), {}, sandbox, LIMITS)
    assert [(cell.number, cell.status) for cell in done.cells] == [(1, "error")]
    assert "# Text" in done.executed


def test_a_kernel_that_does_not_start_is_a_fault_of_ours(sandbox: Sandbox) -> None:
    class Broken:
        name = "broken"
        scratch = sandbox.scratch

        def launch(self, program: Program) -> Any:
            raise SandboxError("no box")

    with pytest.raises(GraderFault, match="no box"):
        ran(notebook("1"), {}, Broken(), LIMITS)


GARBAGE = """
import os, time
time.sleep(0.5)
for fd in range(3, 64):
    try:
        os.write(fd, b"garbage" * 20)
    except OSError:
        pass
time.sleep(1)
"""


def test_a_kernel_that_writes_nonsense_to_everything_it_has_ends_with_its_limits(run: Run) -> None:
    """What arrives is no message of a kernel, so the conversation ends."""
    done = run(GARBAGE, "print('after')", limits=NotebookLimits(seconds=20, cell_seconds=5))
    assert [cell.number for cell in done.cells] == [1, 2]
    assert done.cells[0].status != "ok" or done.cells[1].status == "ok"


class Stopping:
    """A sandbox whose handlers are stopped before they have their job, as a hostile notebook might do it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.name, self.python, self.scratch = sandbox.name, sandbox.python, sandbox.scratch

    def launch(self, program: Program) -> Process:
        return self.sandbox.launch(program)

    def launch_handler(self, kernel: Process | None) -> Process:
        walled = isinstance(self.sandbox, WarmSandbox)
        parent = psutil.Process(self.sandbox.warm("handler").process.pid if walled else None)
        before = set(parent.children(recursive=True))
        process = self.sandbox.launch_handler(kernel)
        while not (started := set(parent.children(recursive=True)) - before):
            time.sleep(0.001)
        for each in started:
            each.send_signal(signal.SIGSTOP)
        return process


def test_a_handler_that_does_not_end_is_ended_when_all_limits_are_over(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran(notebook("1"), {}, sandbox, LIMITS)  # so that all parents run
    before = set(psutil.Process().children(recursive=True))
    with monkeypatch.context() as patch:
        for name in ("READ_SECONDS", "KERNEL_SECONDS", "PATIENCE", "END_SECONDS"):
            patch.setattr(handle, name, 0.2)
        with pytest.raises(GraderFault, match="ended without an answer"):
            ran(notebook("1"), {}, Stopping(sandbox), NotebookLimits(seconds=1, cell_seconds=1))
    left = set(psutil.Process().children(recursive=True)) - before
    assert psutil.wait_procs(left, timeout=30)[1] == [], "it is left, or its kernel"
    assert "42" in ran(notebook("41 + 1"), {}, sandbox, LIMITS).executed, "the next one is handled"


FORGED = """
import json
get_ipython().kernel.session.pack = lambda message: json.dumps(message, default=str).encode()
print("<b>\\ud83d</b>")
raise ValueError("\\ud83d \x1b[2J")
"""


def test_what_a_kernel_sent_is_valid_text(run: Run) -> None:
    """A kernel's own encoder refuses half a surrogate; a student can put another in its place."""
    done = run(FORGED)
    assert done.executed.encode().decode() == done.executed
    assert "<b>\N{REPLACEMENT CHARACTER}</b>" in done.executed
    fault = done.cells[0].fault
    assert fault is not None
    assert fault.message == "\N{REPLACEMENT CHARACTER} \N{REPLACEMENT CHARACTER}[2J"


def test_an_updated_display_counts_as_what_is_displayed(run: Run) -> None:
    source = "h = display('small', display_id=True)\nfor _ in range(9):\n    h.update({'text/plain': 'x' * 2**20}, raw=True)"
    assert len(run(source, limits=NotebookLimits(output_kb=64)).executed) < 200_000


def test_a_traceback_may_say_any_number(run: Run) -> None:
    source = """
class E(Exception):
    def _render_traceback_(self):
        return ["-----> " + "1" * 5000 + " x"]
raise E("no")"""
    fault = run(source).cells[0].fault
    assert fault is not None
    assert (fault.message, fault.line) == ("no", None)


def test_all_cells_together_display_no_more_than_a_run_may(run: Run) -> None:
    """Each cell is below its own limit; the run goes on, and an error is told all the same."""
    prints = "print('\N{FULL BLOCK}' * 5000)"  # 15 kB
    cells = [*[prints] * 9, "1 / 0", *["display(1)"] * 5000][:600]
    done = run(*cells, limits=NotebookLimits(seconds=200, output_kb=64, run_output_kb=100))
    executed = nbformat.reads(done.executed, 4)
    shown = ["".join(output.get("text", "") for output in cell.outputs) for cell in executed.cells]
    whole = [text.count("\N{FULL BLOCK}") == 5000 for text in shown[:9]]
    assert whole == [True] * 6 + [False] * 3
    note = "[output cut off: all cells together have more than 100 kB]"
    assert [note in text for text in shown[:9]] == [not each for each in whole]
    assert [cell.status for cell in done.cells[:11]] == ["ok"] * 9 + ["error", "ok"]
    assert len(done.cells) == 600
    assert sum(len(cell.outputs[0].get("data", ())) for cell in executed.cells[10:]) < 60, "a few small ones"


def test_values_are_taken_whatever_was_displayed(sandbox: Sandbox) -> None:
    subjects = [Subject.named(name) for name in ("variable v", "file out.txt")]
    cells = ("v = 5", "open('out.txt', 'w').write('a')", *["print('x' * 60_000)"] * 3)
    limits = NotebookLimits(output_kb=64, run_output_kb=64)
    done = ran(notebook(*cells), {}, sandbox, limits, subjects)
    assert "all cells together" in done.executed
    assert [done.values[str(subject)].value for subject in subjects] == [5, "a"]


def test_the_values_of_a_run_have_a_limit_together(sandbox: Sandbox) -> None:
    """One is not lost because another does not fit beside it into the message that holds them all."""
    names = ("a", "b", "c", "d", "e")
    cells = (
        "import numpy as np\na = np.zeros(700_000)\nb = np.ones(600_000)",
        "c, d, e = 'text', np.zeros(2 << 20), 5",
    )
    subjects = [Subject.named(f"variable {name}") for name in names]
    done = ran(notebook(*cells), {}, sandbox, NotebookLimits(), subjects)
    values = [done.values[str(subject)] for subject in subjects]
    assert [value.kind for value in values] == [
        OutcomeKind.RETURNED,
        OutcomeKind.OUTPUT_TOO_LARGE,
        OutcomeKind.RETURNED,
        OutcomeKind.OUTPUT_TOO_LARGE,
        OutcomeKind.RETURNED,
    ]
    assert values[1].fault is not None
    assert "beside the values before it; all together may have 8 MB" in values[1].fault.message


FORGED_PARTS = """
kernel = get_ipython().kernel
def send(kind, **content):
    kernel.session.send(kernel.iopub_socket, kind, content, parent=kernel.get_parent())
send("execute_input", execution_count="x" * (9 << 20), code="")
send("status", execution_state="busy", execution_count="y" * (9 << 20))
send("comm_open", comm_id="z" * (9 << 20), data={"state": {}}, target_name="jupyter.widget")
send("comm_msg", comm_id="z" * (9 << 20), data={"state": {"a": "b"}})
send("stream", name="u" * 1000, text="")
"""


def test_what_counts_as_no_output_is_not_kept(run: Run) -> None:
    assert len(run(FORGED_PARTS).executed) < 20_000
