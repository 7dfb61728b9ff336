"""Which global names one top-level statement binds, reads and changes. Executes nothing.

Scopes come from Python's own symbol table. What it does not say (which object a statement changes in place,
whether a name is bound on every path) is read from the syntax tree.
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Imported = ast.Import | ast.ImportFrom
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp
COMPREHENSIONS = frozenset({"genexpr"})
# A method whose value is not used is taken to change its object (`x.sort()`); these do so in any expression.
CHANGING_METHODS = frozenset({"fit", "fit_transform", "partial_fit", "pop", "popitem", "setdefault"})
# These change their first argument.
CHANGING_FUNCTIONS = frozenset(
    "shuffle fill_diagonal put place putmask copyto at heappush heapify insort setattr delattr".split()
)


@dataclass(frozen=True)
class Names:
    """The global names of one statement.

    `binds`     bound when it runs
    `perhaps`   those of `binds` that only some paths bind
    `writes`    bound when a function that it defines is called (`global x`)
    `reads`     read when it runs
    `deferred`  read when a function that it defines is called
    `stores`    changed in place by an assignment (`x[0] = 1`)
    `touches`   changed in place by a call (`x.append(1)`)
    """

    binds: frozenset[str]
    perhaps: frozenset[str]
    writes: frozenset[str]
    reads: frozenset[str]
    deferred: frozenset[str]
    stores: frozenset[str]
    touches: frozenset[str]


def names_of(node: ast.stmt, text: str) -> Names:
    """Return the global names of a statement with source `text`; raise SyntaxError as the compiler does."""
    if any(isinstance(inner, Comprehension) for inner in ast.walk(node)):
        text = ast.unparse(_AsGenerators().visit(ast.parse(text)))
    top = symtable.symtable(text, "<cell>", "exec")
    binds = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    reads = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    writes: set[str] = set()
    deferred: set[str] = set()
    for child in top.get_children():
        _collect(
            child, immediate=_is_immediate(child), binds=binds, writes=writes, reads=reads, deferred=deferred
        )
    if isinstance(node, ast.Delete):
        reads, binds = reads | binds, set()
    augmented = {_root(inner.target) for inner in ast.walk(node) if isinstance(inner, ast.AugAssign)}
    # Of the names that it both binds and reads, only those that are read first come from outside.
    if binds & (reads | augmented):
        exposed = _exposed([node])
        reads = (reads - (binds - exposed)) | (augmented & binds & exposed)
    deferred |= augmented & writes
    own = list(_own_nodes(node))
    stores = {_root(inner) for inner in own if _is_store(inner)}
    touches = {name for inner in own for name in _touched(inner)}
    perhaps = binds - surely_bound([node])
    return Names(*map(frozenset, (binds, perhaps, writes, reads, deferred, stores - {""}, touches - {""})))


class _AsGenerators(ast.NodeTransformer):
    """Makes generators of comprehensions: Python 3.12 lists the names of these in the scope around them."""

    def visit(self, node: ast.AST) -> ast.AST:
        """Return a node with generators in place of comprehensions."""
        node = self.generic_visit(node)
        if isinstance(node, ast.ListComp | ast.SetComp):
            return ast.GeneratorExp(node.elt, node.generators)
        if isinstance(node, ast.DictComp):
            return ast.GeneratorExp(ast.Tuple([node.key, node.value], ast.Load()), node.generators)
        return node


def _is_immediate(table: symtable.SymbolTable) -> bool:
    """Return whether a scope runs with its statement: the body of a class, a comprehension."""
    return table.get_type() == "class" or table.get_name() in COMPREHENSIONS


def _collect(
    table: symtable.SymbolTable,
    *,
    immediate: bool,
    binds: set[str],
    writes: set[str],
    reads: set[str],
    deferred: set[str],
) -> None:
    """Add the global names of a nested scope to the sets; `:=` in a comprehension binds a global name."""
    for symbol in table.get_symbols():
        if symbol.is_global():
            if symbol.is_declared_global() and symbol.is_assigned():
                (binds if immediate else writes).add(symbol.get_name())
            if symbol.is_referenced():
                (reads if immediate else deferred).add(symbol.get_name())
    for child in table.get_children():
        inner = immediate and _is_immediate(child)
        _collect(child, immediate=inner, binds=binds, writes=writes, reads=reads, deferred=deferred)


def surely_bound(body: Iterable[ast.stmt]) -> set[str]:
    """Return the names that statements bind on every path."""
    return {name for node in body for name in _surely(node)}


def _surely(node: ast.stmt) -> set[str]:  # noqa: PLR0911 -- a table of statements
    """Return the names that a statement binds on every path."""
    if isinstance(node, ast.If):
        return surely_bound(node.body) & surely_bound(node.orelse) | _stored(node.test)
    if isinstance(node, ast.Try | ast.TryStar):
        paths = [surely_bound([*node.body, *node.orelse]), *(surely_bound(h.body) for h in node.handlers)]
        return set.intersection(*paths) | surely_bound(node.finalbody)
    if isinstance(node, ast.With | ast.AsyncWith):
        return surely_bound(node.body) | {n for item in node.items for n in _stored(item)}
    if isinstance(node, ast.For | ast.AsyncFor):
        return _stored(node.target) | _stored(node.iter)
    if isinstance(node, ast.While | ast.Match):
        return _stored(node.test if isinstance(node, ast.While) else node.subject)
    if isinstance(node, Definition):
        return {node.name}
    if isinstance(node, Imported):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return _stored(node)


def _exposed(body: Iterable[ast.stmt]) -> set[str]:
    """Return the names that statements read before they bind them: of `for i in r: x += i`, r and x."""
    exposed: set[str] = set()
    bound: set[str] = set()
    for node in body:
        if isinstance(node, ast.For | ast.AsyncFor):
            read = _loaded(node.iter) | (_exposed(node.body) - _stored(node.target)) | _exposed(node.orelse)
        elif isinstance(node, ast.With | ast.AsyncWith):
            given = {name for item in node.items for name in _stored(item)}
            read = {n for item in node.items for n in _loaded(item)} | (_exposed(node.body) - given)
        elif isinstance(node, ast.If | ast.While):
            branches = _exposed(node.body) | _exposed(node.orelse)
            read = _loaded(node.test) | (branches - _stored(node.test))
        elif isinstance(node, ast.Try | ast.TryStar):
            read = _exposed([*node.body, *node.orelse]) | _exposed(node.finalbody)
            for handler in node.handlers:
                read |= _loaded(handler.type) if handler.type is not None else set()
                read |= _exposed(handler.body) - {handler.name or ""}
        else:
            read = _loaded(node)
        exposed |= read - bound
        bound |= _surely(node)
    return exposed


def _loaded(node: ast.AST) -> set[str]:
    """Return the names that a node reads; `x += 1` reads x, although the syntax tree marks it as stored."""
    names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
    added = {_root(n.target) for n in ast.walk(node) if isinstance(n, ast.AugAssign)}
    return {n.id for n in names if isinstance(n.ctx, ast.Load)} | added


def _stored(node: ast.AST) -> set[str]:
    """Return the names that a node binds or deletes."""
    stored = (ast.Store, ast.Del)
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, stored)}


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run when a statement runs: not the bodies of functions and classes."""
    yield node
    for name, value in ast.iter_fields(node):
        if name == "body" and isinstance(node, Definition | ast.Lambda):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _own_nodes(child)


def _is_store(node: ast.AST) -> bool:
    """Return whether a node is the target `x[0]` or `x.a` of an assignment."""
    return isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del)


def _touched(node: ast.AST) -> Iterator[str]:
    """Yield the names whose objects a call may change, judged by its syntax alone."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        if isinstance(node.value.func, ast.Attribute):
            yield _root(node.value.func)
        if last_name(node.value.func) in CHANGING_FUNCTIONS and node.value.args:
            yield _root(node.value.args[0])
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in CHANGING_METHODS:
            yield _root(node.func)
    elif isinstance(node, ast.FunctionDef | ast.ClassDef):
        calls = (d.func if isinstance(d, ast.Call) else d for d in node.decorator_list)
        yield from (_root(call) for call in calls if isinstance(call, ast.Attribute))


def changed_when_called(node: ast.stmt, *, twice: bool) -> frozenset[str]:
    """Return the names whose objects are changed in place by a call of the function that a statement defines.

    With `twice`, the function that it returns is called too, as in `@register("name")`.
    """
    value = getattr(node, "value", None)
    function = node if isinstance(node, ast.FunctionDef) else value
    if not isinstance(function, ast.FunctionDef | ast.Lambda):
        return frozenset()
    inner = list(_run_by_call(function, depth=int(twice)))
    stores = {_root(part) for part in inner if _is_store(part)}
    return frozenset(stores | {name for part in inner for name in _touched(part)}) - {""}


def _run_by_call(function: ast.FunctionDef | ast.Lambda, depth: int) -> Iterator[ast.AST]:
    """Yield the nodes that run when a function is called, and of functions in it, up to `depth` levels."""
    body = function.body if isinstance(function.body, list) else [function.body]
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            yield from _run_by_call(node, depth - 1) if depth else ()
        else:
            yield node
            pending += ast.iter_child_nodes(node)


def decorators(node: ast.stmt) -> Iterator[tuple[str, bool]]:
    """Yield the name of each decorator, and whether it is called first: True for `@register("name")`."""
    for decorator in getattr(node, "decorator_list", ()):
        called = isinstance(decorator, ast.Call)
        name = decorator.func if called else decorator
        if isinstance(name, ast.Name):
            yield name.id, called


def _root(node: ast.AST) -> str:
    """Return `x` of `x`, `x[0]` or `x.a.b`, '' of anything else."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def last_name(node: ast.AST) -> str:
    """Return the last part of the name of a function: `jit` of `numba.jit` and `numba.jit(nopython=True)`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Call):
        return last_name(node.func)
    return node.id if isinstance(node, ast.Name) else ""


def aliases(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield each name that an import binds, with the full dotted name of what it refers to."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            whole = alias.name if alias.asname else alias.name.split(".")[0]
            yield alias.asname or whole, whole
    elif isinstance(node, ast.ImportFrom) and node.module:
        for alias in node.names:
            yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def imported_modules(node: ast.AST) -> Iterator[str]:
    """Yield the modules that an import loads; `from a import b` may load the module `a.b`."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def dotted(node: ast.AST) -> str:
    """Return `a.b.c` of an attribute of a name, '' of anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""
