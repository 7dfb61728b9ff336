"""Grading in a real browser: by keyboard alone, two people at once, on a phone, in the dark, by axe."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from support import not_graded, score
from support_manual import alike, answers, fill

from grader.batch.given_answers import _digest
from grader.given_answer import GivenAnswer
from grader.handler.safe_html import cells_html
from grader.manual.decisions import Decisions
from grader.records import Status

Open = Callable[..., Any]
NAMES = [f"student {number:02}" for number in range(30)]
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}


def pages(results: Any) -> list[str]:
    code, essay, double = (results.code("anna", question) for question in ("", "essay", "double"))
    return [
        "", "todo", "students", f"students/{code}", f"grade/essay/{essay}", f"grade/double/{double}",
        f"grade/double/{results.code('bert', 'double')}", "groups/essay", f"groups/essay/{essay}", "groups/double",
        f"groups/double/{double}", "comments", "history", "people", "similar",
        *(f"similar/{each.key}" for each in results.similar.all()), "nothing",
    ]  # fmt: skip


@pytest.fixture
def busy(results: Any) -> Any:
    """The results with comments, decisions, a group and a share, so that no page is empty."""
    from grader.manual.decisions import Wish

    number = results.palette.add("essay", "Why is the rank at most $k$?", -0.5, "ben").number
    results.palette.add("essay", "Right.", 0.0, "ben")
    results.decisions.decide([Wish("carl", "essay", 0.5, "Ask *me*: $E = 0$", (number,))], "ben")
    results.decisions.decide([Wish("anna", "double", 3.0, reason="see the board")], "cleo")
    results.sharing.share("essay", ["ada", "ben"], "ada")
    results.similar.replace(alike(), [], "ada")
    return results


def test_thirty_answers_are_graded_by_keyboard_alone(results: Any, opened: Open) -> None:
    fill(results.store, {name: f"The answer of {name}." for name in NAMES})
    results.store.drop_scores("tiny", ["frieda", "anna", "bert", "carl", "dora", "=emil"])
    page = opened("grade/essay")
    for number in range(len(NAMES)):
        assert page.locator("h1").inner_text() == NAMES[number]
        assert NAMES[number] in page.frame_locator("iframe").locator("body").inner_text()
        for key in ("1", ".", "5") if number % 2 else ("2",):
            page.keyboard.press(key)
        if number < len(NAMES) - 1:
            with page.expect_navigation():
                page.keyboard.press("Enter")
        else:
            page.keyboard.press("Enter")
            page.wait_for_selector(".done")
    given = {name: results.store.get_scores("tiny")[name].questions[1].points for name in NAMES}
    assert given == {name: 1.5 if number % 2 else 2.0 for number, name in enumerate(NAMES)}


def test_keys_move_write_undo_and_choose_comments(busy: Any, opened: Open) -> None:
    busy.sharing.share("essay", [], "ada")
    page = opened(f"grade/essay/{busy.code('anna', 'essay')}")
    page.keyboard.press("n")
    page.wait_for_url(f"**/{busy.code('bert', 'essay')}")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**/{busy.code('anna', 'essay')}")
    page.keyboard.press("q")
    assert page.locator("[name=points]").input_value() == "1.5"
    page.keyboard.press("q")
    assert page.locator("[name=points]").input_value() == "2"
    page.keyboard.press("w")
    page.keyboard.press("c")
    page.keyboard.type("Nice: $x^2$, q n 1")
    page.wait_for_selector(".preview math")
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    page.keyboard.press("0")
    page.keyboard.press("Backspace")
    page.keyboard.press("9")
    page.keyboard.press("1")
    with page.expect_navigation():
        page.keyboard.press("Shift+Enter")
    assert page.url.endswith(busy.code("anna", "essay"))
    standing = busy.decisions.standing("anna", "essay")
    assert (standing.points, standing.comment, standing.comments) == (1.0, "Nice: $x^2$, q n 1", (2,))
    with page.expect_navigation():
        page.keyboard.press("u")
    assert busy.decisions.standing("anna", "essay").is_empty
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("+")
    page.fill("#new-comment [name=text]", "No $proof$.")
    page.fill("[name=comment_points]", "-1")
    page.click("#new-comment button.main")
    expect(page.locator(".comment")).to_have_count(3)


def test_keys_give_a_bonus_and_take_points_as_far_as_the_rubric_lets(results: Any, opened: Open) -> None:
    double = replace(score().questions[0], least=-1.0, most=4.0)
    results.store.put_scores("tiny", [score("anna", questions=(double, score().questions[1]))], "course")
    results.palette.add("double", "Beautiful", 1.5, "ada")
    page = opened(f"grade/double/{results.code('anna', 'double')}")
    points = page.locator("[name=points]")
    for keys, value in (("f", "3"), ("fq", "4"), ("-1", "-1"), ("4", "4")):
        for key in keys:
            page.keyboard.press(key)
        assert points.input_value() == value
        page.keyboard.press("Backspace")


def test_two_people_at_once_lose_neither_words(people: Any, opened: Open) -> None:
    where = f"grade/essay/{people.code('anna', 'essay')}"
    ben, cleo = (opened(where, person=name) for name in ("ben", "cleo"))
    for page, points, words in ((ben, "1", "of ben"), (cleo, "2", "of cleo")):
        page.keyboard.press(points)
        page.fill("[name=comment]", words)
    with ben.expect_navigation():
        ben.keyboard.press("Control+Enter")
    with cleo.expect_navigation():
        cleo.keyboard.press("Control+Enter")
    assert "ben has decided meanwhile" in cleo.locator(".problem").inner_text()
    assert "of ben" in cleo.locator(".problem").inner_text()
    assert cleo.locator("[name=comment]").input_value() == "of cleo"
    assert people.decisions.standing("anna", "essay").person == "ben"
    with cleo.expect_navigation():
        cleo.click("[name=stay]")
    history = Decisions(people.store, "tiny").history("anna", "essay")
    assert [(each.person, each.points, each.comment) for each in history] == [
        ("cleo", 2.0, "of cleo"),
        ("ben", 1.0, "of ben"),
    ]
    cleo.locator("details.past form button").first.click()
    cleo.wait_for_load_state()
    assert people.decisions.standing("anna", "essay").comment == "of ben"


def test_the_judge_is_overridden_with_a_reason(results: Any, opened: Open) -> None:
    page = opened(f"grade/double/{results.code('anna', 'double')}")
    assert "its input stays" in page.locator(".check").nth(1).inner_text().lower()
    assert "def double" in page.frame_locator("iframe").locator("pre").inner_text()
    page.keyboard.press("3")
    with page.expect_navigation():
        page.keyboard.press("Shift+Enter")
    assert "say why" in page.locator(".problem").inner_text().lower()
    page.keyboard.press("r")
    page.keyboard.type("A typing error of ours")
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")
    assert results.store.get_score("tiny", "anna").score.points == 3.0
    page.goto("/history")
    assert "override" in page.locator("main").inner_text()


def test_the_overview_follows_a_batch_that_runs(results: Any, opened: Open) -> None:
    waiting = [replace(not_graded(f"late {number}"), tier="") for number in range(3)]
    results.store.put_scores("tiny", waiting, "")
    page = opened()
    assert "3 wait for the run" in page.locator(".tile.running").inner_text().replace("\n", " ")
    results.store.put_scores("tiny", [score(each.submission) for each in waiting], "course")
    page.wait_for_selector(".tile.running", state="detached", timeout=20_000)
    assert page.locator("a.tile").first.locator("b").inner_text() == "11"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["wide", "phone"])
def test_no_page_is_wider_than_the_screen_and_axe_finds_nothing(
    busy: Any, opened: Open, size: str, scheme: str
) -> None:
    axe = Axe()
    options = PHONE if size == "phone" else {"viewport": {"width": 1440, "height": 900}}
    page = opened(color_scheme=scheme, bypass_csp=True, hostile=True, **options)
    for path in pages(busy):
        page.goto(f"/{path}")
        wide = page.evaluate("document.documentElement.scrollWidth") - options["viewport"]["width"]
        assert wide <= 0, f"/{path} is {wide} pixels too wide"
        found = axe.run(page).response["violations"]
        told = [(each["id"], [node["html"][:120] for node in each["nodes"]][:3]) for each in found]
        assert told == [], path
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 20, 26)"
        assert dark == (scheme == "dark")


def test_what_is_alike_is_looked_at_side_by_side_by_keyboard(busy: Any, opened: Open) -> None:
    page = opened("similar")
    assert page.locator("#rows tbody tr").count() == 2
    page.click("#rows a:text-is('Doubling')")
    page.wait_for_url("**/similar/*")
    first, second = page.locator(".source").all()
    assert "# <mine> & yours" in first.inner_text()
    assert "# no words of mine" not in second.locator("mark").all_inner_texts()
    assert second.locator("mark").first.inner_text() == "result = [0.0] * len(x)"
    key = page.url.rpartition("/")[2]
    with page.expect_navigation():
        page.keyboard.press("a")
    found = {each.key: (each.looked.value, each.person) for each in busy.similar.all()}
    assert found.pop(key) == ("ask", "ada")
    assert list(found.values()) == [("", "")]
    with page.expect_navigation():
        page.keyboard.press("y")
    assert page.url.endswith("/similar")
    assert "0 of 2 not looked at" in page.locator("main").inner_text()


HOSTILE = (
    "<script>MARK</script>",
    "<img src=x onerror=MARK>",
    "<svg onload=MARK><script>MARK</script></svg>",
    "<iframe srcdoc='<script>MARK</script>'></iframe>",
    "<a href='javascript:MARK' id=click>x</a>",
    "<body onload=MARK><style>*{background:url(https://example.org/s)}</style>",
    "<link rel=stylesheet href=https://example.org/a.css><img src=https://example.org/b.png>",
    "<meta http-equiv=refresh content='0;url=https://example.org/'>",
    "<form action=https://example.org/><button id=click>x</button></form>",
    "<object data=https://example.org/x></object><embed src=https://example.org/y>",
    "<math><mtext><script>MARK</script></mtext></math>",
    "</iframe></body></html><script>MARK</script>",
    "<base href=https://example.org/><img src=pixel.png>",
    "<a href=https://example.org/ target=_top id=click>x</a>",
    "<details open ontoggle=MARK><summary>x</summary></details>",
    "<video src=https://example.org/v autoplay onerror=MARK></video>",
)
MARK = "parent.document.title='taken';top.taken=1;fetch('https://example.org/f')"


def written(kind: str, html: str) -> str:
    """Return what a handler makes of hostile text, or, to try the frame's own walls, that text itself."""
    source = html.replace("MARK", MARK)
    if kind == "raw":
        return source
    output = {"output_type": "display_data", "data": {"text/html": source}, "metadata": {}}
    cells = [
        {"cell_type": "markdown", "source": source, "metadata": {}},
        {"cell_type": "code", "source": f"x = {source!r}", "outputs": [output], "metadata": {}},
    ]
    return cells_html(cells)


@pytest.mark.parametrize("kind", ["sanitized", "raw"])
def test_no_script_of_a_student_runs_and_nothing_is_asked_of_another_host(
    results: Any, opened: Open, kind: str
) -> None:
    page = opened(hostile=True)
    for number, html in enumerate(HOSTILE):
        shown = written(kind, html)
        own = [GivenAnswer(q, html, shown, str(number), _digest(shown)) for q in ("", "essay")]
        results.store.put_answers("tiny", "anna", own)
        page.goto(f"/grade/essay/{results.code('anna', 'essay')}")
        frame = page.frames[1]
        for element in frame.locator("#click").all():
            element.click(force=True, timeout=2000)
        page.wait_for_timeout(150)
        assert "taken" not in page.title(), html
        assert page.evaluate("window.taken === undefined"), html
        assert re.search("/grade/essay/", page.url), html


def test_a_hostile_name_and_finding_are_shown_as_words(results: Any, opened: Open) -> None:
    name = "<img src=x onerror=alert(1)>"
    hostile = score(name, message="<script>alert(2)</script>", status=Status.UNREADABLE)
    results.store.put_scores("tiny", [hostile], "course")
    results.store.put_answers("tiny", name, answers(name, "words"))
    page = opened("students")
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.click(f"text={name}")
    assert page.locator("h1").inner_text() == name
    assert "alert(2)" in page.locator("main").inner_text()
