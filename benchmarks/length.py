"""A long batch of light notebooks: memory of the coordinator, time, and bytes on disk for each submission.

The memory and the time are taken at tenths of the batch; both should stay as they are after the first tenth.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from storm import write_course


def main() -> None:
    """Grade as many notebooks as the command line says; print a line for each tenth."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--submissions", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=2)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="length-") as folder:
        root = Path(folder)
        write_course(root, wanted.submissions)
        command = [sys.executable, "-m", "grader", "grade", "submissions/storm", "--unsafe"]
        command += ["--jobs", str(wanted.jobs)]
        batch = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)
        assert batch.stdout is not None
        coordinator = psutil.Process(batch.pid)
        tenth, done, began, most = max(1, wanted.submissions // 10), 0, time.monotonic(), 0
        print("submissions   coordinator MB   ms each   processor ms each")
        used = processor(coordinator)
        for line in batch.stdout:
            if not line.startswith("["):
                continue
            done += 1
            if done % tenth == 0:
                memory, now, spent = coordinator.memory_info().rss, time.monotonic(), processor(coordinator)
                each = 1000 * (now - began) / tenth
                print(
                    f"{done:>11} {memory / 2**20:>16.1f} {each:>9.1f} {1000 * (spent - used) / tenth:>19.1f}",
                    flush=True,
                )
                began, used, most = now, spent, max(most, memory)
        code = batch.wait()
        results = root / "results"
        database = sum(path.stat().st_size for path in results.glob("grader.db*"))
        pages = sum(path.stat().st_size for path in results.rglob("*") if path.is_file()) - database
        print(
            f"exit code {code}; each: database {database / 1000 / done:.1f} kB, "
            f"files {pages / 1000 / done:.1f} kB"
        )


def processor(process: psutil.Process) -> float:
    """Return the processor time of the coordinator alone."""
    times = process.cpu_times()
    return times.user + times.system


if __name__ == "__main__":
    main()
