"""True steps hold, false ones fail at their line, and the result counts only if it is derived."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support_derivation import judge, text_of, verdicts

from grader.derivation.judge import Report
from grader.derivation.tree import DerivationError

TARGET = r"4 \sum_j (y_s - y_j)(p_{sj} - q_{sj}) d_{sj}^{-1}"
START = r"\frac{\partial C}{\partial y_s}"
RIGHT = ["symmetric", "weights", "paper", "delta", "direct", "matrix"]


def failing(report: Report) -> list[int]:
    return [step.line for step in report.steps if step.verdict == "fails"]


def test_of_the_sheets_own_derivation_one_line_is_false() -> None:
    report = judge(text_of("sheet"))
    assert [(step.line, step.verdict) for step in report.steps if step.verdict != "holds"] == [(15, "fails")]
    assert report.goal.starts_right
    assert report.goal.target_reached
    false, after = report.steps[-2:]
    assert false.reason == "the sum runs over i, the summand uses j"
    assert after.reason.startswith("with the sum of the left side mended: the indices of the line before")


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("seed", range(5))
def test_every_step_of_a_right_derivation_holds(name: str, seed: int) -> None:
    report = judge(text_of(name), seed=seed)
    assert {step.verdict for step in report.steps} == {"holds"}
    assert (report.goal.starts_right, report.goal.target_reached, report.goal.remarks) == (True, True, ())


FALSE = [
    (r"2 \sum_j (y_s - y_j)(p_{sj} - q_{sj}) d_{sj}^{-1}", "times 2 it would hold"),
    (r"\frac{28}{5} \sum_j (y_s - y_j)(p_{sj} - q_{sj}) d_{sj}^{-1}", "times 5/7 it would hold"),
    (r"4 \sum_j (y_j - y_s)(p_{sj} - q_{sj}) d_{sj}^{-1}", "the sign is wrong"),
    (r"4 \sum_j (y_s - y_j)(p_{sj} - q_{sj}) d_{sj}^{-2}", "the exponent of d_sj should be -1, not -2"),
    (r"4 \sum_j (y_s - y_j)(p_{sj} - q_{sj})", "the factor 1/d_sj is missing"),
    (r"4 \sum_j (y_s - y_j)(p_{sj} - q_{sj}) q_{sj}", "it should be 1/d_sj, not q_sj"),
    (r"4 \sum_j (y_s - y_j)(p_{sj} + q_{sj}) d_{sj}^{-1}", "the sign of q_sj is wrong"),
    (r"4 \sum_i (y_s - y_j)(p_{sj} - q_{sj}) d_{sj}^{-1}", "the sum runs over i, the summand uses j"),
    (r"4 (y_s - y_j)(p_{sj} - q_{sj}) d_{sj}^{-1}", "j is free on the right side only"),
    (r"4 \sum_j (p_{sj} - q_{sj}) d_{sj}^{-1}", "a vector is set equal to a number"),
]


@pytest.mark.parametrize(("right", "reason"), FALSE, ids=[reason for _, reason in FALSE])
def test_a_false_step_fails_with_what_would_mend_it(right: str, reason: str) -> None:
    (step,) = judge(f"$${START} = {right}$$").steps
    assert step.verdict == "fails"
    assert reason in step.reason


def test_the_smallest_instance_and_both_values_are_told() -> None:
    (step,) = judge(r"$$\sum_{ij} p_{ij} = 2$$").steps
    assert step.reason.endswith("with N = 2, dim = 1 the left side is 1, the right 2")


@pytest.mark.parametrize(
    "text",
    [
        r"q_{ij} = \frac{d_{ij}^{-1}}{\sum_{k,l} d_{kl}^{-1}}",
        r"q_{ij} = \frac{d_{ij}^{-1}}{\sum_{k \neq i} d_{ik}^{-1}}",
        r"\frac{\partial d_{ij}}{\partial y_s} = 2 (y_i - y_j) \delta_{is}",
        r"\frac{\partial d_{ij}}{\partial y_s} = 0",
        r"\frac{\partial C}{\partial d_{nm}} = \frac{p_{nm}}{d_{nm}}",
        r"C = \sum_{i \neq j} p_{ij} \log \frac{q_{ij}}{p_{ij}}",
        r"\sum_j p_{sj} = 1",
        r"C = -\sum_{i \neq j} p_{ij} \log q_{ij}",
    ],
)
def test_a_false_claim_fails(text: str) -> None:
    assert verdicts(f"$${text}$$") == ["fails"]


@pytest.mark.parametrize(
    "text",
    [
        r"C = \sum_{i \neq j} p_{ij} \log p_{ij} - \sum_{i \neq j} p_{ij} \log q_{ij}",
        r"C = \sum_{ij} p_{ij} \log p_{ij} / q_{ij}",
        r"C = \text{const} - \sum_{i \neq j} p_{ij} \log q_{ij}",
        r"\frac{\partial C}{\partial q_{ij}} = -\frac{p_{ij}}{q_{ij}}",
        r"\sum_s \frac{\partial C}{\partial y_s} = 0",
        r"\log \frac{p_{ij}}{q_{ij}} = \log p_{ij} - \log q_{ij} \quad (i \neq j)",
        r"\frac{\partial d_{sj}}{\partial y_s} = 2(y_s - y_j)",
        r"\sum_{i<j} 2 d_{ij} = \sum_k \sum_{k \neq l} d_{kl}",
    ],
)
def test_a_true_claim_holds(text: str) -> None:
    assert verdicts(f"$${text}$$") == ["holds"]


def test_two_faults_that_cancel_are_two_false_steps() -> None:
    text = rf"$${START} = 3 \sum_j (y_s - y_j) \frac{{\partial C}}{{\partial d_{{sj}}}} = {TARGET}$$"
    assert verdicts(text) == ["fails", "fails"]


def test_a_step_that_is_right_given_the_false_line_before_holds() -> None:
    text = r"$$C = 2 \sum_{i \neq j} p_{ij} = 2 \sum_i \sum_{j} p_{ij} = 2$$"
    assert verdicts(text) == ["fails", "holds", "holds"]


ORDERED = r"\frac{\partial C}{\partial d_{nm}} = (p_{nm} - q_{nm}) / d_{nm}"
AS_ONE = r"\frac{\partial C}{\partial d_{nm}} = 2 (p_{nm} - q_{nm}) / d_{nm}"
TO_ORDERED = rf"{START} = \sum_{{ij}} \frac{{\partial C}}{{\partial d_{{ij}}}} \frac{{\partial d_{{ij}}}}{{\partial y_s}}"
TO_ONE = (
    rf"{START} = \sum_j \frac{{\partial C}}{{\partial d_{{sj}}}} \frac{{\partial d_{{sj}}}}{{\partial y_s}}"
)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [((ORDERED, TO_ORDERED), 0), ((AS_ONE, TO_ONE), 0), ((ORDERED, TO_ONE), 1), ((AS_ONE, TO_ORDERED), 1)],
)
def test_a_derivation_is_held_to_one_reading_of_the_derivative_by_a_pair(
    lines: tuple[str, str], expected: int
) -> None:
    assert len(failing(judge("\n\n".join(f"$${line}$$" for line in lines)))) == expected


LEMMA = r"$$\frac{\partial C}{\partial d_{nm}} = p_{nm} d_{nm}^{-1} - d_{nm}^{-2} / Z = (p_{nm} - q_{nm}) / d_{nm}$$"
DERIVED = rf"{LEMMA} $${START} = 4 \sum_j (y_s - y_j) \frac{{\partial C}}{{\partial d_{{sj}}}} = {TARGET}$$"


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        (f"$${START} = {TARGET}$$", False),
        (f"$${START} = {TARGET} = {TARGET.replace('(y_s - y_j)', '(-y_j + y_s)')}$$", False),
        (
            rf"$${START} = {TARGET} = 4 \sum_j (y_s - y_j) \frac{{\partial C}}{{\partial d_{{sj}}}} = {TARGET}$$",
            False,
        ),
        (
            rf"$${START} = \frac{{\partial}}{{\partial y_s}} \sum_{{i \neq j}} p_{{ij}} \log \frac{{p_{{ij}}}}{{q_{{ij}}}} = {TARGET}$$",
            False,
        ),
        (rf"$${START} = 4 \sum_j (y_s - y_j) \frac{{\partial C}}{{\partial d_{{sj}}}}$$", False),
        (DERIVED.removeprefix(LEMMA), False),
        (DERIVED, True),
        (f"To show: $${START} = {TARGET}$$ {DERIVED}", True),
        (f"$${START} = {TARGET}$$ $${TO_ORDERED}$$ $${ORDERED}$$ $${START} = {TARGET}$$", False),
        (
            rf"$${START} = {TARGET}$$ $${START} = 2 \sum_j (p_{{sj}} - q_{{sj}}) d_{{sj}}^{{-1}} \frac{{\partial d_{{sj}}}}{{\partial y_s}} = {TARGET}$$",
            False,
        ),
    ],
    ids=[
        "asserted",
        "rearranged",
        "circle",
        "restated",
        "unfinished",
        "gap",
        "derived",
        "claimed, then derived",
        "taken from the result",
        "the result taken apart",
    ],
)
def test_the_result_counts_if_it_is_derived(text: str, reached: bool) -> None:
    report = judge(text)
    assert failing(report) == []
    assert report.goal.starts_right
    assert report.goal.target_reached is reached
    assert bool(report.goal.remarks) is not reached


def test_the_last_line_counts_not_one_before_it() -> None:
    goal = judge(f"{DERIVED[:-2]} = 2 \\sum_j (y_s - y_j)(p_{{sj}} - q_{{sj}}) d_{{sj}}^{{-1}}$$").goal
    assert (goal.starts_right, goal.target_reached) == (True, False)


BY_ENTRIES = {  # the result for an entry, for a row and for the whole, where the task asks for a row or the whole
    "an entry of the row": ("tsne", LEMMA + r"""$$\frac{\partial C}{\partial y_{r,k}} = \sum_{n \neq m}
        \frac{\partial C}{\partial d_{nm}} \frac{\partial d_{nm}}{\partial y_{r,k}}
        = 4 \sum_j (y_{rk} - y_{jk})(p_{rj} - q_{rj}) d_{rj}^{-1}$$"""),
    "entries, then the row": ("tsne", LEMMA + rf"""$$\partial_{{y_{{sk}}}} C = 4 \sum_j \frac{{\partial C}}{{\partial d_{{sj}}}}
        (y_{{sk}} - y_{{jk}})$$ $$\nabla_{{y_s}} C = {TARGET}$$"""),
    "an entry of the vector": ("ridge", r"""$J = \sum_n (\sum_d X_{nd} w_d - y_n)^2 + \lambda \sum_d w_d^2$
        $$\partial_k J = 2 \sum_n X_{nk} (\sum_d X_{nd} w_d - y_n) + 2 \lambda w_k$$"""),
    "the whole": ("softmax", r"""$$\frac{\partial L}{\partial z_{nk}} = s_{nk} - t_{nk}$$ $$\nabla_W L =
        \sum_n \sum_k \frac{\partial L}{\partial z_{nk}} \frac{\partial z_{nk}}{\partial W} = (s - t)^\top x$$"""),
    "an entry of a row": ("softmax", r"""$$\frac{\partial L}{\partial z_{nj}} = s_{nj} - t_{nj}$$ $$\nabla_{w_{jk}} L =
        \sum_n \frac{\partial L}{\partial z_{nj}} x_{nk} = \sum_n (s_{nj} - t_{nj}) x_{nk}$$"""),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_ENTRIES)
def test_the_result_may_stand_for_an_entry_or_for_the_whole(name: str) -> None:
    meaning, text = BY_ENTRIES[name]
    report = judge(text, meaning)
    assert {step.verdict for step in report.steps} == {"holds"}
    assert (report.goal.starts_right, report.goal.target_reached) == (True, True)
    factor = "2 (" if meaning == "ridge" else "3 ("
    head, _, end = text.rpartition("=")
    doubled = judge(f"{head} = {factor} {end.replace('$$', ')$$')}", meaning)
    assert doubled.steps[-1].verdict == "fails"
    assert not doubled.goal.target_reached


def test_a_chain_that_starts_elsewhere_is_told() -> None:
    goal = judge(r"$$\log q_{ij} = -\log d_{ij} - \log Z$$").goal
    assert (goal.starts_right, goal.target_reached) == (False, False)
    assert goal.remarks == ("no chain starts at what is asked for",)


def test_a_derivation_that_starts_from_another_cost_is_told() -> None:
    goal = judge(rf"$$C = \sum_{{i \neq j}} q_{{ij}} \log \frac{{q_{{ij}}}}{{p_{{ij}}}}$$ {DERIVED}").goal
    assert not goal.starts_right
    assert goal.remarks[0] == "it starts from another C"


STEPS = [
    # a false claim, and a line that is right given it
    (r"\frac{\partial C}{\partial d_{nm}} = (p_{nm} + q_{nm}) / d_{nm}",
     r"4 \sum_j (y_s - y_j) \frac{\partial C}{\partial d_{sj}} = 4 \sum_j (y_s - y_j) (p_{sj} + q_{sj}) / d_{sj}"),
    (r"\frac{\partial d_{sj}}{\partial y_s} = y_s - y_j",
     r"\sum_j p_{sj} \frac{\partial d_{sj}}{\partial y_s} = \sum_j p_{sj} (y_s - y_j)"),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "line"), STEPS)
def test_a_line_that_is_right_given_a_false_claim_holds(claim: str, line: str) -> None:
    assert verdicts(f"$${line}$$") == ["fails"]
    steps = judge(f"$${claim}$$\n\n$${line}$$").steps
    assert [step.verdict for step in steps] == ["fails", "holds"]
    assert steps[1].reason == "right, given line 1"


def test_a_line_that_is_right_only_because_a_line_before_is_false_fails() -> None:
    claim = r"\frac{\partial Z}{\partial d_{nm}} = d_{nm}^{-2}"
    lemma = r"\frac{\partial C}{\partial d_{nm}} = \frac{p_{nm}}{d_{nm}} %s \frac{1}{Z} \frac{\partial Z}{\partial d_{nm}}"
    false = judge(f"$${claim}$$\n\n$${lemma % '-'}$$").steps
    assert [step.verdict for step in false] == ["fails", "fails"]
    assert false[1].reason.startswith("it holds only because line 1 is false; with N = 2")
    assert verdicts(f"$${claim}$$\n\n$${lemma % '+'}$$") == ["fails", "holds"]


def test_what_cannot_be_read_is_not_checked_and_told_with_its_place() -> None:
    report = judge(
        "First\n\n$$C = \\foo$$\n\n$$= \\sum_{i \\neq j} p_{ij} \\log \\frac{p_{ij}}{q_{ij}}$$ $a \\begin{x} = b$"
    )
    assert [(step.line, step.verdict) for step in report.steps] == [
        (3, "not_checked"),
        (5, "not_checked"),
        (5, "not_checked"),
    ]
    assert r"\foo is not known (line 3, column 7)" in report.steps[0].reason


NOT_GENERAL = [
    (r"For two points $q_{21} = \frac12$.", "of single points"),
    (
        r"$\sum_j M_{sj} = 1$, $C = C$, $\sum_j p_{sj} = \sum_j p_{js}$, $M_{ij} = p_{ij}$",
        "defined only later",
    ),
]


@pytest.mark.parametrize(("text", "reason"), NOT_GENERAL)
def test_what_may_be_meant_otherwise_is_not_called_false(text: str, reason: str) -> None:
    step = judge(text).steps[0]
    assert step.verdict == "not_checked"
    assert reason in step.reason


@pytest.mark.parametrize(
    "text",
    [
        r"$$\begin{aligned}[t] C &= \sum_{ij} p_{ij} \log p_{ij} \\ &\quad - \sum_{ij} p_{ij} \log q_{ij}\end{aligned}$$",
        r"$C_{attr} = \sum_{ij} p_{ij} \log d_{ij}$, $C_{\text{rep}} = \log Z$, so $C = const + C_{attr} + C_{\text{rep}}$",
        r"$p_ij * log(p_ij / q_ij) = p_ij * log p_ij - p_ij * log q_ij$",
        r"$dC/dy_s = 4 sum_{j\neq s} (y_s - y_j) dC/dd_{sj}$",
        r"${\partial C \over \partial d_{nm}} = \frac{p_{nm}}{d_{nm}} - {1 \over Z d_{nm}^2}$",
        r"$\partial_s d_{sj} = 2 (y_s - y_j)$",
        r"$\partial_{y_{sk}} d_{sj} = 2 (y_{sk} - y_{jk})$, $\sum_{j \neq s} p_{sj} = \sum_j p_{sj}$",
        r"$\delta_{ij} = \|y_i - y_j\|^2$ and $d_{ij} = 1 + \delta_{ij}$",
        r"$\partial C / \partial w_{nm} = -p_{nm} / w_{nm} + 1 / Z$",
        r"$T_1 = \sum_{ij} p_{ij} \log d_{ij}$, $C = \text{const} + T_1 + \log Z$",
        r"$w_{ij} = d_{ij}^{-1}$, $w_{kk} := 0$, $Z = \sum_{k,l} w_{kl}$",
        r"$\nabla_{y_s} d_{ij} = 0 \text{ for } i, j \neq s$",
        r"$C(y) = \underbrace{\sum_{ij} p_{ij} \log p_{ij}}_{=: A} - \sum_{ij} p_{ij} \log q_{ij}$ so $C - A = -\sum_{ij} p_{ij} \log q_{ij}$",
        r"$\log \prod_{i \neq j} q_{ij}^{p_{ij}} = \sum_{i \neq j} p_{ij} \log q_{ij}$",
    ],
)
def test_what_students_write_holds(text: str) -> None:
    assert set(verdicts(text)) == {"holds"}


CASES = [
    (r"If $i \neq s$ and $j \neq s$, then $\nabla_{y_s} d_{ij} = 0$.", ["holds"]),
    (r"Für $i,j \neq s$ ist $\nabla_{y_s} d_{ij} = 0$.", ["holds"]),
    (r"Es ist $\nabla_{y_s} d_{ij} = 2 (y_s - y_j)$, im Fall $j = s$ gilt $\nabla_{y_s} d_{ij} = 2 (y_s - y_i)$", ["fails", "holds"]),
    ("- for $i = s$: $\\nabla_{y_s} d_{ij} = 2 (y_s - y_j)$\n- otherwise: $\\nabla_{y_s} d_{ij} = 0$", ["holds", "not_checked"]),
    (r"$\nabla_{y_s} d_{ij} = 2 (y_i - y_j)$ for $i = s$, $\nabla_{y_s} d_{ij} = 0$ otherwise", ["holds", "not_checked"]),
    (r"All other terms vanish: $\nabla_{y_s} C = 2 \sum_j (p_{sj} - q_{sj}) d_{sj}^{-1}(y_s - y_j)$", ["fails"]),
    (r"For $i = s$ it is easy. Now $\nabla_{y_s} d_{ij} = 2 (y_s - y_j)$", ["fails"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[text for text, _ in CASES])
def test_a_step_is_tested_under_the_conditions_that_stand_before_or_behind_it(
    text: str, expected: list[str]
) -> None:
    assert verdicts(text) == expected


def test_a_sum_up_to_a_letter_that_is_no_index_runs_over_all_points() -> None:
    assert verdicts(r"$\sum_{i=1}^{n} \sum_{j=1, j \neq i}^n p_{ij} = 1$") == ["holds"]
    assert verdicts(r"$\sum_{i=1}^{n} p_{in} = \sum_{i} p_{in}$") == ["fails"]
    assert verdicts(r"$\sum_{i=1}^{r} \sum_{j} p_{ij} = 1$") == ["not_checked"]


def test_a_line_that_says_nothing_new_is_told() -> None:
    steps = judge(r"$$C = \sum_{ij} p_{ij} \log p_{ij} - \sum_{ij} p_{ij} \log q_{ij} = C$$").steps
    assert steps[1].reason == "says the same as line 1: nothing new"


def test_formulas_go_on_over_breaks_blocks_and_prose() -> None:
    text = r"""
$$\sum_{ij} (p_{ij} +
q_{ij})$$
so
\begin{align}
  &= \sum_{ij} p_{ij} \\
  &\quad + \sum_{ij} q_{ij} && \text{(linear)} \\
  &= 1 + \\ & 1, \qquad i \neq j
\end{align}
$= 2$."""
    assert [(step.line, step.verdict) for step in judge(text).steps] == [
        (6, "holds"),
        (8, "holds"),
        (10, "holds"),
    ]


def test_a_relation_or_a_sign_on_both_sides_of_a_break_is_one() -> None:
    text = r"""
\begin{align}
  \sum_{ij} (p_{ij} + q_{ij}) &= \\
  &= 1 + \\
  &+ 3 - \\
  &- 2 = 1 \cdot \\
  &\cdot 2 =
\end{align}
so $= 3$."""
    assert [(step.line, step.right, step.verdict) for step in judge(text).steps] == [
        (4, r"1 + \\ &+ 3 - \\ &- 2", "holds"),
        (6, r"1 \cdot \\ &\cdot 2", "holds"),
        (9, "3", "fails"),
    ]


def test_a_sum_may_take_the_letter_of_the_point_again_and_means_one_of_both_readings() -> None:
    cost = r"$\frac{\partial C}{\partial y_i} = \frac{\partial}{\partial y_i} \sum_{i \neq j} p_{ij} \log \frac{p_{ij}}{q_{ij}}"
    single = cost + r" = 4 \sum_{i \neq j} (y_i - y_j) (p_{ij} - q_{ij}) d_{ij}^{-1}$"
    assert verdicts(single) == ["holds", "holds"]
    mixed = cost + r" = \sum_{i \neq j} (p_{ij} - q_{ij}) d_{ij}^{-1} \frac{\partial d_{ij}}{\partial y_i}$"
    assert verdicts(mixed) == ["holds", "fails"]


def test_a_side_is_shown_with_the_bracket_that_begins_it() -> None:
    (step,) = judge(r"$\left(d_{ij}\right)^2 = \Bigl( d_{ij} \Bigr)^{2}$").steps
    assert (step.left, step.right) == (r"\left(d_{ij}\right)^2", r"\Bigl( d_{ij} \Bigr)^{2}")


def test_a_definition_in_other_letters_than_the_sheets_is_the_students_own() -> None:
    text = r"""Let $d_{ij} = \|y_i - y_j\|$ and $q_{ij} = (1 + d_{ij}^2)^{-1} / Z$ with $Z = \sum_{k \neq l} (1 + d_{kl}^2)^{-1}$.
$$\frac{\partial Z}{\partial d_{ij}} = -2 d_{ij} (1 + d_{ij}^2)^{-2}$$"""
    assert set(verdicts(text)) == {"holds"}
    wrong = r"Let $d_{ij} = 1 + \|y_i - y_j\|$. $$q_{ij} = d_{ij}^{-1} / \sum_{k \neq l} d_{kl}^{-1}$$"
    assert verdicts(wrong) == ["fails", "holds"]


def test_a_function_that_the_student_introduces_is_what_it_makes_of_its_argument() -> None:
    text = r"Let $g(t) := \log t$ and $h(t) = g(t)^2 + 1$. "
    assert verdicts(text + r"$h(p_{ij}) = \log(p_{ij})^2 + 1$, $h(p_{ij}) = 2 g(p_{ij})$") == [
        *["holds"] * 3,
        "fails",
    ]
    assert verdicts(text + r"$g(g(d_{ij}) + 1) = \log(1 + \log d_{ij})$")[2] == "holds"
    assert verdicts(r"$g(t) = \log t$ $g'(d_{ij}) = 1/d_{ij}$") == ["holds", "not_checked"]
    nested = (
        "$f(x) = x + x$ $" + "f(" * 12 + "2" + ")" * 12 + "= 8192$ $" + "f(" * 500 + "1" + ")" * 500 + "=1$"
    )
    assert verdicts(nested) == ["holds", "not_checked", "not_checked"]


HOSTILE = {
    "brackets": "$$" + "(" * 2500 + "1" + ")" * 2500 + "=1$$",
    "fractions": "$$" + r"\frac{1}{1+" * 500 + "1" + "}" * 500 + "=1$$",
    "fonts": "$$" + r"\mathbf{" * 1500 + "1" + "}" * 1500 + "=1$$",
    "slashes": "$$" + "1/2 " * 1400 + "=1$$",
    "transposes": "$$y_s" + "^T" * 1000 + "=1$$",
    "functions": "$$" + r"\log " * 1000 + "2=1$$",
    "conditions": r"$$\mathbb{1}[" + r"i=j\vee " * 1000 + "i=j]=1$$",
    "macros": "".join(rf"\newcommand{{\{a}}}{{\{b}\{b}}}" for a, b in zip("abcdefghijk", "bcdefghijkl", strict=True))
    + r"\newcommand{\l}{xxxx}$$\a=1$$",
    "a macro of itself": r"\newcommand{\a}{\a\a}$$\a=1$$",
    "sums": "$$" + r"\sum_j " * 1500 + "y_j=1$$",
    "a tower": "$$9^{9^{9^{9^9}}}=1$$",
    "many": "$$" + r"+\sum_j d_{sj}" * 600 + "=1$$",
    "a surrogate": "$$\ud800=1$$",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_too_deep_too_large_or_without_end_is_not_checked(name: str) -> None:
    assert verdicts(HOSTILE[name]) == ["not_checked"]


@pytest.mark.parametrize(
    "text",
    ["a" * 300_000, "$$" + "=".join(["C"] * 400) + "$$", r"$$C = " + r"\sum_k d_{kk} " * 1_000_000 + "$$"],
    ids=["text", "steps", "a million sums"],
)
def test_a_text_that_is_too_long_is_refused(text: str) -> None:
    with pytest.raises(DerivationError, match="more than"):
        judge(text)


@pytest.mark.parametrize("text", ["$" * 40_000, "`` ` " * 8000, r"\begin{align}" * 3000, "<!--" * 10_000])
def test_delimiters_without_end_hold_nothing(text: str) -> None:
    assert judge(text).steps == ()


LINES = [line for name in ("sheet", *RIGHT) for line in text_of(name).splitlines() if "=" in line]
PIECES = [
    "{",
    "}",
    "(",
    "$$",
    "\\\\",
    "&",
    r"\sum_{j}",
    "^{-1}",
    "=",
    "_",
    r"\frac",
    "y_s",
    "d_{ij}",
    r"\partial",
    "|",
    "2",
    "-",
]


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from(LINES),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 5), st.sampled_from(["", *PIECES])), max_size=5),
)
def test_a_mutated_line_is_judged_or_an_error_of_its_own(
    line: str, changes: list[tuple[int, int, str]]
) -> None:
    for place, cut, new in changes:
        line = line[:place] + new + line[place + cut :]
    report = judge(f"$${re.sub('[$]|begin|end', '', line)}$$")
    assert {step.verdict for step in report.steps} <= {"holds", "fails", "not_checked"}
