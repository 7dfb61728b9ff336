"""The folder of what grader keeps between its runs on one machine.

    ~/.cache/grader/<name>/      or $XDG_CACHE_HOME/grader, or the folder $GRADER_CACHE

What is kept there is believed, so a folder that others can write to is not used.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

LOG = logging.getLogger(__name__)


def cache_folder(name: str) -> Path | None:
    """Return a folder of the cache, None if it cannot be made or others could write to it."""
    caches = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    folder = Path(os.environ.get("GRADER_CACHE") or Path(caches, "grader")) / name
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = folder.stat()
    except (OSError, RuntimeError) as error:
        LOG.info("nothing is kept in %s: %r", folder, error)
        return None
    if hasattr(os, "getuid") and (state.st_uid != os.getuid() or state.st_mode & 0o022):
        LOG.warning("nothing is kept in %s: others can write to it", folder)
        return None
    return folder
