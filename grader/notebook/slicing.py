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
import copy
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from grader.notebook.cells import Code, Statement
from grader.notebook.names import (
    Definition,
    Imported,
    aliases,
    changed_when_called,
    decorators,
    dotted,
    imported_modules,
    last_name,
)

WRAPPERS = frozenset({"vectorize", "partial", "jit", "njit", "lru_cache", "cache", "wraps", "staticmethod"})
BUILTINS = frozenset(dir(builtins)) | {"display", "get_ipython", "__name__", "__file__"}
Function = ast.FunctionDef | ast.AsyncFunctionDef
END = 1 << 30  # an index behind every statement of a cell


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
        text = "\n".join(statement.text for statement in self.statements)
        return hashlib.sha256(f"{self.name}\n{text}".encode()).hexdigest()


def slice_function(code: Code, name: str) -> Slice | None:
    """Return the slice of the function `name`, None if the notebook does not define it."""
    definition = find_definition(code, name)
    if definition is None:
        return None
    tracer = _Tracer(_index(code))
    tracer.need(definition)
    return Slice(name, definition, tracer.result(), frozenset(tracer.unbound))


def slice_variable(code: Code, name: str) -> Slice | None:
    """Return the slice of a variable's last value, None if the notebook does not bind it."""
    bound = [statement for statement in code.statements if name in statement.binds]
    if not bound:
        return None
    tracer = _Tracer(_index(code))
    tracer.need(bound[-1])
    return Slice(name, bound[-1], tracer.result(), frozenset(tracer.unbound))


def find_definition(code: Code, name: str) -> Statement | None:
    """Return the last statement that binds `name` to something that can be called.

    A `def` (also inside `if`, `try`, `with`), a class, a lambda, another name of any of these, or a wrapper
    around it counts; `loss = criterion(x)` does not take the place of `def loss`.
    """
    return _last_definition(tuple(code.statements), name)


def _last_definition(statements: tuple[Statement, ...], name: str) -> Statement | None:
    found = None
    bound = [(i, s) for i, s in enumerate(statements) if name in s.binds]
    for index, statement in bound:
        if _defines(statement, name, statements[:index], known=found is not None):
            found = statement
    return found or (bound[-1][1] if bound else None)


def definition_nodes(statement: Statement, name: str) -> list[ast.AST]:
    """Return every definition of `name` in a statement (more than one in `if`, `try`), else the statement."""
    found: list[ast.AST] = [node for node in ast.walk(statement.node) if _is_definition(node, name)]
    return found or [statement.node]


def _is_definition(node: ast.AST, name: str) -> bool:
    return isinstance(node, Definition) and node.name == name


def is_stub(node: ast.AST) -> bool:
    """Whether a function's body does nothing: pass, ..., or raise NotImplementedError."""
    if not isinstance(node, Function):
        return False
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return all(_does_nothing(statement) for statement in body)


def _does_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Raise):
        return "NotImplementedError" in ast.unparse(statement)
    constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.Pass) or constant


def same_code(first: ast.AST, second: ast.AST) -> bool:
    """Whether two definitions are the same but for comments, white space and docstrings."""
    return ast.dump(_without_docstring(first)) == ast.dump(_without_docstring(second))


def _defines(statement: Statement, name: str, before: tuple[Statement, ...], *, known: bool) -> bool:
    node = statement.node
    if any(_is_definition(inner, name) for inner in ast.walk(node)) or isinstance(node, Imported):
        return True
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return False
    return _is_callable(node.value, name, before, known=known)


def _is_callable(value: ast.expr, name: str, before: tuple[Statement, ...], *, known: bool) -> bool:
    """Whether a value that is assigned to `name` is a function, as far as its form tells."""
    if isinstance(value, ast.Call):
        wrapped = [arg.id for arg in value.args if isinstance(arg, ast.Name)]
        return last_name(value.func) in WRAPPERS or (wrapped == [name] and len(value.args) == 1)
    if isinstance(value, ast.Name | ast.Attribute) and known:
        root = dotted(value).split(".")[0]
        bound = _last_definition(before, root) if root != name else None
        imported = bound is not None and isinstance(bound.node, Imported | ast.ClassDef)
        return imported or (isinstance(value, ast.Name) and bound is not None and _makes(bound, root, before))
    return isinstance(value, ast.Lambda | ast.Name | ast.Attribute)


def _makes(bound: Statement, name: str, before: tuple[Statement, ...]) -> bool:
    """Whether a statement binds `name` to a function, so that another name for it is one too."""
    return _defines(bound, name, before[: before.index(bound)], known=True)


def _without_docstring(node: ast.AST) -> ast.AST:
    """Return a copy of a definition without docstrings."""
    bare = copy.deepcopy(node)
    for inner in ast.walk(bare):
        body = getattr(inner, "body", None)
        if isinstance(inner, Definition) and isinstance(body, list) and ast.get_docstring(inner) is not None:
            inner.body = body[1:] or [ast.Pass()]
    return bare


class _Index:
    """What is the same for every function of a notebook: who binds what, which imports load which module."""

    def __init__(self, statements: tuple[Statement, ...]) -> None:
        self.statements = _with_effects(statements)
        self.bindings: dict[str, list[Statement]] = {}
        self.loaders: dict[str, list[Statement]] = {}
        self.aliases: dict[str, str] = {}
        for statement in self.statements:
            for name in statement.binds:
                self.bindings.setdefault(name, []).append(statement)
            for node in () if isinstance(statement.node, Definition) else ast.walk(statement.node):
                self.aliases.update(aliases(node))
                for module in imported_modules(node):
                    self.loaders.setdefault(module, []).append(statement)


@lru_cache(maxsize=16)
def _index(code: Code) -> _Index:
    return _Index(tuple(code.statements))


class _Tracer:
    """Follows names back to their bindings until nothing new is needed."""

    def __init__(self, index: _Index) -> None:
        self.index = index
        self.statements = index.statements
        self.needed: set[tuple[int, int]] = set()
        self.unbound: set[str] = set()
        self.foreign = False

    def need(self, statement: Statement) -> None:
        """Add a statement, and all that it reads."""
        pending = [next(s for s in self.statements if s.place == statement.place)]
        while pending:
            current = pending.pop()
            if current.place in self.needed:
                continue
            self.needed.add(current.place)
            pending += self._bound(current.reads, current, before=current.place)
            pending += self._bound(current.deferred, current, before=(current.cell, END))
            pending += self._called(current)
            pending += self._changes(current)
            pending += self._submodules(current)

    def result(self) -> tuple[Statement, ...]:
        """Return the needed statements in notebook order, star imports before what follows them."""
        stars = {s.place for s in self.statements if _is_star_import(s.node)} if self.foreign else set()
        return tuple(s for s in self.statements if s.place in self.needed | stars)

    def _bound(self, names: Iterable[str], reader: Statement, before: tuple[int, int]) -> Iterable[Statement]:
        for name in sorted(names):
            found = self._in_effect(name, reader, before)
            yield from found
            if not found and name not in reader.binds:
                self.foreign = True  # perhaps of a star import, which may also hide a builtin
                self.unbound |= {name} - BUILTINS

    def _called(self, caller: Statement) -> Iterable[Statement]:
        """Return what the functions that a statement may call find bound at that moment."""
        lambdas = frozenset() if isinstance(caller.node, Definition) else caller.deferred
        pending, seen = [*caller.reads, *lambdas], set(caller.reads | lambdas)
        while pending:
            for found in self._with_former(pending.pop(), caller):
                yield found
                behind = (found.deferred | found.reads) - seen
                pending += behind
                seen |= behind

    def _with_former(self, name: str, reader: Statement) -> Iterable[Statement]:
        """Return the bindings of a name in effect, and those that they build on: `class C(C)`."""
        pending = self._in_effect(name, reader, reader.place)
        while pending:
            found = pending.pop()
            yield found
            pending += self._in_effect(name, found, found.place) if name in found.reads else []

    def _in_effect(self, name: str, reader: Statement, before: tuple[int, int]) -> list[Statement]:
        """Return the last binding before a place, with those that it may leave in effect.

        A function may read what is bound after it (a helper defined later), also where only a stub of it
        was there before.
        """
        bindings = [s for s in self.index.bindings.get(name, []) if s.place != reader.place]
        found: list[Statement] = []
        for statement in reversed([s for s in bindings if s.place < before]):
            found.append(statement)
            if name not in statement.perhaps:
                break
        if before[1] != END or (found and not is_stub(found[0].node)):
            return found
        later = [s for s in bindings if s.place > before]
        if found:
            return [s for s in later if isinstance(s.node, Definition) and not is_stub(s.node)][-1:] or found
        return later[:1] if name not in reader.binds else []

    def _changes(self, binding: Statement) -> Iterable[Statement]:
        """Return the statements that change in place what a statement bound, while it is bound.

        A call changes neither a module (`np.random.seed(0)`) nor, as a rule, a function.
        """
        lasting = isinstance(binding.node, Imported | Definition)
        for statement in self.statements:
            by_call = isinstance(statement.node, Definition) if lasting else True
            changed = statement.stores | (statement.touches if by_call else frozenset())
            for name in changed & binding.binds:
                imports = isinstance(binding.node, Imported) and name not in statement.stores
                if not imports and binding in self._in_effect(name, statement, statement.place):
                    yield statement

    def _submodules(self, reader: Statement) -> Iterable[Statement]:
        """Return the imports of the submodules that a statement reaches through their package.

        `import sklearn` and, elsewhere, `from sklearn.linear_model import Ridge` make
        `sklearn.linear_model.Lasso` usable.
        """
        for path in {dotted(node) for node in ast.walk(reader.node) if isinstance(node, ast.Attribute)}:
            root, _, rest = path.partition(".")
            parts = f"{self.index.aliases.get(root, '')}.{rest}".split(".")
            for length in range(2, len(parts) + 1):
                yield from self.index.loaders.get(".".join(parts[:length]), [])[:1]


def _with_effects(statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """Let a statement bind and change what the functions that it calls do: `global x`, `@register`."""
    writers = {name: s.writes for s in statements if s.writes for name in s.binds}
    found = []
    for statement in statements:
        callers = () if isinstance(statement.node, Definition) else statement.reads & writers.keys()
        written = frozenset(name for caller in callers for name in writers[caller]) - statement.binds
        binds, perhaps = statement.binds | written, statement.perhaps | written
        touches = statement.touches | _registered_in(statement, statements)
        changed = written or touches != statement.touches
        found.append(
            replace(statement, binds=binds, perhaps=perhaps, touches=touches) if changed else statement
        )
    return tuple(found)


def _registered_in(statement: Statement, statements: tuple[Statement, ...]) -> frozenset[str]:
    """Return the names whose objects the decorators of a definition change: `@register` fills a table."""
    used = dict(decorators(statement.node))
    makers = [s for s in statements if used.keys() & s.binds and s.place < statement.place] if used else []
    return frozenset(
        name
        for maker in makers
        for decorator in used.keys() & maker.binds
        for name in changed_when_called(maker.node, twice=used[decorator]) & maker.deferred
    )


def _is_star_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
