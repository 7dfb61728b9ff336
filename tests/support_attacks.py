"""Grades the whole attack corpus behind one tier of walls, and keeps what the assertions look at."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import yaml

sys.path.insert(0, str(Path(__file__).parent / "attacks"))

import files
import numbers_that_lie
import processes
import protocol
import resources
from attack import SECRET, Attack
from support import notebook, write_course

from grader.batch import judges
from grader.batch.pool import Graded, grade_all
from grader.inside import system
from grader.inside.walls import OWN
from grader.intake.submissions import Submission, find_submissions
from grader.observe import tiers
from grader.observe.sandbox import Sandbox
from grader.observe.warm import WarmSandbox
from grader.plan import load
from grader.plan.plan import Course
from grader.records import Observation, Score
from grader.store import Store

ATTACKS: tuple[Attack, ...] = (
    *files.ATTACKS,
    *processes.ATTACKS,
    *numbers_that_lie.ATTACKS,
    *resources.ATTACKS,
    *protocol.ATTACKS,
)
END_SECONDS = 10.0
JOBS = 3  # most attacks only wait for a clock
LIMITS = {
    "notebook_seconds": 12,
    "cell_seconds": 2.5,
    "call_seconds": 1,
    "function_seconds": 5,
    "memory_mb": 700,
}


@dataclass
class Outcome:
    """What grading the corpus left behind."""

    scores: dict[str, Score] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    connections: list[str] = field(default_factory=list)
    planted: dict[Path, str] = field(default_factory=dict)
    extra_files: list[str] = field(default_factory=list)
    processes: list[str] = field(default_factory=list)
    directories: list[str] = field(default_factory=list)
    host: Path = Path()


class Recorder:
    """Hears of nothing; the batch wants a listener."""

    def started(self, submission: Submission) -> None:
        pass

    def finished(self, graded: Graded) -> None:
        pass


def grade_corpus(root: Path, sandbox: Sandbox, attacks: Sequence[Attack] = ATTACKS) -> Outcome:
    """Grade every attack and every twin, together with a bystander."""
    found = Outcome()
    names = {f"a{place:02}": attack for place, attack in enumerate(attacks)}
    with planted(root, found) as known, Store(root / "results.db") as store:
        write_course(root, bystander="def double(x):\n    return 2 * x")
        loosen(root)
        folder = root / "submissions" / "tiny"
        for name, attack in names.items():
            for suffix in attack.runs:
                text = attack.source(name=name + suffix, **known)
                (folder / f"{name}{suffix}.ipynb").write_text(notebook(text))
            (folder / f"{name}-twin.ipynb").write_text(notebook(attack.twin()))
        course = load.load_course("tiny", root)
        before = started_parents(sandbox)
        with recorded(found):
            grade_all(find_submissions(folder), course, sandbox, store, JOBS, Recorder())
        found.scores = store.get_scores("tiny")
    found.processes = left_processes(before)
    found.directories = [path.name for path in sandbox.scratch.glob("run-*")]
    return found


@contextmanager
def planted(root: Path, found: Outcome) -> Iterator[dict[str, Any]]:
    """Put secrets where an attacker would look, and listen where one would call."""
    found.host = root / "host"
    found.host.mkdir()
    for name in (
        "reference/tiny/notes.txt",
        "rubrics/notes.yaml",
        "other.ipynb",
        "results.txt",
        "host/secret.txt",
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SECRET)
        path.chmod(0o644)
        found.planted[path] = SECRET
    os.environ["GRADER_TEST_TOKEN"] = SECRET
    kept = os.open(found.host / "secret.txt", os.O_RDONLY)
    os.set_inheritable(kept, True)
    with listeners(found, root / "log.socket") as port:
        yield {
            "reference": root / "reference/tiny/notes.txt",
            "rubric": root / "rubrics/notes.yaml",
            "other": root / "other.ipynb",
            "database": root / "results.txt",
            "host": found.host / "secret.txt",
            "pid": os.getpid(),
            "port": port,
            "log": root / "log.socket",
        }
    os.close(kept)
    del os.environ["GRADER_TEST_TOKEN"]


@contextmanager
def listeners(found: Outcome, log: Path) -> Iterator[int]:
    """Listen by TCP, UDP and unix sockets, of which two take datagrams; note whoever calls."""
    tcp = socket.create_server(("127.0.0.1", 0))
    port = tcp.getsockname()[1]
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", port))
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind(f"\0grader-test-{os.getpid()}")
    abstract.listen()
    datagrams = {}
    for address in (str(log), f"\0grader-test-{os.getpid()}-datagram"):
        datagrams[address] = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        datagrams[address].bind(address)
    log.chmod(0o777)
    names = {tcp: "tcp", udp: "udp", abstract: "abstract"} | dict.fromkeys(datagrams.values(), "datagram")
    over = threading.Event()

    def listen() -> None:
        import select

        while not over.is_set():
            for ready in select.select([*names], [], [], 0.05)[0]:
                found.connections.append(names[ready])
                if ready not in (tcp, abstract):
                    ready.recv(100)
                else:
                    ready.accept()[0].close()

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield port
    finally:
        over.set()
        thread.join()
        for each in names:
            each.close()


@contextmanager
def recorded(found: Outcome) -> Iterator[None]:
    """Keep everything that came out of a box: values, messages, and what the notebook displayed."""
    grade = judges.grade

    def record(submission: str, observation: Observation, course: Course) -> Score:
        displayed = ""
        if observation.run is not None:
            cells = json.loads(observation.run.executed)["cells"]
            displayed = json.dumps([cell.get("outputs") for cell in cells])
        found.seen[submission] = displayed + repr(dict(observation.outcomes))
        return grade(submission, observation, course)

    judges.grade = record
    try:
        yield
    finally:
        judges.grade = grade


def loosen(root: Path) -> None:
    """Give the rubric the short limits of the corpus."""
    path = root / "rubrics" / "tiny.yaml"
    content = yaml.safe_load(path.read_text())
    content["limits"] = LIMITS
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def started_parents(sandbox: Sandbox) -> set[int]:
    """Start the warm parents, if the sandbox has any; return the processes that there are then."""
    if isinstance(sandbox, WarmSandbox):
        for which in ("full", "scipy", "numpy", "handler"):
            sandbox.warm(which)
    return {process.pid for process in psutil.Process().children(recursive=True)}


def left_processes(known: set[int]) -> list[str]:
    """Return what this process has started, directly or not, since it had `known`, and has not ended."""
    deadline = time.monotonic() + END_SECONDS
    while left := [p for p in psutil.Process().children(recursive=True) if p.pid not in known]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    words = ("pid", "ppid", "name", "status", "create_time")
    return [str(process.as_dict(words)) for process in left]


def like_a_container() -> None:
    """Make the interpreter readable for every user, as it is in a container; this process alone sees that.

    As root in a home directory that is closed to others, an unprivileged box could not read Python.
    """
    closed = Path("/root")
    if os.getuid() != 0 or not Path(sys.base_prefix).is_relative_to(closed):
        return
    system.unshare(system.CLONE_NEWNS)
    system.mount("", "/", "", system.MS_REC | system.MS_PRIVATE)
    with tempfile.TemporaryDirectory() as kept:
        system.mount(sys.base_prefix, kept, "", system.MS_BIND)
        system.mount("home", str(closed), "tmpfs", 0, "mode=755")
        Path(sys.base_prefix).mkdir(parents=True)
        system.mount(kept, sys.base_prefix, "", system.MS_BIND)
        system.unmount(kept)


@cache
def offered_kinds() -> tuple[str, ...]:
    """Return the kinds of walls that can be built here, as words: a box of that kind starts and keeps its tier."""
    command = [sys.executable, __file__, "offered"]
    environment = {"PYTHONPATH": str(Path(__file__).parent), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return tuple(json.loads(done.stdout))


def print_offered_kinds() -> None:
    like_a_container()
    offered = []
    for kind, outer in tiers.offered_kinds():
        tiers.KINDS = ((kind, outer),)
        sandbox, survey = tiers.start_best()
        if sandbox is not None:
            sandbox.close()
        if survey.tier == kind:
            offered.append(f"{kind} {outer}")
    print(json.dumps(offered))


def main() -> None:
    """Grade the corpus behind walls of a kind and print what happened: some need a world of their own."""
    if sys.argv[1:] == ["offered"]:
        print_offered_kinds()
        return
    kind, outer, root = *sys.argv[1].split(), Path(sys.argv[2])
    if outer != OWN:
        like_a_container()
    wanted = set(sys.argv[3:])
    chosen = [attack for attack in ATTACKS if not wanted or attack.name in wanted]
    with WarmSandbox(("numpy", "scipy.sparse"), kind, outer=outer) as sandbox:
        found = grade_corpus(root, sandbox, chosen)
        scratch = sandbox.scratch
    report = {
        "points": {n: s.points if s.status == "graded" else None for n, s in found.scores.items()},
        "messages": {n: s.message for n, s in found.scores.items() if s.message},
        "stolen": [name for name, text in found.seen.items() if SECRET in text],
        "connections": found.connections,
        "processes": found.processes,
        "directories": [*found.directories, *([str(scratch)] if scratch.exists() else [])],
        "changed": [str(path) for path, text in found.planted.items() if path.read_text() != text],
        "extra": [path.name for path in found.host.iterdir() if path.name != "secret.txt"],
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
