"""The only types that cross from one stage to the next; all frozen, all plain data.

plan  ->  grader.explanations, Case and Call of grader.subjects, checks.base.PlannedCase, plan.plan.Plan
observe  ->  Outcome, CellRun, NotebookRun, FunctionFacts, Observation
judge  ->  Evidence, Verdict, Diagnosis
score  ->  CheckScore, QuestionScore, Score
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from grader.attempt import Attempt
from grader.decision import Decided
from grader.reading import FunctionFacts, Shown
from grader.written import WrittenStep


class OutcomeKind(StrEnum):
    """How a call ended: a closed set."""

    RETURNED = "returned"
    RAISED = "raised"
    CPU_TIMEOUT = "cpu_timeout"
    WALL_TIMEOUT = "wall_timeout"
    OUT_OF_MEMORY = "out_of_memory"
    KILLED_BY_SIGNAL = "killed_by_signal"
    MISSING = "missing"
    NOT_ATTEMPTED = "not_attempted"
    UNDECODABLE = "undecodable"
    OUTPUT_TOO_LARGE = "output_too_large"
    GRADER_FAULT = "grader_fault"


class VerdictKind(StrEnum):
    """What a check says of an observation: a closed set."""

    PASSED = "passed"
    PARTIAL = "partial"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    NOT_ATTEMPTED = "not_attempted"
    BLOCKED = "blocked"
    PENDING = "pending"


class CellStatus(StrEnum):
    """What a cell did when the notebook ran: a closed set."""

    OK = "ok"
    ERROR = "error"
    TIMEOUT = "timeout"
    NOT_RUN = "not_run"


class Code(StrEnum):
    """What was found of a result, beside how its call ended: stable names, which a course can count.

    Properties have their own names as codes, and so have the types of checks of other packages.
    """

    STRUCTURE = "structure"
    SHAPE = "shape"
    VALUES = "values"
    NOT_FINITE = "not_finite"
    MASKED = "masked"
    COMPLEX = "complex"
    ZERO = "zero"
    CONSTANT = "constant"
    BELOW_TARGET = "below_target"
    UNMEASURABLE = "unmeasurable"
    OTHER_EXCEPTION = "other_exception"
    NO_EXCEPTION = "no_exception"
    FORBIDDEN = "forbidden"
    FOLLOW_THROUGH = "follow_through"
    OTHER_ORDER = "other_order"
    COSTS_ONCE = "costs_once"
    RIGHT_BY_ITSELF = "right_by_itself"
    FOLLOW_THROUGH_UNDECIDED = "follow_through_undecided"
    INCONCLUSIVE = "inconclusive"
    NOT_JUDGED = "not_judged"
    NOT_CALLED = "not_called"
    NOT_CHECKED = "not_checked"
    BLOCKED = "blocked"


class Status(StrEnum):
    """What became of a submission: a closed set."""

    GRADED = "graded"
    UNREADABLE = "unreadable"
    NO_NOTEBOOK = "no_notebook"
    NOT_HANDED_IN = "not_handed_in"
    NOT_GRADED = "not_graded"


class Summary(StrEnum):
    """A submission's verdict in one word; the sample submissions are sorted by it."""

    CORRECT = "correct"
    PARTLY_CORRECT = "partly_correct"
    WRONG = "wrong"
    NOT_ATTEMPTED = "not_attempted"
    UNREADABLE = "unreadable"
    NO_NOTEBOOK = "no_notebook"
    NOT_HANDED_IN = "not_handed_in"
    NOT_GRADED = "not_graded"


@dataclass(frozen=True, eq=False)
class Table:
    """A data frame as plain data, or a series, which has one column and no names of columns.

    `columns` are the names, `index` and each of `data` have the length of the table.
    """

    columns: tuple[Any, ...] | None
    index: Any
    data: tuple[Any, ...]

    @property
    def wire_table(self) -> tuple[Sequence[Any] | None, Any, Sequence[Any]]:
        """The parts, as they travel."""
        return self.columns, self.index, self.data


@dataclass(frozen=True)
class Fault:
    """How a student's code failed: exception type, message, and the cell (from 1) and line it came from.

    `file` is the Python file in which the line stands, '' if that is the notebook; `bases` are the exceptions
    of Python that the type is one of.
    """

    type: str
    message: str
    cell: int | None = None
    line: int | None = None
    code: str = ""
    file: str = ""
    bases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """How one call ended, and what came back.

    `ignored` are keywords that the function does not take, `imported` modules that the code asked for by
    other ways than an import statement.
    """

    kind: OutcomeKind
    value: Any = None
    fault: Fault | None = None
    args_after: tuple[Any, ...] | None = None
    ignored: tuple[str, ...] = ()
    seconds: float = 0.0
    imported: tuple[str, ...] = ()


@dataclass(frozen=True)
class HandIn:
    """What one student handed in: a notebook, and Python files beside it by their names."""

    notebook: bytes
    modules: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class CellRun:
    """What one code cell did when the notebook ran."""

    number: int
    status: CellStatus
    seconds: float = 0.0
    fault: Fault | None = None


@dataclass(frozen=True)
class NotebookLimits:
    """What one run of a notebook may use; `output_kb` is what one cell may display, `run_output_kb` all."""

    seconds: float = 300.0
    cell_seconds: float = 60.0
    memory_mb: int = 4096
    output_kb: int = 512
    run_output_kb: int = 8192


@dataclass(frozen=True)
class NotebookRun:
    """One headless run of a notebook, and the notebook as it was afterwards (JSON text).

    `values` are what was looked at when it had run, by the text of the subject; `shown` is safe HTML of it.
    """

    cells: tuple[CellRun, ...]
    executed: str
    remark: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[str, Outcome] = field(default_factory=dict)
    shown: str = ""

    @property
    def clean(self) -> bool:
        """Whether every cell ran without an error."""
        return all(cell.status == CellStatus.OK for cell in self.cells)


@dataclass(frozen=True)
class Observation:
    """Everything that is known of a submission without knowing what would be right.

    `in_state` are the functions that were called in the state of the notebook, `repairs` tell what was wrong
    with the file and how it was read, `sources` are its code cells, `written` the answers to questions and
    `listed` the code of subjects, both for people.
    """

    run: NotebookRun | None
    functions: Mapping[str, FunctionFacts]
    outcomes: Mapping[str, Outcome]
    in_state: frozenset[str] = frozenset()
    repairs: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    written: Mapping[str, Shown] = field(default_factory=dict)
    listed: Mapping[str, Shown] = field(default_factory=dict)


@dataclass(frozen=True)
class Plot:
    """A picture that says more than words: points or lines, without the numbers of hidden inputs."""

    kind: str
    title: str
    x_label: str
    y_label: str
    series: tuple[tuple[str, tuple[tuple[float, float], ...]], ...]


@dataclass(frozen=True)
class Evidence:
    """Why a verdict is what it is: named facts, a picture, or the steps of a written answer."""

    facts: tuple[tuple[str, str], ...] = ()
    plot: Plot | None = None
    steps: tuple[WrittenStep, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What one check says: `fraction` of its points, in words, with evidence and a stable `code`.

    `follows` if an input was credited because its result is right given the student's own other functions;
    `near` if all such results are near those of the reference, too.
    """

    kind: VerdictKind
    fraction: float
    message: str
    code: str = ""
    evidence: Evidence = Evidence()
    remarks: tuple[str, ...] = ()
    follows: bool = False
    near: bool = False


class DiagnosisKind(StrEnum):
    """How sure a diagnosis is: a closed set."""

    NAMED = "named"
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Diagnosis:
    """What mistake explains the results of a function, and how sure that is.

    `residual` is the largest relative difference between the results and those of the mistake, `margin` the
    same for the next best explanation; `codes` are one mistake or several made together, or, where the
    kind is ambiguous, those that explain the results equally well (joined by + where two belong together).
    `names` says in words what each code stands for. `inputs` says on how many inputs it rests, where others
    gave no numbers, and `work` whether the mistake shows any work.
    """

    kind: DiagnosisKind
    codes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    message: str = ""
    credit: float = 0.0
    residual: float | None = None
    margin: float | None = None
    inputs: str = ""
    work: bool = True


@dataclass(frozen=True)
class CheckScore:
    """The points of one check and the verdict that they rest on."""

    id: str
    title: str
    points: float
    max_points: float
    hidden: bool
    verdict: Verdict
    feedback: str = ""


@dataclass(frozen=True)
class CodeShown:
    """The student's own code of a function: where it begins in the notebook, and its lines.

    `file` is the Python file that it stands in, '' if that is the notebook.
    """

    text: str
    cell: int | None = None
    line: int = 1
    file: str = ""


@dataclass(frozen=True)
class QuestionScore:
    """The points of one question; `points` is None while a person still has to give them.

    A bonus comes on top: it is no part of what can be earned. The points of the checks of a question that is
    `written` are what is suggested to this person. `least` and `most` are what the rubric lets anybody give,
    None in scores of earlier versions.
    """

    id: str
    title: str
    points: float | None
    max_points: float
    checks: tuple[CheckScore, ...]
    remarks: tuple[str, ...] = ()
    diagnosis: Diagnosis | None = None
    decided: Decided | None = None
    bonus: bool = False
    code: CodeShown | None = None
    least: float | None = None
    most: float | None = None
    written: bool = False

    @property
    def suggested(self) -> float | None:
        """The points that are suggested to the person who gives them, None if nothing is."""
        if not self.written or not any(check.max_points for check in self.checks):
            return None
        return sum(check.points for check in self.checks)


@dataclass(frozen=True)
class Score:
    """What a submission earned, and why.

    `tier` is that of the walls behind which it ran, `directory` where its pages are, below the results,
    `attempt` says whose it is and whether it counts.
    """

    submission: str
    status: Status
    summary: Summary
    questions: tuple[QuestionScore, ...]
    message: str = ""
    remarks: tuple[str, ...] = ()
    tier: str = ""
    directory: str = ""
    attempt: Attempt = field(default_factory=Attempt)

    @property
    def title(self) -> str:
        """What to call it: the names of the students, or else the last part of its name."""
        return self.attempt.name or self.submission.rpartition("/")[2]

    @property
    def points(self) -> float:
        """The points earned so far; pending questions not counted."""
        return sum(question.points or 0.0 for question in self.questions)

    @property
    def max_points(self) -> float:
        """The points that could be earned in the questions that are decided, without a bonus."""
        decided = (question for question in self.questions if question.points is not None)
        return sum(question.max_points for question in decided if not question.bonus)

    @property
    def pending_points(self) -> float:
        """The points that a person still has to give."""
        return sum(question.max_points for question in self.questions if question.points is None)
