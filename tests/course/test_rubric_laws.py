"""Laws of loading: whatever stands in the file, a rubric comes of it or a RubricError."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.course.rubric_file import parse_rubric
from grader.errors import RubricError

TEXT = """\
assignment: tiny
title: A tiny rubric
questions:
  - id: values
    title: Values
    function: double
    points: 1
    checks:
      - id: same
        title: It doubles
        type: reference
        points: 1
        inputs: numbers
        credit: {constant_factor: 0.5}
      - {id: sum, title: Sum, type: property, property: sums_to_one, points: 0, inputs: i, requires: [same]}
      - {id: good, title: Good, type: metric, metric: m, points: 0, inputs: i, full: 0, none: worst}
"""
SCRAPS = st.sampled_from(
    ["", ":", "- ", "{", "}", "[", "]", "&a ", "*a", "!!int ", "<<: ", "? ", "|", ">", "'", '"', "\t", "\n", "  ",
     "#", ".nan", ".inf", "null", "yes", "~", "0", "-1", "1e999", "!x ", "---\n", "...\n", "%", "@", "\ufeff", "\x00"]
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def answer(text: str) -> str:
    """Return the first part of the error, or nothing if the rubric loads; other errors fail the test."""
    try:
        parse_rubric(text, "t")
    except RubricError as error:
        return str(error)[:2]
    return ""


@given(st.text(max_size=200))
def test_any_text_is_a_rubric_or_a_rubric_error(text: str) -> None:
    assert answer(text) in ("", "t:")


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(TEXT)), st.integers(0, 4), SCRAPS), min_size=1, max_size=3))
def test_any_mutation_of_the_text_is_a_rubric_or_a_rubric_error(edits: list[tuple[int, int, str]]) -> None:
    text = TEXT
    for place, length, scrap in edits:
        text = text[:place] + scrap + text[place + length :]
    assert answer(text) in ("", "t:")


def nodes(value: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) of a tree."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, item in items for found in [(value, key), *nodes(item)]]


@settings(deadline=None)
@given(st.integers(0, 10**6), VALUES, st.text(max_size=5), st.booleans())
def test_any_value_in_any_place_is_a_rubric_or_a_rubric_error(
    place: int, value: Any, key: str, rename: bool
) -> None:
    content = yaml.safe_load(TEXT)
    places = nodes(content)
    container, old = places[place % len(places)]
    if rename and isinstance(container, dict):
        container[key] = container.pop(old)
    else:
        container[old] = value
    assert answer(yaml.safe_dump(content, allow_unicode=True)) in ("", "t:")


@settings(deadline=None)
@given(st.lists(st.integers(0, 2000), min_size=1, max_size=5), st.integers(0, 2000))
def test_a_question_loads_only_if_its_checks_add_up_to_its_points(cents: list[int], total: int) -> None:
    checks = [
        {"id": f"c{n}", "title": "t", "type": "reference", "points": cent / 100, "inputs": "i"}
        for n, cent in enumerate(cents)
    ]
    question = {"id": "q", "title": "t", "function": "f", "points": total / 100, "checks": checks}
    text = yaml.safe_dump({"assignment": "a", "title": "t", "questions": [question]})
    assert (answer(text) == "") == (sum(cents) == total)
    question["points"] = sum(cents) / 100
    fitting = yaml.safe_dump({"assignment": "a", "title": "t", "questions": [question]})
    assert (answer(fitting) == "") == (sum(cents) <= 100_000)
