"""Says what would mend a false step: a factor, a sign, an exponent, an index, a condition, a term."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice

import numpy as np

from grader.derivation.equality import HOLDS, Comparison, Example
from grader.derivation.tree import (
    Add,
    Compare,
    Derivative,
    Differential,
    Function,
    Inner,
    Node,
    Norm,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    children,
    free_indices,
    size_of,
    walk,
    with_part,
)

MAX_TRIALS = 150
MAX_CHANGES = 1000
MAX_NODES = 12_000  # of all trees that are tried
LIKELY = ("the condition", "the sign", "the exponent", "the square", "the sum", "it should be", "the term")
MAX_DENOMINATOR = 100  # of a factor
FACTORS = (-1.0, 2.0, 0.5, 4.0, 0.25, -2.0, -0.5)


def mend(
    left: Node,
    right: Node,
    compare: Callable[[Node, Node], Comparison],
    names: frozenset[str] = frozenset(),
    example: Example | None = None,
) -> str:
    """Return what makes the right side equal to the left one, '' if nothing that is tried does.

    `names` are symbols with two indices that may be missing, or meant in place of another.
    """
    for factor in dict.fromkeys((*FACTORS, *_ratios(example))):
        if compare(left, Product((Number(factor), right))).verdict == HOLDS:
            if factor == -1.0:
                return "the sign is wrong"
            exact = Fraction(factor).limit_denominator(MAX_DENOMINATOR)
            return f"it is right up to a factor: times {exact} it would hold"
    tried: set[Node] = {right}
    nodes = 0
    changes = sorted(islice(_changes(left, right, names), MAX_CHANGES), key=lambda change: _rank(change[0]))
    for words, changed in changes:
        if changed in tried:
            continue
        tried.add(changed)
        nodes += size_of(changed)
        if len(tried) > MAX_TRIALS or nodes > MAX_NODES:
            return ""
        if compare(left, changed).verdict == HOLDS:
            return words
    return ""


def _ratios(example: Example | None) -> Iterator[float]:
    """Yield by what fraction of small numbers the sides of an example differ, if by one."""
    if example is not None:
        left, right = (np.ravel(side) for side in (example.left, example.right))
        usable = np.isfinite(left) & np.isfinite(right) & (right != 0)
        for ratio in (left[usable] / right[usable])[:1]:
            near = Fraction(float(ratio)).limit_denominator(MAX_DENOMINATOR)
            if near and abs(float(near) - ratio) < 1e-9 * abs(ratio):
                yield float(near)


def _rank(words: str) -> int:
    """Return how soon a change is tried."""
    return next((number for number, start in enumerate(LIKELY) if words.startswith(start)), len(LIKELY))


def show_example(example: Example) -> str:
    """Return the smallest instance on which two sides differ, in words."""
    where = [f"{name} = {value}" for name, value in (*example.sizes.items(), *example.indices.items())]
    left, right = _show_value(example.left), _show_value(example.right)
    return f"with {', '.join(where)} the left side is {left}, the right {right}"


def show(node: Node) -> str:  # noqa: PLR0911 -- one a kind of node
    """Return a short text for a part of an expression, '...' for what is long."""
    match node:
        case Number(value=value):
            return f"{value:g}"
        case Symbol(name=name, indices=indices):
            return name.lstrip("\\") + ("_" + "".join(map(str, indices)) if indices else "")
        case Power(base=base, exponent=exponent):
            return f"{show(base)}^{show(exponent)}"
        case Product(factors=factors):
            return " ".join(show(factor) for factor in factors).replace("-1 ", "-")
        case Inner(left=left, right=right):
            return f"{show(left)} {show(right)}"
        case Quotient(numerator=above, denominator=below):
            return f"{show(above)}/{show(below)}"
        case Add(terms=terms):
            return "(" + " + ".join(show(term) for term in terms).replace("+ -", "- ") + ")"
        case Norm(body=body):
            return f"|{show(body)}|"
        case Function(name=name, argument=argument):
            return f"{name} {show(argument)}"
        case Derivative(of=of, by=by):
            return f"d{show(of)}/d{show(by)}"
        case Differential(of=of):
            return f"d{show(of)}"
        case Sum(indices=indices, body=body):
            return f"sum_{''.join(indices)} {show(body)}"
    return "..."


def _show_value(value: np.ndarray) -> str:
    value = np.where(np.abs(value) < 1e-12, 0.0, value)
    if np.ndim(value) == 0:
        return f"{float(value):.4g}"
    return np.array2string(np.asarray(value), precision=4, separator=", ", threshold=8).replace("\n", "")


def _changes(left: Node, right: Node, names: frozenset[str]) -> Iterator[tuple[str, Node]]:
    """Yield small changes of a tree with what they change, in words, the likely ones first."""
    if isinstance(right, Add):
        yield from _terms(right, lambda node: node)
    if isinstance(left, Add):
        for term in left.terms:
            yield f"the term {show(term)} is missing", Add((right, term))
    factors = list(dict.fromkeys([*_near_factors(right, names), *_factors(left)]))
    yield from _inside(right, lambda node: node, frozenset(free_indices(right)), factors)


def _terms(node: Add, put: Callable[[Node], Node]) -> Iterator[tuple[str, Node]]:
    for number, term in enumerate(node.terms):
        others = node.terms[:number], node.terms[number + 1 :]
        flipped = (*others[0], Product((Number(-1.0), term)), *others[1])
        yield f"the sign of {show(term)} is wrong", put(Add(flipped))
    for number, term in enumerate(node.terms):
        for factor in (2.0, 0.5, 4.0):
            changed = (*node.terms[:number], Product((Number(factor), term)), *node.terms[number + 1 :])
            yield f"the term {show(term)} should be times {Fraction(factor)}", put(Add(changed))
    for number, term in enumerate(node.terms):
        rest = node.terms[:number] + node.terms[number + 1 :]
        yield f"the term {show(term)} is too much", put(rest[0] if len(rest) == 1 else Add(rest))


def _inside(
    node: Node, put: Callable[[Node], Node], letters: frozenset[str], known: list[Node]
) -> Iterator[tuple[str, Node]]:
    """Yield changes of a node and of what is below it; `put` puts a changed node into the whole."""
    match node:
        case Sum(indices=indices, condition=condition, body=body):
            letters = letters | set(indices)
            if isinstance(condition, Compare):
                yield (
                    f"the condition {condition.left} {condition.operator} {condition.right} is too much",
                    put(replace(node, condition=None)),
                )
            if condition is None and len(indices) == 2:
                unequal = Compare("≠", indices[0], indices[1])
                yield (
                    f"the condition {indices[0]} ≠ {indices[1]} is missing",
                    put(replace(node, condition=unequal)),
                )
            for index in indices:
                for other in sorted(free_indices(body) - set(indices)):
                    swapped = tuple(other if each == index else each for each in indices)
                    yield (
                        f"the sum should run over {other}, not over {index}",
                        put(replace(node, indices=swapped)),
                    )
        case Power(base=base, exponent=Number(value=value)):
            for other_value in (-1.0, 2.0, -2.0, 1.0, 0.5):
                if other_value != value:
                    words = f"the exponent of {show(base)} should be {other_value:g}, not {value:g}"
                    yield words, put(Power(base, Number(other_value)))
        case Symbol(indices=indices) if indices:
            for value in (-1.0, 2.0):
                yield f"the exponent of {show(node)} should be {value:g}", put(Power(node, Number(value)))
            for another in known:
                if free_indices(another) == free_indices(node) and another != node:
                    yield f"it should be {show(another)}, not {show(node)}", put(another)
            for number, own in enumerate(indices):
                for letter in sorted(letters - {str(own)}):
                    changed = replace(node, indices=(*indices[:number], letter, *indices[number + 1 :]))
                    yield f"it should be {show(changed)}, not {show(node)}", put(changed)
        case Norm():
            yield f"the square of {show(node)} is missing", put(Power(node, Number(2.0)))
        case Add() if put(node) is not node:
            yield from _terms(node, put)
        case Product(factors=factors) if len(factors) > 1:
            for number, factor in enumerate(factors):
                rest = factors[:number] + factors[number + 1 :]
                yield (
                    f"the factor {show(factor)} is too much",
                    put(rest[0] if len(rest) == 1 else Product(rest)),
                )
    if isinstance(node, Product | Sum | Add):
        body = node.body if isinstance(node, Sum) else node
        if not isinstance(node, Add):
            for factor in known:
                if free_indices(factor) <= letters:
                    extra = Product((body, factor))
                    yield (
                        f"the factor {show(factor)} is missing",
                        put(replace(node, body=extra) if isinstance(node, Sum) else extra),
                    )
    for name in node.PARTS:
        part = getattr(node, name)
        if isinstance(part, tuple):
            for number, child in enumerate(part):

                def put_item(
                    new: Node, name: str = name, number: int = number, part: tuple[Node, ...] = part
                ) -> Node:
                    return put(with_part(node, name, (*part[:number], new, *part[number + 1 :])))

                yield from _inside(child, put_item, letters, known)
        elif part is not None and name != "by":

            def put_part(new: Node, name: str = name) -> Node:
                return put(with_part(node, name, new))

            yield from _inside(part, put_part, letters, known)


def _near_factors(node: Node, names: frozenset[str]) -> Iterator[Node]:
    """Yield symbols with the pairs of indices that stand in a tree, and one over them."""
    pairs = dict.fromkeys(
        each.indices for each in walk(node) if isinstance(each, Symbol) and len(each.indices) == 2
    )
    for indices in pairs:
        for name in sorted(names):
            yield Quotient(Number(1.0), Symbol(name, indices))
            yield Symbol(name, indices)


def _factors(node: Node) -> Iterator[Node]:
    """Yield the symbols and their powers in a tree, as factors that may be missing elsewhere."""
    if isinstance(node, Power | Symbol):
        yield node
        return
    if isinstance(node, Quotient) and isinstance(node.denominator, Symbol | Power):
        yield Quotient(Number(1.0), node.denominator)
    for child in children(node):
        yield from _factors(child)
