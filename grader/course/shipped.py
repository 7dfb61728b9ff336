"""Functions that a course hands to students' functions as arguments: they travel as source.

from grader.course import Case, shipped

@shipped
def decay(t, y):
    return -0.5 * y

def problems(rng):
    return [Case("decay", (decay, 0.0, rng.random(3)))]
"""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from grader.errors import AssignmentError


@dataclass(frozen=True)
class Shipped:
    """A function that can be called here, and enters a box as its source."""

    name: str
    source: str

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """Call the function."""
        return self._function(*args, **keywords)

    @property
    def wire_function(self) -> tuple[str, str]:
        """The name and the source, for `wire.encode`."""
        return self.name, self.source

    @cached_property
    def _function(self) -> Callable[..., Any]:
        namespace: dict[str, Any] = {}
        exec(compile(self.source, f"<input {self.name}>", "exec"), namespace)  # noqa: S102 -- the course's
        return namespace[self.name]  # type: ignore[no-any-return]


def shipped(function: Callable[..., Any]) -> Shipped:
    """Return a function in the form in which it can be an argument of a student's function.

    It may use its arguments, builtins, and modules that are imported where it is defined. Raises
    AssignmentError if it uses anything else, or if its source cannot be found.
    """
    name = function.__name__
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError) as error:
        raise AssignmentError(f"the source of the function {name} cannot be found: {error}") from error
    node = tree.body[0]
    if not isinstance(node, ast.FunctionDef):
        raise AssignmentError(f"{name} is no function that `def` defines: it cannot be shipped")
    node.decorator_list = []
    seen = inspect.getclosurevars(function)
    modules = {key: value for key, value in seen.globals.items() if isinstance(value, types.ModuleType)}
    # The names of attributes are among those that getclosurevars calls unbound.
    read = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    others = sorted(({*seen.nonlocals, *seen.globals, *seen.unbound} & read) - modules.keys() - {name})
    if others:
        raise AssignmentError(
            f"the function {name} uses {', '.join(others)}, which does not travel with it: define that "
            "inside, or pass it as an argument"
        )
    imports = [f"import {module.__name__} as {key}" for key, module in sorted(modules.items())]
    return Shipped(name, "\n".join([*imports, ast.unparse(node), ""]))
