"""The student's code of a function, as it is shown beside what was found in it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support import rubric, score

from grader.batch.code_shown import MAX_LINE, MAX_LINES, with_code
from grader.reading import FactsStatus, FunctionFacts, Place
from grader.records import CodeShown

CELL = """import numpy as np
@wraps(f)
@cache
def double(
    x,
):
    # twice

    return x + x

print(double(1))
def other():
    pass
"""
FACTS = FunctionFacts("double", FactsStatus.FOUND, cell=2)


def shown(source: str, facts: FunctionFacts = FACTS) -> CodeShown | None:
    found = with_code(score(), rubric(), {"double": facts}, ("x = 1", source))
    return next(each.code for each in found.questions if each.id == "double")


def test_a_function_is_shown_from_its_decorators_to_its_last_line() -> None:
    code = shown(CELL)
    assert code is not None
    assert code.text.splitlines() == CELL.splitlines()[1:9]
    assert (code.cell, code.line) == (2, 2)


@pytest.mark.parametrize("status", [FactsStatus.MISSING, FactsStatus.NOT_ATTEMPTED])
def test_a_function_that_is_not_there_has_no_code(status: FactsStatus) -> None:
    assert shown(CELL, replace(FACTS, status=status)) is None


def test_a_function_that_is_made_otherwise_shows_its_cell() -> None:
    code = shown("double = lambda x: 2 * x\n")
    assert code == CodeShown("double = lambda x: 2 * x", 2, 1)


def test_a_function_of_a_file_beside_the_notebook_names_the_file() -> None:
    places = (Place(1, 4, "def double(x):"), Place(1, 5, "    return 2 * x"))
    code = shown(CELL, replace(FACTS, cell=None, file="helper.py", places=places))
    assert code == CodeShown("def double(x):\n    return 2 * x", None, 1, "helper.py")


def test_long_and_odd_code_is_cut_and_made_safe() -> None:
    lines = ["def double(x):", "    y = '\x1b[31m\u202e" + "a" * 1000 + "'", *["    x += 1"] * 400]
    code = shown("\n".join(lines))
    assert code is not None
    found = code.text.splitlines()
    assert len(found) == MAX_LINES + 1
    assert found[-1] == f"# … {len(lines) - MAX_LINES} more lines"
    assert "\x1b" not in code.text
    assert "\u202e" not in code.text
    assert len(found[1]) <= MAX_LINE + 3
