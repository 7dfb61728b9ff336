"""Gradescope: the results of one submission, as an autograder hands them over (`results.json`).

{"score": 24, "output": "...", "tests": [{"name", "score", "max_score", "status", "output", "visibility"}]}
"""

from __future__ import annotations

import json
from typing import Any

from grader.attempt import FOR_STAFF
from grader.errors import UsageError
from grader.gradebooks.book import Book
from grader.records import QuestionScore, Score, Status, VerdictKind
from grader.report.mistake import explain


def gradescope_results(book: Book) -> bytes:
    """Return `results.json`; raise UsageError if the book has more than one submission."""
    counting = {row.score.submission: row for row in book.rows}
    if len(counting) != 1:
        raise UsageError(
            f"results.json is of one submission, and there are {len(counting)}: give --student, or use the "
            "autograder, which runs once for each"
        )
    (row,) = counting.values()
    score = row.score
    if score.status is Status.NOT_GRADED:  # Gradescope shows a run without results as failed: it is
        raise UsageError(f"{score.submission} was not graded: {score.message}")
    lines = [row.words, *(remark for remark in score.remarks if not remark.startswith(FOR_STAFF))]
    content: dict[str, Any] = {
        "score": row.total.points,
        "output": "\n".join(filter(None, lines)),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [_test(question, score) for question in score.questions],
    }
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode(errors="replace")


def _test(question: QuestionScore, score: Score) -> dict[str, Any]:
    """Return a question as a test: what was found, in the words of the page of feedback."""
    lines = []
    mistake = explain(question.diagnosis)
    if mistake is not None:
        lines += [f"{mistake.lead}: {' '.join(mistake.mistakes)}", mistake.message]
    for check in question.checks:
        lines.append(f"{check.title}: {check.points:.4g} of {check.max_points:.4g}")
        if check.verdict.kind is not VerdictKind.PASSED:
            lines += [f"  {text}" for text in (check.verdict.message, check.feedback) if text]
    lines += question.remarks
    test: dict[str, Any] = {
        "name": question.title,
        "max_score": question.max_points,
        "output": "\n".join(filter(None, lines)),
        "output_format": "text",
        "visibility": "visible",
    }
    if question.points is None:
        test["output"] = "\n".join(filter(None, ["A person gives these points.", test["output"]]))
        return test
    earned = question.points >= question.max_points - 1e-9
    return {**test, "score": question.points, "status": "passed" if earned else "failed"}
