"""The slice of a function: the statements of a notebook that it needs to run. Executes nothing.

From the statement that defines the function, each name is followed back to the statement that binds it: an
import, a helper, a constant, a class. If a name is bound more than once, the binding counts that was in
effect when the cell of the function that *reads* it ran:

    cell 3   def loss(...)            <-- train() calls this one
    cell 4   def train(...): loss(...)
    cell 24  loss = criterion(...)    <-- not this one
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
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
from grader.reading import CodeCell, FunctionCode, Place

WRAPPERS = frozenset({"vectorize", "partial", "jit", "njit", "lru_cache", "cache", "wraps", "staticmethod"})
BUILTINS = frozenset(dir(builtins)) | {"display", "get_ipython", "__name__", "__file__"}
Function = ast.FunctionDef | ast.AsyncFunctionDef
MAX_PLACES, MAX_QUOTED = 10_000, 200
END = 1 << 30  # an index after every statement of a cell


@dataclass(frozen=True)
class Slice:
    """The statements that a function needs, in notebook order, and the one that defines it.

    `unbound` are the names that it reads and that neither the notebook nor Python binds; `sources` are the
    texts of the cells. What a box gets is `text`, without comments and where the statements stand: code can
    learn nothing of itself that is not in the key.
    """

    name: str
    definition: Statement
    statements: tuple[Statement, ...]
    unbound: frozenset[str]
    sources: Mapping[int, str] = field(default_factory=dict, compare=False)

    @property
    def text(self) -> str:
        """The code in normal form, as `ast.unparse` writes it."""
        return "\n".join(statement.text for statement in self.statements)

    @property
    def key(self) -> str:
        """A digest of the code that a box gets."""
        return hashlib.sha256(f"{self.name}\n{self.text}".encode(errors="replace")).hexdigest()


def slice_function(code: Code, name: str) -> Slice | None:
    """Return the slice of the function `name`, None if the notebook does not define it."""
    definition = find_definition(code, name)
    if definition is None:
        return None
    tracer = _Tracer(_index(code))
    tracer.need(definition)
    return Slice(name, definition, tracer.result(), frozenset(tracer.unbound), _sources(code))


def function_code(own: Slice) -> FunctionCode:
    """Return what a box needs to make the function: its statements as one cell, and what they import."""
    nodes = (node for statement in own.statements for node in ast.walk(statement.node))
    names = {name for node in nodes for name in imported_modules(node)}
    modules = sorted(name for name in names if name.partition(".")[0] not in sys.stdlib_module_names)
    cell = CodeCell(1, own.text, tuple(range(len(own.statements))))
    return FunctionCode(own.name, (cell,), tuple(modules))


def places(own: Slice) -> tuple[Place, ...]:
    """Return where the lines of the text that a box gets stand in the notebook, as far as one can tell."""
    found: list[Place] = []
    for statement in own.statements:
        source = own.sources[statement.cell].splitlines()
        lines = dict[int, int]()  # those of the notebook, by line of the text: where its first part stands
        alone = ast.Module(body=[statement.node], type_ignores=[])
        for sent, written in zip(ast.walk(ast.parse(statement.text)), ast.walk(alone), strict=False):
            if isinstance(sent, ast.stmt | ast.expr) and isinstance(written, ast.stmt | ast.expr):
                lines.setdefault(sent.lineno, written.lineno)
        line = statement.node.lineno
        for number in range(1, statement.text.count("\n") + 2):
            line = lines.get(number, line)
            quoted = "".join(source[line - 1 : line]).strip()[:MAX_QUOTED]
            found.append(Place(statement.cell, line, quoted))
        if len(found) > MAX_PLACES:
            return ()
    return tuple(found)


def _sources(code: Code) -> dict[int, str]:
    return {cell.number: cell.source for cell in code.cells}


def slice_variable(code: Code, name: str) -> Slice | None:
    """Return the slice of a variable's last value, None if the notebook does not bind it."""
    bound = [statement for statement in code.statements if name in statement.binds]
    if not bound:
        return None
    tracer = _Tracer(_index(code))
    tracer.need(bound[-1])
    return Slice(name, bound[-1], tracer.result(), frozenset(tracer.unbound), _sources(code))


def find_definition(code: Code, name: str) -> Statement | None:
    """Return the last statement that binds `name` to something that can be called.

    A `def` (also inside `if`, `try`, `with`), a class, a lambda, another name of any of these, or a wrapper
    around it counts; `loss = criterion(x)` after `def loss` does not. Without any of these, it is the last
    statement that binds the name.
    """
    return _definitions(code).get(name)


@lru_cache(maxsize=16)
def _definitions(code: Code) -> dict[str, Statement]:
    """Return what `find_definition` says of every name, in one pass over the statements."""
    last: dict[str, Statement] = {}  # a definition or, as long as there is none, the last binding
    defined: set[str] = set()
    callable_anew: set[tuple[tuple[int, int], str]] = set()  # bindings that would replace a definition
    for statement in code.statements:
        names = {node.name for node in ast.walk(statement.node) if isinstance(node, Definition)}
        found = dict[str, tuple[bool, bool]]()
        for name in statement.binds:
            defines = _defines(statement, name, last, callable_anew)
            found[name] = (True, True) if name in names else defines
        for name, (first, anew) in found.items():
            if anew:
                callable_anew.add((statement.place, name))
            if anew or (first and name not in defined):
                defined.add(name)
                last[name] = statement
            elif name not in defined:
                last[name] = statement
    return last


def definition_nodes(statement: Statement, name: str) -> list[ast.AST]:
    """Return every definition of `name` in a statement (an `if` can have two), else the statement itself."""
    nodes: list[ast.AST] = [node for node in ast.walk(statement.node) if _is_definition(node, name)]
    return nodes or [statement.node]


def _is_definition(node: ast.AST, name: str) -> bool:
    return isinstance(node, Definition) and node.name == name


def is_stub(node: ast.AST) -> bool:
    """Return whether a function has nothing in its body but pass, ... or raise NotImplementedError."""
    if not isinstance(node, Function):
        return False
    for statement in node.body:
        constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if isinstance(statement, ast.Raise):
            if "NotImplementedError" not in ast.unparse(statement):
                return False
        elif not (isinstance(statement, ast.Pass) or constant):
            return False
    return True


def same_code(first: ast.AST, second: ast.AST) -> bool:
    """Return whether two definitions differ at most in comments, white space and docstrings."""
    return ast.unparse(_without_docstring(first)) == ast.unparse(_without_docstring(second))


def _defines(
    statement: Statement,
    name: str,
    last: Mapping[str, Statement],
    callable_anew: Set[tuple[tuple[int, int], str]],
) -> tuple[bool, bool]:
    """Return whether a statement binds `name` to something that can be called, judged by its syntax alone.

    First for a name that nothing defines before, then for one that something does: there, another name for an
    object counts only where that object can be called, as `loss = total` does not replace `def loss`. `last`
    and `callable_anew` are what is known of the statements before it.
    """
    node = statement.node
    if isinstance(node, Imported):
        return True, True
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    if isinstance(value, ast.Call):
        wrapped = [arg.id for arg in value.args if isinstance(arg, ast.Name)]
        wraps = last_name(value.func) in WRAPPERS or (wrapped == [name] and len(value.args) == 1)
        return wraps, wraps
    if not isinstance(value, ast.Name | ast.Attribute):
        return (isinstance(value, ast.Lambda),) * 2
    root = dotted(value).split(".")[0]
    origin = last.get(root) if root != name else None
    if origin is None:
        return True, False
    known = isinstance(value, ast.Name) and (origin.place, root) in callable_anew
    return True, known or isinstance(origin.node, Imported | ast.ClassDef)


def _without_docstring(node: ast.AST) -> ast.AST:
    """Return a copy of a definition without docstrings."""
    bare = ast.parse(ast.unparse(node))  # a copy by `copy` recurses more deeply
    for inner in ast.walk(bare):
        body = getattr(inner, "body", None)
        if isinstance(inner, Definition) and isinstance(body, list) and ast.get_docstring(inner) is not None:
            inner.body = body[1:] or [ast.Pass()]
    return bare


@dataclass(frozen=True)
class _Index:
    """What slicing looks up in a notebook, the same for each of its functions.

    `bindings` are the statements that bind a name, `certain` the places of those that always do, `changers`
    the statements that store into what it names or touch it, `loaders` those that import a module, all in
    notebook order; `aliases` holds the full dotted name behind each imported name.
    """

    statements: tuple[Statement, ...]
    bindings: dict[str, list[Statement]]
    certain: dict[str, list[tuple[int, int]]]
    changers: dict[str, list[Statement]]
    loaders: dict[str, list[Statement]]
    aliases: dict[str, str]


def _place(statement: Statement) -> tuple[int, int]:
    return statement.place


@lru_cache(maxsize=16)
def _index(code: Code) -> _Index:
    # A statement also has the effects of the functions that it calls: one with `global x` binds x where it is
    # called, and a decorator such as `@register` may add the function to a table.
    writers: dict[str, frozenset[str]] = {}  # what the functions that are bound so far write
    statements: list[Statement] = []
    for statement in code.statements:
        callees = () if isinstance(statement.node, Definition) else statement.reads & writers.keys()
        written = frozenset(name for callee in callees for name in writers[callee]) - statement.binds
        for name in statement.binds:
            former = writers.get(name, frozenset()) if name in statement.perhaps else frozenset()
            writers[name] = statement.writes | former
        touches = statement.touches
        called_first = dict(decorators(statement.node))
        for earlier in code.statements if called_first else ():
            if earlier.place < statement.place:
                for name in called_first.keys() & earlier.binds:
                    changed = changed_when_called(earlier.node, twice=called_first[name])
                    touches |= changed & earlier.deferred
        binds, perhaps = statement.binds | written, statement.perhaps | written
        statements.append(replace(statement, binds=binds, perhaps=perhaps, touches=touches))

    index = _Index(tuple(statements), {}, {}, {}, {}, {})
    for statement in statements:
        for name in statement.binds:
            index.bindings.setdefault(name, []).append(statement)
            if name not in statement.perhaps:
                index.certain.setdefault(name, []).append(statement.place)
        for name in statement.stores | statement.touches:
            index.changers.setdefault(name, []).append(statement)
        for node in () if isinstance(statement.node, Definition) else ast.walk(statement.node):
            index.aliases.update(aliases(node))
            for module in imported_modules(node):
                index.loaders.setdefault(module, []).append(statement)
    return index


class _Tracer:
    """Collects the statements that a statement needs, directly or through other statements."""

    def __init__(self, index: _Index) -> None:
        self.index = index
        self.statements = index.statements
        self.needed: set[tuple[int, int]] = set()
        self.unbound: set[str] = set()
        self.foreign = False  # whether a name is read that no statement binds by name

    def need(self, statement: Statement) -> None:
        """Add a statement, and everything that it needs."""
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

            # `import sklearn` and, elsewhere, `from sklearn.linear_model import Ridge` make
            # `sklearn.linear_model.Lasso` usable: a dotted name also needs the imports of its submodules.
            for path in {dotted(node) for node in ast.walk(current.node) if isinstance(node, ast.Attribute)}:
                root, _, rest = path.partition(".")
                parts = f"{self.index.aliases.get(root, '')}.{rest}".split(".")
                for length in range(2, len(parts) + 1):
                    pending += self.index.loaders.get(".".join(parts[:length]), [])[:1]

    def result(self) -> tuple[Statement, ...]:
        """Return the needed statements in notebook order, with all star imports if a name may be theirs."""
        places = set(self.needed)
        for statement in self.statements if self.foreign else ():
            node = statement.node
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
                places.add(statement.place)
        return tuple(s for s in self.statements if s.place in places)

    def _bound(self, names: Iterable[str], reader: Statement, before: tuple[int, int]) -> Iterable[Statement]:
        """Yield the bindings of the names that a statement reads, and note the names that have none."""
        for name in sorted(names):
            bindings = self._in_effect(name, reader, before)
            yield from bindings
            if not bindings and name not in reader.binds:
                self.foreign = True  # a star import may bind it, also if it is the name of a builtin
                self.unbound |= {name} - BUILTINS

    def _called(self, caller: Statement) -> Iterable[Statement]:
        """Yield what the functions that a statement may call read, as it is bound when they are called."""
        lambdas = frozenset() if isinstance(caller.node, Definition) else caller.deferred
        pending, seen = [*caller.reads, *lambdas], set(caller.reads | lambdas)
        while pending:
            name = pending.pop()
            bindings = self._in_effect(name, caller, caller.place)
            while bindings:
                for binding in bindings:
                    yield binding
                    new = (binding.deferred | binding.reads) - seen
                    pending += new
                    seen |= new
                # The first of them may build on a former binding, as in `class C(C)`. The others can build on
                # those of this list only: so each binding is followed once.
                first = bindings[-1]
                bindings = self._in_effect(name, first, first.place) if name in first.reads else []

    def _changes(self, binding: Statement) -> Iterable[Statement]:
        """Yield the statements that change in place what a statement bound, while it is bound.

        A call changes no module (`np.random.seed(0)`), and only a decorator changes a function or a class.
        """
        for name in sorted(binding.binds):
            changers, certain = self.index.changers.get(name, []), self.index.certain.get(name, [])
            anew = certain[bisect_right(certain, binding.place) :][:1]
            for statement in changers[bisect_right(changers, binding.place, key=_place) :]:
                touched = name in statement.stores
                if isinstance(binding.node, Definition):
                    touched |= name in statement.touches and isinstance(statement.node, Definition)
                elif not isinstance(binding.node, Imported):
                    touched |= name in statement.touches
                if anew and anew[0] < statement.place:
                    break  # it was bound anew in between
                if touched:
                    yield statement

    def _in_effect(self, name: str, reader: Statement, before: tuple[int, int]) -> list[Statement]:
        """Return the bindings of a name that can be in effect at the position `before`, the last one first.

        These are the last binding and, where it may not have run (`if x: f = g`), also earlier ones. If
        `before` is the end of a cell, a function reads the name, and it may be called in a later cell: if the
        name has no binding yet, the first later one counts; if it has only a stub, the last later definition.
        """
        bindings = self.index.bindings.get(name, [])
        earlier: list[Statement] = []
        position = bisect_left(bindings, before, key=_place)
        for index in range(position - 1, -1, -1):
            statement = bindings[index]
            if statement.place == reader.place:
                continue
            earlier.append(statement)
            if name not in statement.perhaps:
                break
        if before[1] != END or (earlier and not is_stub(earlier[0].node)):
            return earlier
        later = [s for s in bindings[position:] if s.place not in (before, reader.place)]
        if earlier:
            defined = [s for s in later if isinstance(s.node, Definition) and not is_stub(s.node)]
            return defined[-1:] or earlier
        return later[:1] if name not in reader.binds else []
