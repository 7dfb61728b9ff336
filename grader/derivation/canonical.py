"""A text for a tree that does not depend on order, brackets and the names of bound indices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from functools import lru_cache
from itertools import permutations

from grader.derivation.tree import (
    Add,
    Both,
    Compare,
    Inner,
    Node,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    children,
)

MAX_ORDERED = 4  # bound indices outside of a sum whose own indices have no order


def field_names(node: Node) -> tuple[str, ...]:
    """Return the names of the fields that are neither nodes nor places."""
    return tuple(each.name for each in fields(node) if each.name not in ("place", *node.PARTS))


@lru_cache(maxsize=20_000)
def canonical(node: Node) -> str:
    """Return a text that trees share which differ in order, brackets and names of bound indices only."""
    return _canonical(node, {}, 0)


def _canonical(node: Node, bound: dict[str, str], depth: int) -> str:  # noqa: PLR0911 -- one a kind
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
            several = permutations(indices) if len(indices) <= 3 and depth < MAX_ORDERED else [indices]
            return min(_canonical_sum(node.kind, order, condition, body, bound, depth) for order in several)
        case Compare(operator=operator, left=left, right=right):
            sides = [bound.get(str(left), str(left)), bound.get(str(right), str(right))]
            if operator in ("=", "≠"):
                sides.sort()
            return f"{sides[0]}{operator}{sides[1]}"
        case Symbol(name=name, indices=own):
            return f"{name}[{','.join(bound.get(str(index), str(index)) for index in own)}]"
        case Number(value=number):
            return f"{number:.15g}"
    own_fields = []
    for name in field_names(node):
        value = getattr(node, name)
        if isinstance(value, tuple):
            value = ",".join(bound.get(str(index), str(index)) for index in value)
        own_fields.append(str(value))
    parts = [_canonical(child, bound, depth) for child in children(node)]
    return f"({type(node).__name__} {' '.join([*own_fields, *parts])})"


def _canonical_sum(
    kind: str, order: tuple[str, ...], condition: Node | None, body: Node, bound: dict[str, str], depth: int
) -> str:
    inner = bound | {index: f"#{depth + number}" for number, index in enumerate(order)}
    texts = sorted(_canonical(each, inner, depth + len(order)) for each in _flat_conditions(condition))
    return f"({kind} {len(order)} {texts} {_canonical(body, inner, depth + len(order))})"


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
