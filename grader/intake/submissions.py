"""Finds the submissions in a folder, whatever names and forms students give them.

    folder/**/*.ipynb  ->  Submission(id, path, directory)

`id` is the path inside the folder without the suffix, on one line; `directory` is a safe and unique path for
the results of that submission. Links are not followed: one may lead to the notebook of another student.
Nothing is left out silently: a file or folder that was handed in instead of a notebook is a submission with
a problem.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from grader.errors import UsageError
from grader.notebook.sources import MAX_MODULES, modules_in

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
# Files handed in instead of a notebook: archives, incomplete downloads, notebooks with another suffix, PDFs.
INSTEAD = re.compile(r"\.ipynb\b.+$|\.(zip|rar|7z|tar|tgz|gz|bz2|xz|pdf|crdownload|part|download)$", re.I)
ARCHIVE = re.compile(r"\.(zip|rar|7z|tar|tgz|gz|bz2|xz)$", re.I)
MOODLE = re.compile(r"_\d+_assignsubmission_")
COPY = re.compile(r"\s*\(\d+\)$|\s*-\s*Copy\d*$", re.I)
UNSAFE = re.compile(r'[<>:"|?*\\]')
UNPACK = "; unpack the archive first"
MAX_NAME = 80
Entry = tuple[Path, PurePosixPath, str]
"""The path of a submission, its path inside the folder, and its problem ('' if there is none)."""


@dataclass(frozen=True)
class Submission:
    """One notebook that was handed in.

    `problem` says why it is not a notebook that can be opened, `fault` why this machine cannot read it (not
    the student's fault), `remark` which other submissions may be of the same student, and that files were
    left out. All may be ''. `modules` are the Python files that were handed in beside it.
    """

    id: str
    path: Path
    directory: str
    problem: str = ""
    remark: str = ""
    fault: str = ""
    modules: tuple[Path, ...] = ()


def find_submissions(folder: Path) -> list[Submission]:
    """Return the submissions in `folder`, sorted; `folder` may also be a single notebook.

    Raises UsageError if there is no notebook, or if the folder itself cannot be read.
    """
    if folder.is_file():
        return [_with_modules(each) for each in _named([(folder, PurePosixPath(folder.name), "")])]
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}; give the folder that holds the notebooks")
    faults: dict[Path, str] = {}

    def keep_fault(error: OSError) -> None:
        """Make a folder that cannot be listed a submission with a fault; raise for the whole folder."""
        if error.filename is None or Path(error.filename) == folder:
            raise error
        faults[Path(error.filename)] = f"the folder cannot be read: {error.strerror}"

    entries: list[Entry] = []
    try:
        for directory, folders, files in os.walk(folder, onerror=keep_fault):
            folders[:] = sorted(name for name in folders if not _skipped(name))
            for path in (Path(directory) / name for name in folders):
                if path.is_symlink():
                    problem = "it is a link to a folder, which is not followed"
                    entries.append((path, _inside(path, folder), problem))
            for path in (Path(directory) / name for name in files):
                if path.name.lower().endswith(SUFFIX) and not _skipped(path.name):
                    problem = "it is a link, which is not followed: the file itself has to be handed in"
                    entries.append((path, _inside(path, folder), problem if path.is_symlink() else ""))
        entries += [(path, _inside(path, folder), "") for path in faults]
        if not any(inside.name.lower().endswith(SUFFIX) for _, inside, _ in entries):
            raise UsageError(f"no notebooks (*{SUFFIX}) in {folder}{_content(_files(folder))}")
        entries += _without_notebook(folder, [inside for _, inside, _ in entries])
    except OSError as error:
        raise UsageError(f"the folder {folder} cannot be read: {error.strerror}") from error
    by_name = {inside: (path, inside, problem) for path, inside, problem in entries}  # no path twice
    submissions = _named(sorted(by_name.values(), key=lambda entry: str(entry[1])))

    # Each of several notebooks of one student is graded; the remark lets a person decide which one counts.
    students: dict[str, list[str]] = defaultdict(list)
    for each in submissions:
        students[_student(each.id)].append(each.id)
    result = []
    for each in submissions:
        others = ", ".join(other for other in students[_student(each.id)] if other != each.id)
        remark = f"Perhaps of the same student: {others}. Each was graded; decide which one counts."
        told = replace(each, fault=faults.get(each.path, ""), remark=remark if others else "")
        result.append(_with_modules(told))
    return result


def _with_modules(submission: Submission) -> Submission:
    """Return a submission with the Python files beside its notebook, if it is the only one in its folder."""
    if submission.problem or submission.fault:
        return submission
    try:
        beside = [path.name for path in submission.path.parent.iterdir() if not _skipped(path.name)]
        if sum(name.lower().endswith(SUFFIX) for name in beside) > 1:
            return submission
        modules = modules_in(submission.path.parent)
        if len(modules) <= MAX_MODULES:
            return replace(submission, modules=modules)
        left_out = (
            f"There are {len(modules)} Python files beside the notebook. A notebook may have {MAX_MODULES}: "
            "the first ones by name were used."
        )
        remark = " ".join(filter(None, [submission.remark, left_out]))
        return replace(submission, modules=modules[:MAX_MODULES], remark=remark)
    except OSError:  # the notebook itself will tell
        return submission


def _without_notebook(folder: Path, entries: list[PurePosixPath]) -> Iterator[Entry]:
    """Yield the folders and files that students handed in without a notebook; `entries` has the notebooks.

    The top level is the folder itself or, if an archive was unpacked into it, the folder inside it that is
    the first one with several entries.

    A folder without a notebook belongs to a student if a folder with a notebook is beside it at the top
    level, or two of them below it. Otherwise it may hold data, and belongs to a student only if it is empty,
    holds a file such as hw.zip, or has no notebook and no folder with one beside it.

    A file such as anna.zip belongs to a student if it is at the top level, and no notebook anna.ipynb and no
    folder anna/ with a notebook is beside it.
    """
    with_notebook = {parent for path in entries for parent in (path, *path.parents)}
    folders_of_notebooks = {path.parent for path in entries}
    size = Counter(path.parent for path in with_notebook)
    only_wrapped = True  # every folder above this one holds a single folder and nothing else
    for directory, folders, files in os.walk(folder):  # find_submissions has reported all errors
        here = _inside(Path(directory), folder)
        top = only_wrapped and (size[here] > 1 or Path(directory) == folder)
        without = [
            name for name in sorted(folders) if not _skipped(name) and here / name not in with_notebook
        ]
        folders[:] = [name for name in folders if here / name in with_notebook]
        only_wrapped = only_wrapped and len(folders) == 1 and not without and all(map(_skipped, files))
        if top or folders:
            sure = bool(folders) if top else len(folders) > 1
            for name in without:
                held = _files(Path(directory) / name)
                no_notebook_beside = top and here not in folders_of_notebooks
                if sure or no_notebook_beside or not held or any(map(INSTEAD.search, held)):
                    yield Path(directory) / name, here / name, f"there is no notebook in it{_content(held)}"
        if not top:
            continue
        names = {path.name.removesuffix(SUFFIX) for path in with_notebook if path.parent == here}
        for name in sorted(files):
            path = Path(directory) / name
            if _skipped(name) or here / name in with_notebook:
                continue
            suffix = INSTEAD.search(name)
            if suffix and COPY.sub("", name[: suffix.start()]) not in names:
                advice = UNPACK if ARCHIVE.search(name) else ""
                yield path, here / name, f"it is no notebook (*{SUFFIX}){advice}"
            elif path.is_symlink():
                yield path, here / name, "it is a link, which is not followed"


def _skipped(name: str) -> bool:
    return name.startswith(".") or name in SKIPPED


def _inside(path: Path, folder: Path) -> PurePosixPath:
    return PurePosixPath(path.relative_to(folder).as_posix())


def _named(entries: Iterable[Entry]) -> list[Submission]:
    """Return the submissions, each with an id and a directory that are unique on every file system."""
    submissions, ids, directories = [], set[str](), set[str]()
    for path, inside, problem in entries:
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
    """Return a directory name that is valid on every file system, short, and not one of RESERVED."""
    printable = "".join(c if c.isprintable() else "_" for c in unicodedata.normalize("NFC", part))
    name = UNSAFE.sub("_", printable).strip(". ") or "_"
    if len(name.encode()) > MAX_NAME:
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        name = name.encode()[: MAX_NAME - 9].decode(errors="ignore") + "-" + digest
    return name + "_" if name.lower() in RESERVED else name


def _unique(name: str, taken: set[str]) -> str:
    """Add the name to `taken` and return it, with a number if it is there already in upper or lower case."""
    candidate, number = name, 1
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{name}-{number}"
    taken.add(candidate.casefold())
    return candidate


def _student(identity: str) -> str:
    """Return a key that is equal for the ids of two notebooks that look like those of one student."""
    parent, _, name = identity.rpartition("/")
    return parent if MOODLE.search(parent) else f"{parent}/{COPY.sub('', name)}".casefold()


def _files(folder: Path) -> list[str]:
    """Return the names of all files in a folder and below it, without hidden ones."""
    return sorted(name for _, _, files in os.walk(folder) for name in files if not _skipped(name))


def _content(names: list[str]) -> str:
    """Return the end of a message on a folder without notebooks: its files, and whether to unpack one."""
    if not names:
        return ": it is empty"
    hint = UNPACK if any(map(ARCHIVE.search, names)) else ""
    shown = ", ".join(_one_line(name) for name in names[:3])
    return f"; it holds {shown}{' and more' if len(names) > 3 else ''}{hint}"
