"""The checks in a running notebook: `grader.check(function)`, `%check function`.

    function or name  ->  the objects of the kernel + its history of cells  ->  Checked  ->  HTML or text

The functions are called as they are in the kernel now, so an edited cell has to be run before the check.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.checks.base import InputsCheck
from grader.errors import UsageError
from grader.student.checker import Report, check_functions
from grader.student.functions import LiveFunctions
from grader.student.isolation import CAN_FORK
from grader.student.kit import Kit, find_kit, read_kit
from grader.student.page import page_of
from grader.student.report_lines import exit_code, lines_of, summary
from grader.subjects import Case

Function = Callable[..., Any] | str
CALLER = 2  # frames from check_live to the code that called grader.check


@dataclass(frozen=True)
class Checked:
    """The reports of some functions; a notebook and a terminal can display it."""

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


def check_live(functions: Sequence[Function], kit_path: str | Path | None = None) -> Checked:
    """Check functions of the kernel or, without IPython, of the calling module.

    Raises UsageError for a function that is not in the kit.
    """
    shell = _shell()
    kit = read_kit(_find_kit(shell, kit_path))
    objects = [function for function in functions if hasattr(function, "__globals__")]
    namespace: Mapping[str, Any]
    history: list[str] = []
    if shell is not None:
        namespace = shell.user_ns
        history = [str(cell) for cell in namespace.get("In", [])[1:]]
    elif objects:  # the module that defines the first function
        namespace = objects[0].__globals__
    else:
        namespace = sys._getframe(CALLER).f_globals
    names = [_name(kit, function) for function in functions] or list(kit.functions)
    live = LiveFunctions(namespace, kit.functions, history)
    return Checked(tuple(check_functions(kit, live, names, "fork" if _may_fork() else "here")))


def public_inputs(function: Function) -> tuple[Case, ...]:
    """Return the public inputs of a function's checks; inputs that several checks use are returned once."""
    kit = read_kit(_find_kit(_shell(), None))
    name = _name(kit, function)
    checks = [check for check in kit.functions[name].checks if isinstance(check, InputsCheck)]
    if reason := next(filter(None, (kit.why_not(name, check) for check in checks)), ""):
        raise UsageError(f"there are no inputs of {name} here: {reason}")
    generators = dict.fromkeys(check.inputs for check in checks)
    return tuple(case for generator in generators for case in kit.inputs[generator])


def magic(line: str) -> Checked:
    """Make the checks that a line of the magic names: functions, and perhaps `--kit FOLDER`."""
    words = shlex.split(line)
    path = None
    if "--kit" in words:
        place = words.index("--kit")
        if place + 1 == len(words):
            raise UsageError("--kit needs a folder or a file: %check --kit FOLDER")
        path = words[place + 1]
        del words[place : place + 2]
    return check_live(words, path)


def _shell() -> Any:
    """Return IPython's shell, None outside of a notebook."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def _find_kit(shell: Any, given: str | Path | None) -> Path:
    """Return the kit that is given, or that is near the notebook or the folder in which its kernel runs."""
    notebook = shell.user_ns.get("__vsc_ipynb_file__") if shell is not None else None  # in VS Code
    notebook = notebook or os.environ.get("JPY_SESSION_NAME")  # in JupyterLab
    folders = [Path(str(notebook)).parent] if notebook else []
    starts = [folder for folder in (*folders, Path.cwd()) if folder.is_dir()]
    return find_kit(*starts, given=None if given is None else Path(given).expanduser())


def _may_fork() -> bool:
    """Whether a fork of this process can compute: threads of libgomp, once started, hang in a fork."""
    if not CAN_FORK:
        return False
    try:
        return "libgomp" not in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def _name(kit: Kit, function: Function) -> str:
    """Return the name of a function; raise UsageError if the kit has none of that name."""
    name = function if isinstance(function, str) else getattr(function, "__name__", type(function).__name__)
    return kit.function(name).name
