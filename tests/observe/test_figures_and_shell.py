"""What a notebook displays in Jupyter, it displays here: figures, and what shell commands print."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest
from support import ran

from grader.observe.sandbox import Sandbox
from grader.observe.tiers import choose_sandbox
from grader.records import NotebookLimits

CELLS = {
    "shown": "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
    "not shown": "plt.plot([3, 1]);",
    "returned": "figure, axis = plt.subplots()\nplt.close()\nfigure",
    "magic": "%matplotlib inline\nplt.scatter([1], [1])\nplt.show()",
    "list": "!ls",
    "variables": "n = 3\n!echo {n} $n",
    "captured": "names = !ls\nprint(names)",
    "failed": "!ls nowhere\nprint(_exit_code != 0)",
}


def outputs(sandbox: Sandbox) -> dict[str, list[Any]]:
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS.values()]
    run = ran(nbformat.v4.new_notebook(cells=cells), {"data.txt": b""}, sandbox, NotebookLimits(seconds=120))
    assert [cell.status for cell in run.cells] == ["ok"] * len(CELLS)
    executed = nbformat.reads(run.executed, 4).cells
    return {name: cell.outputs for name, cell in zip(CELLS, executed, strict=True)}


@pytest.fixture(scope="module")
def displayed() -> Any:
    with choose_sandbox(["matplotlib.pyplot"], unsafe=True) as sandbox:
        return outputs(sandbox)


@pytest.mark.parametrize("name", ["shown", "not shown", "returned", "magic"])
def test_a_figure_is_displayed_as_a_picture(displayed: dict[str, list[Any]], name: str) -> None:
    pictures = [output for output in displayed[name] if "image/png" in output.get("data", {})]
    assert len(pictures) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [("list", "data.txt"), ("variables", "3 3"), ("captured", "data.txt"), ("failed", "True")],
)
def test_a_shell_command_prints_into_its_cell(displayed: dict[str, list[Any]], name: str, text: str) -> None:
    assert text in "".join(output.get("text", "") for output in displayed[name])
