"""TeX macros of a notebook, which hold from the cell that defines them to the end, as with MathJax."""

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
BRACE = re.compile(r"\\.|[{}]", re.S)
MAX_STEPS, MAX_LENGTH, MAX_GROUP = 200, 20_000, 5000


@dataclass(frozen=True)
class Macro:
    """The replacement of a macro: `body` with #1, #2, ... for its arguments."""

    arguments: int
    body: str


@dataclass
class Macros:
    """The macros defined so far, by name."""

    by_name: dict[str, Macro] = field(default_factory=dict)

    def take(self, tex: str) -> str:
        """Add the definitions in `tex` and return it without them."""
        parts, position = [], 0
        while definition := DEFINITION.search(tex, position):
            end = self.define(tex, definition.start())
            if not end:
                break
            parts.append(tex[position : definition.start()])
            position = end
        return "".join([*parts, tex[position:]])

    def define(self, tex: str, position: int) -> int:
        """Add the definition at `position` and return the position after it, 0 if there is none."""
        definition = DEFINITION.match(tex, position)
        end = closing_brace(tex, definition.end()) if definition else -1
        if definition is None or end < 0:
            return 0
        body = tex[definition.end() + 1 : end - 1]
        groups = definition.groupdict()
        if groups["d"]:
            body = rf"\operatorname{groups['star']}{{{body}}}"
        name = next(groups[key] for key in "abcd" if groups[key])
        arguments = int(groups["count"] or (groups["parameters"] or "").count("#"))
        self.by_name[name] = Macro(arguments, body)
        return end

    def expand(self, tex: str) -> str:
        """Return `tex` with its macros replaced; a macro that contains itself, a limited number of times."""
        if not self.by_name:
            return tex
        names = "|".join(sorted(map(re.escape, self.by_name), key=len, reverse=True))
        call = re.compile(rf"\\({names})(?![A-Za-z])")
        for _ in range(MAX_STEPS):
            used = call.search(tex)
            if used is None or len(tex) > MAX_LENGTH:
                break
            macro, position = self.by_name[used[1]], used.end()
            arguments = []
            for _ in range(macro.arguments):
                argument, position = _argument(tex, position)
                arguments.append(argument)
            pieces = PARAMETER.split(macro.body)  # a text, a parameter's number, a text, ...
            for i in range(1, len(pieces), 2):
                number = int(pieces[i])
                pieces[i] = arguments[number - 1] if number <= len(arguments) else ""
            tex = f"{tex[: used.start()]}{{{''.join(pieces)}}}{tex[position:]}"
        return tex


def closing_brace(tex: str, position: int) -> int:
    """Return the position after the group that begins at `position`, or -1 if it has no end near it."""
    depth = 0
    for brace in BRACE.finditer(tex, position, position + MAX_GROUP):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0 and brace[0] == "}":
            return brace.end()
    return -1


def _argument(tex: str, position: int) -> tuple[str, int]:
    """Return the next argument (a group, a command or one character) and the position after it."""
    token = re.compile(r"\s*(\{|\\[A-Za-z]+|\\.|.|$)", re.S).match(tex, position)
    if token is None or token[1] != "{":
        return (token[1], token.end()) if token else ("", position)
    end = closing_brace(tex, token.start(1))
    return ("", token.end()) if end < 0 else (tex[token.end() : end - 1], end)
