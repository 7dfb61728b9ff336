"""Which names a statement reads from outside, and which it binds on every path."""

from __future__ import annotations

import ast

import pytest

from grader.notebook.names import Names, names_of


def names(text: str) -> Names:
    return names_of(ast.parse(text).body[0], text)


READ = {
    "a loop over what is bound in it": ("for i in r:\n    t = i\n    x = t", {"r"}),
    "a sum that begins outside": ("for i in r:\n    x = x + i", {"r", "x"}),
    "a sum that begins inside": ("for i in r:\n    x = 0\n    x += i", {"r"}),
    "what follows the loop": ("for i in r:\n    x = i\nelse:\n    y = z\n    z = 1", {"r", "z"}),
    "an import in a loop": ("for i in r:\n    import m\n    x = m.pi", {"r"}),
    "an import of a submodule in a loop": ("for i in r:\n    import m.n\n    x = m.n", {"r"}),
    "an import under another name": ("for i in r:\n    import m as k\n    x = k", {"r"}),
    "an import that comes too late": ("for i in r:\n    x = m.pi\n    import m", {"r", "m"}),
    "a function that is defined first": ("for i in r:\n    def g(): return 1\n    x = g()", {"r"}),
    "one branch of two": ("if c:\n    x = 1\nelse:\n    y = x\n    x = y", {"c", "x"}),
    "both branches first": ("if c:\n    x = 1\n    y = x\nelse:\n    x = 2\n    y = x", {"c"}),
    "after a branch that may not run": ("with f:\n    if c:\n        x = 1\n    y = x", {"f", "c", "x"}),
    "after two branches": (
        "with f:\n    if c:\n        x = 1\n    else:\n        x = 2\n    y = x",
        {"f", "c"},
    ),
    "what the test binds": ("if (x := c):\n    y = x", {"c"}),
    "what a while loop reads": ("while x < 3:\n    x = x + 1", {"x"}),
    "what a with statement gives": ("with f as x:\n    y = x", {"f"}),
    "the type of an exception that may not be bound": (
        "try:\n    E = g()\nexcept E:\n    E = None",
        {"g", "E"},
    ),
    "any exception": ("try:\n    x = g(x)\nexcept:\n    x = 1", {"g", "x"}),
    "the exception itself": ("try:\n    x = g()\nexcept E as e:\n    x = e\n    e = x", {"g", "E"}),
    "what is done at last": ("try:\n    x = g()\nfinally:\n    y = z\n    z = 1", {"g", "z"}),
    "what an augmented assignment adds to": ("x += 1", {"x"}),
    "a deleted name": ("del x", {"x"}),
}


@pytest.mark.parametrize(("text", "read"), READ.values(), ids=READ)
def test_a_statement_reads_from_outside_only_what_it_has_not_bound_before(text: str, read: set[str]) -> None:
    assert names(text).reads == read


PERHAPS = {
    "a branch alone": ("if c: x = 1", {"x"}),
    "two branches": ("if c: x = y = 1\nelse: x = 2", {"y"}),
    "a loop": ("for i in r: x = 1", {"x"}),
    "a loop that runs while": ("while c: x = 1", {"x"}),
    "a body that may fail": ("try: x = 1\nexcept E: pass", {"x"}),
    "a body and what handles its failure": ("try: x = 1\nexcept E: x = 2", set()),
    "what is done at last": ("try: g()\nfinally: x = 1", set()),
    "an import": ("import m.n as k, o.p", set()),
    "an import that may fail": ("try:\n    import m\nexcept ImportError:\n    m = None", set()),
    "a block with what it opens": ("with f as x: y = 1", set()),
    "a match": ("match c:\n    case 1: x = 1", {"x"}),
    "a class": ("class x: y = 1", set()),
}


@pytest.mark.parametrize(("text", "perhaps"), PERHAPS.values(), ids=PERHAPS)
def test_a_name_that_only_some_paths_bind_is_told_from_one_that_all_bind(
    text: str, perhaps: set[str]
) -> None:
    assert names(text).perhaps == perhaps
