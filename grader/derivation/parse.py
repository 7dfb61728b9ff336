r"""The grammar of indexed mathematics: from tokens to trees, by recursive descent of bounded depth.

    expression = [sign] term { (+ | -) term }
    term       = factor { [\cdot | \times | * | \odot | /] factor }     a sum takes the rest of its term
    factor     = atom { ^ exponent | _ indices }
    atom       = number | symbol | ( expression ) | \frac | norm | function | sum | derivative | indicator
                 | cases

Where usage differs (`\log a b`, `a / b c`, what an operator in front of brackets takes) there are two
readings, and both are returned. What is outside the grammar raises DerivationError with its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.derivation.atoms import GREEK, Atoms, negative, product
from grader.derivation.conditions import parse_condition
from grader.derivation.cursor import BRACKETS, Vocabulary
from grader.derivation.latex import Token
from grader.derivation.tree import (
    Add,
    Compare,
    DerivationError,
    Entry,
    Entrywise,
    Function,
    Indicator,
    Inner,
    Node,
    Norm,
    Place,
    Power,
    Quotient,
    Symbol,
    Transpose,
    depth_of,
)

MAX_DEPTH = 80
MAX_TREE_DEPTH = 90
TRANSPOSED = {"T", r"\top"}


def parse_expression(tokens: Sequence[Token], vocabulary: Vocabulary) -> tuple[Node, ...]:
    """Return the readings of an expression, the narrow one first; raise DerivationError."""
    parser = _Parser(list(tokens), vocabulary)
    first = parser.whole()
    if depth_of(first) > MAX_TREE_DEPTH:
        raise DerivationError("the formula is nested too deeply", first.place)
    if not parser.notes.ambiguous:
        return (first,)
    try:
        second = _Parser(list(tokens), vocabulary, wide=True).whole()
    except DerivationError:
        return (first,)
    return (first,) if depth_of(second) > MAX_TREE_DEPTH or first == second else (first, second)


@dataclass
class _Parser(Atoms):
    """Parses expressions, terms and factors."""

    def whole(self) -> Node:
        """Parse all tokens as one expression."""
        if not self.tokens:
            raise DerivationError("an expression is expected, and nothing is here")
        node = self.expression()
        if self.at < len(self.tokens):
            raise self.error(f"{self.text} is not expected here")
        return node

    def expression(self) -> Node:
        """Parse a sum of terms."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error("the formula is nested too deeply")
        place = self.place
        terms = [self.signed_term()]
        while self.text in ("+", "-"):
            terms.append(self.signed_term())
        self.depth -= 1
        return terms[0] if len(terms) == 1 else Add(tuple(terms), place=place)

    def signed_term(self) -> Node:
        """Parse a term with its sign, if it has one."""
        place = self.place
        if self.text == "+":
            self.at += 1
        elif self.text == "-":
            self.at += 1
            return negative(self.term(), place)
        return self.term()

    def term(self, product_only: bool = False) -> Node:
        """Parse a product; with `product_only` up to the next operator."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error("the formula is nested too deeply")
        place = self.place
        node = self.factor()
        factors = [node]
        while True:
            if self.starts_factor():
                factors.append(self.factor())
                continue
            text = self.text
            if product_only or text not in (r"\cdot", r"\times", "*", r"\odot", "/"):
                break
            self.at += 1
            here = product(factors, place)
            if text == "/":
                factors = [Quotient(here, self.divisor(), place=place)]
                continue
            right_place = self.place
            minus = self.text == "-"
            self.at += minus
            right = self.factor()
            right = negative(right, right_place) if minus else right
            # A dot binds no tighter than juxtaposition; it is told apart for two vectors only.
            factors = (
                [Entrywise(here, right, place=place)]
                if text == r"\odot"
                else [Inner(here, right, place=place)]
            )
        self.depth -= 1
        return product(factors, place)

    def divisor(self) -> Node:
        """Parse what stands behind a slash: one factor, or all that follow."""
        place = self.place
        first = self.factor()
        if not self.starts_factor():
            return first
        self.notes.ambiguous = True
        if not self.wide:
            return first
        factors = [first]
        while self.starts_factor():
            factors.append(self.factor())
        return product(factors, place)

    def factor(self) -> Node:
        """Parse an atom with what stands above and below it."""
        place = self.place
        start = self.at
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error("the formula is nested too deeply")
        node = self.atom()
        self.depth -= 1
        bracket = self.tokens[start].text in BRACKETS
        exponents: list[list[Token]] = []
        lower: list[Token] | None = None
        while self.text in ("^", "_", "'"):
            mark = self.take().text
            if mark == "'":
                if not isinstance(node, Symbol) or node.indices or lower or exponents:
                    raise self.error("a prime is not expected here")
                node = Symbol(node.name + "'", place=place)
            elif mark == "^":
                exponents.append((self.token and self.negative_exponent()) or self.argument())
            elif lower is not None:
                raise self.error("two indices below one symbol")
            else:
                group = self.kind == "open"
                lower = self.argument()
                # `p_ij` is meant as `p_{ij}` where j could be no factor
                while not group and self.is_slip(lower[-1]):
                    lower = [*lower, self.take()]
                transposed = bool(exponents) and {token.text for token in exponents[-1]} <= TRANSPOSED
                if isinstance(node, Symbol) and not node.indices and not transposed:
                    node = self.indexed(node, lower, place)
                elif isinstance(node, Norm):
                    if "".join(token.text for token in lower) not in ("2", "F"):
                        raise DerivationError("this norm is not known", lower[0].place)
                elif bracket or transposed:
                    node = self.raised(node, exponents, place)
                    exponents = []
                    node = Entry(node, self.indices(lower), place=place)
                else:
                    raise DerivationError("an index is not expected here", lower[0].place)
        return self.raised(node, exponents, place)

    def negative_exponent(self) -> list[Token]:
        """Take `^-1`, which lacks its braces, as it is meant; nothing if it is something else."""
        sign, *rest = self.tokens[self.at : self.at + 3]
        if sign.text != "-" or not rest:
            return []
        if rest[0].kind not in ("digit", "letter") and rest[0].text[1:] not in GREEK:
            return []
        if [token.kind for token in rest] == ["digit", "digit"] and not rest[1].spaced:
            raise self.error("an exponent of two digits needs braces")
        self.at += 2
        return [sign, rest[0]]

    def is_slip(self, last: Token) -> bool:
        """Return whether the next letter belongs to the index before it, whose braces are missing."""
        token = self.token
        if token is None or token.kind != "letter" or token.spaced or last.kind != "letter":
            return False
        named = {texts[0] for texts, _ in self.vocabulary.names if len(texts) == 1}
        following = self.tokens[self.at + 1].text if self.at + 1 < len(self.tokens) else ""
        return (
            len(token.text) == 1
            and token.text in "abcghijklmnrstuv"
            and token.text not in named
            and following != "_"
        )

    def raised(self, node: Node, exponents: list[list[Token]], place: Place) -> Node:
        """Return a node with exponents."""
        for tokens in exponents:
            if len(tokens) == 1 and tokens[0].text in TRANSPOSED:
                node = Transpose(node, place=place)
            else:
                exponent = self.part(tokens).whole()
                if isinstance(node, Symbol) and node.name == "e" and not node.indices:
                    node = Function("exp", exponent, place=place)
                else:
                    node = Power(node, exponent, place=place)
        return node

    def indexed(self, node: Symbol, tokens: list[Token], place: Place) -> Node:
        """Return a symbol with indices; Kronecker's delta is an indicator."""
        kronecker = node.name == r"\delta" and node.name not in self.vocabulary.taken
        if kronecker and any(token.text == "=" for token in tokens):
            return Indicator(parse_condition(tokens), place=place)
        indices = self.indices(tokens)
        if kronecker and len(indices) == 2:
            return Indicator(Compare("=", indices[0], indices[1], place=place), place=place)
        named = {name for _, name in self.vocabulary.names}
        if node.name not in named and all(isinstance(index, int) for index in indices):
            return Symbol(f"{node.name}_{''.join(map(str, indices))}", place=place)  # a name, as T_1
        return Symbol(node.name, indices, place=place)
