"""The cells of a notebook as blocks of the page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from grader.pdf.code import set_code
from grader.pdf.content import Content
from grader.pdf.draft import Draft
from grader.pdf.outputs import prompt_of, set_outputs, set_printed
from grader.pdf.text import text_of

MAX_CODE_ROWS = 20_000
MAGIC = re.compile(r"%%(\w+)")
LANGUAGES = {"bash": "bash", "sh": "bash", "html": "html", "javascript": "js", "latex": "latex", "sql": "sql"}


def set_notebook(notebook: Mapping[str, Any], draft: Draft) -> None:
    """Add the cells of an (executed) notebook in nbformat 4 to the draft."""
    metadata = notebook.get("metadata")
    info = metadata.get("language_info") if isinstance(metadata, Mapping) else None
    language = info.get("name") if isinstance(info, Mapping) else None
    language = language if isinstance(language, str) else "python"
    rows_left = MAX_CODE_ROWS
    for cell in notebook.get("cells", ()):
        if not isinstance(cell, Mapping):
            continue
        source = text_of(cell.get("source", ""))
        kind = cell.get("cell_type")
        if kind == "code":
            if source.strip():
                magic = MAGIC.match(source)
                rows = set_code(source, LANGUAGES.get(magic[1], language) if magic else language)
                shown = draft.rows(rows[:rows_left])
                draft.blocks.append({"t": "code", "prompt": prompt_of("In", cell), "rows": shown})
                if len(rows) > rows_left:
                    draft.warn(f"code is cut off: the notebook has more than {MAX_CODE_ROWS} lines of it")
                    draft.blocks.append({"t": "note", "s": "[the rest of the code is cut off here]"})
                rows_left = max(rows_left - len(rows), 0)
            outputs = cell.get("outputs")
            draft.blocks += set_outputs(outputs, draft) if isinstance(outputs, list) else []
        elif kind == "markdown":
            draft.blocks.append({"t": "text", "c": Content(draft, cell.get("attachments")).markdown(source)})
        elif source.strip():
            draft.blocks += set_printed(source, draft, "raw")

    if not draft.title:
        _set_title(draft)


def _set_title(draft: Draft) -> None:
    """Make the heading of the first text the title, or else the only heading of its level."""
    headings: list[dict[str, Any]] = []
    for block in draft.blocks:
        headings += _headings(block["c"], draft) if block["t"] == "text" else []
    if not headings:
        return
    first = draft.blocks[0]
    is_first = first["t"] == "text" and headings[0] in _headings(first["c"], draft)
    if is_first and headings[0] in first["c"]:  # what was before it, a badge for example, comes after it
        first["c"].remove(headings[0])
        draft.blocks.insert(0, {"t": "title", "c": headings[0]["c"]})
    if is_first or len(headings) == 1:
        draft.title = _text(headings[0]["c"], draft).strip()


def _headings(nodes: list[Any], draft: Draft) -> list[dict[str, Any]]:
    """Return the headings of the first level that have a text, in order."""
    found: list[dict[str, Any]] = []
    for node in nodes:
        if isinstance(node, dict) and node["t"] == "heading":
            found += [node] if node["level"] == 1 and _text(node["c"], draft).strip() else []
        elif isinstance(node, dict):
            found += _headings(node.get("c", []), draft)
    return found


def _text(nodes: list[Any], draft: Draft) -> str:
    """Return the text of nodes, with the TeX of their formulas."""
    parts = []
    for node in nodes:
        if isinstance(node, str):
            parts.append(node)
        elif node.get("t") in ("math", "display"):
            parts.append(draft.formulas[node["n"]].tex)
        else:
            parts.append(node.get("s") or _text(node.get("c", []), draft))
    return "".join(parts)
