"""A function whose own code does not stand alone is called in the state of its notebook, right after its cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import nbformat
import pytest
from support import write_course

from grader.judge.judge_observation import grade
from grader.observe.observe_submission import observe
from grader.observe.sandbox import Sandbox
from grader.plan.load import load_course
from grader.records import HandIn, Observation, Score
from grader.store import Store

LIMITS = "\nlimits: {cell_seconds: 3, notebook_seconds: 30, call_seconds: 5}\n"
DOUBLE = "def double(x):\n    return TWO * x"
Graded = tuple[Observation, Score]


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Iterator[Callable[..., Graded]]:
    root = tmp_path_factory.mktemp("course")
    write_course(root)
    rubric = root / "rubrics" / "tiny.yaml"
    rubric.write_text(rubric.read_text() + LIMITS)
    course = load_course("tiny", root)
    with Store() as store:

        def run(*cells: str, modules: dict[str, bytes] | None = None) -> Graded:
            notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
            hand_in = HandIn(nbformat.writes(notebook).encode(), modules or {})
            observation = observe(hand_in, course, sandbox, store)
            return observation, grade("anna", observation, course)

        yield run


NOT_ALONE = {
    "a magic in the body": ["def double(x):\n    %matplotlib inline\n    return 2 * x"],
    "a timing in the body": ["def double(x):\n    %timeit -n1 -r1 x\n    return 2 * x"],
    "a command in the body": ["def double(x):\n    !echo hello\n    return 2 * x"],
    "a top-level await": ["async def get():\n    return 2", "TWO = await get()", DOUBLE],
    "the output of a command": [
        "y = !echo 2",
        "TWO = float(y[0])",
        DOUBLE,
    ],
    "a variable of the environment": [
        "%env TWO=2",
        "import os\ndef double(x):\n    return float(os.environ['TWO']) * x",
    ],
    "the last output": ["2", "TWO = _", DOUBLE],
    "a module that a cell writes": [
        "%%writefile mine.py\ndef double(x):\n    return 2 * x",
        "from mine import double",
    ],
    "a script that is run": ["%%writefile mine.py\ndef double(x):\n    return 2 * x", "%run mine.py"],
    "a file that a cell saves": [
        "import numpy as np\nnp.save('two.npy', np.array(2.0))",
        "def double(x):\n    return np.load('two.npy') * x",
    ],
    "a definition in a string": ["exec('def double(x):\\n    return 2 * x')"],
    "a cell before it that does not end": [
        "while True: pass",
        "%env TWO=2",
        "import os\n" + DOUBLE.replace("TWO", "float(os.environ['TWO'])"),
    ],
    "a cell before it that fails": [
        "1 / 0",
        "%env TWO=2",
        "import os\n" + DOUBLE.replace("TWO", "float(os.environ['TWO'])"),
    ],
}


@pytest.mark.parametrize("cells", NOT_ALONE.values(), ids=NOT_ALONE)
def test_a_right_function_that_does_not_stand_alone_earns_its_points(
    graded: Callable[..., Graded], cells: list[str]
) -> None:
    observation, score = graded(*cells)
    assert score.points == 3.0
    assert observation.in_state == {"double"}
    assert any(
        "was called in the notebook, right after its cell" in each for each in score.questions[0].remarks
    )
    again, _ = graded(*cells)
    assert again.in_state == {"double"}, "what was observed is kept with the way that it was"


def test_the_state_is_that_right_after_the_cell_and_not_that_of_the_end(
    graded: Callable[..., Graded],
) -> None:
    _, score = graded(
        "%env TWO=2", "import os\ndef double(x):\n    return float(os.environ['TWO']) * x", "%env TWO=3"
    )
    assert score.points == 3.0


def test_one_call_in_the_state_does_not_spoil_the_next(graded: Callable[..., Graded]) -> None:
    counts = "def double(x):\n    global n\n    n += 1\n    assert n == 1\n    return 2 * x * len(y)"
    observation, score = graded("y = !echo 1", "n = 0", counts)
    assert observation.in_state == {"double"}
    assert score.points == 3.0


STAYS = {
    "it stands alone": (["TWO = 2", DOUBLE], 3.0, ""),
    "a module that is nowhere": (
        ["import nowhere_at_all", "def double(x):\n    return nowhere_at_all.two * x"],
        0.0,
        "ModuleNotFoundError: No module named 'nowhere_at_all'",
    ),
    "a name that is bound nowhere": (["def double(x):\n    return nowhere * x"], 0.0, "NameError"),
    "one that is missing, with a cell in another language": (
        ["%%bash\necho hello", "x = 1"],
        0.0,
        "The notebook does not define a function named double.",
    ),
    "a wrong function": (["def double(x):\n    return 3 * x"], 0.0, ""),
    "a wrong function in the state": (
        ["%env A=1", "import os\ndef double(x):\n    return 3 * x * int(os.environ['A'])"],
        0.0,
        "",
    ),
}


@pytest.mark.parametrize(("cells", "points", "told"), STAYS.values(), ids=STAYS)
def test_what_is_wrong_stays_wrong_and_the_first_error_is_told(
    graded: Callable[..., Graded], cells: list[str], points: float, told: str
) -> None:
    _, score = graded(*cells)
    check = score.questions[0].checks[0]
    assert check.points == min(points, 2.0)
    assert told in check.verdict.message
