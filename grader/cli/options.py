"""What several commands share to read their options."""

from __future__ import annotations

import math
import os
from pathlib import Path

import click

PATH = click.Path(path_type=Path)


class Number(click.ParamType):  # type: ignore[type-arg]  # generic in newer click only
    """A number with a decimal point or comma."""

    name = "number"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; fail with what is one."""
        try:
            number = float(value.replace(",", ".") if isinstance(value, str) else value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number, such as 1.5 or 1,5", param, ctx)
        return number


class Share(Number):
    """A number from `least` to 1."""

    def __init__(self, least: float) -> None:
        self.least = least

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; fail if it is out of the range."""
        number = super().convert(value, param, ctx)
        if not self.least <= number <= 1.0:
            self.fail(f"{value} is not from {self.least:g} to 1", param, ctx)
        return number


NUMBER = Number()


def cores() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
