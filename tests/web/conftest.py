"""A site on a small course, and pages of it in a browser."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support_manual import fill

from grader.manual.accounts import Accounts, Role
from grader.store import Store

PASSWORD = "correct horse battery"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "grader.db") as opened:
        yield fill(opened)


@pytest.fixture
def results(store: Store, tmp_path: Path) -> Any:
    pytest.importorskip("starlette", reason="grader[serve] is not installed")
    from grader.web.jobs import Jobs
    from grader.web.served_results import Access, Results

    return Results(store, "tiny", tmp_path, "Tiny & small", Access("ada", "once"), Jobs())


@contextlib.contextmanager
def served(results: Any) -> Iterator[str]:
    """Serve a results at a free port of this machine; yield its address."""
    import uvicorn

    from grader.web.site import make_site

    config = uvicorn.Config(
        make_site(results), log_level="error", lifespan="off", ws="none", proxy_headers=False
    )
    server = uvicorn.Server(config)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


@pytest.fixture
def people(results: Any) -> Any:
    """The results with two accounts."""
    from dataclasses import replace

    accounts = Accounts(results.store)
    accounts.add("ben", Role.TA, PASSWORD)
    accounts.add("cleo", Role.HEAD, PASSWORD)
    results.access = replace(results.access, accounts=True, token="")
    return results


@pytest.fixture
def opened(browser: Any, results: Any) -> Iterator[Callable[..., Any]]:
    """Return what opens a page of a person of its own; a console error or a request elsewhere fails the test."""
    problems: list[str] = []
    contexts: list[Any] = []
    with served(results) as address:

        def new(path: str = "", person: str = "", *, hostile: bool = False, **options: Any) -> Any:
            context = browser.new_context(base_url=address, **options)
            contexts.append(context)
            page = context.new_page()

            def asked(route: Any) -> None:
                problems.append(route.request.url)
                route.abort()

            def said(message: Any) -> None:
                told = any(code in message.text for code in ("409", "400"))  # the status of a page of ours
                if message.type == "error" and not told and not hostile:
                    problems.append(f"{page.url}: {message.text}")

            page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
            page.on("console", said)
            # a request that the policy of a page forbids does not come so far
            context.route(lambda url: foreign(url, address), asked)
            if person:
                page.goto("/login")
                page.fill("[name=name]", person)
                page.fill("[name=password]", PASSWORD)
                page.press("[name=password]", "Enter")
                page.wait_for_url(f"{address}/")
            else:
                from grader.manual.accounts import Session

                token = results.accounts.open_session(Session("ada", Role.HEAD))
                context.add_cookies([{"name": results.cookie, "value": token, "url": address}])
            page.goto(f"/{path}")
            return page

        yield new
        for context in contexts:
            context.close()
    assert problems == []


def foreign(url: str, address: str) -> bool:
    """Whether a request leaves this machine."""
    return not url.startswith((f"{address}/", "data:", "about:", "blob:"))
