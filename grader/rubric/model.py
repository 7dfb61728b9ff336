"""What a rubric file may say. One class a thing; the schema and docs/rubric.md are made from here.

Rubric
  |-- environment, limits, files
  `-- questions
        `-- checks: reference | gradient | metric | property | raises | forbidden
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=80)]
Fraction = Annotated[float, Field(ge=0, le=1, strict=True)]
Points = Annotated[float, Field(ge=0, le=1000, strict=True)]
NearMissCode = Literal["constant_factor", "sign", "transposed", "reshaped", "integer_dtype"]

Freedom = Literal["sign", "rotation", "permutation", "factor"]


class Model(BaseModel):
    """A part of a rubric: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


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


class Feedback(Model):
    """What the student reads beside the verdict."""

    passed: str = ""
    """Shown when the check passed."""
    failed: str = ""
    """Shown when it did not; a hint that teaches and does not give the answer."""


class Public(Model):
    """What students get of a check, so that they can run it at home."""

    inputs: Identifier
    """The generator in the assignment's public.py; what it makes is handed out, and is never hidden."""
    values: bool = False
    """Whether the values that are right on these inputs are handed out too."""


class CheckBase(Model):
    """What every check has."""

    id: Identifier
    """The name of the check, unique in its question."""
    title: str
    """What must hold, in one sentence that a student understands."""
    points: Points
    """The points that it is worth; 0 for a check that only informs."""
    visibility: Literal["public", "hidden"] = "hidden"
    """Whether students may run it at home. Hidden inputs are never shown."""
    requires: tuple[Identifier, ...] = ()
    """Earlier checks of the same question that must have earned something for this one to count."""
    feedback: Feedback = Feedback()
    """Texts for the student."""


class InputsCheck(CheckBase):
    """A check that calls the function on inputs."""

    inputs: Identifier
    """The generator in the assignment's inputs.py that makes the inputs from a seed."""
    call_seconds: PositiveFloat | None = None
    """Processor seconds for one call, where the rubric's limit does not fit."""
    public: Public | None = None
    """What students get of it; left out for a check that they cannot run at home."""

    @model_validator(mode="after")
    def _public_fits(self) -> Self:
        if self.public is None:
            return self
        if isinstance(self, MetricCheck):
            raise ValueError("a metric needs the course's own code: it has no form for students at home")
        asks = isinstance(self, ReferenceCheck) and not self.form_only
        if asks != self.public.values:
            raise ValueError(
                "public: 'values: true' is needed to compare with the reference at home"
                if asks
                else "public: 'values' has no meaning here, as the check needs no values to compare with"
            )
        return self


class ReferenceCheck(InputsCheck):
    """The function returns what the reference returns."""

    type: Literal["reference"]
    """Compare with the reference solution on the same inputs."""
    output: Annotated[int, Field(ge=0)] | None = None
    """For a function that returns a tuple: the place of the part to compare; all parts if left out."""
    rtol: PositiveFloat = 1e-4
    """Largest error allowed, relative to the largest entry of the expected value."""
    by_case: bool = True
    """Whether each input counts for its share of the points, or all inputs must be right for any."""
    flatten: bool = False
    """Whether the shape may differ as long as the entries are the same, in order."""
    up_to: Freedom | None = None
    """What the mathematics leaves free of columns, or of A and B in a product (docs/comparing.md)."""
    conditioned: bool = False
    """Whether the tolerance grows with what rounding the inputs does to the reference's result."""
    credit: dict[NearMissCode, Fraction] = {}
    """The share of the points for a recognised near miss, by its code (for example constant_factor)."""
    given: tuple[Identifier, ...] = ()
    """Follow-through: also right given the student's own results of these, if their mistake has a name."""
    form_only: bool = False
    """Whether only structure, shape and finite entries are compared, and the values may be any."""
    given_credit: Fraction = 1.0
    """The share of the points for a result that is right given the student's own functions."""


class GradientCheck(InputsCheck):
    """The function returns the gradient of a cost, judged by finite differences."""

    type: Literal["gradient"]
    """Compare with central differences of the reference's cost function."""
    cost: Identifier
    """The cost function; it takes the same arguments."""
    wrt: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    """The arguments with respect to which the gradient is taken, in the order of the returned parts."""
    rtol: PositiveFloat = 1e-4
    """Largest error allowed, relative to the norm of the numeric gradient."""
    own_cost: Fraction = 0.0
    """Follow-through: the share for the right gradient of their own cost, if its mistake has a name."""
    by_case: bool = True
    """Whether each input counts for its share of the points, or all inputs must be right for any."""
    credit: dict[NearMissCode, Fraction] = {}
    """The share of the points for a recognised near miss, by its code (for example constant_factor)."""


class MetricCheck(InputsCheck):
    """A number computed from what the function returns, with points from `none` to `full`."""

    type: Literal["metric"]
    """Measure the result with a function of the assignment's metrics.py."""
    metric: Identifier
    """The function in metrics.py: (returned value, case) -> number."""
    full: float | Identifier
    """The number, or the name of a known quantity of the case, that earns all points."""
    none: float | Identifier
    """The number, or the name of a known quantity of the case, that earns none; linear in between."""
    plot: Identifier | None = None
    """A function in metrics.py: returned value -> {name: numbers}; drawn as curves in the feedback."""
    tolerance: Annotated[float, Field(ge=0)] = 0.0
    """How far from `full` still earns all points, as a share of the way to `none`."""
    given: tuple[Identifier, ...] = ()
    """Follow-through: also right if it is right given the mistakes that are named in these functions."""
    own_metric: Identifier | None = None
    """The measure for that, in metrics.py: (returned value, case, call) -> share that is lost, 0 to 1."""
    given_credit: Fraction = 1.0
    """The share of the points for a result that is right given the student's own functions."""

    @model_validator(mode="after")
    def _given_is_measured(self) -> Self:
        if bool(self.given) != bool(self.own_metric):
            raise ValueError("given and own_metric belong together: name both, or none")
        return self

    @model_validator(mode="after")
    def _bounds_differ(self) -> Self:
        if self.full == self.none:
            raise ValueError(f"full and none are the same, {self.full}: no points could be given in between")
        return self


class PropertyCheck(InputsCheck):
    """A property that must hold whatever the values are."""

    type: Literal["property"]
    """Check a mathematical property of the result."""
    property: Literal[
        "sums_to_one",
        "sums_to_zero",
        "symmetric",
        "zero_diagonal",
        "nonnegative",
        "in_unit_interval",
        "input_not_mutated",
        "deterministic",
        "translation_invariant",
        "rotation_equivariant",
        "permutation_equivariant",
    ]
    """The property."""
    argument: Identifier | None = None
    """The argument that is translated, rotated or permuted."""
    along: tuple[Identifier, ...] = ()
    """Arguments that are permuted in rows and columns together with it."""
    rtol: PositiveFloat = 1e-6
    """Largest violation allowed, relative to the largest entry of the result."""

    @model_validator(mode="after")
    def _argument_given(self) -> Self:
        transformed = self.property.endswith(("invariant", "equivariant"))
        if transformed and self.argument is None:
            raise ValueError(f"the property {self.property} needs the key 'argument'")
        return self


class RaisesCheck(InputsCheck):
    """The function refuses a wrong input with an exception."""

    type: Literal["raises"]
    """Expect an exception."""
    exception: Identifier
    """The name of the exception."""


class ForbiddenCheck(CheckBase):
    """The code that the function needs does not use certain names."""

    type: Literal["forbidden"]
    """Look for forbidden calls in the code; nothing is run."""
    names: Annotated[tuple[str, ...], Field(min_length=1)]
    """Dotted names, for example sklearn.manifold.TSNE; a module forbids all that is in it."""


Check = Annotated[
    ReferenceCheck | GradientCheck | MetricCheck | PropertyCheck | RaisesCheck | ForbiddenCheck,
    Field(discriminator="type"),
]


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
    checks: tuple[Check, ...] = ()
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
                if isinstance(check, GradientCheck) and check.own_cost:
                    names[check.cost] = None
                if isinstance(check, ReferenceCheck | MetricCheck):
                    names.update(dict.fromkeys(check.given))
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
