"""Names of several tokens that a student introduces, and functions of one number, `f(x) = ...`.

Functions are replaced by what they make of their argument.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from grader.derivation.latex import Token
from grader.derivation.statements import BRACKETS
from grader.derivation.tree import DerivationError

MAX_TOKENS = 3000  # of a formula in which functions are replaced
MAX_FUNCTIONS = 8
MAX_DEPTH = 20


@dataclass(frozen=True)
class StudentFunction:
    """A name, the letter of its argument, and what it makes of it."""

    name: str
    letter: str
    body: list[Token]


def introduced_name(
    head: list[Token], body: list[Token], known: Collection[str]
) -> tuple[tuple[str, ...], str] | None:
    """Return the name that `head = body` introduces, `H(P)` or `C_{attr}`, as tokens and as one symbol."""
    texts = tuple(token.text for token in head)
    if len(head) < 4 or head[0].kind not in ("letter", "name", "command"):
        return None
    inner = head[2:-1]
    if (
        (texts[1], texts[-1]) == ("(", ")") and head[0].kind != "command" and texts[0] not in known
        and all(t.kind == "bar" or t.text in (",", *known) or t.text.isupper() for t in inner)
    ):  # fmt: skip
        return texts, "".join(texts)
    if texts[1:3] != ("_", "{") or texts[-1] != "}":
        return None
    below = head[3:-1]
    spelled = len(below) > 2 and all(token.kind == "letter" for token in below)
    if spelled and not {token.text for token in below} <= {token.text for token in body}:
        return texts, f"{texts[0]}_{''.join(texts[3:-1])}"
    if len(below) == 1 and below[0].kind in ("text", "name"):
        return texts, f"{texts[0]}_{below[0].text}"
    return None


def introduced_function(
    head: list[Token], body: list[Token], known: Collection[str], before: Sequence[StudentFunction]
) -> StudentFunction | None:
    """Return the function that `head = body` introduces, None if it is none.

    `known` are the letters of the task.
    """
    if (
        len(head) != 4
        or (head[1].text, head[3].text) != ("(", ")")
        or {head[0].kind, head[2].kind} != {"letter"}
    ):
        return None
    name, letter = head[0].text, head[2].text
    texts = [token.text for token in body]
    if name in known or letter in known or letter not in texts or name in texts:
        return None
    if any(each.name == name for each in before) or len(before) == MAX_FUNCTIONS:
        return None
    try:
        return StudentFunction(name, letter, applied(body, before))
    except DerivationError:
        return None


def applied(tokens: list[Token], functions: Sequence[StudentFunction], depth: int = 0) -> list[Token]:
    """Return tokens with what the functions make of their arguments; raise DerivationError if too many."""
    if functions and (len(tokens) > MAX_TOKENS or depth > MAX_DEPTH):
        raise DerivationError("with its functions the formula is too long", tokens[0].place)
    for function in reversed(functions):
        made: list[Token] = []
        at = 0
        while at < len(tokens):
            token = tokens[at]
            at += 1
            if token.text != function.name or at == len(tokens) or tokens[at].text != "(":
                made.append(token)
                continue
            depths = accumulate(BRACKETS.get(each.text, 0) for each in tokens[at:])
            end = next((n for n, depth in enumerate(depths, at + 1) if depth == 0), len(tokens))
            argument = applied(tokens[at:end], [function], depth + 1)
            opening, closing = (replace(token, kind="symbol", text=text) for text in "()")
            made.append(opening)
            for part in function.body:
                made += argument if part.text == function.letter else [replace(part, place=token.place)]
                if len(made) > MAX_TOKENS:
                    raise DerivationError("with its functions the formula is too long", token.place)
            made.append(closing)
            at = end
        tokens = made
    return tokens
