"""Reads the code of a notebook file with the standard library alone, so that `grader check` starts fast.

Executes nothing. `read.py` returns the whole notebook, where outputs, ids and old formats matter.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.errors import NotebookUnreadable, UsageError

MAX_BYTES = 50 << 20
MAX_MODULES = 20  # Python files beside a notebook: each is read with it, and copied into its boxes
MAX_MODULE = 1 << 20  # bytes of a Python file beside a notebook
ZEROS = "The file ended with zeros, as after a crash. They were left out."
NO_UTF8 = "Some bytes of the file are not UTF-8. They were read as Windows-1252."
MERGED = (
    "The file holds both sides of a merge of git. The first side was used.",
    "The file holds both sides of a merge of git. The second was used: with the first it is no notebook.",
)


def read_bytes(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the bytes of a submission; raise NotebookUnreadable if it is no regular file or too large.

    Raises OSError if it cannot be read, which may be the machine's fault and not the student's.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise NotebookUnreadable("it is not a regular file")
    size = status.st_size
    if size > max_bytes:
        remedy = "clear the outputs of the notebook and hand it in again"
        if path.suffix == ".py":
            remedy = "hand in data in files of their own"
        raise NotebookUnreadable(
            f"the file {path.name} has {size / 2**20:.0f} MB, "
            f"more than the {max_bytes / 2**20:.0f} MB allowed; {remedy}",
            advised=True,
        )
    return path.read_bytes()


def modules_in(folder: Path) -> tuple[Path, ...]:
    """Return the Python files of a folder that a notebook in it may import, sorted, links left out."""
    files = sorted(path for path in folder.iterdir() if path.suffix == ".py" and path.stem.isidentifier())
    return tuple(path for path in files if path.is_file() and not path.is_symlink())


def read_named(path: Path) -> bytes:
    """Return the bytes of a notebook that the user named; raise UsageError if it cannot be read."""
    try:
        return read_bytes(path)
    except FileNotFoundError as error:
        raise UsageError(f"there is no notebook {path}") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except NotebookUnreadable as error:
        raise UsageError(f"{path} cannot be read: {error}") from error


def load_json(data: bytes, repairs: list[str] | None = None) -> dict[str, Any]:
    """Return the content of a notebook; raise NotebookUnreadable, with what the file seems to be.

    A sentence for the student on each repair is added to `repairs`.
    """
    repairs = [] if repairs is None else repairs
    if not data.strip():
        raise NotebookUnreadable("the file is empty")
    encoding = json.detect_encoding(data)
    try:
        if encoding.startswith("utf-8"):
            whole = data.rstrip(b"\0")  # after a crash, a file may end with zeros
            if len(whole) < len(data):
                repairs.append(ZEROS)
            try:
                text = whole.decode(encoding)
            except UnicodeDecodeError:
                text = whole.decode(encoding, OF_WINDOWS)
                repairs.append(NO_UTF8)
        else:
            text = data.decode(encoding)
        content = _parsed(text, repairs)
    except UnicodeDecodeError:
        raise NotebookUnreadable(f"it is not a notebook: {_looks_like(data)}") from None
    except RecursionError:
        raise NotebookUnreadable("it is not a notebook: its JSON is nested without end") from None
    except ValueError as error:
        raise NotebookUnreadable(f"it is not a notebook: {_looks_like(data)} ({error})") from None
    if not isinstance(content, dict) or not ("cells" in content or "worksheets" in content):
        raise NotebookUnreadable('it is JSON but not a notebook: it has no "cells"')
    return content


def _parsed(text: str, repairs: list[str]) -> Any:
    """Return JSON; where a merge of git left both sides, the first one that makes it whole."""
    try:
        return json.loads(text, strict=False)
    except ValueError:
        for side in (0, 1):
            merged = _one_side(text, side)
            if merged != text:
                with contextlib.suppress(ValueError):
                    content = json.loads(merged, strict=False)
                    repairs.append(MERGED[side])
                    return content
        raise


def _one_side(text: str, side: int) -> str:
    """Return text with one of the two sides of each conflict, which git marks with lines of its own."""
    kept, now = [], None
    for line in text.splitlines(keepends=True):
        mark = line[:7] if line[7:8].isspace() or len(line) == 7 else ""
        if mark == "<<<<<<<":
            now = 0
        elif mark == ">>>>>>>" and now is not None:
            now = None
        elif mark == "|||||||" and now is not None:
            now = -1  # what both sides began with
        elif mark == "=======" and now is not None:
            now = 1
        elif now is None or now == side:
            kept.append(line)
    return "".join(kept)


def _of_windows(error: UnicodeError) -> tuple[str, int]:
    """Return bytes that are no UTF-8 as an editor on Windows means them."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


OF_WINDOWS = "grader.cp1252"
codecs.register_error(OF_WINDOWS, _of_windows)


def code_sources(content: dict[str, Any]) -> list[str]:
    """Return the sources of the code cells, of any format of notebooks."""
    key = {1: "code", 2: "input", 3: "input"}.get(version_of(content), "source")
    between = "\n" if version_of(content) == 2 else ""
    return [joined(cell, key, between) for cell in _cells(content) if cell.get("cell_type") == "code"]


def text_sources(content: dict[str, Any]) -> list[str]:
    """Return the sources of the cells that hold no code, of any format of notebooks."""
    key = "text" if version_of(content) == 1 else "source"
    return [joined(cell, key) for cell in _cells(content) if cell.get("cell_type") != "code"]


def _cells(content: dict[str, Any]) -> list[dict[str, Any]]:
    version = version_of(content)
    if version in (2, 3):  # the cells are on sheets
        sheets = content.get("worksheets")
        sheets = [sheet for sheet in sheets if isinstance(sheet, dict)] if isinstance(sheets, list) else []
        lists = [sheet.get("cells") for sheet in sheets]
        cells = [cell for each in lists if isinstance(each, list) for cell in each]
    else:
        cells = content["cells"] if isinstance(content.get("cells"), list) else []
    return [cell for cell in cells if isinstance(cell, dict)]


def version_of(content: dict[str, Any]) -> int:
    """Return the major version of the format of a notebook; a guess for one that does not say it."""
    version = content.get("nbformat")
    if type(version) is int:
        return version
    if "cells" not in content:
        return 3
    cells = content["cells"] if isinstance(content["cells"], list) else []
    own = {"text", "code"}  # the keys of version 1, where later ones have "source"
    return (
        1
        if any(isinstance(each, dict) and own & each.keys() and "source" not in each for each in cells)
        else 4
    )


def joined(cell: Mapping[str, Any], key: str = "source", between: str = "") -> str:
    """Return the source of a cell as one string; files may store it as a list of lines."""
    source = cell.get(key, "")
    return between.join(map(_plain, source)) if isinstance(source, list) else _plain(source)


def _plain(text: Any) -> str:
    """Return a source, or a line of one, without what UTF-8 cannot encode; null becomes ''."""
    return "" if text is None else str(text).encode("utf-8", "replace").decode()


def _looks_like(data: bytes) -> str:
    """Return what kind of file this seems to be, for the message to the student."""
    head = data[:64].lstrip().lower()
    kinds = {
        b"%pdf": "a PDF",
        b"<!doctype": "a web page",
        b"<html": "a web page",
        b"pk\x03\x04": "a ZIP archive",
    }
    for start, name in kinds.items():
        if head.startswith(start):
            return f"it is {name}"
    return "it is cut off or damaged" if head.startswith(b"{") else "it is not JSON"
