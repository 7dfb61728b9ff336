"""Observes one submission: a notebook's bytes become an Observation. Only here does student code run.

    bytes  -->  facts (read)  -->  run of the notebook  -->  outcomes of the calls  -->  Observation

Observations are stored by content (`grader.observe.keys`); what the store holds is not observed again.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from nbformat import NotebookNode

from grader.notebook.cells import read_code, read_sources
from grader.notebook.facts import find_subjects
from grader.notebook.read import parse_notebook
from grader.notebook.slicing import Slice
from grader.observe.call_functions import UNCONFIRMED, CallSettings, make_calls
from grader.observe.keys import calls_key, facts_key, notebook_limits, run_key
from grader.observe.notebook_run import find_cell, run_notebook
from grader.observe.sandbox import Sandbox
from grader.plan.plan import Course
from grader.records import (
    FactsStatus,
    Fault,
    FunctionFacts,
    HandIn,
    NotebookRun,
    Observation,
    Outcome,
    OutcomeKind,
)
from grader.store import Store
from grader.subjects import Call, SubjectKind

ALONE = 10  # one submission may keep the others waiting for this many times the limit of a function
Alone = Callable[[], contextlib.AbstractContextManager[None]]


def observe(
    hand_in: HandIn, course: Course, sandbox: Sandbox, store: Store, alone: Alone = contextlib.nullcontext
) -> Observation:
    """Run a notebook and call its functions, or take from the store what was observed before.

    Calls that a busy machine may have ended are made again in the context `alone`: nothing else runs in it.
    Raises NotebookUnreadable for the student's fault, GraderFault for ours.
    """
    submitted = _Submitted(hand_in, course)

    key = str(facts_key(hand_in, course))
    facts = store.get_facts(key)
    if facts is None:
        _, facts = submitted.slices_and_facts
        store.put_facts(key, facts)

    key = str(run_key(hand_in, course, sandbox))
    run = store.get_run(key)
    if run is None:
        notebook = submitted.notebook
        uncalled = [subject for subject in course.rubric.subjects if not subject.is_called]
        shown = [subject for subject in uncalled if subject.kind is not SubjectKind.TEXT]
        run = run_notebook(notebook, submitted.files, sandbox, notebook_limits(course), shown)
        texts = {
            str(subject): _text(notebook, course.assignment.skeleton, subject.name)
            for subject in uncalled
            if subject.kind is SubjectKind.TEXT
        }
        run = replace(run, values={**run.values, **texts})
        store.put_run(key, run)

    outcomes = _outcomes(submitted, facts, run, sandbox, store, alone)
    return Observation(run, facts, outcomes)


@dataclass(frozen=True)
class _Submitted:
    """What was handed in; parsed only when something has to be observed."""

    hand_in: HandIn
    course: Course

    @cached_property
    def notebook(self) -> NotebookNode:
        return parse_notebook(self.hand_in.notebook)

    @property
    def files(self) -> Mapping[str, bytes]:
        """The files beside the notebook: what was handed in, and the course's data, which is as it was."""
        return {**self.hand_in.modules, **self.course.assignment.files}

    @cached_property
    def slices_and_facts(self) -> tuple[dict[str, Slice], dict[str, FunctionFacts]]:
        """What reading the notebook and the files beside it says; done once, and only if it is not kept."""
        modules = {
            name: read_sources([data.decode("utf-8-sig", "replace")])
            for name, data in self.hand_in.modules.items()
        }
        skeleton = self.course.assignment.skeleton_code
        return find_subjects(read_code(self.notebook), self.course.rubric.subjects, skeleton, modules)


def _text(notebook: NotebookNode, skeleton: NotebookNode, name: str) -> Outcome:
    """Return the text of the Markdown cell with a tag or id; one left as handed out is not attempted."""
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
    """Return the outcome of every call of the functions that the notebook has; make those the store lacks.

    The values of subjects that are not called come from the notebook's run.
    """
    course = submitted.course
    keys = {
        name: str(calls_key(facts[name], submitted.hand_in, course, sandbox))
        for name in course.rubric.functions
        if facts[name].status == FactsStatus.FOUND
    }
    kept: dict[str, Mapping[str, Outcome]] = {}
    lacking: list[Call] = []
    for name, key in keys.items():
        kept[name] = store.get_outcomes(key, [call.id for call in course.calls[name]])
        lacking += [call for call in course.calls[name] if call.id not in kept[name]]
    made: dict[str, Outcome] = {}
    if lacking:
        all_slices, _ = submitted.slices_and_facts
        slices = {call.function: all_slices[call.function] for call in lacking}
        made = _called(submitted, slices, lacking, sandbox)

        # Calls that the machine may have ended are made again, one function at a time; their outcomes then
        # count. A call for which no time is left is a fault of ours: it is not kept, and a person decides.
        again = [call for call in lacking if made[call.id].kind in UNCONFIRMED]
        if again:
            with alone():
                end = time.monotonic() + ALONE * course.rubric.limits.function_seconds
                for name in dict.fromkeys(call.function for call in again):
                    own = [call for call in again if call.function == name]
                    if time.monotonic() > end:
                        made |= dict.fromkeys((call.id for call in own), Outcome(OutcomeKind.GRADER_FAULT))
                    else:
                        made |= _called(submitted, slices, own, sandbox, alone=True)

        for name in slices:
            new = {call.id: portable(made[call.id], facts[name]) for call in lacking if call.function == name}
            store.put_outcomes(keys[name], new)
    values = {call.id: each for name, each in run.values.items() for call in course.calls[name]}
    made = {
        call.id: placed(portable(made[call.id], facts[call.function]), facts[call.function])
        for call in lacking
    }
    return _Outcomes({**made, **values}, kept, facts)


class _Outcomes(Mapping[str, Outcome]):
    """The outcomes of all functions, by call; a stored one is unpacked and placed when it is first used."""

    def __init__(
        self,
        made: Mapping[str, Outcome],
        kept: Mapping[str, Mapping[str, Outcome]],
        facts: Mapping[str, FunctionFacts],
    ) -> None:
        self._ready = dict(made)
        self._kept = kept
        self._facts = facts
        self._function = {call: name for name, outcomes in kept.items() for call in outcomes}

    def __getitem__(self, call: str) -> Outcome:
        if call not in self._ready:
            name = self._function[call]
            self._ready[call] = placed(self._kept[name][call], self._facts[name])
        return self._ready[call]

    def __contains__(self, call: object) -> bool:
        return call in self._ready or call in self._function

    def __iter__(self) -> Iterator[str]:
        return iter({**self._function, **self._ready})

    def __len__(self) -> int:
        return len({**self._function, **self._ready})


def portable(outcome: Outcome, facts: FunctionFacts) -> Outcome:
    """Return an outcome that is valid for the same code in every notebook, whatever cells the code is in.

    The cell of its fault becomes the index of the statement among those that the function needs, its line the
    distance from the first line of that statement.
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
    """Return a portable outcome with the cell and line of this notebook."""
    fault = outcome.fault
    if fault is None or fault.cell is None or fault.line is None or fault.cell >= len(facts.places):
        return outcome
    cell, line = facts.places[fault.cell]
    return replace(outcome, fault=replace(fault, cell=cell, line=line + fault.line, file=facts.file))


def _called(
    submitted: _Submitted,
    slices: Mapping[str, Slice],
    calls: Sequence[Call],
    sandbox: Sandbox,
    *,
    alone: bool = False,
) -> dict[str, Outcome]:
    rubric = submitted.course.rubric
    seconds = rubric.limits.function_seconds
    settings = CallSettings(rubric.environment.preload, seconds, seconds, alone)
    return make_calls(slices, calls, sandbox, settings, submitted.files)
