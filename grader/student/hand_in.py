"""What the graders' run would trip over, found before the upload.

    read    file name, functions, imports, removed names, files, order of the cells, size of the outputs
    run     a copy, from top to bottom, in a fresh kernel, in a folder that holds the handed-out files alone

An obstacle is serious if it can cost points, otherwise it is a remark.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from grader.notebook.cells import Code, CodeCell, Statement, read_sources
from grader.notebook.facts import find_functions
from grader.notebook.names import aliases, dotted, imported_modules
from grader.notebook.slicing import BUILTINS, definition_nodes
from grader.notebook.sources import code_sources
from grader.student.environment import READERS, REMOVED, WRITERS
from grader.student.kit import Kit, KitFunction

MAX_FILE_MB = 10
Content = Mapping[str, Any]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Obstacle:
    """One thing that would go wrong, or may, and what to do about it."""

    message: str
    advice: str
    serious: bool = True


def find_obstacles(name: str, size: int, content: dict[str, Any], kit: Kit) -> list[Obstacle]:
    """Return what reading a notebook of `size` bytes under this file name tells; nothing is run."""
    code = read_sources(code_sources(content))
    return [
        *_file(name, size, kit),
        *_syntax(code),
        *_functions(code, kit),
        *_modules(code, kit),
        *_removed(code),
        *_files(code, kit),
        *_names(code),
        *_order(content),
        *_outputs(content, kit),
    ]


def _file(name: str, size: int, kit: Kit) -> Iterator[Obstacle]:
    if name != kit.notebook:
        yield Obstacle(f"The file is named {name}.", f"Hand it in as {kit.notebook}.")
    if size > MAX_FILE_MB << 20:
        mb = f"{size / 2**20:.0f} MB"
        yield Obstacle(f"The file has {mb}.", "Print and plot less, or clear the outputs.", serious=False)


def _syntax(code: Code) -> Iterator[Obstacle]:
    for cell in code.cells:
        if cell.error:
            message = f"Code that is not Python: {cell.error}."
            yield Obstacle(message, "Nothing of this cell can be run or graded; mend it or delete it.")


def _functions(code: Code, kit: Kit) -> Iterator[Obstacle]:
    slices, facts = find_functions(code, kit.functions, Code())
    defined = _defined(code)
    for name, known in kit.functions.items():
        if facts[name].status == "not_attempted":
            message = f"{name} is still as it was handed out ({known.points:g} points)."
            yield Obstacle(message, "It is fine to leave it, if you mean to.", serious=False)
        elif facts[name].status == "missing" and "syntax error" not in facts[name].remark:
            yield Obstacle(facts[name].remark, _renamed(known, defined, kit))
        elif name in slices:
            nodes = definition_nodes(slices[name].definition, name)
            yield from _parameters(known, nodes[-1])


def _defined(code: Code) -> dict[str, tuple[str, ...]]:
    """Return the functions of the notebook with their arguments."""
    nodes = [node for statement in code.statements for node in ast.walk(statement.node)]
    return {node.name: _names_of(node) for node in nodes if isinstance(node, Function)}


def _names_of(node: Function) -> tuple[str, ...]:
    return tuple(argument.arg for argument in (*node.args.posonlyargs, *node.args.args))


def _renamed(known: KitFunction, defined: Mapping[str, tuple[str, ...]], kit: Kit) -> str:
    """Advise on a missing function: perhaps it has another name now."""
    others = {name: names for name, names in defined.items() if name not in kit.functions}
    near = get_close_matches(known.name, others, 1, 0.75)
    near += [name for name, names in others.items() if names == known.parameters and len(names) > 1]
    if near:
        return f"Is it {near[0]} now? It is called as {known.name}; give it that name again."
    return "Take its cell from the notebook that was handed out."


def _parameters(known: KitFunction, node: ast.AST) -> Iterator[Obstacle]:
    if not isinstance(node, Function) or node.args.vararg is not None:
        return
    names = _names_of(node)
    needed = len(names) - len(node.args.defaults)
    if names[: len(known.parameters)] == known.parameters and needed <= len(known.parameters):
        return
    message = f"{known.name} takes ({', '.join(names)}), but ({', '.join(known.parameters)}) was handed out."
    yield Obstacle(message, "It is called with the arguments that were handed out; give it those again.")


def _modules(code: Code, kit: Kit) -> Iterator[Obstacle]:
    there = {*kit.packages, *sys.stdlib_module_names}
    loaded = [(cell, name.split(".")[0]) for cell, node in _nodes(code) for name in imported_modules(node)]
    for cell, top in dict.fromkeys(loaded):
        if top == "grader":
            advice = "It does nothing for the grading; delete the cells that check before you hand in."
            yield Obstacle(f"{cell} imports grader.", advice, serious=False)
        elif top not in there:
            advice = f"Do without it. There are: {', '.join(kit.packages)}."
            yield Obstacle(f"{cell} imports {top}, which the graders do not have.", advice)


def _removed(code: Code) -> Iterator[Obstacle]:
    names = {name: full for _, node in _nodes(code) for name, full in aliases(node)}
    for cell, node in _nodes(code):
        if isinstance(node, ast.Attribute):
            first, _, rest = dotted(node).partition(".")
            full = f"{names[first]}.{rest}" if first in names else ""
            if full in REMOVED:
                yield Obstacle(f"{cell} uses {full}, which is no longer there.", f"Use {REMOVED[full]}.")


def _files(code: Code, kit: Kit) -> Iterator[Obstacle]:
    calls = [(cell, node) for cell, node in _nodes(code) if isinstance(node, ast.Call)]
    written = {path for _, node in calls for path in _paths(node, WRITERS, writing=True)}
    for cell, node in calls:
        for path in _paths(node, READERS, writing=False):
            if path.startswith(("http://", "https://", "ftp://")):
                yield Obstacle(f"{cell} fetches {path}.", "The graders' run has no network; do without it.")
            elif path not in written and path.removeprefix("./") not in kit.files:
                there = f"There are: {', '.join(kit.files)}" if kit.files else "There is none"
                advice = f"{there}, beside the notebook."
                yield Obstacle(f"{cell} reads the file {path}, which will not be there.", advice)


def _paths(node: ast.Call, functions: frozenset[str], *, writing: bool) -> Iterator[str]:
    """Yield the file that a call reads or writes, where it stands there as a text."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    texts = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
    paths = [text for text in texts if isinstance(text, str)]
    if not paths or not isinstance(node.args[0], ast.Constant):
        return
    if name == "open":
        mode = paths[1] if len(paths) > 1 else "r"
        if writing == (mode[:1] in ("w", "a", "x")):
            yield paths[0]
    elif name in functions:
        yield paths[0]


def _names(code: Code) -> Iterator[Obstacle]:
    """Find names that a cell uses before, in the order of the notebook, anything has made them."""
    if any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for _, node in _nodes(code)):
        return
    last = {name: statement.cell for statement in code.statements for name in statement.binds}
    made: set[str] = set(BUILTINS)
    told: set[str] = set()
    for statement in code.statements:
        for name in sorted(_missing(statement, made) - told):
            told.add(name)
            if name in last:
                message = f"Code cell {statement.cell} uses {name}, made only in code cell {last[name]}."
                yield Obstacle(message, "Move the cells into the order in which they have to run.")
            else:
                message = f"Code cell {statement.cell} uses {name}, which no cell makes."
                yield Obstacle(message, "Was it made in a cell that you deleted? Bring that back.")
        made |= statement.binds


def _missing(statement: Statement, made: set[str]) -> set[str]:
    return set(statement.reads) - made - set(statement.binds)


def _order(content: Content) -> Iterator[Obstacle]:
    counts = [cell.get("execution_count") for cell in _code_cells(content) if "".join(cell.get("source", ""))]
    ran = [count for count in counts if isinstance(count, int)]
    again = "Restart the kernel, run all cells, save."
    if ran and ran != sorted(ran):
        yield Obstacle("The cells were last run in another order than they stand in.", again, serious=False)
    elif len(ran) < len(counts):
        message = f"{len(counts) - len(ran)} of {len(counts)} code cells have not been run."
        yield Obstacle(message, again, serious=False)


def _outputs(content: Content, kit: Kit) -> Iterator[Obstacle]:
    for number, cell in enumerate(_code_cells(content), 1):
        kb = len(json.dumps(cell.get("outputs", []))) / 1024
        if kb > kit.output_kb:
            message = f"Code cell {number} displays {kb:,.0f} kB; after {kit.output_kb} kB it is cut off."
            yield Obstacle(message, "Print less, or plot fewer points.", serious=False)


def _code_cells(content: Content) -> list[dict[str, Any]]:
    return [cell for cell in content["cells"] if cell.get("cell_type") == "code"]


def _nodes(code: Code) -> Iterator[tuple[str, ast.AST]]:
    """Yield every node of the syntax trees, with the words for its cell."""
    for cell in code.cells:
        for statement in cell.statements:
            for node in ast.walk(statement.node):
                yield _cell(cell), node


def _cell(cell: CodeCell) -> str:
    return f"Code cell {cell.number}"
