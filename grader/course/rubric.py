"""What a rubric file may say: one class for each part; the schema and docs/rubric.md are made from them.

Rubric
  |-- environment, limits, files
  `-- questions
        `-- checks: of the types that are installed (grader.checks)
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal, Self, Union

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from grader.checks.base import Check, Fraction, Identifier, InputsCheck, Model, Points
from grader.checks.registry import check_types
from grader.subjects import Subject, SubjectKind

if TYPE_CHECKING:
    AnyCheck = Check
else:
    AnyCheck = Annotated[Union[tuple(check_types().values())], Field(discriminator="type")]  # noqa: UP007

METHOD = r"^[A-Za-z_][A-Za-z0-9_]*\.[A-Za-z_][A-Za-z0-9_]*$"
FILE = r"^[A-Za-z0-9_][A-Za-z0-9_. -]*$"


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
    """Megabytes that one call may return; all calls of a submission may return four times as much."""


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
    credit: Fraction = 0.0
    """The share of the points that a mistake with a name earns at least."""


class Late(Model):
    """What a hand-in loses that comes after the deadline."""

    grace_minutes: NonNegativeFloat = 0
    """So many minutes after the deadline nothing is lost; later, lateness counts from the deadline."""
    step_hours: PositiveFloat = 24
    """The length of a step: 24 for a day."""
    loss: Fraction = 0.0
    """The share that is lost for each step that has begun."""
    of: Literal["earned", "maximum"] = "earned"
    """What it is a share of: of what was earned, or of what the sheet is worth."""
    at_most: Fraction = 1.0
    """The largest share that is lost, however late it is."""
    closes_after_hours: PositiveFloat | None = None
    """After so many hours nothing counts any more; left out: never."""


class Question(Model):
    """One thing to grade: a function, or something else, with its checks; or a part that a person reads."""

    id: Identifier
    """The column in grades.csv; for a question about one function that function's name."""
    title: str
    """The heading in the feedback."""
    points: Points
    """The sum of the points of its checks that are no bonus; for a written part, what it is worth."""
    bonus: bool = False
    """Whether its points come on top of what the sheet is worth."""
    max_points: Points | None = None
    """The most that it earns, with the bonus of its checks; left out: all of them."""
    min_points: Annotated[float, Field(ge=-1000, le=0, strict=True)] = 0.0
    """The least that it earns: below 0 if wrong answers to it may cost points of other questions."""
    function: Identifier | None = None
    """The function that is called."""
    method: Annotated[str, Field(pattern=METHOD, max_length=160)] | None = None
    """In place of a function: CLASS.METHOD; the cases say how the object is made and what comes before."""
    class_: Identifier | None = Field(None, alias="class")
    """In place of a function: a class; the value of a case is what the calls before it returned."""
    variable: Identifier | None = None
    """In place of a function: a variable, whose value is looked at when the notebook has run."""
    file: Annotated[str, Field(pattern=FILE, max_length=100)] | None = None
    """In place of a function: a file that the notebook writes."""
    figure: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """In place of a function: the figure that a cell draws, by the cell's tag or id."""
    text: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """In place of a function: the text of a Markdown cell, by its tag or id, or the question it answers."""
    manual: bool = False
    """Whether a person grades it; it stays pending until then. With `text`, checks may suggest points."""
    requires: tuple[Identifier, ...] = ()
    """Earlier questions that must have earned something for this one to count."""
    form: Fraction = 0.0
    """The share of its points that a function loses which returns lists or tuples in place of arrays."""
    order: Fraction = 0.5
    """The share of its points that a function loses whose parts come in another order, or transposed."""
    notebook_globals: Fraction = 0.5
    """The share of its points that a function loses which reads a variable in place of an argument."""
    checks: tuple[AnyCheck, ...] = ()
    """The checks, in the order of the feedback."""
    recognition: Recognition = Recognition()
    """How the misconceptions of the assignment are recognised in the results."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Refuse what no single key shows: a question without checks or with two subjects, a wrong sum."""
        subjects = self._subjects()
        if self.manual:
            self._check_written(subjects)
            return self
        if any(check.for_a_person for check in self.checks):
            raise ValueError(
                f"the question {self.id!r} has checks of a written answer: it needs manual: true"
            )
        if not subjects or not self.checks:
            raise ValueError(f"the question {self.id!r} needs a function and checks, or manual: true")
        if len(subjects) > 1:
            kinds = " and ".join(subject.kind.value for subject in subjects)
            raise ValueError(f"the question {self.id!r} is about one thing: it has {kinds}")
        for check in self.checks:
            if isinstance(check, InputsCheck) and subjects[0].is_called and not check.inputs:
                raise ValueError(f"the check {check.id!r} needs the key 'inputs'")
        total = sum(check.points for check in self.checks if not check.bonus)
        if abs(total - self.points) > 1e-9:
            raise ValueError(
                f"the question {self.id!r} has {self.points:g} points, but its checks add up to {total:g}"
            )
        _check_order([check.id for check in self.checks], {c.id: c.requires for c in self.checks}, "check")
        return self

    def _check_written(self, subjects: list[Subject]) -> None:
        """Raise ValueError if a manual question has more than checks of a written answer."""
        if not subjects and not self.checks:
            return
        others = [check.id for check in self.checks if not check.for_a_person]
        if others or not self.checks or [subject.kind for subject in subjects] != [SubjectKind.TEXT]:
            raise ValueError(
                f"the question {self.id!r} is manual: it has no function and no checks, or `text` and checks "
                "of a written answer (derivation, claims)"
            )
        total = sum(check.points for check in self.checks if not check.bonus)
        if total > self.points + 1e-9:
            raise ValueError(
                f"the question {self.id!r} has {self.points:g} points, but its checks suggest up to {total:g}"
            )
        _check_order([check.id for check in self.checks], {c.id: c.requires for c in self.checks}, "check")

    def _subjects(self) -> list[Subject]:
        named = {
            kind: getattr(self, "class_" if kind is SubjectKind.CLASS else kind.value) for kind in SubjectKind
        }
        return [Subject(kind, name) for kind, name in named.items() if name is not None]

    @property
    def subject(self) -> Subject | None:
        """What the question is about; None for one that a person reads."""
        return next(iter(self._subjects()), None)

    @property
    def about(self) -> str:
        """The text of the subject, '' if there is none."""
        return str(self.subject or "")


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
    deadline: datetime | None = None
    """Until when it is to be handed in, such as 2026-11-20T23:59:00+01:00; `--deadline` is another one."""
    late: Late | None = None
    """What a hand-in loses that comes later; left out: nothing."""
    max_points: Points | None = None
    """What the sheet is worth, and the most that it earns; left out: the sum of the questions that are no
    bonus, and bonus points come on top."""
    questions: Annotated[tuple[Question, ...], Field(min_length=1)]
    """The questions, in the order of the feedback."""

    @model_validator(mode="after")
    def _unique(self) -> Self:
        ids = [question.id for question in self.questions]
        _check_order(ids, {q.id: q.requires for q in self.questions}, "question")
        return self

    @property
    def sheet_points(self) -> float:
        """What the sheet is worth."""
        if self.max_points is not None:
            return self.max_points
        return sum(question.points for question in self.questions if not question.bonus)

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """The subjects of the questions, and the further functions that checks call; each once."""
        subjects: dict[Subject, None] = {}
        for question in self.questions:
            further = [name for check in question.checks for name in check.functions]
            subjects.update(dict.fromkeys(Subject(SubjectKind.FUNCTION, name) for name in further))
            if question.subject is not None:
                subjects[question.subject] = None
        return tuple(subjects)

    @property
    def functions(self) -> tuple[str, ...]:
        """The texts of the subjects that are called."""
        return tuple(str(subject) for subject in self.subjects if subject.is_called)


def _check_order(ids: list[str], requires: dict[str, tuple[str, ...]], kind: str) -> None:
    """Raise ValueError for an id given twice, or a requirement that is not an earlier id."""
    for index, name in enumerate(ids):
        if name in ids[:index]:
            raise ValueError(f"the {kind} id {name!r} is given twice")
    for index, name in enumerate(ids):
        for required in requires[name]:
            if required not in ids[:index]:
                raise ValueError(f"the {kind} {name!r} requires {required!r}, which is no earlier {kind}")
