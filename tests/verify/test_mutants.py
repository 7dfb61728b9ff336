"""Mutants: every kind of change is made, each once, and nothing that only says something is touched."""

from __future__ import annotations

import ast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.verify.mutants import make_mutants

SOURCE = '''
def center(X, k=3):
    """Subtract the mean."""
    total = np.sum(X**2, axis=0)
    if k > 1 and len(X) == 2:
        total = total - X.T @ X
    print("k is", k + 1)
    return -total, X[k:]
'''


def becomes(source: str) -> set[str]:
    return {mutant.becomes for mutant in make_mutants("center", source)}


@pytest.mark.parametrize(
    "line",
    [
        "total = np.mean(X ** 2, axis=0)",  # another function
        "total = np.sum(X * 2, axis=0)",  # an operator
        "total = np.sum(X, axis=0)",  # a power dropped
        "total = np.sum(X ** 3, axis=0)",  # a constant
        "total = np.sum(X ** 2, axis=1)",  # an axis
        "total = np.sum(k ** 2, axis=0)",  # a name
        "if k > 1 or len(X) == 2:",  # and, or
        "if k >= 1 and len(X) == 2:",  # a comparison
        "if not (k > 1 and len(X) == 2):",  # a condition
        "total = X.T @ X - total",  # the order of a difference
        "total = total - X @ X",  # a transpose dropped
        "total = total - X @ X.T",  # the order of a product
        "total = X.T @ X",  # a term dropped
        "pass",  # a statement
        "return (total, X[k:])",  # a sign
        "return (X[k:], -total)",  # the order of results
    ],
)
def test_every_kind_of_change_is_made(line: str) -> None:
    assert line in becomes(SOURCE)


def test_what_is_only_said_stays_as_it_is() -> None:
    assert not [line for line in becomes(SOURCE) if "print" in line or "Subtract" in line or "def " in line]


def test_mutants_differ_from_the_original_and_from_each_other_and_can_be_compiled() -> None:
    mutants = make_mutants("center", SOURCE)
    sources = [mutant.source for mutant in mutants]
    assert len(set(sources)) == len(sources) > 30
    assert ast.unparse(ast.parse(SOURCE)) not in sources
    assert len({mutant.id for mutant in mutants}) == len(mutants)
    for source in sources:
        compile(source, "<mutant>", "exec")


def test_a_mutant_says_which_line_it_changes() -> None:
    (mutant,) = [
        m for m in make_mutants("double", "def double(x):\n    return -x\n") if "return x" in m.source
    ]
    assert mutant.id == "double: return -x -> return x"


LEAVES = st.sampled_from(["x", "y", "1", "2.5"])


@settings(max_examples=25)
@given(st.recursive(LEAVES, lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner), max_leaves=6))
def test_one_change_changes_one_line_of_any_expression(tree: object) -> None:
    def text(node: object) -> str:
        return node if isinstance(node, str) else f"({text(node[0])} {node[1]} {text(node[2])})"  # type: ignore[index]

    source = f"def f(x, y):\n    return {text(tree)}\n"
    for mutant in make_mutants("f", source):
        namespace: dict[str, object] = {"np": np}
        exec(mutant.source, namespace)
        assert callable(namespace["f"])
        assert mutant.was == ast.unparse(ast.parse(source)).splitlines()[1].strip()


CLASS = '''
class Model:
    """A model."""

    size: int = 64

    def __init__(self, size=3):
        self.size = size + 1

    def fit(self, X):
        self.mean = self._centre(X)
        return self

    def _centre(self, X):
        return X.sum() / len(X)

    def predict(self, X):
        return X - self.mean
'''


def test_a_method_is_changed_with_the_constructor_and_what_it_calls() -> None:
    lines = {mutant.becomes for mutant in make_mutants("Model.fit", CLASS)}
    assert {"self.size = size + 2", "return X.sum() * len(X)", "self.mean = self._centre(self)"} <= lines
    assert not [line for line in lines if "X + self.mean" in line or "65" in line or "def " in line]
    assert "return X + self.mean" in {mutant.becomes for mutant in make_mutants("Model.predict", CLASS)}


def test_all_methods_of_a_class_are_changed() -> None:
    lines = {mutant.becomes for mutant in make_mutants("class Model", CLASS)}
    assert {"self.size = size + 2", "return X.sum() * len(X)", "return X + self.mean"} <= lines


@pytest.mark.parametrize(
    ("statement", "changed"),
    [
        ("if step % 10 == 0:\n        print(step)", False),
        ("if step % 10 == 0:\n        logger.info(step + 1)", False),
        ("logging.info(step * 2)", False),
        ("if step % 10 == 0:\n        step = 0", True),
        ("if step.pop():\n        print(step)", True),
        ("record.append(step + 1)", True),
    ],
)
def test_what_only_says_something_is_harmless_with_its_condition(statement: str, *, changed: bool) -> None:
    source = f"def f(step, record):\n    {statement}\n    return record\n"
    mutants = [mutant for mutant in make_mutants("f", source) if "return" not in mutant.was]
    assert bool(mutants) is changed
