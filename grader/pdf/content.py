"""The nodes of Markdown and HTML: plain data, which page.typ sets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any
from urllib.parse import quote, unquote

from grader.pdf.code import set_code
from grader.pdf.draft import MAX_FORMULAS, Draft, Node
from grader.pdf.formulas.find import HTML, MARK, MARKDOWN, take_formulas
from grader.pdf.markup import Element, markdown_to_html, read_html, without_programs
from grader.pdf.pictures import KINDS, Picture, PictureUnreadableError
from grader.pdf.rows import COLUMNS
from grader.pdf.tables import read_table, split_wide
from grader.pdf.text import breakable, plain, text_of

MAX_MARKDOWN, MAX_HTML = 60_000, 600_000  # characters
# The kind of node for a tag: inside a line, and on lines of its own. A tag in neither becomes a "block".
INLINE = {
    **dict.fromkeys(("b", "strong"), "strong"),
    **dict.fromkeys(("em", "i", "var"), "emph"),
    **dict.fromkeys(("del", "s", "strike"), "strike"),
    **dict.fromkeys(("u", "ins"), "under"),
    **dict.fromkeys(("samp", "span", "q"), "span"),
    **{name: name for name in ("sub", "sup", "mark", "small")},
}
GROUPS = {
    "blockquote": "quote",
    "caption": "center",
    "center": "center",
    "dd": "quote",
    "figcaption": "center",
    "p": "par",
}
VECTOR = re.compile(r"<svg(?![\w-])", re.I)
XML_NAMES = {"xmlns": "http://www.w3.org/2000/svg", "xmlns:xlink": "http://www.w3.org/1999/xlink"}
BLOCKS = frozenset("par heading quote center block rows table list rule display br".split())
DATA_PICTURE = re.compile(r"(data:image/[a-z+]+(?:;[\w=-]+)*;base64,)([A-Za-z0-9+/=\s]{2000,})")
TEXT_WIDTH, MAX_PICTURE_HEIGHT = 478.0, 420.0  # points


class Content:
    """Turns the Markdown and HTML of one cell into nodes."""

    def __init__(self, draft: Draft, attachments: Mapping[str, Any] | None = None) -> None:
        self.draft = draft
        self.attachments = attachments if isinstance(attachments, Mapping) else {}
        self.columns = COLUMNS
        self.is_html = False
        self.rows_cut_off = 0
        self.data_addresses: list[str] = []

    def markdown(self, source: str) -> list[Node]:
        """Return the nodes of a Markdown text with formulas."""
        text = self._limited(source, MAX_MARKDOWN)
        marked = take_formulas(text, self.draft.keep_formula, MARKDOWN, self.draft.macros.define)
        html, active = without_programs(markdown_to_html(marked))
        nodes = self._nodes(read_html(html))
        lost = ", ".join(tag for tag in active if tag != "script")  # no script of a text ever runs
        if lost:
            self.draft.warn(f"a text has what only a browser shows ({lost}), which is left out")
            nodes.append({"t": "note", "s": f"[left out: {lost}]"})
        return nodes

    def read(self, source: str) -> Element:
        """Return the tree of the HTML of an output without programs, with drawings as images."""
        parts, position = [], 0
        while start := VECTOR.search(source, position):
            end = source.find("</svg>", start.end())
            if end < 0:
                break
            svg = source[start.end() : end]
            # A browser does not ask for the names that XML requires.
            names = "".join(f' {name}="{url}"' for name, url in XML_NAMES.items() if f"{name}=" not in svg)
            address = self._short_address(f"data:image/svg+xml,{quote(f'<svg{names}{svg}</svg>')}")
            parts += [source[position : start.start()], f'<img src="{address}">']
            position = end + len("</svg>")
        return read_html(self._limited("".join([*parts, source[position:]]), MAX_HTML))

    def html(self, tree: Element) -> list[Node]:
        """Return the nodes of the HTML of an output.

        As in Jupyter, its texts may have formulas, and its tables align to the right.
        """
        self.is_html = True
        return self._nodes(tree)

    def text(self, source: str) -> list[Node]:
        """Return the nodes of a text that is neither Markdown nor HTML, but has formulas."""
        return self.html(self.read(escape(source, quote=False)))

    def picture(self, picture: Picture, alternative: str = "", width: float = 0.0) -> dict[str, Any]:
        """Return the node of a picture, `width` points wide (0: its natural width), or less to fit a page."""
        scale = width / picture.width if width else 1.0
        scale = min(scale, TEXT_WIDTH / picture.width, MAX_PICTURE_HEIGHT / picture.height)
        size = {"file": picture.file, "width": round(picture.width * scale, 1)}
        return {"t": "picture", **size, "alt": plain(alternative)[:500]}

    def left_out(self, error: PictureUnreadableError) -> dict[str, Any]:
        """Return the note that replaces a picture, and warn of it."""
        self.draft.warn(str(error))
        return {"t": "note", "s": f"[{error}]"}

    def _limited(self, source: str, most: int) -> str:
        """Return at most `most` characters of a text, with short addresses for the pictures in it.

        The data of such a picture is long, so that the limit would cut the text after it.
        """
        text, position = plain(source), 0
        parts: list[str] = []
        for address in DATA_PICTURE.finditer(text):
            parts += [text[position : address.start()], self._short_address(address[0])]
            position = address.end()
        text = "".join([*parts, text[position:]])
        if len(text) > most:
            self.draft.warn(f"a text of {len(text)} characters is cut off after {most}")
            self.rows_cut_off = text.count("<tr", most)
        return text[:most]

    def _short_address(self, address: str) -> str:
        """Return what stands for the `data:` address of a picture in a text."""
        self.data_addresses.append(address)
        return f"attachment:data-{len(self.data_addresses) - 1}"

    def _nodes(self, element: Element) -> list[Node]:
        """Return the nodes of all that is in an element."""
        nodes: list[Node] = []
        for child in element.children:
            if isinstance(child, Element):
                nodes += self._element(child)
                continue
            if self.is_html:
                child = take_formulas(child, self.draft.keep_formula, HTML).replace(r"\$", "$")  # noqa: PLW2901
            # A text, with a mark for every formula that was in it.
            position, formulas = 0, self.draft.formulas
            for mark in MARK.finditer(child):
                nodes += _words(child[position : mark.start()])
                position, number = mark.end(), int(mark[1])
                if number < min(len(formulas), MAX_FORMULAS):
                    nodes.append({"t": "display" if formulas[number].display else "math", "n": number})
                elif number < len(formulas):
                    nodes.append({"t": "code", "s": breakable(formulas[number].written)})
            nodes += _words(child[position:])

        # A space at the start or end of a line has no meaning, and the page would show it.
        neighbours = zip([None, *nodes], nodes, [*nodes[1:], None], strict=False)
        return [
            node
            for before, node, after in neighbours
            if node != " " or not (_on_own_lines(before) or _on_own_lines(after))
        ]

    def _element(self, element: Element) -> Iterator[Node]:
        """Yield the nodes of an element: one, but none or several for a table."""
        attributes = element.attributes
        match element.tag:
            case "summary" | "dt":
                yield {"t": "par", "c": [{"t": "strong", "c": self._nodes(element)}]}
            case "br":
                yield {"t": "br"}
            case "hr":
                yield {"t": "rule"}
            case "input":
                if attributes.get("type", "").lower() == "checkbox":
                    yield "☑ " if "checked" in attributes else "☐ "
            case "code" | "kbd" | "tt":
                text = self.draft.as_written(element.text)
                yield {"t": "code", "s": breakable(text.replace("\n", " "))}
            case "pre":
                code = element.find("code")
                language = re.search(r"language-(\S+)", code[0].attributes.get("class", "")) if code else None
                text = self.draft.as_written(element.text)
                rows = set_code(text, language[1] if language else "", self.columns)
                yield {"t": "rows", "rows": self.draft.rows(rows)}
            case "a":
                address = self.draft.as_written(attributes.get("href", ""))
                inside = self._nodes(element)
                if re.match(r"https?://|mailto:", address, re.I) and len(address) < 2000:
                    yield {"t": "link", "url": plain(address), "c": inside}
                else:
                    yield {"t": "span", "c": inside}
            case "ul" | "ol":
                outside = self.columns
                self.columns = max(outside - 4, 40)  # the items are indented: code in them has less room
                items = [self._nodes(item) for item in element.find("li")]
                self.columns = outside
                start = attributes.get("start", "1")
                first = int(start) if start.isdecimal() and len(start) < 7 else 1
                yield {"t": "list", "ordered": element.tag == "ol", "start": first, "items": items}
            case "table":
                yield from self._table(element)
            case "img":
                yield self._image(element)
            case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
                yield {"t": "heading", "level": int(element.tag[1]), "c": self._nodes(element)}
            case _:
                kind = INLINE.get(element.tag) or GROUPS.get(element.tag, "block")
                yield {"t": kind, "c": self._nodes(element)}

    def _table(self, element: Element) -> Iterator[Node]:
        """Yield the captions of a table, the table in as many parts as it needs, and what was left out."""
        for caption in element.find("caption"):
            yield from self._element(caption)
        table = read_table(element)
        if table is None:
            return
        for part in split_wide(table):
            cells = [
                {
                    "x": cell.x, "y": cell.y, "w": cell.colspan, "h": cell.rowspan, "head": cell.heading,
                    "align": cell.align, "c": self._nodes(cell.element),
                }
                for cell in part.cells
            ]  # fmt: skip
            yield {
                "t": "table",
                "right": self.is_html,
                "columns": part.columns,
                "headings": part.headings,
                "cells": cells,
            }
        if table.rows_left_out or table.columns_left_out:
            rows, self.rows_cut_off = table.rows_left_out + self.rows_cut_off, 0
            left = f"{rows} rows and {table.columns_left_out} columns"
            self.draft.warn(f"a table is cut off: {left} are left out")
            yield {"t": "note", "s": f"[{left} are left out]"}

    def _image(self, element: Element) -> Node:
        """Return the picture of an `img`, or a note that says why it is left out."""
        attributes = element.attributes
        try:
            picture = self._find_picture(self.draft.as_written(attributes.get("src", "")))
        except PictureUnreadableError as error:
            return self.left_out(error)

        # The width asked for, directly or by the height: in percent of the text's width, or in pixels.
        width = 0.0
        for name, natural in (("width", picture.width), ("height", picture.height)):
            asked = re.fullmatch(r"(\d{1,4})(?:\.\d*)?(px|%)?", attributes.get(name, ""))
            if asked and int(asked[1]):
                points = int(asked[1]) / 100 * TEXT_WIDTH if asked[2] == "%" else int(asked[1]) * 0.75
                width = picture.width * (points / natural)
                break
        return self.picture(picture, self.draft.as_written(attributes.get("alt", "")), width)

    def _find_picture(self, address: str) -> Picture:
        """Return the picture at an address; no address leads out of the notebook and the allowed folder."""
        pictures = self.draft.pictures
        scheme, _, name = address.partition(":")
        if scheme == "data":
            return pictures.add_address(address)
        if scheme == "attachment":
            if re.fullmatch("data-[0-9]{1,6}", name) and int(name[5:]) < len(self.data_addresses):
                return pictures.add_address(self.data_addresses[int(name[5:])])
            content = self.attachments.get(name) or self.attachments.get(unquote(name))
            forms = content if isinstance(content, Mapping) else {}
            for kind in KINDS:
                if kind in forms:
                    return pictures.add_base64(text_of(forms[kind]), kind)
            raise PictureUnreadableError(f"the attachment {name[:80]} is not in the notebook")
        if re.match(r"[a-z][a-z0-9+.-]*:|//", address, re.I):
            raise PictureUnreadableError(f"the picture at {address[:80]} is on another computer and left out")
        return self.draft.local_picture(address[:300])


def _on_own_lines(node: Node | None) -> bool:
    """Say whether no text shares a line with a node; None is the start or end of an element."""
    return node is None or (isinstance(node, dict) and node["t"] in BLOCKS)


def _words(text: str) -> list[str]:
    """Return text, if there is any, with its white space as single spaces."""
    words = re.sub(r"[ \t\n]+", " ", text)
    return [breakable(words)] if words else []
