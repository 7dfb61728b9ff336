"""The notebooks' own code in plain forked children; throughput.py starts this as a process of its own.

    python throughput_floor.py FOLDER      [[processor seconds, the same with drawn figures], ...], as JSON

The process has imported what the notebooks import, and nothing of grader: a fork costs what a process holds.
In the first number plt.show() draws nothing; in the second every figure becomes a PNG, as in a notebook.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")
import matplotlib.pyplot as plt
import numpy as np

MAGIC = re.compile(r"^[%!].*", re.M)


def execute(cells: list[str], draw: bool) -> None:
    """Execute the code cells of a notebook; a cell that fails does not keep the next ones from it."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        for number, source in enumerate(cells):
            with contextlib.suppress(Exception):
                exec(compile(source, f"cell {number}", "exec"), namespace)
            for figure in plt.get_fignums() if draw else ():
                plt.figure(figure).savefig(io.BytesIO(), format="png", bbox_inches="tight")
                plt.close(figure)


def seconds(cells: list[str], draw: bool) -> float:
    """Return the processor seconds of a forked child that executes these cells, its end included."""
    child = os.fork()
    if child == 0:
        try:
            execute(cells, draw)
        finally:
            os._exit(0)
    usage = os.wait4(child, 0)[2]
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Measure every notebook of a folder twice."""
    warnings.simplefilter("ignore")
    plt.show = lambda *_, **__: None
    plt.figure().savefig(io.BytesIO(), format="png")  # the fonts are looked for once
    plt.close("all")
    np.linalg.svd(np.eye(2))
    gc.freeze()
    found = []
    for path in sorted(Path(sys.argv[1]).glob("*.ipynb")):
        cells = [
            MAGIC.sub("", "".join(cell["source"]))
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
            if cell["cell_type"] == "code"
        ]
        found.append([seconds(cells, draw) for draw in (False, True)])
    print(json.dumps(found))


if __name__ == "__main__":
    main()
