"""The code cells of a notebook as Python source and top-level statements. Executes nothing.

IPython's own transformer turns magics and shell escapes into calls of `get_ipython()`; a cell magic that
runs the cell (`%%time`, `%%capture`, ...) is taken off, a cell in another language is left out.
"""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from grader.notebook.quiet import quiet

if TYPE_CHECKING:
    import nbformat

MAGIC = re.compile(r"^([ \t]*)[%!].*$", re.M)
TRANSPARENT_MAGICS = ("time", "timeit", "capture", "prun", "memit", "mprun")
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Statement:
    """One top-level statement: where it stands, which names it binds, and which it reads.

    `reads` are needed when the statement runs, `deferred` when a function that it defines is called.
    """

    cell: int
    index: int
    node: ast.stmt
    binds: frozenset[str]
    reads: frozenset[str]
    deferred: frozenset[str]
    touches: frozenset[str]

    @property
    def place(self) -> tuple[int, int]:
        """The order in the notebook: cell number, index in the cell."""
        return (self.cell, self.index)


@dataclass(frozen=True)
class CodeCell:
    """One code cell, numbered from 1 among the code cells; `error` says why it is not Python."""

    number: int
    source: str
    statements: tuple[Statement, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Code:
    """All code of a notebook."""

    cells: tuple[CodeCell, ...] = field(default_factory=tuple)

    @property
    def statements(self) -> Iterator[Statement]:
        """Every statement, in notebook order."""
        return (statement for cell in self.cells for statement in cell.statements)


def read_code(notebook: nbformat.NotebookNode) -> Code:
    """Return the code of a notebook, cell by cell."""
    return read_sources(cell.source for cell in notebook.cells if cell.cell_type == "code")


def read_sources(sources: Iterable[str]) -> Code:
    """Return the code of the code cells with these sources."""
    return Code(tuple(_read_cell(number, source) for number, source in enumerate(sources, 1)))


def _read_cell(number: int, source: str) -> CodeCell:
    try:
        with quiet():
            python = to_python(source)
            body = ast.parse(python).body
            statements = tuple(_statement(number, index, node) for index, node in enumerate(body))
    except SyntaxError as error:
        return CodeCell(number, source, error=f"cell {number}, line {error.lineno}: {error.msg}")
    except (ValueError, RecursionError, MemoryError) as error:
        return CodeCell(number, source, error=f"cell {number}: {error or type(error).__name__}")
    return CodeCell(number, python, statements)


def to_python(source: str) -> str:
    """Return the Python that IPython would run for a cell; line numbers stay the same."""
    first, _, rest = source.lstrip("\n").partition("\n")
    if first.startswith("%%"):
        words = first[2:].split()
        transparent = bool(words) and words[0] in TRANSPARENT_MAGICS
        lead = "\n" * (len(source) - len(source.lstrip("\n")) + 1)
        return lead + to_python(rest) if transparent else ""
    return source if _is_python(source) else _transformed(source)


def _is_python(source: str) -> bool:
    """Whether a cell is Python as it stands, as most are: then IPython changes nothing."""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _transformed(source: str) -> str:
    try:
        from IPython.core.inputtransformer2 import TransformerManager  # noqa: PLC0415 -- takes 0.3 s
    except ImportError:  # a student's editor brings IPython only into the kernel
        return MAGIC.sub(r"\1pass", source)
    return TransformerManager().transform_cell(source)


def _statement(cell: int, index: int, node: ast.stmt) -> Statement:
    """Let Python's own symbol table say which global names a statement binds and reads."""
    top = symtable.symtable(ast.unparse(node), "<cell>", "exec")
    binds = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    reads = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    deferred: set[str] = set()
    for child in top.get_children():
        _collect(child, immediate=child.get_type() == "class", reads=reads, deferred=deferred, binds=binds)
    return Statement(
        cell, index, node, frozenset(binds), frozenset(reads), frozenset(deferred), frozenset(_touched(node))
    )


def _collect(
    table: symtable.SymbolTable, *, immediate: bool, reads: set[str], deferred: set[str], binds: set[str]
) -> None:
    """Add the global names of a nested scope; a `global` assignment binds at module level."""
    for symbol in table.get_symbols():
        if symbol.is_global():
            if symbol.is_declared_global() and symbol.is_assigned():
                binds.add(symbol.get_name())
            if symbol.is_referenced():
                (reads if immediate else deferred).add(symbol.get_name())
    for child in table.get_children():
        inner = immediate and child.get_type() == "class"
        _collect(child, immediate=inner, reads=reads, deferred=deferred, binds=binds)


def _touched(node: ast.stmt) -> set[str]:
    """Return the names whose objects a statement changes in place: `x[0] = 1`, `x.a = 1`, `x.append(1)`."""
    names = set()
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = {_root(t) for t in targets if isinstance(t, ast.Subscript | ast.Attribute)}
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        function = node.value.func
        names = {_root(function)} if isinstance(function, ast.Attribute) else set()
    return names - {""}


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
