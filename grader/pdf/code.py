"""Code with syntax colours, as rows."""

from __future__ import annotations

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Token, _TokenType
from pygments.util import ClassNotFound

from grader.pdf.rows import COLUMNS, PLAIN, Row, Run, Style, set_rows
from grader.pdf.text import plain

MAX_HIGHLIGHTED = 200_000
PALETTE = {
    Token.Comment: Style("#5f6b76", italic=True),
    Token.Keyword: Style("#8250df", bold=True),
    Token.Keyword.Constant: Style("#0550ae", bold=True),
    Token.Name.Builtin: Style("#0a6a75"),
    Token.Name.Builtin.Pseudo: Style("#953800", italic=True),
    Token.Name.Class: Style("#0550ae", bold=True),
    Token.Name.Decorator: Style("#953800"),
    Token.Name.Exception: Style("#a0111f"),
    Token.Name.Function: Style("#0550ae", bold=True),
    Token.Name.Namespace: Style("#24292f"),
    Token.Number: Style("#a14000"),
    Token.Operator: Style("#57606a"),
    Token.Operator.Word: Style("#8250df", bold=True),
    Token.String: Style("#0b6b2c"),
    Token.String.Doc: Style("#0b6b2c", italic=True),
    Token.String.Interpol: Style("#0550ae"),
}


def set_code(source: str, language: str = "python", columns: int = COLUMNS) -> list[Row]:
    """Return the rows of a piece of code; a language that is not known is set in one colour."""
    text = plain(source).strip("\n")
    lexer = _lexer(language) if len(text) <= MAX_HIGHLIGHTED else None
    if lexer is None:
        return set_rows([(text, PLAIN)], columns)
    runs: list[Run] = [(part, _style(token)) for token, part in lexer.get_tokens(text)]
    rows = set_rows(runs, columns)
    return rows[:-1] if len(rows) > 1 and not rows[-1].runs else rows  # pygments ends with a newline


def _lexer(language: str) -> Lexer | None:
    name = "python" if language.lower() in ("ipython", "ipython3") else language
    try:
        return get_lexer_by_name(name, stripnl=False, ensurenl=True)
    except ClassNotFound:
        return None


def _style(token: _TokenType) -> Style:
    kind: _TokenType | None = token
    while kind is not None:
        if kind in PALETTE:
            return PALETTE[kind]
        kind = kind.parent
    return PLAIN
