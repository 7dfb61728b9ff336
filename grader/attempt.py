"""Whose a hand-in is, when it came, and whether it is the one that counts.

A student may hand in several times, and a hand-in may be that of several students.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

COUNTS, COUNTS_NOT, CHOSEN = "This hand-in counts.", "This hand-in does not count.", "A person chose it."

# How remarks begin that name other students or their files: no student reads them.
NOBODY, SEVERAL = "Nobody of the roster is called", "Several of the roster may be"
PERHAPS, ANOTHER = "Perhaps of the same student:", "Another file of this name was graded before:"
FOR_STAFF = (NOBODY, SEVERAL, PERHAPS, ANOTHER)

KINDS = ("id", "email", "login", "platform_id", "name")  # of what tells students apart, the surest first


@dataclass(frozen=True)
class Student:
    """A student as the learning platform and the roster say; '' for what they do not say.

    `platform_id` is the number by which the platform knows the student, `login` the name of an account.
    """

    name: str = ""
    id: str = ""
    email: str = ""
    platform_id: str = ""
    login: str = ""

    @property
    def key(self) -> str:
        """What tells this student from all others of a course."""
        for kind in KINDS:
            if value := getattr(self, kind):
                return f"{kind}:{value.casefold()}"
        return ""

    @property
    def shown(self) -> str:
        """What to call the student."""
        return self.name or self.login or self.email or self.id or self.platform_id


@dataclass(frozen=True)
class Attempt:
    """A hand-in among those of its students.

    `time` is ISO 8601, '' if it is not known. `late_seconds` is 0 in time, None if it was late and nobody
    knows how late. `counts` says whether it is the one that counts, `chosen` that a person decided so.
    `platform` is where it was handed in, `prefix` how the platform began the names of its files.
    """

    students: tuple[Student, ...] = ()
    time: str = ""
    late_seconds: float | None = 0.0
    counts: bool = True
    chosen: bool = False
    platform: str = ""
    prefix: str = ""

    @property
    def standing(self) -> str:
        """Whether it counts among several, in words."""
        if not self.counts:
            return COUNTS_NOT
        return f"{COUNTS} {CHOSEN}" if self.chosen else COUNTS

    @property
    def name(self) -> str:
        """The names of the students, '' if none is known."""
        return ", ".join(filter(None, (student.shown for student in self.students)))


def keys_by_number(attempts: Iterable[Attempt]) -> dict[tuple[str, str], str]:
    """Return the keys of students by platform and number there.

    One run may know a student by the number alone, and another one, with a roster, by more.
    """
    found: dict[tuple[str, str], str] = {}
    for attempt in attempts:
        for student in attempt.students if attempt.platform else ():
            if student.platform_id:
                number = (attempt.platform, student.platform_id)
                found[number] = min(found.get(number, student.key), student.key, key=_kind)
    return found


def _kind(key: str) -> int:
    return KINDS.index(key.partition(":")[0])
