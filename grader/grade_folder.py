"""`grader grade`: a folder of submissions becomes a folder of results."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from grader.batch import Graded, grade_all
from grader.flow import load_course
from grader.judges import Judges
from grader.observe.layers import ISOLATED, PLAIN, RESTRICTED
from grader.observe.tiers import choose_sandbox
from grader.progress import LiveProgress, PlainProgress, choose_progress, closing_words
from grader.records import Score, Status
from grader.results import Results
from grader.store import Store
from grader.submissions import Submission, find_submissions

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
        Judges(course, min(jobs, len(submissions))) as judges,
        choose_sandbox(environment.preload, environment.minimum_tier, python, unsafe=unsafe) as sandbox,
    ):
        results = Results(out, course.rubric, sandbox.name)
        results.open()
        _warn(sandbox.name)
        with Store(out / "grader.db") as store, choose_progress(len(submissions), console) as display:
            if fresh:
                store.forget()
            writer = _Writer(results, submissions, display)
            try:
                grade_all(submissions, course, sandbox, store, jobs, writer, judges)
            finally:
                writer.write_course()
    scores = list(writer.scores.values())
    closing_words(scores, console)
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


class _Writer:
    """Writes each result as soon as it is there, and passes the news on to the display."""

    def __init__(
        self, results: Results, submissions: list[Submission], display: PlainProgress | LiveProgress
    ) -> None:
        self.results = results
        self.submissions = submissions
        self.display = display
        self.finished_scores: dict[str, Score] = {}

    def started(self, submission: Submission) -> None:
        """Pass the news on."""
        self.display.started(submission)

    def finished(self, graded: Graded) -> None:
        """Write the pages of a submission."""
        self.results.write_submission(graded.submission, graded.score, graded.run)
        self.finished_scores[graded.submission.id] = graded.score
        self.display.finished(graded)

    @property
    def scores(self) -> Mapping[str, Score]:
        """The scores so far, in the order of the submissions."""
        ids = [submission.id for submission in self.submissions]
        return {
            identity: self.finished_scores[identity] for identity in ids if identity in self.finished_scores
        }

    def write_course(self) -> None:
        """Write the gradebook and the course page of what is finished."""
        if self.finished_scores:
            self.results.write_course(self.submissions, list(self.scores.values()))
