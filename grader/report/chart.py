"""Charts as inline SVG: no script and no inline style; CSS classes give the colours of the page.

The axes have labels but no numbers, so that a chart does not reveal the values of a hidden input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from grader.records import Plot

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 360, 240, 30, 12, 12, 30
Scale = Callable[[float], float]
SVG = Markup('<svg class="chart" viewBox="0 0 {w} {h}" role="img" aria-label="{title}">{body}</svg>')
TEXT = Markup('<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turn}>{text}</text>')
RECT = Markup('<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}"/>')
LINE = Markup('<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')
DOT = Markup('<circle class="s{n}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>')
PATH = Markup('<polyline class="s{n}" points="{points}"/>')
KEY = Markup('<line class="key s{n}" x1="{x1}" y1="{y}" x2="{x2}" y2="{y}"/>')
TURN = Markup(' transform="rotate(-90 {x:.1f} {y:.1f})"')


def draw(plot: Plot) -> Markup:
    """Return the chart of a plot: `scatter` with the line of equality, or `line`."""
    points = [point for _, series in plot.series for point in series]
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    if plot.kind == "scatter":
        xs = ys = xs + ys
    x_of = _scale(xs, LEFT, WIDTH - RIGHT)
    y_of = _scale(ys, HEIGHT - BOTTOM, TOP)
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    middle = (TOP + bottom) / 2
    parts = [
        LINE.format(kind="axis", x1=LEFT, y1=bottom, x2=right, y2=bottom),
        LINE.format(kind="axis", x1=LEFT, y1=TOP, x2=LEFT, y2=bottom),
        _text((LEFT + right) / 2, HEIGHT - 9, plot.x_label),
        _text(LEFT - 10, middle, plot.y_label, turn=TURN.format(x=LEFT - 10, y=middle)),
    ]
    if plot.kind == "scatter" and points:
        low, high = min(xs), max(xs)
        parts.append(LINE.format(kind="equal", x1=x_of(low), y1=y_of(low), x2=x_of(high), y2=y_of(high)))
    for number, (_, series) in enumerate(plot.series):
        if plot.kind == "scatter":
            parts += [DOT.format(n=number, x=x_of(x), y=y_of(y)) for x, y in series]
        else:
            corners = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in series)
            parts.append(PATH.format(n=number, points=corners))
    if len(plot.series) > 1:  # the legend
        for number, (name, _) in enumerate(plot.series):
            y = TOP + 12 + 16 * number
            parts.append(KEY.format(n=number, x1=right - 22, x2=right - 4, y=y - 4))
            parts.append(_text(right - 28, y, name, anchor="end"))
    return SVG.format(w=WIDTH, h=HEIGHT, title=plot.title, body=Markup("").join(parts))


def histogram(counts: Sequence[int], width: int, title: str) -> Markup:
    """Return a bar chart of counts of points, with the count above each bar; bin n begins at `n * width`.

    It is as wide as a phone, where its labels have the size of text.
    """
    wide, height, foot, left = 360, 190, 26, 8
    step, most = (wide - 2 * left) / max(len(counts), 1), max([1, *counts])
    parts = []
    for number, count in enumerate(counts):
        bar_height = (height - foot - 20) * count / most
        x, y = left + number * step, height - foot - bar_height
        parts.append(RECT.format(kind="bar", x=x + 1.5, y=y, w=step - 3, h=bar_height))
        if count:
            parts.append(_text(x + step / 2, y - 5, str(count)))
        label = f"{number * width}" if width == 1 else f"{number * width}–{(number + 1) * width - 1}"
        if width > 1 and step < 44:  # no room for both ends
            label = f"{number * width}"
        parts.append(_text(x + step / 2, height - 8, label))
    parts.append(LINE.format(kind="axis", x1=left, y1=height - foot, x2=wide - left, y2=height - foot))
    return SVG.format(w=wide, h=height, title=title, body=Markup("").join(parts))


def bar(fraction: float) -> Markup:
    """Return a thin horizontal bar, filled from the left; a fraction outside 0 to 1 is clipped."""
    full = RECT.format(kind="rest", x=0, y=0, w=100, h=6)
    filled = RECT.format(kind="done", x=0, y=0, w=100 * min(max(fraction, 0.0), 1.0), h=6)
    form = Markup(
        '<svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">{}</svg>'
    )
    return form.format(full + filled)


def _scale(values: Sequence[float], start: float, end: float) -> Scale:
    """Return the function from values to pixels, with a margin of 5 % on both sides."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    margin = 0.05 * (high - low) or 0.5
    low, high = low - margin, high + margin
    return lambda value: start + (end - start) * (value - low) / (high - low)


def _text(x: float, y: float, text: str, anchor: str = "middle", turn: Markup | str = "") -> Markup:
    return TEXT.format(x=x, y=y, text=text, anchor=anchor, turn=turn)
