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

KeyPath = tuple[str | int, ...]
MODELS: dict[str, type[BaseModel]] = {  # by the key, or type of check, in pydantic's locations
    "questions": model.Question,
    "environment": model.Environment,
    "limits": model.Limits,
    "late": model.Late,
    "feedback": Feedback,
    "recognition": model.Recognition,
    "public": Public,
    **check_types(),
}


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
        # Only the first error of each key: pydantic reports a wrong value once for each member of a union. A
        # list whose items are all wrong is reported as too short, too.
        wrong = {
            _in_file(detail["loc"], root): detail
            for detail in reversed(error.errors(include_url=False))
            if detail["type"] != "too_short" or not detail["input"]
        }
        lines = [_explain(detail, root, name) for detail in reversed(wrong.values())]
        raise RubricError("\n".join(lines)) from error


def json_schema() -> str:
    """Return the JSON Schema of a rubric, with which editors complete and check it."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Rubric.model_json_schema()}
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def _explain(detail: ErrorDetails, root: yaml.Node, name: str) -> str:
    """Return one of pydantic's errors as a message with file, line, key, value and the nearest right key."""
    path = _in_file(detail["loc"], root)
    line = _line(root, path)
    where = ".".join(str(part) for part in path) or "the rubric"
    if detail["type"] == "extra_forbidden":
        parent: type[BaseModel] = Rubric  # the model of the mapping with the unknown key
        for part in detail["loc"][:-1]:
            if isinstance(part, str):
                parent = MODELS.get(part, parent)
        allowed = [field.alias or key for key, field in parent.model_fields.items()]
        near = difflib.get_close_matches(str(path[-1]), allowed, 1, 0.5)
        advice = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(allowed)}"
        return f"{name}:{line}: unknown key {str(path[-1])!r} at {where}; {advice}"
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
    try:
        given = repr(detail["input"])
    except ValueError:  # an integer of more digits than Python writes
        given = "a number of thousands of digits"
    else:
        given = given if len(given) <= 60 else given[:57] + "..."
    return f"{name}:{line}: {where}: {message}{_nearest_value(detail)}, not {given}"


def _nearest_value(detail: ErrorDetails) -> str:
    """Return a suggestion of the nearest allowed value, '' if none is near."""
    context = detail.get("ctx", {})
    expected = str(context.get("expected", context.get("expected_tags", "")))
    allowed = [part.strip(" '") for part in expected.replace(" or ", ",").split(",") if part.strip()]
    value = detail["input"]
    given = value.get("type") if isinstance(value, dict) else value
    near = difflib.get_close_matches(given, allowed, 1, 0.5) if isinstance(given, str) else []
    return f" (did you mean {near[0]!r}?)" if near else ""


def _in_file(location: Iterable[str | int], root: yaml.Node) -> KeyPath:
    """Return the path of keys in the file: pydantic's location without the tags of unions."""
    path: list[str | int] = []
    node: yaml.Node | None = root
    parts = list(location)
    for position, part in enumerate(parts):
        if position > 1 and parts[position - 2] == "checks" and isinstance(parts[position - 1], int):
            continue  # the tag of the check, which may also be the name of a key (metric, property)
        child = _child(node, part)
        if child is not None:
            path.append(part)
            node = child
        elif position == len(parts) - 1 and isinstance(node, yaml.MappingNode):
            path.append(part)  # a key that is missing
    return tuple(path)


def _child(node: yaml.Node | None, part: str | int) -> yaml.Node | None:
    """Return the value of a key or the item of an index, None if there is none."""
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == str(part)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return cast("yaml.Node", node.value[part])
    return None


def _line(root: yaml.Node, path: KeyPath) -> int:
    """Return the line (from 1) of the key at the end of a path, or of the mapping that lacks it."""
    node, line = root, root.start_mark.line
    for part in path:
        if isinstance(node, yaml.MappingNode):
            line = next((key.start_mark.line for key, _ in node.value if key.value == str(part)), line)
        child = _child(node, part)
        if child is None:
            break
        node = child
        if isinstance(part, int):
            line = node.start_mark.line
    return line + 1


def _twice(node: yaml.Node) -> Iterable[tuple[str, int]]:
    """Yield every key that a mapping holds twice, and its line: YAML keeps the last without a word."""
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
