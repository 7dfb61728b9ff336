"""The progress of `grader grade`: a live display in a terminal, one line for each result elsewhere."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from grader.batch.pool import Graded
from grader.intake.submissions import Submission
from grader.records import Score, Status
from grader.report.terminal import COLOURS, headline

MAX_NAMES = 3


class PlainProgress:
    """One line for each finished submission."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def started(self, submission: Submission) -> None:
        """Print nothing: in a log, one line for each result is enough."""

    def finished(self, graded: Graded) -> None:
        """Print the result in one line."""
        self.done += 1
        score = graded.score
        points = (
            score.message
            if score.status is Status.NOT_GRADED
            else f"{score.points:.4g} of {score.max_points:.4g} points"
        )
        print(f"[{self.done}/{self.total}] {score.submission}: {score.summary.value}, {points}", flush=True)


class LiveProgress:
    """A progress bar with the names of running submissions; results are printed above it."""

    def __init__(self, total: int, console: Console) -> None:
        columns = (
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}", style="dim"),
        )
        self.progress = Progress(*columns, console=console, transient=True)
        self.task = self.progress.add_task("starting", total=total)
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
        self.progress.console.print(f"{escape(graded.score.submission)}  {headline(graded.score)}")
        self.progress.advance(self.task)

    def _describe(self) -> None:
        """Show the names of the running submissions beside the bar."""
        names = list(self.running)
        more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
        self.progress.update(self.task, description=escape(", ".join(names[:MAX_NAMES]) + more))


def choose_progress(total: int, console: Console) -> PlainProgress | LiveProgress:
    """Return a live display if the output goes to a terminal, else a plain one."""
    return (
        LiveProgress(total, console) if console.is_terminal and sys.stdout.isatty() else PlainProgress(total)
    )


def closing_words(scores: list[Score], console: Console) -> None:
    """Print how many submissions there are of each result."""
    counts = Counter(score.summary for score in scores)
    parts = [
        f"[{COLOURS[kind]}]{counts[kind]} {kind.value.replace('_', ' ')}[/]"
        for kind in COLOURS
        if counts[kind]
    ]
    noun = "submission" if len(scores) == 1 else "submissions"
    console.print(f"\n{len(scores)} {noun}: " + ", ".join(parts), soft_wrap=True)
