"""What runs in a Dask worker: it has a machine process prove itself, then hands it the tasks.

    scheduler  --GraderCore, once: the course-->  worker  --starts-->  machine (machine.py)
                                                  worker says: proved, or why not (topic of events)
               <--resource of the course, if proved--
               --task: Work-->  worker  --socket-->  machine
               <--Answer--

Tasks ask for the resource of their course. A worker that has not proved its walls does not offer it, so that
the scheduler gives it none.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pickle
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from typing import Any

from distributed import Worker, WorkerPlugin, get_worker

from grader.batch.course_bundle import CourseBundle
from grader.batch.machine import Answer, Proof, Work
from grader.errors import ClusterError, GraderFault

LOG = logging.getLogger(__name__)
PROOF_SECONDS = 900.0  # for the course, its plan and the attacks
TASK_SECONDS = 3600.0
TRIES = 2
START = "from grader.batch.machine import main; main()"


class Machine:
    """A machine process; one that has ended is started again when it is needed."""

    def __init__(self, bundle: CourseBundle, jobs: int) -> None:
        self._bundle, self._jobs = bundle, jobs
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._way: socket.socket | None = None

    def prove(self) -> Proof:
        """Start the process, unless it runs, and return what it offers."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return Proof()
            self._end()
            own, other = socket.socketpair()
            with other:
                number = other.fileno()
                command = [sys.executable, "-c", START, str(number)]
                self._process = subprocess.Popen(command, pass_fds=[number], start_new_session=True)
            self._way = own
            try:
                proof: Proof = self._asked((self._bundle, self._jobs), PROOF_SECONDS)
            except (OSError, EOFError, pickle.UnpicklingError) as error:
                self._end()
                raise ClusterError(f"the process that grades did not start: {error!r}") from error
            if proof.refused:
                self._end()
            return proof

    def grade(self, work: Work) -> Answer:
        """Have a hand-in graded; raises GraderFault if the process ends of it, twice."""
        for _ in range(TRIES):
            self.prove()
            asked = self._process
            try:
                answer: Answer = self._asked(work, TASK_SECONDS)
            except (OSError, EOFError, pickle.UnpicklingError):
                LOG.warning("the process that graded %s has ended", work.name)
                with self._lock:  # another thread may have started a new one, which is to live
                    if asked is not None and asked is self._process and asked.poll() is None:
                        asked.kill()  # it did not answer in time
                        asked.wait()
                continue
            return answer
        raise GraderFault(f"the process that graded it ended {TRIES} times")

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _asked(self, question: Any, seconds: float) -> Any:
        """Return the answer to a question; raises OSError or EOFError if there is none."""
        own, other = socket.socketpair()
        with own:
            own.settimeout(seconds)
            with other:
                way = self._way
                if way is None:
                    raise EOFError
                socket.send_fds(way, [b"w"], [other.fileno()])
            with own.makefile("wb") as stream:
                pickle.dump(question, stream, protocol=5)
            own.shutdown(socket.SHUT_WR)
            with own.makefile("rb") as stream:
                return pickle.load(stream)  # noqa: S301 -- of a process that is ours

    def _end(self) -> None:
        if self._way is not None:
            self._way.close()  # it ends when it sees this
            self._way = None
        if self._process is not None:
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


class GraderCore(WorkerPlugin):
    """Brings a course to every worker; one that has proved its walls offers the resource `name`."""

    def __init__(self, bundle: CourseBundle, name: str) -> None:
        self.bundle = bundle
        self.name = name
        self.machine: Machine | None = None
        self.proving: asyncio.Task[None] | None = None

    async def setup(self, worker: Worker) -> None:
        """Begin to prove; the worker joins meanwhile."""
        self.machine = Machine(self.bundle, worker.state.nthreads)
        self.proving = asyncio.create_task(self._prove(worker, self.machine))

    async def _prove(self, worker: Worker, machine: Machine) -> None:
        try:
            proof = await asyncio.to_thread(machine.prove)
        except Exception as error:
            LOG.exception("no proof")
            proof = Proof(refused=str(error))
        if not proof.refused:
            await worker.set_resources(**{self.name: worker.state.nthreads})
        told = {
            "name": worker_name(worker),  # Dask itself writes "worker"
            "address": worker.address,
            "threads": 0 if proof.refused else worker.state.nthreads,
            "tier": str(proof.tier),  # plain text: no enumeration travels
            "refused": proof.refused,
            "notes": list(proof.notes),
        }
        worker.log_event(self.name, told)

    async def teardown(self, worker: Worker) -> None:
        """End the process, and take no more tasks."""
        try:
            if self.proving is not None:
                self.proving.cancel()
                await asyncio.wait([self.proving])
            with contextlib.suppress(OSError):  # the scheduler may have gone
                await worker.set_resources(**{self.name: 0})
        finally:
            if self.machine is not None:
                await asyncio.to_thread(self.machine.close)


def grade_work(name: str, work: Work) -> Answer:
    """Grade a hand-in; a task of Dask, run in a thread of a worker that has proved itself for `name`."""
    worker = get_worker()
    core = worker.plugins[name]
    assert isinstance(core, GraderCore)
    assert core.machine is not None
    began = time.monotonic()
    answer = core.machine.grade(work)
    return replace(answer, worker=worker_name(worker), seconds=time.monotonic() - began)


def worker_name(worker: Worker) -> str:
    """Return what people call a worker: its name, with the machine's where that is only a number."""
    name = str(worker.name)
    return f"{socket.gethostname()}/{name}" if name.isdigit() or "://" in name else name
