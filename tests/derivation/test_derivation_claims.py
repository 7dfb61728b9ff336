"""Claims in short answers: those that can be tested are, everything else is prose."""

from __future__ import annotations

import json
from functools import cache

import pytest
from support_derivation import ROOT

from grader.derivation.meaning import Task
from grader.derivation.short_answers import judge_claims, make_claims
from grader.derivation.written_answers import examine, read_content
from grader.errors import RubricError

HOLD = (
    r"zero iff $\mathrm{rank}(X) \leq K$",
    r"$E = 0 \iff \mathrm{rank}(X) \le K$",
    r"It is zero if $\mathrm{rank}(X) < K$.",
    "the minimum is the sum of the squared trailing singular values over N",
    r"$E = \frac1N \sum_{k=K+1}^{D} \sigma_k^2$",
    "Exactly if the data lie in a subspace of dimension K through the origin.",
    r"Genau dann, wenn $rank(X) \le K$",
    r"Exactly if the data lie in a subspace of dimension $K$ through the origin, or $\mathrm{rank}(X) \le K$.",
    "The error is zero iff $X$ has rank\nat most $K$.",
    "The minimum is the sum of the squared trailing singular values over $N$.",
)
FAIL = (
    r"zero only if $\mathrm{rank}(X) < K$",
    r"zero iff $\mathrm{rank}(X) \leq K - 1$",
    r"$E = \sum_{k > K} \sigma_k^2$",
)
PROSE = (
    "All the reconstructions go through a layer of K numbers.",
    r"For $K < D$ it is hard.",
    r"$\mathrm{rank}(X) \leq K$",
    r"The error is zero. Later it is not. If $\mathrm{rank}(X) \leq K$, fine",
    "$$",
    "",
)


@cache
def task() -> Task:
    return make_claims(
        json.loads(read_content("claims", ROOT / "reference" / "exercise_11", "zero_error")), "x"
    )


@pytest.mark.parametrize("text", HOLD)
def test_a_true_claim_holds(text: str) -> None:
    assert [step.verdict for step in judge_claims(text, task())] == ["holds"]


@pytest.mark.parametrize("text", FAIL)
def test_a_false_claim_fails_with_an_instance(text: str) -> None:
    (step,) = judge_claims(text, task())
    assert step.verdict == "fails"
    assert "N = " in step.reason


@pytest.mark.parametrize("text", PROSE)
def test_prose_and_conditions_are_no_claims(text: str) -> None:
    assert judge_claims(text, task()) == []


def test_hostile_text_is_bounded() -> None:
    report = examine("claims", read_content("claims", ROOT / "reference" / "exercise_11", "zero_error"),
                     r"zero iff $\mathrm{rank}(X) \leq K$. " * 1000)  # fmt: skip
    assert 0 < len(report.steps) <= 40


def test_words_that_are_no_formula_are_refused() -> None:
    content = {"sizes": {"N": [2]}, "symbols": {}, "words": {"f(": ["x"]}}
    with pytest.raises(RubricError, match="words"):
        make_claims(content, "task")
