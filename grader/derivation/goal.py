"""Says where a derivation starts, and whether it reaches the target by steps that are new.

The target counts if it is derived: between the start and the first closed form that equals it stands a line
that is neither, or such lines stand before. A chain that asserts the target, or returns to it, derives
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grader.derivation.canonical import canonical
from grader.derivation.chains import Chain
from grader.derivation.equality import FAILS, HOLDS, NOT_CHECKED, Comparer
from grader.derivation.tree import (
    DerivationError,
    Derivative,
    Differential,
    Entry,
    Node,
    Pairing,
    Sum,
    Symbol,
    Unknown,
    free_indices,
    numbered,
    rename,
    walk,
)


@dataclass(frozen=True)
class Goal:
    """Whether a chain starts where it must, whether the target is reached, and what to say about it."""

    starts_right: bool
    target_reached: bool
    remarks: tuple[str, ...] = ()


def judge_goal(
    chains: list[Chain], used: Mapping[int, Node], comparer: Comparer, misstated: str = ""
) -> Goal:
    """Look through the chains in their order; `misstated` says what is wrong with the start."""
    starts = reached = asserted = repeated = ends = False
    from_start = anywhere = False  # whether a line that gets on was seen: in a chain from the start, in any
    at_length = any(
        _derived(chain, used) and len(chain.links) > 1 for chain in chains if _lemma(chain, used, comparer)
    )
    derived = {canonical(tree) for chain in chains for tree in _derived(chain, used)}
    for chain in chains:
        trees = [used[id(each)] for each in chain.expressions if id(each) in used]
        begin = next((n for n, tree in enumerate(trees[:2]) if _start_of(tree, comparer) is not None), None)
        gets_on = False
        if begin is not None and len(trees) > begin + 1:
            starts = True
            target = _start_of(trees[begin], comparer)
            assert target is not None
            told = False
            before = trees[begin]
            for tree in trees[begin + 1 :]:
                closed = is_closed(tree, comparer)
                verdict = _equals_target(tree, target, comparer) if closed else FAILS
                if verdict != NOT_CHECKED:
                    ends = verdict == HOLDS
                if verdict != HOLDS:
                    gets_on |= closed or _gets_on(tree, comparer, strictly=asserted)
                    before = tree
                    continue
                if _left_open(before, derived, comparer):
                    continue
                if told:
                    repeated = True
                    continue
                told = True
                if gets_on or (from_start and (not asserted or at_length)) or (anywhere and not asserted):
                    reached = True
                else:
                    asserted = True
            at_length |= gets_on and isinstance(trees[begin], Differential)
            from_start |= gets_on and not _left_open(trees[-1], derived, comparer)
        if begin is None:
            anywhere |= comparer.task.meaning.direct and _in_another_form(trees, comparer)
            anywhere |= any(_gets_on(tree, comparer) for tree in trees if len(trees) > 1)
        elif gets_on:
            anywhere |= not _left_open(trees[-1], derived, comparer)
        starts |= len(trees) > 1 and about_cost(trees[0], comparer)
    reached = reached and ends
    remarks = []
    if misstated:
        starts = False
        remarks.append(misstated)
    elif not starts:
        remarks.append("no chain starts at what is asked for")
    if asserted and not reached:
        circle = ": what follows goes in a circle" if repeated or anywhere else ""
        remarks.append(f"the result is asserted, not derived{circle}")
    elif starts and not reached:
        remarks.append("no chain from the start ends in the result in closed form")
    return Goal(starts, reached, tuple(remarks))


def is_closed(tree: Node, comparer: Comparer) -> bool:
    """Return whether neither a derivative nor what is to be differentiated is left in an expression.

    The differential of what it is differentiated by may stand there once, beside what belongs to it.
    """
    forbidden = {node.name for node in walk(comparer.task.start) if isinstance(node, Derivative)
                 for node in walk(node.of) if isinstance(node, Symbol)}  # fmt: skip
    seen: set[str] = set()

    def closed(node: Node) -> bool:
        for each in walk(node):
            if isinstance(each, Derivative | Unknown):
                return False
            if isinstance(each, Symbol) and each.name not in seen:
                seen.add(each.name)
                if each.name in forbidden:
                    return False
                if each.name in comparer.scope.own and not closed(
                    comparer.scope.definitions[each.name][0].body
                ):
                    return False
        return True

    changes = [node for node in walk(tree) if isinstance(node, Differential)]
    return len(changes) < 2 and all(node.variable for node in changes) and closed(tree)


def _start_of(  # noqa: PLR0911 -- one a way not to be the start
    tree: Node, comparer: Comparer
) -> tuple[Node, tuple[str, ...]] | None:
    """Return the target in the letters of a tree that is the start, and the axes it leaves open.

    A derivative by more indices than those of the start is an entry of it, one by fewer a larger array.
    """
    start, target = comparer.task.start, comparer.task.target
    if not isinstance(start, Derivative):
        return (target, ()) if canonical(tree) == canonical(start) else None
    if not isinstance(tree, Derivative | Differential) or tree.by.name != start.by.name:
        return None
    letters = [index for index in tree.by.indices if isinstance(index, str)]
    wanted = [index for index in start.by.indices if isinstance(index, str)]
    if len(set(letters)) < len(tree.by.indices):
        return None
    if canonical(tree.of) != canonical(start.of):
        try:
            same = not free_indices(tree.of) and comparer.compare(start.of, tree.of).verdict == HOLDS
        except DerivationError:
            return None
        if not same:
            return None
    if isinstance(tree, Differential):
        change: Node = Pairing(target, Differential(start.by, tree.by))
        if letters:
            return rename(change, dict(zip(wanted, letters, strict=False))), ()
        return (Sum("sum", tuple(wanted), None, change) if wanted else change), ()
    axes = tuple(f"@{index}" for index in wanted[len(letters) :])
    target = rename(target, dict(zip(wanted, [*letters, *axes], strict=False)))
    return (Entry(target, tuple(letters[len(wanted) :])) if len(letters) > len(wanted) else target), axes


def _equals_target(tree: Node, target: tuple[Node, tuple[str, ...]], comparer: Comparer) -> str:
    """Return whether a tree is the target, as a verdict."""
    whole = Entry(tree, target[1]) if target[1] else tree
    return comparer.compare(target[0], whole).verdict


def _gets_on(tree: Node, comparer: Comparer, strictly: bool = False) -> bool:
    """Return whether a tree holds a derivative other than that of the start, or a differential on the way.

    Strictly, it must be of something with a sum in it: the derivative of a single term is also found in a
    result that is taken apart.
    """
    return any(
        (isinstance(node, Derivative) or (isinstance(node, Differential) and not node.variable))
        and _start_of(node, comparer) is None
        and (not strictly or _has_sum(node.of, comparer))
        for node in walk(tree)
    )


def _has_sum(node: Node, comparer: Comparer) -> bool:
    """Return whether a sum stands in a tree, by definitions."""
    seen: set[str] = set()
    trees = [node]
    while trees:
        for each in walk(trees.pop()):
            if isinstance(each, Sum):
                return True
            if isinstance(each, Symbol) and each.name not in seen:
                seen.add(each.name)
                trees += [d.body for d in comparer.scope.definitions.get(each.name, ())[:1]]
    return False


def about_cost(tree: Node, comparer: Comparer) -> bool:
    """Return whether a tree is what the task differentiates, or a derivative of it."""
    start = comparer.task.start
    if not isinstance(start, Derivative):
        return False
    return canonical(tree.of if isinstance(tree, Derivative | Differential) else tree) == canonical(start.of)


def _in_another_form(trees: list[Node], comparer: Comparer) -> bool:
    """Return whether a chain says of what is differentiated more than its definition."""
    if not trees or isinstance(trees[0], Derivative | Differential) or not about_cost(trees[0], comparer):
        return False
    start = comparer.task.start
    cost = start.of if isinstance(start, Derivative) else start
    known = {canonical(cost)}
    if isinstance(cost, Symbol):
        known |= {canonical(each.body) for each in comparer.task.scope.definitions.get(cost.name, ())}
    return any(canonical(tree) not in known for tree in trees)


def _derived(chain: Chain, used: Mapping[int, Node]) -> list[Node]:
    """Return the derivative that a chain begins with and goes on from, its indices as numbers."""
    trees = [used[id(each)] for each in chain.expressions if id(each) in used]
    return [numbered(trees[0])[0]] if len(trees) > 1 and isinstance(trees[0], Derivative) else []


def _lemma(chain: Chain, used: Mapping[int, Node], comparer: Comparer) -> bool:
    """Return whether a chain begins with a derivative of the cost by something else than the start's."""
    head = used.get(id(chain.head))
    return head is not None and about_cost(head, comparer) and _start_of(head, comparer) is None


def _left_open(tree: Node, derived: set[str], comparer: Comparer) -> bool:
    """Return whether a derivative of the cost stands in a tree that no chain says more about."""
    return any(
        isinstance(node, Derivative)
        and _start_of(node, comparer) is None
        and about_cost(node, comparer)
        and canonical(numbered(node)[0]) not in derived
        for node in walk(tree)
    )
