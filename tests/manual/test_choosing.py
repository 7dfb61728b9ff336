"""Of several hand-ins of a student a person chooses another one: for its own students alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner
from support import rubric, score

from grader.attempt import Attempt, Student
from grader.cli.choose import choose as choose_command
from grader.cli.open_results import submission_of
from grader.final import Waits
from grader.gradebooks.book import rows_of
from grader.intake.archives import Opened
from grader.intake.attempts import Rules, with_attempts
from grader.intake.submissions import Submission
from grader.manual.worklist import Worklist
from grader.store import Store

ANNA, BERT = Student("Anna", "s1"), Student("Bert", "s2")


def graded(folder: Path, **attempts: Attempt) -> Path:
    with Store(folder / "grader.db") as store:
        scores = [score(name, directory=name, attempt=attempt) for name, attempt in attempts.items()]
        store.put_scores("tiny", scores, "course", {name: f"/in/{name}.ipynb" for name in attempts})
        store.put_rubric("tiny", rubric().model_dump_json(by_alias=True))
    return folder


def choose(folder: Path, submission: str) -> dict[str, tuple[bool, bool]]:
    done = CliRunner().invoke(choose_command, [submission, "--out", str(folder)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    with Store(folder / "grader.db") as store:
        scores = store.get_scores("tiny")
        return {name: (each.attempt.counts, each.attempt.chosen) for name, each in scores.items()}


def test_the_own_hand_in_of_a_member_is_chosen_and_that_of_the_group_counts_for_the_others(
    tmp_path: Path,
) -> None:
    folder = graded(tmp_path, team=Attempt((ANNA, BERT)), own=Attempt((ANNA,), counts=False))
    assert choose(folder, "own") == {"own": (True, True), "team": (True, False)}
    with Store(folder / "grader.db") as store:
        waiting = {item.submission for item in Worklist(store, "tiny").items(only_open=True)}
        better = replace(store.get_scores("tiny")["team"], questions=score("team", 3.0).questions)
        rows = rows_of([better, store.get_scores("tiny")["own"]], rubric())
    assert waiting == {"own", "team"}
    assert [(row.student.name, row.score.submission) for row in rows] == [("Anna", "own"), ("Bert", "team")]
    with Store(folder / "grader.db") as store:
        scores = store.get_scores("tiny")
    assert [submission_of(who, scores) for who in ("Anna", "s1", "Bert")] == ["own", "own", "team"]
    assert choose(folder, "team") == {"own": (False, False), "team": (True, True)}


def test_a_hand_in_of_which_no_student_is_left_counts_no_longer(tmp_path: Path) -> None:
    folder = graded(
        tmp_path,
        team=Attempt((ANNA, BERT)),
        anna=Attempt((ANNA,), counts=False),
        bert=Attempt((BERT,), counts=False),
    )
    choose(folder, "anna")
    assert choose(folder, "bert") == {"anna": (True, True), "bert": (True, True), "team": (False, False)}
    with Store(folder / "grader.db") as store:
        superseded = {i.submission for i in Worklist(store, "tiny").items(waits=Waits.SUPERSEDED)}
    assert superseded == {"team"}


def test_a_later_attempt_within_the_grace_period_counts(tmp_path: Path) -> None:
    def handed_in(name: str, minutes: float) -> Submission:
        time = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC) + dt.timedelta(minutes=minutes)
        attempt = Attempt((ANNA,), time.isoformat(), max(0.0, 60 * minutes))
        return Submission(name, tmp_path / f"{name}.ipynb", name, attempt=attempt)

    attempts = [handed_in("first", -5), handed_in("second", 10), handed_in("third", 20)]

    def counting(grace: float) -> str:
        rules = Rules("hw", grace_seconds=60 * grace)
        found = with_attempts(
            [],
            Opened(tmp_path),
            rules,
            [replace(a, attempt=replace(a.attempt, counts=False)) for a in attempts],
        )
        (name,) = [each.id for each in found if each.attempt.counts]
        return name

    assert [counting(grace) for grace in (0, 15, 30)] == ["first", "second", "third"]
