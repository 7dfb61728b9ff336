"""Shows an executed notebook: its text, its code, and its outputs, which are hostile until sanitized.

text        Markdown without raw HTML, formulas as MathML
code        highlighted
outputs     text; pictures as data; HTML reduced to what cannot run, load or style anything
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import nh3
from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markupsafe import Markup, escape
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
PICTURES = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8", "image/gif": b"GIF8", "image/svg+xml": b""}
MAX_TEXT = 200_000
MAX_CELL = 50_000  # characters of Markdown in one cell
MAX_MARKDOWN = 500_000  # the same in all cells
MAX_DOLLARS = 1000
MAX_NESTING = 500_000  # the depths of all tags of one output, added up
TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
# Elements that need no end tag: those without content, and those that the next one of their kind ends.
UNCLOSED = frozenset(
    "area br col embed hr img input link meta source track wbr "
    "p li dt dd td th tr tbody thead tfoot option".split()
)
HTML_TAGS = """
    a abbr b blockquote br caption code col colgroup dd del div dl dt em figcaption figure h1 h2 h3 h4 h5 h6
    hr i img ins kbd li mark ol p pre q s samp small span strong sub summary details sup table tbody td tfoot
    th thead tr u ul var
""".split()
MATH_TAGS = """
    math mrow mi mn mo mtext mspace ms mfrac msqrt mroot mstyle merror mpadded mphantom menclose msub msup
    msubsup munder mover munderover mmultiscripts mtable mtr mtd
""".split()
MATH_ATTRIBUTES = {"display", "mathvariant", "stretchy", "fence", "accent", "width", "columnalign"}
ATTRIBUTES = {
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "img": {"alt", "src"},
    "a": {"href"},
}
ATTRIBUTES |= dict.fromkeys(MATH_TAGS, MATH_ATTRIBUTES)


@dataclass(frozen=True)
class Output:
    """One output of a cell, ready to be shown."""

    html: Markup
    error: bool = False


@dataclass(frozen=True)
class Cell:
    """One cell, ready to be shown; `number` counts the code cells from 1."""

    kind: str
    html: Markup
    number: int = 0
    outputs: tuple[Output, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether it displayed an error."""
        return any(output.error for output in self.outputs)


def show_cells(executed: str) -> list[Cell]:
    """Return the cells of an executed notebook (JSON text)."""
    cells, number, markdown = [], 0, _Markdown()
    for cell in json.loads(executed)["cells"]:
        source = _text(cell["source"])
        if cell["cell_type"] != "code":
            raw = cell["cell_type"] == "raw"
            cells.append(Cell("text", _preformatted(source) if raw else markdown.show(source)))
            continue
        number += 1
        outputs = tuple(_output(output, markdown) for output in cell.get("outputs", ()))
        cells.append(Cell("code", _code(source), number, outputs))
    return cells


class _Markdown:
    """Shows the Markdown of a notebook as text once there has been more of it than a reader would write."""

    def __init__(self) -> None:
        self.left = MAX_MARKDOWN

    def show(self, source: str) -> Markup:
        """Return Markdown as HTML, or as text."""
        self.left -= len(source)
        return show_markdown(source) if self.left >= 0 else _preformatted(source)


def show_markdown(source: str) -> Markup:
    """Return Markdown as HTML: raw HTML shown as text, formulas as MathML, no remote pictures.

    The time that it takes grows faster than the text: a long one, or one of very many formulas, stays text.
    """
    if len(source) > MAX_CELL or source.count("$") > MAX_DOLLARS:
        return _preformatted(source)
    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    reader.use(dollarmath_plugin, renderer=_formula, double_inline=True)
    return sanitized(reader.render(_without_comments(source)))


def _without_comments(source: str) -> str:
    """Return Markdown without HTML comments; an expression would try each `<!--` against all that follows."""
    kept, start = [], 0
    while (opened := source.find("<!--", start)) >= 0 and (closed := source.find("-->", opened + 4)) >= 0:
        kept.append(source[start:opened])
        start = closed + 3
    return "".join((*kept, source[start:]))


def sanitized(html: str) -> Markup:
    """Return HTML reduced to tags and attributes that can run, load and style nothing.

    HTML that is nested too deeply for its length stays text: reading it takes the square of its length, and
    what is read may be a thousand times as long.
    """
    if _nesting(html) > MAX_NESTING:
        return _preformatted(html)
    return Markup(  # noqa: S704 -- this is the place where hostile HTML becomes harmless
        nh3.clean(
            html,
            tags={*HTML_TAGS, *MATH_TAGS},
            attributes=ATTRIBUTES,
            attribute_filter=_harmless,
            url_schemes={"http", "https", "mailto", "data"},
            link_rel="noopener noreferrer nofollow",
            clean_content_tags={"script", "style", "iframe", "object", "embed", "template", "noscript"},
        )
    )


def _nesting(html: str) -> int:
    """Return the sum over all tags of how many elements are open there."""
    still_open = Counter[str]()
    depth = total = 0
    for end, name in TAG.findall(html):
        tag = name.lower()
        if not end and tag not in UNCLOSED:
            still_open[tag] += 1
            depth += 1
        elif end and still_open[tag]:
            still_open[tag] -= 1
            depth -= 1
        total += depth
    return total


def _harmless(tag: str, attribute: str, value: str) -> str | None:
    """Keep a link that leads to a page, and a picture that is here already."""
    if attribute == "href":
        return value if value.startswith(("http://", "https://", "mailto:", "#")) else None
    if attribute == "src":
        return value if re.match(r"data:image/(png|jpeg|gif);base64,", value) else None
    return value


def _formula(content: str, options: dict[str, Any]) -> str:
    try:
        return str(convert(content, display="block" if options["display_mode"] else "inline"))
    except Exception:  # whatever the converter trips over: the source is better than nothing
        return f"<code>{escape(content)}</code>"


def _code(source: str) -> Markup:
    html = highlight(source[:MAX_TEXT], PythonLexer(stripnl=False), HtmlFormatter(cssclass="code"))
    return Markup(html)  # noqa: S704 -- pygments escapes the source


def _output(output: dict[str, Any], markdown: _Markdown) -> Output:
    kind = output.get("output_type")
    if kind == "stream":
        return Output(_preformatted(_text(output.get("text", ""))))
    if kind == "error":
        return Output(_preformatted("\n".join(map(str, output.get("traceback", ())))), error=True)
    data = output.get("data")
    return Output(_displayed(data if isinstance(data, dict) else {}, markdown))


def _displayed(data: dict[str, Any], markdown: _Markdown) -> Markup:
    """Return the richest form of a displayed object that can be shown safely."""
    for kind, start in PICTURES.items():
        picture = _picture(kind, start, _text(data[kind])) if kind in data else None
        if picture is not None:
            return picture
    if "text/html" in data:
        return Markup('<div class="html">{}</div>').format(sanitized(_text(data["text/html"])[:MAX_TEXT]))
    for kind in ("text/markdown", "text/latex"):
        if kind in data:
            return Markup('<div class="html">{}</div>').format(markdown.show(_text(data[kind])))
    if "text/plain" in data:
        return _preformatted(_text(data["text/plain"]))
    return Markup('<p class="soft small">[an output of a kind that is not shown here]</p>')


def _picture(kind: str, start: bytes, content: str) -> Markup | None:
    """Return a picture as an img element, in which no script runs; None if it is none."""
    try:
        data = content.encode() if kind == "image/svg+xml" else base64.b64decode(content)
    except (binascii.Error, ValueError):
        return None
    if not data.startswith(start):
        return None
    encoded = base64.b64encode(data).decode()
    return Markup('<img alt="output" src="data:{};base64,{}">').format(kind, encoded)


def _preformatted(text: str) -> Markup:
    plain = ANSI.sub("", text)
    cut = "" if len(plain) <= MAX_TEXT else "\n[cut off here]"
    return Markup("<pre>{}</pre>").format(plain[:MAX_TEXT] + cut)


def _text(source: Any) -> str:
    return "".join(map(str, source)) if isinstance(source, list) else str(source)
