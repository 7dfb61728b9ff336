"""The atoms of the grammar: what has no operator in it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from itertools import accumulate

from grader.derivation.commands import FUNCTIONS
from grader.derivation.conditions import OPERATORS, parse_condition, parse_range
from grader.derivation.cursor import BRACKETS
from grader.derivation.differentiation import Differentiation
from grader.derivation.latex import Token
from grader.derivation.tree import (
    Cases,
    DerivationError,
    Function,
    Indicator,
    Node,
    Norm,
    Number,
    Ones,
    Pairing,
    Place,
    Product,
    Quotient,
    Sum,
    Symbol,
    Unknown,
)

GREEK = set(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi "
    "varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell hbar".split()
)
FUNCTION_NAMES = {"ln": "log", "Tr": "tr", "trace": "tr"}


@dataclass
class Atoms(Differentiation):
    """Parses atoms; what has operators in it is the parser's."""

    @abstractmethod
    def expression(self) -> Node:
        """Parse a sum of terms."""

    @abstractmethod
    def signed_term(self) -> Node:
        """Parse a term with its sign, if it has one."""

    @abstractmethod
    def divisor(self) -> Node:
        """Parse what stands behind a slash."""

    def indices(self, tokens: list[Token]) -> tuple[str | int, ...]:
        """Return the indices below a symbol: `ij`, `i,j`, `s`, `1`."""
        found: list[str | int] = []
        for token in tokens:
            if token.text == "," or token.kind in ("open", "close"):
                continue
            if token.text == "'" and found and isinstance(found[-1], str):
                found[-1] += "'"
            elif token.kind == "digit":
                found.append(int(token.text))
            elif (token.kind == "letter" and len(token.text) == 1) or token.text[1:] in GREEK:
                found.append(token.text)
            else:
                raise DerivationError(f"{token.text} is no index", token.place)
        if not found or len(found) > 4:
            raise self.error("between one and four indices are expected")
        return tuple(found)

    def atom(self) -> Node:  # noqa: PLR0911 -- one return a kind of atom
        """Parse what has no operator in it."""
        place = self.place
        if not self.starts_factor():
            raise self.error(
                f"{self.text} is not expected here" if self.text else "the formula ends too early"
            )
        if self.text == "d" and (node := self.plain_derivative()) is not None:
            return node
        for texts, name in self.vocabulary.names:
            if tuple(token.text for token in self.tokens[self.at : self.at + len(texts)]) == texts:
                self.at += len(texts)
                if name in self.vocabulary.functions:
                    self.skip_arguments()
                return Symbol(name, place=place)
        token = self.take()
        text = token.text
        if token.kind == "bar":
            self.bars.append(text)
            body = self.expression()
            if self.kind != "bar" or self.text != text:
                raise DerivationError("a bar is not closed", place)
            self.at += 1
            self.bars.pop()
            return Norm(body, place=place)
        if text == "𝟙" or (
            text in ("1", "I", r"\chi") and self.text in ("_", *BRACKETS) and self.has_condition()
        ):
            return self.indicator(place)
        if token.kind == "digit":
            return self.number(token)
        if token.kind == "open":
            self.at -= 1
            inner = self.argument()
            depths = list(accumulate({"open": 1, "close": -1}.get(each.kind, 0) for each in inner))
            over = [n for n, each in enumerate(inner) if each.text == r"\over" and depths[n] == 0]
            if over:
                return self.ratio(inner[: over[0]], inner[over[0] + 1 :], place)
            return self.part(inner).whole()
        if text in BRACKETS:
            return self.bracket(token)
        if token.kind == "begin":
            return self.cases(place)
        if text.lstrip("\\") in FUNCTIONS or text in FUNCTION_NAMES:
            return self.function(text.lstrip("\\"), place)
        if text in (r"\sum", r"\prod"):
            return self.sum(text[1:], place)
        if text == r"\frac":
            return self.fraction(place)
        if text == r"\partial":
            return self.derivative(place)
        if text == r"\differential":
            return self.differential(place)
        if text == r"\nabla":
            if self.text != "_":
                raise DerivationError("\\nabla needs the variable below it", place)
            self.at += 1
            return self.operator(self.by(self.argument()), place)
        if text == r"\langle":
            left = self.expression()
            if self.take().text != ",":
                raise DerivationError("an inner product needs a comma", place)
            right = self.expression()
            if self.take().text != r"\rangle":
                raise DerivationError("\\langle is not closed", place)
            return Pairing(left, right, place=place)
        if token.kind == "name":
            if text.rstrip(".") == "const":
                return Unknown(place=place)
            return Symbol(text, place=place)
        if token.kind == "letter" or text[1:] in GREEK:
            return Symbol(text, place=place)
        raise DerivationError(f"{text} is not known", place)

    def number(self, first: Token) -> Node:
        """Parse the digits that stand together."""
        text = first.text
        if self.at >= 2 and self.tokens[self.at - 2].text == r"\frac":  # \frac12
            return Number(float(text), place=first.place)
        while self.kind == "digit" or (
            self.text == "." and "." not in text and self.tokens[self.at + 1 : self.at + 2]
            and self.tokens[self.at + 1].kind == "digit"
        ):  # fmt: skip
            text += self.take().text
        if len(text) > 15:
            raise DerivationError("a number of more than 15 digits", first.place)
        return Number(float(text), place=first.place)

    def bracket(self, opening: Token) -> Node:
        """Parse an expression in brackets, or Iverson's brackets around a condition."""
        if opening.text == "[":
            self.at -= 1
            start = self.at
            if self.has_condition():
                try:
                    return self.indicator(opening.place)
                except DerivationError:  # what is compared stands deeper: [a - \mathbb{1}[i = s]]
                    self.at = start
            self.at += 1
        bars, self.bars = self.bars, []
        node = self.expression()
        self.bars = bars
        if self.text != BRACKETS[opening.text]:
            raise DerivationError(f"the bracket {opening.text} is not closed", opening.place)
        self.at += 1
        return node

    def has_condition(self) -> bool:
        """Return whether the group that follows holds a condition on indices."""
        start = self.at
        self.at += self.text == "_"
        try:
            tokens = self.inside() if self.text else []
        except DerivationError:
            tokens = []
        self.at = start
        return any(token.text in OPERATORS for token in tokens) and not any(
            token.text == r"\sum" for token in tokens
        )

    def indicator(self, place: Place) -> Node:
        """Parse the condition behind an indicator; without one it is the vector of ones."""
        if self.text not in ("_", *BRACKETS) or not self.has_condition():
            if self.text == "_":
                self.argument_of_ones()
            return Ones(place=place)
        self.at += self.text == "_"
        return Indicator(parse_condition(self.inside()), place=place)

    def cases(self, place: Place) -> Node:
        """Parse `cases`."""
        rows: list[list[Token]] = [[]]
        inside = 0  # in how many other cases, which have rows of their own
        while self.kind and (inside or self.kind != "end"):
            token = self.take()
            inside += (token.kind == "begin") - (token.kind == "end")
            if token.text == "\\\\" and not inside:
                rows.append([])
            else:
                rows[-1].append(token)
        self.take()
        values, conditions = [], []
        for row in (row for row in rows if row):
            depths = list(accumulate((token.kind == "begin") - (token.kind == "end") for token in row))
            own = [(n, token) for n, (token, depth) in enumerate(zip(row, depths, strict=True)) if not depth]
            at = next((n for n, token in own if token.text == "&"), None)
            if at is None:
                at = next((n for n, token in own if token.kind == "text" or token.text == ","), len(row))
            value = [token for token in row[:at] if token.text != r"\quad"]
            while value and value[-1].text in (",", ";"):
                value.pop()
            rest = [token for token in row[at:] if token.text not in ("&", r"\quad")]
            values.append(self.part(value).whole())
            conditions.append(parse_condition(rest))
        if not values:
            raise DerivationError("no case is here", place)
        return Cases(tuple(values), tuple(conditions), place=place)

    def function(self, name: str, place: Place) -> Node:
        """Parse a function's argument: a group, brackets, or the factors that follow."""
        name = FUNCTION_NAMES.get(name, name)
        if self.text in ("^", "_"):
            raise self.error(f"{name} with an exponent or a base is not known")
        if name == "sqrt" and self.text == "[":
            raise self.error("a root with a degree is not known")
        if self.kind == "open":
            return Function(name, self.part(self.argument()).whole(), place=place)
        if self.text in BRACKETS:
            start = self.at
            node = self.bracket(self.take())
            if self.text not in ("^", "_"):
                return Function(name, node, place=place)
            self.notes.ambiguous = True
            if not self.wide:
                return Function(name, node, place=place)
            self.at = start
        minus = self.text == "-"
        minus_place = self.place
        self.at += minus
        first = self.factor()
        if (
            self.starts_factor() and self.text.lstrip("\\") not in FUNCTIONS and self.text != r"\sum"
        ) or self.text == "/":
            self.notes.ambiguous = True
            if self.wide:
                factors = [first]
                while (
                    self.starts_factor() and self.text.lstrip("\\") not in FUNCTIONS and self.text != r"\sum"
                ):
                    factors.append(self.factor())
                first = product(factors, place)
                if self.text == "/":
                    self.at += 1
                    first = Quotient(first, self.divisor(), place=place)
        return Function(name, negative(first, minus_place) if minus else first, place=place)

    def sum(self, kind: str, place: Place) -> Node:
        """Parse a sum: its range, and as its body the rest of the term."""
        below: list[Token] = []
        above: list[Token] = []
        while self.text in ("_", "^"):
            if self.take().text == "_":
                below = self.argument()
            else:
                above = self.argument()
        if not below:
            raise DerivationError("a sum has no index", place)
        indices, condition, uppers = parse_range(below, above, self.vocabulary.sizes)
        body = self.signed_term()
        return Sum(kind, indices, condition, body, uppers, place=place)

    def fraction(self, place: Place) -> Node:
        """Parse a fraction, which may be a derivative or an operator."""
        return self.ratio(self.argument(), self.argument(), place)


def product(factors: list[Node], place: Place) -> Node:
    """Return the product of factors, the factor itself if there is one."""
    return factors[0] if len(factors) == 1 else Product(tuple(factors), place=place)


def negative(node: Node, place: Place) -> Node:
    """Return a node times -1."""
    if isinstance(node, Number):
        return Number(-node.value, place=place)
    return Product((Number(-1.0, place=place), node), place=place)
