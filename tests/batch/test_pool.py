"""Many submissions: each gets its result, and no fault of one spoils another."""

from __future__ import annotations

import pickle
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import RIGHT, WRONG, notebook, run, write_course

from grader.batch import pool as batch
from grader.batch.pool import Graded, grade_all
from grader.errors import GraderFault, NotebookUnreadable, ResultsError
from grader.intake.submissions import Submission, find_submissions
from grader.observe.sandbox import PlainSandbox
from grader.plan.load import load_course
from grader.plan.plan import Course
from grader.records import HandIn, Observation, Outcome, OutcomeKind, Score, Status
from grader.store import Store


class Listener:
    """Remembers what it heard."""

    def __init__(self) -> None:
        self.graded: dict[str, Graded] = {}

    def started(self, submission: Submission) -> None:
        pass

    def finished(self, graded: Graded) -> None:
        self.graded[graded.submission.id] = graded


def observed_by(monkeypatch: pytest.MonkeyPatch, observe: object) -> None:
    monkeypatch.setattr(batch, "observe", observe)


def nothing(course: Course) -> Observation:
    from grader.notebook.cells import read_code
    from grader.notebook.facts import find_functions
    from grader.notebook.read import parse_notebook

    code = read_code(parse_notebook(notebook("x = 1").encode()))
    return Observation(run(), find_functions(code, course.rubric.functions, code)[1], {})


def grade(folder: Path, jobs: int = 2, store: Store | None = None) -> tuple[list[Score], Listener]:
    listener = Listener()
    course = load_course("tiny", folder.parent.parent)
    with store or Store() as opened:
        submissions = find_submissions(folder)
        grade_all(submissions, course, PlainSandbox(), opened, jobs, listener)
        return [listener.graded[each.id].score for each in submissions], listener


def test_real_notebooks_get_their_points_and_come_back_in_order(tmp_path: Path) -> None:
    folder = write_course(tmp_path, bert=WRONG, anna=RIGHT, carl="1 +")
    scores, listener = grade(folder)
    assert [(s.submission, s.points, s.summary.value) for s in scores] == [
        ("anna", 3.0, "correct"),
        ("bert", 0.0, "wrong"),
        ("carl", 0.0, "wrong"),
    ]
    assert set(listener.graded) == {"anna", "bert", "carl"}


def test_a_second_run_observes_nothing_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_course(tmp_path, anna=RIGHT)
    first = grade(folder, store=Store(tmp_path / "grader.db"))[0]

    def launch(self: object, program: object) -> object:
        raise AssertionError("student code was run again")

    monkeypatch.setattr(PlainSandbox, "launch", launch)
    assert grade(folder, store=Store(tmp_path / "grader.db"))[0] == first


def test_a_changed_comment_runs_the_notebook_again_and_the_function_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_course(tmp_path, anna=RIGHT)
    grade(folder, store=Store(tmp_path / "grader.db"))
    (folder / "anna.ipynb").write_text(notebook("# a comment\n" + RIGHT))
    started: list[str] = []
    launch = PlainSandbox.launch

    def spy(self: PlainSandbox, program: object) -> object:
        started.append(program.module)  # type: ignore[attr-defined]
        return launch(self, program)  # type: ignore[arg-type]

    monkeypatch.setattr(PlainSandbox, "launch", spy)
    scores, _ = grade(folder, store=Store(tmp_path / "grader.db"))
    assert started == ["kernel"]
    assert scores[0].points == 3.0


def test_a_fault_of_ours_is_tried_again_and_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_course(tmp_path, anna=RIGHT)
    tries: list[int] = []

    def observe(hand_in: HandIn, course: Course, *_: object) -> Observation:
        tries.append(1)
        if len(tries) == 1:
            raise GraderFault("the worker died")
        return nothing(course)

    observed_by(monkeypatch, observe)
    scores, _ = grade(folder)
    assert len(tries) == 2
    assert scores[0].status is Status.GRADED


@pytest.mark.parametrize("error", [GraderFault("no memory"), ZeroDivisionError("a bug of ours")])
def test_a_fault_that_stays_leaves_the_submission_not_graded_and_the_others_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    folder = write_course(tmp_path, anna="1", bert="2")

    def observe(hand_in: HandIn, course: Course, *_: object) -> Observation:
        if b'"1"' in hand_in.notebook:
            raise error
        return nothing(course)

    observed_by(monkeypatch, observe)
    anna, bert = grade(folder)[0]
    assert (anna.status, bert.status) == (Status.NOT_GRADED, Status.GRADED)
    assert str(error) in anna.message
    assert anna.max_points == 0, "a fault of ours must cost no points"


def test_a_file_that_is_no_notebook_is_a_graded_submission(tmp_path: Path) -> None:
    folder = write_course(tmp_path)
    folder.mkdir(parents=True)
    (folder / "anna.ipynb").write_text("<html>")
    (folder / "bert.ipynb").symlink_to("/etc/hostname")
    anna, bert = grade(folder)[0]
    assert anna.status is bert.status is Status.UNREADABLE
    assert (anna.points, anna.max_points) == (0, 3)
    assert "web page" in anna.message
    assert "a link, which is not followed" in bert.message


def test_what_to_do_is_told_once_whatever_words_the_reason_has(tmp_path: Path) -> None:
    write_course(tmp_path)
    course = load_course("tiny", tmp_path)
    anna = Submission("anna", Path("anna.ipynb"), "anna")

    def told(error: NotebookUnreadable) -> str:
        def work() -> Graded:
            raise pickle.loads(pickle.dumps(error))  # as from the worker of a cluster

        return batch.graded(anna, course, "plain", work).score.message

    assert batch.ADVICE in told(NotebookUnreadable("damaged: AttributeError: handler"))
    assert batch.ADVICE not in told(NotebookUnreadable("300 MB; hand in less", advised=True))


def test_the_remark_on_two_notebooks_of_one_student_reaches_both_scores(tmp_path: Path) -> None:
    folder = write_course(tmp_path, **{"anna": "1", "anna (1)": "2"})
    scores, _ = grade(folder)
    assert [len(score.remarks) for score in scores] == [1, 1]


def test_an_interrupt_keeps_what_is_finished_and_nothing_of_what_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_course(tmp_path, anna="1", bert="while True: pass")
    running = threading.Event()
    launch = batch.EndableSandbox.launch

    def spy(self: batch.EndableSandbox, program: object) -> object:
        process = launch(self, program)  # type: ignore[arg-type]
        if program.module == "kernel":  # type: ignore[attr-defined]
            running.set()
        return process

    class Interrupting(Listener):
        def finished(self, graded: Graded) -> None:
            super().finished(graded)
            assert running.wait(60)
            raise KeyboardInterrupt

    monkeypatch.setattr(batch.EndableSandbox, "launch", spy)
    listener = Interrupting()
    course = load_course("tiny", tmp_path)
    with Store(tmp_path / "grader.db") as store:
        with pytest.raises(KeyboardInterrupt):
            grade_all(find_submissions(folder), course, PlainSandbox(), store, 1, listener)
        assert set(store.get_scores("tiny")) == set(listener.graded) == {"anna"}


def test_what_ends_only_because_it_was_killed_by_an_interrupt_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that is cut off may take the end of its processes for the notebook's own, and keep that."""
    folder = write_course(tmp_path, anna="1", bert="2")
    running, killed = threading.Event(), threading.Event()
    end = batch.EndableSandbox.end

    def observe(hand_in: HandIn, course: Course, sandbox: object, store: Store, *_: object) -> Observation:
        if b'"2"' in hand_in.notebook:
            running.set()
            assert killed.wait(60)
            store.put_run("cut off", run())
            store.put_outcomes("cut off", {"a": Outcome(OutcomeKind.KILLED_BY_SIGNAL)})
        else:
            store.put_run("whole", run("{}"))
        return nothing(course)

    def spy(self: batch.EndableSandbox) -> None:
        end(self)
        killed.set()

    class Interrupting(Listener):
        def finished(self, graded: Graded) -> None:
            super().finished(graded)
            assert running.wait(60)
            raise KeyboardInterrupt

    observed_by(monkeypatch, observe)
    monkeypatch.setattr(batch.EndableSandbox, "end", spy)
    course = load_course("tiny", tmp_path)
    with Store(tmp_path / "grader.db") as store:
        with pytest.raises(KeyboardInterrupt):
            grade_all(find_submissions(folder), course, PlainSandbox(), store, 1, Interrupting())
        assert store.get_run("whole") == run("{}")
        assert store.get_run("cut off") is None
        assert dict(store.get_outcomes("cut off", ["a"])) == {}
        assert set(store.get_scores("tiny")) == {"anna"}


def test_an_ended_sandbox_starts_nothing(tmp_path: Path) -> None:
    from grader.observe.sandbox import Program

    sandbox = batch.EndableSandbox(PlainSandbox())
    process = sandbox.launch(Program("calls", tmp_path))
    sandbox.end()
    assert process.poll() is not None
    with pytest.raises(GraderFault, match="interrupted"):
        sandbox.launch(Program("calls", tmp_path))


@pytest.mark.parametrize("where", ["storing", "writing"])
def test_a_result_that_cannot_be_kept_leaves_that_submission_not_graded_and_the_others_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    folder = write_course(tmp_path, anna="1", bert="2", carl="3")
    observed_by(monkeypatch, lambda data, course, *_: nothing(course))
    put_scores = Store.put_scores

    def put(self: Store, assignment: str, scores: list[Score], *rest: Any) -> None:
        if any(s.submission == "bert" and s.status is Status.GRADED for s in scores) and where == "storing":
            raise UnicodeEncodeError("utf-8", "\ud83d", 0, 1, "surrogates not allowed")
        put_scores(self, assignment, scores, *rest)

    class Writing(Listener):
        def finished(self, graded: Graded) -> None:
            bert = graded.submission.id == "bert" and graded.score.status is Status.GRADED
            if bert and where == "writing":
                raise OSError(36, "File name too long")
            super().finished(graded)

    monkeypatch.setattr(Store, "put_scores", put)
    listener, course = Writing(), load_course("tiny", tmp_path)
    with Store(tmp_path / "grader.db") as store:
        grade_all(find_submissions(folder), course, PlainSandbox(), store, 2, listener)
        kept = store.get_scores("tiny")
    found = {name: graded.score.status for name, graded in listener.graded.items()}
    assert found == {"anna": Status.GRADED, "bert": Status.NOT_GRADED, "carl": Status.GRADED}
    assert {name: score.status for name, score in kept.items()} == found
    assert {name: graded.score.status for name, graded in listener.graded.items()} == found


def test_a_disk_without_room_ends_the_batch_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_course(tmp_path, anna="1", bert="2")
    observed_by(monkeypatch, lambda data, course, *_: nothing(course))

    class Full(Listener):
        def finished(self, graded: Graded) -> None:
            raise ResultsError("cannot write: no room")

    course = load_course("tiny", tmp_path)
    with Store() as store, pytest.raises(ResultsError, match="no room"):
        grade_all(find_submissions(folder), course, PlainSandbox(), store, 1, Full())


@pytest.mark.parametrize(
    "error", [OSError(24, "Too many open files"), OSError(5, "I/O error"), FileNotFoundError(2, "gone")]
)
def test_a_file_that_the_machine_cannot_read_is_not_graded_and_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    folder = write_course(tmp_path, anna="1", bert="2")
    observed_by(monkeypatch, lambda data, course, *_: nothing(course))
    read = batch.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path.stem == "anna":
            raise error
        return read(path)

    monkeypatch.setattr(batch, "read_bytes", read_bytes)
    anna, bert = grade(folder)[0]
    assert (anna.status, bert.status) == (Status.NOT_GRADED, Status.GRADED)
    assert f"the file cannot be read: {error.strerror}" in anna.message
    assert str(tmp_path) not in anna.message
    assert anna.max_points == 0


def test_a_folder_that_the_machine_cannot_read_is_not_graded_and_costs_nothing(tmp_path: Path) -> None:
    folder = write_course(tmp_path, anna=RIGHT, bert=RIGHT)
    anna, bert = find_submissions(folder)
    anna = replace(anna, fault="the folder cannot be read: I/O error")
    listener = Listener()
    with Store() as store:
        grade_all([anna, bert], load_course("tiny", tmp_path), PlainSandbox(), store, 1, listener)
    scores = [listener.graded[name].score for name in ("anna", "bert")]
    assert [s.status for s in scores] == [Status.NOT_GRADED, Status.GRADED]
    assert "the folder cannot be read" in scores[0].message


def test_a_message_with_half_a_surrogate_ends_no_batch(tmp_path: Path) -> None:
    bad = 'def double(x):\n    raise ValueError("bad \\ud83d")'
    scores, _ = grade(write_course(tmp_path, anna=RIGHT, bad=bad, zoe=RIGHT), store=Store(tmp_path / "g.db"))
    assert [(s.submission, s.points) for s in scores] == [("anna", 3.0), ("bad", 0.0), ("zoe", 3.0)]
    assert "bad \N{REPLACEMENT CHARACTER}" in scores[1].questions[0].checks[0].verdict.message


def test_who_asks_to_run_alone_waits_for_the_others_and_keeps_new_ones_waiting() -> None:
    turns, lines = batch.Turns(), list[str]()
    inside, asks, go = threading.Event(), threading.Event(), threading.Event()

    def first() -> None:
        with turns.together():
            inside.set()
            go.wait(60)
            lines.append("the first has ended")

    def alone() -> None:
        with turns.together():
            asks.set()
            with turns.alone():
                lines.append("alone")

    def late() -> None:
        with turns.together():
            lines.append("a new one")

    threads = [threading.Thread(target=work) for work in (first, alone, late)]
    for thread, event in zip(threads[:2], (inside, asks), strict=True):
        thread.start()
        assert event.wait(60)
    while threads[1].is_alive() and not turns._asking:
        threads[1].join(0.01)
    threads[2].start()
    threads[2].join(0.2)  # were one of them not to wait, it would have run by now
    go.set()
    for thread in threads:
        thread.join(60)
    assert lines == ["the first has ended", "alone", "a new one"]


def test_who_runs_alone_runs_beside_nobody_and_nobody_waits_for_ever() -> None:
    turns, running, seen = batch.Turns(), [], []
    lock = threading.Lock()

    def work(number: int) -> None:
        for _ in range(20):
            with turns.together():
                with lock:
                    running.append(number)
                    seen.append((number, "together", len(running)))
                if number % 2:
                    with lock:
                        running.remove(number)
                    with turns.alone(), lock:
                        seen.append((number, "alone", len(running)))
                    with lock:
                        running.append(number)
                with lock:
                    running.remove(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert {beside for _, how, beside in seen if how == "alone"} == {0}
    assert sum(how == "alone" for _, how, _ in seen) == 40
