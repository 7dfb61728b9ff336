"""The roster of a course: who of it handed in nothing.

A roster is a table (CSV) with a line of headings, such as a learning platform exports. A line of it is one
student, called by its first cell (by all of them where another student has the same first cell). A submission
is that student's if a part of its path is one of the cells, or two of them, such as first and last name.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePosixPath

from grader.errors import UsageError
from grader.intake.submissions import COPY, Submission, one_line

NUMBERED = re.compile(r"(.+?)_\d+_")  # as Moodle and Canvas name what a student hands in
MAX_CELLS = 8  # of a line: whoever has more, has no more names in them


def read_roster(roster: Path) -> list[list[str]]:
    """Return the cells of each student; raises UsageError if the roster cannot be read."""
    try:
        data = roster.read_bytes()
    except OSError as error:
        raise UsageError(f"the roster {roster} cannot be read: {error.strerror}") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    try:
        first = text.splitlines()[0] if text.strip() else ""
        delimiter = max(",;\t", key=first.count)
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))[1:]
    except csv.Error as error:
        raise UsageError(f"the roster {roster} is no table (CSV): {error}") from error
    students = [[cell.strip() for cell in line if cell.strip()][:MAX_CELLS] for line in lines]
    if not any(students):
        raise UsageError(f"the roster {roster} has no students: a line of headings, then a line for each")
    return [cells for cells in students if cells]


def absent_students(students: Sequence[Sequence[str]], handed_in: Collection[str]) -> list[Submission]:
    """Return a submission, with the reason why it is none, for each student without one.

    `handed_in` are the names of all submissions of the course, those of earlier runs included.
    """
    called = [
        {_key(name) for name in (*cells, *map(" ".join, itertools.permutations(cells, 2)))}
        for cells in students
    ]
    distinct = {tuple(cells): names for cells, names in zip(students, called, strict=True)}
    counts = Counter(itertools.chain.from_iterable(distinct.values()))
    of_one = {name for name, count in counts.items() if count == 1}
    # A name that several students share, such as that of a group, counts for all of them; but not where the
    # submission is that of one of them, as group/anna/hw is Anna's.
    theirs = set[str]()
    for identity in handed_in:
        names = set(map(_key, _names(identity)))
        theirs |= names & of_one or names

    taken = {name.casefold() for name in handed_in}
    firsts = Counter(cells[0].casefold() for cells in distinct)
    absent: dict[str, Submission] = {}
    for cells, names in distinct.items():
        if names.isdisjoint(theirs):
            name = one_line(cells[0] if firsts[cells[0].casefold()] == 1 else ", ".join(cells))
            name = f"{name} (roster)" if name.casefold() in taken else name
            absent[name] = Submission(name, Path(), "", absent="nothing was handed in")
    return list(absent.values())


def _names(identity: str) -> Iterator[str]:
    """Yield what a submission may be called in a roster: parts of its path, without what platforms add."""
    for part in identity.split("/"):
        yield part
        yield COPY.sub("", PurePosixPath(part).stem)
        if numbered := NUMBERED.match(part):
            yield numbered[1]


def _key(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())
