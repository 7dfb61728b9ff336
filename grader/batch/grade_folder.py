"""`grader grade`: a folder of submissions becomes a folder of results."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from grader.batch.judges import Judges
from grader.batch.pool import Graded, grade_all
from grader.batch.progress import LiveProgress, PlainProgress, choose_progress, closing_words
from grader.batch.results import Results, open_results
from grader.intake.submissions import Submission, find_submissions
from grader.judge.judge_observation import not_graded
from grader.observe.layers import ISOLATED, PLAIN, RESTRICTED, Tier
from grader.observe.tiers import choose_sandbox
from grader.plan.load import load_course
from grader.plan.plan import Course
from grader.records import Score, Status
from grader.store import Store
from grader.verify.proof import refuse_wrong_reference

LOG = logging.getLogger(__name__)
LOG_FILE = "grader.log"
WARNINGS = {
    RESTRICTED: "the notebooks run in the tier restricted: no namespaces; see `grader doctor`",
    PLAIN: "the notebooks run in the tier plain, WITHOUT WALLS: they can read and do what you can; "
    "see `grader doctor`",
}


def grade_folder(
    folder: Path,
    assignment: str,
    root: Path,
    out: Path,
    jobs: int,
    rubric: Path | None = None,
    *,
    fresh: bool = False,
    unsafe: bool = False,
) -> int:
    """Grade every notebook in `folder` into `out`; return how many were not graded through our fault."""
    submissions = find_submissions(folder)
    course = load_course(assignment, root, rubric)
    refuse_wrong_reference(course)
    open_results(out)
    with _log_file(out / LOG_FILE):
        return _grade(submissions, course, root, out, jobs, fresh=fresh, unsafe=unsafe)


def _grade(
    submissions: list[Submission],
    course: Course,
    root: Path,
    out: Path,
    jobs: int,
    *,
    fresh: bool,
    unsafe: bool,
) -> int:
    console = Console(highlight=False)
    environment = course.rubric.environment
    python = str(root.resolve() / environment.python) if environment.python else sys.executable
    judge_jobs = max(2, min(jobs, len(submissions)))  # from 2 on, judging has a process of its own
    with (
        Judges(course, judge_jobs) as judges,
        choose_sandbox(environment.preload, environment.minimum_tier, python, unsafe=unsafe) as sandbox,
    ):
        results = Results(out, course.rubric, sandbox.name)
        if sandbox.name != ISOLATED:
            colour = "red" if sandbox.name == PLAIN else "yellow"
            warning = f"[bold {colour}]warning:[/] {WARNINGS[Tier(sandbox.name)]}"
            Console(stderr=True, highlight=False).print(warning, soft_wrap=True)
        with Store(out / "grader.db") as store, choose_progress(len(submissions), console) as display:
            if fresh:
                store.forget()
            # An interrupted run must leave a row for every submission, also for those it did not reach.
            earlier = store.get_scores(course.rubric.assignment)
            reason = "the run has not come to it; give the same command again"
            waiting = [
                replace(not_graded(submission.id, reason, course), directory=submission.directory)
                for submission in submissions
                if submission.id not in earlier
            ]
            store.put_scores(course.rubric.assignment, waiting)
            writer = _Writer(results, display)
            try:
                scores = grade_all(submissions, course, sandbox, store, jobs, writer, judges)
            finally:
                gradebook = store.get_scores(course.rubric.assignment)
                rows = [_mark_earlier(gradebook[id_], writer.finished_ids) for id_ in sorted(gradebook)]
                results.write_course(rows)
    with _logged_only():
        closing_words(scores, console)
        others = len(gradebook) - len(scores)
        if others:
            console.print(f"The gradebook has {others} more of earlier runs.", soft_wrap=True)
        faults = sum(score.status is Status.NOT_GRADED for score in scores)
        if faults:
            console.print(f"What went wrong through our fault is in {out / LOG_FILE}.", soft_wrap=True)
        console.print(f"{out / 'index.html'}", soft_wrap=True)
    return faults


@contextlib.contextmanager
def _log_file(path: Path) -> Iterator[None]:
    """Write what goes wrong to a file, with tracebacks; the file is there only if something does."""
    handler = logging.FileHandler(path, encoding="utf-8", errors="replace", delay=True)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("grader")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()


def _mark_earlier(score: Score, finished_ids: set[str]) -> Score:
    """Return a score for the gradebook, with a remark if it was not made in this run."""
    if score.submission in finished_ids or score.status is Status.NOT_GRADED:
        return score
    return replace(score, remarks=(*score.remarks, "Graded in an earlier run."))


class _Writer:
    """The listener of a run: writes the pages of each result at once, and updates the display."""

    def __init__(self, results: Results, display: PlainProgress | LiveProgress) -> None:
        self.results = results
        self.display = display
        self.finished_ids: set[str] = set()

    def started(self, submission: Submission) -> None:
        """Update the display."""
        with _logged_only():
            self.display.started(submission)

    def finished(self, graded: Graded) -> None:
        """Write the pages of a submission; raise OSError if they cannot be written.

        If it was not graded, that may be the reason why, so the error is only logged.
        """
        try:
            self.results.write_submission(graded.submission, graded.score, graded.run)
        except OSError:
            if graded.score.status is not Status.NOT_GRADED:
                raise
            LOG.exception("no page of %s was written", graded.submission.id)
        self.finished_ids.add(graded.submission.id)
        with _logged_only():
            self.display.finished(graded)


@contextlib.contextmanager
def _logged_only() -> Iterator[None]:
    """Log an error of the terminal, such as a closed pipe: the run must not lose a result because of it."""
    try:
        yield
    except (OSError, ValueError):
        LOG.exception("the progress was not shown")
