"""Seconds to judge a whole course again after a change of its rubric, without one line of student code.

    python benchmarks/rejudge.py [--submissions 1000] [--jobs 2] [--samples FOLDER] [--observed RESULTS]

The sample submissions are observed once (or taken from the database of an earlier `grader grade` of them).
Copies of them under other names, each with bytes and code of its own, get the observations of their
originals, are graded, and then graded again under a rubric whose tolerances are all doubled: everything is
judged, scored and written anew, by `grader grade` itself, with a sandbox that refuses to start anything.
"""

from __future__ import annotations

import argparse
import ast
import os
import platform
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self
from unittest import mock

import nbformat

from grader.batch import grade_folder
from grader.errors import GraderFault, NotebookUnreadable
from grader.handler.job import Job
from grader.handler.program import read_notebook
from grader.intake.submissions import find_submissions
from grader.judge import judge_observation
from grader.notebook.read import parse_notebook
from grader.observe import observe_submission
from grader.observe.observe_submission import observe
from grader.observe.sandbox import Process, Program
from grader.observe.tiers import choose_sandbox
from grader.plan.load import load_course
from grader.plan.plan import Course
from grader.reading import Reading
from grader.records import HandIn, NotebookRun, Observation
from grader.store import Store
from grader.subjects import Subject

ROOT = Path(__file__).resolve().parent.parent


class Refusing:
    """A sandbox that starts nothing."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.python = sys.executable
        self.scratch = Path(tempfile.gettempdir())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def launch(self, program: Program) -> Process:
        """Refuse."""
        raise GraderFault(f"{program.module} would run student code")

    def launch_handler(self, kernel: Process | None) -> Process:
        """Refuse."""
        raise GraderFault("a notebook would be read")


def observed(course: Course, folder: Path, results: Path | None) -> tuple[str, dict[Path, Observation]]:
    """Return the tier, and what was observed of every readable sample submission."""
    samples = find_submissions(folder)
    found = {}
    with (
        choose_sandbox(course.rubric.environment.preload, unsafe=True) as sandbox,
        Store(results / "grader.db" if results else None) as store,
    ):
        for sample in samples:
            try:
                found[sample.path] = observe(HandIn(sample.path.read_bytes()), course, sandbox, store)
            except NotebookUnreadable:
                continue
        return sandbox.name, found


def copy_of(data: bytes, functions: Iterator[str] | list[str], number: int) -> bytes:
    """Return a notebook with a statement of its own behind the last one of each function."""
    notebook = parse_notebook(data)
    for cell in notebook.cells:
        try:
            body = ast.parse(re.sub(r"^[%!].*", "", cell.source, flags=re.M)).body
        except SyntaxError:
            continue
        lines = cell.source.split("\n")
        for node in reversed(body):
            if isinstance(node, ast.FunctionDef) and node.name in functions and node.end_lineno:
                lines.insert(node.end_lineno, f"{' ' * node.body[0].col_offset}'copy {number}'")
        cell.source = "\n".join(lines)
    return nbformat.writes(notebook).encode()


def with_run(run: NotebookRun | None) -> Callable[..., tuple[Reading | None, NotebookRun | None]]:
    """Return a handler that reads here, and runs nothing: the run is the one that is given."""

    def handle(job: Job, *_: object) -> tuple[Reading | None, NotebookRun | None]:
        notebooks = (parse_notebook(job.notebook), parse_notebook(job.skeleton))
        return read_notebook(*notebooks, map(Subject.named, job.subjects), job.modules), run

    return handle


def copy_all(course: Course, samples: dict[Path, Observation], tier: str, count: int, root: Path) -> None:
    """Write `count` copies, and store for each the observation of its original."""
    folder = root / "submissions"
    folder.mkdir()
    originals = list(samples.items())
    with Store(root / "results" / "grader.db") as store:
        for number in range(count):
            path, seen = originals[number % len(originals)]
            own = [name for name, facts in seen.functions.items() if facts.status == "found"]
            data = copy_of(path.read_bytes(), own, number)
            (folder / f"student {number:04}.ipynb").write_bytes(data)
            with (
                mock.patch.object(observe_submission, "handle", with_run(seen.run)),
                mock.patch.object(observe_submission, "make_calls", lambda *_, made=seen.outcomes: made),
            ):
                observe(HandIn(data), course, Refusing(tier), store)


def grade(root: Path, rubric: Path, tier: str, jobs: int) -> tuple[float, float]:
    """Run `grader grade`; return wall seconds and processor seconds."""
    wall, cpu = time.perf_counter(), processor_seconds()
    with mock.patch.object(grade_folder, "choose_sandbox", return_value=Refusing(tier)):
        failed = grade_folder.grade_folder(
            root / "submissions", rubric.stem, ROOT, root / "results", jobs, rubric
        )
    if failed:
        raise SystemExit(f"{failed} submissions were not observed before: this measures nothing")
    return time.perf_counter() - wall, processor_seconds() - cpu


def processor_seconds() -> float:
    """Return what this process has used, and those that it has started and that have ended (the judges)."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def changed_rubric(assignment: str, root: Path) -> Path:
    """Write the rubric with every tolerance doubled."""
    text = (ROOT / "rubrics" / f"{assignment}.yaml").read_text(encoding="utf-8")
    changed = re.sub(r"\brtol: ([0-9.e+-]+)", lambda found: f"rtol: {2 * float(found[1]):g}", text)
    path = root / f"{assignment}.yaml"
    path.write_text(changed, encoding="utf-8")
    return path


def judging(course: Course, samples: dict[Path, Observation]) -> list[float]:
    """Return the processor seconds of judging and scoring each sample from its observation."""
    seconds = []
    for path, observation in samples.items():
        judge_observation.grade(
            path.stem, observation, course
        )  # what is computed once for a course is computed here
        started = time.process_time()
        judge_observation.grade(path.stem, observation, course)
        seconds.append(time.process_time() - started)
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--assignment", default="exercise_11")
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--samples", type=Path, help="a folder of notebooks, if not submissions/<assignment>")
    parser.add_argument("--observed", type=Path, help="results of an earlier run of `grader grade` on them")
    options = parser.parse_args()
    course = load_course(options.assignment, ROOT)
    folder = options.samples or ROOT / "submissions" / options.assignment
    tier, samples = observed(course, folder, options.observed)
    root = Path(tempfile.mkdtemp(prefix="rejudge-"))
    (root / "results").mkdir()
    try:
        copy_all(course, samples, tier, options.submissions, root)
        size = (root / "results" / "grader.db").stat().st_size / 2**20
        first = grade(root, ROOT / "rubrics" / f"{options.assignment}.yaml", tier, options.jobs)
        again = grade(root, changed_rubric(options.assignment, root), tier, options.jobs)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    single = judging(course, samples)
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, {options.jobs} jobs; load average {os.getloadavg()[0]:.1f}"
    )
    print(f"{options.submissions} copies of {len(samples)} submissions, database of {size:.0f} MB")
    print("                                     wall s  processor s  ms of processor a submission")
    for name, (wall, cpu) in (("judged, all pages written", first), ("judged again, new rubric", again)):
        print(f"{name:35}  {wall:6.1f}  {cpu:11.1f}  {1000 * cpu / options.submissions:10.1f}")
    print(
        f"judging one, without its pages: median {1000 * statistics.median(single):.1f} ms, "
        f"largest {1000 * max(single):.1f} ms"
    )


if __name__ == "__main__":
    main()
