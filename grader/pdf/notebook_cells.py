"""The cells of a notebook and their outputs as blocks of the page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from grader.pdf.code import set_code
from grader.pdf.content import Content
from grader.pdf.draft import Block, Draft
from grader.pdf.escape_codes import FIRST_ROWS, set_terminal
from grader.pdf.pictures import KINDS, POINTS_PER_PIXEL, PictureUnreadableError
from grader.pdf.text import plain, text_of

MAX_CODE_ROWS = 20_000
DEFAULT_TEXT = re.compile(r"\s*<[\w. ]+(?: (?:object|at) [^>]*)?>\s*")
MAGIC = re.compile(r"%%(\w+)")
LANGUAGES = {"bash": "bash", "sh": "bash", "html": "html", "javascript": "js", "latex": "latex", "sql": "sql"}


def set_notebook(notebook: Mapping[str, Any], draft: Draft) -> None:
    """Add the cells of an (executed) notebook in nbformat 4 to the draft."""
    cells = [cell for cell in notebook.get("cells", ()) if isinstance(cell, Mapping)]
    language = _language(notebook)
    budget = [MAX_CODE_ROWS]
    for cell in cells:
        source = text_of(cell.get("source", ""))
        kind = cell.get("cell_type")
        if kind == "code":
            draft.blocks += _code(source, cell, language, draft, budget)
            outputs = cell.get("outputs")
            for output in outputs if isinstance(outputs, list) else ():
                draft.blocks += _output(output, draft) if isinstance(output, Mapping) else []
        elif kind == "markdown":
            draft.blocks.append({"t": "text", "c": Content(draft, cell.get("attachments")).markdown(source)})
        elif source.strip():
            draft.blocks += _printed(source, draft, "raw")
    _take_title(draft)


def _take_title(draft: Draft) -> None:
    """Let the heading that opens the notebook be the title of the document."""
    first = draft.blocks[0].get("c", []) if draft.blocks else []
    content = list(first)
    if content and isinstance(content[0], dict) and content[0].get("t") == "heading":
        heading = content[0]
        text = "".join(_texts(heading["c"], draft)).strip()
        if heading["level"] == 1 and text and not draft.title:
            draft.title = text
            draft.blocks[0]["c"] = content[1:]
            draft.blocks.insert(0, {"t": "title", "c": heading["c"]})


def _texts(nodes: list[Any], draft: Draft) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, str):
            yield node
        elif node.get("t") in ("math", "display"):
            yield draft.formulas[node["n"]].tex
        else:
            yield node.get("s") or "".join(_texts(node.get("c", []), draft))


def _language(notebook: Mapping[str, Any]) -> str:
    metadata = notebook.get("metadata")
    info = metadata.get("language_info") if isinstance(metadata, Mapping) else None
    name = info.get("name") if isinstance(info, Mapping) else None
    return name if isinstance(name, str) else "python"


def _code(
    source: str, cell: Mapping[str, Any], language: str, draft: Draft, budget: list[int]
) -> Iterator[Block]:
    if not source.strip():
        return
    magic = MAGIC.match(source)
    rows = set_code(source, LANGUAGES.get(magic[1], language) if magic else language)
    yield {"t": "code", "prompt": _prompt("In", cell), "rows": draft.rows(rows[: budget[0]])}
    if len(rows) > budget[0]:
        draft.warn(f"code is cut off: the notebook has more than {MAX_CODE_ROWS} lines of it")
        yield {"t": "note", "s": "[the rest of the code is cut off here]"}
    budget[0] = max(budget[0] - len(rows), 0)


def _prompt(word: str, item: Mapping[str, Any]) -> str:
    count = item.get("execution_count")
    return f"{word} [{count if isinstance(count, int) and 0 <= count < 10**6 else ' '}]"


def _output(output: Mapping[str, Any], draft: Draft) -> list[Block]:
    kind = output.get("output_type")
    if kind == "stream":
        look = "stderr" if output.get("name") == "stderr" else "plain"
        return _printed(text_of(output.get("text", "")), draft, look)
    if kind == "error":
        return _printed(_traceback(output), draft, "error")
    data = output.get("data")
    prompt = _prompt("Out", output) if kind == "execute_result" else ""
    return _displayed(data if isinstance(data, Mapping) else {}, output, draft, prompt)


def _traceback(output: Mapping[str, Any]) -> str:
    """Return the traceback of an error, or its name and message where there is none."""
    traceback = output.get("traceback")
    lines = "\n".join(map(str, traceback)) if isinstance(traceback, list) else ""
    return lines if lines.strip() else f"{output.get('ename')}: {output.get('evalue')}"


def _printed(text: str, draft: Draft, look: str, prompt: str = "") -> list[Block]:
    rows, left_out = set_terminal(text)
    if not rows:
        return []
    block = {"t": "printed", "look": look, "prompt": prompt, "rows": draft.rows(rows), "cut": 0}
    if left_out:
        draft.warn(f"a long output is shortened: {left_out} lines in its middle are left out")
        block |= {"cut": left_out, "cut_at": FIRST_ROWS}
    return [block]


def _displayed(data: Mapping[str, Any], output: Mapping[str, Any], draft: Draft, prompt: str) -> list[Block]:
    """Return the richest form of a displayed object that can be set."""
    content = Content(draft)
    texts = {kind: text_of(value) for kind, value in data.items() if isinstance(value, str | list)}
    nodes: list[Any] = []
    if "text/latex" not in texts:
        nodes = _pictures(texts, output, content)
    if not nodes and _html_says_more(texts):
        nodes = content.html(texts["text/html"])
    for kind in ("text/latex", "text/markdown"):
        nodes = nodes or (content.markdown(texts[kind]) if kind in texts else [])
    if nodes:
        return [{"t": "rich", "prompt": prompt, "c": nodes}]
    if "text/plain" in texts:
        return _printed(texts["text/plain"], draft, "plain", prompt)
    kinds = ", ".join(sorted(map(str, data)))[:200] or "none"
    return [{"t": "note", "s": f"[an output of a kind that cannot be printed: {plain(kinds)}]"}]


def _pictures(texts: Mapping[str, str], output: Mapping[str, Any], content: Content) -> list[Any]:
    """Return the first of the pictures that can be set, else a note if there was one."""
    nodes: list[Any] = []
    for kind in KINDS:
        if kind in texts:
            try:
                picture = content.draft.pictures.add_base64(texts[kind], kind)
                return [content.picture(picture, texts.get("text/plain", ""), _width(output, kind))]
            except PictureUnreadableError as error:
                nodes = [content.left_out(error)]
    return nodes


def _width(output: Mapping[str, Any], kind: str) -> float:
    """Return the width in points that the metadata of an output asks for, 0 if none."""
    metadata = output.get("metadata")
    asked = metadata.get(kind) if isinstance(metadata, Mapping) else None
    width = asked.get("width") if isinstance(asked, Mapping) else None
    return width * POINTS_PER_PIXEL if isinstance(width, int | float) and 0 < width < 5000 else 0.0


def _html_says_more(texts: Mapping[str, str]) -> bool:
    """Say whether the HTML of an object is to be shown: a table, or what has no text of its own."""
    html = texts.get("text/html", "")[:20_000]
    if re.search(r"<table", html, re.I):
        return True
    visible = re.sub(r"<(script|style)\b.*?</\1\s*>|<(?!img)[^>]*>|\s", "", html, flags=re.S | re.I)
    return bool(visible) and ("text/plain" not in texts or bool(DEFAULT_TEXT.fullmatch(texts["text/plain"])))
