"""From the LaTeX of a formula to tokens that say what they mean; layout, fonts and annotations are dropped.

pylatexenc finds the tokens; macros are expanded here, within limits; the rest is one pass over tables of
commands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from grader.derivation.commands import (
    BARS,
    CHARACTERS,
    CLOSE,
    DECORATIONS,
    DROPPED,
    DROPPED_WITH_ARGUMENT,
    FONTS,
    INNER_ENVIRONMENTS,
    NAMES,
    OPEN,
    OUTER_ENVIRONMENTS,
    RENAMED,
    REQUIRED,
    SIDED,
    TEXT,
    UPRIGHT,
)
from grader.derivation.formulas import Lines, Macro
from grader.derivation.tree import DerivationError, Place

MAX_TOKENS = 6000
MAX_EXPANSIONS = 2000
MAX_DEPTH = 25

ROW_LENGTH = re.compile(r"\[\s*-?[\d.]+\s*(?:pt|em|ex|mm|cm|in|\\baselineskip)\s*\]")
PLACEMENT = re.compile(r"\[[tbc]\]")  # \begin{aligned}[t]
DEFINING = re.compile(r"def|:|!?\\triangle|set", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Token:
    """A token with its place; `start` and `end` are its offsets in the whole text."""

    kind: str  # letter, digit, command, symbol, open, close, bar, name, text, begin, end
    text: str
    place: Place
    start: int
    end: int
    spaced: bool = False
    side: str = ""


Named = list[tuple[list[Token], list[Token]]]


def read_tokens(
    source: str, start: int, lines: Lines, macros: Mapping[str, Macro], named: Named | None = None
) -> list[Token]:
    """Return the tokens of a formula that begins at the offset `start`; raise DerivationError.

    What stands below a brace is added to `named`, with what stands above it.
    """
    raw = [
        replace(
            token, start=token.start + start, end=token.end + start, place=lines.place(token.start + start)
        )
        for token in _raw_tokens(source)
    ]
    return list(_Reader(list(_expand(raw, macros)), 0, named).read())


def _raw_tokens(source: str) -> Iterator[Token]:
    """Yield pylatexenc's tokens in our form, with offsets in `source`."""
    from pylatexenc.latexwalker import LatexWalker, LatexWalkerEndOfStream, LatexWalkerParseError  # noqa: PLC0415

    walker, position, count = LatexWalker(source), 0, 0
    while True:
        try:
            token = walker.get_token(position)
        except LatexWalkerEndOfStream:
            return
        except LatexWalkerParseError as error:
            raise DerivationError(
                f"this is not LaTeX: {str(error.msg)[:80]}", Place(1, position + 1)
            ) from None
        count += 1
        if count > MAX_TOKENS:
            raise DerivationError(f"the formula has more than {MAX_TOKENS} tokens")
        begin, position = token.pos, token.pos + token.len
        text = token.arg if isinstance(token.arg, str) else source[begin:position]
        match token.tok:
            case "comment":
                continue
            case "macro":
                kind = "command"
            case "brace_open" | "brace_close":
                kind = "open" if text == "{" else "close"
            case "begin_environment" | "end_environment":
                kind = token.tok.removesuffix("_environment")
            case _:
                kind = "letter" if text.isalpha() else "digit" if text in set("0123456789") else "symbol"
        if kind == "command" and text == "\\" and (skip := ROW_LENGTH.match(source, position)):
            position = skip.end()
        yield Token(kind, text, Place(1, begin + 1), begin, position, bool(token.pre_space))


def _expand(tokens: list[Token], macros: Mapping[str, Macro]) -> Iterator[Token]:
    """Yield the tokens with the student's macros expanded, where the macro was called."""
    if not macros:
        yield from tokens
        return
    bodies: dict[str, list[Token]] = {}
    stack = tokens[::-1]
    expansions = given = 0
    while stack:
        token = stack.pop()
        macro = macros.get(token.text) if token.kind == "command" else None
        given += 1
        if given > MAX_TOKENS:
            raise DerivationError(f"the macros make more than {MAX_TOKENS} tokens", token.place)
        if macro is None:
            yield token
            continue
        expansions += 1
        if expansions > MAX_EXPANSIONS:
            raise DerivationError("the macros expand without end", token.place)
        if token.text not in bodies:
            bodies[token.text] = list(_raw_tokens(macro.body))
        arguments, end = [], token.end
        for _ in range(macro.arguments):
            taken = _pop_group(stack)
            end = max([end, *(each.end for each in taken)])
            arguments.append(_without_braces(taken))
        made: list[Token] = []
        body = iter(bodies[token.text])
        for part in body:
            if part.text == "#":
                number = next(body, part).text
                index = int(number) - 1 if number.isdecimal() else -1
                if not 0 <= index < len(arguments):
                    raise DerivationError(f"the macro \\{token.text} has no argument #{number}", token.place)
                made += arguments[index]
            else:
                made.append(replace(part, place=token.place, start=token.start, end=end))
        if len(stack) + len(made) > MAX_TOKENS:
            raise DerivationError(f"the macros make more than {MAX_TOKENS} tokens", token.place)
        stack += made[::-1]


def _pop_group(stack: list[Token]) -> list[Token]:
    """Take a group with its braces, or one token, off a reversed list."""
    depth, argument = 0, []
    while stack:
        token = stack.pop()
        depth += {"open": 1, "close": -1}.get(token.kind, 0)
        if depth < 0:
            stack.append(token)
            break
        argument.append(token)
        if depth == 0:
            break
    return argument


def _without_braces(argument: list[Token]) -> list[Token]:
    return argument[1:-1] if argument and argument[0].kind == "open" else argument


class _Reader:
    """One pass over the tokens of a formula, with a bounded depth of groups."""

    def __init__(self, tokens: list[Token], depth: int = 0, named: Named | None = None) -> None:
        if depth > MAX_DEPTH:
            raise DerivationError("the formula is nested too deeply", tokens[0].place if tokens else None)
        self._tokens = tokens
        self._depth = depth
        self._named = [] if named is None else named
        self._at = 0

    def read(self) -> Iterator[Token]:
        depth = 0
        for token in self._simplified():
            depth += {"open": 1, "close": -1}.get(token.kind, 0)
            if depth < 0:
                raise DerivationError("a brace } closes nothing", token.place)
            yield token
        if depth:
            raise DerivationError("a brace { is not closed", self._tokens[-1].place)

    def _simplified(self) -> Iterator[Token]:
        side = ""
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            if token.kind == "command" and token.text in SIDED:
                side = OPEN if token.text.endswith(("left", "l")) else CLOSE
                if self._next_is("."):  # an invisible bracket
                    self._at += 1
                    side = ""
                continue
            for simple in self._simple(token):
                bar = simple.kind == "bar" and side and not simple.side
                yield replace(simple, side=side) if bar else simple
            side = ""

    def _simple(self, token: Token) -> Iterator[Token]:
        """Yield what a token stands for."""
        text = token.text
        if token.kind in ("begin", "end"):
            name = text.rstrip("*")
            if name in INNER_ENVIRONMENTS:
                yield replace(token, text="cases")
            elif name not in OUTER_ENVIRONMENTS:
                raise DerivationError(f"the environment {text} is not known", token.place)
            elif name in ("alignat", "alignedat") and token.kind == "begin":
                self._argument()
            else:
                if PLACEMENT.fullmatch("".join(each.text for each in self._tokens[self._at : self._at + 3])):
                    self._at += 3
                yield replace(token, kind="symbol", text="\\\\")
        elif token.kind in ("letter", "symbol"):
            yield from self._character(token)
        elif token.kind == "command":
            yield from self._command(token)
        else:
            yield token

    def _character(self, token: Token) -> Iterator[Token]:
        word = next((each for each in ("log", "exp", "sum", "const") if self._spells(each)), None)
        if word is not None:
            self._at += len(word) - 1
            kind, text = ("name", word) if word == "const" else ("command", "\\" + word)
            yield replace(token, kind=kind, text=text)
            return
        text = CHARACTERS.get(token.text, token.text)
        if text == "=" and self._next_is(":") and not self._tokens[self._at].spaced:
            token = replace(token, end=self._tokens[self._at].end)
            self._at += 1
            yield replace(token, text="=:")
        elif text in ("|", "‖"):
            if text == "|" and self._next_is("|") and not self._tokens[self._at].spaced:
                token = replace(token, end=self._tokens[self._at].end)
                self._at += 1
                text = "‖"
            yield replace(token, kind="bar", text=text)
        elif text == ":" and self._next_is("="):
            token = replace(token, end=self._tokens[self._at].end)
            self._at += 1
            yield replace(token, text=":=")
        elif text == "~" or text.isspace():
            return
        elif text.startswith("\\"):
            yield replace(token, kind="command", text=text)
        else:
            yield replace(token, text=text)

    def _command(self, token: Token) -> Iterator[Token]:
        text = token.text
        if text in DROPPED:
            return
        if text in BARS:
            bar, side = BARS[text]
            if text == "mid" and self._next_is("mid"):
                self._at += 1
                bar = "‖"
            yield replace(token, kind="bar", text=bar, side=side)
        elif text in DROPPED_WITH_ARGUMENT:
            if self._next_is("*"):
                self._at += 1
            self._argument()
        elif text in TEXT:
            yield self._worded(token, "text")
        elif text in UPRIGHT:
            if self._next_is("*"):
                self._at += 1
            yield self._worded(token, "name")
        elif text in FONTS:
            argument = self._argument()
            if text in ("mathbf", "mathbb", "mathds", "bm", "boldsymbol", "bbm") and _words(argument) == "1":
                yield replace(token, kind="symbol", text="𝟙")
            else:
                yield from self._inner(argument, token)
        elif text in DECORATIONS:
            argument = list(self._inner(self._argument(), token))
            if len(argument) != 1:
                raise DerivationError(f"\\{text} over more than one letter is not known", token.place)
            yield replace(argument[0], text=f"{text} {argument[0].text}")
        elif text in ("norm", "Norm", "abs"):
            if self._next_is("*"):
                self._at += 1
            edge = Token("bar", "|" if text == "abs" else "‖", token.place, token.start, token.end)
            yield replace(edge, side=OPEN)
            yield from _Reader(self._argument(), self._depth + 1, self._named)._simplified()
            yield replace(edge, side=CLOSE, end=self._tokens[self._at - 1].end)
        elif text in ("underbrace", "overbrace"):
            inner = list(self._inner(self._argument(), token))
            yield from inner
            if self._next_is("_") or self._next_is("^"):
                self._at += 1
                below = list(_Reader(self._argument(), self._depth + 1)._simplified())
                self._named.append((below, inner))
        elif text in ("overset", "stackrel", "underset"):
            above = _words(self._argument())
            for part in self._inner(self._argument(), token):
                meant = ":=" if DEFINING.search(above) else REQUIRED if above.strip() == "!" else "="
                yield replace(part, text=meant) if part.text == "=" else part
        elif text == "substack":
            yield Token("open", "{", token.place, token.start, token.end)
            for part in _Reader(self._argument(), self._depth + 1, self._named)._simplified():
                yield replace(part, kind="symbol", text=",") if part.text == "\\\\" else part
            yield Token("close", "}", token.place, token.start, token.end)
        elif text == "not":
            if not self._next_is("="):
                raise DerivationError("\\not is known before = only", token.place)
            self._at += 1
            yield replace(token, text=r"\neq")
        elif text in ("{", "}", "%", "#", "$", "_", "&"):
            yield replace(token, kind="symbol", text="\\" + text)
        elif text == "\\":
            if self._next_is("*"):
                self._at += 1
            yield replace(token, kind="symbol", text="\\\\")
        else:
            name = RENAMED.get(text, "\\" + text)
            yield replace(token, kind="command" if name.startswith("\\") else "symbol", text=name)

    def _inner(self, argument: list[Token], token: Token) -> Iterator[Token]:
        """Yield an argument: a single token as it is, more in braces."""
        parts = list(_Reader(argument, self._depth + 1, self._named)._simplified())
        end = self._tokens[self._at - 1].end
        if len(parts) == 1:
            yield replace(parts[0], start=token.start, end=max(end, parts[0].end))
            return
        yield Token("open", "{", token.place, token.start, token.end)
        yield from parts
        yield Token("close", "}", token.place, token.start, end)

    def _worded(self, token: Token, kind: str) -> Token:
        r"""Return the argument of \text or \mathrm as one token."""
        words = _words(self._argument()).strip()
        end = self._tokens[self._at - 1].end
        if kind == "name" and len(words) == 1 and words not in "dT":
            return replace(token, kind="letter" if words.isalpha() else "symbol", text=words, end=end)
        if words == "d":  # no symbol d: an upright d is a differential
            return replace(token, kind="command", text="\\differential", end=end)
        known = words.rstrip(".") in NAMES
        return replace(token, kind="name" if known or kind == "name" else "text", text=words, end=end)

    def _argument(self) -> list[Token]:
        """Take the next argument, without its braces."""
        start = self._at
        depth = 0
        while self._at < len(self._tokens):
            depth += {"open": 1, "close": -1}.get(self._tokens[self._at].kind, 0)
            if depth < 0:
                break
            self._at += 1
            if depth == 0:
                break
        return _without_braces(self._tokens[start : self._at])

    def _spells(self, word: str) -> bool:
        """Return whether a word is spelled out in letters from the last token on."""
        letters = self._tokens[self._at - 1 : self._at - 1 + len(word)]
        return [each.text for each in letters] == list(word) and not any(each.spaced for each in letters[1:])

    def _next_is(self, text: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at].text == text


def _words(tokens: list[Token]) -> str:
    """Return tokens as text; the letter behind a command stands apart from it."""
    text, command = "", False
    for each in tokens:
        text += " " if each.spaced or (command and each.text[:1].isalpha()) else ""
        command = each.kind == "command"
        text += ("\\" if command else "") + each.text
    return text


def read_words(text: str, token: Token) -> list[Token]:
    """Return the tokens of a formula that stands in the text of a token, all at its place."""
    raw = [replace(each, place=token.place, start=token.start, end=token.end) for each in _raw_tokens(text)]
    return list(_Reader(raw).read())
