"""Loads a course: its rubric and the folder of its assignment become a plan, once for all submissions."""

from __future__ import annotations

from pathlib import Path

from grader.course.assignment import load_assignment
from grader.course.folder import rubric_path
from grader.course.rubric_file import load_rubric
from grader.plan.candidates import KnownMistakes
from grader.plan.kept import keep_plan, plan_digest, read_plan
from grader.plan.plan import Course
from grader.plan.planner import make_plan

MOST_LOADED = 4


LOADED: dict[tuple[Path, str], Course] = {}


def load_course(
    assignment: str,
    root: Path,
    rubric: Path | None = None,
    seed: int | None = None,
    *,
    fresh: bool = False,
    naming: bool = True,
) -> Course:
    """Load rubrics/<assignment>.yaml (or the file `rubric`) and reference/<assignment>/, and make the plan.

    `seed` replaces the rubric's. While a course does not change, each process loads it once, and its plan is
    made once and stored on disk; `fresh` loads and plans it again. Without `naming`, the plan knows no
    mistakes, its inputs are the first that are drawn, and it is not stored. Raises RubricError or
    AssignmentError for what is wrong in the course.
    """
    path = rubric or rubric_path(assignment, root)
    loaded = load_rubric(path)
    if seed is not None:
        loaded = loaded.model_copy(update={"seed": seed})
    folder = root / "reference" / loaded.assignment
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and "__pycache__" not in file.parts]
    parts = [loaded.model_dump_json().encode()]
    for file in files:
        parts += [file.relative_to(folder).as_posix().encode(), file.read_bytes()]
    digest = plan_digest([*parts, b"" if naming else b"no names"])
    name = (folder.resolve(), digest)
    if fresh or name not in LOADED:
        course = load_assignment(folder, loaded.subjects, loaded.seed)
        plan = None if fresh else read_plan(digest)
        if plan is None:
            plan = make_plan(loaded, course, naming=naming)
            if naming and not fresh:
                keep_plan(digest, plan)
        for candidates in plan.candidates.values():
            if isinstance(candidates, KnownMistakes):
                candidates.attach(course)
        while len(LOADED) >= MOST_LOADED:
            LOADED.pop(next(iter(LOADED)))
        LOADED[name] = Course(loaded, course, plan, digest)
    return LOADED[name]
