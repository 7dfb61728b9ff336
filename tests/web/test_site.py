"""The web application without a browser: what is refused, what every answer says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="grader[serve] is not installed")
from starlette.testclient import TestClient
from support import rubric, score
from support_manual import alike
from support_web import HOST, PASSWORD, client, forgery

from grader.attempt import Attempt, Student
from grader.course.rubric import Late
from grader.course.score import score_nothing
from grader.gradebooks.book import load_book
from grader.manual.accounts import Accounts, Role
from grader.manual.decisions import Decisions, Wish
from grader.manual.sharing import Sharing
from grader.records import CheckScore, Evidence, Status, Verdict, VerdictKind
from grader.store import Store
from grader.web.jobs import Jobs
from grader.web.overview_pages import listed
from grader.web.site import GETS, HEAD_GETS, HEAD_POSTS, POSTS, make_site
from grader.written import StepVerdict, WrittenStep


@pytest.mark.parametrize("path", [*GETS, *HEAD_GETS])
def test_nobody_sees_a_page_without_a_session(results: Any, path: str) -> None:
    made = client(results, enter=False)
    for cookie in ("", "guessed"):
        made.cookies.set(results.cookie, cookie)
        answer = made.get(path.replace("{question}", "essay").replace("{code}", results.code("anna")))
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login")


@pytest.mark.parametrize("path", [*POSTS, *HEAD_POSTS])
def test_a_form_that_is_not_ours_does_nothing(results: Any, path: str) -> None:
    made = client(results)
    path = (
        path.replace("{question}", "essay")
        .replace("{code}", results.code("anna"))
        .replace("{number}", "1")
        .replace("{pair}", "0" * 16)
    )
    token = forgery(made)
    for form, headers in (
        ({"points": "1"}, {}),
        ({"points": "1", "forgery": "0" * 64}, {}),
        ({"points": "1", "forgery": token}, {"sec-fetch-site": "cross-site"}),
        ({"points": "1", "forgery": token}, {"origin": "https://example.org"}),
    ):
        assert made.post(path, data=form, headers=headers).status_code == 403
    assert Decisions(results.store, "tiny").history() == []
    assert {event.event for event in results.accounts.events()} == {"refused", "logged in"}


def test_a_host_of_another_name_is_refused(results: Any) -> None:
    made = client(results, hosts=["grading.example.org"])
    assert made.get("/", headers={"host": "evil.example.org"}).status_code == 421
    assert made.get("/", headers={"host": "127.0.0.1:99"}).status_code == 200
    assert made.get("/", headers={"host": "Grading.example.org"}).status_code == 200


def test_every_answer_has_the_strict_policy_and_frames_have_their_own(results: Any) -> None:
    made = client(results)
    for path in ("/", "/todo", "/login", "/nothing", f"/grade/essay/{results.code('anna', 'essay')}"):
        answer = made.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert " style=" not in answer.text
        assert not re.search(r"<script(?! src)", answer.text)
    frame = made.get(f"/answer/essay/{results.code('anna', 'essay')}").headers["content-security-policy"]
    assert "script-src" not in frame
    assert "sandbox allow-same-origin" in frame
    assert "default-src 'none'" in frame


def test_what_is_suggested_of_a_written_answer_is_shown_with_its_steps(results: Any) -> None:
    made = score("anna", directory="anna")
    steps = (
        WrittenStep(1, "a", "b", StepVerdict.HOLDS, shown="<math><mi>a</mi></math>"),
        WrittenStep(2, "b", "<c>", StepVerdict.FAILS, "they differ"),
    )
    verdict = Verdict(VerdictKind.PARTIAL, 0.75, "1 of 2 steps hold.", "steps", Evidence(steps=steps))
    check = CheckScore("steps", "The steps hold", 1.5, 2.0, False, verdict, "")
    essay = replace(made.questions[1], checks=(check,), written=True)
    results.store.put_scores("tiny", [replace(made, questions=(made.questions[0], essay))], "course")
    made_client, code = client(results), results.code("anna", "essay")
    page = made_client.get(f"/grade/essay/{code}").text
    assert "1.5 / 2 suggested" in page
    assert "Give 1.5 as suggested" in page
    assert "<h2>Code</h2>" not in page
    assert "<math><mi>a</mi></math>" in page
    assert "<code>b = &lt;c&gt;</code>" in page
    assert f"/answer/essay/{code}" in page
    form = {"forgery": forgery(made_client), "version": "0"}
    assert made_client.post(f"/keep/essay/{code}", data=form).status_code == 303
    standing = results.decisions.standing("anna", "essay")
    assert standing is not None
    assert standing.points == 1.5


def test_a_large_form_is_refused(results: Any) -> None:
    made = client(results)
    path = f"/grade/essay/{results.code('anna', 'essay')}"
    assert made.post(path, content=b"comment=" + b"x" * (3 << 20)).status_code == 413
    assert made.post(path, content=b"&".join(b"a=1" for _ in range(6000))).status_code == 413


def test_a_path_below_a_proxy_is_in_every_link(results: Any) -> None:
    results.prefix = "/grading"
    made = TestClient(make_site(results), base_url=HOST, follow_redirects=False)
    assert made.get("/grading/enter?token=once").headers["location"] == "/grading/"
    text = made.get("/grading/").text
    assert [
        link
        for link in re.findall(r'(?:href|src|action)="([^"]*)"', text)
        if not link.startswith("/grading/") and link != "#main"
    ] == []


def decide(made: TestClient, results: Any, name: str, question: str = "essay", **fields: str) -> Any:
    form = {"forgery": forgery(made), "version": "0", **fields}
    return made.post(f"/grade/{question}/{results.code(name, question)}", data=form)


def test_saving_leads_to_the_next_answer_that_waits(results: Any) -> None:
    made = client(results)
    answer = decide(made, results, "anna", points="1,5", comment="Because\r\nof $k$")
    assert answer.headers["location"] == f"/grade/essay/{results.code('bert', 'essay')}"
    standing = Decisions(results.store, "tiny").standing("anna", "essay")
    assert standing is not None
    assert (standing.points, standing.comment, standing.person) == (1.5, "Because\nof $k$", "ada")


def test_a_second_person_is_told_of_the_first_and_loses_no_words(results: Any) -> None:
    made = client(results)
    Decisions(results.store, "tiny").decide([Wish("anna", "essay", 2.0, "fine")], "ben")
    answer = decide(made, results, "anna", points="1", comment="my <own> words")
    assert answer.status_code == 409
    assert "ben has decided meanwhile" in answer.text
    assert "my &lt;own&gt; words" in answer.text
    assert 'name="version" value="1"' in answer.text
    assert Decisions(results.store, "tiny").standing("anna", "essay").points == 2.0  # type: ignore[union-attr]


def test_undoing_my_last_takes_back_nothing_of_somebody_else(results: Any) -> None:
    made = client(results)
    history = Decisions(results.store, "tiny")
    path, form = f"/undo/essay/{results.code('anna', 'essay')}", {"forgery": forgery(made)}
    history.decide([Wish("anna", "essay", 0.5)], "ben")
    decide(made, results, "anna", version="1", points="1")
    history.decide([Wish("anna", "essay", 2.0, "a look at the scan")], "cleo")
    assert made.post(path, data=form).status_code == 409
    assert history.standing("anna", "essay").points == 2.0  # type: ignore[union-attr]
    history.undo("anna", "essay", "cleo")
    history.undo("anna", "essay", "cleo")  # that of this person
    assert made.post(path, data=form).status_code == 409
    assert history.standing("anna", "essay").points == 0.5  # type: ignore[union-attr]


def test_keeping_the_points_of_the_judge_is_refused_after_somebody_elses_decision(results: Any) -> None:
    made = client(results)
    path = f"/keep/double/{results.code('anna', 'double')}"
    form = {"forgery": forgery(made), "version": "0", "comment": "a look"}
    history = Decisions(results.store, "tiny")
    history.decide([Wish("anna", "double", 1.0, reason="copied")], "ben")
    answer = made.post(path, data=form)
    assert answer.status_code == 409
    assert "ben has decided meanwhile" in answer.text
    assert history.standing("anna", "double").points == 1.0  # type: ignore[union-attr]
    assert made.post(path, data={**form, "version": "1"}).status_code == 303
    standing = history.standing("anna", "double")
    assert (standing.points, standing.comment) == (2.0, "a look")  # type: ignore[union-attr]


def test_an_override_without_a_reason_is_asked_for_one(results: Any) -> None:
    made = client(results)
    answer = decide(made, results, "anna", "double", points="3")
    assert answer.status_code == 400
    assert "say why they change" in answer.text
    assert decide(made, results, "anna", "double", points="3", reason="see the board").status_code == 303
    assert results.store.get_score("tiny", "anna").score.points == 3.0


def test_equal_and_similar_answers_are_one_group_and_decided_at_once(results: Any) -> None:
    made = client(results)
    text = made.get("/groups/essay").text
    assert '<span class="count">3</span>' in text
    code = results.code("anna", "essay")
    assert made.get(f"/groups/essay/{code}").status_code == 200
    form = {"forgery": forgery(made), "points": "2", "comment": "Right."}
    members = [f"{results.code(name, 'essay')}:0" for name in ("anna", "bert", "dora")]
    assert made.post(f"/groups/essay/{code}", data={**form, "member": members}).status_code == 303
    scores = results.store.get_scores("tiny")
    assert [scores[name].questions[1].points for name in ("anna", "bert", "dora", "carl")] == [
        2.0,
        2.0,
        2.0,
        None,
    ]
    undo = {"forgery": form["forgery"]}
    assert made.post(f"/undo/essay/{code}", data=undo).status_code == 303
    assert results.store.get_scores("tiny")["dora"].questions[1].points is None


def test_shared_out_answers_come_to_their_people(results: Any) -> None:
    made = client(results)
    token = forgery(made)
    form = {"forgery": token, "person essay": ["ada", "ben"]}
    assert made.post("/people/share", data=form).status_code == 303
    shares = results.worklist.shares(results.sharing.people())
    assert sum(number for number, _ in shares.values()) == 6
    seen = set()
    code = made.get("/grade/essay").headers["location"].rpartition("/")[2]
    while code not in seen:
        seen.add(code)
        found = re.search(r'rel="next" href="[^"]*/(\w+)"', made.get(f"/grade/essay/{code}").text)
        code = found[1] if found else code
    assert len(seen) <= shares["ada"][0]


def test_who_shares_out_changes_only_what_they_changed(results: Any) -> None:
    made = client(results)
    form = {
        "forgery": forgery(made),
        "anonymous double": "1",
        "persons before double": "",
        "person essay": "ada",
    }
    results.sharing.share("double", ["cleo"], "cleo")  # while the form was open
    assert made.post("/people/share", data={**form, "persons before essay": "ada"}).status_code == 303
    assert results.sharing.people() == {"double": ["cleo"]}
    assert results.sharing.anonymous() == {"double"}
    form |= {"anonymous before double": "1", "persons before double": "cleo", "persons before essay": ""}
    assert made.post("/people/share", data=form).status_code == 303
    assert results.sharing.people() == {"essay": ["ada"]}


class StartedJobs(Jobs):
    """Jobs that remember what was started, and start nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[tuple[str, list[str]]] = []

    def start(self, command: str, arguments: Sequence[str], title: str, total: int) -> bool:
        self.started.append((command, list(arguments)))
        return True


def test_comparing_again_is_comparing_with_the_same_years(results: Any) -> None:
    results.jobs = StartedJobs()
    made = client(results)
    form = {"forgery": forgery(made)}
    assert made.post("/similar", data=form).status_code == 303
    results.similar.replace(alike(), ["/old/2024.zip", "/old/2025"], "ada")
    assert made.post("/similar", data=form).status_code == 303
    assert results.jobs.started == [
        ("similar", []),
        ("similar", ["--with", "/old/2024.zip", "--with", "/old/2025"]),
    ]
    assert "Compared with 2024.zip, 2025 too" in made.get("/similar").text
    (key, *_) = [each.key for each in results.similar.all()]
    assert made.post(f"/similar/{key}", data={**form, "looked": "guilty"}).status_code == 409
    results.similar.replace([], [], "ada")
    assert made.get(f"/similar/{key}").status_code == 404


def test_results_without_a_rubric_have_their_pages(results: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results.store, "get_rubric", lambda assignment: "")
    made = client(results)
    assert made.get(f"/students/{results.code('anna')}").status_code == 200
    assert made.post("/publish", data={"forgery": forgery(made)}).status_code == 409


def test_unknown_pages_answers_and_versions_are_not_found(results: Any) -> None:
    made = client(results)
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
    assert made.post(f"/restore/essay/{results.code('anna', 'essay')}", data=restore).status_code == 409


def test_hostile_words_of_people_are_shown_as_words(results: Any, store: Store) -> None:
    made = client(results)
    words = "<script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror=alert(1)>"
    results.palette.add("essay", words, 0.0, "ben")
    decide(made, results, "anna", points="1", comment=words)
    Accounts(store).add("<b>ben</b>", Role.TA, PASSWORD)
    for path in (
        f"/grade/essay/{results.code('anna', 'essay')}",
        "/comments",
        "/history",
        "/people",
        f"/students/{results.code('anna')}",
    ):
        text = made.get(path).text
        assert "<script>alert" not in text
        assert "<img" not in text
        assert 'href="javascript' not in text
        assert "<b>ben" not in text


def test_the_history_and_the_live_state_follow_a_decision(results: Any) -> None:
    made = client(results)
    before = made.get("/live").json()["stamp"]
    decide(made, results, "anna", points="1")
    assert made.get("/live").json()["stamp"] != before
    assert "anna" in made.get("/history").text
    assert "anna" not in made.get("/history?person=ben").text


def test_a_file_beside_a_notebook_is_saved_and_never_shown(results: Any, tmp_path: Path) -> None:
    for name in ("anna", "bert"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "hw.ipynb").write_text("{}")
    (tmp_path / "anna" / 'Bew"eis ü.html').write_text("<script>1</script>")
    scores = list(results.store.get_scores("tiny").values())
    results.store.put_scores(
        "tiny", scores, "course", {n: str(tmp_path / n / "hw.ipynb") for n in ("anna", "bert")}
    )
    made = client(results)
    shown = made.get(f"/grade/essay/{results.code('anna', 'essay')}").text
    (address,) = re.findall(r'href="(/file/[^"]+)"', shown)
    answer = made.get(address)
    assert answer.text == "<script>1</script>"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert "sandbox" in answer.headers["content-security-policy"]
    for name in ("../bert/hw.ipynb", "hw.ipynb", "", str(tmp_path / "bert" / "hw.ipynb")):
        assert made.get(f"/file/{results.code('anna')}", params={"name": name}).status_code == 404
    results.sharing.hide_names("essay", "ada", hidden=True)
    assert "/file/" not in made.get(f"/grade/essay/{results.code('anna', 'essay')}").text


def test_two_students_of_one_name_are_told_apart_where_names_are_shown(results: Any, store: Store) -> None:
    made = client(results)
    for name in ("anna", "bert"):
        attempt = Attempt((Student("Jo Doe", id=name),))
        store.put_scores("tiny", [score(name, directory=name, attempt=attempt)], "course")
    listed = made.get("/todo").text
    assert all(f'Jo Doe</a> <span class="soft small">{name}</span>' in listed for name in ("anna", "bert"))
    Sharing(store, "tiny").hide_names("essay", "ada", hidden=True)
    assert "Jo Doe" not in made.get("/todo?question=essay").text


def test_lists_name_questions_by_their_titles(results: Any) -> None:
    made = client(results)
    decide(made, results, "anna", points="1")
    for path in ("/history", f"/students/{results.code('anna')}"):
        text = made.get(path).text
        assert re.search(r"<(td|i)>Essay</", text)
        assert not re.search(r"<(td|i)>essay</", text)


def test_hand_ins_that_do_not_count_are_in_no_queue_and_the_list_has_the_points_of_the_gradebook(
    results: Any, store: Store
) -> None:
    made = client(results)
    jo = Student("Jo", "s1")
    course = rubric().model_copy(update={"late": Late(loss=0.5)})
    store.put_rubric("tiny", course.model_dump_json(by_alias=True))
    first, last = Attempt((jo,), counts=False), Attempt((jo,), late_seconds=3600.0)
    store.put_scores("tiny", [score("first", attempt=first), score("last", attempt=last)], "course")
    absent = Attempt((Student("Abe"),))
    nothing = score_nothing("abe", course, Status.NOT_HANDED_IN, "nothing was handed in")
    store.put_scores("tiny", [replace(nothing, attempt=absent)], "course")
    page = made.get(f"/grade/essay/{results.code('last', 'essay')}").text
    assert re.search(r"\d of 7 · <b class=\"left\">7</b> left", page)
    alone = made.get(f"/grade/essay/{results.code('first', 'essay')}")
    assert alone.status_code == 200, "it can be looked at all the same"
    rows = {row.submission: total for row, total in listed(results)}
    book = {row.score.submission: row.total for row in load_book(store, "tiny", results.out).rows}
    assert {name: (total.points, total.max_points) for name, total in rows.items() if name != "first"} == {
        name: (total.points, total.max_points) for name, total in book.items()
    }
    assert rows["last"].points == 1.0
    shown = made.get("/students").text
    assert shown.count("another hand-in counts") == 1
    assert "1 h late" in shown


def test_there_is_a_button_for_the_least_and_the_most_that_anybody_may_give(
    results: Any, store: Store
) -> None:
    double = replace(score().questions[0], least=-1.0, most=4.0)
    store.put_scores("tiny", [score("anna", questions=(double, score().questions[1]))], "course")
    text = client(results).get(f"/grade/double/{results.code('anna', 'double')}").text
    assert 'data-least="-1.0" data-full="3.0" data-most="4.0"' in text
    buttons = [float(each) for each in re.findall(r'<button type="button" data-points="([^"]+)"', text)]
    assert (buttons[0], buttons[-1]) == (-1.0, 4.0)
    assert {0.0, 3.0} < set(buttons)
