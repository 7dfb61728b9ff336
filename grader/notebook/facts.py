"""What reading a notebook says of a function: found, missing or not attempted, what it calls and leans on."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from grader.notebook.cells import Code, Statement
from grader.notebook.slicing import Slice, definition_node, same_code, slice_function
from grader.records import FunctionFacts

Function = ast.FunctionDef | ast.AsyncFunctionDef


def find_functions(
    code: Code, names: Iterable[str], skeleton: Code
) -> tuple[dict[str, Slice], dict[str, FunctionFacts]]:
    """Return the slices of the functions that were attempted, and the facts of every function."""
    slices: dict[str, Slice] = {}
    facts: dict[str, FunctionFacts] = {}
    for name in names:
        found = slice_function(code, name)
        facts[name] = _facts(code, name, found, slice_function(skeleton, name))
        if found is not None and facts[name].status == "found":
            slices[name] = found
    return slices, facts


def _facts(code: Code, name: str, found: Slice | None, given: Slice | None) -> FunctionFacts:
    if found is None:
        return FunctionFacts(name, "missing", remark=_why_missing(code, name))
    node = definition_node(found.definition, name)
    untouched = given is not None and same_code(node, definition_node(given.definition, name))
    status = "not_attempted" if untouched or _is_stub(node) else "found"
    return FunctionFacts(
        name,
        status,
        found.definition.cell,
        found.key,
        calls=dotted_names(found.statements),
        notebook_globals=_leaned_on(found, node),
        unread=_unread_parameters(node),
    )


def _why_missing(code: Code, name: str) -> str:
    """Say that the function stands in a cell which is not Python, if that is so."""
    for cell in code.cells:
        if cell.error and f"def {name}" in cell.source:
            return f"Its cell has a syntax error: {cell.error}."
    return f"The notebook does not define a function named {name}."


def _is_stub(node: ast.AST) -> bool:
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


def _leaned_on(found: Slice, node: ast.AST) -> tuple[str, ...]:
    """Return the variables (no functions, imports or constants) that the function's own code reads."""
    if not isinstance(node, Function):
        return ()
    reads = found.definition.deferred
    names = {
        name
        for statement in found.statements
        for name in statement.binds & reads
        if isinstance(statement.node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.For | ast.With)
        and not _is_plain(statement.node)
    }
    return tuple(sorted(names))


def _is_plain(node: ast.stmt) -> bool:
    """Whether an assignment's value is a constant, a lambda or a wrapper: no data of the notebook."""
    value = getattr(node, "value", None)
    if isinstance(value, ast.Call):
        return not any(
            isinstance(inner, ast.Name | ast.Call) for arg in value.args for inner in ast.walk(arg)
        )
    return value is not None and not any(isinstance(inner, ast.Name | ast.Call) for inner in ast.walk(value))


def _unread_parameters(node: ast.AST) -> tuple[str, ...]:
    if not isinstance(node, Function):
        return ()
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    read = {
        inner.id for statement in node.body for inner in ast.walk(statement) if isinstance(inner, ast.Name)
    }
    return tuple(argument.arg for argument in arguments if argument.arg not in read)


def dotted_names(statements: Iterable[Statement]) -> frozenset[str]:
    """Return the full dotted names that code uses, aliases of imports resolved: `sklearn.manifold.TSNE`."""
    nodes = [statement.node for statement in statements]
    aliases = dict(pair for node in nodes for inner in ast.walk(node) for pair in _aliases(inner))
    names = {_dotted(inner, aliases) for node in nodes for inner in ast.walk(node)}
    return frozenset(names - {""}) | frozenset(aliases.values())


def _aliases(node: ast.AST) -> Iterable[tuple[str, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield (
                (alias.asname or alias.name.split(".")[0]),
                (alias.name if alias.asname else alias.name.split(".")[0]),
            )
    elif isinstance(node, ast.ImportFrom) and node.module:
        for alias in node.names:
            yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _dotted(node: ast.AST, aliases: Mapping[str, str]) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in aliases:
        return ""
    return ".".join([aliases[node.id], *reversed(parts)])
