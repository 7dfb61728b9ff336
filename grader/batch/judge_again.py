"""`grader regrade`: judges submissions again, or one question of them; what people decided stays.

What was observed is kept, so that this runs no code of a student, unless the hand-in, the course or grader is
another one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from grader.attempt import Attempt
from grader.batch.judges import Judges
from grader.batch.pool import Graded, grade_all
from grader.batch.results import Results, close_results, open_results
from grader.errors import UsageError
from grader.final import summary_of
from grader.intake.submissions import ROSTER, Submission, find_submissions, results_directory
from grader.observe.tiers import choose_sandbox
from grader.plan.plan import Course
from grader.records import Score, Status
from grader.store import Store


def judge_again(
    names: Sequence[str],
    question: str | None,
    course: Course,
    root: Path,
    out: Path,
    store: Store,
    told: Callable[[str], None],
    *,
    jobs: int,
    unsafe: bool,
) -> int:
    """Judge submissions again; return how many were not graded through our fault. Raises UsageError.

    With a `question`, the others keep what was judged of them. `told` is called with a line for each result.
    """
    rubric = course.rubric
    if question is not None and question not in {each.id for each in rubric.questions}:
        ids = ", ".join(each.id for each in rubric.questions)
        raise UsageError(f"there is no question {question!r}; there are: {ids}")
    sources = store.sources(rubric.assignment)
    kept = {name: store.get_score(rubric.assignment, name) for name in names}
    submissions = [
        replace(
            _handed_in(name, sources.get(name, ""), out), attempt=each.score.attempt if each else Attempt()
        )
        for name, each in kept.items()
    ]
    open_results(out)
    environment = rubric.environment
    python = str(root.resolve() / environment.python) if environment.python else sys.executable
    try:
        with (
            Judges(course, jobs=max(2, jobs)) as judges,
            choose_sandbox(environment.preload, environment.minimum_tier, python, unsafe=unsafe) as sandbox,
        ):
            listener = _Listener(Results(out, rubric, sandbox.name), store, told)
            merge = _merger(store, rubric.assignment, question)
            grade_all(submissions, course, sandbox, store, jobs, listener, judges, merge)
            scores = [kept.score for kept in store.kept_scores(rubric.assignment)]
            Results(out, rubric, sandbox.name).write_course(scores, store.workers(rubric.assignment))
    finally:
        close_results(out)
    return listener.faults


def _handed_in(name: str, source: str, out: Path) -> Submission:
    """Return a submission of an earlier run as it was found then; raise UsageError if it is gone."""
    if source == ROSTER:
        raise UsageError(f"{name} has handed in nothing")
    if not source or not Path(source).exists():
        where = source or "an earlier version did not keep where"
        raise UsageError(f"what {name} handed in is not there any more ({where}); grade the folder again")
    path = Path(source)
    if path.is_file() and path.suffix.lower() == ".ipynb":
        found = find_submissions(path, out)[0]
        return replace(found, id=name, directory=results_directory(name))
    missing = "what was handed in is no notebook"
    return Submission(name, path, results_directory(name), missing=missing)


def _merger(store: Store, assignment: str, question: str | None) -> Callable[[Score], Score]:
    """Return what makes a new score of one in which only a question may change."""

    def merge(score: Score) -> Score:
        kept = store.get_score(assignment, score.submission) if question is not None else None
        if kept is None or kept.judged is None:
            return score
        before = {each.id: each for each in kept.judged.questions}
        if Status.GRADED not in (kept.judged.status, score.status) or not before:
            return score
        questions = tuple(
            each if each.id == question else before.get(each.id, each) for each in score.questions
        )
        merged = replace(score, questions=questions)
        return replace(merged, summary=summary_of(questions)) if score.status is Status.GRADED else score

    return merge


class _Listener:
    """Writes the pages of each result, and tells of it."""

    def __init__(self, results: Results, store: Store, told: Callable[[str], None]) -> None:
        self.results = results
        self.store = store
        self.told = told
        self.faults = 0

    def started(self, submission: Submission) -> None:
        """Do nothing."""

    def finished(self, graded: Graded) -> None:
        """Write the pages of a submission with what people decided."""
        kept = self.store.get_score(self.results.rubric.assignment, graded.submission.id)
        score = kept.score if kept is not None else graded.score
        self.results.write_submission(graded.submission, score, graded.run)
        self.faults += score.status is Status.NOT_GRADED
        shown = score.message or f"{score.points:.4g} of {score.max_points:.4g} points"
        self.told(f"{score.submission}: {shown}")
