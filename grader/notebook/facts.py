"""What the source of a notebook says about a function: whether it is there, and what it calls and reads."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from grader.notebook.cells import Code, Statement
from grader.notebook.missing import why_missing, why_untouched
from grader.notebook.names import Definition, aliases, dotted, imported_modules, last_name
from grader.notebook.slicing import (
    WRAPPERS,
    Function,
    Slice,
    definition_nodes,
    is_stub,
    places,
    same_code,
    slice_function,
    slice_variable,
)
from grader.reading import FactsStatus, FunctionFacts
from grader.subjects import Subject, SubjectKind

Variable = ast.Assign | ast.AnnAssign | ast.For | ast.With
# A function whose name begins so returns data: load_digits, read_csv, make_blobs, randn, normal
SOURCES = (
    "load",
    "read",
    "fetch",
    "make_",
    "genfromtxt",
    "fromfile",
    "open",
    "rand",
    "normal",
    "uniform",
    "standard_",
    "choice",
    "permutation",
)


def find_functions(
    code: Code, names: Iterable[str], skeleton: Code
) -> tuple[dict[str, Slice], dict[str, FunctionFacts]]:
    """Return slices and facts of functions, and of methods (CLASS.METHOD), as `find_subjects` does."""
    return find_subjects(code, map(Subject.named, names), skeleton)


def find_subjects(
    code: Code,
    subjects: Iterable[Subject],
    skeleton: Code,
    modules: Mapping[str, Code] = MappingProxyType({}),
) -> tuple[dict[str, Slice], dict[str, FunctionFacts]]:
    """Return the slices of the subjects that are called and were attempted, and the facts of every subject.

    Both are by the subject's text. What the notebook does not define, or imports from one of the `modules`
    that were handed in beside it, is looked for there; they are by the names of their files.
    """
    slices: dict[str, Slice] = {}
    facts: dict[str, FunctionFacts] = {}
    for subject in subjects:
        name = str(subject)
        if not subject.is_called and subject.kind is not SubjectKind.VARIABLE:
            facts[name] = FunctionFacts(
                name, FactsStatus.FOUND
            )  # whether it is there shows when the notebook has run
            continue
        find = slice_function if subject.is_called else slice_variable
        own, given = find(code, subject.root), find(skeleton, subject.root)
        file = ""
        node = own.definition.node if own is not None else None
        imported = f"{node.module}.py" if isinstance(node, ast.ImportFrom) else ""
        if subject.is_called and (own is None or imported in modules):
            for module in [imported] if own is not None else modules:
                inside = find(modules[module], subject.root)
                own, file = (inside, module) if inside is not None else (own, file)
        if own is None:
            remark = why_missing(code, skeleton, subject)
            facts[name] = FunctionFacts(name, FactsStatus.MISSING, remark=remark)
            continue
        if not subject.is_called:
            status = (
                FactsStatus.NOT_ATTEMPTED if given is not None and own.key == given.key else FactsStatus.FOUND
            )
            uses = dotted_names(own.statements)
            facts[name] = FunctionFacts(name, status, own.definition.cell, own.key, calls=uses)
            continue
        statement, nodes = _definitions(own, subject.method)
        if not nodes:
            remark = f"The class {subject.root} has no method named {subject.method}."
            facts[name] = FunctionFacts(name, FactsStatus.MISSING, remark=remark)
            continue
        attempted = not all(map(is_stub, nodes)) and not _is_as_handed_out(own, given, subject.method)
        if attempted:
            slices[name] = own
        statements = list(own.statements)
        for module in {f"{each}.py" for s in own.statements for each in imported_modules(s.node)}:
            statements += modules[module].statements if module in modules else ()
        read = _notebook_data(own, statement, nodes[-1])
        facts[name] = FunctionFacts(
            name,
            FactsStatus.FOUND if attempted else FactsStatus.NOT_ATTEMPTED,
            own.definition.cell,
            own.key,
            calls=dotted_names(statements),
            remark="" if attempted else why_untouched(code, skeleton, own),
            notebook_globals=read,
            stand_ins=() if subject.method or file else _stand_ins(own, statement, nodes[-1], read),
            places=places(own),
            file=file,
        )
    return slices, facts


def _is_as_handed_out(own: Slice, given: Slice | None, method: str) -> bool:
    """Return whether a function is as it was handed out, and so is every function and class that it needs.

    A function that was handed out complete, and calls others that were to be filled in, is the student's as
    soon as one of these is.
    """
    if given is None:
        return False
    nodes, handed_out = _definitions(own, method)[1], _definitions(given, method)[1]
    if len(nodes) != 1 or not handed_out or not same_code(nodes[0], handed_out[0]):
        return False
    before = {
        node.name: node
        for statement in given.statements
        for node in ast.walk(statement.node)
        if isinstance(node, Definition)
    }
    for statement in own.statements:
        if statement.place == own.definition.place:
            continue
        node = statement.node
        for name in statement.binds & before.keys():
            if not isinstance(node, Definition) or node.name != name:
                return False  # the student binds the name to something else
            if not same_code(node, before[name]) and not is_stub(node):
                return False
    return True


def _definitions(own: Slice, method: str = "") -> tuple[Statement, list[ast.AST]]:
    """Return the definitions of a function, also behind another name or a wrapper, and their statement.

    With `method`, those of the method in its class; the class where it inherits and may have it so.
    """
    nodes = definition_nodes(own.definition, own.name)
    if method:
        inner = [node for outer in nodes for node in ast.walk(outer) if isinstance(node, Function)]
        methods: list[ast.AST] = [node for node in inner if node.name == method]
        inherits = any(isinstance(node, ast.ClassDef) and node.bases for node in nodes)
        return own.definition, methods or (nodes if inherits else [])
    if not isinstance(nodes[0], ast.Assign | ast.AnnAssign) or isinstance(nodes[0].value, ast.Lambda):
        return own.definition, nodes
    mentioned = {inner.id for inner in ast.walk(nodes[0]) if isinstance(inner, ast.Name)}
    for statement in reversed(own.statements):
        if isinstance(statement.node, Function) and statement.node.name in mentioned:
            return statement, [statement.node]
    return own.definition, nodes


def _notebook_data(own: Slice, statement: Statement, node: ast.AST) -> tuple[str, ...]:
    """Return the data of the notebook that a function's own code reads: no functions, imports, constants."""
    if not isinstance(node, Function):
        return ()
    functions = {name for s in own.statements if isinstance(s.node, Function) for name in s.binds}
    data: set[str] = set()
    for earlier in own.statements:
        if _makes_data(earlier.node, data, functions):
            data |= earlier.binds
        else:
            data -= earlier.binds - earlier.perhaps
    return tuple(sorted(data & statement.deferred))


def _stand_ins(
    own: Slice, statement: Statement, node: ast.AST, data: tuple[str, ...]
) -> tuple[tuple[str, int], ...]:
    """Return the variable that a function reads in place of an argument, and the position of this.

    That is the one variable that it reads, or the one with data, where it leaves one argument without a
    default alone.
    """
    if not isinstance(node, Function):
        return ()
    inner = list(ast.walk(node))
    used = {each.id for each in inner if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}
    called = {
        each.func.id for each in inner if isinstance(each, ast.Call) and isinstance(each.func, ast.Name)
    }
    parameters = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
    required = parameters[: len(parameters) - len(node.args.defaults)]
    unused = [name for name in required if name not in used]
    variables = {name for each in own.statements if isinstance(each.node, Variable) for name in each.binds}
    loose = own.unbound - called
    read = (set(data) | loose) & statement.deferred or variables & statement.deferred
    if len(unused) != 1 or len(read) != 1:
        return ()
    return ((read.pop(), parameters.index(unused[0])),)


def _makes_data(node: ast.stmt, data: set[str], functions: set[str]) -> bool:
    """Return whether a statement binds data, and not a constant, a lambda, a wrapper or a function.

    Data is what a loop or a `with` binds, and what is loaded, drawn at random, computed by one of the
    notebook's `functions`, or made from other data.
    """
    if isinstance(node, ast.For | ast.With | ast.While):
        return True
    if isinstance(node, ast.If | ast.Try):
        inner = (child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt))
        return any(_makes_data(child, data, functions) for child in inner)
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) else None
    wrapper = isinstance(value, ast.Call) and last_name(value.func) in WRAPPERS
    if value is None or isinstance(value, ast.Lambda) or wrapper:
        return False
    for part in ast.walk(value):
        if isinstance(part, ast.Name) and part.id in data:
            return True
        if isinstance(part, ast.Call):
            computes = isinstance(part.func, ast.Name) and part.func.id in functions
            # A function that is called with functions only, as in `loss = counted(loss)`, returns a function.
            wraps = bool(part.args) and all(isinstance(a, ast.Name) and a.id in functions for a in part.args)
            if last_name(part.func).startswith(SOURCES) or (computes and not wraps):
                return True
    return False


def dotted_names(statements: Iterable[Statement]) -> frozenset[str]:
    """Return the full dotted names that code uses, such as `sklearn.manifold.TSNE` for an imported `TSNE`.

    A name that is only imported does not count: the import may be for another part of the notebook.
    """
    nodes = [inner for statement in statements for inner in ast.walk(statement.node)]
    imported = dict(pair for node in nodes for pair in aliases(node))
    used = {dotted(node) for node in nodes if isinstance(node, ast.Attribute | ast.Name)} - {""}
    full_names: set[str] = set()
    for name in used:
        root = name.split(".")[0]
        if root in imported:
            full_names.add(imported[root] + name.removeprefix(root))
    if "*" in imported:  # any name may be of the module of a star import
        full_names |= {imported["*"].removesuffix("*") + name for name in used}
    return frozenset(full_names)
