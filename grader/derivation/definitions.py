"""What a student introduces: `let Z = ...`, `w_{ij} := ...`, and other ways to say what a symbol is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from grader.derivation.equality import HOLDS, Comparer
from grader.derivation.meaning import Task
from grader.derivation.scope import Definition, Scope
from grader.derivation.steps import EQUALITIES, Chain, Link
from grader.derivation.tree import (
    Derivative,
    Node,
    Number,
    Power,
    Quotient,
    Symbol,
    free_indices,
    is_number,
    rebuild,
    walk,
)

DEFINING = re.compile(
    r"\b(let|define|defining|denot\w*|set|setting|put|writ\w*|introduc\w*|abbreviat\w*|notation|call|with|where|using|use"
    r"|sei\w*|setze\w*|definier\w*|bezeichn\w*|schreib\w*|mit|wobei|abkürz\w*|führ\w*|nenn\w*)\b",
    re.IGNORECASE,
)
MAX_DEFINITIONS = 60


@dataclass
class Introduced:
    """The student's definitions, and the links that only introduce a symbol."""

    definitions: dict[str, Definition] = field(default_factory=dict)
    links: dict[int, str] = field(default_factory=dict)
    """By the id of a link, the symbol that it introduces."""
    again: dict[str, Definition] = field(default_factory=dict)
    """Symbols of the task that the student defines in words or by :=."""


def collect(chains: list[Chain], task: Task) -> Introduced:
    """Return what a student introduces; the first definition of a symbol counts."""
    introduced = Introduced()
    known = set(task.meaning.symbols) | set(task.meaning.sizes)
    for chain in chains:
        for position, (left, link, right) in enumerate(equalities(chain)):
            for symbol, body in ((left, right), (right, left)):
                if not isinstance(symbol, Symbol) or len(introduced.definitions) >= MAX_DEFINITIONS:
                    continue
                if symbol is right and position == 0 and isinstance(left, Symbol) and left.name not in known:
                    continue
                definition = _definition(symbol, body)
                if definition is None:
                    continue
                if symbol.name not in known and symbol.name not in introduced.definitions:
                    introduced.definitions[symbol.name] = definition
                    introduced.links[id(link)] = symbol.name
                    break
                explicit = (not chain.aside and link.relation.text == ":=") or DEFINING.search(
                    chain.prose[-120:]
                )
                if symbol is left and position == 0 and symbol.name in known and explicit:
                    introduced.again.setdefault(symbol.name, definition)
    return introduced


def equalities(chain: Chain) -> Iterator[tuple[Node, Link, Node]]:
    """Yield the equalities of a chain whose two sides could be parsed."""
    left = chain.head
    for link in chain.links:
        if link.relation.text in EQUALITIES and left.readings and link.right.readings:
            yield left.readings[0], link, link.right.readings[0]
        left = link.right


def _definition(symbol: Symbol, body: Node) -> Definition | None:
    """Return what an equality says that a symbol is, None if it is no definition."""
    letters = tuple(index for index in symbol.indices if isinstance(index, str))
    if len(letters) < len(symbol.indices) or len(set(letters)) < len(letters):
        return None
    if not free_indices(body) <= set(letters) or any(
        isinstance(node, Symbol) and node.name == symbol.name for node in walk(body)
    ):
        return None
    return Definition(letters, body)


def scope_with(task: Task, introduced: Introduced) -> Scope:
    """Return the scope of the task and of what a student introduced."""
    definitions = {**task.scope.definitions, **{name: (d,) for name, d in introduced.definitions.items()}}
    for name, definition in introduced.definitions.items():
        inverse = _inverse(name, definition)
        if inverse is not None and inverse[0] in definitions:
            definitions[inverse[0]] = (*definitions[inverse[0]], inverse[1])
    return Scope(definitions, frozenset(introduced.definitions))


def with_alternatives(chains: list[Chain], scope: Scope, comparer: Comparer) -> Scope:
    """Return a scope in which symbols are also what the true equalities of a student say that they are.

    They are needed for derivatives by symbols that a student introduced: q_ij = w_ij / Z makes q depend on w.
    """
    by = {node.by.name for chain in chains for each in chain.expressions for tree in each.readings
          for node in walk(tree) if isinstance(node, Derivative)}  # fmt: skip
    if not by & scope.own:
        return scope
    definitions = dict(scope.definitions)
    for chain in chains:
        for left, _, right in equalities(chain):
            for symbol, body in ((left, right), (right, left)):
                definition = _definition(symbol, body) if isinstance(symbol, Symbol) else None
                if definition is None or not isinstance(symbol, Symbol) or isinstance(body, Symbol):
                    continue
                own = definitions.get(symbol.name, ())
                if not own or len(own) > 3 or any(isinstance(node, Derivative) for node in walk(body)):
                    continue
                pairs = frozenset({tuple(sorted(definition.indices))} if len(definition.indices) == 2 else ())
                if comparer.compare(symbol, body, pairs).verdict == HOLDS:  # type: ignore[arg-type]
                    definitions[symbol.name] = (*own, definition)
    return replace(scope, definitions=definitions)


def _inverse(name: str, definition: Definition) -> tuple[str, Definition] | None:
    """Return d = 1 / w for a definition w = 1 / d."""
    match definition.body:
        case Quotient(numerator=above, denominator=Symbol() as symbol) if is_number(above, 1.0):
            pass
        case Power(base=Symbol() as symbol, exponent=exponent) if is_number(exponent, -1.0):
            pass
        case _:
            return None
    if symbol.indices != definition.indices:
        return None
    return symbol.name, Definition(
        definition.indices, Quotient(Number(1.0), Symbol(name, definition.indices))
    )


def renamed_symbols(node: Node, names: Mapping[str, str]) -> Node:
    """Return a tree in which symbols have other names."""
    node = rebuild(node, lambda part: renamed_symbols(part, names))
    return replace(node, name=names[node.name]) if isinstance(node, Symbol) and node.name in names else node
