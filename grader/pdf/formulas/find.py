r"""Finds the formulas of a Markdown text, as MathJax does in Jupyter: before Markdown is read.

`$a_1$`, `$$ ... $$`, `\\( ... \\)`, `\\[ ... \\]` and environments such as `\begin{align}`; none in
code. Each is replaced by a mark, because Markdown would take its underscores and backslashes for its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

OPEN, CLOSE = "\ue000", "\ue001"
MARK = re.compile(f"{OPEN}([0-9]+){CLOSE}")
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
    """One formula: its TeX, whether it stands on lines of its own, and how it was written."""

    tex: str
    display: bool
    written: str


def take_formulas(text: str, keep: Callable[[Found], int]) -> str:
    """Return `text` with every formula replaced by the mark of the number that `keep` gives it."""
    text = text.replace(OPEN, "").replace(CLOSE, "")
    parts, position = [], 0
    search = _Search(text)
    while start := START.search(text, position):
        end, found = search.at(start)
        parts.append(text[position : start.start()])
        parts.append(f"{OPEN}{keep(found)}{CLOSE}" if found else text[start.start() : end])
        position = end
    return "".join([*parts, text[position:]])


class _Search:
    """Finds where what starts somewhere ends; remembers what has no end, so that no text takes long."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.endless: set[str] = set()

    def at(self, start: re.Match[str]) -> tuple[int, Found | None]:
        """Return where a piece ends and the formula that it is, if it is one."""
        kind = start.lastgroup or ""
        if kind == "escape":
            return start.end(), None
        if kind == "fence":
            return self._fence(start), None
        if kind == "code":
            end = self._end(start, start["code"], whole=r"(?<!`){}(?!`)")
            return end or start.end(), None
        return self._formula(start, kind)

    def _formula(self, start: re.Match[str], kind: str) -> tuple[int, Found | None]:
        if kind == "inline":
            end = self._inline(start.end())
        else:
            closers = {"display": "$$", "bracket": r"\\]", "paren": r"\\)"}
            end = self._end(start, closers.get(kind, f"\\end{{{start['environment']}}}"))
        written = self.text[start.start() : end]
        if not end or end - start.start() > MAX_FORMULA:
            return start.end(), None
        size = {"inline": 1, "display": 2, "bracket": 3, "paren": 3}.get(kind, 0)
        tex = written[size : len(written) - size].strip()
        return end, Found(tex, kind not in ("inline", "paren"), written) if tex else None

    def _inline(self, position: int) -> int:
        """Return the end of an inline formula, which goes over no blank line; 0 if it has none."""
        closing = INLINE_END.search(self.text, position)
        if closing is None or closing.start() == position:
            return 0
        return 0 if BLANK.search(self.text, position, closing.start()) else closing.end()

    def _fence(self, start: re.Match[str]) -> int:
        fence = start["fence"].strip()
        closing = re.compile(rf"\n[ ]{{0,3}}{fence}[`~]*[ \t]*(?=\n|$)").search(self.text, start.end())
        return closing.end() if closing else len(self.text)

    def _end(self, start: re.Match[str], closer: str, whole: str = "{}") -> int:
        if closer in self.endless:
            return 0
        closing = re.compile(whole.format(re.escape(closer))).search(self.text, start.end())
        if closing is None:
            self.endless.add(closer)
        return closing.end() if closing else 0
