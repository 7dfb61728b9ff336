"""Laws of grading that hold whatever a student writes: exercise 11."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from support import ROOT
from test_exercise_11_own_code import AUTOENCODER, TSNE, graded

from grader.course.reference_code import root_of
from grader.errors import AssignmentError
from grader.notebook.cells import read_code
from grader.notebook.facts import find_functions
from grader.notebook.read import parse_notebook
from grader.plan.load import load_course
from grader.plan.plan import Course
from grader.plan.trusted import with_mistakes

LIGHT = {*TSNE, *AUTOENCODER, "minimum_error", "shift_user_mean"}
DRAWS = 40


@pytest.fixture(scope="module")
def course() -> Course:
    return load_course("exercise_11", ROOT)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_cells_that_do_not_depend_on_each_other_changes_nothing(
    course: Course, seed: int
) -> None:
    notebook = parse_notebook((ROOT / "reference" / "exercise_11" / "notebook.ipynb").read_bytes())
    places = [place for place, cell in enumerate(notebook.cells) if cell.source.lstrip().startswith("def ")]
    assert len(places) > 5
    functions, skeleton = course.rubric.functions, course.assignment.skeleton_code
    slices, before = find_functions(read_code(notebook), functions, skeleton)
    cells = [notebook.cells[place] for place in places]
    random.Random(seed).shuffle(cells)
    for place, cell in zip(places, cells, strict=True):
        notebook.cells[place] = cell
    moved, after = find_functions(read_code(notebook), functions, skeleton)
    assert {name: facts.status for name, facts in after.items()} == {
        name: facts.status for name, facts in before.items()
    }
    for name, own in slices.items():
        texts = sorted(statement.text for statement in own.statements)
        assert sorted(statement.text for statement in moved[name].statements) == texts, name


def test_another_mistake_never_adds_points(course: Course) -> None:
    known = [each for each in course.assignment.misconceptions if root_of(each.function) in LIGHT]
    names = tuple(sorted(LIGHT))
    draw = random.Random(11)
    tried = 0
    while tried < DRAWS:
        made = draw.sample(known, 3)
        if len({each.function for each in made}) < len(made):
            continue
        totals = []
        try:
            for number in range(len(made) + 1):
                namespace = with_mistakes(course.assignment, made[:number])
                found = graded(course, namespace, names)
                totals.append(sum(found[q].points or 0.0 for q in found if q in LIGHT))
        except AssignmentError:  # they exclude each other
            continue
        tried += 1
        for fewer, more in pairwise(totals):
            assert more <= fewer + 1e-9, ([each.code for each in made], totals)
