r"""Finds the formulas of a Markdown text, as MathJax does in Jupyter: before Markdown is read.

A formula is `$a_1$`, `$$ ... $$`, `\\( ... \\)`, `\\[ ... \\]` or an environment such as `\begin{align}`, but
not in code. Each is replaced by a mark, because Markdown would interpret its underscores and backslashes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

OPEN, CLOSE = "\ue000", "\ue001"
MARK = re.compile(f"{OPEN}([0-9]{{1,9}}){CLOSE}")
ENVIRONMENTS = (
    "equation|align|aligned|alignat|gather|gathered|multline|eqnarray|split|flalign|cases|array"
    "|matrix|pmatrix|bmatrix|Bmatrix|vmatrix|Vmatrix|displaymath|math"
)
START = re.compile(
    r"(?P<fence>(?:^|(?<=\n))[ ]{0,3}(?:`{3,}|~{3,})(?=[^\n]*\n))"
    r"|(?P<code>`+)"
    r"|(?P<escape>\\[$`])"
    r"|(?P<display>\$\$)"
    rf"|\\begin\{{(?P<environment>(?:{ENVIRONMENTS})\*?)\}}"
    r"|(?P<bracket>\\\\\[)|(?P<paren>\\\\\()"
    r"|(?P<inline>(?<![\w\\$])\$(?![\s]*\n[\s]*\n))"
)
BLANK = re.compile(r"\n[ \t]*\n")
INLINE_END = re.compile(r"(?<!\\)\$(?!\d)")
MAX_FORMULA = 20_000


@dataclass(frozen=True)
class Found:
    """One formula: its TeX, whether it is displayed on lines of its own, and how it was written."""

    tex: str
    display: bool
    written: str


def take_formulas(text: str, keep: Callable[[Found], int]) -> str:
    """Return `text` with every formula replaced by the mark of the number that `keep` gives it."""
    text = text.replace(OPEN, "").replace(CLOSE, "")
    parts, position = [], 0
    search = _Search(text)
    while start := START.search(text, position):
        end, formula = search.at(start)
        parts.append(text[position : start.start()])
        parts.append(f"{OPEN}{keep(formula)}{CLOSE}" if formula else text[start.start() : end])
        position = end
    return "".join([*parts, text[position:]])


class _Search:
    """Finds the end of code and formulas.

    A delimiter that does not occur in the rest of the text is searched for once: a text full of delimiters
    without an end would take very long otherwise.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.endless: set[str] = set()

    def at(self, start: re.Match[str]) -> tuple[int, Found | None]:
        """Return the end of the code or formula that begins with `start`, and the formula if it is one."""
        kind = start.lastgroup or ""
        if kind == "escape":
            return start.end(), None
        if kind == "fence":
            fence = start["fence"].strip()
            closing = re.compile(rf"\n[ ]{{0,3}}{fence}[`~]*[ \t]*(?=\n|$)").search(self.text, start.end())
            end = closing.end() if closing else len(self.text)
            return end, None
        if kind == "code":
            end = self._end(start, start["code"], whole=r"(?<!`){}(?!`)")
            return end or start.end(), None

        if kind == "inline":
            closing = INLINE_END.search(self.text, start.end())
            inside = self.text[start.end() : closing.start()] if closing else ""
            end = closing.end() if closing and inside and not BLANK.search(inside) else 0
        else:
            closers = {"display": "$$", "bracket": r"\\]", "paren": r"\\)"}
            end = self._end(start, closers.get(kind, f"\\end{{{start['environment']}}}"))
        if not end or end - start.start() > MAX_FORMULA:
            return start.end(), None
        written = self.text[start.start() : end]
        # The delimiters are no TeX, but the \begin and \end of an environment are.
        size = {"inline": 1, "display": 2, "bracket": 3, "paren": 3}.get(kind, 0)
        tex = written[size : len(written) - size].strip()
        return end, Found(tex, kind not in ("inline", "paren"), written) if tex else None

    def _end(self, start: re.Match[str], closer: str, whole: str = "{}") -> int:
        """Return the end of the first `closer` after `start`, 0 if there is none.

        `whole` is the pattern to search for, with {} for the closer.
        """
        if closer in self.endless:
            return 0
        closing = re.compile(whole.format(re.escape(closer))).search(self.text, start.end())
        if closing is None:
            self.endless.add(closer)
        return closing.end() if closing else 0
