"""Reads a notebook from bytes, and repairs what can be repaired. Executes nothing.

What arrives in a course: nbformat 3, no kernel metadata, missing cell ids, sources as lists, byte-order
marks, empty files, web pages saved under the name of a notebook, files of 300 MB.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
from nbformat.corpus.words import generate_corpus_id

from grader.errors import NotebookUnreadable
from grader.notebook.quiet import quiet

MAX_BYTES = 50 << 20
CELL_TYPES = ("code", "markdown", "raw")


def read_bytes(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the bytes of a submission; raise NotebookUnreadable if it is no regular file or too large."""
    try:
        if not path.is_file():
            raise NotebookUnreadable("it is not a regular file")
        size = path.stat().st_size
        if size > max_bytes:
            raise NotebookUnreadable(
                f"the file has {size / 2**20:.0f} MB, more than the {max_bytes / 2**20:.0f} MB allowed; "
                "clear the outputs of the notebook and hand it in again"
            )
        return path.read_bytes()
    except OSError as error:
        raise NotebookUnreadable(f"the file cannot be read: {error.strerror}") from error


def parse_notebook(data: bytes) -> nbformat.NotebookNode:
    """Return the notebook in nbformat 4.5, outputs kept; raise NotebookUnreadable."""
    if not data.strip():
        raise NotebookUnreadable("the file is empty")
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise NotebookUnreadable(f"it is not a notebook: {_looks_like(data)}") from None
    except RecursionError:
        raise NotebookUnreadable("it is not a notebook: its JSON is nested without end") from None
    except ValueError as error:
        raise NotebookUnreadable(f"it is not a notebook: {_looks_like(data)} ({error})") from None
    if not isinstance(content, dict) or not ("cells" in content or "worksheets" in content):
        raise NotebookUnreadable('it is JSON but not a notebook: it has no "cells"')
    return _normalised(_upgraded(content))


def _upgraded(content: dict[str, Any]) -> nbformat.NotebookNode:
    """Convert any older format to version 4; a notebook of an unknown future one is taken as it is."""
    version = content.get("nbformat", 4 if "cells" in content else 3)
    content["nbformat"], content["nbformat_minor"] = version, content.get("nbformat_minor", 0)
    try:
        with quiet():
            node = nbformat.from_dict(content)
            upgraded: nbformat.NotebookNode = node if version >= 4 else nbformat.convert(node, 4)
            return upgraded
    except Exception as error:  # nbformat raises whatever the content makes it trip over
        raise NotebookUnreadable(f"it is a damaged notebook: {type(error).__name__}: {error}") from error


def _normalised(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Rebuild the notebook from what is well-formed in it, with ids and plain sources."""
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise NotebookUnreadable('its "cells" are not a list')
    kept = [_cell(cell) for cell in cells if isinstance(cell, dict)]
    seen: set[str] = set()
    for cell in kept:
        while cell["id"] in seen:
            cell["id"] = generate_corpus_id()
        seen.add(cell["id"])
    metadata = {"language_info": {"name": "python"}}
    clean: nbformat.NotebookNode = nbformat.v4.new_notebook(cells=kept, metadata=metadata)
    clean.nbformat_minor = 5
    return clean


def _cell(cell: dict[str, Any]) -> nbformat.NotebookNode:
    kind = cell.get("cell_type")
    kind = kind if kind in CELL_TYPES else "raw"
    source = cell.get("source", "")
    text = "".join(str(line) for line in source) if isinstance(source, list) else str(source)
    metadata = cell.get("metadata")
    options = {"metadata": nbformat.from_dict(metadata if isinstance(metadata, dict) else {})}
    new: nbformat.NotebookNode = getattr(nbformat.v4, f"new_{kind}_cell")(text, **options)
    identity = cell.get("id")
    new["id"] = identity if isinstance(identity, str) and 0 < len(identity) <= 64 else generate_corpus_id()
    if isinstance(cell.get("attachments"), dict) and kind == "markdown":
        new["attachments"] = cell["attachments"]
    return new


def _looks_like(data: bytes) -> str:
    """Say what kind of file was handed in under the name of a notebook."""
    head = data[:64].lstrip().lower()
    known = {
        b"%pdf": "a PDF",
        b"<!doctype": "a web page",
        b"<html": "a web page",
        b"pk\x03\x04": "a ZIP archive",
    }
    for start, name in known.items():
        if head.startswith(start):
            return f"it is {name}"
    return "it is cut off or damaged" if head.startswith(b"{") else "it is not JSON"
