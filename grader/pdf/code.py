"""Rows of code with syntax colours."""

from __future__ import annotations

from contextlib import suppress

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Token, _TokenType
from pygments.util import ClassNotFound

from grader.pdf.rows import COLUMNS, PLAIN, Row, Run, Style, set_rows
from grader.pdf.text import plain

MAX_HIGHLIGHTED = 200_000  # characters; longer code is set in one colour, because pygments would take long
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
    """Return the rows of a piece of code, with colours if pygments knows the language."""
    text = plain(source).strip("\n")
    lexer: Lexer | None = None
    if len(text) <= MAX_HIGHLIGHTED:
        with suppress(ClassNotFound):
            name = "python" if language.lower() in ("ipython", "ipython3") else language
            lexer = get_lexer_by_name(name, stripnl=False, ensurenl=True)
    if lexer is None:
        return set_rows([(text, PLAIN)], columns)

    runs: list[Run] = []
    for token, part in lexer.get_tokens(text):
        # A kind of token that is not in the palette looks like the next wider kind that is.
        kind: _TokenType | None = token
        while kind is not None and kind not in PALETTE:
            kind = kind.parent
        runs.append((part, PLAIN if kind is None else PALETTE[kind]))
    rows = set_rows(runs, columns)
    # Pygments adds a newline at the end, which would be an empty last row.
    return rows[:-1] if len(rows) > 1 and not rows[-1].runs else rows
