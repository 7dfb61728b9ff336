"""Opens what was downloaded: archives, archives in archives, and the forms of learning platforms.

    ARCHIVE_OR_FOLDER  --copy, unpack-->  results/handed-in/NAME/  --arrange-->  a folder for each hand-in

A folder that holds no archive, and whose form needs no arranging, stays where it is. An archive is unpacked
by a process of its own (`unpack.py`); one that cannot be stays, and a remark says why.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import ResultsError, UsageError
from grader.intake import layouts
from grader.intake.layouts import HandedIn
from grader.intake.submissions import MOODLE, SUFFIX, is_skipped, results_directory

FOLDER = "handed-in"  # below the results
DONE = ".grader-intake.json"
PACKED = re.compile(r"\.(zip|tar|tgz|tar\.gz|tbz2|tar\.bz2|txz|tar\.xz|ipynb\.gz)$", re.I)
PROGRAM = Path(__file__).with_name("unpack.py")
SECONDS = 600.0
TRIES = 2
OUTER = (100_000, 16_384, 2048)  # files, megabytes of all, megabytes of one: what a platform packed
INNER = (2_000, 1024, 512)  # what a student packed
MAX_NESTED, MAX_ARCHIVES = 3, 50  # in each other, and in one that a student packed


@dataclass(frozen=True)
class Opened:
    """The folder that holds the hand-ins, what the platform says of each by its path there, and remarks.

    What is said of a single notebook is under ''.
    """

    folder: Path
    platform: str = ""
    hand_ins: dict[str, HandedIn] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)

    def of(self, path: Path) -> HandedIn | None:
        """Return what the platform says of a file or folder."""
        if not path.is_relative_to(self.folder):
            return None
        inside = path.relative_to(self.folder).parts
        return self.hand_ins.get(inside[0] if inside else "")

    def remarks_on(self, path: Path) -> list[str]:
        """Return what is to be told of the archives of the hand-in that a path belongs to."""
        if not path.is_relative_to(self.folder):
            return []
        first = path.relative_to(self.folder).parts[:1]
        return [words for where, words in self.remarks.items() if Path(where).parts[:1] == first]


def opened(source: Path, results: Path, assignment: str) -> Opened:
    """Return the folder of the hand-ins in `source`, a folder, an archive or a single notebook.

    Raises UsageError for an archive that cannot be unpacked, or that has no hand-in for the assignment.
    """
    if source.is_dir():
        top = layouts.top(source)
        platform = layouts.recognised(top)
        if not layouts.needs_arranging(top, platform) and not any(
            PACKED.search(path.name) for path in _files(source, results)
        ):
            return Opened(top if platform else source, platform, layouts.hand_ins(top, platform))
    elif not source.is_file() or not PACKED.search(source.name):
        platform, told = layouts.single_hand_in(source.absolute()) or ("", None)
        return Opened(source, platform, {} if told is None else {"": told})
    return _copied(source, results, assignment)


def _copied(source: Path, results: Path, assignment: str) -> Opened:
    """Return an arranged copy of what was handed in, the one of an earlier run if nothing has changed."""
    name = PACKED.sub("", source.resolve().name) or "hand-ins"
    target = results / FOLDER / results_directory(name)
    stamp = _stamp(source, results, assignment)
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        kept = json.loads((target / DONE).read_text(encoding="utf-8"))
        if kept["stamp"] == stamp:
            hand_ins = {folder: HandedIn.from_json(each) for folder, each in kept["hand_ins"].items()}
            return Opened(target, kept["platform"], hand_ins, kept["remarks"])
    work = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        work.mkdir(parents=True)
        for old in work.parent.glob(".*.part"):
            if old != work:
                shutil.rmtree(old, ignore_errors=True)
        made = _arranged(source, work, results, assignment)
        kept = {
            "stamp": stamp,
            "platform": made.platform,
            "hand_ins": {folder: each.to_json() for folder, each in made.hand_ins.items()},
            "remarks": made.remarks,
        }
        (made.folder / DONE).write_text(
            json.dumps(kept, ensure_ascii=False), encoding="utf-8", errors="replace"
        )
        if target.exists():
            shutil.rmtree(target)
        made.folder.rename(target)
    except OSError as error:
        raise ResultsError(f"cannot unpack {source} below {results}: {error.strerror}; make room") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Opened(target, made.platform, made.hand_ins, made.remarks)


def _arranged(source: Path, work: Path, results: Path, assignment: str) -> Opened:
    """Copy or unpack `source`, give each hand-in a folder, and unpack what students packed."""
    raw, arranged = work / "raw", work / "arranged"
    remarks: dict[str, str] = {}
    if source.is_dir():
        _copy(source, raw, results)
    else:
        raw.mkdir()
        if problem := _unpack(source, raw, OUTER, remarks, source.name):
            raise UsageError(f"{source} cannot be unpacked: {problem}")
    top = layouts.top(raw)
    if (inner := _only_archive(top)) and _is_of_several(inner, work / "outline"):
        unpacked = work / "unpacked"
        unpacked.mkdir()
        if not _unpack(inner, unpacked, OUTER, remarks, inner.name):
            top = layouts.top(unpacked)
    platform = layouts.recognised(top)
    hand_ins = layouts.arrange(top, platform, arranged, assignment)
    _unpack_nested(arranged, remarks)
    return Opened(arranged, platform, hand_ins, remarks)


def _only_archive(top: Path) -> Path | None:
    """Return the archive that is all that a folder holds, unless its name is that of one hand-in."""
    paths = [path for path in top.iterdir() if not is_skipped(path.name)]
    if len(paths) != 1 or not paths[0].is_file() or not PACKED.search(paths[0].name):
        return None
    is_one = MOODLE.search(paths[0].name) or layouts.CANVAS_FILE.match(paths[0].name)
    return None if is_one or paths[0].is_symlink() else paths[0]


def _is_of_several(archive: Path, outline: Path) -> bool:
    """Whether an archive has the form of a platform, or folders of which several hold a notebook.

    Any other one is what one student packed. `outline` becomes what it holds, without any content.
    """
    outline.mkdir()
    if _unpack(archive, outline, OUTER, {}, archive.name, "outline"):
        return False
    top = layouts.top(outline)
    folders = [path for path in top.iterdir() if path.is_dir()]
    with_notebooks = sum(any(path.rglob(f"*{SUFFIX}")) for path in folders)
    return bool(layouts.recognised(top)) or with_notebooks > 1


def _unpack_nested(folder: Path, remarks: dict[str, str]) -> None:
    """Unpack the archives in the hand-ins in their places; one that cannot be unpacked stays.

    An archive and those in it have their limits together.
    """
    packed = (path for path in _files(folder, None) if PACKED.search(path.name))
    for outermost in [path for path in packed if not path.is_symlink()]:
        files, space = INNER[0], INNER[1] << 20
        waiting, tried = [(outermost, 1)], 0
        while waiting:
            archive, depth = waiting.pop(0)
            tried += 1
            where = str(archive.relative_to(folder))
            if tried > MAX_ARCHIVES:
                remarks[where] = f"The archive {archive.name} was not unpacked: it is one of too many."
                break
            name = PACKED.sub("", archive.name) or "unpacked"
            target, number = archive.with_name(name), 2
            while target.exists():
                target, number = archive.with_name(f"{name} ({number})"), number + 1
            target.mkdir()
            if problem := _unpack(archive, target, (files, space >> 20, INNER[2]), remarks, where):
                remarks[where] = f"The archive {archive.name} was not unpacked: {problem}."
                target.rmdir()
                continue
            handed_in = archive.stat().st_mtime_ns
            archive.unlink()
            made = list(_files(target, None))
            for path in made:  # the times in the archive are what its maker wrote
                os.utime(path, ns=(handed_in, handed_in))
            files -= len(made)
            space -= sum(path.lstat().st_size for path in made)
            if depth < MAX_NESTED:
                waiting += [(path, depth + 1) for path in made if PACKED.search(path.name)]


def _unpack(
    archive: Path,
    folder: Path,
    limits: tuple[int, int, int],
    remarks: dict[str, str],
    where: str,
    *further: str,
) -> str:
    """Unpack an archive in a process of its own; return why it could not be, '' if it was."""
    command = [
        sys.executable,
        "-I",
        "-S",
        str(PROGRAM),
        str(archive),
        str(folder),
        *map(str, limits),
        *further,
    ]
    for _ in range(TRIES):
        try:
            done = subprocess.run(
                command, capture_output=True, timeout=SECONDS, check=False, env={"LC_ALL": "C.UTF-8"}
            )
            answer = json.loads(done.stdout)
        except subprocess.TimeoutExpired:
            answer = {"problem": f"it takes more than {SECONDS:g} seconds"}
        except ValueError:
            answer = {"problem": "the process that unpacks it ended of it"}
            if done.returncode < 0:  # a signal, perhaps from outside: what is of the archive happens again
                _empty(folder)
                continue
        break
    if "fault" in answer:
        raise ResultsError(f"{archive} cannot be unpacked: {answer['fault']}; make room")
    if answer["problem"]:
        _empty(folder)
        return str(answer["problem"])
    if answer.get("left_out"):
        remarks[where] = f"Of the archive {archive.name} was left out: {'; '.join(answer['left_out'])}."
    return ""


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _copy(source: Path, target: Path, results: Path) -> None:
    """Copy a folder without the results; a copy of a file is a second name for it.

    A link to a file of its own folder stays one, and leads to the copy. Any other becomes a link to itself:
    it is told, and leads nowhere.
    """
    own = results.resolve()

    def ignored(directory: str, names: list[str]) -> list[str]:
        here = Path(directory)
        return [
            name
            for name in names
            if (is_skipped(name) and name != ".git") or here.name == ".git" or is_own(here / name)
        ]

    def is_own(path: Path) -> bool:
        return not path.is_symlink() and path.resolve() == own

    def copy(path: str, to: str) -> None:
        try:
            os.link(path, to)
        except OSError:
            shutil.copy2(path, to)

    shutil.copytree(source, target, symlinks=True, ignore=ignored, copy_function=copy)
    for directory, folders, files in os.walk(target):
        here = Path(directory)
        for link in (here / name for name in (*folders, *files) if (here / name).is_symlink()):
            to = Path(link.name)
            with contextlib.suppress(OSError, RuntimeError):
                found = link.resolve(strict=True)
                own_folders = (here.resolve(), (source / here.relative_to(target)).resolve())
                inside = next(
                    (found.relative_to(each) for each in own_folders if found.is_relative_to(each)), None
                )
                if inside is not None and (here / inside).is_file() and not (here / inside).is_symlink():
                    to = inside
            link.unlink()
            link.symlink_to(to)


def _files(folder: Path, results: Path | None) -> Iterator[Path]:
    own = results.resolve() if results is not None else None
    for directory, folders, files in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if not is_skipped(name) and (Path(directory) / name).resolve() != own
        )
        yield from (Path(directory) / name for name in sorted(files) if not is_skipped(name))


def _stamp(source: Path, results: Path, assignment: str) -> str:
    """Return a digest of what is handed in, by names, sizes and times, and of the code that arranges it."""
    digest = hashlib.sha256(assignment.encode())
    for code in (Path(__file__), PROGRAM, Path(layouts.__file__)):
        digest.update(code.read_bytes())
    for path in _files(source, results) if source.is_dir() else [source]:
        state = path.lstat()
        digest.update(os.fsencode(f"{path}\0{state.st_size}\0{state.st_mtime_ns}\0"))
    return digest.hexdigest()
