"""The code cells of a notebook as Python source and top-level statements. Executes nothing.

IPython's own transformer turns magics and shell escapes into calls of `get_ipython()`; a cell magic that
runs the cell (`%%time`, `%%capture`, ...) is taken off, a cell in another language is left out.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING

from grader.notebook.names import Names, names_of
from grader.notebook.quiet import quiet

if TYPE_CHECKING:
    import nbformat

MAX_STATEMENTS = 3000
MAGIC = re.compile(r"^([ \t]*)[%!].*$", re.M)
TRANSPARENT_MAGICS = ("time", "timeit", "capture", "prun", "memit", "mprun", "debug", "snakeviz", "wandb")
TIME = re.compile(r"^([ \t]*)%time[ \t]+(?=\w)", re.M)
TIMED = re.compile(r"^([ \t]*)get_ipython\(\)\.run_line_magic\('time', (['\"].*['\"])\)[ \t]*$", re.M)
PYLAB = re.compile(r"^%pylab\b.*$", re.M)
AS_PYLAB_DOES = (
    "import numpy, matplotlib; from matplotlib import pylab, mlab, pyplot; np = numpy; plt = pyplot; "
    "from matplotlib.pylab import *; from numpy import *"
)


@dataclass(frozen=True)
class Statement(Names):
    """One top-level statement, where it stands, its global names, and its text in a normal form."""

    cell: int
    index: int
    node: ast.stmt
    text: str

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


@dataclass(frozen=True, eq=False)
class Code:
    """All code of a notebook; equal only to itself."""

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
    return Code(tuple(_within(_read_cell(number, source) for number, source in enumerate(sources, 1))))


def _within(cells: Iterable[CodeCell]) -> Iterator[CodeCell]:
    """Leave out cells beyond a number of statements: no hand writes so many; slicing takes their square."""
    left = MAX_STATEMENTS
    for cell in cells:
        left -= len(cell.statements)
        told = f"cell {cell.number}: the notebook has more than {MAX_STATEMENTS} statements up to here"
        yield cell if left >= 0 else CodeCell(cell.number, cell.source, error=told)


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
    lead = "\n" * _blank_lines(source)
    lines = source.splitlines(keepends=True)[len(lead) :]
    if not (lines and lines[0].startswith("%%")):
        return source if _is_python(source) else lead + _transformed("".join(lines))
    words = lines[0][2:].split()
    transparent = bool(words) and words[0] in TRANSPARENT_MAGICS
    return f"{lead}\n{to_python(''.join(lines[1:]))}" if transparent else ""


def _blank_lines(source: str) -> int:
    """Count the blank lines before the code: IPython drops them, a traceback counts them."""
    return len(list(takewhile(lambda line: not line.strip(), source.splitlines())))


def _is_python(source: str) -> bool:
    """Whether a cell is Python as it stands, as most are: then IPython changes nothing."""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _transformed(source: str) -> str:
    source = PYLAB.sub(AS_PYLAB_DOES, source)
    try:
        from IPython.core.inputtransformer2 import TransformerManager  # noqa: PLC0415 -- takes 0.3 s
    except ImportError:  # a student's editor brings IPython only into the kernel
        return MAGIC.sub(r"\1pass", TIME.sub(r"\1", source))
    return TIMED.sub(_untimed, TransformerManager().transform_cell(source))


def _untimed(magic: re.Match[str]) -> str:
    """Return the statement behind `%time`, which binds what it binds; the magic itself if it is none."""
    statement = str(ast.literal_eval(magic[2]))
    return f"{magic[1]}{statement}" if _is_python(statement) else magic[0]


def _statement(cell: int, index: int, node: ast.stmt) -> Statement:
    text = ast.unparse(node)
    return Statement(**vars(names_of(node, text)), cell=cell, index=index, node=node, text=text)
