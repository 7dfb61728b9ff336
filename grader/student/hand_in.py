"""Finds, before the upload, what would make a notebook fail in the graders' run.

Nothing is run here: it reads the file name, functions, imports, removed names, files, the order of the cells
and the size of the outputs. `fresh_run` runs a copy. An obstacle is serious if it can cost points.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from grader.notebook.cells import Code, read_sources
from grader.notebook.facts import find_subjects
from grader.notebook.names import aliases, dotted, imported_modules
from grader.notebook.slicing import BUILTINS, definition_nodes
from grader.notebook.sources import code_sources, text_sources
from grader.reading import FactsStatus
from grader.student.environment import READERS, REMOVED, WRITERS
from grader.student.kit import Kit
from grader.subjects import Subject

MAX_FILE_MB = 10
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Obstacle:
    """One thing that does or may go wrong in the graders' run, and what to do about it."""

    message: str
    advice: str
    serious: bool = True


def find_obstacles(
    name: str,
    size: int,
    content: dict[str, Any],
    kit: Kit,
    modules: Mapping[str, Code] = MappingProxyType({}),
) -> list[Obstacle]:
    """Return the problems of a notebook of `size` bytes with this file name; nothing is run.

    `modules` are the Python files beside it, by their names.
    """
    code = read_sources(code_sources(content), text_sources(content))
    found: list[Obstacle] = []

    if name != kit.notebook:
        found.append(Obstacle(f"The file is named {name}.", f"Hand it in as {kit.notebook}."))
    if size > MAX_FILE_MB << 20:
        message = f"The file has {size / 2**20:.0f} MB."
        found.append(Obstacle(message, "Print and plot less, or clear the outputs.", serious=False))
    for cell in code.cells:
        if cell.error:
            message = f"Code that is not Python: {cell.error}."
            advice = "Nothing of this cell can be run or graded; mend it or delete it."
            found.append(Obstacle(message, advice))

    found += _check_functions(code, kit, modules)
    found += _check_environment(code, kit, modules)
    found += _check_names(code)

    # The last run, as the file keeps it: the order of the cells, and the size of their outputs.
    given = content.get("cells")  # an older format keeps them elsewhere, and has no order to look at
    cells = [cell for cell in given if cell.get("cell_type") == "code"] if isinstance(given, list) else []
    counts = [cell.get("execution_count") for cell in cells if "".join(cell.get("source", ""))]
    ran = [count for count in counts if isinstance(count, int)]
    advice = "Restart the kernel, run all cells, save."
    if ran and ran != sorted(ran):
        message = "The cells were last run in another order than they stand in."
        found.append(Obstacle(message, advice, serious=False))
    elif len(ran) < len(counts):
        message = f"{len(counts) - len(ran)} of {len(counts)} code cells have not been run."
        found.append(Obstacle(message, advice, serious=False))
    for number, cell in enumerate(cells, 1):
        kb = len(json.dumps(cell.get("outputs", []))) / 1024
        if kb > kit.output_kb:
            message = f"Code cell {number} displays {kb:,.0f} kB; after {kit.output_kb} kB it is cut off."
            found.append(Obstacle(message, "Print less, or plot fewer points.", serious=False))
    return found


def _check_functions(code: Code, kit: Kit, modules: Mapping[str, Code]) -> Iterator[Obstacle]:
    """Find functions of the assignment that were not begun, are missing, or take other arguments."""
    slices, facts = find_subjects(code, map(Subject.named, kit.functions), Code(), modules)
    for file in sorted({each.file for each in facts.values() if each.file}):
        defined = ", ".join(each.name for each in facts.values() if each.file == file)
        yield Obstacle(f"{file} defines {defined}.", "Hand it in together with the notebook.", serious=False)
    nodes = [node for statement in code.statements for node in ast.walk(statement.node)]
    own = {node.name: _arguments(node) for node in nodes if isinstance(node, Function)}
    own = {name: arguments for name, arguments in own.items() if name not in kit.functions}
    for name, function in kit.functions.items():
        if facts[name].status == FactsStatus.NOT_ATTEMPTED and facts[name].remark:
            yield Obstacle(facts[name].remark, f"As it is, it earns none of its {function.points:g} points.")
        elif facts[name].status == FactsStatus.NOT_ATTEMPTED:
            message = f"{name} is still as it was handed out ({function.points:g} points)."
            yield Obstacle(message, "It is fine to leave it, if you mean to.", serious=False)
        elif facts[name].status == FactsStatus.MISSING and "syntax error" not in facts[name].remark:
            # It may have been renamed: look for a similar name, or for the same arguments.
            near = get_close_matches(name, own, 1, 0.75)
            near += [other for other, names in own.items() if names == function.parameters and len(names) > 1]
            advice = "Take its cell from the notebook that was handed out."
            if near:
                advice = f"Is it {near[0]} now? It is called as {name}; give it that name again."
            yield Obstacle(facts[name].remark, advice)
        elif name in slices:
            defining = [
                each for each in code.statements if isinstance(each.node, Function) and each.node.name == name
            ]
            if len(defining) > 1 and not facts[name].file:
                cells = " and ".join(dict.fromkeys(str(each.cell) for each in defining))
                message = f"{name} is defined more than once (code cell {cells})."
                yield Obstacle(message, "The last one counts.", serious=False)
            node = definition_nodes(slices[name].definition, name)[-1]
            if not isinstance(node, Function) or node.args.vararg is not None:
                continue
            names, handed_out = _arguments(node), function.parameters
            needed = len(names) - len(node.args.defaults)
            if names[: len(handed_out)] != handed_out or needed > len(handed_out):
                message = f"{name} takes ({', '.join(names)}), but ({', '.join(handed_out)}) was handed out."
                advice = "It is called with the arguments that were handed out; give it those again."
                yield Obstacle(message, advice)


def _arguments(node: Function) -> tuple[str, ...]:
    return tuple(argument.arg for argument in (*node.args.posonlyargs, *node.args.args))


def _check_environment(code: Code, kit: Kit, modules: Mapping[str, Code]) -> Iterator[Obstacle]:
    """Find what the graders' machine does not have: modules, removed names, files, the network."""
    nodes = list(_nodes(code))

    available = {*kit.packages, *sys.stdlib_module_names}
    imports = [(cell, name.split(".")[0]) for cell, node in nodes for name in imported_modules(node)]
    for cell, module in dict.fromkeys(imports):
        if module == "grader":
            advice = "It does nothing for the grading; delete the cells that check before you hand in."
            yield Obstacle(f"{cell} imports grader.", advice, serious=False)
        elif f"{module}.py" in modules:
            advice = "Hand it in together with the notebook."
            yield Obstacle(f"{cell} imports {module}.py from beside the notebook.", advice, serious=False)
        elif module not in available:
            advice = f"Do without it. There are: {', '.join(kit.packages)}."
            yield Obstacle(f"{cell} imports {module}, which the graders do not have.", advice)

    full_names = {name: full for _, node in nodes for name, full in aliases(node)}
    for cell, node in nodes:
        if isinstance(node, ast.Attribute):
            first, _, rest = dotted(node).partition(".")
            full = f"{full_names[first]}.{rest}" if first in full_names else ""
            if full in REMOVED:
                yield Obstacle(f"{cell} uses {full}, which is no longer there.", f"Use {REMOVED[full]}.")

    calls = [(cell, node) for cell, node in nodes if isinstance(node, ast.Call)]
    written = {path for _, call in calls for path in _paths(call, WRITERS, writing=True)}
    for cell, call in calls:
        for path in _paths(call, READERS, writing=False):
            if path.startswith(("http://", "https://", "ftp://")):
                yield Obstacle(f"{cell} fetches {path}.", "The graders' run has no network; do without it.")
            elif path not in written and path.removeprefix("./") not in kit.files:
                there = f"There are: {', '.join(kit.files)}" if kit.files else "There is none"
                advice = f"{there}, beside the notebook."
                yield Obstacle(f"{cell} reads the file {path}, which will not be there.", advice)


def _paths(call: ast.Call, functions: frozenset[str], *, writing: bool) -> Iterator[str]:
    """Yield the path that a call of `open` or of one of `functions` gets, if it is a literal string."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    literals = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    strings = [value for value in literals if isinstance(value, str)]
    if not strings or not isinstance(call.args[0], ast.Constant):
        return
    if name == "open":
        mode = strings[1] if len(strings) > 1 else "r"
        if writing == (mode[:1] in ("w", "a", "x")):
            yield strings[0]
    elif name in functions:
        yield strings[0]


def _check_names(code: Code) -> Iterator[Obstacle]:
    """Find names that a cell uses although no cell before it defines them."""
    if any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for _, node in _nodes(code)):
        return  # a star import defines names that the source does not show
    last_cell = {name: statement.cell for statement in code.statements for name in statement.binds}
    defined: set[str] = set(BUILTINS)
    reported: set[str] = set()
    for statement in code.statements:
        for name in sorted(set(statement.reads) - defined - set(statement.binds) - reported):
            reported.add(name)
            if name in last_cell:
                message = f"Code cell {statement.cell} uses {name}, made only in code cell {last_cell[name]}."
                yield Obstacle(message, "Move the cells into the order in which they have to run.")
            else:
                message = f"Code cell {statement.cell} uses {name}, which no cell makes."
                yield Obstacle(message, "Was it made in a cell that you deleted? Bring that back.")
        defined |= statement.binds


def _nodes(code: Code) -> Iterator[tuple[str, ast.AST]]:
    """Yield every node of the syntax trees, with the name of its cell in messages."""
    for cell in code.cells:
        for statement in cell.statements:
            for node in ast.walk(statement.node):
                yield f"Code cell {cell.number}", node
