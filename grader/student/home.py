"""Makes one public check at home, with the same judge as the grading.

    check + public inputs  --plan-->  calls  --the student's functions-->  outcomes  --judge-->  finding

No reference is needed: a gradient is compared with finite differences of the student's own cost, a value
with the expected one in the kit. A result is encoded in the wire format and decoded again, as in the grading,
so that the judge receives the same plain arrays. How a call ended is an outcome of the same closed set too.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from grader.checks.base import Check, InputsCheck, PlannedCase, ValueCheck, returned
from grader.checks.result import with_one_factor
from grader.course.rubric import Limits
from grader.decode import decode
from grader.errors import AssignmentError, GraderError
from grader.inside import wire
from grader.inside.chance import seeded
from grader.inside.perform import perform
from grader.inside.safe_text import message_text
from grader.numerics.in_words import describe_input
from grader.plan.planner import make_call
from grader.records import Code, Fault, Outcome, OutcomeKind, Plot, VerdictKind
from grader.student.finding_words import in_words
from grader.student.functions import Functions, Unavailable, describe_error, kept_alive, silent
from grader.student.isolation import Ended, TimeIsUp, forked, watched
from grader.student.kit import Kit, KitFunction
from grader.subjects import Call, Case, Subject, Sweep
from grader.written import WrittenTask

LATE = (OutcomeKind.CPU_TIMEOUT, OutcomeKind.WALL_TIMEOUT)


@dataclass(frozen=True)
class Finding:
    """The result of one check in words; if it does not hold, with one small input that shows it.

    `late` if the function did not finish.
    """

    check: str
    title: str
    kind: VerdictKind
    found: str = ""
    worst: str = ""
    input: str = ""
    look: str = ""
    plot: Plot | None = None
    late: bool = False


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


class Bench:
    """Makes the checks of one function.

    With `apart`, each call is made in a fork; with `limited`, what takes too long is ended.
    `starts` is told the function that is called next, and the processor seconds that it may take.
    """

    def __init__(
        self,
        kit: Kit,
        function: KitFunction,
        functions: Functions,
        *,
        apart: bool,
        limited: bool,
        starts: Callable[[str, float], None] = lambda name, seconds: None,
    ) -> None:
        self.kit, self.function, self.functions = kit, function, functions
        self.apart, self.limited, self.starts = apart, limited, starts

    def finding(self, check: Check) -> Finding:
        """Make one check; whatever the function does, return what there is to say."""
        if reason := self.kit.why_not(self.function.name, check):
            return inconclusive(check, reason)
        try:
            with silent():
                return self._made(check)
        except GraderError:
            raise
        except (Exception, SystemExit) as error:  # a failure that no check expects; the next one is made
            fault = describe_error(error)
            why = message_text(f"{fault.type}: {fault.message}")
            reason = f"it could not be checked, because of what the function did ({why})"
            return inconclusive(check, reason)

    def _made(self, check: Check) -> Finding:
        """Plan a check, make its calls, judge the outcomes, and return the finding."""
        planner = HomePlanner(self.kit, self.function, self.functions)
        cost = getattr(check, "cost", "")
        try:
            with seeded(0), np.errstate(all="ignore"):
                if cost and isinstance(check, InputsCheck):  # its finite differences are a call of the cost
                    seconds = self._seconds(check) * (1 + len(self.kit.inputs[check.inputs]))
                    self.starts(cost, seconds)
                    with self._limit(seconds):
                        cases = check.plan(planner)
                else:
                    cases = check.plan(planner)
        except Unavailable as reason:
            return inconclusive(check, f"it needs another function: {reason}")
        except TimeIsUp:
            return inconclusive(check, f"it needs {cost}, which does not finish")
        except AssignmentError as error:  # the student's own cost has no finite differences
            return inconclusive(check, planner.ended or str(error).replace("the cost", "your own"))
        outcomes: dict[str, Outcome] = {}
        late = None
        for call in (call for case in cases for call in case.calls):
            outcome = late or self._call(call)
            outcomes[call.id] = outcome
            late = outcome if outcome.kind in LATE else None  # the others would take as long
        with np.errstate(all="ignore"):
            return self._judged(check, cases, outcomes)

    def _judged(self, check: Check, cases: Sequence[PlannedCase], outcomes: dict[str, Outcome]) -> Finding:
        """Return what the judge says, with one input that shows it."""
        facts = self.functions.facts(self.function.name)
        verdict = check.judge(cases, outcomes, facts, None)
        if verdict.kind is VerdictKind.PASSED:
            return Finding(check.id, check.title, verdict.kind, verdict.message)
        look = check.feedback.failed
        if not cases:
            return Finding(check.id, check.title, verdict.kind, verdict.message, look=look)
        # Of the inputs on which the check does not hold, show the first: it is the simplest.
        results = with_one_factor([case.judge(outcomes, None) for case in cases])
        case, result = next(pair for pair in zip(cases, results, strict=True) if pair[1].fraction < 1.0)
        output = check.output if isinstance(check, ValueCheck) else None
        got = returned(case.calls[0], outcomes, output)
        worst = "" if got.failed else case.detail(got.value, result)
        known = (self.function, self.functions.get(self.function.name), facts)
        found = in_words(check, cases, outcomes, (case, result), known, self.kit.functions)
        if got.failed is None and got.value is None and self.functions.returns(self.function.name) is False:
            found += ": it has no return with a value; print shows one, but does not return it"
        undecided = result.inconclusive or result.code == Code.NOT_CHECKED
        return Finding(
            check.id,
            check.title,
            VerdictKind.INCONCLUSIVE if undecided else VerdictKind.FAILED,
            found,
            worst,
            describe_input(case.inputs, self.function.parameters),
            look if check.hint_fits(result.code) else "",
            result.plot,
            outcomes[case.calls[0].id].kind in LATE,
        )

    def _call(self, call: Call) -> Outcome:
        """Call a student's function; return its result as plain arrays, or how it failed."""
        function, seconds = self.functions.get(call.function), call.limits.seconds
        self.starts(call.function, seconds)
        if not self.apart:
            return _outcome(self._answer(call, function))
        answer = forked(lambda: self._answer(call, function), seconds)
        if not isinstance(answer, Ended):
            return _outcome(answer)
        kind = OutcomeKind.WALL_TIMEOUT if answer.late else OutcomeKind.KILLED_BY_SIGNAL
        return Outcome(kind, fault=Fault(answer.how, ""))

    def _answer(self, call: Call, function: Callable[..., Any]) -> bytes:
        """Make a call in this process, and return what came of it as a message."""
        started = time.perf_counter()
        record: dict[str, Any] = {}
        try:
            with self._limit(call.limits.seconds), kept_alive(call.function):
                value, after, ignored = perform(function, call.message(), copies=True)
            record = {"kind": "returned", "value": value, "ignored": ignored}
            record |= {"after": tuple(after)} if call.echo else {}
        except Unavailable as reason:
            record = _failed("raised", reason.__cause__ or reason)
        except TimeIsUp as error:
            record = _failed("cpu_timeout", error.__cause__ or error)
        except MemoryError as error:
            record = _failed("out_of_memory", error)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            record = _failed("raised", error)
        record["seconds"] = time.perf_counter() - started
        try:
            return wire.encode(record)
        except wire.WireError as error:
            return wire.encode(_failed("undecodable", error))
        except MemoryError as error:
            return wire.encode(_failed("out_of_memory", error))

    def _limit(self, seconds: float) -> Any:
        return watched(seconds) if self.limited else contextlib.nullcontext()

    def _seconds(self, check: InputsCheck) -> float:
        return check.call_seconds or self.kit.seconds


def _failed(kind: str, error: BaseException) -> dict[str, Any]:
    return {"kind": kind, "fault": asdict(describe_error(error))}


def _outcome(message: bytes) -> Outcome:
    """Return the outcome that a message of `Bench._answer` tells."""
    record = decode(message)
    fault = record.get("fault")
    return Outcome(
        OutcomeKind(record["kind"]),
        record.get("value"),
        None if fault is None else Fault(**{**fault, "bases": tuple(fault["bases"])}),
        record.get("after"),
        tuple(record.get("ignored", ())),
        record.get("seconds", 0.0),
    )


def inconclusive(check: Check, reason: str) -> Finding:
    """Return the finding of a check that cannot be made."""
    return Finding(check.id, check.title, VerdictKind.INCONCLUSIVE, reason)
