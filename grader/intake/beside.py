"""The files that a student handed in beside the notebook: scans, PDFs, texts. They are for people to read."""

from __future__ import annotations

import errno
import itertools
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from grader.intake.submissions import ROSTER, SUFFIX, is_skipped, one_line, student_of

MAX_FILES, MAX_BYTES = 50, 64 << 20


def files_beside(submission: str, sources: dict[str, str]) -> dict[str, Path]:
    """Return the files in the folder of a hand-in, and below it, by their names in it.

    `sources` has the path of each submission. A folder is a student's if no hand-in of another is in it, and
    one is beside it: a notebook that was graded alone may lie among files that were not handed in.
    """
    source = Path(sources.get(submission, ROSTER))
    if not source.is_absolute():
        return {}
    folder, own = source if source.is_dir() else source.parent, student_of(submission)
    inside, around = f"{folder}{os.sep}", f"{folder.parent}{os.sep}"
    others = [path for name, path in sources.items() if student_of(name) != own]
    if any(path.startswith(inside) for path in others) or not any(path.startswith(around) for path in others):
        return {}
    return dict(itertools.islice(_files(folder), MAX_FILES))


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for directory, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not is_skipped(name))
        for name in sorted(files):
            path = Path(directory) / name
            if not is_skipped(name) and not name.lower().endswith(SUFFIX) and not path.is_symlink():
                yield one_line(path.relative_to(folder).as_posix()), path


def read_file(path: Path) -> bytes | None:
    """Return the content of a file, None if it is a link, no file, or larger than MAX_BYTES."""
    try:
        with open(path, "rb", opener=_open) as file:
            content = file.read(MAX_BYTES + 1)
    except OSError:
        return None
    return content if len(content) <= MAX_BYTES else None


def _open(path: str, flags: int) -> int:
    """Open a file, without a wait for the other end of a pipe; raise OSError for what is no file."""
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
    return descriptor
