"""Formulas: macros, the translation, and the allow-list between a notebook and the typesetter."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from student.pdf_support import convert, squeezed, text

from grader.pdf.formulas.macros import Macros
from grader.pdf.formulas.tidy import tidy, too_deep
from grader.pdf.formulas.translate import is_mathematics, translate

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
LIVE = (
    '$#read("/etc/passwd")$',
    '$std.read("data.json")$',
    '$ std . read("data.json") $',
    '$x #include "a" $',
    '$#scale(x: 120%, y: 120%, read("a"))[x]$',
    "$#while true {}$",
    "$#none.x$",
    '$x$ #read("a") $y$',
    "$a // b$",
    "$a /* b */$",
    "$`a`$",
    '$"open$',
    "x",
    "$",
    "$$",
    "",
)


def test_formulas_of_a_lecture_are_set() -> None:
    formulas = [(tidy(tex), True) for tex in READABLE if "middle" not in tex]
    missing = [formula for formula, typst in zip(formulas, translate(formulas), strict=True) if not typst]
    assert missing == []


@pytest.mark.parametrize("typst", LIVE)
def test_what_is_not_mathematics_is_kept_from_the_typesetter(typst: str) -> None:
    assert not is_mathematics(typst)


@pytest.mark.parametrize(
    "typst",
    ["$a_b$", '$upright("a // # std b")$', r"$\# \/ \"$", "$#hide[x] #none #h(2em)$", "$ lr([0 \\, 1)) $"],
)
def test_what_pandoc_writes_passes(typst: str) -> None:
    assert is_mathematics(typst)


@UNHURRIED
@given(st.text(st.sampled_from('$#"\\[]()std.read/*`{} abx:%')))
def test_nothing_with_code_outside_of_a_string_passes(inside: str) -> None:
    outside = ""
    rest = iter(inside)
    quoted = False
    for character in rest:
        if character == "\\":
            next(rest, None)
        elif character == '"':
            quoted = not quoted
        elif not quoted:
            outside += character
    if is_mathematics(f"${inside}$"):
        for allowed in ("#none", "#hide[", "#h("):
            outside = outside.replace(allowed, "")
        assert "#" not in outside
        assert "//" not in outside


@UNHURRIED
@given(
    st.text(st.sampled_from(r"\{}_^&#$%~ abx12()[]|'\"frac left right begin{align} end text"), max_size=60)
)
def test_tidying_never_fails_and_ends(tex: str) -> None:
    assert isinstance(tidy(tex), str)
    assert isinstance(too_deep(tex), bool)


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


def test_a_formula_that_would_take_for_ever_is_not_tried() -> None:
    assert translate([(r"\frac{1}{" * 100 + "x" + "}" * 100, False), ("y", False)]) == ["", "$y$"]


def test_a_broken_formula_is_shown_as_text_with_a_warning_and_the_rest_is_set(tmp_path: Path) -> None:
    document = convert(
        tmp_path,
        "Before $\\frac{a$ between $\\unknownmacro{x}$ after $y$.",
        "\\newcommand{\\R}{\\mathbb{R}}\nLater $x \\in \\R$ works.",
    )
    whole = squeezed(text(document))
    assert "Before$\\frac{a$between$\\unknownmacro{x}$after" in whole
    assert "Later" in whole
    assert "works" in whole
    assert "newcommand" not in whole
    assert len(document.warnings) == 2
    assert all("shown as text" in warning for warning in document.warnings)


def test_a_formula_that_only_the_typesetter_rejects_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "grader.pdf.draft.translate",
        lambda formulas: ["$ unknownword $" if tex == "b" else "$c$" for tex, _ in formulas],
    )
    document = convert(tmp_path, "First $b$ then $c$.")
    assert "$b$" in squeezed(text(document))
    assert document.warnings == ("this formula could not be set and is shown as text: $b$",)
