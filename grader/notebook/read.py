"""Reads a notebook from bytes, and repairs what can be repaired. Executes nothing.

What arrives in a course: nbformat 3, no kernel metadata, missing cell ids, sources as lists, byte-order
marks, empty files, web pages saved under the name of a notebook, files of 300 MB.
"""

from __future__ import annotations

import re
from typing import Any

import nbformat
from nbformat.corpus.words import generate_corpus_id

from grader.errors import NotebookUnreadable
from grader.notebook.quiet import quiet
from grader.notebook.sources import MAX_BYTES, joined, load_json, read_bytes

__all__ = ["MAX_BYTES", "load_notebook", "parse_notebook", "read_bytes"]

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
CELL_TYPES = ("code", "markdown", "raw")
# Old formats keep text as lists of lines, version 2 without line ends; their converters take strings alone.
REJOIN: dict[int, Any] = {2: nbformat.v2.rwbase.rejoin_lines, 3: nbformat.v3.rwbase.rejoin_lines}


def parse_notebook(data: bytes) -> nbformat.NotebookNode:
    """Return the notebook in nbformat 4.5, without its outputs; raise NotebookUnreadable."""
    return _normalised(load_notebook(data))


def load_notebook(data: bytes) -> nbformat.NotebookNode:
    """Return the notebook in nbformat 4 as it was saved, with its outputs; raise NotebookUnreadable."""
    return _upgraded(load_json(data))


def _upgraded(content: dict[str, Any]) -> nbformat.NotebookNode:
    """Convert any older format to version 4; a notebook of an unknown future one is taken as it is."""
    version, minor = content.get("nbformat"), content.get("nbformat_minor")
    if type(version) is not int:
        version = 4 if "cells" in content else 3
    content["nbformat"], content["nbformat_minor"] = version, minor if type(minor) is int else 0
    try:
        with quiet():
            node = nbformat.from_dict(content)
            if version in REJOIN:
                node = REJOIN[version](node)
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
    for number, cell in enumerate(kept, 1):
        while not ID.fullmatch(cell["id"]) or cell["id"] in seen:
            cell["id"] = f"cell-{number}" if f"cell-{number}" not in seen else generate_corpus_id()
        seen.add(cell["id"])
    metadata = {"language_info": {"name": "python"}}
    clean: nbformat.NotebookNode = nbformat.v4.new_notebook(cells=kept, metadata=metadata)
    clean.nbformat_minor = 5
    return clean


def _cell(cell: dict[str, Any]) -> nbformat.NotebookNode:
    kind = cell.get("cell_type")
    kind = kind if kind in CELL_TYPES else "raw"
    metadata = cell.get("metadata")
    options = {"metadata": nbformat.from_dict(metadata if isinstance(metadata, dict) else {})}
    new: nbformat.NotebookNode = getattr(nbformat.v4, f"new_{kind}_cell")(joined(cell), **options)
    identity = cell.get("id")
    new["id"] = identity if isinstance(identity, str) else ""
    if isinstance(cell.get("attachments"), dict) and kind == "markdown":
        new["attachments"] = cell["attachments"]
    return new
