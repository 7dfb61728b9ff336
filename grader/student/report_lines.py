"""Reports as lines of text, for a terminal (with colours) and for the plain-text form in a notebook."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence

from grader.records import VerdictKind
from grader.student.checker import Report
from grader.student.hand_in import Obstacle
from grader.student.home import Finding

Paint = Callable[[str, str], str]
MARKS = {
    VerdictKind.PASSED: ("✓", "green"),
    VerdictKind.FAILED: ("✗", "red"),
    VerdictKind.INCONCLUSIVE: ("?", "yellow"),
    VerdictKind.NOT_ATTEMPTED: ("–", "bright_black"),
}
ASCII = str.maketrans({"✓": "+", "✗": "x", "–": "-", "×": "x", "“": '"', "”": '"'})
LABEL = 8


def plain(text: str, colour: str) -> str:
    """Return text without colour."""
    return text


def lines_of(report: Report, width: int = 80, paint: Paint = plain) -> list[str]:
    """Return the lines of one report, none longer than `width` (codes for colours not counted)."""
    name = report.function.name
    if report.remark:
        mark, colour = MARKS[report.findings[0].kind] if report.findings else MARKS[VerdictKind.FAILED]
        sentence = report.remark if report.remark.startswith(name) else f"{name}: {report.remark}"
        first, *rest = _wrapped(f"  {sentence}", width, "    ")
        return [paint(mark, colour) + first[1:], *rest]
    if not report.findings:
        return [f"  {name}: there is no public check of it"]
    count = f"{report.passed} of {len(report.findings)}"
    space = " " * max(1, width - len(name) - len(count))
    lines = ["", paint(name, "bold") + space + count]
    for finding in report.findings:
        mark, colour = MARKS[finding.kind]
        first, *rest = _wrapped(finding.title, width - 4, "")
        lines += [f"  {paint(mark, colour)} {first}", *(f"    {line}" for line in rest)]
        if finding.kind is VerdictKind.PASSED:
            continue
        for label, text in parts_of(finding):
            first, *rest = _wrapped(text, width - 4 - LABEL, "")
            lines.append(f"    {paint(label.ljust(LABEL), 'bright_black')}{first}")
            lines += [" " * (4 + LABEL) + line for line in rest]
    return lines


def parts_of(finding: Finding) -> list[tuple[str, str]]:
    """Return the parts of the explanation of a check that does not hold: (label, text)."""
    parts = [("found", finding.found), ("worst", finding.worst), ("input", finding.input)]
    return [(label, text) for label, text in [*parts, ("look", finding.look)] if text]


def obstacle_lines(obstacle: Obstacle, width: int = 80, paint: Paint = plain) -> list[str]:
    """Return the lines of one obstacle: its message, and the advice below it."""
    mark, colour = MARKS[VerdictKind.FAILED] if obstacle.serious else ("!", "yellow")
    first, *rest = _wrapped(obstacle.message, width - 2, "")
    advice = _wrapped(obstacle.advice, width - 4, "")
    lines = [f"{paint(mark, colour)} {first}", *(f"  {line}" for line in rest)]
    return lines + [f"    {line}" for line in advice]


def summary(reports: Sequence[Report]) -> str:
    """Return the result of all checks in one sentence."""
    kinds = [finding.kind for report in reports for finding in report.findings]
    words = {
        VerdictKind.PASSED: ("holds", "hold"),
        VerdictKind.FAILED: ("does not", "do not"),
        VerdictKind.INCONCLUSIVE: ("cannot be made yet", "cannot be made yet"),
        VerdictKind.NOT_ATTEMPTED: ("is not begun", "are not begun"),
    }
    number = {kind: kinds.count(kind) for kind in words}
    counts = [f"{number[kind]} {words[kind][number[kind] > 1]}" for kind in words if number[kind]]
    noun = "check" if len(kinds) == 1 else "checks"
    return f"{len(kinds)} public {noun}: {', '.join(counts)}." if kinds else "There are no public checks."


def exit_code(reports: Iterable[Report]) -> int:
    """Return 0 if all checks hold, 1 if some do not, 2 if some could not be made."""
    kinds = {finding.kind for report in reports for finding in report.findings}
    if kinds & {VerdictKind.FAILED, VerdictKind.NOT_ATTEMPTED}:
        return 1
    return 2 if VerdictKind.INCONCLUSIVE in kinds else 0


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        text, max(20, width), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    ) or [""]
