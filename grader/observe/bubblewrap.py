"""bubblewrap as the outer wall: the warm parent starts in a root and namespaces that `bwrap` has made.

    bwrap  --executes-->  warm parent, process 1 of its namespaces  --fork-->  boxes, walled in by themselves

The new root shows the same files as that of our own outer wall (inside/walls.py). bubblewrap is used where we
may make no namespaces but `bwrap` may: it is installed setuid, or AppArmor has a profile for it. Then no box
sees the host, even where the boxes have no namespaces of their own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.inside.walls import DEVICES, LINKS, SHARED, SYSTEM, TEMPORARY, accounts

NAMESPACES = ("pid", "net", "ipc", "uts")


def found() -> str | None:
    """Return the path of bubblewrap's program, None if it is not installed."""
    return shutil.which("bwrap")


def command(bwrap: str, plan: Mapping[str, Any]) -> list[str]:
    """Return the words to put before a command so that it runs behind this wall; makes files in its root."""
    root = Path(plan["root"])
    root.chmod(0o755)  # if we are root, the command runs as another user
    arguments = [bwrap, *(f"--unshare-{name}" for name in NAMESPACES), "--hostname", "box", "--as-pid-1"]
    arguments += ["--proc", "/proc", "--tmpfs", TEMPORARY, "--dir", SHARED]
    for path in (*SYSTEM, *plan["paths"]):
        if os.path.islink(path):  # noqa: PTH114
            arguments += ["--symlink", os.readlink(path), path]  # noqa: PTH115
        elif Path(path).exists():
            arguments += ["--ro-bind", path, path]
    for name in DEVICES:
        arguments += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    for name, target in LINKS.items():
        arguments += ["--symlink", target, f"/dev/{name}"]
    for path, text in accounts(plan["uid"], plan["gid"], 0).items():
        (root / path).write_text(text)
        arguments += ["--ro-bind", str(root / path), f"/etc/{path}"]
    arguments += ["--bind", plan["wires"], plan["wires"], "--remount-ro", "/", "--chdir", "/", "--"]
    return arguments
