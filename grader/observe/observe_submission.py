"""Observes one submission: a notebook's bytes become an Observation. Only here does student code run.

    bytes  -->  facts (read)  -->  run of the notebook  -->  outcomes of the calls  -->  Observation

What was observed is kept by content (`grader.observe.keys`), and taken from the store where it is there.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from nbformat import NotebookNode

from grader.notebook.cells import Code, read_code
from grader.notebook.facts import find_subjects
from grader.notebook.read import parse_notebook
from grader.notebook.slicing import Slice
from grader.observe.call_functions import UNCONFIRMED, CallSettings, make_calls
from grader.observe.keys import calls_key, facts_key, notebook_limits, run_key
from grader.observe.notebook_run import find_cell, run_notebook
from grader.observe.sandbox import Sandbox
from grader.plan.plan import Course
from grader.records import Fault, FunctionFacts, NotebookRun, Observation, Outcome, OutcomeKind
from grader.store import Store
from grader.subjects import Call, SubjectKind

ALONE = 10  # times the limit of a function, that one submission may keep the others waiting
Alone = Callable[[], contextlib.AbstractContextManager[None]]


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
    outcomes = _outcomes(submitted, facts, run, sandbox, store, alone)
    return Observation(run, facts, outcomes)


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
        return find_subjects(self.code, self.course.rubric.subjects, self.course.assignment.skeleton_code)


def _facts(submitted: _Submitted, store: Store) -> dict[str, FunctionFacts]:
    """Return what reading a notebook says of its functions, from the store if it was read before."""
    key = str(facts_key(submitted.data, submitted.course))
    facts = store.get_facts(key)
    if facts is None:
        facts = submitted.found[1]
        store.put_facts(key, facts)
    return facts


def _run(submitted: _Submitted, sandbox: Sandbox, store: Store) -> NotebookRun:
    key = str(run_key(submitted.data, submitted.course, sandbox))
    run = store.get_run(key)
    if run is None:
        course = submitted.course
        left = [subject for subject in course.rubric.subjects if not subject.is_called]
        texts = {str(subject): subject.name for subject in left if subject.kind is SubjectKind.TEXT}
        shown = [subject for subject in left if subject.kind is not SubjectKind.TEXT]
        limits = notebook_limits(course)
        run = run_notebook(submitted.notebook, course.assignment.files, sandbox, limits, shown)
        read = {text: _text(submitted.notebook, course.assignment.skeleton, texts[text]) for text in texts}
        run = replace(run, values={**run.values, **read})
        store.put_run(key, run)
    return run


def _text(notebook: NotebookNode, skeleton: NotebookNode, name: str) -> Outcome:
    """Return the text of the Markdown cell with a tag or id, unless it is as it was handed out."""
    own, given = find_cell(notebook, name), find_cell(skeleton, name)
    if own is None or notebook.cells[own].cell_type != "markdown":
        fault = Fault("", f"the notebook has no Markdown cell with the tag or id {name}")
        return Outcome(OutcomeKind.MISSING, fault=fault)
    text = str(notebook.cells[own].source)
    if given is not None and text.strip() == str(skeleton.cells[given].source).strip():
        return Outcome(OutcomeKind.NOT_ATTEMPTED)
    return Outcome(OutcomeKind.RETURNED, text)


def _outcomes(
    submitted: _Submitted,
    facts: Mapping[str, FunctionFacts],
    run: NotebookRun,
    sandbox: Sandbox,
    store: Store,
    alone: Alone,
) -> Mapping[str, Outcome]:
    """Return the outcome of every call of the functions found; ask only for what the store lacks.

    What is not called has its value from the notebook's run.
    """
    course = submitted.course
    keys = {
        name: str(calls_key(facts[name], course, sandbox))
        for name in course.rubric.functions
        if facts[name].status == "found"
    }
    values = {call.id: each for name, each in run.values.items() for call in course.calls[name]}
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
    return _Outcomes({**made, **values}, kept, facts)


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
