"""The expression tree of indexed mathematics, and the walks over it.

A node knows where it stands in the text. Two nodes are equal if they say the same, wherever they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import Any, ClassVar


class DerivationError(Exception):
    """What cannot be checked; the message says why. It never counts against a student."""

    def __init__(self, message: str, place: Place | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place

    def __str__(self) -> str:
        """Return the message with its place."""
        return f"{self.message} ({self.place})" if self.place else self.message


@dataclass(frozen=True, slots=True)
class Place:
    """Where something begins in the text; both count from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        """Return the place as it stands in messages."""
        return f"line {self.line}, column {self.column}"


NOWHERE = Place(0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A part of an expression."""

    place: Place = field(default=NOWHERE, compare=False, repr=False)

    PARTS: ClassVar[tuple[str, ...]] = ()
    """The names of the fields that hold nodes, or tuples of nodes."""


Condition = "Compare | Both | Either | Negation | Always"


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """Two indices compared by one of = ≠ < > ≤ ≥; a side may be a whole number."""

    operator: str
    left: str | int
    right: str | int


@dataclass(frozen=True, slots=True)
class Both(Node):
    """All of some conditions."""

    parts: tuple[Node, ...]
    PARTS: ClassVar[tuple[str, ...]] = ("parts",)


@dataclass(frozen=True, slots=True)
class Either(Node):
    """One of two conditions."""

    parts: tuple[Node, ...]
    PARTS: ClassVar[tuple[str, ...]] = ("parts",)


@dataclass(frozen=True, slots=True)
class Otherwise(Node):
    """The condition of the last case."""


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A number."""

    value: float


@dataclass(frozen=True, slots=True)
class Unknown(Node):
    """A constant that a student does not name, as in `+ const`."""


@dataclass(frozen=True, slots=True)
class Ones(Node):
    """The vector of ones."""


@dataclass(frozen=True, slots=True)
class Symbol(Node):
    """A symbol with its indices; a number as an index counts from 1."""

    name: str
    indices: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Add(Node):
    """The sum of terms."""

    terms: tuple[Node, ...]
    PARTS: ClassVar[tuple[str, ...]] = ("terms",)


@dataclass(frozen=True, slots=True)
class Product(Node):
    """The product of factors, in their order."""

    factors: tuple[Node, ...]
    PARTS: ClassVar[tuple[str, ...]] = ("factors",)


@dataclass(frozen=True, slots=True)
class Inner(Node):
    """A product with a dot, or the angles of an inner product: of two vectors a number."""

    left: Node
    right: Node
    PARTS: ClassVar[tuple[str, ...]] = ("left", "right")


@dataclass(frozen=True, slots=True)
class Entrywise(Node):
    """The product of two arrays, entry by entry."""

    left: Node
    right: Node
    PARTS: ClassVar[tuple[str, ...]] = ("left", "right")


@dataclass(frozen=True, slots=True)
class Quotient(Node):
    """A fraction."""

    numerator: Node
    denominator: Node
    PARTS: ClassVar[tuple[str, ...]] = ("numerator", "denominator")


@dataclass(frozen=True, slots=True)
class Power(Node):
    """A power."""

    base: Node
    exponent: Node
    PARTS: ClassVar[tuple[str, ...]] = ("base", "exponent")


@dataclass(frozen=True, slots=True)
class Norm(Node):
    """The Euclidean norm; of a number its absolute value."""

    body: Node
    PARTS: ClassVar[tuple[str, ...]] = ("body",)


@dataclass(frozen=True, slots=True)
class Function(Node):
    """A function of one argument: log, exp, sqrt, tr, diag, ..."""

    name: str
    argument: Node
    PARTS: ClassVar[tuple[str, ...]] = ("argument",)


@dataclass(frozen=True, slots=True)
class Transpose(Node):
    """The transpose."""

    body: Node
    PARTS: ClassVar[tuple[str, ...]] = ("body",)


@dataclass(frozen=True, slots=True)
class Entry(Node):
    """An entry, or a row, of an array in brackets: (A Y)_s."""

    body: Node
    indices: tuple[str | int, ...]
    PARTS: ClassVar[tuple[str, ...]] = ("body",)


@dataclass(frozen=True, slots=True)
class Sum(Node):
    """A sum, or a product (`kind`), over indices; `indices` is empty while only the condition names them."""

    kind: str
    indices: tuple[str, ...]
    condition: Node | None
    body: Node
    uppers: tuple[tuple[str, str], ...] = ()
    """The names of the sizes up to which the indices run, where they are given."""
    PARTS: ClassVar[tuple[str, ...]] = ("condition", "body")


@dataclass(frozen=True, slots=True)
class Indicator(Node):
    """One where the condition holds, zero elsewhere; Kronecker's delta is one."""

    condition: Node
    PARTS: ClassVar[tuple[str, ...]] = ("condition",)


@dataclass(frozen=True, slots=True)
class Cases(Node):
    """The value of the first case whose condition holds."""

    values: tuple[Node, ...]
    conditions: tuple[Node, ...]
    PARTS: ClassVar[tuple[str, ...]] = ("values", "conditions")


@dataclass(frozen=True, slots=True)
class Derivative(Node):
    """The partial derivative of an expression by a symbol."""

    of: Node
    by: Symbol
    PARTS: ClassVar[tuple[str, ...]] = ("of", "by")


def children(node: Node) -> Iterator[Node]:
    """Yield the parts of a node that are nodes."""
    for name in node.PARTS:
        part = getattr(node, name)
        if isinstance(part, tuple):
            yield from part
        elif part is not None:
            yield part


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def rebuild(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return the node with each of its parts changed."""
    parts: dict[str, Any] = {}
    for name in node.PARTS:
        part = getattr(node, name)
        if isinstance(part, tuple):
            parts[name] = tuple(change(each) for each in part)
        elif part is not None:
            parts[name] = change(part)
    return replace(node, **parts) if parts else node


def own_indices(node: Node) -> tuple[str, ...]:
    """Return the letters that a node itself uses as indices, not those of its parts."""
    match node:
        case Symbol(indices=indices) | Entry(indices=indices):
            return tuple(each for each in indices if isinstance(each, str))
        case Compare(left=left, right=right):
            return tuple(each for each in (left, right) if isinstance(each, str))
    return ()


@lru_cache(maxsize=20_000)
def free_indices(node: Node) -> frozenset[str]:
    """Return the indices of a tree that no sum in it binds."""
    found = frozenset(own_indices(node)).union(*(free_indices(child) for child in children(node)))
    return found - frozenset(node.indices) if isinstance(node, Sum) else found


def rename(node: Node, names: dict[str, str]) -> Node:
    """Return the tree with its free indices renamed; bound indices give way."""
    if not names:
        return node
    match node:
        case Sum(indices=indices):
            inner = {old: new for old, new in names.items() if old not in indices}
            taken = set(inner.values())
            fresh = {index: _unused(index, taken | free_indices(node)) for index in indices if index in taken}
            inner |= fresh
            moved = rebuild(node, lambda part: rename(part, inner))
            return replace(moved, indices=tuple(fresh.get(index, index) for index in indices))  # type: ignore[call-arg]
        case Symbol(indices=own) | Entry(indices=own):
            moved = rebuild(node, lambda part: rename(part, names))
            return replace(moved, indices=tuple(names.get(i, i) if isinstance(i, str) else i for i in own))  # type: ignore[call-arg]
        case Compare(left=left, right=right):
            sides = (names.get(each, each) if isinstance(each, str) else each for each in (left, right))
            return Compare(node.operator, *sides, place=node.place)
    return rebuild(node, lambda part: rename(part, names))


def _unused(name: str, taken: set[str] | frozenset[str]) -> str:
    while name in taken:
        name += "'"
    return name


def size_of(node: Node) -> int:
    """Return the number of nodes."""
    return sum(1 for _ in walk(node))


def is_number(node: Node, value: float) -> bool:
    """Return whether a node is this number."""
    return isinstance(node, Number) and node.value == value


def field_names(node: Node) -> tuple[str, ...]:
    """Return the names of the fields that are neither nodes nor places."""
    return tuple(each.name for each in fields(node) if each.name not in ("place", *node.PARTS))


@lru_cache(maxsize=20_000)
def canonical(node: Node) -> str:
    """Return a text that is equal for trees that differ in order, brackets and names of bound indices only."""
    return _canonical(node, {}, 0)


def _canonical(node: Node, bound: dict[str, str], depth: int) -> str:
    match node:
        case Add(terms=terms):
            return "(+ " + " ".join(sorted(_flat(terms, Add, bound, depth))) + ")"
        case Product() | Inner() | Quotient():
            return _canonical_product(node, bound, depth)
        case Power(base=base, exponent=Number(value=-1.0)):
            return _canonical_product(Quotient(Number(1.0), base), bound, depth)
        case Sum(indices=indices, condition=condition, body=body):
            # Sums of sums are one sum, and their indices have no order.
            while isinstance(body, Sum) and body.kind == node.kind and not set(body.indices) & set(indices):
                indices += body.indices
                condition = _joined(condition, body.condition)
                body = body.body
            order = sorted(indices, key=lambda index: _first_use(body, index))
            inner = bound | {index: f"#{depth + number}" for number, index in enumerate(order)}
            texts = [_canonical(each, inner, depth + len(order)) for each in _flat_conditions(condition)]
            inside = _canonical(body, inner, depth + len(order))
            return f"({node.kind} {len(order)} {sorted(texts)} {inside})"
        case Compare(operator=operator, left=left, right=right):
            sides = [bound.get(str(left), str(left)), bound.get(str(right), str(right))]
            if operator in ("=", "≠"):
                sides.sort()
            return f"{sides[0]}{operator}{sides[1]}"
        case Symbol(name=name, indices=own):
            return f"{name}[{','.join(bound.get(str(index), str(index)) for index in own)}]"
        case Number(value=value):
            return f"{value:.15g}"
    own_fields = []
    for name in field_names(node):
        value = getattr(node, name)
        if isinstance(value, tuple):
            value = ",".join(bound.get(str(index), str(index)) for index in value)
        own_fields.append(str(value))
    parts = [_canonical(child, bound, depth) for child in children(node)]
    return f"({type(node).__name__} {' '.join([*own_fields, *parts])})"


def _flat(parts: tuple[Node, ...], kind: type[Node], bound: dict[str, str], depth: int) -> Iterator[str]:
    for part in parts:
        if isinstance(part, kind):
            yield from _flat(tuple(children(part)), kind, bound, depth)
        else:
            yield _canonical(part, bound, depth)


def _canonical_product(node: Node, bound: dict[str, str], depth: int) -> str:
    """Return the text of a product: its factors above and below the line, and its number, sorted."""
    above: list[str] = []
    below: list[str] = []
    number = 1.0

    def collect(part: Node, upper: bool) -> None:
        nonlocal number
        match part:
            case Product() | Inner():
                for child in children(part):
                    collect(child, upper)
            case Quotient(numerator=numerator, denominator=denominator):
                collect(numerator, upper)
                collect(denominator, not upper)
            case Power(base=base, exponent=Number(value=-1.0)):
                collect(base, not upper)
            case Number(value=value) if upper or value:
                number *= value if upper else 1 / value
            case _:
                (above if upper else below).append(_canonical(part, bound, depth))

    collect(node, True)
    if number == 1.0 and len(above) == 1 and not below:
        return above[0]
    return f"(* {number:.12g} {' '.join(sorted(above))} / {' '.join(sorted(below))})"


def _joined(one: Node | None, other: Node | None) -> Node | None:
    parts = tuple(part for part in (one, other) if part is not None)
    return Both(parts) if len(parts) > 1 else (parts[0] if parts else None)


def _flat_conditions(condition: Node | None) -> Iterator[Node]:
    if isinstance(condition, Both):
        for part in condition.parts:
            yield from _flat_conditions(part)
    elif condition is not None:
        yield condition


def _first_use(body: Node, index: str) -> int:
    for number, node in enumerate(walk(body)):
        if index in own_indices(node):
            return number
    return 1 << 30
