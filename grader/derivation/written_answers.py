"""Tests what a written answer states: a derivation, or the claims of a short answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from grader.derivation.judge import judge_derivation
from grader.derivation.judge_steps import Step
from grader.derivation.meaning import make_task
from grader.derivation.short_answers import judge_claims, make_claims
from grader.derivation.tree import DerivationError
from grader.errors import RubricError
from grader.written import StepVerdict, WrittenReport, WrittenStep

Show = Callable[[str], str]
FOLDERS = {"derivation": "derivations", "claims": "claims"}
MAX_STEPS = 320
MAX_TEXT = 600  # characters of a side or of a reason


def read_content(kind: str, folder: Path, name: str) -> str:
    """Return the task of an answer as JSON, from the folder of an assignment; raise RubricError."""
    import yaml  # noqa: PLC0415 -- students get the content in another form

    path = folder / FOLDERS[kind] / f"{name}.yaml"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError, yaml.YAMLError) as error:
        raise RubricError(f"{path}: cannot be read: {error}") from error
    make = make_claims if kind == "claims" else make_task
    make(content, str(path))
    return json.dumps(content)


def examine(kind: str, content: str, text: str, show: Show = lambda formula: "") -> WrittenReport:
    """Return what is found in an answer; `show` makes MathML of a formula.

    Raises RubricError if the task is wrong. A text that is too long is reported as not checked.
    """
    try:
        if kind == "claims":
            claims = judge_claims(text, make_claims(json.loads(content), kind))
            return WrittenReport(tuple(_written(claim, show) for claim in claims))
        report = judge_derivation(text, make_task(json.loads(content), kind))
    except DerivationError as error:
        return WrittenReport(remarks=(str(error),))
    steps = tuple(_written(step, show) for step in report.steps[:MAX_STEPS])
    return WrittenReport(steps, report.goal.starts_right, report.goal.target_reached, report.goal.remarks)


def _written(step: Step, show: Show) -> WrittenStep:
    formula = f"{step.left} {step.relation} {step.right}" if step.right else ""
    left, right, reason = (
        text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"
        for text in (step.left, step.right, step.reason)
    )
    shown = show(formula) if formula and len(formula) <= 2 * MAX_TEXT else ""
    return WrittenStep(step.line, left, right, StepVerdict(step.verdict), reason, step.rule, shown)
