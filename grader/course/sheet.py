"""What the course's notebook says of each written question: its task, and the course's own answer.

    cells right before the answer's cell, as handed out  -> task
    the answer's cell, as handed out                     -> task, too
    the same cell of the instructor's notebook           -> answer

It is kept with the results for the people who grade; students never get it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from grader.course.assignment import Assignment

MARKERS = re.compile(r"<!-- (?:BEGIN|END) SOLUTION -->")
MOST = 6  # cells of a task before that of the answer


def sheet_text(assignment: Assignment) -> str:
    """Return, as JSON, the cells of the task and of the answer of each question with a marked cell."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    given = assignment.skeleton.cells
    for place, (cell, own) in enumerate(zip(given, assignment.notebook.cells, strict=True)):
        question = _question(cell)
        if question is None:
            continue
        parts = found.setdefault(question, {"task": [], "answer": []})
        parts["task"] += [_kept(each) for each in [*_before(given, place), cell] if each.source.strip()]
        if own.source != cell.source:
            answer = _kept(own)
            answer["source"] = answer["source"].removeprefix(cell.source.strip()).strip()
            parts["answer"].append(answer)
    return json.dumps(found)


def _question(cell: Any) -> str | None:
    """Return the question that a cell is marked for."""
    ours = cell.get("metadata", {}).get("grader")
    question = ours.get("question") if isinstance(ours, Mapping) else None
    return question if isinstance(question, str) else None


def _before(cells: Sequence[Any], place: int) -> Sequence[Any]:
    """Return the cells before that of an answer, back to a heading, another answer or MOST of them."""
    first = place
    while first > max(0, place - MOST) and _question(cells[first - 1]) is None:
        first -= 1
        if cells[first].cell_type == "markdown" and cells[first].source.lstrip().startswith("#"):
            break
    return cells[first:place]


def _kept(cell: Any) -> dict[str, Any]:
    source = MARKERS.sub("", cell.source).strip()
    return {"type": cell.cell_type, "source": source, "attachments": dict(cell.get("attachments", {}))}
