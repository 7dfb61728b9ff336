"""The pages: complete, self-contained, and safe whatever a submission puts into them."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace

import pytest
from support import Page, not_graded, notebook, rubric, run, score

from grader.attempt import FOR_STAFF
from grader.decision import Decided, DecisionKind
from grader.records import (
    CellRun,
    Code,
    Diagnosis,
    DiagnosisKind,
    Evidence,
    Fault,
    NotebookRun,
    Plot,
    QuestionScore,
    Verdict,
    VerdictKind,
)
from grader.report import chart
from grader.report.pages import course_page, feedback_page, first_to_fix, formulas, notebook_page

HOSTILE = "<script>alert(1)</script>\"'&"


PAGES = {
    "course": lambda name: course_page(
        rubric(), [score(name), not_graded("x")], {name: "a/feedback.html", "x": "b"}, "made"
    ),
    "feedback": lambda name: feedback_page(rubric(), score(name), run("", Fault("E", HOSTILE, 2, 1)), "made"),
    "notebook": lambda name: notebook_page(name, run(notebook(f"print({name!r})"))),
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_loads_nothing_from_anywhere(page: str) -> None:
    html = PAGES[page]("anna")
    for tag, attributes in Page(html).tags:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form")
        assert (attributes.get("src") or "data:").startswith("data:")
        assert "style" not in attributes, "the policy forbids inline styles"
        assert not any(name.startswith("on") for name in attributes)
    assert "@import" not in html
    assert "url(" not in html


@pytest.mark.parametrize("page", PAGES)
def test_the_policy_allows_exactly_the_style_and_script_that_are_there(page: str) -> None:
    parsed = Page(PAGES[page]("anna"))
    policy = parsed.policy()
    assert policy.startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        text = parsed.inside.get(tag)
        if text is None:
            assert "script-src 'none'" in policy
        else:
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("page", PAGES)
def test_a_hostile_name_is_only_text(page: str) -> None:
    parsed = Page(PAGES[page](HOSTILE))
    assert HOSTILE in parsed.words
    scripts = [tag for tag, _ in parsed.tags if tag == "script"]
    assert len(scripts) == (1 if page == "course" else 0)


def test_the_course_page_links_every_submission_and_shows_its_points() -> None:
    parsed = Page(PAGES["course"]("anna"))
    links = [attributes["href"] for tag, attributes in parsed.tags if tag == "a"]
    assert {"a/feedback.html", "b", "grades.csv", "grades.json"} <= set(links)
    words = re.sub(r"\s+", " ", parsed.words)
    assert "2 / 3" in words
    assert "the input was changed (1)" in words
    assert "1 not graded, through our fault" in words


def test_the_feedback_gives_the_reason_evidence_hint_and_picture_for_lost_points() -> None:
    html = PAGES["feedback"]("anna")
    words = re.sub(r"\s+", " ", Page(html).words)
    for expected in ("2 of 3 points", "It doubles", "the function changed its input", "Work on a copy."):
        assert expected in words
    for expected in ("relative error", "It reads X from the notebook.", "2 more points are pending", "Essay"):
        assert expected in words
    assert html.count('<svg class="chart"') == 2


def test_the_feedback_says_which_cells_failed_and_how() -> None:
    stopped = CellRun(2, "timeout", 60.0, Fault("KeyboardInterrupt", "", 2, 5))
    cells = (CellRun(1, "ok"), stopped, CellRun(3, "not_run"), CellRun(4, "error"))
    words = Page(feedback_page(rubric(), score(), NotebookRun(cells, "{}", "The kernel ended."), "")).words
    late = "it ran longer than a cell may, and was stopped in line 5"
    for expected in (late, "it was not run", "it ended the kernel", "The kernel ended."):
        assert expected in words
    assert "KeyboardInterrupt" not in words


def test_feedback_without_a_run_says_nothing_of_a_notebook() -> None:
    assert "notebook.html" not in feedback_page(rubric(), not_graded(), None, "")
    assert "Not graded: no memory." in feedback_page(rubric(), not_graded(), None, "")


def test_a_course_without_any_graded_submission_has_a_page() -> None:
    assert "0</b> mean" in course_page(rubric(), [not_graded("x")], {"x": "b"}, "")


@pytest.mark.parametrize(
    "points", [(), ((0.0, 0.0),), ((0.0, 1.0), (0.0, 1.0)), ((-1e300, 1.0), (1e300, 2.0))]
)
@pytest.mark.parametrize("kind", ["scatter", "line"])
def test_a_picture_of_few_or_equal_points_has_only_finite_coordinates(
    kind: str, points: tuple[tuple[float, float], ...]
) -> None:
    svg = chart.draw(Plot(kind, "t", "x", "y", (("s", points),)))
    assert "nan" not in svg
    assert "inf" not in svg


def test_a_picture_shows_no_number_of_its_axes() -> None:
    svg = chart.draw(Plot("scatter", "t", "x", "y", (("s", ((0.123, 7.0), (2.0, 3.0))),)))
    assert re.findall(r">([^<>]+)<", svg) == ["x", "y"]


@pytest.mark.parametrize(("fraction", "width"), [(-1.0, "0.0"), (0.5, "50.0"), (2.0, "100.0")])
def test_a_bar_is_filled_to_its_fraction(fraction: float, width: str) -> None:
    assert f'class="done" x="0.0" y="0.0" width="{width}"' in chart.bar(fraction)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("q_ij = d_ij^-1", "q<sub>ij</sub> = d<sub>ij</sub><sup>-1</sup>"),
        ("sum_{i > k} sigma_i^2", "∑<sub>i &gt; k</sub> σ<sub>i</sub><sup>2</sup>"),
        ("dC/dy_s of U_k^T", "dC/dy<sub>s</sub> of U<sub>k</sub><sup>T</sup>"),
        ("best_Q, val_idx, reg_lambda, initialize_Q_P", "best_Q, val_idx, reg_lambda, initialize_Q_P"),
        ("<b>x_i</b> & more", "&lt;b&gt;x<sub>i</sub>&lt;/b&gt; &amp; more"),
    ],
)
def test_formulas_are_typeset_and_nothing_else_is_markup(text: str, html: str) -> None:
    assert str(formulas(text)) == html


def test_what_a_person_took_is_no_check_to_fix() -> None:
    right = score("anna")
    first = right.questions[0]
    checks = tuple(replace(check, points=check.max_points) for check in first.checks)
    decided = Decided(1, 0.0, "tina", DecisionKind.OVERRIDE, 3.0, "the text")
    lowered = replace(first, points=1.0, checks=checks, decided=decided)
    html = feedback_page(rubric(), replace(right, questions=(lowered, *right.questions[1:])), None, "")
    fix_first = html.split("What to fix first")[1].split("</section>")[0]
    assert "A person gave the points." in fix_first
    assert "It doubles" not in fix_first


def fix_first(*questions: QuestionScore) -> list[str]:
    return [question.title for question, _ in first_to_fix(replace(score("anna"), questions=questions))]


def test_what_to_fix_first_are_the_largest_losses_in_the_order_of_the_sheet() -> None:
    made = [
        QuestionScore(f"q{number}", f"Question {number}", points, 4.0, ())
        for number, points in enumerate([3.5, 1.0, 4.0, 3.0, 0.0, None])
    ]
    assert fix_first(*made) == ["Question 1", "Question 3", "Question 4"]


@pytest.mark.parametrize(("kind", "shown"), [(DiagnosisKind.NAMED, False), (DiagnosisKind.AMBIGUOUS, True)])
def test_a_hint_gives_way_to_the_mistake_that_is_known(kind: DiagnosisKind, *, shown: bool) -> None:
    made = score("anna")
    first = made.questions[0]
    failed = replace(
        first.checks[0],
        verdict=Verdict(VerdictKind.FAILED, 0.0, "wrong", Code.VALUES),
        feedback="Divide by N.",
    )
    diagnosis = Diagnosis(kind, ("half", "sign"), ("it is half as large", "its sign is wrong"), residual=0.0)
    question = replace(first, points=0.0, checks=(failed,), diagnosis=diagnosis)
    html = feedback_page(rubric(), replace(made, questions=(question, *made.questions[1:])), None, "")
    assert ("Divide by N." in html) is shown
    assert "t is half as large" in html


def test_numbers_are_folded_away_where_a_check_before_shows_some() -> None:
    made = score("anna")
    first = made.questions[0]
    verdict = Verdict(
        VerdictKind.FAILED, 0.0, "wrong", Code.VALUES, Evidence(facts=(("largest error", "7"),))
    )
    checks = tuple(replace(first.checks[0], id=name, verdict=verdict) for name in ("one", "two", "three"))
    question = replace(first, points=0.0, checks=checks)
    html = feedback_page(rubric(), replace(made, questions=(question,)), None, "")
    assert html.count("<dt>largest error</dt>") == 3
    assert html.count('<details class="numbers">') == 2


@pytest.mark.parametrize("words", FOR_STAFF)
def test_a_student_reads_no_name_of_another_one(words: str) -> None:
    made = replace(score("anna"), remarks=(f"{words} Bob Smith.", "This hand-in counts."))
    page = feedback_page(rubric(), made, None, "")
    assert "Bob Smith" not in page
    assert "This hand-in counts." in page
    assert "Bob Smith" in course_page(rubric(), [made], {"anna": "a"}, "")
