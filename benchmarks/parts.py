"""Where the processor time of one light submission goes: the notebook's box, handler, calls, core.

    python benchmarks/parts.py [--submissions 40]

The notebooks are those of throughput.py, one after the other, behind the walls that grader builds itself. The
time of a part is what the processes that its warm parent forked have used when they have ended.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import nbformat
import psutil
from box import machine
from throughput_notebooks import submission

from grader.observe.observe_submission import observe
from grader.observe.warm import WarmSandbox
from grader.plan.load import load_course
from grader.records import HandIn
from grader.store import Store

COURSE = Path(__file__).resolve().parent / "light"
PARTS = {
    "full": "the notebook's box",
    "handler": "the handler",
    "numpy": "the calls, of functions that need numpy",
    "scipy": "the calls, of functions that need scipy",
}
SETTLE_SECONDS = 1.0  # until the last processes have ended


def used(sandbox: WarmSandbox) -> dict[str, float]:
    """Return the processor seconds of what each warm parent has forked, and of the core."""
    time.sleep(SETTLE_SECONDS)
    seconds = {}
    for which, part in PARTS.items():
        outer = psutil.Process(sandbox.warm(which).process.pid)
        # behind our own wall, it is a child of this process that forks
        times = [each.cpu_times() for each in (outer, *outer.children())]
        seconds[part] = sum(each.children_user + each.children_system for each in times)
    own = os.times()
    seconds["the core"] = own.user + own.system
    return seconds


def main() -> None:
    """Observe the submissions, and print milliseconds of processor time for each part of one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--submissions", type=int, default=40)
    count = parser.parse_args().submissions
    reference = nbformat.read(COURSE / "reference" / "light" / "notebook.ipynb", as_version=4)
    data = [str(nbformat.writes(submission(reference, number))).encode() for number in range(count + 1)]
    course = load_course("light", COURSE)
    with WarmSandbox(course.rubric.environment.preload) as sandbox, Store() as store:
        observe(HandIn(data[0]), course, sandbox, store)
        before = used(sandbox)
        for each in data[1:]:
            observe(HandIn(each), course, sandbox, store)
        after = used(sandbox)
    print(f"{machine()}; load {os.getloadavg()[0]:.1f}; {count} submissions\n")
    print("| part | processor time |\n|---|---:|")
    for part, seconds in after.items():
        print(f"| {part} | {1000 * (seconds - before[part]) / count:.0f} ms |")


if __name__ == "__main__":
    main()
