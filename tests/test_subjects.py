"""What a question can be about: functions, methods, classes, variables, files, figures, written answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from support import RUBRIC as TINY

from grader.course.rubric_file import parse_rubric
from grader.errors import AssignmentError, RubricError
from grader.judge.judge_observation import grade
from grader.observe.observe_submission import observe
from grader.observe.sandbox import PlainSandbox
from grader.plan.load import load_course
from grader.plan.plan import Course
from grader.records import HandIn, QuestionScore, Summary
from grader.store import Store
from grader.verify.claims import claims_of
from grader.verify.proof import refuse_wrong_reference
from grader.verify.verification import list_claims, make_evidence
from grader.verify.whole_run import needs_a_run

KNN = """
import numpy as np

class KNearestNeighbor:
    def __init__(self, k=1):
        self.k = k

    def fit(self, X, y):
        self.X, self.y = X, y

    def predict(self, X):
        ### BEGIN SOLUTION
        near = np.argsort(((X[:, None] - self.X[None]) ** 2).sum(axis=2), axis=1)[:, :self.k]
        return np.array([np.bincount(self.y[row]).argmax() for row in near])
        ### END SOLUTION
"""
COUNTER = """
class Counter:
    ### BEGIN SOLUTION
    def __init__(self, start=0):
        self.total = start

    def add(self, n):
        self.total += n
        return self.total
    ### END SOLUTION
"""
SCALE = """
def factor(x):
    ### BEGIN SOLUTION
    return 2.0
    ### END SOLUTION

def scale(x):
    return factor(x) * x
"""
REST = [
    "### BEGIN SOLUTION\naccuracy = 0.75\n### END SOLUTION",
    "### BEGIN SOLUTION\nopen('predictions.csv', 'w').write('1,2\\n')\n### END SOLUTION",
]
DRAW = "### BEGIN SOLUTION\nimport matplotlib.pyplot as plt\nplt.plot([0, 1, 2], [4, 2, 1], label='loss')\nplt.xlabel('epoch')\nplt.legend()\nplt.show()\n### END SOLUTION"
INPUTS = """
from grader.course import Case, Step
import numpy as np

def points(rng):
    X, y = rng.standard_normal((20, 2)), rng.integers(0, 3, 20)
    new = rng.standard_normal((9, 2))
    return [Case("one", (new,), construct=Step(args=(1,)), before=(Step("fit", (X, y)),)),
            Case("three", (new,), construct=Step(keywords={"k": 3}), before=(Step("fit", (X, y)),))]

def additions(rng):
    steps = tuple(Step("add", (int(n),)) for n in rng.integers(1, 9, 4))
    return [Case("four", construct=Step(args=(5,)), before=steps)]

def numbers(rng):
    return [Case("three", (rng.standard_normal(3),))]

def two_in_turn(rng):
    first, second = rng.standard_normal((2, 3))
    return [Case("both", (second,), before=(Step(args=(first,)),), collect=True),
            Case("the second", (second,), before=(Step(args=(first,)),))]
"""
METRICS = """
def lines(value, case):
    return float(len(value.splitlines()))

def falls(value, case):
    (axes,) = value["axes"]
    (line,) = axes["lines"]
    return float(axes["x_label"] == "epoch" and axes["legend"] == ["loss"] and line["y"][0] > line["y"][-1])

def words(value, case):
    return float(len(value.split()))
"""
RUBRIC = """
assignment: things
title: Things
questions:
  - {id: knn, title: KNN, points: 1, method: KNearestNeighbor.predict, checks: [{id: c, title: t, type: reference, points: 1, inputs: points}]}
  - {id: counter, title: Counter, points: 1, class: Counter, checks: [{id: c, title: t, type: reference, points: 1, inputs: additions}]}
  - {id: scale, title: Scale, points: 1, function: scale, checks: [{id: c, title: t, type: reference, points: 1, inputs: numbers}]}
  - {id: factor, title: Factor, points: 1, function: factor, checks: [{id: c, title: t, type: reference, points: 1, inputs: two_in_turn}]}
  - {id: accuracy, title: Accuracy, points: 1, variable: accuracy, checks: [{id: c, title: t, type: reference, points: 1}]}
  - {id: file, title: File, points: 1, file: predictions.csv, checks: [{id: c, title: t, type: metric, metric: lines, full: 1, none: 0, points: 1}]}
  - {id: figure, title: Figure, points: 1, figure: loss, checks: [{id: c, title: t, type: metric, metric: falls, full: 1, none: 0, points: 1}]}
  - {id: text, title: Text, points: 1, text: why, checks: [{id: c, title: t, type: metric, metric: words, full: 5, none: 0, points: 1}]}
"""


def notebook(
    knn: str = KNN, counter: str = COUNTER, scale: str = SCALE, *rest: str, draw: str = DRAW, why: str = ""
) -> str:
    cells = [nbformat.v4.new_code_cell(source) for source in (knn, counter, scale, *(rest or REST))]
    cells.append(nbformat.v4.new_code_cell(draw, metadata={"tags": ["loss"]}))
    cells.append(nbformat.v4.new_markdown_cell(why or "*Why?*", metadata={"tags": ["why"]}))
    return str(nbformat.writes(nbformat.v4.new_notebook(cells=cells)))


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    root = tmp_path_factory.mktemp("course")
    files = {"rubrics/things.yaml": RUBRIC, "reference/things/notebook.ipynb": notebook()}
    files |= {"reference/things/inputs.py": INPUTS, "reference/things/metrics.py": METRICS}
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return load_course("things", root)


def graded(
    course: Course, *cells: str, modules: dict[str, bytes] | None = None, **changes: str
) -> dict[str, QuestionScore]:
    with Store(None) as store:
        observation = observe(
            HandIn(notebook(*cells, **changes).encode(), modules or {}), course, PlainSandbox(), store
        )
        score = grade("anna", observation, course)
    return {question.id: question for question in score.questions}


def points(scores: dict[str, QuestionScore]) -> dict[str, float | None]:
    return {name: question.points for name, question in scores.items()}


def test_a_right_solution_earns_the_points_of_every_kind_of_subject(course: Course) -> None:
    found = points(graded(course, why="Because it falls in the end."))
    assert found == dict.fromkeys(found, 1.0)


def test_the_reference_of_every_kind_of_subject_is_no_reason_to_refuse_the_course(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_CACHE", str(tmp_path))
    refuse_wrong_reference(course)


def test_what_only_a_run_shows_is_verified_by_a_run_of_the_reference(
    course: Course,
) -> None:
    path = course.assignment.folder
    rubric = path.parent.parent / "rubrics" / "things.yaml"
    claims = {claim.id: claim for claim in list_claims(rubric, rubric.parent.parent)}
    evidence = make_evidence(rubric, rubric.parent.parent, 1, 0)
    assert claims["reference"].check(evidence).problems == ()
    assert claims["points"].check(evidence).problems == ()
    (found,) = claims["notebook"].check(evidence).problems  # all but its text, which nobody wrote
    assert "c of text earns 0 of 1: It was left as it was handed out" in found


def test_a_rubric_of_functions_alone_needs_no_run() -> None:
    rubric = parse_rubric(TINY, "tiny.yaml")
    assert needs_a_run(rubric) == frozenset()
    assert "notebook" not in {claim.id for claim in claims_of(rubric, [], [])}


def test_what_was_handed_out_is_not_attempted(course: Course) -> None:
    skeleton = nbformat.writes(course.assignment.skeleton)
    with Store(None) as store:
        score = grade("anna", observe(HandIn(skeleton.encode()), course, PlainSandbox(), store), course)
    assert {q.id: q.checks[0].verdict.code for q in score.questions} == {
        "knn": "not_attempted", "counter": "not_attempted", "scale": "not_attempted", "factor": "not_attempted",
        "accuracy": "missing", "file": "missing", "figure": "missing", "text": "not_attempted",
    }  # fmt: skip
    assert score.points == 0.0
    assert score.summary is Summary.NOT_ATTEMPTED


def test_a_method_is_judged_with_the_state_that_the_calls_before_it_made(course: Course) -> None:
    forgets = KNN.replace("self.X, self.y = X, y", "self.X, self.y = X[:1], y[:1]")
    ignores = KNN.replace("[:, :self.k]", "[:, :1]")
    assert graded(course, forgets)["knn"].points == 0.0
    scored = graded(course, ignores)["knn"]
    assert 0.0 < (scored.points or 0.0) < 1.0
    assert "on input 2" in scored.checks[0].verdict.message


def test_a_class_is_judged_by_what_its_calls_return(course: Course) -> None:
    wrong = COUNTER.replace("self.total += n", "self.total = n")
    verdict = graded(course, KNN, wrong)["counter"].checks[0].verdict
    assert verdict.fraction == 0.0
    assert verdict.message.startswith("In part 1 of the result")


def test_a_method_that_is_not_there_is_missing(course: Course) -> None:
    verdict = graded(course, KNN.replace("def predict", "def predicts"))["knn"].checks[0].verdict
    assert (verdict.code, verdict.message) == (
        "missing",
        "The class KNearestNeighbor has no method named predict.",
    )


CACHED = """
kept = []

def factor(x):
    kept.append(float(x[0]))
    return 2.0 if len(kept) == 1 else 3.0

def scale(x):
    return factor(x) * x
"""


def test_state_that_a_function_keeps_shows_in_a_sequence_and_nowhere_else(course: Course) -> None:
    scores = graded(course, KNN, COUNTER, CACHED)
    assert scores["scale"].points == 1.0
    verdict = scores["factor"].checks[0].verdict
    assert verdict.fraction == 0.25  # of two calls in turn, the first is right
    assert graded(course, KNN, COUNTER, SCALE)["factor"].checks[0].verdict.fraction == 1.0


def test_a_wrapper_that_was_handed_out_is_the_students_as_soon_as_what_it_calls_is(course: Course) -> None:
    assert (
        graded(course, KNN, COUNTER, SCALE.replace("2.0", "5.0"))["scale"].checks[0].verdict.code
        == "constant_factor"
    )


@pytest.mark.parametrize(
    ("change", "question", "code"),
    [
        pytest.param({"rest": ("accuracy = 0.5", REST[1])}, "accuracy", "values", id="another value"),
        pytest.param({"rest": ("accuracy = '0.75'", REST[1])}, "accuracy", "structure", id="text"),
        pytest.param({"rest": ("accuracy = len", REST[1])}, "accuracy", "undecodable", id="a function"),
        pytest.param({"rest": ("accuracy = 0.75\nraise SystemExit", REST[1])}, "accuracy", "", id="an error after it"),
        pytest.param({"rest": (REST[0], "x = 1")}, "file", "missing", id="no file"),
        pytest.param({"rest": (REST[0], "import os; os.symlink('/etc/passwd', 'predictions.csv')")}, "file", "missing", id="a link"),
        pytest.param({"draw": "x = 1"}, "figure", "missing", id="no figure"),
        pytest.param({"draw": DRAW.replace("[4, 2, 1]", "[1, 2, 4]")}, "figure", "below_target", id="it rises"),
        pytest.param({"draw": DRAW.replace("plt.show()", "plt.close('all')")}, "figure", "", id="closed at once"),
        pytest.param({"why": "Too short."}, "text", "below_target", id="a short answer"),
    ],
)  # fmt: skip
def test_what_the_notebook_leaves_behind_is_judged(
    course: Course, change: dict[str, Any], question: str, code: str
) -> None:
    rest = change.pop("rest", ())
    verdict = graded(course, KNN, COUNTER, SCALE, *rest, **change)[question].checks[0].verdict
    assert verdict.code == code, verdict


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("function: scale", "function: scale, variable: x", "is about one thing: it has function and variable"),
        ("method: KNearestNeighbor.predict", "method: predict", "questions.0.method"),
        ("file: predictions.csv", "file: ../predictions.csv", "questions.5.file"),
        ("inputs: numbers", "rtol: 0.1", "the check 'c' needs the key 'inputs'"),
    ],
)  # fmt: skip
def test_a_rubric_names_one_subject_in_its_form(old: str, new: str, words: str) -> None:
    with pytest.raises(RubricError, match=words):
        parse_rubric(RUBRIC.replace(old, new), "things.yaml")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("function: scale", "function: scales", "does not define the function 'scales'"),
        ("variable: accuracy", "variable: precision", "does not define the variable 'precision'"),
        ("type: metric, metric: lines, full: 1, none: 0", "type: reference", r"'file predictions.csv'.*known=\{'expected'"),
    ],
)  # fmt: skip
def test_a_subject_that_the_reference_lacks_is_found_at_load(
    tmp_path: Path, course: Course, old: str, new: str, words: str
) -> None:
    rubric = tmp_path / "things.yaml"
    rubric.write_text(RUBRIC.replace(old, new))
    with pytest.raises(AssignmentError, match=words):
        load_course("things", course.assignment.folder.parent.parent, rubric)


def test_the_reference_gives_a_variable_its_value(course: Course) -> None:
    planned = next(check for check in course.plan.checks if check.question == "accuracy")
    assert np.asarray(planned.cases[0].expected) == 0.75  # type: ignore[attr-defined]


MODULE = SCALE.replace("2.0", "VALUE").replace("def factor", "from values import VALUE\n\ndef factor")
FILES = {"mine.py": MODULE.encode(), "values.py": b"VALUE = 2.0\n"}


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param("x = 1", id="the notebook does not mention it"),
        pytest.param("from mine import factor, scale", id="imported by name"),
        pytest.param("from mine import *", id="imported with a star"),
        pytest.param(
            "from mine import factor\ndef scale(x):\n    return factor(x) * x",
            id="one of them in the notebook",
        ),
    ],
)
def test_a_function_may_stand_in_a_file_beside_the_notebook(course: Course, cell: str) -> None:
    scores = graded(course, KNN, COUNTER, cell, modules=FILES)
    assert (scores["scale"].points, scores["factor"].points) == (1.0, 1.0)
    wrong = graded(course, KNN, COUNTER, cell, modules={**FILES, "values.py": b"VALUE = 5.0\n"})
    assert wrong["factor"].points == 0.0


def test_an_error_in_a_file_beside_the_notebook_is_shown_there(course: Course) -> None:
    broken = {"mine.py": b"import numpy\n\ndef factor(x):\n    return 2.0 * nothing\n"}
    verdict = graded(course, KNN, COUNTER, "x = 1", modules=broken)["factor"].checks[0].verdict
    assert "(mine.py, line 4: return 2.0 * nothing)" in verdict.message


def test_the_notebooks_own_function_counts_and_not_one_of_the_same_name_beside_it(course: Course) -> None:
    scores = graded(course, KNN, COUNTER, SCALE, modules={"mine.py": SCALE.replace("2.0", "5.0").encode()})
    assert (scores["scale"].points, scores["factor"].points) == (1.0, 1.0)
