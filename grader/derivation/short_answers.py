r"""Finds claims in a short written answer that can be tested, and tests them on random numbers.

    "zero iff $\mathrm{rank}(X) \leq K$"   -->   E = 0  <=>  rank(X) <= K   -->   holds, fails, not checked

A task says what its words mean (`zero error` is `E = 0`). A claim is a relation in a formula or such words,
or two of them with `if and only if`, `if` or `only if` in between. All else is prose, which a person reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import Field, ValidationError

from grader.derivation.binding import bind
from grader.derivation.equality import FAILS, HOLDS, NOT_CHECKED
from grader.derivation.evaluate import Evaluator
from grader.derivation.formulas import Lines, find_formulas, take_macros
from grader.derivation.judge_steps import Step
from grader.derivation.latex import Token, read_tokens
from grader.derivation.meaning import Meaning, Task, checked
from grader.derivation.parse import parse_expression
from grader.derivation.statements import split_relations
from grader.derivation.tree import DerivationError, Node, Symbol, free_indices, walk
from grader.derivation.work import Work
from grader.errors import RubricError

MAX_CLAIMS = 40
MAX_GAP = 60  # characters of prose between the two sides of a claim
LETTER = re.compile(r"\$([^\W\d_])\$")
CLOSE = 1e-8  # relative; numbers are drawn such that what differs does so by more
APART = 1e-5
RELATIONS = {
    "=": "=", r"\leq": "≤", r"\le": "≤", "≤": "≤", r"\geq": "≥", r"\ge": "≥", "≥": "≥", "<": "<", ">": ">",
    r"\neq": "≠", "≠": "≠",
}  # fmt: skip
BOTH = re.compile(
    r"\b(?:if and only if|iff|exactly (?:if|when)|precisely (?:if|when)|genau dann,? wenn|equivalent to)\b",
    re.I,
)
ONLY_IF = re.compile(r"\b(?:only (?:if|when)|nur(?: dann)?,? wenn|implies|requires)\b", re.I)
IF = re.compile(r"\b(?:if|when|whenever|as soon as|wenn|falls|sofern)\b", re.I)
IS = re.compile(r"^\W*(?:is|are|equals|is equal to|ist|beträgt)\W*(?:the|exactly|just|gleich)?\W*$", re.I)
ARROWS: dict[str, Kind] = {
    "⇔": "iff", "⇒": "only if", r"\iff": "iff", r"\Leftrightarrow": "iff", r"\Longleftrightarrow": "iff",
    r"\Rightarrow": "only if", r"\implies": "only if", r"\Longrightarrow": "only if", r"\Leftarrow": "if",
}  # fmt: skip


Kind = Literal["iff", "if", "only if", ""]
KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (("iff", BOTH), ("only if", ONLY_IF), ("if", IF))


class Claims(Meaning):
    """What the symbols and words of a short answer mean."""

    start: str = ""
    target: str = ""
    asks: str = ""
    """The statement that the question is about, as a formula: an answer may begin with `exactly if`."""
    words: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """By a formula of the task, the words that stand for it."""


@dataclass(frozen=True)
class Phrase:
    """A formula, or words that stand for one: where it stands, and its sides and relations."""

    start: int
    end: int
    text: str
    sides: tuple[Node, ...]
    relations: tuple[str, ...]


def make_claims(content: Any, name: str) -> Task:
    """Return the task of a mapping; raises RubricError."""
    try:
        meaning = Claims.model_validate(content)
    except ValidationError as error:
        lines = [
            f"{name}: {'.'.join(map(str, each['loc']))}: {each['msg']}"
            for each in error.errors(include_url=False)
        ]
        raise RubricError("\n".join(lines)) from error
    task = checked(Task(meaning), name)
    for formula in (*meaning.words, *([meaning.asks] if meaning.asks else [])):
        try:
            _phrase(task, formula, 0, 0, formula)
        except DerivationError as error:
            raise RubricError(f"{name}: words: {formula}: {error}") from error
    return task


def judge_claims(text: str, task: Task) -> list[Step]:
    """Return the claims that were found, each with its verdict; raises DerivationError for a long text."""
    plain, macros = take_macros(text.encode("utf-8", "replace").decode())
    lines, work = Lines(plain), Work()
    phrases = list(_phrases(plain, lines, task, macros))
    steps: list[Step] = []
    used = -1
    for number, phrase in enumerate(phrases):
        if len(steps) >= MAX_CLAIMS:
            break
        following = phrases[number + 1] if number + 1 < len(phrases) else None
        if number > used and following is not None and (pair := _joined(plain, phrase, following)):
            kind, left, right, words = pair
            used = number + 1
            steps.append(_tested(task, lines.place(phrase.start).line, kind, left, right, words, work))
        elif number > used and (asked := _asked(plain, phrase, task)):
            kind, left, words = asked
            steps.append(_tested(task, lines.place(phrase.start).line, kind, left, phrase, words, work))
        elif number > used and phrase.relations == ("=",) and all(_is_random(s, task) for s in phrase.sides):
            line = lines.place(phrase.start).line
            steps.append(_tested(task, line, "", phrase, phrase, phrase.text, work))
    return steps


def _is_random(node: Node, task: Task) -> bool:
    """Return whether a side is more than numbers and sizes: `K < D` or `E = 0` alone is a condition."""
    return any(isinstance(each, Symbol) and each.name in task.meaning.symbols for each in walk(node))


def _phrases(text: str, lines: Lines, task: Task, macros: Any) -> Iterator[Phrase]:
    """Yield the formulas, and the words that stand for formulas, in their order."""
    pieces = list(find_formulas(text))
    prose = LETTER.sub(r" \1 ", text)  # `dimension $K$` is said in words
    for piece in pieces:
        if piece.kind != "prose" and len(piece.text.strip()) > 1:
            prose = prose[: piece.start] + "\0" * len(piece.text) + prose[piece.start + len(piece.text) :]
    spoken = list(_spoken(prose, text, task))
    found = list(spoken)
    for piece in pieces:
        end = piece.start + len(piece.text)
        if piece.kind == "prose" or any(each.start <= piece.start and end <= each.end for each in spoken):
            continue
        try:
            tokens = read_tokens(piece.text, piece.start, lines, macros)
            parts = _at_arrows(tokens)
            for part in parts:
                start, stop = (part[0].start, part[-1].end) if part else (piece.start, end)
                found.append(_from_tokens(task, part, start, stop, text[start:stop]))
        except DerivationError:
            continue
    yield from sorted(found, key=lambda phrase: phrase.start)


def _spoken(prose: str, text: str, task: Task) -> Iterator[Phrase]:
    """Yield the words of a task that stand in the prose of a text, the longest first."""
    assert isinstance(task.meaning, Claims)
    taken = [False] * len(prose)
    entries = [(words, formula) for formula, each in task.meaning.words.items() for words in each]
    for words, formula in sorted(entries, key=lambda entry: -len(entry[0])):
        spaced = r"\s+".join(map(re.escape, words.split()))
        for match in re.finditer(rf"\b{spaced}\b", prose, re.I):
            start, end = match.span()
            if not any(taken[start:end]):
                taken[start:end] = [True] * (end - start)
                yield _phrase(task, formula, start, end, text[start:end].replace("$", ""))


def _phrase(task: Task, formula: str, start: int, end: int, text: str) -> Phrase:
    return _from_tokens(task, read_tokens(formula, 0, Lines(formula), {}), start, end, text)


def _from_tokens(task: Task, tokens: list[Token], start: int, end: int, text: str) -> Phrase:
    """Return a phrase; raises DerivationError for what is no relation of known quantities."""
    sides: list[Node] = []
    relations: list[str] = []
    for part in split_relations([token for token in tokens if token.text != r"\quad"]):
        if isinstance(part, Token):
            if part.text not in RELATIONS:
                raise DerivationError(f"{part.text} is not tested", part.place)
            relations.append(RELATIONS[part.text])
        else:
            while part and part[-1].text in (".", ","):
                part.pop()
            sides.append(bind(parse_expression(part, task.vocabulary)[0], frozenset()))
    if len(sides) != len(relations) + 1 or any(free_indices(side) for side in sides):
        raise DerivationError("it is no relation of numbers")
    return Phrase(start, end, " ".join(text.split()), tuple(sides), tuple(relations))


def _at_arrows(tokens: list[Token]) -> list[list[Token]]:
    """Split a formula at its arrows."""
    parts: list[list[Token]] = [[]]
    for token in tokens:
        if token.text in ARROWS:
            parts.append([])
        elif token.kind != "text":
            parts[-1].append(token)
    return [part for part in parts if part]


def _joined(text: str, one: Phrase, other: Phrase) -> tuple[Kind, Phrase, Phrase, str] | None:
    """Return the claim that two phrases make with the words between them, None if they make none."""
    between = text[one.end : other.start].replace("$", " ")
    if len(between) > MAX_GAP or re.search(r"[.!?;]\s", between):
        return None
    words = " ".join(text[one.start : other.end].replace("$", "").split())
    arrow = next((kind for name, kind in ARROWS.items() if name in between), "")
    if one.relations and other.relations:
        for kind, pattern in KINDS:
            if arrow == kind or (not arrow and pattern.search(between)):
                return kind, one, other, words
        return None
    if not one.relations and not other.relations and IS.match(between):
        whole = Phrase(one.start, other.end, words, (*one.sides, *other.sides), ("=",))
        return "", whole, whole, words
    return None


def _asked(text: str, phrase: Phrase, task: Task) -> tuple[Kind, Phrase, str] | None:
    """Return the claim of a sentence that begins with `exactly if`, about what the question asks for."""
    assert isinstance(task.meaning, Claims)
    before = re.split(r"[.!?:;\n]\s*", text[max(0, phrase.start - MAX_GAP) : phrase.start])[-1].replace(
        "$", " "
    )
    if not task.meaning.asks or not phrase.relations:
        return None
    ends = re.match(r"[\s$]*(?:[.!]|$)", text[phrase.end :])
    for kind, pattern in KINDS:
        if (match := pattern.match(before)) and (ends or kind != "if"):  # `If ..., then` goes on
            left = _phrase(task, task.meaning.asks, 0, 0, task.meaning.asks)
            return kind, left, f"{match.group()} {phrase.text}"
    return None


def _tested(task: Task, line: int, kind: Kind, left: Phrase, right: Phrase, words: str, work: Work) -> Step:
    """Return a claim with its verdict on all instances."""

    def step(verdict: str, reason: str = "") -> Step:
        return Step(line, words, "", verdict, reason)

    both: set[tuple[bool, bool]] = set()
    for number in range(task.count):
        evaluator = Evaluator(task.scope, task.instance(number, 0), work=work)
        try:
            one, other = _truth(left, evaluator), _truth(right, evaluator)
        except DerivationError as error:
            return step(NOT_CHECKED, str(error))
        if one is None or other is None:
            return step(NOT_CHECKED, "the numbers are too close to decide")
        both.add((one, other))
        wrong = {"iff": one != other, "if": other and not one, "only if": one and not other, "": not one}[
            kind
        ]
        if wrong:
            sizes = ", ".join(f"{name} = {size}" for name, size in evaluator.instance.sizes.items())
            sides = f"“{left.text}” is {one}, “{right.text}” is {other}".lower() if kind else "it is not so"
            return step(FAILS, f"with {sizes}: {sides}")
    if kind and len({one for one, _ in both}) < 2:
        return step(NOT_CHECKED, "on the random numbers one side is always the same")
    return step(HOLDS)


def _truth(phrase: Phrase, evaluator: Evaluator) -> bool | None:
    """Return whether the relations of a phrase hold on an instance, None if it cannot be said."""
    values = [evaluator.value(side, {}) for side in phrase.sides]
    if any(value.data.size != 1 for value in values):
        raise DerivationError("it is no relation of numbers")
    numbers = [float(value.data.reshape(())) for value in values]
    results = []
    for relation, a, b in zip(phrase.relations, numbers, numbers[1:], strict=False):
        if not np.isfinite([a, b]).all():
            raise DerivationError("it is not finite on random numbers")
        gap = abs(a - b)
        scale = max(abs(a), abs(b), 1.0)
        if CLOSE * scale < gap < APART * scale:
            return None
        equal = gap <= CLOSE * scale
        results.append({
            "=": equal, "≠": not equal, "<": a < b and not equal, ">": a > b and not equal,
            "≤": a < b or equal, "≥": a > b or equal,
        }[relation])  # fmt: skip
    return all(results)
