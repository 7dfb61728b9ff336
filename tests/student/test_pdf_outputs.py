"""Which form of a displayed object is shown: the one that Jupyter prefers, if a page can show it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_output
from student.pdf_support import png

from grader.pdf.draft import Draft
from grader.pdf.markup import without_programs
from grader.pdf.outputs import set_output, set_outputs

PNG = {"image/png": base64.b64encode(png()).decode()}
PROGRAM = "<script>" + "draw(1 < 2);" * 60_000 + "</script>"
VIDEO = "<video><source src='data:video/mp4;base64,AAAA'>Your browser does not support this.</video>"
SKLEARN = (
    "<style>.x {}</style><div><div class='sk-text-repr-fallback'><pre>Ridge(alpha=2)</pre><b>In a Jupyter "
    "environment, rerun this cell.</b></div><input type=checkbox><label>Ridge</label></div>"
)
VERBATIM = "\\begin{Verbatim}\n\\PY{k}{def} f\n\\end{Verbatim}"


def seen(tmp_path: Path, data: dict[str, Any]) -> tuple[str, Draft]:
    """Return what a displayed object leaves on the page, as text, and the draft."""
    draft = Draft(tmp_path)
    output = new_output("display_data", data)
    blocks = set_output(output, draft)
    return " ".join(filter(None, (_words(block, draft) for block in blocks))), draft


def _words(node: Any, draft: Draft) -> str:
    if isinstance(node, str):
        return node
    if isinstance(node, list):
        return " ".join(_words(each, draft) for each in node)
    kind = node["t"]
    if kind in ("math", "display"):
        return f"<{draft.formulas[node['n']].tex}>"
    if kind in ("picture", "table", "note"):
        cells = [_words(cell["c"], draft) for cell in node.get("cells", [])]
        return f"<{kind}{''.join(f' {cell}' for cell in cells)}>"
    if "rows" in node:
        return " ".join(run[0] for row in node["rows"] for run in row["r"])
    return _words(node.get("s") or node.get("c") or node.get("items") or [], draft)


SHOWN: dict[str, tuple[dict[str, Any], str]] = {
    "HTML before the object's own text": (
        {"text/html": "<ul><li>alpha</li></ul>", "text/plain": "Bag(1)"},
        "alpha",
    ),
    "HTML before LaTeX for a page": (
        {"text/html": "<table><td>1</td></table>", "text/latex": r"\begin{tabular}{l}1\end{tabular}"},
        "<table 1>",
    ),
    "highlighted code, not its LaTeX": (
        {
            "text/html": "<style>k {}</style><pre>def f</pre>",
            "text/latex": VERBATIM,
            "text/plain": "def f",
        },
        "def f",
    ),
    "a formula before HTML": ({"text/html": "3 m<sup>2</sup>", "text/latex": "$3 m^2$"}, "<3 m^2>"),
    "a formula before its picture": ({"text/latex": r"$\displaystyle x$", **PNG}, r"<\displaystyle x>"),
    "a formula in brackets": ({"text/latex": r"\(x\)", "text/plain": "x"}, "<x>"),
    "an environment is a formula": (
        {"text/latex": r"\begin{align*}a\end{align*}", "text/plain": "a"},
        r"<\begin{align*}a\end{align*}>",
    ),
    "HTML before Markdown": ({"text/html": "<p>one</p>", "text/markdown": "two"}, "one"),
    "Markdown before LaTeX": ({"text/markdown": "one", "text/latex": "two"}, "one"),
    "LaTeX that is a text": (
        {"text/latex": r"\textbf{b} *c* $a_1$", "text/plain": "<IPython.core.display.Latex object>"},
        r"\textbf{b} *c*  <a_1>",
    ),
    "formulas in HTML": (
        {"text/html": r"<b>so</b> $$x$$ and \(y\), \$5, <code>$z$</code>"},
        "so <x> and <y> , $5, $z$",
    ),
    "a picture instead of a program": (
        {"text/html": f"<div></div>{PROGRAM}", **PNG, "text/plain": "plot"},
        "<picture>",
    ),
    "a picture instead of a widget": (
        {"application/vnd.jupyter.widget-view+json": {}, "text/html": "<b>Figure</b>", **PNG},
        "<picture>",
    ),
    "a table beside a program": (
        {"text/html": f"<table><td>1</td></table><button>copy</button>{PROGRAM}", "text/plain": "frame"},
        "<table 1>",
    ),
    "a table beside its data": (
        {
            "application/vnd.dataresource+json": {},
            "application/vnd.microsoft.datawrangler.viewer.v0+json": {},
            "text/html": "<table><td>1</td></table>",
            "text/plain": "frame",
        },
        "<table 1>",
    ),
    "a text beside its type": (
        {"application/vnd.google.colaboratory.intrinsic+json": {"type": "string"}, "text/plain": "'abc'"},
        "'abc'",
    ),
    "a drawing in HTML": (
        {"text/html": "<b>a</b><svg width='9' height='9'><path d='M0 0L9 9'/></svg>", "text/plain": "x"},
        "a <picture>",
    ),
    "a text that is its own fallback": (
        {"text/html": SKLEARN, "text/plain": "Ridge(alpha=2)"},
        "Ridge(alpha=2)",
    ),
    "a text with its own colours": (
        {"text/html": "<pre><span>Model</span>: 3\n</pre>", "text/plain": "\x1b[1mModel\x1b[0m: 3\n"},
        "Model : 3",
    ),
    "a style sheet": (
        {"text/html": "<style>a {b: c}</style>", "text/plain": "<IPython.core.display.HTML object>"},
        "",
    ),
}


@pytest.mark.parametrize(("data", "words"), SHOWN.values(), ids=SHOWN)
def test_the_form_that_jupyter_prefers_is_shown(tmp_path: Path, data: dict[str, Any], words: str) -> None:
    shown, draft = seen(tmp_path, data)
    assert " ".join(shown.split()) == " ".join(words.split())
    assert draft.warnings == []


LOST = {
    "a program": ({"text/html": f"<div></div>{PROGRAM}"}, "<note>"),
    "an endless program": ({"text/html": "<div></div><script>draw()"}, "<note>"),
    "Plotly": ({"application/vnd.plotly.v1+json": {}, "text/html": f"<div>{PROGRAM}</div>"}, "<note>"),
    "a video": ({"text/html": VIDEO, "text/plain": "<IPython.core.display.HTML object>"}, "<note>"),
    "a video beside a text": ({"text/html": f"<p>so</p>{VIDEO}"}, "<note> so"),
    "a program beside a text": ({"text/html": f"<p>Loading</p>{PROGRAM}"}, "<note> Loading"),
    "an animation": ({"text/html": f"<img id=a><input type=range>{PROGRAM}"}, "<note> <note>"),
    "an object with a text": ({"text/html": VIDEO, "text/plain": "clip(3 s)"}, "<note> clip(3 s)"),
}


@pytest.mark.parametrize(("data", "words"), LOST.values(), ids=LOST)
def test_what_only_a_browser_shows_leaves_a_line_and_a_note(
    tmp_path: Path, data: dict[str, Any], words: str
) -> None:
    shown, draft = seen(tmp_path, data)
    assert " ".join(shown.split()) == words
    assert "cannot be printed" in draft.warnings[-1]
    assert not any("cut off" in warning for warning in draft.warnings)


@pytest.mark.parametrize(
    ("html", "rest", "active"),
    [
        ("a<script>b</script>c", "ac", ["script"]),
        ("a<SCRIPT\nx='</b>'>b</script\n>c", "ac", ["script"]),
        ("a<!-- <script> -->c", "ac", []),
        ("a<script>b", "a", ["script"]),
        ("a<scripted>b", "a<scripted>b", []),
        ("a<button>b</button>c", "ac", []),
        ("a<embed src=b>c", "a<embed src=b>c", ["embed"]),
        ("a<!-- b", "a", []),
        ("&lt;script>", "&lt;script>", []),
    ],
)
def test_programs_go_with_all_that_is_in_them(html: str, rest: str, active: list[str]) -> None:
    assert without_programs(html) == (rest, active)


def test_a_script_before_the_picture_that_it_draws_is_not_missed(tmp_path: Path) -> None:
    script = new_output("display_data", {"application/javascript": "draw()", "text/plain": "<X object>"})
    image = f"<img src='data:image/png;base64,{PNG['image/png']}'>"
    for picture in ({"text/html": [image]}, PNG):
        draft = Draft(tmp_path)
        blocks = set_outputs([script, new_output("display_data", picture)], draft)
        assert (_words(blocks, draft), draft.warnings) == ("<picture>", [])
    for other in ({"text/plain": "x"}, {"application/javascript": "draw()"}):
        draft = Draft(tmp_path)
        set_outputs([script, new_output("display_data", other)], draft)
        assert len(draft.warnings) == 1


def test_the_rows_that_a_cut_table_lost_are_counted(tmp_path: Path) -> None:
    rows = "<tr><td>1</td></tr>" * 50_000
    _, draft = seen(tmp_path, {"text/html": f"<table>{rows}</table>"})
    assert "a table is cut off: 49800 rows and 0 columns are left out" in draft.warnings


def test_programs_without_an_end_cost_no_time() -> None:
    assert without_programs("<script>" + "</script " * 200_000) == ("", ["script"])
    assert without_programs("<video>" * 200_000) == ("", ["video"])
    assert without_programs("<b>" + "<button></button>" * 100_000)[0] == "<b>"
