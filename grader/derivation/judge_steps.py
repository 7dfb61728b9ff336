"""Judges the steps of a chain, each by itself: it holds, fails or is not checked.

A step that is right given a false line before it holds; one that is right only because of it fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from grader.derivation.binding import mended_sums, unused_sums
from grader.derivation.canonical import canonical
from grader.derivation.chains import Chain, Expression, Link
from grader.derivation.definitions import Introduced
from grader.derivation.equality import FAILS, HOLDS, NOT_CHECKED, Comparer, Comparison, Example, pairs_in
from grader.derivation.explain import mend, show_example
from grader.derivation.follow import MAX_ATTEMPTS, Memory
from grader.derivation.goal import about_cost
from grader.derivation.prose import CONSTANT, OTHERWISE, ZERO
from grader.derivation.rules import name_rule
from grader.derivation.statements import EQUALITIES
from grader.derivation.tree import Node, Symbol, Unknown, free_indices, is_number, size_of, walk

MAX_MENDED = 8  # steps for which is looked what would mend them
A_CONDITION = "it is a condition, not a claim"


@dataclass(frozen=True)
class Step:
    """An equality of a derivation, where it stands, and what was found."""

    line: int
    left: str
    right: str
    verdict: str
    reason: str
    example: Example | None = None
    relation: str = "="
    rule: str = ""
    """The rule by which it holds, where one is recognised."""


@dataclass
class Judged:
    """The steps of a derivation in one reading, with the trees that were used."""

    steps: list[Step] = field(default_factory=list)
    used: dict[int, Node] = field(default_factory=dict)
    """By the id of an expression, the reading that was used."""

    failures: dict[int, tuple[Node, Node, ChainJudge]] = field(default_factory=dict)
    """By the number of a step that fails, its two sides: what would mend it is looked for at the end."""
    named: dict[int, tuple[tuple[Node, ...], Node, ChainJudge]] = field(default_factory=dict)
    """By the number of a step that holds, the readings of its left side, and its right side."""
    introductions: int = 0
    """The number of steps that hold and say nothing of the reading."""
    misstated: str = ""
    """What is wrong with the beginning: a symbol of the task that is defined wrongly, or the first line."""
    stated: set[str] = field(default_factory=set)
    """The symbols of which something right was said: a false line about one is a mistake on the way."""
    begun: bool = False
    """Whether something was said of what the task differentiates."""
    memory: Memory = field(default_factory=Memory)

    @property
    def fails(self) -> int:
        """The number of steps that fail."""
        return sum(step.verdict == FAILS for step in self.steps)

    @property
    def fit(self) -> tuple[int, int]:
        """How well the reading fits: the number of steps that hold, and that do not fail."""
        return sum(step.verdict == HOLDS for step in self.steps) - self.introductions, -self.fails

    def explain(self) -> None:
        """Say what would mend the steps that fail; of many, the first ones."""
        for count, (number, (left, right, chain)) in enumerate(self.failures.items()):
            step = self.steps[number]
            mended = step.reason
            if not mended and count < MAX_MENDED and not chain.work.spent:
                mended = mend(left, right, chain.compare, chain.names, step.example)
            parts = (mended, show_example(step.example) if step.example else "")
            self.steps[number] = replace(step, reason="; ".join(part for part in parts if part))

    def name_rules(self) -> None:
        """Say by which rules the other steps hold."""
        for number, (lefts, right, chain) in self.named.items():
            if chain.work.scarce:
                break
            left = next((each for each in lefts if chain.compare(each, right).verdict == HOLDS), lefts[0])
            rule = name_rule(left, right, chain.comparer, chain.pairs, chain.conditions)
            self.steps[number] = replace(self.steps[number], rule=rule)


class ChainJudge:
    """Judges the steps of one chain, from left to right."""

    def __init__(self, chain: Chain, comparer: Comparer, introduced: Introduced, judged: Judged) -> None:
        self._chain = chain
        self.comparer = comparer
        self.work = comparer.work
        self.conditions = chain.conditions
        self._introduced = introduced
        self._judged = judged
        self.names = comparer.task.pairs
        names = comparer.task.pairs | {n for n, d in introduced.definitions.items() if len(d.indices) == 2}
        trees = [tree for each in chain.expressions for tree in each.readings]
        self._free = chain.free
        free = self._free.union(*(free_indices(tree) for tree in trees))
        self.pairs = pairs_in(trees, free, names)
        self._sound: Node | None = None  # the last expression whose indices were right
        self._mended: Node | None = None  # what the left side should have been
        self._wrong_since = 0  # the line from which on the chain is not equal to its head

    def judge(self) -> None:
        """Add the steps of the chain."""
        left = self._chain.head
        if left.readings:
            self._judged.used[id(left)] = left.readings[0]
        lefts: tuple[Node, ...] = left.readings
        seen = {canonical(tree): left for tree in lefts[:1]}
        equal = True  # whether what was read is meant to be equal to the head
        for link in self._chain.links:
            right = link.right
            step, lefts = self._step(left, lefts, link)
            equal &= link.relation.text in EQUALITIES and step.reason != A_CONDITION
            if right.readings and equal:
                chosen = lefts[0]
                self._judged.used[id(right)] = chosen
                first = seen.setdefault(canonical(chosen), right)
                if step.verdict == HOLDS and first is not right and not link.introduces:
                    reason = f"says the same as line {first.place.line}: nothing new"
                    step = replace(step, reason=f"{step.reason}; {reason}" if step.reason else reason)
            head = self._judged.used.get(id(self._chain.head))
            if left is self._chain.head and isinstance(head, Symbol) and not link.introduces:
                known = head.name in self.comparer.task.scope.definitions
                if step.verdict == FAILS and known and head.name not in self._judged.stated:
                    self._judged.misstated = f"it starts from another {head.name}"
                if step.verdict == HOLDS:
                    self._judged.stated.add(head.name)
            begins = self._judged.used.get(id(left))
            if (
                not self._judged.begun and not self._chain.aside and begins is not None and right.readings
                and step.verdict != NOT_CHECKED
                and any(about_cost(node, self.comparer) for node in walk(begins))
                and canonical(begins) != canonical(lefts[0])
            ):  # fmt: skip
                self._judged.begun = True
                if step.verdict == FAILS and not self._judged.misstated:
                    self._judged.misstated = "its first line is false"
            if not self._chain.aside:
                self._judged.steps.append(step)
            left = right
        trees = [
            self._judged.used[id(each)] for each in self._chain.expressions if id(each) in self._judged.used
        ]
        if len(trees) > 1:
            self._judged.memory.chains.append((trees[0], trees[1:]))

    def _step(  # noqa: PLR0911 -- one a verdict
        self, left: Expression, lefts: tuple[Node, ...], link: Link
    ) -> tuple[Step, tuple[Node, ...]]:
        """Return a step, and the reading of its right side that was used."""
        right = link.right
        rights = right.readings

        def step(verdict: str, reason: str, example: Example | None = None) -> Step:
            relation = link.relation.text
            return Step(link.relation.place.line, left.text, right.text, verdict, reason, example, relation)

        if link.introduces:
            self._judged.introductions += 1
            return step(HOLDS, f"introduces {link.introduces}"), rights
        if link.relation.text not in EQUALITIES:
            return step(NOT_CHECKED, f"{link.relation.text} is not tested"), rights
        for side, expression in (("left", left), ("right", right)):
            if expression.error is not None:
                self._sound = self._mended = None
                return step(NOT_CHECKED, f"the {side} side is not read: {expression.error}"), rights
        if id(link) in self._introduced.links:
            self._judged.introductions += 1
            return step(HOLDS, f"introduces {self._introduced.links[id(link)].lstrip(chr(92))}"), rights
        found, chosen = self._best(lefts, rights)
        sound, mended = self._sound, self._mended
        self._sound = self._mended = None
        if found.verdict == HOLDS:
            head = self._judged.used.get(id(self._chain.head))
            if self._wrong_since and head is not None:
                self._judged.memory.believe(head, chosen, self._wrong_since)
            reason = "for different indices" if found.only_pairs else ""
            if not self.comparer.work.scarce:
                self._judged.named[len(self._judged.steps)] = (lefts, chosen, self)
            return step(HOLDS, reason), (chosen,)
        before = lefts[0]
        if sound is not None or mended is not None:
            for other, words in (
                (mended, "with the sum of the left side mended"),
                (sound, "right in itself"),
            ):
                if other is not None and self.compare(other, chosen).verdict == HOLDS:
                    return step(HOLDS, f"{words}: the indices of the line before do not fit"), (chosen,)
        if any(
            isinstance(node, Unknown) for tree in (before, chosen) for node in walk(tree)
        ) or CONSTANT.search(self._chain.prose[-160:]):
            again = self.comparer.compare(
                before, chosen, self.pairs, self._chain.conditions, up_to_constant=True
            )
            if again.verdict == HOLDS:
                return step(HOLDS, "up to a constant"), (chosen,)
        if found.verdict == NOT_CHECKED:
            return step(NOT_CHECKED, found.reason), (chosen,)
        memory, head = self._judged.memory, self._judged.used.get(id(self._chain.head))
        cancelled = self._cancels(before, chosen)
        followed = 0 if cancelled else self._follows(before, chosen)
        self._wrong_since = followed or link.relation.place.line
        if head is not None:
            memory.believe(head, chosen, self._wrong_since)
        if followed:
            self._judged.introductions += 1
            return step(HOLDS, f"right, given line {followed}"), (chosen,)
        later = self._defined_later(before, chosen)
        if later:
            return step(NOT_CHECKED, f"{later} is defined only later, and may be another thing here"), (
                chosen,
            )
        if is_number(chosen, 0.0) and ZERO.search(self._chain.prose[-60:]):
            return step(NOT_CHECKED, A_CONDITION), (chosen,)
        beside = self._chain.prose[-60:] + "\n" + self._chain.after[:30]
        if is_number(chosen, 0.0) and OTHERWISE.search(beside):
            return step(NOT_CHECKED, "it is said of the other cases only"), (chosen,)
        if self._of_single_points(before, chosen):
            return step(NOT_CHECKED, "it is said of single points, and holds for some sizes only"), (chosen,)
        strays = free_indices(chosen) - self._free
        if strays:
            self._sound = before if not free_indices(before) - self._free else sound
            better = mended_sums(chosen, strays)
            self._mended = better if better != chosen else None
            return step(FAILS, self._about_indices(chosen, strays), found.example), (chosen,)
        self._judged.failures[len(self._judged.steps)] = (before, chosen, self)
        reason = f"it holds only because line {cancelled} is false" if cancelled else found.reason
        return step(FAILS, reason, found.example), rights

    def _cancels(self, left: Node, right: Node) -> int:
        """Return the line of a false claim by which the right side becomes what the left side truly is.

        Then there are two mistakes, and the second one does not follow from the first. 0 if there is none.
        """
        memory = self._judged.memory
        given = memory.inserted(right)
        if given == right or memory.attempts >= MAX_ATTEMPTS or self.work.spent:
            return 0
        memory.attempts += 1
        self.work.left -= 2 * (size_of(left) + size_of(given)) * (1 + len(memory.beliefs))
        return memory.beliefs[-1].line if self.compare(left, given).verdict == HOLDS else 0

    def _follows(self, left: Node, right: Node) -> int:
        """Return the line of a false claim that makes a step right, 0 if none does."""
        memory = self._judged.memory
        if not memory.beliefs or memory.attempts >= MAX_ATTEMPTS:
            return 0
        memory.attempts += 1
        comparer = memory.comparer(self.comparer)
        for candidate in memory.candidates(left):
            if self.work.spent:
                return 0
            self.work.left -= 2 * (size_of(candidate) + size_of(right)) * (1 + len(memory.beliefs))
            given = memory.inserted(candidate)
            for other in (right, memory.inserted(right)):
                if comparer.compare(given, other, self.pairs, self._chain.conditions).verdict == HOLDS:
                    return memory.beliefs[-1].line
        return 0

    def _defined_later(self, *trees: Node) -> str:
        """Return a symbol in the trees that is introduced after another chain, '' if there is none."""
        here = len(self._judged.memory.chains) + 1
        for tree in trees:
            for node in walk(tree):
                if isinstance(node, Symbol) and self._introduced.places.get(node.name, 0) > here:
                    return node.name.lstrip("\\")
        return ""

    def _of_single_points(self, left: Node, right: Node) -> bool:
        """Return whether a false step is about numbered points and holds on the smallest instance."""
        numbered = any(
            isinstance(index, int)
            for tree in (left, right)
            for node in walk(tree)
            if isinstance(node, Symbol)
            for index in node.indices
        )
        return numbered and self.comparer.compare(left, right, smallest=True).verdict == HOLDS

    def _best(self, lefts: Sequence[Node], rights: Sequence[Node]) -> tuple[Comparison, Node]:
        """Return the comparison of the readings that fit, of the first ones if none do."""
        first: tuple[Comparison, Node] | None = None
        for right in rights:
            for left in lefts:
                found = self.compare(left, right)
                if found.verdict == HOLDS:
                    return found, right
                first = first or (found, right)
        assert first is not None
        return first

    def compare(self, left: Node, right: Node) -> Comparison:
        """Compare two trees under the conditions of the chain."""
        return self.comparer.compare(left, right, self.pairs, self._chain.conditions)

    def _about_indices(self, tree: Node, strays: frozenset[str]) -> str:
        """Return in words which index is free on one side only."""
        names = ", ".join(sorted(strays))
        for node in unused_sums(tree):
            idle = [index for index in node.indices if index not in free_indices(node.body)]
            used = sorted(free_indices(node.body) & strays)
            if used:
                return f"the sum runs over {', '.join(idle)}, the summand uses {', '.join(used)}"
        bound = {
            index for node in walk(tree) for index in getattr(node, "indices", ()) if hasattr(node, "body")
        }
        if strays & bound:
            return f"{names}: used outside of the sum that binds it; are brackets missing?"
        return f"{names} is free on the right side only: is a sum over it missing?"
