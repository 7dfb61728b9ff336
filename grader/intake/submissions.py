"""Finds the submissions in a folder, whatever names and forms students give them.

    folder/**/*.ipynb  ->  Submission(id, path, directory)

`id` is the path inside the folder without the suffix, on one line; `directory` is a safe and unique path for
the results of that submission. Links are not followed: one may lead to the notebook of another student.
Nothing is left out silently: a file or folder that was handed in instead of a notebook is a submission
without one, and files that belong to the course are named.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from grader.attempt import PERHAPS, Attempt
from grader.errors import UsageError
from grader.notebook.sources import MAX_MODULES, modules_in

SUFFIX = ".ipynb"
ROSTER = "roster"  # the source of whoever handed in nothing
SKIPPED = ("__MACOSX", "__pycache__")
RESERVED = (
    "handed-in",
    "grades.csv",
    "grades.json",
    "index.html",
    "grader.db",
    "grader.db-wal",
    "grader.db-shm",
    "grader.log",
    "feedback.html",
    "notebook.html",
    "executed.ipynb",
)
OURS = re.compile(r"(grader|grades|index)\..*", re.I)  # other names of files in the results
# Files handed in instead of a notebook: archives, incomplete downloads, notebooks with another suffix, PDFs.
INSTEAD = re.compile(r"\.ipynb\b.+$|\.(zip|rar|7z|tar|tgz|gz|bz2|xz|pdf|crdownload|part|download)$", re.I)
ARCHIVE = re.compile(r"\.(zip|rar|7z|tar|tgz|gz|bz2|xz)$", re.I)
MOODLE = re.compile(r"_\d+_assignsubmission_")
COURSE = re.compile(
    r"^(readme|licen[cs]e|roster|makefile|requirements)\b|\.(md|csv|tsv|ya?ml|toml|ini|cfg|npy|npz|db|log)$",
    re.I,
)
COPY = re.compile(r"\s*\(\d+\)$|\s*-\s*Copy\d*$", re.I)
UNSAFE = re.compile(r'[<>:"|?*\\]')
LINK = "it is a link, which is not followed: the file itself has to be handed in"
UNPACK = "; unpack the archive first"
MAX_NAME, MAX_DIRECTORY = 80, 240
MAX_TOLD = 3
JOINERS = "\u200c\u200d"  # not printable, but part of names: Persian, and emoji of several signs


@dataclass(frozen=True)
class Entry:
    """A path, the same inside the folder, and why no notebook can be opened there ('' if one can)."""

    path: Path
    inside: PurePosixPath
    problem: str = ""
    missing: str = ""


@dataclass(frozen=True)
class Submission:
    """One notebook that was handed in, or what there is in its place.

    `problem` says why it is not a notebook that can be opened, `missing` what was handed in where there is no
    notebook, `absent` that nothing was, `fault` why this machine cannot read it (not the student's fault),
    `remark` which other submissions may be of the same student, and that files were left out, in lines. All
    may be ''.
    `modules` are the Python files that were handed in beside it, `attempt` says whose it is and whether it
    counts.
    """

    id: str
    path: Path
    directory: str
    problem: str = ""
    remark: str = ""
    fault: str = ""
    modules: tuple[Path, ...] = ()
    missing: str = ""
    absent: str = ""
    attempt: Attempt = field(default_factory=Attempt)

    @property
    def source(self) -> str:
        """The path of what was handed in, as text that can be kept."""
        return ROSTER if self.absent else source_of(self.path)


def find_submissions(
    folder: Path,
    results: Path | None = None,
    reserved: Collection[str] = (),
    left_out: list[str] | None = None,
    *,
    may_be_empty: bool = False,
) -> list[Submission]:
    """Return the submissions in `folder`, sorted; `folder` may also be a single notebook.

    The folder of `results` is not looked into; their files have the names `reserved`. Files that are taken
    for the course's own are added to `left_out`. Raises UsageError if there is no notebook, unless the folder
    `may_be_empty`, or if the folder itself cannot be read.
    """
    if folder.is_file():
        return [_with_modules(each) for each in _named([Entry(folder, PurePosixPath(folder.name))], reserved)]
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
        if results is not None and results.is_dir() and results.samefile(folder):
            raise UsageError(f"{folder} holds the submissions: choose another --out, in a folder of its own")
        for directory, folders, files in _walk(folder, results, keep_fault):
            for path in (Path(directory) / name for name in folders):
                if os.path.islink(path):  # noqa: PTH114 -- no error for a path that is too long
                    problem = "it is a link to a folder, which is not followed: hand in the folder itself"
                    entries.append(Entry(path, _inside(path, folder), problem))
            for path in (Path(directory) / name for name in files):
                if path.name.lower().endswith(SUFFIX) and not is_skipped(path.name):
                    problem = LINK
                    link = os.path.islink(path)  # noqa: PTH114
                    own = _own_file(path, folder, files) if link else path
                    entries.append(Entry(own or path, _inside(path, folder), "" if own else problem))
        entries += [Entry(path, _inside(path, folder)) for path in faults]
        if not may_be_empty and not any(each.inside.name.lower().endswith(SUFFIX) for each in entries):
            raise UsageError(f"no notebooks (*{SUFFIX}) in {folder}{_content(_files(folder))}")
        left_out = [] if left_out is None else left_out
        entries += _without_notebook(folder, results, [each.inside for each in entries], left_out)
    except OSError as error:
        raise UsageError(f"the folder {folder} cannot be read: {error.strerror}") from error
    by_name = {each.inside: each for each in entries}  # no path twice
    ordered = sorted(by_name.values(), key=lambda entry: str(entry.inside))
    submissions = _named(ordered, reserved)

    # Each of several notebooks of one student is graded; the remark lets a person decide which one counts.
    students: dict[str, list[str]] = defaultdict(list)
    for each in submissions:
        students[student_of(each.id)].append(each.id)
    result = []
    for entry, each in zip(ordered, submissions, strict=True):
        others = ", ".join(other for other in students[student_of(each.id)] if other != each.id)
        remark = f"{PERHAPS} {others}. Each was graded; decide which one counts."
        links = [] if each.problem or each.missing else _links_beside(entry.inside, folder, by_name)
        remarks = [remark] if others else []
        if links:
            more = " and more" if len(links) > MAX_TOLD else ""
            remarks.append(f"Links are not followed: {', '.join(links[:MAX_TOLD])}{more}.")
        told = replace(each, fault=faults.get(each.path, ""), remark="\n".join(remarks))
        result.append(_with_modules(told))
    return result


def _with_modules(submission: Submission) -> Submission:
    """Return a submission with the Python files beside its notebook, if it is the only one in its folder."""
    if submission.problem or submission.fault or submission.missing:
        return submission
    try:
        beside = [path.name for path in submission.path.parent.iterdir() if not is_skipped(path.name)]
        if sum(name.lower().endswith(SUFFIX) for name in beside) > 1:
            return submission
        modules = modules_in(submission.path.parent)
        if len(modules) <= MAX_MODULES:
            return replace(submission, modules=modules)
        left_out = (
            f"There are {len(modules)} Python files beside the notebook. A notebook may have {MAX_MODULES}: "
            "the first ones by name were used."
        )
        remark = "\n".join(filter(None, [submission.remark, left_out]))
        return replace(submission, modules=modules[:MAX_MODULES], remark=remark)
    except OSError as error:  # without its files, the notebook could do less than its author's
        return replace(submission, fault=f"its folder cannot be read: {error.strerror}")


def _walk(
    folder: Path, results: Path | None, on_error: Callable[[OSError], None] | None = None
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Walk through a folder without what is skipped: hidden folders, and that of the results."""
    own = results.stat() if results is not None and results.is_dir() else None
    for directory, folders, files in os.walk(folder, onerror=on_error):
        folders[:] = sorted(
            name
            for name in folders
            if not is_skipped(name) and not (own and _is_same(own, Path(directory) / name))
        )
        yield directory, folders, files


def _own_file(link: Path, folder: Path, beside: Sequence[str]) -> Path | None:
    """Return the file that a link leads to, if that is in the same student's own folder.

    A folder is one student's own if it is not the one that is graded and has no second notebook.
    """
    if link.parent == folder or sum(name.lower().endswith(SUFFIX) for name in beside) > 1:
        return None
    try:
        target = link.resolve(strict=True)
        return target if target.is_file() and target.is_relative_to(link.parent.resolve()) else None
    except (OSError, RuntimeError):  # it leads nowhere, or in a circle
        return None


def _links_beside(notebook: PurePosixPath, folder: Path, known: Collection[PurePosixPath]) -> list[str]:
    """Return the links in the folder of a notebook and below it that have no row; none at the top level."""
    if not notebook.parent.parts:
        return []
    beside = folder / notebook.parent
    paths = (
        Path(directory) / name
        for directory, folders, files in os.walk(beside)
        for name in sorted((*folders, *files))
        if not is_skipped(name)
    )
    links = (
        path
        for path in paths
        if os.path.islink(path) and _inside(path, folder) not in known  # noqa: PTH114 -- no error if too long
    )
    return [one_line(path.relative_to(beside).as_posix()) for path in links]


def _is_same(state: os.stat_result, path: Path) -> bool:
    """Whether a path, which may be too long to be looked at, leads to a file."""
    try:
        return os.path.samestat(state, path.lstat())
    except OSError:
        return False


def _without_notebook(
    folder: Path, results: Path | None, entries: list[PurePosixPath], left_out: list[str]
) -> Iterator[Entry]:
    """Yield the folders and files that students handed in without a notebook; `entries` has the notebooks.

    The top level is the folder itself or, if an archive was unpacked into it, the folder inside it that is
    the first one with several entries.

    A folder without a notebook belongs to a student if a folder with a notebook is beside it at the top
    level, or two of them below it. Otherwise it may hold data, and belongs to a student only if it is empty,
    holds a file such as hw.zip, or has no notebook and no folder with one beside it.

    A file belongs to a student of its own if no notebook anna.ipynb and no folder anna/ with a notebook is
    beside anna.*, and it may be a hand-in where it lies: at the top level of several, any file but the
    course's own, which goes to `left_out`; beside other notebooks one such as anna.zip, a PDF only if these
    are several. In the folder that Moodle makes for one student it is that student's.
    """
    with_notebook = {parent for path in entries for parent in (path, *path.parents)}
    folders_of_notebooks = Counter(path.parent for path in entries)
    size = Counter(path.parent for path in with_notebook)
    only_wrapped = True  # every folder above this one holds a single folder and nothing else
    for directory, folders, files in _walk(folder, results):  # find_submissions has reported all errors
        here = _inside(Path(directory), folder)
        top = only_wrapped and (size[here] > 1 or Path(directory) == folder)
        without = [name for name in folders if here / name not in with_notebook]
        folders[:] = [name for name in folders if here / name in with_notebook]
        only_wrapped = only_wrapped and len(folders) == 1 and not without and all(map(is_skipped, files))
        if top or folders:
            sure = bool(folders) if top else len(folders) > 1
            for name in without:
                held = _files(Path(directory) / name)
                no_notebook_beside = top and here not in folders_of_notebooks
                if sure or no_notebook_beside or not held or any(map(INSTEAD.search, held)):
                    words = f"there is no notebook in it{_content(held)}"
                    yield Entry(Path(directory) / name, here / name, missing=words)
        if MOODLE.search(str(here)) or not (top or here in folders_of_notebooks):
            continue
        names = {path.name.removesuffix(SUFFIX) for path in with_notebook if path.parent == here}
        for name in sorted(files):
            path = Path(directory) / name
            if is_skipped(name) or here / name in with_notebook:
                continue
            suffix = INSTEAD.search(name)
            stem = name[: suffix.start()] if suffix else PurePosixPath(name).stem
            several = size[here] > 1 if top else folders_of_notebooks[here] > 1
            if os.path.islink(path):  # noqa: PTH114
                yield Entry(path, here / name, LINK)
            elif COPY.sub("", stem) in names:
                continue
            elif suffix and (top or several or not name.lower().endswith(".pdf")):
                advice = UNPACK if ARCHIVE.search(name) else ""
                yield Entry(path, here / name, missing=f"it is no notebook (*{SUFFIX}){advice}")
            elif top and several and COURSE.search(name):
                left_out.append(str(here / name))
            elif top and several:
                yield Entry(path, here / name, missing=f"it is no notebook (*{SUFFIX})")


def is_skipped(name: str) -> bool:
    """Whether a file or folder is hidden, or what systems leave behind: none that a student handed in."""
    return name.startswith(".") or name in SKIPPED


def _inside(path: Path, folder: Path) -> PurePosixPath:
    return PurePosixPath(path.relative_to(folder).as_posix())


def _named(entries: Iterable[Entry], reserved: Collection[str] = ()) -> list[Submission]:
    """Return the submissions, each with an id and a directory that are unique on every file system."""
    submissions, ids, directories = [], set[str](), set[str]()
    for each in entries:
        name = str(each.inside)
        if each.inside.name.lower().endswith(SUFFIX):
            name = str(each.inside.with_name(each.inside.name[: -len(SUFFIX)] or "_"))
        directory = _unique(results_directory(name, reserved), directories)
        submission = Submission(_unique(one_line(name), ids), each.path, directory, each.problem)
        submissions.append(replace(submission, missing=each.missing))
    return submissions


def results_directory(name: str, reserved: Collection[str] = ()) -> str:
    """Return the directory for the results of a submission: no file of the results, and not too long."""
    parts = [_safe(part) for part in name.split("/")]
    if parts[0].casefold() in {each.casefold() for each in reserved}:
        parts[0] += "_"
    directory = "/".join(parts)
    if len(directory.encode()) > MAX_DIRECTORY:  # a path has a limit, whatever its names
        directory = f"{parts[0]}/{hashlib.sha256(directory.encode()).hexdigest()[:16]}"
    return directory


def source_of(path: Path) -> str:
    """Return a path as text that can be kept; no link is followed."""
    return os.fsencode(os.path.abspath(path)).decode("utf-8", "backslashreplace")  # noqa: PTH100


def one_line(name: str) -> str:
    """Return a name on one line, without characters that do not show."""
    shown = "".join(c if c.isprintable() or c in JOINERS else "\N{REPLACEMENT CHARACTER}" for c in name)
    return unicodedata.normalize("NFC", shown)


def _safe(part: str) -> str:
    """Return a directory name that is valid on every file system, short, and not one of RESERVED."""
    printable = "".join(c if c.isprintable() else "_" for c in unicodedata.normalize("NFC", part))
    name = UNSAFE.sub("_", printable).strip(". ") or "_"
    if len(name.encode()) > MAX_NAME:
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        name = name.encode()[: MAX_NAME - 9].decode(errors="ignore") + "-" + digest
    return name + "_" if name.lower() in RESERVED or OURS.fullmatch(name) else name


def _unique(name: str, taken: set[str]) -> str:
    """Add the name to `taken` and return it, with a number if it is there already in upper or lower case."""
    candidate, number = name, 1
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{name}-{number}"
    taken.add(candidate.casefold())
    return candidate


def student_of(identity: str) -> str:
    """Return a key that is equal for the ids of two notebooks that look like those of one student."""
    parent, _, name = identity.rpartition("/")
    return parent if MOODLE.search(parent) else f"{parent}/{COPY.sub('', name)}".casefold()


def _files(folder: Path) -> list[str]:
    """Return the names of all files in a folder and below it, without hidden ones."""
    return sorted(name for _, _, files in os.walk(folder) for name in files if not is_skipped(name))


def _content(names: list[str]) -> str:
    """Return the end of a message on a folder without notebooks: its files, and whether to unpack one."""
    if not names:
        return ": it is empty"
    hint = UNPACK if any(map(ARCHIVE.search, names)) else ""
    shown = ", ".join(one_line(name) for name in names[:3])
    return f"; it holds {shown}{' and more' if len(names) > 3 else ''}{hint}"
