"""Nothing of the reference, of the hidden inputs or of their seed is in what students get."""

from __future__ import annotations

import ast
import base64
import json
import re
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import ROOT
from support_student import CHECKS, REFERENCE, kit_files, solutions

from grader.checks.base import InputsCheck
from grader.course import Case
from grader.course.assignment import load_assignment
from grader.course.rubric_file import load_rubric
from grader.student.kit import read_kit

RUBRIC = load_rubric(ROOT / "rubrics" / "exercise_11.yaml")
LONG = 9  # words and signs: shorter expressions stand in any program
ENGLISH = {"differences"}  # finite differences, in the words of the checks
DATA = "exercise_11_matrix_factorization_ratings.npy"


@pytest.fixture(scope="module")
def kit() -> dict[str, bytes]:
    """Return the kit's files, and beside each encoded part of the checks its decoded bytes."""
    files = dict(kit_files())
    content = json.loads(files[CHECKS])
    packed = [part["data"] for parts in content["inputs"].values() for part in parts]
    packed += content["expected"].values()
    return files | {f"part {n}": base64.b64decode(text) for n, text in enumerate(packed)}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    archive = zipfile.ZipFile(path)
    return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(params=["kit", "wheel"])
def handed_out(request: pytest.FixtureRequest) -> dict[str, bytes]:
    files: dict[str, bytes] = request.getfixturevalue(request.param)
    return files


def skeleton() -> str:
    content = json.loads(kit_files()["exercise_11.ipynb"])
    return "\n".join("".join(cell["source"]) for cell in content["cells"])


def solution_lines() -> set[str]:
    """Return the lines of all solutions that say something and are not on the sheet anyway."""
    given = {line.strip() for line in skeleton().splitlines()}
    lines = {line.strip() for text in solutions() for line in text.splitlines()}
    return {line for line in lines - given if len(line) >= 10}


def solution_names() -> set[str]:
    """Return the variables, functions and strings of the solutions that the sheet does not have."""
    found: set[str] = set()
    for text in solutions():
        try:
            tree = ast.parse(f"def f():\n{textwrap.indent(textwrap.dedent(text), ' ')}")
        except SyntaxError:
            continue  # a written answer: its lines are looked for
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
            elif isinstance(node, ast.FunctionDef) and node.name != "f":
                found.add(node.name)
    return {name for name in found if len(name) > 3 and not re.search(rf"\b{name}\b", skeleton())}


def words(text: str) -> str:
    """Return the words and signs of a text with one space between them: line ends and indents do not count."""
    return " ".join(re.findall(r"\w+|[^\w\s]", text))


def told_expressions() -> set[str]:
    """Return the expressions of solutions, other right ways and known mistakes that say something, as words."""
    sources = [f"def f():\n{textwrap.indent(textwrap.dedent(text), ' ')}" for text in solutions()]
    told = [*REFERENCE.glob("mis*.py"), REFERENCE / "rewritings.py"]
    sources += [path.read_text(encoding="utf-8") for path in told]
    found = set()
    for source in sources:
        try:
            tree = ast.parse(source)
        except SyntaxError:
            continue  # a written answer
        expressions = (node for node in ast.walk(tree) if isinstance(node, ast.expr))
        texts = (ast.Constant, ast.JoinedStr)  # names of inputs, and the words of messages
        found |= {words(ast.unparse(node)) for node in expressions if not isinstance(node, texts)}
    given = words(skeleton())
    return {text for text in found if len(text.split()) >= LONG and text not in given}


def hidden_cases() -> Iterator[Case]:
    assignment = load_assignment(REFERENCE, RUBRIC.subjects, RUBRIC.seed)
    names = {c.inputs for q in RUBRIC.questions for c in q.checks if isinstance(c, InputsCheck)}
    names |= {name for q in RUBRIC.questions for name in q.recognition.inputs}
    for name in sorted(names):
        yield from assignment.cases(name, RUBRIC.seed)


def arrays(value: Any) -> Iterator[np.ndarray[Any, Any]]:
    if hasattr(value, "toarray"):
        yield np.asarray(value.data)
    elif isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, tuple | list):
        for part in value:
            yield from arrays(part)
    elif isinstance(value, dict):
        yield from arrays(list(value.values()))


def test_the_solutions_have_lines_and_names_to_look_for() -> None:
    assert len(solution_lines()) > 60
    assert {"residual", "directions", "singular_values", "forces"} <= solution_names()


def test_no_line_of_a_solution_is_handed_out(handed_out: dict[str, bytes]) -> None:
    texts = {name: data.decode("utf-8", "ignore") for name, data in handed_out.items()}
    escaped = {line: json.dumps(line, ensure_ascii=False)[1:-1] for line in solution_lines()}
    leaks = [
        (name, line)
        for line, quoted in escaped.items()
        for name, text in texts.items()
        if line in text or quoted in text
    ]
    assert leaks == []


def test_no_expression_of_a_solution_is_handed_out_in_docstrings_and_comments_either(
    handed_out: dict[str, bytes],
) -> None:
    told = told_expressions()
    assert len(told) > 500
    assert words('np.einsum("ij,ijd->id", forces, differences)'.replace('"', "'")) in told
    texts = {
        name: words(data.decode("utf-8", "ignore").replace('"', "'"))
        for name, data in handed_out.items()
        if name.endswith((".py", ".md", ".ipynb", ".json", "METADATA"))
    }
    assert [(name, text) for name, whole in texts.items() for text in told if text in whole] == []


def test_the_wheel_names_no_function_of_the_course(wheel: dict[str, bytes]) -> None:
    texts = {name: data.decode("utf-8", "ignore") for name, data in wheel.items()}
    own = [name for name in RUBRIC.functions if "_" in name]
    assert len(own) > 8
    assert [
        (file, name) for file, text in texts.items() for name in own if re.search(rf"\b{name}\b", text)
    ] == []


def test_no_name_of_a_solution_is_in_the_kit(kit: dict[str, bytes]) -> None:
    texts = {name: data.decode("utf-8", "ignore") for name, data in kit.items() if name != DATA}
    leaks = [
        (name, word)
        for word in solution_names() - ENGLISH
        for name, text in texts.items()
        if re.search(rf"\b{word}\b", text)
    ]
    assert leaks == []


def test_no_mark_of_a_solution_and_no_output_is_in_the_notebook() -> None:
    content = json.loads(kit_files()["exercise_11.ipynb"])
    source = json.loads((REFERENCE / "notebook.ipynb").read_bytes())
    assert "SOLUTION" not in json.dumps(content)
    assert [cell["id"] for cell in content["cells"]] == [cell["id"] for cell in source["cells"]]
    code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    assert [cell["outputs"] for cell in code] == [[]] * len(code)
    assert skeleton().count("raise NotImplementedError") == len(RUBRIC.functions)


def test_no_hidden_input_is_handed_out(handed_out: dict[str, bytes]) -> None:
    seen = 0
    for case in hidden_cases():
        for array in arrays((case.args, dict(case.keywords), dict(case.known))):
            if np.unique(array).size >= 8 and array.dtype.kind == "f":
                seen += 1
                first = np.ascontiguousarray(array).ravel()[:8]
                digits = [repr(float(x)) for x in first if len(repr(float(x))) > 12]
                for data in handed_out.values():
                    assert first.tobytes() not in data
                    assert not any(text.encode() in data for text in digits)
    assert seen > 50


def test_no_public_input_equals_a_hidden_one(tmp_path: Path) -> None:
    (tmp_path / CHECKS).write_bytes(kit_files()[CHECKS])
    public = [
        a for cases in read_kit(tmp_path / CHECKS).inputs.values() for c in cases for a in arrays(c.args)
    ]
    hidden = [a for case in hidden_cases() for a in arrays(case.args) if a.size > 1]
    assert len(public) > 20
    assert not [1 for a in public for b in hidden if a.shape == b.shape and np.allclose(a, b)]


def test_the_seed_of_the_hidden_inputs_is_not_handed_out(handed_out: dict[str, bytes]) -> None:
    seed = RUBRIC.seed
    forms = [str(seed).encode(), hex(seed)[2:].encode(), seed.to_bytes(8, "little"), seed.to_bytes(8, "big")]
    assert [name for name, data in handed_out.items() for form in forms if form in data] == []


def test_what_only_the_grading_needs_is_not_in_the_checks() -> None:
    text = kit_files()[CHECKS].decode()
    content = json.loads(text)
    for word in ("credit", "own_cost", "misconception", "metric", "seed", "hidden", "given"):
        assert not re.search(rf'"{word}[^"]*"\s*:', text), word  # a key; ids of cells are public
    public = {
        c.public.inputs for q in RUBRIC.questions for c in q.checks if isinstance(c, InputsCheck) and c.public
    }
    assert set(content["inputs"]) == public


def test_a_value_is_handed_out_only_where_the_rubric_allows_it() -> None:
    allowed = {
        f"{q.function}.{c.id}": c.public.values
        for q in RUBRIC.questions
        for c in q.checks
        if isinstance(c, InputsCheck) and c.public and c.type == "reference"  # type: ignore[attr-defined]
    }
    content = json.loads(kit_files()[CHECKS])
    assert set(content["expected"]) == set(allowed)
    for name, packed in content["expected"].items():
        values = _decoded(packed)
        numbers = [*arrays(values), *(value for value in values if isinstance(value, float))]
        assert any(np.any(number) for number in numbers) == allowed[name], name


def _decoded(packed: str) -> Any:
    from grader.inside import wire

    return wire.decode(base64.b64decode(packed))


def test_the_wheel_holds_no_file_of_a_course(wheel: dict[str, bytes]) -> None:
    own = {
        path.read_bytes() for path in [*REFERENCE.iterdir(), *(ROOT / "rubrics").iterdir()] if path.is_file()
    }
    assert [name for name, data in wheel.items() if data and data in own] == []
    assert not [name for name in wheel if "exercise_11" in name]
