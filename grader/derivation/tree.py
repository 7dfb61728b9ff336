"""The expression tree of indexed mathematics, and the walks over it.

A node knows where it stands in the text. Two nodes are equal if they say the same, wherever they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
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


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """Two indices compared by one of = ≠ < > ≤ ≥; a side may be a whole number, or `#K` for a size."""

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
    """A product with a dot: of two vectors a number."""

    left: Node
    right: Node
    PARTS: ClassVar[tuple[str, ...]] = ("left", "right")


@dataclass(frozen=True, slots=True)
class Pairing(Node):
    """The angles of an inner product: the sum of the products of the entries of two vectors or matrices."""

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


@dataclass(frozen=True, slots=True)
class Differential(Node):
    """The change of an expression where a symbol moves; with indices the others of its entries stay."""

    of: Node
    by: Symbol
    PARTS: ClassVar[tuple[str, ...]] = ("of", "by")

    @property
    def variable(self) -> Symbol | None:
        """What moves if it is the differential of that alone, such as dy_i."""
        of = self.of.body if isinstance(self.of, Transpose) else self.of
        return of if isinstance(of, Symbol) and of.name == self.by.name else None


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


def with_part(node: Node, name: str, part: Node | tuple[Node, ...]) -> Node:
    """Return a node with one of its parts changed."""
    changed: dict[str, Any] = {name: part}
    return replace(node, **changed)


def own_indices(node: Node) -> tuple[str, ...]:
    """Return the letters that a node itself uses as indices, not those of its parts."""
    match node:
        case Symbol(indices=indices) | Entry(indices=indices):
            return tuple(each for each in indices if isinstance(each, str))
        case Compare(left=left, right=right):
            return tuple(each for each in (left, right) if isinstance(each, str) and each[:1] != "#")
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


def numbered(node: Node) -> tuple[Node, tuple[str, ...]]:
    """Return a tree with numbers for its free indices, as they stand in order, and these indices."""
    order = dict.fromkeys(index for each in walk(node) for index in own_indices(each))
    letters = tuple(index for index in order if index in free_indices(node))
    return rename(node, {letter: f"@{n}" for n, letter in enumerate(letters)}), letters


def _unused(name: str, taken: set[str] | frozenset[str]) -> str:
    while name in taken:
        name += "'"
    return name


def depth_of(node: Node) -> int:
    """Return how deeply a tree is nested; the tree may be of any depth."""
    level, depth = [node], 0
    while level:
        level = [child for each in level for child in children(each)]
        depth += 1
    return depth


def size_of(node: Node) -> int:
    """Return the number of nodes."""
    return sum(1 for _ in walk(node))


def is_number(node: Node, value: float) -> bool:
    """Return whether a node is this number."""
    return isinstance(node, Number) and node.value == value
