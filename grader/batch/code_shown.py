"""Takes the code of a function out of a student's cells, to be shown beside what was found in it.

The cells are text here, and nothing parses them: a function is what stands below its `def`, further to the
right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from grader.batch.words import safe_text
from grader.course.rubric import Question, Rubric
from grader.reading import FactsStatus, FunctionFacts
from grader.records import CodeShown, Score

MAX_LINES, MAX_LINE = 150, 300
BEGINS = re.compile(r"(\s*)(?:async\s+)?(?:def|class)\s+(\w+)")


def with_code(
    score: Score, rubric: Rubric, functions: Mapping[str, FunctionFacts], sources: Sequence[str]
) -> Score:
    """Return a score whose questions hold the student's code of their functions, as far as it was found."""
    asked = {question.id: question for question in rubric.questions}
    questions = tuple(
        replace(each, code=shown_code(asked[each.id], functions, sources)) if each.id in asked else each
        for each in score.questions
    )
    return replace(score, questions=questions)


def shown_code(
    question: Question, functions: Mapping[str, FunctionFacts], sources: Sequence[str]
) -> CodeShown | None:
    """Return the student's code of what a question is about, None if there is none."""
    facts = functions.get(question.about)
    if facts is None or facts.status is not FactsStatus.FOUND:
        return None
    if facts.file or facts.cell is None or not 1 <= facts.cell <= len(sources):
        lines = [place.text for place in facts.places if facts.file or place.cell == facts.cell]
        return _shown(lines, facts.cell, 1, facts.file) if lines else None
    lines = sources[facts.cell - 1].splitlines()
    wanted = (question.method or question.class_ or question.function or "").rpartition(".")[2]
    first = next((n for n, line in enumerate(lines) if _begins(line, wanted)), None)
    if first is None:
        return _shown(lines, facts.cell, 1)
    indent = len(lines[first]) - len(lines[first].lstrip())
    end = first + 1
    while end < len(lines) and (not lines[end].strip() or _is_inside(lines[end], indent)):
        end += 1
    while first and lines[first - 1].lstrip().startswith("@"):
        first -= 1
    return _shown(lines[first:end], facts.cell, first + 1)


def _begins(line: str, name: str) -> bool:
    found = BEGINS.match(line[:MAX_LINE])
    return found is not None and found[2] == name


def _is_inside(line: str, indent: int) -> bool:
    """Whether a line is further to the right than a `def`, or closes the brackets of its parameters."""
    own = len(line) - len(line.lstrip())
    return own > indent or (own == indent and line.lstrip()[:1] in (")", "]", "}"))


def _shown(lines: Sequence[str], cell: int | None, line: int, file: str = "") -> CodeShown:
    kept = [safe_text(each.rstrip(), MAX_LINE) for each in lines[:MAX_LINES]]
    while kept and not kept[-1]:
        kept.pop()
    if len(lines) > MAX_LINES:
        kept.append(f"# … {len(lines) - MAX_LINES} more lines")
    return CodeShown("\n".join(kept), cell, line, safe_text(file, MAX_LINE))
