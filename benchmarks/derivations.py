"""The checking of derivations: how long it takes, what hostile text costs, whether a right step ever fails.

    python benchmarks/derivations.py                 time of a step, a cold start, the hostile texts
    python benchmarks/derivations.py --seeds 1000    the right steps of the corpus on as many seeds: an hour

A step that held with one seed is compared again with each of the others, in the scope in which it was judged.
The derivations are those of tests/derivation/corpus, further and third.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.derivation import equality
from grader.derivation.equality import FAILS, HOLDS, NOT_CHECKED, Comparer, Comparison
from grader.derivation.judge import judge_derivation
from grader.derivation.meaning import Task, load_task
from grader.derivation.scope import Scope
from grader.derivation.tree import DerivationError, Node

ROOT = Path(__file__).resolve().parent.parent
CORPUS = sorted((ROOT / "tests" / "derivation").glob("*/?*_??.md"))
SIDES = " + ".join(rf"\sum_{{i\neq j}} p_{{ij}}^{{{k}}} d_{{ij}} q_{{ij}} \log p_{{ij}}" for k in range(12))
HOSTILE = {
    "brackets": "$$" + "(" * 5000 + "C" + ")" * 5000 + " = 1$$",
    "fractions": "$$C = " + r"\frac{1}{" * 5000 + "1" + "}" * 5000 + "$$",
    "a macro bomb": "".join(
        rf"\newcommand{{\a{chr(98 + k)}}}{{" + rf"\a{chr(97 + k)} " * 10 + "}\n" for k in range(20)
    )
    + r"\newcommand{\aa}{x}$$C = \au$$",
    "exponents": "$$C = 2^{10^{10^{10}}}$$ $$d_{ij} = d_{ij}^{1000000}$$",
    "a million sums": r"$$C = " + r"\sum_{k} d_{kk} " * 1_000_000 + "$$",
    "sums over six indices": "\n".join(
        rf"$$C = \sum_{{a,b,c,f,g,h}} p_{{ab}} p_{{bc}} p_{{cf}} p_{{fg}} p_{{gh}} q_{{ha}} {k}$$"
        for k in range(300)
    ),
    "300 false gradients": "\n".join(
        rf"$$\frac{{\partial C}}{{\partial y_s}} = {k} \sum_j (y_s-y_j) p_{{sj}} d_{{sj}}^{{-1}}$$"
        for k in range(300)
    ),
    "long false lines": "\n".join(f"$$C = {k} + {SIDES}$$" for k in range(50)),
    "false lines that others follow": "Let $w_{ij}=d_{ij}$.\n"
    + "\n".join(
        rf"$$\frac{{\partial C}}{{\partial d_{{ij}}}} = {k} q_{{ij}}$$ "
        rf"$$\frac{{\partial C}}{{\partial y_s}} = {k}\sum_j \frac{{\partial C}}{{\partial d_{{sj}}}}$$"
        for k in range(140)
    ),
    "definitions that double": "$b_{1} = 2$ "
    + " ".join(f"$b_{{{k}}} = b_{{{k - 1}}} + b_{{{k - 1}}} b_{{{k - 1}}}$" for k in range(2, 60)),
    "operators": "$$C = " + r"\frac{\partial}{\partial y_s} (" * 38 + "C" + ")" * 38 + " C$$",
    "false differentials": r"$\nabla_{y_a} C = \nabla_{y_b} C$ $\nabla_{y_c} C = C$"
    + "".join(
        rf"$$\mathrm{{d}}C = {k} \sum_{{ij}} p_{{ij}} \mathrm{{d}}(d_{{ij}} \log q_{{ij}})$$"
        for k in range(270)
    ),
    "the letter d": "$$C = " + "d" * 5900 + "$$",
    "line breaks": "$$C = (" + r"\\ " * 5800 + ")$$",
    "empty formulas": "$=$" * 13_000,
}


@dataclass(frozen=True)
class Right:
    """An equality that held, and all that it was compared with."""

    scope: Scope
    symmetric: bool
    left: Node
    right: Node
    pairs: frozenset[tuple[str, str]]
    conditions: Sequence[Node]
    up_to_constant: bool


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=0)
    seeds = parser.parse_args().seeds
    task = load_task(ROOT, "exercise_11", "tsne_derivation")
    if seeds:
        show_seeds(task, seeds)
        return
    judge_derivation("$C = 1$", task)
    steps, started = 0, time.process_time()
    for path in CORPUS:
        steps += len(judge_derivation(path.read_text(encoding="utf-8"), task).steps)
    seconds = time.process_time() - started
    print(f"{steps} steps of {len(CORPUS)} derivations: {1000 * seconds / steps:.1f} ms a step")
    show_cold_start()
    for name, text in HOSTILE.items():
        started = time.process_time()
        try:
            found = f"{len(judge_derivation(text, task).steps)} steps"
        except DerivationError as error:
            found = str(error)
        seconds = time.process_time() - started
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        print(f"{name:32}{seconds:6.2f} s{memory:6} MB   {found}")


def show_cold_start() -> None:
    """Print the processor seconds of a chain of typical length, imports and start of Python included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    question = ["--assignment", "exercise_11", "--question", "tsne_derivation", "--root", str(ROOT), "--json"]
    text = str(ROOT / "tests" / "derivation" / "texts" / "sheet.md")
    subprocess.run([sys.executable, "-m", "grader", "derivation", text, *question], capture_output=True)  # noqa: PLW1510 -- it exits with 1 if a step is false
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"cold start, the sheet's own derivation: {seconds:.2f} s of processor time")


def show_seeds(task: Task, seeds: int) -> None:
    """Print how often a right step is called false, and how often nothing can be said."""
    right = right_steps(task)
    print(f"{len(right)} equalities that hold, {seeds} seeds", flush=True)
    false = unchecked = 0
    for seed in range(1, seeds + 1):
        comparers: dict[tuple[int, bool], Comparer] = {}
        for each in right:
            key = id(each.scope), each.symmetric
            comparer = comparers.setdefault(key, Comparer(task, each.scope, seed, each.symmetric))
            comparer.work.left = 1_000_000
            found = comparer.compare(each.left, each.right, each.pairs, each.conditions, each.up_to_constant)
            false += found.verdict == FAILS
            unchecked += found.verdict == NOT_CHECKED
            if found.verdict == FAILS:
                print(f"seed {seed}: {each.left} = {each.right}: {found.example}")
        if seed % 50 == 0:
            print(f"{seed} seeds: {false} called false, {unchecked} not checked", flush=True)
    print(f"{len(right) * seeds} comparisons: {false} called false, {unchecked} not checked")


def right_steps(task: Task) -> list[Right]:
    """Return the equalities of the corpus that were compared and held."""
    found: dict[tuple[int, bool, Node, Node], Right] = {}
    plain = equality.Comparer.compare

    def compare(
        self: Comparer,
        left: Node,
        right: Node,
        pairs: frozenset[tuple[str, str]] = frozenset(),
        conditions: Sequence[Node] = (),
        up_to_constant: bool = False,
        smallest: bool = False,
    ) -> Comparison:
        result = plain(self, left, right, pairs, conditions, up_to_constant, smallest)
        if result.verdict == HOLDS and left != right and not smallest:
            key = id(self.scope), self.symmetric, left, right
            found[key] = Right(self.scope, self.symmetric, left, right, pairs, conditions, up_to_constant)
        return result

    equality.Comparer.compare = compare  # type: ignore[method-assign]
    try:
        for path in CORPUS:
            judge_derivation(path.read_text(encoding="utf-8"), task)
    finally:
        equality.Comparer.compare = plain  # type: ignore[method-assign]
    return list(found.values())


if __name__ == "__main__":
    main()
