"""What symbols are: their definitions, and the numbers that they have on an instance."""

from __future__ import annotations

from collections.abc import Mapping
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
    _kept: dict[int, tuple[Node, frozenset[str]]] = field(default_factory=dict, compare=False, repr=False)

    def reaches(self, node: Node, target: str, without: frozenset[str] = frozenset()) -> bool:
        """Return whether a tree depends on a symbol, by definitions."""
        seen = set(without)
        names = list(self._symbols(node))
        while names:
            name = names.pop()
            if name in seen:
                continue
            if name == target:
                return True
            seen.add(name)
            for definition in self.definitions.get(name, ()):
                names += self._symbols(definition.body)
        return False

    def related(self, node: Node, name: str) -> bool:
        """Return whether a tree depends on a given symbol on which a defined one depends too."""
        if name not in self.definitions:
            return False
        return bool(self._given(self.definitions[name][0].body) & self._given(node))

    def _given(self, node: Node) -> set[str]:
        """Return the symbols without a definition on which a tree depends."""
        seen: set[str] = set()
        names = list(self._symbols(node))
        while names:
            name = names.pop()
            if name not in seen:
                seen.add(name)
                if name in self.definitions:
                    names += self._symbols(self.definitions[name][0].body)
        return seen - self.definitions.keys()

    def _symbols(self, node: Node) -> frozenset[str]:
        """Return the names of the symbols in a tree; they are kept."""
        if id(node) not in self._kept:
            names = frozenset(each.name for each in walk(node) if isinstance(each, Symbol))
            self._kept[id(node)] = node, names
        return self._kept[id(node)][1]

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
    directions: Mapping[str, Array] = field(default_factory=dict)
    """By what the task differentiates by, the direction in which it moves: its differential."""
