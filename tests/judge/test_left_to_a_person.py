"""What follows from a mistake counts by itself only if every mistake behind it is a known one."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.judge import verdicts as judging
from grader.reading import FunctionFacts
from grader.records import Diagnosis, DiagnosisKind, Observation, Verdict, VerdictKind

RIGHT = Verdict(VerdictKind.PASSED, 1.0, "")
WRONG = Verdict(VerdictKind.FAILED, 0.0, "", "values")
HALF_WRONG = Verdict(VerdictKind.PARTIAL, 0.5, "", "values")
FOLLOWS = Verdict(VerdictKind.PASSED, 1.0, "", "follow_through", follows=True)
PARTLY_FOLLOWS = Verdict(VerdictKind.PARTIAL, 0.5, "", "follow_through", follows=True)
UNDECIDED = Verdict(VerdictKind.INCONCLUSIVE, 0.0, "", "inconclusive")
NOT_ATTEMPTED = Verdict(VerdictKind.NOT_ATTEMPTED, 0.0, "", "not_attempted")
NAMED, AMBIGUOUS, UNKNOWN = (Diagnosis(kind, ("code",)) for kind in DiagnosisKind)
Judged = Mapping[str, tuple[str, Verdict, tuple[str, ...]]]


def waiting(
    monkeypatch: pytest.MonkeyPatch, checks: Judged, diagnoses: Mapping[str, Diagnosis | None]
) -> set[str]:
    """Return the questions that wait for a person, of questions with one check each.

    A check is what its question is about, its verdict, and the functions that it builds on.
    """
    planned, questions = [], []
    for name, (about, verdict, builds_on) in checks.items():
        check = SimpleNamespace(
            id="c",
            builds_on=builds_on,
            functions=(),
            once=None,
            judge=lambda *_, verdict=verdict: verdict,
        )
        planned.append(SimpleNamespace(question=name, check=check, cases=(), key=(name, "c")))
        questions.append(SimpleNamespace(id=name, about=about, checks=(check,), title=name))
    monkeypatch.setattr(judging, "diagnose", lambda candidates, _: candidates)
    plan = SimpleNamespace(checks=planned, candidates=diagnoses)
    facts = {about: FunctionFacts(about, "found") for about, _, _ in checks.values()}
    observation = Observation(None, facts, {})
    rubric = SimpleNamespace(questions=questions)
    judged, _ = judging.judge(observation, cast("Any", rubric), cast("Any", plan), cast("Any", None))
    found = set()
    for (name, _), verdict in judged.items():
        if verdict is not checks[name][1]:
            assert (verdict.kind, verdict.fraction) == (VerdictKind.INCONCLUSIVE, 0.0)
            assert verdict.code == "follow_through_undecided"
            assert f"right given your own {' and '.join(checks[name][2])}, but" in verdict.message
            found.add(name)
    return found


SLOPE = ("slope", FOLLOWS, ("cost",))
COUNTS: dict[str, tuple[Judged, dict[str, Diagnosis | None]]] = {
    "the mistake has a name": ({"cost": ("cost", WRONG, ()), "slope": SLOPE}, {"cost": NAMED}),
    "half a mistake has a name": ({"cost": ("cost", HALF_WRONG, ()), "slope": SLOPE}, {"cost": NAMED}),
    "another question about the function is right": (
        {"cost": ("cost", WRONG, ()), "size": ("cost", RIGHT, ()), "slope": SLOPE},
        {"cost": NAMED},
    ),
    "a mistake without a name is in a function that it does not build on": (
        {"cost": ("cost", WRONG, ()), "other": ("other", WRONG, ()), "slope": SLOPE},
        {"cost": NAMED, "other": UNKNOWN},
    ),
    "the mistake with a name is two functions away": (
        {"data": ("data", WRONG, ()), "cost": ("cost", PARTLY_FOLLOWS, ("data",)), "slope": SLOPE},
        {"data": NAMED},
    ),
    "each of two mistakes has a name": (
        {
            "cost": ("cost", WRONG, ()),
            "data": ("data", WRONG, ()),
            "slope": ("slope", FOLLOWS, ("cost", "data")),
        },
        {"cost": NAMED, "data": NAMED},
    ),
    "it follows from nothing, and is right by itself": (
        {"cost": ("cost", WRONG, ()), "slope": ("slope", RIGHT, ("cost",))},
        {"cost": UNKNOWN},
    ),
    "it does not say what it builds on": (
        {"cost": ("cost", WRONG, ()), "slope": ("slope", FOLLOWS, ())},
        {"cost": UNKNOWN},
    ),
}
WAITS: dict[str, tuple[Judged, dict[str, Diagnosis | None]]] = {
    "the function that it builds on is right where it is checked": (
        {"cost": ("cost", RIGHT, ()), "slope": SLOPE},
        {},
    ),
    "nothing checks the function that it builds on": ({"slope": SLOPE}, {}),
    "the mistake is unknown": ({"cost": ("cost", WRONG, ()), "slope": SLOPE}, {"cost": UNKNOWN}),
    "several mistakes explain it": ({"cost": ("cost", WRONG, ()), "slope": SLOPE}, {"cost": AMBIGUOUS}),
    "no mistakes are known of the function": ({"cost": ("cost", WRONG, ()), "slope": SLOPE}, {}),
    "nothing came back that could be named": (
        {"cost": ("cost", WRONG, ()), "slope": SLOPE},
        {"cost": None},
    ),
    "one of two mistakes in the function is unknown": (
        {"cost": ("cost", WRONG, ()), "size": ("cost", WRONG, ()), "slope": SLOPE},
        {"cost": NAMED, "size": UNKNOWN},
    ),
    "one of two functions has an unknown mistake": (
        {
            "cost": ("cost", WRONG, ()),
            "data": ("data", WRONG, ()),
            "slope": ("slope", FOLLOWS, ("cost", "data")),
        },
        {"cost": NAMED, "data": UNKNOWN},
    ),
    "beside the mistake something is undecided": (
        {"cost": ("cost", WRONG, ()), "size": ("cost", UNDECIDED, ()), "slope": SLOPE},
        {"cost": NAMED},
    ),
    "beside the mistake something was not attempted": (
        {"cost": ("cost", WRONG, ()), "size": ("cost", NOT_ATTEMPTED, ()), "slope": SLOPE},
        {"cost": NAMED},
    ),
}


@pytest.mark.parametrize(("checks", "diagnoses"), COUNTS.values(), ids=COUNTS)
def test_what_follows_counts_where(
    monkeypatch: pytest.MonkeyPatch, checks: Judged, diagnoses: dict[str, Diagnosis | None]
) -> None:
    assert waiting(monkeypatch, checks, diagnoses) == set()


@pytest.mark.parametrize(("checks", "diagnoses"), WAITS.values(), ids=WAITS)
def test_what_follows_waits_for_a_person_where(
    monkeypatch: pytest.MonkeyPatch, checks: Judged, diagnoses: dict[str, Diagnosis | None]
) -> None:
    assert waiting(monkeypatch, checks, diagnoses) == {"slope"}


def test_all_that_follows_from_an_unknown_mistake_waits_however_far_it_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chain: Judged = {
        "data": ("data", WRONG, ()),
        "cost": ("cost", PARTLY_FOLLOWS, ("data",)),
        "slope": SLOPE,
    }
    assert waiting(monkeypatch, chain, {"data": UNKNOWN}) == {"cost", "slope"}


def test_functions_that_build_on_each_other_and_on_no_mistake_wait_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    circle: Judged = {"cost": ("cost", FOLLOWS, ("slope",)), "slope": SLOPE}
    assert waiting(monkeypatch, circle, {}) == {"cost", "slope"}
    known: Judged = {**circle, "size": ("slope", WRONG, ())}
    assert waiting(monkeypatch, known, {"size": NAMED}) == set()


NAMES = ("data", "cost", "slope", "fit")
VERDICTS = (RIGHT, WRONG, HALF_WRONG, FOLLOWS, PARTLY_FOLLOWS, UNDECIDED, NOT_ATTEMPTED)
CHECKS = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from(VERDICTS),
    st.lists(st.sampled_from(NAMES), unique=True).map(tuple),
)


@given(
    st.dictionaries(st.sampled_from("abcdef"), CHECKS, min_size=2),
    st.data(),
    st.sampled_from([AMBIGUOUS, UNKNOWN, None]),
)
def test_a_mistake_that_has_no_name_never_lets_more_count_than_one_that_has(
    checks: dict[str, tuple[str, Verdict, tuple[str, ...]]], data: st.DataObject, less: Diagnosis | None
) -> None:
    found = {name: data.draw(st.sampled_from([NAMED, AMBIGUOUS, UNKNOWN])) for name in checks}
    lost = data.draw(st.sampled_from(sorted(checks)))
    with pytest.MonkeyPatch.context() as patch:
        before = waiting(patch, checks, found)
        after = waiting(patch, checks, {**found, lost: less})
    follows = {name for name, (_, verdict, given) in checks.items() if verdict.follows and given}
    assert before <= follows
    assert after <= follows
    if found[lost] is NAMED:
        assert before <= after
    else:
        assert before == after, "a mistake is either a known one or not"
