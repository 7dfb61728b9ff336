"""What a notebook displays is hostile: on our page it can run, load and restyle nothing."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from typing import Any

import pytest
from support import ROOT

from grader.handler import safe_html
from grader.handler.safe_html import sanitized, show_cells, show_markdown, show_notebook

PIXEL = base64.b64encode(b"\x89PNG\r\n").decode()
ATTACKS = {
    "script": "<script>steal()</script>",
    "handler": "<img src=x onerror=steal()>",
    "handler of a kept tag": "<p onclick='steal()'>x</p>",
    "link": "<a href='javascript:steal()'>x</a>",
    "hidden scheme": "<a href=' jav&#x09;ascript:steal()'>x</a>",
    "data link": "<a href='data:text/html,<script>steal()</script>'>x</a>",
    "frame": "<iframe srcdoc='<script>steal()</script>'></iframe>",
    "svg": "<svg onload=steal()><script>steal()</script></svg>",
    "style": "<style>body{background:url(//steal)}</style><p style='background:url(//steal)'>x</p>",
    "form": "<form action='//steal'><input name=q><button>x</button></form>",
    "remote picture": "<img src='https://steal/pixel.png'>",
    "svg picture": "<img src='data:image/svg+xml,<svg onload=steal()>'>",
    "svg picture in base64": "<img src='data:image/svg+xml;base64,steal'>",
    "picture of an unknown kind": "<img src='data:image/steal;base64,AAAA'>",
    "picture that is no base64": "<img src='data:image/png,steal'>",
    "meta": "<meta http-equiv=refresh content='0;url=//steal'><base href='//steal'>",
    "math": "<math><mtext><table><mglyph><style><img src=x onerror=steal()></style></mglyph></table></math>",
    "noscript": "<noscript><p title='</noscript><img src=x onerror=steal()>'></noscript>",
    "comment": "<!--><img src=x onerror=steal()>-->",
    "unclosed": "<div><img src=x onerror=steal() ",
    "class of ours": "<div class='card' id='search'>x</div>",
}
FORBIDDEN = (
    "<script",
    "steal",
    "javascript",
    "onerror",
    "<style",
    "style=",
    "<iframe",
    "<svg",
    "<form",
    "class=",
    "id=",
)


def cells(output: dict[str, Any], source: str = "x") -> str:
    cell = {"cell_type": "code", "source": source, "outputs": [output]}
    return show_cells({"cells": [cell]})[0].outputs[0].html


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_html_loses_everything_that_runs_loads_or_restyles(attack: str) -> None:
    clean = sanitized(ATTACKS[attack])
    assert not [word for word in FORBIDDEN if word in clean.lower()], clean


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_html_in_an_output_and_in_markdown_is_no_better(attack: str) -> None:
    data = {"output_type": "display_data", "data": {"text/html": ATTACKS[attack]}}
    shown = cells(data).replace('<div class="html">', "")
    assert not [word for word in FORBIDDEN if word in shown.lower()]
    assert "<img src" not in show_markdown(ATTACKS[attack])
    assert "<script" not in show_markdown(ATTACKS[attack])


@pytest.mark.parametrize(
    ("kind", "kept"), [("png", True), ("jpeg", True), ("gif", True), ("svg+xml", False), ("x-icon", False)]
)
def test_of_the_pictures_in_html_those_of_dots_stay_and_no_other_is_loaded(kind: str, kept: bool) -> None:
    """A drawing (SVG) is a document, which may link and style; one of our own making is an output only."""
    picture = f"data:image/{kind};base64,AAAA"
    assert (picture in sanitized(f"<img src='{picture}'>")) is kept
    assert "image/" not in sanitized(f"<a href='{picture}'>x</a>")


def test_a_table_stays_a_table() -> None:
    assert sanitized("<table><tr><td colspan=2>1</td></tr></table>").count('<td colspan="2">1</td>') == 1


def test_a_link_to_a_page_stays_and_tells_it_nothing() -> None:
    html = sanitized('<a href="https://example.org/x">x</a>')
    assert 'href="https://example.org/x"' in html
    assert "noopener" in html


def test_formulas_become_mathml() -> None:
    html = show_markdown(r"Inline $q_{ij}$ and $$\sum_j p_{ij} \log \frac{p}{q}$$")
    assert html.count("<math") == 2
    assert "<mfrac>" in html


@pytest.mark.parametrize(
    "formula", [r"\frac{1}", r"\begin{align}", r"\nosuchcommand{x}", "}{", r"\left(", "<script>"]
)
def test_a_broken_formula_is_shown_and_breaks_nothing(formula: str) -> None:
    html = show_markdown(f"before ${formula}$ after")
    assert "before" in html
    assert "after" in html
    assert "<script" not in html


def test_comments_of_markdown_are_not_shown() -> None:
    assert "secret" not in show_markdown("a <!-- secret\n --> b")


def test_pictures_are_shown_only_if_they_are_pictures() -> None:
    good = {"output_type": "display_data", "data": {"image/png": PIXEL, "text/plain": "fig"}}
    assert f"data:image/png;base64,{PIXEL}" in cells(good)
    for bad in ('x"><script>', base64.b64encode(b"<script>").decode(), "?"):
        shown = cells({"output_type": "display_data", "data": {"image/png": bad, "text/plain": "fig"}})
        assert shown == "<pre>fig</pre>"


def test_an_svg_output_is_a_picture_in_which_nothing_runs() -> None:
    shown = cells({"output_type": "display_data", "data": {"image/svg+xml": "<svg onload='steal()'/>"}})
    assert shown.startswith('<img alt="output" src="data:image/svg+xml;base64,')
    assert "steal" not in shown


def test_scripts_and_widgets_are_named_and_not_shown() -> None:
    shown = cells({"output_type": "display_data", "data": {"application/javascript": "steal()"}})
    assert "steal" not in shown
    assert "not shown" in shown


def test_an_error_is_shown_without_colour_codes_and_marks_its_cell() -> None:
    output = {
        "output_type": "error",
        "ename": "E",
        "evalue": "",
        "traceback": ["\x1b[31mE\x1b[0m: <b>no</b>"],
    }
    (cell,) = show_cells({"cells": [{"cell_type": "code", "source": [], "outputs": [output]}]})
    assert cell.failed
    assert cell.outputs[0].html == "<pre>E: &lt;b&gt;no&lt;/b&gt;</pre>"


def test_very_long_output_is_cut_off_and_says_so() -> None:
    shown = cells({"output_type": "stream", "text": ["x" * 300_000]})
    assert len(shown) < 250_000
    assert "[cut off here]" in shown


def test_code_cells_are_numbered_and_text_is_not() -> None:
    kinds = [("markdown", "# a"), ("code", "x"), ("raw", "<b>"), ("code", "y")]
    shown = show_cells({"cells": [{"cell_type": k, "source": s} for k, s in kinds]})
    assert [cell.number for cell in shown] == [0, 1, 0, 2]
    assert shown[2].html == "<pre>&lt;b&gt;</pre>"


@pytest.mark.parametrize("place", [".text", ".cell pre", ".out", ".out .html", ".scroll"])
def test_what_is_wider_than_a_phone_scrolls_in_its_own_place(place: str) -> None:
    """What a student writes may be of any width: long formulas, tables, lines of code."""
    style = (ROOT / "grader" / "report" / "templates" / "style.css").read_text(encoding="utf-8")
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", style)
    mine = "".join(body for selector, body in rules if selector.strip() == place)
    assert re.search(r"overflow(-x)?: auto", mine)


BOMBS = {
    "comments that do not end": "show_markdown('<!--' * 50_000)",
    "formulas that do not end": "show_markdown('$$a\\n\\n' * 50_000)",
    "formulas that do not end in short cells": "[show_markdown('$$a\\n\\n' * 400) for _ in range(30)]",
    "links that do not end": "show_markdown('[a](' * 12_000)",
    "pictures in pictures": "show_markdown('![[]()' * 8_000)",
    "comments that end": "show_markdown('<!-- a -->' * 20_000)",
    "commands to a terminal that do not end": "_preformatted('\\x1b]' * 200_000)",
    "commands to a terminal with numbers": "_preformatted('\\x1b[1;2' * 200_000)",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_what_repeats_without_end_takes_no_more_than_a_moment(bomb: str) -> None:
    """A process of its own, which is ended: quadratic work would take minutes."""
    program = f"from grader.handler.safe_html import show_markdown, _preformatted; {bomb}"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_a_comment_is_left_out_and_what_is_none_stays() -> None:
    assert show_markdown("a <!-- b --> c <!-- d\n --> e <!-- f") == show_markdown("a  c  e <!-- f")
    shown = show_markdown("a <!-- b --> c <!-- d\n --> e <!-- f")
    assert "c" in shown
    assert "e &lt;!-- f" in shown
    assert not {"b", "d", "--&gt;"} & set(shown.split())


def test_commands_to_a_terminal_are_left_out_of_what_was_printed() -> None:
    printed = cells({"output_type": "stream", "text": "a\x1b[31mb\x1b]0;title\x07c\x1b]8;;x\x1b\\d"})
    assert printed == "<pre>abcd</pre>"


def test_markdown_beyond_what_a_reader_would_write_is_shown_as_text() -> None:
    cell = {"cell_type": "markdown", "source": "# Title\n" + "word " * 9_000}
    shown = show_cells({"cells": [cell] * 15})
    kinds = [cell.html.startswith("<h1>") for cell in shown]
    assert kinds == [True] * 11 + [False] * 4
    assert all("# Title" in cell.html for cell in shown[11:])
    assert show_markdown("# Title\n" + "$a$ " * 600).startswith("<pre># Title")


def test_one_cell_is_markdown_up_to_fifty_thousand_characters_and_text_beyond() -> None:
    title, longest = "# Title\n", 50_000
    for length, tag in ((longest, "<h1>Title"), (longest + 1, "<pre># Title")):
        assert show_markdown(title + "a" * (length - len(title))).startswith(tag)


NESTED = {
    "elements that do not end": "<div>" * 2_000,
    "formatting that does not end": "".join(f"<b id={i}>" for i in range(1_200)) + "<p>x" * 1_200,
    "formatting, hidden by other ends": "".join(f"<b id={i}></div>" for i in range(1_200)),
    "links and lists": "<a><ul>" * 1_000,
}


@pytest.mark.parametrize("html", NESTED.values(), ids=NESTED)
def test_html_that_is_nested_without_end_stays_text(html: str) -> None:
    """Reading it takes the square of its length, and what is read may be a thousand times as long."""
    shown = sanitized(html)
    assert shown.startswith("<pre>&lt;")
    assert len(shown) < 6 * len(html)


def test_a_long_table_is_no_nested_html() -> None:
    row = "<tr>" + "<td><b>1</b><br>" * 20
    assert "<td><b>1</b><br>" in sanitized("<table><tbody>" + row * 400 + "</table>")


SMALL = {
    "a table of empty rows": "|" + "a|" * 160 + "\n|" + "-|" * 160 + "\n" + "|\n" * 160,
    "the same in a list in a quotation": "> - |"
    + "a|" * 160
    + "\n>   |"
    + "-|" * 160
    + "\n"
    + ">   |\n" * 160,
    "the same with odd ends of lines": "|"
    + "a|" * 160
    + "\n|"
    + "-|" * 160
    + "\n"
    + "|\x0c\x0b\u2028\n" * 160,
    "many such tables": ("|" + "a|" * 20 + "\n|" + "-|" * 20 + "\n" + "|\n" * 100 + "\n") * 60,
    "an address that many links repeat": f"[x]: <http://{'u' * 25_000}>\n\n" + "[x]" * 8000,
    "a title that many pictures repeat": f"[x]: a '{'u' * 25_000}'\n\n" + "![x]" * 6000,
}


@pytest.mark.parametrize("source", SMALL.values(), ids=SMALL)
def test_no_few_characters_of_markdown_become_very_many(source: str) -> None:
    assert len(show_markdown(source)) < 6 * len(source)


def test_many_cells_with_such_tables_become_no_more() -> None:
    cell = {"cell_type": "markdown", "source": "|" + "a|" * 100 + "\n|" + "-|" * 100 + "\n" + "|\n" * 50}
    shown = [each.html.count("<td>") for each in show_cells({"cells": [cell] * 20})]
    assert shown == [5000] * 3 + [0] * 17


def test_what_people_write_stays_markdown() -> None:
    table = "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 500
    short = "a|b|c|d\n-|-|-|-\n" + "1\n" * 500
    links = "[x]: https://example.org/a\n\n" + "[x] " * 500
    for source, tag in (
        (table, "<td>2</td>"),
        (short, "<td></td>"),
        (links, '<a href="https://example.org/a"'),
    ):
        assert show_markdown(source).count(tag) >= 500
        assert show_markdown(f"{source}\n\n" + "many words " * 500).count(tag) >= 500


def test_a_page_ends_where_it_is_too_long_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_html, "MAX_PAGE", 20_000)
    output = {"output_type": "stream", "text": "<" * 1000}  # 4000 bytes on the page
    long = {"cell_type": "code", "source": "1", "outputs": [output] * 50}
    before, after = ({"cell_type": "markdown", "source": word} for word in ("before", "after"))
    page = show_notebook({"cells": [before, long, after, long]})
    assert "before" in page
    assert "after" not in page
    assert page.count("[the page is cut off here: it is too long]") == 2, "in the cell, and after it"
    assert 20_000 < len(page) < 30_000
    assert "cut off" not in show_notebook({"cells": [before, {**long, "outputs": [output]}, after]})


def test_code_beyond_what_anybody_writes_is_not_highlighted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_html, "MAX_CODE", 100)
    page = show_notebook({"cells": [{"cell_type": "code", "source": "x = 'a' + 1\n" * 3}] * 4})
    assert page.count('<div class="code">') == 2
    assert page.count("x = &#39;a&#39; + 1") == 6


CONTROLS = "\x00\x07\x08\x0b\x1b\x7f\x85\x9b\u2028\u202e\u2066\ud800"


@pytest.mark.parametrize("control", CONTROLS, ids=ascii)
def test_no_control_character_is_on_a_page(control: str) -> None:
    number = f"a&#{ord(control)};b"
    kinds = [(kind, f"a{control}b {number}") for kind in ("markdown", "raw", "code")]
    outputs = [
        {"output_type": "stream", "text": f"a{control}b"},
        {"output_type": "error", "traceback": [f"a{control}b"]},
        *[
            {"output_type": "display_data", "data": {mime: f"a{control}b {number}"}}
            for mime in ("text/plain", "text/html", "text/markdown", "text/latex", "image/svg+xml")
        ],
    ]
    cells = [{"cell_type": kind, "source": source, "outputs": outputs} for kind, source in kinds]
    page = show_notebook({"cells": cells})
    assert control not in page
    assert page.encode()


def test_lines_end_and_are_indented_as_they_were() -> None:
    output = {"output_type": "stream", "text": "a\r\n\tb\rc"}
    page = show_notebook({"cells": [{"cell_type": "code", "source": "1\r\n2", "outputs": [output]}]})
    assert "<pre>a\n\tb\nc</pre>" in page
