"""Right answers in place of a student's other functions, an argument in place of a variable."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from grader.inside.answers import answering, binding

X = np.arange(6.0).reshape(2, 3)


def made(source: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {"np": np}
    exec(source, namespace)
    return namespace


OWN = "def g(x, k=2): return -1.0\ndef f(x): return g(CALL)\n"


@pytest.mark.parametrize("call", ["x", "x, 2", "x=x", "k=2, x=x", "x.tolist()", "x + 1e-12", "x.copy()"])
def test_the_same_arguments_get_the_answer_however_they_are_passed(call: str) -> None:
    f = made(OWN.replace("CALL", call))["f"]
    with answering(f, [("g", (X, 2), 7.0)]):
        assert f(X) == 7.0
    assert f(X) == -1.0


@pytest.mark.parametrize("call", ["x + 1", "x, 3", "x.T", "x[:1]"])
def test_other_arguments_get_the_students_own(call: str) -> None:
    f = made(OWN.replace("CALL", call))["f"]
    with answering(f, [("g", (X, 2), 7.0)]):
        assert f(X) == -1.0


def test_sparse_arguments_are_compared_by_their_entries() -> None:
    f = made(OWN.replace("CALL", "x"))["f"]
    with answering(f, [("g", (csr_matrix(X), 2), 7.0)]):
        assert f(X) == f(csr_matrix(X)) == 7.0


def test_a_function_that_does_not_exist_answers_and_is_gone_afterwards() -> None:
    namespace = made("def f(x): return h(x)")
    with answering(namespace["f"], [("h", (1.0,), 5.0)]):
        assert namespace["f"](1.0) == 5.0
        with pytest.raises(NameError):
            namespace["f"](2.0)
    assert "h" not in namespace


def test_an_answer_that_is_changed_is_right_the_next_time() -> None:
    f = made("def g(x): return 0\ndef f(x):\n    y = g(x)\n    y += 1\n    return y")["f"]
    with answering(f, [("g", (1.0,), np.zeros(2))]):
        f(1.0)
        assert f(1.0).tolist() == [1.0, 1.0]


def test_a_variable_holds_the_argument_while_the_block_runs() -> None:
    namespace = made("data = 1\ndef f(x): return data + missing")
    with binding(namespace["f"], {"data": 10, "missing": 5}):
        assert namespace["f"](None) == 15
    assert namespace["data"] == 1
    assert "missing" not in namespace
