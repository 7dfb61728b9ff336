"""Runs the reference's notebook as a hand-in is run: it alone shows variables, files and figures."""

from __future__ import annotations

import nbformat

from grader.course.rubric import Rubric
from grader.observe.observe_submission import observe
from grader.observe.sandbox import PlainSandbox
from grader.plan.plan import Course
from grader.records import HandIn, Observation
from grader.store import Store


def needs_a_run(rubric: Rubric) -> frozenset[str]:
    """Return the questions that are judged by what a run of the notebook left, or by the words of a text."""
    return frozenset(
        question.id
        for question in rubric.questions
        if question.subject is not None
        and not question.subject.is_called
        and any(not check.for_a_person for check in question.checks)
    )


def observe_reference(course: Course) -> Observation:
    """Return the observation of the reference's notebook; it is the course's own code, and has no walls."""
    notebook = str(nbformat.writes(course.assignment.notebook)).encode()
    with Store(None) as store:
        return observe(HandIn(notebook), course, PlainSandbox(), store)
