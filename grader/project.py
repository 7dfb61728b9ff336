"""The name under which pip finds this project: that of the package, `grader`, is another project's there."""

from __future__ import annotations

NAME = "numerical-notebook-grader"


def quoted(extra: str) -> str:
    """Return what to install for an extra, as it is written in a shell."""
    return f'"{NAME}[{extra}]"'
