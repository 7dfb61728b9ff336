"""What came back, with its parts in another order or transposed: right results in a wrong place."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import combinations

from grader.records import Outcome, OutcomeKind

MOST_PARTS = 6
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


def reordered(
    outcomes: Mapping[str, Outcome], calls: Collection[str]
) -> Iterator[tuple[str, dict[str, Outcome]]]:
    """Yield what was changed, in words, and all outcomes with the results of the calls changed so.

    Two parts of every tuple are exchanged, or all parts that are matrices are transposed.
    """
    made = {call: outcomes[call] for call in calls if call in outcomes}
    values = [outcome.value for outcome in made.values() if outcome.kind is OutcomeKind.RETURNED]
    sizes = {len(value) if isinstance(value, tuple | list) else 0 for value in values}
    if len(sizes) != 1 or not 2 <= max(sizes) <= MOST_PARTS:
        return

    def changed(order: list[int], *, transposed: bool = False) -> dict[str, Outcome]:
        new = dict(outcomes)
        for call, outcome in made.items():
            if outcome.kind is OutcomeKind.RETURNED:
                parts = [outcome.value[place] for place in order]
                if transposed:
                    parts = [part.T if getattr(part, "ndim", 0) == 2 else part for part in parts]
                new[call] = replace(outcome, value=tuple(parts))
        return new

    order = list(range(max(sizes)))
    for first, second in combinations(order, 2):
        swapped = list(order)
        swapped[first], swapped[second] = second, first
        yield f"the {ORDINALS[first]} and the {ORDINALS[second]} part are exchanged", changed(swapped)
    yield "the parts are transposed", changed(order, transposed=True)
