"""What people read: written answers are found in whatever form they come back, and are safe to show."""

from __future__ import annotations

import json
from typing import Any

import pytest

from grader.handler.for_people import MAX_SOURCE, WrittenAnswers, code_of
from grader.notebook.cells import read_code
from grader.notebook.read import parse_notebook
from grader.notebook.slicing import slice_function
from grader.records import Outcome, OutcomeKind

PICTURE = "iVBORw0KGgo="


def text(source: str, question: str = "", **more: Any) -> dict[str, Any]:
    metadata = {"grader": {"question": question}} if question else {}
    return {"cell_type": "markdown", "source": source, "metadata": metadata} | more


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
    found = WrittenAnswers(own, SKELETON).shown()
    assert {name: each.text for name, each in found.items()} == {
        "": "Because.",
        "why": "Because.",
        "when": "",
    }
    assert "<p>Because.</p>" in found["why"].html
    assert "Your answer" not in found["why"].html


TAGGED = book(
    text("(a) Why?", id="why"), text(BLANK, id="own", metadata={"tags": ["why-tag"]}), code("1", id="one")
)
BY_NAME = {
    "by its tag": (text("Because.", metadata={"tags": ["why-tag"]}),),
    "by the id that was handed out": (text("Because.", id="own"),),
    "behind the cell before it": (text("Because."),),
    "in a cell that was added below": (
        text(BLANK, id="own", metadata={"tags": ["why-tag"]}),
        text("Because.", id="x"),
    ),
}


@pytest.mark.parametrize("form", BY_NAME)
def test_an_answer_that_a_check_looks_at_is_found(form: str) -> None:
    own = book(text("(a) Why?"), *BY_NAME[form], code("1", id="one"))
    assert WrittenAnswers(own, TAGGED, ["why-tag"]).outcome("why-tag") == Outcome(
        OutcomeKind.RETURNED, "Because."
    )


def test_what_was_handed_out_is_no_part_of_an_answer_below_it_and_lines_keep_their_numbers() -> None:
    blank = "*Your answer\\\nhere.*"
    given = book(text(blank, id="own", metadata={"tags": ["why-tag"]}))
    own = book(text(f"\n{blank}\n\nBecause.", id="own", metadata={"tags": ["why-tag"]}))
    assert WrittenAnswers(own, given, ["why-tag"]).outcome("why-tag").value.split("\n") == [
        *[""] * 4,
        "Because.",
    ]


def test_an_answer_that_a_check_looks_at_may_be_missing_or_left() -> None:
    answers = [WrittenAnswers(own, TAGGED, ["why-tag"]) for own in (TAGGED, book(text("# Mine")))]
    assert [each.outcome("why-tag").kind for each in answers] == [
        OutcomeKind.NOT_ATTEMPTED,
        OutcomeKind.MISSING,
    ]


def test_a_function_beside_an_answer_is_no_part_of_it_where_nothing_is_marked() -> None:
    own = book(text("(a) Why?"), text("Because."), code("def f(x):\n    return x"), text("(b) When?"))
    assert WrittenAnswers(own, SKELETON).shown()["why"].text == "Because."


def test_answers_that_stand_side_by_side_are_not_mixed() -> None:
    own = book(
        text("(a) Why?"),
        text("Because.", "why"),
        text("On Sunday.", "when"),
        text("At noon.", "when", id="new"),
    )
    found = WrittenAnswers(own, SKELETON).shown()
    assert (found["why"].text, found["when"].text) == ("Because.", "On Sunday.\n\nAt noon.")


def test_an_answer_that_is_not_found_is_left_to_the_whole_text() -> None:
    found = WrittenAnswers(book(text("Another sheet"), text("All in one: because.")), SKELETON).shown()
    assert set(found) == {""}
    assert found[""].text == "Another sheet\n\nAll in one: because."


def test_pictures_that_a_cell_carries_are_shown_and_no_others() -> None:
    attached = {"attachments": {"my photo.png": {"image/png": PICTURE}, "x.svg": {"image/svg+xml": "<svg/>"}}}
    source = "![a](attachment:my%20photo.png) ![b](attachment:x.svg) ![c](https://example.org/c.png)"
    html = WrittenAnswers(book(text("(a) Why?"), text(source, **attached)), SKELETON).shown()["why"].html
    assert html.count("src=") == 1
    assert f'src="data:image/png;base64,{PICTURE}"' in html


def test_many_uses_of_one_picture_do_not_multiply_it() -> None:
    attached = {"attachments": {"a": {"image/png": "A" * (1 << 20)}}}
    html = (
        WrittenAnswers(book(text("(a) Why?"), text("![](attachment:a) " * 999, **attached)), SKELETON)
        .shown()["why"]
        .html
    )
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
