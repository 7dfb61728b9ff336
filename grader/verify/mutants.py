"""Makes mistakes in the reference by machine: one small change in the syntax tree for each mutant.

What is changed: arithmetic and comparison operators, constants, axes, the order of indices, signs and
transposes (dropped), terms and factors (dropped), names (swapped with the next), functions (sum for mean),
conditions (negated), statements (deleted). The signature, docstrings and what is printed stay as they are.
"""

from __future__ import annotations

import ast
import copy
import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.Mod: (ast.FloorDiv,),
}
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt,),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt,),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
FUNCTIONS = {
    "sum": ("mean", "prod"),
    "mean": ("sum",),
    "log": ("log2", "exp"),
    "zeros": ("ones",),
    "maximum": ("minimum",),
    "rand": ("randn",),
    "permutation": ("arange",),
}


@dataclass(frozen=True)
class Mutant:
    """A changed definition of one function; `was` and `becomes` are the lines in which it differs."""

    function: str
    was: str
    becomes: str
    source: str

    @property
    def id(self) -> str:
        """The mutant in one line, the same whatever stands around it."""
        return f"{self.function}: {self.was} -> {self.becomes}"


def make_mutants(function: str, source: str) -> list[Mutant]:
    """Return every mutant of a function's definition, each different from all others."""
    tree = ast.parse(source)
    original = ast.unparse(tree)
    found: dict[str, Mutant] = {}
    for changed in _changed_trees(tree):
        text = ast.unparse(changed)
        if text != original and text not in found:
            found[text] = Mutant(function, *_difference(original, text), text)
    return list(found.values())


def _difference(original: str, changed: str) -> tuple[str, str]:
    """Return the lines of each text that the other lacks."""
    lines = [line for line in difflib.ndiff(original.splitlines(), changed.splitlines()) if line[0] in "+-"]
    was = " / ".join(line[2:].strip() for line in lines if line[0] == "-")
    becomes = " / ".join(line[2:].strip() for line in lines if line[0] == "+")
    return was, becomes or "(deleted)"


def _changed_trees(tree: ast.Module) -> Iterator[ast.Module]:
    """Yield copies of a tree, each with one change."""
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    names = _variables(function)
    for place, node in enumerate(_mutable(function)):
        for change in _changes(node, names):
            copied = copy.deepcopy(tree)
            target = list(_mutable(copied.body[0]))[place]
            change(target)
            yield ast.fix_missing_locations(copied)


def _mutable(function: ast.AST) -> list[ast.AST]:
    """Return the nodes of a function's body, docstrings and prints left out, always in the same order."""
    found: list[ast.AST] = []
    pending = list(getattr(function, "body", []))
    while pending:
        node = pending.pop(0)
        if _is_text(node):
            continue
        found.append(node)
        pending = [*ast.iter_child_nodes(node), *pending]
    return found


def _is_text(node: ast.AST) -> bool:
    """Whether a node only says something: a docstring, a print, an error's message."""
    if isinstance(node, ast.Raise | ast.JoinedStr | ast.arguments):
        return True
    if not isinstance(node, ast.Expr):
        return False
    call = node.value
    printed = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "print"
    return printed or isinstance(call, ast.Constant)


def _variables(function: ast.FunctionDef) -> list[str]:
    """Return the function's own variables, by name: parameters and what it binds."""
    bound = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and _stored(node)}
    return sorted(bound | {argument.arg for argument in function.args.args})


def _stored(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


Change = Callable[[Any], None]


def _changes(node: ast.AST, names: list[str]) -> Iterable[Change]:  # noqa: PLR0911 -- a table of nodes
    """Return the changes that can be made in one node."""
    if isinstance(node, ast.BinOp):
        return [*_operators(node), *_operands(node)]
    if isinstance(node, ast.Compare):
        return [_comparison(new) for new in COMPARISONS.get(type(node.ops[0]), ())]
    if isinstance(node, ast.Constant):
        return [_attribute("value", value) for value in _other_values(node.value)]
    if isinstance(node, ast.UnaryOp):
        return [_replace_by("operand")]
    if isinstance(node, ast.BoolOp):
        return [_attribute("op", ast.Or() if isinstance(node.op, ast.And) else ast.And())]
    if isinstance(node, ast.Name) and not _stored(node) and node.id in names and len(names) > 1:
        return [_attribute("id", names[(names.index(node.id) + 1) % len(names)])]
    if isinstance(node, ast.Attribute):
        renamed = [_attribute("attr", other) for other in FUNCTIONS.get(node.attr, ())]
        return [*renamed, _replace_by("value")] if node.attr == "T" else renamed
    if isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.ctx, ast.Load):
        return [_swap]
    return _statement_changes(node)


def _statement_changes(node: ast.AST) -> Iterable[Change]:
    if isinstance(node, ast.Call) and len(node.args) == 2:
        return [_swap_arguments]
    if isinstance(node, ast.If | ast.IfExp):
        return [_negate]
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.Break):
        return [_delete]
    return []


def _operators(node: ast.BinOp) -> list[Change]:
    return [_attribute("op", new()) for new in ARITHMETIC.get(type(node.op), ())]


def _operands(node: ast.BinOp) -> list[Change]:
    """Return what drops a term or a factor, and what changes the order of a product of matrices."""
    dropped = [_replace_by("left"), _replace_by("right")]
    if isinstance(node.op, ast.Pow):
        return dropped[:1]
    return [*dropped, _swap_operands] if isinstance(node.op, ast.MatMult | ast.Sub | ast.Div) else dropped


def _other_values(value: object) -> list[object]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    if isinstance(value, float):
        return [2 * value, -value] if value else [1.0]
    return []


def _attribute(name: str, value: object) -> Change:
    return lambda node: setattr(node, name, value)


def _comparison(new: type[ast.cmpop]) -> Change:
    return lambda node: node.ops.__setitem__(0, new())


def _become(node: ast.AST, other: ast.AST) -> None:
    """Turn a node into another one, where it stands."""
    node.__class__ = other.__class__
    vars(node).clear()
    vars(node).update(vars(other))


def _replace_by(part: str) -> Change:
    return lambda node: _become(node, getattr(node, part))


def _swap_operands(node: ast.BinOp) -> None:
    node.left, node.right = node.right, node.left


def _swap(node: ast.Tuple) -> None:
    node.elts.reverse()


def _swap_arguments(node: ast.Call) -> None:
    node.args.reverse()


def _negate(node: ast.If | ast.IfExp) -> None:
    node.test = ast.UnaryOp(ast.Not(), node.test)


def _delete(node: ast.AST) -> None:
    _become(node, ast.Pass())
