"""Right and wrong notebooks earn what a fair examiner would give (docs/fairness.md).

pytest tests/corpus                 the cases are sound, and a few of them are graded
pytest tests/corpus -m corpus -s    all of them are graded (`make corpus`): hours on a small machine
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from corpus.cases import Case, Sheet, edit
from corpus.compare import Comparison, Judged, compared
from corpus.sheets import SHEETS, SOFTMAX
from support import GRADE

FEW = {
    "exercise_11": (
        "R_q_gram",
        "R_kl_rel_entr",
        "W_q_rows",
        "W_g_no_inverse",
    ),
    "softmax": (
        "R_loops",
        "R_subclass",
        "W_softmax_overflow",
        "W_gradient_no_N",
        "W_fit_no_self",
        "W_consistent_sum",
    ),
}
sheets = pytest.mark.parametrize("sheet", SHEETS.values(), ids=SHEETS.keys())


def graded(sheet: Sheet, folder: Path, names: tuple[str, ...] = ()) -> Comparison:
    """Grade cases as a course is graded, and compare."""
    sheet.write(folder / "notebooks", names)
    places = ("--assignment", sheet.name, "--root", sheet.root, "--out", folder / "results")
    command = [sys.executable, "-m", "grader", *GRADE, folder / "notebooks", *places]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return compared(sheet, folder / "results")


@sheets
def test_every_case_is_a_notebook_that_differs_from_the_reference(sheet: Sheet) -> None:
    reference = sheet.notebook(Case("", "", {}, {}))
    for name, case in sheet.cases().items():
        made = sheet.notebook(case)
        nbformat.validate(made)
        assert made.cells != reference.cells, name
        assert "SOLUTION" not in nbformat.writes(made), name
        for cell in made.cells:
            if cell.cell_type == "code":
                code = [line for line in cell.source.splitlines() if not line.lstrip().startswith(("%", "!"))]
                ast.parse("\n".join(code), name)


@sheets
def test_the_fair_ranges_are_within_the_points_of_the_rubric(sheet: Sheet) -> None:
    for name, case in sheet.cases().items():
        assert case.why, name
        assert case.fair.keys() <= sheet.points.keys(), name
        for question, (low, high) in sheet.fair(case).items():
            assert 0 <= low <= high <= sheet.points[question], (name, question)
        lowest = any(low < sheet.points[question] for question, (low, _) in case.fair.items())
        assert lowest or name.startswith("R_"), name
        full = all(high == sheet.points[question] for question, (_, high) in sheet.fair(case).items())
        assert full or name.startswith("W_"), name


def test_the_corpus_has_as_many_cases_as_the_page_says() -> None:
    counted = {
        name: [sum(case.startswith(letter) for case in sheet.cases()) for letter in "RW"]
        for name, sheet in SHEETS.items()
    }
    assert counted == {"exercise_11": [256, 502], "softmax": [16, 36]}


@sheets
def test_every_exception_is_a_case(sheet: Sheet) -> None:
    assert sheet.exceptions.keys() <= sheet.cases().keys()
    assert all(sheet.exceptions.values())


def test_an_edit_of_a_text_that_is_not_there_is_refused() -> None:
    assert edit("a + b", ("a", "c")) == "c + b"
    with pytest.raises(ValueError, match="'d'"):
        edit("a + b", ("d", "e"))


def judged(name: str, earned: float, fair: tuple[float, float]) -> Judged:
    return Judged(name, Case(name, "why", {}, {}), {"fit": earned}, {"fit": fair}, 2.0)


@pytest.mark.parametrize(
    ("one", "problems"),
    [
        pytest.param(judged("R_a", 2.0, (2, 2)), 0, id="a right one with all points"),
        pytest.param(judged("R_a", 1.9, (2, 2)), 2, id="a right one that loses"),
        pytest.param(judged("W_a", 1.0, (0.5, 1)), 0, id="a wrong one within the range"),
        pytest.param(judged("W_a", 2.0, (0.5, 1)), 2, id="a wrong one that loses nothing"),
        pytest.param(judged("W_a", 1.5, (0.5, 1)), 1, id="a wrong one that loses too little"),
        pytest.param(judged("W_a", 0.0, (0.5, 1)), 1, id="a wrong one that loses too much"),
        pytest.param(judged("W_a", 2.0, (1, 2)), 0, id="a wrong one that may keep all points"),
        pytest.param(judged("W_a", float("nan"), (0, 1)), 1, id="no number"),
    ],
)
def test_what_is_not_fair_is_told(one: Judged, problems: int) -> None:
    comparison = Comparison(SOFTMAX, (one,))
    assert len(comparison.problems()) == problems
    assert ("no reason is known" in comparison.report()) == bool(one.outside)


@sheets
def test_a_few_notebooks_earn_what_is_fair(sheet: Sheet, tmp_path: Path) -> None:
    comparison = graded(sheet, tmp_path, FEW[sheet.name])
    assert {each.name for each in comparison.judged} == set(FEW[sheet.name])
    assert comparison.outside == [], comparison.report()
    assert comparison.unpunished == []


@pytest.mark.corpus
@sheets
def test_every_notebook_earns_what_is_fair(sheet: Sheet, tmp_path: Path) -> None:
    comparison = graded(sheet, tmp_path)
    print("\n" + comparison.report())
    assert {each.name for each in comparison.judged} == sheet.cases().keys()
    assert comparison.problems() == [], comparison.report()
