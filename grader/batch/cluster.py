"""The workers of a Dask cluster that may grade a course: each proves its walls before it gets work.

coordinator  --GraderCore: the course-->  scheduler  -->  every worker, also one that joins later
<--events: proved, or why not-----------------'
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from distributed import Client, Future

from grader.batch.cluster_worker import GraderCore, grade_work
from grader.batch.course_bundle import CourseBundle
from grader.batch.machine import Answer, Work
from grader.batch.pool import WAIT_SECONDS
from grader.errors import ClusterError, UsageError
from grader.observe.layers import lower

CONNECT_SECONDS = 20.0
ANSWER_SECONDS = 20.0  # until the scheduler must have answered
LOST_SECONDS = 60.0  # without the scheduler until the batch ends, unless the client has given up before
FIRST_SECONDS = 900.0  # until a worker must have proved itself, once there is one
TOLD_SECONDS = 30.0
AGAIN = "what was finished is kept: when it runs, give the same command again"


class Cluster:
    """The workers of a Dask scheduler that have proved themselves for a course; use it with `with`."""

    def __init__(self, address: str, bundle: CourseBundle, tell: Callable[[str], None]) -> None:
        self.name = f"grader-{bundle.digest[:12]}-{os.urandom(4).hex()}"
        self._tell = tell
        self._heard = 0
        self._threads: dict[str, int] = {}
        self._core = GraderCore(bundle, self.name)
        self.tier = ""
        self.python = bundle.python or sys.executable
        self._refused: dict[str, str] = {}
        self._scheduler = ""
        self._told = 0.0
        try:
            self._client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False, name=self.name)
        except (OSError, ValueError, TimeoutError) as error:
            raise UsageError(
                f"--cluster {address}: no scheduler answers there ({type(error).__name__}); start one with "
                "`dask scheduler`, and see that this machine reaches it"
            ) from error

    def __enter__(self) -> Self:
        self._forget_dead()
        # Dask waits for all workers; one that is stopped must not keep the others waiting.
        threading.Thread(target=self._register, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(Exception):
            self._asked("unregister_worker_plugin", name=self.name)
        with contextlib.suppress(Exception):
            self._client.close(CONNECT_SECONDS)

    @property
    def threads(self) -> int:
        """How many submissions the workers that have proved themselves can grade at a time."""
        return sum(self._threads.values())

    def wait_for_worker(self) -> None:
        """Wait until a worker may grade; raises ClusterError if those that are there may not."""
        began, told = time.monotonic(), 0.0
        while not self.threads:
            workers = self.check()
            waited = time.monotonic() - began
            there = len(workers)
            if there and workers.keys() <= self._refused.keys():
                reasons = "".join(f"\n    {why}" for why in self._refused.values())
                raise ClusterError(f"no worker of the cluster may grade:{reasons}")
            if there and waited > FIRST_SECONDS:
                raise ClusterError(f"no worker has proved itself in {waited:.0f} seconds; see their logs")
            if waited - told > TOLD_SECONDS:
                self._tell(f"waiting for the cluster: {there} workers are there, none has proved itself yet")
                told = waited
            time.sleep(WAIT_SECONDS / 5)

    def submit(self, work: Work, key: str, avoid: Sequence[str] = ()) -> Future[Answer] | None:
        """Send work to a worker that has proved itself and is none of `avoid`; None if there is none."""
        if self._client.status != "running":
            self.check()
        there = None
        if avoid:
            there = [address for address in self._threads if address not in avoid]
            if not there:
                return None
        return self._client.submit(
            grade_work, self.name, work, key=key, pure=False, resources={self.name: 1}, workers=there
        )

    def placed(self, keys: Sequence[str]) -> list[str]:
        """Return the addresses of the workers that have these tasks now; none if the scheduler is silent."""
        try:
            processing = self._asked("processing", workers=None)
        except OSError:
            return []
        return [at for at, tasks in processing.items() if any(key in tasks for key in keys)]

    def check(self) -> dict[str, Any]:
        """Forget workers that have left, and return the others; wait for the scheduler if it is gone.

        Raises ClusterError if it is gone for long, or is another one, which knows nothing of this batch.
        """
        began = time.monotonic()
        while True:
            with contextlib.suppress(OSError):
                if self._client.status == "running":
                    told = self._asked("events", topic=self.name)
                    workers = self._workers()
                    break
            if time.monotonic() - began > LOST_SECONDS or self._client.status == "closed":
                raise ClusterError(f"the scheduler of the cluster is gone; {AGAIN}")
            time.sleep(WAIT_SECONDS / 5)
        for _, event in told[self._heard :]:
            self._note(event)
        self._heard = len(told)
        for address in self._threads.keys() - workers.keys():
            del self._threads[address]
        return workers

    def tell_if_alone(self, number: int) -> None:
        """Tell now and then that so many submissions wait, while no worker may grade."""
        if self.threads:
            self._told = time.monotonic()
        elif time.monotonic() - self._told > TOLD_SECONDS:
            self._told = time.monotonic()
            self._tell(f"waiting for the cluster: {number} submissions were sent, and no worker is left")

    def _workers(self) -> dict[str, Any]:
        """Return what the scheduler knows of the workers, by address; raises OSError if it is silent."""
        told = self._asked("identity", n_workers=-1)
        self._scheduler = self._scheduler or told["id"]
        if told["id"] != self._scheduler:
            raise ClusterError(f"the scheduler of the cluster was started anew; {AGAIN}")
        found: dict[str, Any] = told["workers"]
        return found

    def _asked(self, question: str, **arguments: Any) -> Any:
        """Return an answer of the scheduler; raises OSError if there is none in time."""
        scheduler = self._client.scheduler
        if scheduler is None:
            raise OSError("the client is closed")
        return self._client.sync(getattr(scheduler, question), callback_timeout=ANSWER_SECONDS, **arguments)

    def _register(self) -> None:
        try:
            self._client.register_plugin(self._core, self.name)
        except Exception as error:
            self._tell(f"the course did not reach every worker: {type(error).__name__}: {error}")

    def _forget_dead(self) -> None:
        """Have the scheduler forget the courses of coordinators that have been killed."""
        with contextlib.suppress(OSError):
            for name in self._client.run_on_scheduler(_dead_courses):
                self._asked("unregister_worker_plugin", name=name)

    def _note(self, told: dict[str, Any]) -> None:
        """Note what a worker has proved."""
        if told["refused"]:
            self._refused[told["address"]] = f"{told['name']}: {told['refused']}"
            self._tell(f"the worker {told['name']} gets no work: {told['refused']}")
            return
        self._threads[told["address"]] = told["threads"]
        self.tier = lower(self.tier, told["tier"]) if self.tier else told["tier"]
        for note in told["notes"]:
            self._tell(f"the worker {told['name']}: {note}")


def _dead_courses(dask_scheduler: Any) -> list[str]:
    """Return the names of courses whose coordinator is not connected any more; runs in the scheduler."""
    courses = [name for name in dask_scheduler.worker_plugins if name.startswith("grader-")]
    return [name for name in courses if not any(name in client for client in dask_scheduler.clients)]
