"""Stores plans on disk, under a digest of all that they are made of: only a changed course is planned again.

    ~/.cache/grader/plans/<digest>      (grader/cache.py)

Plans are pickled, and a pickle from someone else could run any code. So a file is read only if its folder
belongs to the user and nobody else can write to it, and only classes of the modules below are loaded.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import logging
import os
import pickle
import platform
import sys
import tempfile
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from grader.cache import cache_folder
from grader.checks.registry import check_types
from grader.plan.plan import Plan

LOG = logging.getLogger(__name__)
KEPT_SECONDS = 30 * 86400.0  # since a plan was last read
PACKAGE = Path(__file__).parent.parent
CODE = (
    "checks",
    "course",
    "derivation",
    "numerics",
    "plan",
    "inside",
    "explanations.py",
    "records.py",
    "subjects.py",
    "written.py",
)
MODULES = ("grader", "numpy", "scipy.sparse", "pandas", "_assignment_")
BUILTINS = frozenset({"set", "frozenset", "complex", "slice", "range", "bytearray"})


def plan_digest(parts: Iterable[bytes]) -> str:
    """Return a digest of a course's files (`parts`), of our code, and of the Python that runs both."""
    digest = hashlib.sha256(_code_and_python())
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()


@cache  # it reads all of our code, and the answer is the same for the whole process
def _code_and_python() -> bytes:
    """Return a digest of our own code, the interpreter, the machine's kind, and the installed packages."""
    digest = hashlib.sha256(f"{sys.version} {platform.machine()}".encode())
    for name in CODE:
        path = PACKAGE / name
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            digest.update(file.read_bytes())
    installed = {f"{each.name} {each.version}" for each in importlib.metadata.distributions()}
    digest.update("\n".join(sorted(installed)).encode())
    return digest.digest()


def read_plan(digest: str) -> Plan | None:
    """Return the plan with a digest, None if it is not kept or cannot be read."""
    folder = cache_folder("plans")
    if folder is None:
        return None
    path = folder / digest
    try:
        content = path.read_bytes()
        if content[:32] != hashlib.sha256(content[32:]).digest():
            return None
        plan = _Unpickler(io.BytesIO(content[32:])).load()
        os.utime(path)
    except FileNotFoundError:
        return None
    except Exception as error:  # a file of another version, a disk that fails: the plan is made again
        LOG.warning("the kept plan %s cannot be read: %r", path, error)
        return None
    return plan if isinstance(plan, Plan) else None


def keep_plan(digest: str, plan: Plan) -> None:
    """Store a plan, and remove those that nobody has read for a month. A failure costs time only."""
    try:
        data = pickle.dumps(plan, protocol=5)
    except Exception as error:  # an input that cannot be pickled
        LOG.info("the plan is not kept: %r", error)
    else:
        _keep(digest, hashlib.sha256(data).digest() + data)


def packed_plan(digest: str) -> bytes:
    """Return the file of a kept plan, for another machine; b'' if there is none."""
    folder = cache_folder("plans")
    try:
        return (folder / digest).read_bytes() if folder is not None else b""
    except OSError:
        return b""


def install_plan(digest: str, content: bytes) -> None:
    """Keep the file of a plan that another machine has made, unless there is one; it is believed."""
    folder = cache_folder("plans")
    if folder is not None and content and not (folder / digest).exists():
        _keep(digest, content)


def _keep(digest: str, content: bytes) -> None:
    """Write the file of a plan as a whole or not at all, and remove old ones."""
    folder = cache_folder("plans")
    if folder is None:
        return
    try:
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            file.write(content)
        Path(file.name).replace(folder / digest)
        for old in folder.iterdir():
            if old.stat().st_mtime < time.time() - KEPT_SECONDS:
                old.unlink(missing_ok=True)
    except OSError as error:  # a full disk
        LOG.info("the plan is not kept: %r", error)


class _Unpickler(pickle.Unpickler):
    """Loads classes and functions of the listed modules only."""

    def find_class(self, module: str, name: str) -> Any:
        """Return a class or function; raise UnpicklingError for one that no plan holds."""
        of_checks = {check.__module__ for check in check_types().values()}
        allowed = module in of_checks or any(module.startswith(each) for each in MODULES)
        if allowed or (module == "builtins" and name in BUILTINS):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"a plan holds no {module}.{name}")
