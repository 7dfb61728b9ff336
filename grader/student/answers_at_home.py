"""Checks the written answers of a notebook at home: each step of a derivation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grader.notebook.answer_cells import AnswerCells
from grader.project import quoted
from grader.records import VerdictKind
from grader.student.checker import Report
from grader.student.home import Finding
from grader.student.kit import Kit, KitAnswer, KitFunction
from grader.written import StepVerdict, WrittenReport

KINDS = {
    StepVerdict.HOLDS: VerdictKind.PASSED,
    StepVerdict.FAILS: VerdictKind.FAILED,
    StepVerdict.NOT_CHECKED: VerdictKind.INCONCLUSIVE,
}
LONGEST = 70  # characters of a side


def check_answers(kit: Kit, notebook: Mapping[str, Any], names: Sequence[str]) -> Iterator[Report]:
    """Yield the report of each written answer; `notebook` is the content of its file."""
    cells = notebook.get("cells")
    cells = cells if isinstance(cells, list) else []
    answers = AnswerCells(cells, kit.cells, [answer.cell for answer in kit.answers.values()])
    for name in names:
        answer = kit.answers[name]
        text = answers.text(answer.cell)
        subject = KitFunction(name, answer.title, answer.points, (), ())
        if text is None:
            finding = Finding(name, answer.title, VerdictKind.INCONCLUSIVE)
            yield Report(subject, (finding,), f"no cell of the notebook answers {answer.cell}")
            continue
        try:
            from grader.derivation.written_answers import examine  # noqa: PLC0415 -- its packages may be missing

            report = examine(answer.kind, answer.content, text)
        except ImportError as error:
            finding = Finding(name, answer.title, VerdictKind.INCONCLUSIVE)
            install = f"python -m pip install {quoted('derivation')}"
            yield Report(subject, (finding,), f"it needs {error.name}, which is not installed: {install}")
            continue
        if not report.steps:
            finding = Finding(name, answer.title, VerdictKind.NOT_ATTEMPTED)
            remark = "; ".join(report.remarks) or "there is no equality in its cell yet"
            yield Report(subject, (finding,), remark)
            continue
        yield Report(subject, tuple(_findings(report, answer)))


def _findings(report: WrittenReport, answer: KitAnswer) -> Iterator[Finding]:
    """Yield what is said of each step, and of the whole."""
    first = True
    for step in report.steps:
        sides = [s if len(s) <= LONGEST else s[: LONGEST - 1] + "…" for s in (step.left, step.right) if s]
        rule = f" ({step.rule})" if step.rule else ""
        look = answer.look if first and step.verdict is StepVerdict.FAILS else ""
        first = first and step.verdict is not StepVerdict.FAILS
        title = f"line {step.line}: {' = '.join(sides)}{rule}"
        yield Finding(f"line {step.line}", title, KINDS[step.verdict], step.reason, look=look)
    if answer.kind == "derivation":
        whole = report.starts_right and report.target_reached
        kind = VerdictKind.PASSED if whole else VerdictKind.FAILED
        yield Finding("whole", "The result is derived", kind, "; ".join(report.remarks))
