"""What a student introduces: `let Z = ...`, `w_{ij} := ...`, and other ways to say what a symbol is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from grader.derivation.chains import Chain, Derivation, Expression, Link
from grader.derivation.equality import HOLDS, Comparer
from grader.derivation.meaning import Task
from grader.derivation.scope import Definition, Scope
from grader.derivation.statements import EQUALITIES
from grader.derivation.tree import (
    Add,
    Cases,
    Compare,
    Derivative,
    Entry,
    Function,
    Node,
    Number,
    Otherwise,
    Power,
    Product,
    Quotient,
    Symbol,
    free_indices,
    is_number,
    rebuild,
    walk,
)

MAX_DEFINITIONS = 60


@dataclass
class Introduced:
    """The student's definitions, and the links that only introduce a symbol."""

    definitions: dict[str, Definition] = field(default_factory=dict)
    links: dict[int, str] = field(default_factory=dict)
    """By the id of a link, the symbol that it introduces."""
    places: dict[str, int] = field(default_factory=dict)
    """By the symbol that is introduced, how many chains with relations stand before it."""
    again: dict[str, Definition] = field(default_factory=dict)
    """What the student says that symbols of the task are."""


def collect(chains: list[Chain], task: Task) -> Introduced:
    """Return what a student introduces; the first definition of a symbol counts."""
    introduced = Introduced()
    known = set(task.meaning.symbols) | set(task.meaning.sizes)
    # What stands on the left of an equality is defined by it, before what stands on the right.
    linked = [chain for chain in chains if chain.links]
    for leftwards in (True, False):
        for place, chain in enumerate(linked):
            for position, (left, link, right) in enumerate(equalities(chain)):
                symbol, body = (left, right) if leftwards else (right, left)
                if not isinstance(symbol, Symbol) or len(introduced.definitions) >= MAX_DEFINITIONS:
                    continue
                definition = _entries(symbol, link, body) or _definition(symbol, body, loose=chain.aside)
                if definition is None:
                    continue
                if symbol.name not in known:
                    own = Scope({name: (d,) for name, d in introduced.definitions.items()})
                    if symbol.name not in own.definitions and not own.reaches(body, symbol.name):
                        introduced.definitions[symbol.name] = definition
                        introduced.links[id(link)] = symbol.name
                        introduced.places[symbol.name] = place
                    continue
                if leftwards and position == 0 and not chain.aside and symbol.name in task.letters:
                    introduced.again.setdefault(symbol.name, definition)
    _patch_diagonals(chains, introduced, task)
    return introduced


def _patch_diagonals(chains: list[Chain], introduced: Introduced, task: Task) -> None:
    """Take up conventions such as w_kk := 0 for a symbol that a student defines or that is usual."""
    for chain in chains:
        for left, link, right in equalities(chain):
            if not isinstance(left, Symbol) or not isinstance(right, Number) or len(left.indices) != 2:
                continue
            if left.indices[0] != left.indices[1]:
                continue
            name = left.name
            own = name in introduced.definitions
            known = task.scope.definitions[name][0] if name in task.usual else None
            definition = introduced.definitions.get(name) or known
            if definition is None or len(definition.indices) != 2:
                continue
            equal = Compare("=", *definition.indices)
            body = Cases((right, definition.body), (equal, Otherwise()))
            if own:
                introduced.definitions[name] = Definition(definition.indices, body)
                introduced.links[id(link)] = name
            else:
                introduced.again[name] = Definition(definition.indices, body)


def equalities(chain: Chain) -> Iterator[tuple[Node, Link, Node]]:
    """Yield the equalities of a chain whose two sides could be parsed."""
    left = chain.head
    for link in chain.links:
        if link.relation.text in EQUALITIES and left.readings and link.right.readings:
            yield left.readings[0], link, link.right.readings[0]
        left = link.right


def _entries(symbol: Symbol, link: Link, body: Node) -> Definition | None:
    """Return what a matrix is that is given by its entries in brackets: `A = (a_{ij})`."""
    tokens = link.right.tokens
    if isinstance(body, Entry):
        body = body.body
    if symbol.indices or not tokens or tokens[0].text not in ("(", "[") or not isinstance(body, Symbol):
        return None
    letters = tuple(index for index in body.indices if isinstance(index, str))
    return Definition(letters, body) if len(set(letters)) == len(body.indices) == 2 else None


def _definition(symbol: Symbol, body: Node, loose: bool = False) -> Definition | None:
    """Return what an equality says that a symbol is, None if it is no definition.

    With `loose`, it may stand for an expression with free indices.
    """
    letters = tuple(index for index in symbol.indices if isinstance(index, str))
    if len(letters) < len(symbol.indices) or len(set(letters)) < len(letters):
        return None
    open_ended = not free_indices(body) <= set(letters) and not (loose and not letters)
    if open_ended or any(isinstance(node, Symbol) and node.name == symbol.name for node in walk(body)):
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
    start = [node for node in walk(comparer.task.start) if isinstance(node, Derivative)]
    by = {node.by.name for chain in chains for each in chain.expressions for tree in each.readings
          for node in walk(tree) if isinstance(node, Derivative)}  # fmt: skip
    unreached = {
        name for name in by if name in scope.definitions and start and not scope.reaches(start[0].of, name)
    }
    if not unreached:
        return scope
    definitions = dict(scope.definitions)
    for name in sorted(unreached):
        _add_relations(name, definitions, comparer)
    for chain in chains:
        for left, _, right in equalities(chain):
            for symbol, body in _solved(left, right):
                definition = _definition(symbol, body)
                if definition is None or isinstance(body, Symbol):
                    continue
                own = definitions.get(symbol.name, ())
                if not own or len(own) > 3 or any(isinstance(node, Derivative) for node in walk(body)):
                    continue
                pairs = frozenset({tuple(sorted(definition.indices))} if len(definition.indices) == 2 else ())
                if comparer.compare(symbol, body, pairs).verdict == HOLDS:  # type: ignore[arg-type]
                    definitions[symbol.name] = (*own, definition)
    return replace(scope, definitions=definitions)


def _solved(left: Node, right: Node) -> Iterator[tuple[Symbol, Node]]:
    """Yield an equality solved for a symbol that is a side, or a factor of one."""
    for side, other in ((left, right), (right, left)):
        if isinstance(side, Symbol):
            yield side, other
        elif isinstance(side, Product):
            for number, factor in enumerate(side.factors):
                rest = side.factors[:number] + side.factors[number + 1 :]
                if isinstance(factor, Symbol):
                    yield factor, Quotient(other, rest[0] if len(rest) == 1 else Product(rest))


def _add_relations(name: str, definitions: dict[str, tuple[Definition, ...]], comparer: Comparer) -> None:
    """Add what symbols of the task are as simple functions of another: d = 1 + x^2, 1 / x, exp(-x), ..."""
    indices = definitions[name][0].indices
    x, one = Symbol(name, indices), Number(1.0)
    square = Power(x, Number(2.0))
    forms = [x, Quotient(one, x), Add((one, x)), Add((one, square)), Function("exp", x), square,
             Function("exp", Product((Number(-1.0), x))), Quotient(one, Add((one, x)))]  # fmt: skip
    pairs = frozenset({(indices[0], indices[1])} if len(indices) == 2 else ())
    for known, own in list(definitions.items()):
        if known == name or known in comparer.scope.own or len(own[0].indices) != len(indices) or not indices:
            continue
        for form in forms:
            if comparer.compare(Symbol(known, indices), form, pairs).verdict == HOLDS:
                definitions[known] = (*own, Definition(indices, form))
                break


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


def with_own_symbols(derivation: Derivation, names: dict[str, str]) -> Derivation:
    """Return a derivation in which symbols of the task have become the student's own."""

    def changed(expression: Expression) -> Expression:
        readings = tuple(renamed_symbols(tree, names) for tree in expression.readings)
        return replace(expression, readings=readings)

    chains = [
        replace(
            chain,
            head=changed(chain.head),
            links=[Link(link.relation, changed(link.right), link.introduces) for link in chain.links],
        )
        for chain in derivation.chains
    ]
    return Derivation(chains, derivation.unreadable)
