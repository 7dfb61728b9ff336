"""One verdict a check: goes through the cases of a planned check and says what was found.

A case earns a fraction between 0 and 1; the verdict of the check is their mean (or, where the rubric says
`by_case: false`, the smallest), with the words of the worst case. Cases that cannot be decided do not count,
unless none can.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np

from grader.judge import properties
from grader.judge.compare import Tolerance
from grader.judge.freedom import compare_up_to
from grader.judge.gradient import judge_gradient_case
from grader.judge.near_miss import near_miss
from grader.judge.outcomes import why_not_called
from grader.judge.result import CaseResult
from grader.records import (
    Evidence,
    FunctionFacts,
    Outcome,
    OutcomeKind,
    PlannedCheck,
    Plot,
    Verdict,
    VerdictKind,
)
from grader.rubric.model import (
    CheckBase,
    ForbiddenCheck,
    GradientCheck,
    MetricCheck,
    PropertyCheck,
    RaisesCheck,
    ReferenceCheck,
)

Outcomes = Mapping[str, Outcome]
MAX_CURVE = 500


def judge_check(check: CheckBase, planned: PlannedCheck, outcomes: Outcomes, facts: FunctionFacts) -> Verdict:
    """Return what one check says of an observation."""
    if facts.status != "found":
        kind = VerdictKind.NOT_ATTEMPTED if facts.status == "not_attempted" else VerdictKind.FAILED
        return Verdict(kind, 0.0, why_not_called(facts), facts.status)
    if isinstance(check, ForbiddenCheck):
        return _judge_forbidden(check, facts)
    results = [judge_case(check, case, outcomes) for case in planned.context["cases"]]
    return _combined(results, by_case=getattr(check, "by_case", True))


def judge_given(
    check: MetricCheck, planned: PlannedCheck, outcomes: Outcomes, codes: Sequence[str]
) -> Verdict | None:
    """Return the verdict of a result that is right given known mistakes in `check.given`, else None."""
    measure = planned.context["given"].measure(codes)
    if measure is None:
        return None
    cases = [
        (identity, inputs, measure, 0.0, 1.0, picture)
        for identity, inputs, _, _, _, picture in planned.context["cases"]
    ]
    results = [judge_case(check, case, outcomes) for case in cases]
    if any(result.fraction < 1.0 for result in results):
        return None
    message = f"it is right given your own {' and '.join(check.given)}"
    credited = [
        CaseResult(check.given_credit, "follow_through", message, plot=result.plot) for result in results
    ]
    return _combined(credited, by_case=True)


@singledispatch
def judge_case(check: CheckBase, case: tuple[Any, ...], outcomes: Outcomes) -> CaseResult:
    """Return what one check says of one case."""
    raise TypeError(f"no judge for a check of type {type(check).__name__}")


@judge_case.register
def _(check: ReferenceCheck, case: tuple[Any, ...], outcomes: Outcomes) -> CaseResult:
    identity, expected, follow, scale, sensitivity = case
    outcome = outcomes.get(identity)
    if outcome is None or outcome.kind is not OutcomeKind.RETURNED:
        return CaseResult.died(outcome)
    value = outcome.value
    if check.output is not None:
        if not isinstance(value, tuple | list) or len(value) <= check.output:
            return CaseResult(0.0, "structure", "it did not return a tuple with all its parts")
        value = value[check.output]
    rtol = np.inf if check.form_only else check.rtol
    allowed = Tolerance(rtol, check.flatten, scale, sensitivity)
    found = compare_up_to(value, expected, allowed, check.up_to)
    if found.equal:
        return CaseResult(1.0)
    if follow is not None and _right_given_own(check, value, follow, outcomes, allowed):
        message = f"it is right given your own {' and '.join(check.given)}"
        return CaseResult(check.given_credit, "follow_through", message)
    near = near_miss(value, expected, max(check.rtol, 1e-6))
    facts = _error_facts(found.error, found.worst) if found.code != "structure" else ()
    if near is None:
        return CaseResult(0.0, found.code, found.message, facts)
    return CaseResult(check.credit.get(near.code, 0.0), near.code, near.message, facts)


def _right_given_own(
    check: ReferenceCheck, value: Any, follow: Any, outcomes: Outcomes, allowed: Tolerance
) -> bool:
    """Whether a value is what the reference computes from the student's own intermediate results."""
    own = [outcomes.get(call) for call in follow.calls]
    values = [outcome.value for outcome in own if outcome and outcome.kind is OutcomeKind.RETURNED]
    if len(values) < len(own):
        return False
    try:
        with np.errstate(all="ignore"):
            return compare_up_to(value, follow.recompute(values), allowed, check.up_to).equal
    except Exception:  # the reference may trip over whatever a student's function returned
        return False


@judge_case.register
def _(check: GradientCheck, case: tuple[Any, ...], outcomes: Outcomes) -> CaseResult:
    return judge_gradient_case(check, case, outcomes)


@judge_case.register
def _(check: MetricCheck, case: tuple[Any, ...], outcomes: Outcomes) -> CaseResult:
    identity, inputs, measure, full, none, picture = case
    outcome = outcomes.get(identity)
    if outcome is None or outcome.kind is not OutcomeKind.RETURNED:
        return CaseResult.died(outcome)
    try:
        with np.errstate(all="ignore"):
            number = float(measure(outcome.value, inputs))
    except Exception as error:  # a measure may trip over whatever a student's function returned
        return CaseResult(0.0, "unmeasurable", f"what it returned does not have the agreed form ({error})")
    plot = _curves(check.title, picture, outcome.value)
    share = (number - none) / (full - none)
    if not np.isfinite(share):
        return CaseResult(0.0, "not_finite", "what it returned has no finite quality")
    fraction = 1.0 if share >= 1.0 - check.tolerance else max(0.0, share)
    facts = ("measured", f"{number:.4g}"), ("all points at", f"{full:.4g}"), ("no points at", f"{none:.4g}")
    if fraction == 1.0:
        return CaseResult(1.0, facts=facts, plot=plot)
    return CaseResult(fraction, "below_target", f"it reached {number:.4g}", facts, plot)


@judge_case.register
def _(check: PropertyCheck, case: tuple[Any, ...], outcomes: Outcomes) -> CaseResult:
    identity, second, relation, inputs = case
    pair: list[Outcome] = []
    for name in (identity, second or identity):
        outcome = outcomes.get(name)
        if outcome is None or outcome.kind is not OutcomeKind.RETURNED:
            return CaseResult.died(outcome)
        pair.append(outcome)
    first, last = pair
    if check.property == "input_not_mutated":
        size = properties.mutation(inputs.args, first.args_after)
    else:
        size = properties.violation(check.property, first.value, last.value, relation)
    if size <= check.rtol:
        return CaseResult(1.0)
    facts = (("size of the violation", f"{size:.2g}"),) if np.isfinite(size) else ()
    return CaseResult(0.0, check.property, properties.WORDS[check.property], facts)


@judge_case.register
def _(check: RaisesCheck, case: tuple[Any, ...], outcomes: Outcomes) -> CaseResult:
    outcome = outcomes.get(case[0])
    if outcome is not None and outcome.kind is OutcomeKind.RAISED and outcome.fault is not None:
        if outcome.fault.type == check.exception:
            return CaseResult(1.0)
        return CaseResult(0.0, "other_exception", f"it raised {outcome.fault.type}, not {check.exception}")
    if outcome is not None and outcome.kind is OutcomeKind.RETURNED:
        return CaseResult(0.0, "no_exception", f"it returned a result where a {check.exception} is expected")
    return CaseResult.died(outcome)


def _curves(title: str, picture: Any, value: Any) -> Plot | None:
    """Return the curves that the course wants to see of a result, if it has them in the agreed form."""
    if picture is None:
        return None
    try:
        curves = [(name, [float(y) for y in ys][:MAX_CURVE]) for name, ys in picture(value).items()]
    except Exception:  # a picture may trip over whatever a student's function returned
        return None
    if not all(np.isfinite(ys).all() for _, ys in curves):
        return None
    series = tuple(
        (name, tuple((float(x), y) for x, y in enumerate(ys))) for name, ys in curves if len(ys) > 1
    )
    return Plot("line", title, "record", "returned", series) if series else None


def _judge_forbidden(check: ForbiddenCheck, facts: FunctionFacts) -> Verdict:
    used = sorted(
        name for name in facts.calls if any(name == bad or name.startswith(bad + ".") for bad in check.names)
    )
    if not used:
        return Verdict(VerdictKind.PASSED, 1.0, "")
    message = f"The code that it needs uses {', '.join(used)}, which the exercise does not allow."
    return Verdict(VerdictKind.FAILED, 0.0, message, "forbidden")


def _error_facts(error: float, worst: tuple[int, ...]) -> tuple[tuple[str, str], ...]:
    facts = [("relative error", f"{error:.2g}")] if np.isfinite(error) else []
    if worst:
        facts.append(("worst entry", str(worst if len(worst) > 1 else worst[0])))
    return tuple(facts)


@dataclass(frozen=True)
class _Sentence:
    """Puts the results of the cases into one sentence."""

    results: list[CaseResult]

    def text(self) -> str:
        right = sum(result.fraction == 1.0 for result in self.results)
        worst = min(self.results, key=lambda result: result.fraction)
        if right == len(self.results):
            worst = next((result for result in self.results if result.message), worst)
        if not worst.message or right == len(self.results):
            return worst.message[:1].upper() + worst.message[1:]
        place, total = self.results.index(worst) + 1, len(self.results)
        alike = len({result.message for result in self.results}) == 1
        if total == 1 or alike:
            text = worst.message if total == 1 else f"on every input: {worst.message}"
        else:
            lead = f"right on {right} of {total} inputs" if right else "wrong on every input"
            text = f"{lead}; on input {place}, {worst.message}"
        return text[:1].upper() + text[1:]


def _combined(results: list[CaseResult], *, by_case: bool) -> Verdict:
    """Make one verdict of the results of the cases that say something.

    It is inconclusive if none does, or if a call was not made: the others may be those that are easy.
    """
    ours = [result for result in results if result.ours]
    results = ours or [result for result in results if not result.inconclusive] or results
    follows = any(result.code == "follow_through" and result.fraction > 0.0 for result in results)
    fractions = [result.fraction for result in results]
    fraction = float(np.mean(fractions)) if by_case else min(fractions)
    worst = min(results, key=lambda result: result.fraction)
    plot = worst.plot or next((result.plot for result in results if result.plot), None)
    evidence = Evidence(worst.facts, plot)
    message = _Sentence(results).text()
    if results[0].inconclusive:
        return Verdict(VerdictKind.INCONCLUSIVE, fraction, message, "inconclusive", evidence)
    if all(fraction == 1.0 for fraction in fractions):
        code = next((result.code for result in results if result.code), "")
        return Verdict(VerdictKind.PASSED, 1.0, message, code, evidence, follows=follows)
    kind = VerdictKind.FAILED if fraction == 0.0 else VerdictKind.PARTIAL
    return Verdict(kind, fraction, message, worst.code, evidence, follows=follows)
