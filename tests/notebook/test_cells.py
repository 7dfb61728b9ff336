"""A notebook's cells become Python, whatever is written in them."""

from __future__ import annotations

import sys

import nbformat
import pytest

from grader.notebook import cells
from grader.notebook.cells import Code, read_code, read_sources, to_python


def code(*cells: str) -> Code:
    return read_code(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]))


def bound(*cells: str) -> list[str]:
    return [name for statement in code(*cells).statements for name in sorted(statement.binds)]


FORMS = {
    "a line magic": ("%matplotlib inline\nx = 1", ["x"]),
    "a shell command": ("!pip install torch\nx = 1", ["x"]),
    "the output of a shell command": ("files = !ls\nx = 1", ["files", "x"]),
    "the result of a magic": ("x = %pwd", ["x"]),
    "a question": ("np.dot?\nx = 1", ["x"]),
    "a timed statement": ("%time x = f('a')", ["x"]),
    "a timed statement in a loop": ("for i in r:\n    %time x = 1", ["i", "x"]),
    "a timed cell": ("%%time\nx = 1", ["x"]),
    "a timed and captured cell": ("%%time\n%%capture out\nx = 1", ["x"]),
    "a timed cell below blank lines": ("\n  \n%%time\nx = 1", ["x"]),
    "a file that is written": ("%%writefile a.py\nx = 1", []),
    "a cell in another language": ("%%bash\nx=1", []),
    "a cell magic without a name": ("%%\nx = 1", []),
    "an await": ("import asyncio\nx = await g()\nasync def f(): return 1", ["asyncio", "x", "f"]),
    "a prompt pasted from a terminal": (">>> x = 1\n>>> y = 2", ["x", "y"]),
    "a cell that is indented": ("    x = 1\n    y = 2", ["x", "y"]),
    "lines that end as on Windows": ("x = 1\r\nif x:\r\n    y = 2\r\n", ["x", "y"]),
    "an umlaut": ("größe = 'ß€😀'", ["größe"]),
    "comments alone": ("# to do\n", []),
    "nothing": ("", []),
    "a typed alias": ("x: int", ["x"]),
    "a deleted name": ("del x", []),
}


@pytest.mark.parametrize(("source", "names"), FORMS.values(), ids=FORMS)
def test_the_names_that_a_cell_binds(source: str, names: list[str]) -> None:
    assert bound(source) == names
    assert code(source).cells[0].error == ""


BROKEN = {
    "a syntax error": ("x = 1\nx = (", "code cell 2, line 2"),
    "a global that comes too late": ("def g():\n    x = 1\n    global x", "code cell 2, line 3"),
    "a null byte": ("x = '\x00'", "code cell 2: "),
    "half a surrogate pair": ("x = '\ud800'", "code cell 2"),
    "nesting without end": ("x = " + "(" * 1000 + ")" * 1000, "code cell 2"),
    "a sum without end": ("x = " + "1 + " * 30_000 + "1", "code cell 2"),
    "Python 2": ("print 'hello'", "code cell 2, line 1"),
}


@pytest.mark.parametrize(("source", "place"), BROKEN.values(), ids=BROKEN)
def test_a_cell_that_is_no_python_costs_that_cell_alone(source: str, place: str) -> None:
    read = code("x = 1", source, "y = 2")
    assert read.cells[1].error.startswith(place)
    assert read.cells[1].source == source
    assert [name for statement in read.statements for name in statement.binds] == ["x", "y"]


@pytest.mark.parametrize("lead", ["", "\n", "\n  \n\t\n", "# a\n", "%%time\n", "\n%%capture\n\n"])
@pytest.mark.parametrize("source", ["!ls\nx = 1", "%time y = 1\nx = 1", "np?\nx = 1", "'''a\n%b'''\nx = 1"])
def test_lines_keep_their_numbers(lead: str, source: str) -> None:
    (found,) = [s for s in code(lead + source).statements if "x" in s.binds]
    assert found.node.lineno == (lead + source)[: (lead + source).index("x = 1")].count("\n") + 1


def test_a_magic_that_times_no_statement_stays_a_magic() -> None:
    assert "run_line_magic" in to_python("%time is not python")
    assert "run_line_magic" in to_python("%timeit f()")


def test_cells_are_numbered_among_the_code_cells_and_statements_within_their_cell() -> None:
    text, empty = nbformat.v4.new_markdown_cell("# x = 0"), nbformat.v4.new_code_cell("")
    cells = [text, nbformat.v4.new_code_cell("a = 1\nb = 2"), empty, nbformat.v4.new_code_cell("c = 3")]
    places = {
        name: s.place for s in read_code(nbformat.v4.new_notebook(cells=cells)).statements for name in s.binds
    }
    assert places == {"a": (1, 0), "b": (1, 1), "c": (3, 0)}


def test_without_ipython_magics_do_nothing_and_a_timed_statement_binds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "IPython.core.inputtransformer2", None)
    assert bound("%matplotlib inline\n!ls\n%time x = 1\nif x:\n    %timeit f()\n    y = 2") == ["x", "y"]
    (found,) = code("!ls\n%time x = 1").cells[0].statements[1:]
    assert found.node.lineno == 2


def test_a_notebook_that_no_hand_wrote_is_read_up_to_a_limit() -> None:
    endless = "\n".join(f"x{n} = x{n - 1}" for n in range(1, 2001))
    first, second, third = code("x0 = 1", endless, endless).cells
    assert len(first.statements) + len(second.statements) == 2001
    assert third.statements == ()
    assert third.error.startswith("code cell 3: the notebook has more than 3000 statements")


def test_whatever_a_cell_makes_the_reader_raise_costs_that_cell_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for error in (RuntimeError("500 rounds"), RecursionError(), MemoryError(), KeyError("a"), ValueError()):

        def fails(source: str, error: Exception = error) -> str:
            if "!" in source:
                raise error
            return source

        monkeypatch.setattr(cells, "to_python", fails)
        first, second = read_sources(["!a", "x = 1"]).cells
        assert first.error.startswith("code cell 1: ")
        assert len(second.statements) == 1


def test_magics_before_magics_take_no_more_than_a_moment() -> None:
    assert to_python("%%time\n" * 100_000 + "x = 1") == "\n" * 100_000 + "x = 1"
    assert to_python("%%time\n\n%%capture out\n%%bash\nx = 1") == ""
