"""A notebook with everything in it becomes pages on which everything can be read."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output, new_raw_cell
from pypdf import PdfReader
from student.pdf_support import code, convert, pages, png, shown, squeezed, text, write_notebook
from support import ROOT

from grader.pdf.document import HandIn, Wishes, make_hand_in
from grader.pdf.fonts import families_for

LONG = "answer = " + " + ".join(f"value_{number}" for number in range(60)) + "  # the end"
UNBROKEN = "blob = '" + "0123456789" * 40 + "'"
TABLE = """<style>td {color: red}</style><table border="1" class="dataframe"><thead>
<tr style="text-align: right;"><th></th><th>loss</th><th>note</th></tr></thead>
<tbody><tr><th>0</th><td>0.125</td><td>below &lt;one&gt;</td></tr></tbody></table>"""
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30"><text x="2" y="20">vector</text></svg>'


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> HandIn:
    attached = new_markdown_cell("![sketch](attachment:my%20sketch.png)")
    attached["attachments"] = {"my sketch.png": {"image/png": base64.b64encode(png(64, 32)).decode()}}
    return convert(
        tmp_path_factory.mktemp("document"),
        "# Restaurant ratings $R$\n\nWritten by **hand**; `inline_code` costs \\$5.",
        "## The loss\n\n| k | error |\n|--:|:--|\n| 10 | small |\n\n- a point\n    - below it\n\n> quoted",
        "$$\\begin{aligned} L &= \\sum_u \\|q_u\\|_2^2 \\\\ &= \\begin{pmatrix}1&2\\\\3&4\\end{pmatrix} \\end{aligned}$$",
        code(f"def f(x):\n\treturn x\n{LONG}\n{UNBROKEN}\nprint('中文', 'é')"),
        code("plot", shown(image_png=base64.b64encode(png()).decode(), text_plain="<Figure>")),
        code("vector", new_output("display_data", {"image/svg+xml": SVG})),
        code("table", shown(text_html=TABLE, text_plain="as text")),
        code("said", new_output("stream", name="stdout", text="\x1b[31mred words\x1b[0m\rover\nkept\n")),
        code("warned", new_output("stream", name="stderr", text="careful now\n")),
        code(
            "failed",
            new_output("error", ename="E", evalue="v", traceback=["\x1b[0;31mValueError\x1b[0m: no good"]),
        ),
        code("bare", new_output("error", ename="KeyError", evalue="'k'", traceback=[])),
        code("maths", shown(text_latex="$\\displaystyle \\frac{1}{3}$", text_plain="1/3 as text")),
        attached,
        new_raw_cell("raw *words* #stay $as$ they are"),
        name="Ada Lovelace",
    )


def test_every_line_of_code_is_in_the_text_of_the_pages(document: HandIn) -> None:
    whole = squeezed(text(document))
    for line in (LONG, UNBROKEN, "def f(x):", "return x", "'é'"):
        assert squeezed(line) in whole


def test_a_long_line_is_wrapped_within_the_page_and_not_clipped(document: HandIn) -> None:
    rows = [row for page in pages(document) for row in page.splitlines() if "value_" in row]
    assert len(rows) > 5
    assert max(map(len, rows)) <= 100


def test_all_code_of_a_real_notebook_is_in_its_pages() -> None:
    path = ROOT / "submissions/exercise_11/correct/loops.ipynb"
    document = make_hand_in(path, Wishes())
    whole = squeezed(text(document))
    lines = [
        line
        for cell in nbformat.read(str(path), 4).cells
        if cell.cell_type == "code"
        for line in cell.source.splitlines()
    ]
    assert len(lines) > 100
    assert [line for line in lines if squeezed(line) not in whole] == []
    assert document.warnings == ()


def test_what_a_notebook_shows_can_be_read(document: HandIn) -> None:
    whole = squeezed(text(document))
    for words in (
        "Written by hand", "inline_code", "costs $5", "small", "below it", "quoted", "0.125", "below <one>",
        "over", "kept", "careful now", "ValueError: no good", "KeyError: 'k'", "raw *words* #stay $as$ they are",
    ):  # fmt: skip
        assert squeezed(words) in whole, words
    for words in ("red words", "as text", "td {color", "frac", "begin{"):
        assert squeezed(words) not in whole, words


def test_the_title_is_the_first_heading_and_stands_with_the_name_on_the_page_and_in_the_file(
    document: HandIn,
) -> None:
    reader = PdfReader(io.BytesIO(document.content))
    assert reader.metadata is not None
    assert reader.metadata.title == "Restaurant ratings R"
    assert reader.metadata.author == "Ada Lovelace"
    assert text(document).count("Restaurant ratings") == 1
    assert all("Ada Lovelace" in page for page in pages(document))


def test_headings_are_bookmarks_and_pages_are_numbered(document: HandIn) -> None:
    reader = PdfReader(io.BytesIO(document.content))
    outline = str(reader.outline)
    assert "Restaurant ratings" in outline
    assert "The loss" in outline
    total = len(reader.pages)
    for number, page in enumerate(pages(document), 1):
        assert f"{number} / {total}" in page


def test_pictures_of_every_kind_are_in_the_pages(document: HandIn) -> None:
    reader = PdfReader(io.BytesIO(document.content))
    sizes = {image.image.size for page in reader.pages for image in page.images if image.image}
    assert {(30, 20), (64, 32)} <= sizes
    assert "vector" in text(document)
    assert not any("left out" in warning for warning in document.warnings)


def test_the_same_notebook_gives_the_same_bytes(tmp_path: Path) -> None:
    cells = ("# T\n\n$x^2$", code("x = 1", shown(image_png=base64.b64encode(png()).decode())))
    assert convert(tmp_path, *cells).content == convert(tmp_path, *cells).content


def test_a_notebook_without_a_heading_is_called_after_its_file(tmp_path: Path) -> None:
    document = make_hand_in(write_notebook(tmp_path / "my work.ipynb", code("x = 1")), Wishes())
    assert document.parts[0].name == "my work"
    assert "my work" in pages(document)[0]


@pytest.mark.parametrize(
    ("cells", "title", "times"),
    [
        (["[badge](https://x.example)\n\n# Home *work*"], "Home work", 1),
        (["text", "## Part", "# Homework"], "Homework", 2),
        (["<center><h1>Homework</h1></center>\n\n# First"], "Homework", 2),
        (["text", "# One", "# Two"], "work", 1),  # chapters, not a title
        (["# One", "# Two"], "One", 1),
        (["# \n\n# One"], "One", 1),
    ],
)
def test_the_title_is_the_first_or_only_heading(
    tmp_path: Path, cells: list[str], title: str, times: int
) -> None:
    document = convert(tmp_path, *cells)
    assert document.parts[0].name == title
    assert text(document).replace("work.ipynb", "").count(title) == times


def test_two_hyphens_are_two_hyphens(tmp_path: Path) -> None:
    content = convert(tmp_path, "--run a--b ``x''").content
    fonts = [
        font.get_object()
        for page in PdfReader(io.BytesIO(content)).pages
        for font in page["/Resources"]["/Font"].values()  # type: ignore[index]
    ]
    maps = b"".join(font["/ToUnicode"].get_object().get_data() for font in fonts)
    assert b"<002D>" in maps.upper()
    assert b"<002D002D>" not in maps.upper()


def test_a_wide_picture_ends_where_its_text_would(tmp_path: Path) -> None:
    wide = base64.b64encode(png(2000, 100)).decode()
    image = f"<img src='data:image/png;base64,{wide}'>"
    cells = (f"- a\n  - {image}", f"> {image}", f"| a | b |\n|---|---|\n| text | {image} |")
    document = convert(tmp_path, code("x", shown(image_png=wide)), code("x", shown(text_html=image)), *cells)
    (page,) = PdfReader(io.BytesIO(document.content)).pages
    contents = page.get_contents()
    assert contents is not None
    number = rb"([\d.]+)"
    placed = re.findall(rb"q %s 0 0 %s %s %s cm\s*/x\d+ Do" % ((number,) * 4), contents.get_data())
    assert len(placed) == 5
    assert all(float(left) + float(width) < 538.7 for width, _, left, _ in placed)  # A4 less the margin


def test_a_summary_and_a_term_stand_on_lines_of_their_own(tmp_path: Path) -> None:
    html = "<details><summary>More</summary>hidden</details>\n\n<dl><dt>term</dt><dd>meaning</dd></dl>"
    rows = text(convert(tmp_path, html)).splitlines()
    assert [row.strip() for row in rows if row.strip()][2:6] == ["More", "hidden", "term", "meaning"]


def test_a_long_name_of_a_file_is_broken_and_stays_on_the_page(tmp_path: Path) -> None:
    name = "_".join(f"student_{number}_of_the_group" for number in range(9))
    document = make_hand_in(write_notebook(tmp_path / f"{name}.ipynb", code("x = 1")), Wishes())
    rows = [row.replace("\u200b", "") for row in text(document).splitlines()]
    assert squeezed("".join(rows)).count(name) == 2  # as the title and below it
    assert max(map(len, rows[: len(name) // 50])) < 50  # characters of the size of a title
    assert max(map(len, rows)) < 120


def test_running_it_first_shows_fresh_outputs_and_leaves_the_file_alone(tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("from the folder")
    path = write_notebook(
        tmp_path / "n.ipynb",
        code("print(open('data.txt').read())", new_output("stream", name="stdout", text="stale\n")),
        code("1 / 0"),
        code("print('after ' + 'the error')"),
    )
    before = path.read_bytes()
    whole = squeezed(text(make_hand_in(path, Wishes(run=True))))
    assert "fromthefolder" in whole
    assert "ZeroDivisionError" in whole
    assert "aftertheerror" in whole
    assert "stale" not in whole
    assert path.read_bytes() == before


def test_a_long_output_is_shortened_in_the_middle_and_says_so(tmp_path: Path) -> None:
    output = new_output("stream", name="stdout", text="".join(f"row {n}.\n" for n in range(5000)))
    document = convert(tmp_path, code("x", output))
    whole = text(document)
    assert "row 0." in whole
    assert "row 4999." in whole
    assert "row 2500." not in whole
    assert "4910 lines are left out" in whole
    assert any("4910 lines" in warning for warning in document.warnings)


def test_characters_that_no_font_has_are_named_and_shown_by_their_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.pdf.typeset.families_for", lambda characters: ([], characters))
    assert convert(tmp_path, "Greek α, maths ∑, arrows →, quotes “ ” – and é").warnings == ()
    document = convert(tmp_path, "中文 and $\\text{中}$")
    first, second = document.warnings
    assert "2 of the characters, which are shown by their numbers: 中 文;" in first
    assert 'pip install "numerical-notebook-grader[fonts]"' in first
    assert "no font has all of its characters" in second
    assert "[U+4E2D][U+6587]" in squeezed(text(document))


def test_characters_of_a_font_of_this_machine_are_shown(tmp_path: Path) -> None:
    families, missing = families_for({"ע", "\U000f0000"})
    assert missing == {"\U000f0000"}
    assert families


PLOTLY = {"application/vnd.plotly.v1+json": {"data": []}, "text/html": "<script>draw()</script>"}
WIDGET = {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "IntSlider(value=5)"}
FRAME = {"text/html": "<iframe src='x'></iframe>", "text/plain": "<IPython.lib.display.IFrame at 0x7f>"}


@pytest.mark.parametrize("data", [PLOTLY, WIDGET, FRAME], ids=["plotly", "widget", "frame"])
def test_an_output_that_only_a_browser_shows_leaves_a_line_and_a_note(tmp_path: Path, data: object) -> None:
    cell = new_code_cell("x", outputs=[new_output("display_data", data=data)])
    document = convert(tmp_path, cell)
    assert "an output of a kind that cannot be printed" in " ".join(text(document).split())
    assert ["show a picture of it instead" in warning for warning in document.warnings] == [True]
    assert "0x7f" not in text(document)
