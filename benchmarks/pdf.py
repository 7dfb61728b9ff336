"""Seconds of `grader pdf` on a notebook of 60 cells with 30 plots; whether all of its code is in the pages.

    python benchmarks/pdf.py [--repeats 3] [--keep FOLDER]

whole      the command from its start to the finished file, as a student waits for it
cells      Markdown, code and outputs as blocks        formulas   pandoc
setting    typst, in its process of its own            start      the rest: Python, imports, reading, writing
processor  what all processes of the command used together; on a machine that is busy, compare this
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import nbformat
import numpy as np
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from pypdf import PdfReader

mpl.use("Agg")
PLOTS = 30
TEXT = r"""## Step {number}
The gradient is $\partial C / \partial y_s = 4 \sum_j (y_s - y_j)(p_{{sj}} - q_{{sj}}) d_{{sj}}^{{-1}}$, and

$$\mathcal{{L}}_{{{number}}} = \sum_{{(u,i) \in S}} \left(R_{{ui}} - q_u^\top p_i\right)^2
+ \lambda \sum_i \|p_i\|^2$$

- first **point** with `code`
- second point

| k | error |
|--:|------:|
| {number} | 0.12 |
"""
CODE = '''def step_{number}(values, ixs, Q, P, reg_lambda=0.1):
    """Return the loss after step {number}."""
    squared = sum((values[k] - Q[u] @ P[:, i]) ** 2 for k, (u, i) in enumerate(zip(*ixs)))
    penalty = reg_lambda * ((P ** 2).sum() + (Q ** 2).sum())  # a long line that wraps
    return squared + penalty

fig, ax = plt.subplots()
ax.scatter(*points_{number}.T, c=labels, s=8)
ax.plot(np.linspace(0, 1, 50), losses_{number}, label="loss")
plt.show()'''


def plot(number: int) -> str:
    """Return a plot as a notebook keeps it: PNG in base64."""
    import matplotlib.pyplot as plt  # noqa: PLC0415

    random = np.random.default_rng(number)
    figure, axes = plt.subplots(figsize=(6.4, 4.8), dpi=100)
    axes.scatter(*random.normal(size=(2, 400)), c=random.random(400), s=9)
    axes.set_title(f"Step {number}")
    target = io.BytesIO()
    figure.savefig(target, format="png")
    plt.close(figure)
    return base64.b64encode(target.getvalue()).decode()


def write_notebook(path: Path) -> None:
    """Write a notebook of 60 cells: text with formulas, and code with output and a plot, 30 times."""
    cells: list[Any] = []
    for number in range(PLOTS):
        outputs = [
            new_output("stream", name="stdout", text=f"epoch {number}: \x1b[32m0.123\x1b[0m\n" * 10),
            new_output("display_data", {"image/png": plot(number), "text/plain": "<Figure>"}),
        ]
        cells.append(new_markdown_cell(TEXT.format(number=number)))
        cells.append(new_code_cell(CODE.format(number=number), execution_count=number, outputs=outputs))
    nbformat.write(new_notebook(cells=cells), str(path))


def measure(notebook: Path, target: Path) -> dict[str, float]:
    """Return the seconds of one run of the command, and of its parts in a second run within this process."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "grader", "pdf", str(notebook), "-o", str(target), "--name", "A Name"]
    used = processor_seconds()
    subprocess.run(command, check=True, capture_output=True)
    whole, used = time.perf_counter() - started, processor_seconds() - used
    seconds = {"whole": whole, "processor": used, **_parts(notebook)}
    seconds["start"] = max(
        seconds["whole"] - sum(seconds[part] for part in ("cells", "formulas", "setting")), 0
    )
    return seconds


def processor_seconds() -> float:
    """Return what the finished processes of this one have used so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _parts(notebook: Path) -> dict[str, float]:
    from grader.pdf import document as hand_in  # noqa: PLC0415
    from grader.pdf import draft, typeset  # noqa: PLC0415

    seconds: dict[str, float] = {}

    def watched(module: Any, name: str, part: str) -> None:
        real: Callable[..., Any] = getattr(module, name)

        def timed(*arguments: Any) -> Any:
            started = time.perf_counter()
            result = real(*arguments)
            seconds[part] = time.perf_counter() - started
            return result

        setattr(module, name, timed)
        restore.append((module, name, real))

    restore: list[tuple[Any, str, Any]] = []
    watched(hand_in, "set_notebook", "cells")
    watched(draft, "translate", "formulas")
    watched(typeset, "_run", "setting")
    hand_in.make_hand_in(notebook, hand_in.Wishes())
    for module, name, real in restore:
        setattr(module, name, real)
    return seconds


def missing_lines(notebook: Path, target: Path) -> tuple[int, int]:
    """Return how many lines of code there are, and how many of them are not in the text of the pages."""
    text = squeezed("".join(page.extract_text() for page in PdfReader(target).pages))
    cells = nbformat.read(str(notebook), 4).cells
    lines = [line for cell in cells if cell.cell_type == "code" for line in cell.source.splitlines()]
    return len(lines), sum(squeezed(line) not in text for line in lines)


def squeezed(text: str) -> str:
    """Return text without white space."""
    return re.sub(r"\s+", "", text)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="A folder for the notebook and its PDF.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        notebook, target = folder / "sixty_cells.ipynb", folder / "sixty_cells.pdf"
        write_notebook(notebook)
        results = [measure(notebook, target) for _ in range(options.repeats)]
        lines, missing = missing_lines(notebook, target)
        pages, size = len(PdfReader(target).pages), target.stat().st_size
    print(
        f"{2 * PLOTS} cells, {PLOTS} plots -> {pages} pages, {size / 2**20:.1f} MB; "
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}; median of {options.repeats}"
    )
    whole = statistics.median(result["whole"] for result in results)
    for part in ("start", "cells", "formulas", "setting", "whole", "processor"):
        seconds = statistics.median(result[part] for result in results)
        print(f"{part:9} {seconds:7.2f} s {100 * seconds / whole:6.0f} %")
    print(f"lines of code: {lines}, not found in the text of the pages: {missing}")


if __name__ == "__main__":
    main()
