"""Shows an executed notebook as HTML. Everything in it may be hostile, so nothing is shown unchanged.

text        Markdown without raw HTML, formulas as MathML
code        highlighted
outputs     text; pictures as data URLs; HTML without the tags and attributes that run, load or style anything

What is made has limits: few characters can become many elements, and take long.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import nh3
from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markupsafe import Markup, escape
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from grader.inside.safe_text import message_text, valid_text

ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x07\x08]")
PICTURES = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8", "image/gif": b"GIF8", "image/svg+xml": b""}
PICTURE = re.compile(r"data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/=]*")
MAX_PAGE = 12 << 20  # bytes, after which no further cell or output is shown
MAX_TEXT = 200_000
MAX_CODE = 500_000  # characters of code in one notebook that are highlighted
MAX_CELL = 50_000  # characters of Markdown in one cell
MAX_MARKDOWN = 500_000  # characters of Markdown in one notebook
MAX_DOLLARS = 1000
MAX_FILLED = 20_000  # entries that the tables of one notebook lack: they are filled up
MAX_REPEATED = 4  # links may be so many times as long as the text, as a reference repeats its address
MAX_NESTING = 500_000  # the depths of all tags of one output, added up
CUT = Markup('<p class="soft small">[the page is cut off here: it is too long]</p>')
LINE_END = re.compile(r"\r\n|\r|\n")
TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
# Elements without an end tag: they have no content, or the next element of their kind ends them.
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
        """Whether an output of the cell is an error."""
        return any(output.error for output in self.outputs)


def show_notebook(notebook: Any) -> str:
    """Return the cells of an executed notebook as safe HTML, without control characters."""
    return cells_html(notebook["cells"])


def cells_html(cells: Iterable[Any], *, numbered: bool = True) -> str:
    """Return cells of a notebook as safe HTML; only all of them together are `numbered`."""
    parts = []
    for cell in show_cells({"cells": cells}):
        if cell.kind == "text":
            parts.append(f'<div class="cell text">{cell.html}</div>\n')
            continue
        failed = " failed" if cell.failed else ""
        number = f'<div class="number">Code cell {cell.number}</div>' if numbered else ""
        parts.append(f'<div class="cell code{failed}">{number}{cell.html}\n')
        for output in cell.outputs:
            parts.append(f'<div class="out{" error" if output.error else ""}">{output.html}</div>')
        parts.append("</div>\n")
    page = "".join(parts)  # a carriage return would be replaced as a control character
    return message_text(page.replace("\r\n", "\n").replace("\r", "\n"))


def show_cells(notebook: Any) -> list[Cell]:
    """Return the cells of a notebook, each ready to be shown."""
    cells: list[Cell] = []
    number, markdown, left, highlighted = 0, _Markdown(), MAX_PAGE, 0
    for cell in notebook["cells"]:
        if left <= 0:
            cells.append(Cell("text", CUT))
            break
        source = _text(cell["source"])
        if cell["cell_type"] != "code":
            attached = cell.get("attachments")
            html = (
                _preformatted(source)
                if cell["cell_type"] == "raw"
                else markdown.show(source, attached if isinstance(attached, dict) else {})
            )
            cells.append(Cell("text", html))
            left -= len(html.encode())
            continue
        number += 1
        highlighted += len(source[:MAX_TEXT])
        if highlighted <= MAX_CODE:
            made = highlight(source[:MAX_TEXT], PythonLexer(stripnl=False), HtmlFormatter(cssclass="code"))
            html = Markup(made)  # noqa: S704 -- pygments escapes the source
        else:
            html = _preformatted(source)
        left -= len(html.encode())
        outputs: list[Output] = []
        for output in cell.get("outputs", ()):
            if left <= 0:
                outputs.append(Output(CUT))
                break
            outputs.append(_output(output, markdown))
            left -= len(outputs[-1].html.encode())
        cells.append(Cell("code", html, number, tuple(outputs)))
    return cells


class _Markdown:
    """Shows the Markdown of one notebook; what is beyond its limits as plain text, to limit the time."""

    def __init__(self) -> None:
        self.left = MAX_MARKDOWN
        self.filled = 0

    def show(self, source: str, attachments: Mapping[str, Any] = MappingProxyType({})) -> Markup:
        """Return one cell or output as HTML."""
        self.left -= len(source)
        self.filled += _filled(source)
        if self.left < 0 or self.filled > MAX_FILLED:
            return _preformatted(source)
        return show_markdown(source, attachments)


def show_markdown(source: str, attachments: Mapping[str, Any] = MappingProxyType({})) -> Markup:
    """Return Markdown as HTML: raw HTML as visible text, formulas as MathML, no pictures but those attached.

    Long texts and texts with very many formulas stay plain text: the time grows faster than the length. So do
    those from which much more would be made than they hold.
    """
    source = valid_text(source)
    if len(source) > MAX_CELL or source.count("$") > MAX_DOLLARS or _filled(source) > MAX_FILLED:
        return _preformatted(source)
    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    reader.use(dollarmath_plugin, renderer=_formula, double_inline=True)
    # Remove HTML comments. A regular expression would take quadratic time for many `<!--` without an end.
    parts, start = [], 0
    while (opened := source.find("<!--", start)) >= 0 and (closed := source.find("-->", opened + 4)) >= 0:
        parts.append(source[start:opened])
        start = closed + 3
    environment: dict[str, Any] = {}
    tokens = reader.parse("".join((*parts, source[start:])), environment)
    inside = (token for outer in tokens for token in (outer, *(outer.children or ())))
    linked = sum(len(str(value)) for token in inside for value in token.attrs.values())
    if linked > MAX_REPEATED * len(source) + MAX_CELL:
        return _preformatted(source)
    return sanitized(
        reader.renderer.render(tokens, reader.options, environment), _attached_pictures(attachments)
    )


def _attached_pictures(attachments: Mapping[str, Any]) -> dict[str, str]:
    """Return the pictures that a cell carries, by the address with which its text shows them."""
    found: dict[str, str] = {}
    for name, forms in attachments.items():
        for kind, data in forms.items() if isinstance(forms, dict) else ():
            content = _text(data)
            address = f"data:{kind};base64,{''.join(content.split())}"
            if PICTURE.fullmatch(address):
                found[f"attachment:{quote(name)}"] = found[f"attachment:{name}"] = address
    return found


def _filled(source: str) -> int:
    """Return how many entries at most the rows of all tables lack: Markdown fills them up.

    A table is one paragraph: as many columns as the line below its heads has, as many rows as it has lines.
    """
    filled = columns = lines = bars = 0
    for line in (*LINE_END.split(source), ""):
        if line.strip(" \t>"):
            lines += 1
            bars += line.count("|")
            if "|" in line and not line.strip(" \t>|:-*+.)0123456789"):
                columns = max(columns, line.count("|") + 1)
        else:
            filled += max(columns * lines - bars, 0)
            columns = lines = bars = 0
    return filled


def sanitized(html: str, pictures: Mapping[str, str] = MappingProxyType({})) -> Markup:
    """Return HTML with only those tags and attributes that cannot run, load or style anything.

    `pictures` are addresses that stand for others. Deeply nested HTML is shown as text: parsing it takes time
    that grows with the square of its length, and the result may be a thousand times as long as the input.
    """
    html = valid_text(html)
    left = MAX_PAGE  # bytes that pictures may take in place of their addresses

    def harmless(tag: str, attribute: str, value: str) -> str | None:
        nonlocal left
        if attribute == "src" and value in pictures:
            left -= len(pictures[value])
            return pictures[value] if left > 0 else None
        return _harmless(tag, attribute, value)

    # The sum over all tags of the number of elements that are open there.
    still_open = Counter[str]()
    depth = nesting = 0
    for end, name in TAG.findall(html):
        tag = name.lower()
        if not end and tag not in UNCLOSED:
            still_open[tag] += 1
            depth += 1
        elif end and still_open[tag]:
            still_open[tag] -= 1
            depth -= 1
        nesting += depth
    if nesting > MAX_NESTING:
        return _preformatted(html)
    return Markup(  # noqa: S704 -- the result of nh3.clean is safe
        nh3.clean(
            html,
            tags={*HTML_TAGS, *MATH_TAGS},
            attributes=ATTRIBUTES,
            attribute_filter=harmless,
            url_schemes={"http", "https", "mailto", "data", "attachment"},
            link_rel="noopener noreferrer nofollow",
            clean_content_tags={"script", "style", "iframe", "object", "embed", "template", "noscript"},
        )
    )


def _harmless(tag: str, attribute: str, value: str) -> str | None:
    """Return the value of an attribute, or None to remove it: other links, and pictures that are loaded."""
    if attribute == "href":
        return value if value.startswith(("http://", "https://", "mailto:", "#")) else None
    if attribute == "src":
        return value if PICTURE.match(value) else None
    return value


def _formula(content: str, options: dict[str, Any]) -> str:
    """Return a formula as MathML, or its source if the converter fails."""
    try:
        return str(convert(content, display="block" if options["display_mode"] else "inline"))
    except Exception:  # the converter raises many kinds of errors
        return f"<code>{escape(content)}</code>"


def typeset(formula: str) -> str:
    """Return a formula as safe MathML in the line, '' if the converter fails."""
    shown = _formula(formula, {"display_mode": False})
    return str(sanitized(shown)) if shown.startswith("<math") else ""


def _output(output: dict[str, Any], markdown: _Markdown) -> Output:  # noqa: PLR0911 -- one for each form
    """Return an output in the first form that it has and that is safe: picture, HTML, Markdown, text."""
    kind = output.get("output_type")
    if kind == "stream":
        return Output(_preformatted(_text(output.get("text", ""))))
    if kind == "error":
        return Output(_preformatted(_text("\n".join(map(str, output.get("traceback", ()))))), error=True)
    data = output.get("data")
    if not isinstance(data, dict):
        data = {}
    for kind, signature in PICTURES.items():
        if kind not in data:
            continue
        content = _text(data[kind])
        try:
            picture = content.encode() if kind == "image/svg+xml" else base64.b64decode(content)
        except (binascii.Error, ValueError):
            continue
        if picture.startswith(signature):
            encoded = base64.b64encode(picture).decode()
            # An SVG picture in an img element cannot run scripts.
            return Output(Markup('<img alt="output" src="data:{};base64,{}">').format(kind, encoded))
    if "text/html" in data:
        html = sanitized(_text(data["text/html"])[:MAX_TEXT])
        return Output(Markup('<div class="html">{}</div>').format(html))
    for kind in ("text/markdown", "text/latex"):
        if kind in data:
            html = markdown.show(_text(data[kind]))
            return Output(Markup('<div class="html">{}</div>').format(html))
    if "text/plain" in data:
        return Output(_preformatted(_text(data["text/plain"])))
    return Output(Markup('<p class="soft small">[an output of a kind that is not shown here]</p>'))


def _preformatted(text: str) -> Markup:
    plain = ANSI.sub("", text)
    cut = "" if len(plain) <= MAX_TEXT else "\n[cut off here]"
    return Markup("<pre>{}</pre>").format(plain[:MAX_TEXT] + cut)


def _text(source: Any) -> str:
    """Return a text of the notebook, which may be a list of lines, as valid Unicode."""
    return valid_text("".join(map(str, source)) if isinstance(source, list) else str(source))
