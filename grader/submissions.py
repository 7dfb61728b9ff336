"""Finds the submissions in a folder: what a course really gets, with the names that students really give.

    folder/**/*.ipynb  ->  Submission(id, path, directory)

`id` is the path inside the folder without the suffix, on one line; `directory` is a safe, unique place
for the results of that submission. Nothing is followed out of the folder, and nothing is left out silently.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from grader.errors import UsageError

SUFFIX = ".ipynb"
SKIPPED = ("__MACOSX", "__pycache__")
RESERVED = ("grades.csv", "grades.json", "index.html", "grader.db", "grader.db-wal", "grader.db-shm")
MOODLE = re.compile(r"_\d+_assignsubmission_")
COPY = re.compile(r"\s*\(\d+\)$|\s*-\s*Copy\d*$", re.I)
UNSAFE = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f]|[\ud800-\udfff]')
MAX_NAME = 80


@dataclass(frozen=True)
class Submission:
    """One notebook that was handed in; `problem` says why it cannot even be opened, '' if it can."""

    id: str
    path: Path
    directory: str
    problem: str = ""
    remark: str = ""


def find_submissions(folder: Path) -> list[Submission]:
    """Return the submissions below `folder` (or the one that it is), sorted; raise UsageError if none."""
    if folder.is_file():
        return _named([(folder, PurePosixPath(folder.name), "")])
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}; give the folder that holds the notebooks")
    try:
        found = sorted(_walk(folder), key=lambda item: str(item[1]))
    except OSError as error:
        raise UsageError(f"the folder {folder} cannot be read: {error.strerror}") from error
    if not found:
        raise UsageError(f"no notebooks (*{SUFFIX}) in {folder}{_what_is_there(folder)}")
    return _remarked(_named(found))


def _walk(folder: Path) -> Iterator[tuple[Path, PurePosixPath, str]]:
    """Yield (path, path inside the folder, problem) of every notebook."""
    root = folder.resolve()
    for where, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = sorted(name for name in folders if not _skipped(name))
        for name in folders:
            path = Path(where) / name
            if path.is_symlink():
                yield path, _inside(path, folder), "it is a link to a folder, which is not followed"
        for name in files:
            path = Path(where) / name
            if name.lower().endswith(SUFFIX) and not _skipped(name):
                yield path, _inside(path, folder), _problem(path, root)


def _raise(error: OSError) -> None:
    raise error


def _skipped(name: str) -> bool:
    return name.startswith(".") or name in SKIPPED


def _inside(path: Path, folder: Path) -> PurePosixPath:
    return PurePosixPath(path.relative_to(folder).as_posix())


def _problem(path: Path, root: Path) -> str:
    """Say why a notebook may not be opened: a link that leads out of the folder, or nowhere."""
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return "it is a link that leads nowhere"
    return "" if target.is_relative_to(root) else "it is a link to a file outside the folder of submissions"


def _named(found: list[tuple[Path, PurePosixPath, str]]) -> list[Submission]:
    """Give every submission an id and a directory that no other has, on any file system."""
    submissions, ids, directories = [], set[str](), set[str]()
    for path, inside, problem in found:
        parts = inside.parts
        if inside.name.lower().endswith(SUFFIX):
            parts = (*parts[:-1], inside.name[: -len(SUFFIX)] or "_")
        identity = _unique(_one_line("/".join(parts)), ids)
        directory = _unique("/".join(_safe(part) for part in parts), directories)
        submissions.append(Submission(identity, path, directory, problem))
    return submissions


def _one_line(name: str) -> str:
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
    return unicodedata.normalize("NFC", printable)


def _safe(part: str) -> str:
    """Return a name for a directory: valid on every file system, short enough, none of our own."""
    name = UNSAFE.sub("_", unicodedata.normalize("NFC", part)).strip(". ") or "_"
    if len(name.encode()) > MAX_NAME:
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        name = name.encode()[: MAX_NAME - 9].decode(errors="ignore") + "-" + digest
    return name + "_" if name.lower() in RESERVED else name


def _unique(name: str, taken: set[str]) -> str:
    """Return the name, numbered if one that differs only in case is taken; remember it."""
    candidate, number = name, 1
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{name}-{number}"
    taken.add(candidate.casefold())
    return candidate


def _remarked(submissions: list[Submission]) -> list[Submission]:
    """Say of notebooks that look like several of one student: each is graded, a person decides."""
    students: dict[str, list[Submission]] = defaultdict(list)
    for submission in submissions:
        students[_student(submission.id)].append(submission)
    return [_remark(submission, students[_student(submission.id)]) for submission in submissions]


def _student(identity: str) -> str:
    """Return what two notebooks of one student have in common."""
    parent, _, name = identity.rpartition("/")
    return parent if MOODLE.search(parent) else f"{parent}/{COPY.sub('', name)}".casefold()


def _remark(submission: Submission, same: Iterable[Submission]) -> Submission:
    others = [other.id for other in same if other is not submission]
    if not others:
        return submission
    text = f"Perhaps of the same student: {', '.join(others)}. Each was graded; decide which one counts."
    return replace(submission, remark=text)


def _what_is_there(folder: Path) -> str:
    """Say what a folder without notebooks holds, as a hint."""
    names = sorted(path.name for path in folder.iterdir())
    if not names:
        return ": it is empty"
    hint = "; unpack the archive first" if any(n.lower().endswith((".zip", ".gz")) for n in names) else ""
    shown = ", ".join(_one_line(name) for name in names[:3])
    return f"; it holds {shown}{' and more' if len(names) > 3 else ''}{hint}"
