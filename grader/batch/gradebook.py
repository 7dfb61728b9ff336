"""The whole course as the database holds it: a row for everybody, also after a run that graded only some.

A row of an earlier run says so, and why it may not be what would be graded now.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import overload

from grader.attempt import ANOTHER, CHOSEN, COUNTS, COUNTS_NOT, Attempt
from grader.intake.submissions import INSTEAD, ROSTER, SUFFIX, Submission, results_directory
from grader.records import Score, Status
from grader.store import KeptScore, Store

EARLIER = "Of an earlier run."
OTHER_COURSE = (
    "Judged with another version of the course, of grader, or of a package: grade the whole folder again."
)
GONE = "It is no longer in the folder that was graded."


def with_own_name(late: Submission, sources: Mapping[str, str]) -> Submission:
    """Return a single notebook under its name of an earlier run, or under one that no other hand-in has.

    `sources` are the paths of what was handed in, by submission: a file of the same name from elsewhere is
    another hand-in.
    """
    for name, source in sources.items():
        if source == late.source:
            return replace(late, id=name, directory=results_directory(name))
    others = [name for name, source in sources.items() if source not in ("", ROSTER)]
    names = {name.casefold() for name in others}
    directories = {results_directory(name).casefold() for name in others}
    name, number = late.id, 1
    while name.casefold() in names or results_directory(name).casefold() in directories:
        number += 1
        name = f"{late.id}-{number}"
    if number == 1:
        return late
    told = f"{ANOTHER} {late.id}. It may be of the same student."
    return replace(late, id=name, directory=results_directory(name), remark=f"{late.remark}\n{told}".strip())


def recounted(score: Score, attempt: Attempt) -> Score:
    """Return a score with another attempt, and with what is told of whether it counts."""
    remarks = []
    for remark in score.remarks:
        without = remark
        for words in (COUNTS, COUNTS_NOT, CHOSEN):
            without = without.replace(words, "")
        remarks.append(without.strip())
    return replace(score, attempt=attempt, remarks=(*filter(None, remarks), attempt.standing))


def is_replaced(source: str, submission: Submission) -> bool:
    """Whether a row is of another file than the submission of its name, and of one that is still there."""
    return source not in ("", ROSTER, submission.source) and os.path.exists(source)  # noqa: PTH110 -- no error


@dataclass(frozen=True)
class Rows(Sequence[Score]):
    """The scores of an assignment with remarks, read from the database each time that they are gone through.

    `finished` are the submissions of this run, `course` the digest of the course that judged them. `inside`
    is the folder that was graded and `there` what it holds; both are empty for a single file. What joins the
    course later, such as a late notebook or a folder of them, says nothing of the other rows.
    """

    store: Store
    assignment: str
    course: str
    finished: Collection[str]
    inside: str = ""
    there: Collection[str] = ()

    def __iter__(self) -> Iterator[Score]:
        return (self._row(kept) for kept in self.store.kept_scores(self.assignment))

    def __len__(self) -> int:
        return len(self.store.sources(self.assignment))

    @overload
    def __getitem__(self, index: int) -> Score: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Score]: ...
    def __getitem__(self, index: int | slice) -> Score | Sequence[Score]:
        return list(self)[index]

    @functools.cached_property
    def is_most(self) -> bool:
        """Whether this run is one of the course, and not of a few hand-ins that join it."""
        rows = self.store.sources(self.assignment)
        handed_in = [name for name, source in rows.items() if source != ROSTER]
        return bool(self.inside) and 2 * sum(name in self.there for name in handed_in) >= len(handed_in)

    def _row(self, kept: KeptScore) -> Score:
        score = kept.score
        if score.submission in self.finished:
            return score
        remarks = [EARLIER] if self.is_most and score.status is not Status.NOT_GRADED else []
        if score.status is Status.GRADED and kept.course and kept.course != self.course:
            remarks.append(OTHER_COURSE)
        if (
            self.inside
            and kept.source.startswith(self.inside + os.sep)
            and score.submission not in self.there
        ):
            remarks.append(GONE)
        return replace(score, remarks=(*score.remarks, *remarks))


def no_longer_absent(
    sources: Mapping[str, str], submissions: Sequence[Submission], *, roster: bool
) -> list[str]:
    """Return the rows of a roster that are to be dropped, as those students have handed something in.

    Without a `roster`, who else has handed in meanwhile is not known.
    """
    absent = {each.id for each in submissions if each.absent}
    handed_in = {each.id for each in submissions} - absent
    rows = [name for name, source in sources.items() if source == ROSTER]
    return [name for name in rows if name in handed_in or (roster and name not in absent)]


def replaced_by_notebooks(sources: Mapping[str, str], submissions: Sequence[Submission]) -> list[str]:
    """Return the rows of folders and files without a notebook in whose place there is one now."""
    names = {each.id for each in submissions}
    notebooks = {each.source for each in submissions if not each.missing and not each.absent}
    folders = {str(folder) for source in notebooks for folder in PurePath(source).parents}
    rows = []
    for name, source in sources.items():
        stem = INSTEAD.sub("", source)  # of anna.zip
        if name not in names and (
            source in folders or (stem != source and (stem in folders or stem + SUFFIX in notebooks))
        ):
            rows.append(name)
    return rows
