"""Where a student's functions come from: a notebook file, or the running kernel.

NotebookFunctions   executes the part of the file that a function needs, as the grading does
LiveFunctions       takes the current objects of the kernel, and reads their code from its history of cells
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import linecache
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NoReturn, Protocol

from grader.inside import execute
from grader.notebook.cells import Code, read_sources
from grader.notebook.facts import find_functions, find_subjects
from grader.notebook.quiet import quiet
from grader.notebook.slicing import Slice, definition_nodes
from grader.reading import FactsStatus, FunctionFacts
from grader.records import Fault
from grader.student.finding_words import suggested
from grader.student.isolation import LEAVE
from grader.subjects import Subject, SubjectKind

NOTHING_GIVEN = Code()


class Unavailable(Exception):  # noqa: N818 -- a state of the student's code, as NotebookUnreadable
    """A function cannot be called; the message says why, for the student."""


class Functions(Protocol):
    """The student's functions."""

    def facts(self, name: str) -> FunctionFacts:
        """Return what the source code shows about a function."""
        ...

    def get(self, name: str) -> Callable[..., Any]:
        """Return the function, or the class of a method; raise Unavailable."""
        ...

    def needs(self, name: str) -> tuple[str, ...]:
        """Return the other functions of the assignment that its code needs, defined or not."""
        ...

    def returns(self, name: str) -> bool | None:
        """Return whether a `return` in its code has a value; None if its code cannot be read."""
        ...


class NotebookFunctions:
    """The functions in the file of a notebook, and in the Python files beside it (`modules`, by file name).

    The files must be where Python finds them: a notebook imports from them.
    """

    def __init__(
        self, code: Code, names: Iterable[str], modules: Mapping[str, Code] = MappingProxyType({})
    ) -> None:
        subjects = [Subject.named(name) for name in names]
        self.slices, self.facts_by_name = find_subjects(code, subjects, as_stubs(names), modules)
        self.executed: dict[str, tuple[dict[str, Any], str]] = {}  # function -> its namespace, an error

    def facts(self, name: str) -> FunctionFacts:
        """Return what the source code of the notebook shows about a function."""
        return self.facts_by_name[name]

    def needs(self, name: str) -> tuple[str, ...]:
        """Return the other functions of the assignment that its code needs, defined or not."""
        return needed(name, self.slices.get(name), self.facts_by_name)

    def returns(self, name: str) -> bool | None:
        """Return whether a `return` in its code has a value; None if its code cannot be read."""
        return _returns(self.slices.get(name), name)

    def get(self, name: str) -> Callable[..., Any]:
        """Execute the statements that the function needs, once, and return it; raise Unavailable."""
        refuse(self.facts(name))
        if name not in self.executed:
            namespace: dict[str, Any] = {"__name__": "__main__", "display": lambda *values, **options: None}
            failure = ""
            for statement in self.slices[name].statements:
                source = self.slices[name].sources[statement.cell]
                filename = self.facts(name).file or f"<cell {statement.cell}>"
                # So that tracebacks and inspect.getsource show the lines of the cell.
                linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
                unit = ast.Module(body=[statement.node], type_ignores=[])
                try:
                    with kept_alive(name):
                        exec(compile(unit, filename, "exec"), namespace)  # noqa: S102 -- the student's code
                except KeyboardInterrupt:
                    raise
                except BaseException as error:  # the next statements may still define the function
                    fault = describe_error(error)
                    failure = f": {fault.type}: {fault.message}"
            self.executed[name] = namespace, failure
        namespace, failure = self.executed[name]
        function = namespace.get(Subject.named(name).root)
        if not callable(function):
            raise Unavailable(f"{name} is not there when the code that it needs has run{failure}")
        return function  # type: ignore[no-any-return]


class LiveFunctions:
    """The functions as they are in a running kernel, or in any namespace."""

    def __init__(self, namespace: Mapping[str, Any], names: Iterable[str], history: Iterable[str]) -> None:
        self.namespace = namespace
        self.facts_by_name: dict[str, FunctionFacts] = {}
        code = read_sources(history)
        self.slices: dict[str, Slice] = {}
        for name in names:
            root = Subject.named(name).root
            function = namespace.get(root)
            if callable(function):
                slices, found = find_functions(code, [name], NOTHING_GIVEN)
                if (
                    found[name].status == FactsStatus.MISSING
                ):  # not from a cell: imported, or no kernel at all
                    with contextlib.suppress(OSError, TypeError):
                        own = read_sources([inspect.getsource(function)])
                        slices, found = find_functions(own, [name], NOTHING_GIVEN)
                self.slices |= slices
                facts = found[name]
                if facts.status == FactsStatus.MISSING:  # its source cannot be read, but it can be called
                    facts = FunctionFacts(name, FactsStatus.FOUND)
            elif root in namespace:
                remark = f"{root} is a {type(function).__name__} now, not a function"
                facts = FunctionFacts(name, FactsStatus.MISSING, remark=remark)
            else:
                facts = FunctionFacts(
                    name, FactsStatus.MISSING, remark=f"{name} is not defined yet; run its cell."
                )
            self.facts_by_name[name] = facts

    def facts(self, name: str) -> FunctionFacts:
        """Return what the source code that was run shows about a function."""
        return self.facts_by_name[name]

    def needs(self, name: str) -> tuple[str, ...]:
        """Return the other functions of the assignment that its code needs, defined or not."""
        return needed(name, self.slices.get(name), self.facts_by_name)

    def returns(self, name: str) -> bool | None:
        """Return whether a `return` in its code has a value; None if its code cannot be read."""
        return _returns(self.slices.get(name), name)

    def get(self, name: str) -> Callable[..., Any]:
        """Return the object that the name refers to now; raise Unavailable if it cannot be called."""
        refuse(self.facts(name))
        return self.namespace[Subject.named(name).root]  # type: ignore[no-any-return]


def as_stubs(names: Iterable[str]) -> Code:
    """Return code that defines the functions and classes of an assignment, all of them to be filled in."""
    subjects = [Subject.named(name) for name in names]
    lines = [
        f"def {each.root}():\n    raise NotImplementedError"
        if each.kind is SubjectKind.FUNCTION
        else f"class {each.root}:\n    pass"
        for each in subjects
    ]
    return read_sources(dict.fromkeys(lines))


def needed(name: str, own: Slice | None, known: Mapping[str, FunctionFacts]) -> tuple[str, ...]:
    """Return the functions that a slice defines or reads; of its own class, the methods before it."""
    if own is None:
        return ()
    names = own.unbound.union(*(statement.binds for statement in own.statements))
    root, before = Subject.named(name).root, list(known).index(name)
    return tuple(
        other
        for place, other in enumerate(known)
        if Subject.named(other).root in names
        and (Subject.named(other).root != root or (other != name and place < before))
    )


def _returns(own: Slice | None, name: str) -> bool | None:
    nodes = definition_nodes(own.definition, name) if own is not None else []
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    if not functions:
        return None
    return any(
        isinstance(node, ast.Return) and node.value is not None
        for function in functions
        for node in ast.walk(function)
    )


def refuse(facts: FunctionFacts) -> None:
    """Raise Unavailable for a function that is missing or was not attempted."""
    if facts.status == FactsStatus.NOT_ATTEMPTED:
        raise Unavailable(f"{facts.name} is still as it was handed out")
    if facts.status != FactsStatus.FOUND:
        raise Unavailable(facts.remark)


def describe_error(error: BaseException) -> Fault:
    """Return type, message and line of an error of a student's function."""
    fault = Fault(**execute.fault(error))
    return replace(fault, message=suggested(error, fault))


class _NullStream(io.TextIOBase):
    """A stream that drops all text; a StringIO would keep what an endless loop prints."""

    def write(self, text: str) -> int:
        return len(text)


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Drop what a student's code prints, and its warnings."""
    stream = _NullStream()
    with quiet(), contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        yield


@contextlib.contextmanager
def kept_alive(name: str) -> Iterator[None]:
    """Turn `exit()` and `os._exit()` of a student's function into Unavailable, so that the check goes on."""
    process = os.getpid()

    def leave(status: int) -> NoReturn:
        if os.getpid() == process:
            raise SystemExit(status)
        LEAVE(status)  # a process that the function forked may end

    os._exit = leave
    try:
        yield
    except SystemExit as error:
        raise Unavailable(f"{name} ends the program: exit({error.code})") from error
    finally:
        os._exit = LEAVE
