r"""Finds the formulas of a text by the rules of Jupyter: in Markdown before it is read, in HTML afterwards.

A formula is `$a_1$`, `$$ ... $$`, `\\( ... \\)`, `\\[ ... \\]` (in HTML with one backslash) or an environment
such as `\begin{align}`, but not in code. Each is replaced by a mark, because Markdown would interpret its
underscores and backslashes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

OPEN, CLOSE = "\ue000", "\ue001"
MARK = re.compile(f"{OPEN}([0-9]{{1,9}}){CLOSE}")
ENVIRONMENT = r"\\begin\{(?P<environment>[A-Za-z]+\*?)\}"
REFERENCE = r"(?P<reference>\\(?:eq)?ref\{[^{}\n]*\})"  # MathJax reads it outside of formulas, too


@dataclass(frozen=True)
class Rules:
    """Where a formula may start, what is looked at in it, and what ends `bracket` and `paren`."""

    start: re.Pattern[str]
    token: re.Pattern[str]
    bracket: str
    paren: str


# In a formula, Jupyter looks at where it may end, at groups, and in Markdown at blank lines, which end all.
MARKDOWN = Rules(
    re.compile(
        r"(?P<fence>(?:^|(?<=\n))[ ]{0,3}(?:`{3,}(?=[^`\n]*\n)|~{3,}(?=[^\n]*\n)))"
        r"|(?P<code>`+)"
        r"|(?P<escape>\\[$`])"
        r"|(?P<display>\$\$)"
        r"|(?P<definition>\\(?:(?:re|provide)?newcommand|def|DeclareMathOperator)(?![A-Za-z]))"
        rf"|{ENVIRONMENT}|{REFERENCE}"
        r"|(?P<bracket>\\\\\[)|(?P<paren>\\\\\()"
        r"|(?P<inline>\$)"
    ),
    re.compile(r"\\\\[()\[\]]|\\(?:begin|end)\{[A-Za-z]*\*?\}|\\[\\{}$]|\$\$?|[{}]|\n[ \t]*\n\s*"),
    r"\\]",
    r"\\)",
)
HTML = Rules(
    re.compile(
        rf"(?P<escape>\\[$\\])|(?P<display>\$\$)|{ENVIRONMENT}|{REFERENCE}|(?P<bracket>\\\[)|(?P<paren>\\\()|(?P<inline>\$)"
    ),
    re.compile(r"\\(?:begin|end)\{[A-Za-z]*\*?\}|\\[\\{}$()\[\]]|\$\$?|[{}]"),
    r"\]",
    r"\)",
)
# The environments that MathJax knows; others are LaTeX for a page (tabular, enumerate, Verbatim).
MATHEMATICAL = re.compile(
    r"\\begin\{(?:x{0,2}align(?:ed|at|edat)?|array|CD|displaymath|eqnarray|equation|gather(?:ed)?|math|multlined?"
    r"|split|subarray|[bBpvV]?(?:small)?matrix|[dr]?cases|drcases)\*?\}"
)
MAX_FORMULA = 20_000


@dataclass(frozen=True)
class Found:
    """One formula: its TeX, whether it is displayed on lines of its own, and how it was written."""

    tex: str
    display: bool
    written: str


def take_formulas(
    text: str,
    keep: Callable[[Found], int],
    rules: Rules = MARKDOWN,
    define: Callable[[str, int], int] = lambda text, position: 0,
) -> str:
    """Return `text` with every formula replaced by the mark of the number that `keep` gives it.

    `define` returns the end of a definition of a macro outside of formulas and code, which is left out; after
    the first for which it returns 0, all are kept.
    """
    text = text.replace(OPEN, "").replace(CLOSE, "")
    parts, position = [], 0
    search = _Search(text, rules)
    while start := rules.start.search(text, position):
        parts.append(text[position : start.start()])
        if start.lastgroup == "definition" and "definition" not in search.endless:
            position = define(text, start.start())
            if position:
                continue
            search.endless.add("definition")
        end, formula = search.at(start)
        parts.append(f"{OPEN}{keep(formula)}{CLOSE}" if formula else text[start.start() : end])
        position = end
    return "".join([*parts, text[position:]])


def is_formula(text: str) -> bool:
    """Say whether a text is one or more formulas, and nothing else."""
    found: list[Found] = []

    def keep(formula: Found) -> int:
        found.append(formula)
        return 0

    rest = MARK.sub("", take_formulas(text, keep, HTML))
    known = all(MATHEMATICAL.match(each.tex) for each in found if each.tex == each.written)
    return bool(found) and known and not rest.strip(" \n\t.,;")


class _Search:
    """Finds the end of code and formulas.

    A delimiter that does not occur in the rest of the text is searched for once: a text full of delimiters
    without an end would take very long otherwise.
    """

    def __init__(self, text: str, rules: Rules) -> None:
        self.text = text
        self.rules = rules
        self.endless: set[str] = set()

    def at(self, start: re.Match[str]) -> tuple[int, Found | None]:
        """Return the end of the code or formula that begins with `start`, and the formula if it is one."""
        kind = start.lastgroup or ""
        if kind in ("escape", "definition"):
            return start.end(), None
        if kind == "fence":
            fence = start["fence"].strip()
            closing = re.compile(rf"\n[ ]{{0,3}}{fence}[`~]*[ \t]*(?=\n|$)").search(self.text, start.end())
            end = closing.end() if closing else len(self.text)
            return end, None
        if kind == "code":
            end = self._end(start, start["code"], whole=r"(?<!`){}(?!`)")
            return end or start.end(), None

        if kind == "reference":
            return start.end(), Found(start[0], display=False, written=start[0])

        closers = {"inline": "$", "display": "$$", "bracket": self.rules.bracket, "paren": self.rules.paren}
        end = self._end_of_formula(start.end(), closers.get(kind, f"\\end{{{start['environment']}}}"))
        if not end or end - start.start() > MAX_FORMULA:
            return start.end(), None
        written = self.text[start.start() : end]
        # The delimiters are no TeX, but the \begin and \end of an environment are.
        size = len(closers.get(kind, ""))
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
        for token in self.rules.token.finditer(self.text, position, position + MAX_FORMULA):
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
