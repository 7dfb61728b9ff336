"""Outputs of the reference that must not drift: after a change of a library, a machine or the reference.

reference/<assignment>/goldens.json holds for every function and hidden input of the rubric's seed a few
numbers of each part of the result (its norm, and its products with fixed weights), in which a change of any
entry shows. What mathematics leaves free is taken out by the rubric's fingerprint of the function.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.errors import AssignmentError
from grader.plan.load import Course
from grader.records import Prediction

FILE = "goldens.json"
RTOL = 1e-6
WEIGHTS = 3


def golden_numbers(course: Course) -> dict[str, list[float]]:
    """Return the numbers by question and input, in the order of the plan."""
    return {
        f"{question}/{place}": _numbers(known.right().predictions[call.id])
        for question, known in course.plan.candidates.items()
        for place, call in enumerate(known.calls)
    }


def write_goldens(course: Course) -> Path:
    """Store the numbers of the reference as it is now; return the file."""
    path = course.assignment.folder / FILE
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in golden_numbers(course).items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return path


def drifted(course: Course) -> list[str]:
    """Return what differs from the stored numbers, in words; raise AssignmentError if there are none."""
    path = course.assignment.folder / FILE
    if not course.plan.candidates:
        return []  # nothing to recognise, so no results to keep
    try:
        stored: dict[str, list[float]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AssignmentError(f"{path}: {error}; write it with `grader verify --renew`") from error
    found = golden_numbers(course)
    problems = [f"{key} is new" for key in found if key not in stored]
    problems += [f"{key} is gone" for key in stored if key not in found]
    both = [key for key in found if key in stored]
    return problems + [
        _drift(key, stored[key], found[key]) for key in both if _differ(stored[key], found[key])
    ]


def _numbers(seen: Prediction) -> list[float]:
    """Return the marks of a result: for each part its size, its norm, and products with fixed weights."""
    marks: list[float] = []
    for part in seen.parts or ():
        entries = np.nan_to_num(np.asarray(part, dtype=np.float64).ravel(), nan=1e9, posinf=2e9, neginf=-2e9)
        marks += [float(entries.size), float(np.linalg.norm(entries))]
        marks += [float(entries @ weights) for weights in _weights(entries.size)]
    return [float(f"{mark:.12g}") for mark in marks]


def _weights(size: int) -> NDArray[Any]:
    """Return fixed weights in [0.5, 1.5), whatever the version of NumPy."""
    fractions: NDArray[Any] = np.outer(np.sqrt([2.0, 3.0, 5.0]), np.arange(1, size + 1)) % 1.0
    return 0.5 + fractions


def _differ(stored: list[float], found: list[float]) -> bool:
    if len(stored) != len(found):
        return True
    scale = max([abs(number) for number in stored], default=0.0) or 1.0
    return any(abs(a - b) > RTOL * scale for a, b in zip(stored, found, strict=True))


def _drift(key: str, stored: list[float], found: list[float]) -> str:
    worst = max((abs(a - b) for a, b in zip(stored, found, strict=False)), default=float("inf"))
    return f"{key} differs by up to {worst:.3g} from the stored {stored}"
