"""Makes wrong versions of the reference by machine: a mutant is a function with one small change.

What is changed: arithmetic and comparison operators, constants, axes, the order of indices, signs and
transposes (dropped), terms and factors (dropped), names (replaced by another variable), functions (sum for
mean), conditions (negated), statements (deleted). The signature, docstrings, printed and error messages stay.
"""

from __future__ import annotations

import ast
import copy
import difflib
from collections.abc import Iterator
from dataclasses import dataclass

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
        """The change in one line, without line numbers, so that edits elsewhere do not change it."""
        return f"{self.function}: {self.was} -> {self.becomes}"


def make_mutants(function: str, source: str) -> list[Mutant]:
    """Return every mutant of a function's definition, each different from all others."""
    tree = ast.parse(source)
    original = ast.unparse(tree)
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    assigned = {
        n.id for n in ast.walk(definition) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    variables = sorted(assigned | {argument.arg for argument in definition.args.args})
    mutants: dict[str, Mutant] = {}
    for index, node in enumerate(_mutable_nodes(definition)):
        for replacement in _replacements(node, variables):
            changed = copy.deepcopy(tree)
            target = _mutable_nodes(changed.body[0])[index]
            target.__class__ = replacement.__class__  # in place, since a node does not know its parent
            vars(target).clear()
            vars(target).update(vars(replacement))
            text = ast.unparse(ast.fix_missing_locations(changed))
            if text == original or text in mutants:
                continue
            lines = list(difflib.ndiff(original.splitlines(), text.splitlines()))
            was = " / ".join(line[2:].strip() for line in lines if line[0] == "-")
            becomes = " / ".join(line[2:].strip() for line in lines if line[0] == "+") or "(deleted)"
            mutants[text] = Mutant(function, was, becomes, text)
    return list(mutants.values())


def _mutable_nodes(definition: ast.AST) -> list[ast.AST]:
    """Return the nodes of a function's body, parents first, without those that only hold text for people."""
    nodes: list[ast.AST] = []
    pending = list(getattr(definition, "body", []))
    while pending:
        node = pending.pop(0)
        match node:
            case ast.Raise() | ast.JoinedStr() | ast.arguments():
                continue
            case ast.Expr(ast.Constant() | ast.Call(ast.Name("print"))):  # a docstring, a print
                continue
        nodes.append(node)
        pending = [*ast.iter_child_nodes(node), *pending]
    return nodes


def _replacements(node: ast.AST, variables: list[str]) -> Iterator[ast.AST]:
    """Yield the nodes that can stand in place of a node, each of them one mistake."""
    match node:
        case ast.BinOp(left, op, right):
            for other in ARITHMETIC.get(type(op), ()):
                yield ast.BinOp(left, other(), right)
            yield left
            if not isinstance(op, ast.Pow):
                yield right
            if isinstance(op, ast.MatMult | ast.Sub | ast.Div):
                yield ast.BinOp(right, op, left)
        case ast.Compare(left, [first, *rest], comparators):
            for comparison in COMPARISONS.get(type(first), ()):
                yield ast.Compare(left, [comparison(), *rest], comparators)
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value)):
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)
        case ast.Constant(float(value)):
            yield from map(ast.Constant, (2 * value, -value) if value else (1.0,))
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.Name(name, ast.Load() | ast.Del() as context) if name in variables and len(variables) > 1:
            yield ast.Name(variables[(variables.index(name) + 1) % len(variables)], context)
        case ast.Attribute(value, name, context):
            for function in FUNCTIONS.get(name, ()):
                yield ast.Attribute(value, function, context)
            if name == "T":
                yield value
        case ast.Tuple([first, second], ast.Load() as context):
            yield ast.Tuple([second, first], context)
        case ast.Call(function, [first, second], keywords):
            yield ast.Call(function, [second, first], keywords)
        case ast.If(test, body, orelse):
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.IfExp(test, body, orelse):
            yield ast.IfExp(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.Assign() | ast.AugAssign() | ast.Expr() | ast.Break():
            yield ast.Pass()
