"""Why a function is missing, or as it was handed out, where the notebook shows that it was written."""

from __future__ import annotations

import nbformat
import pytest

from grader.notebook.cells import Code, read_code
from grader.notebook.facts import find_functions
from grader.reading import FunctionFacts

BODY = "def softmax(Z):\n    E = Z - 1\n    return E / E.sum()"
STUB = "def softmax(Z):\n    '''Return it.'''\n    raise NotImplementedError"


def code(*cells: tuple[str, str]) -> Code:
    made = {
        "code": nbformat.v4.new_code_cell,
        "markdown": nbformat.v4.new_markdown_cell,
        "raw": nbformat.v4.new_raw_cell,
    }
    return read_code(nbformat.v4.new_notebook(cells=[made[kind](source) for kind, source in cells]))


def facts(*cells: tuple[str, str]) -> FunctionFacts:
    _, found = find_functions(
        code(*cells), ["softmax"], code(("code", STUB), ("code", "def softmax_cost(): 1"))
    )
    return found["softmax"]


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_code_in_a_text_cell_is_found(kind: str) -> None:
    found = facts((kind, BODY))
    assert found.status == "missing"
    assert found.remark == "The code of softmax was found in a text cell: make it a code cell."
    assert "text cell" not in facts((kind, "Here you define softmax.")).remark


def test_code_in_a_text_cell_beside_the_one_that_was_handed_out_is_asked_for() -> None:
    found = facts(("code", STUB), ("markdown", f"```python\n{BODY}\n```"))
    assert found.status == "not_attempted"
    assert found.remark == "Was the code of softmax written in a text cell? Only code cells count."
    assert facts(("code", STUB), ("markdown", "Define softmax here.")).remark == ""
    given = ("markdown", "    def softmax(Z): ...")
    _, told = find_functions(code(("code", STUB), given), ["softmax"], code(("code", STUB), given))
    assert told["softmax"].remark == "", "the sheet itself shows it"


def test_a_renamed_function_is_asked_for() -> None:
    assert facts(("code", BODY.replace("softmax", "Softmax"))).remark.endswith(": was it renamed to Softmax?")
    assert "renamed" not in facts(("code", "def gradient(Z): return 1")).remark
    assert "renamed" not in facts(("code", "def softmax_cost(): return 2")).remark, "it was handed out"


def test_a_cell_that_was_split_is_told() -> None:
    lines = BODY.splitlines()
    bare = facts(("code", lines[0]), ("code", "\n".join(lines[1:])))
    assert (bare.status, bare.remark) == (
        "missing",
        "Its code cell 1 was split: its body is in the next cell.",
    )
    documented = facts(("code", f"{lines[0]}\n    '''doc'''"), ("code", "\n".join(lines[1:])))
    assert documented.status == "not_attempted"
    assert "Code cell 1 was split" in documented.remark
    assert facts(("code", STUB), ("code", "x = 1")).remark == ""
    assert "syntax error" in facts(("code", "def softmax(Z:")).remark


def test_a_copy_as_handed_out_below_the_own_code_is_told() -> None:
    found = facts(("code", BODY), ("code", STUB))
    assert found.status == "not_attempted"
    assert "in code cell 1 does not count: code cell 2 defines it again" in found.remark
