"""Splits the tokens of a formula into rows, statements and sides."""

from __future__ import annotations

from grader.derivation.commands import REQUIRED
from grader.derivation.conditions import OPERATORS
from grader.derivation.latex import Token

EQUALITIES = {"=", ":=", "=:"}
OTHERS = r"\approx \propto \sim \simeq \to \in \mapsto \subset \subseteq"
RELATIONS = EQUALITIES | {*OTHERS.split(), *OPERATORS, REQUIRED}
SEPARATORS = {",", ";", r"\Rightarrow", r"\Leftrightarrow", r"\forall", r"\quad", r"\to", ":"}
JOINING = {"+", "-", r"\cdot", r"\times", "*", "/"}
BRACKETS = {"(": 1, "[": 1, r"\{": 1, r"\langle": 1, ")": -1, "]": -1, r"\}": -1, r"\rangle": -1}


def rows(tokens: list[Token]) -> list[list[Token]]:
    """Split at the line breaks that are in no brackets; a bracket without end holds nothing together."""
    rows: list[list[Token]] = [[]]
    breaks: set[int] = set()
    depth, lowest = 0, []
    for position, token in enumerate(tokens):
        depth = max(0, depth + _depth(token))
        lowest.append(depth)
        if token.text == "\\\\" and token.kind == "symbol":
            breaks.add(position)
    closed = set()
    ahead = len(tokens) + 1
    # A line break in brackets counts if the depth does not come down again to where a row began.
    for position in range(len(tokens) - 1, -1, -1):
        ahead = min(ahead, lowest[position])
        if position in breaks and lowest[position] > 0 and ahead == 0:
            closed.add(position)
    cases = 0
    for position, token in enumerate(tokens):
        if position in breaks and position not in closed:
            rows.append([])
        elif not (token.text == "\\\\" and position in closed and cases == 0):
            rows[-1].append(token)
        cases += {"begin": 1, "end": -1}.get(token.kind, 0)
    return [row for row in rows if row]


def without_remark(row: list[Token]) -> list[Token]:
    """Return a row without the remark in its last column."""
    for position in range(len(row) - 2):
        if row[position].text == row[position + 1].text == "&":
            after = row[position + 2]
            if after.kind == "text" or after.text in ("(", "["):
                return row[:position]
    return row


def without_alignment(tokens: list[Token]) -> list[Token]:
    """Return tokens without the marks of alignment; those of `cases` stay."""
    kept = []
    depth = 0
    for token in tokens:
        depth += {"begin": 1, "end": -1}.get(token.kind, 0)
        if depth or token.text != "&":
            kept.append(token)
    return kept


def _depth(token: Token) -> int:
    if token.kind in ("open", "begin"):
        return 1
    if token.kind in ("close", "end"):
        return -1
    return BRACKETS.get(token.text, 0) if token.kind in ("symbol", "command") else 0


def relations(tokens: list[Token]) -> list[Token]:
    """Return the relations that are in no brackets."""
    return [part for part in split_relations(tokens) if isinstance(part, Token)]


def split_relations(tokens: list[Token]) -> list[Token | list[Token]]:
    """Return the expressions and the relations between them; no two expressions stand side by side."""
    parts: list[Token | list[Token]] = []
    depth = 0
    for token in tokens:
        depth = max(0, depth + _depth(token))
        if depth == 0 and token.text in RELATIONS and token.kind in ("symbol", "command"):
            parts.append(token)
        elif parts and isinstance(parts[-1], list):
            parts[-1].append(token)
        else:
            parts.append([token])
    return parts


def statements(tokens: list[Token]) -> list[list[Token]]:
    """Split a row at commas, arrows and words; what is only punctuation falls away."""
    statements: list[list[Token]] = [[]]
    depth = 0
    for position, token in enumerate(tokens):
        depth = max(0, depth + _depth(token))
        separates = token.kind == "text" or (token.text in SEPARATORS and token.kind in ("symbol", "command"))
        if depth == 0 and token.text == r"\quad":
            rest = tokens[position + 1 :]
            separates = bool(relations(statements[-1])) and _starts_statement(rest)
        listed = (
            token.text == "," and len(statements) > 1 and [each.kind for each in statements[-1]] == ["letter"]
        )
        if depth == 0 and separates and not listed:  # `for i, j \neq s`
            statements.append([])
        else:
            statements[-1].append(token)
    found = []
    for statement in statements:
        kept = [token for token in statement if token.text != r"\quad"]
        while kept and kept[-1].text in (".", "!", "?"):
            kept.pop()
        if kept:
            found += _without_condition(kept, statement)
    return found


def _without_condition(tokens: list[Token], spaced: list[Token]) -> list[list[Token]]:
    r"""Split off a condition in brackets that ends a statement: `... (i \neq j)`."""
    if tokens[-1].text not in (")", "]") or len(tokens) < 6:
        return [tokens]
    depth = 0
    for position in range(len(tokens) - 1, 0, -1):
        depth -= _depth(tokens[position])
        if depth == 0:
            break
    else:
        return [tokens]
    wide = any(
        token.text == r"\quad" and token.end <= tokens[position].start for token in spaced[-len(tokens) :]
    )
    inner = tokens[position + 1 : -1]
    indicator = tokens[position - 1].text in ("𝟙", "1", "I", r"\chi") or (
        tokens[position].text == "[" and not wide
    )
    if wide and len(split_relations(inner)) > 2:  # a remark, or a definition
        return [tokens[:position], inner]
    if indicator or not is_condition(split_relations(inner)):
        return [tokens]
    return [tokens[:position], inner]


def _starts_statement(tokens: list[Token]) -> bool:
    """Return whether tokens behind a wide space are a statement of their own."""
    before = []
    for token in tokens:
        if token.text in SEPARATORS:
            break
        before.append(token)
    parts = split_relations(before)
    return len(parts) > 1 and isinstance(parts[0], list) and parts[0][0].text not in JOINING


def is_condition(parts: list[Token | list[Token]]) -> bool:
    r"""Return whether a statement compares indices, as in `i \neq j`."""
    sides = [part for part in parts if isinstance(part, list)]
    operators = {part.text for part in parts if isinstance(part, Token)}
    if not operators <= {*OPERATORS, r"\in"} or len(sides) < 2:
        return False
    letters = all(
        len(token.text) == 1 and (token.text in "ijklmnrstuvab(),123N") for side in sides for token in side
    )
    return letters and any(token.kind == "letter" for token in sides[0])
