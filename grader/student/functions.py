"""Where a student's functions come from: the file of a notebook, or the kernel that they work in.

NotebookFunctions   slices each function out of the file and executes that much, as the grading does
LiveFunctions       takes what the names stand for now; what was run is read from the kernel's history
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import linecache
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NoReturn, Protocol

from grader.notebook.cells import Code, read_sources
from grader.notebook.facts import find_functions
from grader.notebook.quiet import quiet
from grader.notebook.slicing import Slice
from grader.observe.inside.execute import fault
from grader.records import Fault, FunctionFacts

NOTHING_GIVEN = Code()


class Unavailable(Exception):  # noqa: N818 -- the student's, like NotebookUnreadable
    """A function cannot be called; the message says why, for the student."""


class Functions(Protocol):
    """The student's functions."""

    def facts(self, name: str) -> FunctionFacts:
        """Return what reading the code says of a function."""
        ...

    def get(self, name: str) -> Callable[..., Any]:
        """Return the function; raise Unavailable."""
        ...


class NotebookFunctions:
    """The functions in the file of a notebook."""

    def __init__(self, code: Code, names: Iterable[str]) -> None:
        self.sources = {cell.number: cell.source for cell in code.cells}
        self.slices, self.known = find_functions(code, names, NOTHING_GIVEN)
        self.made: dict[str, Any] = {}

    def facts(self, name: str) -> FunctionFacts:
        """Return what reading the notebook says of a function."""
        return self.known[name]

    def get(self, name: str) -> Callable[..., Any]:
        """Execute what the function needs, once, and return it; raise Unavailable."""
        refuse(self.facts(name))
        if name not in self.made:
            self.made[name] = self._execute(self.slices[name])
        namespace, failure = self.made[name]
        function = namespace.get(name)
        if not callable(function):
            raise Unavailable(f"{name} is not there when the code that it needs has run{failure}")
        return function  # type: ignore[no-any-return]

    def _execute(self, found: Slice) -> tuple[dict[str, Any], str]:
        """Return the namespace after the statements of a slice, and what went wrong on the way."""
        namespace: dict[str, Any] = {"__name__": "__main__", "display": lambda *values, **options: None}
        failure = ""
        for statement in found.statements:
            source = self.sources[statement.cell]
            filename = f"<cell {statement.cell}>"
            linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
            unit = ast.Module(body=[statement.node], type_ignores=[])
            try:
                with kept_alive(found.name):
                    exec(compile(unit, filename, "exec"), namespace)  # noqa: S102 -- the student's own code
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                told = describe_error(error)
                failure = f": {told.type}: {told.message}"
        return namespace, failure


class LiveFunctions:
    """The functions as they are in a running kernel, or in any namespace."""

    def __init__(self, namespace: Mapping[str, Any], names: Iterable[str], history: Iterable[str]) -> None:
        self.namespace = namespace
        self.known: dict[str, FunctionFacts] = {}
        code = read_sources(history)
        for name in names:
            self.known[name] = self._facts(name, code)

    def facts(self, name: str) -> FunctionFacts:
        """Return what reading the code that was run says of a function."""
        return self.known[name]

    def get(self, name: str) -> Callable[..., Any]:
        """Return what the name stands for now; raise Unavailable if that cannot be called."""
        refuse(self.facts(name))
        return self.namespace[name]  # type: ignore[no-any-return]

    def _facts(self, name: str, code: Code) -> FunctionFacts:
        function = self.namespace.get(name)
        if not callable(function):
            what = (
                f"{name} is a {type(function).__name__} now, not a function" if name in self.namespace else ""
            )
            return FunctionFacts(name, "missing", remark=what or f"{name} is not defined yet; run its cell.")
        facts = find_functions(code, [name], NOTHING_GIVEN)[1][name]
        if facts.status == "missing":
            with contextlib.suppress(OSError, TypeError):
                own = read_sources([inspect.getsource(function)])
                facts = find_functions(own, [name], NOTHING_GIVEN)[1][name]
        return facts if facts.status != "missing" else FunctionFacts(name, "found")


def refuse(facts: FunctionFacts) -> None:
    """Raise Unavailable for a function that is missing or was not attempted."""
    if facts.status == "not_attempted":
        raise Unavailable(f"{facts.name} is still as it was handed out")
    if facts.status != "found":
        raise Unavailable(facts.remark)


def describe_error(error: BaseException) -> Fault:
    """Return how a student's function failed."""
    return Fault(**fault(error))


class _Nowhere(io.TextIOBase):
    """Takes any amount of text and keeps none."""

    def write(self, text: str) -> int:
        return len(text)


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Drop what a student's code prints, and its warnings."""
    nowhere = _Nowhere()
    with quiet(), contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        yield


@contextlib.contextmanager
def kept_alive(name: str) -> Iterator[None]:
    """Let no function end the process that checks it: `exit()` and `os._exit()` become an Unavailable."""
    os._exit = _refuse
    try:
        yield
    except SystemExit as error:
        raise Unavailable(f"{name} ends the program: exit({error.code})") from error
    finally:
        if threading.current_thread() is threading.main_thread():  # others may be left behind, and go on
            os._exit = LEAVE


LEAVE, PROCESS = os._exit, os.getpid()


def _refuse(status: int) -> NoReturn:
    if os.getpid() == PROCESS:
        raise SystemExit(status)
    LEAVE(status)  # a fork that the function made


class MainThreadOnly:
    """A stream that drops what other threads write, as one that cannot be ended may print for ever."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text that comes from the main thread."""
        main = threading.current_thread() is threading.main_thread()
        return self._stream.write(text) if main else len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
