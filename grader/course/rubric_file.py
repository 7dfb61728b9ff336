"""Loads a rubric file. A wrong one fails with file, line, key, value and the nearest right key."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import cast

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from grader.checks.base import Feedback, Public
from grader.checks.registry import check_types
from grader.course import rubric as model
from grader.course.rubric import Rubric
from grader.errors import RubricError

Place = tuple[str | int, ...]


def load_rubric(path: Path) -> Rubric:
    """Return the rubric of a YAML file; raise RubricError naming every mistake with its line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RubricError(f"{path}: cannot read the rubric: {error}") from error
    return parse_rubric(text, str(path))


def parse_rubric(text: str, name: str) -> Rubric:
    """Return the rubric of YAML text; `name` stands for the file in messages."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RubricError(f"{name}:{line}: this is not YAML: {error.problem}") from error
    except Exception as error:  # PyYAML's constructors raise whatever int(), dict lookups and re.match do
        raise RubricError(f"{name}: this is not YAML: {error}") from error
    if not isinstance(root, yaml.MappingNode) or not isinstance(content, dict):
        raise RubricError(f"{name}:1: a rubric is a mapping that begins with 'assignment: ...'")
    try:
        duplicates = [f"{name}:{line}: the key {key!r} is given twice" for key, line in _twice(root)]
    except RecursionError:
        raise RubricError(f"{name}:1: a mapping contains itself") from None
    if duplicates:
        raise RubricError("\n".join(duplicates))
    try:
        return Rubric.model_validate(content)
    except ValidationError as error:
        # One line a place: a union reports once for each of its members, and a list of wrong items as empty.
        wrong = {
            _in_file(detail["loc"], root): detail
            for detail in reversed(error.errors(include_url=False))
            if detail["type"] != "too_short" or not detail["input"]
        }
        lines = [_explain(detail, root, name) for detail in reversed(wrong.values())]
        raise RubricError("\n".join(lines)) from error


def json_schema() -> str:
    """Return the JSON Schema of a rubric, for editors that complete and check."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Rubric.model_json_schema()}
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def _explain(detail: ErrorDetails, root: yaml.Node, name: str) -> str:
    """Turn one of pydantic's errors into a line with file, line, key, value and the nearest right key."""
    place = _in_file(detail["loc"], root)
    line = _line(root, place)
    where = ".".join(str(part) for part in place) or "the rubric"
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(place[-1]), _known_keys(detail["loc"]), 1, 0.5)
        advice = (
            f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(_known_keys(detail['loc']))}"
        )
        return f"{name}:{line}: unknown key {str(place[-1])!r} at {where}{advice}"
    message = str(detail["msg"]).removeprefix("Value error, ")
    if detail["type"] == "missing":
        return f"{name}:{line}: {where} is missing"
    if detail["type"] == "union_tag_invalid":  # the type of a check
        types = ", ".join(check_types())
        given = detail.get("ctx", {}).get("tag")
        hint = _nearest_value(detail)
        return f"{name}:{line}: {where}: no type of check is named {given!r}{hint}; installed are {types}"
    if detail["type"].startswith("value_error"):
        return f"{name}:{line}: {where}: {message}"
    return f"{name}:{line}: {where}: {message}{_nearest_value(detail)}, not {_short(detail['input'])}"


def _nearest_value(detail: ErrorDetails) -> str:
    """Suggest the nearest of the values that are allowed."""
    context = detail.get("ctx", {})
    expected = str(context.get("expected", context.get("expected_tags", "")))
    allowed = [part.strip(" '") for part in expected.replace(" or ", ",").split(",") if part.strip()]
    value = detail["input"]
    given = value.get("type") if isinstance(value, dict) else value
    near = difflib.get_close_matches(given, allowed, 1, 0.5) if isinstance(given, str) else []
    return f" (did you mean {near[0]!r}?)" if near else ""


def _short(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python writes
        return "a number of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."


def _in_file(location: Iterable[str | int], root: yaml.Node) -> Place:
    """Drop from pydantic's location the parts (tags of unions) that are no keys of the file."""
    place: list[str | int] = []
    node: yaml.Node | None = root
    parts = list(location)
    for position, part in enumerate(parts):
        if position > 1 and parts[position - 2] == "checks" and isinstance(parts[position - 1], int):
            continue  # the tag of the check, which may also be the name of a key (metric, property)
        child = _child(node, part)
        if child is not None:
            place.append(part)
            node = child
        elif position == len(parts) - 1 and isinstance(node, yaml.MappingNode):
            place.append(part)
    return tuple(place)


def _child(node: yaml.Node | None, part: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == str(part)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return cast("yaml.Node", node.value[part])
    return None


def _line(root: yaml.Node, place: Place) -> int:
    """Return the line (from 1) of the key at a place, or of the mapping that lacks it."""
    node, line = root, root.start_mark.line
    for part in place:
        if isinstance(node, yaml.MappingNode):
            line = next((key.start_mark.line for key, _ in node.value if key.value == str(part)), line)
        child = _child(node, part)
        if child is None:
            break
        node = child
        if isinstance(part, int):
            line = node.start_mark.line
    return line + 1


def _known_keys(location: Place) -> list[str]:
    """Return the keys of the model in which an unknown one stands, by the names on the way there."""
    current: type[BaseModel] = Rubric
    for part in location[:-1]:
        current = _step(current, part)
    return [field.alias or name for name, field in current.model_fields.items()]


def _step(current: type[BaseModel], part: str | int) -> type[BaseModel]:
    if isinstance(part, int):
        return current
    parts: dict[str, type[BaseModel]] = {
        "questions": model.Question,
        "environment": model.Environment,
        "limits": model.Limits,
        "feedback": Feedback,
        "recognition": model.Recognition,
        "public": Public,
        **check_types(),
    }
    return parts.get(part, current)


def _twice(node: yaml.Node) -> Iterable[tuple[str, int]]:
    """Yield every key that a mapping holds twice; YAML silently keeps the last."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if str(key.value) in seen:
                yield str(key.value), key.start_mark.line + 1
            seen.add(str(key.value))
            yield from _twice(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _twice(item)
