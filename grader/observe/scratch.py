"""The folder below which a sandbox makes the directories of its runs; those of killed runs are removed.

<temporary folder>/grader-xxxxxxxx/     one sandbox's; removed when it is closed
                              alive     locked as long as the process lives: the system frees it at its end
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from pathlib import Path

from grader.observe.sandbox import remove_tree

if sys.platform != "win32":  # where there are no walls either
    import fcntl

PREFIX, ALIVE = "grader-", "alive"
UNMARKED_SECONDS = 3600.0  # after which an empty folder was left by a process that was killed at once


def make_scratch() -> tuple[Path, int]:
    """Return a new folder, and the descriptor that marks it as one in use until it is closed."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    folder.chmod(0o711)
    alive = os.open(folder / f".{ALIVE}", os.O_CREAT | os.O_RDWR, 0o600)
    if sys.platform != "win32":
        fcntl.flock(alive, fcntl.LOCK_EX)
        (folder / f".{ALIVE}").rename(folder / ALIVE)  # only now: nobody may find it unlocked
    return folder, alive


def sweep_scratch() -> None:
    """Remove the folders of this user whose process has been killed, and no other folder."""
    if sys.platform != "win32":
        for alive in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{ALIVE}"):
            with contextlib.suppress(OSError):
                if alive.parent.is_symlink() or alive.parent.lstat().st_uid != os.getuid():
                    continue
                descriptor = os.open(alive, os.O_RDWR | os.O_NOFOLLOW)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    remove_tree(alive.parent)
                finally:
                    os.close(descriptor)
        for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}{'?' * 8}"):
            with contextlib.suppress(OSError):  # it is not empty, or another user's
                if time.time() - folder.lstat().st_mtime > UNMARKED_SECONDS:
                    (folder / f".{ALIVE}").unlink(missing_ok=True)
                    folder.rmdir()
