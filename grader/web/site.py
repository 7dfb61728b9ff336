"""The web application: which address leads to which page."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from grader.manual.accounts import Role
from grader.web import frames, grading_pages, head_pages, overview_pages, similar_pages
from grader.web.guards import Guards, TooMuch, read_form
from grader.web.login import HASHES_AT_ONCE, Login, LoginLimit
from grader.web.served_results import Results
from grader.web.visit import Handler, endpoint, page, static

KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
ANSWER = "/{question}/{code}"
GETS: dict[str, Handler] = {
    "/": overview_pages.overview,
    "/live": overview_pages.live,
    "/todo": overview_pages.todo,
    "/students": overview_pages.students,
    "/students/{code}": overview_pages.student,
    "/groups/{question}": overview_pages.groups,
    f"/groups{ANSWER}": overview_pages.group,
    "/comments": overview_pages.comments,
    "/history": overview_pages.history,
    "/grade/{question}": grading_pages.begin,
    f"/grade{ANSWER}": grading_pages.show,
    f"/answer{ANSWER}": frames.answer,
    "/task/{question}": frames.task,
    "/notebook/{code}": frames.notebook,
    "/file/{code}": frames.file,
}
POSTS: dict[str, Handler] = {
    f"/grade{ANSWER}": grading_pages.save,
    f"/undo{ANSWER}": grading_pages.undo,
    f"/restore{ANSWER}": grading_pages.restore,
    f"/keep{ANSWER}": grading_pages.keep,
    f"/zero{ANSWER}": grading_pages.zero,
    "/close": overview_pages.close,
    "/preview": grading_pages.preview,
    "/comments/{question}": grading_pages.add_comment,
    "/change/{number}": overview_pages.change_comment,
    f"/groups{ANSWER}": overview_pages.decide_group,
    "/regrade": head_pages.regrade,
}
HEAD_GETS: dict[str, Handler] = {
    "/people": head_pages.people,
    "/similar": similar_pages.similar,
    "/similar/{pair}": similar_pages.pair,
}
HEAD_POSTS: dict[str, Handler] = {
    "/people/share": head_pages.share,
    "/people/everything": head_pages.share_everything,
    "/people/add": head_pages.add_account,
    "/people/remove": head_pages.remove_account,
    "/publish": head_pages.publish,
    "/similar": similar_pages.compare,
    "/similar/{pair}": similar_pages.look,
}


def make_site(results: Results, hosts: Sequence[str] = (), limit: LoginLimit | None = None) -> Starlette:
    """Return the application; `hosts` are the names under which it may be reached beside loopback's."""
    login = Login(results, limit)
    hashing = asyncio.Semaphore(HASHES_AT_ONCE)

    async def enter(request: Request) -> Response:
        return await run_in_threadpool(login.enter, request)

    async def log_in(request: Request) -> Response:
        if request.method != "POST":
            return login.login_page(request)
        try:
            form = dict(await read_form(request))
        except TooMuch:
            return PlainTextResponse("This is more than any form of ours holds.", 413)
        async with hashing:  # before a thread is taken: who waits here keeps nobody else waiting
            return await run_in_threadpool(login.login, request, form)

    async def log_out(request: Request) -> Response:
        return await run_in_threadpool(login.leave, request)

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]
        suffix = name[name.rfind(".") :]
        if name not in ("site.css", "grading.js", "icon.svg"):
            return Response(status_code=404)
        headers = {"cache-control": "public, max-age=31536000, immutable"}
        return Response(static(name)[0], media_type=KINDS[suffix], headers=headers)

    async def not_found(request: Request, error: Exception) -> Response:
        return page(results, "told.html", 404, title="Not found", words="There is no such page.")

    routes = [
        Route("/enter", enter),
        Route("/login", log_in, methods=["GET", "POST"]),
        Route("/static/{digest}/{name}", asset),
    ]
    tables = (
        (GETS, "GET", Role.TA),
        (POSTS, "POST", Role.TA),
        (HEAD_GETS, "GET", Role.HEAD),
        (HEAD_POSTS, "POST", Role.HEAD),
    )
    for table, method, role in tables:
        for path, handler in table.items():
            routes.append(Route(path, endpoint(results, handler, login.find, role), methods=[method]))
    routes.append(Route("/logout", log_out, methods=["POST"]))
    inside = [Mount(results.prefix, routes=routes)] if results.prefix else routes
    return Starlette(
        routes=inside,
        middleware=[Middleware(Guards, hosts=hosts)],
        exception_handlers={404: not_found},
    )
