r"""Breaks a long formula where TeX breaks one: after a relation or an operator that is in no group.

x_1 + \frac{a}{b} = c    ->    x_1 + {}   \frac{a}{b} = {}   c
"""

from __future__ import annotations

import re

RELATIONS = "approx|equiv|ge|geq|gg|in|le|leq|ll|mapsto|ne|neq|propto|sim|simeq|subset|subseteq|to"
OPERATORS = "cdot|cup|cap|oplus|otimes|pm|times|implies|iff|Rightarrow|Leftrightarrow"
TOKEN = re.compile(
    rf"\\(?P<open>left|begin)(?![A-Za-z])|\\(?P<close>right|end)(?![A-Za-z])"
    rf"|(?P<sign>\\(?:{RELATIONS}|{OPERATORS})(?![A-Za-z])|[=<>+,;-])"
    r"|(?P<other>\\[A-Za-z]+|\\.|[{}()\\[\\]^_|&]|[^\\s])",
    re.S,
)
STATES = ("\\displaystyle", "\\textstyle", "\\color", "\\over", "\\atop", "\\choose", "\\rm", "\\bf", "\\cal")


def breakable(tex: str) -> list[str]:
    """Return the pieces of a formula, one if there is no place to break it."""
    if any(state in tex for state in STATES):
        return [tex]  # what holds to the end of the formula would end with the piece
    pieces, position, depth, before = [], 0, 0, ""
    for token in TOKEN.finditer(tex):
        text = token[0]
        if token["open"] or text in "{([":
            depth += 1
        elif token["close"] or text in "})]":
            depth -= 1
        elif token["sign"] and not depth and before not in ("", "^", "_") and text not in "<>":
            pieces.append(tex[position : token.end()] + " {}")
            position = token.end()
            before = ""
            continue
        before = text
    rest = tex[position:]
    return [*pieces, rest] if rest.strip() else [tex]
