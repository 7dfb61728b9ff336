"""A tree has the value that plain loops give it; a derivative is that of the complex step."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support_derivation import Loops, task

from grader.derivation import tree as n
from grader.derivation.evaluate import Evaluator
from grader.derivation.tree import DerivationError, free_indices

LETTERS = "ijs"
INSTANCES = [1, 2, 5]


def symbols() -> st.SearchStrategy[n.Node]:
    letter = st.sampled_from(LETTERS)
    pair = st.builds(n.Symbol, st.sampled_from(["d", "p", "q"]), st.tuples(letter, letter))
    return pair | st.builds(n.Number, st.sampled_from([-1.0, 0.5, 2.0, 3.0])) | pair


def conditions() -> st.SearchStrategy[n.Node]:
    letter = st.sampled_from(LETTERS)
    return st.builds(n.Compare, st.sampled_from("=≠<"), letter, letter)


def larger(inner: st.SearchStrategy[n.Node]) -> st.SearchStrategy[n.Node]:
    two = st.tuples(inner, inner)
    return st.one_of(
        st.builds(n.Add, two),
        st.builds(n.Product, two),
        st.builds(n.Quotient, inner, st.just(n.Symbol("d", ("i", "s")))),
        st.builds(n.Power, inner, st.sampled_from([n.Number(2.0), n.Number(3.0)])),
        st.builds(
            n.Power, st.just(n.Symbol("d", ("j", "s"))), st.sampled_from([n.Number(-1.0), n.Number(-2.0)])
        ),
        st.builds(
            n.Sum,
            st.just("sum"),
            st.sampled_from([("i",), ("j",), ("i", "j")]),
            st.none() | conditions(),
            inner,
        ),
        st.builds(n.Indicator, conditions()),
        st.builds(lambda a, b, c: n.Cases((a, b), (c, n.Otherwise())), inner, inner, conditions()),
    )


TREES = st.recursive(symbols(), larger, max_leaves=8)


def compare(tree: n.Node, number: int, symmetric: bool = False) -> None:
    """Assert that both evaluations agree for all values of the free indices."""
    instance = task().instance(number, 0)
    evaluator = Evaluator(task().scope, instance, symmetric)
    loops = Loops(task().scope, instance, symmetric)
    letters = sorted(free_indices(tree))
    found = evaluator.value(tree, dict.fromkeys(letters, loops.count))
    for places in itertools.product(range(loops.count), repeat=len(letters)):
        at = dict(zip(letters, places, strict=True))
        ours = found.data[tuple(at[axis] if axis in at else slice(None) for axis in found.axes)]
        bound = 1e-13 + 2.0**-53 * 200 * found.error[tuple(at[axis] for axis in found.axes)]
        theirs = np.asarray(loops.value(tree, at))
        if not np.isfinite(theirs).all():
            assert not np.isfinite(ours).all()
            continue
        assert (np.abs(ours - np.real(theirs)) <= bound).all(), (tree, at, ours, theirs)


@settings(max_examples=150, deadline=None)
@given(TREES, st.sampled_from(INSTANCES))
def test_a_tree_has_the_value_that_loops_give_it(tree: n.Node, number: int) -> None:
    compare(tree, number)


@settings(max_examples=60, deadline=None)
@given(TREES, st.booleans())
def test_the_derivative_of_a_tree_is_that_of_the_complex_step(tree: n.Node, symmetric: bool) -> None:
    compare(n.Derivative(tree, n.Symbol("d", ("k", "l"))), 1, symmetric)


@pytest.mark.parametrize("number", INSTANCES)
@pytest.mark.parametrize(
    "text",
    [
        r"\frac{\partial C}{\partial y_s}",
        r"\frac{\partial C}{\partial d_{nm}}",
        r"\frac{\partial C}{\partial q_{nm}}",
        r"\frac{\partial d_{ij}}{\partial y_s}",
        r"\frac{\partial q_{ij}}{\partial y_s}",
        r"\frac{\partial}{\partial y_s} \sum_{i \neq j} p_{ij} \log \|y_i - y_j\|",
        r"\frac{\partial}{\partial y_s} \sum_{j} \exp(-(y_s - y_j) \cdot (y_s - y_j))",
        r"\frac{\partial}{\partial y_s} \sqrt{\sum_{k \neq l} d_{kl}^{3}}",
        r"\frac{\partial}{\partial y_i} \sum_{j} p_{ij} d_{ij}^{1/2}",
        r"4 \sum_j (y_s - y_j)(p_{sj} - q_{sj}) d_{sj}^{-1}",
        r"\sum_{ij} \frac{\partial C}{\partial d_{ij}} \frac{\partial d_{ij}}{\partial y_s}",
    ],
)
def test_formulas_have_the_values_of_loops(text: str, number: int) -> None:
    tree = task().parse(text, frozenset("snmij"))
    compare(tree, min(number, 2))


def test_a_derivative_by_what_does_not_determine_it_is_an_error_not_zero() -> None:
    tree = task().parse(r"\frac{\partial d_{ij}}{\partial q_{ij}}", frozenset("ij"))
    with pytest.raises(DerivationError, match="does not depend on q"):
        Evaluator(task().scope, task().instance(0, 0)).value(tree, {"i": 2, "j": 2})


def test_a_product_over_indices_and_its_derivative_are_those_of_its_logarithm() -> None:
    one, other = (
        task().parse(rf"\frac{{\partial}}{{\partial y_s}} {text}", frozenset("s"))
        for text in (r"\log \prod_{i \neq j} q_{ij}^{p_{ij}}", r"\sum_{i \neq j} p_{ij} \log q_{ij}")
    )
    evaluator = Evaluator(task().scope, task().instance(3, 0))
    np.testing.assert_allclose(
        evaluator.value(one, {"s": 4}).data, evaluator.value(other, {"s": 4}).data, rtol=1e-10
    )


def test_zero_times_what_is_not_finite_is_zero() -> None:
    tree = task().parse(r"\sum_{i} p_{ii} \log p_{ii}")
    assert Evaluator(task().scope, task().instance(0, 0)).value(tree, {}).data == 0


def test_the_bound_of_the_error_grows_where_digits_cancel() -> None:
    evaluator = Evaluator(task().scope, task().instance(0, 0))
    fine, poor = (task().parse(f"({big} + \\frac13) - {big}") for big in (1, 100000000))
    for tree in (fine, poor):
        value = evaluator.value(tree, {})
        assert abs(value.data - 1 / 3) <= 2.0**-53 * value.error
    assert evaluator.value(poor, {}).error > 1e6 * evaluator.value(fine, {}).error


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (r"\sum_{a,b,c,e,f,g,h,o,i,j} d_{ab}d_{bc}d_{ce}d_{ef}d_{fg}d_{gh}d_{ho}d_{oi}d_{ij}", "too many indices"),
        (r"y_i y_j", "without a dot"),
        (r"\frac{1}{y_i}", "below a line"),
        (r"\log y_i", "log of a vector"),
        (r"d_{ijk}", "has 2 indices"),
        (r"z_{ij}", "z is not defined"),
    ],
)  # fmt: skip
def test_what_has_no_value_is_an_error_of_its_own(text: str, message: str) -> None:
    tree = task().parse(text, frozenset("ijk"))
    with pytest.raises(DerivationError, match=message):
        Evaluator(task().scope, task().instance(5, 0)).value(tree, dict.fromkeys(free_indices(tree), 5))


def test_enormous_exponents_are_not_finite_and_no_more() -> None:
    tree = task().parse("9^{9^{9^{9^9}}}")
    assert math.isinf(Evaluator(task().scope, task().instance(0, 0)).value(tree, {}).data)
