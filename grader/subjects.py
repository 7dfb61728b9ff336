"""What is asked of a submission: its subjects, the inputs, and the calls that are made of both.

Subject  +  Case  ->  Call       Case: what a course writes;  Call: what enters the box, named by its content
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class SubjectKind(StrEnum):
    """What a question can be about: a closed set."""

    FUNCTION = "function"
    METHOD = "method"
    CLASS = "class"
    VARIABLE = "variable"
    FILE = "file"
    FIGURE = "figure"
    TEXT = "text"


@dataclass(frozen=True)
class Subject:
    """What a question is about. Facts and calls are kept by its text."""

    kind: SubjectKind
    name: str

    def __str__(self) -> str:
        """The name of a function or method; for anything else, the kind before it."""
        callable_by_name = self.kind in (SubjectKind.FUNCTION, SubjectKind.METHOD)
        return self.name if callable_by_name else f"{self.kind.value} {self.name}"

    @classmethod
    def named(cls, text: str) -> Subject:
        """Return the subject with a text."""
        kind, _, name = text.partition(" ")
        if name:
            return cls(SubjectKind(kind), name)
        return cls(SubjectKind.METHOD if "." in text else SubjectKind.FUNCTION, text)

    @property
    def root(self) -> str:
        """The name that stands in the notebook: of the function, the class or the variable."""
        return self.name.partition(".")[0]

    @property
    def method(self) -> str:
        """The method of the class, '' for anything but a method."""
        return self.name.partition(".")[2] if self.kind is SubjectKind.METHOD else ""

    @property
    def is_called(self) -> bool:
        """Whether it is called with inputs; anything else has one value, when the notebook has run."""
        return self.kind in (SubjectKind.FUNCTION, SubjectKind.METHOD, SubjectKind.CLASS)


@dataclass(frozen=True)
class Step:
    """One call of a sequence: of the function again, or of the method `name` of the object."""

    name: str = ""
    args: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What another function returns for `args`, all its arguments, in place of the student's own."""

    function: str
    args: tuple[Any, ...]
    value: Any


@dataclass(frozen=True)
class Case:
    """One input of a function: positional arguments, optional keywords, and what only the judge may know.

    `construct` has the arguments with which the object of a method, or of a class, is made. The calls in
    `before` are made first, in the same process, and what they changed stays. With `collect`, the value is
    the tuple of what all of them returned, the last call included. The `answers` stand in for what other
    functions of the student return. `label` is what students are told of the input where it alone goes wrong,
    after "with": "whole numbers", "k = 0".
    """

    name: str
    args: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)
    known: Mapping[str, Any] = field(default_factory=dict)
    construct: Step = Step()
    before: tuple[Step, ...] = ()
    collect: bool = False
    answers: tuple[Answer, ...] = ()
    label: str = ""


@dataclass(frozen=True)
class CallLimits:
    """What one call may use: wall seconds, megabytes beside what the worker holds, megabytes returned."""

    seconds: float = 10.0
    memory_mb: int = 1024
    result_mb: int = 64


@dataclass(frozen=True)
class Sweep:
    """Many evaluations in one call: the values of each point stand in for the arguments at `places`."""

    places: tuple[int, ...]
    points: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Call:
    """One call of one function: only this, and the function's own code, enters the box.

    `function` is the text of the subject; `construct`, `before`, `collect` and `answers` are those of the
    case. `echo`
    asks for the arguments as they are after the call, `keywords` are passed only where the student's function
    takes them. With a `sweep`, the value is the tuple of what was returned at each point.
    """

    id: str
    function: str
    args: tuple[Any, ...]
    keywords: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    echo: bool = False
    limits: CallLimits = CallLimits()
    sweep: Sweep | None = None
    kind: SubjectKind = SubjectKind.FUNCTION
    construct: Step = Step()
    before: tuple[Step, ...] = ()
    collect: bool = False
    answers: tuple[Answer, ...] = ()

    def message(self) -> dict[str, Any]:
        """Return the call as plain data: what the code that makes it needs to know (inside/perform.py)."""
        return {
            "kind": self.kind.value,
            "method": Subject(self.kind, self.function).method,
            "construct": {"args": self.construct.args, "keywords": dict(self.construct.keywords)},
            "before": [
                {"name": step.name, "args": step.args, "keywords": dict(step.keywords)}
                for step in self.before
            ],
            "collect": self.collect,
            "answers": [(each.function, each.args, each.value) for each in self.answers],
            "args": self.args,
            "keywords": dict(self.keywords),
            "sweep": [self.sweep.places, self.sweep.points] if self.sweep else None,
            "seed": self.seed,
            "echo": self.echo,
        }
