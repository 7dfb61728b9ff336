"""What people read: written answers are found in whatever form they come back, and are safe to show."""

from __future__ import annotations

import json
from typing import Any

import pytest

from grader.handler.for_people import MAX_SOURCE, code_of, written_answers
from grader.notebook.cells import read_code
from grader.notebook.read import parse_notebook
from grader.notebook.slicing import slice_function

PICTURE = "iVBORw0KGgo="


def text(source: str, question: str = "", **more: Any) -> dict[str, Any]:
    metadata = {"grader": {"question": question}} if question else {}
    return {"cell_type": "markdown", "source": source, "metadata": metadata, **more}


def code(source: str, **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], **more}


def book(*cells: dict[str, Any]) -> Any:
    content = {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return parse_notebook(json.dumps(content).encode())


BLANK = "*Your answer here.*"
SKELETON = book(
    text("# Sheet", id="title"),
    text("(a) Why?", id="why"),
    text(BLANK, "why", id="why-answer"),
    code("def f(x):\n    pass", id="f"),
    text("(b) When?", id="when"),
    text(BLANK, "when", id="when-answer"),
)  # fmt: skip

FORMS = {
    "as handed out": (text("Because.", "why", id="why-answer"),),
    "without metadata": (text("Because.", id="why-answer"),),
    "without metadata and id": (text("Because."),),
    "a cell added below": (text(BLANK, "why", id="why-answer"), text("Because.", id="new")),
    "a cell added above": (text("Because.", id="new"), text(BLANK, "why", id="why-answer")),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_answer_is_found(form: str) -> None:
    own = book(
        text("# Sheet", id="title"),
        text("(a)  Why?", id="why"),
        *FORMS[form],
        code("def f(x):\n    return x", id="f"),
        text("(b) When?", id="when"),
        text(BLANK, "when", id="when-answer"),
    )
    found = written_answers(own, SKELETON)
    assert {name: each.text for name, each in found.items()} == {
        "": "Because.",
        "why": "Because.",
        "when": "",
    }
    assert "<p>Because.</p>" in found["why"].html
    assert "Your answer" not in found["why"].html


def test_a_function_beside_an_answer_is_no_part_of_it_where_nothing_is_marked() -> None:
    own = book(text("(a) Why?"), text("Because."), code("def f(x):\n    return x"), text("(b) When?"))
    assert written_answers(own, SKELETON)["why"].text == "Because."


def test_an_answer_that_is_not_found_is_left_to_the_whole_text() -> None:
    found = written_answers(book(text("Another sheet"), text("All in one: because.")), SKELETON)
    assert set(found) == {""}
    assert found[""].text == "Another sheet\n\nAll in one: because."


def test_pictures_that_a_cell_carries_are_shown_and_no_others() -> None:
    attached = {"attachments": {"my photo.png": {"image/png": PICTURE}, "x.svg": {"image/svg+xml": "<svg/>"}}}
    source = "![a](attachment:my%20photo.png) ![b](attachment:x.svg) ![c](https://example.org/c.png)"
    html = written_answers(book(text("(a) Why?"), text(source, **attached)), SKELETON)["why"].html
    assert html.count("src=") == 1
    assert f'src="data:image/png;base64,{PICTURE}"' in html


def test_many_uses_of_one_picture_do_not_multiply_it() -> None:
    attached = {"attachments": {"a": {"image/png": "A" * (1 << 20)}}}
    html = written_answers(book(text("(a) Why?"), text("![](attachment:a) " * 999, **attached)), SKELETON)[
        "why"
    ].html
    assert len(html) < 5 << 20


def test_the_code_of_a_function_is_what_was_written_its_own_cell_first() -> None:
    own = book(
        code("import numpy as np  # all\nprint(1)"),
        code("y = 1\n@staticmethod\ndef f(x):\n    # mine <b>\n    return np.sum(x)"),
    )
    found = slice_function(read_code(own), "f")
    assert found is not None
    html = code_of(found, "").html
    assert html.index("Code cell 2") < html.index("Code cell 1")
    assert "# mine &lt;b&gt;" in html
    assert "# all" in html
    assert "@staticmethod" in html
    assert "print" not in html


def test_code_that_is_too_long_is_cut_and_says_so() -> None:
    own = book(code(f"def f(x):\n    return '{'x' * MAX_SOURCE}'"))
    found = slice_function(read_code(own), "f")
    assert found is not None
    assert "too long" in code_of(found, "helper.py").html
