"""A question that is graded without names: no page puts a name beside an answer, its points or its place."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytest.importorskip("starlette", reason="grader[serve] is not installed")
from starlette.testclient import TestClient
from support import score
from support_web import PASSWORD, client, forgery

from grader.manual.decisions import Decisions, Wish


@pytest.fixture
def nameless(people: Any) -> tuple[Any, TestClient]:
    """The results, in which the names of the essays are hidden, and a client of a TA."""
    people.sharing.hide_names("essay", "cleo", hidden=True)
    made = client(people, enter=False)
    assert made.post("/login", data={"name": "ben", "password": PASSWORD}).status_code == 303
    return people, made


def test_a_question_without_names_shows_none(nameless: tuple[Any, TestClient]) -> None:
    results, made = nameless
    code = results.code("anna", "essay")
    for path in (f"/grade/essay/{code}", "/groups/essay", f"/groups/essay/{code}", "/todo?question=essay"):
        text = made.get(path).text
        assert "anna" not in re.sub(r"name=", "", text), path
    assert "/notebook/" not in made.get(f"/grade/essay/{code}").text
    assert "anna" in made.get(f"/grade/double/{results.code('anna', 'double')}").text


def test_the_code_of_an_answer_leads_to_no_page_with_a_name(nameless: tuple[Any, TestClient]) -> None:
    results, made = nameless
    code = results.code("anna", "essay")
    assert made.get(f"/answer/essay/{code}").status_code == 200
    for path in (
        "/students/",
        "/notebook/",
        "/file/",
        "/grade/double/",
        "/answer/double/",
        "/groups/double/",
    ):
        assert made.get(f"{path}{code}").status_code == 404, path
    for path in ("/students", f"/students/{results.code('anna')}", "/history", "/todo?question=double"):
        assert code not in made.get(path).text, path


def test_no_points_of_it_stand_beside_a_name_for_a_ta(nameless: tuple[Any, TestClient]) -> None:
    results, made = nameless
    Decisions(results.store, "tiny").decide([Wish("anna", "essay", 1.75, "Well said.")], "cleo")
    student = made.get(f"/students/{results.code('anna')}").text
    assert not re.search(r"1\.75|3\.75|cleo", student)
    assert not re.search(r"1\.75|3\.75", made.get("/students").text)
    history = made.get("/history").text
    assert "1.75" in history
    assert "anna" not in history
    made.post("/login", data={"name": "cleo", "password": PASSWORD})
    assert "3.75" in made.get(f"/students/{results.code('anna')}").text


def test_the_order_of_a_list_does_not_tell_the_names(nameless: tuple[Any, TestClient]) -> None:
    results, made = nameless
    names = [f"student {number:02}" for number in range(20)]
    results.store.put_scores("tiny", [score(name) for name in names], "course")
    text = made.get("/todo?question=essay").text
    shown = re.findall(r"/grade/essay/(\w+)", text)
    assert shown == sorted(shown)
    assert set(shown) > {results.code(name, "essay") for name in names}


def test_no_error_tells_a_name(nameless: tuple[Any, TestClient]) -> None:
    results, made = nameless
    Decisions(results.store, "tiny").decide([Wish("anna", "essay", 1.0)], "cleo")
    code = results.code("anna", "essay")
    form = {"forgery": forgery(made), "points": "2", "member": f"{code}:0"}
    for path, more in ((f"/groups/essay/{code}", {}), (f"/restore/essay/{code}", {"version": "9"})):
        answer = made.post(path, data={**form, **more})
        assert answer.status_code == 409
        assert "anna" not in answer.text
        assert f"Answer {code[:4]}" in answer.text
