"""plan -> observe -> judge -> score for one submission; the only importer of all stages.

    load_course     the rubric and the reference become a plan, once for all submissions
    observe         a notebook's bytes become an Observation; the only place where student code runs
    grade           an Observation becomes a Score; pure, and repeatable without observing again

What was observed is kept by content: a notebook's run by its bytes, a function's outcomes by its code.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

from nbformat import NotebookNode

from grader import notebook
from grader.course.assignment import Assignment, load_assignment
from grader.course.rubric import Rubric
from grader.course.rubric_file import load_rubric
from grader.course.score import score_nothing, score_submission
from grader.errors import UsageError
from grader.judge.verdicts import judge
from grader.notebook.cells import Code, read_code
from grader.notebook.facts import find_functions
from grader.notebook.read import parse_notebook
from grader.notebook.slicing import Slice
from grader.observe.calls import UNCONFIRMED, CallSettings, make_calls
from grader.observe.interpreter import find_interpreter
from grader.observe.notebook_run import NotebookLimits, run_notebook
from grader.observe.sandbox import Sandbox
from grader.plan.plan import Plan
from grader.plan.planner import make_plan
from grader.plan.trusted import TrustedSide
from grader.records import (
    Call,
    FunctionFacts,
    NotebookRun,
    Observation,
    Outcome,
    OutcomeKind,
    Score,
    Status,
)
from grader.store import Store

OBSERVER = 4  # raised when the same notebook would be observed differently
ALONE = 10  # times the limit of a function, that one submission may keep the others waiting
Alone = Callable[[], contextlib.AbstractContextManager[None]]


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
    return Course(rubric, loaded, make_plan(rubric, loaded))


def observe(
    data: bytes, course: Course, sandbox: Sandbox, store: Store, alone: Alone = contextlib.nullcontext
) -> Observation:
    """Run a notebook and call its functions, or take from the store what was observed before.

    What a busy machine may have ended is tried again in the context `alone`, in which nothing else runs.
    Raises NotebookUnreadable for the student's fault, GraderFault for ours.
    """
    submitted = _Submitted(data, course)
    facts = _facts(submitted, store)
    run = _run(submitted, sandbox, store)
    outcomes = _outcomes(submitted, facts, sandbox, store, alone)
    return Observation(run, facts, outcomes)


def grade(submission: str, observation: Observation, course: Course) -> Score:
    """Judge and score an observation; runs no student code.

    What cannot be judged of it, through our fault, costs no points: it is for a person to decide.
    """
    judged, diagnoses = judge(observation, course.rubric, course.plan, course.trusted)
    remarks = {
        question.id: _remarks(observation.functions[question.function], observation, course)
        for question in course.rubric.questions
        if question.function
    }
    return score_submission(submission, course.rubric, judged, remarks, diagnoses)


def unreadable(submission: str, reason: str, course: Course) -> Score:
    """Return the score of a file that is no notebook."""
    return score_nothing(
        submission, course.rubric, Status.UNREADABLE, f"There is no notebook to grade: {reason}."
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
    submitted: _Submitted,
    facts: Mapping[str, FunctionFacts],
    sandbox: Sandbox,
    store: Store,
    alone: Alone,
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
        again = [call for call in lacking if made[call.id].kind in UNCONFIRMED]
        if again:
            with alone():
                made |= _called_alone(submitted.code, slices, again, course, sandbox)
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
    slices: Mapping[str, Slice],
    calls: Sequence[Call],
    course: Course,
    sandbox: Sandbox,
    *,
    alone: bool = False,
) -> dict[str, Outcome]:
    seconds = course.rubric.limits.function_seconds
    settings = CallSettings(course.rubric.environment.preload, seconds, seconds, alone)
    return make_calls(code, slices, calls, sandbox, settings, course.assignment.files)


def _called_alone(
    code: Code,
    slices: Mapping[str, Slice],
    calls: Sequence[Call],
    course: Course,
    sandbox: Sandbox,
) -> dict[str, Outcome]:
    """Make calls again that the machine may have ended, a function at a time; what comes now counts.

    What there is no time for is a fault of ours: it is not kept, and a person decides on its checks.
    """
    end = time.monotonic() + ALONE * course.rubric.limits.function_seconds
    made: dict[str, Outcome] = {}
    for name in dict.fromkeys(call.function for call in calls):
        own = [call for call in calls if call.function == name]
        if time.monotonic() > end:
            made |= dict.fromkeys((call.id for call in own), Outcome(OutcomeKind.GRADER_FAULT))
        else:
            made |= _called(code, slices, own, course, sandbox, alone=True)
    return made


def run_key(data: bytes, course: Course, sandbox: Sandbox) -> str:
    """Return the key of a notebook's run: its bytes, the limits, the data files, the walls, the packages."""
    limits = json.dumps(asdict(_notebook_limits(course))).encode()
    return _digest(data, limits, course.files_key, _place(course, sandbox))


def _place(course: Course, sandbox: Sandbox) -> bytes:
    """Return what names the walls that something was observed in, the interpreter, and what it can import."""
    python = course.rubric.environment.python or ""
    return f"{sandbox.name} {python} {find_interpreter(sandbox.python).environment}".encode()


def code_key(facts: FunctionFacts, course: Course, sandbox: Sandbox) -> str:
    """Return the key of a function's outcomes: the code that it needs, limits, files, walls, packages."""
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
