"""The skeleton is the instructor's notebook without what students have to find out."""

from __future__ import annotations

import nbformat
import pytest

from grader.errors import AssignmentError
from grader.notebook.skeleton import make_skeleton


def code(source: str) -> nbformat.NotebookNode:
    outputs = [nbformat.v4.new_output("stream", text="42")]
    return nbformat.v4.new_code_cell(source, outputs=outputs, execution_count=3)


def skeleton(*cells: nbformat.NotebookNode) -> list[str]:
    return [cell.source for cell in make_skeleton(nbformat.v4.new_notebook(cells=list(cells))).cells]


SOLVED = """\
def f(x):
    '''Double x.'''
    ### BEGIN SOLUTION
    y = x
    return 2 * y
    ### END SOLUTION


def g(x):
    if x:
        ### BEGIN SOLUTION
        return 1
        ### END SOLUTION
    return f(x)
"""


def test_each_solution_gives_way_to_an_error_at_its_own_depth() -> None:
    (source,) = skeleton(code(SOLVED))
    assert "2 * y" not in source
    assert "return 1" not in source
    assert "'''Double x.'''\n    raise NotImplementedError\n" in source
    assert "    if x:\n        raise NotImplementedError\n    return f(x)" in source
    compile(source, "skeleton", "exec")


def test_an_answer_goes_and_its_question_stays() -> None:
    cell = nbformat.v4.new_markdown_cell(
        "Why?\n\n<!-- BEGIN SOLUTION -->\nBecause.\n<!-- END SOLUTION -->\nSay."
    )
    assert skeleton(cell) == ["Why?\nSay."]


def test_outputs_are_cleared_ids_stay_and_the_instructor_s_notebook_is_untouched() -> None:
    notebook = nbformat.v4.new_notebook(cells=[code(SOLVED), nbformat.v4.new_markdown_cell("Text")])
    before = nbformat.writes(notebook)
    made = make_skeleton(notebook)
    assert nbformat.writes(notebook) == before
    assert [cell.id for cell in made.cells] == [cell.id for cell in notebook.cells]
    assert (made.cells[0].outputs, made.cells[0].execution_count) == ([], None)


@pytest.mark.parametrize(
    "cell",
    [
        code("### BEGIN SOLUTION\nx = 1"),
        code("x = 1\n### END SOLUTION"),
        code("x = 1 ### BEGIN SOLUTION\ny = 1\n### END SOLUTION"),
        nbformat.v4.new_markdown_cell("<!-- BEGIN SOLUTION -->\nBecause."),
    ],
)
def test_a_marker_without_its_partner_is_refused_before_it_gives_the_solution_away(
    cell: nbformat.NotebookNode,
) -> None:
    with pytest.raises(
        AssignmentError, match=f"the cell '{cell.id}' has a solution marker without its partner"
    ):
        skeleton(cell)
