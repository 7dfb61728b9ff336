"""The backward slice of a notebook that one function needs. Executes nothing.

From the statement that defines the function, names are followed back to the statements that bind them:
imports, helpers, constants, classes, other functions, in notebook order. A name bound more than once means
the binding in effect when the cell of the *reading* function ran:

    cell 3   def loss(...)            <-- this one is meant by train()
    cell 4   def train(...): loss(...)
    cell 24  loss = criterion(...)    <-- not this one
"""

from __future__ import annotations

import ast
import builtins
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from grader.notebook.cells import Code, Definition, Statement

WRAPPERS = frozenset({"vectorize", "partial", "jit", "njit", "lru_cache", "cache", "wraps", "staticmethod"})
BUILTINS = frozenset(dir(builtins)) | {"display", "get_ipython", "__name__", "__file__"}


@dataclass(frozen=True)
class Slice:
    """The statements that a function needs, in notebook order, and the one that defines it."""

    name: str
    definition: Statement
    statements: tuple[Statement, ...]
    unbound: frozenset[str]

    @property
    def key(self) -> str:
        """A digest of the code, the same for any comments and white space."""
        text = "\n".join(ast.dump(_without_docstring(s.node)) for s in self.statements)
        return hashlib.sha256(f"{self.name}\n{text}".encode()).hexdigest()


def slice_function(code: Code, name: str) -> Slice | None:
    """Return the slice of the function `name`, None if the notebook does not define it."""
    definition = find_definition(code, name)
    if definition is None:
        return None
    tracer = _Tracer(tuple(code.statements))
    tracer.need(definition)
    return Slice(name, definition, tracer.result(), frozenset(tracer.unbound))


def find_definition(code: Code, name: str) -> Statement | None:
    """Return the last statement that binds `name` to something that can be called.

    A `def` (also inside `if`, `try`, `with`), a class, a lambda, or a wrapper around any of these counts;
    `loss = criterion(x)` does not take the place of `def loss`.
    """
    found = None
    for statement in code.statements:
        if name in statement.binds and _defines(statement.node, name, known=found is not None):
            found = statement
    if found is None:
        bound = [s for s in code.statements if name in s.binds]
        found = bound[-1] if bound else None
    return found


def definition_node(statement: Statement, name: str) -> ast.AST:
    """Return the innermost definition of `name` in a statement: the function, or the whole statement."""
    for node in ast.walk(statement.node):
        if isinstance(node, Definition) and node.name == name:
            return node
    return statement.node


def same_code(first: ast.AST, second: ast.AST) -> bool:
    """Whether two definitions are the same but for comments, white space and docstrings."""
    return ast.dump(_without_docstring(first)) == ast.dump(_without_docstring(second))


def _defines(node: ast.stmt, name: str, *, known: bool) -> bool:
    if any(isinstance(inner, Definition) and inner.name == name for inner in ast.walk(node)):
        return True
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return False
    value = node.value
    if isinstance(value, ast.Lambda):
        return True
    if isinstance(value, ast.Call):
        return _last_name(value.func) in WRAPPERS or _mentions(value, name)
    return isinstance(value, ast.Name | ast.Attribute) and not known


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Call):
        return _last_name(node.func)
    return node.id if isinstance(node, ast.Name) else ""


def _mentions(node: ast.AST, name: str) -> bool:
    return any(isinstance(inner, ast.Name) and inner.id == name for inner in ast.walk(node))


def _without_docstring(node: ast.AST) -> ast.AST:
    """Return a copy of a definition without docstrings."""
    copy = ast.parse(ast.unparse(node)) if isinstance(node, ast.stmt) else node
    for inner in ast.walk(copy):
        body = getattr(inner, "body", None)
        if isinstance(inner, Definition) and isinstance(body, list) and ast.get_docstring(inner) is not None:
            inner.body = body[1:] or [ast.Pass()]
    return copy


class _Tracer:
    """Follows names back to their bindings until nothing new is needed."""

    def __init__(self, statements: tuple[Statement, ...]) -> None:
        self.statements = statements
        self.needed: set[tuple[int, int]] = set()
        self.unbound: set[str] = set()
        self.bindings: dict[str, list[Statement]] = {}
        for statement in statements:
            for name in statement.binds:
                self.bindings.setdefault(name, []).append(statement)
        self.stars = [s for s in statements if _is_star_import(s.node)]

    def need(self, statement: Statement) -> None:
        """Add a statement, and all that it reads."""
        pending = [statement]
        while pending:
            current = pending.pop()
            if current.place in self.needed:
                continue
            self.needed.add(current.place)
            pending += self._bound(current.reads - current.binds, current, before=current.place)
            pending += self._bound(current.reads & current.binds, current, before=current.place)
            pending += self._bound(current.deferred, current, before=(current.cell, 1 << 30))
            pending += self._changes(current)

    def result(self) -> tuple[Statement, ...]:
        """Return the needed statements in notebook order, star imports before what follows them."""
        stars = {star.place for star in self.stars} if self.unbound - BUILTINS else set()
        return tuple(s for s in self.statements if s.place in self.needed | stars)

    def _bound(self, names: Iterable[str], reader: Statement, before: tuple[int, int]) -> Iterable[Statement]:
        for name in sorted(names):
            found = self._binding(name, reader, before)
            if found is not None:
                yield found
            elif name not in BUILTINS:
                self.unbound.add(name)

    def _binding(self, name: str, reader: Statement, before: tuple[int, int]) -> Statement | None:
        """Return the last binding before a place, else the first after it (a helper defined later)."""
        bindings = [s for s in self.bindings.get(name, []) if s.place != reader.place]
        earlier = [s for s in bindings if s.place < before]
        if earlier:
            return earlier[-1]
        if name in reader.binds or before[1] != 1 << 30:
            return None
        return bindings[0] if bindings else None

    def _changes(self, binding: Statement) -> Iterable[Statement]:
        """Return the statements that change in place what a plain assignment or an import bound."""
        imports = isinstance(binding.node, ast.Import | ast.ImportFrom)
        if isinstance(binding.node, Definition):
            return
        for statement in self.statements:
            if statement.touches & binding.binds and not (imports and isinstance(statement.node, ast.Expr)):
                yield statement


def _is_star_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
