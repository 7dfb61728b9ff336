"""What the machine does to us is no fault of the student's, what the student's code did to it is; the batch goes on."""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nbformat
import psutil
import pytest
from support import RIGHT, notebook, ran, sliced, write_course

from grader.batch.pool import Graded, grade_all
from grader.errors import GraderFault, SandboxError
from grader.inside import parent as inside_parent
from grader.intake.submissions import Submission, find_submissions
from grader.notebook.cells import read_code
from grader.observe import handle, sandbox, warm_parent
from grader.observe.call_functions import CallSettings, make_calls, shared_imports
from grader.observe.sandbox import Program, prepared_directory
from grader.observe.tiers import start_best
from grader.observe.warm import WarmSandbox
from grader.plan.load import load_course
from grader.records import NotebookLimits, NotebookRun, Outcome, OutcomeKind, Score, Status
from grader.store import Store
from grader.subjects import Call

HERE = "print('here', flush=True); import time; time.sleep(60)"


@pytest.fixture(scope="module")
def box() -> Iterator[WarmSandbox]:
    """A walled sandbox of the best kind that this machine offers."""
    best = start_best(("numpy",))[0]
    if best is None:
        pytest.skip(
            "no box can be built here: no warm parent to have bad luck; the plain tier's tests remain"
        )
    with best:
        yield best


class Listener:
    def started(self, submission: Submission) -> None:
        pass

    def finished(self, graded: Graded) -> None:
        pass


def run(box: WarmSandbox, *cells: str) -> NotebookRun:
    source = nbformat.reads(notebook(*cells), as_version=4)
    return ran(source, {}, box, NotebookLimits(cell_seconds=20))


def call(box: WarmSandbox, source: str, preload: tuple[str, ...] = ("numpy",)) -> Outcome:
    code = read_code(nbformat.reads(notebook(source), as_version=4))
    slices = {"f": sliced(code, "f")}
    settings = CallSettings(preload, 20, 20)
    return make_calls(slices, [Call("one", "f", (2.0,))], box, settings, {})["one"]


def grade_two(root: Path, box: WarmSandbox) -> list[Score]:
    folder = write_course(root, anna=RIGHT, bert=RIGHT)
    course = load_course("tiny", root)
    with Store() as store:
        grade_all(find_submissions(folder), course, box, store, 1, Listener())
        return list(store.get_scores("tiny").values())


def parents(box: WarmSandbox, *which: str) -> list[psutil.Process]:
    """The process that forks, of every warm parent that lives, or of those named."""
    found = []
    for name, parent in list(box._parents.items()):
        outer = psutil.Process(parent.process.pid)
        if not which or name in which:
            found += outer.children()[:1] if box.outer != "none" else [outer]
    return found


def children(process: psutil.Process) -> list[psutil.Process]:
    """The children of a process; none if it has just ended, as a box of the test before may have."""
    try:
        return process.children()
    except psutil.Error:
        return []


def programs(box: WarmSandbox) -> list[psutil.Process]:
    """The processes of the boxes that run their code: the children of the waiters."""
    waiters = [waiter for parent in parents(box) for waiter in children(parent)]
    return [program for waiter in waiters for program in children(waiter)]


def kill_all(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def kill_parents(box: WarmSandbox) -> None:
    for parent in box._parents.values():
        parent.process.send_signal(signal.SIGKILL)


def descriptors() -> int:
    return psutil.Process().num_fds()


@pytest.fixture
def when_a_cell_runs(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Functions that are called, each once, while the notebook of a kernel runs."""
    to_do: list[object] = []
    real = WarmSandbox.launch_handler

    def launch(self: WarmSandbox, kernel: object) -> object:
        process = real(self, kernel)
        if to_do:
            threading.Timer(2.0, to_do.pop(0)).start()
        return process

    monkeypatch.setattr(WarmSandbox, "launch_handler", launch)
    return to_do


def test_the_death_of_the_warm_parent_in_a_cell_is_our_fault_and_the_next_notebook_runs(
    box: WarmSandbox, when_a_cell_runs: list
) -> None:
    when_a_cell_runs.append(lambda: kill_parents(box))
    with pytest.raises(GraderFault, match="warm parent of the sandbox died"):
        run(box, HERE)
    assert run(box, "1 + 1").clean


def test_a_batch_survives_the_death_of_the_warm_parent(
    box: WarmSandbox, when_a_cell_runs: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, launched = WarmSandbox.launch, []

    def launch(self: WarmSandbox, program: Program) -> object:
        process = real(self, program)
        if not launched.append(program) and len(launched) in (1, 4):  # a kernel, then a worker of calls
            kill_parents(self)
        return process

    monkeypatch.setattr(WarmSandbox, "launch", launch)
    scores = grade_two(tmp_path, box)
    assert [(s.status, s.points) for s in scores] == [(Status.GRADED, 3.0)] * 2
    assert len(launched) > 4


def test_a_replaced_parent_leaves_no_descriptor_thread_directory_or_process(box: WarmSandbox) -> None:
    def left() -> tuple[int, int, int, int]:
        call(box, "def f(x):\n    return x")
        run(box, "1")
        wait_for(lambda: not any(children(parent) for parent in parents(box)))
        return (
            descriptors(),
            threading.active_count(),
            len(list(box.scratch.rglob("*"))),
            len(psutil.Process().children(recursive=True)),
        )

    before = left()
    for _ in range(2):
        kill_parents(box)
        for parent in list(box._parents.values()):
            parent.process.wait()
        wait_for(lambda: not any(parent.alive for parent in box._parents.values()))
    assert left() == before


def wait_for(condition: object, seconds: float = 20) -> None:
    over = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < over
        threading.Event().wait(0.01)


def test_a_sandbox_that_does_not_start_says_why_and_holds_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text(
        f'#!/bin/sh\ncase "$*" in *find_spec*) exec "{sys.executable}" "$@";; esac\n'
        "echo the reason >&2\nexit 1\n"
    )
    broken.chmod(0o755)
    before = descriptors()
    with WarmSandbox(python=str(broken)) as box:
        with pytest.raises(SandboxError, match="the reason"):
            box.warm()
        assert [path.name for path in box.scratch.iterdir()] == ["alive"]
    assert descriptors() == before
    assert not box.scratch.exists()


def test_a_fork_that_fails_is_reported_as_our_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server = object.__new__(inside_parent._Server)
    server.control, server.children = theirs, {}

    def fork() -> int:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(inside_parent.os, "fork", fork)
    before = descriptors()
    with ours, theirs:
        server._start({"id": 7, "memory_mb": 1}, [])
        message = json.loads(ours.recv(4096))
        assert descriptors() == before
    assert message["id"] == 7
    assert "could not fork" in message["fault"]


def test_after_a_fork_that_failed_a_fresh_parent_is_asked_and_the_running_boxes_go_on(
    box: WarmSandbox, tmp_path: Path
) -> None:
    starved = tmp_path / "python"
    starved.write_text(f'#!/bin/sh\nulimit -n 24; exec "{sys.executable}" "$@"\n')
    starved.chmod(0o755)
    with (
        WarmSandbox(("numpy",), box.kind, str(starved)) as small,
        prepared_directory(small, {}) as folder,
    ):
        started = [small.launch(Program("calls", folder / "work", modules=())) for _ in range(24)]
        wait_for(lambda: any(process.fault for process in started))
        assert {process.fault[:30] for process in started if process.fault} == {
            "the warm parent could not fork"
        }
        assert started[0].poll() is None
        assert call(small, "def f(x):\n    return x").value == 2.0
        assert started[0].poll() is None
        for process in started:
            process.kill()


def test_walls_that_cannot_be_built_are_our_fault_whatever_the_exit_code(
    box: WarmSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WarmSandbox, "_hand_over", lambda *_: None)
    with prepared_directory(box, {}) as folder:
        process = box.launch(Program("no_such_module", folder / "work"))
        wait_for(lambda: process.poll() is not None)
        process.kill()
        assert process.fault == ""  # the box was there, its program was not: no complaint can be forged
        gone = box.launch(replace(Program("calls", folder / "work"), wires=folder / "absent"))
        wait_for(lambda: gone.poll() is not None)
        gone.kill()
    if box.kind == "isolated":
        assert gone.fault.startswith("the box was not built: ")


def test_a_full_disk_costs_one_try_and_not_the_batch(
    box: WarmSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tries = sandbox.tempfile.mkdtemp, itertools.count(1)

    def full_at_first(*arguments: object, **keywords: object) -> object:
        if next(tries) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*arguments, **keywords)

    monkeypatch.setattr(sandbox.tempfile, "mkdtemp", full_at_first)
    assert [score.status for score in grade_two(tmp_path, box)] == [Status.GRADED] * 2


def test_a_disk_that_stays_full_leaves_the_submissions_ungraded_and_takes_no_points(
    box: WarmSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> object:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sandbox.tempfile, "mkdtemp", full)
    scores = grade_two(tmp_path, box)
    assert [score.status for score in scores] == [Status.NOT_GRADED] * 2
    assert "No space left on device" in str(scores[0])


def test_a_clock_that_jumps_changes_nothing(box: WarmSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    real, sign = time.time, itertools.cycle((1e8, -1e8))
    monkeypatch.setattr(time, "time", lambda: real() + next(sign))
    done = run(box, "print('here')", "1 + 1")
    assert done.clean
    assert all(0 <= cell.seconds < 20 for cell in done.cells)
    assert call(box, "def f(x):\n    return x").value == 2.0


class Mute:
    """A sandbox whose first kernel never says a word: it waits for a job that does not come."""

    def __init__(self, box: WarmSandbox) -> None:
        self.box, self.name, self.scratch, self.launched = box, box.name, box.scratch, 0

    def launch(self, program: Program) -> object:
        self.launched += 1
        return self.box.launch(replace(program, module="calls") if self.launched == 1 else program)

    def launch_handler(self, kernel: object) -> object:
        return self.box.launch_handler(kernel)


def test_a_kernel_that_never_answers_is_our_fault_and_is_tried_again(
    box: WarmSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handle, "KERNEL_SECONDS", 1.0)
    mute = Mute(box)
    with pytest.raises(GraderFault, match="kernel did not start"):
        run(mute, "1")
    monkeypatch.undo()
    mute.launched = 0
    assert run(box, "1").clean


def test_a_parent_that_no_longer_answers_is_ended_and_replaced(
    box: WarmSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm_parent, "ANSWER_SECONDS", 0.3)
    box.warm()
    parents(box, "full")[0].suspend()
    with prepared_directory(box, {}) as folder:
        process = box.launch(Program("calls", folder / "work"))
        process.kill()
    assert process.fault == warm_parent.DEAD
    assert run(box, "1").clean


def test_a_kernel_that_the_system_killed_for_memory_is_out_of_memory(
    box: WarmSandbox, when_a_cell_runs: list
) -> None:
    when_a_cell_runs += [lambda: kill_all(programs(box))] * 2
    done = run(box, "x = 1", HERE, "x")
    assert [cell.status for cell in done.cells] == ["ok", "error", "not_run"]
    assert done.cells[1].fault is not None
    assert done.cells[1].fault.type == "MemoryError"
    assert "ran out of memory in code cell 2" in done.remark


def test_a_kernel_that_was_killed_once_runs_again(box: WarmSandbox, when_a_cell_runs: list) -> None:
    when_a_cell_runs.append(lambda: kill_all(programs(box)))
    done = run(box, "x = 1", "import time; time.sleep(5)", "x")
    assert done.clean
    assert when_a_cell_runs == []


def test_a_watching_process_that_was_killed_is_our_fault(box: WarmSandbox, when_a_cell_runs: list) -> None:
    def kill() -> None:
        for parent in parents(box):
            kill_all(children(parent))

    when_a_cell_runs.append(kill)
    with pytest.raises(GraderFault, match="ended from outside"):
        run(box, HERE)


@pytest.mark.parametrize("deep", [0, 1, 2], ids=["worker", "group", "call"])
def test_calls_that_the_system_killed_for_memory_are_out_of_memory(box: WarmSandbox, deep: int) -> None:
    def kill() -> None:
        wait_for(lambda: len(chain_of(box)) == 3)
        chain_of(box)[deep].kill()

    killer = threading.Thread(target=kill)
    killer.start()
    outcome = call(box, "import time\ndef f(x):\n    time.sleep(15)")
    killer.join()
    assert outcome.kind is OutcomeKind.OUT_OF_MEMORY


def chain_of(box: WarmSandbox) -> list[psutil.Process]:
    """The worker, its group, its call, as far as they have been forked."""
    try:
        return [each for program in programs(box) for each in (program, *program.children(recursive=True))]
    except psutil.Error:
        return []


def test_calls_that_need_numpy_alone_are_forked_from_the_lean_parent(box: WarmSandbox) -> None:
    def modules(source: str) -> tuple[str, ...]:
        code = read_code(nbformat.reads(notebook(source), as_version=4))
        return sliced(code, "f").modules

    assert modules("import numpy as np, os\ndef f(x):\n    return np.sqrt(x)") == ("numpy",)
    assert modules("def f(x):\n    from sklearn.svm import SVC\n    return SVC") == (
        "sklearn.svm",
        "sklearn.svm.SVC",
    )
    known = "import sys\ndef f(x):\n    return 'IPython' in sys.modules"
    assert call(box, known).value is False
    assert call(box, known.replace("import sys", "import sys, IPython") + " and bool(IPython)").value is True


def test_modules_of_the_packages_that_a_course_preloads_are_imported_once_for_all_functions(
    box: WarmSandbox,
) -> None:
    preload = ("numpy", "scipy.sparse", "sklearn.svm")
    used = ("numpy", "scipy.fft.dct", "tqdm.auto")
    assert shared_imports(preload, used) == ("numpy", "scipy.sparse", "scipy.fft.dct")
    watching = (
        "import sys\nbefore = set(sys.modules)\n"
        "import scipy.stats.qmc\ndef f(x):\n    return 'scipy.stats.qmc' in before and bool(scipy)"
    )
    assert call(box, watching, ("scipy",)).value is True
    assert call(box, watching, ("numpy",)).value is False
