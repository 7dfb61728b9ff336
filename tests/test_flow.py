"""The flow: what was observed is observed once, and judging it again runs nothing of a student's."""

from __future__ import annotations

import contextlib
import csv
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import RIGHT, RUBRIC, WRONG, notebook, write_course

from grader.batch import grade_folder
from grader.batch import pool as batch
from grader.errors import GraderFault, UsageError
from grader.handler.job import Job
from grader.observe import keys, observe_submission
from grader.observe.observe_submission import placed
from grader.observe.sandbox import Process, Program, Sandbox
from grader.plan.load import load_course
from grader.reading import FunctionFacts, Place
from grader.records import Fault, HandIn, Outcome, OutcomeKind
from grader.store import Store
from grader.subjects import Call

Grade = Callable[..., tuple[int, list[str]]]


class Lent:
    """The sandbox of all tests, lent to one: it notes what is started, and stays open."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.name = sandbox, sandbox.name
        self.python, self.scratch = sandbox.python, sandbox.scratch
        self.started: list[str] = []

    def __enter__(self) -> Lent:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def launch(self, program: Program) -> Process:
        self.started.append(program.module)
        return self.sandbox.launch(program)

    def launch_handler(self, kernel: Process | None) -> Process:
        return self.sandbox.launch_handler(kernel)


@pytest.fixture
def grade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> Grade:
    """Grade the tiny course into a folder; return how many were not graded, and the programs that ran."""

    def run(
        out: str = "results", jobs: int = 1, what: str = "submissions/tiny", roster: Path | None = None
    ) -> tuple[int, list[str]]:
        lent = Lent(sandbox)
        monkeypatch.setattr(grade_folder, "choose_sandbox", lambda *_, **__: lent)
        options = grade_folder.Options(roster=roster)
        faults = grade_folder.grade_folder(tmp_path / what, "tiny", tmp_path, tmp_path / out, jobs, options)
        return faults, lent.started

    return run


def grades(folder: Path) -> dict[str, float]:
    with (folder / "grades.csv").open() as file:
        return {row["submission"]: float(row["score"]) for row in csv.DictReader(file)}


def change_rubric(root: Path, old: str, new: str) -> None:
    path = root / "rubrics" / "tiny.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_a_second_run_starts_nothing_and_gives_the_same_bytes(tmp_path: Path, grade: Grade) -> None:
    write_course(tmp_path, anna=RIGHT, bert=WRONG, carl="1 +")
    assert grade() == (0, ["kernel", "calls", "kernel", "calls", "kernel"])
    names = ("grades.csv", "grades.json", "index.html", "anna/feedback.html", "anna/notebook.html")
    first = {name: (tmp_path / "results" / name).read_bytes() for name in names}
    assert grade() == (0, [])
    assert {name: (tmp_path / "results" / name).read_bytes() for name in names} == first


def test_the_number_of_workers_changes_no_byte_of_the_grades(tmp_path: Path, grade: Grade) -> None:
    write_course(tmp_path, anna=RIGHT, bert=WRONG, carl="def double(x):\n    return x[0]", dora="1 +")
    grade("one", 1)
    grade("two", 2)
    for name in ("grades.csv", "grades.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


# what changes in the rubric, and then the points of a right and of a wrong function
CHANGES = {
    "the points": ({"points: 3\n": "points: 6\n", "points: 2, inputs": "points: 5, inputs"}, 6.0, 0.0),
    "the tolerance": ({"inputs: numbers}": "inputs: numbers, rtol: 0.9}"}, 3.0, 3.0),
    "what a check requires": ({"requires: [values]": "requires: []"}, 3.0, 1.0),
    "the feedback": ({"title: It stays": "title: It stays\n        feedback: {passed: Good.}"}, 3.0, 0.0),
}


@pytest.mark.parametrize(("edits", "right", "wrong"), CHANGES.values(), ids=CHANGES)
def test_judged_again_without_student_code_after_a_change_of(
    tmp_path: Path, grade: Grade, edits: dict[str, str], right: float, wrong: float
) -> None:
    write_course(tmp_path, anna=RIGHT, bert=WRONG)
    grade()
    assert grades(tmp_path / "results") == {"anna": 3.0, "bert": 0.0}
    for old, new in edits.items():
        change_rubric(tmp_path, old, new)
    assert grade() == (0, [])
    assert grades(tmp_path / "results") == {"anna": right, "bert": wrong}


def test_a_changed_input_asks_for_the_calls_alone(tmp_path: Path, grade: Grade) -> None:
    write_course(tmp_path, anna=RIGHT)
    grade()
    change_rubric(tmp_path, "title: Tiny & small", "title: Tiny & small\nseed: 4")
    assert grade() == (0, ["calls"])


def test_a_changed_limit_and_a_changed_data_file_observe_everything_anew(
    tmp_path: Path, grade: Grade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    write_course(tmp_path, anna=RIGHT)
    grade()
    inputs = tmp_path / "reference" / "tiny" / "inputs.py"
    change_rubric(tmp_path, "title: Tiny & small", "title: Tiny & small\nlimits: {cell_seconds: 50}")
    assert grade() == (0, ["kernel", "calls"])
    before = inputs.stat()
    inputs.write_text(inputs.read_text().replace('b"1 2 3"', 'b"4 5 6"'))
    os.utime(inputs, ns=(before.st_atime_ns, before.st_mtime_ns))  # as if within the same second
    forget_modules()
    assert grade() == (0, ["kernel", "calls"])


def forget_modules() -> None:
    import sys

    for name in [name for name in sys.modules if name.startswith("_assignment_")]:
        del sys.modules[name]


def test_a_changed_notebook_is_observed_anew_and_the_others_are_not(tmp_path: Path, grade: Grade) -> None:
    folder = write_course(tmp_path, anna=WRONG, bert=WRONG + " # mine")
    assert grade()[1] == ["kernel", "calls", "kernel"], "the same code is called once for both"
    (folder / "anna.ipynb").write_text(notebook(RIGHT))
    assert grade() == (0, ["kernel", "calls"])
    assert grades(tmp_path / "results") == {"anna": 3.0, "bert": 0.0}


def test_what_changed_in_another_cell_runs_the_notebook_alone(tmp_path: Path, grade: Grade) -> None:
    folder = write_course(tmp_path, anna=RIGHT)
    grade()
    (folder / "anna.ipynb").write_text(notebook("print(1)", RIGHT))
    assert grade() == (0, ["kernel"])


def test_an_error_in_shared_code_is_shown_where_it_stands_in_each_notebook(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    failing = "def double(x):\n    return x / None"
    write_course(tmp_path)
    course = load_course("tiny", tmp_path)
    places = []
    with Store() as store:
        for cells in ([failing], ["1", "# a comment\n\n" + failing]):
            observation = observe_submission.observe(
                HandIn(notebook(*cells).encode()), course, sandbox, store
            )
            (fault,) = {outcome.fault for outcome in observation.outcomes.values()}
            assert fault is not None
            places.append((fault.cell, fault.line, fault.type))
    assert places == [(1, 2, "TypeError"), (2, 4, "TypeError")]


FACTS = FunctionFacts("f", "found", places=(Place(2, 1, "def f(x):"), Place(4, 3, "return x  # mine")))


@pytest.mark.parametrize(
    ("line", "told"),
    [(1, (2, 1, "def f(x):")), (2, (4, 3, "return x  # mine")), (3, (None, None, "")), (0, (None, None, ""))],
)
def test_a_fault_is_told_with_the_line_of_the_notebook_itself(
    line: int, told: tuple[int | None, int | None, str]
) -> None:
    outcome = Outcome(OutcomeKind.RAISED, fault=Fault("E", "m", 1, line, "return x  # of another"))
    fault = placed(outcome, FACTS).fault
    assert fault is not None
    assert (fault.cell, fault.line, fault.code) == told


@pytest.mark.parametrize("fault", [None, Fault("E", "m"), Fault("E", "m", 1, None, "x")])
def test_a_fault_without_a_place_is_told_without_one(fault: Fault | None) -> None:
    found = placed(Outcome(OutcomeKind.RAISED, fault=fault), FACTS).fault
    assert found == (None if fault is None else Fault("E", "m"))


def test_a_fault_in_the_notebook_itself_is_told_as_it_is() -> None:
    outcome = Outcome(OutcomeKind.RAISED, fault=Fault("E", "m", 3, 9, "x"))
    assert placed(outcome, None) == outcome


def test_a_fault_of_ours_leaves_the_others_whole_and_is_tried_again(
    tmp_path: Path, grade: Grade, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_course(tmp_path, anna=RIGHT, bert="# bert\n" + WRONG)
    real = observe_submission.handle

    def broken(job: Job, *rest: Any) -> Any:
        if b"bert" in job.notebook:
            raise GraderFault("no kernel")
        return real(job, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(observe_submission, "handle", broken)
        assert grade()[0] == 1
    table = (tmp_path / "results" / "grades.csv").read_text().splitlines()
    assert table[1].startswith("anna,graded,3,")
    assert table[2].startswith("bert,not_graded,,")
    assert grade() == (0, ["kernel", "calls"]), "only what was not graded is tried again"
    assert grades(tmp_path / "results") == {"anna": 3.0, "bert": 0.0}


def test_a_cached_result_that_is_damaged_is_observed_again(tmp_path: Path, grade: Grade) -> None:
    import sqlite3

    write_course(tmp_path, anna=RIGHT)
    grade()
    with sqlite3.connect(tmp_path / "results" / "grader.db") as connection:
        connection.execute("UPDATE readings SET reading = x'00'")
        connection.execute("UPDATE outcomes SET outcome = x'00'")
    connection.close()
    assert grade() == (0, ["calls"])
    assert grades(tmp_path / "results") == {"anna": 3.0}


def test_a_late_notebook_with_a_roster_takes_nothing_from_those_who_were_graded_before(
    tmp_path: Path, grade: Grade
) -> None:
    write_course(tmp_path, anna=RIGHT, bert=WRONG)
    roster = tmp_path / "roster.csv"
    roster.write_text("account\nanna\nbert\nzoe\nyan\n")
    grade(roster=roster)
    before = grades(tmp_path / "results")
    (tmp_path / "late").mkdir()
    (tmp_path / "late" / "zoe.ipynb").write_text(notebook(RIGHT))
    grade(what="late/zoe.ipynb", roster=roster)
    assert grades(tmp_path / "results") == before | {"zoe": 3.0}
    (tmp_path / "late" / "zoe.ipynb").rename(tmp_path / "late" / "yan.ipynb")
    grade(what="late/yan.ipynb")
    assert grades(tmp_path / "results") == before | {"zoe": 3.0, "yan": 3.0}
    with (tmp_path / "results" / "grades.csv").open() as file:
        assert {row["status"] for row in csv.DictReader(file)} == {"graded"}


def test_of_a_student_s_hand_ins_in_two_runs_one_counts(tmp_path: Path, grade: Grade) -> None:
    write_course(tmp_path, anna=WRONG)
    grade()
    (tmp_path / "late").mkdir()
    (tmp_path / "late" / "anna.ipynb").write_text(notebook(RIGHT))
    grade(what="late/anna.ipynb")
    with Store(tmp_path / "results" / "grader.db") as store:
        scores = store.get_scores("tiny")
    assert {name: score.attempt.counts for name, score in scores.items()} == {"anna": False, "anna-2": True}
    assert "This hand-in does not count." in scores["anna"].remarks
    assert "does not count" in (tmp_path / "results" / "anna" / "feedback.html").read_text()
    grade()
    with Store(tmp_path / "results" / "grader.db") as store:
        again = store.get_scores("tiny")
    assert {name: score.attempt.counts for name, score in again.items()} == {"anna": False, "anna-2": True}


def test_a_second_folder_in_the_same_results_tells_whose_rows_it_takes(
    tmp_path: Path, grade: Grade, capsys: pytest.CaptureFixture[str]
) -> None:
    write_course(tmp_path, anna=RIGHT, bert=WRONG)
    grade()
    grade()
    assert "take the rows" not in capsys.readouterr().err
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "anna.ipynb").write_text(notebook(WRONG))
    grade(what="later")
    said = " ".join(capsys.readouterr().err.split())
    assert "other files were graded before under the names of 1 submission, whose rows are replaced" in said
    assert f"anna was {tmp_path / 'submissions' / 'tiny' / 'anna.ipynb'}" in said


def test_a_roster_and_an_empty_folder_are_a_course_of_which_nobody_has_handed_in(
    tmp_path: Path, grade: Grade
) -> None:
    write_course(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "roster.csv").write_text("account\nanna\nbert\n")
    grade(what="empty", roster=tmp_path / "roster.csv")
    with (tmp_path / "results" / "grades.csv").open(encoding="utf-8-sig") as file:
        rows = {row["submission"]: row["status"] for row in csv.DictReader(file)}
    assert rows == {"anna": "not_handed_in", "bert": "not_handed_in"}


def test_an_unknown_assignment_names_those_that_there_are(tmp_path: Path) -> None:
    write_course(tmp_path)
    with pytest.raises(UsageError, match=r"no rubric .*huge\.yaml; the assignments here are: tiny"):
        load_course("huge", tmp_path)
    with pytest.raises(UsageError, match="the assignments here are: none"):
        load_course("huge", tmp_path / "nowhere")


def test_a_seed_given_by_hand_replaces_that_of_the_rubric(tmp_path: Path) -> None:
    write_course(tmp_path)
    first, same, other = (load_course("tiny", tmp_path, seed=seed) for seed in (5, 5, 6))
    assert [c.id for c in first.plan.calls] == [c.id for c in same.plan.calls]
    assert {c.id for c in first.plan.calls}.isdisjoint(c.id for c in other.plan.calls)
    assert "seed" not in RUBRIC


def test_what_was_observed_holds_for_the_packages_that_were_installed(
    tmp_path: Path, grade: Grade, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_course(tmp_path, anna=RIGHT)
    assert grade()[1] == ["kernel", "calls"]
    assert grade()[1] == []
    now = keys.find_interpreter(sys.executable)
    monkeypatch.setattr(keys, "find_interpreter", lambda _: replace(now, environment="with tqdm"))
    assert grade()[1] == ["kernel", "calls"]


LATE = Outcome(OutcomeKind.WALL_TIMEOUT)
RETRIED = {
    "a limit of time that a busy machine caused": ([OutcomeKind.WALL_TIMEOUT], 3.0),
    "a process that somebody killed": ([OutcomeKind.KILLED_BY_SIGNAL], 3.0),
    "memory that others had taken": ([OutcomeKind.OUT_OF_MEMORY], 3.0),
    "a limit of time that holds alone too": ([OutcomeKind.WALL_TIMEOUT] * 2, 0.0),
}


@pytest.mark.parametrize(("ends", "points"), RETRIED.values(), ids=RETRIED)
def test_what_the_machine_may_have_ended_counts_and_is_kept_only_after_a_try_alone(
    tmp_path: Path, grade: Grade, monkeypatch: pytest.MonkeyPatch, ends: list[OutcomeKind], points: float
) -> None:
    write_course(tmp_path, anna=RIGHT)
    left, alone, waiting = list(ends), [], []
    make_calls, run_alone = observe_submission.make_calls, batch.Turns.alone

    @contextlib.contextmanager
    def others_wait(turns: batch.Turns) -> Iterator[None]:
        with run_alone(turns):
            waiting.append(turns)
            yield
            waiting.clear()

    def make(slices: object, calls: list[Call], *rest: object) -> dict[str, Outcome]:
        assert rest[1].patient == bool(waiting)  # type: ignore[attr-defined]
        alone.append(rest[1].patient)  # type: ignore[attr-defined]
        if left:
            return dict.fromkeys((call.id for call in calls), Outcome(left.pop(0)))
        return make_calls(slices, calls, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(observe_submission, "make_calls", make)
    monkeypatch.setattr(batch.Turns, "alone", others_wait)
    grade()
    assert alone == [False, True]
    assert grades(tmp_path / "results") == {"anna": points}
    grade()
    assert alone == [False, True], "what was confirmed is kept"


CONFIRMED = {
    "processor time that ran out once": ([OutcomeKind.CPU_TIMEOUT], [False, True], [], 3.0),
    "processor time that runs out": ([OutcomeKind.CPU_TIMEOUT] * 2, [False, True], [], 0.0),
    "memory that ran out at the second try": (
        [OutcomeKind.CPU_TIMEOUT, OutcomeKind.OUT_OF_MEMORY],
        [False, True, True],
        [True],
        3.0,
    ),
}


@pytest.mark.parametrize(("ends", "patient", "waited", "points"), CONFIRMED.values(), ids=CONFIRMED)
def test_a_limit_of_processor_time_is_confirmed_while_others_work(
    tmp_path: Path,
    grade: Grade,
    monkeypatch: pytest.MonkeyPatch,
    ends: list[OutcomeKind],
    patient: list[bool],
    waited: list[bool],
    points: float,
) -> None:
    write_course(tmp_path, anna=RIGHT)
    left, asked, alone = list(ends), [], []
    make_calls, run_alone = observe_submission.make_calls, batch.Turns.alone

    def others_wait(turns: batch.Turns) -> contextlib.AbstractContextManager[None]:
        alone.append(True)
        return run_alone(turns)

    def make(slices: object, calls: list[Call], *rest: object) -> dict[str, Outcome]:
        asked.append(rest[1].patient)  # type: ignore[attr-defined]
        if left:
            return dict.fromkeys((call.id for call in calls), Outcome(left.pop(0)))
        return make_calls(slices, calls, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(observe_submission, "make_calls", make)
    monkeypatch.setattr(batch.Turns, "alone", others_wait)
    grade()
    assert (asked, alone) == (patient, waited)
    assert grades(tmp_path / "results") == {"anna": points}


def test_an_interrupt_of_a_call_counts_only_if_the_code_raises_it_again(
    tmp_path: Path, grade: Grade, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_course(tmp_path, anna=RIGHT, bert="def double(x):\n    raise KeyboardInterrupt")
    make_calls, asked = observe_submission.make_calls, []

    def make(slices: object, calls: list[Call], *rest: object) -> dict[str, Outcome]:
        asked.append(rest[1].patient)  # type: ignore[attr-defined]
        if len(asked) == 1:
            interrupted = Outcome(OutcomeKind.RAISED, fault=Fault("KeyboardInterrupt", ""))
            return dict.fromkeys((call.id for call in calls), interrupted)
        return make_calls(slices, calls, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(observe_submission, "make_calls", make)
    grade()
    assert asked == [False, True] * 2
    assert grades(tmp_path / "results") == {"anna": 3.0, "bert": 0.0}


def test_what_there_is_no_time_to_try_alone_is_not_kept_and_a_person_decides(
    tmp_path: Path, grade: Grade, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_course(tmp_path, anna=RIGHT)
    made: list[int] = []

    def make(slices: object, calls: list[Call], *_: object) -> dict[str, Outcome]:
        made.append(len(calls))
        return dict.fromkeys((call.id for call in calls), LATE)

    monkeypatch.setattr(observe_submission, "make_calls", make)
    monkeypatch.setattr(observe_submission, "ALONE", -1)
    grade()
    with (tmp_path / "results" / "grades.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["status"], row["double"]) == ("graded", ""), "no points are lost, none are given"
    grade()
    assert made == [made[0]] * 2, "what was not confirmed is asked for again"


def test_a_fault_of_ours_is_in_the_log_of_the_results_with_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_course(tmp_path, anna=RIGHT, bert=RIGHT)
    monkeypatch.chdir(tmp_path)
    first = observe_submission.handle

    def fail(job: Job, *rest: Any) -> Any:
        raise ZeroDivisionError("a bug of ours")

    monkeypatch.setattr(observe_submission, "handle", fail)
    unsafe = grade_folder.Options(unsafe=True)
    assert grade_folder.grade_folder(folder, "tiny", tmp_path, tmp_path / "results", 1, unsafe) == 2
    log = (tmp_path / "results" / "grader.log").read_text()
    assert log.count("was not graded") == 2
    assert "Traceback" in log
    assert "ZeroDivisionError: a bug of ours" in log
    assert "What went wrong through our fault is in" in capsys.readouterr().out
    monkeypatch.setattr(observe_submission, "handle", first)
    grade_folder.grade_folder(folder, "tiny", tmp_path, tmp_path / "again", 1, unsafe)
    assert not (tmp_path / "again" / "grader.log").exists()
