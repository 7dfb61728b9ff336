"""LaTeX becomes the tree that it means, or an error with its place."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support_derivation import task

from grader.derivation.canonical import canonical
from grader.derivation.formulas import Lines, find_formulas, take_macros
from grader.derivation.latex import read_tokens
from grader.derivation.parse import parse_expression
from grader.derivation.tree import DerivationError, Node


def readings(text: str) -> tuple[Node, ...]:
    plain, macros = take_macros(text)
    return parse_expression(read_tokens(plain, 0, Lines(plain), macros), task().vocabulary)


SAME = [
    (r"\dfrac{1}{2}", r"\frac12"),
    (r"\tfrac1{d_{ij}}", r"d_{ij}^{-1}"),
    (r"d^{-1}_{kl}", r"d_{kl}^{-1}"),
    (r"\lVert y_i-y_j\rVert^2", r"\|y_i - y_j\|^2"),
    (r"||y_i-y_j||_2^2", r"\left\| y_i - y_j \right\|^2"),
    (r"|y_i-y_j|^2", r"\norm{y_i - y_j}^2"),
    (r"\mathbf{y}_s", "y_s"),
    (r"\vec y_{s}", "y_s"),
    (r"\mathrm{KL}(P||Q)", "C"),
    (r"D_{\mathrm{KL}}(P\,\Vert\,Q)", "C"),
    (r"\operatorname{KL}(P\parallel Q)", "C"),
    (r"\partial C/\partial y_s", r"\frac{\partial C}{\partial y_s}"),
    (r"\nabla_{y_s} C", r"\frac{\partial C}{\partial y_s}"),
    (r"\frac{\mathrm{d}C}{\mathrm{d}y_s}", r"\frac{\partial C}{\partial y_s}"),
    (r"\frac{dC}{dy_s}", r"\frac{\partial C}{\partial y_s}"),
    (r"\frac{\delta C}{\delta y_s}", r"\frac{\partial C}{\partial y_s}"),
    (r"\frac{\partial}{\partial y_s} C", r"\partial_{y_s} C"),
    (r"\sum_{i,j} d_{ij}", r"\sum_{ij} d_{ij}"),
    (r"\sum_i\sum_j d_{ij}", r"\sum_{j,i} d_{ij}"),
    (r"\sum_{a}\sum_{b} d_{ab}", r"\sum_{j,i} d_{ij}"),
    (r"\sum_{i=1}^{N} \sum_{\substack{j=1\\j\neq i}}^{N} d_{ij}", r"\sum_{i, j:\, i \ne j}^N d_{ij}"),
    (r"\sum\limits_{j\in\{1,\dots,N\}\setminus\{s\}} p_{sj}", r"\sum_{j, j\neq s} p_{sj}"),
    (r"\mathbb{1}[i=s]", r"\delta_{is}"),
    (r"\mathbf{1}_{\{i=s\}}", r"\delta_{i,s}"),
    (r"[i=s]", r"\mathds{1}_{i = s}"),
    (r"2\cdot p_{ij} \times d_{ij}", "2p_{ij}d_{ij}"),
    (r"\underbrace{p_{ij}}_{\text{given}} d_{ij}", "d_{ij} p_{ij}"),
    (r"\ln{q_{ij}}", r"\log\left(q_{ij}\right)"),
    (r"e^{p_{ij}}", r"\exp(p_{ij})"),
    (r"-\bigl( p_{ij} \bigr)", "-p_{ij}"),
    (r"\begin{cases} p_{ij} & \text{if } i=j\\ 0 & \text{otherwise}\end{cases}",
     r"\begin{dcases} p_{ij}, & i = j \\ 0, & \text{sonst}\end{dcases}"),
    (r"\newcommand{\pd}[2]{\frac{\partial #1}{\partial #2}}\pd{C}{y_s}", r"\nabla_{y_s} C"),
    (r"\def\half{\frac12}\half p_{ij}", r"\frac{1}{2} p_{ij}"),
    (r"\bigl[ \mathbb{1}[i=s] - \mathbb{1}[j=s] \bigr]", r"(\delta_{is} - \delta_{js})"),
    (r"\begin{cases} \begin{cases} 1 & i=s\\ 0 & \text{else}\end{cases} & j=s\\ 2 & \text{else}\end{cases}",
     r"\begin{cases} (\begin{cases} 1 & i=s\\ 0 & \text{else}\end{cases}) & j=s\\ 2 & \text{else}\end{cases}"),
    (r"\sum_{j} p_{sj}\, \Big[ d_{sj} \Big]", r"\sum_j p_{sj} d_{sj}"),
    (r"d_{ij}^-1/Z", r"d_{ij}^{-1} / Z"),
    (r"2 d^-2_{ij} p_{ij}", r"2 d_{ij}^{-2} p_{ij}"),
    (r"\|y_i - y_j\|^-a e^-\lambda", r"\|y_i - y_j\|^{-a} e^{-\lambda}"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME, ids=[one for one, _ in SAME])
def test_two_ways_to_write_the_same_are_the_same(one: str, other: str) -> None:
    (tree,), (expected,) = readings(one), readings(other)
    assert canonical(tree) == canonical(expected)


DIFFERENT = [
    ("d_{ij}", "d_{ji}"),
    (r"\sum_{i\neq j} d_{ij}", r"\sum_{ij} d_{ij}"),
    (r"4\sum_j (y_s - y_j)", "4"),
    (r"\sum_j p_{sj} - q_{sj}", r"\sum_j (p_{sj} - q_{sj})"),
    (r"\|y_i\|", r"\|y_i\|^2"),
    (r"\frac{\partial C}{\partial d_{ij}}", r"\frac{\partial C}{\partial d_{ji}}"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT, ids=[one for one, _ in DIFFERENT])
def test_what_differs_is_not_the_same(one: str, other: str) -> None:
    assert canonical(readings(one)[0]) != canonical(readings(other)[0])


@pytest.mark.parametrize(
    ("text", "narrow", "wide"),
    [
        (r"\log p_{ij} q_{ij}", r"(\log(p_{ij})) q_{ij}", r"\log(p_{ij} q_{ij})"),
        (r"\log p_{ij} / q_{ij}", r"(\log(p_{ij})) q_{ij}^{-1}", r"\log(\frac{p_{ij}}{q_{ij}})"),
        ("1/2 p_{ij}", r"\frac12 p_{ij}", r"\frac{1}{2 p_{ij}}"),
    ],
)
def test_what_can_be_read_in_two_ways_has_two_readings(text: str, narrow: str, wide: str) -> None:
    assert [canonical(tree) for tree in readings(text)] == [
        canonical(readings(each)[0]) for each in (narrow, wide)
    ]


ERRORS = [
    (r"a + \foo", r"\foo is not known (line 1, column 5)"),
    ("(a + b", "the bracket ( is not closed (line 1, column 1)"),
    ("a }", "a brace } closes nothing (line 1, column 3)"),
    ("{a", "a brace { is not closed"),
    ("a +", "the formula ends too early"),
    (r"\sum x", "a sum has no index"),
    (r"\sum_{j=0}^{N} x", "indices begin at 1"),
    (r"\sum_{j}^{M} x", "the upper bound M of a sum is not known"),
    (r"\frac{\partial^2 C}{\partial y_s^2}", "higher derivatives are not known"),
    ("p_{i+1}", "+ is no index"),
    (r"\log^2 x", "log with an exponent or a base is not known"),
    (r"a, \dots", ", is not expected here"),
    (r"\|a", "a bar is not closed"),
    ("p_i_j", "two indices below one symbol"),
    ("2^-12", "an exponent of two digits needs braces (line 1, column 3)"),
    ("2^-", "the formula ends too early"),
    (r"\nabla C", r"\nabla needs the variable below it"),
    (r"\begin{pmatrix} a \end{pmatrix}", "the environment pmatrix is not known"),
    ("1234567890123456", "a number of more than 15 digits"),
    (r"\newcommand{\a}{\a\a}\a", "the macros"),
]


@pytest.mark.parametrize(("text", "message"), ERRORS, ids=[text for text, _ in ERRORS])
def test_what_is_outside_the_grammar_is_an_error_with_its_place(text: str, message: str) -> None:
    with pytest.raises(DerivationError) as caught:
        readings(text)
    assert message in str(caught.value)
    assert caught.value.place is not None


MARKDOWN = """A $a$, \\$5, `$no$`, <!-- $no$ --> and $$b
$$
```
$no$
```
\\begin{align} c \\end{align} then \\[d\\] and \\(e\\), $ never

closed."""


def test_formulas_are_found_in_prose_and_not_in_code_or_comments() -> None:
    found = [(piece.kind, piece.text.strip()) for piece in find_formulas(MARKDOWN) if piece.kind != "prose"]
    assert found == [
        ("inline", "a"),
        ("display", "b"),
        ("display", "\\begin{align} c \\end{align}"),
        ("display", "d"),
        ("inline", "e"),
    ]


FRAGMENTS = st.sampled_from(
    [
        r"\frac", "{", "}", "_", "^", "(", ")", "|", r"\|", r"\left(", r"\right)", r"\log", r"\partial", "=", "+", "-",
        "y_s", "d_{ij}", "q_{ij}", r"\sum_{j}", r"\sum_{", r"\neq", ",", "2", r"\begin{cases}", r"\end{cases}", "&",
        "\\\\", r"\text{if}", r"\mathbf{", r"\delta_{is}", r"\nabla_{y_s}", "C", r"\mathbb{1}", "[", "]", "'", "/",
        r"\underbrace{", r"\substack{", r"\in", r"\sqrt", "^T", r"\langle", r"\rangle", r"\prod_i", " ", "é", "#1", "%",
    ]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(FRAGMENTS, max_size=30).map("".join))
def test_random_latex_is_parsed_or_an_error_of_its_own(text: str) -> None:
    try:
        trees = readings(text)
    except DerivationError:
        return
    assert 1 <= len(trees) <= 2
