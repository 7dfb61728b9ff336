"""Makes the plan of an assignment.

Each check is asked for its cases. Inputs are drawn again until they tell the known mistakes apart.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import inspect
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from grader.checks.base import Check, InputsCheck, PlannedCase, ValueCheck, part_of
from grader.course.rubric import Limits, Question, Rubric
from grader.decode import travelled
from grader.errors import AssignmentError, RubricError
from grader.inside import wire
from grader.plan.candidates import KnownMistakes
from grader.plan.plan import Plan, PlannedCheck
from grader.plan.separation import close_pairs
from grader.plan.trusted import call_of, calls_made, reference_value
from grader.subjects import Answer, Call, CallLimits, Case, Subject, Sweep
from grader.written import WrittenTask

if TYPE_CHECKING:  # loads notebooks, which planning at home does not need
    from grader.course.assignment import Assignment

ATTEMPTS = 4  # to draw inputs that tell known mistakes apart; and, in each, inputs that suit a check
AGAIN = 2**40  # between the seeds of these, so large that no rubric has one of them


def make_plan(rubric: Rubric, assignment: Assignment, *, naming: bool = True) -> Plan:
    """Return every call of every check; raise AssignmentError where the reference cannot give an answer.

    Without `naming`, no mistakes are looked for, and no inputs are drawn again to tell them apart.
    """
    checks: list[PlannedCheck] = []
    candidates = {}
    with np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):  # the reference may print
        for question in rubric.questions:
            if question.subject is not None:
                naming_here = naming and not question.manual
                planner, mistakes = _separated(
                    question, question.subject, rubric, assignment, naming=naming_here
                )
                planner.share_calls(question)
                checks += [PlannedCheck(question.id, each, planner.cases(each)) for each in question.checks]
                if mistakes is not None:
                    candidates[question.id] = mistakes
    return Plan(rubric.assignment, tuple(checks), candidates)


def _separated(
    question: Question, subject: Subject, rubric: Rubric, assignment: Assignment, *, naming: bool
) -> tuple[CoursePlanner, KnownMistakes | None]:
    """Return a planner and the known mistakes: the first whose inputs tell these apart, else the very first.

    Only the very first must succeed in computing them. Without known mistakes there is nothing to tell apart.
    """
    tried: list[tuple[CoursePlanner, KnownMistakes]] = []
    for attempt in range(ATTEMPTS if assignment.misconceptions and naming else 0):
        planner = CoursePlanner(assignment, subject, rubric.limits, rubric.seed + attempt * AGAIN * ATTEMPTS)
        try:
            mistakes = planner.candidates(question)
        except AssignmentError:
            if not attempt:
                raise
            continue
        tried.append((planner, mistakes))
        if not close_pairs(mistakes):
            return planner, mistakes
    return tried[0] if tried else (CoursePlanner(assignment, subject, rubric.limits, rubric.seed), None)


def call_id(function: str, inputs: tuple[Any, ...]) -> str:
    """Return a name for a call that is the same whenever function and inputs are the same."""
    content = wire.encode((function, *inputs))
    return f"{function}-{hashlib.sha256(content).hexdigest()[:20]}"


def make_call(
    subject: Subject,
    case: Case,
    seed: int,
    limits: Limits,
    seconds: float | None = None,
    *,
    echo: bool = False,
    repeat: int = 0,
    sweep: Sweep | None = None,
) -> Call:
    """Return the call of a subject on a case; `seconds` replace the rubric's limit of a call.

    A sweep has the limit once for each of its points, but no more than all calls of a function may take.
    """
    each = seconds or limits.call_seconds
    total = min(each * len(sweep.points), max(each, limits.function_seconds)) if sweep else each
    allowed = CallLimits(total, limits.memory_mb, limits.result_mb)
    steps = [(step.name, step.args, dict(step.keywords)) for step in (case.construct, *case.before)]
    answers = [(each.function, each.args, each.value) for each in case.answers]
    content = (
        (case.args, dict(case.keywords), steps, case.collect, *answers),
        (echo, repeat, seed % 2**32, *((sweep.places, sweep.points) if sweep else ())),
        (allowed.seconds, allowed.memory_mb, allowed.result_mb),
    )
    try:
        identity = call_id(str(subject), content)
    except wire.WireError as error:
        raise AssignmentError(
            f"the inputs {case.name!r} of {subject}: an argument cannot be handed to a student's function: "
            f"{error} (for a function, see grader.course.shipped)"
        ) from error
    return call_of(subject, case, identity, seed, echo=echo, limits=allowed, sweep=sweep)


def seed_of_draws(seed: int) -> int:
    """Return the seed of what functions draw: they can see it, so it is not that of the hidden inputs."""
    return int.from_bytes(hashlib.sha256(f"draws {seed}".encode()).digest()[:4], "little")


def _without_echo(call: Call) -> bytes:
    """Return what a call is, whether or not it asks for its arguments."""
    content = {**replace(call, echo=False).message(), **vars(call.limits), "function": call.function}
    return hashlib.sha256(wire.encode(content)).digest()


class CoursePlanner:
    """What the checks of one function may use while they are planned (`grader.checks.base.Planner`)."""

    def __init__(self, assignment: Assignment, subject: Subject, limits: Limits, seed: int) -> None:
        self.has_reference = True
        self.assignment = assignment
        self.subject = subject
        self.limits = limits
        self.seed = seed
        self.draws_seed = seed_of_draws(seed)
        self._values: dict[str, Any] = {}
        self._cases: dict[str, tuple[PlannedCase, ...]] = {}
        self._echoing: dict[bytes, Call] = {}  # the calls with `echo`, by what they are without it

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the function's parameters."""
        if not self.subject.is_called:
            return ()
        names = tuple(inspect.signature(self.assignment.function(str(self.subject))).parameters)
        return names[1:] if self.subject.method else names

    def draws(self, generator: str) -> Iterator[list[Case]]:
        """Yield the inputs of a generator from the rubric's seed, and then from further seeds."""
        if not generator:
            yield [Case(str(self.subject))]
            return
        for attempt in range(ATTEMPTS):
            yield self.assignment.cases(generator, self.seed + attempt * AGAIN)

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
        subject = Subject.named(function) if function else self.subject
        seconds, limits = check.call_seconds, self.limits
        return make_call(
            subject, case, self.draws_seed, limits, seconds, echo=echo, repeat=repeat, sweep=sweep
        )

    def right(self, case: Case) -> Any:
        """Return the reference's value of a case; raise what the reference raises.

        It is computed once; each caller gets a copy, as a metric may change its arguments.
        """
        if self.subject.is_called:
            self.assignment.function(str(self.subject))  # raises AssignmentError if there is none
        identity = make_call(self.subject, case, self.draws_seed, self.limits).id
        if identity not in self._values:
            namespace = self.assignment.namespace
            self._values[identity] = reference_value(namespace, self.subject, case, self.draws_seed)
        return copy.deepcopy(self._values[identity])

    def expected(self, check: ValueCheck, case: Case) -> Any:
        """Return what is right on a case; raise AssignmentError if the reference does not return it."""
        try:
            value = self.right(case)
        except Exception as error:  # whatever the reference raises
            raise AssignmentError(
                f"the reference {self.subject} failed on {case.name!r}: {error!r}"
            ) from error
        if check.output is not None and (not isinstance(value, tuple | list) or len(value) <= check.output):
            raise AssignmentError(
                f"the check {check.id!r}: output is {check.output}, but on {case.name!r} the reference "
                f"{self.subject} returns no tuple of more than {check.output} parts"
            )
        try:
            return travelled(part_of(value, check.output))
        except wire.WireError as error:
            raise AssignmentError(
                f"what the reference {self.subject} returns on {case.name!r} cannot be compared: {error}"
            ) from error

    def function(self, name: str) -> Callable[..., Any]:
        """Return a function of the reference."""
        return self.assignment.function(name)

    def metric(self, name: str) -> Callable[..., Any]:
        """Return a function of metrics.py."""
        return self.assignment.metric(name)

    def written(self, check: str, kind: str, name: str | None) -> WrittenTask:
        """Return the task of reading a written answer; raise AssignmentError if its file is wrong."""
        from grader.derivation.written_answers import read_content  # noqa: PLC0415 -- students may lack its packages

        try:
            content = read_content(kind, self.assignment.folder, name or self.subject.name)
        except RubricError as error:
            raise AssignmentError(str(error)) from error
        return WrittenTask(f"{self.subject}.{check}", kind, self.subject.name, content)

    def made_for(self, case: Case, names: Sequence[str]) -> list[tuple[str, Case]]:
        """Return the calls of the functions `names` that the reference makes for a case, in order."""
        return calls_made(self.assignment, self.subject, case, names, self.draws_seed)

    def answered(self, case: Case, names: Sequence[str]) -> Case:
        """Return a case in which the functions `names` answer as those of the reference do."""
        answers = []
        for name, made in self.made_for(case, names):
            bound = inspect.signature(self.function(name)).bind(*made.args, **made.keywords)
            bound.apply_defaults()
            answers.append(Answer(name, tuple(bound.arguments.values()), travelled(made.known["value"])))
        return replace(case, answers=(*case.answers, *answers))

    def cases(self, check: Check) -> tuple[PlannedCase, ...]:
        """Return the cases of a check of the question; planned once."""
        if check.id not in self._cases:
            self._cases[check.id] = check.plan(self)
        return self._cases[check.id]

    def share_calls(self, question: Question) -> None:
        """Plan all checks of a question; a call that one wants with `echo` serves those without, too."""
        planned = [case for check in question.checks for case in self.cases(check)]
        self._echoing = {
            _without_echo(call): call for case in planned for call in (*case.calls, *case.aided) if call.echo
        }
        for check, cases in self._cases.items():
            shared = []
            for case in cases:
                calls, aided = (
                    tuple(self._echoing.get(_without_echo(call), call) for call in each)
                    for each in (case.calls, case.aided)
                )
                shared.append(replace(case, calls=calls, aided=aided))
            self._cases[check] = tuple(shared)

    def candidates(self, question: Question) -> KnownMistakes:
        """Return what the function could be, compared on the inputs of the checks and of the recognition."""
        self.share_calls(question)
        recognition = question.recognition
        fingerprint = recognition.fingerprint is not None
        cases = [
            (case.calls[0], case.inputs)
            for check in question.checks
            if check.recognises(fingerprint=fingerprint)
            for case in self.cases(check)
        ]
        for generator in recognition.inputs:
            for case in self.assignment.cases(generator, self.seed):
                call = make_call(self.subject, case, self.draws_seed, self.limits, recognition.call_seconds)
                cases.append((self._echoing.get(_without_echo(call), call), case))
        unique = {call.id: (call, case) for call, case in cases}
        return KnownMistakes(
            self.assignment, self.subject, recognition, tuple(unique.values()), self.draws_seed, self.right
        )
