"""A day of grading in a real browser: fast typing, new comments, hand-ins without a notebook, two people."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import expect
from support import rubric, score

from grader.batch.given_answers import _digest
from grader.course.score import score_nothing
from grader.given_answer import GivenAnswer
from grader.records import Status
from grader.web.jobs import JobState

Open = Callable[..., Any]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@pytest.fixture
def unread(results: Any) -> Any:
    """The results with a hand-in without a notebook, and one that cannot be read."""
    for name, status in (("nora", Status.NO_NOTEBOOK), ("ulf", Status.UNREADABLE)):
        made = score_nothing(name, rubric(), status, "there is no notebook")
        results.store.put_scores("tiny", [made], "course", {name: f"/in/{name}"})
    return results


@pytest.mark.parametrize("path", ["grade", "groups"])
def test_a_new_comment_joins_the_list_and_what_was_typed_stays(results: Any, opened: Open, path: str) -> None:
    results.palette.add("essay", "Right.", 0.0, "ben")
    page = opened(f"{path}/essay/{results.code('anna', 'essay')}")
    page.keyboard.press("2")
    page.keyboard.press("q")
    page.fill("[name=comment]", "half typed")
    page.press("[name=comment]", "Escape")
    page.keyboard.press("+")
    page.fill("[name=text]", "No *proof*.")
    page.fill("[name=comment_points]", "-0.5")
    page.press("[name=comment_points]", "Control+Enter")
    expect(page.locator(".comment")).to_have_count(2)
    expect(page.locator("#new-comment")).to_be_hidden()
    assert results.decisions.history() == [], "what stands behind the dialog is not saved"
    assert page.locator("[name=points]").input_value() == "2"
    assert page.locator("[name=comment]").input_value() == "half typed"
    assert page.locator(".comment input").first.is_checked()
    page.keyboard.press("w")
    assert page.locator("[name=points]").input_value() == "1.5"


def test_a_comment_that_is_refused_says_why_in_its_dialog(results: Any, opened: Open) -> None:
    page = opened(f"grade/essay/{results.code('anna', 'essay')}")
    page.keyboard.press("+")
    page.fill("[name=text]", "words")
    page.fill("[name=comment_points]", "many")
    page.click("#new-comment button.main")
    expect(page.locator("#new-comment .refused")).to_contain_text("'many' is no number of points")
    page.fill("[name=comment_points]", "-1")
    page.click("#new-comment button.main")
    expect(page.locator(".comment")).to_have_count(1)


def test_a_form_is_sent_once_however_fast_the_keys_come(results: Any, opened: Open) -> None:
    page = opened("grade/essay")
    sent = page.evaluate(
        """() => {
            const sent = [];
            addEventListener("submit", (event) => {
                if (!event.defaultPrevented) sent.push(event.target.elements.points.value);
                event.preventDefault();
            });
            for (const key of ["2", "Enter", "1", "Enter", "f", "Enter"])
                document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
            document.querySelector("[name=stay]").click();
            return sent;
        }"""
    )
    assert sent == ["2"]


def test_who_stays_on_a_page_with_words_may_send_again(results: Any, opened: Open) -> None:
    page = opened(f"grade/essay/{results.code('anna', 'essay')}")
    page.keyboard.press("1")
    with page.expect_navigation():
        page.keyboard.press("Shift+Enter")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.fill("[name=comment]", "half typed")
    page.press("[name=comment]", "Escape")
    page.keyboard.press("u")
    page.wait_for_timeout(100)
    with page.expect_navigation():
        page.click("[name=stay]")
    standing = results.decisions.standing("anna", "essay")
    assert (standing.points, standing.comment) == (1.0, "half typed")


@pytest.mark.parametrize("name", ["nora", "ulf"])
def test_a_hand_in_without_a_notebook_has_no_frame_and_one_button_for_all(
    unread: Any, opened: Open, name: str
) -> None:
    page = opened(f"grade/essay/{unread.code(name, 'essay')}")
    assert page.locator("iframe").count() == 0
    assert "Nothing of this hand-in can be shown here" in page.locator("main").inner_text()
    assert page.locator("text=Notebook as it ran").count() == 0
    with page.expect_navigation():
        page.click("text=0 points for its question that waits")
    given = unread.store.get_score("tiny", name).score.questions[1]
    assert (given.points, given.decided.reason) == (0.0, "no notebook that can be read was handed in")
    with page.expect_navigation():
        page.keyboard.press("u")
    assert unread.store.get_score("tiny", name).score.questions[1].points is None
    page.goto(f"/groups/essay/{unread.code(name, 'essay')}")
    for frame in page.locator("iframe").all():
        assert frame.content_frame.locator("body").inner_text() != ""


def test_the_answer_is_shown_as_it_was_typed(results: Any, opened: Open) -> None:
    text = r"An unclosed $\frac{a}{b and I could not finish $$ \sum_i <b>"
    own = [GivenAnswer("essay", text, "<p>garbled</p>", "", _digest(text))]
    results.store.put_answers("tiny", "anna", own)
    page = opened(f"grade/essay/{results.code('anna', 'essay')}")
    body = page.frame_locator("iframe").locator("body")
    expect(body).to_have_text("garbled")
    page.keyboard.press("m")
    expect(body).to_have_text(text)
    body.click()
    page.keyboard.press("m")
    expect(body).to_have_text("garbled")


def test_two_people_are_led_to_different_answers_and_told_of_each_other(people: Any, opened: Open) -> None:
    ben = opened("grade/essay", person="ben")
    cleo = opened("grade/essay", person="cleo")
    assert ben.url != cleo.url
    cleo.goto(ben.url)
    assert "ben is on this answer." in cleo.locator("main").inner_text()
    ben.reload()
    ben.keyboard.press("2")
    with ben.expect_navigation():
        ben.keyboard.press("Enter")
    cleo.reload()
    assert "is on this answer" not in cleo.locator("main").inner_text()


def test_a_group_is_confirmed_and_taken_back_by_a_key(results: Any, opened: Open) -> None:
    page = opened(f"groups/essay/{results.code('anna', 'essay')}")
    page.keyboard.press("2")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator(".notice")).to_contain_text("Saved for 3 answers: 2 points.")
    with page.expect_navigation():
        page.keyboard.press("u")
    assert page.url.endswith("/groups/essay")
    assert results.decisions.standing("bert", "essay").is_empty
    assert page.locator(".group").first.locator(".pill").inner_text() == "3 wait"


def test_an_override_leads_to_the_next_student(results: Any, opened: Open) -> None:
    results.store.put_scores("tiny", [score("bert", directory="bert")], "course", {"bert": "/in/bert.ipynb"})
    results.store.drop_scores("tiny", ["frieda"])
    page = opened(f"grade/double/{results.code('anna', 'double')}")
    assert "Nothing of this question waits: the judge decided." in page.locator("p.done").inner_text()
    page.keyboard.press("3")
    page.fill("[name=reason]", "ours")
    with page.expect_navigation():
        page.press("[name=reason]", "Control+Enter")
    assert page.url.endswith(results.code("bert", "double"))


def test_the_only_hit_of_a_search_is_opened_by_enter(results: Any, opened: Open) -> None:
    page = opened("students")
    page.keyboard.press("/")
    page.keyboard.type("a")
    page.keyboard.press("Enter")
    assert page.url.endswith("/students"), "several are found"
    page.keyboard.type("nna")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator("h1").inner_text() == "anna"


def test_code_is_cut_off_nowhere(results: Any, opened: Open) -> None:
    lines = [
        "def double(x):",
        "    sq = sq + (float(Y[i][c]) - float(Y[j][c])) ** 2" + " # and" * 9,
        "x" * 300,
    ]
    code = f'<div class="cell code"><pre>{html.escape(chr(10).join(lines))}</pre></div>'
    results.store.put_answers("tiny", "anna", [GivenAnswer("double", "", code, "", _digest(code))])
    for width in (1400, 390):
        page = opened(
            f"grade/double/{results.code('anna', 'double')}", viewport={"width": width, "height": 900}
        )
        pre = page.frame_locator("iframe").locator("pre")
        assert pre.evaluate("each => each.scrollWidth - each.clientWidth") <= 0
        if width == 1400:
            box = page.locator("iframe").bounding_box()
            assert box["width"] > 800, "the code has the room that there is"


def test_what_became_of_a_job_can_be_closed(results: Any, opened: Open) -> None:
    page, other = opened(), opened()
    results.jobs._state = JobState("Comparing everybody's functions and answers", ("done " * 30,), 3, 3, 0, 1)
    page.reload()
    with page.expect_navigation():
        page.click(".job button")
    assert page.locator(".job").count() == 0
    other.reload()
    assert other.locator(".job").count() == 1, "it is hidden where it was closed"
    results.jobs._state = replace(results.jobs.state(), number=2)
    page.reload()
    assert page.locator(".job").count() == 1


def test_a_phone_shows_what_is_left(results: Any, opened: Open) -> None:
    page = opened(f"grade/essay/{results.code('anna', 'essay')}", **PHONE)
    assert page.locator(".bar .left").is_visible()


@pytest.mark.parametrize("path", ["grade", "groups"])
def test_the_task_and_the_courses_answer_are_folded_beside_the_answer(
    results: Any, opened: Open, path: str
) -> None:
    cells = {
        part: [
            {"type": "markdown", "source": f"The {part}: $k$ <img src=x onerror=alert(1)>", "attachments": {}}
        ]
        for part in ("task", "answer")
    }
    results.store.put_sheet("tiny", json.dumps({"essay": cells}))
    page = opened(f"{path}/essay/{results.code('anna', 'essay')}", hostile=True)
    for place, words in enumerate(("The task", "The answer")):
        details = page.locator("details.rest").nth(place)
        frame = details.locator("iframe")
        expect(frame).to_be_hidden()
        details.locator("summary").click()
        expect(frame).to_be_visible()
        body = frame.content_frame.locator("body")
        assert words in body.inner_text()
        assert body.locator("math").count() == 1
        assert body.locator("img").count() == 0
    page.goto(f"/grade/double/{results.code('anna', 'double')}")
    assert page.locator("details.rest").count() == 0
