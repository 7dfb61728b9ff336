"""Loading a rubric: what is wrong is said with file, line, key, value and the nearest right key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.course.rubric import Rubric
from grader.course.rubric_file import json_schema, load_rubric, parse_rubric
from grader.errors import RubricError

TEXT = """\
assignment: tiny
title: A tiny rubric
seed: 7
environment:
  preload: [numpy]
limits:
  call_seconds: 5
questions:
  - id: values
    title: Values
    function: double
    points: 5
    checks:
      - id: same
        title: It doubles
        type: reference
        points: 2
        inputs: numbers
        credit: {constant_factor: 0.5}
        feedback:
          failed: "Twice as much."
      - id: slope
        title: The slope is right
        type: gradient
        points: 1
        inputs: numbers
        cost: square
        wrt: [x]
      - id: zero
        title: The sum is zero
        type: property
        property: sums_to_zero
        points: 1
        inputs: numbers
        requires: [same]
      - id: quality
        title: It is good
        type: metric
        metric: quality
        points: 0.5
        inputs: numbers
        full: 0
        none: worst
      - id: refuses
        title: It refuses text
        type: raises
        exception: TypeError
        points: 0.5
        inputs: texts
      - id: own
        title: It is your own
        type: forbidden
        points: 0
        names: [numpy.double]
  - id: written
    title: Why it doubles
    points: 1
    manual: true
    requires: [values]
"""


def line_of(text: str, part: str) -> int:
    """Return the line (from 1) on which a part of a text first stands."""
    return text[: text.index(part)].count("\n") + 1


def mistakes(text: str) -> list[str]:
    with pytest.raises(RubricError) as caught:
        parse_rubric(text, "tiny.yaml")
    return str(caught.value).splitlines()


def replaced(old: str, new: str) -> str:
    assert TEXT.count(old) >= 1, old
    return TEXT.replace(old, new, 1)


def test_a_right_rubric_loads_from_its_file_with_all_that_it_says(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(TEXT, encoding="utf-8")
    rubric = load_rubric(path)
    assert rubric == parse_rubric(TEXT, "any name")
    question = rubric.questions[0]
    kinds = ["reference", "gradient", "property", "metric", "raises", "forbidden"]
    assert [check.type for check in question.checks] == kinds
    assert question.checks[0].credit == {"constant_factor": 0.5}
    assert (rubric.seed, rubric.limits.call_seconds, rubric.limits.cell_seconds) == (7, 5, 60)
    assert rubric.questions[1].manual


def test_the_rubric_that_is_shipped_loads() -> None:
    rubric = load_rubric(Path(__file__).parents[2] / "rubrics" / "exercise_11.yaml")
    assert rubric.assignment == "exercise_11"


# One mistake: the line on which it stands, the words that name it, and the advice


@pytest.mark.parametrize(
    ("old", "new", "at", "words"),
    [
        pytest.param("title: A tiny", "titel: A tiny", "titel:", "'titel' 'title'", id="key of the rubric"),
        pytest.param("  preload:", "  prelaod:", "prelaod", "'prelaod' 'preload'", id="of the environment"),
        pytest.param("call_seconds", "call_secons", "call_sec", "'call_secons' 'call_seconds'", id="limits"),
        pytest.param("    manual:", "    manul:", "manul", "'manul' 'manual'", id="key of a question"),
        pytest.param("        credit:", "        credt:", "credt", "'credt' 'credit'", id="of a reference"),
        pytest.param("        cost:", "        cots:", "cots", "'cots' 'cost'", id="of a gradient"),
        pytest.param(
            "requires: [same]", "require: [same]", "require: [", "'require' 'requires'", id="of a property"
        ),
        pytest.param("        full:", "        ful:", "ful:", "'ful' 'full'", id="key of a metric"),
        pytest.param(
            "none: worst",
            "none: worst\n        tolerence: 1",
            "tolerence",
            "'tolerence' 'tolerance'",
            id="last",
        ),
        pytest.param("exception:", "exeption:", "exeption", "'exeption' 'exception'", id="of a raises"),
        pytest.param("names:", "nmes:", "nmes", "'nmes' 'names'", id="key of a forbidden"),
        pytest.param("failed:", "faild:", "faild", "'faild' 'failed'", id="key of the feedback"),
    ],
)
def test_a_misspelt_key_is_named_with_its_line_and_the_nearest_right_key(
    old: str, new: str, at: str, words: str
) -> None:
    text = replaced(old, new)
    found = [line for line in mistakes(text) if "unknown key" in line]
    assert len(found) == 1
    assert found[0].startswith(f"tiny.yaml:{line_of(text, at)}: ")
    wrong, right = words.split()
    assert f"unknown key {wrong}" in found[0]
    assert f"did you mean {right}?" in found[0]


def test_a_key_that_resembles_none_is_answered_with_the_known_ones() -> None:
    (found,) = mistakes(replaced("limits:", "zzzz: 1\nlimits:"))
    assert found.startswith("tiny.yaml:6: unknown key 'zzzz'")
    for key in Rubric.model_fields:
        assert key in found


@pytest.mark.parametrize(
    ("old", "new", "at", "words"),
    [
        pytest.param(
            "type: reference", "type: refrence", "- id: same", ["refrence", "'reference'?"], id="type"
        ),
        pytest.param("        type: reference\n", "", "- id: same", ["type"], id="no type"),
        pytest.param(
            "sums_to_zero", "sums_to_zro", "sums_to_zro", ["'sums_to_zero'?", "sums_to_zro"], id="property"
        ),
        pytest.param(
            "points: 2\n", "points: two\n", "points: two", ["points", "'two'"], id="points in words"
        ),
        pytest.param("points: 2\n", "points: -2\n", "points: -2", ["points", "-2"], id="negative points"),
        pytest.param("points: 2\n", "points: .nan\n", "points: .nan", ["points", "nan"], id="points NaN"),
        pytest.param(
            "points: 2\n", "points: .inf\n", "points: .inf", ["points", "inf"], id="infinite points"
        ),
        pytest.param("points: 2\n", "points: yes\n", "points: yes", ["points", "True"], id="points: yes"),
        pytest.param("factor: 0.5", "factor: 5", "credit:", ["constant_factor", "5"], id="credit above 1"),
        pytest.param("constant_factor", "constant_facter", "credit", ["constant_factor"], id="code misspelt"),
        pytest.param("wrt: [x]", "wrt: x", "wrt: x", ["wrt", "'x'"], id="no list"),
        pytest.param("wrt: [x]", "wrt: []", "wrt: []", ["wrt"], id="an empty list"),
        pytest.param("wrt: [x]", "wrt: [x]\n        rtol: .inf", "rtol", ["rtol", "inf"], id="infinite rtol"),
        pytest.param("wrt: [x]", "wrt: [x]\n        rtol: 0", "rtol", ["rtol", "0"], id="no tolerance"),
        pytest.param("cost: square", "cost: a b", "cost:", ["cost", "'a b'"], id="no name of a function"),
        pytest.param("full: 0", "full: .nan", "full: .nan", ["full", "nan"], id="full NaN"),
        pytest.param("full: 0", "full: [1]", "full: [1]", ["full", "[1]"], id="full a list"),
        pytest.param("none: worst", "none: 0", "- id: quality", ["full", "none", "0"], id="full equals none"),
        pytest.param("        full: 0\n", "", "- id: quality", ["full", "missing"], id="no full"),
        pytest.param("        cost: square\n", "", "- id: slope", ["cost", "missing"], id="no cost"),
        pytest.param(
            "property: sums_to_zero",
            "property: translation_invariant",
            "- id: zero",
            ["argument"],
            id="no argument",
        ),
        pytest.param(
            "requires: [same]", "requires: [sme]", "- id: values", ["'sme'", "'zero'"], id="requires unknown"
        ),
        pytest.param(
            "requires: [same]", "requires: [own]", "- id: values", ["'own'", "'zero'"], id="requires a later"
        ),
        pytest.param(
            "requires: [same]", "requires: [zero]", "- id: values", ["'zero'"], id="requires itself"
        ),
        pytest.param(
            "requires: [values]",
            "requires: [vals]",
            "assignment",
            ["'vals'", "'written'"],
            id="unknown question",
        ),
        pytest.param("- id: slope", "- id: same", "- id: values", ["'same'", "twice"], id="check id twice"),
        pytest.param(
            "id: written", "id: values", "assignment", ["'values'", "twice"], id="question id twice"
        ),
        pytest.param(
            "points: 5", "points: 4", "- id: values", ["'values'", "4", "5"], id="points do not add up"
        ),
        pytest.param(
            "    function: double\n", "", "- id: values", ["'values'", "function"], id="no function"
        ),
        pytest.param(
            "    manual: true\n", "", "- id: written", ["'written'", "manual: true"], id="no checks"
        ),
        pytest.param(
            "manual: true",
            "manual: true\n    function: f",
            "- id: written",
            ["'written'", "manual"],
            id="both",
        ),
        pytest.param("seed: 7", "seed: 7.5", "seed", ["seed", "7.5"], id="half a seed"),
        pytest.param("seed: 7", "seed: -7", "seed", ["seed", "-7"], id="a negative seed"),
        pytest.param(
            "preload: [numpy]", "preload: numpy", "preload", ["preload", "'numpy'"], id="no list of modules"
        ),
        pytest.param(
            "call_seconds: 5", "call_seconds: 0", "call_seconds", ["call_seconds", "0"], id="no time"
        ),
        pytest.param("names: [numpy.double]", "names: []", "names", ["names"], id="nothing forbidden"),
        pytest.param("seed: 7", "7: seed", "7: seed", ["7"], id="a number as a key"),
        pytest.param(
            "title: A tiny rubric",
            f"title: [{'x' * 99}]",
            "title",
            ["title", "..."],
            id="a value too long to show",
        ),
    ],
)
def test_one_mistake_makes_one_line_with_file_line_key_and_value(
    old: str, new: str, at: str, words: list[str]
) -> None:
    text = replaced(old, new)
    found = mistakes(text)
    assert found[0].startswith(f"tiny.yaml:{line_of(text, at)}: ")
    for word in words:
        assert word in found[0]
    assert len(found) == 1


def test_every_mistake_is_reported_at_once() -> None:
    text = TEXT.replace("seed: 7", "seeds: 7").replace("cost: square", "cost: 3").replace("full: 0", "ful: 0")
    found = " ".join(mistakes(text))
    for word in ("'seeds'", "cost", "'ful'"):
        assert word in found


def test_a_rubric_without_questions_is_refused() -> None:
    (found,) = mistakes("assignment: a\ntitle: t\nquestions: []\n")
    assert found.startswith("tiny.yaml:3: questions")


# What is no rubric at all


@pytest.mark.parametrize(
    ("text", "start"),
    [
        pytest.param("", "tiny.yaml:1: a rubric is a mapping", id="empty"),
        pytest.param("# nothing\n", "tiny.yaml:1: a rubric is a mapping", id="a comment only"),
        pytest.param("- assignment: x\n", "tiny.yaml:1: a rubric is a mapping", id="a list"),
        pytest.param("just text", "tiny.yaml:1: a rubric is a mapping", id="text"),
        pytest.param("!!set {a, b}", "tiny.yaml:1: a rubric is a mapping", id="a set"),
        pytest.param("assignment: a\n\ttitle: t\n", "tiny.yaml:2: this is not YAML", id="a tab"),
        pytest.param("assignment: a\n  title: t\n", "tiny.yaml:2: this is not YAML", id="wrong indentation"),
        pytest.param("assignment: [a\ntitle: t\n", "tiny.yaml:2: this is not YAML", id="a bracket left open"),
        pytest.param("a: 1\n---\nb: 2\n", "tiny.yaml:2: this is not YAML", id="two documents"),
        pytest.param("a: *b\n", "tiny.yaml:1: this is not YAML", id="an unknown alias"),
        pytest.param(
            "a: 1\nb: !!python/name:os.system x\n", "tiny.yaml:2: this is not YAML", id="a Python tag"
        ),
        pytest.param("a: 1\n? [b]\n: 2\n", "tiny.yaml:2: this is not YAML", id="a list as a key"),
        pytest.param("title: \x07\n", "tiny.yaml: this is not YAML", id="a control character"),
        pytest.param("seed: !!timestamp 2020-13-45\n", "tiny.yaml", id="an impossible date"),
        pytest.param("a: " + "[" * 5000, "tiny.yaml", id="brackets without end"),
    ],
)
def test_what_is_no_mapping_of_yaml_is_refused_with_its_line(text: str, start: str) -> None:
    assert mistakes(text)[0].startswith(start)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('seed: !!int ""', id="an empty integer"),
        pytest.param('seed: !!float ""', id="an empty number"),
        pytest.param("seed: !!bool maybe", id="no truth value"),
        pytest.param("seed: !!timestamp x", id="no date"),
        pytest.param("limits: &a {b: *a}", id="a mapping inside itself"),
        pytest.param("? !!str {=: x}\n: 1", id="a mapping as a text as a key"),
        pytest.param("title: 0x" + "F" * 5000, id="an integer of 6000 digits"),
    ],
)
def test_a_tag_that_does_not_fit_its_value_is_a_rubric_error_as_well(text: str) -> None:
    assert mistakes(text)[0].startswith("tiny.yaml:")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        pytest.param("title: A tiny", "seed: 8\ntitle: A tiny", "seed: 7", id="of the rubric"),
        pytest.param("cost: square", "cost: square\n        cost: cube", "cost: cube", id="of a check"),
        pytest.param("{constant_factor: 0.5}", "{sign: 0, sign: 1}", "sign: 1", id="in braces"),
    ],
)
def test_a_key_given_twice_is_refused_and_not_silently_overwritten(old: str, new: str, key: str) -> None:
    text = replaced(old, new)
    line, name = line_of(text, key), key.split(":", maxsplit=1)[0]
    assert mistakes(text) == [f"tiny.yaml:{line}: the key {name!r} is given twice"]


def test_a_key_that_is_not_text_is_refused_where_it_stands() -> None:
    assert mistakes(replaced("limits:\n", "limits:\n  3: 4\n"))[0].startswith("tiny.yaml:7: limits.3")


def test_an_anchor_and_a_merged_key_mean_what_they_mean_in_yaml() -> None:
    text = replaced("type: reference", "<<: {type: reference}")
    assert parse_rubric(text, "t") == parse_rubric(TEXT, "t")
    text = replaced("[numpy]", "&modules [numpy]")
    assert parse_rubric(text, "t") == parse_rubric(TEXT, "t")


def test_a_mistake_in_the_only_question_is_not_reported_as_a_lack_of_questions() -> None:
    text = TEXT[: TEXT.index("  - id: written")].replace("cost: square", "cost: 3")
    (found,) = mistakes(text)
    assert "cost" in found


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RubricError, match=r"nowhere\.yaml: cannot read the rubric"):
        load_rubric(tmp_path / "nowhere.yaml")


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("assignment: a\ntitle: Übung\n".encode("latin-1"))
    with pytest.raises(RubricError, match=r"latin\.yaml: cannot read the rubric"):
        load_rubric(path)


def test_the_schema_knows_every_key_and_refuses_others() -> None:
    schema = json.loads(json_schema())
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == set(Rubric.model_fields)
    assert schema["$defs"]["MetricCheck"]["properties"]["full"]["description"]


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        (
            "{id: a, title: A, type: metric, points: 1, inputs: n, metric: m, full: 0, none: 1, public: {inputs: p}}",
            "it has no form for students at home",
        ),
        (
            "{id: a, title: A, type: reference, points: 1, inputs: n, public: {inputs: p}}",
            "'values: true' is needed to compare with the reference at home",
        ),
        (
            "{id: a, title: A, type: property, property: zero_diagonal, points: 1, inputs: n,"
            " public: {inputs: p, values: true}}",
            "'values' has no meaning here",
        ),
    ],
)
def test_a_public_form_that_cannot_be_checked_at_home_is_refused(check: str, reason: str) -> None:
    head = "assignment: tiny\ntitle: T\nquestions:\n  - id: q\n    title: Q\n    function: f\n    points: 1\n"
    with pytest.raises(RubricError, match=reason):
        parse_rubric(f"{head}    checks:\n      - {check}\n", "tiny.yaml")
