"""One request: who it is, what was sent, and how it is answered."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from grader.errors import ConflictError, GraderError, UsageError
from grader.handler.safe_html import show_markdown
from grader.manual.accounts import Role, Session
from grader.report import chart
from grader.report.mistake import explain
from grader.report.pages import MARKS, STEP_MARKS, STEP_TONES, TONES, first_false, typeset
from grader.web.guards import TooMuch, read_form, same_origin
from grader.web.jobs import JobState
from grader.web.served_results import Results

WHOLE = re.compile(r"[0-9]{1,9}")
MAX_MARKDOWN = 20_000
WAITS = {
    "": "",
    "written": "written part",
    "inconclusive": "no check could decide",
    "follow_through": "right only if something else is",
    "library": "may use a library",
    "not_graded": "not graded, through our fault",
    "run": "waits for the run",
    "superseded": "another hand-in counts",
    "changed": "changed since",
}


class NotThere(Exception):  # noqa: N818 -- it says what is asked for
    """There is no such page."""


@lru_cache(maxsize=2000)
def person_html(text: str) -> Markup:
    """Return what a person wrote, Markdown with formulas, as safe HTML."""
    return show_markdown(text[:MAX_MARKDOWN])


def course_html(text: str, attachments: Mapping[str, Any]) -> Markup:
    """Return Markdown of the course's notebook as safe HTML."""
    return show_markdown(text, attachments)


def ago(moment: float) -> str:
    """Return how long ago a moment is, or its day."""
    seconds = time.time() - moment
    for most, size, unit in ((90, 1, "s"), (5400, 60, "min"), (129_600, 3600, "h")):
        if seconds < most:
            return f"{max(seconds, 0) / size:.0f} {unit} ago"
    return time.strftime("%Y-%m-%d", time.localtime(moment))


@cache
def static(name: str) -> tuple[bytes, str]:
    """Return a file of ours and a digest of it, for an address that changes with it."""
    content = files("grader.web").joinpath("static", name).read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:12]


ENVIRONMENT = Environment(
    loader=ChoiceLoader([PackageLoader(f"grader.{part}", "templates") for part in ("web", "report")]),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.globals |= {
    "bar": chart.bar,
    "draw": chart.draw,
    "explain": explain,
    "first_false": first_false,
    "WAITS": WAITS,
}
ENVIRONMENT.filters |= {
    "points": lambda value: f"{value:.2f}".rstrip("0").rstrip("."),
    "words": lambda value: str(getattr(value, "value", value)).replace("_", " "),
    "tone": lambda value: TONES.get(value, ""),
    "mark": MARKS.__getitem__,
    "formula": typeset,
    "step_mark": STEP_MARKS.__getitem__,
    "step_tone": STEP_TONES.__getitem__,
    "markdown": person_html,
    "ago": ago,
    "clock": lambda moment: time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment)),
}


@dataclass(frozen=True)
class Visit:
    """A request of a person who is logged in; `form` holds what was sent, `forgery` the token against it."""

    results: Results
    request: Request
    session: Session
    form: list[tuple[str, str]]
    forgery: str

    @property
    def person(self) -> str:
        """Who it is."""
        return self.session.person

    @property
    def is_head(self) -> bool:
        """Whether the person is a head TA."""
        return self.session.role is Role.HEAD

    def hidden_questions(self) -> set[str]:
        """Return the questions of which this person sees no points beside a name: a head TA sees all."""
        return set() if self.is_head else self.results.sharing.anonymous()

    def field(self, name: str, default: str = "") -> str:
        """Return a field of the form."""
        return next((value for key, value in self.form if key == name), default)

    def fields(self, name: str) -> list[str]:
        """Return all fields of a name."""
        return [value for key, value in self.form if key == name]

    def numbers(self, name: str) -> list[int]:
        """Return all fields of a name that are whole numbers."""
        return [int(value) for value in self.fields(name) if WHOLE.fullmatch(value)]

    def query(self, name: str, default: str = "") -> str:
        """Return a parameter of the address."""
        return self.request.query_params.get(name, default)

    def path(self, name: str) -> str:
        """Return a part of the address."""
        return str(self.request.path_params[name])

    def log(self, event: str, detail: str = "") -> None:
        """Write a line of the audit log."""
        self.results.accounts.log(self.person, address_of(self.request, self.results), event, detail)

    def tell(self, words: str) -> None:
        """Tell something on the next page of this session."""
        self.results.notices[self.forgery] = words

    def page(self, template: str, status: int = 200, **content: Any) -> Response:
        """Return a page."""
        results, job = self.results, self.results.jobs.state()
        content |= {"session": self.session, "forgery": self.forgery}
        content["notice"] = results.notices.pop(self.forgery, "")
        if job.number == results.closed.get(self.forgery) and not job.running:
            content["job"] = JobState()
        return page(results, template, status, **content)

    def to(self, *parts: str, **query: str) -> Response:
        """Return an answer that leads to another page of ours."""
        return RedirectResponse(address(self.results, *parts, **query), 303)


def address(results: Results, *parts: str, **query: str) -> str:
    """Return the address of a page of ours."""
    path = "/".join(quote(part, safe="") for part in parts)
    given = {name: value for name, value in query.items() if value}
    return f"{results.prefix}/{path}" + (f"?{urlencode(given)}" if given else "")


def page(results: Results, template: str, status: int = 200, **content: Any) -> Response:
    """Return a page, also for somebody who is not logged in."""

    def url(*parts: str, **query: str) -> str:
        return address(results, *parts, **query)

    def asset(name: str) -> str:
        return address(results, "static", static(name)[1], name)

    defaults: Mapping[str, Any] = {
        "results": results,
        "url": url,
        "asset": asset,
        "session": None,
        "forgery": "",
        "job": results.jobs.state(),
        "here": "",
        "notice": "",
    }
    return HTMLResponse(ENVIRONMENT.get_template(template).render({**defaults, **content}), status)


def address_of(request: Request, results: Results) -> str:
    """Return the address of the one who asks, as a proxy that is known tells it."""
    direct = request.client.host if request.client else ""
    behind = bool(results.access.header) or results.secure  # else who asks could tell any address
    if behind and direct in results.access.proxies:
        told = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        return told or direct
    return direct


def forgery_token(token: str) -> str:
    """Return what every form of a session carries."""
    return hmac.new(token.encode(), b"form", hashlib.sha256).hexdigest()


Handler = Callable[[Visit], Response]
Finder = Callable[[Results, Request], tuple[Session, str] | None]


def endpoint(
    results: Results, handler: Handler, find_session: Finder, role: Role = Role.TA
) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers the requests for one page; the handler runs in a thread."""

    def work(request: Request, form: list[tuple[str, str]]) -> Response:
        found = find_session(results, request)
        if found is None:
            if request.method == "GET":
                return RedirectResponse(address(results, "login", to=str(request.url.path)), 303)
            words = "Log in in another window, then send this again."
            return page(results, "told.html", 403, title="You are not logged in", words=words)
        session, token = found
        visit = Visit(results, request, session, form, forgery_token(token))
        refused = _refusal(visit, role)
        if refused:
            visit.log("refused", f"{request.url.path}: {refused}")
            return visit.page("told.html", 403, title="Refused", words=refused)
        try:
            return handler(visit)
        except NotThere as error:
            return visit.page("told.html", 404, title="Not found", words=str(error))
        except GraderError as error:
            status = 409 if isinstance(error, UsageError | ConflictError) else 500
            return visit.page(
                "told.html", status, title="That did not work", words=_nameless(visit, str(error))
            )

    async def answer(request: Request) -> Response:
        try:
            form = await read_form(request) if request.method == "POST" else []
        except TooMuch:
            return PlainTextResponse("This is more than any form of ours holds.", 413)
        return await run_in_threadpool(work, request, form)

    return answer


def _nameless(visit: Visit, words: str) -> str:
    """Return an error without the name of a submission where the question is graded without names."""
    results, question = visit.results, visit.request.path_params.get("question", "")
    if question in results.sharing.anonymous():
        for name in results.worklist.submissions():
            words = words.replace(f"{name}, {question}", f"Answer {results.code(name, question)[:4]}")
    return words


def _refusal(visit: Visit, role: Role) -> str:
    """Return why a request is refused, '' if it is not."""
    if visit.request.method == "POST":
        sent = visit.field("forgery") or visit.request.headers.get("x-forgery", "")
        if not same_origin(visit.request) or not hmac.compare_digest(sent.encode(), visit.forgery.encode()):
            return "This form is not one of ours."
    if role is Role.HEAD and not visit.is_head:
        return "Only a head TA may do this."
    return ""
