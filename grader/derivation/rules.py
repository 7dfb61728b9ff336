"""Names the rule by which a step holds: a definition, a logarithm, symmetry, the chain rule, ...

A step that is mere algebra holds for any numbers in place of its symbols, logarithms and derivatives. If it
does not, the rule is the first assumption that makes it hold: that logarithms are logarithms, that d_ij is
d_ji, that a symbol is what its definition says. Nothing is named where none does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from grader.derivation.canonical import canonical
from grader.derivation.equality import HOLDS, Comparer
from grader.derivation.evaluate import Evaluator
from grader.derivation.meaning import Given
from grader.derivation.scope import Instance, Scope
from grader.derivation.tensor import Array
from grader.derivation.tree import (
    Add,
    DerivationError,
    Derivative,
    Differential,
    Function,
    Inner,
    Node,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    free_indices,
    numbered,
    rebuild,
    size_of,
    walk,
)

MAX_NODES = 300  # of both sides
FEWEST_POINTS = 3
MAX_NAMES = 4  # definitions that are tried
REARRANGING = "rearranging"
LOGARITHMS: tuple[tuple[type[Node], str], ...] = (
    (Quotient, "the logarithm of a quotient"),
    (Power, "the logarithm of a power"),
    (Product, "the logarithm of a product"),
    (Inner, "the logarithm of a product"),
)
Pairs = frozenset[tuple[str, str]]


def name_rule(left: Node, right: Node, comparer: Comparer, pairs: Pairs, conditions: Sequence[Node]) -> str:
    """Return the rule by which a step that holds does so, '' if none is recognised."""
    if size_of(left) + size_of(right) > MAX_NODES:
        return ""
    if canonical(left) == canonical(right):
        return REARRANGING
    if _is_chain_rule(left, right) or _is_chain_rule(right, left):
        return "the chain rule"
    trial = _Trial(comparer, pairs, conditions)
    try:
        return _first_assumption(left, right, trial)
    except DerivationError:
        return ""


def _first_assumption(left: Node, right: Node, trial: _Trial) -> str:  # noqa: PLR0911 -- one a rule
    if trial.holds(left, right):
        return REARRANGING
    spread = [_spread(side, trial.comparer.scope) for side in (left, right)]
    if spread != [left, right] and trial.holds(*spread):
        return "linearity of the derivative"
    logarithms = [
        node.argument
        for side in (left, right)
        for node in walk(side)
        if isinstance(node, Function) and node.name == "log"
    ]
    if logarithms and trial.holds(left, right, logarithms=True):
        return next((words for kind, words in LOGARITHMS if any(isinstance(a, kind) for a in logarithms)), "")
    if trial.holds(left, right, symmetric=True):
        return "symmetry"
    for name in trial.normalised:
        if trial.holds(left, right, summing=name):
            return f"{name} sums to one"
    one, other = ({n.name for n in walk(side) if isinstance(n, Symbol)} for side in (left, right))
    names = sorted((one ^ other) & trial.comparer.scope.definitions.keys())[:MAX_NAMES]
    for some in (*((name,) for name in names), tuple(names)):
        if some and any(trial.holds(left, right, logarithms=logs, defined=some) for logs in (False, True)):
            words = " and ".join(name.lstrip("\\") for name in some)
            return f"the definition of {words}"
    before, after = (sum(isinstance(node, Derivative) for node in walk(side)) for side in (left, right))
    return "differentiation" if after < before else ""


def _is_chain_rule(left: Node, right: Node) -> bool:
    """Return whether a derivative on one side is a product of two on the other, by way of a symbol."""
    taken = {(canonical(node.of), node.by.name) for node in walk(left) if isinstance(node, Derivative)}
    inner = {
        (canonical(node.of), node.by.name) for node in walk(right) if isinstance(node, Derivative)
    } - taken
    return any(
        isinstance(node, Derivative)
        and isinstance(node.of, Symbol)
        and any(through == node.of.name and (of, node.by.name) in taken for of, through in inner)
        for node in walk(right)
    )


def _spread(node: Node, scope: Scope) -> Node:
    """Return a tree in which derivatives of sums are sums of derivatives, and constants stand before them."""
    node = rebuild(node, lambda part: _spread(part, scope))
    if not isinstance(node, Derivative | Differential):
        return node
    of, by = node.of, node.by
    match of:
        case Add(terms=terms):
            return Add(tuple(_spread(replace(node, of=term), scope) for term in terms))
        case Sum(kind="sum", indices=indices, condition=condition, body=body) if not free_indices(by) & set(
            indices
        ):
            return Sum("sum", indices, condition, _spread(replace(node, of=body), scope), of.uppers)
        case Product(factors=factors):
            fixed = tuple(each for each in factors if not scope.reaches(each, by.name))
            moving = tuple(each for each in factors if scope.reaches(each, by.name))
            if len(moving) == 1 and fixed:
                return Product((*fixed, _spread(replace(node, of=moving[0]), scope)))
    return Number(0.0) if not scope.reaches(of, by.name) else node


@dataclass
class _Trial:
    """Tests a step with other numbers in place of its symbols, logarithms and derivatives."""

    comparer: Comparer
    pairs: Pairs
    conditions: Sequence[Node]
    number: int = field(init=False)

    def __post_init__(self) -> None:
        """Choose an instance that is neither the smallest nor the largest."""
        sizes = next(iter(self.comparer.task.meaning.sizes.values()))[: self.comparer.task.count]
        self.number = next((n for n, size in enumerate(sizes) if size >= FEWEST_POINTS), len(sizes) - 1)

    @property
    def normalised(self) -> Iterable[str]:
        """The given symbols that sum to one."""
        symbols = self.comparer.task.meaning.symbols.items()
        return [name for name, each in symbols if isinstance(each, Given) and each.draw == "joint"]

    def holds(
        self,
        left: Node,
        right: Node,
        *,
        logarithms: bool = False,
        symmetric: bool = False,
        summing: str = "",
        defined: tuple[str, ...] = (),
    ) -> bool:
        """Return whether a step holds under some assumptions; raises DerivationError."""
        rng = np.random.default_rng(7)
        plain = self.comparer.evaluator(self.number)
        arrays: dict[str, Array] = {}
        atoms: dict[str, str] = {}
        definitions = {name: self.comparer.scope.definitions[name] for name in defined}

        def drawn(like: Array, axes: int) -> Array:
            array = np.where(like == 0, 0.0, np.exp(0.3 * rng.normal(size=like.shape)))
            swaps = axes == 2 and like.shape[0] == like.shape[1] and np.allclose(like, like.swapaxes(0, 1))
            return array + array.swapaxes(0, 1) if symmetric and swaps else array

        def opened(node: Node) -> Node:
            is_log = isinstance(node, Function) and node.name == "log"
            if isinstance(node, Derivative | Differential | Function) and not (is_log and logarithms):
                whole, letters = numbered(node)
                name = atoms.setdefault(canonical(whole), f"@{len(atoms)}")
                if name not in arrays:
                    sizes = plain.sizes(frozenset(letters), node)
                    value = self.comparer.value(node, self.number, 0, sizes)
                    missing = [letter for letter in letters if letter not in value.axes]
                    if missing:
                        raise DerivationError("it does not depend on all of its indices")
                    order = [value.axes.index(letter) for letter in letters]
                    data = value.data.transpose(*order, *range(len(order), value.data.ndim))
                    arrays[name] = drawn(data, len(letters))
                return Symbol(name, letters)
            if isinstance(node, Symbol) and node.name not in definitions:
                table = plain.table(node.name)
                if node.name not in arrays and table.data.ndim:
                    array = drawn(table.data, len(node.indices))
                    arrays[node.name] = array / array.sum() if node.name == summing else array
                elif not table.data.ndim:
                    arrays.setdefault(node.name, np.asarray(float(table.data)))
            return rebuild(node, opened)

        sides = [opened(side) for side in (left, right)]
        for name in defined:  # what stands in the definitions needs numbers too
            for node in (node for each in definitions[name] for node in walk(each.body)):
                if isinstance(node, Symbol):
                    opened(node)
        instance = Instance(plain.instance.sizes, arrays)
        evaluator = Evaluator(Scope(definitions), instance, work=self.comparer.work)
        return _Single(self.comparer.task, Scope(definitions), given=evaluator).same(
            self.number, sides[0], sides[1], self.pairs, self.conditions
        )


@dataclass
class _Single(Comparer):
    """Compares on one instance, which is given."""

    given: Evaluator | None = None

    def evaluator(self, number: int, variant: int = 0) -> Evaluator:
        """Return the evaluator that was given."""
        assert self.given is not None
        return self.given

    def same(self, number: int, left: Node, right: Node, pairs: Pairs, conditions: Sequence[Node]) -> bool:
        """Return whether two sides are equal."""
        return self._compare_on(number, left, right, pairs, conditions, False).verdict == HOLDS
