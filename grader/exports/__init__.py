"""exports: the gradebook in the formats of spreadsheets and learning platforms; one file a format.

A module of this package is a format: its `FILE` is the name of the file in the folder of results, and
`export(gradebook)` returns the text of it. Another package adds one by an entry point in the group
`grader.exports` that names its module.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Protocol, cast

from grader.course.rubric import Rubric
from grader.errors import PluginError
from grader.records import Score

GROUP = "grader.exports"


@dataclass(frozen=True)
class Gradebook:
    """The scores of a course in the order of the submissions; `made` says how (versions, tier, seed)."""

    rubric: Rubric
    scores: Sequence[Score]
    made: Mapping[str, Any] = field(default_factory=dict)


class Format(Protocol):
    """A module that writes one file."""

    FILE: str

    def export(self, gradebook: Gradebook) -> str:
        """Return the text of the file."""
        ...


@cache
def formats() -> tuple[Format, ...]:
    """Return the formats that are installed; raise PluginError for one that is none."""
    modules: list[Any] = [
        importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)
    ]
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        where = f"the entry point {entry.name} = {entry.value} in the group {GROUP}"
        try:
            module = entry.load()
        except Exception as error:  # whatever a package raises while it is imported
            raise PluginError(f"{where} cannot be imported: {error!r}") from error
        if not isinstance(getattr(module, "FILE", None), str) or not callable(
            getattr(module, "export", None)
        ):
            raise PluginError(f"{where} needs a text FILE and a function export(gradebook)")
        modules.append(module)
    return tuple(cast("Format", module) for module in modules)
