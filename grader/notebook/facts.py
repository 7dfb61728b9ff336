"""What reading a notebook says of a function: found, missing or not attempted, what it calls and leans on."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from grader.notebook.cells import Code, Statement
from grader.notebook.names import Definition, aliases, dotted, last_name
from grader.notebook.slicing import (
    WRAPPERS,
    Function,
    Slice,
    definition_nodes,
    is_stub,
    same_code,
    slice_function,
    slice_variable,
)
from grader.records import FunctionFacts
from grader.subjects import Subject, SubjectKind

# how the names of functions begin that make data: load_digits, read_csv, make_blobs, randn, normal
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
    code: Code, subjects: Iterable[Subject], skeleton: Code
) -> tuple[dict[str, Slice], dict[str, FunctionFacts]]:
    """Return the slices of the subjects that are called and were attempted, and the facts of every subject.

    Both are by the subject's text.
    """
    slices: dict[str, Slice] = {}
    facts: dict[str, FunctionFacts] = {}
    for subject in subjects:
        if subject.is_called:
            found = slice_function(code, subject.root)
            facts[str(subject)] = _facts(code, subject, found, slice_function(skeleton, subject.root))
            if found is not None and facts[str(subject)].status == "found":
                slices[str(subject)] = found
        elif subject.kind is SubjectKind.VARIABLE:
            facts[str(subject)] = _variable(code, subject, skeleton)
        else:
            facts[str(subject)] = FunctionFacts(str(subject), "found")
    return slices, facts


def _variable(code: Code, subject: Subject, skeleton: Code) -> FunctionFacts:
    """Return the facts of a variable: not attempted if it is bound as it was handed out, to None or `...`."""
    found, given = slice_variable(code, subject.name), slice_variable(skeleton, subject.name)
    if found is None:
        remark = f"The notebook does not define a variable named {subject.name}."
        return FunctionFacts(str(subject), "missing", remark=remark)
    untouched = given is not None and found.key == given.key
    return FunctionFacts(
        str(subject),
        "not_attempted" if untouched else "found",
        found.definition.cell,
        found.key,
        calls=dotted_names(found.statements),
    )


def _facts(code: Code, subject: Subject, found: Slice | None, given: Slice | None) -> FunctionFacts:
    if found is None:
        return FunctionFacts(str(subject), "missing", remark=_why_missing(code, subject))
    statement, nodes = _definitions(found, subject.method)
    if not nodes:
        remark = f"The class {subject.root} has no method named {subject.method}."
        return FunctionFacts(str(subject), "missing", remark=remark)
    stub = all(map(is_stub, nodes))
    return FunctionFacts(
        str(subject),
        "not_attempted" if stub or _is_as_handed_out(found, given, subject.method) else "found",
        found.definition.cell,
        found.key,
        calls=dotted_names(found.statements),
        notebook_globals=_leaned_on(found, statement, nodes[-1]),
        places=tuple((s.cell, _first_line(s.node)) for s in found.statements),
    )


def _is_as_handed_out(found: Slice, given: Slice | None, method: str) -> bool:
    """Whether a function is as it was handed out, and so is every function and class that it needs.

    A function that was handed out complete, and calls others that were to be filled in, is the student's as
    soon as one of these is.
    """
    if given is None:
        return False
    own, theirs = _definitions(found, method)[1], _definitions(given, method)[1]
    if len(own) != 1 or not theirs or not same_code(own[0], theirs[0]):
        return False
    before = {
        node.name: node
        for statement in given.statements
        for node in ast.walk(statement.node)
        if isinstance(node, Definition)
    }
    needed = [
        s.node
        for s in found.statements
        if isinstance(s.node, Definition) and s.place != found.definition.place
    ]
    filled = [node for node in needed if node.name in before and not same_code(node, before[node.name])]
    return not any(not is_stub(node) for node in filled)


def _first_line(node: ast.stmt) -> int:
    decorators = node.decorator_list if isinstance(node, Definition) else []
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _definitions(found: Slice, method: str = "") -> tuple[Statement, list[ast.AST]]:
    """Return the definitions of a function, also behind another name or a wrapper, and their statement.

    With `method`, those of the method in its class.
    """
    nodes = definition_nodes(found.definition, found.name)
    if method:
        inner = [node for outer in nodes for node in ast.walk(outer) if isinstance(node, Function)]
        own: list[ast.AST] = [node for node in inner if node.name == method]
        inherits = any(isinstance(node, ast.ClassDef) and node.bases for node in nodes)
        return found.definition, own or (nodes if inherits else [])
    if not isinstance(nodes[0], ast.Assign | ast.AnnAssign) or isinstance(nodes[0].value, ast.Lambda):
        return found.definition, nodes
    mentioned = {inner.id for inner in ast.walk(nodes[0]) if isinstance(inner, ast.Name)}
    for statement in reversed(found.statements):
        if isinstance(statement.node, Function) and statement.node.name in mentioned:
            return statement, [statement.node]
    return found.definition, nodes


def _why_missing(code: Code, subject: Subject) -> str:
    """Say that the function stands in a cell which is not Python, if that is so."""
    name = subject.root
    for cell in code.cells:
        if cell.error and re.search(rf"\b(def|class)\s+{name}\b|^{name}\s*=", cell.source, re.M):
            return f"Its cell has a syntax error: {cell.error}."
    kind = "function" if subject.kind is SubjectKind.FUNCTION else "class"
    return f"The notebook does not define a {kind} named {name}."


def _leaned_on(found: Slice, statement: Statement, node: ast.AST) -> tuple[str, ...]:
    """Return the data of the notebook that a function's own code reads: no functions, imports, constants."""
    if not isinstance(node, Function):
        return ()
    functions = {name for s in found.statements if isinstance(s.node, Function) for name in s.binds}
    data: set[str] = set()
    for earlier in found.statements:
        if _makes_data(earlier.node, data, functions):
            data |= earlier.binds
        else:
            data -= earlier.binds - earlier.perhaps
    return tuple(sorted(data & statement.deferred))


def _makes_data(node: ast.stmt, data: set[str], functions: set[str]) -> bool:
    """Whether a statement binds data, and not a constant, a lambda, a wrapper or a function."""
    if isinstance(node, ast.For | ast.With | ast.While):
        return True
    if isinstance(node, ast.If | ast.Try):
        return any(
            _makes_data(n, data, functions) for n in ast.iter_child_nodes(node) if isinstance(n, ast.stmt)
        )
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) else None
    if value is None or isinstance(value, ast.Lambda):
        return False
    if isinstance(value, ast.Call) and last_name(value.func) in WRAPPERS:
        return False
    return any(_is_data(inner, data, functions) for inner in ast.walk(value))


def _is_data(node: ast.AST, data: set[str], functions: set[str]) -> bool:
    """Whether a part of a value is data: made from data, loaded, drawn, or computed by a function."""
    if isinstance(node, ast.Name):
        return node.id in data
    if not isinstance(node, ast.Call):
        return False
    own = isinstance(node.func, ast.Name) and node.func.id in functions
    wraps = bool(node.args) and all(isinstance(a, ast.Name) and a.id in functions for a in node.args)
    return last_name(node.func).startswith(SOURCES) or (own and not wraps)


def dotted_names(statements: Iterable[Statement]) -> frozenset[str]:
    """Return the full dotted names that code uses, aliases of imports resolved: `sklearn.manifold.TSNE`.

    An import alone is no use: a name may be imported for another part of the notebook.
    """
    nodes = [inner for statement in statements for inner in ast.walk(statement.node)]
    known = dict(pair for node in nodes for pair in aliases(node))
    used = {dotted(node) for node in nodes if isinstance(node, ast.Attribute | ast.Name)} - {""}
    stars = [full.removesuffix("*") for name, full in known.items() if name == "*"]
    resolved = {
        known[name.split(".")[0]] + name[len(name.split(".")[0]) :]
        for name in used
        if name.split(".")[0] in known
    }
    return frozenset(resolved) | {star + name for star in stars for name in used}
