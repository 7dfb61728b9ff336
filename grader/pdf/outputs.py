"""An output of a cell as blocks: of a displayed object, the form that Jupyter prefers, if it can be printed.

A formula, static HTML, Markdown, a text with formulas, a picture; then HTML that only a browser shows wholly,
and plain text. A form that Jupyter shows and a page cannot leaves a line and a note.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from grader.pdf.content import Content
from grader.pdf.draft import Block, Draft, Node
from grader.pdf.escape_codes import COMMAND, FIRST_ROWS, set_terminal
from grader.pdf.formulas.find import is_formula
from grader.pdf.markup import Element, without_programs
from grader.pdf.pictures import KINDS, POINTS_PER_PIXEL, PictureUnreadableError
from grader.pdf.text import plain, text_of

# What `repr` gives for an object without a text of its own, such as <a.B object at 0x7f>.
DEFAULT_TEXT = re.compile(r"\s*<[\w. ]+(?: (?:object|at) [^>]*)?>\s*")
# Forms that only a program in the browser shows (Plotly, widgets, Vega, ...), not the data behind a table.
DATA = r"vnd\.(?:dataresource|google\.colaboratory\.intrinsic|microsoft\.datawrangler\.[\w.]+)\+json"
APPLICATION = re.compile(rf"application/(?!(?:json|pdf|x-latex|{DATA})$)")


def set_outputs(outputs: Sequence[Any], draft: Draft) -> list[Block]:
    """Return the blocks of all outputs of a cell."""
    blocks: list[Block] = []
    known = [output for output in outputs if isinstance(output, Mapping)]
    for output, following in zip(known, [*known[1:], {}], strict=False):
        # A script before a picture draws it: so matplotlib's interactive figures are saved.
        is_script = set(_forms(output)) - {"text/plain"} == {"application/javascript"}
        if is_script and (
            "<img" in text_of(_forms(following).get("text/html")) or set(KINDS) & set(_forms(following))
        ):
            continue
        blocks += set_output(output, draft)
    return blocks


def set_output(output: Mapping[str, Any], draft: Draft) -> list[Block]:
    """Return the blocks of an output."""
    kind = output.get("output_type")
    if kind == "stream":
        look = "stderr" if output.get("name") == "stderr" else "plain"
        return set_printed(text_of(output.get("text", "")), draft, look)
    if kind == "error":
        traceback = output.get("traceback")
        lines = "\n".join(map(str, traceback)) if isinstance(traceback, list) else ""
        message = lines if lines.strip() else f"{output.get('ename')}: {output.get('evalue')}"
        return set_printed(message, draft, "error")
    return _displayed(output, draft, prompt_of("Out", output) if kind == "execute_result" else "")


def prompt_of(word: str, item: Mapping[str, Any]) -> str:
    """Return what Jupyter shows beside a cell or a result, such as `In [3]`."""
    count = item.get("execution_count")
    return f"{word} [{count if isinstance(count, int) and 0 <= count < 10**6 else ' '}]"


def set_printed(text: str, draft: Draft, look: str, prompt: str = "") -> list[Block]:
    """Return the block of a printed text; none if nothing can be seen of it."""
    rows, left_out = set_terminal(text)
    if not rows:
        return []
    block = {"t": "printed", "look": look, "prompt": prompt, "rows": draft.rows(rows), "cut": 0}
    if left_out:
        draft.warn(f"a long output is shortened: {left_out} lines in its middle are left out")
        block |= {"cut": left_out, "cut_at": FIRST_ROWS}
    return [block]


def _displayed(output: Mapping[str, Any], draft: Draft, prompt: str) -> list[Block]:
    """Return the blocks of a displayed object, which often has several forms."""
    forms = _forms(output)
    texts = {form: text_of(value) for form, value in forms.items() if isinstance(value, str | list)}
    own_text = texts.get("text/plain", "")
    if DEFAULT_TEXT.fullmatch(own_text):
        own_text = ""
    latex = texts.get("text/latex", "").strip()
    html, active = without_programs(texts.get("text/html", ""))
    content = Content(draft)
    tree = content.read(html)
    pictures = [image.attributes.get("src", "") for image in tree.find("img")]
    drawn = bool(tree.find("table")) or any(each.startswith(("data:", "attachment:")) for each in pictures)
    visible = bool(drawn or pictures or tree.text.strip())
    lost = [str(form) for form in forms if APPLICATION.match(str(form))]
    lost += [f"HTML with <{tag}>" for tag in active if not (drawn and tag == "script")]

    nodes: list[Node] = []
    if is_formula(latex):
        nodes = content.text(latex)
    elif not lost and own_text and _says_the_same(tree, own_text):
        return set_printed(own_text, draft, "plain", prompt)
    if not nodes and visible and not lost:
        nodes = content.html(tree)
    if not nodes and "text/markdown" in texts:
        nodes = content.markdown(texts["text/markdown"])
    if not nodes and latex:
        nodes = content.text(latex)
    if not nodes:
        nodes = _picture(texts, output.get("metadata"), content)
    if nodes:
        return [{"t": "rich", "prompt": prompt, "c": nodes}]

    if visible:
        blocks: list[Block] = [{"t": "rich", "prompt": prompt, "c": content.html(tree)}]
    else:
        blocks = set_printed(own_text, draft, "plain", prompt)
    if not lost and (blocks or "text/html" in texts or "text/plain" in texts):
        return blocks  # which may be none: nothing can be seen of it in Jupyter either
    names = plain(", ".join(sorted(lost or map(str, forms)))[:200]) or "none"
    draft.warn(f"an output cannot be printed ({names}): show a picture of it instead")
    return [{"t": "note", "s": f"[an output of a kind that cannot be printed: {names}]"}, *blocks]


def _forms(output: Mapping[str, Any]) -> Mapping[str, Any]:
    data = output.get("data")
    return data if isinstance(data, Mapping) else {}


def _says_the_same(tree: Element, own_text: str) -> bool:
    """Say whether HTML holds the plain text of the object, so that this text is what a page should show.

    scikit-learn and xarray put it beside controls, for pages without their styles; rich and Keras colour it.
    """
    wanted = "".join(COMMAND.sub("", own_text).split())
    texts = ["".join(pre.text.split()) for pre in tree.find("pre")]
    return wanted in texts and (bool(tree.find("input")) or "".join(tree.text.split()) == wanted)


def _picture(texts: Mapping[str, str], metadata: object, content: Content) -> list[Node]:
    """Return the picture among the forms of an object, or why it is left out; nothing if there is none."""
    nodes: list[Node] = []
    for form in KINDS:
        if form not in texts:
            continue
        asked = metadata.get(form) if isinstance(metadata, Mapping) else None
        pixels = asked.get("width") if isinstance(asked, Mapping) else None
        width = pixels * POINTS_PER_PIXEL if isinstance(pixels, int | float) and 0 < pixels < 5000 else 0.0
        try:
            picture = content.draft.pictures.add_base64(texts[form], form)
        except PictureUnreadableError as error:
            nodes = [content.left_out(error)]
        else:
            return [content.picture(picture, texts.get("text/plain", ""), width)]
    return nodes
