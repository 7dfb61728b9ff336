"""Takes what a notebook leaves behind: values of variables, files that it wrote, figures of its cells.

    cell n runs  -->  its figures, as plain data, are kept under n before they are closed
    the end      -->  collect(wanted): one payload for each wanted thing, displayed as one message

A figure is {"axes": [...]}, each with its title, labels, scales, legend, and what was drawn: lines, points,
bars, images. As with everything from the box, the notebook may have forged it.
"""

from __future__ import annotations

import base64
import contextlib
from pathlib import Path
from typing import Any

import numpy as np

from . import wire
from .execute import plain_fault

MIME = "application/x-grader-values"
MAX_FIGURES = 20  # of one cell; the rest is left out
MAX_ENTRIES = 100_000  # of one line or set of points; the rest is left out


class _Drawn:
    """The figures of each cell, by the cell's number in the order of execution."""

    def __init__(self) -> None:
        self.cell = 0
        self.figures: dict[int, list[Any]] = {}
        self.kept: set[int] = set()

    def begin(self, *_: Any) -> None:
        """Start a new cell; called before each one runs."""
        self.cell += 1
        self.kept = set()

    def keep(self, manager: Any) -> None:
        """Keep the figure of a manager, at most once for each cell."""
        figure = manager.canvas.figure
        drawn = self.figures.setdefault(self.cell, [])
        if id(figure) in self.kept or len(drawn) >= MAX_FIGURES:
            return
        self.kept.add(id(figure))
        with contextlib.suppress(Exception):
            drawn.append({"axes": [_axes(axes) for axes in figure.axes]})


DRAWN = _Drawn()


def install(shell: Any) -> None:
    """Keep every figure from now on: before it is closed, or when its cell ends."""
    from matplotlib._pylab_helpers import Gcf  # noqa: PLC0415 -- before there are figures

    def keep_all(*_: Any) -> None:
        for manager in Gcf.get_all_fig_managers():
            DRAWN.keep(manager)

    def keep_before(close: Any) -> Any:
        """Return a function that keeps all figures and then calls `close`."""

        def closing(*arguments: Any) -> Any:
            keep_all()
            return close(*arguments)

        return closing

    figures: Any = Gcf
    figures.destroy_all = keep_before(Gcf.destroy_all)
    figures.destroy = keep_before(Gcf.destroy)
    shell.events.register("pre_run_cell", DRAWN.begin)
    shell.events.callbacks["post_execute"].insert(0, keep_all)  # first: the backend closes them


def collect(wanted: list[dict[str, Any]], result_mb: int) -> None:
    """Display the wanted things as one message, each as the payload of a call that returned it, or failed.

    A wanted thing has a `kind`, a `name` and, for a figure, the number of its `cell`. All payloads together
    have at most `result_mb`: what does not fit beside those before it is too large.
    """
    from IPython import get_ipython  # noqa: PLC0415
    from IPython.display import display  # noqa: PLC0415

    namespace, left = get_ipython().user_ns, result_mb << 20
    payloads = []
    for each in wanted:
        try:
            value = _value(each["kind"], each["name"], each.get("cell"), namespace, left)
            payload = wire.encode({"kind": "returned", "value": value}, left)
            if len(payload) > left:
                raise wire.TooLarge(f"it needs more than {left >> 20} MB")
            left -= len(payload)
        except LookupError as error:
            payload = wire.encode({"kind": "missing", "fault": plain_fault("", str(error.args[0]))})
        except wire.TooLarge as error:
            beside = "" if left == result_mb << 20 else ", beside the values before it"
            fault = plain_fault("", f"{error}{beside}; all together may have {result_mb} MB")
            payload = wire.encode({"kind": "output_too_large", "fault": fault})
        except Exception as error:
            payload = wire.encode({"kind": "undecodable", "fault": plain_fault("", str(error)[:400])})
        payloads.append(payload)
    message = base64.b64encode(wire.encode(payloads)).decode()
    display({MIME: message}, raw=True)


def _value(kind: str, name: str, cell: int | None, namespace: dict[str, Any], max_bytes: int) -> Any:
    """Return a variable, a cell's last figure, or a file's content; raise LookupError if there is none."""
    if kind == "variable":
        if name not in namespace:
            raise LookupError(f"there is no variable {name} when the notebook has run")
        return namespace[name]
    if kind == "figure":
        figures = DRAWN.figures.get(cell or 0)
        if not figures:
            raise LookupError("the cell draws no figure")
        return figures[-1]
    path = Path(name)
    if path.is_symlink() or not path.is_file():
        raise LookupError(f"there is no file {name} when the notebook has run")
    if path.stat().st_size > max_bytes:
        raise wire.TooLarge(f"the file {name} has more than {max_bytes >> 20} MB")
    if path.suffix == ".npy":
        return np.load(path, allow_pickle=False)
    data = path.read_bytes()
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def _axes(axes: Any) -> dict[str, Any]:
    """Return one pair of axes as plain data."""
    legend = axes.get_legend()
    return {
        "title": axes.get_title(),
        "x_label": axes.get_xlabel(),
        "y_label": axes.get_ylabel(),
        "x_scale": axes.get_xscale(),
        "y_scale": axes.get_yscale(),
        "x_limits": [float(x) for x in axes.get_xlim()],
        "y_limits": [float(y) for y in axes.get_ylim()],
        "legend": [text.get_text() for text in legend.get_texts()] if legend else [],
        "lines": [
            {"label": str(line.get_label()), "x": _numbers(line.get_xdata()), "y": _numbers(line.get_ydata())}
            for line in axes.get_lines()
        ],
        "points": [
            {"label": str(drawn.get_label()), "xy": np.ma.getdata(drawn.get_offsets())[:MAX_ENTRIES]}
            for drawn in axes.collections
            if len(drawn.get_offsets())
        ],
        "bars": [float(patch.get_height()) for patch in axes.patches if hasattr(patch, "get_height")][:1000],
        "images": [np.ma.getdata(image.get_array()) for image in axes.get_images() if image.get_size()],
    }


def _numbers(values: Any) -> Any:
    """Return the coordinates of a line as numbers; dates and text as strings."""
    array = np.asarray(values)[:MAX_ENTRIES]
    return array if array.dtype.kind in "biuf" else [str(value) for value in array.tolist()]
