"""Derivatives and differentials in the grammar."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from grader.derivation.cursor import Cursor
from grader.derivation.latex import Token
from grader.derivation.tree import (
    DerivationError,
    Derivative,
    Differential,
    Node,
    Place,
    Quotient,
    Symbol,
)

DIFFERENTIALS = {r"\partial", "d", r"\delta", r"\differential"}


@dataclass
class Differentiation(Cursor):
    """Parses what differentiates."""

    @abstractmethod
    def whole(self) -> Node:
        """Parse all tokens as one expression."""

    @abstractmethod
    def term(self) -> Node:
        """Parse a product."""

    @abstractmethod
    def factor(self) -> Node:
        """Parse an atom with what stands above and below it."""

    def ratio(self, above: list[Token], below: list[Token], place: Place) -> Node:
        """Return what stands above over what stands below a line."""
        if (
            above and below and above[0].text == below[0].text and above[0].text in DIFFERENTIALS
            and all(len(part) == 1 or part[1].text != "_" for part in (above, below))
        ):  # fmt: skip
            if above[1:2] and above[1].text == "^":
                raise DerivationError("higher derivatives are not known", above[1].place)
            by = self.by(below[1:])
            if len(above) == 1:
                return self.operator(by, place)
            return Derivative(self.part(above[1:]).whole(), by, place=place)
        if above and above[0].text == r"\partial":
            raise DerivationError("a derivative needs \\partial below the line too", place)
        return Quotient(self.part(above).whole(), self.part(below).whole(), place=place)

    def derivative(self, place: Place) -> Node:
        r"""Parse `\partial C / \partial y_s`, `\partial / \partial y_s (...)` and `\partial_{y_s} C`."""
        if self.text == "_":
            self.at += 1
            below = self.argument()
            named = {texts[0] for texts, _ in self.vocabulary.names}
            if self.vocabulary.by and len(below) == 1 and below[0].text not in named:  # \\partial_s
                return self.operator(Symbol(self.vocabulary.by, (below[0].text,), place=place), place)
            return self.operator(self.by(below), place)
        of = None if self.text == "/" else self.factor()
        if (
            self.text != "/"
            or self.tokens[self.at + 1 : self.at + 2][:1] == []
            or self.tokens[self.at + 1].text != r"\partial"
        ):
            raise self.error("a derivative is written \\partial ... / \\partial ...")
        self.at += 2
        start = self.at
        node = self.factor()
        if not isinstance(node, Symbol):
            raise DerivationError("a derivative is taken by a symbol", self.tokens[start].place)
        return self.operator(node, place) if of is None else Derivative(of, node, place=place)

    def plain_derivative(self) -> Node | None:
        """Parse `dC/dy_s`, in which d is no symbol; return None if it is something else."""
        start = self.at
        texts = [token.text for token in self.tokens[start : start + 40]]
        slash = next((n for n, text in enumerate(texts) if text == "/"), 0)
        if slash < 2 or texts[1] in ("_", "^") or texts[slash + 1 : slash + 2] != ["d"]:
            return None
        if texts[slash + 2 : slash + 3] in ([], ["_"], ["^"]) or self.tokens[start + 1].kind != "letter":
            return None
        self.at += 1
        of = self.factor()
        if self.at != start + slash:
            self.at = start
            return None
        self.at += 2
        by = self.factor()
        if not isinstance(by, Symbol):
            self.at = start
            return None
        return Derivative(of, by, place=self.tokens[start].place)

    def by(self, tokens: list[Token]) -> Symbol:
        """Return the symbol by which a derivative is taken."""
        node = self.part(tokens).whole()
        if not isinstance(node, Symbol):
            raise DerivationError("a derivative is taken by a symbol", tokens[0].place)
        return node

    def differential(self, place: Place) -> Node:
        r"""Parse `\mathrm{d}C` behind its d; behind a slash, `\mathrm{d}y_s` makes it a derivative."""
        moving = self.vocabulary.by
        if not moving or self.text in ("^", "_"):
            raise DerivationError("this differential is not known", place)
        start = self.at
        of = self.factor()
        if [token.text for token in self.tokens[self.at : self.at + 2]] == ["/", r"\differential"]:
            self.at += 2
            by = self.factor()
            if not isinstance(by, Symbol):
                raise DerivationError("a derivative is taken by a symbol", place)
            return Derivative(of, by, place=place)
        self.at = start
        return self.operator(Symbol(moving, self.vocabulary.alone, place=place), place, Differential)

    def operator(self, by: Symbol, place: Place, kind: type[Derivative | Differential] = Derivative) -> Node:
        """Parse what an operator is applied to: the next factor, or the rest of the term."""
        start = self.at
        narrow = self.factor()
        if not (self.starts_factor() or self.text in (r"\cdot", r"\times", "/")):
            return kind(narrow, by, place=place)
        self.notes.ambiguous = True
        if not self.wide:
            return kind(narrow, by, place=place)
        self.at = start
        return kind(self.term(), by, place=place)
