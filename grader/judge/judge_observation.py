"""Judges and scores an observation; pure, and repeatable without observing again."""

from __future__ import annotations

from grader.course.score import score_nothing, score_submission
from grader.judge.verdicts import judge
from grader.plan.plan import Course
from grader.records import Observation, Score, Status


def grade(submission: str, observation: Observation, course: Course) -> Score:
    """Judge and score an observation; runs no student code.

    What cannot be judged of it, through our fault, costs no points: it is for a person to decide.
    """
    judged, diagnoses = judge(observation, course.rubric, course.plan, course.trusted)
    remarks: dict[str, list[str]] = {}
    shares: dict[str, float] = {}
    for question in course.rubric.questions:
        if not question.about:
            continue
        facts = observation.functions[question.about]
        said = remarks[question.id] = []
        if facts.name in observation.in_state:
            said.append(
                "Its code does not run outside the notebook, so it was called in the notebook, right after "
                "its cell."
            )
        if facts.stand_ins:
            names = ", ".join(name for name, _ in facts.stand_ins)
            shares[question.id] = 1.0 - question.notebook_globals
            said.append(
                f"It reads {names} in place of an argument: right in the notebook, wrong as a function. "
                f"It was judged as if {names} were the argument, and earns {shares[question.id]:.0%} of that."
            )
        elif facts.notebook_globals:
            names = ", ".join(facts.notebook_globals)
            said.append(f"It reads {names} from the notebook instead of from its arguments.")
        outcomes = [observation.outcomes.get(call.id) for call in course.calls[facts.name] if call.keywords]
        ignored = {name for outcome in outcomes if outcome for name in outcome.ignored}
        if ignored:
            said.append(f"It does not take the argument {', '.join(sorted(ignored))}; it was called without.")
    return score_submission(submission, course.rubric, judged, remarks, diagnoses, shares)


def unreadable(submission: str, reason: str, course: Course) -> Score:
    """Return the score of a file that is no notebook."""
    return score_nothing(
        submission, course.rubric, Status.UNREADABLE, f"There is no notebook to grade: {reason}."
    )


def not_graded(submission: str, reason: str, course: Course) -> Score:
    """Return the score of a submission that we failed to grade: no points, and no loss of points."""
    return score_nothing(
        submission, course.rubric, Status.NOT_GRADED, f"Not graded, through our fault: {reason}."
    )
