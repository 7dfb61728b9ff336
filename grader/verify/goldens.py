"""Goldens: stored results of the reference, to notice when a library, a machine or an edit changes them.

reference/<assignment>/goldens.json holds a few numbers for each function and each hidden input of the
rubric's seed: the size and the norm of each part of the result, and its products with fixed weights. They
change if any entry of the result does. Where several results are right, such as eigenvectors of either sign,
the numbers are those of the fingerprint that the rubric names for the function.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from grader.errors import AssignmentError
from grader.plan.plan import Course

FILE = "goldens.json"
RTOL = 1e-6


def golden_numbers(course: Course) -> dict[str, list[float]]:
    """Return the numbers by question and input, in the order of the plan."""
    numbers: dict[str, list[float]] = {}
    for question, known_mistakes in course.plan.candidates.items():
        predictions = known_mistakes.right().predictions
        for index, call in enumerate(known_mistakes.calls):
            marks: list[float] = []
            for part in predictions[call.id].parts or ():
                flat = np.asarray(part, dtype=np.float64).ravel()
                entries = np.nan_to_num(flat, nan=1e9, posinf=2e9, neginf=-2e9)
                # Fixed weights in [0.5, 1.5), not random ones: those could change with the version of NumPy.
                fractions = np.outer(np.sqrt([2.0, 3.0, 5.0]), np.arange(1, entries.size + 1)) % 1.0
                marks += [float(entries.size), float(np.linalg.norm(entries))]
                marks += [float(entries @ weights) for weights in 0.5 + fractions]
            numbers[f"{question}/{index}"] = [float(f"{mark:.12g}") for mark in marks]
    return numbers


def write_goldens(course: Course) -> Path:
    """Store the numbers of the reference as it is now; return the file."""
    path = course.assignment.folder / FILE
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in golden_numbers(course).items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return path


def drifted(course: Course) -> list[str]:
    """Return the differences from the stored numbers, in words; raise AssignmentError if none are stored."""
    path = course.assignment.folder / FILE
    if not course.plan.candidates:
        return []  # no function has results that are compared with known mistakes, so nothing is stored
    try:
        stored: dict[str, list[float]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AssignmentError(f"{path}: {error}; write it with `grader verify --renew`") from error
    current = golden_numbers(course)
    problems = [f"{key} is new" for key in current if key not in stored]
    problems += [f"{key} is gone" for key in stored if key not in current]
    for key, new in current.items():
        if key not in stored:
            continue
        old = stored[key]
        scale = max([abs(number) for number in old], default=0.0) or 1.0
        changes = [abs(a - b) for a, b in zip(old, new, strict=False)]
        if len(old) != len(new) or any(change > RTOL * scale for change in changes):
            worst = max(changes, default=float("inf"))
            problems.append(f"{key} differs by up to {worst:.3g} from the stored {old}")
    return problems
