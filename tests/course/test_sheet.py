"""The task and the course's own answer of a written question, as they are kept for the people who grade."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import nbformat.v4 as nb

from grader.course.assignment import Assignment
from grader.course.sheet import sheet_text
from grader.notebook.skeleton import make_skeleton

MARK = {"grader": {"question": "essay"}}


def sheet(*cells: Any) -> dict[str, dict[str, list[str]]]:
    """Return the sources of the parts of each question."""
    notebook = nb.new_notebook(cells=list(cells))
    made = SimpleNamespace(notebook=notebook, skeleton=make_skeleton(notebook))
    kept = json.loads(sheet_text(cast(Assignment, made)))
    return {
        question: {part: [cell["source"] for cell in theirs] for part, theirs in parts.items()}
        for question, parts in kept.items()
    }


def test_the_task_begins_at_its_heading_and_the_answer_has_no_markers() -> None:
    assert sheet(
        nb.new_markdown_cell("Of another task"),
        nb.new_markdown_cell("## Task 2"),
        nb.new_code_cell("x = 1"),
        nb.new_markdown_cell("Why?"),
        nb.new_markdown_cell(
            "*Here:*\n<!-- BEGIN SOLUTION -->Because $k$.<!-- END SOLUTION -->", metadata=MARK
        ),
        nb.new_markdown_cell("Of the next task"),
    ) == {
        "essay": {
            "task": ["## Task 2", "x = 1", "Why?", "*Here:*"],
            "answer": ["Because $k$."],
        }
    }


def test_a_task_holds_no_solution_and_ends_at_another_answer() -> None:
    other = {"grader": {"question": "other"}}
    secret = "### BEGIN SOLUTION\nx = 42\n### END SOLUTION"
    found = sheet(
        nb.new_markdown_cell("First", metadata=other),
        nb.new_code_cell(secret),
        nb.new_markdown_cell("", metadata=MARK),
    )
    assert found == {
        "other": {"task": ["First"], "answer": []},
        "essay": {"task": ["raise NotImplementedError"], "answer": []},
    }


def test_a_sheet_without_marked_cells_has_nothing() -> None:
    assert sheet(nb.new_markdown_cell("# Title"), nb.new_code_cell("x = 1")) == {}
