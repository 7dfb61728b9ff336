"""Which statements of a notebook a function needs, in the forms in which students write them."""

from __future__ import annotations

import ast
import hashlib

import nbformat
import pytest

from grader.notebook.cells import Code, read_code, read_sources
from grader.notebook.slicing import find_definition, function_code, places, slice_function


def code(*cells: str) -> Code:
    return read_code(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]))


def needed(*cells: str, name: str = "f") -> list[str]:
    """Return the statements of the slice of `name`, each on one line."""
    found = slice_function(code(*cells), name)
    assert found is not None, f"{name} was not found"
    return [" ".join(ast.unparse(statement.node).split()) for statement in found.statements]


USE = "def f(): return x"
KEPT = {
    "a helper, a constant and an import": (
        "import math",
        "K = 2",
        "def g(): return math.pi * K",
        "def f(): return g()",
    ),
    "a helper of a later cell": ("def f(): return g()", "def g(): return 1"),
    "functions that call each other": ("def f(n): return g(n)", "def g(n): return f(n)"),
    "an augmented assignment needs what it adds to": ("x = 1", "x += 1", USE),
    "a counter that a function changes": (
        "x = 0",
        "def g():\n    global x\n    x += 1",
        "def f(): return g(), x",
    ),
    "a variable that only a call of a function binds": (
        "def init():\n    global x\n    x = 3",
        "init()",
        USE,
    ),
    "a branch that may not run": ("c = False", "x = 'cpu'", "if c: x = 'cuda'", USE),
    "an import that may fail": ("x = None", "try: import numba as x\nexcept ImportError: pass", USE),
    "a loop that adds up": ("x = 0", "for i in range(3): x = x + i", USE),
    "a list filled in a loop": ("x = []", "for i in range(3): x.append(i)", USE),
    "an array filled in a loop": (
        "import numpy as np",
        "x = np.zeros(3)",
        "for i in range(3): x[i] = i",
        USE,
    ),
    "rows that are swapped": ("x = [1, 2]", "x[0], x[1] = x[1], x[0]", USE),
    "a deleted entry": ("x = [1, 2]", "del x[0]", USE),
    "a shuffled list": ("import random", "x = [1, 2]", "random.shuffle(x)", USE),
    "a fitted model whose history is kept": ("x = Model()", "history = x.fit(1)", USE),
    "a class patched later": ("class A: pass", "A.go = lambda self: 1", "def f(): return A().go()"),
    "an attribute of a function": ("def g(): return g.calls", "g.calls = 0", "def f(): return g()"),
    "an overload": (
        "import functools",
        "@functools.singledispatch\ndef g(v): return 0",
        "@g.register\ndef _(v: int): return 1",
        "def f(): return g(1)",
    ),
    "a value computed by a function, with what that reads at the time": (
        "k = 1\ndef g(): return k\nx = g()\nk = 2",
        "def f(): return x + g()",
    ),
    "unpacking": ("x, y = 1, 2", USE),
    "a walrus in a condition": ("if (x := 3) > 2: pass", USE),
    "a walrus in a comprehension": ("ys = [x := v for v in range(3)]", USE),
    "a comprehension over another name": ("k = 2", "x = [k * v for v in range(3)]", USE),
    "a file that is read": ("with open('a') as file: x = file.read()", USE),
    "the name of an exception": ("try: 1 / 0\nexcept ZeroDivisionError as e: x = str(e)", USE),
    "a pattern": ("v = 3", "match v:\n    case 3: x = 1\n    case _: x = 2", USE),
    "a default, a decorator and an annotation": (
        "K = 1",
        "def deco(g): return g",
        "T = int",
        "@deco\ndef f(a: T = K): return a",
    ),
    "a class": (
        "k = 2",
        "class A:\n    c = k\n    def go(self): return h()",
        "def h(): return 1",
        "def f(): return A().go()",
    ),
    "a nested function": ("k = 2", "def f():\n    def inner(): return k\n    return inner()"),
    "a lambda": ("k = 2", "f = lambda v: v * k"),
    "a decorator that is imported": ("from functools import cache", "@cache\ndef f(): return 1"),
    "a decorator that is an object": (
        "class Counted:\n    def __call__(self, g): return g",
        "counted = Counted()",
        "@counted\ndef f(): return 1",
    ),
    "a class that is a decorator": (
        "class deco:\n    def __init__(self, g): self.g = g",
        "@deco\ndef f(): return 1",
    ),
    "a wrapped function": ("import numpy as np", "def f(v): return v", "f = np.vectorize(f)"),
    "a function with an argument set": (
        "from functools import partial",
        "def g(a, b): return a",
        "f = partial(g, 1)",
    ),
    "a memoised function": ("def memo(g): return g", "def f(v): return v", "f = memo(f)"),
    "another name of a function": ("def g(): return 1", "f = g"),
    "an imported function": ("from numpy.linalg import norm as f",),
    "two modules of one package": (
        "import sklearn.svm",
        "import sklearn.tree",
        "def f(): return sklearn.svm, sklearn.tree",
    ),
    "a module of a package, loaded by another import": (
        "import sklearn",
        "from sklearn.svm import SVC",
        "def f(): return sklearn.svm.SVR",
    ),
    "a module of a package with a short name": (
        "import sklearn as sk",
        "import sklearn.svm",
        "def f(): return sk.svm.SVR",
    ),
    "a star import": ("from numpy import *", "def f(v): return sin(v)"),
    "a star import that hides a builtin": ("from numpy import *", "def f(v): return sum(v, axis=0)"),
}


@pytest.mark.parametrize("cells", KEPT.values(), ids=KEPT)
def test_a_slice_keeps(cells: tuple[str, ...]) -> None:
    whole = [" ".join(ast.unparse(node).split()) for cell in cells for node in ast.parse(cell).body]
    assert needed(*cells) == whole


LEFT_OUT = {
    "what the function does not use": (("y = 1", "print(y)", "x = 2", USE), ["x = 2", "def f(): return x"]),
    "a plot of what it uses": (
        ("import plt", "x = [1]", "plt.plot(x)", USE),
        ["x = [1]", "def f(): return x"],
    ),
    "the seed and settings of a module": (
        ("import numpy as np", "np.random.seed(0)", "np.set_printoptions(2)", "def f(): return np.pi"),
        ["import numpy as np", "def f(): return np.pi"],
    ),
    "plots, also in a loop": (
        ("import plt", "for i in range(3): plt.plot(i)", "def f(): return plt.cm"),
        ["import plt", "def f(): return plt.cm"],
    ),
    "an assignment that was overwritten": (("x = 1", "x = 2", USE), ["x = 2", "def f(): return x"]),
    "a later meaning of a name": (
        ("def loss(): return 1", "def f(): return loss()", "loss = f()"),
        ["def loss(): return 1", "def f(): return loss()"],
    ),
    "changes of another object of that name": (
        ("x = [1]", USE, "x = [2]", "x.append(3)", "x[0] = 4"),
        ["x = [1]", "def f(): return x"],
    ),
    "a branch where both sides bind": (
        ("c = x = 1", "if c: x = 2\nelse: x = 3", "def f(): return x"),
        ["c = x = 1", "if c: x = 2 else: x = 3", "def f(): return x"],
    ),
    "a method of the same name": (
        ("class A:\n    def x(self): return 0", "x = 1", USE),
        ["x = 1", "def f(): return x"],
    ),
    "a parameter of the same name": (("x = 1", "def f(x): return x"), ["def f(x): return x"]),
    "a deleted name": (("x = 1", "del x", "x = 2", USE), ["x = 2", "def f(): return x"]),
    "other loops over the same variable": (
        ("for i in range(9): train(i)", "x = 0", "for i in range(3): x += i", USE),
        ["x = 0", "for i in range(3): x += i", "def f(): return x"],
    ),
}


@pytest.mark.parametrize(("cells", "kept"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_a_slice_leaves_out(cells: tuple[str, ...], kept: list[str]) -> None:
    assert needed(*cells) == kept


def test_a_helper_means_the_binding_in_effect_when_the_function_s_cell_ran() -> None:
    cells = ("def g(): return 1", "def f(): return g()", "def g(): return 2", "def h(): return g()")
    assert needed(*cells)[0] == "def g(): return 1"
    assert needed(*cells, name="h")[0] == "def g(): return 2"


def test_a_stub_gives_way_to_the_definition_that_replaces_it() -> None:
    cells = ("def g():\n    raise NotImplementedError", "def f(): return g()", "def g(): return 2", "g = f()")
    assert needed(*cells) == ["def f(): return g()", "def g(): return 2"]


def test_a_stub_that_nothing_replaces_stays() -> None:
    cells = ("def g(): pass", "def f(): return g()", "g = 3")
    assert needed(*cells) == ["def g(): pass", "def f(): return g()"]


# the cells, and the number of the cell that defines f
DEFINED = {
    "the last of two": (("def f(): return 1", "def f(): return 2"), 2),
    "its result does not replace it": (("def f(v): return v", "f = f(3)"), 1),
    "nor a number made of its result": (("def f(v): return v", "f = float(f(3)) + 1"), 1),
    "nor an attribute of a result": (("def f(v): return v", "result = f(1)", "f = result.fun"), 1),
    "nor another number": (("def f(v): return v", "best = 3", "f = best"), 1),
    "nor the result of a search with it": (("def f(v): return v", "f = minimize(f, 0)"), 1),
    "nor the end of its name": (("def f(v): return v", "del f"), 1),
    "a function of another name replaces it": (("def f(): pass", "def mine(): return 1", "f = mine"), 3),
    "also by way of a third name": (("def f(): pass", "def g(): return 1", "h = g", "f = h"), 4),
    "so does a method of a class": (("def f(): pass", "class A:\n    def f(): return 1", "f = A.f"), 3),
    "so does an imported function": (("import numpy as np", "def f(): pass", "f = np.sin"), 3),
    "so does a lambda": (("def f(): pass", "g = lambda: 1", "f = g"), 3),
    "a function in a branch": (("if True:\n    def f(): return 1",), 1),
    "a function in a try": (("try:\n    def f(): return 1\nexcept NameError: pass",), 1),
    "a class": (("class f: pass",), 1),
    "a factory, for want of anything else": (("f = make()",), 1),
    "one of several": (("f, g = make()",), 1),
    "a name bound to an annotated lambda": (("f: object = lambda: 1",), 1),
    "an annotation alone defines nothing": (("def f(): return 1", "f: object"), 1),
}


@pytest.mark.parametrize(("cells", "cell"), DEFINED.values(), ids=DEFINED)
def test_the_definition_of_a_function_is(cells: tuple[str, ...], cell: int) -> None:
    found = find_definition(code(*cells), "f")
    assert found is not None
    assert found.cell == cell


@pytest.mark.parametrize(
    "cell", ["x = 1", "def g():\n    def f(): return 1", "class A:\n    def f(self): pass", "f()", "f.x = 1"]
)
def test_a_function_that_is_nowhere_has_no_slice(cell: str) -> None:
    assert slice_function(code(cell), "f") is None


def test_what_nothing_binds_is_named() -> None:
    found = slice_function(code("def f(v): return len(v) + missing + f(v)"), "f")
    assert found is not None
    assert found.unbound == {"missing"}


def key(*cells: str) -> str:
    found = slice_function(code(*cells), "f")
    assert found is not None
    return found.key


def test_comments_and_space_do_not_change_the_key() -> None:
    tidy = key("x = 1", "def f(): return x")
    assert key("# one\nx  =  (1)\n\n", "def f():\n    return x  # it\n") == tidy


def test_a_docstring_changes_the_key_as_code_can_read_it() -> None:
    assert key('def f():\n    """2"""\n    return f.__doc__') != key(
        'def f():\n    """3"""\n    return f.__doc__'
    )
    assert key('class A:\n    """2"""', "def f(): return A") != key(
        'class A:\n    """3"""', "def f(): return A"
    )


@pytest.mark.parametrize(
    "cells", [("x = 2", USE), ("x = 1", "def f(): return -x"), ("x = 1", "def f(): 'a'; return 'b'")]
)
def test_code_changes_the_key(cells: tuple[str, ...]) -> None:
    assert key(*cells) != key("x = 1", USE)


@pytest.mark.parametrize(
    "again",
    [("total = 3", "f = total"), ("f = unknown",), ("f = f",), ("f = f.history",), ("f = unknown.part",)],
)
def test_what_takes_the_name_of_a_function_later_and_is_none_does_not_replace_it(
    again: tuple[str, ...],
) -> None:
    define = "def f(): return 1"
    assert needed(define, *again) == [define]


def test_another_function_that_takes_the_name_of_a_function_later_replaces_it() -> None:
    other, again = "def total(): return 2", "f = total"
    assert needed("def f(): return 1", other, again) == [other, again]


def test_what_a_box_gets_is_what_the_key_names() -> None:
    cells = (
        "import numpy as np\n\nunused = 1  # no\nSIZE = (1 +\n  2)  # a comment",
        '\n@staticmethod\ndef f(x):  # here\n    """Two\n    lines."""\n\n    if x: return np.sum(x)\n    else:\n        return (SIZE +\n            x)',
    )
    found = slice_function(read_sources(cells), "f")
    assert found is not None
    (cell,) = function_code(found).cells
    assert "#" not in cell.source
    assert hashlib.sha256(f"f\n{cell.source}".encode()).hexdigest() == found.key
    assert len(ast.parse(cell.source).body) == len(cell.keep) == 3
    lines = cell.source.splitlines()
    where = {lines[number]: (place.cell, place.line) for number, place in enumerate(places(found))}
    assert len(lines) == len(places(found))
    assert where == {
        "import numpy as np": (1, 1),
        "SIZE = 1 + 2": (1, 4),
        "@staticmethod": (2, 2),
        "def f(x):": (2, 3),
        '    """Two': (2, 4),
        '    lines."""': (2, 4),
        "    if x:": (2, 7),
        "        return np.sum(x)": (2, 7),
        "    else:": (2, 7),
        "        return SIZE + x": (2, 9),
    }
    assert places(found)[-1].text == "return (SIZE +"
