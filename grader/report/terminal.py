"""The result of one submission for a terminal, as a renderable of rich."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.course.total import Total
from grader.records import QuestionScore, Score, Status, Summary, VerdictKind
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
    Summary.NO_NOTEBOOK: "red",
    Summary.NOT_HANDED_IN: "dim",
    Summary.NOT_GRADED: "magenta",
}
INDENT = (0, 0, 0, 2)  # as Padding takes it: two columns on the left


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


def show_score(score: Score, total: Total | None = None) -> RenderableType:
    """Return the whole result of one submission: its points, then each question with its checks."""
    name = score.attempt.name
    title = f"{name}: {score.submission}" if name and name != score.submission else score.submission
    parts: list[RenderableType] = [Text(title, style="bold"), Text.from_markup(headline(score), emoji=False)]
    if not score.attempt.counts:
        parts.append(Text("Another hand-in of this student counts.", style="yellow"))
    if total is not None and total.late:
        counts = f": {total.loss:.4g} points less, {total.points:.4g} count" if total.loss else ""
        parts.append(Text(f"Handed in {total.late}{counts}.", style="yellow"))
    if score.message and score.status is not Status.NOT_GRADED:
        parts.append(Text(score.message))
    parts += [Text(remark, style="blue") for remark in score.remarks]
    parts += [_question(question) for question in score.questions if question.checks or question.decided]
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
    """Return the remarks of a question, its mistake as a student reads it with the codes, and its checks."""
    points = "pending" if question.points is None else f"{question.points:.4g} / {question.max_points:.4g}"
    parts: list[RenderableType] = [Text.assemble("\n", (question.title, "bold"), f"  {points}")]
    parts += [Padding(Text(remark, style="blue"), INDENT) for remark in question.remarks]
    if question.decided is not None:
        decided = question.decided
        judge = "" if decided.judged is None else f", in place of {decided.judged:.4g}"
        words = f"Points by {decided.person}{judge}." if decided.final else f"Words by {decided.person}."
        parts.append(Padding(Text(words, style="blue"), INDENT))
        parts += [Padding(Text(each), INDENT) for each in (decided.comment, decided.reason) if each]
    if not question.checks:
        return Group(*parts)
    if question.diagnosis is not None:
        explanation = explain(question.diagnosis)
        text = Text()
        if explanation is not None:
            text.append(f"{explanation.lead}: ", style="yellow")
            text.append(" ".join(explanation.mistakes), style="bold")
            text.append(f" {explanation.message}\n" if explanation.message else "\n")
        text.append(evidence(question.diagnosis), style="dim")
        parts.append(Padding(text, INDENT))
    if all(check.verdict.kind is VerdictKind.NOT_ATTEMPTED for check in question.checks):
        parts.append(Padding(Text(question.checks[0].verdict.message, style="dim"), INDENT))
        return Group(*parts)

    table = Table.grid(padding=(0, 1, 0, 1), expand=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    table.add_column(justify="right", no_wrap=True)
    for check in question.checks:
        verdict = check.verdict
        full = verdict.fraction >= 1
        reason = Text(check.title)
        if verdict.message:
            reason.append("\n" + verdict.message, style="dim" if full else "")
        if check.feedback and not full:
            reason.append("\n" + check.feedback, style="italic")
        if verdict.evidence.facts and not full:
            facts = ", ".join(f"{name} {value}" for name, value in verdict.evidence.facts)
            reason.append("\n" + facts, style="dim")
        mark, style = STYLES[verdict.kind]
        points = f"{check.points:.4g} / {check.max_points:.4g}"
        table.add_row(Text(mark, style=style), reason, Text(points, style="dim"))
    return Group(*parts, table)
