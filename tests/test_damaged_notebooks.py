"""Whatever is wrong with a notebook, it has a status and a message that says what to do, and costs little time.

GRADER_DAMAGED=2000 tries so many; each is read and, if that succeeds, run.
"""

from __future__ import annotations

import os
from pathlib import Path

import psutil
from damaged_notebooks import REPAIRED, damaged
from support import write_course

from grader.batch.pool import Graded, grade_all
from grader.intake.submissions import Submission, find_submissions
from grader.notebook.sources import MERGED, NO_UTF8, ZEROS
from grader.observe.sandbox import Sandbox
from grader.plan.load import load_course
from grader.records import Status
from grader.store import Store

NUMBER = int(os.environ.get("GRADER_DAMAGED", "32"))
MOST_SECONDS = 5.0  # of processor time, for one notebook


class Watch:
    """Hears of results, and how much processor time each took; for batches with one worker."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.graded: dict[str, Graded] = {}
        self.seconds: dict[str, float] = {}
        self.before = self.used()

    def used(self) -> float:
        """Return the processor time of the batch with all that it started and that has ended."""
        parents = [each.process.pid for each in getattr(self.sandbox, "_parents", {}).values()]
        own = psutil.Process()
        tree = [each for pid in parents for each in (psutil.Process(pid), *psutil.Process(pid).children())]
        times = [each.cpu_times() for each in (own, *tree)]
        return sum(each.user + each.system + each.children_user + each.children_system for each in times)

    def started(self, submission: Submission) -> None:
        pass

    def finished(self, graded: Graded) -> None:
        now = self.used()
        self.seconds[graded.submission.id] = now - self.before
        self.before = now
        self.graded[graded.submission.id] = graded


def graded(root: Path, sandbox: Sandbox, notebooks: dict[str, bytes]) -> Watch:
    folder = write_course(root)
    folder.mkdir(parents=True)
    for name, data in notebooks.items():
        (folder / f"{name}.ipynb").write_bytes(data)
    watch = Watch(sandbox)
    with Store() as store:
        grade_all(find_submissions(folder), load_course("tiny", root), sandbox, store, 1, watch)
    return watch


def test_every_damaged_notebook_has_a_status_and_a_message_and_costs_little(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    notebooks = dict(damaged(NUMBER))
    watch = graded(tmp_path, sandbox, notebooks)
    assert set(watch.graded) == set(notebooks)
    statuses = {name: each.score.status for name, each in watch.graded.items()}
    assert {name for name, status in statuses.items() if status is Status.NOT_GRADED} == set()
    told = {
        name: each.score.message for name, each in watch.graded.items() if statuses[name] is Status.UNREADABLE
    }
    assert {name: words for name, words in told.items() if "hand" not in words or len(words) > 1000} == {}
    # the first one pays for what is started and imported
    assert {name: s for name, s in list(watch.seconds.items())[2:] if s > MOST_SECONDS} == {}
    print(
        f"{len(told)} unreadable of {NUMBER}; at most {max(watch.seconds.values()):.1f} s of processor time"
    )


def test_what_can_be_repaired_is_repaired_and_graded(tmp_path: Path, sandbox: Sandbox) -> None:
    names = {f"n{number}": name for number, name in enumerate(REPAIRED)}
    watch = graded(tmp_path, sandbox, {short: REPAIRED[name] for short, name in names.items()})
    points = {names[short]: each.score.points for short, each in watch.graded.items()}
    assert points == dict.fromkeys(REPAIRED, 3.0)
    told = {names[short]: each.score.remarks for short, each in watch.graded.items() if each.score.remarks}
    assert told == {
        "a byte of cp1252": (NO_UTF8,),
        "merge markers": (MERGED[0],),
        "zeros at the end": (ZEROS,),
    }
