r"""Finds the formulas of a Markdown text by the rules of Jupyter: before Markdown is read.

A formula is `$a_1$`, `$$ ... $$`, `\\( ... \\)`, `\\[ ... \\]` or an environment such as `\begin{align}`, but
not in code. Each is replaced by a mark, because Markdown would interpret its underscores and backslashes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

OPEN, CLOSE = "\ue000", "\ue001"
MARK = re.compile(f"{OPEN}([0-9]{{1,9}}){CLOSE}")
START = re.compile(
    r"(?P<fence>(?:^|(?<=\n))[ ]{0,3}(?:`{3,}|~{3,})(?=[^\n]*\n))"
    r"|(?P<code>`+)"
    r"|(?P<escape>\\[$`])"
    r"|(?P<display>\$\$)"
    r"|\\begin\{(?P<environment>[A-Za-z]+\*?)\}"
    r"|(?P<bracket>\\\\\[)|(?P<paren>\\\\\()"
    r"|(?P<inline>\$)"
)
# What Jupyter looks at in a formula: where it may end, groups, and blank lines, over which none reaches.
TOKEN = re.compile(r"\\\\[()\[\]]|\\(?:begin|end)\{[A-Za-z]*\*?\}|\\[\\{}$]|\$\$?|[{}]|\n[ \t]*\n\s*")
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

        closers = {"inline": "$", "display": "$$", "bracket": r"\\]", "paren": r"\\)"}
        end = self._end_of_formula(start.end(), closers.get(kind, f"\\end{{{start['environment']}}}"))
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

    def _end_of_formula(self, position: int, closer: str) -> int:
        """Return the end of a formula that is closed by `closer`, 0 if it has none; as Jupyter finds it.

        A closer inside of a group is the end only if there is none outside.
        """
        if closer in self.endless:
            return 0
        inside = depth = 0
        seen = False
        for token in TOKEN.finditer(self.text, position, position + MAX_FORMULA):
            if token[0] == closer:
                seen = True
                if not depth:
                    return token.end()
                inside = token.end()
            elif token[0].startswith("\n"):
                return inside
            else:
                depth += {"{": 1, "}": -1 if depth else 0}.get(token[0], 0)
        if not seen and len(self.text) - position <= MAX_FORMULA:
            self.endless.add(closer)
        return inside
