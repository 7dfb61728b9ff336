"""The gradebook as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter

from grader.course.rubric import Rubric
from grader.records import Score, Status

FIRST = ("submission", "status", "score", "max_score")
FORMULA = ("=", "+", "-", "@")
SCORES = TypeAdapter(list[Score])


def grades_csv(scores: Iterable[Score], rubric: Rubric) -> str:
    """Return the gradebook: `submission,status,score,max_score`, then a column for each question.

    `score` counts what is decided, `max_score` what could be earned in it; a question that waits for a
    person is an empty cell, and so is every number of a submission that we failed to grade.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*FIRST, *(question.id for question in rubric.questions)])
    for score in scores:
        decided = score.status is not Status.NOT_GRADED
        totals = (score.points, score.max_points) if decided else (None, None)
        points = {question.id: question.points for question in score.questions}
        cells = [_number(points.get(question.id)) for question in rubric.questions]
        writer.writerow([_text(score.submission), score.status.value, *map(_number, totals), *cells])
    return text.getvalue()


def grades_json(scores: Iterable[Score], rubric: Rubric, made: Mapping[str, Any]) -> str:
    """Return everything that was judged as JSON, a submission a line; `made` says how (versions, tier)."""
    course = {
        "assignment": rubric.assignment,
        "title": rubric.title,
        "made": dict(made),
        "max_points": sum(question.points for question in rubric.questions),
    }
    head = json.dumps(course, indent=1, ensure_ascii=False).removesuffix("\n}")
    lines = ",\n  ".join(json.dumps(_submission(score), ensure_ascii=False) for score in scores)
    return f'{head},\n "submissions": [\n  {lines}\n ]\n}}\n'


def _submission(score: Score) -> dict[str, Any]:
    totals = {"points": score.points, "max_points": score.max_points, "pending": score.pending_points}
    content: dict[str, Any] = SCORES.dump_python([score], mode="json")[0]
    for question in content["questions"]:
        for check in question["checks"]:
            check["verdict"]["evidence"].pop("plot", None)
    return {"submission": content.pop("submission"), **totals, **content}


def _number(points: float | None) -> str:
    return "" if points is None else f"{points:.10g}"


def _text(value: str) -> str:
    """Return a text on one line that no spreadsheet takes for a formula: an apostrophe keeps it a text."""
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in value)
    return "'" + line if line.lstrip().startswith(FORMULA) else line
