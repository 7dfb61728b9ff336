"""The web application without a browser: who comes in, what is refused, what every answer says."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("starlette", reason="grader[serve] is not installed")
from starlette.testclient import TestClient
from support import score

from grader.manual.accounts import Accounts, Role
from grader.manual.decisions import Decisions, Wish
from grader.records import CheckScore, Evidence, Verdict, VerdictKind
from grader.store import Store
from grader.web.entrance import TRIES_NAME, Attempts
from grader.web.site import GETS, HEAD_GETS, HEAD_POSTS, POSTS, make_site
from grader.written import StepVerdict, WrittenStep

PASSWORD = "correct horse battery"
HOST = "http://127.0.0.1"


def client(desk: Any, *, enter: bool = True, **more: Any) -> TestClient:
    made = TestClient(
        make_site(desk, **more), base_url=HOST, client=("127.0.0.1", 5000), follow_redirects=False
    )
    if enter:
        assert made.get("/enter?token=once").status_code == 303
    return made


def forgery(made: TestClient) -> str:
    found = re.search(r'data-forgery="([0-9a-f]{64})"', made.get("/").text)
    assert found is not None
    return found[1]


def test_the_printed_address_works_once(desk: Any) -> None:
    site = TestClient(make_site(desk), base_url=HOST, follow_redirects=False)
    assert site.get("/enter?token=wrong").status_code == 403
    assert site.get("/enter").status_code == 403
    assert site.get("/enter?token=once").status_code == 303
    site.cookies.clear()
    assert site.get("/enter?token=once").status_code == 403
    assert site.get("/").status_code == 303


@pytest.mark.parametrize("path", [*GETS, *HEAD_GETS])
def test_nobody_sees_a_page_without_a_session(desk: Any, path: str) -> None:
    made = client(desk, enter=False)
    for cookie in ("", "guessed"):
        made.cookies.set("grader", cookie)
        answer = made.get(path.replace("{question}", "essay").replace("{code}", desk.code("anna")))
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login")


@pytest.mark.parametrize("path", [*POSTS, *HEAD_POSTS])
def test_a_form_that_is_not_ours_does_nothing(desk: Any, path: str) -> None:
    made = client(desk)
    path = path.replace("{question}", "essay").replace("{code}", desk.code("anna")).replace("{number}", "1")
    token = forgery(made)
    for form, headers in (
        ({"points": "1"}, {}),
        ({"points": "1", "forgery": "0" * 64}, {}),
        ({"points": "1", "forgery": token}, {"sec-fetch-site": "cross-site"}),
        ({"points": "1", "forgery": token}, {"origin": "https://example.org"}),
    ):
        assert made.post(path, data=form, headers=headers).status_code == 403
    assert Decisions(desk.store, "tiny").history() == []
    assert {event.event for event in desk.accounts.events()} == {"refused", "logged in"}


def test_a_host_of_another_name_is_refused(desk: Any) -> None:
    made = client(desk, hosts=["grading.example.org"])
    assert made.get("/", headers={"host": "evil.example.org"}).status_code == 421
    assert made.get("/", headers={"host": "127.0.0.1:99"}).status_code == 200
    assert made.get("/", headers={"host": "Grading.example.org"}).status_code == 200


def test_every_answer_has_the_strict_policy_and_frames_have_their_own(desk: Any) -> None:
    made = client(desk)
    for path in ("/", "/todo", "/login", "/nothing", f"/grade/essay/{desk.code('anna')}"):
        answer = made.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert " style=" not in answer.text
        assert not re.search(r"<script(?! src)", answer.text)
    frame = made.get(f"/answer/essay/{desk.code('anna')}").headers["content-security-policy"]
    assert "script-src" not in frame
    assert "sandbox allow-same-origin" in frame
    assert "default-src 'none'" in frame


def test_the_cookie_is_kept_from_scripts_and_other_sites(desk: Any) -> None:
    desk.secure = True
    made = client(desk, enter=False)
    cookie = made.get("/enter?token=once").headers["set-cookie"].lower()
    assert all(each in cookie for each in ("httponly", "samesite=lax", "secure", "path=/"))


def test_what_is_suggested_of_a_written_answer_is_shown_with_its_steps(desk: Any) -> None:
    made = score("anna", directory="anna")
    steps = (
        WrittenStep(1, "a", "b", StepVerdict.HOLDS, shown="<math><mi>a</mi></math>"),
        WrittenStep(2, "b", "<c>", StepVerdict.FAILS, "they differ"),
    )
    verdict = Verdict(VerdictKind.PARTIAL, 0.75, "1 of 2 steps hold.", "steps", Evidence(steps=steps))
    check = CheckScore("steps", "The steps hold", 1.5, 2.0, False, verdict, "")
    essay = replace(made.questions[1], checks=(check,), written=True)
    desk.store.put_scores("tiny", [replace(made, questions=(made.questions[0], essay))], "course")
    page = client(desk).get(f"/grade/essay/{desk.code('anna')}").text
    assert "1.5 / 2 suggested" in page
    assert "<math><mi>a</mi></math>" in page
    assert "<code>b = &lt;c&gt;</code>" in page
    assert f"/answer/essay/{desk.code('anna')}" in page


def test_a_large_form_is_refused(desk: Any) -> None:
    made = client(desk)
    path = f"/grade/essay/{desk.code('anna')}"
    assert made.post(path, content=b"comment=" + b"x" * (3 << 20)).status_code == 413
    assert made.post(path, content=b"&".join(b"a=1" for _ in range(6000))).status_code == 413


def test_many_wrong_passwords_make_a_name_wait_and_are_logged(people: Any) -> None:
    clock = [0.0]
    made = client(people, enter=False, attempts=Attempts(lambda: clock[0]))

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
    assert made.cookies["grader"].encode() not in data


def test_the_header_of_a_proxy_counts_only_from_the_proxy_and_only_if_asked_for(people: Any) -> None:
    header = {"x-user": "cleo"}
    assert client(people, enter=False).get("/", headers=header).status_code == 303
    people.entrance = replace(people.entrance, accounts=False, header="x-user", proxies=("127.0.0.1",))
    made = client(people, enter=False)
    assert made.get("/", headers=header).status_code == 200
    assert made.get("/", headers={"x-user": "stranger"}).status_code == 303
    assert made.get("/").status_code == 303
    far = TestClient(make_site(people), base_url=HOST, client=("10.0.0.9", 5), follow_redirects=False)
    assert far.get("/", headers=header).status_code == 303


def test_a_path_below_a_proxy_is_in_every_link(desk: Any) -> None:
    desk.prefix = "/grading"
    made = TestClient(make_site(desk), base_url=HOST, follow_redirects=False)
    assert made.get("/grading/enter?token=once").headers["location"] == "/grading/"
    text = made.get("/grading/").text
    assert [
        link
        for link in re.findall(r'(?:href|src|action)="([^"]*)"', text)
        if not link.startswith("/grading/") and link != "#main"
    ] == []


def decide(made: TestClient, desk: Any, name: str, question: str = "essay", **fields: str) -> Any:
    form = {"forgery": forgery(made), "version": "0", **fields}
    return made.post(f"/grade/{question}/{desk.code(name)}", data=form)


def test_saving_leads_to_the_next_answer_that_waits(desk: Any) -> None:
    made = client(desk)
    answer = decide(made, desk, "anna", points="1,5", comment="Because\r\nof $k$")
    assert answer.headers["location"] == f"/grade/essay/{desk.code('bert')}"
    standing = Decisions(desk.store, "tiny").standing("anna", "essay")
    assert standing is not None
    assert (standing.points, standing.comment, standing.person) == (1.5, "Because\nof $k$", "ada")


def test_a_second_person_is_told_of_the_first_and_loses_no_words(desk: Any) -> None:
    made = client(desk)
    Decisions(desk.store, "tiny").decide([Wish("anna", "essay", 2.0, "fine")], "ben")
    answer = decide(made, desk, "anna", points="1", comment="my <own> words")
    assert answer.status_code == 409
    assert "ben has decided meanwhile" in answer.text
    assert "my &lt;own&gt; words" in answer.text
    assert 'name="version" value="1"' in answer.text
    assert Decisions(desk.store, "tiny").standing("anna", "essay").points == 2.0  # type: ignore[union-attr]


def test_an_override_without_a_reason_is_asked_for_one(desk: Any) -> None:
    made = client(desk)
    answer = decide(made, desk, "anna", "double", points="3")
    assert answer.status_code == 400
    assert "say why they change" in answer.text
    assert decide(made, desk, "anna", "double", points="3", reason="see the board").status_code == 303
    assert desk.store.get_score("tiny", "anna").score.points == 3.0


def test_a_question_without_names_shows_none(desk: Any) -> None:
    made = client(desk)
    desk.sharing.hide_names("essay", "ada", hidden=True)
    code = desk.code("anna")
    for path in (f"/grade/essay/{code}", "/groups/essay", f"/groups/essay/{code}", "/todo?question=essay"):
        text = made.get(path).text
        assert "anna" not in re.sub(r"name=", "", text), path
    assert f"/notebook/{code}" not in made.get(f"/grade/essay/{code}").text
    assert "anna" in made.get(f"/grade/double/{code}").text


def test_equal_and_similar_answers_are_one_group_and_decided_at_once(desk: Any) -> None:
    made = client(desk)
    text = made.get("/groups/essay").text
    assert '<span class="count">3</span>' in text
    code = desk.code("anna")
    assert made.get(f"/groups/essay/{code}").status_code == 200
    form = {"forgery": forgery(made), "points": "2", "comment": "Right."}
    members = [f"{desk.code(name)}:0" for name in ("anna", "bert", "dora")]
    assert made.post(f"/groups/essay/{code}", data={**form, "member": members}).status_code == 303
    scores = desk.store.get_scores("tiny")
    assert [scores[name].questions[1].points for name in ("anna", "bert", "dora", "carl")] == [
        2.0,
        2.0,
        2.0,
        None,
    ]
    undo = {"forgery": form["forgery"], "mine": "1"}
    assert made.post(f"/undo/essay/{code}", data=undo).status_code == 303
    assert desk.store.get_scores("tiny")["dora"].questions[1].points is None


def test_shared_out_answers_come_to_their_people(desk: Any) -> None:
    made = client(desk)
    token = forgery(made)
    form = {"forgery": token, "question": "essay", "person": ["ada", "ben"]}
    assert made.post("/people/share", data=form).status_code == 303
    shares = desk.worklist.shares(desk.sharing.people())
    assert sum(number for number, _ in shares.values()) == 6
    seen = set()
    code = made.get("/grade/essay").headers["location"].rpartition("/")[2]
    while code not in seen:
        seen.add(code)
        found = re.search(r'rel="next" href="[^"]*/(\w+)"', made.get(f"/grade/essay/{code}").text)
        code = found[1] if found else code
    assert len(seen) <= shares["ada"][0]


def test_unknown_pages_answers_and_versions_are_not_found(desk: Any) -> None:
    made = client(desk)
    for path in (
        "/x",
        "/grade/nothing",
        "/grade/essay/0000000000",
        "/students/x",
        "/answer/essay/x",
        "/notebook/x",
        "/groups/x",
    ):
        assert made.get(path).status_code == 404, path
    restore = {"forgery": forgery(made), "version": "9"}
    assert made.post(f"/restore/essay/{desk.code('anna')}", data=restore).status_code == 409


def test_hostile_words_of_people_are_shown_as_words(desk: Any, store: Store) -> None:
    made = client(desk)
    words = "<script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror=alert(1)>"
    desk.palette.add("essay", words, 0.0, "ben")
    decide(made, desk, "anna", points="1", comment=words)
    Accounts(store).add("<b>ben</b>", Role.TA, PASSWORD)
    for path in (
        f"/grade/essay/{desk.code('anna')}",
        "/comments",
        "/history",
        "/people",
        f"/students/{desk.code('anna')}",
    ):
        text = made.get(path).text
        assert "<script>alert" not in text
        assert "<img" not in text
        assert 'href="javascript' not in text
        assert "<b>ben" not in text


def test_the_history_and_the_live_state_follow_a_decision(desk: Any) -> None:
    made = client(desk)
    before = made.get("/live").json()["stamp"]
    decide(made, desk, "anna", points="1")
    assert made.get("/live").json()["stamp"] != before
    assert "anna" in made.get("/history").text
    assert "anna" not in made.get("/history?person=ben").text
