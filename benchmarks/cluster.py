"""A batch on a Dask cluster: on this machine against `--jobs`, or simulated for many workers.

    measured:   scheduler, three workers of one thread   --jobs 2 beside it, the same course
    simulated:  scheduler, N workers in a few processes, whose tasks sleep and answer what a real one answered

In the simulation everything but the grading itself is real: the scheduler, what travels, the database, the
pages. Efficiency is the time that the tasks slept, of the time that all workers had.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
from distributed import Client, Worker, WorkerPlugin, get_worker
from storm import write_course

from grader.batch import cluster, grade_folder
from grader.batch.judges import Judges
from grader.batch.machine import Answer, Work
from grader.batch.machine_turns import MachineTurns
from grader.batch.pool import grade_hand_in, read_hand_in
from grader.intake.submissions import find_submissions
from grader.observe.layers import ISOLATED
from grader.observe.tiers import choose_sandbox
from grader.plan.load import load_course
from grader.store import CarriedObservations

ROOT = Path(__file__).parents[1]
THREADS = 3
HOSTS = 4


class Pretending(WorkerPlugin):
    """Offers the resource of a course without a machine that grades."""

    def __init__(self, name: str, seconds: float, answer: Answer) -> None:
        self.name, self.seconds, self.answer = name, seconds, answer

    async def setup(self, worker: Worker) -> None:
        """Say what a worker says that has proved itself."""
        await worker.set_resources(**{self.name: worker.state.nthreads})
        told = {"name": str(worker.name), "address": worker.address, "threads": worker.state.nthreads}
        worker.log_event(self.name, {**told, "tier": str(ISOLATED), "refused": "", "notes": []})


def pretend(name: str, work: Work) -> Answer:
    """Sleep in place of grading."""
    own: Any = get_worker().plugins[name]
    time.sleep(own.seconds)
    assert own.answer.score is not None
    rows = tuple((kind, f"{key} {work.name}", call, data) for kind, key, call, data in own.answer.rows)
    score = replace(own.answer.score, submission=work.name)
    return replace(own.answer, score=score, rows=rows, worker=str(get_worker().name), seconds=own.seconds)


def main() -> None:
    """Measure, or simulate."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--submissions", type=int, default=60)
    parser.add_argument("--assignment", help="measure its samples in place of light notebooks")
    parser.add_argument("--simulate", type=int, metavar="WORKERS", help="simulate so many workers")
    parser.add_argument("--seconds", type=float, default=8.0, help="that a simulated task takes")
    parser.add_argument("--host", nargs=2, metavar=("ADDRESS", "WORKERS"), help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.host:
        asyncio.run(host(wanted.host[0], int(wanted.host[1])))
        return
    with tempfile.TemporaryDirectory(prefix="cluster-") as folder:
        root = Path(folder)
        write_course(root, wanted.submissions)
        if wanted.simulate:
            simulate(root, wanted.submissions, wanted.simulate, wanted.seconds)
        else:
            measure(root, wanted.assignment)


def measure(root: Path, assignment: str | None) -> None:
    """Print the seconds of a batch by two jobs and by three workers, twice in turn."""
    folder, files = f"submissions/{assignment or 'storm'}", ROOT if assignment else root
    with scheduler() as address, workers(address, root):
        for out, extra in (("here", ("--jobs", "2")), ("there", ("--cluster", address))) * 2:
            began = time.monotonic()
            command = [sys.executable, "-m", "grader", "grade", folder, "--fresh", "--out", str(root / out)]
            subprocess.run([*command, *extra], cwd=files, check=True, stdout=subprocess.DEVNULL)
            print(f"{' '.join(extra):<40} {time.monotonic() - began:7.1f} s", flush=True)
    same = all((root / "here" / n).read_bytes() == (root / "there" / n).read_bytes() for n in TABLES)
    print("equal tables" if same else "THE TABLES DIFFER")


TABLES = ("grades.csv", "grades.json")


def simulate(root: Path, submissions: int, count: int, seconds: float) -> None:
    """Print how much of the workers' time was used, and what the coordinator and the scheduler took."""
    answer = real_answer(root)
    print(f"an answer has {sum(len(row[3]) for row in answer.rows) / 1000:.0f} kB of observations")
    cluster.grade_work = pretend
    cluster.GraderCore = lambda _, name: Pretending(name, seconds, answer)  # type: ignore[misc,assignment]
    own = psutil.Process()
    with scheduler() as address, contextlib.ExitStack() as stack:
        for _ in range(HOSTS):
            stack.enter_context(started(sys.executable, __file__, "--host", address, str(count // HOSTS)))
        there = next(p for p in own.children() if "scheduler" in p.cmdline())
        wait_for(address, count // HOSTS * HOSTS)
        before, of_scheduler, began = spent(own), spent(there), time.monotonic()
        options = grade_folder.Options(cluster=address)
        with contextlib.redirect_stdout(open(os.devnull, "w")):  # noqa: PTH123
            grade_folder.grade_folder(
                root / "submissions" / "storm", "storm", root, root / "simulated", 1, options
            )
        wall = time.monotonic() - began
        print(
            f"{count // HOSTS * HOSTS} workers, {submissions} submissions of {seconds:g} s: {wall:.1f} s, "
            f"efficiency {100 * submissions * seconds / wall / (count // HOSTS * HOSTS):.1f} %; "
            f"processor ms a submission: coordinator {1000 * (spent(own) - before) / submissions:.1f}, "
            f"scheduler {1000 * (spent(there) - of_scheduler) / submissions:.1f}"
        )


def real_answer(root: Path) -> Answer:
    """Return what a machine answers for the first submission."""
    course = load_course("storm", root)
    submission = find_submissions(root / "submissions" / "storm")[0]
    rows = CarriedObservations()
    with Judges(course, 2) as judges, choose_sandbox((), "restricted") as sandbox:
        result = grade_hand_in(
            submission.id, read_hand_in(submission), course, sandbox, rows, judges, MachineTurns()
        )
    return Answer(result, tuple(rows.new), tier=str(ISOLATED))


async def host(address: str, count: int) -> None:
    """Run many workers of one thread in this process."""
    made = [Worker(address, nthreads=1, name=f"{os.getpid()}-{n}", memory_limit=0) for n in range(count)]
    await asyncio.gather(*made)
    await asyncio.gather(*(each.finished() for each in made))


@contextlib.contextmanager
def scheduler() -> Iterator[str]:
    """Start a scheduler; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    dask = str(Path(sys.executable).with_name("dask"))
    with started(
        sys.executable, dask, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"
    ):
        yield f"tcp://127.0.0.1:{port}"


@contextlib.contextmanager
def workers(address: str, root: Path) -> Iterator[None]:
    """Start workers of one thread each, and wait until they are there."""
    dask = str(Path(sys.executable).with_name("dask"))
    arguments = ("--nthreads", "1", "--no-dashboard", "--memory-limit", "0", "--local-directory", str(root))
    with contextlib.ExitStack() as stack:
        for number in range(THREADS):
            command = (sys.executable, dask, "worker", address, "--name", f"w{number}", *arguments)
            stack.enter_context(started(*command))
        wait_for(address, THREADS)
        yield


@contextlib.contextmanager
def started(*command: str) -> Iterator[None]:
    """Run a command in the background."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def wait_for(address: str, count: int) -> None:
    """Wait for workers."""
    with Client(address, set_as_default=False, timeout=60) as client:
        client.wait_for_workers(count, timeout=300)


def spent(process: psutil.Process) -> float:
    """Return the processor seconds of a process."""
    times = process.cpu_times()
    return times.user + times.system


if __name__ == "__main__":
    main()
