"""Which modules a student's code imports by other ways than a plain import statement.

What a statement imports is read from the notebook. `__import__`, `importlib`, `exec`, and attributes that a
package imports when they are asked for, show only when the code runs: here, as far as the code leaves the
list alone.
"""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any

MOST = 500
FOUND: list[str] = []


class _Watcher:
    """The first of the finders of modules: notes who asks for what, and finds nothing."""

    @staticmethod
    def find_spec(fullname: str, path: Sequence[str] | None = None, target: Any = None) -> None:
        """Note a module that the student's code asks for."""
        if len(FOUND) < MOST and fullname not in FOUND and _asked(fullname, sys._getframe(1)):
            FOUND.append(fullname)


def watch() -> None:
    """Begin to note what is imported."""
    sys.meta_path.insert(0, _Watcher)


def _asked(module: str, frame: FrameType | None) -> bool:
    """Whether the student's code asks for a module, and not in an import statement of its cells."""
    root = module.partition(".")[0]
    while frame is not None:
        name, owner = frame.f_code.co_filename, str(frame.f_globals.get("__name__", "")).partition(".")[0]
        lazy = owner == root and frame.f_code.co_name in ("__getattr__", "_lazy_import")
        if not (name.startswith("<frozen") or owner == "importlib" or lazy):
            return name.startswith("<") and not _is_statement(name, frame.f_lineno)
        frame = frame.f_back
    return False


def _is_statement(filename: str, line: int) -> bool:
    """Whether a line of a cell is an import statement and nothing else."""
    if not filename.startswith("<cell "):
        return False
    text = linecache.getline(filename, line).strip()
    try:
        body = ast.parse(text).body
    except SyntaxError:  # one of several lines
        return text.startswith(("import ", "from "))
    return bool(body) and all(isinstance(node, ast.Import | ast.ImportFrom) for node in body)
