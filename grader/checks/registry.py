"""The types of checks that are installed: grader's own and those of other packages, by their entry points.

[project.entry-points."grader.checks"]
monotone = "my_course.monotone:MonotoneCheck"
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import get_args

from grader.checks.base import Check
from grader.errors import PluginError

GROUP = "grader.checks"


@cache
def check_types() -> Mapping[str, type[Check]]:
    """Return the types of checks by their names, in the order of these.

    Raises PluginError for an entry point that cannot be imported, is no `Check`, or has another name than the
    `type` of its class.
    """
    found: dict[str, type[Check]] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        where = f"the entry point {entry.name} = {entry.value} in the group {GROUP}"
        try:
            loaded = entry.load()
        except Exception as error:  # whatever a package raises while it is imported
            raise PluginError(f"{where} cannot be imported: {error!r}") from error
        if not (isinstance(loaded, type) and issubclass(loaded, Check)):
            raise PluginError(f"{where} is no subclass of grader.checks.base.Check")
        field = loaded.model_fields.get("type")
        if field is None or get_args(field.annotation) != (entry.name,):
            raise PluginError(f"{where} needs the field `type: Literal[{entry.name!r}]`")
        if found.setdefault(entry.name, loaded) is not loaded:
            raise PluginError(f"{where}: the type is also that of {found[entry.name].__module__}")
    return MappingProxyType(found)
