"""The roster of a course: who may hand in, and which hand-in is whose.

A roster is a table (CSV) with a line of headings, such as a learning platform exports: its list of
participants, a grading worksheet of Moodle, a gradebook of Canvas, the grades of GitHub Classroom. A heading
that is known says what its column is. A line is also found by any of its cells, or two of them, such as first
and last name. What cannot be read of it is told with its line, never left out in silence.
"""

from __future__ import annotations

import csv
import itertools
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from rapidfuzz import fuzz, process

from grader.attempt import Student
from grader.counted import counted
from grader.csv_table import read_csv
from grader.errors import UsageError
from grader.intake.submissions import COPY, one_line
from grader.intake.times import is_blank, parsed_times
from grader.moodle_table import HEADINGS as MOODLE
from grader.moodle_table import NO_TEAM, is_worksheet, number_of, participants, submission_times

NUMBERED = re.compile(r"(.+?)_\d+(_|$)")  # as Moodle and Canvas name what a student hands in
MAX_CELLS = 8  # of a line: whoever has more, has no more names in them
MAX_CELL = 500
NEAREST, NEAR = 3, 60.0  # how many names that are alike are told, and how much alike (of 100) they are
GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "å": "aa", "æ": "ae"})
HEADINGS: Mapping[str, tuple[str, ...]] = {
    "name": (*MOODLE["name"], "name", "student", "student name"),
    "first": ("first name", "firstname", "first", "given name", "vorname"),
    "last": ("last name", "lastname", "last", "surname", "family name", "nachname"),
    "id": (
        *MOODLE["id"],
        "student id",
        "studentid",
        "sid",
        "sis user id",
        "matriculation number",
        "matrikelnummer",
        "roster identifier",
    ),
    "email": (*MOODLE["email"], "email", "e-mail", "mail"),
    "login": (
        "sis login id",
        "login id",
        "username",
        "user name",
        "login",
        "account",
        "github username",
        "anmeldename",
    ),
    "platform_id": ("canvas user id", "identifier", "user id", "canvas id", "id"),
    "time": (
        *MOODLE["time"],
        "submission timestamp",
        "submission time",
        "submitted at",
        "handed in",
        "abgegeben",
        "time",
    ),
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
    """The students of a course, found by what a hand-in tells of its student.

    `told` is what a person should know of the table, `unread` the times in it that cannot be read.
    """

    entries: tuple[Entry, ...]
    told: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    _by_field: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    _by_name: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _by_letters: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for number, entry in enumerate(self.entries):
            for kind in ("platform_id", "id", "email", "login"):
                if value := getattr(entry.student, kind):
                    self._by_field[kind, name_key(value)].append(number)
            student = entry.student
            names = {student.name, *entry.cells}
            names |= {" ".join(pair) for pair in itertools.permutations(entry.cells, 2)}
            for name in {name_key(name) for name in names if name}:
                self._by_name[name].append(number)
            for letters in {each for name in names if name for each in name_letters(name)}:
                self._by_letters[letters].append(number)

    def find(self, told: Student, parts: Sequence[str] = ()) -> list[Entry]:
        """Return the line of a student; none, or several, where it cannot be told which one it is.

        `told` is what the platform says, `parts` are further names, such as those of a path.
        """
        for kind in ("platform_id", "id", "email", "login"):
            if (value := name_key(getattr(told, kind))) and (numbers := self._by_field.get((kind, value))):
                return [self.entries[number] for number in numbers]
        given = [name for name in (told.name, told.login, told.email, told.id, *parts) if name]
        names = [form for name in given for form in dict.fromkeys((name, _given_name_first(name)))]
        several: list[int] = []
        keys = [(self._by_name, name_key(name)) for name in names]
        keys += [(self._by_letters, letters) for name in names for letters in sorted(name_letters(name))]
        for table, key in keys:
            numbers = table.get(key, [])
            if len(numbers) == 1:
                return [self.entries[numbers[0]]]
            several = several or numbers
        return [self.entries[number] for number in several]

    def nearest(self, told: Student, parts: Sequence[str] = ()) -> list[str]:
        """Return the names of the roster that are most like what is told of a student."""
        name = told.name or told.login or (parts[-1] if parts else "")
        return nearest_names(name, [entry.shown for entry in self.entries])

    def team_of(self, entry: Entry) -> list[Entry]:
        """Return the lines of a student's team, that one first; alone if there are no teams."""
        others = [
            each
            for each in self.entries
            if entry.team and name_key(each.team) == name_key(entry.team) and each != entry
        ]
        return [entry, *others]


def nearest_names(name: str, names: Sequence[str]) -> list[str]:
    """Return the names that are most like one, each once, the nearest first."""
    choices = {each: name_key(each) for each in names}
    found = process.extract(
        name_key(name), choices, scorer=fuzz.token_sort_ratio, limit=NEAREST, score_cutoff=NEAR
    )
    return [each for _, _, each in found]


def load_roster(path: Path, teams: str = "") -> Roster:
    """Return the roster in a table; `teams` is the heading of the column that says who works together.

    Raises UsageError if it cannot be read.
    """
    what = f"the roster {path}"
    rows = read_table(path, what)
    headings = [heading.strip().casefold() for heading in rows[0]] if rows else []
    participant = participants(rows) if is_worksheet(rows) else None
    plain = [heading.replace("_", " ") for heading in headings]
    if participant is not None:
        plain[participant] = "identifier"  # which in German is the heading `ID`
    kinds = _kinds(plain)
    if participant is not None and "time" not in kinds.values():
        times = submission_times(headings)
        kinds |= {} if times is None else {times: "time"}
    if teams and teams.strip().casefold() not in headings:
        raise UsageError(f"{what} has no column {teams!r}: it has {', '.join(rows[0]) if rows else 'none'}")
    team_column = headings.index(teams.strip().casefold()) if teams else None
    lines, entries = [], []
    no_team: Counter[str] = Counter()
    for line, row in enumerate(rows[1:], start=2):
        cells = [one_line(cell.strip())[:MAX_CELL] for cell in row]
        if not any(cells) or cells[0].casefold() in ("points possible", "student, test"):  # of Canvas
            continue
        if not cells[0] and "manual posting" in map(str.casefold, cells):  # of Canvas
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
            platform_id=number_of(cells[participant])
            if participant is not None and participant < len(cells)
            else values.get("platform_id", ""),
            login=values.get("login", ""),
        )
        team = cells[team_column] if team_column is not None and team_column < len(cells) else ""
        if team.casefold() in NO_TEAM:
            no_team[team] += 1
            team = ""
        shown = tuple(filter(None, cells))[:MAX_CELLS]
        entries.append(Entry(student, shown, "" if is_blank(team) else team, values.get("time", "")))
        lines.append(line)
    if not entries:
        raise UsageError(f"{what} has no students: a line of headings, then a line for each")
    told, unread = [], []
    read = parsed_times([entry.time for entry in entries])
    for line, entry, time in zip(lines, entries, read, strict=True):
        if not time and not is_blank(entry.time):
            heading = rows[0][next(column for column, kind in kinds.items() if kind == "time")].strip()
            unread.append(
                f"{path}:{line}: cannot read {entry.time!r} in the column {heading!r} as a time; "
                "write it like 2026-11-20 23:59"
            )
    for team, number in no_team.items():
        told.append(
            f"{path}: {counted(number, 'student')} in {team!r} of the column {teams!r}: that is Moodle's "
            "name for people without a group, so it is no team and each has their own grade"
        )
    entries = [replace(entry, time=time) for entry, time in zip(entries, read, strict=True)]
    return Roster(tuple(entries), tuple(told), tuple(unread))


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
    if "canvas user id" in headings and "user id" in headings:
        kinds[headings.index("user id")] = "id"  # of Canvas's groups, it is the school's number
    for kind, known in HEADINGS.items():
        for heading in known:
            if heading in headings and headings.index(heading) not in kinds and kind not in kinds.values():
                kinds[headings.index(heading)] = kind
    return kinds


def _given_name_first(name: str) -> str:
    """Return `Doe, Jörg` as `Jörg Doe`."""
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma and first.strip() and "," not in first else name


def name_key(name: str) -> str:
    """Return a name as it is compared: without its case, and with single spaces."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def name_letters(name: str) -> set[str]:
    """Return the letters and digits of a name, as platforms write them in the names of files."""
    folded = unicodedata.normalize("NFC", name).casefold()
    forms = set()
    for text in (folded, folded.translate(GERMAN), unicodedata.normalize("NFKD", folded)):
        forms.add("".join(c for c in text if c.isalnum()))
    return {form for form in forms if len(form) > 2}
