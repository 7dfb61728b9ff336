"""Finds the submissions in a folder: what a course really gets, with the names that students really give.

    folder/**/*.ipynb  ->  Submission(id, path, directory)

`id` is the path inside the folder without the suffix, on one line; `directory` is a safe, unique place
for the results of that submission. No link is followed: it may lead to the notebook of another student.
Nothing is left out silently: what was handed in in place of a notebook is a submission too, with its problem.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from grader.errors import UsageError

SUFFIX = ".ipynb"
SKIPPED = ("__MACOSX", "__pycache__")
RESERVED = (
    "grades.csv",
    "grades.json",
    "index.html",
    "grader.db",
    "grader.db-wal",
    "grader.db-shm",
    "feedback.html",
    "notebook.html",
    "executed.ipynb",
)
# what stands in for a notebook: archives, downloads that did not end, notebooks under another name, PDFs
INSTEAD = re.compile(r"\.ipynb\b.+$|\.(zip|rar|7z|tar|tgz|gz|bz2|xz|pdf|crdownload|part|download)$", re.I)
ARCHIVE = re.compile(r"\.(zip|rar|7z|tar|tgz|gz|bz2|xz)$", re.I)
MOODLE = re.compile(r"_\d+_assignsubmission_")
COPY = re.compile(r"\s*\(\d+\)$|\s*-\s*Copy\d*$", re.I)
UNSAFE = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f]|[\ud800-\udfff]')
UNPACK = "; unpack the archive first"
MAX_NAME = 80


@dataclass(frozen=True)
class Submission:
    """One notebook that was handed in; `problem` says why it cannot even be opened, '' if it can.

    `fault` says why this machine cannot read it, which is no fault of the student's.
    """

    id: str
    path: Path
    directory: str
    problem: str = ""
    remark: str = ""
    fault: str = ""


def find_submissions(folder: Path) -> list[Submission]:
    """Return the submissions below `folder` (or the one that it is), sorted; raise UsageError if none."""
    if folder.is_file():
        return _named([(folder, PurePosixPath(folder.name), "")])
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}; give the folder that holds the notebooks")
    faults: dict[Path, str] = {}

    def failed(error: OSError) -> None:
        """Give a folder that cannot be listed a row of its own; the whole folder has to be readable."""
        if error.filename is None or Path(error.filename) == folder:
            raise error
        faults[Path(error.filename)] = f"the folder cannot be read: {error.strerror}"

    try:
        found = list(_walk(folder, failed))
        found += [(path, _inside(path, folder), "") for path in faults]
        if not any(inside.name.lower().endswith(SUFFIX) for _, inside, _ in found):
            raise UsageError(f"no notebooks (*{SUFFIX}) in {folder}{_told(_files(folder))}")
        found += _without_notebook(folder, [inside for _, inside, _ in found])
        found = list({inside: (path, inside, problem) for path, inside, problem in found}.values())
    except OSError as error:
        raise UsageError(f"the folder {folder} cannot be read: {error.strerror}") from error
    named = _named(sorted(found, key=lambda item: str(item[1])))
    return _remarked([replace(each, fault=faults.get(each.path, "")) for each in named])


def _walk(folder: Path, failed: Callable[[OSError], None]) -> Iterator[tuple[Path, PurePosixPath, str]]:
    """Yield (path, path inside the folder, problem) of every notebook, and of every link."""
    for where, folders, files in os.walk(folder, onerror=failed):
        folders[:] = sorted(name for name in folders if not _skipped(name))
        for name in folders:
            path = Path(where) / name
            if path.is_symlink():
                yield path, _inside(path, folder), "it is a link to a folder, which is not followed"
        for name in files:
            path = Path(where) / name
            if name.lower().endswith(SUFFIX) and not _skipped(name):
                link = "it is a link, which is not followed: the file itself has to be handed in"
                yield path, _inside(path, folder), link if path.is_symlink() else ""


def _without_notebook(folder: Path, found: list[PurePosixPath]) -> Iterator[tuple[Path, PurePosixPath, str]]:
    """Yield what students handed in without a notebook, to say so: folders, and files at the top.

    The top is the folder itself, or the only folder in it if that holds several, as archives are unpacked.
    anna/ (without one) beside a folder with one, or mon/anna/ beside two folders with one: a student's. Where
    only notebooks lie beside it, or one folder with a notebook below the top, it may be a folder of data, and
    counts only if it is empty or holds anna/hw.zip.
    anna.zip at the top: a student's, unless there is a notebook anna.ipynb or a folder anna/ with one.
    """
    holding = {parent for path in found for parent in (path, *path.parents)}
    direct = {path.parent for path in found}
    inside = Counter(path.parent for path in holding)
    wraps = True  # whether nothing but one folder has been seen on the way here
    for where, folders, files in os.walk(folder):  # `_walk` has told of what cannot be listed
        here = _inside(Path(where), folder)
        top = wraps and (inside[here] > 1 or Path(where) == folder)
        lacking = [name for name in sorted(folders) if not _skipped(name) and here / name not in holding]
        folders[:] = [name for name in folders if here / name in holding]
        wraps = wraps and len(folders) == 1 and not lacking and all(map(_skipped, files))
        if top or folders:
            sure = bool(folders) if top else len(folders) > 1
            for name in lacking:
                held = _files(Path(where) / name)
                if sure or (top and here not in direct) or not held or any(map(INSTEAD.search, held)):
                    yield Path(where) / name, here / name, f"there is no notebook in it{_told(held)}"
        names = {path.name.removesuffix(SUFFIX) for path in holding if path.parent == here} if top else set()
        for name in sorted(files) if top else ():
            path = Path(where) / name
            stands_in = None if _skipped(name) or here / name in holding else INSTEAD.search(name)
            if stands_in and COPY.sub("", name[: stands_in.start()]) not in names:
                advice = UNPACK if ARCHIVE.search(name) else ""
                yield path, here / name, f"it is no notebook (*{SUFFIX}){advice}"
            elif path.is_symlink() and not _skipped(name) and here / name not in holding:
                yield path, here / name, "it is a link, which is not followed"


def _skipped(name: str) -> bool:
    return name.startswith(".") or name in SKIPPED


def _inside(path: Path, folder: Path) -> PurePosixPath:
    return PurePosixPath(path.relative_to(folder).as_posix())


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


def _files(folder: Path) -> list[str]:
    """Return the names of the files in a folder, at any depth, without hidden ones."""
    return sorted(name for _, _, files in os.walk(folder) for name in files if not _skipped(name))


def _told(names: list[str]) -> str:
    """Say what a folder without notebooks holds, and what to do about it."""
    if not names:
        return ": it is empty"
    hint = UNPACK if any(map(ARCHIVE.search, names)) else ""
    shown = ", ".join(_one_line(name) for name in names[:3])
    return f"; it holds {shown}{' and more' if len(names) > 3 else ''}{hint}"
