"""A cursor over the tokens of an expression."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from grader.derivation.commands import CLOSE, OPEN
from grader.derivation.conditions import OPERATORS
from grader.derivation.latex import Token
from grader.derivation.tree import DerivationError, Place

BRACKETS = {"(": ")", "[": "]", r"\{": r"\}"}
RELATIONS = {"=", ":=", "=:", r"\approx", r"\propto", r"\Rightarrow", r"\Leftrightarrow", r"\sim", r"\subset"}


@dataclass(frozen=True)
class Vocabulary:
    """The words of a task: names as sequences of token texts, longest first, and the names of sizes."""

    names: tuple[tuple[tuple[str, ...], str], ...] = ()
    sizes: frozenset[str] = frozenset({"N"})
    functions: frozenset[str] = frozenset()
    """The symbols without indices that are functions of others: arguments may stand behind them."""
    by: str = ""
    """The symbol that \\partial_s differentiates by."""
    alone: tuple[str, ...] = ()
    """The indices of the only entry, or row, of it that moves in differentials; none if all do."""
    of: str = ""
    """The symbol that the task differentiates."""
    taken: frozenset[str] = frozenset()
    """The symbols with a meaning in the grammar that a student uses otherwise."""


@dataclass
class Notes:
    """What a parser and those of its parts find out together."""

    ambiguous: bool = False


@dataclass
class Cursor:
    """Tokens, and how far they are read."""

    tokens: list[Token]
    vocabulary: Vocabulary
    wide: bool = False
    depth: int = 0
    notes: Notes = field(default_factory=Notes)
    at: int = 0
    bars: list[str] = field(default_factory=list)

    @property
    def token(self) -> Token | None:
        """The next token."""
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    @property
    def text(self) -> str:
        """The text of the next token, '' at the end."""
        return self.tokens[self.at].text if self.at < len(self.tokens) else ""

    @property
    def kind(self) -> str:
        """The kind of the next token, '' at the end."""
        return self.tokens[self.at].kind if self.at < len(self.tokens) else ""

    @property
    def place(self) -> Place:
        """The place of the next token, or of the last."""
        return self.tokens[min(self.at, len(self.tokens) - 1)].place if self.tokens else Place(0, 0)

    def error(self, message: str) -> DerivationError:
        """Return an error at the next token."""
        return DerivationError(message, self.place)

    def part(self, tokens: list[Token]) -> Self:
        """Return a parser of some of the tokens."""
        if not tokens:
            raise self.error("an empty group")
        return type(self)(tokens, self.vocabulary, self.wide, self.depth + 1, self.notes)

    def take(self) -> Token:
        """Return the next token and go on."""
        if self.at >= len(self.tokens):
            raise self.error("the formula ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def argument(self) -> list[Token]:
        """Take a group in braces, without them, or one token."""
        if self.kind != "open":
            token = self.take()
            if token.text in ("_", "^", "&", "\\\\") or token.kind == "close":
                raise DerivationError("an argument is expected", token.place)
            return [token]
        start = self.at
        depth = 0
        while self.at < len(self.tokens):
            depth += {"open": 1, "close": -1}.get(self.kind, 0)
            self.at += 1
            if depth == 0:
                return self.tokens[start + 1 : self.at - 1]
        raise self.error("a brace { is not closed")

    def inside(self) -> list[Token]:
        """Take a group in braces or brackets, without them."""
        if self.kind == "open":
            return self.argument()
        start = self.at
        depth = 0
        while self.at < len(self.tokens):
            depth += (self.text in BRACKETS) - (self.text in BRACKETS.values())
            self.at += 1
            if depth == 0:
                return self.tokens[start + 1 : self.at - 1]
        self.at = start
        raise self.error("a bracket is not closed")

    def starts_factor(self) -> bool:
        """Return whether a factor can begin here."""
        token = self.token
        if token is None or token.kind in ("close", "end", "text"):
            return False
        if token.kind == "bar":
            return token.side == OPEN or (token.side != CLOSE and token.text not in self.bars[-1:])
        if token.kind in ("letter", "digit", "name", "open", "begin"):
            return True
        if token.kind == "command":
            closing = {
                r"\cdot",
                r"\times",
                r"\odot",
                r"\rangle",
                r"\to",
                r"\in",
                r"\quad",
                r"\forall",
                r"\vee",
            }
            return token.text not in closing and token.text not in OPERATORS and token.text not in RELATIONS
        return token.text in ("(", "[", r"\{", "𝟙")

    def argument_of_ones(self) -> None:
        """Take the length below a vector of ones."""
        self.at += 1
        tokens = self.argument()
        if "".join(token.text for token in tokens) not in self.vocabulary.sizes:
            raise DerivationError("a condition or a size is expected below", tokens[0].place)

    def skip_arguments(self) -> None:
        """Skip the arguments behind a symbol without indices, as in `C(y)`."""
        if self.text != "(":
            return
        start = self.at
        inner = self.inside()
        allowed = all(
            each.kind in ("letter", "open", "close") or each.text in (",", r"\{", r"\}", "_")
            for each in inner
        )
        if not inner or not allowed:
            self.at = start
