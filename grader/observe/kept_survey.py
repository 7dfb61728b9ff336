"""Keeps what was found about the walls of this machine, until it is started again or something changes.

Trying the layers takes longer than starting the boxes. Kept is which kind of box reached which tier, under a
digest of all that the answer depends on: the boot, the kernel, the user and the namespaces of this process,
our code, the interpreter. `grader doctor` always tries the layers, and replaces what is kept.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
from pathlib import Path

from grader.cache import cache_folder
from grader.inside.walls import BUBBLEWRAP, NONE, OWN
from grader.observe import bubblewrap
from grader.observe.code_digest import code_digest
from grader.observe.interpreter import find_interpreter
from grader.observe.layers import TIERS, Tier

LOG = logging.getLogger(__name__)
FOLDER = "walls"
DEPENDS_ON = (
    "/proc/sys/kernel/random/boot_id",
    "/proc/self/status",
    "/proc/self/cgroup",
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    "/proc/sys/kernel/unprivileged_userns_clone",
    "/proc/sys/user/max_user_namespaces",
)
STATUS = ("Uid", "Gid", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp")  # the lines of `status` that count
Kind = tuple[Tier, str]  # the tier that a box is built for, who builds its outer wall


def read_survey(python: str) -> tuple[Kind, Tier] | None:
    """Return the kind of box that reached the highest tier, and that tier; None if it is not kept."""
    folder = cache_folder(FOLDER)
    if folder is None:
        return None
    try:
        kind, outer, tier = json.loads((folder / _digest(python)).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        LOG.warning("what was kept about the walls cannot be read: %r", error)
        return None
    if kind not in TIERS or tier not in TIERS or outer not in (OWN, BUBBLEWRAP, NONE):
        return None
    return (Tier(kind), str(outer)), Tier(tier)


def keep_survey(python: str, kind: Kind, tier: Tier) -> None:
    """Keep which kind of box reached which tier; a failure costs time only."""
    folder = cache_folder(FOLDER)
    if folder is None:
        return
    try:
        forget_survey()
        (folder / _digest(python)).write_text(json.dumps([*kind, tier]), encoding="utf-8")
    except OSError as error:
        LOG.info("what was found about the walls is not kept: %r", error)


def forget_survey() -> None:
    """Remove everything that is kept about walls."""
    folder = cache_folder(FOLDER)
    for path in folder.iterdir() if folder is not None else ():
        path.unlink(missing_ok=True)


def _digest(python: str) -> str:
    """Return a digest of what the tier depends on."""
    parts = [platform.release(), find_interpreter(python).environment, code_digest(("observe", "inside"))]
    parts.append(str(bubblewrap.found()))
    for path in map(Path, DEPENDS_ON):
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if path.name == "status":
            text = "".join(line for line in text.splitlines(True) if line.partition(":")[0] in STATUS)
        parts.append(text)
    for name in ("user", "mnt", "net", "pid", "cgroup"):
        link = f"/proc/self/ns/{name}"
        parts.append(os.readlink(link) if os.path.islink(link) else "")  # noqa: PTH114, PTH115
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
