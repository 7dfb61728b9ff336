"""Observes one submission: a notebook's bytes become an Observation. Only here does student code run.

    bytes  -->  handler: reading, run of the notebook  -->  outcomes of the calls  -->  Observation

Observations are stored by content (`grader.observe.keys`); what the store holds is not observed again.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from grader.handler.job import Job
from grader.observe.call_functions import (
    RESULTS,
    UNCONFIRMED,
    Budget,
    CallSettings,
    make_calls,
    unconfirmed,
)
from grader.observe.handle import examine_answers, handle
from grader.observe.keys import calls_key, facts_key, notebook_limits, run_key, written_key
from grader.observe.sandbox import Sandbox
from grader.plan.plan import Course
from grader.reading import CodeCell, FactsStatus, FunctionCode, FunctionFacts, Reading
from grader.records import CellStatus, HandIn, NotebookRun, Observation, Outcome, OutcomeKind
from grader.store import KeptOutcomes, Observations
from grader.subjects import Call

# What is raised where something of the notebook is not there: a name, a module, a file, a variable.
SURROUNDINGS = frozenset(
    {
        "NameError",
        "ImportError",
        "ModuleNotFoundError",
        "FileNotFoundError",
        "OSError",
        "AttributeError",
        "KeyError",
        "SyntaxError",
        "UsageError",
    }
)
ALONE = 10  # one submission may keep the others waiting for this many times the limit of a function
Alone = Callable[[], contextlib.AbstractContextManager[None]]


def observe(
    hand_in: HandIn,
    course: Course,
    sandbox: Sandbox,
    store: Observations,
    alone: Alone = contextlib.nullcontext,
) -> Observation:
    """Run a notebook and call its functions, or take from the store what was observed before.

    Calls that a busy machine may have ended are made again in the context `alone`: nothing else runs in it.
    Raises NotebookUnreadable for the student's fault, GraderFault for ours.
    """
    reading_key, kept_key = str(facts_key(hand_in, course)), str(run_key(hand_in, course, sandbox))
    reading, run = store.get_reading(reading_key), store.get_run(kept_key)
    if reading is None or run is None:
        job = Job(
            notebook=hand_in.notebook,
            modules=hand_in.modules,
            skeleton=course.assignment.handed_out,
            subjects=tuple(map(str, course.rubric.subjects)),
            read=reading is None,
            run=run is None,
            limits=notebook_limits(course),
        )
        read, ran = handle(job, sandbox, {**hand_in.modules, **course.assignment.files})
        if read is not None:
            store.put_reading(reading_key, read)
        if ran is not None:
            store.put_run(kept_key, ran)
        reading, run = reading or read, run or ran
    assert reading is not None
    assert run is not None
    budget = Budget(RESULTS * course.rubric.limits.result_mb << 20)
    made = _Made(hand_in, reading, run, course, sandbox, store, alone, kept_key, budget)
    at_once = {
        name: [call for call in calls if call.id not in course.plan.deferred]
        for name, calls in course.calls.items()
    }
    outcomes = made.outcomes(at_once)
    outcomes, in_state = made.in_state(at_once, outcomes)
    facts = {
        name: replace(each, status=FactsStatus.FOUND) if name in in_state else each
        for name, each in reading.facts.items()
    }
    needed = course.plan.needed(outcomes, course.trusted)
    if needed:
        later = {name: [call for call in needed if call.function == name] for name in course.calls}
        outcomes |= made.outcomes(later, in_state)
    outcomes |= _Outcomes(_examined(hand_in, course, sandbox, store), {})
    written, listed = reading.written, reading.listed
    return Observation(run, facts, outcomes, in_state, reading.repairs, reading.sources, written, listed)


def _examined(hand_in: HandIn, course: Course, sandbox: Sandbox, store: Observations) -> dict[str, Outcome]:
    """Return what is found in the written answers, by the id of the task."""
    keys = {task.id: str(written_key(hand_in, task, course)) for task in course.plan.written}
    found = {
        name: kept[name] for name, key in keys.items() if name in (kept := store.get_outcomes(key, [name]))
    }
    lacking = [task for task in course.plan.written if task.id not in found]
    if lacking:
        made = examine_answers(hand_in.notebook, course.assignment.handed_out, lacking, sandbox)
        for name, outcome in made.items():
            store.put_outcomes(keys[name], {name: outcome})
        found |= made
    return found


@dataclass(frozen=True)
class _Made:
    """Makes the calls of a submission that the store does not have."""

    hand_in: HandIn
    reading: Reading
    run: NotebookRun
    course: Course
    sandbox: Sandbox
    store: Observations
    alone: Alone
    run_key: str
    budget: Budget

    def outcomes(
        self, calls: Mapping[str, Sequence[Call]], in_state: frozenset[str] = frozenset()
    ) -> _Outcomes:
        """Return the outcomes of calls of the functions that the notebook has; calls are given by function.

        Those of `in_state` are called in the state of the notebook. The values of subjects that are not
        called come from the notebook's run.
        """
        facts, store = self.reading.facts, self.store
        ways = {
            name: self._way(name, name in in_state)
            for name in self.course.rubric.functions
            if calls.get(name) and (facts[name].status == FactsStatus.FOUND or name in in_state)
        }
        kept: dict[str, KeptOutcomes] = {}
        lacking: list[Call] = []
        for name, way in ways.items():
            kept[name] = store.get_outcomes(way.key, [call.id for call in calls[name]])
            self.budget.left -= kept[name].size
            lacking += [call for call in calls[name] if call.id not in kept[name]]
        made: dict[str, Outcome] = {}
        if lacking:
            made = self._made(lacking, ways)
            for name in dict.fromkeys(call.function for call in lacking):
                own = [call.id for call in lacking if call.function == name]
                for call in (call for call in own if call not in self.budget.refused):
                    store.put_outcomes(ways[name].key, {call: made[call]})  # one packed result at a time
        values = {call.id: each for name, each in self.run.values.items() for call in calls.get(name, ())}
        made = {call.id: placed(made[call.id], ways[call.function].facts) for call in lacking}
        found = {call: (each, ways[name].facts) for name, each in kept.items() for call in each}
        return _Outcomes({**made, **values}, found)

    def in_state(
        self, calls: Mapping[str, Sequence[Call]], outcomes: _Outcomes
    ) -> tuple[_Outcomes, frozenset[str]]:
        """Call again, in the state of the notebook, the functions whose own code does not stand alone.

        Return all outcomes, and the names of the functions for which it made a difference.
        """
        names = frozenset(
            name
            for name in self.course.rubric.functions
            if calls.get(name)
            and name in self.reading.code
            and self._may_need_state(name, calls[name], outcomes)
        )
        if not names:
            return outcomes, names
        again = self.outcomes({name: calls[name] for name in names}, names)
        better = frozenset(
            name
            for name in names
            if any(helps(outcomes.get(call.id), again[call.id]) for call in calls[name])
        )
        chosen = {call.id: again[call.id] for name in better for call in calls[name]}
        return outcomes | _Outcomes(chosen, {}), better

    def _may_need_state(self, name: str, calls: Sequence[Call], outcomes: _Outcomes) -> bool:
        """Whether a function may do better in the notebook: its cell ran, its code does not stand alone.

        One that is missing may be defined where the code does not show it.
        """
        facts = self.reading.facts[name]
        ran = [each for each in self.run.cells if each.number == facts.cell]
        if ran and ran[0].status is CellStatus.NOT_RUN:
            return False
        return facts.status is FactsStatus.MISSING or any(needs_state(outcomes[call.id]) for call in calls)

    def _way(self, name: str, in_state: bool) -> _Way:
        """Return how a function is called: from its own code, or in the state of the notebook."""
        facts = self.reading.facts[name]
        if not in_state:
            key = str(calls_key(facts.key, self.hand_in, self.course, self.sandbox))
            return _Way(key, replace(self.reading.code[name], bound=facts.stand_ins), facts)
        last = facts.cell or len(self.reading.sources)
        cells = tuple(CodeCell(n, source, ()) for n, source in enumerate(self.reading.sources[:last], 1))
        key = str(calls_key(f"{self.run_key} {name}", self.hand_in, self.course, self.sandbox))
        code = FunctionCode(
            self.reading.code[name].name,
            cells,
            self.reading.code[name].modules,
            in_state=True,
            bound=facts.stand_ins,
        )
        return _Way(key, code, None)

    def _made(self, calls: Sequence[Call], ways: Mapping[str, _Way]) -> dict[str, Outcome]:
        """Make calls; those that the machine may have ended are made again, and only then count.

        Processor time does not depend on how busy the machine is: its limit is confirmed while others work.
        All else is confirmed alone. A call for which no time is left is a fault of ours: it is not kept, and
        a person decides.
        """
        limits, preload = self.course.rubric.limits, self.course.rubric.environment.preload
        code = {call.function: ways[call.function].code for call in calls}
        files = {**self.hand_in.modules, **self.course.assignment.files}
        seconds = limits.function_seconds
        if any(each.in_state for each in code.values()):
            seconds = max(seconds, limits.notebook_seconds)
        settings = CallSettings(preload, seconds, limits.function_seconds, limits.cell_seconds)
        patient = replace(settings, patient=True)
        made = make_calls(code, calls, self.sandbox, settings, files, self.budget)
        again: dict[str, list[Call]] = {}
        for call in calls:
            if unconfirmed(made[call.id]):
                again.setdefault(call.function, []).append(call)
        for name, own in list(again.items()):
            if any(made[call.id].kind is OutcomeKind.CPU_TIMEOUT for call in own):
                made |= make_calls(code, own, self.sandbox, patient, files, self.budget)
                kinds = {made[call.id].kind for call in own}
                if not kinds & (UNCONFIRMED - {OutcomeKind.CPU_TIMEOUT}):
                    del again[name]
        if again:
            with self.alone():
                end = time.monotonic() + ALONE * limits.function_seconds
                for own in again.values():
                    if time.monotonic() > end:
                        made |= dict.fromkeys((call.id for call in own), Outcome(OutcomeKind.GRADER_FAULT))
                    else:
                        made |= make_calls(code, own, self.sandbox, patient, files, self.budget)
        return made


@dataclass(frozen=True)
class _Way:
    """How a function is called: the key of its outcomes, the code, and the facts that place its faults.

    There are no facts where the cells of the notebook itself are run.
    """

    key: str
    code: FunctionCode
    facts: FunctionFacts | None


def helps(before: Outcome | None, now: Outcome) -> bool:
    """Whether a call in the state of the notebook came further than the call of the function's own code."""
    there = before is not None and before.kind is not OutcomeKind.MISSING
    return now.kind is OutcomeKind.RETURNED or (not there and now.kind is not OutcomeKind.MISSING)


def needs_state(outcome: Outcome) -> bool:
    """Whether a call may have failed because a function was taken out of its notebook."""
    if outcome.kind is OutcomeKind.MISSING:
        return True
    return (
        outcome.kind is OutcomeKind.RAISED
        and outcome.fault is not None
        and outcome.fault.type in SURROUNDINGS
    )


class _Outcomes(Mapping[str, Outcome]):
    """The outcomes of all functions, by call; a stored one is unpacked and placed when it is first used."""

    def __init__(
        self,
        made: Mapping[str, Outcome],
        kept: Mapping[str, tuple[Mapping[str, Outcome], FunctionFacts | None]],
    ) -> None:
        self._ready = dict(made)
        self._kept = kept

    def __or__(self, other: _Outcomes) -> _Outcomes:
        """Return these outcomes and others."""
        return _Outcomes({**self._ready, **other._ready}, {**self._kept, **other._kept})

    def __getitem__(self, call: str) -> Outcome:
        if call not in self._ready:
            outcomes, facts = self._kept[call]
            self._ready[call] = placed(outcomes[call], facts)
        return self._ready[call]

    def __contains__(self, call: object) -> bool:
        return call in self._ready or call in self._kept

    def __iter__(self) -> Iterator[str]:
        return iter({**self._kept, **self._ready})

    def __len__(self) -> int:
        return len({**self._kept, **self._ready})


def placed(outcome: Outcome, facts: FunctionFacts | None) -> Outcome:
    """Return an outcome with the place of its fault in this notebook, and the line that stands there.

    The box gave a line of the code that it got, which may have been that of another notebook.
    """
    fault = outcome.fault
    if fault is None or facts is None:
        return outcome
    if fault.cell is None or fault.line is None or not 1 <= fault.line <= len(facts.places):
        return replace(outcome, fault=replace(fault, cell=None, line=None, code=""))
    place = facts.places[fault.line - 1]
    fault = replace(fault, cell=place.cell, line=place.line, code=place.text, file=facts.file)
    return replace(outcome, fault=fault)
