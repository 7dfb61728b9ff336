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
from grader.batch.results import Results
from grader.intake.submissions import Submission, find_submissions
from grader.judge.judge_observation import not_graded
from grader.observe.layers import ISOLATED, PLAIN, RESTRICTED
from grader.observe.tiers import choose_sandbox
from grader.plan.load import Course, load_course
from grader.records import Score, Status
from grader.store import Store

LOG = logging.getLogger(__name__)
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
    console = Console(highlight=False)
    environment = course.rubric.environment
    python = str(root.resolve() / environment.python) if environment.python else sys.executable
    with (
        Judges(course, max(2, min(jobs, len(submissions)))) as judges,  # in a process of its own, in any case
        choose_sandbox(environment.preload, environment.minimum_tier, python, unsafe=unsafe) as sandbox,
    ):
        results = Results(out, course.rubric, sandbox.name)
        results.open()
        _warn(sandbox.name)
        with Store(out / "grader.db") as store, choose_progress(len(submissions), console) as display:
            if fresh:
                store.forget()
            earlier = store.get_scores(course.rubric.assignment)
            waiting = [_not_yet(each, course) for each in submissions if each.id not in earlier]
            store.put_scores(course.rubric.assignment, waiting)
            writer = _Writer(results, display)
            try:
                scores = grade_all(submissions, course, sandbox, store, jobs, writer, judges)
            finally:
                everybody = store.get_scores(course.rubric.assignment)
                results.write_course([_dated(everybody[name], writer) for name in sorted(everybody)])
    with _shown():
        closing_words(scores, console)
        others = len(everybody) - len(scores)
        if others:
            console.print(f"The gradebook has {others} more of earlier runs.", soft_wrap=True)
        console.print(f"{out / 'index.html'}", soft_wrap=True)
    return sum(score.status is Status.NOT_GRADED for score in scores)


def _warn(tier: str) -> None:
    """Say on standard error what a lower tier leaves open."""
    if tier == ISOLATED:
        return
    colour = "red" if tier == PLAIN else "yellow"
    Console(stderr=True, highlight=False).print(
        f"[bold {colour}]warning:[/] {WARNINGS[tier]}", soft_wrap=True
    )


def _not_yet(submission: Submission, course: Course) -> Score:
    """Return the row of a submission until it has been graded."""
    score = not_graded(submission.id, "the run has not come to it; give the same command again", course)
    return replace(score, directory=submission.directory)


def _dated(score: Score, writer: _Writer) -> Score:
    """Return a score with a remark if it is of an earlier run, as a row among those of this one."""
    if score.submission in writer.finished_ids or score.status is Status.NOT_GRADED:
        return score
    return replace(score, remarks=(*score.remarks, "Graded in an earlier run."))


class _Writer:
    """Writes each result as soon as it is there, and passes the news on to the display."""

    def __init__(self, results: Results, display: PlainProgress | LiveProgress) -> None:
        self.results = results
        self.display = display
        self.finished_ids: set[str] = set()

    def started(self, submission: Submission) -> None:
        """Pass the news on."""
        with _shown():
            self.display.started(submission)

    def finished(self, graded: Graded) -> None:
        """Write the pages of a submission; of one that was not graded, if they can be written."""
        try:
            self.results.write_submission(graded.submission, graded.score, graded.run)
        except OSError:
            if graded.score.status is not Status.NOT_GRADED:
                raise
            LOG.exception("no page of %s was written", graded.submission.id)
        self.finished_ids.add(graded.submission.id)
        with _shown():
            self.display.finished(graded)


@contextlib.contextmanager
def _shown() -> Iterator[None]:
    """Log what the terminal cannot show, or a closed pipe: it is no reason to give up a result."""
    try:
        yield
    except (OSError, ValueError):
        LOG.exception("the progress was not shown")
