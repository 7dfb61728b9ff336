"""Unpacks one archive into an empty folder, within limits: a program of its own.

    python -I unpack.py ARCHIVE FOLDER LIMITS  -->  one line of JSON: {"problem": "", "left_out": ["..."]}

An archive is what a stranger made. So it is read here, in a process that holds nothing else, ends at limits
of its own, and needs the standard library alone. Whatever a name in an archive says, a file is written below
FOLDER; links, devices and hidden files are not made. A name that is there already gets a number. With the
argument "outline" behind the others, files are made empty: what an archive holds is seen from their names.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import hashlib
import json
import os
import resource
import shutil
import stat
import sys
import tarfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

BLOCK = 1 << 20
MAX_PART, MAX_DEPTH, MAX_TOLD = 200, 30, 20
MEMORY_MB, PROCESSOR_SECONDS = 1024, 300
UTF8 = 0x800  # the flag of a ZIP member whose name is UTF-8
ENCRYPTED = 0x1
DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, gzip.BadGzipFile, EOFError, ValueError, KeyError)


class RefusedError(Exception):
    """The archive is not unpacked; the message says why."""


@dataclass(frozen=True)
class Limits:
    """What an archive may hold: files, megabytes of all, megabytes of one."""

    files: int
    megabytes: int
    file_megabytes: int


@dataclass
class Member:
    """A file or folder in an archive; `problem` says why it is not unpacked, `seconds` is its time."""

    name: str
    is_folder: bool = False
    problem: str = ""
    seconds: float | None = None
    source: object = None


def unpack(archive: Path, folder: Path, limits: Limits, *, outline: bool = False) -> list[str]:
    """Unpack `archive` into `folder`; return what was left out. Raises RefusedError."""
    left_out: list[str] = []
    files, left = 0, limits.megabytes << 20
    with _opened(archive) as (members, read):
        for member in members:
            parts = _parts(member.name)
            if ".git" in parts:  # that it was a clone is told; nothing of it is unpacked
                parts = parts[: parts.index(".git") + 1]
                member.is_folder = True
            elif not parts or _is_skipped(parts):
                continue
            if len(parts) > MAX_DEPTH:
                raise RefusedError(f"its folders are nested deeper than {MAX_DEPTH}")
            files += not (member.is_folder and folder.joinpath(*parts).is_dir())
            if files > limits.files:
                raise RefusedError(f"it holds more than {limits.files} files")
            if member.problem:
                left_out.append(f"{member.name[:MAX_PART]}: {member.problem}")
            elif member.is_folder:
                _made(folder, parts)
            else:
                target = _free(_made(folder, parts[:-1]) / parts[-1])
                if outline:
                    target.touch(exist_ok=False)
                    continue
                with read(member) as source, target.open("xb") as file:
                    left -= _copy(source, file, min(left, limits.file_megabytes << 20), limits)
                if member.seconds is not None:
                    with contextlib.suppress(OSError, OverflowError, ValueError):
                        os.utime(target, (member.seconds, member.seconds))
    return left_out[:MAX_TOLD]


@contextlib.contextmanager
def _opened(archive: Path):  # type: ignore[no-untyped-def]  # noqa: ANN202 -- members, and how to read one
    """Yield the members of an archive and a function that opens one."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            yield _zip_members(opened), lambda member: opened.open(member.source)
    elif _is_tar(archive):
        with tarfile.open(archive) as opened_tar:
            yield _tar_members(opened_tar), lambda member: opened_tar.extractfile(member.source)
    elif archive.suffix.lower() == ".gz":
        yield [Member(archive.stem)], lambda _: gzip.GzipFile(archive)
    else:
        raise RefusedError("it is no ZIP or TAR archive")


def _is_tar(archive: Path) -> bool:
    try:
        return tarfile.is_tarfile(archive)
    except DAMAGED:
        return False


def _zip_members(opened: zipfile.ZipFile) -> Iterator[Member]:
    for info in opened.infolist():
        name = info.filename
        if not info.flag_bits & UTF8:  # macOS writes UTF-8 and does not say so
            with contextlib.suppress(UnicodeError):
                name = name.encode("cp437").decode("utf-8")
        kind = stat.S_IFMT(info.external_attr >> 16)
        problem = ""
        if info.flag_bits & ENCRYPTED:
            raise RefusedError("it is protected by a password")
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            problem = "it is a link or a device"
        seconds = None
        with contextlib.suppress(ValueError, OverflowError):
            seconds = time.mktime((*info.date_time, 0, 0, -1))
        yield Member(name, info.is_dir(), problem, seconds, info)


def _tar_members(opened: tarfile.TarFile) -> Iterator[Member]:
    for info in opened:
        problem = "" if info.isreg() or info.isdir() else "it is a link or a device"
        yield Member(info.name, info.isdir(), problem, float(info.mtime), info)


def _parts(name: str) -> list[str]:
    """Return the parts of a path as they are made: below the folder, on one line, not too long."""
    parts = []
    for part in PurePosixPath(name.replace("\\", "/")).parts:
        shown = "".join(c if c.isprintable() or c in "\u200c\u200d" else "_" for c in part)
        shown = shown.strip().rstrip(".") if shown.strip(". ") else ""
        if not shown or shown == "/" or (len(shown) == 2 and shown[1] == ":"):
            continue
        data = shown.encode(errors="replace")
        if len(data) > MAX_PART:
            stem, dot, suffix = shown.rpartition(".")
            suffix = f".{suffix}" if dot and len(suffix) < 12 else ""
            digest = hashlib.sha256(data).hexdigest()[:8]
            kept = (stem or shown).encode(errors="replace")[: MAX_PART - 30].decode(errors="ignore")
            shown = f"{kept}-{digest}{suffix}"
        parts.append(shown)
    return parts


def _is_skipped(parts: list[str]) -> bool:
    return any(part.startswith(".") or part in ("__MACOSX", "__pycache__") for part in parts)


def _made(folder: Path, parts: list[str]) -> Path:
    """Return a folder below `folder`; where a part of the path is a file, the folder gets another name."""
    for part in parts:
        here = folder / part
        number = 2
        while here.exists() and not here.is_dir():
            here, number = folder / f"{part} ({number})", number + 1
        here.mkdir(exist_ok=True)
        folder = here
    return folder


def _free(path: Path) -> Path:
    """Return a path at which nothing is: this one, or one with a number before the suffix."""
    free, number = path, 2
    while free.exists():
        free, number = path.with_name(f"{path.stem} ({number}){path.suffix}"), number + 1
    return free


def _copy(source: IO[bytes], file: IO[bytes], most: int, limits: Limits) -> int:
    """Copy at most `most` bytes; what an archive says of a size is not believed."""
    copied = 0
    while block := source.read(BLOCK):
        copied += len(block)
        if copied > most:
            raise RefusedError(
                f"unpacked, it is larger than {limits.megabytes} MB, or one file of it than "
                f"{limits.file_megabytes} MB"
            )
        file.write(block)
    return copied


def main() -> None:
    """Unpack, and print what became of it."""
    archive, folder = Path(sys.argv[1]), Path(sys.argv[2])
    limits = Limits(*map(int, sys.argv[3:6]))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MB << 20, MEMORY_MB << 20))
    problem, left_out = "", []
    try:
        left_out = unpack(archive, folder, limits, outline="outline" in sys.argv[6:])
    except RefusedError as error:
        problem = str(error)
    except DAMAGED as error:
        problem = f"it is damaged ({type(error).__name__})"
    except (NotImplementedError, RuntimeError, MemoryError, RecursionError, UnicodeError) as error:
        problem = f"it cannot be unpacked ({type(error).__name__})"
    except OSError as error:
        if error.errno not in (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL, None):
            print(json.dumps({"fault": f"{error.strerror}"}))
            return
        problem = f"it cannot be unpacked ({error.strerror or error})"
    if problem:  # nothing of an archive that is refused
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    print(json.dumps({"problem": problem, "left_out": left_out}))


if __name__ == "__main__":
    main()
