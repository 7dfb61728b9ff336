"""What people read of a submission, and which answers of a course are alike: these are judged once.

Written answers are alike if their words are. Functions are alike if the checks said the same of them, for the
same known mistake or with the same results.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from grader.course.rubric import Question
from grader.given_answer import GivenAnswer
from grader.inside import wire
from grader.plan.plan import Course
from grader.reading import Shown
from grader.records import DiagnosisKind, Observation, Outcome, QuestionScore, Score

DIGITS = 4  # of a number of a result that are compared
WORDS = re.compile(r"[^\W_]+|[+*/=<>^|\\-]")


def answers_of(observation: Observation, score: Score, course: Course) -> Iterator[GivenAnswer]:
    """Yield what a person reads of each question, as far as the notebook has it."""
    whole = observation.written.get("")
    if whole is not None:
        yield GivenAnswer("", whole.text, whole.html, "", _digest(whole.html))
    scored = {question.id: question for question in score.questions}
    for question in course.rubric.questions:
        shown = answer_to(question, observation.written)
        if shown is not None:
            words = " ".join(WORDS.findall(shown.text.casefold()))
            yield GivenAnswer(question.id, shown.text, shown.html, _digest(words), _digest(shown.html))
        elif question.about and not question.manual and question.id in scored:
            code = observation.listed.get(question.about)
            calls = [call.id for call in course.calls.get(question.about, ())]
            alike = behaviour(scored[question.id], calls, observation.outcomes)
            html = code.html if code is not None else ""
            yield GivenAnswer(question.id, "", html, alike, _digest(f"{html} {alike}"))


def answer_to(question: Question, written: Mapping[str, Shown]) -> Shown | None:
    """Return the answer to a question that a person reads: by its id, or by what its `text` says."""
    if not question.manual:
        return None
    return written.get(question.id) or written.get(question.text or question.id)


def behaviour(question: QuestionScore, calls: Sequence[str], outcomes: Mapping[str, Outcome]) -> str:
    """Return a digest of how a function behaves in its `calls`: two with the same one are judged alike."""
    said = [
        (c.id, c.verdict.kind.value, round(c.verdict.fraction, 6), c.verdict.code) for c in question.checks
    ]
    if question.diagnosis is not None and question.diagnosis.kind is DiagnosisKind.NAMED:
        return _digest(f"{said} {sorted(question.diagnosis.codes)}")
    if question.points == question.max_points:
        return _digest(str(said))
    made = [(name, outcomes[name]) for name in sorted(calls) if name in outcomes]
    results = [(name, outcome.kind.value, _coarse(outcome)) for name, outcome in made]
    return _digest(f"{said} {results}")


def _coarse(outcome: Outcome) -> str:
    """Return a text of what a call returned, in which numbers that are almost the same are the same."""
    if outcome.fault is not None:
        return f"{outcome.fault.type}: {outcome.fault.message}"
    try:
        return hashlib.sha256(wire.encode(_rounded(outcome.value))).hexdigest()
    except (wire.WireError, TypeError, ValueError, OverflowError, RecursionError):
        return "a result of another kind"


def _rounded(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_rounded(each) for each in value]
    if isinstance(value, dict):
        return [(_rounded(name), _rounded(each)) for name, each in value.items()]
    if isinstance(value, int | float | complex | np.ndarray | np.generic) and not isinstance(value, bool):
        numbers = np.asarray(value)
        if numbers.dtype.kind == "c":
            return _rounded(np.stack([numbers.real, numbers.imag]))
        if numbers.dtype.kind in "iuf" and numbers.size:
            with np.errstate(all="ignore"):
                numbers = numbers.astype(float)
                largest = np.max(np.abs(numbers[np.isfinite(numbers)]), initial=0.0)
                # relative to the largest entry: what is rounding beside it is no difference
                step = 10.0 ** (np.floor(np.log10(largest)) + 1 - DIGITS) if largest > 0 else 1.0
                return np.rint(numbers / step) * step + 0.0
        return value
    return value


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:24]
