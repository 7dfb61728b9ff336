"""The assignment itself: its notebook, the skeleton that is derived from it, its inputs."""

from __future__ import annotations

import ast
from typing import Any

import nbformat
import numpy as np
import pytest
from support import ROOT, ran

from grader.checks.base import InputsCheck
from grader.course.assignment import Assignment, load_assignment, load_public_cases
from grader.course.rubric_file import load_rubric
from grader.inside import wire
from grader.notebook.cells import read_code
from grader.notebook.facts import find_functions
from grader.notebook.read import parse_notebook
from grader.notebook.skeleton import make_skeleton
from grader.observe.tiers import choose_sandbox
from grader.plan.trusted import trusted_call
from grader.records import NotebookLimits

RUBRIC = load_rubric(ROOT / "rubrics" / "exercise_11.yaml")
FOLDER = ROOT / "reference" / "exercise_11"
NOTEBOOK = parse_notebook((FOLDER / "notebook.ipynb").read_bytes())
INPUTS_CHECKS = [c for q in RUBRIC.questions for c in q.checks if isinstance(c, InputsCheck)]
GENERATORS = sorted(
    {check.inputs for check in INPUTS_CHECKS}
    | {name for q in RUBRIC.questions for name in q.recognition.inputs}
)


@pytest.fixture(scope="module")
def assignment() -> Assignment:
    return load_assignment(FOLDER, RUBRIC.subjects, RUBRIC.seed)


def test_the_notebook_runs_clean_from_top_to_bottom_and_shows_its_figures(assignment: Assignment) -> None:
    limits = NotebookLimits(1200, 600)  # generous, as a busy machine is no fault of the notebook
    with choose_sandbox(RUBRIC.environment.preload, unsafe=True) as sandbox:
        run = ran(NOTEBOOK, assignment.files, sandbox, limits)
    assert [cell for cell in run.cells if cell.status != "ok"] == []
    assert run.remark == ""
    cells = nbformat.reads(run.executed, 4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) >= 4
    assert [output for output in outputs if output.get("name") == "stderr"] == []


def test_the_skeleton_has_every_signature_and_no_solution() -> None:
    skeleton = make_skeleton(NOTEBOOK)
    assert "SOLUTION" not in nbformat.writes(skeleton)
    given, solved = read_code(skeleton), read_code(NOTEBOOK)
    assert [cell.error for cell in given.cells if cell.error] == []
    _, facts = find_functions(given, RUBRIC.functions, given)
    assert {name: fact.status for name, fact in facts.items()} == dict.fromkeys(
        RUBRIC.functions, "not_attempted"
    )
    assert signatures(given) == signatures(solved)
    assert len(skeleton.cells) == len(NOTEBOOK.cells)


def signatures(code: Any) -> dict[str, str]:
    nodes = [s.node for s in code.statements if isinstance(s.node, ast.FunctionDef)]
    return {node.name: f"{ast.unparse(node.args)}: {ast.get_docstring(node)}" for node in nodes}


def test_only_the_cells_with_a_solution_differ_in_the_skeleton() -> None:
    for given, solved in zip(make_skeleton(NOTEBOOK).cells, NOTEBOOK.cells, strict=True):
        if "SOLUTION" not in solved.source:
            assert given.source == solved.source


@pytest.mark.parametrize("generator", GENERATORS)
def test_inputs_are_the_same_to_the_byte_for_a_seed_and_others_for_another(
    assignment: Assignment, generator: str
) -> None:
    first, again, other = (packed(assignment, generator, seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def packed(assignment: Assignment, generator: str, seed: int) -> bytes:
    cases = assignment.cases(generator, seed)
    return b"".join(wire.encode([case.name, case.args, dict(case.keywords)]) for case in cases)


def test_public_inputs_are_always_the_same_and_none_of_the_hidden_ones(assignment: Assignment) -> None:
    public = sorted({check.public.inputs for check in INPUTS_CHECKS if check.public is not None})
    assert public
    hidden = {wire.encode(case.args) for name in GENERATORS for case in assignment.cases(name, RUBRIC.seed)}
    for name in public:
        first, again = ([wire.encode(c.args) for c in load_public_cases(FOLDER, name)] for _ in range(2))
        assert first == again
        assert not hidden & set(first)


def test_the_data_file_is_the_same_for_everybody(assignment: Assignment) -> None:
    (name,) = assignment.files
    assert name == "exercise_11_matrix_factorization_ratings.npy"
    assert load_assignment(FOLDER, RUBRIC.subjects, RUBRIC.seed + 1).files == assignment.files


def test_ratings_have_the_form_of_the_course_file(assignment: Assignment) -> None:
    import io

    (data,) = assignment.files.values()
    ratings = np.load(io.BytesIO(data))
    assert ratings.ndim == 2
    assert ratings.shape[1] == 3
    assert ratings.dtype.kind == "i"
    assert set(np.unique(ratings[:, 2])) == {1, 2, 3, 4, 5}
    pairs = ratings[:, 0] * (ratings[:, 1].max() + 1) + ratings[:, 1]
    assert len(np.unique(pairs)) == len(pairs)


def test_no_random_start_of_als_costs_a_right_solution_points(assignment: Assignment) -> None:
    factorize = assignment.function("latent_factor_alternating_optimization")
    held_out = assignment.metric("held_out_rmse")
    case = next(case for case in assignment.cases("als_ratings", 101) if case.name == "random start")
    reached = [held_out(trusted_call(factorize, case, start), case) for start in range(250)]
    free = (case.known["user_mean_rmse"] - min(reached)) * 0.1  # the tolerance of the rubric
    assert max(reached) < min(reached) + free
