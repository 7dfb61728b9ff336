"""The law of slicing: a slice computes what the whole notebook computes, with less."""

from __future__ import annotations

import ast
import re
from typing import Any

import nbformat
from hypothesis import given, note, settings
from hypothesis import strategies as st

from grader.notebook.cells import Code, read_code
from grader.notebook.slicing import Slice, function_code, slice_function

START = """\
a, b, c = 1, 2, 3
xs, ys = [4], [5, 6]
d = {'x': 1}
v = last = 0
def h0(): return a
g = h = h0
class C:
    k = 1
    def go(self): return self.k + b
"""
TARGET = "def target(): return (a, b, xs, g(), C.k, d)"
# n and m stand for any number, l for any list, f for any function
FORMS = [
    "n = 7",
    "n = m + 3",
    "n += m",
    "n, m = m, n",
    "n: int = m",
    "n = f() + m",
    "n = sum(l) + 1",
    "n = sum(v * m for v in range(3))",
    "n = [last := v for v in (2, m)][0] + last",
    "n = C().go()",
    "n = (lambda: m)()",
    "if m % 2: n = 4",
    "if m % 2:\n    n = 5\nelse:\n    n = 6",
    "for v in range(3): n = n + v",
    "for v in range(3): n += v * m",
    "for v in l: n = v",
    "while n > 50: n -= m % 7 + 20",
    "if (m := 9) > n: n = m",
    "try:\n    n = 1 // m\nexcept ZeroDivisionError:\n    n = 8",
    "try:\n    n = 1 // 0\nexcept ZeroDivisionError:\n    pass",
    "import math as lib; n = lib.gcd(m, 12)",
    "with open('/dev/null') as file: n = len(file.read()) + m",
    "match m:\n    case 0: n = 1\n    case 1: n = 2",
    "l = []",
    "l = [m, n]",
    "l.append(m)",
    "l[:1] = [n]",
    "l += [m]",
    "for v in range(2): l.append(v + n)",
    "del l[1:]",
    "l.sort(); l.extend([m])",
    "C.k = m",
    "C.k += 1",
    "class C(C): k = n",
    "d['x'] = m",
    "n = d['x'] + d.setdefault('y', m)",
    "f = lambda: m + n",
    "def f(): return m * 2",
    "def f(v=m): return v + n",
    "def f(): return sum(l) + n",
    "def f(): return d['x'] + C.k",
    "def f():\n    def inner(): return n\n    return inner() + C().go()",
    "def f():\n    global n\n    n += m\n    return n",
    "def f(): return len(l) + h0()",
    "f()",
]
STAND_FOR = {"n": "abc", "m": "abc", "l": ("xs", "ys"), "f": "gh"}


@st.composite
def statements(draw: st.DrawFn) -> str:
    names = {letter: draw(st.sampled_from(names)) for letter, names in STAND_FOR.items()}
    return re.sub(r"\b[nmlf]\b", lambda found: names[found[0]], draw(st.sampled_from(FORMS)))


def code_of(cells: list[str]) -> Code:
    return read_code(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]))


def sources(found: Slice) -> list[str]:
    return [ast.unparse(statement.node) for statement in found.statements]


def value_after(cells: list[str]) -> Any:
    """Return what `target` returns after the cells ran, None if one fails."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    try:
        for source in cells:
            exec(compile(source, "<cell>", "exec"), namespace)
        return repr(namespace["target"]())
    except (ZeroDivisionError, RecursionError):
        return None


@given(st.lists(statements(), max_size=12))
@settings(max_examples=120, deadline=None)
def test_a_slice_returns_what_the_whole_notebook_returns(body: list[str]) -> None:
    cell = "\n".join([START, *body, TARGET])
    whole = value_after([cell])
    found = slice_function(code_of([cell]), "target")
    assert found is not None
    if whole is not None:
        note("\n".join(sources(found)))
        assert value_after(sources(found)) == whole


@given(st.lists(statements(), max_size=12))
@settings(max_examples=30, deadline=None)
def test_slicing_a_slice_leaves_it_as_it_is(body: list[str]) -> None:
    found = slice_function(code_of([START, *body, TARGET]), "target")
    assert found is not None
    again = slice_function(code_of(sources(found)), "target")
    assert again is not None
    assert sources(again) == sources(found)
    assert again.key == found.key


ENDS = [
    "\n",
    "\r\n",
    "\r",
    "; ",
    "  # x\n",
    "\n\n# a comment\n",
    "\n'''text\n\n'''\n",
    "; '''\n'''; ",
    " \\\n\n",
]


@given(st.lists(st.tuples(statements(), st.sampled_from(ENDS)), max_size=8), st.sampled_from(["", "\n"]))
@settings(max_examples=150, deadline=None)
def test_what_a_box_gets_is_each_statement_that_the_function_needs(
    body: list[tuple[str, str]], start: str
) -> None:
    cell = start + START + "".join(map("".join, body)) + "\n" + TARGET + "\n# the end"
    code = code_of([cell])
    found = slice_function(code, "target")
    if found is None:  # the cell is no Python
        assert code.cells[0].error
        return
    (own,) = function_code(found).cells
    note(own.source)
    sent = [ast.dump(each) for each in ast.parse(own.source).body]
    assert sent == [ast.dump(each.node) for each in found.statements]
    assert own.keep == tuple(range(len(sent)))
