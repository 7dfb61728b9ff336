"""The checks in a running notebook: `grader.check(function)`, `%check function`.

    function or name  ->  the kernel's own objects + its history of cells  ->  Checked  ->  HTML or text

The functions are called as they are in the kernel now, so a cell has to be run before it is checked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from grader.checks.base import InputsCheck
from grader.errors import UsageError
from grader.student.functions import LiveFunctions
from grader.student.home import Report, check_functions
from grader.student.kit import Kit, find_kit, read_kit
from grader.student.page import page_of
from grader.student.report_lines import exit_code, lines_of, summary
from grader.subjects import Case

Function = Callable[..., Any] | str
CALLER = 3  # frames from here to the code that called grader.check


@dataclass(frozen=True)
class Checked:
    """What the checks of some functions found; shows itself in a notebook and in a terminal."""

    reports: tuple[Report, ...]

    @property
    def passed(self) -> bool:
        """Whether every check holds."""
        return exit_code(self.reports) == 0

    def __repr__(self) -> str:
        lines = [line for report in self.reports for line in lines_of(report)]
        return "\n".join([*lines, "", summary(self.reports)]).strip("\n")

    def _repr_html_(self) -> str:
        return page_of(self.reports)


def check_live(functions: Sequence[Function]) -> Checked:
    """Check functions of the kernel, or of the module that called; raise UsageError for unknown ones."""
    kit = read_kit(find_kit(Path.cwd()))
    namespace, history = _surroundings(functions)
    names = [_known(kit, function) for function in functions] or list(kit.functions)
    live = LiveFunctions(namespace, kit.functions, history)
    return Checked(tuple(check_functions(kit, live, names, limit=False)))


def public_inputs(function: Function) -> tuple[Case, ...]:
    """Return the public inputs of a function's checks, each generator's once."""
    kit = read_kit(find_kit(Path.cwd()))
    name = _known(kit, function)
    checks = [check for check in kit.functions[name].checks if isinstance(check, InputsCheck)]
    if reason := next(filter(None, (kit.why_not(name, check) for check in checks)), ""):
        raise UsageError(f"there are no inputs of {name} here: {reason}")
    generators = dict.fromkeys(check.inputs for check in checks)
    return tuple(case for generator in generators for case in kit.inputs[generator])


def _known(kit: Kit, function: Function) -> str:
    """Return the name under which the kit knows a function; raise UsageError if it does not."""
    name = function if isinstance(function, str) else getattr(function, "__name__", type(function).__name__)
    if name in kit.functions:
        return name
    near = get_close_matches(name, kit.functions, 1, 0.5)
    known = f"did you mean {near[0]}?" if near else f"there are: {', '.join(kit.functions)}"
    raise UsageError(f"{kit.title} has no function {name!r}; {known}")


def _surroundings(functions: Sequence[Function]) -> tuple[Mapping[str, Any], list[str]]:
    """Return the names that the functions see, and the cells that were run, as far as there are any."""
    shell = _shell()
    if shell is not None:
        return shell.user_ns, [str(cell) for cell in shell.user_ns.get("In", [])[1:]]
    for function in functions:
        if hasattr(function, "__globals__"):
            return function.__globals__, []
    return sys._getframe(CALLER).f_globals, []


def _shell() -> Any:
    """Return the IPython that this code runs in, None if it runs in none."""
    module = sys.modules.get("IPython")
    return module.get_ipython() if module is not None else None
