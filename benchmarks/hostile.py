"""Hostile notebooks in a row, with an honest one between them: what they cost, and what they leave.

    python benchmarks/hostile.py                 1,000 notebooks, about half an hour on two cores
    python benchmarks/hostile.py --notebooks 60  a first look

Printed are the longest time of a notebook beyond its limits, what is left of processes, descriptors, threads,
files, mounts and control groups, how the memory of this process has grown, and whether the honest notebook
always came out the same, byte for byte.
"""

from __future__ import annotations

import argparse
import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import nbformat
import psutil
from box import CORES, PRELOAD, left, machine, private_temporary_directory

from grader.errors import GraderFault, NotebookUnreadable
from grader.observe.handle import run_notebook
from grader.observe.sandbox import Sandbox
from grader.observe.tiers import choose_sandbox
from grader.observe.warm import WarmSandbox
from grader.records import NotebookLimits, NotebookRun

LIMITS = NotebookLimits(seconds=3, cell_seconds=1, memory_mb=512, output_kb=64)
HONEST = "import numpy as np\nprint(np.linalg.norm(np.arange(12.0)))\nnp.eye(2)"
EVERYWHERE = """import os
for fd in range(3, 512):
    try:
        os.set_blocking(fd, False)
        {}
    except OSError:
        pass
"""
CODE = {
    "garbage on every descriptor": EVERYWHERE.format("os.write(fd, b'garbage' * 1000)"),
    "ten million bytes of it": "import os\ndata = os.urandom(10_000_000)\n"
    + EVERYWHERE.format("os.write(fd, data)"),
    "descriptors closed": EVERYWHERE.format("os.close(fd)"),
    "stopped": "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    "a daemon": "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(1000)",
    "many processes": """import os, time
for _ in range(300):
    if os.fork() == 0:
        time.sleep(1000)
""",
    "signals ignored": """import signal
for n in (2, 14, 15):
    signal.signal(n, signal.SIG_IGN)
while True: pass
""",
    "output without end": "while True: print('x' * 1000)",
    "displays without end": """h = display("x", display_id=True)
while True: h.update({"text/html": "<b id=a>" * 9999}, raw=True)
""",
    "memory": "x = [bytes(10**8) for _ in range(100)]",
    "directories in directories": "import os\nfor _ in range(3000):\n    os.mkdir('d'); os.chdir('d')",
    "a forged end": "get_ipython().kernel.session.send = lambda *a, **k: {}",
    "escape sequences": "raise ValueError('\\x1b[2J\\x1b]52;c;eA==\\x07\\ud800')",
    "an end": "import os\nos._exit(7)",
    "nesting": "x = []\nfor _ in range(10**5): x = [x]\nx",
}
TEXT = {
    "comments": "<!--" * 50_000,
    "brackets": "![[](" * 10_000,
    "a wide table": "|" * 240 + "\n" + "|-" * 240 + "|\n" + ("|" * 240 + "\n") * 240,
    "quotes in quotes": ">" * 20_000,
    "formulas": "$x$" * 20_000,
}


def notebook(*cells: nbformat.NotebookNode) -> bytes:
    """Return the bytes of a notebook."""
    return str(nbformat.writes(nbformat.v4.new_notebook(cells=list(cells)))).encode()


def hostile() -> list[bytes]:
    """Return the hostile notebooks, each of one cell and an honest one after it."""
    honest = nbformat.v4.new_code_cell(HONEST)
    cells = [nbformat.v4.new_code_cell(source) for source in CODE.values()]
    cells += [nbformat.v4.new_markdown_cell(text) for text in TEXT.values()]
    return [notebook(cell, honest) for cell in cells]


def run(data: bytes, sandbox: Sandbox) -> tuple[float, NotebookRun | None]:
    """Run a notebook; return the seconds that it took, and its run if it could be read."""
    started = time.monotonic()
    try:
        done = run_notebook(data, {}, sandbox, LIMITS)
    except NotebookUnreadable:
        done = None
    return time.monotonic() - started, done


def main() -> None:
    """Run the notebooks and print a table."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--notebooks", type=int, default=1000)
    number = parser.parse_args().notebooks
    neighbour = notebook(nbformat.v4.new_code_cell(HONEST))
    with private_temporary_directory(), choose_sandbox(PRELOAD) as sandbox:
        assert isinstance(sandbox, WarmSandbox)
        print(f"{machine()}; tier {sandbox.name}\n")
        for data in (neighbour, *hostile()[:6]):  # so that what is made once is made before the count
            run(data, sandbox)
        before, memory = left(sandbox), psutil.Process().memory_info().rss
        slowest, faults, honest = 0.0, 0, set()
        with ThreadPoolExecutor(CORES) as pool:

            def one(data: bytes) -> None:
                nonlocal slowest, faults
                try:
                    seconds, _ = run(data, sandbox)
                except GraderFault as fault:
                    print("our fault:", fault)
                    faults += 1
                    return
                slowest = max(slowest, seconds - LIMITS.seconds - LIMITS.cell_seconds)
                _, same = run(neighbour, sandbox)
                assert same is not None
                cells = tuple(replace(cell, seconds=0.0) for cell in same.cells)
                honest.add((cells, same.shown, same.remark))

            list(pool.map(one, itertools.islice(itertools.cycle(hostile()), number)))
        after = left(sandbox)
        grown = psutil.Process().memory_info().rss / memory - 1
        print("| what | |\n|---|---:|")
        print(f"| hostile notebooks | {number} |")
        print(f"| of them not graded through our fault | {faults} |")
        print(f"| seconds of the longest beyond its limits | {slowest:.1f} |")
        for name in before:
            if name != "memory":
                print(f"| {name} left | {after[name] - before[name]:+g} |")
        print(f"| growth of this process | {grown:+.1%} |")
        print(f"| different results of the honest notebook | {len(honest)} |")


if __name__ == "__main__":
    main()
