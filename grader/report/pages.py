"""The pages: one self-contained file each, readable offline, on a phone, in the dark and on paper.

Everything that comes from a submission is text to the templates, which escape it; what a notebook
displayed goes through `grader.report.notebook`. The policy of every page allows its own style and, on
the course page, its own script, by their digests, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from pygments.formatters import HtmlFormatter

from grader.course.rubric import Rubric
from grader.records import CellRun, NotebookRun, QuestionScore, Score, Summary, VerdictKind
from grader.report import chart
from grader.report.mistake import explain
from grader.report.notebook import show_cells
from grader.report.statistics import course_statistics

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
    Summary.NOT_ATTEMPTED: "none",
}


def course_page(rubric: Rubric, scores: Sequence[Score], links: Mapping[str, str], made: str) -> str:
    """Return index.html; `links` leads from a submission to its feedback page."""
    statistics = course_statistics(scores, rubric)
    title = f"How many submissions earned how many of {statistics.max_points:g} points"
    return _render(
        "course.html",
        script=_read("course.js"),
        title=rubric.title,
        scores=scores,
        links=links,
        statistics=statistics,
        pending=sum(question.points for question in rubric.questions if question.manual),
        histogram=chart.histogram(statistics.histogram, statistics.labels, title),
        made=made,
    )


def feedback_page(rubric: Rubric, score: Score, run: NotebookRun | None, made: str) -> str:
    """Return feedback.html of one submission; `run` is None if no notebook was run."""
    return _render(
        "feedback.html",
        title=rubric.title,
        score=score,
        remarks=score.remarks,
        functions=tuple(map(str, rubric.subjects)),
        run=run,
        failed=[cell for cell in run.cells if cell.status != "ok"] if run else [],
        untouched=_untouched,
        made=made,
    )


def notebook_page(submission: str, run: NotebookRun) -> str:
    """Return notebook.html: the notebook as it ran, its outputs sanitized."""
    return _render("notebook.html", submission=submission, cells=show_cells(run.executed))


@cache
def pages_digest() -> str:
    """Return a digest of the code and the templates of the pages: as long as it stays, so do the pages."""
    room = files("grader.report")
    parts = sorted((*room.iterdir(), *room.joinpath("templates").iterdir()), key=lambda part: part.name)
    texts = [part.read_bytes() for part in parts if part.is_file()]
    return hashlib.sha256(b"".join(hashlib.sha256(text).digest() for text in texts)).hexdigest()


def _render(template: str, script: str = "", **content: Any) -> str:
    style = _read("style.css") + _code_style()
    scripts = _digest(script) if script else "'none'"
    policy = (
        f"default-src 'none'; img-src data:; style-src {_digest(style)}; "
        f"script-src {scripts}; base-uri 'none'; form-action 'none'"
    )
    ours = {"policy": policy, "style": style, "script": script}
    trusted = {name: Markup(text) for name, text in ours.items()}  # noqa: S704 -- nothing of a submission
    return _environment().get_template(template).render(**trusted, **content) + "\n"


@cache
def _environment() -> Environment:
    loader = PackageLoader("grader.report", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals |= {"bar": chart.bar, "draw": chart.draw, "explain": explain}
    environment.filters |= {
        "points": "{:.4g}".format,
        "words": lambda value: str(value.value).replace("_", " "),
        "tone": lambda value: TONES.get(value, ""),
        "mark": MARKS.__getitem__,
        "share": _share,
        "fault": _fault,
    }
    return environment


@cache
def _read(name: str) -> str:
    return files("grader.report").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _code_style() -> str:
    light = HtmlFormatter(style="friendly").get_style_defs(".cell .code")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".cell .code")
    plain = ".cell .code { background: none; }"
    return f"\n{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n{plain}\n"


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _share(question: QuestionScore) -> str:
    points = question.points or 0.0
    return "good" if points >= question.max_points - 1e-9 else "part" if points > 0 else "bad"


def _untouched(question: QuestionScore) -> bool:
    """Whether a function was left as it was handed out, so that its checks say nothing."""
    kinds = {check.verdict.kind for check in question.checks}
    return kinds == {VerdictKind.NOT_ATTEMPTED}


def _fault(cell: CellRun) -> str:
    """Say what happened to a cell that did not run through."""
    if cell.fault is not None:
        line = f" (line {cell.fault.line})" if cell.fault.line else ""
        return f"{cell.fault.type}: {cell.fault.message}{line}"
    words = {"timeout": "it ran longer than a cell may", "not_run": "it was not run"}
    return words.get(cell.status, "it ended the kernel")
