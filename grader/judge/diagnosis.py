"""Names the mistake behind the results of a function, if one explains them and no other comes near.

    results  ~  known mistakes  ->  two known mistakes  ->  transformations of the right result  ->  unknown

A name is given where the results agree with a prediction on every input, and with no other prediction by a
margin; where several agree, all are listed and none is chosen. Results that carry no information
(exceptions, NaN, constants) agree with too much: no name rests on them. Where some inputs give no numbers, a
mistake in the others is named all the same. Pure; student code is not run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from grader.judge.patterns import COMBINABLE, TRANSFORMATIONS, transformed
from grader.numerics.residual import SEPARATED, residual
from grader.plan.plan import Candidates
from grader.records import (
    Candidate,
    Code,
    Diagnosis,
    DiagnosisKind,
    Outcome,
    OutcomeKind,
    Prediction,
    Verdict,
    VerdictKind,
)

MARGIN = 10.0  # times nearer than the next best explanation
EXACT = 1e-6  # for explanations that are put together, of which there are many
FAR = 0.1
LEAST_INPUTS = 2  # with finite numbers, where other inputs gave none


def diagnose(candidates: Candidates, outcomes: Mapping[str, Outcome]) -> Diagnosis | None:
    """Return what explains the outcomes; None if they are right, or if nothing came back at all."""
    observed = _observed(candidates, outcomes)
    right = candidates.right()
    if not any(seen.parts is not None for seen in observed.values()):
        return None
    wrong = residual(observed, right)
    if wrong <= candidates.rtol:
        return None
    numbers = {call: seen for call, seen in observed.items() if _finite(seen)}
    if not _informative(numbers.values()):
        return Diagnosis(DiagnosisKind.UNKNOWN)

    found = _explained(candidates, observed, right, wrong)
    if found is None and len(numbers) < len(observed):
        wrong = residual(numbers, right)
        if wrong > candidates.rtol and len(numbers) >= LEAST_INPUTS:
            found = _explained(candidates, numbers, right, wrong)
            if found is not None:
                found = replace(found, credit=0.0, inputs=f"{len(numbers)} of {len(observed)}")
    return found or Diagnosis(DiagnosisKind.UNKNOWN)


def _finite(seen: Prediction) -> bool:
    """Whether what came back are finite numbers."""
    return bool(seen.parts) and all(bool(np.isfinite(part).all()) for part in seen.parts or ())


def _informative(results: Iterable[Prediction]) -> bool:
    """Whether results of finite numbers differ from one number everywhere, such as zero."""
    entries = [np.ravel(part) for seen in results for part in seen.parts or ()]
    together = np.concatenate(entries) if entries else np.zeros(0)
    return together.size > 0 and bool((together != together[0]).any())


def _explained(
    candidates: Candidates, observed: Mapping[str, Prediction], right: Candidate, wrong: float
) -> Diagnosis | None:
    """Return the simplest explanation; None if none fits."""
    for explanations, rtol in _explanations(candidates, observed, right):
        found = _best(explanations, observed, rtol, wrong)
        if found is not None:
            return found
    return None


def needs_diagnosis(verdict: Verdict) -> bool:
    """Whether a verdict says that something is wrong, and not only because of another function."""
    return verdict.kind in (VerdictKind.FAILED, VerdictKind.PARTIAL) and verdict.code != Code.FOLLOW_THROUGH


def _observed(candidates: Candidates, outcomes: Mapping[str, Outcome]) -> dict[str, Prediction]:
    """Return what came back of each call, as far as it can be compared with a prediction."""
    found = {}
    for call in candidates.calls:
        outcome = outcomes.get(call.id)
        if outcome is None:
            continue
        if outcome.kind is OutcomeKind.RETURNED:
            found[call.id] = candidates.observed(call.id, outcome.value)
        elif outcome.kind is OutcomeKind.RAISED and outcome.fault is not None:
            # An exception that the student made is like the one of Python that it is one of.
            found[call.id] = Prediction(raised=(*outcome.fault.bases, outcome.fault.type)[0])
        else:
            found[call.id] = Prediction(raised=outcome.kind.value)
    return found


def _explanations(
    candidates: Candidates, observed: Mapping[str, Prediction], right: Candidate
) -> Iterable[tuple[Iterable[Candidate], float]]:
    """Yield explanations, the simplest first, each kind with the difference that it allows.

    Nothing is done to a fingerprint as it could be done to a result: only known mistakes explain it.
    """
    exact = min(EXACT, candidates.rtol)
    yield candidates.single(), candidates.rtol
    # Of two mistakes together, one must show in numbers: that the other ends in NaN explains nothing.
    numbers = {call: seen for call, seen in observed.items() if _finite(seen)}
    shown = residual(numbers, right) > candidates.rtol
    if not candidates.whole:
        yield candidates.pairs() if shown else (), candidates.rtol
        return
    if not shown:
        return
    lengths = {call: candidates.lengths(call) for call in observed}
    yield (*transformed(right, observed, lengths, TRANSFORMATIONS), *candidates.arguments()), exact
    yield transformed(right, observed, lengths, TRANSFORMATIONS, by_part=True), exact
    yield candidates.pairs(), exact
    both = (new for known in candidates.single() for new in transformed(known, observed, lengths, COMBINABLE))
    yield both, exact


def _best(
    explanations: Iterable[Candidate], observed: Mapping[str, Prediction], rtol: float, wrong: float
) -> Diagnosis | None:
    """Return the explanation that fits, or those that fit equally well; None if none does."""
    ranked = sorted(
        ((residual(observed, candidate, FAR), candidate) for candidate in explanations),
        key=lambda pair: pair[0],
    )
    if not ranked or not ranked[0][0] <= rtol:
        return None
    nearest, best = ranked[0]
    others = [  # but for those that the course declares to be the same mistake in their results
        (away, other)
        for away, other in ranked[1:]
        if not (best.same_as & set(other.codes) or other.same_as & set(best.codes))
    ]
    margin = min([away for away, _ in others[:1]] + [wrong])
    if margin > max(MARGIN * nearest, SEPARATED):
        return Diagnosis(
            DiagnosisKind.NAMED, best.codes, best.names, best.message, best.credit, nearest, min(margin, 1.0)
        )
    close = [best, *(other for away, other in others if away <= max(MARGIN * nearest, SEPARATED))]
    own = [candidate for candidate in close if candidate.own]
    if len(own) == 1 and own[0].codes and wrong > max(MARGIN * nearest, SEPARATED):
        # The others are made in a function that this one calls, and they do the same.
        best = own[0]
        return Diagnosis(
            DiagnosisKind.NAMED, best.codes, best.names, best.message, best.credit, nearest, min(wrong, 1.0)
        )
    named = {"+".join(candidate.codes): ", and ".join(candidate.names) for candidate in close}
    codes, names = tuple(named), tuple(named.values())
    return Diagnosis(DiagnosisKind.AMBIGUOUS, codes, names, residual=nearest, margin=min(margin, 1.0))
