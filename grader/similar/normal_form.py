"""Code and answers in a form in which names, comments, numbers of blanks and layout make no difference.

The text is a student's: it is taken apart by expressions that go through it once, and parsed by nothing.
"""

from __future__ import annotations

import builtins
import keyword
import re

MAX_TEXT = 20_000
TOKEN = re.compile(
    r"(?P<comment>\#[^\n]*)"
    r"|(?P<long>\"\"\"(?:[^\"\\]|\\.|\"(?!\"\"))*\"\"\"|'''(?:[^'\\]|\\.|'(?!''))*''')"
    r"|(?P<text>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')"
    r"|(?P<number>\d[\w.]*)"
    r"|(?P<attribute>\.\s*[^\W\d]\w*)"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<line>\n)"
    r"|(?P<sign>\*\*|//|==|!=|<=|>=|->|:=|[-+*/%@&|^~<>=()\[\]{}:,;.])",
    re.S,
)
KEPT = frozenset(keyword.kwlist) | frozenset(dir(builtins))
WORD = re.compile(r"[^\W_]+")
SENTENCE = re.compile(r"[.!?\n]+")


def code_lines(text: str) -> list[str]:
    """Return the lines of code in normal form: names are `v`, attributes and numbers stay."""
    lines: list[str] = []
    tokens: list[str] = []
    depth = 0
    for found in TOKEN.finditer(text[:MAX_TEXT] + "\n"):
        kind, sign = found.lastgroup, found[0]
        if kind == "line":
            if tokens and depth <= 0:  # inside brackets a line goes on
                lines.append(" ".join(tokens))
                tokens = []
                depth = 0
        elif kind == "name":
            tokens.append(sign if sign in KEPT else "v")
        elif kind == "attribute":
            tokens.append(re.sub(r"\s", "", sign))
        elif kind == "text":
            tokens.append("s")
        elif kind in ("number", "sign"):
            depth += (sign in "([{") - (sign in ")]}") if kind == "sign" else 0
            tokens.append(sign)
    if tokens:
        lines.append(" ".join(tokens))
    return lines


def answer_lines(text: str) -> list[str]:
    """Return the sentences of an answer as words in small letters."""
    sentences = (WORD.findall(each.casefold()) for each in SENTENCE.split(text[:MAX_TEXT]))
    return [" ".join(words) for words in sentences if words]
