"""What reading a notebook says of a function, without running it."""

from __future__ import annotations

import nbformat
import pytest

from grader.notebook.cells import Code, read_code
from grader.notebook.facts import dotted_names, find_functions
from grader.reading import FunctionFacts


def code(*cells: str) -> Code:
    return read_code(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]))


def facts(*cells: str, skeleton: str = "") -> FunctionFacts:
    slices, found = find_functions(code(*cells), ["f"], code(skeleton))
    assert ("f" in slices) == (found["f"].status == "found"), "only what was attempted is called"
    return found["f"]


STUB = 'def f(x):\n    """Do it."""\n    raise NotImplementedError'
STATUS = {
    "nothing at all": ((), "missing"),
    "another function": (("def fg(): return 1",), "missing"),
    "the body that was given": ((STUB,), "not_attempted"),
    "the given body with a comment": (("# mine\n" + STUB,), "not_attempted"),
    "pass": (("def f(x): pass",), "not_attempted"),
    "dots": (("def f(x): ...",), "not_attempted"),
    "a docstring alone": (("def f(x):\n    'to do'",), "not_attempted"),
    "not implemented, with words": (("def f(x): raise NotImplementedError('later')",), "not_attempted"),
    "a wrapped stub": (("import numpy as np", "def f(x): pass", "f = np.vectorize(f)"), "not_attempted"),
    "another error": (("def f(x): raise ValueError",), "found"),
    "one line": (("def f(x): return x",), "found"),
    "a stub that an own function replaces": ((STUB, "def mine(x): return x", "f = mine"), "found"),
    "a stub in one branch": (
        ("try:\n    def f(x): pass\nexcept NameError:\n    def f(x): return x",),
        "found",
    ),
    "stubs in both branches": (("if a:\n    def f(x): pass\nelse:\n    def f(x): ...",), "not_attempted"),
    "a lambda": (("f = lambda x: x",), "found"),
    "a class": (("class f: pass",), "found"),
    "an imported function": (("from math import sin as f",), "found"),
    "what a factory makes": (("f = make()",), "found"),
    "an asynchronous function": (("async def f(x): return x",), "found"),
}


@pytest.mark.parametrize(("cells", "status"), STATUS.values(), ids=STATUS)
def test_the_status_of(cells: tuple[str, ...], status: str) -> None:
    assert facts(*cells, skeleton=STUB).status == status


def test_a_given_function_that_was_left_as_it_was_is_not_attempted() -> None:
    given = "def f(x):\n    return x + 1"
    assert facts(given, skeleton=given).status == "not_attempted"
    assert facts(given + "0", skeleton=given).status == "found"


BRANCHES = "if fast:\n    def f(x):\n        return {}\nelse:\n    def f(x):\n        return {}"


@pytest.mark.parametrize(("first", "second"), [("x + 1", "x + 2"), ("x + 2", "x + 1"), ("x + 2", "x + 3")])
def test_a_function_with_two_definitions_was_attempted_though_one_of_them_was_given(
    first: str, second: str
) -> None:
    given = "def f(x):\n    return x + 1"
    assert facts("fast = True", BRANCHES.format(first, second), skeleton=given).status == "found"


@pytest.mark.parametrize("source", ["def f(x:\n    return", "f = lambda x: (", "@jit\ndef  f (x) return x"])
def test_a_function_in_a_cell_with_a_syntax_error_is_missing_and_says_so(source: str) -> None:
    found = facts("x = 1", source)
    assert found.status == "missing"
    assert "syntax error: code cell 2, line" in found.remark


def test_a_syntax_error_in_another_function_is_not_blamed() -> None:
    assert (
        facts("def f_two(x:\n    return g(f = 1)").remark
        == "The notebook does not define a function named f."
    )


def test_a_function_within_another_is_missing_and_no_syntax_error_is_blamed() -> None:
    found = facts("def g():\n    def f(x): return x\n    return 1")
    assert (found.status, found.remark) == ("missing", "The notebook does not define a function named f.")


LOADED = "import numpy as np\nX = np.load('ratings.npy')\nn = 3\nrng = np.random.default_rng(n)"
DATA = {
    "loaded": ("def f(): return X", ["X"]),
    "unpacked": ("A, b = np.loadtxt('a'), 2\ndef f(): return A", ["A"]),
    "made of loaded data": ("Y = X.T - 1\nZ = Y * 2\ndef f(): return Z", ["Z"]),
    "computed by an own function": ("def g(v): return v\nY = g(3)\ndef f(): return Y", ["Y"]),
    "drawn": ("Y = np.random.rand(3, 3)\ndef f(): return Y", ["Y"]),
    "a data set": (
        "from sklearn import datasets\nd = datasets.load_digits()\nY = d.data\ndef f(): return Y",
        ["Y"],
    ),
    "read from a file": ("with open('a') as file:\n    t = file.read()\ndef f(): return t", ["t"]),
    "made in a loop": ("for i in range(3): last = i\ndef f(): return last", ["last"]),
    "made in a branch": ("if n > 2: Y = X[:2]\ndef f(): return Y", ["Y"]),
    "grown": ("total = 0\ntotal += X.sum()\ndef f(): return total", ["total"]),
    "annotated": ("Y: np.ndarray = X\ndef f(): return Y", ["Y"]),
    "only in an inner function": ("def f():\n    return [X for _ in range(2)]", ["X"]),
}
NO_DATA = {
    "a constant": "def f(): return n",
    "a constant made of constants": "m = 2 * n + np.pi\ndef f(): return m",
    "a tuple of settings": "sizes = (n, n + 1)\ndef f(): return sizes",
    "a type": "dtype = np.float32\ndef f(): return dtype",
    "a small number of the machine": "eps = np.finfo(float).eps\ndef f(): return eps",
    "a generator of random numbers": "def f(): return rng",
    "a parameter of that name": "def f(X): return X",
    "a local variable of that name": "def f():\n    X = 1\n    return X",
    "a lambda over data": "g = lambda: X\ndef f(): return g()",
    "a wrapper": "from functools import partial\ndef g(a, b): return a\nh = partial(g, b=X)\ndef f(): return h(1)",
    "a decorated function": "def deco(g): return g\ndef g(): return 1\nh = deco(g)\ndef f(): return h()",
    "another name of a function": "def g(): return 1\nh = g\ndef f(): return h()",
    "a choice of module": "try:\n    import numba as nb\nexcept ImportError:\n    nb = None\ndef f(): return nb",
    "a flag": "if n: fast = True\nelse: fast = False\ndef f(): return fast",
    "a name that held data before": "Y = X\nY = 3\ndef f(): return Y",
    "an empty cache": "cache = {}\ndef f(): return cache",
    "an annotation without a value": "Y: int\nY = 2\ndef f(): return Y",
    "data that only a helper reads": "def g(): return X\ndef f(): return g()",
}


@pytest.mark.parametrize(("source", "names"), DATA.values(), ids=DATA)
def test_data_of_the_notebook_that_a_function_reads_is_named(source: str, names: list[str]) -> None:
    assert list(facts(LOADED, source).notebook_globals) == names


@pytest.mark.parametrize("source", NO_DATA.values(), ids=NO_DATA)
def test_what_is_no_data_of_the_notebook_is_not_remarked_on(source: str) -> None:
    assert facts(LOADED, source).notebook_globals == ()


def test_the_data_of_a_function_that_is_wrapped_is_named_too() -> None:
    assert facts(LOADED, "def g(v): return X", "f = np.vectorize(g)").notebook_globals == ("X",)
    assert facts(LOADED, "class f: X = X").notebook_globals == ()
    helped = "def g(v): return h(X)", "def h(v): return v", "f = np.vectorize(g)"
    assert facts(LOADED, *helped).notebook_globals == ("X",), "a helper of what is wrapped is not wrapped"


USES = {
    "an attribute of a module": ("import sklearn.manifold\nsklearn.manifold.TSNE()", "sklearn.manifold.TSNE"),
    "a short name of a module": ("import numpy as np\nnp.linalg.svd(1)", "numpy.linalg.svd"),
    "a name taken from a module": ("from sklearn.manifold import TSNE\nTSNE()", "sklearn.manifold.TSNE"),
    "under another name": ("from sklearn.manifold import TSNE as T\nT()", "sklearn.manifold.TSNE"),
    "a module taken from a package": (
        "from sklearn import manifold\nmanifold.TSNE()",
        "sklearn.manifold.TSNE",
    ),
    "a star": ("from sklearn.manifold import *\nTSNE()", "sklearn.manifold.TSNE"),
    "an import in a function": ("def f():\n    from numpy import dot\n    return dot(1, 2)", "numpy.dot"),
    "without a call": ("import numpy as np\nmethod = np.linalg.svd", "numpy.linalg.svd"),
}


@pytest.mark.parametrize(("source", "name"), USES.values(), ids=USES)
def test_a_use_is_found_by_its_full_name(source: str, name: str) -> None:
    assert name in dotted_names(code(source).statements)


@pytest.mark.parametrize(
    "source", ["from sklearn.manifold import TSNE, MDS\nMDS()", "from . import TSNE\nTSNE()", "TSNE()"]
)
def test_what_is_only_imported_or_is_the_student_s_own_is_no_use(source: str) -> None:
    assert not any(name.endswith("TSNE") for name in dotted_names(code(source).statements))
