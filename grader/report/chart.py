"""Small pictures as inline SVG: no script, no inline style, colours by class, so that they follow the page.

Axes carry words and no numbers: a picture shows where the points lie, never what a hidden input was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from grader.records import Plot

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 360, 240, 30, 12, 12, 30
Point = tuple[float, float]
Scale = Callable[[float], float]
SVG = Markup('<svg class="chart" viewBox="0 0 {w} {h}" role="img" aria-label="{title}">{body}</svg>')
TEXT = Markup('<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turn}>{text}</text>')
RECT = Markup('<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}"/>')
LINE = Markup('<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')
DOT = Markup('<circle class="s{n}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>')
PATH = Markup('<polyline class="s{n}" points="{points}"/>')
TURN = Markup(' transform="rotate(-90 {x:.1f} {y:.1f})"')


def draw(plot: Plot) -> Markup:
    """Return the picture of a plot: `scatter` with the line of equality, or `line`."""
    points = [point for _, series in plot.series for point in series]
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    if plot.kind == "scatter":
        xs = ys = xs + ys
    x_of = _scale(xs, LEFT, WIDTH - RIGHT)
    y_of = _scale(ys, HEIGHT - BOTTOM, TOP)
    parts = [_frame(plot)]
    if plot.kind == "scatter" and points:
        low, high = min(xs), max(xs)
        parts.append(LINE.format(kind="equal", x1=x_of(low), y1=y_of(low), x2=x_of(high), y2=y_of(high)))
    for number, (_, series) in enumerate(plot.series):
        parts.append(_series(plot.kind, number, series, x_of, y_of))
    if len(plot.series) > 1:
        parts.append(_legend([name for name, _ in plot.series]))
    return SVG.format(w=WIDTH, h=HEIGHT, title=plot.title, body=Markup("").join(parts))


def histogram(counts: Sequence[int], labels: Sequence[str], title: str) -> Markup:
    """Return bars with their counts above and their labels below."""
    width, height, foot = 640, 180, 24
    step, most = width / max(len(counts), 1), max([1, *counts])
    parts = []
    for place, (count, label) in enumerate(zip(counts, labels, strict=True)):
        tall = (height - foot - 22) * count / most
        x, y = place * step, height - foot - tall
        parts.append(RECT.format(kind="bar", x=x + 2, y=y, w=step - 4, h=tall))
        if count:
            parts.append(_text(x + step / 2, y - 5, str(count)))
        parts.append(_text(x + step / 2, height - 7, label))
    return SVG.format(w=width, h=height, title=title, body=Markup("").join(parts))


def bar(fraction: float) -> Markup:
    """Return a thin bar that is filled to a fraction between 0 and 1."""
    full = RECT.format(kind="rest", x=0, y=0, w=100, h=6)
    filled = RECT.format(kind="done", x=0, y=0, w=100 * min(max(fraction, 0.0), 1.0), h=6)
    form = Markup(
        '<svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">{}</svg>'
    )
    return form.format(full + filled)


def _scale(values: Sequence[float], start: float, end: float) -> Scale:
    """Return the map from values to pixels, with a margin of a twentieth."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    margin = 0.05 * (high - low) or 0.5
    low, high = low - margin, high + margin
    return lambda value: start + (end - start) * (value - low) / (high - low)


def _frame(plot: Plot) -> Markup:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    middle = (TOP + bottom) / 2
    return Markup("").join(
        [
            LINE.format(kind="axis", x1=LEFT, y1=bottom, x2=right, y2=bottom),
            LINE.format(kind="axis", x1=LEFT, y1=TOP, x2=LEFT, y2=bottom),
            _text((LEFT + right) / 2, HEIGHT - 9, plot.x_label),
            _text(LEFT - 10, middle, plot.y_label, turn=TURN.format(x=LEFT - 10, y=middle)),
        ]
    )


def _series(kind: str, number: int, series: Sequence[Point], x_of: Scale, y_of: Scale) -> Markup:
    if kind == "scatter":
        return Markup("").join(DOT.format(n=number, x=x_of(x), y=y_of(y)) for x, y in series)
    points = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in series)
    return PATH.format(n=number, points=points)


def _legend(names: Sequence[str]) -> Markup:
    parts = []
    for number, name in enumerate(names):
        y = TOP + 12 + 16 * number
        parts.append(
            Markup('<line class="key s{n}" x1="{a}" y1="{y}" x2="{b}" y2="{y}"/>').format(
                n=number, a=WIDTH - RIGHT - 22, b=WIDTH - RIGHT - 4, y=y - 4
            )
        )
        parts.append(_text(WIDTH - RIGHT - 28, y, name, anchor="end"))
    return Markup("").join(parts)


def _text(x: float, y: float, text: str, anchor: str = "middle", turn: Markup | str = "") -> Markup:
    return TEXT.format(x=x, y=y, text=text, anchor=anchor, turn=turn)
