"""What one case of a check earned, and how the cases of a check become one verdict.

A case earns a fraction between 0 and 1. The verdict of the check is their mean (or, where the rubric says
`by_case: false`, the smallest), with the words of the worst case. Cases that cannot be decided do not count,
unless none can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from grader.checks.outcomes import explain
from grader.records import Code, Evidence, Outcome, OutcomeKind, Plot, Verdict, VerdictKind

SAME_FACTOR = 1e-2  # relative difference of two factors that are one
MOST_LABELS = 2  # of inputs that are told in a sentence


@dataclass(frozen=True)
class CaseResult:
    """A fraction of the points, with a stable code, a sentence, facts, and whether nothing can be said.

    `ours` if nothing can be said because we did not make the call: then nothing is said of the check.
    `near` if a result that is right given the student's own functions is also near that of the reference.
    `factor` is that of a result which is right but for a constant one, `close` what the size of its error
    earns by itself, `input` the label of the case.
    """

    fraction: float
    code: str = ""
    message: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    plot: Plot | None = None
    inconclusive: bool = False
    ours: bool = False
    near: bool = False
    factor: float | None = None
    close: float = 0.0
    input: str = ""

    @classmethod
    def died(cls, outcome: Outcome | None) -> CaseResult:
        """Return the result of a call that gave no value; that it was not made is no fault of the student."""
        ours = outcome is None or outcome.kind is OutcomeKind.GRADER_FAULT
        code = outcome.kind.value if outcome else Code.NOT_CALLED
        return cls(0.0, code, explain(outcome), inconclusive=ours, ours=ours)


def combined(results: Sequence[CaseResult], *, by_case: bool) -> Verdict:
    """Make one verdict of the results of the cases that say something.

    It is inconclusive if none does, or if a call was not made: the others may be those that are easy.
    """
    ours = [result for result in results if result.ours]
    results = ours or [result for result in results if not result.inconclusive] or results
    results = _without_chance(with_one_factor(results))
    following = [each for each in results if each.code == Code.FOLLOW_THROUGH and each.fraction > 0.0]
    follows, near = bool(following), bool(following) and all(result.near for result in following)
    fractions = [result.fraction for result in results]
    fraction = float(np.mean(fractions)) if by_case else min(fractions)
    worst = min(results, key=lambda result: result.fraction)
    plot = worst.plot or next((result.plot for result in results if result.plot), None)
    evidence = Evidence(worst.facts, plot)
    message = _sentence(results)
    if results[0].inconclusive:
        return Verdict(VerdictKind.INCONCLUSIVE, fraction, message, Code.INCONCLUSIVE, evidence)
    if all(fraction == 1.0 for fraction in fractions):
        code = next((result.code for result in results if result.code), "")
        return Verdict(VerdictKind.PASSED, 1.0, message, code, evidence, follows=follows, near=near)
    kind = VerdictKind.FAILED if fraction == 0.0 else VerdictKind.PARTIAL
    return Verdict(kind, fraction, message, worst.code, evidence, follows=follows, near=near)


def with_one_factor(results: Sequence[CaseResult]) -> Sequence[CaseResult]:
    """Return the results; a factor that differs from input to input is no constant one: it earns nothing."""
    factors = [result.factor for result in results if result.factor is not None]
    if not factors or max(factors) - min(factors) <= SAME_FACTOR * max(map(abs, factors)):
        return results
    message = "it is right up to a factor that differs from input to input"
    return [
        result
        if result.factor is None
        else replace(result, fraction=result.close, code=Code.VALUES, message=message)
        for result in results
    ]


def _without_chance(results: Sequence[CaseResult]) -> Sequence[CaseResult]:
    """Return the results; those that are close on few of the inputs that are wrong are so by chance."""
    wrong = [result for result in results if result.fraction < 1.0]
    if 2 * sum(result.close > 0.0 for result in wrong) >= len(wrong):
        return results
    return [
        replace(result, fraction=max(0.0, result.fraction - result.close))
        if result.code == Code.VALUES
        else result
        for result in results
    ]


def _sentence(results: Sequence[CaseResult]) -> str:
    """Put the results of the cases into one sentence: what is wrong on the worst of them, and on how many."""
    right = sum(result.fraction == 1.0 for result in results)
    total = len(results)
    worst = min(results, key=lambda result: result.fraction)
    wrong = list(dict.fromkeys(result.input for result in results if result.fraction < 1.0))
    if right == total:
        text = next((result.message for result in results if result.message), "")
    elif not worst.message or total == 1:
        text = worst.message
    elif len({result.message for result in results}) == 1:
        text = f"on every input: {worst.message}"
    elif right and all(wrong) and len(wrong) <= MOST_LABELS:
        text = f"right on {right} of {total} inputs, wrong with {' and with '.join(wrong)}: {worst.message}"
    else:
        lead = f"right on {right} of {total} inputs" if right else "wrong on every input"
        text = f"{lead}; on input {list(results).index(worst) + 1}, {worst.message}"
    return text[:1].upper() + text[1:]
