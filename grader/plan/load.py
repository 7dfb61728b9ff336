"""Loads a course: its rubric and the folder of its assignment become a plan, once for all submissions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from grader.course.assignment import Assignment, load_assignment
from grader.course.folder import rubric_path
from grader.course.rubric import Rubric
from grader.course.rubric_file import load_rubric
from grader.plan.plan import Plan
from grader.plan.planner import make_plan
from grader.plan.trusted import TrustedSide
from grader.subjects import Call


@dataclass(frozen=True)
class Course:
    """Everything that is the same for every submission."""

    rubric: Rubric
    assignment: Assignment
    plan: Plan

    @cached_property
    def trusted(self) -> TrustedSide:
        """What judging may ask of the course."""
        return TrustedSide(self.assignment)

    @cached_property
    def calls(self) -> Mapping[str, tuple[Call, ...]]:
        """The planned calls of each function of the rubric."""
        calls = self.plan.calls
        return {
            name: tuple(c for c in calls if c.function == name) for name in map(str, self.rubric.subjects)
        }


def load_course(assignment: str, root: Path, rubric: Path | None = None, seed: int | None = None) -> Course:
    """Load rubrics/<assignment>.yaml (or the file `rubric`) and reference/<assignment>/, and make the plan.

    `seed` stands in for the rubric's. Raises RubricError or AssignmentError for what is wrong in them.
    """
    loaded = load_rubric(rubric or rubric_path(assignment, root))
    if seed is not None:
        loaded = loaded.model_copy(update={"seed": seed})
    course = load_assignment(root / "reference" / loaded.assignment, loaded.subjects, loaded.seed)
    return Course(loaded, course, make_plan(loaded, course))
