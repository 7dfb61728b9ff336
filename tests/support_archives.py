"""Archives as learning platforms make them, of a course of any size: awkward names, attempts, late ones, wrong files.

    python tests/support_archives.py PLATFORM FOLDER [NUMBER]     write an archive and its roster

Every archive comes with what must become of it: one row for each student, with a status, and points.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from support import RIGHT, WRONG, notebook

DEADLINE = dt.datetime(2026, 11, 20, 23, 59, tzinfo=dt.UTC)
FIRST = "Jörg Zoë Anna Mei-Ling Søren Nguyễn Ibrahim Łukasz María José Ælfgifu Björk O'Brien Иван 伟 अनन्या محمد Anne-Sophie D'Arcy Çağla".split()
LAST = "Doe Müßig van der Berg Smith O'Neil Garcia-Lopez Иванов 王 Nguyễn Süß Ångström Lee Kim de la Cruz Şahin Ó Briain 李 García".split()
KINDS = ("on time", "late", "attempts", "wrong file", "archive", "helper", "absent", "late attempt")
HELPED = "from helper import twice\n\ndef double(x):\n    return twice(x)"
HELPER = "def twice(x):\n    return 2.0 * x\n"


@dataclass(frozen=True)
class Person:
    """A student of the course, and what they did."""

    number: int
    first: str
    last: str
    kind: str
    team: int | None = None

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def sid(self) -> str:
        return f"s{100000 + self.number}"

    @property
    def email(self) -> str:
        return f"student{self.number}@example.org"

    @property
    def platform_id(self) -> int:
        return 1_234_000 + self.number

    @property
    def time(self) -> dt.datetime:
        late = dt.timedelta(hours=30) if self.kind == "late" else dt.timedelta(hours=-5)
        return DEADLINE + late


@dataclass
class Archive:
    """An archive, its roster, and who of it is to have which status and points."""

    path: Path
    roster: Path
    people: list[Person]
    expected: dict[str, tuple[str, float]] = field(default_factory=dict)


def people(number: int, teams: bool = False) -> list[Person]:
    """Return the students of a course; some share their names."""
    rng = random.Random(number)
    found = []
    for each in range(number):
        first, last = rng.choice(FIRST), rng.choice(LAST)
        if each and each % 97 == 0:  # another one of the same name
            first, last = found[-1].first, found[-1].last
        found.append(Person(each, first, last, KINDS[each % len(KINDS)], each // 3 if teams else None))
    return found


def files(person: Person) -> Iterator[tuple[str, bytes]]:
    """Yield the files that a student hands in, by the names that they give them."""
    right, wrong = notebook(RIGHT).encode(), notebook(WRONG).encode()
    if person.kind in ("on time", "late"):
        yield "tiny.ipynb", right
        yield "my notes.pdf", b"%PDF-1.4"
    elif person.kind in ("attempts", "late attempt"):
        yield "tiny.ipynb", wrong
        yield "tiny (2).ipynb", right
    elif person.kind == "wrong file":
        yield "tiny.docx", b"PK\3\4 no notebook"
    elif person.kind == "archive":
        yield "hand in.zip", zipped({"project/tiny.ipynb": right, "__MACOSX/._tiny.ipynb": b"x"})
    elif person.kind == "helper":
        yield "tiny.ipynb", notebook(HELPED).encode()
        yield "helper.py", HELPER.encode()


def result(person: Person) -> tuple[str, float]:
    """Return the status and the points of a student."""
    if person.kind == "absent":
        return "not_handed_in", 0.0
    return ("no_notebook", 0.0) if person.kind == "wrong file" else ("graded", 3.0)


def zipped(content: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in content.items():
            archive.writestr(name, text)
    return data.getvalue()


def moodle(folder: Path, number: int) -> Archive:
    """Return Moodle's archive of all submissions; the roster is its grading worksheet."""
    content: dict[str, bytes] = {}
    rows = []
    everybody = people(number)
    for each in everybody:
        home = f"{each.name}_{each.platform_id}_assignsubmission_file_"
        content |= {f"{home}/{name}": data for name, data in files(each)}
        if each.number % 5 == 0 and each.kind != "absent":
            content[home.replace("_file_", "_onlinetext_") + "/onlinetext.html"] = b"<p>My answer</p>"
        there = each.kind != "absent"
        rows.append(
            {
                "Identifier": f"Participant {each.platform_id}",
                "Full name": each.name,
                "ID number": each.sid,
                "Email address": each.email,
                "Status": "Submitted for grading - " if there else "No submission - ",
                "Grade": "",
                "Maximum Grade": "5.00",
                "Grade can be changed": "Yes",
                "Last modified (submission)": each.time.strftime("%A, %d %B %Y, %I:%M %p +0000")
                if there
                else "-",
                "Last modified (grade)": "-",
                "Feedback comments": "",
            }
        )
    return written(folder, "moodle", content, rows, everybody)


def canvas(folder: Path, number: int) -> Archive:
    """Return Canvas's archive; the roster is its gradebook."""
    content: dict[str, bytes] = {}
    everybody = people(number)
    rows = []
    for each in everybody:
        letters = "".join(c for c in f"{each.last}{each.first}".casefold() if c.isalnum())
        late = "_LATE" if each.kind == "late" else ""
        for place, (name, data) in enumerate(files(each)):
            safe = name.replace(" ", "+")
            content[f"{letters}{late}_{each.platform_id}_{990000 + 10 * each.number + place}_{safe}"] = data
        rows.append(
            {
                "Student": f"{each.last}, {each.first}",
                "ID": str(each.platform_id),
                "SIS User ID": each.sid,
                "SIS Login ID": each.email,
                "Section": "01",
                "Tiny (4711)": "",
            }
        )
    blank = dict.fromkeys(rows[0], "")
    rows.insert(0, {**blank, "Student": "    Points Possible", "Tiny (4711)": "5"})
    return written(folder, "canvas", content, rows, everybody)


def gradescope(folder: Path, number: int) -> Archive:
    """Return Gradescope's export; two students share a submission."""
    content: dict[str, bytes] = {}
    everybody = people(number, teams=True)
    lines = []
    by_team: dict[int | None, list[Person]] = {}
    for each in everybody:
        by_team.setdefault(each.team, []).append(each)
    team_result = {}
    for team, members in by_team.items():
        who = members[0]
        for each in members:
            team_result[each.sid] = result(who)
        if who.kind == "absent":
            continue
        home = f"submission_{70000 + (team or 0)}"
        content |= {f"assignment_1_export/{home}/{name}": data for name, data in files(who)}
        lines += [f"{home}:", "  :submitters:"]
        for each in members:
            lines += [
                f"  - :name: {each.name!r}".replace("'", '"')
                if "'" not in each.name
                else f'  - :name: "{each.name}"'
            ]
            lines += [f"    :sid: {each.sid}", f"    :email: {each.email}"]
        lines += [f"  :created_at: {who.time.strftime('%Y-%m-%d %H:%M:%S.000000000 Z')}", "  :score: 0.0"]
    content["assignment_1_export/submission_metadata.yml"] = ("---\n" + "\n".join(lines) + "\n").encode()
    rows = [
        {"Name": each.name, "SID": each.sid, "Email": each.email, "Role": "Student"} for each in everybody
    ]
    archive = written(folder, "gradescope", content, rows, everybody)
    archive.expected = team_result
    return archive


def nbgrader(folder: Path, number: int) -> Archive:
    """Return the folder of nbgrader, with another assignment beside."""
    content: dict[str, bytes] = {}
    everybody = people(number)
    for each in everybody:
        home = f"submitted/{each.sid}"
        own = dict(files(each))
        content |= {f"{home}/tiny/{name}": data for name, data in own.items()}
        if own:
            content[f"{home}/tiny/timestamp.txt"] = each.time.strftime("%Y-%m-%d %H:%M:%S.%f UTC").encode()
        content[f"{home}/ps2/ps2.ipynb"] = notebook("x = 1").encode()
    rows = [
        {"id": each.sid, "first_name": each.first, "last_name": each.last, "email": each.email}
        for each in everybody
    ]
    return written(folder, "nbgrader", content, rows, everybody)


PLATFORMS: dict[str, Callable[[Path, int], Archive]] = {
    "moodle": moodle,
    "canvas": canvas,
    "gradescope": gradescope,
    "nbgrader": nbgrader,
}


def written(
    folder: Path, name: str, content: dict[str, bytes], rows: list[dict[str, str]], everybody: list[Person]
) -> Archive:
    folder.mkdir(parents=True, exist_ok=True)
    archive, roster = folder / f"{name}.zip", folder / f"{name}.csv"
    archive.write_bytes(zipped(content))
    with roster.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return Archive(archive, roster, everybody, {each.sid: result(each) for each in everybody})


if __name__ == "__main__":
    made = PLATFORMS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 600)
    print(made.path, made.roster)
