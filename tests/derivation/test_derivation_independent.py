"""Lines have the value that plain loops give them: those of the corpora, mutated ones, and random ones.

Sizes are 3 throughout, so that an index that runs too far or not far enough is seen in the value.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from support_derivation import HERE, Loops, task

from grader.derivation import tree as n
from grader.derivation.binding import bind
from grader.derivation.chains import Derivation
from grader.derivation.definitions import collect, scope_with
from grader.derivation.evaluate import Evaluator
from grader.derivation.formulas import Lines
from grader.derivation.latex import read_tokens
from grader.derivation.meaning import Task
from grader.derivation.parse import parse_expression
from grader.derivation.scope import Scope
from grader.derivation.steps import read_derivation
from grader.derivation.tree import DerivationError, free_indices

CUBE = Task(task().meaning.model_copy(update={"sizes": {"N": (3,), "dim": (3,)}}))
INSTANCE = CUBE.instance(0, 0)
TEXTS = [path.read_text(encoding="utf-8") for path in sorted(HERE.glob("*/?*_??.md"))]


def trees_of(derivation: Derivation) -> list[n.Node]:
    return [tree for chain in derivation.chains for each in chain.expressions for tree in each.readings]


def agrees(tree: n.Node, scope: Scope) -> bool:
    """Assert that both evaluations agree; return False where one of them knows no value."""
    letters = sorted(free_indices(tree))
    evaluator, loops = Evaluator(scope, INSTANCE), Loops(scope, INSTANCE)
    try:
        found = evaluator.value(tree, evaluator.sizes(frozenset(letters), tree))
        for places in itertools.product(range(loops.count), repeat=len(letters)):
            at = dict(zip(letters, places, strict=True))
            ours, error = (side[tuple(at[axis] for axis in found.axes)] for side in (found.data, found.error))
            theirs = np.asarray(loops.value(tree, at))
            if np.isfinite(theirs).all() and np.isfinite(error).all():
                assert (np.abs(ours - np.real(theirs)) <= 1e-13 + 2.0**-53 * 200 * error).all(), (tree, at)
            elif not np.isfinite(theirs).all():
                assert not np.isfinite(ours).all(), (tree, at)
    except (DerivationError, NotImplementedError, KeyError, OverflowError):
        return False
    return True


def test_the_lines_of_the_corpora_have_the_values_of_loops() -> None:
    found = [
        agrees(tree, scope_with(CUBE, collect(derivation.chains, CUBE)))
        for derivation in (read_derivation(text, CUBE.vocabulary) for text in TEXTS)
        for tree in trees_of(derivation)
    ]
    assert sum(found) >= 0.93 * len(found)


LINES = [line for text in TEXTS for line in text.splitlines() if "=" in line]
PIECES = [
    r"\sum_{j}",
    "^{-1}",
    "^2",
    "2",
    "-",
    "(",
    ")",
    "y_s",
    "d_{ij}",
    "_{si}",
    r"\log",
    r"\frac12",
    "{",
    "}",
    " j",
    " ",
]


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(LINES),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 4), st.sampled_from(["", *PIECES])), max_size=3),
)
def test_a_mutated_line_has_the_value_of_loops(line: str, changes: list[tuple[int, int, str]]) -> None:
    for place, cut, new in changes:
        line = line[:place] + new + line[place + cut :]
    derivation = read_derivation(f"$${re.sub('[$]|begin|end', '', line)}$$", CUBE.vocabulary)
    scope = scope_with(CUBE, collect(derivation.chains, CUBE))
    for tree in trees_of(derivation):
        agrees(tree, scope)


LETTER = st.sampled_from("ijs")
VECTORS = {letter: n.Symbol("y", (letter,)) for letter in "ijs"}
PAIR = st.builds(lambda name, i, j: n.Symbol(name, (i, j)), st.sampled_from("dpqw"), LETTER, LETTER)
SQUARE = st.builds(
    lambda i, j: n.Power(n.Norm(n.Add((n.Symbol("y", (i,)), n.Product((n.Number(-1.0), n.Symbol("y", (j,))))))), n.Number(2.0)),
    LETTER, LETTER,
)  # fmt: skip
TWO = st.permutations("ijs")
CONDITION = st.builds(lambda operator, two: n.Compare(operator, *two[:2]), st.sampled_from("=≠<"), TWO)
SUMS = st.builds(
    lambda two, operator, wide: (tuple(two[: 1 + wide]), operator and n.Compare(operator, two[0], two[1])),
    TWO, st.sampled_from(["", "≠", "<"]), st.booleans(),
)  # fmt: skip


def larger(inner: st.SearchStrategy[n.Node]) -> st.SearchStrategy[n.Node]:
    return st.one_of(
        st.builds(lambda a, b: n.Add((a, b)), inner, inner),
        st.builds(lambda a, b: n.Product((a, b)), inner, inner),
        st.builds(lambda a: n.Product((n.Number(-1.0), a)), inner),
        st.builds(lambda a: n.Quotient(a, n.Symbol("d", ("i", "s"))), inner),
        st.builds(lambda a, k: n.Power(a, n.Number(k)), inner, st.sampled_from([2.0, 3.0])),
        st.builds(lambda a: n.Function("exp", n.Product((n.Number(-1.0), n.Power(a, n.Number(2.0))))), inner),
        st.builds(lambda over, body: n.Sum("sum", over[0], over[1] or None, body), SUMS, inner),
        st.builds(lambda i, a, b: n.Product((n.Transpose(n.Product((a, VECTORS[i]))), n.Add((VECTORS[i], n.Product((b, VECTORS["s"])))))), LETTER, inner, inner),
        st.builds(n.Indicator, CONDITION),
        st.builds(lambda a, b, c: n.Cases((a, b), (c, n.Otherwise())), inner, inner, CONDITION),
    )  # fmt: skip


def latex(node: n.Node, style: int) -> str:
    """Return LaTeX of a tree; bits of `style` say how sums, fractions, brackets and conditions are written."""

    def inner(part: n.Node) -> str:
        left, right = ((r"\left(", r"\right)"), ("(", ")"), (r"\bigl[", r"\bigr]"), ("{(", ")}"))[style & 3]
        return f"{left}{latex(part, style)}{right}"

    match node:
        case n.Number(value=value):
            return f"{value:g}" if value >= 0 else f"({value:g})"
        case n.Symbol(name=name, indices=indices):
            below = "".join(map(str, indices))
            return f"{name}_{{{below}}}" if style & 4 or len(below) > 1 else f"{name}_{below}"
        case n.Add(terms=(one, other)):
            return f"{inner(one)} + {inner(other)}"
        case n.Product(factors=(one, other)):
            sign = (" ", r" \cdot ", r"\,", r"\times ")[style >> 3 & 3]
            return (
                f"-{inner(other)}"
                if n.is_number(one, -1.0) and style & 32
                else f"{inner(one)}{sign}{inner(other)}"
            )
        case n.Quotient(numerator=above, denominator=below):
            name = r"\dfrac" if style & 4 else r"\frac"
            return f"{name}{{{latex(above, style)}}}{{{latex(below, style)}}}"
        case n.Power(base=n.Norm(body=body), exponent=exponent):
            left, right = ((r"\|", r"\|"), (r"\lVert", r"\rVert"), ("||", "||"), (r"\left\|", r"\right\|"))[
                style >> 4 & 3
            ]
            return f"{left} {latex(body, style)} {right}^{latex(exponent, style)}"
        case n.Power(base=base, exponent=exponent):
            return f"{inner(base)}^{{{latex(exponent, style)}}}"
        case n.Function(name=name, argument=argument):
            return f"\\{name}{inner(argument)}" if style & 8 else f"e^{{{latex(argument, style)}}}"
        case n.Sum(indices=indices, condition=condition, body=body):
            below = ",".join(indices) + (f": {latex(condition, style)}" if condition else "")
            if style & 1 and condition:
                below = rf"\substack{{{','.join(indices)} \\ {latex(condition, style)}}}"
            return rf"\sum_{{{below}}} {inner(body)}"
        case n.Compare(operator=operator, left=left, right=right):
            unequal = r"\neq" if style & 2 else r"\ne"
            return f"{left} {unequal if operator == '≠' else operator} {right}"
        case n.Indicator(condition=condition):
            return (r"\mathbb{1}[%s]", r"\mathbf{1}_{\{%s\}}")[style & 1] % latex(condition, style)
        case n.Cases(values=(one, other), conditions=(condition, _)):
            rest = r"\text{otherwise}" if style & 2 else r"\text{sonst}"
            return (
                rf"\begin{{cases}} {latex(one, style)} & \text{{if }} {latex(condition, style)} \\ "
                rf"{latex(other, style)} & {rest} \end{{cases}}"
            )
        case n.Transpose(body=body):
            return f"{inner(body)}^{(r'{T}', 'T')[style & 1]}"
        case n.Differential(of=of):
            return (r"\mathrm{d}", r"\mathrm d", r"\text{d}")[style % 3] + inner(of)
        case n.Pairing(left=left, right=right):
            return rf"\langle {latex(left, style)}, {latex(right, style)} \rangle"
        case n.Derivative(of=of, by=by):
            below = latex(by, style)
            forms = (
                rf"\frac{{\partial}}{{\partial {below}}}",
                rf"\nabla_{{{below}}}",
                rf"\partial_{{{below}}}",
            )
            return f"{forms[style % 3]} {inner(of)}"
    raise NotImplementedError(type(node))


@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(st.recursive(PAIR | SQUARE | st.sampled_from([n.Number(2.0), n.Number(0.5)]), larger, max_leaves=7),
       st.integers(0, 63), st.sampled_from(["", "derivative", "all move", "one moves"]))  # fmt: skip
def test_what_is_written_has_the_value_of_what_was_meant(tree: n.Node, style: int, change: str) -> None:
    y_k, vocabulary = n.Symbol("y", ("k",)), CUBE.vocabulary
    meant = tree
    if change == "derivative":
        meant = n.Derivative(tree, y_k)
    elif change == "all move":
        meant = n.Differential(tree, n.Symbol("y"))
    elif change:
        meant = n.Pairing(n.Differential(tree, y_k), n.Differential(n.Product((tree, tree)), y_k))
        vocabulary = replace(vocabulary, alone=("k",))
    letters = free_indices(meant)
    text = latex(meant, style)
    read = bind(parse_expression(read_tokens(text, 0, Lines(text), {}), vocabulary)[0], letters)
    scope = CUBE.scope
    evaluator, loops = Evaluator(scope, INSTANCE), Loops(scope, INSTANCE)
    try:
        found = evaluator.value(read, dict.fromkeys(sorted(letters), 3))
    except DerivationError as error:
        assume("is not known" not in str(error))
        raise
    for places in itertools.product(range(3), repeat=len(letters)):
        at = dict(zip(sorted(letters), places, strict=True))
        ours, error = (side[tuple(at[axis] for axis in found.axes)] for side in (found.data, found.error))
        theirs = np.asarray(loops.value(meant, at))
        if np.isfinite(theirs).all() and np.isfinite(error).all():
            assert (np.abs(ours - np.real(theirs)) <= 1e-13 + 2.0**-53 * 200 * error).all()
