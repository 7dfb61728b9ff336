"""Steps of a derivation on the feedback page: typeset, and harmless whatever a handler says."""

from __future__ import annotations

import pytest

from grader.report.pages import ENVIRONMENT, typeset
from grader.written import StepVerdict, WrittenStep

MATH = '<math display="inline"><mrow><mi>C</mi><mo>=</mo><mn>1</mn><mo>&#x02212;</mo></mrow></math>'


def step(shown: str, verdict: StepVerdict = StepVerdict.HOLDS, line: int = 1) -> WrittenStep:
    return WrittenStep(line, "C <b>", "1", verdict, "why", "a rule", shown)


def test_mathml_is_shown_as_it_is() -> None:
    assert str(typeset(step(MATH))) == MATH


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "<script>alert(1)</script>",
        '<math href="javascript:alert(1)"><mi>x</mi></math>',
        '<mi onclick="x">y</mi>',
        "<math><mi>x</mi></math><img src=x>",
        '<math display="inline" style="x"></math>',
        "<math><mi>x</mi",
        "<" * 20_000,
    ],
)
def test_anything_else_is_shown_as_its_source(shown: str) -> None:
    assert str(typeset(step(shown))) == "<code>C &lt;b&gt; = 1</code>"


def test_the_first_false_line_stands_out_and_rules_are_named() -> None:
    steps = (step(MATH), step(MATH, StepVerdict.FAILS, 2), step(MATH, StepVerdict.FAILS, 3))
    html = ENVIRONMENT.from_string('{% from "written.html" import written %}{{ written(steps) }}').render(
        steps=steps
    )
    assert html.count('class="small lead"') == 1
    assert html.index("line 2") < html.index('class="small lead"') < html.index("line 3")
    assert html.count("a rule") == 3
