"""grader: grades notebooks of numerical machine learning.

    plan  ->  observe  ->  judge  ->  score  ->  report, export
            (untrusted)   (trusted, pure)

grader.subjects, grader.records   what is asked, what crosses from stage to stage
grader.errors                     the hierarchy of our faults
grader.batch                      all stages for many submissions

In a student's notebook, beside the kit of the course (`grader.student`):

    import grader
    grader.check(function)            or: %load_ext grader, then %check function
    grader.inputs("function")         the inputs that its public checks use
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # imported when they are used: `import grader` costs nothing
    from pathlib import Path

    from grader.student.live import Checked
    from grader.subjects import Case

__version__ = "0.1.0"
__all__ = ["__version__", "check", "inputs"]


def check(*functions: Callable[..., Any] | str, kit: str | Path | None = None) -> Checked:
    """Make the public checks of functions of this notebook; of all that the kit knows if none is given.

    What comes back shows itself in a notebook or a terminal; its `passed` says whether all checks hold. The
    `kit`, a folder or a file, is found by itself near the notebook. Raises KitError if there is none, and
    UsageError for a function that is not in it.
    """
    from grader.student.live import check_live  # noqa: PLC0415

    return check_live(functions, kit)


def inputs(function: Callable[..., Any] | str) -> tuple[Case, ...]:
    """Return the inputs that the public checks of a function use: each has a `name`, `args`, `keywords`."""
    from grader.student.live import public_inputs  # noqa: PLC0415

    return public_inputs(function)


def load_ipython_extension(shell: Any) -> None:
    """Add the magic `%check` to IPython: `%check FUNCTION ...`, or `%check` for all."""

    def check_magic(line: str) -> Checked:
        from grader.student.live import magic  # noqa: PLC0415

        return magic(line)

    shell.register_magic_function(check_magic, "line", "check")
