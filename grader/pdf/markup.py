"""HTML as a tree of the few elements that are set; of the others, the text or nothing is kept.

nh3 (a browser's parser with an allow-list) cleans the HTML of a notebook first, so that the reader here gets
well-formed HTML. No address is opened.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import nh3
from markdown_it import MarkdownIt

MAX_DEPTH, MAX_FOREIGN_DEPTH = 16, 400
TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
CLOSED_BY_OTHERS = frozenset("p li td th tr thead tbody tfoot col br hr img input dd dt option".split())
TAGS = """
    a b blockquote br caption code col colgroup dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5
    h6 hr i img input ins kbd li mark ol p pre q s samp small span strong strike sub summary sup table tbody
    td tfoot th thead tr tt u ul var center
""".split()
VOID = frozenset({"br", "hr", "img", "input", "col"})
ATTRIBUTES = {
    "a": {"href"},
    "code": {"class"},
    "img": {"src", "alt", "width", "height"},
    "input": {"checked", "type"},
    "ol": {"start"},
    "td": {"colspan", "rowspan", "style"},
    "th": {"colspan", "rowspan", "style"},
}
# What runs, plays or is typed into; the text in it is for browsers that do not know it.
UNPRINTED = """
    audio button canvas datalist iframe math noscript object script select style template textarea video
""".split()
UNPRINTED_START = re.compile(rf"<(?:(?P<comment>!--)|(?P<tag>{'|'.join(UNPRINTED)})(?![\w-]))", re.I)
DROPPED = {*UNPRINTED, "embed", "svg", "title"}
EMBEDDED = re.compile(r"<embed(?![\w-])", re.I)
# Of these, what only a browser shows.
ACTIVE = frozenset("audio canvas embed iframe object script video".split())
SCHEMES = {"http", "https", "mailto", "data", "attachment"}


@dataclass
class Element:
    """An element of HTML; its children are elements and text, in order."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)

    def find(self, *tags: str) -> list[Element]:
        """Return the elements with one of the tags, in order, but none that is inside another of them."""
        elements = []
        for child in self.children:
            if isinstance(child, Element):
                elements += [child] if child.tag in tags else child.find(*tags)
        return elements

    @property
    def text(self) -> str:
        """All text inside the element."""
        return "".join(child if isinstance(child, str) else child.text for child in self.children)


def markdown_to_html(source: str) -> str:
    """Return the HTML of Markdown as Jupyter reads it: CommonMark with tables and strikethrough."""
    reader = MarkdownIt("commonmark", {"html": True, "maxNesting": 40}).enable(["table", "strikethrough"])
    # Every address passes here; nh3 decides which ones stay.
    reader.validateLink = bool  # type: ignore[method-assign, assignment]
    return str(reader.render(source))


def without_programs(html: str) -> tuple[str, list[str]]:
    """Return HTML without the elements that are not printed, and the tags of those that only a browser shows.

    They go before the HTML is shortened, because a program or a video may be longer than all the rest.
    """
    parts, position = [], 0
    removed = {"embed"} if EMBEDDED.search(html) else set[str]()
    while start := UNPRINTED_START.search(html, position):
        parts.append(html[position : start.start()])
        tag = (start["comment"] or start["tag"]).lower()
        removed.add(tag)
        end = re.compile("--" if start["comment"] else rf"</{tag}(?=[\s/>])", re.I).search(html, start.end())
        # As in a browser, all the rest belongs to an element without an end.
        position = html.find(">", end.end()) + 1 if end else 0
        if not position:
            return "".join(parts), sorted(removed & ACTIVE)
    return "".join([*parts, html[position:]]), sorted(removed & ACTIVE)


def read_html(html: str) -> Element:
    """Return the tree of foreign HTML, or only its text if the elements are nested too deeply."""
    # nh3 would take very long if many elements are open at once.
    depth = deepest = 0
    for tag in TAG.finditer(html):
        if tag[2].lower() not in CLOSED_BY_OTHERS:
            depth = max(depth + (-1 if tag[1] else 1), 0)
            deepest = max(deepest, depth)
    if deepest > MAX_FOREIGN_DEPTH:
        return Element("div", children=[re.sub(r"<[^<>]*>", " ", html)])

    clean = nh3.clean(
        html,
        tags=set(TAGS),
        attributes=ATTRIBUTES,
        clean_content_tags=DROPPED,
        filter_style_properties={"text-align"},
        url_schemes=SCHEMES,
        link_rel=None,
    )
    reader = _Reader()
    reader.feed(clean)
    reader.close()
    return reader.root


class _Reader(HTMLParser):
    """Builds the tree; of elements deeper than MAX_DEPTH only the text is kept."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("div")
        self.open = [self.root]
        self.too_deep = 0  # how many open elements are not in the tree

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Add an element, and open it if it can hold others."""
        element = Element(tag, {name: value or "" for name, value in attrs})
        if tag in VOID:
            self.open[-1].children.append(element)
        elif len(self.open) > MAX_DEPTH:
            self.too_deep += 1
        else:
            self.open[-1].children.append(element)
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        """Close the element that was opened last."""
        if tag in VOID:
            return
        if self.too_deep:
            self.too_deep -= 1
        elif len(self.open) > 1:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        """Add text to the open element."""
        self.open[-1].children.append(data)


def alignment(element: Element) -> str:
    """Return the alignment in the style of a table's cell: left, center, right or an empty string."""
    aligned = re.search(r"text-align:\s*(left|center|right)", element.attributes.get("style", ""))
    return aligned[1] if aligned else ""
