"""Reports as HTML for a notebook: inline styles, colours for light and dark themes, no script.

Jupyter and VS Code both remove <style> elements from outputs, so every element carries its own style.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from grader.records import Plot, VerdictKind
from grader.student.checker import Report
from grader.student.report_lines import MARKS, parts_of

COLOURS = {
    VerdictKind.PASSED: "#2e9e5b",
    VerdictKind.FAILED: "#d64545",
    VerdictKind.INCONCLUSIVE: "#c98a0c",
    VerdictKind.NOT_ATTEMPTED: "#8a8a8a",
}
SIZE, LEFT, TOP = 190, 26, 8
BOX = "font-size:13px;line-height:1.45;max-width:880px;border-left:3px solid {};padding:2px 12px;margin:6px 0"
ROW = "padding-left:5.2em;text-indent:-3.6em"
LABEL = "display:inline-block;width:3.6em;opacity:.6;text-indent:0"


def page_of(reports: Sequence[Report]) -> str:
    """Return reports as HTML, one box for each function."""
    html = ""
    for report in reports:
        kinds = [finding.kind for finding in report.findings]
        worst = next(
            (kind for kind in MARKS if kind is not VerdictKind.PASSED and kind in kinds), VerdictKind.PASSED
        )
        if report.remark or not kinds:
            text = escape(report.remark or "there is no public check of it")
        else:
            text = f'<span style="opacity:.6">{report.passed} of {len(kinds)}</span>'
            for finding in report.findings:
                mark, colour = MARKS[finding.kind][0], COLOURS[finding.kind]
                sign = f'<span style="color:{colour};font-weight:bold">{mark}</span>'
                text += f"<div>{sign} {escape(finding.title)}</div>"
                if finding.kind is VerdictKind.PASSED:
                    continue
                rows = ""
                for label, words in parts_of(finding):
                    value = f"<code>{escape(words)}</code>" if label == "input" else escape(words)
                    rows += f'<div style="{ROW}"><span style="{LABEL};">{label}</span>{value}</div>'
                if finding.plot is not None:  # to the right of the words
                    rows = f'<div style="flex:1 1 380px">{rows}</div><div>{picture(finding.plot)}</div>'
                    rows = f'<div style="display:flex;flex-wrap:wrap;gap:12px">{rows}</div>'
                text += rows
        name = f"<code><b>{escape(report.function.name)}</b></code>"
        html += f'<div style="{BOX.format(COLOURS[worst])}">{name} {text}</div>'
    return html


def picture(plot: Plot) -> str:
    """Return a scatter plot of two quantities that should be equal, with the line of equality, as SVG."""
    points = [point for _, series in plot.series for point in series]
    values = [number for point in points for number in point] or [0.0]
    low, high = min(values), max(values)
    margin = 0.06 * (high - low) or 1.0
    low, high = low - margin, high + margin

    def x_of(value: float) -> float:
        return LEFT + (SIZE - LEFT - 6) * (value - low) / (high - low)

    def y_of(value: float) -> float:
        return SIZE - LEFT - (SIZE - LEFT - TOP) * (value - low) / (high - low)

    dots = "".join(
        f'<circle cx="{x_of(x):.1f}" cy="{y_of(y):.1f}" r="3" fill="#d64545" fill-opacity=".75"/>'
        for x, y in points
    )
    bottom, middle = SIZE - LEFT, (SIZE - LEFT + TOP) / 2
    axes = (
        f'<path d="M{LEFT} {TOP}V{bottom}H{SIZE - 6}" fill="none" stroke="currentColor" stroke-opacity=".5"/>'
    )
    equal = (
        f'<path d="M{x_of(low):.1f} {y_of(low):.1f}L{x_of(high):.1f} {y_of(high):.1f}" '
        'stroke="#2e9e5b" stroke-width="1.5" stroke-dasharray="4 3"/>'
    )
    words = _label((LEFT + SIZE) / 2, SIZE - 8, plot.x_label, "") + _label(
        14, middle, plot.y_label, f' transform="rotate(-90 14 {middle:.0f})"'
    )
    return (
        f'<svg width="{SIZE}" height="{SIZE}" viewBox="0 0 {SIZE} {SIZE}" role="img" '
        f'aria-label="{escape(plot.title)}">{axes}{equal}{dots}{words}</svg>'
    )


def _label(x: float, y: float, text: str, turn: str) -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-size="11" fill="currentColor" fill-opacity=".8" '
        f'text-anchor="middle"{turn}>{escape(text)}</text>'
    )
