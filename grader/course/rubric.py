"""What a rubric file may say. One class a thing; the schema and docs/rubric.md are made from here.

Rubric
  |-- environment, limits, files
  `-- questions
        `-- checks: of the types that are installed (grader.checks)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self, Union

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from grader.checks.base import Check, Identifier, Model, Points
from grader.checks.registry import check_types

if TYPE_CHECKING:
    AnyCheck = Check
else:
    AnyCheck = Annotated[Union[tuple(check_types().values())], Field(discriminator="type")]  # noqa: UP007


class Environment(Model):
    """What the students' code runs in."""

    preload: tuple[str, ...] = ("numpy",)
    """Modules imported before the functions are called, so that their import costs no student time."""
    packages: tuple[str, ...] = ()
    """Modules that notebooks may import beside those of `preload`, the handed-out notebook and Python."""
    python: str | None = None
    """Path of the interpreter that runs the notebooks, from the course's folder; grader's own if left out."""
    minimum_tier: Literal["isolated", "restricted"] = "restricted"
    """The walls (`grader doctor`) below which grading is refused unless `--unsafe` is given."""


class Limits(Model):
    """What one submission may use."""

    notebook_seconds: PositiveFloat = 300
    """Wall seconds for the whole notebook."""
    cell_seconds: PositiveFloat = 60
    """Wall seconds for one cell; it is interrupted then, and the next one is run."""
    call_seconds: PositiveFloat = 10
    """Processor seconds for one call of a function (twice as many wall seconds)."""
    function_seconds: PositiveFloat = 60
    """Wall seconds for all calls of one function together."""
    memory_mb: PositiveInt = 2048
    """Megabytes that the notebook, or one call, may use beside the imported modules."""
    output_kb: PositiveInt = 512
    """Kilobytes that one cell may display; the rest is cut off."""
    result_mb: PositiveInt = 64
    """Megabytes that one call may return."""


class Recognition(Model):
    """How the results of a function are matched with those of known mistakes."""

    inputs: tuple[Identifier, ...] = ()
    """Further generators of inputs.py whose inputs are called for this purpose alone."""
    fingerprint: Identifier | None = None
    """A function in metrics.py, (returned value, case) -> numbers that the mathematics determines."""
    pairs: bool = True
    """Whether two mistakes made together are looked for; false where one prediction takes long."""
    rtol: PositiveFloat = 1e-3
    """Largest difference at which a mistake explains a result, relative to its largest entry."""
    call_seconds: PositiveFloat | None = None
    """Processor seconds for one call, where the rubric's limit does not fit."""


class Question(Model):
    """One thing to grade: a function with its checks, or a written part that a person reads."""

    id: Identifier
    """The column in grades.csv; for a question about one function that function's name."""
    title: str
    """The heading in the feedback."""
    points: Points
    """The sum of the points of its checks; for a written part, what it is worth."""
    function: Identifier | None = None
    """The function that is called; left out for a written part."""
    manual: bool = False
    """Whether a person grades it; it stays pending until then."""
    requires: tuple[Identifier, ...] = ()
    """Earlier questions that must have earned something for this one to count."""
    checks: tuple[AnyCheck, ...] = ()
    """The checks, in the order of the feedback."""
    recognition: Recognition = Recognition()
    """How the misconceptions of the assignment are recognised in the results."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.manual:
            if self.function or self.checks:
                raise ValueError(f"the question {self.id!r} is manual: it has no function and no checks")
            return self
        if self.function is None or not self.checks:
            raise ValueError(f"the question {self.id!r} needs a function and checks, or manual: true")
        total = sum(check.points for check in self.checks)
        if abs(total - self.points) > 1e-9:
            raise ValueError(
                f"the question {self.id!r} has {self.points:g} points, but its checks add up to {total:g}"
            )
        _check_order([check.id for check in self.checks], {c.id: c.requires for c in self.checks}, "check")
        return self


class Rubric(Model):
    """A whole rubric."""

    assignment: Identifier
    """The folder in reference/ that holds the notebook, inputs.py and metrics.py."""
    title: str
    """The title of the pages."""
    seed: Annotated[int, Field(ge=0)] = 0
    """The seed of the hidden inputs."""
    environment: Environment = Environment()
    """What the students' code runs in."""
    limits: Limits = Limits()
    """What one submission may use."""
    questions: Annotated[tuple[Question, ...], Field(min_length=1)]
    """The questions, in the order of the feedback."""

    @model_validator(mode="after")
    def _unique(self) -> Self:
        ids = [question.id for question in self.questions]
        _check_order(ids, {q.id: q.requires for q in self.questions}, "question")
        return self

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions that are called, each once: those asked about and those followed through."""
        names: dict[str, None] = {}
        for question in self.questions:
            for check in question.checks:
                names.update(dict.fromkeys(check.functions))
            if question.function:
                names[question.function] = None
        return tuple(names)


def _check_order(ids: list[str], requires: dict[str, tuple[str, ...]], kind: str) -> None:
    """Raise ValueError for an id given twice, or a requirement that is not an earlier id."""
    for place, name in enumerate(ids):
        if name in ids[:place]:
            raise ValueError(f"the {kind} id {name!r} is given twice")
    for place, name in enumerate(ids):
        for required in requires[name]:
            if required not in ids[:place]:
                raise ValueError(f"the {kind} {name!r} requires {required!r}, which is no earlier {kind}")
