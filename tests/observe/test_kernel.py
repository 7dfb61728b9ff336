"""The kernel over a pipe: what cells print and display, interrupts, forks, threads; and it outlives its cells."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import pytest
from support_kernel import KernelEndedError, OwnKernel, request

from grader.inside.limits import MESSAGE_MB
from grader.observe.sandbox import PlainSandbox, Sandbox

MOST = 5000  # characters that a cell may print


@pytest.fixture(scope="module")
def kernel(sandbox: Sandbox) -> Iterator[OwnKernel]:
    """A kernel whose cells do it no harm."""
    with OwnKernel(sandbox) as own:
        yield own


@pytest.fixture
def own(sandbox: Sandbox) -> Iterator[OwnKernel]:
    """A kernel for one test."""
    with OwnKernel(sandbox, most=MOST) as kernel:
        yield kernel


CELLS = {  # source: what is printed to stdout and to stderr, displayed, raised
    "print('a'); print('b')": ("a\nb\n", "", [], []),
    "import sys; print('a'); print('b', file=sys.stderr)": ("a\n", "b\n", [], []),
    "1 + 1": ("", "", ["2"], []),
    "1 + 1;": ("", "", [], []),
    "display(3); display(4)\n5": ("", "", ["3", "4", "5"], []),
    "1 / 0": ("", "", [], [("ZeroDivisionError", "division by zero")]),
    "print('a')\nnowhere": ("a\n", "", [], [("NameError", "name 'nowhere' is not defined")]),
    "def f(:": ("", "", [], [("SyntaxError", "invalid syntax (<cell>, line 1)")]),
    "import asyncio\nawait asyncio.sleep(0)\nprint('a')\n'b'": ("a\n", "", ["'b'"], []),
    "import asyncio\nawait asyncio.sleep(0)\n1 / 0": (
        "",
        "",
        [],
        [("ZeroDivisionError", "division by zero")],
    ),
    "!echo b >&2; echo a; exit 3": ("b\na\n", "", [], []),
    "!exit 3\nprint(_exit_code)": ("3\n", "", [], []),
    "n = 3\n!echo {n} $n": ("3 3\n", "", [], []),
    "x = !echo a\nx": ("", "", ["['a']"], []),
    "!cat": ("", "", [], []),
    "import os\nos.system('echo a; echo b >&2');": ("a\nb\n", "", [], []),
    "import subprocess\nsubprocess.run(['echo', 'a'], check=True);": ("a\n", "", [], []),
    "import subprocess, sys\nsubprocess.run(['echo', 'a'], stdout=sys.stdout, stderr=sys.stderr);": (
        "a\n",
        "",
        [],
        [],
    ),
    "import subprocess\nsubprocess.run(['cat']);": ("", "", [], []),
    "sys.stdout.isatty(), sys.stdout.writable(), sys.stdout.encoding": (
        "",
        "",
        ["(False, True, 'utf-8')"],
        [],
    ),
    "sys.stdout.write(5)": ("", "", [], [("TypeError", "write() argument must be str, not int")]),
    "sys.stdout.write('abc')": ("abc", "", ["3"], []),
    "import os\nos.write(1, b'a')\nos.write(2, b'b');": ("ab", "", [], []),
    "import os\nos.write(1, b'\\xff');": ("\N{REPLACEMENT CHARACTER}", "", [], []),
    "print(open('data.txt').read())": ("1 2 3\n", "", [], []),
    "print('\\ud800')": ("\ud800\n", "", [], []),
    "print(5, end='', flush=True)\ndisplay(6)\nprint(7)": ("57\n", "", ["6"], []),
    "%time x = 1": (None, "", [], []),
    "%gui qt": ("", "", [], []),
    "%%writefile a.txt\nabc": ("Writing a.txt\n", "", [], []),
    "%%capture\nprint('a')": ("", "", [], []),
}


@pytest.mark.parametrize("source", CELLS)
def test_a_cell_says_what_it_would_say_in_jupyter(kernel: OwnKernel, source: str) -> None:
    printed, told, shown, raised = CELLS[source]
    said = kernel.run(source)
    assert printed is None or said.text() == printed
    assert said.text("stderr") == told
    assert said.shown == shown
    assert [(name, re.sub(r"\(\d+\.py, ", "(<cell>, ", text)) for name, text in said.errors] == raised
    assert said.status == ["error" if raised else "ok"]
    assert said.kinds[:2] == ["status", "execute_input"]
    assert said.kinds[-1] == "status"


def test_what_is_displayed_stands_where_it_was_displayed(kernel: OwnKernel) -> None:
    said = kernel.run("print('before')\ndisplay('between')\nprint('after')")
    order = [kind for kind in said.kinds if kind in ("stream", "display_data")]
    assert order == ["stream", "display_data", "stream"]


def test_input_is_refused_and_nobody_waits_for_it(kernel: OwnKernel) -> None:
    for source in ("input('Name?')", "import getpass\ngetpass.getpass()"):
        assert [name for name, _ in kernel.run(source).errors] == ["StdinNotImplementedError"]
    assert kernel.run("import sys\nprint(repr(sys.stdin.read()))").text() == "''\n"


def test_an_unknown_request_is_no_end(kernel: OwnKernel) -> None:
    asked = request("1")
    asked["header"]["msg_type"] = "unheard_of"
    assert kernel.ended(kernel.send(asked)).kinds == ["status", "status"]
    assert kernel.run("2").shown == ["2"]


SOCKETS = """
import os, socket, stat
def name(fd):
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode) and socket.socket(fileno=os.dup(fd)).getsockname()
    except OSError:
        return ""
[name(fd) for fd in range(64) if name(fd)]"""


def test_the_kernel_has_one_thread_and_no_socket_that_others_could_reach(own: OwnKernel) -> None:
    assert own.run("import threading\nthreading.active_count()").shown == ["1"]
    assert own.run(SOCKETS).shown == ["[]"]
    assert own.run("hasattr(get_ipython().kernel, 'debugger')").shown == ["False"], "nobody debugs here"


# --- interrupts


def test_a_busy_cell_is_interrupted_and_keeps_what_it_did(own: OwnKernel) -> None:
    asked = own.ask("x = 1\nprint('runs', flush=True)\nwhile True: x += 1")
    own.printed()
    own.interrupt()
    said = own.ended(asked)
    assert [name for name, _ in said.errors] == ["KeyboardInterrupt"]
    assert said.status == ["error"]
    assert own.run("x > 0").shown == ["True"]


def test_a_cell_that_awaits_is_interrupted(own: OwnKernel) -> None:
    asked = own.ask("import asyncio\nprint('runs', flush=True)\nawait asyncio.sleep(10_000)")
    own.printed()
    own.interrupt()
    said = own.ended(asked)
    assert [name for name, _ in said.errors] == ["CancelledError"]
    assert said.status == ["error"]
    assert own.run("await asyncio.sleep(0)\n5").shown == ["5"]


SLEEPS = "import os\n!echo $$ > first; yes | head -c 100000; sleep 10000 & echo $! > second; wait"
GONE = """
def runs(name):
    pid = int(open(name).read())
    try:
        os.kill(pid, 0)
        return " Z " not in open(f"/proc/{pid}/stat").read()  # nobody collects what it leaves
    except (ProcessLookupError, FileNotFoundError):
        return False
while runs("first") or runs("second"):
    pass
"""


def test_a_shell_command_is_interrupted_and_ends_with_what_it_started(sandbox: Sandbox) -> None:
    with OwnKernel(sandbox) as own:
        asked = own.ask(SLEEPS)
        own.printed()
        own.interrupt()
        assert [name for name, _ in own.ended(asked).errors] == ["KeyboardInterrupt"]
        assert own.run(GONE).status == ["ok"]


def test_an_interrupt_in_the_middle_of_a_message_costs_that_message(own: OwnKernel) -> None:
    asked = own.ask("while True: display({'text/plain': 'd' * 3_000_000}, raw=True)")
    own.until(lambda message: message["header"]["msg_type"] == "execute_input")
    own.wait_until_it_cannot_write()
    own.interrupt()
    said = own.ended(asked)
    assert said.errors == [("KeyboardInterrupt", "")]
    assert {len(text) for text in said.shown} <= {3_000_000}
    assert own.run("1").shown == ["1"]


AFTER_ITS_END = """
import os, signal, sys
class Interrupts:
    def __init__(self, given):
        self.given = given
    def write(self, text):
        return self.given.write(text)
    def flush(self):
        sys.stdout = self.given
        os.kill(os.getpid(), signal.SIGINT)
sys.stdout = Interrupts(sys.stdout)
print("done")
"""


def test_an_interrupt_that_comes_when_the_cell_has_ended_is_no_end(own: OwnKernel) -> None:
    """The kernel flushes what is printed after the cell: there the interrupt comes."""
    said = own.run(AFTER_ITS_END)
    assert said.text() == "done\n"
    assert len(said.status) == 1, "there is an answer all the same"
    assert own.run("'lives'").shown == ["'lives'"]


def test_an_interrupt_while_nothing_runs_does_nothing() -> None:
    """Without walls a signal is sent at once; nothing can be in between."""
    with OwnKernel(PlainSandbox()) as own:
        own.run("x = 1")
        for _ in range(3):
            own.interrupt()
        assert own.run("x").shown == ["1"]


# --- processes and threads of the notebook


def test_a_forked_child_prints_too(own: OwnKernel) -> None:
    source = """
import os
print("before")
if os.fork() == 0:
    print("child" * 900)
    display("shown")
    os._exit(0)
os.wait()
print("parent")"""
    said = own.run(source)
    assert sorted(said.text().split()) == ["before", "child" * 900, "parent"], "each text once"
    assert said.shown == ["'shown'"]
    assert said.status == ["ok"]


def test_a_forked_child_that_goes_on_is_no_second_kernel(own: OwnKernel) -> None:
    first = own.run(
        "import os\nkernel = os.getpid()\nchild = os.fork()\nprint('child' if child == 0 else 'parent')"
    )
    assert first.status == ["ok"], "one of the two answers"
    for number in range(12):
        said = own.run("(os.getpid() == kernel, child > 0)")
        assert said.shown == ["(True, True)"], f"cell {number} ran in the child"


def test_a_forked_child_that_fails_is_no_second_kernel(own: OwnKernel) -> None:
    first = own.run("import os\nchild = os.fork()\nif child == 0: 1 / 0\nos.waitpid(child, 0);")
    assert first.status == ["ok"]
    assert own.run("child > 0").shown == ["True"]


THREADS = """
import sys, threading
def prints(name, file):
    for n in range(15):
        print(name * 10_000, n, file=file)
workers = [threading.Thread(target=prints, args=(name, file)) for name in "ab" for file in (sys.stdout, sys.stderr)]
for worker in workers: worker.start()
for _ in range(30): display({"text/plain": "d" * 50_000}, raw=True)
for worker in workers: worker.join()
"""


def test_threads_print_while_others_print_and_display(kernel: OwnKernel) -> None:
    said = kernel.run(THREADS)
    assert said.status == ["ok"]
    assert said.shown == ["d" * 50_000] * 30
    for stream in ("stdout", "stderr"):
        text = said.text(stream)
        assert (text.count("a"), text.count("b")) == (150_000, 150_000)


def test_a_thread_that_prints_on_prints_into_the_cell_that_runs(own: OwnKernel) -> None:
    own.run(
        "import threading\nok = threading.Event()\nthread = threading.Thread(target=lambda: (ok.wait(), print('late')))\nthread.start()"
    )
    assert own.run("ok.set()\nthread.join()").text() == "late\n"


# --- how much


def test_a_cell_prints_so_much_and_the_next_one_again(own: OwnKernel) -> None:
    for source in (
        "print('x' * 100_000)",
        "for _ in range(100): print('x' * 999, flush=True)",
        "!yes x | head -c 90000",
        "import os\nos.system('yes x | head -c 90000');",
    ):
        said = own.run(source)
        assert len(said.text()) == MOST + 1, "one character more says that there was more"
        assert all(each["text"] for each in said.contents("stream")), "and then there is nothing"
        assert own.run("print('y')").text() == "y\n"


def test_a_message_that_is_too_long_is_left_out(kernel: OwnKernel) -> None:
    said = kernel.run(
        f"display('a')\ndisplay({{'text/plain': 'x' * ({MESSAGE_MB} << 20)}}, raw=True)\ndisplay('b')"
    )
    assert said.shown == ["'a'", "'b'"]
    assert said.status == ["ok"]


def test_memory_is_limited_and_a_cell_that_wants_more_fails(sandbox: Sandbox) -> None:
    with OwnKernel(sandbox, memory_mb=256) as own:
        assert [name for name, _ in own.run("x = bytearray(700 << 20)").errors] == ["MemoryError"]
        assert own.run("x = bytearray(100 << 20)\nlen(x) >> 20").shown == ["100"]


def test_a_file_is_limited() -> None:
    with OwnKernel(PlainSandbox()) as own:
        said = own.run(
            "import errno\ntry: open('large', 'wb').truncate(1 << 40)\nexcept OSError as error: print(error.errno == errno.EFBIG)"
        )
        assert said.text() == "True\n"


# --- what a notebook does to the standard output


SPOILS = {
    "closes it": "sys.stdout.close()",
    "puts another in its place": "sys.stdout = io.StringIO()",
    "puts a closed one in its place": "sys.stdout = io.StringIO()\nsys.stdout.close()",
    "puts a closed file in its place": "sys.stdout = file = open('log.txt', 'w')\nprint('x')\nfile.close()",
    "puts nothing in its place": "sys.stdout = None",
    "removes it": "del sys.stdout",
    "puts something else in its place": "sys.stdout = 5",
    "removes the other": "del sys.stderr",
    "closes the descriptors": "os.close(1)\nos.close(2)",
    "closes the one that it takes for the terminal": "os.close(sys.stdout.fileno())",
    "puts other descriptors in its place": "os.dup2(os.open('x', os.O_CREAT | os.O_WRONLY), 1)",
    "closes every standard file": "os.closerange(0, 3)",
    "closes every file but the pipes": "import stat\nfor fd in range(64):\n    try:\n        if not stat.S_ISFIFO(os.fstat(fd).st_mode) and not stat.S_ISSOCK(os.fstat(fd).st_mode): os.close(fd)\n    except OSError: pass",
    "fails in flush": "class Bad:\n    def write(self, text): return len(text)\n    def flush(self): raise OSError('no')\nsys.stdout = Bad()",
    "fails in write": "class Bad:\n    def write(self, text): raise OSError('no')\n    def flush(self): pass\nsys.stdout = Bad()",
}


NO_CELL_RUNS = {  # IPython needs them, in Jupyter too
    "puts nothing in its place",
    "removes it",
    "puts something else in its place",
    "removes the other",
    "closes every file but the pipes",
}


@pytest.mark.parametrize("name", SPOILS)
def test_a_notebook_that_spoils_the_standard_output_has_an_answer_for_every_cell(
    own: OwnKernel, name: str
) -> None:
    said = own.run(f"import io, os, sys\nprint('before')\n{SPOILS[name]}")
    assert "before" in said.text(), "what was printed before is there"
    assert len(said.status) == 1
    said = own.run("sys.stdout, sys.stderr = get_ipython().kernel.outputs")
    assert said.status == ["error" if name in NO_CELL_RUNS else "ok"]
    assert bool(said.errors) is (name in NO_CELL_RUNS), "a cell that is not run says so"
    said = own.run("print('after')")
    assert said.text() == ("" if name in NO_CELL_RUNS else "after\n")
    assert len(said.status) == 1


def test_programs_print_into_their_cell_where_python_prints_elsewhere(own: OwnKernel) -> None:
    own.run("import io, os, sys\nsys.stdout = io.StringIO()")
    for _ in range(2):
        assert own.run("os.system('echo a');").text() == "a\n"


def test_output_that_is_put_elsewhere_for_a_while_is_there_again(own: OwnKernel) -> None:
    own.run("import contextlib, io, sys\nsaved, sys.stdout = sys.stdout, io.StringIO()\nprint('hidden')")
    assert (
        own.run("kept, sys.stdout = sys.stdout.getvalue(), saved\nprint(kept, end='')").text() == "hidden\n"
    )
    source = "with contextlib.redirect_stdout(io.StringIO()) as into: print('inside')\nprint('outside')"
    assert own.run(source).text() == "outside\n"


# --- the end


LEAVES = {
    "import sys\nsys.exit(3)": "error",
    "raise SystemExit": "error",
    "exit()": "ok",
    "quit()": "ok",
    "import asyncio\nasyncio.current_task().cancel()": "ok",
}


@pytest.mark.parametrize("source", LEAVES)
def test_a_cell_that_leaves_python_leaves_only_its_cell(own: OwnKernel, source: str) -> None:
    said = own.run(f"x = 1\n{source}")
    assert said.status == [LEAVES[source]]
    assert bool(said.errors) is (LEAVES[source] == "error")
    assert own.run("x").shown == ["1"]


@pytest.mark.parametrize("source", ["import os\nos._exit(3)", "import ctypes\nctypes.string_at(0)"])
def test_a_kernel_that_ends_is_the_end_of_its_pipe(own: OwnKernel, source: str) -> None:
    asked = own.ask(source)
    with pytest.raises(KernelEndedError):
        own.ended(asked)


def test_a_process_that_is_left_and_holds_the_pipe_ends_with_the_kernel(sandbox: Sandbox) -> None:
    if sandbox.name == "plain":
        pytest.skip("without walls nothing ends a process that has left the session")
    with OwnKernel(sandbox) as own:
        asked = own.ask(
            "import os, time\nif os.fork() == 0:\n    os.setsid()\n    print('left', flush=True)\n    time.sleep(10_000)\nos._exit(0)"
        )
        with pytest.raises(KernelEndedError):
            own.ended(asked)


def test_a_process_that_is_left_keeps_its_kernel_from_nothing(own: OwnKernel) -> None:
    own.run("import os, time\nif os.fork() == 0:\n    os.setsid()\n    while True: print('left', flush=True)")
    assert own.run("'next'").shown == ["'next'"]


def test_the_kernel_ends_when_its_requests_end(own: OwnKernel) -> None:
    own.requests.close()
    with pytest.raises(KernelEndedError):
        own.until(lambda _: False)


def test_nothing_is_said_to_a_handler_that_has_gone() -> None:
    """A kernel whose messages nobody reads ends with its requests, not before, and without noise."""
    with OwnKernel(PlainSandbox()) as own:
        assert own.process.stdout is not None
        own.process.stdout.close()
        with contextlib.suppress(OSError):
            own.ask("print('x' * 100_000)")
        own.requests.close()
        started = own.process.started  # type: ignore[attr-defined]
        assert started.wait(60) == 0
