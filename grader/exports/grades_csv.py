"""The gradebook as a table for spreadsheets."""

from __future__ import annotations

import csv
import io
import re

from grader.exports import Gradebook
from grader.records import Status

FILE = "grades.csv"
FIRST = ("submission", "status", "score", "max_score")
# What begins a formula, wide forms too, at the start or behind what some spreadsheets separate columns by.
FORMULA = re.compile(r"(^|[;,\t|])(\s*)(?=[=+\-@＝＋－＠])")


def export(gradebook: Gradebook) -> str:
    """Return the table: `submission,status,score,max_score`, then a column for each question.

    `score` counts what is decided, `max_score` what could be earned in it; a question that waits for a
    person is an empty cell, and so is every number of a submission that we failed to grade.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    questions = gradebook.rubric.questions
    writer.writerow([*FIRST, *(question.id for question in questions)])
    for score in gradebook.scores:
        decided = score.status is not Status.NOT_GRADED
        totals = (score.points, score.max_points) if decided else (None, None)
        points = {question.id: question.points for question in score.questions}
        numbers = [*totals, *(points.get(question.id) for question in questions)]
        cells = ["" if number is None else f"{number:.10g}" for number in numbers]
        writer.writerow([spreadsheet_text(score.submission), score.status.value, *cells])
    return text.getvalue()


def spreadsheet_text(value: str) -> str:
    """Return a text on one line that no spreadsheet takes for a formula: an apostrophe keeps it a text."""
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in value)
    return FORMULA.sub(r"\1'\2", line)
