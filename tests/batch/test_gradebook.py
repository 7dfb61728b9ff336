"""The gradebook is the whole course: late notebooks join it under names of their own, old rows say what they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from support import not_graded, score

from grader.batch.gradebook import (
    EARLIER,
    GONE,
    OTHER_COURSE,
    Rows,
    no_longer_absent,
    replaced_by_notebooks,
    with_own_name,
)
from grader.intake.submissions import ROSTER, Submission
from grader.store import Store

LATE = Submission("hw", Path("/late/hw.ipynb"), "hw")


@pytest.mark.parametrize(
    ("sources", "name"),
    [
        ({}, "hw"),
        ({"hw": ""}, "hw"),
        ({"hw": "/late/hw.ipynb"}, "hw"),
        ({"mon/anna": "/late/hw.ipynb"}, "mon/anna"),
        ({"hw": "/earlier/hw.ipynb"}, "hw-2"),
        ({"HW": "/earlier/hw.ipynb", "hw-2": "/x/hw.ipynb"}, "hw-3"),
        ({"h?": "/earlier/h.ipynb"}, "hw"),
        ({"hw": ROSTER}, "hw"),
    ],
)
def test_a_late_notebook_replaces_no_other_of_its_name(sources: dict[str, str], name: str) -> None:
    found = with_own_name(LATE, sources)
    assert (found.id, found.directory) == (name, name)
    assert ("Another file of this name" in found.remark) == (name.startswith("hw-"))


@pytest.mark.parametrize(("inside", "there"), [("", ["late"]), ("/late", ["late"])], ids=["file", "folder"])
def test_what_joins_the_course_later_says_nothing_of_the_other_rows(inside: str, there: list[str]) -> None:
    with Store() as store:
        store.put_scores("tiny", [score("a"), score("b")], "this", {"a": "/in/a.ipynb", "b": "/in/b.ipynb"})
        store.put_scores("tiny", [score("c")], "that", {"c": "/in/c.ipynb"})
        store.put_scores("tiny", [score("late")], "this", {"late": "/late/late.ipynb"})
        rows = Rows(store, "tiny", "this", {"late"}, inside, there)
        assert {row.submission: row.remarks for row in rows} == {
            "a": (),
            "b": (),
            "c": (OTHER_COURSE,),
            "late": (),
        }


def test_a_row_says_why_it_may_not_be_what_would_be_graded_now() -> None:
    with Store() as store:
        store.put_scores("tiny", [score("now"), score("before")], "this", {"before": "/in/b.ipynb"})
        store.put_scores("tiny", [score("other")], "that", {"other": "/in/o.ipynb"})
        store.put_scores("tiny", [score("gone")], "this", {"gone": "/in/g.ipynb"})
        store.put_scores("tiny", [not_graded("waiting")], "", {"waiting": "/in/w.ipynb"})
        store.put_scores("tiny", [score("elsewhere")], "this", {"elsewhere": "/inside/e.ipynb"})
        rows = Rows(store, "tiny", "this", {"now"}, "/in", {"now", "before", "other", "waiting"})
        remarks = {row.submission: row.remarks for row in rows}
        assert (len(rows), rows[0].submission) == (6, "before")
    assert remarks == {
        "now": (),
        "before": (EARLIER,),
        "other": (EARLIER, OTHER_COURSE),
        "gone": (EARLIER, GONE),
        "waiting": (),
        "elsewhere": (EARLIER,),
    }


def test_who_has_handed_in_meanwhile_is_absent_no_more() -> None:
    absent = replace(LATE, id="carl", absent="nothing")
    sources = {"carl": ROSTER, "bert": ROSTER, "hw": "/x"}
    assert no_longer_absent(sources, [LATE, absent], roster=True) == ["bert"]
    assert no_longer_absent(sources, [LATE], roster=False) == []
    assert no_longer_absent({"hw": ROSTER, "bert": ROSTER}, [LATE], roster=False) == ["hw"]


def test_a_row_without_a_notebook_goes_when_there_is_one_in_its_place() -> None:
    sources = {
        "emil": "/in/emil",
        "fred.zip": "/in/fred.zip",
        "gabi.ipynb.txt": "/in/gabi.ipynb.txt",
        "hugo": "/in/hugo",
        "ina.zip": "/in/ina.zip",
        "emilia": "/in/emilia.ipynb",
        "carl": ROSTER,
        "old": "",
    }
    there = ("emil/hw", "fred/hw", "gabi", "emilia")
    submissions = [Submission(name, Path(f"/in/{name}.ipynb"), name) for name in there]
    submissions.append(Submission("hugo", Path("/in/hugo"), "hugo", missing="it is empty"))
    assert replaced_by_notebooks(sources, submissions) == ["emil", "fred.zip", "gabi.ipynb.txt"]
