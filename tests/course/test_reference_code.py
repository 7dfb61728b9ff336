"""The reference as code that can be changed: a change shows wherever it is called, and nowhere else."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from grader.course.reference_code import Reference, definitions
from grader.errors import AssignmentError

SOURCE = '''
import math

def helper(x, *, times=2):
    """Return x, multiplied."""
    return times * x

def outer(x):
    return helper(x) + 1

def marked(f):
    return f

@marked
def third(x):
    return outer(x) + lonely(x)

lonely = math.floor
'''


@pytest.fixture
def reference() -> Reference:
    namespace: dict[str, Any] = {}
    exec(SOURCE, namespace)
    return Reference(namespace, definitions((node, SOURCE) for node in ast.parse(SOURCE).body))


def test_the_text_of_a_definition_begins_with_its_decorators(reference: Reference) -> None:
    assert set(reference.sources) == {"helper", "outer", "marked", "third"}
    assert reference.source("third") == "@marked\ndef third(x):\n    return outer(x) + lonely(x)\n"


def test_a_replaced_function_is_called_by_the_others_and_the_reference_stays(reference: Reference) -> None:
    copied = reference.replaced({"helper": lambda x: 10 * x})
    assert (copied["outer"](3), copied["third"](3)) == (31, 34)
    assert (reference.namespace["outer"](3), reference.namespace["third"](3)) == (7, 10)


def test_functions_keep_their_defaults_and_a_name_that_the_reference_lacks_is_not_added(
    reference: Reference,
) -> None:
    copied = reference.replaced({"unknown": len})
    assert "unknown" not in copied
    assert copied["helper"](3) == 6
    assert copied["helper"] is not reference.namespace["helper"]


def test_a_redefined_function_is_called_by_the_others(reference: Reference) -> None:
    copied = reference.redefined({"helper": "def helper(x):\n    return math.sqrt(x)\n"})
    assert copied["outer"](9.0) == 4.0
    assert reference.namespace["outer"](9.0) == 19.0


def test_edits_replace_text_that_occurs_once(reference: Reference) -> None:
    assert "5 * x" in reference.edited("helper", {"times * x": "5 * x"})
    assert reference.edited("helper", {}) == reference.source("helper")


@pytest.mark.parametrize(
    ("name", "edits", "message"),
    [
        ("helper", {"nowhere": ""}, "'nowhere' occurs 0 times in the reference's helper"),
        ("helper", {"x": "y"}, "occurs 3 times in the reference's helper"),
        ("absent", {}, "defines no function 'absent'"),
    ],
)
def test_an_edit_that_does_not_fit_says_why(
    reference: Reference, name: str, edits: dict[str, str], message: str
) -> None:
    with pytest.raises(AssignmentError) as caught:
        reference.edited(name, edits)
    assert message in str(caught.value)


def test_a_function_uses_what_it_calls_directly_or_not(reference: Reference) -> None:
    assert reference.used_by("helper") == {"helper"}
    assert reference.used_by("outer") == {"outer", "helper"}
    assert reference.used_by("third") == {"third", "marked", "outer", "helper"}
    assert reference.used_by("absent") == frozenset()


def test_functions_that_call_each_other_are_found_once() -> None:
    sources = {"a": "def a():\n    return b()\n", "b": "def b():\n    return a()\n"}
    assert Reference({}, sources).used_by("a") == {"a", "b"}


def test_text_that_is_no_code_uses_nothing() -> None:
    assert Reference({}, {"a": "def a(:\n"}).used_by("a") == {"a"}
