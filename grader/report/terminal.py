"""One submission's result for a terminal: a rich renderable, coloured where the terminal can."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.records import CheckScore, Diagnosis, QuestionScore, Score, Status, Summary, VerdictKind
from grader.report.mistake import evidence, explain

STYLES = {
    VerdictKind.PASSED: ("✓", "green"),
    VerdictKind.PARTIAL: ("◐", "yellow"),
    VerdictKind.FAILED: ("✗", "red"),
    VerdictKind.INCONCLUSIVE: ("?", "magenta"),
    VerdictKind.NOT_ATTEMPTED: ("–", "dim"),
    VerdictKind.BLOCKED: ("⊘", "red"),
    VerdictKind.PENDING: ("…", "blue"),
}
COLOURS = {
    Summary.CORRECT: "green",
    Summary.PARTLY_CORRECT: "yellow",
    Summary.WRONG: "red",
    Summary.NOT_ATTEMPTED: "dim",
    Summary.UNREADABLE: "red",
    Summary.NOT_GRADED: "magenta",
}


def headline(score: Score) -> str:
    """Return the result in one line of rich markup: verdict, points, pending points."""
    words = score.summary.value.replace("_", " ")
    colour = COLOURS[score.summary]
    if score.status is Status.NOT_GRADED:
        return f"[{colour}]{words}[/]  {escape(score.message)}"
    pending = (
        f"  [dim]{score.pending_points:g} pending[/]"
        if score.pending_points and score.status is Status.GRADED
        else ""
    )
    return f"[{colour}]{words}[/]  {score.points:.4g} of {score.max_points:.4g} points{pending}"


def show_score(score: Score) -> RenderableType:
    """Return everything that was judged of one submission."""
    parts: list[RenderableType] = [Text(score.submission, style="bold"), Text.from_markup(headline(score))]
    if score.message and score.status is not Status.NOT_GRADED:
        parts.append(Text(score.message))
    parts += [Text(remark, style="blue") for remark in score.remarks]
    parts += [_question(question) for question in score.questions if question.checks]
    pending = [question for question in score.questions if question.points is None and not question.checks]
    if pending and score.status is not Status.NOT_GRADED:
        names = ", ".join(f"{question.title} ({question.max_points:g})" for question in pending)
        parts.append(Text(f"\nPending, given by a person: {names}", style="dim"))
    if score.tier:
        parts.append(
            Text(f"\nGraded in the tier {score.tier}.", style="red" if score.tier == "plain" else "dim")
        )
    return Group(*parts)


def _question(question: QuestionScore) -> RenderableType:
    points = "pending" if question.points is None else f"{question.points:.4g} / {question.max_points:.4g}"
    head = Text.assemble("\n", (question.title, "bold"), f"  {points}")
    remarks = [Padding(Text(remark, style="blue"), (0, 0, 0, 2)) for remark in question.remarks]
    return Group(head, *remarks, *_diagnosis(question.diagnosis), _checks(question.checks))


def _diagnosis(diagnosis: Diagnosis | None) -> list[RenderableType]:
    """Say what the mistake is, as the student reads it, and the codes behind it."""
    if diagnosis is None:
        return []
    found = explain(diagnosis)
    words = Text()
    if found is not None:
        words.append(f"{found.lead}: ", style="yellow").append(" ".join(found.mistakes), style="bold")
        words.append(f" {found.message}\n" if found.message else "\n")
    words.append(evidence(diagnosis), style="dim")
    return [Padding(words, (0, 0, 0, 2))]


def _checks(checks: tuple[CheckScore, ...]) -> RenderableType:
    if all(check.verdict.kind is VerdictKind.NOT_ATTEMPTED for check in checks):
        return Padding(Text(checks[0].verdict.message, style="dim"), (0, 0, 0, 2))
    table = Table.grid(padding=(0, 1, 0, 1), expand=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    table.add_column(justify="right", no_wrap=True)
    for check in checks:
        mark, style = STYLES[check.verdict.kind]
        points = f"{check.points:.4g} / {check.max_points:.4g}"
        table.add_row(Text(mark, style=style), _reason(check), Text(points, style="dim"))
    return table


def _reason(check: CheckScore) -> Text:
    """Say why a check is what it is; a passed one needs no more than its title."""
    lines = [(check.title, "")]
    if check.verdict.message:
        lines.append(("\n" + check.verdict.message, "" if check.verdict.fraction < 1 else "dim"))
    if check.verdict.fraction < 1:
        if check.feedback:
            lines.append(("\n" + check.feedback, "italic"))
        facts = ", ".join(f"{name} {value}" for name, value in check.verdict.evidence.facts)
        if facts:
            lines.append(("\n" + facts, "dim"))
    return Text.assemble(*lines)
