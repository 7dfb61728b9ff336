"""What people decide is a history: nothing is overwritten, everything can be undone, nobody's work is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import score
from support_manual import answers, fill, many_at_once

from grader.attempt import Attempt, Student
from grader.decision import DecisionKind
from grader.errors import ConflictError, UsageError
from grader.final import Waits
from grader.manual.decisions import Decisions, Wish
from grader.manual.palette import Palette
from grader.manual.worklist import Worklist
from grader.records import Status, Summary
from grader.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "grader.db") as opened:
        yield fill(opened)


def decide(
    store: Store, points: float | None, *, name: str = "anna", question: str = "essay", **more
) -> None:
    Decisions(store, "tiny").decide([Wish(name, question, points, **more)], more.pop("by", "ta"))


def points(store: Store, name: str = "anna", question: str = "essay") -> float | None:
    kept = store.get_score("tiny", name)
    assert kept is not None
    return next(each.points for each in kept.score.questions if each.id == question)


def test_points_of_a_person_are_part_of_the_score_and_of_every_gradebook(store: Store) -> None:
    decide(store, 1.5, comment="Why at *most*?")
    kept = {each.score.submission: each.score for each in store.kept_scores("tiny")}
    assert (kept["anna"].points, kept["anna"].pending_points) == (3.5, 0.0)
    assert (kept["carl"].points, kept["carl"].pending_points) == (2.0, 2.0)
    decided = kept["anna"].questions[1].decided
    assert decided is not None
    assert (decided.person, decided.comment, decided.judged) == ("ta", "Why at *most*?", None)
    assert store.get_scores("tiny")["anna"].points == 3.5


def test_a_later_run_does_not_touch_what_a_person_decided(store: Store) -> None:
    decide(store, 1.5)
    decide(store, 3.0, question="double", reason="a typing error")
    store.put_scores("tiny", [score("anna", 0.0)], "another course")
    assert points(store) == 1.5
    assert points(store, question="double") == 3.0
    store.drop_scores("tiny", ["anna"])
    fill(store)
    assert points(store) == 1.5


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish("anna", "essay", 2.5), "2.5 points, but it has 0 to 2"),
        (Wish("anna", "essay", -1), "-1 points"),
        (Wish("anna", "essay", float("nan")), "no number of points"),
        (Wish("anna", "nothing", 1), "no such question"),
        (Wish("nobody", "essay", 1), "no such question"),
        (Wish("anna", "double", 3.0), "say why"),
        (Wish("anna", "essay", 1, comments=(7,)), "no comment with the number 7"),
        (Wish("anna", "essay", 1, "x" * 20_001), "at most 20000"),
    ],
)
def test_what_cannot_be_decided_is_refused_and_nothing_with_it_is_kept(
    store: Store, wish: Wish, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        Decisions(store, "tiny").decide([Wish("carl", "essay", 1.0), wish], "ta")
    assert points(store, "carl") is None


def test_a_decision_on_something_older_than_what_stands_is_refused_with_what_stands(store: Store) -> None:
    decide(store, 1.0, version=0)
    with pytest.raises(ConflictError) as refused:
        decide(store, 2.0, version=0)
    assert refused.value.standing is not None
    assert (refused.value.standing.points, refused.value.standing.version) == (1.0, 1)
    decide(store, 2.0, version=1)
    assert points(store) == 2.0


def test_every_change_can_be_undone_in_order_and_stays_in_the_history(store: Store) -> None:
    history = Decisions(store, "tiny")
    for number in (0.5, 1.0, 1.5):
        decide(store, number)
    seen = []
    for _ in range(3):
        history.undo("anna", "essay", "head")
        seen.append(points(store))
    assert seen == [1.0, 0.5, None]
    with pytest.raises(UsageError, match="nothing to undo"):
        history.undo("anna", "essay", "head")
    entries = history.history("anna", "essay")
    assert [each.version for each in entries] == [6, 5, 4, 3, 2, 1]
    assert [each.kind for each in entries[:3]] == [DecisionKind.UNDONE] * 3
    history.restore("anna", "essay", 2, "head")
    assert points(store) == 1.0
    history.undo("anna", "essay", "head")
    assert points(store) is None


def test_an_override_is_undone_to_what_the_judge_gave(store: Store) -> None:
    decide(store, 3.0, question="double", reason="see the board")
    assert points(store, question="double") == 3.0
    Decisions(store, "tiny").undo("anna", "double", "ta")
    assert points(store, question="double") == 2.0
    kept = store.get_score("tiny", "anna")
    assert kept is not None
    assert kept.score.questions[0].decided is None


def test_what_was_decided_together_is_undone_together_but_for_what_was_changed_since(store: Store) -> None:
    history = Decisions(store, "tiny")
    history.decide([Wish(name, "essay", 2.0) for name in ("anna", "bert", "dora")], "ta")
    decide(store, 1.0, name="dora")
    history.undo("anna", "essay", "ta")
    assert [points(store, name) for name in ("anna", "bert", "dora")] == [None, None, 1.0]


def test_a_decision_that_changes_nothing_is_no_entry(store: Store) -> None:
    decide(store, None)
    decide(store, None, comment=" ")
    assert Decisions(store, "tiny").history("anna") == []
    decide(store, 1.0, comment="yes")
    decide(store, 1.0, comment="yes ")
    assert len(Decisions(store, "tiny").history("anna")) == 1


def test_words_are_kept_without_what_no_database_and_no_page_can_hold(store: Store) -> None:
    decide(store, 1.0, comment="a\x00b\ud800 \u202ec\nd")
    (kept,) = Decisions(store, "tiny").history("anna")
    assert kept.comment.encode().isascii() or "\ufffd" in kept.comment
    assert not set(kept.comment) & set("\x00\ud800\u202e")
    assert "\n" in kept.comment


def test_a_changed_comment_changes_for_all_who_were_given_it(store: Store) -> None:
    palette = Palette(store, "tiny")
    comment = palette.add("essay", "No *proof*.", -0.5, "ta")
    decide(store, 1.5, comments=(comment.number,))
    decide(store, 0.25, name="carl", comments=(comment.number,), comment="Read the script.")
    palette.change(comment.number, "No proof at all.", -1.0, "head", 1)
    assert (points(store), points(store, "carl")) == (1.0, 0.0)
    kept = store.get_score("tiny", "carl")
    assert kept is not None
    assert kept.score.questions[1].decided.comment == "**(−1)** No proof at all.\n\nRead the script."  # type: ignore[union-attr]
    assert palette.uses() == {comment.number: 2}
    with pytest.raises(ConflictError):
        palette.change(comment.number, "late", 0.0, "ta", 1)
    palette.change(comment.number, "No proof.", -0.5, "head", 2, withdrawn=True)
    assert palette.comments("essay") == []
    assert (points(store), points(store, "carl")) == (1.5, 0.25)
    assert [each.points for each in palette.history(comment.number)] == [-0.5, -1.0, -0.5]


def test_what_waits_is_what_no_person_has_decided(store: Store) -> None:
    worklist = Worklist(store, "tiny")
    waiting = {(item.submission, item.question) for item in worklist.items(only_open=True)}
    essays = {(name, "essay") for name in ("anna", "bert", "carl", "dora", "=emil")}
    assert waiting == {*essays, ("bert", "double"), ("frieda", "double"), ("frieda", "essay")}
    decide(store, 1.0)
    decide(store, None, name="carl", comment="Come and see me.")
    left = {(item.submission, item.question) for item in worklist.items(only_open=True)}
    assert waiting - left == {("anna", "essay")}
    progress = {each.question: (each.waiting, each.decided) for each in worklist.progress()}
    assert progress == {"double": (2, 0), "essay": (5, 1)}
    assert worklist.done_by() == {"ta": 1}


def test_a_decision_on_another_hand_in_waits_again_and_keeps_its_points(store: Store) -> None:
    decide(store, 1.0)
    store.put_answers("tiny", "anna", answers("anna", "Another answer."))
    worklist = Worklist(store, "tiny")
    (item,) = (item for item in worklist.items(only_open=True) if item.submission == "anna")
    assert (item.changed, item.reason, item.points) == (True, Waits.CHANGED, 1.0)

    def counted() -> tuple[int, int, int, int, int]:
        (essays,) = (each for each in worklist.progress() if each.question == "essay")
        shares, reasons = worklist.shares({"essay": ["ta"]}), worklist.reasons()
        waiting = reasons[Waits.WRITTEN], reasons.get(Waits.CHANGED, 0)
        return essays.waiting, essays.decided, *waiting, shares["ta"][1]

    assert counted() == (6, 0, 4, 1, 6)
    decide(store, 1.25)
    assert counted() == (5, 1, 4, 0, 5)
    assert not [item for item in Worklist(store, "tiny").items(only_open=True) if item.submission == "anna"]


def test_an_override_of_what_the_judge_decided_waits_again_with_another_hand_in(store: Store) -> None:
    decide(store, 3.0, question="double", reason="a typing error")
    worklist = Worklist(store, "tiny")

    def waiting() -> list[tuple[str, Waits, float | None]]:
        items = worklist.items(submission="anna", only_open=True)
        return [(item.question, item.reason, item.points) for item in items if item.question == "double"]

    assert waiting() == []
    store.put_answers("tiny", "anna", [replace(answers("anna", "")[2], seen="of other code")])
    assert waiting() == [("double", Waits.CHANGED, 3.0)]
    assert worklist.shares({"double": ["ta"]})["ta"][1] == 3  # bert's and frieda's wait anyway
    decide(store, 3.0, question="double", reason="a typing error")
    assert waiting() == []
    assert worklist.shares({"double": ["ta"]})["ta"][1] == 2


def test_the_same_points_for_another_hand_in_are_a_decision(store: Store) -> None:
    decide(store, 1.0)
    store.put_answers("tiny", "anna", answers("anna", "Another answer."))
    decide(store, 1.0)
    assert not [item for item in Worklist(store, "tiny").items(only_open=True) if item.submission == "anna"]


@pytest.mark.parametrize("judged", [4.0, -1.0])
def test_a_person_may_confirm_what_a_bonus_or_a_penalty_makes_of_a_question(
    store: Store, judged: float
) -> None:
    made = score("anna")
    double = replace(made.questions[0], points=judged)
    store.put_scores("tiny", [replace(made, questions=(double, made.questions[1]))], "course")
    decide(store, judged, question="double", comment="Well seen.")
    assert points(store, question="double") == judged
    (item,) = Worklist(store, "tiny").items(question="double", submission="anna")
    assert (item.points, item.kind) == (judged, DecisionKind.CONFIRMED)
    with pytest.raises(UsageError, match="points, but it has"):
        decide(store, judged * 2, question="double", reason="more")


def test_what_a_person_may_give_is_what_the_rubric_says_whatever_the_judge_gave(store: Store) -> None:
    made = score("anna")

    def judged(points: float | None, most: float = 4.0) -> None:
        double = replace(made.questions[0], points=points, least=-1.0, most=most)
        store.put_scores("tiny", [replace(made, questions=(double, made.questions[1]))], "course")

    judged(2.0)
    (item,) = Worklist(store, "tiny").items(question="double", submission="anna")
    assert item.allowed == (-1.0, 4.0)
    decide(store, 4.0, question="double", reason="a bonus that no check sees")
    for again, most in ((1.0, 4.0), (None, 4.0), (-1.0, 4.0), (2.0, 3.5)):
        judged(again, most)
        assert points(store, question="double") == most
        (item,) = Worklist(store, "tiny").items(question="double", submission="anna")
        total = next(each for each in Worklist(store, "tiny").totals() if each.submission == "anna")
        assert (item.points, total.points) == (most, most)
    judged(2.0)
    decide(store, -1.0, question="double", reason="guessed")
    judged(3.0)
    assert points(store, question="double") == -1.0
    for wrong in (-1.5, 4.5):
        with pytest.raises(UsageError, match="but it has -1 to 4"):
            decide(store, wrong, question="double", reason="more")


def test_a_submission_that_we_failed_to_grade_is_graded_once_people_decided_all_of_it(store: Store) -> None:
    for question in ("double", "essay"):
        decide(store, 2.0, name="frieda", question=question)
    kept = store.get_score("tiny", "frieda")
    assert kept is not None
    assert (kept.score.status, kept.score.summary, kept.score.points) == (
        Status.GRADED,
        Summary.PARTLY_CORRECT,
        4.0,
    )
    assert kept.judged is not None
    assert kept.judged.status is Status.NOT_GRADED


def test_twenty_people_who_save_the_same_answer_at_once_lose_nothing(tmp_path: Path) -> None:
    with Store(tmp_path / "grader.db") as opened:
        fill(opened)
    many_at_once(tmp_path / "grader.db", 20, 3)


@given(st.lists(st.one_of(st.sampled_from([0.0, 0.5, 1.0, 2.0]), st.just("undo")), max_size=12))
def test_undo_goes_back_through_what_was_decided_and_not_undone(steps: list[float | str]) -> None:
    with Store() as store:
        fill(store, {"anna": "words"})
        history, expected = Decisions(store, "tiny"), list[float]()
        for step in steps:
            if step == "undo":
                if not expected:
                    continue
                history.undo("anna", "essay", "ta")
                expected.pop()
            elif not expected or expected[-1] != step:
                decide(store, float(step))
                expected.append(float(step))
            assert points(store) == (expected[-1] if expected else None)


def test_a_hand_in_that_does_not_count_waits_for_nobody_and_can_be_decided_all_the_same() -> None:
    with Store() as store:
        fill(store, {})
        first = Attempt((Student("Anna Lee"),), counts=False)
        for name, attempt in (("hw", first), ("hw (2)", replace(first, counts=True))):
            store.put_scores("tiny", [replace(score(name), attempt=attempt)], "course")
        worklist = Worklist(store, "tiny")
        items = {item.submission: item for item in worklist.items(question="essay", only_open=True)}
        assert [items[name].who for name in items if name != "frieda"] == ["Anna Lee"]
        assert "hw" not in items
        assert worklist.reasons() == {Waits.WRITTEN: 1, Waits.NOT_GRADED: 2}
        assert worklist.names()["hw"] == "Anna Lee"
        Decisions(store, "tiny").decide([Wish("hw", "essay", 1.0)], "ben")
        store.put_scores("tiny", [replace(score("hw"), attempt=replace(first, counts=True))], "course")
        (item,) = worklist.items(question="essay", submission="hw")
        assert (item.points, item.waits, item.open) == (1.0, Waits.WRITTEN, False)
