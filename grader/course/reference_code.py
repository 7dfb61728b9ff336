"""The reference solution as code that can be changed: variants, mutants and rewritings are made from it.

    namespace   the reference's functions, executed          sources   the text of each of their definitions

A changed function is put into a copy of the namespace in which all functions call each other, so that a
change shows wherever other functions build on it. All of this is the course's own code, and trusted.
"""

from __future__ import annotations

import ast
import contextlib
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from grader.errors import AssignmentError


@dataclass(frozen=True)
class Reference:
    """The functions of the reference, and the text of their definitions by name."""

    namespace: Mapping[str, Any]
    sources: Mapping[str, str] = field(default_factory=dict)

    def replaced(self, functions: Mapping[str, Callable[..., Any]]) -> dict[str, Any]:
        """Return a copy of the namespace in which every function calls `functions` in place of its own."""
        copied: dict[str, Any] = dict(self.namespace)
        for name, value in self.namespace.items():
            if isinstance(value, types.FunctionType) and value.__globals__ is self.namespace:
                rebuilt = types.FunctionType(
                    value.__code__, copied, name, value.__defaults__, value.__closure__
                )
                rebuilt.__kwdefaults__ = value.__kwdefaults__
                copied[name] = rebuilt
        for name, value in self.namespace.items():  # a class is executed again: its methods call the copies
            if isinstance(value, type) and name in self.sources:
                _execute(name, self.sources[name], copied)
        copied.update({name: function for name, function in functions.items() if name in copied})
        return copied

    def redefined(self, sources: Mapping[str, str]) -> dict[str, Any]:
        """Return a copy of the namespace in which the definitions in `sources` replace the reference's."""
        copied = self.replaced({})
        for name, source in sources.items():
            _execute(name, source, copied)
        return copied

    def edited(self, name: str, edits: Mapping[str, str]) -> str:
        """Return the text of a function with edits made; raise AssignmentError if one does not fit."""
        source = self.source(name)
        for old, new in edits.items():
            count = source.count(old)
            if count != 1:
                raise AssignmentError(
                    f"the text {old!r} occurs {count} times in the reference's {name}; an edit replaces a "
                    "text that occurs exactly once"
                )
            source = source.replace(old, new)
        return source

    def source(self, name: str) -> str:
        """Return the text of a function, or of a method's class; raise AssignmentError if there is none."""
        if root_of(name) not in self.sources:
            raise AssignmentError(f"the reference notebook defines no function {name!r}")
        return self.sources[root_of(name)]

    def used_by(self, name: str) -> frozenset[str]:
        """Return the reference's own functions that a function calls, directly or not, and itself."""
        used: set[str] = set()
        pending = [root_of(name)]
        while pending:
            current = pending.pop()
            if current not in used and current in self.sources:
                used.add(current)
                with contextlib.suppress(SyntaxError):  # the text cut from a cell may not parse alone
                    nodes = ast.walk(ast.parse(self.sources[current]))
                    pending += [node.id for node in nodes if isinstance(node, ast.Name)]
        return frozenset(used)


def root_of(name: str) -> str:
    """Return the function or class that the text of a subject is about: for a method, its class."""
    return name.removeprefix("class ").partition(".")[0]


def _execute(name: str, source: str, namespace: dict[str, Any]) -> None:
    exec(compile(source, f"<{name}, changed>", "exec"), namespace)  # noqa: S102 -- trusted code


def definitions(nodes: Iterable[tuple[ast.stmt, str]]) -> dict[str, str]:
    """Return the text of every function and class among statements, each given with its cell's source."""
    texts = {}
    for node, source in nodes:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            texts[node.name] = "\n".join(source.splitlines()[first - 1 : node.end_lineno]) + "\n"
    return texts
