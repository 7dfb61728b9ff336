"""The roster of a course: who may hand in, and which hand-in is whose.

A roster is a table (CSV) with a line of headings, such as a learning platform exports: its list of
participants, a grading worksheet of Moodle, a gradebook of Canvas, the grades of GitHub Classroom. A heading
that is known says what its column is. A line is also found by any of its cells, or two of them, such as first
and last name.
"""

from __future__ import annotations

import csv
import itertools
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from rapidfuzz import fuzz, process

from grader.attempt import Student
from grader.csv_table import read_csv
from grader.errors import UsageError
from grader.intake.submissions import COPY, one_line
from grader.intake.times import parsed_time

NUMBERED = re.compile(r"(.+?)_\d+(_|$)")  # as Moodle and Canvas name what a student hands in
MAX_CELLS = 8  # of a line: whoever has more, has no more names in them
MAX_CELL = 500
NEAREST, NEAR = 3, 60.0  # how many names that are alike are told, and how much alike (of 100) they are
GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "å": "aa", "æ": "ae"})
HEADINGS: Mapping[str, tuple[str, ...]] = {
    "name": ("full name", "name", "student", "student name", "vollständiger name"),
    "first": ("first name", "firstname", "first", "given name", "vorname"),
    "last": ("last name", "lastname", "last", "surname", "family name", "nachname"),
    "id": (
        "id number",
        "student id",
        "studentid",
        "sid",
        "sis user id",
        "matriculation number",
        "matrikelnummer",
        "id-nummer",
        "roster identifier",
    ),
    "email": ("email address", "email", "e-mail", "mail", "e-mail-adresse"),
    "login": ("sis login id", "username", "user name", "login", "account", "github username", "anmeldename"),
    "platform_id": ("identifier", "user id", "canvas id", "id"),
    "time": ("last modified (submission)", "submission timestamp", "submitted at", "handed in", "time"),
}


@dataclass(frozen=True)
class Entry:
    """A line of the roster: the student, what else finds it, its team, and when something was handed in."""

    student: Student
    cells: tuple[str, ...]
    team: str = ""
    time: str = ""

    @property
    def shown(self) -> str:
        """What the line is called where nothing was handed in."""
        return self.student.name or one_line(self.cells[0])


@dataclass
class Roster:
    """The students of a course, found by what a hand-in tells of its student."""

    entries: tuple[Entry, ...]
    _by_field: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    _by_name: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _by_letters: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for number, entry in enumerate(self.entries):
            for kind in ("platform_id", "id", "email", "login"):
                if value := getattr(entry.student, kind):
                    self._by_field[kind, _key(value)].append(number)
            student = entry.student
            names = {student.name, *entry.cells}
            names |= {" ".join(pair) for pair in itertools.permutations(entry.cells, 2)}
            for name in {_key(name) for name in names if name}:
                self._by_name[name].append(number)
            for letters in {each for name in names if name for each in _letters(name)}:
                self._by_letters[letters].append(number)

    def find(self, told: Student, parts: Sequence[str] = ()) -> list[Entry]:
        """Return the line of a student; none, or several, where it cannot be told which one it is.

        `told` is what the platform says, `parts` are further names, such as those of a path.
        """
        for kind in ("platform_id", "id", "email", "login"):
            if (value := _key(getattr(told, kind))) and (numbers := self._by_field.get((kind, value))):
                return [self.entries[number] for number in numbers]
        given = [name for name in (told.name, told.login, told.email, told.id, *parts) if name]
        names = [form for name in given for form in dict.fromkeys((name, _given_name_first(name)))]
        several: list[int] = []
        keys = [(self._by_name, _key(name)) for name in names]
        keys += [(self._by_letters, letters) for name in names for letters in sorted(_letters(name))]
        for table, key in keys:
            numbers = table.get(key, [])
            if len(numbers) == 1:
                return [self.entries[numbers[0]]]
            several = several or numbers
        return [self.entries[number] for number in several]

    def nearest(self, told: Student, parts: Sequence[str] = ()) -> list[str]:
        """Return the names of the roster that are most like what is told of a student."""
        name = _key(told.name or told.login or (parts[-1] if parts else ""))
        choices = {number: _key(entry.shown) for number, entry in enumerate(self.entries)}
        found = process.extract(name, choices, scorer=fuzz.token_sort_ratio, limit=NEAREST, score_cutoff=NEAR)
        return [self.entries[number].shown for _, _, number in found]

    def team_of(self, entry: Entry) -> list[Entry]:
        """Return the lines of a student's team, that one first; alone if there are no teams."""
        others = [each for each in self.entries if entry.team and each.team == entry.team and each != entry]
        return [entry, *others]


def load_roster(path: Path, teams: str = "") -> Roster:
    """Return the roster in a table; `teams` is the heading of the column that says who works together.

    Raises UsageError if it cannot be read.
    """
    what = f"the roster {path}"
    rows = read_table(path, what)
    headings = [heading.strip().casefold() for heading in rows[0]] if rows else []
    kinds = _kinds([heading.replace("_", " ") for heading in headings])
    if teams and teams.casefold() not in headings:
        raise UsageError(f"{what} has no column {teams!r}: it has {', '.join(rows[0]) if rows else 'none'}")
    team_column = headings.index(teams.casefold()) if teams else None
    entries = []
    for row in rows[1:]:
        cells = [one_line(cell.strip())[:MAX_CELL] for cell in row]
        if not any(cells) or cells[0].casefold() in ("points possible", "student, test"):  # of Canvas
            continue
        values = {
            kind: cells[column] for column, kind in kinds.items() if column < len(cells) and cells[column]
        }
        if "name" not in values:
            values["name"] = " ".join(values[each] for each in ("first", "last") if each in values)
        student = Student(
            name=_given_name_first(values["name"]),
            id=values.get("id", ""),
            email=values.get("email", ""),
            platform_id=values.get("platform_id", "")
            .removeprefix("Participant ")
            .removeprefix("Teilnehmer/in"),
            login=values.get("login", ""),
        )
        team = cells[team_column] if team_column is not None and team_column < len(cells) else ""
        shown = tuple(filter(None, cells))[:MAX_CELLS]
        entries.append(Entry(student, shown, team, parsed_time(values.get("time", ""))))
    if not entries:
        raise UsageError(f"{what} has no students: a line of headings, then a line for each")
    return Roster(tuple(entries))


def read_table(path: Path, what: str) -> list[list[str]]:
    """Return the rows of a CSV file, however it is written; raise UsageError if it is none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{what} cannot be read: {error.strerror}") from error
    try:
        return read_csv(data)[0]
    except (csv.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{what} is no table (CSV): {error}") from error


def names_in(path: PurePosixPath) -> Iterator[str]:
    """Yield what a hand-in may be called in a roster: parts of its path, without what platforms add."""
    for part in path.parts:
        yield part
        yield COPY.sub("", PurePosixPath(part).stem)
        if numbered := NUMBERED.match(part):
            yield numbered[1]


def merged(told: Student, entry: Entry) -> Student:
    """Return a student with what the roster says, and what only the platform does."""
    kept = {kind: value for kind, value in vars(entry.student).items() if value}
    return replace(told, **kept) if kept.get("name") or told.name else replace(told, **kept, name=entry.shown)


def _kinds(headings: Sequence[str]) -> dict[int, str]:
    """Return what the columns are, by their numbers; the first heading of a kind that fits is taken."""
    kinds: dict[int, str] = {}
    if "id" in headings and not any(heading.startswith("sis ") for heading in headings):
        kinds[headings.index("id")] = "id"  # of Canvas's own, it is the platform's number
    for kind, known in HEADINGS.items():
        for heading in known:
            if heading in headings and headings.index(heading) not in kinds and kind not in kinds.values():
                kinds[headings.index(heading)] = kind
    return kinds


def _given_name_first(name: str) -> str:
    """Return `Doe, Jörg` as `Jörg Doe`."""
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma and first.strip() and "," not in first else name


def _key(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def _letters(name: str) -> set[str]:
    """Return the letters and digits of a name, as platforms write them in the names of files."""
    folded = unicodedata.normalize("NFC", name).casefold()
    forms = set()
    for text in (folded, folded.translate(GERMAN), unicodedata.normalize("NFKD", folded)):
        forms.add("".join(c for c in text if c.isalnum()))
    return {form for form in forms if len(form) > 2}
