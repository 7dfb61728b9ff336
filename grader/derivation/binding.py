r"""Finds which indices a sum binds: `k \neq l` means both, or the one that is not in use outside."""

from __future__ import annotations

from dataclasses import replace

from grader.derivation.conditions import compared
from grader.derivation.tree import (
    Both,
    Compare,
    DerivationError,
    Node,
    Sum,
    children,
    free_indices,
    own_indices,
    rebuild,
    rename,
)

SIZES = frozenset("nmdkp")  # letters that students use for the number of points or of dimensions


def bind(
    node: Node,
    free: frozenset[str],
    fixed: frozenset[str] = frozenset(),
    bound: frozenset[str] = frozenset(),
    again: bool = False,
) -> Node:
    r"""Return a tree in which every sum names its indices; `free` are the indices in use outside of it.

    `fixed` are letters that a sum does not bind if they stand second in its condition, as in `j \neq s`.
    With `again`, a sum also takes a letter of the outside that stands first: `\sum_{i \neq j}` beside `y_i`.
    """
    if not isinstance(node, Sum):
        return rebuild(node, lambda part: bind(part, free, fixed, bound, again))
    letters = compared(node.condition)
    taken = bound | (free - set(letters[:1]) if again else free)
    new = [letter for letter in letters if letter not in node.indices and letter not in taken]
    if node.indices and letters and letters[0] in node.indices:
        new = []  # `j, j \neq s`: what the index is compared with is not summed over
    new = new[:1] + [letter for letter in new[1:] if letter not in fixed]
    indices = node.indices + tuple(new)
    if not indices:  # every letter is in use: the sum takes those of the outside again
        indices = tuple(letter for letter in letters if letter not in bound) or tuple(letters[:1])
    body = bind(node.body, free, fixed, bound | set(indices), again)
    return replace(node, indices=indices, body=body)


def without_own_sizes(node: Node, letters: frozenset[str]) -> Node:
    r"""Return a tree in which sums up to a letter that is no index run over all values: `\sum_{j=1}^{n}`.

    `letters` are the indices of symbols. Raises DerivationError for a letter that may be less than a size.
    """
    node = rebuild(node, lambda part: without_own_sizes(part, letters))
    if not isinstance(node, Sum) or node.condition is None:
        return node
    kept = []
    for part in node.condition.parts if isinstance(node.condition, Both) else (node.condition,):
        upper = part.right if isinstance(part, Compare) and part.operator == "≤" else None
        if not isinstance(upper, str) or upper in letters or upper.startswith("#"):
            kept.append(part)
        elif upper not in SIZES:
            raise DerivationError(f"the upper bound {upper} of a sum is not known", part.place)
    condition = kept[0] if len(kept) == 1 else Both(tuple(kept)) if kept else None
    return replace(node, condition=condition)


def outer_indices(node: Node) -> frozenset[str]:
    """Return the indices that a tree uses outside of all sums: they are free before it is bound."""
    if isinstance(node, Sum):
        return frozenset()
    return frozenset(own_indices(node)).union(*(outer_indices(child) for child in children(node)))


def unused_sums(node: Node) -> list[Sum]:
    """Return the sums over an index that their bodies do not use."""
    found = [each for child in children(node) for each in unused_sums(child)]
    if isinstance(node, Sum) and any(index not in free_indices(node.body) for index in node.indices):
        found.append(node)
    return found


def mended_sums(node: Node, strays: frozenset[str]) -> Node:
    """Return a tree whose sums over an unused index run over a stray index of their body instead."""
    node = rebuild(node, lambda part: mended_sums(part, strays))
    if not isinstance(node, Sum):
        return node
    inside = free_indices(node.body)
    idle = [index for index in node.indices if index not in inside]
    wanted = sorted(inside & strays - set(node.indices))
    if not idle or not wanted:
        return node
    swap = dict(zip(idle, wanted, strict=False))
    condition = rename(node.condition, swap) if node.condition else None
    return replace(node, indices=tuple(swap.get(i, i) for i in node.indices), condition=condition)
