"""A function finds what the notebook registers for it by decorators, and what `%pylab` brings."""

from __future__ import annotations

from typing import Any

import pytest

from grader.notebook.cells import read_sources
from grader.notebook.slicing import slice_function

TABLE = "TABLE = {}"
CHOOSE = "def choose(name):\n    return TABLE[name]()"
REGISTERS = {
    "with a name": "def register(name):\n    def put(f):\n        TABLE[name] = f\n        return f\n    return put",
    "as lambdas": "register = lambda name: (lambda f: TABLE.setdefault(name, f))",
}


def names_in_slice(function: str, *sources: str) -> set[str]:
    found = slice_function(read_sources(sources), function)
    assert found is not None
    return {name for statement in found.statements for name in statement.binds}


def call(function: str, argument: Any, *sources: str) -> Any:
    found = slice_function(read_sources(sources), function)
    assert found is not None
    namespace: dict[str, Any] = {}
    for statement in found.statements:
        import ast

        exec(compile(ast.Module([statement.node], []), "<cell>", "exec"), namespace)
    return namespace[function](argument)


@pytest.mark.parametrize("register", REGISTERS.values(), ids=REGISTERS)
def test_what_a_decorator_registers_belongs_to_the_function_that_looks_it_up(register: str) -> None:
    registered = '@register("one")\ndef one():\n    return 1'
    assert call("choose", "one", TABLE, register, CHOOSE, registered) == 1


def test_a_bare_decorator_registers_too() -> None:
    register = "def register(f):\n    TABLE[f.__name__] = f\n    return f"
    assert call("choose", "one", TABLE, register, CHOOSE, "@register\ndef one():\n    return 1") == 1


def test_a_decorator_that_only_counts_calls_ties_no_functions_together() -> None:
    timed = "def timed(label):\n    def wrap(f):\n        def inner():\n            TABLE[label] = 1\n            return f()\n        return inner\n    return wrap"
    first, second = (f'@timed("x")\ndef {name}():\n    return 1' for name in ("first", "second"))
    assert "second" not in names_in_slice("first", TABLE, timed, first, second)


def test_pylab_brings_numpy_and_its_sum() -> None:
    assert call(
        "total", [[1, 2], [3, 4]], "%pylab inline", "def total(x):\n    return list(sum(x, axis=0))"
    ) == [
        4,
        6,
    ]
