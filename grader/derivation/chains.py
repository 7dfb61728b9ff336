"""Puts the formulas of a text together to chains of equalities.

A chain is an expression and what follows it by relations; it goes on over line breaks, blocks and prose as
long as a formula begins with its relation.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from grader.derivation.conditions import parse_condition
from grader.derivation.formulas import Lines, Macro, Piece
from grader.derivation.latex import Named, Token, read_tokens, read_words
from grader.derivation.statements import (
    EQUALITIES,
    JOINING,
    RELATIONS,
    is_condition,
    relations,
    rows,
    split_relations,
    statements,
    without_alignment,
    without_remark,
)
from grader.derivation.tree import DerivationError, Node, Place, free_indices

CASE = re.compile(  # a condition that stands before what it is about: `If $i = s$, then ...`
    r"\b(?:If|For|When|Whenever|Case|Suppose|Für|Falls|Wenn|Ist|Im Fall)\b[^.!?]*\Z"
    r"|(?:^|\n)\s*(?:[-*+]|\d+[.)]|\(\w\))\s*(?:if|for|when|falls|für|wenn|case|fall)?\s*\Z"
)
THEN = re.compile(r"\s*(?::|(?:then|we (?:have|get|obtain)|it (?:holds|is)|is|gilt|ist|dann|folgt|wird)\b)")
ENDING = re.compile(r"[.!?](?:\s|\Z)|\n\s*\n")
SIGNS = {"+", r"\cdot", r"\times", "*", "/"}


@dataclass(eq=False)
class Expression:
    """One side of a relation; without `readings` it could not be parsed, and `error` says why."""

    tokens: list[Token]
    text: str = ""
    readings: tuple[Node, ...] = ()
    error: DerivationError | None = None

    @property
    def place(self) -> Place:
        """Where it begins."""
        return self.tokens[0].place if self.tokens else Place(0, 0)


@dataclass(eq=False)
class Link:
    """A relation and its right side."""

    relation: Token
    right: Expression
    introduces: str = ""
    """The name of a function that it introduces."""


@dataclass(eq=False)
class Chain:
    """An expression, the relations that follow it, and the conditions on indices that stand beside it."""

    head: Expression
    links: list[Link] = field(default_factory=list)
    conditions: list[Node] = field(default_factory=list)
    prose: str = ""
    after: str = ""
    """The prose that follows its first formula."""
    display: bool = False
    aside: bool = False
    """Whether it stands below a brace: it may introduce a symbol, and is no step."""

    @property
    def expressions(self) -> list[Expression]:
        """The head and the right sides."""
        return [self.head, *(link.right for link in self.links)]

    @property
    def free(self) -> frozenset[str]:
        """The free indices of the first expression that could be parsed."""
        for expression in self.expressions:
            if expression.readings:
                return free_indices(expression.readings[0])
        return frozenset()


@dataclass(frozen=True)
class Unreadable:
    """A formula that is not LaTeX as we know it, and where it stands."""

    text: str
    error: DerivationError
    place: Place


@dataclass
class Derivation:
    """The chains of a text in their order, and the formulas that could not be read."""

    chains: list[Chain] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)


class Builder:
    """Puts pieces together to chains."""

    def __init__(self, text: str, lines: Lines, macros: Mapping[str, Macro]) -> None:
        self.derivation = Derivation()
        self._text = text
        self._lines = lines
        self._macros = macros
        self._prose = ""
        self._fresh = False  # whether no statement of the formula was added
        self._following = ""
        self._awaiting: list[Node] = []  # conditions on the chain that comes next
        self._open = False  # whether what comes next belongs to the last chain's last expression
        self._display: Chain | None = None
        self._last: Chain | None = None

    def take(self, piece: Piece, following: str) -> None:
        """Add a piece of the text; `following` is the prose behind a formula."""
        if piece.kind == "prose":
            self._prose = piece.text
            if self.derivation.chains:
                self.derivation.chains[-1].after = self.derivation.chains[-1].after or piece.text
            if ENDING.search(piece.text):
                self._awaiting = []
            return
        try:
            named: Named = []
            tokens = read_tokens(piece.text, piece.start, self._lines, self._macros, named)
        except DerivationError as error:
            place = error.place if error.place and error.place.line > 1 else self._lines.place(piece.start)
            if any(sign in piece.text for sign in "=<>"):
                self.derivation.unreadable.append(Unreadable(" ".join(piece.text.split()), error, place))
            return
        display = piece.kind == "display"
        self._fresh = True
        self._following = following
        for number, row in enumerate(rows(tokens)):
            self._row(row, display, first=number == 0)
        for below, above in named:  # \underbrace{...}_{=: Z}
            symbol = [token for token in below if token.text not in EQUALITIES]
            if (symbol and len(symbol) < len(below)) or len(symbol) == 1:
                relation = replace(symbol[0], kind="symbol", text=":=")
                chain = Chain(Expression(symbol), [Link(relation, Expression(above))], aside=True)
                self.derivation.chains.append(chain)
        self._open = False
        self._prose = ""

    def _row(self, row: list[Token], display: bool, first: bool) -> None:
        """Add a row: it may go on with the formula of the row above."""
        shifted = row[0].text == "&"
        for token in row:
            if token.kind == "text" and "$" in token.text:
                self._spoken(token)
        row = without_remark(row)
        tokens = without_alignment(row)
        while tokens and tokens[0].text == r"\quad":
            tokens.pop(0)
        if not tokens:
            return
        last = self._display if display else self._last
        joins = not first and last is not None and last.display == display and (
            self._open
            or (tokens[0].text in SIGNS and tokens[0].text not in RELATIONS)
            or (tokens[0].text == "-" and (shifted or not relations(tokens)))
        )  # fmt: skip
        parts = [tokens] if is_condition(split_relations(tokens)) else statements(tokens)  # `i, j \neq s`
        for number, statement in enumerate(parts):
            if number == 0 or relations(statement):  # else it is a remark: `for all s`
                self._statement(statement, display, joins and number == 0, main=number == 0)
        self._open = bool(tokens) and tokens[-1].text in JOINING | EQUALITIES

    def _spoken(self, token: Token) -> None:
        """Add the formulas that stand in the text of a row."""
        for text in token.text.split("$")[1::2]:
            try:
                parts = split_relations(read_words(text, token))
            except DerivationError:
                continue
            if (
                len(parts) == 3
                and isinstance(parts[0], list)
                and isinstance(parts[1], Token)
                and isinstance(parts[2], list)
            ):
                chain = Chain(Expression(parts[0]), [Link(parts[1], Expression(parts[2]))], prose=token.text)
                self.derivation.chains.append(chain)

    def _statement(self, tokens: list[Token], display: bool, joins: bool, main: bool) -> None:
        """Add the expressions and relations between two separators."""
        parts = split_relations(tokens)
        relations = [part for part in parts if isinstance(part, Token)]
        if not joins and relations and is_condition(parts):
            leads = self._awaiting or CASE.search(self._prose) or THEN.match(self._following)
            ahead = self._fresh and not display and bool(leads)
            self._fresh = False
            with contextlib.suppress(DerivationError):
                if ahead:
                    self._awaiting.append(parse_condition(tokens))
                elif self._last is not None:
                    self._last.conditions.append(parse_condition(tokens))
            return
        self._fresh = False
        chain = (self._display if display else self._last) if joins else None
        if chain is not None and isinstance(parts[0], list):
            expression = chain.expressions[-1]
            doubled = expression.tokens[-1:] and expression.tokens[-1].text in JOINING
            if doubled and expression.tokens[-1].text == parts[0][0].text:  # `a + \\ + b`
                expression.tokens = expression.tokens[:-1]
            expression.tokens = expression.tokens + parts[0]
            parts = parts[1:]
        elif isinstance(parts[0], Token):
            chain = self._continued(display)
            if chain is None:
                chain = self._begin([], display)
        else:
            chain = self._begin(parts[0], display)
            parts = parts[1:]
        assert chain is not None
        if relations:
            chain.conditions += self._awaiting
            self._awaiting = []
        self._last = chain
        if display and main:  # what follows in the same row is beside the chain
            self._display = chain
        for part in parts:
            if isinstance(part, Token):
                last = chain.links[-1] if chain.links else None
                if last and not last.right.tokens and {last.relation.text, part.text} <= EQUALITIES:
                    chain.links.pop()  # `a = \\ = b`
                chain.links.append(Link(part, Expression([])))
            else:
                chain.links[-1].right.tokens = part

    def _continued(self, display: bool) -> Chain | None:
        """Return the chain that a formula goes on with that begins with a relation."""
        if display and self._display is not None:
            return self._display
        if self._last is None or self._last.links or not self._prose.strip():
            return self._last
        with_links = [chain for chain in self.derivation.chains if chain.links]
        return with_links[-1] if with_links else self._last

    def _begin(self, tokens: list[Token], display: bool) -> Chain:
        chain = Chain(Expression(tokens), prose=self._prose, display=display)
        self.derivation.chains.append(chain)
        return chain
