"""What the symbols of a task are, from YAML: reference/ASSIGNMENT/derivations/QUESTION.yaml.

The file holds nothing secret: students may have it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from grader.derivation.binding import bind
from grader.derivation.cursor import Vocabulary
from grader.derivation.formulas import Lines
from grader.derivation.latex import read_tokens
from grader.derivation.parse import parse_expression
from grader.derivation.scope import Definition, Instance, Scope
from grader.derivation.tensor import Array
from grader.derivation.tree import DerivationError, Derivative, Node, Symbol, free_indices, walk
from grader.errors import RubricError, UsageError

Size = Annotated[int, Field(ge=1, le=8)]


class Model(BaseModel):
    """The base of what stands in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Given(Model):
    """A symbol that gets random numbers."""

    draw: Literal[
        "normal", "positive", "joint", "probabilities", "one_hot", "low_rank", "rank", "singular_values"
    ]
    """The distribution: `joint` is a symmetric matrix with a zero diagonal that sums to one; the rows of
    `probabilities` sum to one, those of `one_hot` hold a single one; a matrix of `low_rank` has the rank 1 on
    the first instance, 2 on the next, ... and then again. The `rank` and the `singular_values` are those of
    another symbol."""
    of: str = ""
    """The matrix of which this is the rank, or the singular values, the largest first."""
    shape: tuple[str, ...] = Field((), max_length=3)
    """The names of the sizes of its axes; none for a number."""
    names: tuple[str, ...] = ()
    """How it is written, in LaTeX; its key if left out."""
    pairs: bool = False
    """Whether its two indices stand for a pair of different points: statements are meant for i ≠ j."""


class Defined(Model):
    """A symbol that is a function of others."""

    value: str
    """What it is, in LaTeX."""
    indices: tuple[str, ...] = ()
    """The letters that stand for its indices in `value`."""
    names: tuple[str, ...] = ()
    """How it is written, in LaTeX; its key if left out."""
    pairs: bool = False
    """Whether its two indices stand for a pair of different points: statements are meant for i ≠ j."""
    usual: bool = False
    """Whether it is not in the sheet but usual: students may use it, or define it otherwise."""
    letter: bool = False
    """Whether a student may give its letter another meaning."""


class Meaning(Model):
    """A task: its symbols, where a derivation starts, and what it ends in."""

    title: str = ""
    sizes: dict[str, tuple[Size, ...]] = Field(min_length=1)
    """The sizes of the instances, the smallest first; indices without a symbol have the first size."""
    symbols: dict[str, Given | Defined]
    varies: tuple[str, ...] = ()
    """The given symbols of which `+ const` does not depend."""
    direct: bool = False
    """Whether the result may be written down as soon as what is differentiated stands in another form."""
    start: str
    """What the derivation starts at."""
    target: str
    """What it ends in, in closed form."""


@dataclass(frozen=True)
class Task:
    """A meaning whose formulas are parsed."""

    meaning: Meaning

    @property
    def count(self) -> int:
        """The number of instances."""
        return min(len(sizes) for sizes in self.meaning.sizes.values())

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The names of the symbols as tokens, longest first."""
        names = [
            (tuple(token.text for token in read_tokens(name, 0, Lines(name), {})), key)
            for key, symbol in self.meaning.symbols.items()
            for name in symbol.names or (key,)
        ]
        names.sort(key=lambda each: -len(each[0]))
        functions = {
            key
            for key, each in self.meaning.symbols.items()
            if isinstance(each, Defined) and not each.indices
        }
        plain = Vocabulary(tuple(names), frozenset(self.meaning.sizes), frozenset(functions))
        if not self.meaning.start:
            return plain
        tokens = read_tokens(self.meaning.start, 0, Lines(self.meaning.start), {})
        match parse_expression(tokens, plain)[0]:
            case Derivative(of=Symbol(name=of), by=Symbol(name=by)):
                return replace(plain, by=by, of=of)
            case Derivative(by=Symbol(name=by)):
                return replace(plain, by=by)
        return plain

    @cached_property
    def scope(self) -> Scope:
        """The definitions of the symbols."""
        return Scope(
            {
                key: (Definition(symbol.indices, self.parse(symbol.value, frozenset(symbol.indices))),)
                for key, symbol in self.meaning.symbols.items()
                if isinstance(symbol, Defined)
            }
        )

    @cached_property
    def start(self) -> Node:
        """What the derivation starts at."""
        return self.parse(self.meaning.start)

    @cached_property
    def target(self) -> Node:
        """What it ends in."""
        return self.parse(self.meaning.target, free_indices(self.start))

    @cached_property
    def pairs(self) -> frozenset[str]:
        """The symbols whose two indices stand for a pair of different points."""
        return frozenset(key for key, symbol in self.meaning.symbols.items() if symbol.pairs)

    @cached_property
    def usual(self) -> frozenset[str]:
        """The symbols that students use without having been told to."""
        symbols = self.meaning.symbols.items()
        return frozenset(key for key, symbol in symbols if isinstance(symbol, Defined) and symbol.usual)

    @cached_property
    def letters(self) -> frozenset[str]:
        """The symbols whose letter a student may use for something else."""
        symbols = self.meaning.symbols.items()
        return self.usual | {key for key, symbol in symbols if isinstance(symbol, Defined) and symbol.letter}

    def parse(self, text: str, free: frozenset[str] = frozenset()) -> Node:
        """Return a formula of the task as a tree."""
        tokens = read_tokens(text, 0, Lines(text), {})
        return bind(parse_expression(tokens, self.vocabulary)[0], free)

    def instance(self, number: int, seed: int, variant: int = 0) -> Instance:
        """Return random numbers for the given symbols; `variant` changes those that vary alone."""
        sizes = {name: values[number] for name, values in self.meaning.sizes.items()}
        arrays: dict[str, Array] = {}
        for position, (key, symbol) in enumerate(self.meaning.symbols.items()):
            if isinstance(symbol, Given):
                moved = variant if key in self.meaning.varies else 0
                rng = np.random.default_rng([seed, number, position, moved])
                if symbol.of:
                    arrays[key] = _computed(symbol.draw, arrays[symbol.of])
                    continue
                array = _draw(symbol.draw, tuple(sizes[name] for name in symbol.shape), rng)
                if symbol.draw == "low_rank":
                    array = _of_rank(array, 1 + number % min(array.shape))
                arrays[key] = array
        directions = {
            name: np.random.default_rng([seed, number, len(self.meaning.symbols)]).normal(size=array.shape)
            for name, array in arrays.items()
            if name == self.vocabulary.by
        }
        return Instance(sizes, arrays, directions)


def _draw(kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Return random numbers of a kind."""
    if kind in ("normal", "low_rank"):
        return np.asarray(rng.normal(size=shape))
    positive: Array = np.exp(0.5 * rng.normal(size=shape))
    if kind == "joint":
        positive = (positive + positive.T) * (1 - np.eye(shape[0]))
        positive /= positive.sum()
        return positive
    if kind == "probabilities":
        positive /= positive.sum(-1, keepdims=True)
        return positive
    if kind == "one_hot":
        return np.eye(shape[-1])[rng.integers(shape[-1], size=shape[:-1])]
    return positive


def _of_rank(array: Array, rank: int) -> Array:
    """Return a matrix near another one, with a rank."""
    left, values, right = np.linalg.svd(array, full_matrices=False)
    return np.asarray((left[:, :rank] * values[:rank]) @ right[:rank])


def _computed(kind: str, matrix: Array) -> Array:
    """Return the rank or the singular values of a matrix; what is zero up to rounding is zero."""
    values = np.linalg.svd(matrix, compute_uv=False)
    values = np.where(values < 1e-10 * values.max(), 0.0, values)
    return np.asarray(float((values > 0).sum()) if kind == "rank" else values, dtype=np.float64)


def load_task(root: Path, assignment: str, question: str) -> Task:
    """Return the task of a question; raise UsageError if it has none, RubricError if its file is wrong."""
    folder = root / "reference" / assignment / "derivations"
    path = folder / f"{question}.yaml"
    if not path.is_file():
        names = ", ".join(sorted(each.stem for each in folder.glob("*.yaml"))) or "none"
        raise UsageError(f"there is no {path}; the derivations of {assignment} are: {names}")
    return read_task(path)


def read_task(path: Path) -> Task:
    """Return the task of a file; raise RubricError naming every mistake."""
    import yaml  # noqa: PLC0415 -- students who have the content in another form need no YAML

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError, yaml.YAMLError) as error:
        raise RubricError(f"{path}: cannot be read: {error}") from error
    return make_task(content, str(path))


def make_task(content: Any, name: str) -> Task:
    """Return the task of a mapping; `name` stands for the file in messages."""
    try:
        meaning = Meaning.model_validate(content)
    except ValidationError as error:
        lines = [
            f"{name}: {'.'.join(map(str, each['loc']))}: {each['msg']}"
            for each in error.errors(include_url=False)
        ]
        raise RubricError("\n".join(lines)) from error
    return checked(Task(meaning), name)


def checked(task: Task, name: str) -> Task:
    """Return a task whose formulas can be read and evaluated; raise RubricError for another."""
    try:
        _check(task)
    except DerivationError as error:
        raise RubricError(f"{name}: {error}") from error
    return task


def _check(task: Task) -> None:
    """Raise DerivationError if a formula of the task cannot be read or uses what is not there."""
    known: Mapping[str, Any] = task.meaning.symbols | task.meaning.sizes
    shapes = [
        name for symbol in task.meaning.symbols.values() if isinstance(symbol, Given) for name in symbol.shape
    ]
    for name in shapes:
        if name not in task.meaning.sizes:
            raise DerivationError(f"a shape has the size {name}, which is not among the sizes")
    seen: set[str] = set()
    for key, symbol in task.meaning.symbols.items():
        if isinstance(symbol, Given) and bool(symbol.of) != (symbol.draw in ("rank", "singular_values")):
            raise DerivationError(f"{key}: the key `of` belongs to the draws rank and singular_values")
        if isinstance(symbol, Given) and symbol.of and symbol.of not in seen:
            raise DerivationError(f"{key} is of {symbol.of!r}, which is no symbol before it")
        if isinstance(symbol, Given) and symbol.draw == "low_rank" and len(symbol.shape) != 2:
            raise DerivationError(f"{key}: a matrix of low rank has two sizes")
        seen.add(key)
    trees = [d.body for definitions in task.scope.definitions.values() for d in definitions]
    for tree in (*trees, *([task.start, task.target] if task.meaning.start else [])):
        for node in walk(tree):
            if isinstance(node, Symbol) and node.name not in known:
                raise DerivationError(f"{node.name} is used and not among the symbols")
