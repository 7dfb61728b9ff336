"""The rules by which steps hold are named where they are recognised, and nowhere else."""

from __future__ import annotations

import pytest
from support_derivation import judge

RULES = {
    r"$C = \sum_{i\neq j} p_{ij} \log p_{ij} - \sum_{i\neq j} p_{ij} \log q_{ij}$": "the definition of C",
    r"$\sum_{i\neq j} p_{ij} \log\frac{p_{ij}}{d_{ij}} = \sum_{i\neq j} p_{ij} (\log p_{ij} - \log d_{ij})$": (
        "the logarithm of a quotient"
    ),
    r"$\log(d_{ij} d_{kl}) = \log d_{ij} + \log d_{kl}$": "the logarithm of a product",
    r"$\sum_j (p_{sj} - q_{sj}) d_{sj} = \sum_j p_{sj} d_{sj} - \sum_j q_{sj} d_{sj}$": "rearranging",
    r"$\sum_j p_{sj} d_{sj} + \sum_i p_{is} d_{is} = 2 \sum_j p_{sj} d_{sj}$": "symmetry",
    r"$\sum_{i\neq j} p_{ij} = 1$": "p sums to one",
    r"$d_{ij} = 1 + \|y_i - y_j\|^2$": "the definition of d",
    r"$\frac{\partial C}{\partial y_s} = \sum_{i,j} \frac{\partial C}{\partial d_{ij}} "
    r"\frac{\partial d_{ij}}{\partial y_s}$": "the chain rule",
    r"$\frac{\partial}{\partial y_s} (3 d_{ij} + p_{ij}) = 3 \frac{\partial d_{ij}}{\partial y_s}$": (
        "linearity of the derivative"
    ),
    r"$\frac{\partial d_{sj}}{\partial y_s} = 2 (y_s - y_j)$": "differentiation",
}


@pytest.mark.parametrize(("text", "rule"), RULES.items(), ids=RULES.values())
def test_a_rule_is_named(text: str, rule: str) -> None:
    (step,) = judge(text).steps
    assert (step.verdict, step.rule) == ("holds", rule)


def test_a_false_step_has_no_rule() -> None:
    (step,) = judge(r"$\log(d_{ij} + d_{kl}) = \log d_{ij} + \log d_{kl}$").steps
    assert (step.verdict, step.rule) == ("fails", "")
