"""A storm: random signals to random processes of batches; the table at the end must be that of a calm run.

    calm run                        -->  table
    run, signals, run, signals ...  -->  the same command once more  -->  the same table, and nothing left

A signal goes to any process of the batch: the coordinator, a judge, a warm parent, the process that watches a
box, a student's program, a handler. Whenever the batch ends, it is started anew, from nothing if it was
complete.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGSTOP)
ALLOWED = (0, 3, 130, *(-number for number in SIGNALS))
RUBRIC = """
assignment: storm
title: Storm
questions:
  - {id: double, title: Doubling, function: double, points: 2,
     checks: [{id: values, title: It doubles, type: reference, points: 2, inputs: numbers}]}
  - {id: total, title: The total, variable: total, points: 1,
     checks: [{id: values, title: It adds up, type: reference, points: 1}]}
"""
INPUTS = """
from grader.course import Case

def numbers(rng):
    return [Case("three", (rng.standard_normal(3),)), Case("one", (rng.standard_normal(1),))]
"""
REFERENCE = (
    "def double(x):\n    ### BEGIN SOLUTION\n    return 2.0 * x\n    ### END SOLUTION",
    "### BEGIN SOLUTION\ntotal = 6\n### END SOLUTION",
)
KINDS = (
    ("import numpy as np\ndef double(x):\n    return np.add(x, x)", "total = sum(range(4))"),
    ("def double(x):\n    return 3.0 * x", "total = 5"),
    ("def double(x):\n    raise ValueError(len(x))", "1 / 0"),
    ("def double(x):\n    return x +", "total = 6"),
    ("def double(x):\n    x[:] = 0\n    return x", "import time; time.sleep(0.05); total = 6"),
)


@dataclass
class Storm:
    """What a storm came to; `wrong` is empty if everything was as in the calm."""

    signals: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    wrong: list[str] = field(default_factory=list)
    seen: dict[int, float] = field(default_factory=dict)
    batches: list[int] = field(default_factory=list)


def main() -> None:
    """Storm as the command line says; exit 1 if anything is lost, doubled, different or left."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--signals", type=int, default=200)
    parser.add_argument("--submissions", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="storm-") as folder:
        started = time.monotonic()
        found = storm(Path(folder), wanted.submissions, wanted.signals, wanted.jobs, wanted.seed)
        counts = ", ".join(f"{name} {count}" for name, count in sorted(found.signals.items()))
        print(f"{wanted.submissions} submissions, {found.runs} runs, {time.monotonic() - started:.0f} s")
        print(f"signals: {counts}")
        print("\n".join(found.wrong) or "the table is that of the calm run; nothing is left")
        sys.exit(1 if found.wrong else 0)


def storm(root: Path, submissions: int, signals: int, jobs: int, seed: int) -> Storm:
    """Grade a course in calm and in a storm below `root`; return what differs."""
    write_course(root, submissions)
    found, chance = Storm(), random.Random(seed)
    before = left_behind([])
    calm = start(root, "calm", jobs)
    if calm.wait() not in (0, 3):
        found.wrong.append(f"the calm run ended with {calm.returncode}")
    fresh = False
    while sum(found.signals.values()) < signals:
        batch = start(root, "stormy", jobs, *(["--fresh"] if fresh else []))
        found.runs += 1
        found.batches.append(batch.pid)
        with lightning(batch, found, signals, chance):
            batch.wait()
        fresh = batch.returncode in (0, 3)
        if batch.returncode not in ALLOWED:
            told = (root / "stormy.err").read_text(errors="replace").strip().splitlines()
            found.wrong.append(f"a run ended with {batch.returncode}: {' | '.join(told[-3:])}")
    last = start(root, "stormy", jobs)
    last.wait()
    found.runs += 1
    found.batches += [calm.pid, last.pid]
    if last.returncode != 0:
        found.wrong.append(f"the last run ended with {last.returncode}")
    for name in ("grades.csv", "grades.json"):
        first, second = ((root / out / name).read_text(encoding="utf-8") for out in ("calm", "stormy"))
        if first != second:
            lines = [
                pair
                for pair in zip(first.splitlines(), second.splitlines(), strict=False)
                if pair[0] != pair[1]
            ]
            found.wrong.append(f"{name} differs in {len(lines)} lines: {lines[:2]}")
    time.sleep(2)
    for pid, created in found.seen.items():
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            if process.create_time() == created and process.status() != psutil.STATUS_ZOMBIE:
                found.wrong.append(f"a process is left: {process}")
    found.wrong += [f"{what} is left" for what in sorted(left_behind(found.batches) - before)]
    found.wrong += [f"{path} is left" for path in (root / "stormy").rglob("*.part")]
    if "Traceback" in (errors := (root / "stormy.err").read_text(errors="replace")):
        found.wrong.append("a traceback was shown: " + errors[errors.index("Traceback") :][:2000])
    return found


@contextlib.contextmanager
def lightning(
    batch: subprocess.Popen[bytes], found: Storm, most: int, chance: random.Random
) -> Iterator[None]:
    """Send signals to processes of a batch while it runs."""
    over = threading.Event()

    def strike() -> None:
        while not over.wait(chance.uniform(0.05, 0.8)) and sum(found.signals.values()) < most:
            with contextlib.suppress(psutil.Error):
                coordinator = psutil.Process(batch.pid)
                below = coordinator.children(recursive=True)
                for each in below:
                    with contextlib.suppress(psutil.Error):
                        found.seen[each.pid] = each.create_time()
                if (
                    not below and chance.random() < 0.9
                ):  # it has not begun; Python itself shows interrupts then
                    continue
                # the coordinator is struck less often: each time a whole run begins anew
                victim = coordinator if not below or chance.random() < 0.15 else chance.choice(below)
                number = chance.choice(SIGNALS) if below else signal.SIGKILL
                victim.send_signal(number)
                found.signals[number.name] += 1
                if number == signal.SIGSTOP:
                    time.sleep(chance.uniform(0.1, 1.0))
                    victim.send_signal(signal.SIGCONT)

    thread = threading.Thread(target=strike)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def start(root: Path, out: str, jobs: int, *more: str) -> subprocess.Popen[bytes]:
    """Start a batch in `root`; what it says goes to files."""
    arguments = ["grade", "submissions/storm", "--unsafe", "--out", out, "--jobs", str(jobs), *more]
    with (root / f"{out}.out").open("ab") as said, (root / f"{out}.err").open("ab") as errors:
        command = [sys.executable, "-m", "grader", *arguments]
        return subprocess.Popen(command, cwd=root, stdout=said, stderr=errors)


def write_course(root: Path, submissions: int) -> None:
    """Write a small course and light submissions of several kinds, no two with the same bytes."""
    files = {
        "rubrics/storm.yaml": RUBRIC,
        "reference/storm/inputs.py": INPUTS,
        "reference/storm/notebook.ipynb": notebook(*REFERENCE),
    }
    for number in range(submissions):
        cells = KINDS[number % len(KINDS)]
        files[f"submissions/storm/s{number:05}.ipynb"] = notebook(f"# {number}", *cells)
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def notebook(*cells: str) -> str:
    """Return a notebook with code cells, as JSON text."""
    content = [
        {
            "cell_type": "code",
            "id": f"c{n}",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": text,
        }
        for n, text in enumerate(cells)
    ]
    return json.dumps({"cells": content, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def left_behind(batches: list[int]) -> set[str]:
    """Return what batches could leave on this machine: scratch folders, mounts, and their control groups."""
    folders = {
        str(path.parent) for path in Path(tempfile.gettempdir()).glob("grader-*/alive") if abandoned(path)
    }
    mounts = {f"mount {line.split()[4]}" for line in Path("/proc/self/mountinfo").read_text().splitlines()}
    below = (os.path.join(at, name) for at, names, _ in os.walk("/sys/fs/cgroup") for name in names)  # noqa: PTH118 -- no error for a group that goes
    groups = {path for path in below if any(re.search(rf"/grader-\d+-{pid}-", path) for pid in batches)}
    return folders | mounts | groups


def abandoned(alive: Path) -> bool:
    """Return whether nobody holds the lock that marks a scratch folder as one in use."""
    with contextlib.suppress(OSError), alive.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


if __name__ == "__main__":
    main()
