"""What a student waits for, and what they install.

    python benchmarks/student.py [--repeats 5] [--install]

import   `import grader`                      check   `grader check` of the right notebook, all functions
help     `grader --help`                      python  an interpreter that does nothing, for comparison
wheel    its size, and with --install the packages and megabytes of a fresh environment with it

Each time is that of a new process; the first, cold one is left out and shown apart.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "reference" / "exercise_11" / "notebook.ipynb"


def seconds(command: list[str], folder: Path) -> tuple[float, float]:
    """Return the wall and the processor seconds of one process."""
    before, started = os.times(), time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - started, used


def install(wheel: Path, folder: Path) -> tuple[int, float]:
    """Install the wheel into a fresh environment; return the packages and megabytes that came with it."""
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    site = next((folder / "venv").rglob("site-packages"))
    before = {path.name for path in site.glob("*.dist-info")}, size_of(site)
    subprocess.run([python, "-m", "pip", "install", "--quiet", wheel], check=True)
    names = {path.name for path in site.glob("*.dist-info")} - before[0]
    return len(names), size_of(site) - before[1]


def size_of(folder: Path) -> float:
    """Return the megabytes of the files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--install", action="store_true", help="install the wheel into a fresh environment")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        grader = [sys.executable, "-m", "grader"]
        release = [*grader, "release", "exercise_11", "--root", str(ROOT), "-o", str(folder / "kit")]
        subprocess.run(release, check=True, capture_output=True)
        shutil.copy(NOTEBOOK, folder / "kit" / "exercise_11.ipynb")
        commands = {
            "python": [sys.executable, "-c", "pass"],
            "import": [sys.executable, "-c", "import grader"],
            "help": [*grader, "--help"],
            "check": [*grader, "check", "exercise_11.ipynb"],
        }
        print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
        print("            first   median   processor   (seconds)")
        for what, command in commands.items():
            times = [seconds(command, folder / "kit") for _ in range(options.repeats + 1)]
            wall, used = (statistics.median(column) for column in zip(*times[1:], strict=True))
            print(f"{what:8} {times[0][0]:8.2f} {wall:8.2f} {used:11.2f}")
        build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
        subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
        (wheel,) = folder.glob("*.whl")
        print(f"wheel    {wheel.stat().st_size / 1024:8.0f} kB")
        if options.install:
            packages, megabytes = install(wheel, folder)
            print(f"install  {packages:8} packages, {megabytes:.0f} MB, grader among them")


if __name__ == "__main__":
    main()
