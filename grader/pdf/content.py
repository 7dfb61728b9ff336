"""Markdown and HTML as nodes of the page: plain data, which the page turns into what is seen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from grader.pdf.code import set_code
from grader.pdf.draft import MAX_FORMULAS, Draft, Node
from grader.pdf.formulas.find import MARK, take_formulas
from grader.pdf.markup import Element, markdown_to_html, read_html
from grader.pdf.pictures import KINDS, Picture, PictureUnreadableError
from grader.pdf.rows import COLUMNS
from grader.pdf.tables import Table, read_table, split_wide
from grader.pdf.text import plain, text_of

MAX_MARKDOWN, MAX_HTML = 60_000, 600_000
INLINE = {
    **dict.fromkeys(("b", "strong", "summary", "dt"), "strong"),
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
BLOCKS = frozenset("par heading quote center block rows table list rule display br".split())
LONG_WORD = re.compile(r"\S{40,}")
DATA_PICTURE = re.compile(r"(data:image/[a-z+]+(?:;[\w=-]+)*;base64,)([A-Za-z0-9+/=\s]{2000,})")
TEXT_WIDTH, MAX_PICTURE_HEIGHT = 478.0, 420.0


class Content:
    """Turns the Markdown and HTML of one cell into nodes."""

    def __init__(self, draft: Draft, attachments: Mapping[str, Any] | None = None) -> None:
        self.draft = draft
        self.attachments = attachments if isinstance(attachments, Mapping) else {}
        self.columns = COLUMNS
        self.numbers = False
        self.addresses: list[str] = []

    def markdown(self, source: str) -> list[Node]:
        """Return the nodes of a Markdown text with formulas."""
        text = self._cut(self._without_data(plain(source)), MAX_MARKDOWN)
        text = self.draft.macros.take(text) if "\\" in text and "command" in text else text
        return self._nodes(read_html(markdown_to_html(take_formulas(text, self.draft.keep_formula))))

    def html(self, source: str) -> list[Node]:
        """Return the nodes of the HTML of an output."""
        self.numbers = True  # the tables of an output align to the right
        return self._nodes(read_html(self._cut(self._without_data(plain(source)), MAX_HTML)))

    def picture(self, picture: Picture, alternative: str = "", width: float = 0.0) -> dict[str, Any]:
        """Return a picture in its natural size, or `width` points, made smaller where a page is."""
        scale = width / picture.width if width else 1.0
        scale = min(scale, TEXT_WIDTH / picture.width, MAX_PICTURE_HEIGHT / picture.height)
        size = {"file": picture.file, "width": round(picture.width * scale, 1)}
        return {"t": "picture", **size, "alt": plain(alternative)[:500]}

    def left_out(self, error: PictureUnreadableError) -> dict[str, Any]:
        """Return the note that stands in the place of a picture."""
        self.draft.warn(str(error))
        return {"t": "note", "s": f"[{error}]"}

    def _cut(self, text: str, most: int) -> str:
        if len(text) > most:
            self.draft.warn(f"a text of {len(text)} characters is cut off after {most}")
        return text[:most]

    def _without_data(self, text: str) -> str:
        """Put pictures that are in the text aside: they are long, and no text."""
        return DATA_PICTURE.sub(lambda found: self._aside(found[0]), text)

    def _aside(self, address: str) -> str:
        self.addresses.append(address)
        return f"attachment:data-{len(self.addresses) - 1}"

    def _nodes(self, element: Element) -> list[Node]:
        nodes: list[Node] = [node for child in element.children for node in self._child(child)]
        around = [None, *nodes, None]
        return [
            node
            for before, node, after in zip(around, nodes, around[2:], strict=False)
            if node != " " or not (_stands_alone(before) or _stands_alone(after))
        ]

    def _child(self, child: Element | str) -> Iterator[Node]:
        if isinstance(child, str):
            yield from self._text(child)
            return
        special: Callable[[Element], Iterable[Node]] | None = getattr(self, f"_set_{child.tag}", None)
        if special is not None:
            yield from special(child)
        elif re.fullmatch("h[1-6]", child.tag):
            yield {"t": "heading", "level": int(child.tag[1]), "c": self._nodes(child)}
        else:
            kind = INLINE.get(child.tag) or GROUPS.get(child.tag, "block")
            yield {"t": kind, "c": self._nodes(child)}

    def _text(self, text: str) -> Iterator[Node]:
        """Yield text with its white space as one space, and the formulas in it."""
        position = 0
        for mark in MARK.finditer(text):
            yield from _words(text[position : mark.start()])
            yield from self._formula(int(mark[1]))
            position = mark.end()
        yield from _words(text[position:])

    def _formula(self, number: int) -> Iterator[Node]:
        formulas = self.draft.formulas
        if number < min(len(formulas), MAX_FORMULAS):
            yield {"t": "display" if formulas[number].display else "math", "n": number}
        elif number < len(formulas):
            yield {"t": "code", "s": _breakable(formulas[number].written)}

    def _set_br(self, _: Element) -> Iterator[Node]:
        yield {"t": "br"}

    def _set_hr(self, _: Element) -> Iterator[Node]:
        yield {"t": "rule"}

    def _set_input(self, element: Element) -> Iterator[Node]:
        yield "☑ " if "checked" in element.attributes else "☐ "

    def _set_code(self, element: Element) -> Iterator[Node]:
        yield {"t": "code", "s": _breakable(" ".join(self.draft.as_written(element.text).split("\n")))}

    _set_kbd = _set_tt = _set_code

    def _set_pre(self, element: Element) -> Iterator[Node]:
        inner = element.find("code")
        found = re.search(r"language-(\S+)", inner[0].attributes.get("class", "")) if inner else None
        text = self.draft.as_written(element.text)
        yield {"t": "rows", "rows": self.draft.rows(set_code(text, found[1] if found else "", self.columns))}

    def _set_a(self, element: Element) -> Iterator[Node]:
        address = self.draft.as_written(element.attributes.get("href", ""))
        inside = self._nodes(element)
        if re.match(r"https?://|mailto:", address, re.I) and len(address) < 2000:
            yield {"t": "link", "url": plain(address), "c": inside}
        else:
            yield {"t": "span", "c": inside}

    def _set_ul(self, element: Element) -> Iterator[Node]:
        yield self._list(element, ordered=False)

    def _set_ol(self, element: Element) -> Iterator[Node]:
        yield self._list(element, ordered=True)

    def _list(self, element: Element, *, ordered: bool) -> Node:
        """Return a list; code in it has less room."""
        before, self.columns = self.columns, max(self.columns - 4, 40)
        items = [self._nodes(item) for item in element.find("li")]
        self.columns = before
        start = element.attributes.get("start", "1")
        first = int(start) if start.isdecimal() and len(start) < 7 else 1
        return {"t": "list", "ordered": ordered, "start": first, "items": items}

    def _set_table(self, element: Element) -> Iterator[Node]:
        yield from (node for caption in element.find("caption") for node in self._child(caption))
        table = read_table(element)
        if table is None:
            return
        yield from map(self._table, split_wide(table))
        if table.rows_left_out or table.columns_left_out:
            left = f"{table.rows_left_out} rows and {table.columns_left_out} columns"
            self.draft.warn(f"a table is cut off: {left} are left out")
            yield {"t": "note", "s": f"[{left} are left out]"}

    def _table(self, table: Table) -> Node:
        cells = [
            {
                "x": cell.x, "y": cell.y, "w": cell.colspan, "h": cell.rowspan, "head": cell.heading,
                "align": cell.align, "c": self._nodes(cell.element),
            }
            for cell in table.cells
        ]  # fmt: skip
        return {
            "t": "table",
            "right": self.numbers,
            "columns": table.columns,
            "headings": table.headings,
            "cells": cells,
        }

    def _set_img(self, element: Element) -> Iterator[Node]:
        attributes = element.attributes
        try:
            picture = self._find_picture(self.draft.as_written(attributes.get("src", "")))
        except PictureUnreadableError as error:
            yield self.left_out(error)
            return
        alternative = self.draft.as_written(attributes.get("alt", ""))
        yield self.picture(picture, alternative, _asked_width(attributes, picture))

    def _find_picture(self, address: str) -> Picture:
        """Return the picture at an address, which may only be in the notebook itself."""
        kind, _, name = address.partition(":")
        if kind == "attachment" and re.fullmatch("data-[0-9]{1,6}", name):
            number = int(name[5:])
            if number < len(self.addresses):
                return self.draft.pictures.add_address(self.addresses[number])
        if kind == "attachment":
            return self._attached(name)
        if kind == "data":
            return self.draft.pictures.add_address(address)
        if re.match(r"[a-z][a-z0-9+.-]*:|//", address, re.I):
            raise PictureUnreadableError(f"the picture at {address[:80]} is on another computer and left out")
        return self.draft.local_picture(address[:300])

    def _attached(self, name: str) -> Picture:
        content = self.attachments.get(name) or self.attachments.get(unquote(name))
        forms = content if isinstance(content, Mapping) else {}
        for kind in KINDS:
            if kind in forms:
                return self.draft.pictures.add_base64(text_of(forms[kind]), kind)
        raise PictureUnreadableError(f"the attachment {name[:80]} is not in the notebook")


def _asked_width(attributes: Mapping[str, str], picture: Picture) -> float:
    """Return the width in points that an `img` asks for in pixels or percent, 0 if in none."""
    for name, natural in (("width", picture.width), ("height", picture.height)):
        asked = re.fullmatch(r"(\d{1,4})(?:\.\d*)?(px|%)?", attributes.get(name, ""))
        if asked and int(asked[1]):
            share = int(asked[1]) / 100 * TEXT_WIDTH / natural if asked[2] == "%" else 0
            return picture.width * (share or int(asked[1]) * 0.75 / natural)
    return 0.0


def _stands_alone(node: Node | None) -> bool:
    """Say whether a node begins and ends lines, so that white space beside it means nothing."""
    return node is None or (isinstance(node, dict) and node["t"] in BLOCKS)


def _words(text: str) -> Iterator[str]:
    words = re.sub(r"[ \t\n]+", " ", text)
    if words:
        yield _breakable(words)


def _breakable(text: str) -> str:
    """Return text whose very long words may be broken anywhere, so that none leaves the page."""
    return LONG_WORD.sub(lambda word: "\u200b".join(word[0]), text)
