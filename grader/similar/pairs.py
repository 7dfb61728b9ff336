"""Pairs of works that share more than a task makes likely.

A line counts only if the handed-out notebook has no such line, and few others of the course have it. How much
two works share is measured on what is left, by the insertions and deletions that lead from one to the other
(rapidfuzz). Works of one student, or of one team, are not compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import Indel
from rapidfuzz.process import cdist

from grader.similar.normal_form import Line, answer_lines, code_lines

COMMON_SHARE, COMMON_LEAST = 0.15, 5  # a line that so many have, and at least so many, says nothing
LEAST_TOKENS = {"code": 25, "answer": 15}
LEAST_LINES = {"code": 3, "answer": 1}  # that are equal: a line or two of code are so by chance
BLOCK = 500  # works that are compared with all others at a time
MAX_PAIRS = 500


@dataclass(frozen=True)
class Work:
    """A function or an answer: whose it is, where it is from ('' for this course), and its text.

    `owners` are the keys of its students.
    """

    title: str
    submission: str
    text: str
    owners: frozenset[str]
    origin: str = ""


@dataclass(frozen=True)
class Pair:
    """Two works that share `share` of what is left; `lines` are equal, of `left` in the shorter one.

    `first_marks` and `second_marks` say where in the texts the lines are that both have: start and end.
    """

    question: str
    title: str
    kind: str
    first: Work
    second: Work
    share: float
    lines: int
    left: int
    first_marks: tuple[tuple[int, int], ...] = ()
    second_marks: tuple[tuple[int, int], ...] = ()


def pairs(
    question: str, title: str, kind: str, works: Sequence[Work], handed_out: str, least: float
) -> list[Pair]:
    """Return the pairs of one question that share at least `least`, the most alike first.

    `kind` is code or answer. Works of other origins are compared with those of this course alone.
    """
    lines_of: Callable[[str], list[Line]] = code_lines if kind == "code" else answer_lines
    given = {line.form for line in lines_of(handed_out)}
    lines = [[line for line in lines_of(work.text) if line.form not in given] for work in works]
    common = _common(works, lines)
    left = [[line for line in each if line.form not in common] for each in lines]
    tokens = [[token for line in each for token in line.form.split(" ")] for each in left]
    chosen = [number for number, each in enumerate(tokens) if len(each) >= LEAST_TOKENS[kind]]
    alphabet: dict[str, str] = {}
    texts = ["".join(alphabet.setdefault(t, chr(0x10000 + len(alphabet))) for t in tokens[n]) for n in chosen]
    found: list[Pair] = []
    for start in range(0, len(chosen), BLOCK):
        block = texts[start : start + BLOCK]
        shares = cdist(block, texts, scorer=Indel.normalized_similarity, score_cutoff=least, dtype=np.float32)
        for row, column in np.argwhere(shares >= max(least, 1e-6)):
            if start + row >= column:
                continue
            first, second = works[chosen[start + row]], works[chosen[column]]
            if first.owners & second.owners or (first.origin and second.origin):
                continue
            own, other = left[chosen[start + row]], left[chosen[column]]
            equal = Counter(line.form for line in own) & Counter(line.form for line in other)
            if equal.total() < LEAST_LINES[kind]:
                continue
            marks = [tuple((n.start, n.end) for n in side if n.form in equal) for side in (own, other)]
            share, shorter = float(shares[row, column]), min(len(own), len(other))
            pair = Pair(question, title, kind, first, second, share, equal.total(), shorter, *marks)
            found.append(pair)
    found.sort(key=lambda pair: (-pair.share, -pair.left, pair.first.submission, pair.second.submission))
    return found[:MAX_PAIRS]


def _common(works: Sequence[Work], lines: Iterable[Sequence[Line]]) -> set[str]:
    """Return the lines that many students have: what the task makes likely."""
    owners: dict[str, set[frozenset[str]]] = {}
    for work, own in zip(works, lines, strict=True):
        for line in {each.form for each in own}:
            owners.setdefault(line, set()).add(work.owners)
    students = len({work.owners for work in works})
    most = max(COMMON_LEAST, COMMON_SHARE * students)
    return {line for line, who in owners.items() if len(who) > most}
