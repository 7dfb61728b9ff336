"""Writes the pages and the gradebook anew from the database, after people have decided; runs nothing."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from grader.batch.results import Results, close_results, open_results
from grader.course.rubric import Rubric
from grader.intake.submissions import Submission, results_directory
from grader.records import Score
from grader.store import Store


def write_pages(out: Path, store: Store, rubric: Rubric, submissions: Collection[str] | None = None) -> int:
    """Write the feedback of submissions (None: of all) and the gradebook; return how many have pages.

    Raises ResultsError if the folder cannot be written to.
    """
    open_results(out)
    name, written, tier = rubric.assignment, 0, "plain"
    try:
        for kept in store.kept_scores(name):
            tier = kept.score.tier or tier
            if submissions is None or kept.score.submission in submissions:
                written += write_pages_of(Results(out, rubric, kept.score.tier or tier), store, kept.score)
        scores = [kept.score for kept in store.kept_scores(name)]
        Results(out, rubric, tier).write_course(scores, store.workers(name))
    finally:
        close_results(out)
    return written


def write_pages_of(results: Results, store: Store, score: Score) -> bool:
    """Write the pages of a submission; return whether it has some."""
    directory = score.directory or results_directory(score.submission)
    if not (results.out / directory).is_dir():
        return False  # nothing was handed in, or its run has not come yet
    run = store.run_of(results.rubric.assignment, score.submission)
    submission = Submission(score.submission, results.out, directory)
    if run is None and (results.out / directory / "notebook.html").is_file():
        return False  # graded by an earlier version, which did not say what the run was
    results.write_submission(submission, score, run)
    return True
