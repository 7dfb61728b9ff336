r"""Total differentials are read as they are meant: `\mathrm{d}C` where all that the task differentiates by moves, or one."""

from __future__ import annotations

import numpy as np
import pytest
from support_derivation import judge, task, verdicts

from grader.derivation.evaluate import Evaluator

RESULT = r"\frac{\partial C}{\partial y_s} = 4 \sum_j (y_s - y_j)(p_{sj} - q_{sj}) d_{sj}^{-1}"
OF_D = r"\mathrm{d}C = \sum_{i \neq j} (p_{ij} - q_{ij}) d_{ij}^{-1} \mathrm{d}d_{ij}"
OF_Y = r"\mathrm{d}d_{ij} = 2 (y_i - y_j)^T (\mathrm{d}y_i - \mathrm{d}y_j)"
APART = r"2 \sum_{i \neq j} (p_{ij} - q_{ij}) d_{ij}^{-1} (y_i - y_j)^T (\mathrm{d}y_i - \mathrm{d}y_j)"
COLLECTED = r"4 \sum_i \mathrm{d}y_i^T \sum_j (p_{ij} - q_{ij}) d_{ij}^{-1} (y_i - y_j)"
ALONE = r"\mathrm{d}C = 2 \sum_{j \neq s} (p_{sj} - q_{sj}) d_{sj}^{-1} \mathrm{d}d_{sj}"
OF_S = r"\mathrm{d}\|y_s - y_j\|^2 = 2 (y_s - y_j)^T \mathrm{d}y_s"


def lines(*formulas: str) -> str:
    return "\n\n".join(f"$${formula}$$" for formula in formulas)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (lines(OF_D, OF_Y, rf"\mathrm dC = {APART} = {COLLECTED}"), "tsne"),
        (lines(ALONE, OF_S), "tsne"),
        (r"$\mathrm dd_{sj} = 2 (y_{sk} - y_{jk})\,\mathrm dy_{sk}$", "tsne"),
        (r"$\mathrm dd_{ij} = 2 \sum_k (y_{ik} - y_{jk}) (\mathrm dy_{ik} - \mathrm dy_{jk})$", "tsne"),
        (lines(ALONE) + r"$\mathrm dd_{sj} = 2 \sum_k (y_{sk} - y_{jk})\,\mathrm dy_{sk}$", "tsne"),
        (r"$\mathrm d p_{ij} = 0$, $\text{d}q_{ij} = q_{ij} (\mathrm d \log d_{ij}^{-1} - \mathrm d \log Z)$", "tsne"),
        (r"$\mathrm d(p_{ij} \log q_{ij}) = p_{ij}\,\mathrm dq_{ij} / q_{ij}$", "tsne"),
        (r"$\mathrm{d}Z = -\sum_{i \neq j} \frac{\mathrm{d}d_{ij}}{d_{ij}^2}$", "tsne"),
        (r"$\mathrm dC / \mathrm dy_s = \nabla_{y_s} C$, $\mathrm dC = \langle \nabla_Y C, \mathrm dY \rangle$", "tsne"),
        (r"$\mathrm dJ = \mathrm d(X w - y)^\top (X w - y) + (X w - y)^\top \mathrm d(X w - y) + \lambda\,\mathrm d(w^\top w)"
         r" = 2 (X w - y)^\top X\,\mathrm dw + 2 \lambda \langle w, \mathrm dw \rangle$", "ridge"),
        (r"$\mathrm dL = \langle s - t, \mathrm dz \rangle = \big\langle (s - t)^\top x,\, \mathrm dW \big\rangle$", "softmax"),
    ],
)  # fmt: skip
def test_a_true_differential_holds(text: str, name: str) -> None:
    assert set(verdicts(text, name)) == {"holds"}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (r"$\mathrm{d}d_{ij} = (y_i - y_j)^T (\mathrm{d}y_i - \mathrm{d}y_j)$", "tsne"),
        (r"$\mathrm{d}d_{ij} = 2 (y_i - y_j)^T (\mathrm{d}y_i + \mathrm{d}y_j)$", "tsne"),
        (r"$\mathrm{d}Z = \sum_{i \neq j} \frac{\mathrm{d}d_{ij}}{d_{ij}^2}$", "tsne"),
        (r"$\mathrm{d}y_s = 0$", "tsne"),
        (r"$\mathrm dC = 2 \langle \nabla_Y C, \mathrm dY \rangle$", "tsne"),
        (r"$\mathrm dL = \langle t - s, \mathrm dz \rangle$", "softmax"),
    ],
)
def test_a_false_differential_fails(text: str, name: str) -> None:
    assert verdicts(text, name) == ["fails"]


def test_matrices_are_paired_and_move_entry_by_entry() -> None:
    instance = task().instance(4, 0)
    points, direction = instance.arrays["y"], instance.directions["y"]
    for text, expected in (
        (r"\langle Y, P Y \rangle", (points * (instance.arrays["p"] @ points)).sum()),
        (r"\mathrm{d} Y", direction),
        (r"\mathrm{d} (Y^T Y)", direction.T @ points + points.T @ direction),
        (r"\langle Y, \mathrm{d}(P Y) \rangle", (points * (instance.arrays["p"] @ direction)).sum()),
    ):
        found = Evaluator(task().scope, instance).value(task().parse(text), {})
        np.testing.assert_allclose(found.data, expected, rtol=1e-13, atol=1e-15, strict=True)


def test_one_point_moves_alone_only_if_the_whole_derivation_is_better_for_it() -> None:
    assert verdicts(lines(ALONE, OF_S)) == ["holds", "holds"]
    assert verdicts(r"$\mathrm dy_j = 0$ for $j \neq s$. " + lines(ALONE, OF_S)) == ["holds"] * 3
    assert verdicts(lines(ALONE) + r" so $\nabla_{y_s} C = \nabla_{y_s} C$") == ["holds", "holds"]
    assert verdicts(lines(ALONE, OF_D, OF_Y)) == ["fails", "holds", "holds"]
    false = r"\sum_{ij} p_{ij} = 2"
    assert verdicts(lines(false, OF_D, rf"\mathrm dC = {COLLECTED}")) == ["fails", "holds", "holds"]
    assert verdicts(lines("y_s = 0", ALONE, OF_S, r"\mathrm dC = 3\,\mathrm dZ")) == [
        "fails",
        "holds",
        "holds",
        "fails",
    ]


def test_what_follows_from_a_false_differential_holds() -> None:
    steps = judge(lines(OF_D, OF_Y.replace("2 (", "("), rf"\mathrm dC = {APART.removeprefix('2 ')}")).steps
    assert [step.verdict for step in steps] == ["holds", "fails", "holds"]
    assert steps[2].reason == "right, given line 3"
    cost = r"C = \log Z - \sum_{ij} p_{ij} \log d_{ij}"
    steps = judge(lines(cost, r"\mathrm dC = \mathrm d\log Z - \sum_{ij} p_{ij} \mathrm d\log d_{ij}")).steps
    assert [step.verdict for step in steps] == ["fails", "holds"]


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        (lines(OF_D, OF_Y, rf"\mathrm dC = {APART} = {COLLECTED}", RESULT), True),
        (lines(OF_D, OF_Y, rf"\mathrm dC = {APART} = {COLLECTED}"), True),
        (lines(RESULT, rf"\mathrm dC = \mathrm d \log Z + \sum_{{ij}} p_{{ij}} \mathrm d \log d_{{ij}} = {COLLECTED}", RESULT), True),
        (lines(RESULT, rf"\mathrm dC = \mathrm d \log Z + \sum_{{ij}} p_{{ij}} \mathrm d \log d_{{ij}} = {OF_D.partition('= ')[2]}", RESULT), True),
        (lines(OF_D, RESULT), True),
        (lines(rf"\mathrm dC = {APART}", RESULT), False),
        (lines(ALONE, OF_S, r"\mathrm dC = \Big[4 \sum_j (p_{sj} - q_{sj}) d_{sj}^{-1} (y_s - y_j)\Big]^T \mathrm dy_s"), True),
        (lines(OF_D, OF_Y), False),
        (lines(OF_D, OF_Y, rf"\mathrm dC = {APART}"), False),
        (lines(rf"\mathrm dC = {COLLECTED}", RESULT), False),
        (lines(RESULT, rf"\mathrm dC = {COLLECTED} = {OF_D.partition('= ')[2]}", RESULT), False),
    ],
    ids=["derived", "read off", "claimed, then derived", "claimed, then from the differential", "from the differential", "not derived", "one point", "no result", "not collected", "asserted", "taken apart"],
)  # fmt: skip
def test_the_result_counts_if_the_differential_was_derived(text: str, reached: bool) -> None:
    report = judge(text)
    assert {step.verdict for step in report.steps} == {"holds"}
    assert report.goal.starts_right
    assert report.goal.target_reached is reached


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (r"$\mathrm d^2 C = 0$", "this differential is not known"),
        (r"$\mathrm d\,\mathrm dC = 0$", "a derivative of a derivative is not known"),
        (r"$\nabla_{y_s} \mathrm dC = 0$", "a derivative of a derivative is not known"),
        (r"$\langle y_s, Y \rangle = 1$", "the inner product of a vector and a matrix"),
        (r"$dC = 0$", ""),  # the letter d is the symbol of the task
    ],
)
def test_what_is_no_differential_is_not_taken_for_one(text: str, reason: str) -> None:
    (step,) = judge(text).steps
    assert (step.verdict, reason in step.reason) == ("not_checked" if reason else "fails", True)
