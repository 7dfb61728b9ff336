"""Says why a function is not there, or as it was handed out, where a notebook shows that it was written."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator

from grader.notebook.cells import Code, CodeCell
from grader.notebook.names import Definition
from grader.notebook.slicing import Slice, is_stub
from grader.subjects import Subject, SubjectKind

ALIKE = 0.6  # of two names, from 0 to 1: the smaller may be the other, renamed
MAX_TEXT = 100_000  # characters of a cell that are searched


def why_missing(code: Code, skeleton: Code, subject: Subject) -> str:
    """Say why a name is not bound: its cell may not be Python, or no code, or it has another name."""
    name = subject.root
    defines = re.compile(rf"^[ \t]*(def|class)[ \t]+{re.escape(name)}\b|^{re.escape(name)}[ \t]*=", re.M)
    for number, cell in enumerate(code.cells):
        if cell.error and defines.search(cell.source[:MAX_TEXT]):
            if _goes_on(code, number):
                return f"Its code cell {cell.number} was split: its body is in the next cell."
            return f"Its cell has a syntax error: {cell.error}."
    if any(defines.search(text[:MAX_TEXT]) for text in code.texts):
        return f"The code of {name} was found in a text cell: make it a code cell."
    kind = "class" if subject.kind is SubjectKind.METHOD else subject.kind.value
    missing = f"The notebook does not define a {kind} named {name}."
    given = set(_defined(skeleton))
    others = {each.lower(): each for each in _defined(code) if each not in given}
    near = difflib.get_close_matches(name.lower(), others, 1, ALIKE) if subject.is_called else []
    return f"{missing[:-1]}: was it renamed to {others[near[0]]}?" if near else missing


def why_untouched(code: Code, skeleton: Code, own: Slice) -> str:
    """Say why a function is as it was handed out although something was written; '' if nothing was."""
    last = own.definition
    written = re.compile(rf"^[ \t]*def[ \t]+{re.escape(own.name)}\b", re.M)
    if any(written.search(text[:MAX_TEXT]) for text in code.texts if text not in skeleton.texts):
        return f"Was the code of {own.name} written in a text cell? Only code cells count."
    number = next((place for place, cell in enumerate(code.cells) if cell.number == last.cell), None)
    if number is None:
        return ""
    ends_cell = last.index == len(code.cells[number].statements) - 1
    if ends_cell and _goes_on(code, number):
        return f"Code cell {last.cell} was split: the body of {own.name} is in the next cell."
    for statement in code.statements:
        node = statement.node
        if (
            statement.cell < last.cell
            and isinstance(node, Definition)
            and node.name == own.name
            and not is_stub(node)
        ):
            return (
                f"The code of {own.name} in code cell {statement.cell} does not count: "
                f"code cell {last.cell} defines it again, as it was handed out."
            )
    return ""


def _goes_on(code: Code, number: int) -> bool:
    """Whether the cell after one is the rest of a function: it begins indented, or returns something."""
    following: CodeCell | None = code.cells[number + 1] if number + 1 < len(code.cells) else None
    if following is None:
        return False
    if not following.error:  # IPython takes away an indent that all lines have
        return any(isinstance(statement.node, ast.Return) for statement in following.statements)
    lines = [line for line in following.source.splitlines() if line.strip()]
    return bool(lines) and lines[0][:1] in (" ", "\t")


def _defined(code: Code) -> Iterator[str]:
    """Yield the names of the functions and classes that code defines."""
    for statement in code.statements:
        if isinstance(statement.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.node.name
