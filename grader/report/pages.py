"""The HTML pages. Each is one file that needs no other, for screens of any size, dark mode and paper.

The templates escape all text of a submission; `grader.report.notebook` makes the outputs of a notebook safe.
The content security policy of a page allows only its own style and, on the course page, its own script; both
are identified by their digests.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from latex2mathml.converter import convert
from markupsafe import Markup, escape
from pygments.formatters import HtmlFormatter

from grader.attempt import FOR_STAFF, NOBODY, SEVERAL
from grader.course.rubric import Rubric
from grader.course.total import Total, total_of
from grader.handler.safe_html import show_markdown
from grader.records import (
    CellStatus,
    CheckScore,
    Code,
    DiagnosisKind,
    NotebookRun,
    QuestionScore,
    Score,
    Status,
    Summary,
    VerdictKind,
)
from grader.report import chart
from grader.report.mistake import explain
from grader.report.statistics import course_statistics
from grader.written import StepVerdict, WrittenStep

MARKS = {
    VerdictKind.PASSED: "✓",
    VerdictKind.PARTIAL: "◐",
    VerdictKind.FAILED: "✗",
    VerdictKind.INCONCLUSIVE: "?",
    VerdictKind.NOT_ATTEMPTED: "–",
    VerdictKind.BLOCKED: "⊘",
    VerdictKind.PENDING: "…",
}
TONES = {
    VerdictKind.PASSED: "good",
    VerdictKind.PARTIAL: "part",
    VerdictKind.FAILED: "bad",
    VerdictKind.BLOCKED: "bad",
    VerdictKind.NOT_ATTEMPTED: "none",
    Summary.CORRECT: "good",
    Summary.PARTLY_CORRECT: "part",
    Summary.WRONG: "bad",
    Summary.UNREADABLE: "bad",
    Summary.NO_NOTEBOOK: "bad",
    Summary.NOT_HANDED_IN: "none",
    Summary.NOT_ATTEMPTED: "none",
}
NOTEBOOK_LINK = '<p><a href="notebook.html">The notebook as it ran</a></p>'
STEP_MARKS = {StepVerdict.HOLDS: "✓", StepVerdict.FAILS: "✗", StepVerdict.NOT_CHECKED: "?"}
STEP_TONES = {StepVerdict.HOLDS: "good", StepVerdict.FAILS: "bad", StepVerdict.NOT_CHECKED: "none"}
# A symbol of a formula is one letter (or sum, sigma, a derivative); other names with _ are those of code.
FORMULAS = (
    (re.compile(r"\bsum_\{([^{}]{1,40})\}"), r"∑<sub>\1</sub>"),
    (re.compile(r"\bsum_(\w{1,2})\b"), r"∑<sub>\1</sub>"),
    (re.compile(r"\bsigma_(\w{1,2})\b"), r"σ<sub>\1</sub>"),
    (re.compile(r"(?<![\w.])(d?[A-Za-z])_(\w{1,2})(?![\w(=\[])"), r"\1<sub>\2</sub>"),
    (re.compile(r"\^\{([^{}]{1,20})\}"), r"<sup>\1</sup>"),
    (re.compile(r"\^(-?\d{1,2}|T)\b"), r"<sup>\1</sup>"),
)
DOLLARS = re.compile(r"\$([^$\n]{1,300})\$")
NAMED_LINE = re.compile(r"\(code cell (\d+), line (\d+)")
FIRST = 3  # what to fix first
# What a step is shown by: tags of MathML without attributes that load or run anything, and text.
MATHML = re.compile(
    r"(?:[^<>&]|&(?:[a-zA-Z]{1,10}|#x?[0-9a-fA-F]{1,8});|</?m[a-z]{1,15}"
    r'(?: (?:display|mathvariant|stretchy|fence|accent|width|columnalign)="[^"<>&]{0,40}")*>)*'
)
ENVIRONMENT = Environment(
    loader=PackageLoader("grader.report", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.globals |= {"bar": chart.bar, "draw": chart.draw, "explain": explain}


def formulas(text: str) -> Markup:
    """Return text of a course as HTML: `$...$` as MathML, and indices and powers elsewhere set as such."""
    parts = []
    for number, part in enumerate(DOLLARS.split(text)):
        shown = str(escape(part))
        if number % 2:
            with contextlib.suppress(
                Exception
            ):  # whatever a converter raises: then it stays as it was written
                parts.append(convert(part))
                continue
            shown = f"${shown}$"
        for pattern, replacement in FORMULAS:
            shown = pattern.sub(replacement, shown)
        parts.append(shown)
    return Markup("".join(parts))  # noqa: S704 -- escaped above


def typeset(step: WrittenStep) -> Markup:
    """Return a step as MathML, or as its source if there is none, or more than MathML in it."""
    if step.shown and MATHML.fullmatch(step.shown):
        return Markup(step.shown)  # noqa: S704 -- nothing but tags and attributes of MathML
    source = f"{step.left} = {step.right}" if step.right else step.left
    return Markup("<code>{}</code>").format(source)


def first_false(steps: Sequence[WrittenStep]) -> int:
    """Return the index of the first step that is false, -1 if there is none."""
    return next((n for n, step in enumerate(steps) if step.verdict is StepVerdict.FAILS), -1)


ENVIRONMENT.globals["first_false"] = first_false
ENVIRONMENT.filters |= {
    "formula": typeset,
    "step_mark": STEP_MARKS.__getitem__,
    "step_tone": STEP_TONES.__getitem__,
    "formulas": formulas,
    "points": lambda value: f"{value:.2f}".rstrip("0").rstrip("."),
    "words": lambda value: str(value.value).replace("_", " "),
    "tone": lambda value: TONES.get(value, ""),
    "mark": MARKS.__getitem__,
    "markdown": show_markdown,  # what people wrote, never what a student did
}


@dataclass(frozen=True)
class CourseRow:
    """A hand-in on the page of the course; `kinds` and `questions` are what its script filters by."""

    score: Score
    total: Total
    out_of: float
    kinds: str
    questions: str

    @property
    def further(self) -> str:
        """What tells students of one name apart."""
        known = [student.id or student.email or student.login for student in self.score.attempt.students]
        further = ", ".join(filter(None, known))
        return further or (self.score.submission if self.score.submission != self.score.title else "")

    @property
    def late_key(self) -> float:
        """What rows are sorted by for lateness: how late it is not known is latest."""
        late = self.score.attempt.late_seconds
        return 1e12 if late is None else late


def course_row(score: Score, rubric: Rubric) -> CourseRow:
    """Return a hand-in as the page of the course shows it."""
    total = total_of(score, rubric)
    unknown = any(remark.startswith((NOBODY, SEVERAL)) for remark in score.remarks)
    look = score.status in (Status.NOT_GRADED, Status.UNREADABLE) or unknown
    kinds = {
        "attempt": not score.attempt.counts,
        "pending": not total.is_final,
        "late": bool(total.late),
        "missing": score.status in (Status.NO_NOTEBOOK, Status.NOT_HANDED_IN),
        "look": look,
    }
    points = {
        question.id: "?" if question.points is None else f"{question.points:g}"
        for question in score.questions
    }
    questions = " ".join(points.get(question.id, "-") for question in rubric.questions)
    return CourseRow(
        score, total, _out_of(score, total), " ".join(k for k, holds in kinds.items() if holds), questions
    )


def _out_of(score: Score, total: Total) -> float:
    """Return what could be earned so far: the whole sheet once nothing is pending."""
    return total.max_points if total.is_final else score.max_points


def course_page(
    rubric: Rubric,
    scores: Sequence[Score],
    links: Mapping[str, str],
    made: str,
    workers: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return index.html; `links` and `workers` give the feedback page and the worker of a submission."""
    statistics = course_statistics(scores, rubric)
    title = f"How many hand-ins earned how many of {statistics.max_points:g} points"
    rows = [course_row(score, rubric) for score in scores]
    return _render(
        "course.html",
        script=_read("course.js"),
        title=rubric.title,
        rows=sorted(rows, key=lambda row: (row.score.title.casefold(), row.score.submission)),
        links=links,
        workers=workers,
        statistics=statistics,
        pending=sum(question.points for question in rubric.questions if question.manual),
        histogram=chart.histogram(statistics.histogram, statistics.width, title),
        made=made,
    )


def first_to_fix(score: Score) -> list[tuple[QuestionScore, str]]:
    """Return the questions that lost most, in the order of the sheet, since later ones build on earlier ones.

    Each has the mistake, or what its first check says, if no person decided the points.
    """
    lost = [q for q in score.questions if q.points is not None and q.points < q.max_points - 1e-9]
    most = sorted(lost, key=lambda question: (question.points or 0.0) - question.max_points)[:FIRST]
    found = []
    for question in (each for each in lost if each in most):
        mistake = explain(question.diagnosis)
        check = next((each for each in question.checks if each.points < each.max_points), None)
        words = "A person gave the points."
        if question.decided and question.decided.final:
            words += " What they wrote is there." if question.decided.comment else ""
        elif mistake:
            words = mistake.mistakes[0]
        elif check:
            words = check.verdict.message or check.feedback or check.title
        found.append((question, words))
    return found


def hint_of(question: QuestionScore, check: CheckScore) -> str:
    """Return the feedback of a check, '' where the mistake is known and the hint would name another one."""
    diagnosis, verdict = question.diagnosis, check.verdict
    known = diagnosis is not None and diagnosis.kind is DiagnosisKind.NAMED
    failed = verdict.kind in (VerdictKind.FAILED, VerdictKind.PARTIAL)
    by_values = verdict.code == Code.VALUES or verdict.code not in tuple(Code)  # a pattern, such as a factor
    return "" if known and failed and by_values else check.feedback


def lines_of(question: QuestionScore) -> list[tuple[int, str, bool]]:
    """Return the lines of a student's code, each with its number, and whether a check names it."""
    code = question.code
    if code is None:
        return []
    messages = " ".join(check.verdict.message for check in question.checks)
    named = {int(line) for cell, line in NAMED_LINE.findall(messages) if int(cell) == code.cell}
    return [(n, line, n in named) for n, line in enumerate(code.text.splitlines(), start=code.line)]


def feedback_page(rubric: Rubric, score: Score, run: NotebookRun | None, made: str) -> str:
    """Return feedback.html of one submission; `run` is None if no notebook was run."""
    failed = []  # (number of the code cell, what happened)
    for cell in run.cells if run else ():
        if cell.status == CellStatus.OK:
            continue
        if cell.status == CellStatus.TIMEOUT:
            line = f" in line {cell.fault.line}" if cell.fault is not None and cell.fault.line else ""
            failed.append((cell.number, f"it ran longer than a cell may, and was stopped{line}"))
        elif cell.fault is not None:
            line = f" (line {cell.fault.line})" if cell.fault.line else ""
            failed.append((cell.number, f"{cell.fault.type}: {cell.fault.message}{line}"))
        else:
            was_run = cell.status != CellStatus.NOT_RUN
            failed.append((cell.number, "it ended the kernel" if was_run else "it was not run"))
    # Functions that are still as they were handed out: all their checks say the same, so it is shown once.
    kinds = {question.id: {check.verdict.kind for check in question.checks} for question in score.questions}
    untouched = {name for name, found in kinds.items() if found == {VerdictKind.NOT_ATTEMPTED}}
    total = total_of(score, rubric)
    return _render(
        "feedback.html",
        title=rubric.title,
        score=score,
        total=total,
        out_of=_out_of(score, total),
        first=first_to_fix(score) if score.status is Status.GRADED else [],
        lines_of=lines_of,
        hint_of=hint_of,
        remarks=[remark for remark in score.remarks if not remark.startswith(FOR_STAFF)],
        functions=tuple(map(str, rubric.subjects)),
        run=run,
        failed=failed,
        untouched=untouched,
        made=made,
    )


def without_notebook_link(page: str) -> str:
    """Return a page of feedback as it can stand alone, without the link to the notebook beside it."""
    return page.replace(NOTEBOOK_LINK, "")


def notebook_page(submission: str, run: NotebookRun) -> str:
    """Return notebook.html: the notebook as it ran, with safe outputs."""
    return _render("notebook.html", submission=submission, shown=Markup(run.shown))  # noqa: S704 -- the handler made it safe


@cache
def pages_digest() -> str:
    """Return a digest of the code and templates of this package; if it changes, pages are written again."""
    package = files("grader.report")
    entries = [*package.iterdir(), *package.joinpath("templates").iterdir()]
    contents = [entry.read_bytes() for entry in sorted(entries, key=lambda e: e.name) if entry.is_file()]
    return hashlib.sha256(b"".join(hashlib.sha256(content).digest() for content in contents)).hexdigest()


def _render(template: str, script: str = "", **content: Any) -> str:
    """Return a page with its policy, style and script."""
    style = _read("style.css") + _code_style()
    scripts = _digest(script) if script else "'none'"
    policy = (
        f"default-src 'none'; img-src data:; style-src {_digest(style)}; "
        f"script-src {scripts}; base-uri 'none'; form-action 'none'"
    )
    ours = {"policy": policy, "style": style, "script": script}
    trusted = {name: Markup(text) for name, text in ours.items()}  # noqa: S704 -- nothing of a submission
    return ENVIRONMENT.get_template(template).render(**trusted, **content) + "\n"


@cache
def _read(name: str) -> str:
    return files("grader.report").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _code_style() -> str:
    """Return the style sheet of highlighted code, for light and dark themes."""
    light = HtmlFormatter(style="friendly").get_style_defs(".cell .code")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".cell .code")
    plain = ".cell .code { background: none; }"
    return f"\n{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n{plain}\n"


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
