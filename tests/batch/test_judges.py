"""Judges are processes that give the same scores; the death of one costs at most the submission that ended it."""

from __future__ import annotations

import mmap
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from support import RIGHT, WRONG, write_course

from grader.batch import judges as judging
from grader.batch.grade_folder import grade_folder
from grader.batch.judges import Judges, can_fork
from grader.batch.pool import Graded, grade_all
from grader.errors import DamagedError, JudgeError
from grader.inside.waiter import children
from grader.intake.submissions import Submission, find_submissions
from grader.judge.judge_observation import grade
from grader.observe.observe_submission import observe
from grader.observe.sandbox import PlainSandbox
from grader.plan.load import load_course
from grader.plan.plan import Course
from grader.records import HandIn, Observation, Score, Status
from grader.store import Store

pytestmark = pytest.mark.skipif(not can_fork(), reason="judges are forks, which this system does not bear")
NO_RESERVE = 0x4000  # MAP_NORESERVE: the machine may have less memory than is asked for
LEAVING = """
import os, sys, time
from pathlib import Path
from grader.plan.load import load_course
from grader.batch.judges import Judges
from grader.inside.waiter import children
with Judges(load_course("tiny", Path(sys.argv[1])), 3):
    print(*children(os.getpid()), flush=True)
    time.sleep(60)
"""


class Listener:
    """Has no interest in news."""

    def started(self, submission: Submission) -> None:
        pass

    def finished(self, graded: Graded) -> None:
        pass


def observed(tmp_path: Path) -> tuple[Course, dict[str, Observation]]:
    """Return a course and what was observed of a right and a wrong submission, as it is kept."""
    folder = write_course(tmp_path, anna=RIGHT, bert=WRONG)
    course = load_course("tiny", tmp_path)
    with Store(tmp_path / "grader.db") as store:
        for _ in range(2):  # the second time from the store
            found = {
                submission.id: observe(HandIn(submission.path.read_bytes()), course, PlainSandbox(), store)
                for submission in find_submissions(folder)
            }
    return course, found


def test_judges_give_the_scores_that_this_process_would_give(tmp_path: Path) -> None:
    course, observations = observed(tmp_path)
    with Judges(course, 3) as judges:
        for name, observation in observations.items():
            assert judges.grade(name, observation) == grade(name, observation, course)


@pytest.mark.parametrize(("jobs", "elsewhere"), [(1, False), (2, True)])
def test_with_more_than_one_job_a_process_beside_this_one_judges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int, elsewhere: bool
) -> None:
    course, observations = observed(tmp_path)
    monkeypatch.setattr(judging, "grade", lambda *_: os.getpid())
    before = set(children(os.getpid()))
    with Judges(course, jobs) as judges:
        keepers = set(children(os.getpid())) - before
        found = judges.grade("anna", observations["anna"])
        started = {judge for keeper in keepers for judge in children(keeper)}
    assert (found in started) is elsewhere
    assert (found == os.getpid()) is not elsewhere
    assert set(children(os.getpid())) - before == set(), "no judge is left"


def test_a_fault_of_a_judge_is_heard_and_the_next_submission_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course, observations = observed(tmp_path)
    real = judging.grade

    def grade(submission: str, *rest: object) -> Score:
        if submission == "anna":
            raise DamagedError("the call a is damaged")
        return real(submission, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(judging, "grade", grade)
    with Judges(course, 2) as judges:
        with pytest.raises(DamagedError, match="the call a is damaged"):
            judges.grade("anna", observations["anna"])
        assert judges.grade("bert", observations["bert"]).points == 0.0


def test_a_judge_that_has_died_is_replaced(tmp_path: Path) -> None:
    course, observations = observed(tmp_path)
    before = set(children(os.getpid()))
    with Judges(course, 3) as judges:
        assert judges.grade("anna", observations["anna"]).points == 3.0
        for keeper in set(children(os.getpid())) - before:
            for judge in children(keeper):
                os.kill(judge, signal.SIGKILL)
        assert judges.grade("anna", observations["anna"]).points == 3.0
        assert judges.grade("bert", observations["bert"]).points == 0.0


@pytest.mark.parametrize("kind", ["killed", "too slow", "too large"])
def test_what_ends_its_judge_twice_is_not_graded_and_the_next_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    course, observations = observed(tmp_path)
    real, tried = judging.grade, tmp_path / "tried"

    def grade(submission: str, *rest: object) -> Score:
        if submission == "anna":
            with tried.open("a") as file:
                file.write(f"{os.getpid()}\n")
            if kind == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            elif kind == "too slow":
                signal.pause()
            raise MemoryError
        return real(submission, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(judging, "grade", grade)
    monkeypatch.setattr(judging, "SECONDS", 2)
    with Judges(course, 2) as judges:
        with pytest.raises(JudgeError, match="2 times"):
            judges.grade("anna", observations["anna"])
        assert judges.grade("bert", observations["bert"]).points == 0.0
    first, second = tried.read_text().split()
    assert str(os.getpid()) not in (first, second)
    assert first != second


def test_a_judge_cannot_take_the_memory_of_the_whole_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course, observations = observed(tmp_path)
    asked = 4 << 30

    def grade(submission: str, *_: object) -> str:
        try:
            mmap.mmap(-1, asked, flags=mmap.MAP_PRIVATE | NO_RESERVE).close()
        except OSError:
            return "refused"
        return "taken"

    monkeypatch.setattr(judging, "grade", grade)
    monkeypatch.setattr(judging, "MEMORY", asked // 2)
    with Judges(course, 2) as judges:
        assert judges.grade("anna", observations["anna"]) == "refused"
    monkeypatch.setattr(judging, "MEMORY", 2 * asked)
    with Judges(course, 2) as judges:
        assert judges.grade("anna", observations["anna"]) == "taken"


def test_also_with_one_job_a_process_beside_that_of_the_batch_judges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What trips a judge so badly that its process dies must not end the batch."""
    folder = write_course(tmp_path, anna=RIGHT)
    real = judging.grade

    def grade(submission: str, *rest: object) -> Score:
        return replace(real(submission, *rest), message=f"by {os.getpid()}")  # type: ignore[arg-type]

    monkeypatch.setattr(judging, "grade", grade)
    assert grade_folder(folder, "tiny", tmp_path, tmp_path / "out", 1, unsafe=True) == 0
    with Store(tmp_path / "out" / "grader.db") as store:
        score = store.get_scores("tiny")["anna"]
    assert score.points == 3.0
    assert score.message.startswith("by ")
    assert score.message != f"by {os.getpid()}"


def test_an_interrupt_is_not_for_judges_to_hear(tmp_path: Path) -> None:
    course, observations = observed(tmp_path)
    before = set(children(os.getpid()))
    with Judges(course, 2) as judges:
        assert judges.grade("anna", observations["anna"]).points == 3.0
        keepers = set(children(os.getpid())) - before
        started = {judge for keeper in keepers for judge in children(keeper)}
        for pid in keepers | started:
            os.kill(pid, signal.SIGINT)
        assert judges.grade("anna", observations["anna"]).points == 3.0
        assert {judge for keeper in keepers for judge in children(keeper)} == started


def test_a_judge_does_not_outlive_a_grader_that_is_killed(tmp_path: Path) -> None:
    write_course(tmp_path)
    command = [sys.executable, "-c", LEAVING, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as grader:
        assert grader.stdout is not None
        judges = grader.stdout.readline().split()
        assert len(judges) == 2
        grader.kill()
        grader.wait()
        deadline = time.monotonic() + 30
        while any(alive(judge) for judge in judges) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert [judge for judge in judges if alive(judge)] == []


def alive(pid: str) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_a_judge_cannot_read_is_observed_again(tmp_path: Path) -> None:
    import sqlite3

    course, _ = observed(tmp_path)
    with sqlite3.connect(tmp_path / "grader.db") as connection:
        connection.execute("UPDATE outcomes SET outcome = x'00'")
    connection.close()
    with Store(tmp_path / "grader.db") as store, Judges(course, 2) as judges:
        submissions = find_submissions(tmp_path / "submissions" / "tiny")
        scores = grade_all(submissions, course, PlainSandbox(), store, 2, Listener(), judges)
    assert [(s.status, s.points) for s in scores] == [(Status.GRADED, 3.0), (Status.GRADED, 0.0)]
