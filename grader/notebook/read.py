"""Reads a notebook from bytes, and repairs what can be repaired. Executes nothing.

Students hand in notebooks of nbformat 3, without kernel metadata or cell ids, with lists as sources or with a
byte-order mark, but also empty files, web pages saved under the name of a notebook, and files of 300 MB.
"""

from __future__ import annotations

import contextlib
import io
import re
import tokenize
from typing import Any

import nbformat
from nbformat.corpus.words import generate_corpus_id

from grader.errors import NotebookUnreadable
from grader.notebook.quiet import quiet
from grader.notebook.sources import MAX_BYTES, joined, load_json, read_bytes, version_of

__all__ = ["MAX_BYTES", "load_notebook", "parse_notebook", "read_bytes"]

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_CELLS = 5000
SHORT = 10_000  # characters
MAX_TOKENS = 300_000  # of code: more would take seconds to read, and nobody writes them
TOO_LONG = f"Up to cell {{}} there are more than {MAX_TOKENS} words of code. This cell was not read or run."
CELL_TYPES = ("code", "markdown", "raw")
# Formats 2 and 3 store text as lists of lines, but their converters to a newer format expect strings.
REJOIN: dict[int, Any] = {2: nbformat.v2.rwbase.rejoin_lines, 3: nbformat.v3.rwbase.rejoin_lines}


def parse_notebook(data: bytes, repairs: list[str] | None = None) -> nbformat.NotebookNode:
    """Return the notebook in nbformat 4.5 without outputs, built anew from its well-formed parts.

    A sentence for the student on each repair of the file is added to `repairs`. Raises NotebookUnreadable.
    """
    repairs = [] if repairs is None else repairs
    given = load_notebook(data, repairs).get("cells")
    if not isinstance(given, list):
        raise NotebookUnreadable('its "cells" are not a list')
    cells: list[nbformat.NotebookNode] = []
    left = MAX_TOKENS
    if len(given) > MAX_CELLS:
        raise NotebookUnreadable(f"it has {len(given)} cells, more than the {MAX_CELLS} allowed")
    for old in given:
        if not isinstance(old, dict):
            continue
        kind = old.get("cell_type")
        kind = kind if kind in CELL_TYPES else "raw"
        if kind == "code":
            left -= _tokens(joined(old), left)
            if left < 0:
                kind, left = "raw", 0
                repairs.append(TOO_LONG.format(len(cells) + 1))
        cell = _made_anew(kind, old)
        cell["id"] = old["id"] if isinstance(old.get("id"), str) else ""
        cells.append(cell)
    # nbformat 4.5 demands ids that are well-formed and differ from each other.
    seen: set[str] = set()
    for number, cell in enumerate(cells, 1):
        while not ID.fullmatch(cell["id"]) or cell["id"] in seen:
            cell["id"] = f"cell-{number}" if f"cell-{number}" not in seen else generate_corpus_id()
        seen.add(cell["id"])
    metadata = {"language_info": {"name": "python"}}
    notebook: nbformat.NotebookNode = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    notebook.nbformat_minor = 5
    return notebook


def _tokens(source: str, most: int) -> int:
    """Return how many tokens code has, `most` + 1 if there are more; short code is not counted."""
    count = 0
    if len(source) > SHORT:
        with contextlib.suppress(SyntaxError, tokenize.TokenError):  # of no Python, what comes before counts
            for count, _ in enumerate(tokenize.generate_tokens(io.StringIO(source).readline), 1):
                if count > most:
                    break
    return count


def _made_anew(kind: str, old: Any) -> nbformat.NotebookNode:
    """Return a cell with the source of an old one, and of its other parts those that nbformat accepts."""
    make = getattr(nbformat.v4, f"new_{kind}_cell")
    names = ("metadata", "attachments") if kind == "markdown" else ("metadata",)
    parts = {name: nbformat.from_dict(old[name]) for name in names if isinstance(old.get(name), dict)}
    for name in list(parts):
        try:
            make("", **{name: parts[name]})
        except nbformat.ValidationError:
            del parts[name]
    cell: nbformat.NotebookNode = make(joined(old), **parts)
    return cell


def load_notebook(data: bytes, repairs: list[str] | None = None) -> nbformat.NotebookNode:
    """Return the notebook in nbformat 4 as it was saved, with its outputs; raise NotebookUnreadable.

    An older format is converted; a newer one is taken as it is.
    """
    content = load_json(data, repairs)
    version, minor = version_of(content), content.get("nbformat_minor")
    if version < 4:
        content.setdefault("metadata", {})  # its converter needs it
    content["nbformat"], content["nbformat_minor"] = version, minor if type(minor) is int else 0
    try:
        with quiet():
            node = nbformat.from_dict(content)
            if version in REJOIN:
                node = REJOIN[version](node)
            notebook: nbformat.NotebookNode = node if version >= 4 else nbformat.convert(node, 4)
            return notebook
    except Exception as error:  # damaged content can make nbformat raise anything
        raise NotebookUnreadable(f"it is a damaged notebook: {type(error).__name__}: {error}") from error
