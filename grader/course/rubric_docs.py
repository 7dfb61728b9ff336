"""Writes the rubric reference (docs/rubric.md) from the model, so that it cannot be out of date."""

from __future__ import annotations

import re
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from grader.checks.base import Check, Feedback, Public
from grader.checks.registry import check_types
from grader.course import rubric as model

HEAD = """# Rubric reference

Every key of a rubric file, made from the model by `grader schema --markdown > docs/rubric.md`.
A key without a default must be given. A key that is not listed is an error, named with its line.
"""
SECTIONS = (
    ("The file", model.Rubric),
    ("environment", model.Environment),
    ("limits", model.Limits),
    ("A question", model.Question),
    ("recognition", model.Recognition),
    ("Every check", Check),
    ("public", Public),
    ("feedback", Feedback),
)


def rubric_reference() -> str:
    """Return the reference as Markdown."""
    parts = [HEAD]
    parts += [_section(title, found, {}) for title, found in SECTIONS]
    for name, check in check_types().items():
        parts.append(_section(f"Checks of type `{name}`", check, Check.model_fields))
    return "\n".join(parts)


def _section(title: str, found: type[BaseModel], known: dict[str, FieldInfo]) -> str:
    rows = [
        _row(field.alias or name, field) for name, field in found.model_fields.items() if name not in known
    ]
    text = " ".join((found.__doc__ or "").split())
    return "\n".join(
        [f"## {title}", "", text, "", "| key | value | default | |", "|---|---|---|---|", *rows, ""]
    )


def _row(name: str, field: FieldInfo) -> str:
    text = " ".join((field.description or "").split()).replace("|", "\\|")
    return f"| `{name}` | {_type(field.annotation)} | {_default(field)} | {text} |"


def _default(field: FieldInfo) -> str:
    value = field.default
    if field.is_required():
        return ""
    if isinstance(value, BaseModel):
        return "see there"
    if value is None or value in ((), {}, ""):
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"`{', '.join(value)}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _type(annotation: Any) -> str:  # noqa: PLR0911 -- a table of types
    """Say in words what a key takes."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    names = {str: "text", bool: "true or false", int: "whole number", float: "number"}
    if annotation in names:
        return names[annotation]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _words(annotation.__name__)
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"{_type(arguments[0])}: {_type(arguments[1])}"
    if str(origin) == "typing.Literal":
        return ", ".join(f"`{value}`" for value in arguments)
    if hasattr(annotation, "__metadata__"):
        return _type(annotation.__origin__)
    if set(arguments) == set(check_types().values()):
        return "check"
    return " or ".join(_type(part) for part in arguments if part is not type(None))


def _words(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()
