"""What every type of check is made of.

    Check           what the rubric says (a YAML model); plans its cases
    PlannedCase     one input: the calls to make, what is right; judges what came back
    Planner         what planning may ask of the course (`course_side.py`)
    Trusted         what judging may ask of it

A new type is one module with a `Check` and, if it calls something, a `PlannedCase`, and one entry point in
the group `grader.checks` whose name is the type.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, model_validator

from grader.checks.course_side import Planner, Trusted
from grader.checks.outcomes import why_not_called
from grader.checks.result import CaseResult, combined
from grader.reading import FactsStatus, FunctionFacts
from grader.records import Code, Outcome, OutcomeKind, Table, Verdict, VerdictKind
from grader.subjects import Call, Case

__all__ = [
    "Check",
    "Feedback",
    "Fraction",
    "Identifier",
    "InputsCheck",
    "Model",
    "Outcomes",
    "PlannedCase",
    "Planner",
    "Points",
    "Public",
    "Returned",
    "Trusted",
    "ValueCheck",
    "part_of",
    "returned",
]

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=80)]
Fraction = Annotated[float, Field(ge=0, le=1, strict=True)]
Points = Annotated[float, Field(ge=0, le=1000, strict=True)]
Outcomes = Mapping[str, Outcome]
OTHER_FORM = frozenset({Code.STRUCTURE, Code.SHAPE, Code.UNMEASURABLE})
# Ways to fail of which a hint about the right values says nothing.
NO_HINT = frozenset({*OutcomeKind, Code.STRUCTURE, Code.NOT_CALLED, Code.NOT_CHECKED, Code.NOT_JUDGED})


class Model(BaseModel):
    """A part of a rubric: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


class Feedback(Model):
    """What the student reads beside the verdict."""

    passed: str = ""
    """Shown when the check passed."""
    failed: str = ""
    """Shown when it did not; a hint that teaches and does not give the answer."""


class Public(Model):
    """What students get of a check, so that they can run it at home."""

    inputs: Identifier
    """The generator in the assignment's public.py; what it makes is handed out, and is never hidden."""
    values: bool = False
    """Whether the values that are right on these inputs are handed out too."""


@dataclass(frozen=True)
class PlannedCase:
    """One input of a check: the calls that it needs, that of the function itself first, and the input.

    `aided` are the same calls once more, with the right answers of the functions that they build on: a
    function whose own code is right loses nothing because of another's.
    """

    calls: tuple[Call, ...]
    inputs: Case
    aided: tuple[Call, ...] = field(default=(), kw_only=True)

    @property
    def deferred(self) -> tuple[Call, ...]:
        """The calls that are made only if the others leave the case `undecided`."""
        return self.aided

    def undecided(self, outcomes: Outcomes, trusted: Trusted) -> bool:
        """Whether the deferred calls are needed, given the outcomes of the others."""
        try:
            result = self.judge(outcomes, trusted)
        except Exception:  # a judge may trip over whatever a student's function returned
            return True
        return bool(self.deferred) and (result.fraction < 1.0 or result.code == Code.FOLLOW_THROUGH)

    def judge_aided(self, outcomes: Outcomes, trusted: Trusted | None) -> CaseResult:
        """Return what the calls say, or those with the right answers of other functions if that is more."""
        result = self.judge(outcomes, trusted)
        if not self.aided or (result.fraction == 1.0 and result.code != Code.FOLLOW_THROUGH):
            return result
        if self.inputs.answers and result.code not in OTHER_FORM | {OutcomeKind.RAISED}:
            return result
        made = {call.id: outcomes.get(aided.id) for call, aided in zip(self.calls, self.aided, strict=False)}
        if any(outcome is None for outcome in made.values()):
            return result
        other = self.judge(ChainMap(made, outcomes), trusted)  # type: ignore[arg-type]
        more = other.fraction > result.fraction or (
            other.fraction == result.fraction and result.code == Code.FOLLOW_THROUGH
        )
        if not more or other.code == Code.FOLLOW_THROUGH or other.fraction == 0.0:
            return result
        names = " and ".join(dict.fromkeys(answer.function for call in self.aided for answer in call.answers))
        functions = f"the right {names} in place of your own" if names else "your own functions only"
        message = f"it is right with {functions}"
        if other.fraction < 1.0:
            message = f"with {functions}: {other.message}"
        code = Code.RIGHT_BY_ITSELF if other.fraction == 1.0 else other.code
        return replace(other, code=code, message=message)

    def judge(self, outcomes: Outcomes, trusted: Trusted | None) -> CaseResult:
        """Return what the outcomes of the calls say."""
        raise NotImplementedError

    def judge_given(self, outcomes: Outcomes, trusted: Trusted, codes: Sequence[str]) -> CaseResult | None:
        """Return what they say if known mistakes in other functions are taken as given; None: nothing."""
        return None

    def has_other_form(self, outcomes: Outcomes) -> bool:
        """Whether lists or tuples came back where arrays are expected."""
        return False

    def detail(self, value: Any, result: CaseResult) -> str:
        """Say, for a student at home, where a value is furthest from right; '' if nowhere.

        `value` is the part of what the function returned that the check looks at.
        """
        return ""


class Check(Model):
    """What every check has."""

    id: Identifier
    """The name of the check, unique in its question."""
    title: str
    """What must hold, in one sentence that a student understands."""
    points: Points
    """The points that it is worth; 0 for a check that only informs."""
    bonus: bool = False
    """Whether its points come on top of what the question is worth."""
    penalty: Points = 0.0
    """The points that a wrong answer loses, as in multiple choice; a missing answer loses none."""
    visibility: Literal["public", "hidden"] = "hidden"
    """Whether students may run it at home. Hidden inputs are never shown."""
    requires: tuple[Identifier, ...] = ()
    """Earlier checks of the same question that must have earned something for this one to count."""
    once: Identifier | None = None
    """A name that checks of several questions share: what the first of them loses, the others do not lose."""
    feedback: Feedback = Feedback()
    """Texts for the student."""

    grading_only: ClassVar[frozenset[str]] = frozenset({"requires", "once", "bonus", "penalty"})
    """Keys that students do not get: they have a meaning in the grading only."""
    for_a_person: ClassVar[bool] = False
    """Whether its points are a suggestion for the person who reads a written answer."""
    credits_mistakes: ClassVar[bool] = False
    """Whether a named mistake earns what the course credits it with."""

    @property
    def functions(self) -> tuple[str, ...]:
        """Further functions of the student that are called, or whose mistakes are looked up."""
        return self.builds_on

    @property
    def builds_on(self) -> tuple[str, ...]:
        """The student's own functions whose results may have made a result count as right."""
        return ()

    def recognises(self, *, fingerprint: bool) -> bool:
        """Whether known mistakes are looked for on its inputs, by their results or by their fingerprints."""
        return False

    def is_public(self) -> bool:
        """Whether students can run it at home."""
        return self.visibility == "public"

    def for_students(self) -> Self:
        """Return the check without what only the grading needs."""
        fields = type(self).model_fields
        new = {name: fields[name].get_default() for name in self.grading_only if name in fields}
        return self.model_copy(update={**new, "points": 0.0, "visibility": "public"})

    def decides(self, verdict: Verdict) -> bool:
        """Whether a verdict on a written answer leaves nothing to a person."""
        return False

    def plan(self, planner: Planner) -> tuple[PlannedCase, ...]:
        """Return the cases of the check."""
        return ()

    def judge(
        self,
        cases: Sequence[PlannedCase],
        outcomes: Outcomes,
        facts: FunctionFacts,
        trusted: Trusted | None,
    ) -> Verdict:
        """Return what the check says of an observation."""
        if facts.status != FactsStatus.FOUND:
            kind = (
                VerdictKind.NOT_ATTEMPTED if facts.status == FactsStatus.NOT_ATTEMPTED else VerdictKind.FAILED
            )
            return Verdict(kind, 0.0, why_not_called(facts), facts.status)
        ends = {outcomes[case.calls[0].id].kind for case in cases if case.calls[0].id in outcomes}
        if ends == {OutcomeKind.NOT_ATTEMPTED}:
            message = "It was left as it was handed out."
            return Verdict(VerdictKind.NOT_ATTEMPTED, 0.0, message, "not_attempted")
        results = [replace(case.judge_aided(outcomes, trusted), input=case.inputs.label) for case in cases]
        return combined(results, by_case=self.counts_by_case())

    def judge_given(
        self, cases: Sequence[PlannedCase], outcomes: Outcomes, trusted: Trusted, codes: Sequence[str]
    ) -> Verdict | None:
        """Return the verdict of results that are right given known mistakes in other functions, else None."""
        results = [case.judge_given(outcomes, trusted, codes) for case in cases]
        if not results or None in results:
            return None
        return combined([result for result in results if result is not None], by_case=True)

    def hint_fits(self, code: str) -> bool:
        """Whether the feedback for a failure says something about the one with this code."""
        return code not in NO_HINT

    def counts_by_case(self) -> bool:
        """Whether each input counts for its share of the points."""
        return True


class InputsCheck(Check):
    """A check that calls the function on inputs."""

    inputs: Annotated[str, Field(pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$", max_length=80)] = ""
    """The generator in the assignment's inputs.py that makes the inputs from a seed; for what is called."""
    call_seconds: PositiveFloat | None = None
    """Processor seconds for one call, where the rubric's limit does not fit."""
    public: Public | None = None
    """What students get of it; left out for a check that they cannot run at home."""

    grading_only: ClassVar[frozenset[str]] = Check.grading_only | {"public"}
    no_public_form: ClassVar[str] = ""
    """Why students cannot run checks of this type at home, if they cannot."""

    @property
    def compares_values(self) -> bool:
        """Whether students need the right values to run it at home."""
        return False

    def is_public(self) -> bool:
        """Whether students can run it at home."""
        return self.public is not None

    def for_students(self) -> Self:
        """Return the check as students get it: on the public inputs, without what only the grading needs."""
        new = super().for_students()
        if self.public is None:
            return new
        public = Public(inputs=self.public.inputs, values=True) if self.compares_values else None
        return new.model_copy(update={"inputs": self.public.inputs, "public": public})

    @model_validator(mode="after")
    def _public_fits(self) -> Self:
        if self.public is None:
            return self
        if self.no_public_form:
            raise ValueError(self.no_public_form)
        if self.compares_values != self.public.values:
            raise ValueError(
                "public: 'values: true' is needed to compare with the reference at home"
                if self.compares_values
                else "public: 'values' has no meaning here, as the check needs no values to compare with"
            )
        return self


class ValueCheck(InputsCheck):
    """A check that looks at what the function returns."""

    output: Annotated[int, Field(ge=0)] | None = None
    """For a function that returns a tuple: the place of the part to look at; all of it if left out."""
    given: tuple[Identifier, ...] = ()
    """Other functions that it builds on: right with the student's own or the reference's counts as right."""

    grading_only: ClassVar[frozenset[str]] = InputsCheck.grading_only | {"given"}

    @property
    def compares_form(self) -> bool:
        """Whether students need the form of the right values (structure and shapes, no numbers) at home."""
        return False

    def aided(self, planner: Planner, cases: Sequence[tuple[Case, Call]]) -> tuple[Call, ...]:
        """Return calls on cases once more, with the reference's answers of the functions in `given`.

        Where a case has answers already, it is called without them: a function may suit its own helpers only.
        """
        if any(case.answers for case, _ in cases):
            alone = [(replace(case, answers=()), call) for case, call in cases]
            return tuple(planner.call(self, case, echo=call.echo) for case, call in alone)
        if not self.given:
            return ()
        answered = [(planner.answered(case, self.given), call) for case, call in cases]
        if not all(case.answers for case, _ in answered):
            return ()
        return tuple(planner.call(self, case, echo=call.echo) for case, call in answered)


@dataclass(frozen=True)
class Returned:
    """What a call returned, or (`failed`) what a check says of one that did not."""

    value: Any = None
    failed: CaseResult | None = None


def returned(call: Call, outcomes: Outcomes, output: int | None = None) -> Returned:
    """Return the value of a call, or the part of it at the place `output`."""
    outcome = outcomes.get(call.id)
    if outcome is None or outcome.kind is not OutcomeKind.RETURNED:
        return Returned(failed=CaseResult.died(outcome))
    if output is None:
        return Returned(outcome.value)
    if output == 0 and (isinstance(outcome.value, np.ndarray | Table) or hasattr(outcome.value, "toarray")):
        return Returned(outcome.value)  # the first part came alone
    if not isinstance(outcome.value, tuple | list) or len(outcome.value) <= output:
        failed = CaseResult(0.0, Code.STRUCTURE, "it did not return a tuple with all its parts")
        return Returned(failed=failed)
    return Returned(outcome.value[output])


def part_of(value: Any, output: int | None) -> Any:
    """Return the part of a result of the reference at the place `output`, or all of it."""
    return value if output is None else value[output]
