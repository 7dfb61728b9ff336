"""Judging an observation: a verdict for each check, a name for each mistake, and what follows from mistakes.

    observation  -->  verdicts  -->  diagnoses  -->  verdicts of what is right given other mistakes

A mistake costs once: what follows from it in another function is right. If the mistake is a known one, such a
result counts by itself; if not, a person decides. A result that trips a check has no form that can be judged,
and fails it. If the right result trips it too, the fault is ours: a person decides that check.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace

from grader.checks.base import OTHER_FORM, PlannedCase, Trusted
from grader.checks.forbidden import ForbiddenCheck
from grader.course.rubric import Rubric
from grader.decode import travelled
from grader.errors import GraderError
from grader.judge.diagnosis import diagnose, needs_diagnosis
from grader.judge.information import says_nothing
from grader.judge.reordered import reordered
from grader.plan.plan import Plan
from grader.records import (
    Code,
    Diagnosis,
    DiagnosisKind,
    Observation,
    Outcome,
    OutcomeKind,
    Verdict,
    VerdictKind,
)
from grader.subjects import Case

LOG = logging.getLogger(__name__)
NOT_JUDGED = Verdict(
    VerdictKind.INCONCLUSIVE,
    0.0,
    "It could not be judged, through our fault: a person decides.",
    Code.NOT_JUDGED,
)
RECOGNISED = 0.5  # of the points must be earned by what is put in order
NO_FORM = Verdict(VerdictKind.FAILED, 0.0, "What it returned has no form that can be judged.", Code.STRUCTURE)
SAME = "What it returned is the same for every input, or only zeros and NaN: that shows no work on this task."
Verdicts = Mapping[tuple[str, str], Verdict]


def judge(
    observation: Observation, rubric: Rubric, plan: Plan, trusted: Trusted
) -> tuple[dict[tuple[str, str], Verdict], dict[str, Diagnosis]]:
    """Return the verdicts by (question, check), and the diagnoses by question, where something is wrong."""
    judged = dict(verdicts(observation, rubric, plan, trusted))
    judged |= _in_order(judged, observation, rubric, plan, trusted)
    judged |= _without_information(judged, observation.outcomes, rubric, plan)
    diagnoses = _diagnoses(judged, observation, plan)
    judged |= _without_work(judged, diagnoses)
    judged |= _followed_through(judged, diagnoses, observation.outcomes, rubric, plan, trusted)
    judged |= _left_to_a_person(judged, diagnoses, rubric)
    judged |= _lost_before(judged, rubric)
    wrong = _wrong(judged)
    return judged, {question: found for question, found in diagnoses.items() if question in wrong}


def verdicts(
    observation: Observation,
    rubric: Rubric,
    plan: Plan,
    trusted: Trusted,
    *,
    function: str = "",
    only: str = "",
) -> Iterator[tuple[tuple[str, str], Verdict]]:
    """Yield the verdict of every check (about one function, of one question only) by (question, check)."""
    questions = {question.id: question for question in rubric.questions}
    for planned in plan.checks:
        question = questions[planned.question]
        if (not function or question.about == function) and (not only or question.id == only):
            facts = observation.functions[question.about]
            if isinstance(planned.check, ForbiddenCheck):
                made = (observation.outcomes.get(c.id) for c in plan.calls if c.function == question.about)
                imported = {name for outcome in made if outcome is not None for name in outcome.imported}
                facts = replace(facts, calls=facts.calls | imported)
            verdict = NOT_JUDGED
            with _logged(f"the check {'.'.join(planned.key)}"):
                try:
                    verdict = planned.check.judge(planned.cases, observation.outcomes, facts, trusted)
                except GraderError:
                    raise
                except Exception:
                    # The fault is that of the results if the right ones can be judged, else it is ours.
                    right = {call: each for case in planned.cases for call, each in _right(case, trusted)}
                    planned.check.judge(planned.cases, right, facts, trusted)
                    LOG.warning("%s: what was returned has no form that can be judged", ".".join(planned.key))
                    verdict = NO_FORM
            yield planned.key, verdict


def _without_information(
    judged: Verdicts, outcomes: Mapping[str, Outcome], rubric: Rubric, plan: Plan
) -> dict[tuple[str, str], Verdict]:
    """Return the verdicts on functions that return the same whatever the input: they earn nothing."""
    questions = {question.id: question for question in rubric.questions}
    cases = [case for check in plan.checks for case in check.cases]
    found = {}
    for name in {question.about for question in rubric.questions if question.about}:
        # One call for each input: a second one on it, or on it moved, may well give the same.
        own = {case.calls[0].id for case in cases if case.calls and case.calls[0].function == name}
        aided = {case.aided[0].id for case in cases if case.aided and case.aided[0].function == name}
        results = [[outcomes[call] for call in calls if call in outcomes] for calls in (own, aided)]
        if not all(says_nothing(made) for made in results if made) or not any(results):
            continue
        for key, verdict in judged.items():
            if questions[key[0]].about == name and verdict.fraction > 0.0:
                found[key] = Verdict(VerdictKind.FAILED, 0.0, SAME, Code.CONSTANT)
    return found


def _without_work(judged: Verdicts, diagnoses: Mapping[str, Diagnosis]) -> dict[tuple[str, str], Verdict]:
    """Return the verdicts on functions that do nothing, such as to return an argument."""
    nothing = {}
    for key, verdict in judged.items():
        found = diagnoses.get(key[0])
        if found is not None and not found.work and verdict.fraction > 0.0:
            message = f"What came back shows no work on this task: {found.names[0]}."
            nothing[key] = Verdict(VerdictKind.FAILED, 0.0, message, Code.CONSTANT)
    return nothing


def _in_order(
    judged: Verdicts, observation: Observation, rubric: Rubric, plan: Plan, trusted: Trusted
) -> dict[tuple[str, str], Verdict]:
    """Return the verdicts of functions whose parts are right, but in another order or transposed."""
    found: dict[tuple[str, str], Verdict] = {}
    for question in rubric.questions:
        if not any(judged[question.id, check.id].code in OTHER_FORM for check in question.checks):
            continue
        checks = {(question.id, check.id): check.points for check in question.checks}
        cases = [case for check in plan.checks if check.question == question.id for case in check.cases]
        made = [call for case in cases for call in (*case.calls, *case.aided)]
        calls = {call.id for call in made if call.function == question.about and call.sweep is None}
        tried = []
        for words, outcomes in reordered(observation.outcomes, calls):
            changed = replace(observation, outcomes=outcomes)
            new = dict(verdicts(changed, rubric, plan, trusted, only=question.id))
            tried.append((sum(new[key].fraction * checks[key] for key in checks), words, new))
        worth, _, best = max(tried, key=lambda each: each[0], default=(0.0, "", {}))
        earned, share = sum(judged[key].fraction * checks[key] for key in checks), 1.0 - question.order
        if worth >= RECOGNISED * question.points and share * worth > earned:
            words = ", or ".join(words for same, words, _ in tried if same == worth)
            lead = f"{words[:1].upper()}{words[1:]}: judged as if that were right."
            for key, verdict in best.items():
                fraction = share * verdict.fraction
                if fraction > judged[key].fraction:
                    kind = VerdictKind.PASSED if fraction == 1.0 else VerdictKind.PARTIAL
                    message = f"{lead} {verdict.message}".rstrip()
                    found[key] = replace(
                        verdict, kind=kind, fraction=fraction, message=message, code=Code.OTHER_ORDER
                    )
    return found


def _right(case: PlannedCase, trusted: Trusted) -> Iterator[tuple[str, Outcome]]:
    """Yield the outcomes of the calls of a case if the reference were handed in."""
    for call in case.calls:
        if call.sweep is None:
            own = Case(call.id, call.args, call.keywords, {}, call.construct, call.before, call.collect)
            value = trusted.answered(call, case.inputs if call is case.calls[0] else own, {})
            yield call.id, Outcome(OutcomeKind.RETURNED, travelled(value), args_after=call.args)


@contextlib.contextmanager
def _logged(what: str) -> Iterator[None]:
    """Log what a student's results make the judge trip over, and go on."""
    try:
        yield
    except GraderError:
        raise
    except Exception:
        LOG.exception("%s could not be judged", what)


def _diagnoses(judged: Verdicts, observation: Observation, plan: Plan) -> dict[str, Diagnosis]:
    """Name the mistakes of the questions in which something is wrong that does not follow from another."""
    found: dict[str, Diagnosis] = {}
    for question in sorted(_wrong(judged) & plan.candidates.keys()):
        diagnosis: Diagnosis | None = Diagnosis(DiagnosisKind.UNKNOWN)
        with _logged(f"the mistake in {question}"):
            diagnosis = diagnose(plan.candidates[question], observation.outcomes)
        if diagnosis is not None:
            found[question] = diagnosis
    return found


def _wrong(judged: Verdicts) -> set[str]:
    return {question for (question, _), verdict in judged.items() if needs_diagnosis(verdict)}


def _followed_through(
    judged: Verdicts,
    diagnoses: Mapping[str, Diagnosis],
    outcomes: Mapping[str, Outcome],
    rubric: Rubric,
    plan: Plan,
    trusted: Trusted,
) -> dict[tuple[str, str], Verdict]:
    """Return the verdicts of results that are right given mistakes named in functions that they build on."""
    questions = {question.id: question for question in rubric.questions}
    named = {
        questions[question].about: found.codes
        for question, found in diagnoses.items()
        if found.kind is DiagnosisKind.NAMED
    }
    followed = {}
    for planned in plan.checks:
        before, check = judged[planned.key], planned.check
        codes = [code for name in check.functions for code in named.get(name, ())]
        if not codes or not needs_diagnosis(before):
            continue
        verdict = None
        with _logged(f"the check {'.'.join(planned.key)}, given other mistakes,"):
            verdict = check.judge_given(planned.cases, outcomes, trusted, codes)
        if verdict is not None and verdict.fraction > before.fraction:
            followed[planned.key] = verdict
    return followed


def _lost_before(judged: Verdicts, rubric: Rubric) -> dict[tuple[str, str], Verdict]:
    """Return the verdicts of checks whose slip an earlier question has paid for.

    It is that slip only where all that the check requires is right.
    """
    paid: dict[str, str] = {}
    free = {}
    for question in rubric.questions:
        for check in question.checks:
            verdict = judged[question.id, check.id]
            if check.once is None or not needs_diagnosis(verdict):
                continue
            if any(judged[question.id, name].kind is not VerdictKind.PASSED for name in check.requires):
                continue
            first = paid.setdefault(check.once, question.title)
            if first != question.title:
                message = f"{verdict.message}. It costs nothing here, as “{first}” has lost points for it"
                free[question.id, check.id] = replace(
                    verdict, kind=VerdictKind.PASSED, fraction=1.0, message=message, code=Code.COSTS_ONCE
                )
    return free


def _left_to_a_person(
    judged: Verdicts, diagnoses: Mapping[str, Diagnosis], rubric: Rubric
) -> dict[tuple[str, str], Verdict]:
    """Return verdicts that wait for a person: right given functions in which no known mistake was found.

    A mistake costs once, so what follows from it is right. But a function may also be one of another task,
    such as a cost whose gradient is easy to write, or be right only where it is checked itself: then there is
    no known mistake in it. A gradient that is near the right one is of this task, if the cost is wrong.
    """
    questions = {question.id: question for question in rubric.questions}
    checks = {(question.id, check.id): check for question in questions.values() for check in question.checks}

    def mistakes(function: str, seen: frozenset[str] = frozenset()) -> set[bool]:
        """Return whether the mistakes of a function, in itself or in what it builds on, are known ones."""
        found: set[bool] = set()
        for key in (key for key in judged if questions[key[0]].about == function):
            verdict, diagnosis = judged[key], diagnoses.get(key[0])
            if needs_diagnosis(verdict):
                found.add(diagnosis is not None and diagnosis.kind is DiagnosisKind.NAMED)
            elif verdict.kind not in (VerdictKind.PASSED, VerdictKind.PARTIAL):
                found.add(False)
            if verdict.follows or verdict.code == Code.RIGHT_BY_ITSELF:
                for name in set(checks[key].builds_on) - seen:
                    found |= mistakes(name, seen | {function})
        return found

    waiting = {}
    for key, verdict in judged.items():
        given = checks[key].builds_on if verdict.follows else ()
        known = set[bool]().union(*map(mistakes, given))
        if given and (not known or (False in known and not verdict.near)):
            message = (
                f"It is right given your own {' and '.join(given)}, but no known mistake explains that: "
                "a person decides what it is worth."
            )
            waiting[key] = replace(
                verdict,
                kind=VerdictKind.INCONCLUSIVE,
                fraction=0.0,
                message=message,
                code=Code.FOLLOW_THROUGH_UNDECIDED,
            )
    return waiting
