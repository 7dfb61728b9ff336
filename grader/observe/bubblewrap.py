"""bubblewrap as the outer wall: the warm parent starts in a root and namespaces that `bwrap` has made.

    bwrap  --executes-->  warm parent, process 1 of its namespaces  --fork-->  boxes, walled in by themselves

It shows what our own outer wall (inside/walls.py) shows. It matters where we may make no namespaces and it
may: installed setuid, or with a profile of AppArmor. Then no box sees the host, whatever its inner walls.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.observe.inside.walls import DEVICES, LINKS, SHARED, SYSTEM, TEMPORARY, accounts

NAMESPACES = ("pid", "net", "ipc", "uts")


def found() -> str | None:
    """Return where bubblewrap is, None if it is not installed."""
    return shutil.which("bwrap")


def command(bwrap: str, plan: Mapping[str, Any]) -> list[str]:
    """Return the words to put before a command, so that it runs behind this wall; makes files in its root."""
    root = Path(plan["root"])
    root.chmod(0o755)  # its user is another one, if we are root
    words = [bwrap, *(f"--unshare-{name}" for name in NAMESPACES), "--hostname", "box", "--as-pid-1"]
    words += ["--proc", "/proc", "--tmpfs", TEMPORARY, "--dir", SHARED]
    for path in (*SYSTEM, *plan["paths"]):
        words += _shown(path)
    for name in DEVICES:
        words += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    for name, target in LINKS.items():
        words += ["--symlink", target, f"/dev/{name}"]
    for path, text in accounts(plan["uid"], plan["gid"]).items():
        (root / path).write_text(text)
        words += ["--ro-bind", str(root / path), f"/etc/{path}"]
    words += ["--bind", plan["wires"], plan["wires"], "--remount-ro", "/", "--chdir", "/", "--"]
    return words


def _shown(path: str) -> list[str]:
    """Return the words that show a path of the host, read-only; a link stays a link."""
    if os.path.islink(path):  # noqa: PTH114
        return ["--symlink", os.readlink(path), path]  # noqa: PTH115
    return ["--ro-bind", path, path] if Path(path).exists() else []
