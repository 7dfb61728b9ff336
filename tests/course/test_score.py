"""Scoring: every point comes from the rubric and a verdict; none is invented, none is lost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grader.checks.gradient import GradientCheck
from grader.checks.metric import MetricCheck
from grader.checks.reference import ReferenceCheck
from grader.course.rubric import Rubric
from grader.course.score import score_nothing, score_submission
from grader.records import Diagnosis, DiagnosisKind, Score, Status, Summary, Verdict, VerdictKind

PASSED = Verdict(VerdictKind.PASSED, 1.0, "")
HALF = Verdict(VerdictKind.PARTIAL, 0.5, "half")
FAILED = Verdict(VerdictKind.FAILED, 0.0, "wrong", "values")
UNDECIDED = Verdict(VerdictKind.INCONCLUSIVE, 0.0, "too noisy", "inconclusive")
BLANK = Verdict(VerdictKind.NOT_ATTEMPTED, 0.0, "left blank", "not_attempted")


def reference(name: str, points: float = 1.0, **options: Any) -> dict[str, Any]:
    return {
        "id": name,
        "title": f"Title of {name}",
        "type": "reference",
        "points": points,
        "inputs": "i",
        **options,
    }


def question(name: str, *checks: dict[str, Any], **options: Any) -> dict[str, Any]:
    total = sum(check["points"] for check in checks)
    return {
        "id": name,
        "title": f"Title of {name}",
        "function": name,
        "points": total,
        "checks": checks,
        **options,
    }


def written(name: str, points: float = 3.0, **options: Any) -> dict[str, Any]:
    return {"id": name, "title": name, "points": points, "manual": True, **options}


def rubric(*questions: dict[str, Any]) -> Rubric:
    return Rubric.model_validate({"assignment": "a", "title": "t", "questions": questions})


def scored(made: Rubric, *verdicts: Verdict, **remarks: list[str]) -> Score:
    """Score with the verdicts in the order of the rubric's checks."""
    names = [(asked.id, check.id) for asked in made.questions for check in asked.checks]
    return score_submission("s", made, dict(zip(names, verdicts, strict=True)), remarks)


def test_a_check_earns_its_share_and_a_question_the_sum() -> None:
    made = rubric(question("q", reference("a", 3.0), reference("b", 1.0), reference("c", 0.5)))
    score = scored(made, HALF, PASSED, FAILED)
    assert [check.points for check in score.questions[0].checks] == [1.5, 1.0, 0.0]
    assert (score.questions[0].points, score.questions[0].max_points) == (2.5, 4.5)
    assert (score.points, score.max_points, score.pending_points) == (2.5, 4.5, 0.0)
    assert (score.submission, score.status, score.summary) == ("s", Status.GRADED, Summary.PARTLY_CORRECT)


def test_a_written_question_is_pending_and_counts_neither_way() -> None:
    score = scored(rubric(question("q", reference("a")), written("w")), PASSED)
    assert score.questions[1].points is None
    assert (score.points, score.max_points, score.pending_points) == (1.0, 1.0, 3.0)
    assert score.summary is Summary.CORRECT


def test_the_feedback_of_a_check_follows_its_verdict() -> None:
    feedback = {"passed": "well done", "failed": "look again"}
    checks = [reference(name, feedback=feedback) for name in "abc"]
    score = scored(rubric(question("q", *checks)), PASSED, HALF, FAILED)
    assert [check.feedback for check in score.questions[0].checks] == [
        "well done",
        "look again",
        "look again",
    ]


def test_what_is_said_of_a_slip_fits_only_where_the_rest_is_right() -> None:
    slip = reference("b", once="slip", requires=["a"], feedback={"failed": "Which dtype is it?"})
    made = rubric(question("q", reference("a"), slip))
    assert scored(made, PASSED, FAILED).questions[0].checks[1].feedback == "Which dtype is it?"
    assert scored(made, HALF, FAILED).questions[0].checks[1].feedback == ""


def test_a_check_is_hidden_unless_the_rubric_says_public() -> None:
    made = rubric(question("q", reference("a"), reference("b", visibility="public")))
    assert [check.hidden for check in scored(made, PASSED, PASSED).questions[0].checks] == [True, False]


def test_remarks_go_to_their_question_only() -> None:
    made = rubric(question("q", reference("a")), question("p", reference("a")), written("w"))
    score = scored(made, PASSED, PASSED, q=["one", "two"], w=["three"])
    assert [asked.remarks for asked in score.questions] == [("one", "two"), (), ("three",)]


# requires


@pytest.mark.parametrize(
    ("first", "second", "kind", "points"),
    [
        pytest.param(PASSED, PASSED, VerdictKind.PASSED, 1.0, id="both passed"),
        pytest.param(HALF, PASSED, VerdictKind.PASSED, 1.0, id="the first earned something"),
        pytest.param(FAILED, PASSED, VerdictKind.BLOCKED, 0.0, id="the first earned nothing"),
        pytest.param(FAILED, HALF, VerdictKind.BLOCKED, 0.0, id="the second was half right"),
        pytest.param(FAILED, FAILED, VerdictKind.FAILED, 0.0, id="both failed, and both say why"),
        pytest.param(BLANK, BLANK, VerdictKind.NOT_ATTEMPTED, 0.0, id="neither was attempted"),
    ],
)
def test_a_check_that_builds_on_another_counts_only_if_that_earned_something(
    first: Verdict, second: Verdict, kind: VerdictKind, points: float
) -> None:
    made = rubric(question("q", reference("a"), reference("b", requires=["a"])))
    found = scored(made, first, second).questions[0].checks[1]
    assert (found.verdict.kind, found.points) == (kind, points)
    assert ("“Title of a” earns nothing" in found.verdict.message) == (kind is VerdictKind.BLOCKED)


def test_a_blocked_check_blocks_what_builds_on_it() -> None:
    made = rubric(
        question("q", reference("a"), reference("b", requires=["a"]), reference("c", requires=["b"]))
    )
    kinds = [check.verdict.kind for check in scored(made, FAILED, PASSED, PASSED).questions[0].checks]
    assert kinds == [VerdictKind.FAILED, VerdictKind.BLOCKED, VerdictKind.BLOCKED]


def test_a_check_worth_nothing_can_carry_another() -> None:
    made = rubric(question("q", reference("a", 0.0), reference("b", requires=["a"])))
    assert scored(made, PASSED, PASSED).points == 1.0
    assert scored(made, FAILED, PASSED).points == 0.0


@pytest.mark.parametrize(
    ("first", "points", "kind"),
    [(PASSED, 1.0, VerdictKind.PASSED), (HALF, 1.0, VerdictKind.PASSED), (FAILED, 0.0, VerdictKind.BLOCKED)],
    ids=["passed", "half", "failed"],
)
def test_a_question_that_builds_on_another_counts_only_if_that_earned_something(
    first: Verdict, points: float, kind: VerdictKind
) -> None:
    made = rubric(question("q", reference("a")), question("p", reference("a"), requires=["q"]))
    found = scored(made, first, PASSED, p=["a remark"]).questions[1]
    assert (found.points, found.checks[0].points, found.checks[0].verdict.kind) == (points, points, kind)
    blocked = (
        ("It does not count while the question “Title of q” earns nothing.",)
        if kind is VerdictKind.BLOCKED
        else ()
    )
    assert found.remarks == ("a remark", *blocked)


def test_a_written_question_that_builds_on_a_failed_one_is_not_left_to_a_person() -> None:
    score = scored(rubric(question("q", reference("a")), written("w", requires=["q"])), FAILED)
    assert (score.questions[1].points, score.pending_points) == (0.0, 0.0)


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(written("q"), id="pending"),
        pytest.param(question("q", reference("a")), id="inconclusive"),
    ],
)
def test_a_question_that_builds_on_one_that_a_person_still_judges_is_not_counted_as_zero(
    first: dict[str, Any],
) -> None:
    made = rubric(first, question("p", reference("a"), requires=["q"]))
    score = scored(made, PASSED) if first.get("manual") else scored(made, UNDECIDED, PASSED)
    assert score.questions[1].points != 0.0


def test_a_check_that_builds_on_an_inconclusive_one_is_not_said_to_earn_nothing() -> None:
    made = rubric(question("q", reference("a"), reference("b", requires=["a"])))
    score = scored(made, UNDECIDED, PASSED)
    assert score.questions[0].checks[1].verdict.kind is not VerdictKind.BLOCKED


def test_a_question_that_builds_on_one_worth_nothing_can_be_earned() -> None:
    made = rubric(question("q", reference("a", 0.0)), question("p", reference("a"), requires=["q"]))
    assert scored(made, PASSED, PASSED).points == 1.0


# inconclusive


def test_an_inconclusive_check_leaves_its_whole_question_to_a_person() -> None:
    made = rubric(question("q", reference("a"), reference("b")), question("p", reference("a")))
    score = scored(made, PASSED, UNDECIDED, PASSED)
    assert score.questions[0].points is None
    assert (score.points, score.pending_points) == (1.0, 2.0)


def test_an_inconclusive_check_worth_nothing_decides_nothing() -> None:
    made = rubric(question("q", reference("a"), reference("b", 0.0)))
    assert scored(made, PASSED, UNDECIDED).questions[0].points == 1.0


@pytest.mark.parametrize("rest", [[], [question("p", reference("a"))]], ids=["alone", "among right ones"])
def test_a_submission_with_an_undecided_question_is_not_called_correct(rest: list[dict[str, Any]]) -> None:
    made = rubric(question("q", reference("a")), *rest)
    assert scored(made, UNDECIDED, *[PASSED for _ in rest]).summary is not Summary.CORRECT


# the summary


@pytest.mark.parametrize(
    ("verdicts", "summary"),
    [
        pytest.param([PASSED, PASSED], Summary.CORRECT, id="all points"),
        pytest.param([PASSED, FAILED], Summary.PARTLY_CORRECT, id="some points"),
        pytest.param([BLANK, HALF], Summary.PARTLY_CORRECT, id="half a point, the rest blank"),
        pytest.param([FAILED, FAILED], Summary.WRONG, id="no points"),
        pytest.param([BLANK, FAILED], Summary.WRONG, id="no points, something tried"),
        pytest.param([BLANK, BLANK], Summary.NOT_ATTEMPTED, id="nothing tried"),
    ],
)
def test_the_summary_is_one_word_for_all_verdicts(verdicts: list[Verdict], summary: Summary) -> None:
    made = rubric(question("q", reference("a")), question("p", reference("a")), written("w"))
    assert scored(made, *verdicts).summary is summary


@pytest.mark.parametrize(
    ("status", "points", "summary"),
    [
        (Status.UNREADABLE, 0.0, Summary.UNREADABLE),
        (Status.NOT_GRADED, None, Summary.NOT_GRADED),
    ],
)
def test_an_unreadable_file_earns_nothing_and_a_fault_of_ours_decides_nothing(
    status: Status, points: float | None, summary: Summary
) -> None:
    score = score_nothing("s", rubric(question("q", reference("a")), written("w")), status, "why")
    assert [asked.points for asked in score.questions] == [points, None]
    assert (score.status, score.summary, score.message) == (status, summary, "why")
    assert score.max_points + score.pending_points == 4.0


# laws

FRACTIONS = st.floats(0, 1)
POINTS = st.floats(0, 100) | st.integers(0, 40).map(lambda quarters: quarters / 4) | st.just(1 / 3)


def verdict(fraction: float) -> Verdict:
    kinds = {0.0: VerdictKind.FAILED, 1.0: VerdictKind.PASSED}
    return Verdict(kinds.get(fraction, VerdictKind.PARTIAL), fraction, "")


@given(st.lists(st.tuples(POINTS, FRACTIONS), min_size=1, max_size=6))
@example([(2 / 3, 1.0)])
@example([(0.00005, 1.0), (0.00005, 1.0)])
def test_no_score_exceeds_its_maximum_and_none_is_negative(worth: list[tuple[float, float]]) -> None:
    made = rubric(question("q", *[reference(f"c{n}", points) for n, (points, _) in enumerate(worth)]))
    score = scored(made, *[verdict(fraction) for _, fraction in worth])
    for part in (*score.questions, *score.questions[0].checks):
        assert part.points is not None
        assert 0.0 <= part.points <= part.max_points + 1e-9
    assert score.points == sum(asked.points or 0.0 for asked in score.questions)


def test_what_a_question_earns_is_given_in_hundredths_so_that_what_is_shown_adds_up() -> None:
    made = rubric(*[question(f"q{n}", reference("a", 0.25), reference("b", 1.0)) for n in range(3)])
    score = scored(made, *[HALF, PASSED] * 3)
    assert [asked.points for asked in score.questions] == [1.12, 1.12, 1.12]
    assert score.points == pytest.approx(3.36)


def test_what_is_not_all_stays_less_than_all() -> None:
    score = scored(rubric(question("q", reference("a"))), verdict(0.999))
    assert score.questions[0].points == 0.999
    assert score.summary is Summary.PARTLY_CORRECT


@given(st.lists(POINTS, min_size=1, max_size=6))
def test_who_passes_everything_has_all_points_and_is_correct(worth: list[float]) -> None:
    made = rubric(question("q", *[reference(f"c{n}", points) for n, points in enumerate(worth)]))
    score = scored(made, *[PASSED for _ in worth])
    assert score.summary is Summary.CORRECT
    assert score.points == pytest.approx(score.max_points, abs=1e-9)


@given(st.lists(st.tuples(FRACTIONS, FRACTIONS), min_size=2, max_size=6), st.data())
def test_a_better_verdict_never_lowers_the_score(
    pairs: list[tuple[float, float]], data: st.DataObject
) -> None:
    checks = []
    for n in range(len(pairs)):
        earlier = [f"c{k}" for k in range(n)]
        requires = data.draw(st.lists(st.sampled_from(earlier), max_size=2)) if earlier else []
        checks.append(reference(f"c{n}", 1.0, requires=requires))
    made = rubric(question("q", *checks))
    worse, better = ([verdict(pick(pair)) for pair in pairs] for pick in (min, max))
    assert scored(made, *worse).points <= scored(made, *better).points + 1e-9


# what the model derives


def test_the_functions_of_a_rubric_are_those_called_each_once() -> None:
    base = {"title": "t", "points": 1, "inputs": "i"}
    made = rubric(
        {
            **question("loss", reference("a", given=["helper", "loss"])),
        },
        question(
            "gradient",
            {**base, "id": "own", "type": "gradient", "cost": "energy", "wrt": ["x"], "own_cost": 0.5},
            {**base, "id": "ours", "type": "gradient", "cost": "unasked", "wrt": ["x"]},
            {**base, "id": "m", "type": "metric", "metric": "measure", "full": 1, "none": "worst"},
        ),
        written("w"),
    )
    assert made.functions == ("helper", "loss", "energy", "gradient")
    kinds = [type(check) for asked in made.questions for check in asked.checks]
    assert kinds == [ReferenceCheck, GradientCheck, GradientCheck, MetricCheck]


# the credit of a named mistake

NAMED = Diagnosis(DiagnosisKind.NAMED, ("sign",), ("its sign is wrong",), credit=0.25)


def property_check(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "title": name,
        "type": "property",
        "property": "symmetric",
        "points": 4.0,
        "inputs": "i",
    }


def credited(check: dict[str, Any], verdict: Verdict, diagnosis: Diagnosis) -> tuple[VerdictKind, float]:
    score = score_submission(
        "s", rubric(question("q", check)), {("q", check["id"]): verdict}, {}, {"q": diagnosis}
    )
    assert score.questions[0].diagnosis == diagnosis
    return score.questions[0].checks[0].verdict.kind, score.questions[0].checks[0].points


@pytest.mark.parametrize(
    ("verdict", "diagnosis", "kind", "points"),
    [
        pytest.param(FAILED, NAMED, VerdictKind.PARTIAL, 1.0, id="a named mistake earns its credit"),
        pytest.param(HALF, NAMED, VerdictKind.PARTIAL, 2.0, id="what is earned already stays"),
        pytest.param(PASSED, NAMED, VerdictKind.PASSED, 4.0, id="what passed stays passed"),
        pytest.param(UNDECIDED, NAMED, VerdictKind.INCONCLUSIVE, 0.0, id="what is undecided stays so"),
        pytest.param(BLANK, NAMED, VerdictKind.NOT_ATTEMPTED, 0.0, id="what is blank earns nothing"),
        pytest.param(
            FAILED,
            Diagnosis(DiagnosisKind.AMBIGUOUS, ("a", "b"), credit=0.25),
            VerdictKind.PARTIAL,
            1.0,
            id="one of several earns the least of their credits",
        ),
        pytest.param(FAILED, Diagnosis(DiagnosisKind.UNKNOWN), VerdictKind.FAILED, 0.0, id="unknown"),
        pytest.param(
            FAILED,
            Diagnosis(DiagnosisKind.NAMED, ("a",), ("a",)),
            VerdictKind.FAILED,
            0.0,
            id="a mistake without credit",
        ),
    ],
)
def test_a_check_on_values_earns_at_least_the_credit_of_a_named_mistake(
    verdict: Verdict, diagnosis: Diagnosis, kind: VerdictKind, points: float
) -> None:
    assert credited(reference("a", 4.0), verdict, diagnosis) == (kind, points)


def test_a_check_on_something_else_than_values_earns_no_credit() -> None:
    assert credited(property_check("a"), FAILED, NAMED) == (VerdictKind.FAILED, 0.0)


def test_the_credit_of_one_question_is_not_given_in_another() -> None:
    made = rubric(question("p", reference("a")), question("q", reference("a")))
    verdicts = {("p", "a"): FAILED, ("q", "a"): FAILED}
    score = score_submission("s", made, verdicts, {}, {"q": NAMED})
    assert [asked.points for asked in score.questions] == [0.0, 0.25]
