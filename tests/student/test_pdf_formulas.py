"""Formulas: found, their macros expanded, and set as MathJax sets them, or shown as they were written."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from student.pdf_support import convert, squeezed, text

from grader.pdf.content import Content
from grader.pdf.draft import Draft
from grader.pdf.formulas.breaks import MOST_PIECES, broken
from grader.pdf.formulas.find import take_formulas
from grader.pdf.formulas.macros import Macros
from grader.pdf.formulas.tidy import refer, tidy
from grader.pdf.formulas.translate import Picture, translate, typst_of

UNHURRIED = settings(deadline=None, max_examples=60)
READABLE = (
    r"\frac{\partial C}{\partial y_s} = 4 \sum_j (y_s - y_j)(p_{sj} - q_{sj}) d_{sj}^{-1}",
    r"\begin{align} a &= b \label{x} \\ &= c \nonumber \end{align}",
    r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}",
    r"\begin{cases} x & \text{if } x > 0 \\ 0 & \text{else} \end{cases}",
    r"\lVert x \rVert_2^2 + \|X - QP\|_F^2",
    r"\hat{\boldsymbol\theta} = \operatorname*{arg\,max}_{\theta \in \mathbb{R}^d} \mathcal{L}(\theta)",
    r"\underbrace{a + b}_{\text{sum}} \xrightarrow{n} \bigl( x \bigr) \boxed{y} \tag{1}",
    r"\{ x \mid x \notin S \} \cup [0, 1) \; \middle",
    r"{\bf x} \mathbbm{1} \cfrac{1}{2} \hspace*{1cm} \intercal",
    r"\left\{ \begin{array}{ll} a & b \\ c & d \end{array} \right.",
    "a \\\\ b",
    "x % a comment",
)
ELSEWHERE = {  # what other converters drop, or read as something else
    "array": (r"\begin{array}{c|c} a & b \\ \hline c & d \end{array}", "abcd", 2),
    "dashed rules": (r"\begin{array}{c:c} a & b \\ \hdashline c & d \end{array}", "abcd", 2),
    "augmented matrix": (r"\left[\begin{array}{cc|c} 1 & 2 & 3 \\ 4 & 5 & 6 \end{array}\right]", "123456", 1),
    "frame": (r"\begin{array}{|c|} \hline a \\ \hline \end{array}", "a", 1),
    "matrix": (r"\begin{matrix} a & b \\ c & d \end{matrix}", "abcd", 0),
    "plain matrix": (r"\pmatrix{a & b \cr c & d}", "abcd", 0),
    "small matrix": (r"\left(\begin{smallmatrix} a & b \\ c & d \end{smallmatrix}\right)", "abcd", 0),
    "cases": (r"\begin{cases} a \\ b \end{cases}", "ab", 0),
    "ampersand": (r"A \& B", "A&B", 0),
    "one brace": (r"\left\{ x \right.", "x", 0),
    "over": (r"{a+b \over c}", "a+bc", 0),
    "calligraphic": (r"{\cal L}", "L", 0),
    "hbox": (r"x_{\hbox{max}}", "xmax", 0),
    "blackboard": (r"\Bbb R", "R", 0),
    "open interval": (r"\left]a,b\right[", "]a,b[", 0),
    "digits behind a power": ("x^23", "x23", 0),
}


def test_formulas_of_a_lecture_are_set() -> None:
    formulas = [(tidy(tex), True) for tex in READABLE if "middle" not in tex]
    missing = [found for found in translate(formulas) if isinstance(found, str)]
    assert missing == []


@pytest.mark.parametrize(("tex", "letters", "rules"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_formula_has_all_its_letters_and_rules(tex: str, letters: str, rules: int) -> None:
    (found,) = translate([(tidy(tex), True)])
    assert not isinstance(found, str), found
    tree = ElementTree.fromstring(found[0].svg)
    codes = [int(each.attrib["data-c"], 16) for each in tree.iter() if "data-c" in each.attrib]
    shown = "".join(unicodedata.normalize("NFKC", chr(code)) for code in codes)
    assert [letter for letter in letters if letter not in shown] == []
    lines = [each for each in tree.iter() if "data-line" in each.attrib or "data-frame" in each.attrib]
    assert len(lines) == rules
    assert all(float(line.attrib["stroke-width"]) > 0 for line in lines)


def test_nothing_is_said_to_be_set_that_mathjax_does_not_read() -> None:
    unread = (
        r"\nosuchcommand",
        r"\frac{a",
        r"\begin{array}{c} a",
        r"\left( a",
        r"a & b",
        r"\begin{tikz}x\end{tikz}",
    )
    for found in translate([(tidy(tex), False) for tex in unread]):
        assert isinstance(found, str)
        assert found


BROKEN = {
    "operators": (
        r"x_1 + \frac{a+b}{c} = d^+ - \left(a + b\right)",
        ["x_1 + {}", r" \frac{a+b}{c} = {}", " d^+ - {}", r" \left(a + b\right)"],
    ),
    "what holds to the end": (r"\color{red} a + b", [r"\color{red} a + {}", r"\color{red}  b"]),
    "style of SymPy": (r"\displaystyle a = b", [r"\displaystyle a = {}", r"\displaystyle  b"]),
    "brackets": ("f(a, b + c)", ["f(a, {}", " b + {}", " c)"]),
    "brackets that grow": (
        r"\left[a + \frac{b}{c}\right]^2",
        [
            r"\left[\vphantom{a + \frac{b}{c}}\right. a + {}",
            r" \frac{b}{c}\left.\vphantom{a + \frac{b}{c}}\right] ^2",
        ],
    ),
    "a group": ("{a = b}", ["a = {}", " b"]),
    "an equation": (r"\begin{equation}a = b,\end{equation}", ["a = {}", " b,"]),
    "over": (r"a \over b + c", None),
    "overline": (r"\overline{a} + b", [r"\overline{a} + {}", " b"]),
    "signs with a limit": ("a =^{!} b", None),
    "a sign at the end": ("a =", None),
    "a negative number": ("a = -b", ["a = {}", " -b"]),
    "a matrix": (r"\begin{pmatrix} a + b & c = d \end{pmatrix}", None),
    "open interval": (
        r"\left]a, b\right[",
        [r"\left]\vphantom{a, b}\right. a, {}", r" b\left.\vphantom{a, b}\right[ "],
    ),
    "words": (
        r"\text{one and another word and a third}",
        [rf"\text{{{word}}}" for word in "one |and |another |word |and |a |third".split("|")],
    ),
    "words below": (r"x_\text{one and another word and a third}", None),
}


@pytest.mark.parametrize(("tex", "pieces"), BROKEN.values(), ids=BROKEN)
def test_a_long_formula_is_broken_where_tex_breaks_it(tex: str, pieces: list[str] | None) -> None:
    assert broken(tex) == (pieces or [tex])


@UNHURRIED
@given(st.lists(st.sampled_from([*r"()[]{}=+,-x^_&\ ", r"\left(", r"\right)", r"\rm "]), max_size=40))
def test_no_letter_of_a_broken_formula_is_lost(tokens: list[str]) -> None:
    tex = "".join(tokens)
    pieces = broken(tex)
    assert len(pieces) <= MOST_PIECES + 1
    if r"\left" not in tex:  # brackets that grow come twice
        assert re.findall(r"[x=+,()-]", "".join(pieces)) == re.findall(r"[x=+,()-]", tex)


def test_the_pieces_of_a_wide_formula_fit_their_lines() -> None:
    terms = " + ".join(f"x_{{{i}}}y_{{{i}}}" for i in range(60))
    matrix = r"\begin{pmatrix}" + " & ".join("x" * 40) + r"\end{pmatrix}"
    wide = [
        rf"S = \left({terms}\right)",
        rf"\displaystyle S = f({terms})",
        rf"\left\{{\left[{terms}\right]\right\}}",
    ]
    for found in translate([(tex, display) for tex in wide for display in (False, True)]):
        assert isinstance(found, tuple)
        assert max(picture.width for picture in found) < 16
    (found,) = translate([(matrix, True)])
    assert len(found) == 1


def test_a_formula_that_has_no_place_is_made_smaller_or_shown_as_text(tmp_path: Path) -> None:
    def row(columns: int) -> str:
        return r"\begin{pmatrix}" + " & ".join("a" * columns) + r"\end{pmatrix}"

    smaller = convert(tmp_path, f"$${row(40)}$$ and inline ${row(40)}$")
    assert smaller.warnings == ()
    assert "begin" not in text(smaller)
    for lines, warnings in ((50, 0), (120, 1)):
        rows = r"\begin{aligned}" + r"\\ ".join(["a &= b"] * lines) + r"\end{aligned}"
        assert len(convert(tmp_path, f"$${rows}$$").warnings) == warnings
    for where in ("$${}$$", "in ${}$ line", "- item\n- ${}$", "| a |\n|---|\n| ${}$ |", "> $${}$$"):
        document = convert(tmp_path, where.replace("{}", row(90)))
        (warning,) = document.warnings
        assert "too large to be read on a page" in warning
        assert squeezed(text(document)).count(squeezed(row(90))) == 1


def test_a_long_formula_in_a_text_is_broken_at_every_operator() -> None:
    (found,) = translate([(" + ".join(f"x_{{{i}}}" for i in range(40)), False)])
    assert not isinstance(found, str)
    assert len(found) == 40


def test_letters_that_mathjax_has_no_shape_for_are_set_as_words() -> None:
    ((picture,),) = translate([(r"x_{\text{вход}} + \text{一二 и a}", False)])
    texts = [each for each in ElementTree.fromstring(picture.svg).iter() if each.tag.endswith("text")]
    assert [(each.text, float(each.attrib["textLength"])) for each in texts] == [
        ("вход", 4 * 540.0),
        ("一二", 2000.0),
        ("и", 540.0),
    ]


def test_a_formula_that_never_ends_costs_itself_alone() -> None:
    endless = r"\def\a{\a\a}" + r"\a" * 3
    first, second, third = translate([("x", False), (endless, False), ("y", False)])
    assert isinstance(second, str)
    assert not isinstance(first, str)
    assert not isinstance(third, str)


def test_what_a_formula_says_of_itself_cannot_leave_its_quotes() -> None:
    (found,) = translate([("x", False)])
    assert not isinstance(found, str)
    written = typst_of(0, found, ["0.svg"], "[]", 'x" + read("/etc/passwd") + "\\')
    assert 'alt: "x\\" + read(\\"/etc/passwd\\") + \\"\\\\"' in written


@UNHURRIED
@given(
    st.text(st.sampled_from(r"\{}_^&#$%~ abx12()[]|'\"frac left right begin{align} end text"), max_size=60)
)
def test_tidying_never_fails_and_ends(tex: str) -> None:
    assert isinstance(tidy(tex), str)


@pytest.mark.parametrize(
    ("tex", "lines"),
    [
        (r"a \\ b", 2),
        (r"\hat{A}=\hat{A}^\dagger \\ P(a_n) = 1", 2),
        (r"a_{1} = b \\[4pt] c &= d \\", 2),
        (r"\begin{equation} a_{1} = b \\ c = d \end{equation}", 2),
        (r"x = \begin{pmatrix} a \\ b \end{pmatrix} \\ y", 2),
        (r"\sum_{\substack{i \\ j}} x", 1),
        (r"\left\{ \begin{array}{l} a \\ b \end{array} \right.", 1),
        (r"\pmatrix{a & b \\ c & d}", 1),
        (r"\\|x\\|^2 = 1", 1),
        (r"\begin{align} a \\ b \end{align}", 1),
    ],
)
def test_a_line_ends_where_the_author_ends_it(tex: str, lines: int) -> None:
    """Lines outside of a table become rows of one."""
    (alone,), (found,) = translate([(r"\begin{gathered} x \\ y \end{gathered}", True), (tidy(tex), True)])
    assert isinstance(found, Picture)
    wrapped = tidy(tex).startswith((r"\begin{gathered}", r"\begin{aligned}"))
    assert wrapped == (lines == 2)
    assert lines == 1 or found.height >= 0.9 * alone.height


@pytest.mark.parametrize(
    ("definitions", "tex", "expanded"),
    [
        (r"\newcommand{\R}{\mathbb{R}}", r"x \in \R", r"x \in {\mathbb{R}}"),
        (r"\newcommand{\n}[1]{|#1|}", r"\n{x}+\n y", "{|x|}+{|y|}"),
        (r"\def\v#1{\vec{#1}}", r"\v{x}", r"{\vec{x}}"),
        (r"\DeclareMathOperator*{\am}{arg\,min}", r"\am_x", r"{\operatorname*{arg\,min}}_x"),
        (r"\renewcommand\a{b}", r"\a \alpha", r"{b} \alpha"),
        (r"\newcommand{\a}{unclosed", r"\a", r"\a"),
    ],
)
def test_macros_are_expanded(definitions: str, tex: str, expanded: str) -> None:
    macros = Macros()
    macros.take(definitions)
    assert macros.expand(tex) == expanded


def test_a_macro_that_calls_itself_ends() -> None:
    macros = Macros()
    assert macros.take(r"\def\a{\a\a}x") == "x"
    assert len(macros.expand(r"\a")) < 100_000


def test_a_broken_formula_is_shown_as_text_with_a_warning_and_the_rest_is_set(tmp_path: Path) -> None:
    document = convert(
        tmp_path,
        "Before $\\frac{a}$ between $\\unknownmacro{x}$ after $y$.",
        "\\newcommand{\\R}{\\mathbb{R}}\nLater $x \\in \\R$ works.",
    )
    whole = squeezed(text(document))
    assert "Before$\\frac{a}$between$\\unknownmacro{x}$after" in whole
    assert "Later" in whole
    assert "works" in whole
    assert "newcommand" not in whole
    assert len(document.warnings) == 2
    assert all("shown as text" in warning for warning in document.warnings)


def test_a_reference_is_the_tag_of_its_formula(tmp_path: Path) -> None:
    draft = Draft(tmp_path)
    cells = (
        r"see \eqref{b}, \ref{b} and `\eqref{b}`, $\eqref{b} + \eqref{c}$",
        r"\begin{align} a \tag{1} \\ b \label{b} \tag{2a} \\ c \label{c} \end{align}",
    )
    nodes = [node for cell in cells for node in Content(draft).markdown(cell)]
    assert [refer(tex, draft.labels) for tex in draft.tex[:3]] == [
        r"\text{(2a)}",
        r"\text{2a}",
        r"\text{(2a)} + \text{(c)}",
    ]
    assert r"\eqref{b}" in str(nodes).replace("\\\\", "\\")  # the code


def test_a_formula_that_only_defines_macros_leaves_nothing(tmp_path: Path) -> None:
    document = convert(
        tmp_path,
        "first $\\newcommand{\\R}{\\mathbb{R}}\\newcommand{\\n}[1]{|#1|}$ then $\\n{x} \\in \\R$",
        "$$\\def\\v{\\begin{pmatrix}1\\end{pmatrix}}$$ and \\newcommand{\\w}{\\v} last $\\w$",
        "`\\newcommand{\\R}{r}` $\\R$",
    )
    assert document.warnings == ()
    whole = squeezed(text(document))
    assert "$" not in whole
    assert whole.count("newcommand") == 1
    assert "firstthen" in whole


def test_formulas_are_found_as_jupyter_finds_them(tmp_path: Path) -> None:
    found: list[str] = []
    text = "行列$X$の, 1/4$^{th}$ of an AR$(p)$, `$no$`, \\$5, $a\n\n$b$ $\\{ c$ and $\\text{$d$}$ $$e\nf$$"
    take_formulas(text, lambda formula: found.append(formula.tex) or 0)  # type: ignore[func-returns-value]
    assert found == ["X", "^{th}", "(p)", "b", r"\{ c", r"\text{$d$}", "e\nf"]
