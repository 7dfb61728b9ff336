"""The notebooks of throughput.py: submissions that differ in code, and the same assignment for nbgrader.

A submission is the notebook of benchmarks/light with other solutions: one of several formulas for each
function, names and a comment of its own, other constants in the cells. So nothing that was kept of one serves
another.
"""

from __future__ import annotations

import copy
import re
from typing import Any

import numpy as np

from grader.plan.plan import Course, PlannedCheck

SOLUTION = re.compile(r"    ### BEGIN SOLUTION\n.*?### END SOLUTION", re.S)
HEADING = re.compile(r"^def (\w+)\(", re.M)
WRONG_EVERY = 5  # one submission in so many has a mistake
NAMES = ("rest", "difference", "delta", "R", "residual", "tmp", "value", "gap", "err", "result", "out")
REMARKS = ("checked on paper", "see the lecture", "vectorised", "TODO: shorter?", "as in the exercise class")

# {a} and {b} are names of the submission's own; every body has {a}.
RIGHT = {
    "reconstruction_error": (
        "{a} = M - A @ B\nreturn np.sum({a}**2)",
        "{a} = np.linalg.norm(M - A.dot(B))\nreturn {a} ** 2",
        "{a} = (np.matmul(A, B) - M).ravel()\nreturn {a} @ {a}",
        "{a} = 0.0\nfor {b} in range(M.shape[0]):\n    {a} += np.sum((M[{b}] - A[{b}] @ B) ** 2)\nreturn {a}",
        "{a} = A @ B - M\nreturn np.trace({a}.T @ {a})",
    ),
    "reconstruction_gradient": (
        "{a} = M - A @ B\nreturn -2.0 * {a} @ B.T",
        "{a} = A @ B\nreturn 2 * ({a} - M) @ B.T",
        "{a} = B @ B.T\n{b} = M @ B.T\nreturn 2 * (A @ {a} - {b})",
        "{a} = np.zeros_like(A)\nfor {b} in range(A.shape[1]):\n"
        "    {a}[:, {b}] = -2 * (M - A @ B) @ B[{b}]\nreturn {a}",
        "{a} = M - A @ B\nreturn -2 * np.einsum('nd,kd->nk', {a}, B)",
    ),
    "rmse": (
        "{a} = prediction - target\nreturn np.sqrt(np.mean({a}**2))",
        "{a} = np.square(target - prediction).mean()\nreturn {a} ** 0.5",
        "{a} = np.linalg.norm(prediction - target)\nreturn {a} / np.sqrt(np.size(target))",
        "{a} = (np.asarray(prediction) - np.asarray(target)).ravel()\nreturn np.sqrt({a} @ {a} / {a}.size)",
    ),
}
WRONG = (
    ("reconstruction_gradient", "{a} = M - A @ B\nreturn -{a} @ B.T"),
    ("rmse", "{a} = prediction - target\nreturn np.mean({a}**2)"),
    ("reconstruction_error", "{a} = M - A @ B\nreturn np.mean({a}**2)"),
    ("reconstruction_gradient", "{a} = M - A @ B\nreturn 2 * {a} @ B.T"),
    ("rmse", "{a} = np.abs(prediction - target)\nreturn {a}.mean()"),
    ("reconstruction_error", "{a} = M - A * B\nreturn np.sum({a}**2)"),  # raises: the shapes do not fit
)


def is_wrong(number: int) -> bool:
    """Whether the submission with this number has a mistake."""
    return number % WRONG_EVERY == WRONG_EVERY - 1


def submission(reference: Any, number: int) -> Any:
    """Return the notebook of one student."""
    bodies = {
        name: formulas[number // 5**place % len(formulas)]
        for place, (name, formulas) in enumerate(RIGHT.items())
    }
    if is_wrong(number):
        bodies.update([WRONG[number // WRONG_EVERY % len(WRONG)]])
    a, b = (f"{NAMES[(number + shift) % len(NAMES)]}_{number}" for shift in (0, 5))
    remark = f"# {REMARKS[number % len(REMARKS)]} ({number})\n"
    constants = {
        "default_rng(2026)": f"default_rng({2026 + number})",
        "120, 0.005": f"{100 + number % 41}, {0.004 + 0.00001 * (number % 500):g}",
        'color="C0"': f'color="C{number % 10}"',
    }
    notebook = copy.deepcopy(reference)
    for cell in notebook.cells:
        for old, new in constants.items():
            cell.source = cell.source.replace(old, new)
        heading = HEADING.search(cell.source)
        if heading:
            lines = (remark + bodies[heading[1]].format(a=a, b=b)).split("\n")
            solution = "\n".join(f"    {line}" for line in lines)
            cell.source = SOLUTION.sub(lambda _, text=solution: text, cell.source)
    return notebook


def nbgrader_source(reference: Any, course: Course) -> Any:
    """Return the instructor's notebook for nbgrader: a cell of hidden tests for each check of the rubric."""
    notebook = copy.deepcopy(reference)
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        heading = HEADING.search(cell.source)
        if not heading:
            continue
        marks = {"schema_version": 3, "solution": True, "grade": False, "locked": False, "task": False}
        cell.metadata["nbgrader"] = {**marks, "grade_id": heading[1]}
        for check in course.plan.checks:
            if check.question == heading[1]:
                test = copy.deepcopy(cell)
                test.source = _tests(check, course)
                test.id = f"test-{check.question}-{check.check.id}".replace("_", "-")
                marks = {"schema_version": 3, "solution": False, "grade": True, "locked": True, "task": False}
                test.metadata["nbgrader"] = {**marks, "grade_id": test.id, "points": int(check.check.points)}
                cells.append(test)
    notebook.cells = cells
    return notebook


def nbgrader_submission(released: Any, own: Any) -> Any:
    """Return the released notebook with a student's cells in place of those that are not tests."""
    notebook = copy.deepcopy(released)
    handed_out = [cell for cell in notebook.cells if not cell.metadata.get("nbgrader", {}).get("grade")]
    for cell, mine in zip(handed_out, own.cells, strict=True):
        cell.source = mine.source
    return notebook


def _tests(check: PlannedCheck, course: Course) -> str:
    """Return the hidden tests of a check: asserts on the very inputs that grader plans for it."""
    name = check.question
    lines = [f"assert callable({name})", "### BEGIN HIDDEN TESTS"]
    for case in check.cases:
        arguments = case.calls[0].args
        given = ", ".join(f"np.array({np.asarray(value).tolist()})" for value in arguments)
        if check.check.type == "property":
            lines += [f"arguments_ = [{given}]", "kept_ = [value.copy() for value in arguments_]"]
            lines += [f"{name}(*arguments_)"]
            lines += ["assert all(np.array_equal(*pair) for pair in zip(arguments_, kept_))"]
        else:
            right = np.asarray(course.assignment.function(name)(*arguments)).tolist()
            lines.append(f"np.testing.assert_allclose({name}({given}), {right}, rtol=1e-4)")
    return "\n".join([*lines, "### END HIDDEN TESTS"])
