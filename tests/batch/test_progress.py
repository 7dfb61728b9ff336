"""Progress answers how fast, how long still, what fails and why; on any terminal, and for programs."""

from __future__ import annotations

import datetime as dt
import io
import json
import logging
import time
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from support import not_graded, rubric, score

from grader.attempt import Attempt
from grader.batch import progress
from grader.batch import tally as counting
from grader.batch.event_log import EventLog
from grader.batch.pool import Graded
from grader.batch.progress import LiveProgress, PlainProgress, closing_words
from grader.batch.tally import Tally, duration
from grader.course.rubric import Late
from grader.errors import UsageError
from grader.intake.submissions import Submission
from grader.records import Score, Status, Summary


def result(made: Score, seconds: float = 1.0) -> Graded:
    return Graded(Submission(made.submission, Path("x.ipynb"), made.submission), made, seconds=seconds)


def missing(name: str) -> Score:
    return score(name, 0.0, status=Status.NO_NOTEBOOK, summary=Summary.NO_NOTEBOOK, questions=())


@pytest.fixture
def tally(monkeypatch: pytest.MonkeyPatch) -> Tally:
    """Four results of eight, in ten seconds."""
    now = 100.0
    monkeypatch.setattr(counting.time, "monotonic", lambda: now)
    made = Tally(8)
    now = 110.0
    for each in (
        result(score("anna"), 7.0),
        result(score("bert"), 61.0),
        result(missing(":fox: [b]")),
        result(not_graded()),
    ):
        made.add(each)
    return made


def test_the_pace_tells_rate_and_time_left(tally: Tally) -> None:
    assert tally.pace() == "24.0/min, 10 s left"
    assert [duration(seconds) for seconds in (9.6, 75, 7380)] == ["10 s", "1 min 15 s", "2 h 3 min"]
    assert Tally(3).pace() == ""


@pytest.mark.parametrize("width", [40, 200])
def test_the_end_tells_what_needs_a_person_and_what_was_slow(tally: Tally, width: int) -> None:
    console = Console(file=io.StringIO(), width=width, emoji=False, highlight=False)
    closing_words(tally, console, rubric())
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "the slowest: bert (1 min 1 s), anna (7 s)" in said
    assert "For a person: not graded, through our fault (1): Not graded: no memory." in said
    assert "For a person: no notebook (1): :fox: [b]" in said
    assert "For a person: points that a person gives: Essay (2)" in said
    assert said.endswith("4 submissions: 2 partly correct, 1 no notebook, 1 not graded\n")


@pytest.mark.parametrize(
    ("late", "words"),
    [
        (None, "The rubric has no late:, so lateness costs nothing."),
        (
            Late(loss=0.1, grace_minutes=5),
            "1 of them within the grace period, which costs nothing. "
            "1 of them wait until it is known how late.",
        ),
    ],
)
def test_the_end_tells_who_was_late_and_what_it_costs(late: Late | None, words: str) -> None:
    made = Tally(5)
    for name, attempt in {
        "anna": Attempt(late_seconds=7200.0),
        "bert": Attempt(late_seconds=60.0),
        "carl": Attempt(late_seconds=None),
        "dora": Attempt(),
        "eve": Attempt(late_seconds=7200.0, counts=False),
    }.items():
        made.add(result(score(name, attempt=attempt)))
    course = rubric().model_copy(update={"late": late})
    assert made.lateness(course) == [
        f"3 hand-ins late: anna (2 h), bert (1 min), carl (how late is not known). {words}",
        "1 hand-in does not count, as the student has another one: eve. To change that: grader choose",
    ]


def test_the_end_says_that_nobody_was_late_if_there_is_a_deadline() -> None:
    course = rubric()
    assert Tally(0).lateness(course) == []
    deadline = course.model_copy(update={"deadline": dt.datetime(2026, 11, 20, tzinfo=dt.UTC)})
    assert Tally(0).lateness(deadline) == ["Nobody is known to be late."]


def test_a_hand_in_that_does_not_count_waits_for_nobody(tally: Tally) -> None:
    tally.add(result(score("anna-2", attempt=Attempt(counts=False))))
    assert tally.needs_a_person()[-1] == "points that a person gives: Essay (2)"


def test_the_end_is_broken_between_words_in_a_terminal(tally: Tally) -> None:
    console = Console(file=io.StringIO(), width=40, force_terminal=True, emoji=False, color_system=None)
    closing_words(tally, console, rubric())
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert max(map(len, lines)) <= 40
    assert lines[-2:] == ["4 submissions: 2 partly correct, 1 no ", "notebook, 1 not graded"]


@pytest.mark.parametrize("width", [40, 120])
def test_the_live_display_fits_the_window(tally: Tally, width: int) -> None:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, emoji=False, color_system=None)
    with LiveProgress(tally, console) as display:
        display.started(Submission("carl", Path("x"), "carl"))
        display.finished(result(score(":fox:")))
        shown = Console(file=io.StringIO(), width=width)
        shown.print(display.progress.get_renderable())
        (line,) = shown.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert "4/8" in line
    assert "left" in line
    assert len(line) <= width
    assert ":fox:  partly correct" in console.file.getvalue()  # type: ignore[attr-defined]


def test_the_counts_of_a_large_course_are_whole_in_a_narrow_window(tally: Tally) -> None:
    tally.total, tally.done = 12345, 10234
    console = Console(file=io.StringIO(), width=40, force_terminal=True, color_system=None)
    display = LiveProgress(tally, console)
    display.progress.update(display.task, completed=tally.done, pace="10.1/min, 30 min 56 s left")
    console.print(display.progress.get_renderable())
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert shown.strip() == "10234/12345 10.1/min, 30 min 56 s left"


def test_a_log_tells_what_runs_also_while_nothing_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "PACE_SECONDS", 0.01)
    said = ""
    with PlainProgress(Tally(8)) as display:
        for name in "abcde":
            display.started(Submission(name, Path(name), name))
        display.finished(result(score("b")))
        end = time.monotonic() + 20
        while "now a, c, d and 1 more" not in said and time.monotonic() < end:
            said += capsys.readouterr().out
    assert "now a, c, d and 1 more" in said
    assert "0 of 8 in 0 s" in said
    assert not display.telling.is_alive()


def test_programs_read_events_as_lines_of_json(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with EventLog(path) as events:
        events.write("begun", submissions=1)
        events.started(Submission("anna", Path("x"), "anna"))
        logging.getLogger("grader.batch.pool").warning("slow")
        events.emit(logging.makeLogRecord({"msg": "odd \ud83d"}))  # pytest cannot pass it on if it is logged
        events.finished(replace(result(score("anna"))))
    logging.getLogger("grader.batch.pool").warning("after the end")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["event"] for line in lines] == ["begun", "started", "warning", "warning", "finished"]
    assert [line["message"] for line in lines[2:4]] == ["slow", "odd ?"]
    last = {name: lines[4][name] for name in ("submission", "status", "points", "max_points", "seconds")}
    assert last == {
        "submission": "anna",
        "status": "graded",
        "points": 2.0,
        "max_points": 3.0,
        "seconds": 1.0,
    }


def test_a_log_file_that_cannot_be_written_is_named_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"log file .* cannot be written"):
        EventLog(tmp_path)
    with EventLog(None) as events:
        events.write("begun")
