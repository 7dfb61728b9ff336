"""What a student has written so far: a step that is right given a false line before it is right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from grader.derivation.equality import Comparer
from grader.derivation.scope import Definition
from grader.derivation.tree import (
    Add,
    Compare,
    Derivative,
    Differential,
    Indicator,
    Node,
    Product,
    Symbol,
    free_indices,
    own_indices,
    rebuild,
    rename,
    walk,
)

MAX_CANDIDATES = 12
MAX_BELIEFS = 12
MAX_ATTEMPTS = 40  # steps of a derivation for which false lines before are looked through


@dataclass(frozen=True)
class Belief:
    """A false claim, and the line where it stands: a symbol or a derivative is the body."""

    pattern: Node
    body: Node
    line: int


@dataclass
class Memory:
    """The false claims and the chains up to a step."""

    beliefs: list[Belief] = field(default_factory=list)
    chains: list[tuple[Node, list[Node]]] = field(default_factory=list)
    attempts: int = 0
    _comparers: dict[int, Comparer] = field(default_factory=dict)

    def believe(self, head: Node, body: Node, line: int) -> None:
        """Keep a false claim about a symbol or a derivative; of one line the last form counts."""
        if not isinstance(head, Symbol | Derivative | Differential):
            return
        if self.beliefs and self.beliefs[-1].line == line and self.beliefs[-1].pattern == head:
            self.beliefs.pop()
        if len(self.beliefs) < MAX_BELIEFS:
            self.beliefs.append(Belief(head, body, line))
            self._comparers.clear()

    def candidates(self, left: Node) -> Iterator[Node]:
        """Yield what stands for a left side: itself, and what chains that begin like it go on with."""
        yield left
        count = 0
        for head, trees in reversed(self.chains):
            names = match(head, left)
            inner = match(head, left.of) if isinstance(left, Derivative) else None
            for tree in reversed(trees):
                if names is not None and count < MAX_CANDIDATES:
                    count += 1
                    yield rename(tree, names)
                if isinstance(left, Derivative) and inner is not None and count < MAX_CANDIDATES:
                    count += 1
                    yield _term_by_term(rename(tree, inner), left.by)

    def inserted(self, tree: Node) -> Node:
        """Return a tree with the false claims put in."""
        for belief in reversed(self.beliefs):
            names = match(belief.pattern, tree)
            if names is not None:
                return rename(belief.body, names)
            split = _at_other_points(belief, tree)
            if split is not None:
                return split
        # What is differentiated stays: there the comparer knows what a symbol is.
        return tree if isinstance(tree, Derivative | Differential) else rebuild(tree, self.inserted)

    def comparer(self, plain: Comparer) -> Comparer:
        """Return a comparer in which symbols are what the false claims say that they are."""
        count = len(self.beliefs)
        if count not in self._comparers:
            definitions = dict(plain.scope.definitions)
            for belief in self.beliefs:
                pattern = belief.pattern
                if isinstance(pattern, Symbol) and pattern.name in definitions:
                    letters = tuple(str(index) for index in pattern.indices)
                    if len(set(letters)) == len(letters) and not plain.scope.reaches(
                        belief.body, pattern.name
                    ):
                        definitions[pattern.name] = (Definition(letters, belief.body),)
            scope = replace(plain.scope, definitions=definitions)
            self._comparers[count] = Comparer(plain.task, scope, plain.seed, plain.symmetric, plain.work)
        return self._comparers[count]


def match(pattern: Node, tree: Node) -> dict[str, str] | None:
    """Return how the free indices of a pattern are called in a tree, None if it is another expression."""
    if type(pattern) is not type(tree):
        return None
    ours = [index for node in walk(pattern) for index in own_indices(node)]
    theirs = [index for node in walk(tree) for index in own_indices(node)]
    names = dict(zip(ours, theirs, strict=False))
    if len(ours) != len(theirs) or any(names[one] != other for one, other in zip(ours, theirs, strict=True)):
        return None
    return names if rename(pattern, names) == tree else None


def _term_by_term(tree: Node, by: Symbol) -> Node:
    """Return the derivative of a sum of terms as the sum of their derivatives."""
    if isinstance(tree, Add):
        return Add(tuple(Derivative(term, by) for term in tree.terms))
    return Derivative(tree, by)


def _at_other_points(belief: Belief, tree: Node) -> Node | None:
    """Return what a claim about ∂d_sj / ∂y_s says of ∂d_ij / ∂y_s, None if nothing.

    The symbol depends on the two points of its indices alone, and is the same for (i, j) and (j, i).
    """
    pattern = belief.pattern
    if not (
        isinstance(pattern, Derivative) and isinstance(pattern.of, Symbol) and len(pattern.by.indices) == 1
        and isinstance(tree, Derivative) and isinstance(tree.of, Symbol) and len(tree.by.indices) == 1
        and pattern.of.name == tree.of.name and pattern.by.name == tree.by.name
        and len(pattern.of.indices) == len(tree.of.indices) == 2
    ):  # fmt: skip
        return None
    point = tree.by.indices[0]
    own, other = (
        pattern.by.indices[0],
        next(i for i in (*pattern.of.indices, "") if i != pattern.by.indices[0]),
    )
    letters = [own, other, point, *tree.of.indices]
    if own not in pattern.of.indices or not all(isinstance(i, str) and i for i in letters):
        return None
    if point in tree.of.indices or not free_indices(belief.body) <= {own, other}:
        return None
    first, second = tree.of.indices
    return Add(
        tuple(
            Product((Indicator(Compare("=", here, point)), rename(belief.body, {own: point, other: there})))  # type: ignore[dict-item]
            for here, there in ((first, second), (second, first))
        )
    )
