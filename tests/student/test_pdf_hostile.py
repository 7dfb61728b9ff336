"""A notebook that attacks the converter: nothing is read, fetched or run, and pages come out."""

from __future__ import annotations

import base64
import http.server
import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_markdown_cell, new_output, new_raw_cell
from student.pdf_support import code, convert, pages, png, shown, squeezed, text

from grader.pdf.draft import Draft
from grader.pdf.notebook_cells import set_notebook
from grader.pdf.pictures import Pictures, PictureUnreadableError
from grader.pdf.text import plain
from grader.pdf.typeset import TYPST
from grader.pdf.typesetter import Answer, set_pages

SECRET = "top-secret-3141"


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """A web server on this machine, and what was asked of it."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}", asked
        running.shutdown()


def attacks(secret: Path, address: str) -> list[Any]:
    readers = [f'#read("{secret}")', '#read("data.json")', '#image("secret.png")', f'#include "{secret}"']
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="40" height="40">'
        f'<script>x</script><image href="{secret}.png" width="9" height="9"/><image xlink:href="{address}/svg" '
        f'width="9" height="9"/><use href="{address}/use#a"/><text x="2" y="20">vector</text></svg>'
    )
    html = (
        f'<img src="{address}/html.png"><img src="file://{secret}.png"><object data="{secret}"></object>'
        f'<iframe src="{address}/frame"></iframe><link rel=stylesheet href="{address}/css">'
        f"<p style='x: #read(\"{secret}\")'>styled</p><script>fetch('{address}/js')</script>"
        f'<table background="{address}/bg"><tr><td style="background:url({address}/td)">cell</td></tr></table>'
    )
    return [
        "\n\n".join(readers),
        "\n\n".join(f"${reader}$ and $\\text{{{reader}}}$ and `{reader}`{{=typst}}" for reader in readers),
        f"$\\input{{{secret}}}$ $\\include{{{secret}}}$ \\input{{{secret}}} $\\href{{file://{secret}}}{{x}}$",
        f"```{{=typst}}\n{readers[0]}\n```\n\n```typst\n{readers[0]}\n```",
        f"![a]({secret}.png) ![b]({secret}) ![c](secret.png) ![d](../../../../../../{secret}) ![e]({address}/md.png)",
        f'![#read("{secret}")](secret.png "#read(1)") [a](file://{secret}) <file://{secret}>',
        html,
        f'#import "@preview/example:0.1.0": *\n\n---\ntitle: "#read(1)"\ninclude-before: {secret}\n---\n',
        '"] #read("data.json") #[ *a* _b_ @c <d> = e - f + g / h \\ ~ // comment /* x */ ``` ` $',
        code('"""\n"] #read("data.json") #[ """ + "\\")"', shown(text_html=html, text_plain="<X>")),
        code("svg", new_output("display_data", {"image/svg+xml": svg})),
        code("latex", new_output("display_data", {"text/latex": f"$${readers[0]}$$ \\input{{{secret}}}"})),
        code("x", new_output("stream", name="stdout", text=readers[0] + '") #read("')),
        new_raw_cell(f"```{{=typst}}\n{readers[0]}\n```"),
    ]


def test_nothing_is_read_and_nothing_is_fetched(tmp_path: Path, server: tuple[str, list[str]]) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    (tmp_path / "secret.png").write_bytes(png(123, 45))
    Path(f"{secret}.png").write_bytes(png(123, 45))
    document = convert(
        tmp_path, *attacks(secret, server[0]), name='#read("data.json")', title='#sys"] #panic() '
    )
    whole = squeezed(text(document))
    assert SECRET not in whole
    assert "vector" in whole
    assert "styled" in whole
    assert squeezed('#read("data.json")') in whole
    assert "pages_before" not in whole  # which is in data.json
    assert b"/Width 123" not in document.content
    assert server[1] == []
    assert any("left out" in warning for warning in document.warnings)


def test_pictures_of_a_folder_are_shown_only_where_that_is_allowed(tmp_path: Path) -> None:
    inside = tmp_path / "work"
    inside.mkdir()
    (inside / "sketch.png").write_bytes(png(61, 41))
    (inside / "notes.txt").write_text(SECRET)
    (tmp_path / "outside.png").write_bytes(png(62, 42))
    (inside / "link.png").symlink_to(tmp_path / "outside.png")
    cell = "![a](sketch.png) ![b](notes.txt) ![c](../outside.png) ![d](link.png)"
    without = convert(inside, cell)
    assert b"/Width 61" not in without.content
    assert len(without.warnings) == 4
    allowed = convert(inside, cell, pictures_from=inside)
    assert b"/Width 61" in allowed.content
    assert b"/Width 62" not in allowed.content
    assert len(allowed.warnings) == 3
    assert SECRET not in text(allowed)


def bomb(side: int) -> bytes:
    """Return a PNG of a few bytes that says it has side x side pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "image/png"),
        (b"no picture", "image/png"),
        (png()[:60], "image/png"),
        (bomb(100_000), "image/png"),
        (bomb(2000), "image/png"),
        (b"<svg", "image/svg+xml"),
        (b"<html/>", "image/svg+xml"),
        (b'<!DOCTYPE s [<!ENTITY a "aaaa">]><svg>&a;</svg>', "image/svg+xml"),
        (b"<svg>" + b"<g>" * 5000 + b"</g>" * 5000 + b"</svg>", "image/svg+xml"),
        (b"%PDF-1.7", "image/png"),
        (b"%!PS-Adobe\n(x) show", "image/jpeg"),
    ],
    ids=str,
)
def test_a_damaged_picture_is_left_out(data: bytes, kind: str, tmp_path: Path) -> None:
    with pytest.raises(PictureUnreadableError, match="left out"):
        Pictures(tmp_path).add(data, kind)
    assert list(tmp_path.iterdir()) == []


def test_a_vector_picture_keeps_no_script_and_no_way_out(tmp_path: Path) -> None:
    svg = (
        b'<svg xmlns="http://www.w3.org/2000/svg" width="2in" height="1in"><script>a</script><g><foreignObject/>'
        b'<image href=" file:///a.png"/><image href="data:image/svg+xml;base64,AAAA"/><use href="#kept"/></g></svg>'
    )
    picture = Pictures(tmp_path).add(svg, "image/svg+xml")
    written = (tmp_path / picture.file).read_text()
    assert (picture.width, picture.height) == (144, 72)
    for gone in ("script", "foreignObject", "file:", "svg+xml"):
        assert gone not in written
    assert "#kept" in written


def test_a_picture_that_only_the_typesetter_rejects_is_replaced(tmp_path: Path) -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10" viewBox="0 0 0 0"/>'
    document = convert(tmp_path, code("x", new_output("display_data", {"image/svg+xml": svg})), "after")
    assert "after" in text(document)


@pytest.mark.parametrize(
    "source",
    [
        "$a " * 500,
        "` `` ``` " * 500,
        "> " * 2000 + "x",
        "".join("  " * n + "- a\n" for n in range(60)),
        "<div>" * 3000,
        "<table><tr><td>" * 60 + "x",
        "[" * 3000,
        "$" + "{" * 500 + "x" + "}" * 500 + "$",
        "$x" + "_{x" * 19 + "}" * 19 + "$",
        "# " + "$x$ " * 30,
        "<h1>" * 20 + "x",
        "- # a\n- > b\n  - ```\n    c\n    ```\n",
        "x" * 20_000,
        "<ol start=99999999999><li>x</ol><ol start=-3><li>y</ol>",
        "&#0;&#xd800;&#xe000;0&#xe001;\ue0007\ue001\x00\x0c\u202e\ufffe",
        "| a |\n|--|\n" + "| b |\n" * 400,
        "<img width=99999 height=0 src='data:image/png;base64," + base64.b64encode(png()).decode() + "'>",
    ],
    ids=lambda source: source[:12],
)
def test_odd_text_becomes_pages(source: str, tmp_path: Path) -> None:
    assert len(pages(convert(tmp_path, source, "the end"))) >= 1


@pytest.mark.parametrize(
    "cells",
    [
        [{"cell_type": "code", "source": "kept", "outputs": [7, None, {}, {"output_type": "display_data"}]}],
        [{"cell_type": "code", "source": "kept", "outputs": [{"output_type": "display_data", "data": 7}]}],
        [{"cell_type": "code", "source": ["ke", "pt"], "outputs": "x", "execution_count": "many"}],
        [{"cell_type": "markdown", "source": "kept", "attachments": [1]}, 3, None],
        [{"cell_type": "markdown", "source": "kept ![a](attachment:b)", "attachments": {"b": 7}}],
        [{"cell_type": "strange", "source": "kept"}],
        [{"cell_type": "code", "source": "kept", "outputs": [{"output_type": "stream", "text": [1, 2]}]}],
        [{"cell_type": "code", "source": "kept", "outputs": [{"output_type": "error", "traceback": [None]}]}],
    ],
)
def test_cells_that_are_no_cells_cost_only_themselves(cells: list[Any], tmp_path: Path) -> None:
    draft = Draft(tmp_path)
    set_notebook({"cells": cells, "metadata": {"language_info": 3}}, draft)
    assert "kept" in str(draft.blocks)


NASTY = st.text(
    st.sampled_from('#"\\[]{}()$*_`@<>=/-+~&;:|!\n\t abcé中😀\u0301\x1b\r') | st.characters(codec="utf-8"),
    max_size=60,
)


@settings(deadline=None, max_examples=12)
@given(st.lists(NASTY, min_size=8, max_size=8))
def test_any_text_anywhere_is_set_as_text(tmp_path_factory: pytest.TempPathFactory, nasty: list[str]) -> None:
    folder = tmp_path_factory.mktemp("nasty")
    draft = Draft(folder, title=plain(nasty[0]))
    cells = [
        code(nasty[1], new_output("stream", name="stderr", text=nasty[2])),
        code("x", shown(text_plain=nasty[3]), shown(text_html=f"<table><td>{nasty[4]}</table>")),
        new_markdown_cell(nasty[5]),
        new_markdown_cell(f"# {nasty[6]}\n\n- {nasty[7]}"),
    ]
    set_notebook({"cells": cells}, draft)
    draft.write(
        frozenset(), name=plain(nasty[0]), source="s", footer="f", fonts=[], pages_before=0, pages_after=0
    )
    for file in TYPST:
        (folder / file).write_bytes((Path(__file__).parents[2] / "grader/pdf" / file).read_bytes())
    assert set_pages(folder, None) == Answer([], [])
    source = squeezed(plain(nasty[1]))
    if source.isascii():
        assert source in squeezed(text((folder / "out.pdf").read_bytes()))


def test_the_typesetter_reads_nothing_outside_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text(SECRET)
    folder = tmp_path / "draft"
    folder.mkdir()
    for attempt in (
        f'#read("{tmp_path}/secret.txt")',
        '#read("../secret.txt")',
        '#import "@preview/a:0.1.0": *',
    ):
        (folder / "page.typ").write_text(attempt)
        with pytest.raises(typst.TypstError):
            set_pages(folder, None)


@pytest.mark.parametrize("digits", [1, 9, 5000])
def test_the_marks_of_formulas_in_foreign_html_are_nothing_but_text(tmp_path: Path, digits: int) -> None:
    """They are characters that no font has; Python refuses to read a number of more than 4300 digits."""
    draft = Draft(tmp_path, title="t")
    cell = code("x", shown(text_html=f"<p>before \ue000{'9' * digits}\ue001 after</p>"))
    set_notebook({"cells": [cell]}, draft)
    draft.write(frozenset(), name="n", source="s", footer="f", fonts=[], pages_before=0, pages_after=0)
    assert "after" in (tmp_path / "data.json").read_text()
