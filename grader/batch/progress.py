"""The progress of `grader grade`: a live display in a terminal, one line for each result elsewhere."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn

from grader.batch.pool import Graded
from grader.batch.tally import Tally, duration
from grader.course.rubric import Rubric
from grader.intake.submissions import Submission
from grader.records import Status
from grader.report.terminal import COLOURS, headline

MAX_NAMES = 3
NARROW = 72  # columns; below, the bar and the names of what runs are left out
PACE_SECONDS = 30.0  # between two lines on the pace
SLOW = 5.0  # seconds; what takes longer is named at the end


class PatientConsole(Console):
    """A console that says nothing more once nobody reads it; rich would end the process."""

    def on_broken_pipe(self) -> None:
        """Be quiet from now on."""
        self.quiet = True


class PlainProgress:
    """One line for each finished submission, and now and then one on the pace."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.running: dict[str, None] = {}
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.telling = threading.Thread(target=self._tell, daemon=True)

    def __enter__(self) -> Self:
        self.telling.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended.set()
        self.telling.join()

    def started(self, submission: Submission) -> None:
        """Print nothing: in a log, one line for each result is enough."""
        with self.lock:
            self.running[submission.id] = None

    def finished(self, graded: Graded) -> None:
        """Print the result in one line."""
        tally, score = self.tally, graded.score
        points = (
            score.message
            if score.status is Status.NOT_GRADED
            else f"{score.points:.4g} of {score.max_points:.4g} points"
        )
        at = f", on {graded.worker}" if graded.worker else ""
        shown = f"{score.submission}: {score.summary.value}, {points}{at}"
        with self.lock:
            self.running.pop(score.submission, None)
            print(f"[{tally.done}/{tally.total}] {shown}", flush=True)

    def _tell(self) -> None:
        """Print the pace and what runs, until the end; in a thread, as nothing may finish for long."""
        tally = self.tally
        while not self.ended.wait(PACE_SECONDS):
            with contextlib.suppress(OSError, ValueError), self.lock:  # nobody may read it any more
                pace = ": ".join(filter(None, [duration(tally.seconds), tally.pace()]))
                print(f"{tally.done} of {tally.total} in {pace}; now {_names(self.running)}", flush=True)


class LiveProgress:
    """A progress bar with the pace and the names of running submissions; results are printed above it."""

    def __init__(self, tally: Tally, console: Console) -> None:
        self.wide = console.width >= NARROW
        columns: list[ProgressColumn] = [BarColumn(bar_width=24)] if self.wide else []
        columns += [MofNCompleteColumn(), TextColumn("{task.fields[pace]}")]
        if self.wide:
            columns.append(TextColumn("{task.description}", style="dim"))
        self.tally = tally
        self.progress = Progress(*columns, console=console, transient=True)
        self.task = self.progress.add_task("starting", total=tally.total, pace="")
        self.running: dict[str, None] = {}
        self.lock = threading.Lock()

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def started(self, submission: Submission) -> None:
        """Add a submission to those beside the bar."""
        with self.lock:
            self.running[submission.id] = None
            self._describe()

    def finished(self, graded: Graded) -> None:
        """Print the result above the bar."""
        with self.lock:
            self.running.pop(graded.submission.id, None)
            self._describe()
        at = f"  [dim]{escape(graded.worker)}[/]" if graded.worker else ""
        self.progress.console.print(f"{escape(graded.score.submission)}  {headline(graded.score)}{at}")
        self.progress.update(self.task, completed=self.tally.done, pace=self.tally.pace())

    def _describe(self) -> None:
        """Show the names of the running submissions beside the bar."""
        self.progress.update(self.task, description=escape(_names(self.running)))


def _names(running: Iterable[str]) -> str:
    """Return the names of some running submissions."""
    names = list(running)
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return ", ".join(names[:MAX_NAMES]) + more


def choose_progress(tally: Tally, console: Console) -> PlainProgress | LiveProgress:
    """Return a live display if the output goes to a terminal, else a plain one."""
    live = console.is_terminal and not console.is_dumb_terminal and sys.stdout.isatty()
    return LiveProgress(tally, console) if live else PlainProgress(tally)


def closing_words(tally: Tally, console: Console, rubric: Rubric) -> None:
    """Print what took longest, who was late, what needs a person, and how many there are of each result."""
    console.print()
    pipe = not console.is_terminal  # where a line stays one; a terminal breaks it between words
    slow = [(seconds, name) for seconds, name in sorted(tally.slowest, reverse=True) if seconds > SLOW]
    if slow:
        shown = ", ".join(f"{escape(name)} ({duration(seconds)})" for seconds, name in slow)
        console.print(f"In {duration(tally.seconds)}, {tally.pace()}; the slowest: {shown}", soft_wrap=pipe)
    for line in tally.lateness(rubric):
        console.print(escape(line), soft_wrap=pipe)
    for line in tally.needs_a_person():
        console.print(f"For a person: {escape(line)}", soft_wrap=pipe)
    if tally.workers:
        shown = ", ".join(f"{escape(name)} ({count})" for name, count in tally.workers.most_common())
        console.print(f"Graded on: {shown}", soft_wrap=pipe)
    parts = [
        f"[{COLOURS[kind]}]{tally.summaries[kind]} {kind.value.replace('_', ' ')}[/]"
        for kind in COLOURS
        if tally.summaries[kind]
    ]
    noun = "submission" if tally.done == 1 else "submissions"
    console.print(f"{tally.done} {noun}: " + ", ".join(parts), soft_wrap=pipe)
