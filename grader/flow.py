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
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from nbformat import NotebookNode

from grader import notebook
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

OBSERVER = 3  # raised when the same notebook would be observed differently


@dataclass(frozen=True)
class Course:
    """Everything that is the same for every submission."""

    rubric: Rubric
    assignment: Assignment
    plan: Plan

    @cached_property
    def calls(self) -> Mapping[str, tuple[Call, ...]]:
        """The planned calls of each function of the rubric."""
        calls = self.plan.calls
        return {name: tuple(c for c in calls if c.function == name) for name in self.rubric.functions}

    @cached_property
    def limits_key(self) -> bytes:
        """A digest of what holds for every call beside its code: limits and data files."""
        return _digest(self.rubric.limits.model_dump_json().encode(), self.files_key).encode()

    @cached_property
    def files_key(self) -> bytes:
        """A digest of the data files of the assignment."""
        files = self.assignment.files
        return _digest(*(part for name in sorted(files) for part in (name.encode(), files[name]))).encode()

    @cached_property
    def reading_key(self) -> bytes:
        """A digest of what reading a notebook depends on beside its bytes: our code, the skeleton, names."""
        code = [path.read_bytes() for path in sorted(Path(notebook.__file__).parent.glob("*.py"))]
        skeleton = [cell.source.encode() for cell in self.assignment.skeleton_code.cells]
        return _digest(*code, *skeleton, json.dumps(self.rubric.functions).encode()).encode()


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
    submitted = _Submitted(data, course)
    facts = _facts(submitted, store)
    run = _run(submitted, sandbox, store)
    outcomes = _outcomes(submitted, facts, sandbox, store)
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


@dataclass(frozen=True)
class _Submitted:
    """The bytes that were handed in; read only when something has to be observed."""

    data: bytes
    course: Course

    @cached_property
    def notebook(self) -> NotebookNode:
        return parse_notebook(self.data)

    @cached_property
    def code(self) -> Code:
        return read_code(self.notebook)

    @cached_property
    def found(self) -> tuple[dict[str, Slice], dict[str, FunctionFacts]]:
        return find_functions(self.code, self.course.rubric.functions, self.course.assignment.skeleton_code)


def _facts(submitted: _Submitted, store: Store) -> dict[str, FunctionFacts]:
    """Return what reading a notebook says of its functions, from the store if it was read before."""
    key = _digest(submitted.data, submitted.course.reading_key)
    facts = store.get_facts(key)
    if facts is None:
        facts = submitted.found[1]
        store.put_facts(key, facts)
    return facts


def _run(submitted: _Submitted, sandbox: Sandbox, store: Store) -> NotebookRun:
    key = run_key(submitted.data, submitted.course, sandbox)
    run = store.get_run(key)
    if run is None:
        files, limits = submitted.course.assignment.files, _notebook_limits(submitted.course)
        run = run_notebook(submitted.notebook, files, sandbox, limits)
        store.put_run(key, run)
    return run


def _notebook_limits(course: Course) -> NotebookLimits:
    limits = course.rubric.limits
    return NotebookLimits(limits.notebook_seconds, limits.cell_seconds, limits.memory_mb, limits.output_kb)


def _outcomes(
    submitted: _Submitted, facts: Mapping[str, FunctionFacts], sandbox: Sandbox, store: Store
) -> Mapping[str, Outcome]:
    """Return the outcome of every call of the functions found; ask only for what the store lacks."""
    course = submitted.course
    keys = {
        name: code_key(known, course, sandbox) for name, known in facts.items() if known.status == "found"
    }
    kept: dict[str, Mapping[str, Outcome]] = {}
    lacking: list[Call] = []
    for name, key in keys.items():
        kept[name] = store.get_outcomes(key, [call.id for call in course.calls[name]])
        lacking += [call for call in course.calls[name] if call.id not in kept[name]]
    made: dict[str, Outcome] = {}
    if lacking:
        slices = {call.function: submitted.found[0][call.function] for call in lacking}
        made = _called(submitted.code, slices, lacking, course, sandbox)
        for name in slices:
            new = {call.id: portable(made[call.id], facts[name]) for call in lacking if call.function == name}
            store.put_outcomes(keys[name], new)
    return _Outcomes(made, kept, facts)


class _Outcomes(Mapping[str, Outcome]):
    """The outcomes of all functions, by call; what was kept is read and placed when it is first looked at."""

    def __init__(
        self,
        made: Mapping[str, Outcome],
        kept: Mapping[str, Mapping[str, Outcome]],
        facts: Mapping[str, FunctionFacts],
    ) -> None:
        self._found = dict(made)
        self._kept = kept
        self._facts = facts
        self._function = {call: name for name, known in kept.items() for call in known}

    def __getitem__(self, call: str) -> Outcome:
        if call not in self._found:
            name = self._function[call]
            self._found[call] = placed(self._kept[name][call], self._facts[name])
        return self._found[call]

    def __contains__(self, call: object) -> bool:
        return call in self._found or call in self._function

    def __iter__(self) -> Iterator[str]:
        return iter({**self._function, **self._found})

    def __len__(self) -> int:
        return len({**self._function, **self._found})


def portable(outcome: Outcome, facts: FunctionFacts) -> Outcome:
    """Return an outcome that holds for the same code elsewhere: places counted from the code's statements.

    The cell of its fault becomes the number of the statement (from 0), its line the distance from there.
    """
    fault = outcome.fault
    if fault is None or fault.cell is None or fault.line is None:
        return outcome
    before = [i for i, (cell, line) in enumerate(facts.places) if cell == fault.cell and line <= fault.line]
    if not before:
        return replace(outcome, fault=replace(fault, cell=None, line=None))
    line = fault.line - facts.places[before[-1]][1]
    return replace(outcome, fault=replace(fault, cell=before[-1], line=line))


def placed(outcome: Outcome, facts: FunctionFacts) -> Outcome:
    """Return a portable outcome with the places of this notebook."""
    fault = outcome.fault
    if fault is None or fault.cell is None or fault.line is None or fault.cell >= len(facts.places):
        return outcome
    cell, line = facts.places[fault.cell]
    return replace(outcome, fault=replace(fault, cell=cell, line=line + fault.line))


def _called(
    code: Code,
    slices: dict[str, Slice],
    calls: list[Call],
    course: Course,
    sandbox: Sandbox,
) -> dict[str, Outcome]:
    seconds = course.rubric.limits.function_seconds
    settings = CallSettings(course.rubric.environment.preload, seconds, seconds)
    with prepared_directory(sandbox, course.assignment.files) as folder:
        return make_calls(code, slices, calls, sandbox, settings, folder / "work")


def run_key(data: bytes, course: Course, sandbox: Sandbox) -> str:
    """Return the key of a notebook's run: its bytes, the limits, the data files, the walls."""
    limits = json.dumps(asdict(_notebook_limits(course))).encode()
    return _digest(data, limits, course.files_key, _place(course, sandbox))


def _place(course: Course, sandbox: Sandbox) -> bytes:
    """Return what names the walls and the interpreter that something was observed in."""
    python = course.rubric.environment.python
    return (f"{sandbox.name} {python}" if python else sandbox.name).encode()


def code_key(facts: FunctionFacts, course: Course, sandbox: Sandbox) -> str:
    """Return the key of a function's outcomes: the code that it needs, limits, data files, walls."""
    return _digest(facts.key.encode(), course.limits_key, _place(course, sandbox))


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
    outcomes = [observation.outcomes.get(call.id) for call in course.calls[facts.name] if call.keywords]
    ignored = {name for outcome in outcomes if outcome for name in outcome.ignored}
    if ignored:
        remarks.append(f"It does not take the argument {', '.join(sorted(ignored))}; it was called without.")
    return remarks
