"""TeX macros of a notebook: MathJax keeps them from the cell that defines them to the end."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

DEFINITION = re.compile(
    r"\\(?:re|provide)?newcommand\*?\s*(?:\{\s*\\(?P<a>[A-Za-z]+)\s*\}|\\(?P<b>[A-Za-z]+))\s*"
    r"(?:\[(?P<count>\d)\])?\s*(?=\{)"
    r"|\\def\s*\\(?P<c>[A-Za-z]+)\s*(?P<parameters>(?:#\d)*)\s*(?=\{)"
    r"|\\DeclareMathOperator(?P<star>\*?)\s*\{\s*\\(?P<d>[A-Za-z]+)\s*\}\s*(?=\{)"
)
PARAMETER = re.compile(r"#([1-9])")
MAX_STEPS, MAX_LENGTH = 200, 20_000


@dataclass(frozen=True)
class Macro:
    """What a macro stands for: `body` with #1, #2, ... for its arguments."""

    arguments: int
    body: str


@dataclass
class Macros:
    """The macros that are known so far."""

    known: dict[str, Macro] = field(default_factory=dict)

    def take(self, tex: str) -> str:
        """Remember the definitions in `tex` and return it without them."""
        parts, position = [], 0
        while definition := DEFINITION.search(tex, position):
            end = closing_brace(tex, definition.end())
            if end < 0:
                break
            self._define(definition, tex[definition.end() + 1 : end - 1])
            parts.append(tex[position : definition.start()])
            position = end
        return "".join([*parts, tex[position:]])

    def expand(self, tex: str) -> str:
        """Return `tex` with its macros replaced; what does not end is left as it is."""
        if not self.known:
            return tex
        names = "|".join(sorted(map(re.escape, self.known), key=len, reverse=True))
        call = re.compile(rf"\\({names})(?![A-Za-z])")
        for _ in range(MAX_STEPS):
            found = call.search(tex)
            if found is None or len(tex) > MAX_LENGTH:
                break
            tex = self._expanded(tex, found)
        return tex

    def _define(self, definition: re.Match[str], body: str) -> None:
        groups = definition.groupdict()
        name = next(groups[key] for key in "abcd" if groups[key])
        if groups["d"]:
            body = rf"\operatorname{groups['star']}{{{body}}}"
        count = int(groups["count"] or (groups["parameters"] or "").count("#"))
        self.known[name] = Macro(count, body)

    def _expanded(self, tex: str, found: re.Match[str]) -> str:
        macro, position = self.known[found[1]], found.end()
        arguments = []
        for _ in range(macro.arguments):
            argument, position = _argument(tex, position)
            arguments.append(argument)
        body = PARAMETER.sub(lambda m: "".join(arguments[int(m[1]) - 1 : int(m[1])]), macro.body)
        return f"{tex[: found.start()]}{{{body}}}{tex[position:]}"


def closing_brace(tex: str, position: int) -> int:
    """Return where the group that opens at `position` ends (after its brace), -1 if it does not."""
    depth = 0
    for brace in re.finditer(r"\\.|[{}]", tex[position:], re.S):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0 and brace[0] == "}":
            return position + brace.end()
    return -1


def _argument(tex: str, position: int) -> tuple[str, int]:
    """Return the next argument, a group, a command or one character, and where it ends."""
    token = re.compile(r"\s*(\{|\\[A-Za-z]+|\\.|.|$)", re.S).match(tex, position)
    if token is None or token[1] != "{":
        return (token[1], token.end()) if token else ("", position)
    end = closing_brace(tex, token.start(1))
    return ("", token.end()) if end < 0 else (tex[token.end() : end - 1], end)
