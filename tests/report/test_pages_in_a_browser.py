"""The pages in a real browser: nothing to mend for axe, nothing beyond the edge of a phone, a script that works."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from support import not_graded, rubric, run, score

from grader.attempt import Attempt, Student
from grader.records import CodeShown, Score
from grader.report.pages import course_page, feedback_page

SIZES = {"wide": (1280, 900), "phone": (360, 740)}
LONG = "Annabelle-Konstantinopolitanerin von und zu Donaudampfschifffahrtsgesellschaft"


def made() -> list[Score]:
    names = ["Jörg Doe", LONG, "王伟", "Anna O'Neil"]
    scores = [
        replace(
            score(f"{name}_{n}_assignsubmission_file_/hw", float(n % 3)),
            attempt=Attempt((Student(name, f"s{n}"),), late_seconds=90_000.0 if n == 1 else 0.0),
            remarks=("Nobody of the roster is called so.",) if n == 2 else (),
        )
        for n, name in enumerate(names)
    ]
    return [*scores, not_graded("carl")]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    scores = made()
    links = {score.submission: f"{n}.html" for n, score in enumerate(scores)}
    (folder / "course.html").write_text(course_page(rubric(), scores, links, "made"), encoding="utf-8")
    code = CodeShown("def double(x):\n    return x + x  # " + "long " * 60, 3, 7)
    first = scores[1]
    with_code = replace(first, questions=tuple(replace(q, code=code) for q in first.questions))
    (folder / "feedback.html").write_text(feedback_page(rubric(), with_code, run(), "made"), encoding="utf-8")
    return folder


def opened(browser: Any, page: Path, size: str, scheme: str = "light", *, for_axe: bool = False) -> Any:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, bypass_csp=for_axe
    )
    found = context.new_page()
    found.goto(page.as_uri())
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["course", "feedback"])
def test_axe_finds_nothing_and_nothing_is_beyond_the_edge(
    browser: Any, pages: Path, name: str, size: str, scheme: str
) -> None:
    page = opened(browser, pages / f"{name}.html", size, scheme, for_axe=True)
    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("name", ["course", "feedback"])
def test_the_policy_of_a_page_stops_nothing_of_its_own(browser: Any, pages: Path, name: str) -> None:
    page = opened(browser, pages / "course.html", "wide")
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.goto((pages / f"{name}.html").as_uri())
    assert told == []


def shown(page: Any) -> list[str]:
    return [row.inner_text().splitlines()[0] for row in page.locator("#submissions tbody tr:visible").all()]


def test_students_are_searched_filtered_and_sorted(browser: Any, pages: Path) -> None:
    page = opened(browser, pages / "course.html", "wide")
    assert len(shown(page)) == 5
    page.fill("#search", "o'neil")
    assert len(shown(page)) == 1
    page.fill("#search", "")
    page.click("button.filter[data-filter=late]")
    assert [name.split(" s1")[0] for name in shown(page)] == [LONG]
    page.click('button.filter[data-filter=""]')
    page.click("#submissions button.sort:text-is('Points')")
    first = shown(page)[0]
    page.click("#submissions button.sort:text-is('Points')")
    assert shown(page)[-1] == first


def test_from_a_question_to_its_students(browser: Any, pages: Path) -> None:
    page = opened(browser, pages / "course.html", "wide")
    page.click("button.pick >> nth=1")
    cells = page.locator("#submissions tbody tr td:nth-child(3)").all_inner_texts()
    assert set(cells) == {"pending"}
    page.select_option("#question", "")
    assert "2 / 3" in [
        " ".join(text.split()) for text in page.locator("#submissions td:nth-child(3)").all_inner_texts()
    ]


def test_a_phone_shows_the_numbers_of_each_question(browser: Any, pages: Path) -> None:
    page = opened(browser, pages / "course.html", "phone")
    cells = page.locator("table.stack >> nth=0").locator("tbody tr >> nth=0").locator("td:visible")
    labels = [cell.get_attribute("data-label") for cell in cells.all()]
    assert {"Points", "Mean", "All points", "Some", "None", "Correlation"} <= set(labels)
    width = page.evaluate("innerWidth")
    assert all(cell.bounding_box()["x"] + cell.bounding_box()["width"] <= width for cell in cells.all())
