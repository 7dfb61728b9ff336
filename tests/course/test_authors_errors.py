"""What an author of a course does wrong is named when the course is loaded: file, line, key; never a traceback."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support import REFERENCE, notebook

from grader.cli.main import main
from grader.course import shipped
from grader.errors import AssignmentError, CourseError
from grader.plan.load import load_course

INPUTS = """
import numpy as np
from grader.course import Case

def numbers(rng):
    return [Case("three", (rng.standard_normal(3),))]
"""
SWEEP = (
    REFERENCE
    + "\n\ndef cost(x):\n    return float((x ** 2).sum())\n\ndef both(x):\n    return cost(x), 2 * x"
)
GRADIENT = "type: gradient, cost: COST, wrt: [x]"
WRONG = {
    "a generator that raises": ({"inputs": INPUTS.replace("(3)", "(-3)")}, r"inputs\.py: numbers\(\) fails \(inputs\.py:6\): ValueError"),
    "a generator of something else": ({"inputs": INPUTS.replace('Case("three", (rng.standard_normal(3),))', "3")}, r"numbers\(\) makes a int where a Case is expected"),
    "a generator of nothing": ({"inputs": INPUTS.replace("[Case", "[][:0] and [Case")}, r"numbers\(\) makes no inputs"),
    "a function as an argument": ({"inputs": INPUTS.replace("(rng.standard_normal(3),)", "(lambda x: x,)")}, r"the inputs 'three' of double: an argument cannot be .*: it is a function.* grader\.course\.shipped"),
    "an object as an argument": ({"inputs": INPUTS.replace("(rng.standard_normal(3),)", "(object(),)")}, r"the inputs 'three' of double: .* it is of type builtins\.object"),
    "a module that does not compile": ({"inputs": INPUTS + "\n1 +"}, r"inputs\.py cannot be imported.*SyntaxError"),
    "a module that raises": ({"inputs": INPUTS + "\n1 / 0"}, r"inputs\.py cannot be imported \(inputs\.py:8\): ZeroDivisionError"),
    "data files that cannot be made": ({"inputs": INPUTS + "\ndef files(seed):\n    return 1 / 0"}, r"inputs\.py: files\(\) \(inputs\.py:9\) fails: ZeroDivisionError"),
    "a reference that cannot be executed": ({"notebook": "x = 1 / 0\n" + REFERENCE.replace("2.0 * x", "2.0 * x + 0 * len(str(x))").replace("def double(x):", "def double(x, y=x):")}, r"notebook\.ipynb: code cell 1, line 1 fails: ZeroDivisionError"),
    "a gradient that is a part of the result": ({"rubric": ("both", GRADIENT.replace("COST", "cost")), "notebook": SWEEP}, r"the reference's gradient at 'three' does not have the shapes"),
    "a cost that returns a tuple": ({"rubric": ("both", GRADIENT.replace("COST", "both") + ", output: 1"), "notebook": SWEEP}, r"the cost both failed near 'three': TypeError"),
    "a part that the cost does not return": ({"rubric": ("both", GRADIENT.replace("COST", "both") + ", output: 1, cost_output: 7"), "notebook": SWEEP}, r"the cost both failed near 'three': IndexError"),
}  # fmt: skip


def write(
    root: Path, inputs: str = INPUTS, source: str = REFERENCE, rubric: tuple[str, str] | None = None
) -> None:
    function, check = rubric or ("double", "type: reference")
    text = (
        f"assignment: tiny\ntitle: t\nquestions:\n  - {{id: q, title: t, function: {function}, points: 1, "
        f"checks: [{{id: c, title: t, points: 1, inputs: numbers, {check}}}]}}\n"
    )
    for name, content in {
        "rubrics/tiny.yaml": text,
        "reference/tiny/inputs.py": inputs,
        "reference/tiny/notebook.ipynb": notebook(source),
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, encoding="utf-8")


@pytest.mark.parametrize(("files", "words"), WRONG.values(), ids=WRONG)
def test_a_mistake_in_a_course_is_named_when_it_is_loaded(
    tmp_path: Path, files: dict[str, str], words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    write(tmp_path, files.get("inputs", INPUTS), files.get("notebook", REFERENCE), files.get("rubric"))  # type: ignore[arg-type]
    with pytest.raises(CourseError, match=words):
        load_course("tiny", tmp_path)
    (tmp_path / "submissions").mkdir()
    (tmp_path / "submissions" / "anna.ipynb").write_text(notebook(REFERENCE))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ending:
        main(["grade", "submissions", "--assignment", "tiny"])
    assert ending.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_function_that_returns_the_cost_and_its_gradient_is_checked_part_by_part(tmp_path: Path) -> None:
    check = GRADIENT.replace("COST", "both") + ", output: 1, cost_output: 0, own_cost: 1.0"
    write(tmp_path, source=SWEEP, rubric=("both", check))
    (case,) = load_course("tiny", tmp_path).plan.checks[0].cases
    assert case.check.builds_on == ("both",)  # type: ignore[attr-defined]
    assert case.numeric.decides(1e-4)  # type: ignore[attr-defined]


SCALE = 2.0


def test_a_shipped_function_takes_nothing_with_it_but_modules() -> None:
    def leans(x: float) -> float:
        return SCALE * x

    with pytest.raises(AssignmentError, match="the function leans uses SCALE, which does not travel with it"):
        shipped(leans)
    with pytest.raises(AssignmentError, match="<lambda> is no function that `def` defines"):
        shipped(lambda x: x)
    with pytest.raises(AssignmentError, match="the source of the function len cannot be found"):
        shipped(len)


def test_a_shipped_function_may_use_attributes() -> None:
    @shipped
    def grows(x: float) -> float:
        return float(np.exp(x).real)

    assert grows(0.0) == 1.0
    assert "import numpy as np" in grows.source
