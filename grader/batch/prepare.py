"""What a run begins with: the submissions as they are called, whose they are, and a row for each.

A score that is not there yet is put as not graded, so that nobody is missing, whatever becomes of the run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.attempt import NOBODY, SEVERAL
from grader.batch.gradebook import (
    is_replaced,
    no_longer_absent,
    recounted,
    replaced_by_notebooks,
    with_own_name,
)
from grader.batch.results import Results
from grader.batch.write_pages import write_pages_of
from grader.counted import counted, listed
from grader.course.score import score_nothing
from grader.intake.archives import Opened
from grader.intake.attempts import UNREAD, Rules, unknown_extensions, with_attempts
from grader.intake.submissions import ROSTER, Submission, source_of
from grader.intake.teams import several_works
from grader.plan.plan import Course
from grader.records import Status
from grader.store import KeptScore, Store

MAX_NAMES = 5
NOT_YET = "Not graded yet: grade the folder again."


@dataclass(frozen=True)
class Where:
    """What was handed in, which of it counts, the results, and the files that are the course's."""

    handed_in: Opened
    rules: Rules
    out: Path
    left_out: Sequence[str]


def prepared(
    submissions: list[Submission], course: Course, store: Store, where: Where, warn: Callable[[str], None]
) -> list[Submission]:
    """Return the submissions, as they are called, and who of the roster has none; see that each has a row."""
    name = course.rubric.assignment
    sources = store.sources(name)
    if where.handed_in.folder.is_file():
        submissions = [with_own_name(submissions[0], sources), *submissions[1:]]
    replaced = replaced_by_notebooks(sources, submissions)
    rows = [row for row in store.kept_scores(name) if row.score.submission not in replaced]
    rules = replace(where.rules, chosen={row.score.submission for row in rows if row.score.attempt.chosen})
    here = {each.id for each in submissions}
    earlier = [
        of_earlier_run(row, where.handed_in.folder)
        for row in rows
        if row.source != ROSTER and row.score.submission not in here
    ]
    found = with_attempts(submissions, where.handed_in, rules, earlier)
    of_earlier_runs = {each.id for each in earlier}
    recount = [each for each in found if each.id in of_earlier_runs]
    submissions = [each for each in found if each.id not in of_earlier_runs]

    dropped = no_longer_absent(sources, submissions, roster=where.rules.roster is not None) + replaced
    store.drop_scores(name, dropped)
    elsewhere = [each for each in submissions if is_replaced(sources.get(each.id, ""), each)]
    if elsewhere:
        first = elsewhere[0]
        warn(
            f"other files were graded before under the names of {counted(len(elsewhere), 'submission')}, "
            f"whose rows are replaced: {first.id} was {sources[first.id]}. To keep both, give another --out"
        )
    new = [each for each in submissions if each.id not in sources or each.id in dropped]
    waiting = [
        replace(
            score_nothing(each.id, course.rubric, Status.NOT_GRADED, NOT_YET),
            directory=each.directory,
            attempt=each.attempt,
        )
        for each in new
    ]
    store.put_scores(name, waiting, "", {each.id: each.source for each in new}, only_new=True)
    workers = store.workers(name)
    for each in recount:
        kept = store.get_score(name, each.id)
        if kept is not None and kept.judged is not None:
            score = recounted(kept.judged, each.attempt)
            store.put_scores(name, [score], kept.course, {each.id: kept.source}, workers.get(each.id, ""))
            decided = store.get_score(name, each.id)
            if decided is not None:
                write_pages_of(Results(where.out, course.rubric, score.tier), store, decided.score)
    return submissions


def of_earlier_run(row: KeptScore, folder: Path | None = None) -> Submission:
    """Return what an earlier run graded; what has gone from the `folder` since is no notebook any more."""
    score = row.score
    gone = folder is not None and folder.is_dir() and row.source.startswith(source_of(folder) + os.sep)
    is_notebook = score.status in (Status.GRADED, Status.NOT_GRADED) and not gone
    return Submission(
        score.submission,
        Path(row.source),
        score.directory,
        missing="" if is_notebook else "no notebook",
        attempt=score.attempt,
    )


def tell_intake(submissions: Sequence[Submission], where: Where, warn: Callable[[str], None]) -> None:
    """Tell what a person should look at before the notebooks run: names, and times that are missing."""
    roster = where.rules.roster
    if roster is not None:
        for words in roster.told:
            warn(words)
        _warn_of_some(roster.unread, warn, "more times of the roster cannot be read")

    def told(*begin: str) -> list[str]:
        lines = ((each.id, line) for each in submissions for line in each.remark.splitlines())
        return [f"{name}: {line}" for name, line in lines if line.startswith(begin)]

    unread = told(UNREAD)
    _warn_of_some(unread, warn, "more times cannot be read: see index.html")
    unknown = told(NOBODY, SEVERAL)
    _warn_of_some(unknown, warn, "more hand-ins are of nobody of the roster: see index.html")
    if roster is not None:
        _warn_of_some(several_works(submissions, roster), warn, "more teams have several different notebooks")
    if where.handed_in.folder.is_dir():
        for words in unknown_extensions(where.rules, submissions):
            warn(words)
    if where.rules.deadline is not None:
        timeless = [each for each in submissions if not each.attempt.time and not each.absent]
        if timeless:
            names = [each.attempt.name or each.id for each in timeless]
            warn(
                f"nothing says when {counted(len(timeless), 'hand-in')} came ({listed(names, MAX_NAMES)}), "
                "so the deadline does not count there: give a roster with the times in a column "
                "'handed in', or --file-times"
            )


def _warn_of_some(lines: Sequence[str], warn: Callable[[str], None], more: str) -> None:
    for line in lines[:MAX_NAMES]:
        warn(line)
    if len(lines) > MAX_NAMES:
        warn(f"{len(lines) - MAX_NAMES} {more}")
