"""The walled sandbox beside a plain nbclient kernel: start, calls, memory, throughput, endurance.

    python benchmarks/box.py [--quick] [--only start,outer,calls] [--notebooks 1000]

outer       start behind our own outer wall and bubblewrap's, with and without a control group
start       from nothing to a kernel in which `import numpy, scipy, sklearn, matplotlib` has run
calls       one isolated call of a function that does nothing
memory      what one more concurrent kernel adds (proportional set size), after the same imports
throughput  light notebooks, as many at a time as there are cores: the student's share of all processor time
endurance   what is left after many notebooks: processes, descriptors, directories, mounts, cgroups, memory

Ours and the plain kernel take turns, so that other work on the machine meets both. Wall time is given with
processor time (of this process and of all that it started) beside it: the latter is fair on a busy machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient
from threadpoolctl import threadpool_limits

from grader.errors import SandboxError
from grader.inside.walls import BUBBLEWRAP, OWN
from grader.notebook.cells import read_code
from grader.notebook.slicing import function_code, slice_function
from grader.observe.call_functions import CallSettings, make_calls
from grader.observe.handle import run_notebook
from grader.observe.sandbox import Sandbox
from grader.observe.tiers import choose_sandbox
from grader.observe.warm import WarmSandbox
from grader.records import NotebookLimits
from grader.subjects import Call, CallLimits

IMPORTS = "import numpy, scipy, sklearn, matplotlib"
PRELOAD = ("numpy", "scipy", "sklearn", "matplotlib")
CORES = os.cpu_count() or 1
LIGHT = """
import numpy as np
rng = np.random.default_rng({number})
for _ in range({rounds}):
    A = rng.standard_normal((60, 60))
    np.linalg.svd(A @ A.T)
"""
LIGHT_CELLS = 10
LIGHT_SECONDS = 1.0  # of processor time for the whole light notebook


@dataclass(frozen=True)
class Row:
    """One line of the table: what, ours, plain (if there is one), and how they compare with the goal."""

    what: str
    ours: str
    plain: str = ""
    result: str = ""
    goal: str = ""


def notebook(*cells: str) -> nbformat.NotebookNode:
    """Return a notebook with these code cells."""
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])


def saved(*cells: str) -> bytes:
    """Return the bytes of a notebook with these code cells."""
    return str(nbformat.writes(notebook(*cells))).encode()


def processor_seconds() -> float:
    """Return the processor time of this process and of everything that it has started, so far."""
    total = 0.0
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        with suppress(psutil.Error):
            total += sum(process.cpu_times()[:4])
    return total


@contextmanager
def clocked(into: list[tuple[float, float]]) -> Iterator[None]:
    """Append the wall and the processor seconds of what is done inside."""
    wall, cpu = time.perf_counter(), processor_seconds()
    yield
    into.append((time.perf_counter() - wall, processor_seconds() - cpu))


def medians(times: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the median wall and the median processor time."""
    return statistics.median(wall for wall, _ in times), statistics.median(cpu for _, cpu in times)


def start(sandbox: Sandbox, quick: bool) -> list[Row]:
    """Measure the start of a kernel that has run the imports; the end of the kernel is a row of its own."""
    ours: list[tuple[float, float]] = []
    plain: list[tuple[float, float]] = []
    ready_ours, ready_plain = [], []
    for _ in range(3 if quick else 9):
        with clocked(plain):
            ready_plain.append(plain_kernel())
        with clocked(ours):
            run = run_notebook(saved(IMPORTS), {}, sandbox, NotebookLimits())
            ready_ours.append(run.seconds["kernel"] + run.cells[0].seconds)
    a, b = statistics.median(ready_ours), statistics.median(ready_plain)
    rows = [Row("start of a kernel, imports done", f"{a:.3f} s", f"{b:.3f} s", f"{b / a:.1f} x", "≥ 10 x")]
    for what, mine, theirs in zip(("wall", "processor"), medians(ours), medians(plain), strict=True):
        ratio = f"{theirs / mine:.1f} x"
        rows.append(Row(f"start, imports and end, {what} time", f"{mine:.3f} s", f"{theirs:.3f} s", ratio))
    return rows


def outer(sandbox: Sandbox, quick: bool) -> list[Row]:
    """Measure the start of a kernel behind either outer wall, with and without a control group, in turns."""
    times: dict[str, list[float]] = {}
    with ExitStack() as stack:
        boxes = [stack.enter_context(WarmSandbox(PRELOAD, outer=wall)) for wall in (OWN, BUBBLEWRAP)]
        homes = [(box, box.groups.homes) for box in boxes if starts(box)]
        for _ in range(4 if quick else 20):
            for box, found in homes:
                for grouped in {bool(found), False}:
                    box.groups.homes = found if grouped else ()
                    run = run_notebook(saved(IMPORTS), {}, box, NotebookLimits())
                    what = f"outer wall: {box.outer}, {'a' if grouped else 'no'} control group"
                    times.setdefault(what, []).append(run.seconds["kernel"] + run.cells[0].seconds)
                box.groups.homes = found
    return [
        Row(f"start of a kernel, {what}", f"{statistics.median(all_[1:]):.3f} s")
        for what, all_ in times.items()
    ]


def starts(box: WarmSandbox) -> bool:
    """Whether a warm parent starts behind this wall here."""
    with suppress(SandboxError):
        return bool(box.warm())
    return False


def plain_kernel() -> float:
    """Start a plain kernel, run the imports, end it; return the seconds until the imports were done."""
    client = NotebookClient(notebook(IMPORTS), kernel_name="python3")
    started = time.perf_counter()
    with client.setup_kernel(stderr=subprocess.DEVNULL):
        client.execute_cell(client.nb.cells[0], 0)
        return time.perf_counter() - started


def calls(sandbox: Sandbox, quick: bool) -> list[Row]:
    """Measure calls of a function that does nothing: what each further call adds."""
    return [
        call_row(sandbox, quick, "numpy and scipy alone", "import numpy"),
        call_row(sandbox, quick, "the whole stack", IMPORTS),
    ]


def call_row(sandbox: Sandbox, quick: bool, what: str, imports: str) -> Row:
    """Measure calls of a function whose statements have these imports."""
    few, many = (5, 55) if quick else (10, 210)
    times: dict[int, list[tuple[float, float]]] = {few: [], many: []}
    call(sandbox, few, imports)
    for _ in range(3):
        for number in (few, many):
            with clocked(times[number]):
                call(sandbox, number, imports)
    wall, cpu = (1000 * (medians(times[many])[i] - medians(times[few])[i]) / (many - few) for i in range(2))
    return Row(f"one isolated call, {what}", f"{wall:.1f} ms", "", f"{cpu:.1f} ms of processor", "< 10 ms")


def call(sandbox: Sandbox, number: int, imports: str = "import numpy") -> None:
    """Make calls of a function that returns its argument."""
    names = "numpy, scipy, sklearn, matplotlib" if imports == IMPORTS else "numpy"
    code = read_code(notebook(f"{imports}\n\ndef same(x):\n    {names}\n    return x"))
    same = slice_function(code, "same")
    assert same is not None
    slices = {"same": function_code(same)}
    planned = [Call(f"c{i}", "same", (1.0,), limits=CallLimits()) for i in range(number)]
    settings = CallSettings(PRELOAD, 600, 600)
    outcomes = make_calls(slices, planned, sandbox, settings, {})
    assert {outcome.kind.value for outcome in outcomes.values()} == {"returned"}


def memory(sandbox: Sandbox, quick: bool) -> list[Row]:
    """Measure the memory of one kernel, of several at a time, and of a plain one."""
    several = 2 if quick else 4
    before = held()
    one = most(lambda: waiting(sandbox, 1)) - before
    all_of_them = most(lambda: waiting(sandbox, several)) - before
    plain = most(plain_waiting) - before
    further = (all_of_them - one) / (several - 1)
    ratio = f"{plain / further:.1f} x"
    return [Row("memory of a further kernel", f"{further:.0f} MB", f"{plain:.0f} MB", ratio, "< 60 MB")]


def waiting(sandbox: Sandbox, number: int) -> None:
    """Run notebooks side by side that import and then wait."""
    with ThreadPoolExecutor(number) as pool:
        source = saved(IMPORTS, "import time; time.sleep(3)")
        runs = [pool.submit(run_notebook, source, {}, sandbox, NotebookLimits()) for _ in range(number)]
        assert all(cell.status == "ok" for run in runs for cell in run.result().cells)


def plain_waiting() -> None:
    """Run the same in a plain kernel."""
    client = NotebookClient(notebook(IMPORTS, "import time; time.sleep(3)"), kernel_name="python3")
    client.execute(stderr=subprocess.DEVNULL)


def most(work: Callable[[], object]) -> float:
    """Return the largest number of megabytes that was held while work was done."""
    worker = threading.Thread(target=work)
    worker.start()
    peak = 0.0
    while worker.is_alive():
        peak = max(peak, held())
        worker.join(0.1)
    return peak


def held() -> float:
    """Return the proportional set size, in megabytes, of all that this process has started."""
    return sum(map(pss, psutil.Process().children(recursive=True)))


def pss(process: psutil.Process) -> float:
    """Return the proportional set size of a process in megabytes, 0 if it has ended."""
    with suppress(psutil.Error):
        return float(process.memory_full_info().pss) / 2**20
    return 0.0


def throughput(sandbox: Sandbox, quick: bool) -> list[Row]:
    """Measure which share of all processor time the student's own code gets, at one job a core."""
    cells, own = light_notebook()
    number = 2 * CORES if quick else 10 * CORES
    times: list[tuple[float, float]] = []
    with clocked(times), ThreadPoolExecutor(CORES) as pool:
        for run in pool.map(
            lambda _: run_notebook(saved(*cells), {}, sandbox, NotebookLimits()), range(number)
        ):
            assert all(cell.status == "ok" for cell in run.cells)
    wall, cpu = times[0]
    what = f"{number} notebooks of {own:.1f} s, {CORES} at a time"
    share = f"{own * number / cpu:.0%} of all processor time"
    return [Row(what, f"{wall / number:.2f} s each", result=share, goal="≥ 50 %")]


def light_notebook() -> tuple[list[str], float]:
    """Return the cells of a light notebook, and the processor seconds that they take by themselves."""
    rounds = 50
    while (spent := alone(LIGHT.format(number=0, rounds=rounds))) < LIGHT_SECONDS / LIGHT_CELLS / 2:
        rounds *= 2
    rounds = max(1, round(rounds * LIGHT_SECONDS / LIGHT_CELLS / spent))
    cells = [LIGHT.format(number=number, rounds=rounds) for number in range(LIGHT_CELLS)]
    return cells, statistics.median(sum(map(alone, cells)) for _ in range(3))


def alone(source: str) -> float:
    """Return the processor seconds of a cell's code, run here."""
    with threadpool_limits(1):  # as in the box
        started = time.process_time()
        exec(source, {})
        return time.process_time() - started


def endurance(sandbox: WarmSandbox, number: int) -> list[Row]:
    """Run many notebooks, each with calls of a function, and count what is left."""
    for _ in range(3 * CORES):  # so that what is made once is made before the count
        light(sandbox)
    before = left(sandbox)
    with ThreadPoolExecutor(CORES) as pool:
        for _ in pool.map(lambda _: light(sandbox), range(number)):
            pass
    after = left(sandbox)
    rows = [
        Row(f"{name} left after {number} notebooks", f"{after[name] - before[name]:+g}", goal="0")
        for name in before
        if name != "memory"
    ]
    growth = f"{after['memory'] / before['memory'] - 1:+.1%}"
    return [*rows, Row(f"growth of the warm parent after {number}", growth, goal="≤ 5 %")]


def light(sandbox: Sandbox) -> None:
    """Run a notebook of one cell, and a few calls of a function."""
    run = run_notebook(
        saved("import numpy; numpy.ones((200, 200)) @ numpy.ones(200)"), {}, sandbox, NotebookLimits()
    )
    assert run.cells[0].status == "ok"
    call(sandbox, 3)


def left(sandbox: WarmSandbox) -> dict[str, float]:
    """Count what a notebook could leave behind, once everything that was started has ended."""
    parent = max(psutil.Process().children(recursive=True), key=lambda process: process.memory_info().rss)
    for _ in range(100):
        if not parent.children():
            break
        time.sleep(0.1)
    groups = Path("/sys/fs/cgroup").rglob(f"grader-*-{os.getpid()}-*")
    return {
        "processes": len(psutil.Process().children(recursive=True)),
        "descriptors": psutil.Process().num_fds() + parent.num_fds(),
        "threads": threading.active_count(),
        "files and directories": sum(1 for _ in Path(tempfile.gettempdir()).rglob("*")),
        "mounts": sum(lines(f"/proc/{pid}/mountinfo") for pid in (os.getpid(), parent.pid)),
        "cgroups": sum(1 for _ in groups),
        "memory": pss(parent),
    }


def lines(path: str) -> int:
    """Return the number of lines of a file."""
    return Path(path).read_text().count("\n")


def machine() -> str:
    """Describe the machine: processor, cores, kernel, Python."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = names[0].partition(":")[2].strip() if names else platform.machine()
    release = platform.release().split("-")[0]
    return f"{model}, {CORES} cores, Linux {release}, Python {platform.python_version()}"


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="a small run")
    parser.add_argument("--only", default="start,outer,calls,memory,throughput,endurance")
    parser.add_argument("--notebooks", type=int, help="of the endurance run (1000; 20 if --quick)")
    options = parser.parse_args()
    number = options.notebooks or (20 if options.quick else 1000)
    wanted = options.only.split(",")
    with private_temporary_directory(), choose_sandbox(PRELOAD) as sandbox:
        assert isinstance(sandbox, WarmSandbox)
        print(f"{machine()}; tier {sandbox.name}; load {os.getloadavg()[0]:.1f} at the start\n")
        print("| what | ours | plain | result | goal |\n|---|---|---|---|---|")
        for part in (start, outer, calls, memory, throughput):
            if part.__name__ in wanted:
                show(part(sandbox, options.quick))
        if "endurance" in wanted:
            show(endurance(sandbox, number))


@contextmanager
def private_temporary_directory() -> Iterator[None]:
    """Let everything temporary be made below a directory of our own, so that what is left can be counted."""
    with tempfile.TemporaryDirectory(prefix="box-") as folder:
        Path(folder).chmod(0o711)
        tempfile.tempdir = folder
        yield
        tempfile.tempdir = None
        assert not list(Path(folder).iterdir()), "the sandbox left something behind when it was closed"


def show(rows: list[Row]) -> None:
    """Print rows of the table."""
    for row in rows:
        print(f"| {row.what} | {row.ours} | {row.plain} | {row.result} | {row.goal} |", flush=True)


if __name__ == "__main__":
    main()
