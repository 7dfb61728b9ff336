"""From the text of a cell to chains of equalities whose sides are trees."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import accumulate, zip_longest

from grader.derivation.binding import bind, outer_indices, without_own_sizes
from grader.derivation.chains import Builder, Chain, Derivation
from grader.derivation.cursor import Vocabulary
from grader.derivation.formulas import Lines, find_formulas, take_macros
from grader.derivation.introduced import StudentFunction, applied, introduced_function, introduced_name
from grader.derivation.latex import Token
from grader.derivation.parse import parse_expression
from grader.derivation.statements import EQUALITIES
from grader.derivation.tree import Compare, DerivationError, Derivative, Sum, free_indices, own_indices, walk

MAX_STEPS = 300
MAX_CHAINS = 2000
OPENED = re.compile(r"\\(?:left|(?:big|Big|bigg|Bigg)[lr]?)\s*\Z")


def read_derivation(text: str, vocabulary: Vocabulary) -> Derivation:
    """Return the chains of a Markdown text; raise DerivationError if it is too long."""
    plain, macros = take_macros(text)
    builder = Builder(plain, Lines(plain), macros)
    pieces = list(find_formulas(plain))
    for piece, following in zip_longest(pieces, pieces[1:]):
        builder.take(piece, following.text if following and following.kind == "prose" else "")
        if len(builder.derivation.chains) > MAX_CHAINS:
            raise DerivationError(f"there are more than {MAX_CHAINS} formulas")
    heads = {tuple(t.text for t in c.head.tokens[:2]) for c in builder.derivation.chains if c.links}
    if (r"\delta", "_") in heads:
        vocabulary = replace(vocabulary, taken=frozenset({r"\delta"}))
    known = {texts[0] for texts, _ in vocabulary.names if len(texts) == 1}
    names = [
        introduced_name(chain.head.tokens, chain.links[0].right.tokens, known)
        for chain in builder.derivation.chains
        if chain.links
    ]
    longest = sorted({name for name in names if name}, key=lambda name: (-len(name[0]), name))
    vocabulary = replace(vocabulary, names=(*longest, *vocabulary.names))
    functions = _functions(builder.derivation.chains, vocabulary)
    links = 0
    for chain in builder.derivation.chains:
        links += len(chain.links)
        if links > MAX_STEPS:
            raise DerivationError(f"there are more than {MAX_STEPS} steps")
        _parse_chain(chain, plain, vocabulary, functions)
    _drop_own_sizes(builder.derivation.chains)
    fixed = _fixed_letters(builder.derivation.chains, vocabulary.by)
    for chain in builder.derivation.chains:
        _bind_chain(chain, fixed)
    return builder.derivation


def _functions(chains: list[Chain], vocabulary: Vocabulary) -> list[StudentFunction]:
    """Return the functions that a student introduces, and mark the links that do so."""
    known = {texts[0] for texts, _ in vocabulary.names}
    found: list[StudentFunction] = []
    for chain in chains:
        for link in chain.links[:1]:
            function = introduced_function(chain.head.tokens, link.right.tokens, known, found)
            if function is not None and link.relation.text in EQUALITIES:
                link.introduces = function.name
                found.append(function)
    return found


def _parse_chain(chain: Chain, text: str, vocabulary: Vocabulary, functions: list[StudentFunction]) -> None:
    """Parse the expressions of a chain; an equality of two operators is one of what they make of the cost."""
    for expression in chain.expressions:
        if expression.tokens:
            start, end = expression.tokens[0].start, max(token.end for token in expression.tokens)
            if opened := OPENED.search(text, max(0, start - 20), start):  # the size of the first bracket
                start = opened.start()
            expression.text = " ".join(text[start:end].split())
    operators = bool(vocabulary.of) and all(_is_operator(each.tokens) for each in chain.expressions)
    for expression in chain.expressions:
        try:
            tokens = applied(expression.tokens, functions)
        except DerivationError as error:
            expression.error = error
            continue
        if operators:
            tokens = [*tokens, replace(tokens[-1], kind="letter", text=vocabulary.of)]
        try:
            expression.readings = parse_expression(tokens, vocabulary)
        except DerivationError as error:
            expression.error = error


def _is_operator(tokens: list[Token]) -> bool:
    r"""Return whether tokens are an operator and nothing behind it: `\frac{\partial}{\partial y_s}`."""
    texts = [token.text for token in tokens]
    depths = list(accumulate({"{": 1, "}": -1}.get(text, 0) for text in texts))
    groups = sum(text == "}" and depth == 0 for text, depth in zip(texts, depths, strict=True))
    if texts[:6] == [r"\frac", "{", r"\partial", "}", "{", r"\partial"]:
        return texts[-1] == "}" and groups == 2
    if len(texts) < 3 or texts[0] not in (r"\partial", r"\nabla") or texts[1] != "_":
        return False
    return len(texts) == 3 or (texts[2] == "{" and texts[-1] == "}" and groups == 1)


def _drop_own_sizes(chains: list[Chain]) -> None:
    """Let sums run over all values whose upper bound is a letter that is nowhere an index."""
    expressions = [each for chain in chains for each in chain.expressions]
    letters = frozenset(
        index
        for each in expressions
        for tree in each.readings
        for node in walk(tree)
        if not isinstance(node, Compare)
        for index in (*own_indices(node), *(node.indices if isinstance(node, Sum) else ()))
    )
    for each in expressions:
        try:
            each.readings = tuple(without_own_sizes(tree, letters) for tree in each.readings)
        except DerivationError as error:
            each.readings, each.error = (), error


def _fixed_letters(chains: list[Chain], variable: str) -> frozenset[str]:
    """Return the letters of what is differentiated by where a chain begins: s in dC/dy_s and dC/dy_sk."""
    heads = [chain.head.readings[0] for chain in chains if chain.head.readings]
    return frozenset(
        index for head in heads if isinstance(head, Derivative)
        and (len(head.by.indices) == 1 or head.by.name == variable)
        for index in own_indices(head.by)[:1]
    )  # fmt: skip


def _bind_chain(chain: Chain, fixed: frozenset[str]) -> None:
    """Bind the sums of a chain; the free indices of its first expression hold for all of it."""
    free: frozenset[str] | None = None
    for expression in chain.expressions:
        if expression.readings:
            first = expression.readings[0]
            around = outer_indices(first) if free is None else free
            readings = [bind(tree, around, fixed) for tree in expression.readings]
            readings += [bind(tree, around, fixed, again=True) for tree in expression.readings]
            expression.readings = tuple(dict.fromkeys(readings))
            free = free_indices(expression.readings[0]) if free is None else free
