"""Judges the sample submissions of exercise 11 on a seed of the hidden inputs, in this process.

    python tests/support_exercise_11.py SEED SAMPLE...   prints {sample: {question: points lost}} as JSON

The samples are the project's own, so their functions may run without a box, and calls are made only when a
check asks for them. `make grade` runs the same samples behind walls, on the rubric's own seed, and
`.ci/check_table.py` holds that table to the same expected points.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import types
import warnings
from pathlib import Path
from typing import Any

import yaml

from grader.judge.judge_observation import grade
from grader.notebook.cells import read_code
from grader.notebook.facts import find_subjects
from grader.notebook.read import parse_notebook
from grader.notebook.slicing import Slice
from grader.plan.load import load_course
from grader.plan.plan import Course
from grader.records import Fault, Observation, Outcome, OutcomeKind
from grader.verify.trial import Outcomes, outcome

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "submissions" / "exercise_11"
PATIENCE = 2  # calls of one function that may run out of time, as in the box
SECONDS = 60.0
SHARED: dict[tuple[str, str], Outcome] = {}  # by the code of a function and a call: samples differ in little
ENDLESS = {("partly_correct/endless_loop", "fit_linear_autoencoder"): 2.0}


def expected() -> dict[str, dict[str, Any]]:
    """Return what expected.yaml says: by sample, what it loses and why."""
    loaded: dict[str, dict[str, Any]] = yaml.safe_load((SAMPLES / "expected.yaml").read_text("utf-8"))
    return loaded


def sample_names() -> list[str]:
    """Return the samples that can be read, as they are named in the gradebook."""
    paths = [path.relative_to(SAMPLES).with_suffix("") for path in SAMPLES.rglob("*.ipynb")]
    return sorted(path.as_posix() for path in paths if path.parts[0] != "unreadable")


class SampleOutcomes(Outcomes):
    """Outcomes of a sample's functions; one that runs out of time again and again is called no more."""

    sample: str
    late: dict[str, int]
    code: dict[str, str]

    def __getitem__(self, key: str) -> Outcome:
        if key not in self.made:
            shared = self.code.get(self.calls[key].function, self.sample), key
            if shared not in SHARED:
                SHARED[shared] = self._outcome(key)
            self.made[key] = SHARED[shared]
        return self.made[key]

    def _outcome(self, key: str) -> Outcome:
        call = self.calls[key]
        if call.function not in self.namespace:
            return Outcome(OutcomeKind.MISSING)
        if self.late.get(call.function, 0) >= PATIENCE:
            return Outcome(OutcomeKind.WALL_TIMEOUT)
        try:
            limit = ENDLESS.get((self.sample, call.function), SECONDS)
            found = outcome(self.namespace, call, limit)
        except SystemExit:
            return Outcome(OutcomeKind.RAISED, fault=Fault("SystemExit", ""))
        if found.kind is OutcomeKind.CPU_TIMEOUT:
            self.late[call.function] = self.late.get(call.function, 0) + 1
        return found


def lost_points(sample: str, course: Course) -> dict[str, float]:
    """Return the points that a sample loses, by question; questions without a loss are left out.

    A question that waits for a person loses infinitely many: none of a sample's does.
    """
    code = read_code(parse_notebook((SAMPLES / f"{sample}.ipynb").read_bytes()))
    slices, facts = find_subjects(code, course.rubric.subjects, course.assignment.skeleton_code)
    sources = {cell.number: cell.source for cell in code.cells}
    functions = {name: _function(found, sources) for name, found in slices.items()}
    usable = {name: function for name, function in functions.items() if callable(function)}
    outcomes = SampleOutcomes(course, usable)
    outcomes.sample, outcomes.late = sample, {}
    outcomes.code = {name: facts[name].key for name in usable}
    score = grade(sample, Observation(None, facts, outcomes), course)
    decided = {q.id: q.max_points - q.points for q in score.questions if q.points is not None}
    waiting = {q.id: float("inf") for q in score.questions if q.points is None and q.checks and not q.written}
    return {question: points for question, points in (decided | waiting).items() if points > 1e-9}


def _function(found: Slice, sources: dict[int, str]) -> Any:
    """Run the statements that a function needs, as the box does, and return the function."""
    from grader.inside.call_group import run_statements

    numbers = sorted({statement.cell for statement in found.statements})
    cells = [
        {"number": n, "source": sources[n], "keep": [s.index for s in found.statements if s.cell == n]}
        for n in numbers
    ]
    namespace, _ = run_statements(cells)
    return namespace.get(found.name)


@contextlib.contextmanager
def _silence() -> Any:
    """Send everything that is printed, by whatever means, to nowhere."""
    kept, null = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
        os.close(null)


def main() -> None:
    """Judge samples on one seed."""
    seed, samples = int(sys.argv[1]), sys.argv[2:]
    warnings.simplefilter("ignore")
    course = load_course("exercise_11", ROOT, seed=seed)
    main_module: types.ModuleType = sys.modules["__main__"]
    with tempfile.TemporaryDirectory() as folder, _silence():
        os.chdir(folder)
        for name, data in course.assignment.files.items():
            Path(name).write_bytes(data)
        found = {sample: lost_points(sample, course) for sample in samples}
        os.chdir(ROOT)
    sys.modules["__main__"] = main_module
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
