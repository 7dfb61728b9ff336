"""What a student made, as pages of their own for sandboxed frames: no script runs in them, nothing is loaded.

The HTML was made safe by a handler when the notebook was graded. The frame has the origin of the page, so
that the page can give it the height of its content; without scripts, it can make no use of that.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from urllib.parse import quote

from markupsafe import escape
from pygments.formatters import HtmlFormatter
from starlette.responses import HTMLResponse, Response

from grader.intake.beside import read_file
from grader.web.visit import NotThere, Visit, course_html

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{style}</style></head>
<body class="{kind}">{content}</body></html>
"""
NOTHING = '<p class="soft">Nothing was written here.</p>'


@cache
def _style() -> str:
    """Return the style of frames: that of the pages of results, and of highlighted code."""
    light = HtmlFormatter(style="default", cssclass="code").get_style_defs(".code")
    dark = HtmlFormatter(style="github-dark", cssclass="code").get_style_defs(".code")
    own = files("grader.web").joinpath("static", "frame.css").read_text(encoding="utf-8")
    return f"{light}\n@media (prefers-color-scheme: dark) {{ {dark} }}\n{own}"


@cache
def _policy() -> str:
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'self'; sandbox allow-same-origin"
    )


def framed(content: str, title: str, kind: str = "") -> Response:
    """Return a page for a frame."""
    text = PAGE.format(title=title, style=_style(), content=content, kind=kind)
    return HTMLResponse(text, headers={"content-security-policy": _policy()})


def answer(visit: Visit) -> Response:
    """Return what a person reads of one question, or its source; all text where it was not found."""
    question = visit.path("question")
    submission = visit.results.submission(visit.path("code"), question)
    if submission is None:
        raise NotThere("There is no such answer.")
    found = visit.results.worklist.answer(submission, question)
    if found is None:
        found = visit.results.worklist.answer(submission, "")
    if found is None:
        return framed('<p class="soft">Nothing of this hand-in can be shown here.</p>', "Answer", "answer")
    if visit.query("source"):
        return framed(f'<pre class="typed">{escape(found.text)}</pre>', "Answer as it was typed", "answer")
    return framed(found.html or NOTHING, "Answer", "answer")


def task(visit: Visit) -> Response:
    """Return the task of a written question, or the course's own answer, for the people who grade."""
    cells = visit.results.sheet(visit.path("question")).get("answer" if visit.query("answer") else "task")
    if cells is None:
        raise NotThere("Nothing of this question was kept.")
    shown = [
        f'<div class="cell text">{course_html(each["source"], each["attachments"])}</div>'
        if each["type"] == "markdown"
        else f'<div class="cell code"><pre>{escape(each["source"])}</pre></div>'
        for each in cells
    ]
    return framed("".join(shown), "Task", "answer")


def notebook(visit: Visit) -> Response:
    """Return the notebook as it ran."""
    submission = visit.results.submission(visit.path("code"))
    run = None if submission is None else visit.results.store.run_of(visit.results.assignment, submission)
    if run is None:
        raise NotThere("No run of this notebook was kept.")
    return framed(run.shown, "Notebook", "notebook")


def file(visit: Visit) -> Response:
    """Return a file that was handed in beside the notebook, to be saved: the browser opens it elsewhere."""
    submission = visit.results.submission(visit.path("code"))
    beside = {} if submission is None else visit.results.beside(submission)
    path = beside.get(visit.query("name"))
    content = None if path is None else read_file(path)
    if path is None or content is None:
        raise NotThere("There is no such file, or it is too large to be sent.")
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(path.name.encode(errors='replace'))}",
        "content-security-policy": "default-src 'none'; sandbox",
    }
    return Response(content, media_type="application/octet-stream", headers=headers)
