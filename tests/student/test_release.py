"""`grader release`: what is in a kit, that it is the same twice, and what changed since an old one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support import ROOT, write_course
from support_student import CHECKS, kit_files, write_kit_to

from grader.errors import AssignmentError, KitError, RubricError, UsageError
from grader.student.kit import find_kit, read_kit
from grader.student.make_kit import build_kit, changes, write_folder

PUBLIC = """
import numpy as np
from grader.course import Case

def pairs(rng):
    return [Case("two numbers", (np.array([1.0, 2.0]),))]
"""


def course(tmp_path: Path, public: str = "public: {inputs: pairs, values: true}") -> Path:
    """Write the tiny course with a public check."""
    write_course(tmp_path)
    rubric = tmp_path / "rubrics" / "tiny.yaml"
    text = rubric.read_text(encoding="utf-8").replace("inputs: numbers}", f"inputs: numbers, {public}}}", 1)
    rubric.write_text(text, encoding="utf-8")
    (tmp_path / "reference" / "tiny" / "public.py").write_text(PUBLIC, encoding="utf-8")
    return tmp_path


def test_a_kit_holds_the_notebook_the_checks_the_data_and_a_readme() -> None:
    assert sorted(kit_files()) == [
        "README.md",
        CHECKS,
        "exercise_11.ipynb",
        "exercise_11_matrix_factorization_ratings.npy",
    ]


def test_a_kit_is_the_same_bytes_when_it_is_made_again() -> None:
    assert build_kit("exercise_11", ROOT) == kit_files()


def test_every_function_has_a_public_check_and_its_arguments(tmp_path: Path) -> None:
    kit = write_kit_to(tmp_path)
    assert [name for name, function in kit.functions.items() if not function.checks] == []
    assert kit.functions["tsne_gradient"].parameters == ("P", "Y")


def test_every_public_check_says_where_to_look(tmp_path: Path) -> None:
    kit = write_kit_to(tmp_path)
    assert [c.id for f in kit.functions.values() for c in f.checks if len(c.feedback.failed) < 30] == []


def test_the_readme_has_no_open_place_and_fits_two_pages() -> None:
    text = kit_files()["README.md"].decode()
    assert not re.search(r"\$\w|\{\w+\}", text)
    assert len(text.splitlines()) < 110
    assert "scikit-learn" in text
    assert "| `tsne_gradient` | Gradient of t-SNE | 6 | 6 |" in text


def test_a_kit_goes_only_into_a_new_or_empty_folder(tmp_path: Path) -> None:
    write_folder({"a.txt": b"1"}, tmp_path / "kit")
    with pytest.raises(UsageError, match="is there already"):
        write_folder({"a.txt": b"2"}, tmp_path / "kit")
    assert (tmp_path / "kit" / "a.txt").read_bytes() == b"1"


def test_nothing_changed_since_the_same_kit(tmp_path: Path) -> None:
    write_kit_to(tmp_path)
    assert changes(tmp_path, kit_files()) == []


def test_changes_name_the_file_the_check_and_the_cell(tmp_path: Path) -> None:
    root = course(tmp_path / "course")
    old = build_kit("tiny", root)
    write_folder(old, tmp_path / "kit")
    (tmp_path / "kit" / "gone.txt").write_text("x", encoding="utf-8")
    rubric = root / "rubrics" / "tiny.yaml"
    text = rubric.read_text(encoding="utf-8").replace("title: Doubling", "title: Twice")
    rubric.write_text(text, encoding="utf-8")
    notebook = root / "reference" / "tiny" / "notebook.ipynb"
    notebook.write_text(
        notebook.read_text(encoding="utf-8").replace("def double(x)", "def double(x, y=0)"), encoding="utf-8"
    )
    lines = changes(tmp_path / "kit", build_kit("tiny", root))
    assert "- gone.txt: no longer in the kit" in lines
    assert "~ tiny.checks.json: functions double title changed" in lines
    assert "~ tiny.checks.json: functions double parameters changed" in lines
    assert [line for line in lines if re.match(r"~ tiny.ipynb: cell \S+ changed", line)]


def test_a_value_without_permission_is_refused_with_its_place(tmp_path: Path) -> None:
    root = course(tmp_path, "public: {inputs: pairs}")
    with pytest.raises(Exception, match=r"tiny.yaml:\d+: .*'values: true' is needed"):
        build_kit("tiny", root)


def test_a_public_generator_that_is_not_there_is_named(tmp_path: Path) -> None:
    root = course(tmp_path, "public: {inputs: triples, values: true}")
    with pytest.raises(AssignmentError, match="no generator 'triples'"):
        build_kit("tiny", root)


def test_an_assignment_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the assignments here are: tiny"):
        build_kit("tinny", course(tmp_path))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is damaged"),
        (b"[]", "is damaged"),
        (b'{"format": 99, "version": "7.0"}', "was made by grader 7.0"),
        (b'{"format": 1}', "is damaged"),
    ],
    ids=["empty", "a list", "of the future", "cut off"],
)
def test_a_damaged_file_of_checks_is_refused_in_words(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / CHECKS).write_bytes(data)
    with pytest.raises(KitError, match=words):
        read_kit(tmp_path / CHECKS)


def test_a_kit_with_another_check_type_is_damaged(tmp_path: Path) -> None:
    content = json.loads(kit_files()[CHECKS])
    content["functions"]["tsne_gradient"]["checks"][0]["type"] = "magic"
    (tmp_path / CHECKS).write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(KitError, match="is damaged"):
        read_kit(tmp_path / CHECKS)


def test_the_checks_are_found_upwards_and_two_are_one_too_many(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "one.checks.json").write_text("{}", encoding="utf-8")
    assert find_kit(tmp_path / "a" / "b") == tmp_path / "one.checks.json"
    (tmp_path / "two.checks.json").write_text("{}", encoding="utf-8")
    with pytest.raises(KitError, match=r"one\.checks\.json, two\.checks\.json"):
        find_kit(tmp_path / "a")


def test_a_metric_has_no_public_form(tmp_path: Path) -> None:
    root = course(tmp_path)
    rubric = root / "rubrics" / "tiny.yaml"
    text = rubric.read_text(encoding="utf-8").replace(
        "type: reference,", "type: metric, metric: size, full: 1, none: 0,"
    )
    rubric.write_text(text, encoding="utf-8")
    with pytest.raises(RubricError, match="a metric needs the course's own code"):
        build_kit("tiny", root)
