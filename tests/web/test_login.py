"""Who comes in to the web application, and who does not."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="grader[serve] is not installed")
from starlette.requests import Request
from starlette.testclient import TestClient
from support_manual import fill
from support_web import HOST, PASSWORD, client, forgery

from grader.store import Store
from grader.web.login import HASHES_AT_ONCE, TRIES_ADDRESS, TRIES_NAME, WINDOW, Login, LoginLimit
from grader.web.served_results import Access
from grader.web.site import HEAD_POSTS, make_site


def test_the_printed_address_works_once(results: Any) -> None:
    site = TestClient(make_site(results), base_url=HOST, follow_redirects=False)
    assert site.get("/enter?token=wrong").status_code == 403
    assert site.get("/enter").status_code == 403
    assert site.get("/enter?token=once").status_code == 303
    site.cookies.clear()
    assert site.get("/enter?token=once").status_code == 403
    assert site.get("/").status_code == 303


def test_the_cookie_is_kept_from_scripts_and_other_sites(results: Any) -> None:
    results.secure = True
    made = client(results, enter=False)
    cookie = made.get("/enter?token=once").headers["set-cookie"].lower()
    assert all(each in cookie for each in ("httponly", "samesite=lax", "secure", "path=/"))


def test_many_wrong_passwords_make_a_name_wait_and_are_logged(people: Any) -> None:
    clock = [0.0]
    made = client(people, enter=False, limit=LoginLimit(lambda: clock[0]))

    def tried(password: str, name: str = "ben") -> int:
        return made.post("/login", data={"name": name, "password": password}).status_code

    assert [tried("wrong") for _ in range(TRIES_NAME)] == [403] * TRIES_NAME
    assert tried(PASSWORD) == 429
    assert tried("wrong", "nobody") == 403
    clock[0] = 301.0
    assert tried(PASSWORD) == 303
    events = [event.event for event in people.accounts.events()]
    assert events.count("login failed") == TRIES_NAME + 1
    assert events.count("login refused") == 1


def test_many_tries_at_once_are_no_more_than_one_after_the_other(people: Any) -> None:
    limit = LoginLimit()
    assert [limit.begun("ben", "here") for _ in range(TRIES_NAME + 2)] == [True] * TRIES_NAME + [False] * 2
    limit.succeeded("ben", "here")
    assert limit.begun("ben", "here")
    made = client(people, enter=False)
    for _ in range(2 * TRIES_NAME):
        assert made.post("/login", data={"name": "cleo", "password": PASSWORD}).status_code == 303
    login, real, tried = Login(people), people.accounts.logged_in, list[str]()
    request = Request({"type": "http", "method": "POST", "headers": [], "client": ("127.0.0.1", 5000)})
    form = {"name": "ben", "password": "wrong"}

    def slow(name: str, password: str) -> Any:
        tried.append(name)
        if len(tried) < 9:  # the next try comes before this one has failed
            login.login(request, form)
        return real(name, password)

    people.accounts.logged_in = slow
    login.login(request, form)
    assert len(tried) == TRIES_NAME


def test_behind_a_proxy_one_stranger_does_not_make_everybody_wait(people: Any) -> None:
    people.secure = True
    made = client(people, enter=False)

    def tried(name: str, password: str, where: str) -> int:
        form = {"name": name, "password": password}
        return made.post("/login", data=form, headers={"x-forwarded-for": f"1.1.1.1, {where}"}).status_code

    assert {tried(f"nobody {n}", "wrong", "10.0.0.6") for n in range(TRIES_ADDRESS)} == {403}
    assert tried("ben", PASSWORD, "10.0.0.6") == 429
    assert tried("ben", PASSWORD, "10.0.0.7") == 303
    people.secure = False  # nobody said that there is a proxy: what a header says is not believed
    assert tried("ben", PASSWORD, "10.0.0.8") == 303
    assert people.accounts.events()[0].address == "127.0.0.1"


def test_a_login_leads_only_to_our_own_pages(people: Any) -> None:
    made = client(people, enter=False)
    for to, where in (
        ("/todo", "/todo"),
        ("//evil.example.org", "/"),
        ("https://evil.example.org", "/"),
        ("/\\evil.example.org", "/"),
    ):
        answer = made.post("/login", data={"name": "ben", "password": PASSWORD, "to": to})
        assert answer.headers["location"] == where


def test_only_a_head_does_what_a_head_does(people: Any) -> None:
    made = client(people, enter=False)
    made.post("/login", data={"name": "ben", "password": PASSWORD})
    token = forgery(made)
    assert made.get("/people").status_code == 403
    for path in HEAD_POSTS:
        assert made.post(path, data={"forgery": token, "name": "eve", "role": "head"}).status_code == 403
    assert made.post("/regrade", data={"forgery": token}).status_code == 409
    assert set(people.accounts.people()) == {"ben", "cleo"}


def test_a_removed_account_is_out_at_once(people: Any) -> None:
    made = client(people, enter=False)
    made.post("/login", data={"name": "ben", "password": PASSWORD})
    assert made.get("/").status_code == 200
    people.accounts.remove("ben")
    assert made.get("/").status_code == 303


def test_passwords_are_kept_as_argon2_and_tokens_as_digests(people: Any) -> None:
    made = client(people, enter=False)
    made.post("/login", data={"name": "ben", "password": PASSWORD})
    data = b"".join(path.read_bytes() for path in people.out.glob("grader.db*"))
    assert b"$argon2id$" in data
    assert PASSWORD.encode() not in data
    assert made.cookies[people.cookie].encode() not in data


def test_the_header_of_a_proxy_counts_only_from_the_proxy_and_only_if_asked_for(people: Any) -> None:
    header = {"x-user": "cleo"}
    assert client(people, enter=False).get("/", headers=header).status_code == 303
    people.access = replace(people.access, accounts=False, header="x-user", proxies=("127.0.0.1",))
    made = client(people, enter=False)
    assert made.get("/", headers=header).status_code == 200
    assert made.get("/", headers={"x-user": "stranger"}).status_code == 303
    assert made.get("/").status_code == 303
    assert made.get("/", headers=[("x-user", "cleo"), ("x-user", "ben")]).status_code == 303
    far = TestClient(make_site(people), base_url=HOST, client=("10.0.0.9", 5), follow_redirects=False)
    assert far.get("/", headers=header).status_code == 303


def test_servers_of_other_results_on_this_machine_do_not_log_each_other_out(
    results: Any, tmp_path: Path
) -> None:
    with Store(tmp_path / "other.db") as store:
        other = replace(results, store=fill(store), access=Access("ada", "once"))
        made = client(results)
        jar = made.cookies  # a browser's: for this host, whatever the port
        neighbour = TestClient(make_site(other), base_url=HOST, cookies=jar, follow_redirects=False)
        assert neighbour.get("/enter?token=once").status_code == 303
        jar.update(neighbour.cookies)
        assert made.get("/").status_code == 200
        assert neighbour.get("/").status_code == 200


def test_refusals_write_one_line_a_window_and_address(people: Any) -> None:
    clock = [0.0]
    made = client(people, enter=False, limit=LoginLimit(lambda: clock[0]))
    for number in range(3 * TRIES_ADDRESS):
        made.post("/login", data={"name": f"nobody {number}", "password": "wrong"})
        made.get("/enter?token=guessed")
    assert len(people.accounts.events(1000)) == TRIES_ADDRESS + 1
    clock[0] = WINDOW + 1.0
    made.get("/enter?token=guessed")
    assert len(people.accounts.events(1000)) == TRIES_ADDRESS + 2


def test_few_passwords_are_hashed_at_once_and_pages_do_not_wait_for_them(people: Any) -> None:
    hashing, most, lock = 0, 0, threading.Lock()
    go_on = threading.Event()

    def slow(name: str, password: str) -> None:
        nonlocal hashing, most
        with lock:
            hashing += 1
            most = max(most, hashing)
        go_on.wait(30)
        with lock:
            hashing -= 1

    people.accounts.logged_in = slow

    site = make_site(people)

    async def ask(method: str, path: str, body: bytes = b"") -> int:
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": b"",
            "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/x-www-form-urlencoded")],
            "client": ("127.0.0.1", 5000),
        }
        answers: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            answers.append(message)

        await site(scope, receive, send)
        return int(answers[0]["status"])

    async def all_at_once() -> list[int]:
        forms = (f"name=nobody+{number}&password=x".encode() for number in range(60))
        tries = [asyncio.create_task(ask("POST", "/login", form)) for form in forms]
        while hashing < HASHES_AT_ONCE:
            await asyncio.sleep(0.01)
        page = await asyncio.wait_for(ask("GET", "/"), 20)  # it needs a thread, as the logins do
        go_on.set()
        return [page, *sorted(await asyncio.gather(*tries))]

    assert asyncio.run(all_at_once()) == [303, *[403] * TRIES_ADDRESS, *[429] * (60 - TRIES_ADDRESS)]
    assert most == HASHES_AT_ONCE
