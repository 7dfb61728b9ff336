"""Reading many notebooks at once silences their warnings, and leaves the process's filters as they were."""

from __future__ import annotations

import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest

from grader.notebook.cells import read_code

DOUBTFUL = 'pattern = "\\d+"\nif pattern is "x":\n    pass'


def errors(_: int) -> list[str]:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(DOUBTFUL) for _ in range(20)])
    return [cell.error for cell in read_code(notebook).cells if cell.error]


@pytest.fixture
def _hasty_threads() -> object:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.filterwarnings("error")
@pytest.mark.usefixtures("_hasty_threads")
def test_a_doubtful_escape_is_no_syntax_error_however_many_threads_read() -> None:
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        found = [error for errors_of_one in pool.map(errors, range(24)) for error in errors_of_one]
    assert found == []
    assert warnings.filters == before
