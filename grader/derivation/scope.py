"""What symbols are: their definitions, and the numbers that they have on an instance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from grader.derivation.tensor import Array
from grader.derivation.tree import Node, Symbol, walk


@dataclass(frozen=True)
class Definition:
    """What a symbol with these indices is."""

    indices: tuple[str, ...]
    body: Node


@dataclass(frozen=True)
class Scope:
    """The definitions of symbols: the first gives the value, any that reaches it gives a derivative."""

    definitions: Mapping[str, tuple[Definition, ...]] = field(default_factory=dict)
    own: frozenset[str] = frozenset()
    """The symbols that the student introduced."""

    def reaches(self, node: Node, target: str, without: frozenset[str] = frozenset()) -> bool:
        """Return whether a tree depends on a symbol, by definitions."""
        for each in walk(node):
            if isinstance(each, Symbol) and each.name not in without:
                if each.name == target:
                    return True
                inner = without | {each.name}
                if any(self.reaches(d.body, target, inner) for d in self.definitions.get(each.name, ())):
                    return True
        return False

    def related(self, node: Node, name: str) -> bool:
        """Return whether a tree depends on a given symbol on which a defined one depends too."""
        if name not in self.definitions:
            return False
        given = {each.name for each in self._below(self.definitions[name][0].body, frozenset())}
        return any(each.name in given for each in self._below(node, frozenset()))

    def _below(self, node: Node, seen: frozenset[str]) -> Iterator[Symbol]:
        for each in walk(node):
            if isinstance(each, Symbol) and each.name not in seen:
                if each.name in self.definitions:
                    yield from self._below(self.definitions[each.name][0].body, seen | {each.name})
                else:
                    yield each

    def towards(self, name: str, target: str | None) -> Definition:
        """Return the definition of a symbol that reaches another, the first if none does."""
        definitions = self.definitions[name]
        if target is not None and len(definitions) > 1:
            for definition in definitions:
                if self.reaches(definition.body, target, frozenset({name})):
                    return definition
        return definitions[0]


@dataclass(frozen=True)
class Instance:
    """Numbers for the given symbols; sizes by their names. The size of points goes first."""

    sizes: Mapping[str, int]
    arrays: Mapping[str, Array]
