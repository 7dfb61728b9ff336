"""Everything that was judged, for programs."""

from __future__ import annotations

import json

from pydantic import TypeAdapter

from grader.exports import Gradebook
from grader.records import Score

FILE = "grades.json"
SCORES = TypeAdapter(list[Score])


def export(gradebook: Gradebook) -> str:
    """Return all scores with their verdicts as JSON, a submission a line."""
    rubric = gradebook.rubric
    course = {
        "assignment": rubric.assignment,
        "title": rubric.title,
        "made": dict(gradebook.made),
        "max_points": rubric.sheet_points,
    }
    head = json.dumps(course, indent=1, ensure_ascii=False).removesuffix("\n}")
    lines = []
    for score in gradebook.scores:
        totals = {"points": score.points, "max_points": score.max_points, "pending": score.pending_points}
        content = SCORES.dump_python([score], mode="json")[0]
        for question in content["questions"]:
            question.pop("code", None)
            for check in question["checks"]:
                check["verdict"]["evidence"].pop("plot", None)
                for step in check["verdict"]["evidence"]["steps"]:
                    step.pop("shown")  # MathML, for the page
        row = {"submission": content.pop("submission"), **totals, **content}
        lines.append(json.dumps(row, ensure_ascii=False))
    body = ",\n  ".join(lines)
    return f'{head},\n "submissions": [\n  {body}\n ]\n}}\n'
