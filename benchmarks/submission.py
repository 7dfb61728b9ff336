"""Seconds and memory of one submission, split into its parts.

    python benchmarks/submission.py [NOTEBOOK] [--assignment exercise_11] [--repeats 3]

kernel    from nothing to a kernel that answers          calls    the planned calls of all functions
imports   the import cell of the notebook's stack        judging  from the observation to the score
notebook  its cells                                      report   the pages of the submission

It runs behind the strongest walls that the machine offers; `start` is what a batch pays once for them.
Memory is the largest proportional set size of all processes together, warm parents included, sampled
while they run.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import nbformat
import psutil

from grader.judge.judge_observation import grade
from grader.observe import observe_submission
from grader.observe.handle import run_notebook
from grader.observe.observe_submission import observe
from grader.observe.sandbox import Sandbox
from grader.observe.tiers import choose_sandbox
from grader.plan.load import load_course
from grader.plan.plan import Course
from grader.records import HandIn, NotebookLimits
from grader.report.pages import feedback_page, notebook_page
from grader.store import Store

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("kernel", "imports", "notebook", "calls", "judging", "report")


def measure(data: bytes, course: Course, sandbox: Sandbox) -> tuple[dict[str, float], dict[str, float]]:
    """Return the seconds and the peak megabytes of each part."""
    seconds: dict[str, float] = {}
    megabytes: dict[str, float] = {}
    with watched(seconds, megabytes, "imports"):
        bare = run_notebook(imports(course), {}, sandbox, NotebookLimits())
    seconds["imports"] = bare.cells[0].seconds
    real = observe_submission.make_calls

    def calls(*arguments: object, **keywords: object) -> object:
        with watched(seconds, megabytes, "calls"):
            return real(*arguments, **keywords)  # type: ignore[arg-type]

    with (
        Store() as store,
        watched(seconds, megabytes, "notebook"),
        mock.patch.object(observe_submission, "make_calls", calls),
    ):
        observation = observe(HandIn(data), course, sandbox, store)
    assert observation.run is not None
    seconds |= {name: observation.run.seconds[name] for name in ("kernel", "notebook")}
    with watched(seconds, megabytes, "judging"):
        score = grade("benchmark", observation, course)
    with watched(seconds, megabytes, "report"):
        feedback_page(course.rubric, score, observation.run, "")
        notebook_page("benchmark", observation.run)
    return seconds, megabytes


def imports(course: Course) -> bytes:
    """Return a notebook of one cell that imports what the assignment preloads."""
    names = ", ".join((*course.rubric.environment.preload, "sklearn.linear_model", "matplotlib.pyplot"))
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(f"import {names}")])
    return str(nbformat.writes(made)).encode()


@contextmanager
def watched(seconds: dict[str, float], megabytes: dict[str, float], name: str) -> Iterator[None]:
    """Note the time and the memory of everything that is started inside."""
    over = threading.Event()
    peak = [0.0]

    def sample() -> None:
        while not over.wait(0.05):
            peak[0] = max(peak[0], sum(map(pss, psutil.Process().children(recursive=True))))

    thread = threading.Thread(target=sample)
    thread.start()
    started = time.perf_counter()
    try:
        yield
    finally:
        seconds[name] = time.perf_counter() - started
        over.set()
        thread.join()
        megabytes[name] = peak[0]


def pss(process: psutil.Process) -> float:
    """Return the proportional set size of a process in megabytes, 0 if it has ended."""
    try:
        return float(process.memory_full_info().pss) / 2**20
    except psutil.Error:
        return 0.0


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    default = ROOT / "submissions" / "exercise_11" / "correct" / "broadcasting.ipynb"
    parser.add_argument("notebook", nargs="?", type=Path, default=default)
    parser.add_argument("--assignment", default="exercise_11")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    course = load_course(options.assignment, ROOT)
    data = options.notebook.read_bytes()
    started = time.perf_counter()
    with choose_sandbox(course.rubric.environment.preload, unsafe=True) as sandbox:
        once = time.perf_counter() - started
        results = [measure(data, course, sandbox) for _ in range(options.repeats)]
    seconds = {part: statistics.median(s[part] for s, _ in results) for part in PARTS}
    megabytes = {part: max(m.get(part, 0.0) for _, m in results) for part in PARTS}
    total = sum(seconds.values()) - seconds["imports"]
    print(
        f"{options.notebook.name} on {platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}; median of {options.repeats}; tier {sandbox.name}, "
        f"load {os.getloadavg()[0]:.0f}"
    )
    print("part       share of the whole   seconds   peak MB")
    for part in PARTS:
        note = "  (within the notebook)" if part == "imports" else ""
        memory = f"{megabytes[part]:8.0f}" if megabytes[part] else "       –"
        print(f"{part:10} {100 * seconds[part] / total:15.1f} %  {seconds[part]:9.3f}   {memory}{note}")
    print(f"start      (once for a batch)    {once:9.3f}")
    print(f"whole      {100.0:15.1f} %  {total:9.3f}")


if __name__ == "__main__":
    main()
