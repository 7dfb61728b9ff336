"""plan -> observe -> judge -> score for one submission; the only importer of all stages.

    load_course     the rubric and the reference become a plan, once for all submissions
    observe         a notebook's bytes become an Observation; the only place where student code runs
    grade           an Observation becomes a Score; pure, and repeatable without observing again

What was observed is kept by content: a notebook's run by its bytes, a function's outcomes by its code.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from nbformat import NotebookNode

from grader.assignment import Assignment, load_assignment
from grader.errors import UsageError
from grader.judge import diagnose, judge_check, judge_given, needs_diagnosis
from grader.notebook.cells import Code, read_code
from grader.notebook.facts import find_functions
from grader.notebook.read import parse_notebook
from grader.notebook.slicing import Slice
from grader.observe.calls import CallSettings, make_calls
from grader.observe.notebook_run import NotebookLimits, run_notebook
from grader.observe.sandbox import Sandbox, prepared_directory
from grader.plan import make_plan
from grader.records import (
    Call,
    Diagnosis,
    DiagnosisKind,
    FunctionFacts,
    NotebookRun,
    Observation,
    Outcome,
    Plan,
    Score,
    Status,
    Verdict,
)
from grader.rubric.load import load_rubric
from grader.rubric.model import MetricCheck, Rubric
from grader.rubric.score import score_nothing, score_submission
from grader.store import Store

OBSERVER = 1  # raised when the same notebook would be observed differently


@dataclass(frozen=True)
class Course:
    """Everything that is the same for every submission."""

    rubric: Rubric
    assignment: Assignment
    plan: Plan


def load_course(
    assignment: str, root: Path, rubric_path: Path | None = None, seed: int | None = None
) -> Course:
    """Load rubrics/<assignment>.yaml and reference/<assignment>/, and make the plan."""
    path = rubric_path or root / "rubrics" / f"{assignment}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in (root / "rubrics").glob("*.yaml"))) or "none"
        raise UsageError(f"there is no rubric {path}; the assignments here are: {known}")
    rubric = load_rubric(path)
    if seed is not None:
        rubric = rubric.model_copy(update={"seed": seed})
    loaded = load_assignment(root / "reference" / rubric.assignment, rubric.functions, rubric.seed)
    with np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
        return Course(rubric, loaded, make_plan(rubric, loaded))


def observe(data: bytes, course: Course, sandbox: Sandbox, store: Store) -> Observation:
    """Run a notebook and call its functions, or take from the store what was observed before.

    Raises NotebookUnreadable for the student's fault, GraderFault for ours.
    """
    notebook = parse_notebook(data)
    code = read_code(notebook)
    given = course.assignment.skeleton_code
    slices, facts = find_functions(code, course.rubric.functions, given)
    run = _run(data, notebook, course, sandbox, store)
    outcomes = _outcomes(code, slices, facts, course, sandbox, store)
    return Observation(run, facts, outcomes)


def grade(submission: str, observation: Observation, course: Course) -> Score:
    """Judge and score an observation; runs no student code."""
    judged = dict(verdicts(observation, course))
    diagnoses = _diagnoses(judged, observation, course)
    judged |= _followed_through(judged, diagnoses, observation, course)
    wrong = _wrong(judged)
    diagnoses = {question: found for question, found in diagnoses.items() if question in wrong}
    remarks = {
        question.id: _remarks(observation.functions[question.function], observation, course)
        for question in course.rubric.questions
        if question.function
    }
    return score_submission(submission, course.rubric, judged, remarks, diagnoses)


def verdicts(
    observation: Observation, course: Course, function: str | None = None
) -> Iterator[tuple[tuple[str, str], Verdict]]:
    """Yield the verdict of every check (of the questions about one function only) by (question, check)."""
    questions = {question.id: question for question in course.rubric.questions}
    for planned in course.plan.checks:
        question = questions[planned.question]
        if function is None or question.function == function:
            check = next(check for check in question.checks if check.id == planned.check)
            facts = observation.functions[question.function or ""]
            yield (question.id, check.id), judge_check(check, planned, observation.outcomes, facts)


def _diagnoses(
    judged: Mapping[tuple[str, str], Verdict], observation: Observation, course: Course
) -> dict[str, Diagnosis]:
    """Name the mistakes of the questions in which something is wrong that does not follow from another."""
    found = {
        question: diagnose(course.plan.candidates[question], observation.outcomes)
        for question in _wrong(judged)
        if question in course.plan.candidates
    }
    return {question: diagnosis for question, diagnosis in found.items() if diagnosis is not None}


def _wrong(judged: Mapping[tuple[str, str], Verdict]) -> set[str]:
    return {question for (question, _), verdict in judged.items() if needs_diagnosis(verdict)}


def _followed_through(
    judged: Mapping[tuple[str, str], Verdict],
    diagnoses: Mapping[str, Diagnosis],
    observation: Observation,
    course: Course,
) -> dict[tuple[str, str], Verdict]:
    """Return the verdicts of results that are right given mistakes named in functions that they build on."""
    questions = {question.id: question for question in course.rubric.questions}
    named = {
        questions[question].function: found.codes
        for question, found in diagnoses.items()
        if found.kind is DiagnosisKind.NAMED
    }
    followed = {}
    for planned in course.plan.checks:
        before = judged[planned.question, planned.check]
        check = next(check for check in questions[planned.question].checks if check.id == planned.check)
        if not isinstance(check, MetricCheck) or not check.given or not needs_diagnosis(before):
            continue
        codes = [code for name in check.given for code in named.get(name, ())]
        verdict = judge_given(check, planned, observation.outcomes, codes)
        if verdict is not None and verdict.fraction > before.fraction:
            followed[planned.question, planned.check] = verdict
    return followed


def unreadable(submission: str, reason: str, course: Course) -> Score:
    """Return the score of a file that is no notebook."""
    return score_nothing(
        submission, course.rubric, Status.UNREADABLE, f"The notebook cannot be read: {reason}."
    )


def not_graded(submission: str, reason: str, course: Course) -> Score:
    """Return the score of a submission that we failed to grade: no points, and no loss of points."""
    return score_nothing(
        submission, course.rubric, Status.NOT_GRADED, f"Not graded, through our fault: {reason}."
    )


def _run(data: bytes, notebook: NotebookNode, course: Course, sandbox: Sandbox, store: Store) -> NotebookRun:
    limits = course.rubric.limits
    bounds = NotebookLimits(limits.notebook_seconds, limits.cell_seconds, limits.memory_mb, limits.output_kb)
    key = _digest(data, json.dumps(asdict(bounds)).encode(), _files_digest(course), _place(course, sandbox))
    run = store.get_run(key)
    if run is None:
        run = run_notebook(notebook, course.assignment.files, sandbox, bounds)
        store.put_run(key, run)
    return run


def _outcomes(
    code: Code,
    slices: Mapping[str, Slice],
    facts: Mapping[str, FunctionFacts],
    course: Course,
    sandbox: Sandbox,
    store: Store,
) -> dict[str, Outcome]:
    """Return the outcome of every call of the functions found; ask only for what the store lacks."""
    limits = course.rubric.limits
    settings = CallSettings(
        course.rubric.environment.preload, limits.function_seconds, limits.function_seconds
    )
    outcomes: dict[str, Outcome] = {}
    lacking = []
    for name, found in slices.items():
        calls = [call for call in course.plan.calls if call.function == name]
        known = store.get_outcomes(_code_key(found, course, sandbox), [call.id for call in calls])
        outcomes |= known
        lacking += [call for call in calls if call.id not in known]
    if lacking:
        made = _called(
            code, {c.function: slices[c.function] for c in lacking}, lacking, course, sandbox, settings
        )
        outcomes |= made
        for name in {call.function for call in lacking}:
            new = {call.id: made[call.id] for call in lacking if call.function == name}
            store.put_outcomes(_code_key(slices[name], course, sandbox), new)
    return outcomes


def _called(
    code: Code,
    slices: dict[str, Slice],
    calls: list[Call],
    course: Course,
    sandbox: Sandbox,
    settings: CallSettings,
) -> dict[str, Outcome]:
    with prepared_directory(sandbox, course.assignment.files) as folder:
        return make_calls(code, slices, calls, sandbox, settings, folder / "work")


def _code_key(found: Slice, course: Course, sandbox: Sandbox) -> str:
    limits = course.rubric.limits.model_dump_json().encode()
    return _digest(found.key.encode(), limits, _files_digest(course), _place(course, sandbox))


def _place(course: Course, sandbox: Sandbox) -> bytes:
    """Return what names the walls and the interpreter that something was observed in."""
    python = course.rubric.environment.python
    return (f"{sandbox.name} {python}" if python else sandbox.name).encode()


def _files_digest(course: Course) -> bytes:
    files = course.assignment.files
    return _digest(*(part for name in sorted(files) for part in (name.encode(), files[name]))).encode()


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256(str(OBSERVER).encode())
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()


def _remarks(facts: FunctionFacts, observation: Observation, course: Course) -> list[str]:
    """Return what is worth saying of a function beside its verdicts."""
    remarks = []
    if facts.notebook_globals:
        names = ", ".join(facts.notebook_globals)
        remarks.append(f"It reads {names} from the notebook instead of from its arguments.")
    calls = {call.id for call in course.plan.calls if call.function == facts.name}
    ignored = {
        name for call in calls if call in observation.outcomes for name in observation.outcomes[call].ignored
    }
    if ignored:
        remarks.append(f"It does not take the argument {', '.join(sorted(ignored))}; it was called without.")
    return remarks
