"""Modules that code asks for by other ways than an import statement."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from grader.inside import imports
from grader.inside.call_group import run_statements


@pytest.fixture
def watched() -> Iterator[None]:
    before, main = list(sys.meta_path), sys.modules["__main__"]
    imports.FOUND.clear()
    imports.watch()
    yield
    sys.meta_path[:] = before
    sys.modules["__main__"] = main
    imports.FOUND.clear()


MODULE = "this_module_does_not_exist"
WAYS = {
    "dunder import": f"__import__('{MODULE[:4]}' + '{MODULE[4:]}')",
    "importlib": f"import importlib\nimportlib.import_module('{MODULE}')",
    "exec": f"exec('import {MODULE}')",
    "eval": f"eval('__import__(\"{MODULE}\")')",
    "beside a statement": f"import os; __import__('{MODULE}')",
}


@pytest.mark.parametrize("source", WAYS.values(), ids=WAYS)
@pytest.mark.usefixtures("watched")
def test_what_hides_from_the_text_shows_when_it_runs(source: str) -> None:
    run_statements(
        [{"number": 1, "source": source, "keep": range(2 if "\n" in source or ";" in source else 1)}]
    )
    assert MODULE in imports.FOUND


@pytest.mark.parametrize(
    "source", [f"import {MODULE}", f"from {MODULE} import x", f"from {MODULE} import (\n x)"]
)
@pytest.mark.usefixtures("watched")
def test_a_plain_statement_is_for_the_reader_of_the_text(source: str) -> None:
    run_statements([{"number": 1, "source": source, "keep": (0,)}])
    assert imports.FOUND == []
