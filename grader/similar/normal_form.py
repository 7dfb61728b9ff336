"""Code and answers in a form in which names, comments, numbers of blanks and layout make no difference.

The text is a student's: it is taken apart by expressions that go through it once, and parsed by nothing.
"""

from __future__ import annotations

import builtins
import keyword
import re
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Line:
    """A line or sentence in normal form, and where it stands in the text: from `start` up to `end`."""

    form: str
    start: int
    end: int


def code_lines(text: str) -> list[Line]:
    """Return the lines of code in normal form: names are `v`, attributes and numbers stay."""
    lines: list[Line] = []
    tokens: list[str] = []
    depth = start = end = 0
    for found in TOKEN.finditer(text[:MAX_TEXT] + "\n"):
        kind, sign = found.lastgroup, found[0]
        if kind == "line":
            if tokens and depth <= 0:  # inside brackets a line goes on
                lines.append(Line(" ".join(tokens), start, end))
                tokens = []
                depth = 0
            continue
        if kind == "comment":
            continue
        if not tokens:
            start = found.start()
        end = found.end()
        if kind == "name":
            tokens.append(sign if sign in KEPT else "v")
        elif kind == "attribute":
            tokens.append(re.sub(r"\s", "", sign))
        elif kind == "text":
            tokens.append("s")
        elif kind in ("number", "sign"):
            depth += (sign in "([{") - (sign in ")]}") if kind == "sign" else 0
            tokens.append(sign)
    if tokens:
        lines.append(Line(" ".join(tokens), start, end))
    return lines


def answer_lines(text: str) -> list[Line]:
    """Return the sentences of an answer as words in small letters."""
    lines: list[Line] = []
    start, text = 0, text[:MAX_TEXT]
    for end, after in [*((found.start(), found.end()) for found in SENTENCE.finditer(text)), (len(text), 0)]:
        words = list(WORD.finditer(text, start, end))
        if words:
            form = " ".join(word[0].casefold() for word in words)
            lines.append(Line(form, words[0].start(), words[-1].end()))
        start = after
    return lines
