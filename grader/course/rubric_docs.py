"""Writes the rubric reference (docs/rubric.md) from the model, so that it cannot be out of date."""

from __future__ import annotations

import re
from datetime import datetime
from enum import Enum
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
    ("late", model.Late),
    ("A question", model.Question),
    ("recognition", model.Recognition),
    ("Every check", Check),
    ("public", Public),
    ("feedback", Feedback),
)


def rubric_reference() -> str:
    """Return the reference as Markdown."""
    parts = [HEAD]
    parts += [_section(title, part, {}) for title, part in SECTIONS]
    for name, check in check_types().items():
        parts.append(_section(f"Checks of type `{name}`", check, Check.model_fields))
    return "\n".join(parts)


def _section(title: str, part: type[BaseModel], inherited: dict[str, FieldInfo]) -> str:
    """Return the section of a part of the rubric, with a table of its keys except those it inherits."""
    rows = []
    for name, field in part.model_fields.items():
        if name in inherited:
            continue
        if field.is_required():
            default = ""
        elif isinstance(field.default, BaseModel):
            default = "see there"
        elif field.default is None or field.default in ((), {}, ""):
            default = "none"
        elif isinstance(field.default, bool):
            default = str(field.default).lower()
        elif isinstance(field.default, tuple):
            default = f"`{', '.join(field.default)}`"
        elif isinstance(field.default, float):
            default = f"`{field.default:g}`"
        else:
            default = f"`{field.default}`"
        meaning = " ".join((field.description or "").split()).replace("|", "\\|")
        rows.append(f"| `{field.alias or name}` | {_type(field.annotation)} | {default} | {meaning} |")
    text = " ".join((part.__doc__ or "").split())
    return "\n".join(
        [f"## {title}", "", text, "", "| key | value | default | |", "|---|---|---|---|", *rows, ""]
    )


def _type(annotation: Any) -> str:  # noqa: PLR0911 -- a table of types
    """Return in words what values a key takes."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    names = {str: "text", bool: "true or false", int: "whole number", float: "number", datetime: "time"}
    if annotation in names:
        return names[annotation]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f"`{member.value}`" for member in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return re.sub(r"(?<!^)(?=[A-Z])", " ", annotation.__name__).lower()
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
