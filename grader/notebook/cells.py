"""The code cells of a notebook as Python source and top-level statements. Executes nothing.

IPython's own transformer turns magics and shell escapes into calls of `get_ipython()`. A cell magic that runs
the cell as Python (`%%time`, `%%capture`, ...) is removed; a cell in another language becomes empty.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from grader.notebook.names import Names, names_of
from grader.notebook.quiet import quiet

if TYPE_CHECKING:
    import nbformat

MAX_STATEMENTS = 3000  # far more than anybody writes by hand; the time of slicing grows with their square
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
    """One top-level statement with its position, its global names, and its text from `ast.unparse`."""

    cell: int
    index: int
    node: ast.stmt
    text: str

    @property
    def place(self) -> tuple[int, int]:
        """The position in the notebook: number of the cell, index in the cell."""
        return (self.cell, self.index)


@dataclass(frozen=True)
class CodeCell:
    """One code cell, numbered from 1 among the code cells; `error` says why it has no statements."""

    number: int
    source: str
    statements: tuple[Statement, ...] = ()
    error: str = ""


@dataclass(frozen=True, eq=False)
class Code:
    """All code of a notebook; compared by identity, so that it can be the key of a cache.

    `texts` are the cells that hold no code.
    """

    cells: tuple[CodeCell, ...] = field(default_factory=tuple)
    texts: tuple[str, ...] = ()

    @property
    def statements(self) -> Iterator[Statement]:
        """Every statement, in notebook order."""
        return (statement for cell in self.cells for statement in cell.statements)


def read_code(notebook: nbformat.NotebookNode) -> Code:
    """Return the code of a notebook, cell by cell."""
    code = (cell.source for cell in notebook.cells if cell.cell_type == "code")
    return read_sources(code, (cell.source for cell in notebook.cells if cell.cell_type != "code"))


def read_sources(sources: Iterable[str], texts: Iterable[str] = ()) -> Code:
    """Return the code of the code cells with these sources, with the `texts` of the other cells."""
    cells: list[CodeCell] = []
    left = MAX_STATEMENTS
    for number, source in enumerate(sources, 1):
        statements: list[Statement] = []
        try:
            with quiet():
                python = to_python(source)
                for index, node in enumerate(ast.parse(python).body):
                    text = ast.unparse(node)
                    names = vars(names_of(node, text))
                    statements.append(Statement(**names, cell=number, index=index, node=node, text=text))
            cell = CodeCell(number, python, tuple(statements))
        except SyntaxError as error:
            place = f"code cell {number}" + (f", line {error.lineno}" if error.lineno else "")
            cell = CodeCell(number, source, error=f"{place}: {error.msg}")
        except Exception as error:  # IPython gives up with a RuntimeError after 500 magics
            cell = CodeCell(number, source, error=f"code cell {number}: {error or type(error).__name__}")
        left -= len(cell.statements)
        if left < 0:
            reason = f"code cell {number}: the notebook has more than {MAX_STATEMENTS} statements up to here"
            cell = CodeCell(number, cell.source, error=reason)
        cells.append(cell)
    return Code(tuple(cells), tuple(texts))


def to_python(source: str) -> str:
    """Return the Python that IPython would run for a cell; line numbers stay the same."""
    lines = source.splitlines(keepends=True)
    first = 0
    while first < len(lines):
        if lines[first].startswith("%%"):
            words = lines[first][2:].split()
            if not words or words[0] not in TRANSPARENT_MAGICS:
                return ""
        elif lines[first].strip():
            break
        first += 1
    # IPython drops the blank lines before the code, but the line numbers of a traceback count them.
    lead, code = "\n" * first, "".join(lines[first:])
    if _is_python(code):
        return lead + code
    code = PYLAB.sub(AS_PYLAB_DOES, code)
    try:
        from IPython.core.inputtransformer2 import TransformerManager  # noqa: PLC0415 -- takes 0.3 s
    except ImportError:  # a student's editor may have IPython in the kernel only
        return lead + MAGIC.sub(r"\1pass", TIME.sub(r"\1", code))
    return lead + TIMED.sub(_untimed, TransformerManager().transform_cell(code))


def _is_python(source: str) -> bool:
    """Return whether a source can be parsed as it is; most cells can, and IPython would not change them."""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _untimed(magic: re.Match[str]) -> str:
    """Return the statement after `%time`, since it binds names; the call of the magic if it is no Python."""
    statement = str(ast.literal_eval(magic[2]))
    return f"{magic[1]}{statement}" if _is_python(statement) else magic[0]


def find_cell(notebook: Any, name: str) -> int | None:
    """Return the index of the cell with a tag or, if there is none, an id."""
    for index, cell in enumerate(notebook.cells):
        if name in cell.get("metadata", {}).get("tags", ()):
            return index
    return next((index for index, cell in enumerate(notebook.cells) if cell.get("id") == name), None)
