"""The roster of a course: who of it handed in nothing.

A roster is a table (CSV) with a line of headings, such as a learning platform exports. A line of it is one
student, called by its first cell; a submission is that student's if a part of its path is one of the cells,
or two of them, such as first and last name.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from grader.errors import UsageError
from grader.intake.submissions import COPY, Submission, one_line

NUMBERED = re.compile(r"(.+?)_\d+_")  # as Moodle and Canvas name what a student hands in
MAX_CELLS = 8  # of a line: whoever has more, has no more names in them


def absent_students(roster: Path, submissions: Sequence[Submission]) -> list[Submission]:
    """Return a submission, with the reason why it is none, for each student without one.

    Raises UsageError if the roster cannot be read.
    """
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

    handed_in = {_key(name) for each in submissions for name in _names(each.id)}
    taken = {each.id.casefold() for each in submissions}
    absent: dict[str, Submission] = {}
    for cells in filter(None, students):
        pairs = (" ".join(pair) for pair in itertools.permutations(cells, 2))
        if handed_in.isdisjoint(map(_key, (*cells, *pairs))):
            name = one_line(cells[0])
            name = f"{name} (roster)" if name.casefold() in taken else name
            absent[name] = Submission(name, roster, "", absent="nothing was handed in")
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
