"""Gradient checks side by side: which right gradients are refused, which wrong ones accepted, by scale of x.

    python benchmarks/gradients.py [--seeds 3]

The same right and wrong gradients (of t-SNE, of a linear autoencoder, of a softmax cross-entropy) at scales
of x from 1e-6 to 1e6 go through the acceptance rules of other checkers with their defaults:

    ours          grader.numerics.differentiate and grader.checks.gradient, rtol 1e-4
    torch         torch.autograd.gradcheck: eps 1e-6, |a - n| <= 1e-5 + 1e-3 |n| entry by entry
    jax           jax.test_util.check_grads, float64: eps 1e-4, one direction, |a - n| <= 1e-5 + 1e-5 |n|
    scipy         scipy.optimize.check_grad (called): norm of the difference below 1e-6, as in its examples
    textbook      central differences with h = 1e-5, relative error below 1e-5
    numdifftools  its Gradient (called, if installed): |a - n| <= its error estimate + 1e-4 |n|, as norms

The rules of torch and JAX are applied to the same NumPy functions; neither library is needed. A wrong
gradient counts where it is off by a thousandth or more, a right one where rounding leaves it within a
millionth.
"""

from __future__ import annotations

import argparse
import importlib.util
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import check_grad

from grader.checks.gradient import GradientCase, GradientCheck
from grader.course import Case
from grader.numerics.differentiate import differentiate
from grader.records import Outcome, OutcomeKind
from grader.subjects import Call

Array = NDArray[Any]
Cost = Callable[[Array], float]
Slope = Callable[[Array], Array]
SCALES = [10.0**power for power in range(-6, 7)]
WRONG, RIGHT = 1e-3, 1e-6


@dataclass(frozen=True)
class Problem:
    """A cost of x, its gradient, other right ways to compute it, and wrong ones."""

    cost: Cost
    gradient: Slope
    right: Mapping[str, Slope]
    wrong: Mapping[str, Slope]
    shape: tuple[int, ...]


def factors(gradient: Slope) -> dict[str, Slope]:
    """Return the mistakes that any gradient can have."""
    return {
        "half": lambda x: gradient(x) / 2,
        "a quarter": lambda x: gradient(x) / 4,
        "sign": lambda x: -gradient(x),
        "zero": lambda x: 0 * gradient(x),
        "one entry": lambda x: gradient(x) * np.where(np.arange(x.size).reshape(x.shape) == 1, 1.1, 1.0),
        "five thousandths": lambda x: 1.005 * gradient(x),
    }


def single(gradient: Callable[..., Array]) -> Slope:
    """Return a gradient that computes in single precision."""
    return lambda x: gradient(x.astype(np.float32))


def tsne(rng: np.random.Generator, n: int = 20) -> Problem:
    """The cost of t-SNE in the plane, and the mistakes that students make."""
    p = rng.gamma(0.6, size=(n, n)) + 0.01
    p = p + p.T
    np.fill_diagonal(p, 0.0)
    p /= p.sum()

    def parts(y: Array, *, square: bool = True, diagonal: bool = False) -> tuple[Array, Array, Array]:
        apart = y[:, None] - y[None]
        distance = (apart**2).sum(axis=-1)
        inverse = 1 / (1 + (distance if square else np.sqrt(distance)))
        if not diagonal:
            np.fill_diagonal(inverse, 0.0)
        return inverse / inverse.sum(), inverse, apart

    def cost(y: Array) -> float:
        q = parts(y)[0]
        return float(np.sum(p[p > 0] * np.log(p[p > 0] / q[p > 0])))

    def gradient(y: Array) -> Array:
        q, inverse, apart = parts(y)
        return 4 * np.einsum("ij,ijd->id", (p.astype(y.dtype) - q) * inverse, apart)

    def loops(y: Array) -> Array:
        q, inverse, _ = parts(y)
        found = np.zeros_like(y)
        for s in range(n):
            for j in range(n):
                found[s] += 4 * (p[s, j] - q[s, j]) * inverse[s, j] * (y[s] - y[j])
        return found

    def force(y: Array, weights: Array) -> Array:
        return 4 * np.einsum("ij,ijd->id", weights, y[:, None] - y[None])

    def by_rows(y: Array) -> Array:
        _, inverse, _ = parts(y)
        return force(y, (p - inverse / inverse.sum(axis=1, keepdims=True)) * inverse)

    def no_square(y: Array) -> Array:
        q, inverse, _ = parts(y, square=False)
        return force(y, (p - q) * inverse)

    def with_diagonal(y: Array) -> Array:
        q, inverse, _ = parts(y, diagonal=True)
        return force(y, (p - q) * inverse)

    wrong = {
        "no inverse distance": lambda y: force(y, p - parts(y)[0]),
        "q in place of the inverse distance": lambda y: force(y, (p - parts(y)[0]) * parts(y)[0]),
        "no square": no_square,
        "normalised by rows": by_rows,
        "diagonal counted": with_diagonal,
        "one dimension only": lambda y: gradient(y) * np.array([1.0, 0.0]),
        **factors(gradient),
    }
    return Problem(cost, gradient, {"loops": loops, "single": single(gradient)}, wrong, (n, 2))


def autoencoder(rng: np.random.Generator) -> Problem:
    """The reconstruction error of a linear autoencoder in its first weights."""
    x, w2 = rng.standard_normal((12, 4)), rng.standard_normal((2, 4))

    def cost(w1: Array) -> float:
        return float(np.mean(np.sum((x - x @ w1 @ w2) ** 2, axis=1)))

    def gradient(w1: Array) -> Array:
        a, b = x.astype(w1.dtype), w2.astype(w1.dtype)
        return 2 / len(x) * a.T @ (a @ w1 @ b - a) @ b.T

    wrong = {
        "mean over all entries": lambda w1: gradient(w1) / 4,
        "without the data term": lambda w1: 2 / len(x) * x.T @ (x @ w1 @ w2) @ w2.T,
        **factors(gradient),
    }
    return Problem(cost, gradient, {"single": single(gradient)}, wrong, (4, 2))


def cross_entropy(rng: np.random.Generator) -> Problem:
    """The cross-entropy of a softmax of the logits x, row by row."""
    labels = np.eye(4)[rng.integers(0, 4, 5)]

    def softmax(x: Array) -> Array:
        powers = np.exp(x - x.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def cost(x: Array) -> float:
        top = x.max(axis=1, keepdims=True)
        logs = x - top - np.log(np.exp(x - top).sum(axis=1, keepdims=True))
        return -float(np.sum(labels * logs))

    def gradient(x: Array) -> Array:
        return softmax(x) - labels.astype(x.dtype)

    wrong = {"without the labels": softmax, "mean": lambda x: gradient(x) / 5, **factors(gradient)}
    return Problem(cost, gradient, {"single": single(gradient)}, wrong, (5, 4))


class Ours:
    """grader's own check, with the plan that a course would make."""

    def __init__(self, problem: Problem, x: Array) -> None:
        def cost(x: Array) -> float:
            return problem.cost(x)

        inputs, rng = Case("x", (x,)), np.random.default_rng(0)
        numeric, own = differentiate(cost, inputs, ("x",), rng, lambda near: problem.gradient(near.args[0]))
        fields = {"id": "g", "title": "", "points": 1.0, "type": "gradient", "inputs": "i", "cost": "c"}
        check = GradientCheck.model_validate({**fields, "wrt": ("x",)})
        self.case = GradientCase((Call("call", "f", ()),), inputs, check, numeric, own)

    def __call__(self, gradient: Slope, x: Array) -> bool | None:
        """Return whether a gradient is accepted, None if nothing can be said."""
        outcome = {"call": Outcome(OutcomeKind.RETURNED, gradient(x))}
        found = self.case.judge(outcome, None)
        return None if found.inconclusive else found.fraction == 1.0


def central(cost: Cost, x: Array, h: float) -> Array:
    """Return central differences with one step, entry by entry."""
    found = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        moved = np.zeros(x.shape)
        moved[place] = h
        found[place] = (cost(x + moved) - cost(x - moved)) / (2 * h)
    return found


def torch_rule(problem: Problem, x: Array) -> Callable[[Slope, Array], bool]:
    """Return the rule of torch.autograd.gradcheck."""
    numeric = central(problem.cost, x, 1e-6)
    return lambda g, x: bool(np.allclose(np.asarray(g(x), np.float64), numeric, rtol=1e-3, atol=1e-5))


def jax_rule(problem: Problem, x: Array) -> Callable[[Slope, Array], bool]:
    """Return the rule of jax.test_util.check_grads for float64."""
    along = np.random.RandomState(0).randn(*x.shape)
    slope = (problem.cost(x + 1e-4 * along) - problem.cost(x - 1e-4 * along)) / 2e-4
    return lambda g, x: bool(abs(np.vdot(along, g(x)) - slope) <= 1e-5 + 1e-5 * abs(slope))


def scipy_rule(problem: Problem, x: Array) -> Callable[[Slope, Array], bool]:
    """Return scipy.optimize.check_grad, which leaves the threshold to its caller."""

    def accepts(g: Slope, x: Array) -> bool:
        def flat(v: Array) -> Array:
            return np.asarray(g(v.reshape(x.shape)), np.float64).ravel()

        return bool(check_grad(lambda v: problem.cost(v.reshape(x.shape)), flat, x.ravel()) < 1e-6)

    return accepts


def textbook_rule(problem: Problem, x: Array) -> Callable[[Slope, Array], bool]:
    """Return the relative error of central differences with h = 1e-5, below 1e-5."""
    numeric = central(problem.cost, x, 1e-5)
    size = np.linalg.norm(numeric)
    return lambda g, x: bool(np.linalg.norm(g(x) - numeric) <= 1e-5 * (size + np.linalg.norm(g(x))))


def numdifftools_rule(problem: Problem, x: Array) -> Callable[[Slope, Array], bool]:
    """Return whether a gradient lies within numdifftools' estimate of its own error, and a rtol of 1e-4."""
    import numdifftools  # noqa: PLC0415 -- optional

    slope = numdifftools.Gradient(lambda v: problem.cost(v.reshape(x.shape)), full_output=True)
    found = slope(x.ravel())
    numeric = found.estimate
    allowed = np.linalg.norm(found.error_estimate) + 1e-4 * np.linalg.norm(numeric)
    return lambda g, x: bool(np.linalg.norm(np.asarray(g(x), np.float64).ravel() - numeric) <= allowed)


RULES: dict[str, Callable[[Problem, Array], Callable[[Slope, Array], bool | None]]] = {
    "ours": Ours,
    "torch": torch_rule,
    "jax": jax_rule,
    "scipy": scipy_rule,
    "textbook": textbook_rule,
    "numdifftools": numdifftools_rule,
}


def gradients(problem: Problem, x: Array) -> Iterator[tuple[Slope, bool]]:
    """Yield the gradients that tell something at x, and whether they are right."""
    exact = problem.gradient(x)
    size = float(np.linalg.norm(exact))
    for gradient in (problem.gradient, *problem.right.values()):
        if np.linalg.norm(gradient(x) - exact) <= RIGHT * size:
            yield gradient, True
    for gradient in problem.wrong.values():
        if np.linalg.norm(gradient(x) - exact) >= WRONG * size > 0:
            yield gradient, False


def count(rules: list[str], seeds: int) -> Counter[tuple[str, float, str]]:
    """Return how often each rule erred at each scale, and out of how many gradients."""
    found: Counter[tuple[str, float, str]] = Counter()
    for seed in range(seeds):
        for make in (tsne, autoencoder, cross_entropy):
            rng = np.random.default_rng(seed)
            problem = make(rng)
            for scale in SCALES:
                x = scale * rng.standard_normal(problem.shape)
                asked = list(gradients(problem, x))
                for right in (True, False):
                    found["all", scale, f"right {right}"] += sum(is_right == right for _, is_right in asked)
                for name in rules:
                    accepts = RULES[name](problem, x)
                    for gradient, right in asked:
                        answer = accepts(gradient, x)
                        kind = "undecided" if answer is None else "false" if answer != right else "correct"
                        found[name, scale, f"{kind} {right}"] += 1
    return found


def table(found: Counter[tuple[str, float, str]], rules: list[str]) -> str:
    """Return the counts as Markdown: false passes and false failures, in all and by scale."""

    def total(name: str, kind: str, scales: list[float] = SCALES) -> int:
        return sum(found[name, scale, kind] for scale in scales)

    wrong, right = total("all", "right False"), total("all", "right True")
    lines = [
        f"| check | wrong ones accepted, of {wrong} | right ones refused, of {right} | undecided |",
        "|---|---:|---:|---:|",
    ]
    for name in rules:
        undecided = total(name, "undecided True") + total(name, "undecided False")
        lines.append(f"| {name} | {total(name, 'false False')} | {total(name, 'false True')} | {undecided} |")
    heads = [f"{scale:.0e}".replace("e-0", "e-").replace("e+0", "e") for scale in SCALES]
    lines += ["", f"| accepted / refused at | {' | '.join(heads)} |", "|---|" + "---:|" * len(SCALES)]
    for name in rules:
        cells = [f"{found[name, s, 'false False']} / {found[name, s, 'false True']}" for s in SCALES]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=3, help="how many points for each problem and scale")
    seeds = parser.parse_args().seeds
    rules = [name for name in RULES if name != "numdifftools" or importlib.util.find_spec(name)]
    with np.errstate(all="ignore"):
        print(table(count(rules, seeds), rules))


if __name__ == "__main__":
    main()
