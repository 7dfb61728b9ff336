"""Whose each hand-in is, how late it was, and which of several counts.

    submissions  --platform, roster-->  students, times  --deadline, extensions-->  the one that counts

Of several attempts of a student the last one before the deadline counts, and if there is none, the last one;
within the grace period it counts as in time. A hand-in counts if it does for one of its students.
Every attempt is graded and kept, and a person may choose another.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from grader.attempt import NOBODY, PERHAPS, SEVERAL, Attempt, Student, keys_by_number
from grader.errors import UsageError
from grader.intake.archives import Opened
from grader.intake.layouts import HandedIn
from grader.intake.roster import Roster, load_roster, merged, names_in, nearest_names, read_table
from grader.intake.submissions import COPY, Submission, one_line, student_of
from grader.intake.times import parsed_times

NUMBER = re.compile(r"\((\d+)\)$|Copy(\d*)$|-(\d{1,2})$", re.I)
UNREAD = "The time of the hand-in cannot be read:"
UNIT_HOURS = {"hours": 1.0, "stunden": 1.0, "days": 24.0, "tage": 24.0}


@dataclass(frozen=True)
class Rules:
    """What decides which hand-in counts: the deadline, who has until when, and whose choice a person made.

    `file_times` says that the times of the files are those of the hand-ins. `chosen` are submissions. Within
    `grace_seconds` of the deadline nothing is lost.
    """

    assignment: str
    deadline: dt.datetime | None = None
    roster: Roster | None = None
    extensions: Mapping[str, dt.datetime] = field(default_factory=dict)
    file_times: bool = False
    chosen: Collection[str] = ()
    grace_seconds: float = 0.0


def with_attempts(
    submissions: Sequence[Submission], handed_in: Opened, rules: Rules, earlier: Sequence[Submission] = ()
) -> list[Submission]:
    """Return the submissions with their attempts, then one for each student of the roster without any.

    `earlier` are hand-ins of earlier runs with their attempts, of which one may count in place of these, or
    no longer. Those for which that changes are returned behind the submissions.
    """
    owners = _owners(submissions)
    told = [*(_identified(each, handed_in, rules, owners) for each in submissions), *earlier]
    winners: set[int] = set()
    others: dict[int, set[int]] = defaultdict(set)
    for numbers in by_student(told, rules):
        winners.add(numbers[0])
        for number in numbers:
            others[number] |= {other for other in numbers if other != number}
    result, changed = [], []
    for number, each in enumerate(told):
        counts = number in winners or not others[number]
        attempt = replace(each.attempt, counts=counts)
        if number >= len(submissions):
            if counts != each.attempt.counts:
                changed.append(replace(each, attempt=attempt))
        elif others[number]:
            sure = {told[other].id for other in others[number] if _surely_same(attempt, told[other].attempt)}
            unsure = {told[other].id for other in others[number]} - sure
            whose = "team" if len(attempt.students) > 1 else "student"
            names = [f"Also of the same {whose}: {', '.join(sorted(sure))}."] if sure else []
            names += [f"{PERHAPS} {', '.join(sorted(unsure))}."] if unsure else []
            remark = "\n".join(filter(None, [_without_copies(each.remark), *names, attempt.standing]))
            result.append(replace(each, attempt=attempt, remark=remark))
        else:
            result.append(each)
    result += changed
    if rules.roster is not None:
        result += _absent({each.id: each.attempt.students for each in (*earlier, *result)}, rules.roster)
    return result


def by_student(hand_ins: Sequence[Submission], rules: Rules) -> list[list[int]]:
    """Return the numbers of the hand-ins of each student, that of the one that counts first."""
    by_number = keys_by_number(each.attempt for each in hand_ins)
    found: dict[str, set[int]] = defaultdict(set)
    for number, each in enumerate(hand_ins):
        for student in each.attempt.students:
            key = _key(student, rules)
            if key == student.key:  # no line of a roster
                key = by_number.get((each.attempt.platform, student.platform_id), key)
            found[key].add(number)
    return [
        sorted(sorted(numbers), key=lambda number: _rank(hand_ins[number], rules), reverse=True)
        for numbers in found.values()
    ]


def _key(student: Student, rules: Rules) -> str:
    """Return what tells a student from others; an earlier run may have had no roster."""
    found = rules.roster.find(student) if rules.roster is not None else []
    return found[0].student.key if len(found) == 1 else student.key


def _surely_same(one: Attempt, other: Attempt) -> bool:
    """Whether two hand-ins have a student of one number, address or account, and not only of one name."""
    kinds = ["id", "email"]
    if one.platform and one.platform == other.platform:
        kinds += ["platform_id", "login"]
    return any(
        getattr(student, kind) and getattr(student, kind).casefold() == getattr(their, kind).casefold()
        for kind in kinds
        for student in one.students
        for their in other.students
    )


def _without_copies(remark: str) -> str:
    return "\n".join(line for line in remark.splitlines() if not line.startswith(PERHAPS))


def _identified(
    each: Submission, handed_in: Opened, rules: Rules, owners: Mapping[str, set[str]]
) -> Submission:
    """Return a submission with its students, time and lateness, and a remark where the roster has no such."""
    told = handed_in.of(each.path) or HandedIn(())
    single = each.path == handed_in.folder  # then the folder may say whose it is, and the id has a number
    path = PurePosixPath(each.path.parent.name, each.path.name) if single else PurePosixPath(each.id)
    names = list(dict.fromkeys(names_in(path)))
    remarks = [each.remark, *handed_in.remarks_on(each.path)]
    alone = [Student(name=one_line(COPY.sub("", each.path.stem)))] if single else []
    students = list(told.students) or alone or [_plain_student(each, owners)]
    time = told.time
    if told.unread:
        remarks.append(f"{UNREAD} {told.unread}.")
    if rules.roster is not None:
        found: list[Student] = []
        for student in students:
            entries = rules.roster.find(student, () if told.students else names)
            if len(entries) == 1:
                time = time or entries[0].time
                found.append(merged(student, entries[0]))
                found += [mate.student for mate in rules.roster.team_of(entries[0])[1:]]
                continue
            found.append(student)
            if entries:
                several = ", ".join(_described(entry.student) for entry in entries)
                remarks.append(f"{SEVERAL} {student.shown}: {several}.")
            else:
                near = rules.roster.nearest(student, names)
                nearest = f"; most like it: {', '.join(near)}" if near else ""
                remarks.append(f"{NOBODY} {student.shown}{nearest}.")
        students = list({student.key: student for student in found}.values())
    if not time and rules.file_times and each.path.exists():
        time = dt.datetime.fromtimestamp(each.path.lstat().st_mtime).astimezone().isoformat()
    late, words = _lateness(students, time, told, rules)
    remarks += words
    attempt = Attempt(
        tuple(students),
        time,
        late,
        chosen=each.id in rules.chosen,
        platform=handed_in.platform,
        prefix=told.prefix,
    )
    return replace(each, attempt=attempt, remark="\n".join(filter(None, remarks)))


def _owners(submissions: Sequence[Submission]) -> dict[str, set[str]]:
    """Return who has a part of a path, by the part: submissions that differ in more than a copy's number."""
    owners: dict[str, set[str]] = defaultdict(set)
    for each in submissions:
        for part in _without_copy(each.id).parts:
            owners[part].add(student_of(each.id))
    return owners


def _plain_student(each: Submission, owners: Mapping[str, set[str]]) -> Student:
    """Return what a folder of notebooks says of a student: the deepest part of the path that no other has.

    That is the name of the file, or that of its folder. Who has no such part is told from others by the path.
    """
    path = _without_copy(each.id)
    for part in reversed(path.parts):
        if len(owners[part]) == 1:
            return Student(name=one_line(part))
    return Student(name=one_line(path.parts[-2] if len(path.parts) > 1 else path.name), login=str(path))


def _without_copy(identity: str) -> PurePosixPath:
    path = PurePosixPath(identity)
    return path.with_name(COPY.sub("", path.name) or path.name)


def _described(student: Student) -> str:
    further = student.id or student.email or student.login
    return f"{student.name} ({further})" if further else student.name


def _lateness(
    students: Sequence[Student], time: str, told: HandedIn, rules: Rules
) -> tuple[float | None, list[str]]:
    """Return how many seconds late a hand-in was, None if that is not known, and what to tell of it."""
    if rules.deadline is None:
        return (None, ["It was late; give --deadline."]) if told.late else (0.0, [])
    until = max([rules.deadline, *filter(None, (extension_of(each, rules.extensions) for each in students))])
    if time:
        late = max(0.0, (dt.datetime.fromisoformat(time) - until).total_seconds())
        return late, []
    if told.late and until == rules.deadline:
        return None, ["It was late; how late is not known: give a roster with the times."]
    return 0.0, []


def extension_of(student: Student, extensions: Mapping[str, dt.datetime]) -> dt.datetime | None:
    """Return until when a student may hand in, None for the deadline of all."""
    values = (student.id, student.email, student.login, student.platform_id, student.name, student.key)
    found = [extensions[key] for value in values if value and (key := value.casefold()) in extensions]
    return max(found, default=None)


def _rank(each: Submission, rules: Rules) -> tuple[bool, int, bool, bool, str, int, float]:
    """Return what is greatest for the hand-in that counts; a choice for one goes before one for a group."""
    attempt = each.attempt
    is_notebook = not (each.missing or each.absent or each.problem or each.fault)
    time = dt.datetime.fromisoformat(attempt.time).astimezone(dt.UTC).isoformat() if attempt.time else ""
    name = PurePosixPath(each.id).name
    numbered = NUMBER.search(name)
    number = (
        max((int(text or 1) for text in numbered.groups() if text is not None), default=0) if numbered else 0
    )
    like = difflib.SequenceMatcher(None, COPY.sub("", name).casefold(), rules.assignment.casefold()).ratio()
    alike = round(like, 1)
    few = -len(attempt.students) if attempt.chosen else 0
    in_time = attempt.late_seconds is not None and attempt.late_seconds <= rules.grace_seconds
    return attempt.chosen, few, is_notebook, in_time, time, number, alike


def _absent(handed_in: Mapping[str, Sequence[Student]], roster: Roster) -> list[Submission]:
    """Return a submission, with the reason why it is none, for each student of the roster without one.

    `handed_in` are the students of all others, by submission.
    """
    there = {student.key for students in handed_in.values() for student in students}
    for submission, students in handed_in.items():
        # Where a name is that of several (two students, a group), who of them it was is for a person to say.
        names = list(names_in(PurePosixPath(submission)))
        for student in students or [Student()]:
            there |= {entry.student.key for entry in roster.find(student, names)}
    taken = {submission.casefold() for submission in handed_in}
    absent = []
    for entry in roster.entries:
        student = entry.student if entry.student.key else Student(name=entry.shown)
        if student.key in there or entry.student.key in there:
            continue
        there.add(student.key)
        name = entry.shown
        if name.casefold() in taken and (further := student.id or student.email):
            name = f"{name} {further}"
        number, shown = 1, name
        while shown.casefold() in taken:
            number += 1
            shown = f"{name} (roster)" if number == 2 else f"{name} (roster {number})"
        taken.add(shown.casefold())
        attempt = Attempt((student,))
        absent.append(Submission(shown, Path(), "", absent="nothing was handed in", attempt=attempt))
    return absent


def load_extensions(path: Path, deadline: dt.datetime) -> dict[str, dt.datetime]:
    """Return until when students may hand in, by each of their names in small letters.

    The table has a column `student` (a name, number, e-mail address or account) and one of `until`, `hours`
    and `days`. Raises UsageError naming the line of what cannot be read.
    """
    rows = read_table(path, f"the table {path}")
    headings = [heading.strip().casefold() for heading in rows[0]] if rows else []
    units = [name for name in ("until", *UNIT_HOURS) if name in headings]
    who = next(
        (headings.index(name) for name in ("student", "name", "id", "email") if name in headings), None
    )
    if who is None or not units:
        raise UsageError(f"{path}:1: the columns 'student' and 'until' (or 'hours', 'days') are needed")
    found: dict[str, dt.datetime] = {}
    column = headings.index("until") if "until" in headings else None
    times = parsed_times(["" if column is None or column >= len(row) else row[column] for row in rows[1:]])
    for number, (row, time) in enumerate(zip(rows[1:], times, strict=True), start=2):
        cells = [*map(str.strip, row), *[""] * len(headings)]
        if not any(cells):
            continue
        value = {unit: cells[headings.index(unit)] for unit in units}
        unit = next((unit for unit in units if value[unit]), None)
        if not cells[who] or unit is None:
            raise UsageError(f"{path}:{number}: a student and a time are needed")
        try:
            until = (
                dt.datetime.fromisoformat(time)
                if unit == "until"
                else _later(deadline, float(value[unit].replace(",", ".")), UNIT_HOURS[unit])
            )
        except (ValueError, OverflowError) as error:
            raise UsageError(
                f"{path}:{number}: {value[unit]!r} is no time (in the column {unit!r}); write "
                + ("it like 2026-11-20 23:59" if unit == "until" else "a number, such as 24 or 1,5")
            ) from error
        key = cells[who].casefold()
        found[key] = max(until, found.get(key, until))
    return found


def _later(deadline: dt.datetime, number: float, hours: float) -> dt.datetime:
    """Return a time some hours or days later; a day ends when the clock shows the same time again."""
    whole_days = int(number) if hours == UNIT_HOURS["days"] else 0
    clock = deadline.astimezone().replace(tzinfo=None) + dt.timedelta(days=whole_days)
    return clock.astimezone() + dt.timedelta(hours=hours * (number - whole_days))


def rules_for(
    assignment: str,
    deadline: dt.datetime | None,
    roster: Path | None,
    extensions: Path | None,
    teams: str,
    *,
    file_times: bool,
    grace_minutes: float = 0.0,
) -> Rules:
    """Return the rules of a run; raise UsageError for tables that cannot be read, or do not fit together."""
    if extensions is not None and deadline is None:
        raise UsageError("--extensions needs a deadline: give --deadline, or write it into the rubric")
    if teams and roster is None:
        raise UsageError("--teams names a column of the roster: give --roster")
    students = load_roster(roster, teams) if roster is not None else None
    until: dict[str, dt.datetime] = {}
    if extensions is not None and deadline is not None:
        until = load_extensions(extensions, deadline)
        for who, time in list(until.items()):
            found = _named_so(who, students) if students is not None else []
            if len(found) > 1:
                several = ", ".join(_described(student) for student in found)
                raise UsageError(f"{extensions}: {who!r} is several students: {several}; give the number")
            for student in found:
                until[student.key] = max(time, until.get(student.key, time))
    return Rules(assignment, deadline, students, until, file_times, grace_seconds=60.0 * grace_minutes)


def unknown_extensions(rules: Rules, submissions: Sequence[Submission]) -> list[str]:
    """Return a line for each who has longer and is not in the roster or, without one, handed in nothing."""
    students = [student for each in submissions for student in each.attempt.students]
    keys = {student.key for student in students}
    values = {value.casefold() for student in students for value in vars(student).values()}
    lines = []
    for who in rules.extensions:
        if who in values | keys or (rules.roster is not None and _named_so(who, rules.roster)):
            continue
        names = [entry.shown for entry in rules.roster.entries] if rules.roster is not None else []
        near = nearest_names(who, names or [student.shown for student in students])
        hint = f"; did you mean: {', '.join(near)}" if near else ""
        lines.append(f"nobody is called {who}, who has longer in the table of --extensions{hint}")
    return lines


def _named_so(who: str, roster: Roster) -> list[Student]:
    """Return the students of the roster with a name, number, e-mail address or account."""
    found = roster.find(Student(name=who, id=who, email=who, platform_id=who, login=who))
    return list({entry.student.key: entry.student for entry in found}.values())
