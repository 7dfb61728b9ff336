"""Makes wrong versions of the reference by machine: a mutant is a function with one small change.

What is changed: arithmetic and comparison operators, constants, axes, the order of indices, signs and
transposes (dropped), terms and factors (dropped), names (replaced by another variable), functions (sum for
mean), conditions (negated), statements (deleted). What has no effect on a result stays: docstrings, defaults,
printed and logged messages with the conditions of when they are shown, error messages.

Of a class, a method is changed together with the constructor and the methods that they call.
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
    """Return every mutant of the definition of a function, each different from all others.

    For a method (CLASS.METHOD), or a class (class NAME), the source is that of the class.
    """
    tree = ast.parse(source)
    original = ast.unparse(tree)
    mutants: dict[str, Mutant] = {}
    for index, (node, variables) in enumerate(_mutable_nodes(tree, function)):
        for replacement in _replacements(node, variables):
            changed = copy.deepcopy(tree)
            target = _mutable_nodes(changed, function)[index][0]
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


def _mutable_nodes(tree: ast.Module, function: str) -> list[tuple[ast.AST, list[str]]]:
    """Return the nodes that may be changed, parents first, each with the variables of its function."""
    definition = tree.body[0]
    definitions = [definition]
    if isinstance(definition, ast.ClassDef):
        methods = {node.name: node for node in definition.body if isinstance(node, ast.FunctionDef)}
        wanted = function.partition(".")[2]
        names = ["__init__", wanted] if wanted else list(methods)
        for name in names:  # grows while it is read: the methods that these call
            inside = ast.walk(methods[name]) if name in methods else ()
            called = (node.attr for node in inside if isinstance(node, ast.Attribute))
            names += [each for each in dict.fromkeys(called) if each in methods and each not in names]
        definitions = [methods[name] for name in dict.fromkeys(names) if name in methods]
    nodes: list[tuple[ast.AST, list[str]]] = []
    for each in definitions:
        assert isinstance(each, ast.FunctionDef)
        stored = {n.id for n in ast.walk(each) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        variables = sorted(stored | {argument.arg for argument in each.args.args})
        pending: list[ast.AST] = list(each.body)
        while pending:
            node = pending.pop(0)
            if not isinstance(node, ast.Raise | ast.JoinedStr | ast.arguments) and not _says_only(node):
                nodes.append((node, variables))
                pending = [*ast.iter_child_nodes(node), *pending]
    return nodes


def _says_only(node: ast.AST) -> bool:
    """Whether a statement only tells something to people: a docstring, a print, a log, when to show them."""
    match node:
        case ast.Expr(ast.Constant() | ast.Call(ast.Name("print"))):
            return True
        case ast.Expr(ast.Call(ast.Attribute(ast.Name(owner)))):
            return owner.lower() in ("logging", "logger", "log", "warnings", "tqdm")
        case ast.If(test, body, orelse):
            calls = any(isinstance(inner, ast.Call | ast.NamedExpr) for inner in ast.walk(test))
            return not calls and all(map(_says_only, [*body, *orelse]))
    return False


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
