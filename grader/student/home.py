"""Runs the public checks at home: the student's functions and process, and the judge of the grading.

    check + public inputs  --plan-->  calls  --the student's functions-->  outcomes  --judge-->  finding

No reference is needed: a gradient is compared with finite differences of the student's own cost, a value
with one that the kit holds. What a function returns passes through the wire format first, as it does in the
grading, so that the judge sees the same.
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
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from grader.case import Case
from grader.errors import AssignmentError, GraderError
from grader.judge.checks import judge_case, judge_check
from grader.judge.compare import Sensitivity
from grader.observe.inside import wire
from grader.observe.inside.chance import seeded
from grader.observe.inside.execute import accepted
from grader.observe.inside.safe_text import message_text
from grader.plan.gradient import plan_gradient
from grader.plan.plan import Planner
from grader.records import Call, Outcome, OutcomeKind, PlannedCheck, Plot, VerdictKind
from grader.rubric.model import CheckBase, GradientCheck, InputsCheck, Limits, ReferenceCheck
from grader.student.evidence import describe_input, worst_entry
from grader.student.functions import (
    Functions,
    MainThreadOnly,
    Unavailable,
    describe_error,
    kept_alive,
    silent,
)
from grader.student.kit import Kit, KitFunction

if TYPE_CHECKING:
    from grader.assignment import Assignment


@dataclass(frozen=True)
class Finding:
    """What one check found: in words, with one small input on which it can be seen."""

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
    """What all checks of one function found; `remark` says why none was made."""

    function: KitFunction
    findings: tuple[Finding, ...] = ()
    remark: str = ""

    @property
    def passed(self) -> int:
        """The number of checks that hold."""
        return sum(finding.kind is VerdictKind.PASSED for finding in self.findings)


def check_functions(kit: Kit, functions: Functions, names: Sequence[str], *, limit: bool) -> Iterator[Report]:
    """Yield the report of each function; `limit` ends a check that takes too long.

    Without it a check runs in the calling thread, where an interrupt reaches it.
    """
    for name in names:
        known = kit.functions[name]
        status = functions.facts(name).status
        try:
            with silent():
                functions.get(name)
        except Unavailable as reason:
            untouched = status == "not_attempted"
            kind = VerdictKind.NOT_ATTEMPTED if untouched else VerdictKind.FAILED
            findings = tuple(Finding(check.id, check.title, kind) for check in known.checks)
            yield Report(known, findings, str(reason))
        else:
            yield Report(known, tuple(_findings(kit, known, functions, limit=limit)))


def _findings(kit: Kit, known: KitFunction, functions: Functions, *, limit: bool) -> Iterator[Finding]:
    late = False
    for check in known.checks:
        home = _Home(kit, functions)
        if late:
            yield _unclear(check, "it was not tried, as an earlier check did not finish in time")
            continue
        if reason := kit.why_not(known.name, check):
            yield _unclear(check, reason)
            continue
        seconds = home.seconds(check) if limit else None
        try:
            yield within(seconds, lambda check=check, home=home: home.find(known, check))  # type: ignore[misc]
        except GraderError:
            raise
        except TimeoutError:
            late = True
            found = f"it did not finish within {seconds:g} s; the grading would stop it too"
            yield Finding(check.id, check.title, VerdictKind.FAILED, found, look=check.feedback.failed)
        except (Exception, SystemExit) as error:  # the checks after this one are made all the same
            told = describe_error(error)
            why = message_text(f"{told.type}: {told.message}")
            yield _unclear(check, f"it could not be checked, because of what the function did ({why})")


def within(seconds: float | None, work: Callable[[], Finding]) -> Finding:
    """Do some work in a thread of its own; raise TimeoutError if it takes longer. None: no limit."""
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


class _Home:
    """Stands where the course's side stands in the grading: public inputs, the student's own functions."""

    def __init__(self, kit: Kit, functions: Functions) -> None:
        self.kit = kit
        self.functions = functions
        self.ended = ""  # the function of the student that ended the program, if one did

    def seconds(self, check: CheckBase) -> float:
        """Return the seconds that a check may take: those of one call in the grading, for each input."""
        if not isinstance(check, InputsCheck):
            return self.kit.seconds
        return (check.call_seconds or self.kit.seconds) * (1 + len(self.kit.inputs[check.inputs]))

    def cases(self, generator: str, seed: int) -> list[Case]:
        """Return the public inputs of a generator."""
        return list(self.kit.inputs[generator])

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

    def find(self, known: KitFunction, check: CheckBase) -> Finding:
        """Make one check."""
        try:
            with seeded(0), np.errstate(all="ignore"):
                planned = self._plan(known, check)
                outcomes = {call.id: self._outcome(call) for call in planned.calls}
        except Unavailable as reason:
            return _unclear(check, f"it needs another function: {reason}")
        except AssignmentError as error:  # of the student's own cost: no finite differences
            return _unclear(check, self.ended or str(error).replace("the cost", "your own"))
        with np.errstate(all="ignore"):
            verdict = judge_check(check, planned, outcomes, self.functions.facts(known.name))
            if verdict.kind is VerdictKind.PASSED:
                return Finding(check.id, check.title, verdict.kind, verdict.message)
            if not isinstance(check, InputsCheck):
                return Finding(
                    check.id, check.title, verdict.kind, verdict.message, look=check.feedback.failed
                )
            return self._explained(known, check, planned, outcomes)

    def _plan(self, known: KitFunction, check: CheckBase) -> PlannedCheck:
        limits = Limits(call_seconds=self.kit.seconds)
        planner = Planner(cast("Assignment", self), known.name, limits, 0)
        if isinstance(check, ReferenceCheck):
            calls = [planner.call(check, case) for case in self.cases(check.inputs, 0)]
            right = self.kit.expected[f"{known.name}.{check.id}"]
            cases = [(c.id, value, None, 0.0, Sensitivity()) for c, value in zip(calls, right, strict=True)]
            return PlannedCheck(known.name, check.id, tuple(calls), {"cases": cases})
        if isinstance(check, GradientCheck):
            return self._plan_gradient(known, check, planner)
        calls, context = planner.plan(check)
        return PlannedCheck(known.name, check.id, tuple(calls), context)

    def _plan_gradient(self, known: KitFunction, check: GradientCheck, planner: Planner) -> PlannedCheck:
        """Plan with the student's own cost, and without any gradient to trust."""
        cost, calls = self.function(check.cost), []
        cases: list[tuple[Any, ...]] = []
        for case in self.cases(check.inputs, 0):
            numeric, own = plan_gradient(cost, case, check.wrt, np.random.default_rng(0))
            calls.append(planner.call(check, case))
            cases.append((calls[-1].id, numeric, own, None))
        return PlannedCheck(known.name, check.id, tuple(calls), {"cases": cases})

    def _explained(
        self, known: KitFunction, check: InputsCheck, planned: PlannedCheck, outcomes: dict[str, Outcome]
    ) -> Finding:
        """Say what was found on the first, simplest input on which the check does not hold."""
        results = [judge_case(check, case, outcomes) for case in planned.context["cases"]]
        place = next(i for i, result in enumerate(results) if result.fraction < 1.0)
        result, case = results[place], planned.context["cases"][place]
        kind = VerdictKind.INCONCLUSIVE if result.inconclusive else VerdictKind.FAILED
        worst = worst_entry(check, case, outcomes, dict(result.facts))
        shown = describe_input(self.cases(check.inputs, 0)[place], known.parameters)
        return Finding(
            check.id, check.title, kind, result.message, worst, shown, check.feedback.failed, result.plot
        )

    def _outcome(self, call: Call) -> Outcome:
        """Make one call; return what came back as plain arrays, or how it failed."""
        function = self.functions.get(call.function)
        args, keywords = copy.deepcopy((call.args, dict(call.keywords)))
        taken, ignored = accepted(function, keywords)
        started = time.perf_counter()
        try:
            with seeded(call.seed), kept_alive(call.function):
                value = function(*args, **taken)
        except Unavailable as reason:
            return Outcome(OutcomeKind.RAISED, fault=describe_error(reason.__cause__ or reason))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return Outcome(OutcomeKind.RAISED, fault=describe_error(error))
        seconds = time.perf_counter() - started
        try:
            value, after = wire.decode(wire.encode((value, args if call.echo else None)))
        except wire.WireError as error:
            return Outcome(OutcomeKind.UNDECODABLE, fault=describe_error(error))
        return Outcome(OutcomeKind.RETURNED, value, None, after, tuple(ignored), seconds)


def _unclear(check: CheckBase, reason: str) -> Finding:
    return Finding(check.id, check.title, VerdictKind.INCONCLUSIVE, reason)
