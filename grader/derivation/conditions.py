"""Parses what stands below a sum, in an indicator and beside a case: indices and conditions on them."""

from __future__ import annotations

import re

from grader.derivation.latex import Token, read_words
from grader.derivation.tree import Both, Compare, DerivationError, Either, Node, Otherwise, rebuild, walk

OPERATORS = {"=": "=", r"\neq": "≠", "<": "<", ">": ">", r"\leq": "≤", r"\geq": "≥"}
MAX_TOKENS = 100
WORDS = re.compile(
    r"^(?:if|for|when|where|falls|für|wenn|with|mit|all|alle|every|and|und|,)+$", re.IGNORECASE
)
OTHERWISE = re.compile(r"^\W*(?:otherwise|else|sonst|andernfalls|ansonsten)\W*$", re.IGNORECASE)


def parse_condition(tokens: list[Token]) -> Node:
    """Return a condition on indices, as in an indicator or a case; raise DerivationError."""
    if len(tokens) > MAX_TOKENS:
        raise DerivationError("the condition is too long", tokens[0].place)
    tokens = [part for token in tokens for part in _spelled_out(token)]
    if tokens and OTHERWISE.match("".join(token.text for token in tokens)):
        return Otherwise(place=tokens[0].place)
    tokens = [token for token in tokens if not (token.kind == "text" and WORDS.match(token.text))]
    tokens = [token for token in _without_braces(tokens) if token.text != r"\forall"]
    for number, token in enumerate(tokens):
        if token.text == r"\vee":
            both = (parse_condition(tokens[:number]), parse_condition(tokens[number + 1 :]))
            return Either(both, place=token.place)
    pieces: list[list[Token]] = []
    for piece in _split(tokens):
        listed = bool(pieces) and not any(token.text in OPERATORS for token in pieces[-1])
        if listed:  # `i, j \\neq s` compares both
            pieces[-1] += piece
        else:
            pieces.append(piece)
    parts = [each for part in pieces for each in _comparisons(part)]
    if not parts:
        raise DerivationError("a condition on indices is expected", tokens[0].place if tokens else None)
    return parts[0] if len(parts) == 1 else Both(tuple(parts), place=parts[0].place)


def parse_range(
    below: list[Token], above: list[Token], sizes: frozenset[str]
) -> tuple[tuple[str, ...], Node | None, tuple[tuple[str, str], ...]]:
    r"""Return the indices that stand below a sum, the condition, and the sizes up to which indices run.

    Indices that only a condition names, as in `k \\neq l`, are found when the sum is bound.
    """
    indices: list[str] = []
    conditions: list[Node] = []
    uppers: list[tuple[str, str]] = []
    started: list[str] = []  # from 1, or without a beginning: the upper bound is theirs
    for part in _split(_without_braces(below)):
        texts = [token.text for token in part]
        if r"\in" in texts:
            at = texts.index(r"\in")
            words = "".join(texts[at + 1 :]).split(r"\setminus")[0]
            if not re.fullmatch(r"\\\{1,(2,)?\\dots,\w+\\\}|\[\w+\]|\\\{1:\w+\\\}", words):
                raise DerivationError("the set of indices is not known", part[at].place)
            indices += _letters(part[:at])
            if r"\setminus" in texts:
                rest = _without_braces(part[texts.index(r"\setminus") + 1 :])
                for index in _letters(part[:at]):
                    conditions += [Compare("≠", index, each, place=part[0].place) for each in _letters(rest)]
        elif texts[1:2] == ["="] and len(part) > 2 and part[0].kind == "letter":
            started.append(texts[0])
            indices.append(texts[0])
            conditions += _lower_bound(part)
        elif any(text in OPERATORS for text in texts):
            conditions += _comparisons(part)
        else:
            started += _letters(part)
            indices += _letters(part)
    if above:
        size = "".join(token.text for token in _without_braces(above))
        if not started:
            raise DerivationError("a sum with an upper bound needs an index below", above[0].place)
        index = started[-1]
        if size in sizes:
            uppers += [(each, size) for each in started]
        elif re.fullmatch(r"[a-z](?:-1)?", size):
            conditions.append(
                Compare("<" if size.endswith("-1") else "≤", index, size[0], place=above[0].place)
            )
        else:
            raise DerivationError(f"the upper bound {size} of a sum is not known", above[0].place)
    if len(set(indices)) < len(indices):
        raise DerivationError("a sum has the same index twice", below[0].place)
    conditions = [_with_sizes(each, sizes) for each in conditions]
    condition = Both(tuple(conditions)) if len(conditions) > 1 else (conditions[0] if conditions else None)
    if not indices and condition is None:
        raise DerivationError("a sum has no index", below[0].place if below else None)
    return tuple(indices), condition, tuple(uppers)


def compared(condition: Node | None) -> list[str]:
    """Return the letters of a condition in the order in which they are written."""
    found = [
        side
        for node in (walk(condition) if condition else ())
        if isinstance(node, Compare)
        for side in (node.left, node.right)
        if isinstance(side, str) and not side.startswith("#")
    ]
    return list(dict.fromkeys(found))


def _with_sizes(condition: Node, sizes: frozenset[str]) -> Node:
    """Return a condition in which the names of sizes, as in `k > K`, are told apart from indices."""
    if not isinstance(condition, Compare):
        return rebuild(condition, lambda part: _with_sizes(part, sizes))
    left, right = (f"#{side}" if side in sizes else side for side in (condition.left, condition.right))
    return Compare(condition.operator, left, right, place=condition.place)


def _lower_bound(part: list[Token]) -> list[Node]:
    """Return the condition of `i=1`, `j=i+1`, `j=i`."""
    bound = "".join(token.text for token in part[2:])
    if bound == "1":
        return []
    if match := re.fullmatch(r"([A-Za-z])(\+1)?", bound):
        operator = ">" if match.group(2) else "≥"
        return [Compare(operator, part[0].text, match.group(1), place=part[0].place)]
    raise DerivationError(f"a sum that begins at {bound} is not known; indices begin at 1", part[2].place)


def _comparisons(part: list[Token]) -> list[Node]:
    """Return the comparisons of a chain such as i < j < k."""
    sides: list[list[Token]] = [[]]
    operators: list[Token] = []
    for token in part:
        if token.text in OPERATORS:
            operators.append(token)
            sides.append([])
        else:
            sides[-1].append(token)
    if not operators:
        raise DerivationError("a comparison of indices is expected", part[0].place if part else None)
    found: list[Node] = []
    for number, operator in enumerate(operators):
        left, right = (_side(each, operator) for each in (sides[number], sides[number + 1]))
        name = OPERATORS[operator.text]
        if len(left) != len(right) and 1 in (len(left), len(right)):  # i, j ≠ s
            left, right = (left * len(right), right) if len(left) == 1 else (left, right * len(left))
            found += [
                Compare(name, one, other, place=operator.place)
                for one, other in zip(left, right, strict=True)
            ]
            continue
        if len(left) != len(right) or (len(left) > 1 and name not in ("=", "≠")):
            raise DerivationError("these indices cannot be compared", operator.place)
        pairs = [
            Compare(name, one, other, place=operator.place) for one, other in zip(left, right, strict=True)
        ]
        found += [Either(tuple(pairs), place=operator.place)] if name == "≠" and len(pairs) > 1 else pairs
    return found


def _side(tokens: list[Token], operator: Token) -> list[str | int]:
    """Return the indices on one side of a comparison."""
    inner = [
        token for token in tokens if token.text not in ("(", ")", ",") and token.kind not in ("open", "close")
    ]
    if not inner:
        raise DerivationError("a comparison lacks a side", operator.place)
    if all(token.kind == "digit" for token in inner):
        return [int("".join(token.text for token in inner[:6]))]
    return list(_letters(inner))


def _letters(tokens: list[Token]) -> list[str]:
    """Return tokens that are index letters."""
    letters: list[str] = []
    for token in tokens:
        if token.text in ("(", ")", ",", r"\{", r"\}") or token.kind in ("open", "close"):
            continue
        if token.text == "'" and letters:
            letters[-1] += "'"
        elif (token.kind == "letter" and len(token.text) == 1) or token.text in (
            r"\ell",
            r"\alpha",
            r"\beta",
            r"\mu",
            r"\nu",
        ):
            letters.append(token.text)
        else:
            raise DerivationError(f"{token.text} is no index", token.place)
    return letters


def _split(tokens: list[Token]) -> list[list[Token]]:
    """Split at the commas, colons and bars that are in no brackets."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.text in ("(", r"\{")) - (token.text in (")", r"\}"))
        if depth == 0 and (
            token.text in (",", ":", ";", "|", r"\wedge", "\\\\", r"\quad") or token.kind == "text"
        ):
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


def _without_braces(tokens: list[Token]) -> list[Token]:
    """Return tokens without braces or brackets around all of them."""
    pairs = {"{": "}", r"\{": r"\}", "[": "]"}
    while len(tokens) > 1 and pairs.get(tokens[0].text) == tokens[-1].text:
        tokens = tokens[1:-1]
    return [token for token in tokens if token.text != "&"]


def _spelled_out(token: Token) -> list[Token]:
    """Return a text with formulas or comparisons in it as tokens, other tokens as they are."""
    if token.kind != "text":
        return [token]
    text = token.text.strip()
    if OTHERWISE.match(text):
        return [token]
    words = [word for word in re.split(r"[\s$]+", text) if word and not WORDS.match(word.strip(".,:;"))]
    return read_words(" ".join(words), token) if words else []
