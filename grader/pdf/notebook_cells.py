"""The cells of a notebook and their outputs as blocks of the page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from grader.pdf.code import set_code
from grader.pdf.content import Content
from grader.pdf.draft import Block, Draft
from grader.pdf.escape_codes import FIRST_ROWS, set_terminal
from grader.pdf.pictures import KINDS, POINTS_PER_PIXEL, PictureUnreadableError
from grader.pdf.text import plain, text_of

MAX_CODE_ROWS = 20_000
# What `repr` gives for an object without a text of its own, such as <a.B object at 0x7f>.
DEFAULT_TEXT = re.compile(r"\s*<[\w. ]+(?: (?:object|at) [^>]*)?>\s*")
# Forms that only a program in the browser shows: Plotly, widgets, Vega, ...
APPLICATION = re.compile(r"application/(?!json$|pdf$|x-latex$)")
ACTIVE = re.compile(r"<(?:iframe|script|canvas|video|audio|embed|object)\b", re.I)
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
                draft.blocks.append({"t": "code", "prompt": _prompt("In", cell), "rows": shown})
                if len(rows) > rows_left:
                    draft.warn(f"code is cut off: the notebook has more than {MAX_CODE_ROWS} lines of it")
                    draft.blocks.append({"t": "note", "s": "[the rest of the code is cut off here]"})
                rows_left = max(rows_left - len(rows), 0)
            outputs = cell.get("outputs")
            for output in outputs if isinstance(outputs, list) else ():
                draft.blocks += _output(output, draft) if isinstance(output, Mapping) else []
        elif kind == "markdown":
            draft.blocks.append({"t": "text", "c": Content(draft, cell.get("attachments")).markdown(source)})
        elif source.strip():
            draft.blocks += _printed(source, draft, "raw")

    # A first heading is the title of the document, unless the student gave another one.
    nodes = list(draft.blocks[0].get("c", [])) if draft.blocks else []
    if nodes and isinstance(nodes[0], dict) and nodes[0].get("t") == "heading":
        heading = nodes[0]
        title = _text(heading["c"], draft).strip()
        if heading["level"] == 1 and title and not draft.title:
            draft.title = title
            draft.blocks[0]["c"] = nodes[1:]
            draft.blocks.insert(0, {"t": "title", "c": heading["c"]})


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


def _prompt(word: str, item: Mapping[str, Any]) -> str:
    """Return what Jupyter shows beside a cell or a result, such as `In [3]`."""
    count = item.get("execution_count")
    return f"{word} [{count if isinstance(count, int) and 0 <= count < 10**6 else ' '}]"


def _printed(text: str, draft: Draft, look: str, prompt: str = "") -> list[Block]:
    """Return the block of a printed text; none if nothing can be seen of it."""
    rows, left_out = set_terminal(text)
    if not rows:
        return []
    block = {"t": "printed", "look": look, "prompt": prompt, "rows": draft.rows(rows), "cut": 0}
    if left_out:
        draft.warn(f"a long output is shortened: {left_out} lines in its middle are left out")
        block |= {"cut": left_out, "cut_at": FIRST_ROWS}
    return [block]


def _output(output: Mapping[str, Any], draft: Draft) -> list[Block]:
    """Return the blocks of an output: for a displayed object, the richest of its forms that can be set."""
    kind = output.get("output_type")
    if kind == "stream":
        look = "stderr" if output.get("name") == "stderr" else "plain"
        return _printed(text_of(output.get("text", "")), draft, look)
    if kind == "error":
        traceback = output.get("traceback")
        lines = "\n".join(map(str, traceback)) if isinstance(traceback, list) else ""
        message = lines if lines.strip() else f"{output.get('ename')}: {output.get('evalue')}"
        return _printed(message, draft, "error")

    # A displayed object, often in several forms. LaTeX is preferred to a picture of the formula.
    prompt = _prompt("Out", output) if kind == "execute_result" else ""
    data = output.get("data")
    forms = data if isinstance(data, Mapping) else {}
    texts = {form: text_of(value) for form, value in forms.items() if isinstance(value, str | list)}
    metadata = output.get("metadata")
    content = Content(draft)
    nodes: list[Any] = []
    for form in KINDS if "text/latex" not in texts else ():
        if form not in texts:
            continue
        asked = metadata.get(form) if isinstance(metadata, Mapping) else None
        pixels = asked.get("width") if isinstance(asked, Mapping) else None
        width = pixels * POINTS_PER_PIXEL if isinstance(pixels, int | float) and 0 < pixels < 5000 else 0.0
        try:
            picture = draft.pictures.add_base64(texts[form], form)
        except PictureUnreadableError as error:
            nodes = [content.left_out(error)]
        else:
            nodes = [content.picture(picture, texts.get("text/plain", ""), width)]
            break

    # HTML is shown if it has a table, or if it shows anything and the object has no text of its own.
    if not nodes and "text/html" in texts:
        html = texts["text/html"][:20_000]
        visible = re.sub(r"<(script|style)\b.*?</\1\s*>|<(?!img)[^>]*>|\s", "", html, flags=re.S | re.I)
        no_text = "text/plain" not in texts or DEFAULT_TEXT.fullmatch(texts["text/plain"])
        if re.search(r"<table", html, re.I) or (visible and no_text):
            nodes = content.html(texts["text/html"])

    for form in ("text/latex", "text/markdown"):
        if not nodes and form in texts:
            nodes = content.markdown(texts[form])
    if nodes:
        return [{"t": "rich", "prompt": prompt, "c": nodes}]
    # What is left has a text at most, which does not show what Jupyter does.
    text = texts.get("text/plain", "")
    lost = [str(form) for form in forms if APPLICATION.match(str(form))]
    lost += ["HTML that is no text"] if ACTIVE.search(texts.get("text/html", "")) else []
    if not lost and text:
        return _printed(text, draft, "plain", prompt)
    names = plain(", ".join(sorted(lost or map(str, forms)))[:200]) or "none"
    draft.warn(f"an output cannot be printed ({names}): show a picture of it instead")
    note: Block = {"t": "note", "s": f"[an output of a kind that cannot be printed: {names}]"}
    return [note, *([] if DEFAULT_TEXT.fullmatch(text) else _printed(text, draft, "plain", prompt))]
