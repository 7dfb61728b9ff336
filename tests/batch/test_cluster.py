"""A batch on a cluster: the results are those of one machine, whatever becomes of its workers."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, text
from support import RIGHT, WRONG, write_course

from grader.batch import course_bundle
from grader.batch.grade_folder import Options, grade_folder
from grader.batch.machine_turns import MachineTurns
from grader.errors import ClusterError, UsageError
from grader.observe.tiers import start_best

distributed = pytest.importorskip("distributed")
cluster = pytest.importorskip("grader.batch.cluster")
if not sys.platform.startswith("linux"):
    pytest.skip("a worker needs walls, which there are for Linux alone", allow_module_level=True)

SECONDS = 300
SLOW = "import time; time.sleep(1.0)\n"
BIN = Path(sys.executable).parent


class Machines:
    """A scheduler, and workers by their names; each is a group of processes."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.folder = folder
        self.started: dict[str, subprocess.Popen[bytes]] = {}
        self.start(
            "scheduler", "scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"
        )

    def worker(self, name: str) -> None:
        arguments = ("--nthreads", "1", "--name", name, "--no-dashboard", "--memory-limit", "0")
        self.start(name, "worker", self.address, *arguments, "--local-directory", str(self.folder))

    def start(self, name: str, *arguments: str) -> None:
        command = [sys.executable, str(BIN / "dask"), *arguments]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.started[name] = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def send(self, name: str, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.started[name].pid, number)

    def close(self) -> None:
        for name, process in self.started.items():
            self.send(name, signal.SIGCONT)
            self.send(name, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    best = start_best(("numpy",))[0]
    if best is None:
        pytest.skip("no box can be built here, and a worker without walls gets no work")
    best.close()
    made = Machines(tmp_path_factory.mktemp("machines"))
    try:
        made.worker("one")
        made.worker("two")
        yield made
    finally:
        made.close()


def run(root: Path, out: str, address: str | None = None) -> int:
    options = Options(cluster=address)
    return grade_folder(root / "submissions" / "tiny", "tiny", root, root / out, 2, options)


def table(root: Path, out: str) -> dict[str, bytes]:
    """The files of the results that say how a submission was graded."""
    names = sorted((root / out).glob("**/feedback.html"))
    files = [root / out / "grades.csv", root / out / "grades.json", *names]
    return {path.relative_to(root / out).as_posix(): path.read_bytes() for path in files}


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    engine = create_engine(f"sqlite:///{path}")
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]
    finally:
        engine.dispose()


READ = (
    "SELECT submission, question, alike || seen FROM answers UNION SELECT submission, '', run FROM hand_ins"
)
KEPT = "SELECT key, '' FROM runs UNION SELECT key, '' FROM readings UNION SELECT key, call FROM outcomes"


def test_a_cluster_comes_to_the_results_of_one_machine(
    machines: Machines, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_course(tmp_path, anna=RIGHT, bert=WRONG, carl="1 +", dora=RIGHT + "\n1 / 0")
    (folder / "emil.ipynb").write_text("{")
    (folder / "fred").mkdir()
    assert run(tmp_path, "here") == 0
    capsys.readouterr()
    assert run(tmp_path, "there", machines.address) == 0
    shown = capsys.readouterr().out
    assert table(tmp_path, "there") == table(tmp_path, "here")
    for query in (KEPT, READ):
        here, there = (sorted(rows(tmp_path / out / "grader.db", query)) for out in ("here", "there"))
        assert here == there
    assert ("anna", "double") in {row[:2] for row in there}
    assert ", on one" in shown or ", on two" in shown
    assert "Graded on: " in shown
    assert "Worker</button>" in (tmp_path / "there" / "index.html").read_text()

    executed = (tmp_path / "there" / "anna" / "executed.ipynb").read_bytes()  # it has the time of the run
    assert run(tmp_path, "there", machines.address) == 0
    assert (tmp_path / "there" / "anna" / "executed.ipynb").read_bytes() == executed
    assert [p for p in psutil.process_iter() if "grader.batch.machine" in " ".join(_command(p))] == []


def _command(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.Error):
        return process.cmdline()
    return []


def when_graded(folder: Path, number: int, act: Callable[[], None]) -> threading.Thread:
    """Act in a thread as soon as so many submissions have a page."""

    def watch() -> None:
        end = time.monotonic() + SECONDS
        while len(list(folder.glob("*/feedback.html"))) < number and time.monotonic() < end:
            time.sleep(0.05)
        act()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_worker_that_dies_or_stops_costs_time_only(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(cluster, "LATE_SECONDS", 4.0)
    monkeypatch.setattr(cluster, "LATE_TIMES", 2)
    names = {f"s{each}": (RIGHT, WRONG)[each % 2] + f"\n{SLOW}# {each}" for each in range(8)}
    write_course(tmp_path, **names)
    assert run(tmp_path, "here") == 0
    machines.worker("three")
    try:
        acting = when_graded(tmp_path / "there", 2, lambda: machines.send("three", number))
        assert run(tmp_path, "there", machines.address) == 0
        acting.join()
    finally:
        machines.send("three", signal.SIGCONT)
        machines.send("three", signal.SIGKILL)
        machines.started.pop("three").wait()
    assert table(tmp_path, "there") == table(tmp_path, "here")


def test_a_worker_that_is_not_as_the_coordinator_gets_no_work_and_the_reason_is_told(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_course(tmp_path, anna=RIGHT)
    real = course_bundle._made_with
    monkeypatch.setattr(course_bundle, "_made_with", lambda: {**real(), "numpy": "1.2.3"})
    with pytest.raises(ClusterError, match=r"(?s)no worker.*may grade.*numpy .*, not 1\.2\.3"):
        run(tmp_path, "there", machines.address)
    assert "gets no work" in capsys.readouterr().err


def test_a_scheduler_that_does_not_answer_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_course(tmp_path, anna=RIGHT)
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.5)
    with pytest.raises(UsageError, match="no scheduler answers there"):
        run(tmp_path, "there", "tcp://127.0.0.1:9")


def test_who_is_alone_waits_for_the_others_and_keeps_new_ones_out() -> None:
    turns, events, inside = MachineTurns(), [], threading.Event()
    release = threading.Event()

    def other(name: str) -> None:
        with MachineTurns().together():
            events.append(f"{name} in")
            inside.set()
            release.wait(20)
            events.append(f"{name} out")

    first = threading.Thread(target=other, args=("first",))
    first.start()
    assert inside.wait(20)
    second = threading.Thread(target=other, args=("second",))
    with turns.together():
        timer = threading.Timer(0.5, release.set)
        timer.start()
        with turns.alone():
            events.append("alone")
            second.start()
            time.sleep(0.5)
            events.append("no longer alone")
    for thread in (first, second, timer):
        thread.join()
    assert events == ["first in", "first out", "alone", "no longer alone", "second in", "second out"]


def test_a_turn_that_is_never_given_back_is_waited_for_no_longer_than_said() -> None:
    held = MachineTurns()
    with held.together():
        turns = MachineTurns(patience=0.2)

        def go() -> None:
            with turns.together(), turns.alone():
                done.set()

        done = threading.Event()
        thread = threading.Thread(target=go)
        thread.start()
        thread.join(20)
        assert done.is_set()
