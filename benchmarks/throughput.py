"""Throughput of a batch of light notebooks: grader beside nbgrader, and beside the notebooks' own code.

    python benchmarks/throughput.py [--submissions 100] [--nbgrader-submissions 20] [--nbgrader-env PATH]

    benchmarks/light --throughput_notebooks.py--> N submissions --> grader grade        cold, then warm
                                              |                 --> forked children     throughput_floor.py
                                              --> the same for nbgrader, a share a core
                                                                --> nbgrader autograde, generate_feedback

Every system runs as it is installed: grader with its walls, pages and as many jobs as there are cores;
nbgrader in as many processes as there are cores, each with a course and a database of its own, because one
call grades one notebook after the other. Both must give full points to every right submission and to no
wrong one.

steady   from the first finished notebook to the last; processor time of n submissions without that of one
cold     no kept plan and no other cache of grader; warm: another folder of results, all else as it was

Processor time is that of a command and of everything that it started, from wait4. That counts only processes
that somebody waited for, and grader kills the process around its warm parent, so nobody waits for the parent,
which has waited for the boxes. Therefore each command runs below a process that Linux hands all orphans to
(PR_SET_CHILD_SUBREAPER), and that waits for them too. Compared with the clock of a control group (cpuacct),
nothing was missing.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import nbformat
from throughput_notebooks import is_wrong, nbgrader_source, nbgrader_submission, submission

from grader.plan.load import load_course

HERE = Path(__file__).resolve().parent
COURSE = HERE / "light"
CORES = os.cpu_count() or 1
# `grader` itself, which also says when the work on a notebook begins.
GRADER = """
from grader.batch.progress import PlainProgress
from grader.cli.main import main
PlainProgress.started = lambda self, submission: print("begun", flush=True)
main()
"""
# Runs a command; then waits for all processes that it has left without a parent.
WAITING = """
import ctypes, os, subprocess, sys
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0
code = subprocess.call(sys.argv[1:])
try:
    while True:
        os.wait()
except ChildProcessError:
    sys.exit(code)
"""
CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "light"
c.CourseDirectory.root = {root!r}
"""


@dataclass(frozen=True)
class Run:
    """One command: wall and processor seconds, and when work on each notebook began and was done."""

    wall: float
    processor: float
    begun: tuple[float, ...]
    done: tuple[float, ...]

    @property
    def rate(self) -> float:
        """Notebooks a second, from the first finished one to the last."""
        return (len(self.done) - 1) / (self.done[-1] - self.done[0])


def run(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str], begun: str, done: str
) -> Run:
    """Run a command; `begun` and `done` are patterns of the lines that it prints."""
    times: dict[str, list[float]] = {begun: [], done: []}
    lines = []
    waiting = [sys.executable, "-I", "-S", "-c", WAITING, *command]
    started = time.perf_counter()
    with subprocess.Popen(
        waiting, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            now = time.perf_counter() - started
            lines.append(line)
            for pattern, moments in times.items():
                if re.search(pattern, line):
                    moments.append(now)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    if process.returncode or not times[done]:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{''.join(lines[-30:])}")
    return Run(wall, usage.ru_utime + usage.ru_stime, tuple(times[begun]), tuple(times[done]))


def run_grader(submissions: Path, results: Path, cache: Path) -> Run:
    """Run `grader grade` with a folder for its caches; check the points."""
    environment = {name: value for name, value in os.environ.items() if name != "GRADER_CACHE"}
    environment["XDG_CACHE_HOME"] = str(cache)
    command: list[str | Path] = [sys.executable, "-c", GRADER, "grade", submissions]
    command += ["--assignment", "light", "--out", results]
    measured = run(command, COURSE, environment, r"^begun", r"^\[\d+/\d+\]")
    check_points("grader", results / "grades.csv", "submission")
    return measured


class Nbgrader:
    """nbgrader in an environment of its own; `share` is the folder of one of its courses."""

    def __init__(self, environment: Path, folder: Path) -> None:
        self.bin = environment / ("Scripts" if os.name == "nt" else "bin")
        if not (self.bin / "nbgrader").exists():
            print(f"nbgrader is installed into {environment}", file=sys.stderr)
            same = [f"{name}=={version(name)}" for name in ("numpy", "matplotlib", "ipykernel")]
            subprocess.run([sys.executable, "-m", "venv", environment], check=True)
            install: list[str | Path] = [
                self.bin / "python",
                "-m",
                "pip",
                "install",
                "--quiet",
                "nbgrader",
                *same,
            ]
            subprocess.run(install, check=True)
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")},
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "OPENBLAS_NUM_THREADS": "1",  # as in grader's boxes
            **{
                name: str(folder / name.lower())
                for name in ("IPYTHONDIR", "MPLCONFIGDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")
            },
        }
        fonts: list[str | Path] = [self.bin / "python", "-c", "import matplotlib.font_manager"]
        subprocess.run(fonts, env=self.environment, check=True)

    def command(self, share: Path, *arguments: str, begun: str = "x", done: str = "") -> Run:
        """Run a command of nbgrader in a course."""
        return run([self.bin / "nbgrader", *arguments], share, self.environment, begun, done)

    def courses(self, source: nbformat.NotebookNode, own: Mapping[int, nbformat.NotebookNode]) -> list[Path]:
        """Make a course a core, with a share of the submissions, and one with a single submission."""
        first = self.folder / "course"
        (first / "source" / "light").mkdir(parents=True)
        (first / "nbgrader_config.py").write_text(CONFIG.format(root="."), encoding="utf-8")
        nbformat.write(source, first / "source" / "light" / "light.ipynb")
        self.command(first, "generate_assignment", "light")
        released = nbformat.read(first / "release" / "light" / "light.ipynb", as_version=4)
        numbers = list(own)
        shares = [numbers[:1], *(numbers[core::CORES] for core in range(CORES))]
        folders = []
        for place, share in enumerate(shares):
            folders.append(self.folder / f"share{place}")
            shutil.copytree(first, folders[-1])
            config = CONFIG.format(root=str(folders[-1]))
            (folders[-1] / "nbgrader_config.py").write_text(config, encoding="utf-8")
            for number in share:
                path = folders[-1] / "submitted" / f"student{number:04}" / "light" / "light.ipynb"
                path.parent.mkdir(parents=True)
                nbformat.write(nbgrader_submission(released, own[number]), path)
        return folders

    def side_by_side(self, shares: list[Path], *arguments: str, begun: str) -> list[Run]:
        """Run the same command in all courses at a time."""
        done = "Setting destination file permissions"
        with ThreadPoolExecutor(len(shares)) as pool:
            return list(
                pool.map(lambda share: self.command(share, *arguments, begun=begun, done=done), shares)
            )

    def check(self, shares: list[Path]) -> None:
        """Check the points."""
        for share in shares:
            self.command(share, "export")
            check_points("nbgrader", share / "grades.csv", "student_id")


def check_points(system: str, table: Path, column: str) -> None:
    """Stop unless the right submissions have all points, and the others have not."""
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            full = float(row["score"]) == float(row["max_score"])
            if full == is_wrong(int(row[column].removeprefix("student"))):
                raise SystemExit(f"{system} gives {row[column]} {row['score']} of {row['max_score']} points")


def floor(submissions: Path) -> tuple[float, float]:
    """Return the mean processor seconds of the notebooks' own code, without and with drawn figures."""
    command: list[str | Path] = [sys.executable, HERE / "throughput_floor.py", submissions]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    code, drawn = zip(*json.loads(done.stdout), strict=True)
    return statistics.mean(code), statistics.mean(drawn)


@dataclass(frozen=True)
class System:
    """What a system needs: notebooks a second, processor seconds, and seconds until the first notebook."""

    rate: float
    whole: float  # notebooks a second of whole commands, start and end included
    processor: float  # of one more submission
    startup: float  # processor seconds of a command for one submission, less those of one more
    begun: float
    done: float


def of_grader(everything: Run, one: Run) -> System:
    """Sum up a run of all submissions and one of a single submission."""
    count = len(everything.done)
    each = (everything.processor - one.processor) / (count - 1)
    begun, done = one.begun[0], one.done[0]
    return System(everything.rate, count / everything.wall, each, one.processor - each, begun, done)


def of_nbgrader(parts: Sequence[tuple[list[Run], Run]]) -> System:
    """Sum up commands that follow each other: of each, the runs side by side, and that of one submission."""
    count = sum(len(share.done) for share in parts[0][0])
    whole = count / sum(max(share.wall for share in shares) for shares, _ in parts)
    rate = 1 / sum(1 / sum(share.rate for share in shares) for shares, _ in parts)
    each = sum(
        (sum(share.processor for share in shares) - len(shares) * one.processor) / (count - len(shares))
        for shares, one in parts
    )
    startup = sum(one.processor for _, one in parts) - each
    before = sum(one.wall for _, one in parts[:-1])
    return System(rate, whole, each, startup, parts[0][1].begun[0], before + parts[-1][1].done[0])


def table(cold: System, warm: System, plain: System, pages: System, code: float, drawn: float) -> str:
    """Return the Markdown table; the ratios compare grader's warm run, above 1 where it is better."""
    rows = [
        "| | grader, cold | grader, warm | nbgrader autograde | and generate_feedback "
        "| to autograde | to both |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]

    def row(what: str, values: Sequence[float], form: str, better: int) -> None:
        ratios = [(values[1] / other) ** better for other in values[2:]]
        cells = [f"{value:{form}}" for value in values] + [f"{ratio:.1f} x" for ratio in ratios]
        rows.append(f"| {' | '.join([what, *cells])} |")

    systems = (cold, warm, plain, pages)
    row("submissions a second, steady", [each.rate for each in systems], ".2f", 1)
    row("submissions a second, whole command", [each.whole for each in systems], ".2f", 1)
    row("processor seconds a submission", [each.processor for each in systems], ".3f", -1)
    row("times the notebook's own code", [each.processor / code for each in systems], ".1f", -1)
    row("times that and its figures drawn", [each.processor / drawn for each in systems], ".1f", -1)
    row("processor seconds of the start", [each.startup for each in systems], ".2f", -1)
    row("seconds until work on the first notebook begins", [each.begun for each in systems], ".2f", -1)
    row("seconds until the first notebook is finished", [each.done for each in systems], ".2f", -1)
    return "\n".join(rows)


def measure(folder: Path, count: int, few: int, environment: Path) -> str:
    """Make the notebooks, run everything, return the table and the floor."""
    reference = nbformat.read(COURSE / "reference" / "light" / "notebook.ipynb", as_version=4)
    own = {number: submission(reference, number) for number in range(count)}
    everybody, single = folder / "submissions", folder / "one"
    for place, numbers in ((everybody, range(count)), (single, range(1))):
        place.mkdir()
        for number in numbers:
            nbformat.write(own[number], place / f"student{number:04}.ipynb")
    nbgrader = Nbgrader(environment, folder / "nbgrader")
    source = nbgrader_source(reference, load_course("light", COURSE))
    alone, *shares = nbgrader.courses(source, {number: own[number] for number in range(few)})

    def grader(submissions: Path, results: str, cache: str) -> Run:
        return run_grader(submissions, folder / results, folder / cache)

    grader(single, "unmeasured", "cache0")  # so that no file is read from a cold disk
    before = floor(everybody)
    cold = of_grader(grader(everybody, "cold", "cache1"), grader(single, "cold one", "cache2"))
    marked = {"begun": "Autograding "}
    graded_one = nbgrader.side_by_side([alone], "autograde", "light", **marked)[0]
    graded = nbgrader.side_by_side(shares, "autograde", "light", **marked)
    marked = {"begun": "Converting notebook"}
    paged_one = nbgrader.side_by_side([alone], "generate_feedback", "light", **marked)[0]
    paged = nbgrader.side_by_side(shares, "generate_feedback", "light", **marked)
    warm = of_grader(grader(everybody, "warm", "cache1"), grader(single, "warm one", "cache1"))
    nbgrader.check(shares)
    code, drawn = (statistics.mean(pair) for pair in zip(before, floor(everybody), strict=True))
    plain = of_nbgrader([(graded, graded_one)])
    pages = of_nbgrader([(graded, graded_one), (paged, paged_one)])
    return (
        f"{table(cold, warm, plain, pages, code, drawn)}\n\nThe code of one notebook alone takes "
        f"{1000 * code:.0f} ms of processor time, with its figures drawn {1000 * drawn:.0f} ms."
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--submissions", type=int, default=100)
    parser.add_argument("--nbgrader-submissions", type=int, default=20, help="it is slow")
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    default = caches / "grader-benchmarks" / f"nbgrader-{platform.python_version()}"
    parser.add_argument(
        "--nbgrader-env", type=Path, default=default, help="a virtual environment, made if it is not there"
    )
    options = parser.parse_args()
    few = options.nbgrader_submissions
    if few < 2 * CORES or options.submissions < few:
        parser.error(
            f"give at least {2 * CORES} submissions to nbgrader (two a core), and no fewer to grader"
        )
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="throughput-") as name:
        text = measure(Path(name), options.submissions, few, options.nbgrader_env.absolute())
    print(
        f"{options.submissions} submissions, {few} of them for nbgrader, {CORES} at a time; "
        f"{platform.machine()}, {CORES} cores, Python {platform.python_version()}; load {load:.1f} at the "
        f"start\n\n{text}"
    )


if __name__ == "__main__":
    main()
