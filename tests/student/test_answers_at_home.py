"""`grader check` of a derivation: what students see at home is what is graded."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from support_student import kit_files, solved, write_kit_to

pytest.importorskip("pylatexenc", reason="grader[derivation] is not installed")

from grader.cli.main import main
from grader.derivation.written_answers import examine
from grader.handler.for_people import WrittenAnswers
from grader.notebook.read import parse_notebook
from grader.records import VerdictKind
from grader.student.answers_at_home import check_answers
from grader.student.checker import Report
from grader.student.kit import Kit

NAME = "tsne_derivation"
BLANK = json.loads(kit_files()["exercise_11.ipynb"])


def answered(text: str, *, own_cell: bool = False) -> dict[str, Any]:
    """Return the notebook of a student who wrote an answer into its cell, or into a new one below."""
    content = json.loads(json.dumps(BLANK))
    (place,) = (
        number
        for number, cell in enumerate(content["cells"])
        if cell["metadata"].get("grader", {}).get("question") == NAME
    )
    if own_cell:
        cell = {
            "cell_type": "markdown",
            "id": "new",
            "metadata": {},
            "source": text.splitlines(keepends=True),
        }
        content["cells"].insert(place + 1, cell)
    else:
        content["cells"][place]["source"] = text
    return content


def right() -> str:
    """Return the derivation of the reference."""
    cells = json.loads(solved())["cells"]
    (text,) = ("".join(c["source"]) for c in cells if c["metadata"].get("grader", {}).get("question") == NAME)
    return text


def kinds(reports: Iterable[Report]) -> list[VerdictKind]:
    return [finding.kind for report in reports for finding in report.findings]


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return write_kit_to(tmp_path_factory.mktemp("kit"))


@pytest.mark.parametrize("own_cell", [False, True])
def test_a_right_derivation_holds_in_its_cell_and_in_one_that_was_added(kit: Kit, own_cell: bool) -> None:
    found = kinds(check_answers(kit, answered(right(), own_cell=own_cell), [NAME]))
    assert len(found) > 5
    assert set(found) == {VerdictKind.PASSED}


@pytest.mark.parametrize("own_cell", [False, True])
def test_the_same_is_said_at_home_as_where_it_is_graded(kit: Kit, own_cell: bool) -> None:
    wrong = right().replace("4", "2")
    assert wrong != right()
    content = answered(wrong, own_cell=own_cell)
    (report,) = check_answers(kit, content, [NAME])
    notebook, skeleton = (parse_notebook(json.dumps(each).encode()) for each in (content, BLANK))
    text = WrittenAnswers(notebook, skeleton, [NAME]).outcome(NAME).value
    graded = examine(kit.answers[NAME].kind, kit.answers[NAME].content, text)
    *steps, whole = report.findings
    assert [(step.check, step.found) for step in steps] == [
        (f"line {step.line}", step.reason) for step in graded.steps
    ]
    assert VerdictKind.FAILED in {step.kind for step in steps}
    assert whole.kind is VerdictKind.FAILED


def test_a_cell_that_was_left_as_handed_out_is_not_attempted(kit: Kit) -> None:
    assert kinds(check_answers(kit, BLANK, [NAME])) == [VerdictKind.NOT_ATTEMPTED]


def test_a_notebook_without_the_cell_is_told(kit: Kit) -> None:
    (report,) = check_answers(kit, {"cells": [None, {"cell_type": "markdown", "source": "x"}]}, [NAME])
    assert "no cell of the notebook answers tsne_derivation" in report.remark


def test_the_command_says_which_line_is_false(kit: Kit, tmp_path: Path) -> None:
    write_kit_to(tmp_path)
    for text, code in ((right(), 0), (right().replace("4", "2"), 1)):
        (tmp_path / "mine.ipynb").write_text(json.dumps(answered(text)))
        out = io.StringIO()
        with redirect_stdout(out), pytest.raises(SystemExit) as ending:
            main(["check", str(tmp_path / "mine.ipynb"), "-f", NAME])
        assert ending.value.code == code, out.getvalue()
    assert "line " in out.getvalue()
