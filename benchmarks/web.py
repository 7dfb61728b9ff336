"""What `grader serve` costs with a large course, and whether people who save at once lose anything.

python benchmarks/web.py                  1,000 students, 15 questions: each page, median and 95th percentile
python benchmarks/web.py --requests 10000 the memory of the server before, during and after many requests
python benchmarks/web.py --people 20      so many people save at once, on different and on the same answers
python benchmarks/web.py --people 20 --database postgresql+psycopg://user@host/empty
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil
import uvicorn

from grader.manual.accounts import Role, Session
from grader.manual.decisions import Decisions
from grader.store import Store
from grader.web.jobs import Jobs
from grader.web.served_results import Access, Results
from grader.web.site import make_site

ROOT = Path(__file__).resolve().parent.parent
TRIES = 30


@contextmanager
def served(where: Path | str, folder: Path) -> Iterator[tuple[str, Results]]:
    """Serve the results in a database; yield the address."""
    with Store(where) as store:
        results = Results(store, "large", folder, "Large", Access("ada", "once"), Jobs())
        config = uvicorn.Config(make_site(results), port=0, log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        socket = config.bind_socket()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{socket.getsockname()[1]}", results
        server.should_exit = True
        thread.join()


def fetch(address: str, cookie: str, form: dict[str, str] | None = None) -> tuple[int, str]:
    """Return the status and the text of a page; redirects are followed."""
    data = urllib.parse.urlencode(form).encode() if form is not None else None
    request = urllib.request.Request(address, data, {"Cookie": cookie})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def pages(results: Results) -> list[str]:
    """Return the paths of every kind of page."""
    code, q0, q9 = (results.code("student 0700", question) for question in ("", "q0", "q9"))
    return [
        "/", "/live", "/todo", "/students", f"/students/{code}", f"/grade/q0/{q0}", f"/grade/q9/{q9}",
        f"/answer/q0/{q0}", "/groups/q0", f"/groups/q0/{q0}", "/groups/q9", "/comments", "/history",
        "/people", "/similar",
    ]  # fmt: skip


def measure_pages(address: str, results: Results, token: str) -> None:
    """Print how long each page takes."""
    for path in pages(results):
        fetch(address + path, token)
        times = []
        for _ in range(TRIES):
            begun = time.perf_counter()
            status, _ = fetch(address + path, token)
            times.append(1000 * (time.perf_counter() - begun))
            assert status == 200, (path, status)
        times.sort()
        print(f"{statistics.median(times):7.1f} ms  {times[int(0.95 * TRIES)]:7.1f} ms  {path}", flush=True)


def measure_memory(address: str, results: Results, token: str, requests: int) -> None:
    """Print the memory of this process, in which the server runs, while pages are asked for."""
    process, paths = psutil.Process(), pages(results)
    for number in range(requests + 1):
        if number % max(1, requests // 10) == 0:
            print(f"{number:7} requests  {process.memory_info().rss / 2**20:7.1f} MB", flush=True)
        fetch(address + paths[number % len(paths)], token)


def measure_saving(address: str, results: Results, people: int, each: int) -> None:
    """Let people save at once; print how long it took, and fail if anything is lost."""
    sessions = [results.accounts.open_session(Session(f"person {n}", Role.TA)) for n in range(people)]
    tokens = [f"{results.cookie}={token}" for token in sessions]
    forgeries = []
    for token in tokens:
        found = re.search(r'data-forgery="(\w+)"', fetch(f"{address}/", token)[1])
        assert found is not None
        forgeries.append(found[1])
    names = results.worklist.submissions()

    def save(person: int, name: str, words: str) -> int:
        """Save on top of what stands, as one does who is told of a conflict; return the conflicts."""
        conflicts = 0
        while True:
            standing = results.decisions.standing(name, "q1")
            form = {
                "forgery": forgeries[person],
                "version": str(standing.version if standing else 0),
                "points": "1",
                "comment": words,
                "stay": "1",
            }
            status, text = fetch(f"{address}/grade/q1/{results.code(name, 'q1')}", tokens[person], form)
            if status == 200:
                return conflicts
            assert status == 409, (status, text[-500:])
            conflicts += 1

    def work(person: int) -> int:
        own = names[person * each : (person + 1) * each]
        conflicts = sum(save(person, name, f"{person}: {name}") for name in own)
        return conflicts + sum(save(person, names[-1], f"{person}: {number}") for number in range(each))

    begun = time.perf_counter()
    with ThreadPoolExecutor(people) as pool:
        conflicts = sum(pool.map(work, range(people)))
    seconds = time.perf_counter() - begun
    history = Decisions(results.store, "large").history(question="q1", limit=10**6)
    comments = [decision.comment for decision in history if decision.person.startswith("person")]
    wanted = {f"{n}: {name}" for n in range(people) for name in names[n * each : (n + 1) * each]}
    wanted |= {f"{n}: {number}" for n in range(people) for number in range(each)}
    lost = wanted - set(comments)
    assert not lost, lost
    assert len(comments) == len(wanted)
    print(
        f"{people} people, {len(wanted)} decisions in {seconds:.1f} s, {conflicts} conflicts told, none lost"
    )


def main() -> None:
    """Make a course and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--students", type=int, default=1000)
    parser.add_argument("--questions", type=int, default=15)
    parser.add_argument("--requests", type=int, default=0)
    parser.add_argument("--people", type=int, default=0)
    parser.add_argument("--each", type=int, default=10)
    parser.add_argument("--database")
    given = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests"))
    from support_manual import large  # noqa: PLC0415 -- of the tests

    with tempfile.TemporaryDirectory() as folder:
        where: Path | str = given.database or Path(folder) / "grader.db"
        with Store(where) as store:
            large(store, given.students, given.questions, waiting=4)
        with served(where, Path(folder)) as (address, results):
            token = f"{results.cookie}={results.accounts.open_session(Session('ada', Role.HEAD))}"
            if given.requests:
                measure_memory(address, results, token, given.requests)
            elif given.people:
                measure_saving(address, results, given.people, given.each)
            else:
                measure_pages(address, results, token)


if __name__ == "__main__":
    main()
