"""The page Course: what is published while answers wait, and how questions are shared out."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

pytest.importorskip("starlette", reason="grader[serve] is not installed")
from support import rubric, score
from support_web import client, forgery

from grader.batch.write_pages import write_pages
from grader.manual.decisions import Wish

ROW = r'<b>(Essay|Doubling) <span class="soft small">([^<]*)<'


def test_publishing_says_what_still_waits(results: Any) -> None:
    made = client(results)
    results.store.drop_scores("tiny", ["frieda"])
    shown = made.get("/people").text
    assert "6 answers of 5 hand-ins still wait" in shown
    assert ">Publish</button>" in shown
    told = made.post("/publish", data={"forgery": forgery(made)}).text
    assert "6 answers still wait for a person" in told
    for name in ("anna", "bert", "carl", "dora", "=emil"):
        results.store.put_scores("tiny", [score(name)], "course")
        results.decisions.decide([Wish(name, "essay", 1.0)], "ada")
    shown = made.get("/people").text
    assert "Nothing waits for a person." in shown
    assert "still wait" not in shown + made.post("/publish", data={"forgery": forgery(made)}).text


def test_questions_for_people_come_first_with_counts(results: Any) -> None:
    rows = re.findall(ROW, client(results).get("/people").text)
    assert [title for title, _ in rows] == ["Essay", "Doubling"], "both wait: the written one first"
    results.store.drop_scores("tiny", ["frieda", "bert"])
    results.decisions.decide([Wish("anna", "essay", 1.0)], "ada")
    shown = client(results).get("/people").text
    rows = re.findall(ROW, shown)
    assert rows == [("Essay", "3 wait, 1 decided"), ("Doubling", "0 wait, 0 decided")]
    assert shown.index("<b>Essay") < shown.index("Judged without a person (1)") < shown.index("<b>Doubling")


def test_one_button_shares_out_everything_that_is_for_people(people: Any) -> None:
    people.store.drop_scores("tiny", ["frieda", "bert"])
    made = client(people, enter=False)
    made.post("/login", data={"name": "cleo", "password": "correct horse battery"})
    form = {"forgery": forgery(made)}
    assert made.post("/people/everything", data=form).status_code == 409
    assert made.post("/people/everything", data={**form, "person": ["ben", "cleo"]}).status_code == 303
    assert people.sharing.people() == {"essay": ["ben", "cleo"]}
    shown = made.get("/people").text
    assert "Shared out among ben, cleo." in shown
    shares = people.worklist.shares(people.sharing.people())
    for name, (number, left) in shares.items():
        assert f"{name}: {number}, of which {left} wait" in shown


def test_a_form_that_was_sent_twice_is_no_conflict_with_oneself(results: Any) -> None:
    made = client(results)
    path = f"/grade/essay/{results.code('anna', 'essay')}"
    form = {"forgery": forgery(made), "version": "0", "points": "1", "comment": "so"}
    assert [made.post(path, data=form).status_code for _ in range(2)] == [303, 303]
    assert len(results.decisions.history()) == 1
    assert made.post(path, data={**form, "points": "2"}).status_code == 409


def test_students_are_listed_with_the_number_of_questions_that_wait(results: Any) -> None:
    shown = client(results).get("/students").text
    waits = dict(re.findall(r">(\w+)</a>.*?(\d+ questions?)<span", shown))
    assert waits["anna"] == "1 question"
    assert waits["bert"] == "2 questions"


def test_the_courses_answer_is_for_the_staff_alone(results: Any) -> None:
    secret = "because of the rank"
    cell = {"type": "markdown", "source": secret, "attachments": {}}
    results.store.put_sheet("tiny", json.dumps({"essay": {"task": [cell], "answer": [cell]}}))
    assert secret in client(results).get("/task/essay?answer=1").text
    assert client(results).get("/task/double").status_code == 404
    assert client(results, enter=False).get("/task/essay?answer=1").status_code == 303
    (results.out / "anna").mkdir()
    write_pages(results.out, results.store, rubric())
    written = [path for path in results.out.rglob("*") if path.is_file() and path.suffix != ".db"]
    assert results.out / "anna" / "feedback.html" in written
    assert not any(secret in path.read_text(errors="replace") for path in written if ".db" not in path.name)
