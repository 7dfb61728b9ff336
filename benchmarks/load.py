"""The samples of an assignment graded again and again, quiet and on a crowded machine: one table.

    quiet:    one batch after the other, two workers each
    crowded:  all batches at the same time, eight workers each, beside processes that only count

What a machine has too much to do for must not become a verdict on a student.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
QUIET, CROWDED = 2, 8  # workers of a batch
TABLES = ("grades.csv", "grades.json")


def main() -> None:
    """Grade as the command line says; exit 1 if the tables differ."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--assignment", default="exercise_11")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--load", type=int, default=30)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="load-") as made:
        folder = Path(made)
        outs = [folder / f"{kind}{n}" for kind in ("quiet", "crowded") for n in range(wanted.times)]
        for out in outs[: wanted.times]:
            took = graded(wanted.assignment, [out], QUIET)
            print(f"quiet: {took:.0f} s, load {os.getloadavg()[0]:.1f} at the end", flush=True)
        with busy(wanted.load - CROWDED * wanted.times):
            took = graded(wanted.assignment, outs[wanted.times :], CROWDED)
            print(
                f"{wanted.times} at the same time, crowded: {took:.0f} s, "
                f"load {os.getloadavg()[0]:.1f} at the end"
            )
        different = [
            f"{out.name}/{name}"
            for out in outs
            for name in TABLES
            if (out / name).read_bytes() != (outs[0] / name).read_bytes()
        ]
        for name in different:
            if name.endswith(".json"):
                print("\n".join(differences(folder / outs[0].name / Path(name).name, folder / name)))
    print(f"THE TABLES DIFFER: {', '.join(different)}" if different else "one table")
    sys.exit(bool(different))


def graded(assignment: str, outs: list[Path], jobs: int) -> float:
    """Grade the samples into new folders at the same time; return the seconds that this took."""
    began = time.monotonic()
    command = [sys.executable, "-m", "grader", "grade", f"submissions/{assignment}", "--jobs", str(jobs)]
    running = [
        subprocess.Popen([*command, "--out", str(out)], cwd=ROOT, stdout=subprocess.DEVNULL) for out in outs
    ]
    for batch in running:
        if batch.wait():
            sys.exit(f"a batch ended with exit code {batch.returncode}")
    return time.monotonic() - began


def differences(one: Path, other: Path) -> list[str]:
    """Return a line for each place in which two files of JSON differ."""

    def lines(found: Any, where: str = "") -> dict[str, str]:
        if isinstance(found, dict | list):
            inner = found.items() if isinstance(found, dict) else enumerate(found)
            return {key: text for name, each in inner for key, text in lines(each, f"{where}/{name}").items()}
        return {where: json.dumps(found, ensure_ascii=False)}

    first, second = (lines(json.loads(path.read_text(encoding="utf-8"))) for path in (one, other))
    return [
        f"{other.parent.name} {key}: {first.get(key, 'nothing')} / {second.get(key, 'nothing')}"
        for key in sorted({*first, *second})
        if first.get(key) != second.get(key)
    ]


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep so many processes counting."""
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(max(0, count))]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()
