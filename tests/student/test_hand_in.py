"""`grader check --hand-in`: each thing that the graders' run would trip over is found and said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from support import notebook
from support_student import kit_files, solved, write_kit_to

from grader.cli.main import main
from grader.student.fresh_run import Failure, obstacles, run_fresh
from grader.student.hand_in import Obstacle, find_obstacles
from grader.student.kit import Kit

NAME = "exercise_11.ipynb"
RIGHT = "import numpy as np\ndef reconstruct(X, W1, W2):\n    return X @ W1 @ W2"


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    """Return the kit with one function alone, so that a test's notebook can be short."""
    whole = write_kit_to(tmp_path_factory.mktemp("kit"))
    return Kit(**{**vars(whole), "functions": {"reconstruct": whole.functions["reconstruct"]}})


def read(kit: Kit, *cells: str, name: str = NAME, counts: Sequence[int | None] = ()) -> list[Obstacle]:
    """Return what reading a notebook of these cells tells."""
    content: dict[str, Any] = json.loads(notebook(*cells))
    for cell, count in zip(content["cells"], counts or range(1, 1 + len(cells)), strict=True):
        cell["execution_count"] = count
    return find_obstacles(name, 1000, content, kit)


def test_a_notebook_in_order_meets_no_obstacle(kit: Kit) -> None:
    cells = [
        RIGHT,
        "import matplotlib.pyplot as plt, sklearn.datasets, time\nfrom scipy.sparse import csr_matrix",
        'ratings = np.load("exercise_11_matrix_factorization_ratings.npy")\nnp.save("mine.npy", ratings)',
        '%matplotlib inline\nmine = np.load("mine.npy")\nfor i in range(3):\n    print(i, [j for j in mine])',
        "def later():\n    return made_below\nmade_below = np.int64(3)\nlater()",
        'with open("notes.txt", "w") as file:\n    file.write("x")\nopen("notes.txt").read()',
    ]
    assert read(kit, *cells) == []


@pytest.mark.parametrize(
    ("cells", "message", "advice"),
    [
        (["def reconstruct(X, W1:\n    pass"], "cell 1, line 1", "mend it or delete it"),
        (["x = 1"], "does not define a function named reconstruct", "Take its cell from the notebook"),
        (["def reconstruct_X(A, B):\n    return A"], "named reconstruct", "Is it reconstruct_X now?"),
        (["def my_solution(X, W1, W2):\n    return X"], "named reconstruct", "Is it my_solution now?"),
        (["def reconstruct(X, W1):\n    return X"], "takes (X, W1), but (X, W1, W2)", "give it those again"),
        (["def reconstruct(X, W1, W2, k):\n    return X"], "takes (X, W1, W2, k)", "give it those again"),
        ([RIGHT, "import torch.nn as nn"], "Code cell 2 imports torch", "There are: IPython"),
        ([RIGHT, "from tensorflow import keras"], "imports tensorflow", "Do without it"),
        ([RIGHT, "x = np.infty"], "uses numpy.infty", "Use numpy.inf."),
        (
            [RIGHT, "from time import time\nimport time as t\nt.clock()"],
            "uses time.clock",
            "time.perf_counter",
        ),
        ([RIGHT, "x = np.load('data/other.npy')"], "reads the file data/other.npy", "beside the notebook"),
        ([RIGHT, "x = open('C:/me/notes.txt').read()"], "C:/me/notes.txt", "There are"),
        ([RIGHT, "import pandas as pd\npd.read_csv('https://a.b/c.csv')"], "fetches https", "no network"),
        ([RIGHT, "print(below)", "below = 1"], "uses below, made only in code cell 3", "Move the cells"),
        ([RIGHT, "print(never)"], "uses never, which no cell makes", "deleted"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_costs_points_is_serious_and_says_what_to_do(
    kit: Kit, cells: list[str], message: str, advice: str
) -> None:
    found = read(kit, *cells)
    serious = [each for each in found if each.serious]
    assert len(serious) == 1, found
    assert message in serious[0].message
    assert advice in serious[0].advice


@pytest.mark.parametrize(
    ("cells", "counts", "message"),
    [
        ([RIGHT, "x = 1"], (2, 1), "in another order"),
        ([RIGHT, "x = 1"], (1, None), "1 of 2 code cells have not been run"),
        (["import grader", RIGHT], (1, 2), "imports grader"),
        (["def reconstruct(X, W1, W2):\n    raise NotImplementedError"], (1,), "still as it was handed out"),
    ],
    ids=["order", "not run", "grader", "left"],
)
def test_what_costs_nothing_is_a_remark(
    kit: Kit, cells: list[str], counts: tuple[int | None, ...], message: str
) -> None:
    (found,) = read(kit, *cells, counts=counts)
    assert message in found.message
    assert not found.serious


def test_a_wrong_file_name_and_a_large_output_are_said(kit: Kit) -> None:
    content = json.loads(notebook(RIGHT))
    content["cells"][0]["execution_count"] = 1
    content["cells"][0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * 600_000}]
    first, second, third = find_obstacles("final_v2.ipynb", 11 << 20, content, kit)
    assert "final_v2.ipynb" in first.message
    assert NAME in first.advice
    assert "11 MB" in second.message
    assert "Code cell 1 displays 586 kB" in third.message


def test_a_fresh_kernel_shows_what_only_running_can(tmp_path: Path) -> None:
    cells = (
        "import os\nprint(sorted(os.listdir('.')))",
        "data = open('a' + '.txt').read()",
        "raise NotImplementedError",
        "x = 1",
        "while True: pass",
        "x + 1",
    )
    failures = run_fresh(notebook(*cells).encode(), tmp_path, 3)
    assert [(failure.cell, failure.error) for failure in failures] == [
        (2, "FileNotFoundError"),
        (3, "NotImplementedError"),
        (5, "KeyboardInterrupt"),
    ]
    told = obstacles(failures)
    assert "a.txt" in told[0].message
    assert "files of the kit" in told[0].advice
    assert "longer than the graders' run allows" in told[2].advice


def test_only_the_first_failures_are_listed() -> None:
    told = obstacles([Failure(n, "KeyError", "") for n in range(1, 9)])
    assert len(told) == 6
    assert told[-1].message == "3 more cells fail."


def test_the_command_runs_a_copy_beside_the_handed_out_files_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_kit_to(tmp_path)
    (tmp_path / "mine.txt").write_text("x", encoding="utf-8")
    content = json.loads(solved())
    stop = "open('mi' + 'ne.txt')"
    content["cells"] = [cell for cell in content["cells"] if not cell["id"].endswith("-run")]
    content["cells"].append({**content["cells"][1], "id": "last", "source": stop})
    for number, cell in enumerate(cell for cell in content["cells"] if cell["cell_type"] == "code"):
        cell["execution_count"] = number + 1
    (tmp_path / NAME).write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(SystemExit) as ending:
        main(["check", str(tmp_path / NAME), "--hand-in"])
    out = capsys.readouterr().out
    assert ending.value.code == 1
    assert "FileNotFoundError" in out
    assert "mine.txt" in out
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*kit_files(), "mine.txt"])


def test_options_that_do_not_go_together_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["check", str(tmp_path / NAME), "--hand-in", "--run"])
    assert ending.value.code == 2
    assert "leave out -f, --run, --watch" in capsys.readouterr().err


def test_a_file_beside_the_notebook_is_there_in_the_copy_and_is_to_be_handed_in_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_kit_to(tmp_path)
    source = "from mine import reconstruct\nassert reconstruct(2.0, 3.0, 4.0) == 24.0"
    (tmp_path / "mine.py").write_text("def reconstruct(X, W1, W2):\n    return X * W1 * W2\n")
    (tmp_path / NAME).write_text(notebook(source))
    with pytest.raises(SystemExit):
        main(["check", str(tmp_path / NAME), "--hand-in"])
    out = " ".join(capsys.readouterr().out.split())
    assert "mine.py defines reconstruct. Hand it in together with the notebook." in out
    assert "imports mine.py from beside the notebook" in out
    assert "ModuleNotFoundError" not in out
    assert "reconstruct is missing" not in out


def test_a_function_that_is_defined_more_than_once_is_told(kit: Kit) -> None:
    (found,) = read(kit, RIGHT, "x = 1", RIGHT)
    assert found.message == "reconstruct is defined more than once (code cell 1 and 3)."
    assert not found.serious
