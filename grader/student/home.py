"""Runs the public checks at home, in the student's own process, with the same judge as the grading.

    check + public inputs  --plan-->  calls  --the student's functions-->  outcomes  --judge-->  finding

No reference is needed: a gradient is compared with finite differences of the student's own cost, a value
with the expected one in the kit. A result is encoded in the wire format and decoded again, as in the grading,
so that the judge receives the same plain arrays.
"""

from __future__ import annotations

import copy
import inspect
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np

from grader.checks.base import Check, InputsCheck, ValueCheck, returned
from grader.course.rubric import Limits
from grader.decode import travelled
from grader.errors import AssignmentError, GraderError
from grader.inside import wire
from grader.inside.chance import seeded
from grader.inside.perform import perform
from grader.inside.safe_text import message_text
from grader.numerics.in_words import describe_input
from grader.plan.planner import make_call
from grader.reading import FactsStatus
from grader.records import Outcome, OutcomeKind, Plot, VerdictKind
from grader.student.functions import (
    Functions,
    MainThreadOnly,
    Unavailable,
    describe_error,
    kept_alive,
    silent,
)
from grader.student.kit import Kit, KitFunction
from grader.subjects import Call, Case, Subject, Sweep
from grader.written import WrittenTask


@dataclass(frozen=True)
class Finding:
    """The result of one check in words; if it does not hold, with one small input that shows it."""

    check: str
    title: str
    kind: VerdictKind
    found: str = ""
    worst: str = ""
    input: str = ""
    look: str = ""
    plot: Plot | None = None


@dataclass(frozen=True)
class Report:
    """The results of all checks of one function; `remark` says why none could be made."""

    function: KitFunction
    findings: tuple[Finding, ...] = ()
    remark: str = ""

    @property
    def passed(self) -> int:
        """The number of checks that hold."""
        return sum(finding.kind is VerdictKind.PASSED for finding in self.findings)


def check_functions(kit: Kit, functions: Functions, names: Sequence[str], *, limit: bool) -> Iterator[Report]:
    """Yield the report of each function.

    With `limit`, a check that takes too long fails. Without it, a check runs in the calling thread, where an
    interrupt from the keyboard ends it.
    """
    for name in names:
        function = kit.functions[name]
        status = functions.facts(name).status
        try:
            with silent():
                functions.get(name)
        except Unavailable as error:
            untouched = status == FactsStatus.NOT_ATTEMPTED
            kind = VerdictKind.NOT_ATTEMPTED if untouched else VerdictKind.FAILED
            findings = tuple(Finding(check.id, check.title, kind) for check in function.checks)
            yield Report(function, findings, str(error))
            continue

        results: list[Finding] = []
        timed_out = False
        for check in function.checks:
            if timed_out:  # the thread of that check cannot be ended, and may still run
                reason = "it was not tried, as an earlier check did not finish in time"
                results.append(_inconclusive(check, reason))
                continue
            if reason := kit.why_not(function.name, check):
                results.append(_inconclusive(check, reason))
                continue
            # As long as one call may take in the grading, for each input, and once more for the rest.
            seconds = kit.seconds if limit else None
            if limit and isinstance(check, InputsCheck):
                seconds = (check.call_seconds or kit.seconds) * (1 + len(kit.inputs[check.inputs]))
            try:
                finding = within(seconds, partial(_make_check, kit, function, check, functions))
            except GraderError:
                raise
            except TimeoutError:
                timed_out = True
                found = f"it did not finish within {seconds:g} s; the grading would stop it too"
                finding = Finding(
                    check.id, check.title, VerdictKind.FAILED, found, look=check.feedback.failed
                )
            except (Exception, SystemExit) as error:  # a failure that no check expects; the next one is made
                fault = describe_error(error)
                why = message_text(f"{fault.type}: {fault.message}")
                reason = f"it could not be checked, because of what the function did ({why})"
                finding = _inconclusive(check, reason)
            results.append(finding)
        yield Report(function, tuple(results))


def within(seconds: float | None, work: Callable[[], Finding]) -> Finding:
    """Run `work` in a thread of its own, and raise TimeoutError if it takes longer than `seconds`.

    Without a limit (None) it runs in the calling thread. The output of the work is dropped.
    """
    if seconds is None:
        with silent():
            return work()
    done: list[Finding] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:
            failed.append(error)

    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("Any", MainThreadOnly(stream)) for stream in streams)
    thread = threading.Thread(target=run, daemon=True)  # it ends with the process, whatever it does
    with warnings.catch_warnings():  # not `quiet`, whose lock the thread may need
        warnings.simplefilter("ignore")
        thread.start()
        thread.join(seconds)
    if not thread.is_alive():
        sys.stdout, sys.stderr = streams
    if failed:
        raise failed[0]
    if not done:
        raise TimeoutError
    return done[0]


class HomePlanner:
    """Stands where the course stands in the grading: public inputs, the student's own functions."""

    seed = 0
    has_reference = False

    def __init__(self, kit: Kit, known: KitFunction, functions: Functions) -> None:
        self.kit = kit
        self.known = known
        self.functions = functions
        self.parameters = known.parameters
        self.ended = ""  # the function of the student that ended the program, if one did

    def draws(self, generator: str) -> Iterator[list[Case]]:
        """Yield the public inputs of a generator; there are no others."""
        yield list(self.kit.inputs[generator])

    def call(
        self,
        check: InputsCheck,
        case: Case,
        function: str = "",
        *,
        echo: bool = False,
        repeat: int = 0,
        sweep: Sweep | None = None,
    ) -> Call:
        """Return the call of the function, or of another one, on a case."""
        limits = Limits(call_seconds=self.kit.seconds)
        subject, seconds = Subject.named(function or self.known.name), check.call_seconds
        return make_call(subject, case, self.seed, limits, seconds, echo=echo, repeat=repeat, sweep=sweep)

    def expected(self, check: ValueCheck, case: Case) -> Any:
        """Return what the kit says is right on a public input."""
        values = self.kit.expected[f"{self.known.name}.{check.id}"]
        return next(
            value for value, known in zip(values, self.kit.inputs[check.inputs], strict=True) if known is case
        )

    def function(self, name: str) -> Callable[..., Any]:
        """Return the student's function under the names of the arguments that were handed out."""
        own = self.functions.get(name)

        def call(*args: Any, **keywords: Any) -> Any:
            try:
                with kept_alive(name):
                    return own(*copy.deepcopy(args), **copy.deepcopy(keywords))
            except Unavailable as reason:
                self.ended = str(reason)
                raise

        parameters = self.kit.functions[name].parameters
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        call.__name__ = name
        call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter(parameter, kind) for parameter in parameters]
        )
        return call

    def metric(self, name: str) -> Callable[..., Any]:
        """Metrics are the course's own code; no check that needs one is in a kit."""
        raise AssignmentError(f"the metric {name} is not part of the kit")

    def written(self, check: str, kind: str, name: str | None) -> WrittenTask:
        """Written answers are checked by themselves (`grader.student.answers_at_home`)."""
        raise AssignmentError("a written answer is no function")

    def answered(self, case: Case, names: Sequence[str]) -> Case:
        """Return the case: nothing stands in for a student's own functions at home."""
        return case

    def made_for(self, case: Case, names: Sequence[str]) -> list[tuple[str, Case]]:
        """There is no reference to follow at home."""
        return []


def _make_check(kit: Kit, function: KitFunction, check: Check, functions: Functions) -> Finding:
    """Plan one check, make its calls, judge the outcomes, and return the finding."""
    planner = HomePlanner(kit, function, functions)
    try:
        with seeded(0), np.errstate(all="ignore"):
            cases = check.plan(planner)
            calls = [call for case in cases for call in case.calls]
            outcomes = {call.id: _call(call, functions) for call in calls}
    except Unavailable as reason:
        return _inconclusive(check, f"it needs another function: {reason}")
    except AssignmentError as error:  # the student's own cost has no finite differences
        return _inconclusive(check, planner.ended or str(error).replace("the cost", "your own"))
    look = check.feedback.failed
    with np.errstate(all="ignore"):
        verdict = check.judge(cases, outcomes, functions.facts(function.name), None)
        if verdict.kind is VerdictKind.PASSED:
            return Finding(check.id, check.title, verdict.kind, verdict.message)
        if not cases:
            return Finding(check.id, check.title, verdict.kind, verdict.message, look=look)
        # Of the inputs on which the check does not hold, show the first: it is the simplest.
        results = [case.judge(outcomes, None) for case in cases]
        case, result = next(pair for pair in zip(cases, results, strict=True) if pair[1].fraction < 1.0)
        output = check.output if isinstance(check, ValueCheck) else None
        got = returned(case.calls[0], outcomes, output)
        worst = "" if got.failed else case.detail(got.value, result)
    kind = VerdictKind.INCONCLUSIVE if result.inconclusive else VerdictKind.FAILED
    shown = describe_input(case.inputs, function.parameters)
    return Finding(check.id, check.title, kind, result.message, worst, shown, look, result.plot)


def _call(call: Call, functions: Functions) -> Outcome:
    """Call a student's function; return its result as plain arrays, or how it failed."""
    function = functions.get(call.function)
    started = time.perf_counter()
    try:
        with kept_alive(call.function):
            value, after, ignored = perform(function, call.message(), copies=True)
    except Unavailable as reason:
        return Outcome(OutcomeKind.RAISED, fault=describe_error(reason.__cause__ or reason))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return Outcome(OutcomeKind.RAISED, fault=describe_error(error))
    seconds = time.perf_counter() - started
    try:
        value, after = travelled((value, tuple(after) if call.echo else None))
    except wire.WireError as error:
        return Outcome(OutcomeKind.UNDECODABLE, fault=describe_error(error))
    return Outcome(OutcomeKind.RETURNED, value, None, after, tuple(ignored), seconds)


def _inconclusive(check: Check, reason: str) -> Finding:
    return Finding(check.id, check.title, VerdictKind.INCONCLUSIVE, reason)
