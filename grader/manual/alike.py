"""Groups of answers that are alike, so that a person looks once and decides for all of them.

    equal     the same words, or functions with the same results and verdicts
    similar   written answers that share most of their words and pairs of words

What is similar is for a person to look at: one word can turn an answer around.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sklearn.feature_extraction.text import HashingVectorizer

from grader.given_answer import GivenAnswer
from grader.manual.worklist import Item

SIMILAR = 0.72  # the least cosine of two answers of one group
MAX_TEXT = 6000  # characters of an answer that are compared
FEATURES = 1 << 18


@dataclass(frozen=True)
class Group:
    """Items with answers that are alike, those that are equal to the first one first.

    `equal` says how many of them are; the others are similar, `closeness` is the least cosine to the first.
    """

    items: tuple[Item, ...]
    equal: int
    closeness: float = 1.0

    @property
    def waiting(self) -> int:
        """How many of them wait for a person."""
        return sum(item.open for item in self.items)


def groups_of(items: Sequence[Item], answers: Mapping[str, GivenAnswer] | None = None) -> list[Group]:
    """Return all items in groups, the largest first; `answers` by submission, for written ones."""
    equal: dict[str, list[Item]] = {}
    for item in items:
        equal.setdefault(item.alike or f"alone {item.submission}", []).append(item)
    found = [Group(tuple(members), len(members)) for members in equal.values()]
    if answers:
        found = _merged(found, answers)
    return sorted(found, key=lambda group: (-len(group.items), group.items[0].submission))


def _merged(groups: list[Group], answers: Mapping[str, GivenAnswer]) -> list[Group]:
    """Return the groups, those with similar answers as one; the largest ones gather others first."""
    groups = sorted(groups, key=lambda group: (-len(group.items), group.items[0].submission))
    texts = []
    for group in groups:
        answer = answers.get(group.items[0].submission)
        texts.append(answer.text[:MAX_TEXT] if answer else "")
    vectorizer = HashingVectorizer(ngram_range=(1, 2), n_features=FEATURES, alternate_sign=False)
    vectors = vectorizer.transform(texts)
    cosines = (vectors @ vectors.T).toarray()
    taken: set[int] = set()
    merged = []
    for number, group in enumerate(groups):
        if number in taken:
            continue
        near = [
            other
            for other in range(number + 1, len(groups))
            if other not in taken and cosines[number, other] >= SIMILAR
        ]
        near.sort(key=lambda other: -cosines[number, other])
        taken.update(near)
        members = [item for other in (number, *near) for item in groups[other].items]
        least = min((float(cosines[number, other]) for other in near), default=1.0)
        merged.append(Group(tuple(members), group.equal, least))
    return merged
