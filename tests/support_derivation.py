"""What the tests of derivations share: the tasks, short ways to judge, and a second evaluation by plain loops."""

from __future__ import annotations

import cmath
import itertools
from functools import cache
from pathlib import Path
from typing import Any

from grader.derivation import tree as n
from grader.derivation.judge import Report, judge_derivation
from grader.derivation.meaning import Task, load_task, read_task
from grader.derivation.scope import Instance, Scope

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "tests" / "derivation"
STEP = 1e-30


@cache
def task(name: str = "tsne") -> Task:
    if name == "tsne":
        return load_task(ROOT, "exercise_11", "tsne_derivation")
    return read_task(HERE / "tasks" / f"{name}.yaml")


def judge(text: str, name: str = "tsne", seed: int = 0) -> Report:
    return judge_derivation(text, task(name), seed)


def verdicts(text: str, name: str = "tsne", seed: int = 0) -> list[str]:
    return [step.verdict for step in judge(text, name, seed).steps]


def text_of(name: str) -> str:
    return (HERE / "texts" / f"{name}.md").read_text(encoding="utf-8")


class Row(list[Any]):
    """A vector that lies: its product with one that stands is a number."""


class Loops:
    """Evaluates a tree with loops over numbers; a derivative is the imaginary part after a step of 1e-30 i."""

    def __init__(self, scope: Scope, instance: Instance, symmetric: bool = False) -> None:
        self.scope, self.instance, self.symmetric = scope, instance, symmetric
        self.count = next(iter(instance.sizes.values()))

    def value(self, node: n.Node, at: dict[str, int], step: tuple[str, tuple[int, ...]] | None = None) -> Any:
        """Return a number, or a list for a vector; `at` are the values of the free indices, from 0."""
        match node:
            case n.Number(value=value):
                return value
            case n.Unknown():
                return 0.0
            case n.Symbol(name=name, indices=indices):
                return self.symbol(name, tuple(at[i] if isinstance(i, str) else i - 1 for i in indices), step)
            case n.Add(terms=terms):
                total = self.value(terms[0], at, step)
                for term in terms[1:]:
                    total = plus(total, self.value(term, at, step))
                return total
            case n.Product(factors=factors):
                total = self.value(factors[0], at, step)
                for factor in factors[1:]:
                    total = times(total, self.value(factor, at, step))
                return total
            case n.Inner(left=left, right=right):
                one, other = self.value(left, at, step), self.value(right, at, step)
                if isinstance(one, list) and isinstance(other, list):
                    return sum(a * b for a, b in zip(one, other, strict=True))
                return times(one, other)
            case n.Pairing(left=left, right=right):
                one, other = self.value(left, at, step), self.value(right, at, step)
                if isinstance(one, list) != isinstance(other, list):
                    raise NotImplementedError("an inner product of a vector and a number")
                pairs = zip(one, other, strict=True) if isinstance(one, list) else [(one, other)]
                return sum(a * b for a, b in pairs)
            case n.Entrywise(left=left, right=right):
                one, other = self.value(left, at, step), self.value(right, at, step)
                if isinstance(one, list) and isinstance(other, list):
                    return [a * b for a, b in zip(one, other, strict=True)]
                return times(one, other)
            case n.Transpose(body=body):
                inner = self.value(body, at, step)
                if not isinstance(inner, list):
                    return inner
                return list(inner) if isinstance(inner, Row) else Row(inner)
            case n.Quotient(numerator=above, denominator=below):
                return times(self.value(above, at, step), over(self.value(below, at, step)))
            case n.Power(base=base, exponent=exponent):
                number, power = self.value(base, at, step), self.value(exponent, at, step)
                if isinstance(number, list):
                    return sum(x * x for x in number)
                if power == int(power) and abs(power) <= 8:
                    result = 1.0
                    for _ in range(abs(int(power))):
                        result = result * number
                    return result if power >= 0 else over(result)
                return cmath.exp(power * cmath.log(number))
            case n.Norm(body=body):
                inner = self.value(body, at, step)
                if isinstance(inner, list):
                    return cmath.sqrt(sum(x * x for x in inner))
                return inner if complex(inner).real >= 0 else -inner
            case n.Function(name=name, argument=argument):
                inner = self.value(argument, at, step)
                if name == "log" and inner == 0:
                    return float("-inf")
                return getattr(cmath, name)(inner)
            case n.Sum(kind=kind, indices=indices, condition=condition, body=body):
                total = 0.0 if kind == "sum" else 1.0
                for values in itertools.product(range(self.count), repeat=len(indices)):
                    inside = at | dict(zip(indices, values, strict=True))
                    if condition is None or self.holds(condition, inside):
                        value = self.value(body, inside, step)
                        total = plus(total, value) if kind == "sum" else times(total, value)
                return total
            case n.Indicator(condition=condition):
                return float(self.holds(condition, at))
            case n.Cases(values=values, conditions=conditions):
                for value, condition in zip(values, conditions, strict=True):
                    if self.holds(condition, at):
                        return self.value(value, at, step)
                return 0.0
            case n.Derivative(of=of, by=by) if by.indices:
                place = tuple(at[i] if isinstance(i, str) else i - 1 for i in by.indices)
                return self.derivative(of, by.name, place, at)
            case n.Differential(of=of, by=by):
                direction = self.instance.directions[by.name]
                first = tuple(at[i] if isinstance(i, str) else i - 1 for i in by.indices)
                total: Any = 0.0
                for rest in itertools.product(*map(range, direction.shape[len(first) :])):
                    place = (*first, *rest)
                    slope = self.derivative(of, by.name, place, at)
                    total = plus(total, times(float(direction[place]), slope))
                return total
        raise NotImplementedError(type(node))

    def derivative(self, of: n.Node, name: str, place: tuple[int, ...], at: dict[str, int]) -> Any:
        if len(place) == 1 and self.instance.arrays[name].ndim == 2:
            width = self.instance.arrays[name].shape[1]
            return [self.derivative(of, name, (*place, k), at) for k in range(width)]
        return imaginary(self.value(of, at, (name, place)))

    def symbol(self, name: str, place: tuple[int, ...], step: tuple[str, tuple[int, ...]] | None) -> Any:
        if name in self.instance.arrays:
            array = self.instance.arrays[name]
            if array.ndim - len(place) > 1:
                raise NotImplementedError(name)
            if len(place) < array.ndim:
                return [self.symbol(name, (*place, k), step) for k in range(array.shape[len(place)])]
            value: Any = float(array[place])
        elif name in self.instance.sizes and name not in self.scope.definitions:
            value = float(self.instance.sizes[name])
        else:
            definition = self.scope.definitions[name][0]
            if len(place) != len(definition.indices):
                raise NotImplementedError(name)
            # What is differentiated by is a variable: its own definition does not count.
            inner = None if step and step[0] == name else step
            value = self.value(definition.body, dict(zip(definition.indices, place, strict=True)), inner)
        if step and step[0] == name and place in self.moved(step[1]):
            value = value + STEP * 1j
        return value

    def moved(self, place: tuple[int, ...]) -> set[tuple[int, ...]]:
        return {place, place[::-1]} if self.symmetric else {place}

    def holds(self, condition: n.Node, at: dict[str, int]) -> bool:
        match condition:
            case n.Compare(operator=operator, left=left, right=right):
                one, other = (at[i] + 1 if isinstance(i, str) else i for i in (left, right))
                return {
                    "=": one == other, "≠": one != other, "<": one < other,
                    ">": one > other, "≤": one <= other, "≥": one >= other,
                }[operator]  # fmt: skip
            case n.Both(parts=parts):
                return all(self.holds(part, at) for part in parts)
            case n.Either(parts=parts):
                return any(self.holds(part, at) for part in parts)
            case n.Otherwise():
                return True
        raise NotImplementedError(type(condition))


def plus(one: Any, other: Any) -> Any:
    if isinstance(one, list) or isinstance(other, list):
        width = len(one if isinstance(one, list) else other)
        left, right = (x if isinstance(x, list) else [0.0] * width for x in (one, other))
        kind = Row if isinstance(one, Row) or isinstance(other, Row) else list
        return kind(a + b for a, b in zip(left, right, strict=True))
    return one + other


def times(one: Any, other: Any) -> Any:
    if isinstance(one, Row) and isinstance(other, list) and not isinstance(other, Row):
        return sum(a * b for a, b in zip(one, other, strict=True))
    if isinstance(one, list) and isinstance(other, list):
        raise NotImplementedError("a product of vectors")
    if isinstance(one, list):
        return type(one)(times(x, other) for x in one)
    if isinstance(other, list):
        return type(other)(times(one, x) for x in other)
    return 0.0 if one == 0 or other == 0 else one * other


def over(value: Any) -> Any:
    return float("inf") if value == 0 else 1 / value


def imaginary(value: Any) -> Any:
    return type(value)(imaginary(x) for x in value) if isinstance(value, list) else complex(value).imag / STEP
