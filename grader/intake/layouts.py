"""The forms in which learning platforms hand out what was handed in to them.

    moodle      Doe Jörg_1234567_assignsubmission_file_/exercise.ipynb
    canvas      doejoerg_LATE_4711_9912_exercise-1.ipynb
    gradescope  submission_metadata.yml, submission_123/exercise.ipynb
    nbgrader    submitted/jdoe/ASSIGNMENT/exercise.ipynb, timestamp.txt
    github      ASSIGNMENT-jdoe/.git, exercise.ipynb

`arrange` gives each hand-in a folder of its own; `hand_ins` says what the platform tells of each.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from grader.attempt import Student
from grader.errors import UsageError
from grader.intake.submissions import SUFFIX, is_skipped
from grader.intake.times import is_blank, parsed_time

MOODLE, CANVAS, GRADESCOPE, NBGRADER, GITHUB = "moodle", "canvas", "gradescope", "nbgrader", "github"
MOODLE_NAME = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?P<kind>[a-z]+)_?(?P<rest>.*)", re.S)
CANVAS_FILE = re.compile(
    r"(?P<name>[^_]+)(?P<late>_LATE)?_(?P<user>\d+)_(?P<attachment>\d+)_(?P<file>.+)", re.S
)
USER_DIGITS = 3  # of a number of Canvas in the name of a single file: `hw_1_2_x.ipynb` has none
METADATA = "submission_metadata.yml"
MAX_METADATA = 64 << 20
TIMESTAMP = "timestamp.txt"
MAX_STAMP = 200


@dataclass(frozen=True)
class HandedIn:
    """What a platform tells of a hand-in: whose, when (ISO 8601, '' if not known), whether late.

    `unread` is a time that cannot be read, and where it stands.
    """

    students: tuple[Student, ...]
    time: str = ""
    late: bool = False
    prefix: str = ""
    unread: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> HandedIn:
        """Return what `to_json` was made of."""
        students = tuple(Student(**each) for each in content["students"])
        return cls(**{**content, "students": students})


def top(folder: Path) -> Path:
    """Return the folder itself, or the first one inside with several entries."""
    while True:
        paths = [path for path in _listed(folder) if path.name != TIMESTAMP]
        if len(paths) != 1 or not paths[0].is_dir() or paths[0].is_symlink():
            return folder
        if paths[0].name == "submitted" or MOODLE_NAME.fullmatch(paths[0].name) or folder.name == "submitted":
            return folder
        folder = paths[0]


def recognised(folder: Path) -> str:
    """Return the platform whose form a folder has, '' if it has none."""
    paths = _listed(folder)
    if (folder / METADATA).is_file():
        return GRADESCOPE
    if any(MOODLE_NAME.fullmatch(path.name) for path in paths):
        return MOODLE
    folders = [path for path in paths if path.is_dir()]
    stamped = sum(
        any(path.glob(f"*/{TIMESTAMP}")) for path in folders
    )  # what one student did decides nothing
    if (folder / "submitted").is_dir() or folder.name == "submitted" or 2 * stamped > len(folders):
        return NBGRADER
    files = [path for path in paths if path.is_file()]
    if files and 2 * sum(bool(CANVAS_FILE.fullmatch(path.name)) for path in files) > len(files):
        return CANVAS
    if len(folders) > 1 and all((path / ".git").exists() for path in folders):
        return GITHUB
    return ""


def needs_arranging(folder: Path, platform: str) -> bool:
    """Whether the hand-ins in a folder are not in folders of their own, or in several each."""
    if platform == MOODLE:
        told = ((path, MOODLE_NAME.fullmatch(path.name)) for path in _listed(folder))
        return any(found and (path.is_file() or found["kind"] != "file") for path, found in told)
    return platform in (CANVAS, NBGRADER)


def arrange(folder: Path, platform: str, target: Path, assignment: str) -> dict[str, HandedIn]:
    """Move what is in `folder` to `target`, a folder for each hand-in, and return what is told of each.

    Raises UsageError if nothing of it is of the assignment.
    """
    if platform == CANVAS:
        return _arrange_canvas(folder, target)
    if platform == NBGRADER:
        _arrange_nbgrader(folder, target, assignment)
    else:
        folder.rename(target)
    if platform == MOODLE:
        _arrange_moodle(target)
    return hand_ins(target, platform)


def hand_ins(folder: Path, platform: str) -> dict[str, HandedIn]:
    """Return what is told of each hand-in, by the name of its file or folder in an arranged folder."""
    if platform == GRADESCOPE:
        return dict(_gradescope(folder))
    found: dict[str, HandedIn] = {}
    names = sorted(path.name for path in _listed(folder)) if platform else []
    alike = zip(names[0], names[-1], strict=False) if names else ()
    shared = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], alike))
    for name in names:
        if platform == MOODLE and (told := MOODLE_NAME.fullmatch(name)):
            student = Student(name=told["name"].strip(), platform_id=told["id"])
            found[name] = HandedIn((student,), prefix=name)
        elif platform == NBGRADER:
            text = _short_text(folder / name / TIMESTAMP)
            time = parsed_time(text)
            unread = "" if time or is_blank(text) else f"{text!r} in {TIMESTAMP}"
            found[name] = HandedIn((Student(login=name),), time, prefix=name, unread=unread)
        elif platform == GITHUB:
            cut = name.rfind("-", 0, shared) + 1
            found[name] = HandedIn((Student(login=name[cut:] or name),), prefix=name)
    return found


def single_hand_in(path: Path) -> tuple[str, HandedIn] | None:
    """Return the platform and what it tells of one file, by its own name or that of its folder."""
    for name in (path.name, path.parent.name):
        if told := MOODLE_NAME.fullmatch(name):
            student = Student(name=told["name"].strip(), platform_id=told["id"])
            return MOODLE, HandedIn((student,), prefix=name)
    if (told := CANVAS_FILE.fullmatch(path.name)) and (told["late"] or len(told["user"]) >= USER_DIGITS):
        student = Student(name=told["name"], platform_id=told["user"])
        prefix = path.name.removesuffix(told["file"])
        return CANVAS, HandedIn((student,), late=bool(told["late"]), prefix=prefix)
    return None


def _arrange_moodle(folder: Path) -> None:
    """Give files that are not in folders of their students one, and put what was written beside the files."""
    for path in _listed(folder):
        told = MOODLE_NAME.fullmatch(path.name)
        if told is None:
            continue
        if path.is_file():
            home = folder / f"{told['name']}_{told['id']}_assignsubmission_{told['kind']}_"
            home.mkdir(exist_ok=True)
            path.rename(_free(home / (told["rest"] or path.name)))
    for path in _listed(folder):
        told = MOODLE_NAME.fullmatch(path.name)
        if told is None or told["kind"] == "file":
            continue
        beside = f"{told['name']}_{told['id']}_assignsubmission_file"
        for home in filter(Path.is_dir, (folder / f"{beside}_", folder / beside)):
            for each in list(path.iterdir()):
                each.rename(_free(home / each.name))
            path.rmdir()
            break


def _arrange_canvas(folder: Path, target: Path) -> dict[str, HandedIn]:
    """Give each student a folder: Canvas tells by the names of the files whose they are."""
    target.mkdir()
    found: dict[str, HandedIn] = {}
    for path in _listed(folder):
        told = CANVAS_FILE.fullmatch(path.name)
        if told is None:
            path.rename(_free(target / path.name))
            continue
        home = f"{told['name']}_{told['user']}"
        late = bool(told["late"]) or (home in found and found[home].late)
        first = path.name.removesuffix(told["file"])
        prefix = found[home].prefix if home in found and not path.name.endswith(SUFFIX) else first
        student = Student(name=told["name"], platform_id=told["user"])
        found[home] = HandedIn((student,), late=late, prefix=prefix)
        (target / home).mkdir(exist_ok=True)
        path.rename(_free(target / home / told["file"]))
    return found


def _arrange_nbgrader(folder: Path, target: Path, assignment: str) -> None:
    """Move the folders of one assignment: `submitted` has those of all of them."""
    submitted = folder / "submitted" if (folder / "submitted").is_dir() else folder
    folders: dict[str, list[Path]] = defaultdict(list)
    for student in filter(Path.is_dir, _listed(submitted)):
        for path in filter(Path.is_dir, _listed(student)):
            folders[path.name].append(path)
    near = [name for name in folders if _letters(name) == _letters(assignment)]
    chosen = assignment if assignment in folders else near[0] if len(near) == 1 else ""
    if not chosen and len(folders) == 1:
        (chosen,) = folders
    if not chosen:
        there = ", ".join(sorted(folders)) or "nothing"
        raise UsageError(f"{submitted} has no hand-in for {assignment!r}: it has {there}; rename the folders")
    target.mkdir()
    for path in folders[chosen]:
        path.rename(target / path.parent.name)


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def _short_text(path: Path) -> str:
    """Return the text of a small file, '' if it is none."""
    try:
        if path.is_symlink() or path.stat().st_size > MAX_STAMP:
            return ""
        return " ".join(path.read_text(encoding="utf-8", errors="replace").split())
    except OSError:
        return ""


class _PlainLoader(yaml.SafeLoader):
    """Reads the plain part of what Ruby wrote: objects are their fields."""


def _ruby(loader: Any, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


_PlainLoader.add_multi_constructor("!", _ruby)


def _gradescope(folder: Path) -> Iterator[tuple[str, HandedIn]]:
    """Yield what `submission_metadata.yml` tells; its keys are the names of folders or files."""
    path = folder / METADATA
    try:
        if path.stat().st_size > MAX_METADATA:
            raise UsageError(f"{path} has more than {MAX_METADATA >> 20} MB")
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_PlainLoader)  # noqa: S506 -- a SafeLoader
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path} is no list of submissions")
    for name, told in content.items():
        if not isinstance(told, dict):
            continue
        members = told.get(":submitters") or []
        students = tuple(
            Student(
                name=_text(each.get(":name")), id=_text(each.get(":sid")), email=_text(each.get(":email"))
            )
            for each in members
            if isinstance(each, dict)
        )
        created: Any = told.get(":created_at", "")
        if isinstance(created, dict):  # ActiveSupport::TimeWithZone
            created = created.get("utc", "")
        time = created.isoformat() if isinstance(created, dt.datetime) else parsed_time(_text(created))
        if isinstance(created, dt.datetime) and created.tzinfo is None:
            time = created.replace(tzinfo=dt.UTC).isoformat()
        text = _text(created)
        unread = "" if time or is_blank(text) else f"{text!r} in :created_at of {METADATA}"
        yield str(name), HandedIn(students, time, prefix=str(name), unread=unread)


def _text(value: Any) -> str:
    return "" if value is None else " ".join(str(value).split())


def _listed(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not is_skipped(path.name))


def _free(path: Path) -> Path:
    """Return a path at which nothing is."""
    free, number = path, 2
    while free.exists():
        free, number = path.with_name(f"{path.stem} ({number}){path.suffix}"), number + 1
    return free
