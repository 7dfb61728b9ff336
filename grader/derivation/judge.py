"""Judges a derivation: each step holds, fails or is not checked; where it starts, and what it reaches.

A partial derivative by d_ij has two readings: d_ij and d_ji are separate variables, or one. A derivation is
held to the one that fits it best; so it is with a symbol of the task that a student defines anew, and with
what moves in a total differential.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from grader.derivation.chains import Derivation
from grader.derivation.definitions import (
    Introduced,
    collect,
    renamed_symbols,
    scope_with,
    with_alternatives,
    with_own_symbols,
)
from grader.derivation.equality import FAILS, NOT_CHECKED, Comparer
from grader.derivation.goal import Goal, judge_goal
from grader.derivation.judge_steps import ChainJudge, Judged, Step
from grader.derivation.meaning import Task
from grader.derivation.steps import read_derivation
from grader.derivation.tree import Derivative, Differential, Node, Symbol, is_number, walk
from grader.derivation.work import Work

MAX_OWN = 3  # letters of the sheet that a student may define anew


@dataclass(frozen=True)
class Report:
    """What was found in a derivation."""

    steps: tuple[Step, ...]
    goal: Goal


def judge_derivation(text: str, task: Task, seed: int = 0) -> Report:
    """Return what holds and what fails in a Markdown text; raise DerivationError if it is too long."""
    text = text.encode("utf-8", "replace").decode()  # a lone surrogate cannot be printed
    work = Work()
    derivation = read_derivation(text, task.vocabulary)
    introduced = collect(derivation.chains, task)
    best, comparer = _judge(derivation, task, introduced, seed, work)
    # In differentials all may move, or a row or an entry alone.
    for indices in _moving_alone(derivation) if best.fails else ():
        if work.scarce:
            break
        alone = read_derivation(text, replace(task.vocabulary, alone=indices))
        known = collect(alone.chains, task)
        judged, last = _judge(alone, task, known, seed, work)
        if judged.fit > best.fit:
            derivation, introduced, best, comparer = alone, known, judged, last
    last, plain, own = comparer, derivation, dict[str, str]()
    # The student may mean another thing by a letter of the sheet, as the original paper does.
    while best.fails and len(own) < MAX_OWN:
        name = next(
            (name for name in introduced.again if name not in own and _differs(name, introduced, last, own)),
            None,
        )
        if name is None:
            break
        own[name] = name + "*"
        changed = with_own_symbols(plain, own)
        judged, last = _judge(changed, task, collect(changed.chains, task), seed, work)
        if judged.fit > best.fit:
            best, comparer, derivation = judged, last, changed
    best.explain()
    best.name_rules()
    goal = judge_goal(derivation.chains, best.used, comparer, best.misstated)
    unreadable = [
        Step(each.place.line, each.text, "", NOT_CHECKED, f"not read: {each.error}")
        for each in derivation.unreadable
    ]
    return Report(tuple(sorted([*best.steps, *unreadable], key=lambda step: step.line)), goal)


def _moving_alone(derivation: Derivation) -> list[tuple[str, ...]]:
    """Return the indices of what may move alone in differentials, at most three.

    They are those of dy_s if no dy_j moves beside it, else those of derivatives.
    """
    nodes: list[Node] = []
    for chain in derivation.chains:
        trees = [tree for each in chain.expressions for tree in each.readings[:1]]
        if not any(is_number(tree, 0.0) for tree in trees):
            nodes += [node for tree in trees for node in walk(tree)]
    changes = [node for node in nodes if isinstance(node, Differential)]
    moving = {each.by.name for each in changes}
    variables = [each.variable for each in changes if each.variable and each.variable.indices]
    if len({symbol.indices[0] for symbol in variables}) > 1:
        return []
    by = [node.by for node in nodes if isinstance(node, Derivative) and node.by.name in moving]
    found: dict[tuple[str, ...], None] = {}
    for symbol in variables or by:
        letters = tuple(index for index in symbol.indices if isinstance(index, str))
        if letters and len(letters) == len(symbol.indices):
            found |= {letters[:1]: None, letters: None}
    return list(found)[:3]


def _differs(name: str, introduced: Introduced, comparer: Comparer, own: dict[str, str]) -> bool:
    """Return whether what a student says that a symbol is differs from what it is."""
    definition = introduced.again[name]
    body = renamed_symbols(definition.body, own)
    return comparer.compare(Symbol(name, definition.indices), body).verdict == FAILS


def _judge(
    derivation: Derivation, task: Task, introduced: Introduced, seed: int, work: Work
) -> tuple[Judged, Comparer]:
    """Judge the steps with d_ij and d_ji as separate variables; if one fails, also as one."""
    scope = scope_with(task, introduced)
    plain = Comparer(task, scope, seed, work=work)
    scope = with_alternatives(derivation.chains, scope, plain)
    found: list[tuple[Judged, Comparer]] = []
    for symmetric in (False, True):
        comparer = Comparer(task, scope, seed, symmetric, work)
        judged = Judged()
        for chain in derivation.chains:
            ChainJudge(chain, comparer, introduced, judged).judge()
        found.append((judged, comparer))
        if not judged.fails or not _by_pairs(derivation):
            break
    return max(found, key=lambda each: each[0].fit)


def _by_pairs(derivation: Derivation) -> bool:
    """Return whether a derivative is taken by a symbol with two indices."""
    return any(
        isinstance(node, Derivative) and len(node.by.indices) == 2
        for chain in derivation.chains
        for expression in chain.expressions
        for tree in expression.readings
        for node in walk(tree)
    )
